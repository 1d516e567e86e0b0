// SPDX-License-Identifier: GPL-2.0-or-later
/* Every MI command that runs, PIPE_CONTROL and MI_FLUSH_DW, against a plain reference. */
#include "cs_rig.h"

#define LO(gma) (uint32_t)(gma)
#define HI(gma) (uint32_t)((uint64_t)(gma) >> 32)

struct fixture {
	struct cs_rig r;
	struct rig_ctx c;
};

static void open_on(struct fixture *f, int engine)
{
	rig_open(&f->r, true);
	rig_ctx_open(&f->r, &f->c, engine);
}

static uint64_t q(struct cs_rig *r, uint64_t gma)
{
	return *rig_pp(r, gma) | (uint64_t)*rig_pp(r, gma + 4) << 32;
}

static void set_q(struct cs_rig *r, uint64_t gma, uint64_t v)
{
	*rig_pp(r, gma) = (uint32_t)v;
	*rig_pp(r, gma + 4) = (uint32_t)(v >> 32);
}

/* Numbers that are often at an edge. */
static uint64_t operand(struct cs_rig *r)
{
	static const uint64_t edges[] = {0, 1, UINT64_MAX, UINT64_C(1) << 63, INT64_MAX, UINT32_MAX,
		UINT64_C(1) << 31, UINT64_C(0x7fffffff)};
	uint64_t n = rig_random(r);

	return n & 1 ? rig_random(r) : edges[n >> 1 & 7];
}

static void set_gpr(struct fixture *f, uint32_t n, uint64_t v)
{
	uint32_t gpr = rig_base(f->c.engine) + RING_GPR + 8 * n;

	rig_ring(&f->r, &f->c, MI_LRI_N(2), gpr, (uint32_t)v, gpr + 4, (uint32_t)(v >> 32));
}

static void get_gpr(struct fixture *f, uint32_t n, uint64_t to)
{
	uint32_t gpr = rig_base(f->c.engine) + RING_GPR + 8 * n;

	rig_ring(
		&f->r, &f->c, MI_SRM, gpr, LO(to), HI(to), MI_SRM, gpr + 4, LO(to + 4), HI(to + 4));
}

/* ------------------------------------------------------------------ stores, copies */

static void store_data_imm(void **state)
{
	struct fixture f;
	uint32_t gg;

	open_on(&f, VCS0);
	gg = rig_alloc(&f.r, 1);
	rig_ring(&f.r, &f.c, MI_SDI, LO(PP_SCRATCH), HI(PP_SCRATCH), 0x11111111, MI_SDI_QW,
		LO(PP_SCRATCH + 8), 0, 0x22222222, 0x33333333, MI_SDI | GGTT_BIT, gg + 4, 0,
		0x44444444, MI_SDI_QW, LO(PP_SCRATCH + 0xff8), 0, 5, 6, MI_SDI,
		LO(PP_HIGH + MIB(4) + 16), HI(PP_HIGH), 7);
	rig_run(&f.r, &f.c);
	assert_int_equal(q(&f.r, PP_SCRATCH), 0x11111111);
	assert_int_equal(q(&f.r, PP_SCRATCH + 8), 0x3333333322222222);
	assert_int_equal(rig_gg(&f.r, gg)[1], 0x44444444);
	assert_int_equal(q(&f.r, PP_SCRATCH + 0xff8), UINT64_C(0x600000005));
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 16), 7);
	rig_expect_clean(&f.r);
	rig_close(&f.r);
}

static void store_data_index(void **state)
{
	struct fixture f;

	open_on(&f, RCS0);
	rig_ring(&f.r, &f.c, MI(0x21) | 1, 0x100, 0xaaaa, MI(0x21) | BIT(21) | 2, 0x208, 0xbbbb,
		0xcccc);
	rig_run(&f.r, &f.c);
	assert_int_equal(rig_gg(&f.r, f.r.hwsp[RCS0])[0x40], 0xaaaa);
	assert_int_equal(rig_gg(&f.r, f.c.lrca)[0x82], 0xbbbb);
	assert_int_equal(rig_gg(&f.r, f.c.lrca)[0x83], 0xcccc);
	rig_close(&f.r);
}

