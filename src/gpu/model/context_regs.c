// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Registers of a context beyond those of the ring context: statistics, predicates, operands of indirect
 * draws, workarounds. Silicon keeps them in its engine's part of the image, whose layout nobody reads;
 * here they are more MI_LOAD_REGISTER_IMMs, in a part of the register state page that i915 leaves
 * alone (its OA code writes dwords 0x128 and from 0x3de on). A restore takes only what is exactly
 * where a save puts it; the rest keeps what is in the registers, as with restore inhibited.
 */
#include "gpu/model/cs.h"

#define EXT_DW	      0x140
#define EXT_END_DW    0x3d0
#define CHUNK_REGS    100 /* a length field of eight bits holds 127 */
#define MI_LRI	      (UINT32_C(0x22) << 23)
#define GFX_MOCS      0xc800
#define LNCFCMOCS     0xb020
#define REG_IS_MASKED 1u /* bit 0 of a list entry */

static void add(struct engine *e, uint32_t offset, bool masked)
{
	/* The unit test checks that all fit. */
	if (e->context_reg_count < CONTEXT_REGS_MAX)
		e->context_regs[e->context_reg_count] = offset | (masked ? REG_IS_MASKED : 0);
	e->context_reg_count++;
}

void context_regs_init(struct engine *e)
{
	e->context_reg_count = 0;
	for (size_t t = 0; t < gen9_reg_table_count; t++) {
		const struct reg_table *table = &gen9_reg_tables[t];

		for (size_t i = 0; i < table->count; i++) {
			const struct reg_row *row = &table->rows[i];
			bool relative = table->engine_relative;

			/* The MOCS tables are the engine's: i915 writes them once, by MMIO. */
			if (!(row->flags & REG_CTX) || row->offset == GFX_MOCS ||
				row->offset == LNCFCMOCS)
				continue;
			if (relative ? !(row->engines & BIT(e->id)) : e->id != RCS0)
				continue;
			for (uint32_t n = 0; n < row->count; n++) {
				uint32_t reg = row->offset + 4 * n;

				if (relative && gen9_context_row(e->id, reg))
					continue;
				add(e, relative ? e->info->mmio_base + reg : reg,
					row->flags & REG_MASKED);
			}
		}
	}
}

static unsigned int listed(const struct engine *e)
{
	return e->context_reg_count < CONTEXT_REGS_MAX ? e->context_reg_count : CONTEXT_REGS_MAX;
}

static uint32_t header(unsigned int left)
{
	unsigned int n = left < CHUNK_REGS ? left : CHUNK_REGS;

	return MI_LRI | (2 * n - 1);
}

void context_regs_save(struct engine *e, uint32_t *image)
{
	unsigned int count = listed(e), dw = EXT_DW;

	for (unsigned int i = 0; i < count; i++) {
		uint32_t offset = e->context_regs[i] & ~REG_IS_MASKED;
		uint32_t v = regs_peek(&e->model->regs, offset);

		if (i % CHUNK_REGS == 0)
			__atomic_store_n(&image[dw++], header(count - i), __ATOMIC_RELAXED);
		if (e->context_regs[i] & REG_IS_MASKED)
			v |= UINT32_C(0xffff0000);
		__atomic_store_n(&image[dw++], offset, __ATOMIC_RELAXED);
		__atomic_store_n(&image[dw++], v, __ATOMIC_RELAXED);
	}
}

void context_regs_load(struct engine *e, const uint32_t *image)
{
	unsigned int count = listed(e), dw = EXT_DW;

	for (unsigned int i = 0; i < count; i++) {
		uint32_t offset = e->context_regs[i] & ~REG_IS_MASKED, v;

		if (i % CHUNK_REGS == 0 && cs_load(&image[dw++]) != header(count - i))
			return;
		if (cs_load(&image[dw++]) != offset)
			return;
		v = cs_load(&image[dw++]);
		if (e->context_regs[i] & REG_IS_MASKED)
			v &= 0xffff;
		regs_poke(&e->model->regs, offset, v);
	}
}

static_assert(EXT_DW >= CONTEXT_RING_DW, "the lists overlap");
static_assert(EXT_DW + 2 * CONTEXT_REGS_MAX + CONTEXT_REGS_MAX / CHUNK_REGS + 1 <= EXT_END_DW,
	"the list runs into what i915 writes");
