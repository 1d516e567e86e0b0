// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is known about registers beside the rows themselves: engines, forcewake ranges, the index
 * over all tables, names, and the lint.
 *
 * An index entry holds the table in its upper bits and 1 + the row in its lower ones, so that a row
 * is found with two loads and no search. The tables are at most 32 of at most 2047 rows; the lint
 * says so when one grows beyond.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "gen9/regs.h"

#define ENTRY_ROW_BITS	  11
#define ENTRY_ROW_MASK	  ((1u << ENTRY_ROW_BITS) - 1)
#define ENTRY_TABLES_MAX  (1u << (16 - ENTRY_ROW_BITS))
#define INSTANCES_MAX	  8
#define ENGINE_BLOCK_SIZE 0x800u

const char *const reg_handler_names[REG_H_COUNT] = {
#define REG_HANDLER(id) [REG_H_##id] = #id,
#include "gen9/reg_handlers.inc"
#undef REG_HANDLER
};

/*
 * MMIO bases: PRM volume 2c, "Register address maps"; GDRST bits: volume 2c, GDRST, and i915's
 * GEN6_GRDOM_*; TLB registers: i915 gt/intel_tlb.c; context sizes: i915's
 * GEN9_LR_CONTEXT_RENDER_SIZE and GEN8_LR_CONTEXT_OTHER_SIZE.
 */
const struct gen9_engine_info gen9_engines[GEN9_ENGINES] = {
	[RCS0] = {.name = "rcs0",
		.mmio_base = 0x2000,
		.gdrst_bit = BIT(1),
		.irq_bank = 0,
		.irq_shift = 0,
		.forcewake = FW_RENDER,
		.tlb_inv_reg = 0x4260,
		.ctx_pages = 22},
	[BCS0] = {.name = "bcs0",
		.mmio_base = 0x22000,
		.gdrst_bit = BIT(3),
		.irq_bank = 0,
		.irq_shift = 16,
		.forcewake = FW_BLITTER,
		.tlb_inv_reg = 0x426c,
		.ctx_pages = 2},
	[VCS0] = {.name = "vcs0",
		.mmio_base = 0x12000,
		.gdrst_bit = BIT(2),
		.irq_bank = 1,
		.irq_shift = 0,
		.forcewake = FW_MEDIA,
		.tlb_inv_reg = 0x4264,
		.ctx_pages = 2},
	[VCS1] = {.name = "vcs1",
		.mmio_base = 0x1c000,
		.gdrst_bit = BIT(7),
		.irq_bank = 1,
		.irq_shift = 16,
		.forcewake = FW_MEDIA,
		.tlb_inv_reg = 0x4268,
		.ctx_pages = 2},
	[VECS0] = {.name = "vecs0",
		.mmio_base = 0x1a000,
		.gdrst_bit = BIT(4),
		.irq_bank = 3,
		.irq_shift = 0,
		.forcewake = FW_MEDIA,
		.tlb_inv_reg = 0x4270,
		.ctx_pages = 2},
};

/* Where a table's rows apply: the bases of its engines or instances, or 0 alone. */
struct places {
	unsigned int count;
	struct {
		uint32_t base;
		const char *name; /* NULL: the offset is absolute */
		bool vcs1;
	} at[INSTANCES_MAX];
};

static void table_places(const struct reg_table *t, struct places *p)
{
	if (t->engine_relative) {
		p->count = GEN9_ENGINES;
		for (unsigned int i = 0; i < GEN9_ENGINES; i++) {
			p->at[i].base = gen9_engines[i].mmio_base;
			p->at[i].name = gen9_engines[i].name;
			p->at[i].vcs1 = i == VCS1;
		}
	} else if (t->instances) {
		p->count = (unsigned int)min_u64(t->instance_count, INSTANCES_MAX);
		for (unsigned int i = 0; i < p->count; i++) {
			p->at[i].base = t->instances[i].base;
			p->at[i].name = t->instances[i].name;
			p->at[i].vcs1 = false;
		}
	} else {
		p->count = 1;
		p->at[0].base = 0;
		p->at[0].name = NULL;
		p->at[0].vcs1 = false;
	}
}

static bool row_is_at(const struct reg_table *t, const struct reg_row *row, unsigned int place)
{
	if (t->engine_relative)
		return row->engines & BIT(place);
	return !t->instances || !row->engines || (row->engines & BIT(place));
}

void gen9_regs_index(uint16_t index[GEN9_REG_DWORDS], bool has_vcs1)
{
	memset(index, 0, GEN9_REG_DWORDS * sizeof(index[0]));
	for (size_t i = 0; i < gen9_reg_table_count; i++) {
		const struct reg_table *t = &gen9_reg_tables[i];
		struct places p;

		if (t->without_vcs1 && has_vcs1)
			continue;
		table_places(t, &p);
		for (size_t j = 0; j < t->count; j++) {
			const struct reg_row *row = &t->rows[j];

			for (unsigned int k = 0; k < p.count; k++) {
				uint32_t first = (p.at[k].base + row->offset) / 4;

				if (!row_is_at(t, row, k) || (p.at[k].vcs1 && !has_vcs1))
					continue;
				for (uint32_t n = 0; n < row->count; n++)
					index[first + n] =
						(uint16_t)(i << ENTRY_ROW_BITS | (j + 1));
			}
		}
	}
}