static void copy_mem_mem(void **state)
{
	struct fixture f;
	uint32_t gg;

	open_on(&f, BCS0);
	gg = rig_alloc(&f.r, 1);
	rig_set(&f.r, PP_SCRATCH, 0xfeed);
	rig_ring(&f.r, &f.c, MI(0x2e) | 3, LO(PP_SCRATCH + 64), 0, LO(PP_SCRATCH), 0,
		MI(0x2e) | BIT(21) | 3, gg, 0, LO(PP_SCRATCH), 0, MI(0x2e) | BIT(22) | 3,
		LO(PP_SCRATCH + 68), 0, gg, 0, MI(0x2e) | BIT(22) | BIT(21) | 3, gg + 4, 0, gg, 0);
	rig_run(&f.r, &f.c);
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 64), 0xfeed);
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 68), 0xfeed);
	assert_int_equal(rig_gg(&f.r, gg)[0], 0xfeed);
	assert_int_equal(rig_gg(&f.r, gg)[1], 0xfeed);
	rig_expect_clean(&f.r);
	rig_close(&f.r);
}

static void report_perf_count(void **state)
{
	struct fixture f;

	open_on(&f, RCS0);
	memset(rig_pp(&f.r, PP_SCRATCH), 0xff, 512);
	rig_ring(&f.r, &f.c, MI(0x28) | 2, LO(PP_SCRATCH), 0, 0x1d);
	rig_run(&f.r, &f.c);
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH), 0x1d);
	assert_true(*rig_pp(&f.r, PP_SCRATCH + 4) <= model_timestamp(f.r.m));
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 8), f.c.id);
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 252), 0);
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 256), UINT32_MAX);
	rig_close(&f.r);
}

static void update_gtt(void **state)
{
	struct fixture f;
	uint32_t gg;
	uint64_t pte = (RIG_IOVA + RIG_DATA) | GEN9_PTE_PRESENT;

	open_on(&f, RCS0);
	gg = rig_alloc(&f.r, 1);
	rig_ring(&f.r, &f.c, MI(0x23) | 2, gg, LO(pte), HI(pte), MI_SDI | GGTT_BIT, gg + 12, 0, 9);
	rig_run(&f.r, &f.c);
	assert_int_equal(f.r.g->ops->ggtt_read(f.r.g, gg >> 12), pte);
	assert_int_equal(*rig_pp(&f.r, PP_DATA + 12), 9);
	rig_expect_clean(&f.r);
	rig_close(&f.r);
}

/* ------------------------------------------------------------------ registers */

static void registers_move(void **state)
{
	struct fixture f;

	for (int engine = 0; engine < GEN9_ENGINES; engine++) {
		uint32_t gpr = rig_base(engine) + RING_GPR;
		uint32_t gg;

		if (engine == VCS1)
			continue;
		open_on(&f, engine);
		gg = rig_alloc(&f.r, 1);
		rig_gg(&f.r, gg)[0] = 0x77;
		rig_set(&f.r, PP_SCRATCH, 0x1234);
		rig_ring(&f.r, &f.c, MI_LRM, gpr, LO(PP_SCRATCH), 0, /* R0 = 1234 */
			MI_LRR, gpr, gpr + 8,			     /* R1 = R0 */
			MI_SRM, gpr + 8, LO(PP_SCRATCH + 4), 0,	     /* [4] = R1 */
			MI_LRM | GGTT_BIT, gpr + 16, gg, 0,	     /* R2 = GGTT */
			MI_SRM | GGTT_BIT, gpr + 16, gg + 4, 0, MI_LRI_N(3), gpr, 1, gpr + 4, 2,
			gpr + 8, 3, MI_SRM, gpr, LO(PP_SCRATCH + 8), 0, MI_SRM, gpr + 4,
			LO(PP_SCRATCH + 12), 0, MI_SRM, gpr + 8, LO(PP_SCRATCH + 16), 0,
			/* bytes 1 and 3 are kept */
			MI_LRI_N(1) | 0xa << 8, gpr + 4, 0xddccbbaa, MI_SRM, gpr + 4,
			LO(PP_SCRATCH + 20), 0);
		rig_run(&f.r, &f.c);
		assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 4), 0x1234);
		assert_int_equal(rig_gg(&f.r, gg)[1], 0x77);
		assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 8), 1);
		assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 12), 2);
		assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 16), 3);
		assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 20), 0x00cc00aa);
		rig_expect_clean(&f.r);
		rig_close(&f.r);
	}
}

static void stores_are_predicated(void **state)
{
	struct fixture f;
	uint32_t base = rig_base(RCS0), gpr = base + RING_GPR;

	open_on(&f, RCS0);
	rig_ring(&f.r, &f.c, MI_LRI_N(1), gpr, 5, MI(0x0c) | 2 << 6 | 1, /* result = false */
		MI_SRM | BIT(21), gpr, LO(PP_SCRATCH), 0, MI(0x0c) | 2 << 6 | 0, /* true */
		MI_SRM | BIT(21), gpr, LO(PP_SCRATCH + 4), 0);
	rig_run(&f.r, &f.c);
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH), 0);
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 4), 5);
	rig_close(&f.r);
}

