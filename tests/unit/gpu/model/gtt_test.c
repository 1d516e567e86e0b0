// SPDX-License-Identifier: GPL-2.0-or-later
/* GGTT and PPGTT walks, the TLB, flushes and what counts as a violation. */
#include "memory_rig.h"

static uint8_t *look(
	struct rig *r, uint64_t gma, enum space space, bool write, enum fault_reason *why)
{
	*why = FAULT_NONE;
	return gtt_ptr(r->e, gma, space, write, why);
}

/* The walk again, in the plainest way. Returns a bus address, or UINT64_MAX. */
static uint64_t naive(struct rig *r, uint64_t gma, bool *writable)
{
	uint64_t entry = r->e->pdp[0];
	int shift = 39;

	gma &= 0xffffffffffff;
	*writable = true;
	if (r->e->ppgtt_levels == 3) {
		if (gma >= 0x100000000)
			return UINT64_MAX;
		entry = r->e->pdp[gma / 0x40000000];
		shift = 21;
	}
	for (; shift >= 12; shift -= 9) {
		uint64_t table = entry & 0x7ffffff000, parent = entry, index = gma >> shift & 511;

		if (table < RIG_IOVA || table >= RIG_IOVA + RIG_RAM)
			return UINT64_MAX;
		if (shift == 12 && (parent & 0x800))
			index &= ~15ull;
		entry = *(uint64_t *)(r->ram + (table - RIG_IOVA) + index * 8);
		if (!(entry & 1))
			return UINT64_MAX;
		if (!(entry & 2))
			*writable = false;
		if (shift == 12 && (parent & 0x800))
			return (entry & 0x7fffff0000) + (gma & 0xffff);
		if (shift == 12)
			return (entry & 0x7ffffff000) + (gma & 0xfff);
		if (shift == 30 && (entry & 0x80))
			return (entry & 0x7fc0000000) + (gma & 0x3fffffff);
		if (shift == 21 && (entry & 0x80))
			return (entry & 0x7fffe00000) + (gma & 0x1fffff);
	}
	return UINT64_MAX;
}

static void check(struct rig *r, uint64_t gma)
{
	enum fault_reason why;
	bool writable;
	uint64_t want = naive(r, gma, &writable);
	uint8_t *p = look(r, gma, SPACE_PPGTT, false, &why);

	if (want >= RIG_IOVA && want < RIG_IOVA + RIG_RAM) {
		assert_ptr_equal(p, r->ram + (want - RIG_IOVA));
		p = look(r, gma, SPACE_PPGTT, true, &why);
		if (writable)
			assert_ptr_equal(p, r->ram + (want - RIG_IOVA));
		else
			assert_ptr_equal(p, r->e->tlb.sink + (gma & 4095));
	} else {
		assert_null(p);
		assert_int_not_equal(why, FAULT_NONE);
	}
}

static void test_page_sizes(void **state)
{
	static const unsigned int shifts[] = {12, 16, 21, 30};
	struct rig r;

	rig_init(&r);
	gtt_enter(r.e);
	r.used = MIB(4); /* big pages are aligned on the bus: the rest of the RAM is their target */
	for (unsigned int i = 0; i < ARRAY_SIZE(shifts); i++) {
		for (unsigned int k = 0; k < 4; k++) {
			unsigned int s = shifts[i];
			uint64_t gma =
				(((uint64_t)i * 4 + k) << 39) | (rig_random(&r) & 0x7fffffffff);
			uint64_t size = BIT64(s);
			uint64_t to = s == 30 ? RIG_IOVA
					      : RIG_IOVA + (MIB(8) & ~(size - 1)) +
							k * min_u64(size, MIB(2));
			bool rw = k & 1;

			gma &= ~(size - 1);
			rig_ppgtt_map(&r, gma, to, s, GEN9_PTE_PRESENT | (rw ? GEN9_PTE_RW : 0));
			for (unsigned int n = 0; n < 200; n++)
				check(&r, gma + rig_below(&r, min_u64(size, MIB(16))));
			check(&r, gma);
			check(&r, gma + size - 1);
			check(&r, gma + size);
			check(&r, gma - 1);
			/* canonical: bits 63:48 repeat bit 47 and do not count */
			check(&r, (gma + 8) | 0xffff000000000000);
		}
	}
	gtt_leave(r.e);
	rig_finish(&r);
}

