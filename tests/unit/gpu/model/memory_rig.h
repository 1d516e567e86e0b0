/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A model on a virtual clock with guest RAM behind it, and page tables to fill by hand. */
#ifndef TESTS_MEMORY_RIG_H
#define TESTS_MEMORY_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "gpu/model/gtt.h"
#include "gpu/model/model_api.h"

#define RIG_RAM	 MIB(32)
#define RIG_IOVA UINT64_C(0x40000000) /* where the RAM is on the bus */
#define PTE_RW	 (GEN9_PTE_PRESENT | GEN9_PTE_RW)

#define FORCEWAKE_RENDER  0xa278
#define FORCEWAKE_BLITTER 0xa188
#define FORCEWAKE_MEDIA	  0xa270

struct rig {
	struct clock clock;
	struct gpu *g;
	struct model *m;
	struct engine *e; /* BCS0: idle, so that the test may use its TLB and section */
	uint8_t *ram;
	uint64_t used; /* bytes of RAM that were handed out */
	uint64_t random;
};

/* xorshift: the same numbers everywhere. */
static inline uint64_t rig_random(struct rig *r)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return r->random;
}

/* 0 .. n - 1 */
static inline uint64_t rig_below(struct rig *r, uint64_t n)
{
	return rig_random(r) % n;
}

static inline void rig_init(struct rig *r)
{
	struct err err = {0};
	struct model_config c = {.aperture_bytes = MIB(64), .clock = &r->clock, .monitor = true};

	*r = (struct rig){.random = 0x9e3779b97f4a7c15};
	clock_init_virtual(&r->clock, NSEC_PER_SEC);
	r->g = model_create(&c, &err);
	assert_non_null(r->g);
	r->m = to_model(r->g);
	r->e = &r->m->engine[BCS0];
	regs_poke(&r->m->regs, 0x4080, 0xf); /* 64 KiB pages, as i915 allows them */
	r->ram = mmap(NULL, RIG_RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(r->ram != MAP_FAILED);
	assert_int_equal(r->g->ops->iova_map(r->g, (struct iova){RIG_IOVA}, RIG_RAM,
				 (struct hva){r->ram}, true),
		0);
}

static inline void rig_finish(struct rig *r)
{
	r->g->ops->destroy(r->g);
	munmap(r->ram, RIG_RAM);
}

/* `pages` pages of RAM, zeroed; their bus address. */
static inline uint64_t rig_pages(struct rig *r, uint64_t pages)
{
	uint64_t at = r->used;

	assert_true(at + pages * PAGE_SIZE_4K <= RIG_RAM);
	r->used += pages * PAGE_SIZE_4K;
	memset(r->ram + at, 0, pages * PAGE_SIZE_4K);
	return RIG_IOVA + at;
}

static inline uint64_t *rig_table(struct rig *r, uint64_t iova)
{
	return (uint64_t *)(r->ram + ((iova & GEN9_PTE_ADDR) - RIG_IOVA));
}

/* Maps `pages` of RAM at `gma` of the GGTT and flushes. */
static inline void rig_ggtt_map(struct rig *r, uint64_t gma, uint64_t iova, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		r->g->ops->ggtt_write(r->g, (uint32_t)((gma >> PAGE_SHIFT) + i),
			(iova + i * PAGE_SIZE_4K) | GEN9_PTE_PRESENT, UINT64_MAX);
	r->g->ops->mmio_write(r->g, 0x101008, 1, 4);
}

/* The table below entry `index` of `table`, made when it is missing. */
static inline uint64_t rig_descend(
	struct rig *r, uint64_t table, unsigned int index, uint64_t flags)
{
	uint64_t *t = rig_table(r, table);

	if (!t[index])
		t[index] = rig_pages(r, 1) | PTE_RW | flags;
	return t[index];
}

/*
 * Maps one page of 1 << `shift` bytes (12, 16, 21, 30) in the four-level tables of the rig's engine,
 * which are made at the first call.
 */
static inline void rig_ppgtt_map(
	struct rig *r, uint64_t gma, uint64_t iova, unsigned int shift, uint64_t flags)
{
	uint64_t t, *pt;

	if (!r->e->ppgtt_levels) {
		r->e->ppgtt_levels = 4;
		r->e->pdp[0] = rig_pages(r, 1);
	}
	t = rig_descend(r, r->e->pdp[0], gma >> 39 & 511, 0);
	if (shift == 30) {
		rig_table(r, t)[gma >> 30 & 511] = iova | flags | GEN9_PDE_PS;
		return;
	}
	t = rig_descend(r, t, gma >> 30 & 511, 0);
	if (shift == 21) {
		rig_table(r, t)[gma >> 21 & 511] = iova | flags | GEN9_PDE_PS;
		return;
	}
	t = rig_descend(r, t, gma >> 21 & 511, shift == 16 ? GEN9_PDE_IPS_64K : 0);
	pt = rig_table(r, t);
	pt[gma >> 12 & (shift == 16 ? 0x1f0 : 0x1ff)] = iova | flags;
}

static inline void rig_wake(struct rig *r)
{
	r->g->ops->mmio_write(r->g, FORCEWAKE_RENDER, 0x10001, 4);
	r->g->ops->mmio_write(r->g, FORCEWAKE_BLITTER, 0x10001, 4);
	r->g->ops->mmio_write(r->g, FORCEWAKE_MEDIA, 0x10001, 4);
}

static inline uint64_t rig_violations(struct rig *r, enum violation v)
{
	return atomic_load(&r->m->violations.count[v]);
}

#endif