static void timestamps_count_12_mhz(void **state)
{
	struct fixture f;
	uint32_t base = rig_base(RCS0);
	uint64_t a, b;

	open_on(&f, RCS0);
	rig_ring(&f.r, &f.c, MI_SRM, base + 0x358, LO(PP_SCRATCH), 0, MI_SRM, base + 0x35c,
		LO(PP_SCRATCH + 4), 0);
	rig_run(&f.r, &f.c);
	a = q(&f.r, PP_SCRATCH);
	clock_advance(&f.r.clock, 1000 * NSEC_PER_SEC); /* past 32 bits */
	rig_ring(&f.r, &f.c, 0x7a000004, 3 << 14, LO(PP_SCRATCH + 8), 0, 0, 0);
	rig_run(&f.r, &f.c);
	b = q(&f.r, PP_SCRATCH + 8);
	assert_in_range(b - a, UINT64_C(12000000000), UINT64_C(12000000100));
	rig_close(&f.r);
}

/* ------------------------------------------------------------------ MI_MATH */

struct alu_ref {
	uint64_t r[16], a, b, accu;
	bool zf, cf;
};

static uint64_t ref_read(struct alu_ref *s, uint32_t y)
{
	if (y < 16)
		return s->r[y];
	return y == 0x31   ? s->accu
	       : y == 0x32 ? (s->zf ? ~UINT64_C(0) : 0)
	       : y == 0x33 ? (s->cf ? ~UINT64_C(0) : 0)
			   : 0;
}

static void ref_step(struct alu_ref *s, uint32_t dw)
{
	uint32_t op = dw >> 20, x = dw >> 10 & 0x3ff, y = dw & 0x3ff;
	unsigned __int128 wide;
	uint64_t v;

	switch (op) {
	case 0x080:
	case 0x480:
	case 0x081:
	case 0x481:
		v = op == 0x081 ? 0 : op == 0x481 ? ~UINT64_C(0) : ref_read(s, y);
		v = op == 0x480 ? ~v : v;
		if (x == 0x20)
			s->a = v;
		else
			s->b = v;
		break;
	case 0x100:
		wide = (unsigned __int128)s->a + s->b;
		s->accu = (uint64_t)wide;
		s->cf = wide >> 64;
		s->zf = !s->accu;
		break;
	case 0x101:
		s->accu = s->a - s->b;
		s->cf = s->b > s->a;
		s->zf = s->a == s->b;
		break;
	case 0x102:
	case 0x103:
	case 0x104:
		s->accu = op == 0x102 ? (s->a & s->b) : op == 0x103 ? (s->a | s->b) : (s->a ^ s->b);
		s->cf = false;
		s->zf = !s->accu;
		break;
	case 0x180:
	case 0x580:
		v = ref_read(s, y);
		s->r[x] = op == 0x180 ? v : ~v;
		break;
	default:
		break;
	}
}

static void math_against_a_reference(void **state)
{
	static const uint32_t ops[] = {0x000, 0x080, 0x480, 0x081, 0x481, 0x100, 0x101, 0x102,
		0x103, 0x104, 0x180, 0x580, 0x080, 0x080, 0x180};
	struct fixture f;

	open_on(&f, RCS0);
	for (int round = 0; round < 200; round++) {
		uint32_t n = 1 + (uint32_t)(rig_random(&f.r) % 60);
		struct alu_ref ref = {0};

		for (uint32_t i = 0; i < 16; i++) {
			ref.r[i] = operand(&f.r);
			set_gpr(&f, i, ref.r[i]);
		}
		rig_emit(&f.r, &f.c, MI(0x1a) | (n - 1));
		for (uint32_t i = 0; i < n; i++) {
			uint32_t op = ops[rig_random(&f.r) % ARRAY_SIZE(ops)], dw = op << 20;
			uint64_t k = rig_random(&f.r);

			if ((op & 0xff) >= 0x80 && (op & 0xf00) != 0x100)
				dw |= (k & 1 ? 0x20 : 0x21) << 10 |
				      (k & 2 ? (k >> 8 & 15) : 0x31 + (k >> 8) % 3);
			if ((op & 0xfff) == 0x180 || (op & 0xfff) == 0x580)
				dw = op << 20 | (k >> 16 & 15) << 10 |
				     (k & 2 ? (k >> 8 & 15) : 0x31 + (k >> 8) % 3);
			rig_emit(&f.r, &f.c, dw);
			ref_step(&ref, dw);
		}
		for (uint32_t i = 0; i < 16; i++)
			get_gpr(&f, i, PP_SCRATCH + 8 * i);
		rig_run(&f.r, &f.c);
		for (uint32_t i = 0; i < 16; i++)
			assert_int_equal(q(&f.r, PP_SCRATCH + 8 * i), ref.r[i]);
	}
	rig_expect_clean(&f.r);
	rig_close(&f.r);
}