/* IPS counts only where the driver has allowed it. */
static void test_64k_disabled(void **state)
{
	enum fault_reason why;
	struct rig r;
	uint64_t a;

	rig_init(&r);
	gtt_enter(r.e);
	a = (rig_pages(&r, 32) + 0xffff) & ~UINT64_C(0xffff);
	rig_ppgtt_map(&r, 0x7000000, a, 16, PTE_RW);
	assert_ptr_equal(
		look(&r, 0x7003008, SPACE_PPGTT, true, &why), r.ram + (a - RIG_IOVA) + 0x3008);
	regs_poke(&r.m->regs, 0x4080, 0);
	gtt_tlb_flush(r.e);
	assert_null(look(&r, 0x7003008, SPACE_PPGTT, true, &why));
	assert_non_null(look(&r, 0x7000008, SPACE_PPGTT, true, &why));
	gtt_leave(r.e);
	rig_finish(&r);
}

static void test_three_levels(void **state)
{
	struct rig r;
	uint64_t pt;

	rig_init(&r);
	gtt_enter(r.e);
	r.e->ppgtt_levels = 3;
	for (unsigned int i = 0; i < 4; i++) {
		r.e->pdp[i] = rig_pages(&r, 1);
		pt = rig_descend(&r, r.e->pdp[i], i * 7, 0);
		rig_table(&r, pt)[i * 9] = rig_pages(&r, 1) | PTE_RW;
		check(&r,
			(uint64_t)i << 30 | (uint64_t)i * 7 << 21 | (uint64_t)i * 9 << 12 | 0x123);
		check(&r, (uint64_t)i << 30 | (uint64_t)i * 7 << 21 | (uint64_t)(i * 9 + 1) << 12);
	}
	check(&r, 0x100000000); /* four tables of 1 GiB end here */
	gtt_leave(r.e);
	rig_finish(&r);
}

/* Tables of noise, that loop, and that point nowhere: every walk ends where the naive one does. */
static void test_hostile_tables(void **state)
{
	struct rig r;

	rig_init(&r);
	gtt_enter(r.e);
	for (unsigned int round = 0; round < 200; round++) {
		uint64_t pages = 64, base;

		r.used = 0;
		base = rig_pages(&r, pages);
		for (uint64_t i = 0; i < pages * 512; i++) {
			uint64_t v = rig_random(&r);

			switch (v % 4) {
			case 0: /* noise */
				break;
			case 1: /* to one of these tables: loops */
			case 2:
				v = (base + rig_below(&r, pages) * 4096) | (v & 0x883) | 1;
				break;
			default: /* near the end of RAM */
				v = (RIG_IOVA + RIG_RAM - 4096 + rig_below(&r, 3) * 4096) |
				    (v & 0x883);
			}
			rig_table(&r, base)[i] = v;
		}
		rig_table(&r, base)[511] = base | PTE_RW; /* itself */
		r.e->ppgtt_levels = round & 1 ? 4 : 3;
		for (unsigned int i = 0; i < 4; i++)
			r.e->pdp[i] = base + rig_below(&r, pages) * 4096;
		r.e->pdp[round % 4] = rig_random(&r);
		gtt_tlb_flush(r.e);
		for (unsigned int i = 0; i < 2000; i++)
			check(&r, rig_random(&r) >> rig_below(&r, 40));
		check(&r, UINT64_MAX);
		check(&r, 0xffffffffffff);
	}
	gtt_leave(r.e);
	rig_finish(&r);
}