const struct reg_row *gen9_reg_row(uint16_t entry)
{
	if (!entry)
		return NULL;
	return &gen9_reg_tables[entry >> ENTRY_ROW_BITS].rows[(entry & ENTRY_ROW_MASK) - 1];
}

void gen9_reg_name(uint32_t offset, char *out, size_t len)
{
	out[0] = '\0';
	for (size_t i = 0; i < gen9_reg_table_count; i++) {
		const struct reg_table *t = &gen9_reg_tables[i];
		struct places p;

		table_places(t, &p);
		for (unsigned int k = 0; k < p.count; k++) {
			for (size_t j = 0; j < t->count; j++) {
				const struct reg_row *row = &t->rows[j];
				uint32_t first = p.at[k].base + row->offset;
				char plus[16] = "", where[16] = "";

				if (offset < first)
					break;
				if (offset >= first + row->count * 4u || !row_is_at(t, row, k))
					continue;
				if (offset > first)
					snprintf(plus, sizeof(plus), "+%u", offset - first);
				if (p.at[k].name)
					snprintf(where, sizeof(where), "(%s)", p.at[k].name);
				snprintf(out, len, "%s%s%s", row->name, plus, where);
				return;
			}
		}
	}
}

int gen9_reg_engine(uint32_t offset)
{
	for (int i = 0; i < GEN9_ENGINES; i++) {
		uint32_t base = gen9_engines[i].mmio_base;

		if (offset >= base && offset - base < ENGINE_BLOCK_SIZE)
			return i;
	}
	return -1;
}

/* PRM volume 5, "GT power domains"; i915 intel_uncore.c. FW_BLITTER is i915's FORCEWAKE_GT. */
static const struct {
	uint32_t last; /* of a range that starts where the one before ends */
	uint32_t domains;
} forcewake_ranges[] = {
	{0x00aff, FW_BLITTER},
	{0x01fff, 0},
	{0x026ff, FW_RENDER},
	{0x02fff, FW_BLITTER},
	{0x03fff, FW_RENDER},
	{0x051ff, FW_BLITTER},
	{0x07fff, FW_RENDER},
	{0x0812f, FW_BLITTER},
	{0x0813f, FW_MEDIA},
	{0x0815f, FW_RENDER},
	{0x082ff, FW_BLITTER},
	{0x084ff, FW_RENDER},
	{0x087ff, FW_BLITTER},
	{0x089ff, FW_MEDIA},
	{0x08bff, FW_BLITTER},
	{0x08cff, FW_RENDER},
	{0x093ff, FW_BLITTER},
	{0x097ff, FW_RENDER | FW_MEDIA},
	{0x0afff, FW_BLITTER},
	{0x0b47f, FW_RENDER},
	{0x0cfff, FW_BLITTER},
	{0x0d7ff, FW_MEDIA},
	{0x0dfff, FW_BLITTER},
	{0x0e8ff, FW_RENDER},
	{0x11fff, FW_BLITTER},
	{0x13fff, FW_MEDIA},
	{0x19fff, FW_BLITTER},
	{0x1e9ff, FW_MEDIA},
	{0x243ff, FW_BLITTER},
	{0x247ff, FW_RENDER},
	{0x2ffff, FW_BLITTER},
	{0x3ffff, FW_MEDIA},
};

uint32_t gen9_reg_forcewake(uint32_t offset)
{
	size_t lo = 0, hi = ARRAY_SIZE(forcewake_ranges);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (offset > forcewake_ranges[mid].last)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < ARRAY_SIZE(forcewake_ranges) ? forcewake_ranges[lo].domains : 0;
}