/* ------------------------------------------------------------------ MI_ATOMIC */

static uint64_t atomic_ref(uint32_t op, uint64_t old, uint64_t x, uint64_t y, bool wide)
{
	switch (op) {
	case 1:
		return old & x;
	case 2:
		return old | x;
	case 3:
		return old ^ x;
	case 4:
		return x;
	case 5:
		return old + 1;
	case 6:
	case 15:
		return old - 1;
	case 7:
		return old + x;
	case 8:
		return old - x;
	case 9:
		return x - old;
	case 10:
		return wide ? ((int64_t)old > (int64_t)x ? old : x)
			    : ((int32_t)old > (int32_t)x ? old : x);
	case 11:
		return wide ? ((int64_t)old < (int64_t)x ? old : x)
			    : ((int32_t)old < (int32_t)x ? old : x);
	case 12:
		return old > x ? old : x;
	case 13:
		return old < x ? old : x;
	default:
		return old == x ? y : old;
	}
}

static void atomics_against_a_reference(void **state)
{
	struct fixture f;

	open_on(&f, VECS0);
	for (uint32_t n = 0; n < 15 * 2 * 2 * 12; n++) {
		uint32_t op = 1 + n % 15;
		bool wide = n / 15 & 1, in_line = n / 30 & 1, ret = rig_random(&f.r) & 1;
		uint64_t mask = wide ? UINT64_MAX : UINT32_MAX;
		uint64_t old = operand(&f.r) & mask, x = operand(&f.r) & mask,
			 y = operand(&f.r) & mask, new;
		uint32_t dw0 = MI(0x2f) | (op | (wide ? 0x20 : 0)) << 8 | (wide ? 1 : 0) << 19 |
			       (ret ? BIT(16) : 0);

		if (op == 14 && n & 64)
			old = x;
		set_q(&f.r, PP_SCRATCH, old | (wide ? 0 : UINT64_C(0xabcd) << 32));
		set_gpr(&f, 4, 0x4444);
		if (in_line) {
			rig_ring(&f.r, &f.c, dw0 | BIT(18) | 9, LO(PP_SCRATCH), 0, LO(x), LO(y),
				HI(x), HI(y), 0, 0, 0, 0);
		} else {
			set_gpr(&f, 0, x);
			set_gpr(&f, 2, y);
			rig_ring(&f.r, &f.c, dw0 | 1, LO(PP_SCRATCH), 0);
		}
		get_gpr(&f, 4, PP_SCRATCH + 16);
		rig_run(&f.r, &f.c);
		new = atomic_ref(op, old, x, y, wide) & mask;
		assert_int_equal(q(&f.r, PP_SCRATCH), new | (wide ? 0 : UINT64_C(0xabcd) << 32));
		assert_int_equal(q(&f.r, PP_SCRATCH + 16), !ret ? 0x4444 : op == 15 ? new : old);
	}
	rig_expect_clean(&f.r);
	rig_close(&f.r);
}

static void atomic_16_bytes(void **state)
{
	struct fixture f;

	open_on(&f, RCS0);
	for (int same = 0; same < 2; same++) {
		set_q(&f.r, PP_SCRATCH, 0x1111);
		set_q(&f.r, PP_SCRATCH + 8, 0x2222);
		rig_ring(&f.r, &f.c, MI(0x2f) | BIT(18) | BIT(16) | 2 << 19 | 0x4e << 8 | 9,
			LO(PP_SCRATCH), 0, 0x1111, 0xaaaa, 0, 0xbbbb, same ? 0x2222 : 0x2223,
			0xcccc, 0, 0xdddd);
		get_gpr(&f, 4, PP_SCRATCH + 16);
		get_gpr(&f, 5, PP_SCRATCH + 24);
		rig_run(&f.r, &f.c);
		assert_int_equal(q(&f.r, PP_SCRATCH), same ? UINT64_C(0xbbbb0000aaaa) : 0x1111);
		assert_int_equal(q(&f.r, PP_SCRATCH + 8), same ? UINT64_C(0xdddd0000cccc) : 0x2222);
		assert_int_equal(q(&f.r, PP_SCRATCH + 16), 0x1111);
		assert_int_equal(q(&f.r, PP_SCRATCH + 24), 0x2222);
	}
	rig_close(&f.r);
}

/* ------------------------------------------------------------------ predicates, conditions */