static void test_ggtt(void **state)
{
	enum fault_reason why;
	struct rig r;
	uint64_t a, b;

	rig_init(&r);
	gtt_enter(r.e);
	a = rig_pages(&r, 1);
	b = rig_pages(&r, 1);
	assert_null(look(&r, 0x5000, SPACE_GGTT, false, &why));
	assert_int_equal(why, FAULT_PTE);
	assert_null(look(&r, 0x100000000, SPACE_GGTT, false, &why));
	assert_null(look(&r, UINT64_MAX, SPACE_GGTT, true, &why));
	rig_ggtt_map(&r, 0x5000, a, 1);
	assert_ptr_equal(look(&r, 0x5008, SPACE_GGTT, true, &why), rig_table(&r, a) + 1);
	assert_ptr_equal(ggtt_ptr(r.m, 0x5010, false, &why), rig_table(&r, a) + 2);
	/* half writes */
	r.g->ops->ggtt_write(r.g, 6, b | GEN9_PTE_PRESENT, 0xffffffff);
	assert_int_equal(r.g->ops->ggtt_read(r.g, 6), (b | GEN9_PTE_PRESENT) & 0xffffffff);
	r.g->ops->ggtt_write(r.g, 6, b, 0xffffffff00000000);
	assert_int_equal(r.g->ops->ggtt_read(r.g, 6), b | GEN9_PTE_PRESENT);
	/* outside the table */
	r.g->ops->ggtt_write(r.g, GGTT_ENTRIES, 1, UINT64_MAX);
	assert_int_equal(r.g->ops->ggtt_read(r.g, GGTT_ENTRIES), 0);
	assert_int_equal(rig_violations(&r, VIOLATION_GGTT_FLUSH), 0);
	/* used before the flush */
	assert_ptr_equal(look(&r, 0x6000, SPACE_GGTT, true, &why), rig_table(&r, b));
	assert_int_equal(rig_violations(&r, VIOLATION_GGTT_FLUSH), 1);
	assert_int_equal(r.m->violations.last[VIOLATION_GGTT_FLUSH], 0x6000);
	gtt_leave(r.e);
	rig_finish(&r);
}

static void test_tlb(void **state)
{
	enum fault_reason why;
	struct rig r;
	uint64_t a, b;

	rig_init(&r);
	gtt_enter(r.e);
	a = rig_pages(&r, 1);
	b = rig_pages(&r, 1);
	rig_ggtt_map(&r, 0x5000, a, 1);
	assert_ptr_equal(look(&r, 0x5000, SPACE_GGTT, false, &why), rig_table(&r, a));
	/* the same value again changes nothing and is no violation */
	r.g->ops->ggtt_write(r.g, 5, a | GEN9_PTE_PRESENT, UINT64_MAX);
	assert_ptr_equal(look(&r, 0x5000, SPACE_GGTT, false, &why), rig_table(&r, a));
	assert_int_equal(rig_violations(&r, VIOLATION_STALE_TLB), 0);
	/* another value: kept until the flush, and a use in between is counted */
	r.g->ops->ggtt_write(r.g, 5, b | GEN9_PTE_PRESENT, UINT64_MAX);
	assert_ptr_equal(look(&r, 0x5000, SPACE_GGTT, false, &why), rig_table(&r, a));
	assert_int_equal(rig_violations(&r, VIOLATION_STALE_TLB), 1);
	rig_ggtt_map(&r, 0x5000, b, 1);
	assert_ptr_equal(look(&r, 0x5000, SPACE_GGTT, false, &why), rig_table(&r, b));
	assert_int_equal(rig_violations(&r, VIOLATION_STALE_TLB), 1);
	assert_int_equal(rig_violations(&r, VIOLATION_GGTT_FLUSH), 0);

	/* PPGTT: guest memory; kept until a flush, found out by a sample */
	rig_ppgtt_map(&r, 0x123450000000, a, 12, PTE_RW);
	gtt_tlb_flush(r.e);
	assert_ptr_equal(look(&r, 0x123450000000, SPACE_PPGTT, true, &why), rig_table(&r, a));
	rig_ppgtt_map(&r, 0x123450000000, b, 12, PTE_RW);
	for (unsigned int i = 0; i < TLB_SAMPLE; i++)
		assert_ptr_equal(
			look(&r, 0x123450000000, SPACE_PPGTT, true, &why), rig_table(&r, a));
	assert_int_equal(rig_violations(&r, VIOLATION_STALE_TLB), 2);
	gtt_tlb_want_flush(r.e);
	assert_ptr_equal(look(&r, 0x123450000000, SPACE_PPGTT, true, &why), rig_table(&r, b));
	/* a generation that wraps forgets too */
	for (unsigned int i = 0; i < 1024; i++) {
		rig_ppgtt_map(&r, 0x123450000000, i & 1 ? a : b, 12, PTE_RW);
		gtt_tlb_flush(r.e);
		assert_ptr_equal(look(&r, 0x123450000000, SPACE_PPGTT, true, &why),
			rig_table(&r, i & 1 ? a : b));
	}
	/* the register: bit 0 asks and reads 0 */
	rig_wake(&r);
	rig_ppgtt_map(&r, 0x123450000000, b, 12, PTE_RW);
	gtt_tlb_flush(r.e);
	look(&r, 0x123450000000, SPACE_PPGTT, true, &why);
	rig_ppgtt_map(&r, 0x123450000000, a, 12, PTE_RW);
	r.g->ops->mmio_write(r.g, r.e->info->tlb_inv_reg, 1, 4);
	assert_int_equal(r.g->ops->mmio_read(r.g, r.e->info->tlb_inv_reg, 4), 0);
	assert_ptr_equal(look(&r, 0x123450000000, SPACE_PPGTT, true, &why), rig_table(&r, a));
	gtt_leave(r.e);
	rig_finish(&r);
}