static int complain(char *msg, size_t len, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int complain(char *msg, size_t len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, len, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

#define ALL_FLAGS (REG_RO | REG_MASKED | REG_W1C | REG_PLAIN | REG_CTX | REG_GDRST | REG_SHADOWED)

/* Contradictions within one row; NULL when there are none. */
static const char *row_contradiction(const struct reg_table *t, const struct reg_row *row)
{
	uint16_t f = row->flags;

	if (row->offset % 4)
		return "its offset is not a multiple of 4";
	if (!row->count)
		return "it covers no dword";
	if (f & ~ALL_FLAGS)
		return "it has flags that do not exist";
	if (row->handler >= REG_H_COUNT)
		return "its handler does not exist";
	if (row->cs > REG_CS_USER_READ)
		return "its streamer policy does not exist";
	if (t->engine_relative && (!row->engines || row->engines & ~ENGINES_ALL))
		return "it names no engine, or one that does not exist";
	if (t->instances && row->engines >> t->instance_count)
		return "it names an instance that does not exist";
	if (!t->engine_relative && !t->instances && row->engines)
		return "it names engines in a table of absolute offsets";
	if ((f & REG_RO) && (f & (REG_MASKED | REG_W1C) || row->ro || row->w1c))
		return "read-only, yet with rules for writes";
	if ((f & REG_MASKED) && (f & REG_W1C || row->w1c))
		return "masked and write-1-to-clear";
	if ((f & REG_MASKED) && (row->ro | row->reset) >> 16)
		return "masked, yet with bits in its upper half";
	if ((f & REG_W1C) && row->w1c)
		return "all bits and some bits are write-1-to-clear";
	if (row->ro & row->w1c)
		return "bits that are both read-only and write-1-to-clear";
	if ((f & REG_PLAIN) && (f & (REG_RO | REG_W1C) || row->ro || row->w1c || row->handler))
		return "plain storage, yet with rules or a handler";
	if (!row->handler && !(f & (REG_PLAIN | REG_RO | REG_W1C)) && !row->ro && !row->w1c)
		return "neither plain storage nor anything else";
	if ((f & REG_CTX) && row->cs == REG_CS_NONE)
		return "in the context image, yet out of the streamers' reach";
	return NULL;
}

/* What is wrong with a row by itself and after the one before it. 0 or -EINVAL. */
static int lint_row(const struct reg_table *t, size_t j, char *msg, size_t len)
{
	const struct reg_row *row = &t->rows[j];
	const char *why = row_contradiction(t, row);

	if (!row->name || !row->name[0] || !row->why || !row->why[0])
		return complain(msg, len, "%s: %05x has no name or no why", t->block, row->offset);
	if (why)
		return complain(msg, len, "%s: %05x %s: %s", t->block, row->offset, row->name, why);
	if (j && row->offset <= t->rows[j - 1].offset)
		return complain(msg, len, "%s: %05x %s stands after %05x", t->block, row->offset,
			row->name, t->rows[j - 1].offset);
	return 0;
}

/* Whether each row lies within MMIO and on dwords that no other has. `owner`: a name by dword. */
static int lint_places(
	const struct reg_table *t, bool has_vcs1, const char *owner[], char *msg, size_t len)
{
	struct places p;

	table_places(t, &p);
	for (size_t j = 0; j < t->count; j++) {
		const struct reg_row *row = &t->rows[j];

		for (unsigned int k = 0; k < p.count; k++) {
			uint32_t at = p.at[k].base + row->offset;

			if (!row_is_at(t, row, k) || (p.at[k].vcs1 && !has_vcs1))
				continue;
			if (at >= GEN9_MMIO_SIZE || row->count > (GEN9_MMIO_SIZE - at) / 4)
				return complain(msg, len, "%s: %05x %s: outside MMIO", t->block, at,
					row->name);
			for (uint32_t n = at / 4; n < at / 4 + row->count; n++) {
				if (owner[n])
					return complain(msg, len, "%s: %05x %s overlaps %s",
						t->block, n * 4, row->name, owner[n]);
				owner[n] = row->name;
			}
		}
	}
	return 0;
}

int gen9_reg_tables_lint(const struct reg_table *tables, size_t count, char *msg, size_t len)
{
	const char **owner;
	int ret = 0;

	if (count > ENTRY_TABLES_MAX)
		return complain(msg, len, "%zu tables, an index entry can name %u", count,
			ENTRY_TABLES_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct reg_table *t = &tables[i];

		if (!t->block || !t->rows || !t->count || t->count > ENTRY_ROW_MASK ||
			t->instance_count > INSTANCES_MAX || (t->engine_relative && t->instances))
			return complain(msg, len,
				"table %zu: no name, no rows, too many, or engines and instances",
				i);
		for (size_t j = 0; j < t->count; j++) {
			ret = lint_row(t, j, msg, len);
			if (ret)
				return ret;
		}
	}
	owner = calloc(GEN9_REG_DWORDS, sizeof(*owner));
	if (!owner)
		return -ENOMEM;
	for (int has_vcs1 = 0; has_vcs1 < 2 && !ret; has_vcs1++) {
		memset(owner, 0, GEN9_REG_DWORDS * sizeof(*owner));
		for (size_t i = 0; i < count && !ret; i++) {
			if (!tables[i].without_vcs1 || !has_vcs1)
				ret = lint_places(&tables[i], has_vcs1, owner, msg, len);
		}
	}
	free(owner);
	return ret;
}

int gen9_regs_lint(char *msg, size_t len)
{
	return gen9_reg_tables_lint(gen9_reg_tables, gen9_reg_table_count, msg, len);
}