static void predicates_against_a_reference(void **state)
{
	struct fixture f;
	uint32_t base = rig_base(RCS0);
	bool result = false;

	open_on(&f, RCS0);
	for (uint32_t n = 0; n < 256; n++) {
		uint32_t load = n & 3, combine = n >> 2 & 3, compare = n >> 4 & 3;
		uint64_t s0 = rig_random(&f.r) % 3, s1 = rig_random(&f.r) % 3,
			 d = rig_random(&f.r) % 3;
		bool c = compare == 0	? true
			 : compare == 1 ? false
			 : compare == 2 ? s0 == s1
					: s0 - s1 == d;

		rig_ring(&f.r, &f.c, MI_LRI_N(6), base + 0x400, LO(s0), base + 0x404, 0,
			base + 0x408, LO(s1), base + 0x40c, 0, base + 0x410, LO(d), base + 0x414, 0,
			MI(0x0c) | load << 6 | combine << 3 | compare, MI_SRM, base + 0x418,
			LO(PP_SCRATCH), 0);
		if (load >= 2) {
			c = load == 3 ? !c : c;
			result = combine == 0	? c
				 : combine == 1 ? result && c
				 : combine == 2 ? result || c
						: result != c;
		}
		rig_run(&f.r, &f.c);
		assert_int_equal(*rig_pp(&f.r, PP_SCRATCH), result);
	}
	rig_expect_clean(&f.r);
	rig_close(&f.r);
}

static void set_predicate_skips(void **state)
{
	static const struct {
		uint32_t mode, result_1, result_2;
		bool skips;
	} cases[] = {{0, 0, 0, false}, {1, 0, 0, true}, {1, 0, 1, false}, {2, 0, 1, true},
		{2, 0, 0, false}, {3, 0, 0, true}, {3, 1, 0, false}, {4, 1, 0, true},
		{4, 0, 0, false}, {15, 0, 0, true}, {5, 0, 0, false}, {6, 0, 0, true}};
	struct fixture f;
	uint32_t base = rig_base(RCS0);

	open_on(&f, RCS0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		rig_set(&f.r, PP_SCRATCH, 0);
		rig_set(&f.r, PP_SCRATCH + 4, 0);
		rig_ring(&f.r, &f.c, MI_LRI_N(2), base + 0x41c, cases[i].result_1, base + 0x3bc,
			cases[i].result_2, MI(0x01) | cases[i].mode, MI_SDI, LO(PP_SCRATCH), 0, 1,
			MI(0x01), MI_SDI, LO(PP_SCRATCH + 4), 0, 1);
		rig_run(&f.r, &f.c);
		assert_int_equal(*rig_pp(&f.r, PP_SCRATCH), !cases[i].skips);
		assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 4), 1);
	}
	rig_close(&f.r);
}

static void semaphore_comparisons(void **state)
{
	static const uint32_t v[3] = {4, 5, 6};
	struct fixture f;

	open_on(&f, BCS0);
	for (uint32_t op = 0; op < 6; op++) {
		for (int i = 0; i < 3; i++) {
			bool holds = (const bool[]){
				v[i] > 5, v[i] >= 5, v[i] < 5, v[i] <= 5, v[i] == 5, v[i] != 5}[op];

			rig_set(&f.r, PP_SCRATCH, v[i]);
			rig_ring(&f.r, &f.c, MI_SEMA_WAIT | op << 12, 5, LO(PP_SCRATCH), 0);
			rig_submit(&f.r, &f.c, NULL);
			if (!holds) {
				rig_until(engine_state(&f.r.m->engine[BCS0]) == ENGINE_WAITING);
				rig_set(&f.r, PP_SCRATCH, op < 2 ? 9 : op == 4 ? 5 : 1);
			}
			rig_wait_idle(&f.r, BCS0);
			/* It waited exactly when it should. */
			assert_int_equal(
				!!(rig_read(&f.r, 0x44308) & GT_WAIT_SEMAPHORE << 16), !holds);
			rig_write(&f.r, 0x44308, UINT32_MAX);
			rig_write(&f.r, 0x44308, UINT32_MAX);
		}
	}
	rig_close(&f.r);
}

static void semaphores_poll_registers(void **state)
{
	struct fixture f;
	uint32_t gpr = rig_base(RCS0) + RING_GPR;

	open_on(&f, RCS0);
	rig_ring(&f.r, &f.c, MI_LRI_N(1), gpr, 7, MI_SEMA_WAIT | BIT(16) | 4 << 12, 7, gpr, 0,
		MI_SDI, LO(PP_SCRATCH), 0, 1, MI_SEMA_WAIT | BIT(16) | 4 << 12, 8, gpr, 0);
	rig_submit(&f.r, &f.c, NULL);
	rig_until(engine_state(&f.r.m->engine[RCS0]) == ENGINE_WAITING);
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH), 1);
	rig_write(&f.r, gpr, 8);
	rig_wait_idle(&f.r, RCS0);
	rig_close(&f.r);
}