/* A write through a read-only entry is dropped, and nobody reads it back later. */
static void test_readonly(void **state)
{
	enum fault_reason why;
	struct rig r;
	uint64_t a;
	uint8_t *p;

	rig_init(&r);
	gtt_enter(r.e);
	a = rig_pages(&r, 1);
	rig_ppgtt_map(&r, 0x10000, a, 12, GEN9_PTE_PRESENT);
	assert_ptr_equal(look(&r, 0x10000, SPACE_PPGTT, false, &why), rig_table(&r, a));
	p = look(&r, 0x10000, SPACE_PPGTT, true, &why);
	assert_non_null(p);
	*p = 0x55;
	assert_int_equal(rig_table(&r, a)[0], 0);
	assert_ptr_equal(look(&r, 0x10000, SPACE_PPGTT, false, &why), rig_table(&r, a));
	gtt_tlb_flush(r.e);
	assert_int_equal(*look(&r, 0x10000, SPACE_PPGTT, true, &why), 0);
	gtt_leave(r.e);
	rig_finish(&r);
}

static void test_bus(void **state)
{
	enum fault_reason why;
	struct rig r;
	uint8_t page[4096] __attribute__((aligned(4096)));

	rig_init(&r);
	assert_int_equal(
		r.g->ops->iova_map(r.g, (struct iova){0x1000}, 4096, (struct hva){page}, false), 0);
	assert_int_equal(
		r.g->ops->iova_map(r.g, (struct iova){0x2000}, 4096, (struct hva){NULL}, true), 0);
	gtt_enter(r.e);
	rig_ggtt_map(&r, 0x1000, 0x1000, 3);
	assert_ptr_equal(look(&r, 0x1000, SPACE_GGTT, false, &why), page);
	assert_null(look(&r, 0x1000, SPACE_GGTT, true, &why));
	assert_int_equal(why, FAULT_READONLY);
	assert_ptr_equal(look(&r, 0x1000, SPACE_GGTT, false, &why), page);
	assert_int_equal(r.m->fault[0], 0);
	assert_null(look(&r, 0x2000, SPACE_GGTT, false, &why));
	assert_int_equal(why, FAULT_FDLESS);
	assert_string_equal(
		r.m->fault, "guest RAM is not shared: add memory-backend-memfd,share=on");
	assert_null(look(&r, 0x3000, SPACE_GGTT, false, &why));
	assert_int_equal(why, FAULT_IOVA);
	gtt_leave(r.e);
	rig_finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_sizes),
		cmocka_unit_test(test_64k_disabled),
		cmocka_unit_test(test_three_levels),
		cmocka_unit_test(test_hostile_tables),
		cmocka_unit_test(test_ggtt),
		cmocka_unit_test(test_tlb),
		cmocka_unit_test(test_readonly),
		cmocka_unit_test(test_bus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