/* A pipe that is off is not waited for; one that is on until its next frame. */
static void vertical_blanks_are_waited_for(void **state)
{
	struct fixture f;

	open_on(&f, BCS0);
	rig_ring(&f.r, &f.c, MI(0x03) | BIT(3), MI(0x03) | BIT(11), MI(0x03) | BIT(21), 0);
	rig_run(&f.r, &f.c);
	rig_write(&f.r, 0x70008, BIT(31));
	rig_ring(&f.r, &f.c, MI(0x03) | BIT(3), MI_SDI, LO(PP_SCRATCH), 0, 1, 0);
	rig_submit(&f.r, &f.c, NULL);
	rig_until(engine_state(&f.r.m->engine[BCS0]) == ENGINE_WAITING);
	for (int i = 0; i < 20; i++)
		rig_nap();
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH), 0);
	model_advance(f.r.g, 40 * NSEC_PER_MSEC);
	rig_wait_idle(&f.r, BCS0);
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH), 1);
	rig_close(&f.r);
}

static void conditional_batch_end(void **state)
{
	struct fixture f;

	open_on(&f, RCS0);
	for (uint32_t v = 4; v < 7; v++) {
		for (int mask = 0; mask < 2; mask++) {
			rig_set(&f.r, PP_SCRATCH, v | (mask ? 0x100 : 0));
			rig_set(&f.r, PP_SCRATCH + 4, 0xff);
			rig_set(&f.r, PP_SCRATCH + 8, 0);
			rig_batch(&f.r, PP_DATA, MI(0x36) | BIT(21) | (mask ? BIT(19) : 0) | 2, 5,
				LO(PP_SCRATCH), 0, MI_SDI, LO(PP_SCRATCH + 8), 0, 1, MI_BBE);
			rig_ring(&f.r, &f.c, MI_BBS_PPGTT, LO(PP_DATA), 0);
			rig_run(&f.r, &f.c);
			assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 8), v > 5);
		}
	}
	rig_expect_clean(&f.r);
	rig_close(&f.r);
}

/* ------------------------------------------------------------------ batches */

static void batches_chain_and_nest(void **state)
{
	struct fixture f;
	const uint64_t a = PP_DATA, b = PP_DATA + 0x1000, s = PP_DATA + 0x2000;

	open_on(&f, RCS0);
	/* a: store, second level s, store, chain to b; b: store, end; s: store, chain to s2, end. */
	rig_batch(&f.r, a, MI_SDI, LO(PP_SCRATCH), 0, 1, MI_BBS_PPGTT | BIT(22), LO(s), 0, MI_SDI,
		LO(PP_SCRATCH + 4), 0, 2, MI_BBS_PPGTT, LO(b), 0, MI_SDI, LO(PP_SCRATCH + 8), 0, 3);
	rig_batch(&f.r, b, MI_SDI, LO(PP_SCRATCH + 12), 0, 4, MI_BBE);
	rig_batch(&f.r, s, MI_SDI, LO(PP_SCRATCH + 16), 0, 5, MI_BBS_PPGTT, LO(s + 0x100), 0);
	rig_batch(&f.r, s + 0x100, MI_SDI, LO(PP_SCRATCH + 20), 0, 6, MI_BBE);
	rig_ring(&f.r, &f.c, MI_BBS_PPGTT, LO(a), 0, MI_SDI, LO(PP_SCRATCH + 24), 0, 7);
	rig_run(&f.r, &f.c);
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH), 1);
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 4), 2);
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 8), 0);
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 12), 4);
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 16), 5);
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 20), 6);
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 24), 7);
	assert_int_equal(atomic_load(&f.r.m->engine[RCS0].batches), 4);
	rig_expect_clean(&f.r);
	rig_close(&f.r);
}

static void predicated_batch_start(void **state)
{
	struct fixture f;

	open_on(&f, RCS0);
	rig_batch(&f.r, PP_DATA, MI(0x2f) | 5 << 8 | 1, LO(PP_SCRATCH), 0, MI_BBE);
	rig_ring(&f.r, &f.c, MI_LRI_N(1), rig_base(RCS0) + 0x41c, 0, MI_BBS_PPGTT | BIT(15),
		LO(PP_DATA), 0, MI_LRI_N(1), rig_base(RCS0) + 0x41c, 1, MI_BBS_PPGTT | BIT(15),
		LO(PP_DATA), 0);
	rig_run(&f.r, &f.c);
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH), 1);
	/* Bit 16: BB_OFFSET is added to the address. */
	rig_ring(&f.r, &f.c, MI_LRI_N(1), rig_base(RCS0) + 0x158, 0x40, MI_BBS_PPGTT | BIT(16),
		LO(PP_DATA) - 0x40, 0);
	rig_run(&f.r, &f.c);
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH), 2);
	rig_close(&f.r);
}

/* A command over a page boundary, and one over the boundary of two pages that are not neighbours. */
static void commands_cross_pages(void **state)
{
	struct fixture f;

	open_on(&f, BCS0);
	for (uint64_t back = 4; back <= 12; back += 4) {
		rig_set(&f.r, PP_SCRATCH, 0);
		rig_batch(&f.r, PP_DATA + 0x1000 - back, MI_SDI, LO(PP_SCRATCH), 0, 0x77, MI_BBE);
		rig_ring(&f.r, &f.c, MI_BBS_PPGTT, LO(PP_DATA + 0x1000 - back), 0);
		rig_run(&f.r, &f.c);
		assert_int_equal(*rig_pp(&f.r, PP_SCRATCH), 0x77);
	}
	rig_close(&f.r);
}

/* ------------------------------------------------------------------ flushes */

static void pipe_control_writes(void **state)
{
	struct fixture f;
	uint32_t gg;

	open_on(&f, RCS0);
	gg = rig_alloc(&f.r, 1);
	regs_poke(&f.r.m->regs, 0x2350, 0x1234);
	rig_ring(&f.r, &f.c, 0x7a000004, 1 << 14 | BIT(20), LO(PP_SCRATCH), 0, 0xaaaa,
		0xbbbb,								/* qword */
		0x7a000004, 1 << 14 | BIT(24) | BIT(20), gg, 0, 0xcccc, 0xdddd, /* GGTT */
		0x7a000004, 2 << 14 | BIT(20), LO(PP_SCRATCH + 8), 0, 0, 0,	/* depth count */
		0x7a000004, 1 << 14 | BIT(21) | BIT(20), 0x680, 0, 0xeeee, 0,	/* status page */
		0x7a000004, BIT(18) | BIT(8) | BIT(20), 0, 0, 0, 0);		/* TLB, notify */
	rig_run(&f.r, &f.c);
	assert_int_equal(q(&f.r, PP_SCRATCH), UINT64_C(0xbbbb0000aaaa));
	assert_int_equal(rig_gg(&f.r, gg)[0], 0xcccc);
	assert_int_equal(rig_gg(&f.r, gg)[1], 0xdddd);
	assert_int_equal(q(&f.r, PP_SCRATCH + 8), 0x1234);
	assert_int_equal(rig_gg(&f.r, f.c.lrca)[0x680 / 4], 0xeeee);
	assert_int_equal(rig_read(&f.r, 0x44308) & 0xffff, GT_FLUSH_NOTIFY | GT_CONTEXT_SWITCH);
	rig_expect_clean(&f.r);
	rig_close(&f.r);
}

static void flush_dw_writes(void **state)
{
	static const int engines[] = {BCS0, VCS0, VECS0};
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		uint32_t gg;

		open_on(&f, engines[i]);
		gg = rig_alloc(&f.r, 1);
		rig_set(&f.r, PP_SCRATCH + 12, 0x99);
		/* Bit 7 invalidates the BSD's cache: the length has six bits. */
		rig_ring(&f.r, &f.c, MI(0x26) | 1 << 14 | BIT(18) | BIT(7) | 3, LO(PP_SCRATCH), 0,
			0xaaaa, 0xbbbb, MI(0x26) | 1 << 14 | 2, LO(PP_SCRATCH + 8), 0, 0xcccc,
			MI(0x26) | 1 << 14 | 3, gg | 4, 0, 0xdddd, 0xeeee,
			MI(0x26) | 1 << 14 | BIT(21) | 3, 0x100, 0, 0x1111, 0,
			MI(0x26) | 3 << 14 | BIT(8) | 3, LO(PP_SCRATCH + 16), 0, 0, 0);
		rig_run(&f.r, &f.c);
		assert_int_equal(q(&f.r, PP_SCRATCH), UINT64_C(0xbbbb0000aaaa));
		assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 8), 0xcccc);
		assert_int_equal(*rig_pp(&f.r, PP_SCRATCH + 12), 0x99);
		assert_int_equal(rig_gg(&f.r, gg)[0], 0xdddd);
		assert_int_equal(rig_gg(&f.r, gg)[1], 0xeeee);
		assert_int_equal(rig_gg(&f.r, f.c.lrca)[0x40], 0x1111);
		assert_true(q(&f.r, PP_SCRATCH + 16) <= model_timestamp(f.r.m));
		rig_expect_clean(&f.r);
		rig_close(&f.r);
	}
}

/* A translation is kept until a flush says otherwise, and dropped then. */
static void tlb_is_invalidated_by_flushes(void **state)
{
	struct fixture f;
	uint64_t gma = PP_DATA + MIB(6), other = RIG_IOVA + RIG_DATA + MIB(7);

	open_on(&f, BCS0);
	rig_ring(&f.r, &f.c, MI_SDI, LO(gma), 0, 1, MI_SEMA_WAIT | 4 << 12, 1, LO(PP_SCRATCH), 0,
		MI(0x26) | BIT(18) | 3, 0, 0, 0, 0, MI_SDI, LO(gma), 0, 2);
	rig_submit(&f.r, &f.c, NULL);
	rig_until(engine_state(&f.r.m->engine[BCS0]) == ENGINE_WAITING);
	rig_pp_map(&f.r, gma, other);
	rig_set(&f.r, PP_SCRATCH, 1);
	rig_wait_idle(&f.r, BCS0);
	assert_int_equal(*rig_pp(&f.r, PP_DATA + MIB(6)), 1);
	assert_int_equal(*rig_pp(&f.r, PP_DATA + MIB(7)), 2);
	rig_expect_clean(&f.r);
	rig_close(&f.r);
}

static void known_commands_are_skipped_by_length(void **state)
{
	/* As iris submits them (types 3), and media's 12 and 16 bit lengths. */
	static const uint32_t rcs[] = {0x7b000005, 0x78490001, 0x680b0000, 0x69041302, 0x61010011,
		0x79170003, 0x70000007, 0x7105000d};
	struct fixture f;

	open_on(&f, RCS0);
	for (size_t i = 0; i < ARRAY_SIZE(rcs); i++) {
		const struct cmd_row *row = gen9_cmd_find(rcs[i], RCS0);
		uint32_t n;

		assert_non_null(row);
		n = gen9_cmd_length(row, rcs[i]);
		rig_emit(&f.r, &f.c, rcs[i]);
		/* What is inside would hang the engine if it were looked at. */
		for (uint32_t k = 1; k < n; k++)
			rig_emit(&f.r, &f.c, 0xffffffff);
	}
	rig_ring(&f.r, &f.c, MI_SDI, LO(PP_SCRATCH), 0, 1);
	rig_run(&f.r, &f.c);
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH), 1);
	assert_int_equal(atomic_load(&f.r.m->engine[RCS0].skipped), ARRAY_SIZE(rcs));
	rig_expect_clean(&f.r);
	rig_close(&f.r);
}

static void noop_with_an_id(void **state)
{
	struct fixture f;

	open_on(&f, RCS0);
	rig_ring(
		&f.r, &f.c, BIT(22) | 0x12345, 0, MI_SRM, rig_base(RCS0) + 0x94, LO(PP_SCRATCH), 0);
	rig_run(&f.r, &f.c);
	assert_int_equal(*rig_pp(&f.r, PP_SCRATCH), 0x12345);
	rig_close(&f.r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(store_data_imm),
		cmocka_unit_test(store_data_index),
		cmocka_unit_test(copy_mem_mem),
		cmocka_unit_test(report_perf_count),
		cmocka_unit_test(update_gtt),
		cmocka_unit_test(registers_move),
		cmocka_unit_test(stores_are_predicated),
		cmocka_unit_test(timestamps_count_12_mhz),
		cmocka_unit_test(math_against_a_reference),
		cmocka_unit_test(atomics_against_a_reference),
		cmocka_unit_test(atomic_16_bytes),
		cmocka_unit_test(predicates_against_a_reference),
		cmocka_unit_test(set_predicate_skips),
		cmocka_unit_test(semaphore_comparisons),
		cmocka_unit_test(semaphores_poll_registers),
		cmocka_unit_test(vertical_blanks_are_waited_for),
		cmocka_unit_test(conditional_batch_end),
		cmocka_unit_test(batches_chain_and_nest),
		cmocka_unit_test(predicated_batch_start),
		cmocka_unit_test(commands_cross_pages),
		cmocka_unit_test(pipe_control_writes),
		cmocka_unit_test(flush_dw_writes),
		cmocka_unit_test(tlb_is_invalidated_by_flushes),
		cmocka_unit_test(known_commands_are_skipped_by_length),
		cmocka_unit_test(noop_with_an_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
