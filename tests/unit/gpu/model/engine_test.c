// SPDX-License-Identifier: GPL-2.0-or-later
/* Hangs, resets, faults, privilege, loops, state: what goes wrong and what mends it. */
#include <json-c/json.h>

#include "cs_rig.h"

#define LO(gma)	    (uint32_t)(gma)
#define HI(gma)	    (uint32_t)((uint64_t)(gma) >> 32)
#define SDI(gma, v) MI_SDI, LO(gma), HI(gma), v
#define BBS(gma)    MI_BBS_PPGTT, LO(gma), HI(gma)

static uint32_t load(struct cs_rig *r, uint64_t gma)
{
	return __atomic_load_n(rig_pp(r, gma), __ATOMIC_ACQUIRE);
}

static struct engine *eng(struct cs_rig *r, int id)
{
	return &r->m->engine[id];
}

/* After whatever happened: an engine that was reset takes work again. */
static void expect_works(struct cs_rig *r, int engine)
{
	static uint32_t n;
	struct rig_ctx c;

	rig_ctx_open(r, &c, engine);
	n++;
	rig_ring(r, &c, SDI(PP_SCRATCH + 0x800, n));
	rig_run(r, &c);
	assert_int_equal(load(r, PP_SCRATCH + 0x800), n);
	rig_expect_csb(r, engine, 1, 0);
	rig_expect_csb(r, engine, 0x18, c.id);
}

static void unknown_commands_hang(void **state)
{
	/* Types that do not exist, MI opcodes that Gen9 lacks, another engine's commands. */
	static const struct {
		int engine;
		uint32_t dw;
	} cases[] = {{RCS0, 0x20000000}, {RCS0, 0xffffffff}, {RCS0, MI(0x3f)}, {RCS0, MI(0x16)},
		{RCS0, 0x50000000 | 0x53u << 22}, {BCS0, 0x7a000004}, {VCS0, 0x7a000004},
		{VECS0, 0x7b000005}, {BCS0, 2u << 29 | 0x7fu << 22}};
	struct cs_rig r;

	rig_open(&r, true);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int id = cases[i].engine;
		struct rig_ctx c;

		rig_ctx_open(&r, &c, id);
		rig_ring(&r, &c, SDI(PP_SCRATCH, i), cases[i].dw, 0, 0, 0);
		rig_submit(&r, &c, NULL);
		rig_wait_hung(&r, id);
		assert_int_equal(load(&r, PP_SCRATCH), i);
		assert_int_equal(rig_violations(&r, VIOLATION_UNKNOWN_COMMAND), i + 1);
		assert_int_equal(
			atomic_load(&r.m->violations.last[VIOLATION_UNKNOWN_COMMAND]), cases[i].dw);
		/* i915 hears of it: error identity, interrupt, instruction, context. */
		assert_int_equal(rig_read(&r, rig_base(id) + RING_EIR) & 1, 1);
		assert_true(rig_read(&r, 0x44308 + 16 * gen9_engines[id].irq_bank) &
			    GT_CS_ERROR << gen9_engines[id].irq_shift);
		assert_int_equal(rig_read(&r, rig_base(id) + RING_EXECLIST_STATUS + 4), c.id);
		rig_write(&r, 0x44308 + 16 * gen9_engines[id].irq_bank, UINT32_MAX);
		rig_write(&r, 0x44308 + 16 * gen9_engines[id].irq_bank, UINT32_MAX);
		rig_reset_engine(&r, id);
		assert_int_equal(engine_state(eng(&r, id)), ENGINE_IDLE);
		expect_works(&r, id);
	}
	rig_close(&r);
}

/* A hung engine keeps a new execlist pending, and the others go on. */
static void a_hang_is_one_engines_affair(void **state)
{
	struct cs_rig r;
	struct rig_ctx a, b;

	rig_open(&r, true);
	rig_ctx_open(&r, &a, BCS0);
	rig_ctx_open(&r, &b, BCS0);
	rig_ring(&r, &a, 0xffffffff, 0);
	rig_ring(&r, &b, SDI(PP_SCRATCH, 1));
	rig_submit(&r, &a, NULL);
	rig_wait_hung(&r, BCS0);
	rig_submit(&r, &b, NULL);
	expect_works(&r, RCS0);
	expect_works(&r, VCS0);
	assert_int_equal(engine_state(eng(&r, BCS0)), ENGINE_HUNG);
	assert_int_equal(load(&r, PP_SCRATCH), 0);
	rig_reset_engine(&r, BCS0);
	expect_works(&r, BCS0);
	assert_int_equal(load(&r, PP_SCRATCH), 0);
	assert_int_equal(rig_violations(&r, VIOLATION_RESET_HANDSHAKE), 0);
	rig_close(&r);
}

static void faults_name_the_address(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	rig_open(&r, true);
	/* A batch in nowhere, a write to nowhere, a ring in nowhere, an image in nowhere. */
	rig_ctx_open(&r, &c, BCS0);
	rig_ring(&r, &c, BBS(UINT64_C(0x7654321000)));
	rig_submit(&r, &c, NULL);
	rig_wait_hung(&r, BCS0);
	assert_non_null(strstr(eng(&r, BCS0)->hang_reason, "7654321000"));
	assert_int_equal(rig_read(&r, 0x4094) & 1, 1);
	assert_int_equal(rig_read(&r, 0x4094) >> 12 & 7, 4);
	assert_int_equal(rig_read(&r, 0x4b10), 0x7654321);
	rig_reset_engine(&r, BCS0);
	rig_write(&r, 0x4094, 0);

	rig_ctx_open(&r, &c, VECS0);
	rig_ring(&r, &c, SDI(UINT64_C(0xabc000), 1));
	rig_submit(&r, &c, NULL);
	rig_wait_hung(&r, VECS0);
	assert_non_null(strstr(eng(&r, VECS0)->hang_reason, "abc000"));
	rig_reset_engine(&r, VECS0);

	rig_ctx_open(&r, &c, VECS0);
	rig_image(&r, &c)[CONTEXT_DW_START] = 0xf0000000;
	rig_ring(&r, &c, 0, 0);
	rig_submit(&r, &c, NULL);
	rig_wait_hung(&r, VECS0);
	rig_reset_engine(&r, VECS0);

	rig_elsp(&r, VECS0, UINT64_C(0x100e0000109) | 0x18, 0);
	rig_wait_hung(&r, VECS0);
	assert_non_null(strstr(eng(&r, VECS0)->hang_reason, "context image"));
	rig_reset_engine(&r, VECS0);
	expect_works(&r, VECS0);
	expect_works(&r, BCS0);
	rig_close(&r);
}

static void ram_without_an_fd_faults_the_device(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	rig_open(&r, true);
	assert_int_equal(r.g->ops->iova_map(r.g, (struct iova){UINT64_C(0x1000000000)}, MIB(1),
				 (struct hva){NULL}, true),
		0);
	rig_pp_map(&r, 0x200000, UINT64_C(0x1000000000));
	rig_ctx_open(&r, &c, RCS0);
	rig_ring(&r, &c, SDI(0x200000, 1));
	rig_submit(&r, &c, NULL);
	rig_wait_hung(&r, RCS0);
	assert_non_null(strstr(r.m->fault, "share=on"));
	rig_close(&r);
}

/* ------------------------------------------------------------------ privilege */

static void user_batches_do_not_reach_the_ggtt(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;
	uint64_t at = PP_DATA;
	uint32_t gg, gpr = rig_base(RCS0) + RING_GPR;
	uint64_t violations = 0;

	rig_open(&r, true);
	rig_ctx_open(&r, &c, RCS0);
	gg = rig_alloc(&r, 1);
	rig_gg(&r, gg)[0] = 0x5ec2e7;
	at = rig_batch(&r, at, MI_SDI | GGTT_BIT, gg, 0, 1);
	at = rig_batch(&r, at, MI_SRM | GGTT_BIT, gpr, gg, 0);
	at = rig_batch(&r, at, MI_LRI_N(1), gpr, 0, MI_LRM | GGTT_BIT, gpr, gg, 0);
	at = rig_batch(&r, at, MI(0x2e) | BIT(21) | 3, gg, 0, LO(PP_SCRATCH), 0);
	at = rig_batch(&r, at, MI(0x2e) | BIT(22) | 3, LO(PP_SCRATCH + 4), 0, gg, 0);
	at = rig_batch(&r, at, MI(0x2f) | GGTT_BIT | 5 << 8 | 1, gg, 0);
	at = rig_batch(&r, at, 0x7a000004, 1 << 14 | BIT(24) | BIT(20), gg, 0, 1, 1);
	at = rig_batch(&r, at, MI(0x23) | 2, gg, 0, 0);
	at = rig_batch(&r, at, MI(0x28) | 2, gg | 1, 0, 5);
	at = rig_batch(&r, at, MI(0x21) | 1, 0x10, 5);
	at = rig_batch(&r, at, MI_SEMA_WAIT | GGTT_BIT | 4 << 12, 77, gg, 0);
	at = rig_batch(&r, at, MI(0x36) | GGTT_BIT | BIT(21) | 2, 0xffffffff, gg, 0);
	at = rig_batch(
		&r, at, MI_SRM, gpr, LO(PP_SCRATCH + 8), 0, SDI(PP_SCRATCH + 12, 0x600d), MI_BBE);
	rig_ring(&r, &c, BBS(PP_DATA));
	rig_run(&r, &c);
	assert_int_equal(rig_gg(&r, gg)[0], 0x5ec2e7);
	assert_int_equal(rig_gg(&r, gg)[1], 0);
	assert_int_equal(load(&r, PP_SCRATCH + 4), 0);
	assert_int_equal(load(&r, PP_SCRATCH + 8), 0);
	assert_int_equal(load(&r, PP_SCRATCH + 12), 0x600d);
	assert_int_equal(rig_gg(&r, r.hwsp[RCS0])[4], 0);
	violations = rig_violations(&r, VIOLATION_CS_PRIVILEGE);
	assert_int_equal(violations, 12);
	/* The same from the ring has effect. */
	rig_ring(&r, &c, MI_SDI | GGTT_BIT, gg, 0, 1);
	rig_run(&r, &c);
	assert_int_equal(rig_gg(&r, gg)[0], 1);
	assert_int_equal(rig_violations(&r, VIOLATION_CS_PRIVILEGE), violations);
	rig_close(&r);
}

/* User batches start user batches only, at either level; a privileged batch is privileged. */
static void privilege_is_inherited(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;
	uint32_t gg;

	rig_open(&r, true);
	rig_ctx_open(&r, &c, BCS0);
	gg = rig_alloc(&r, 2);
	/* In the GGTT and, at the same address, in the PPGTT: stores 1 or 2 by where it was read. */
	rig_pp_map(&r, gg, RIG_IOVA + RIG_DATA + 0x3000);
	rig_gg(&r, gg)[0] = MI_SDI | GGTT_BIT;
	rig_gg(&r, gg)[1] = gg + 0x1000;
	rig_gg(&r, gg)[3] = 1;
	rig_gg(&r, gg)[4] = MI_BBE;
	rig_batch(&r, PP_DATA + 0x3000, SDI(PP_SCRATCH, 2), MI_SDI | GGTT_BIT, gg + 0x1000, 0, 3,
		MI_BBE);
	for (int second = 0; second < 2; second++) {
		rig_batch(&r, PP_DATA, MI_BBS_GGTT | (second ? BIT(22) : 0), gg, 0, MI_BBE);
		rig_set(&r, PP_SCRATCH, 0);
		rig_ring(&r, &c, BBS(PP_DATA));
		rig_run(&r, &c);
		assert_int_equal(rig_gg(&r, gg + 0x1000)[0], 0);
		assert_int_equal(load(&r, PP_SCRATCH), 2);
	}
	assert_int_equal(rig_violations(&r, VIOLATION_CS_PRIVILEGE), 4);
	/* From the ring it is a privileged batch, and may start a user batch that is none. */
	rig_gg(&r, gg)[4] = MI_BBS_PPGTT | BIT(22);
	rig_gg(&r, gg)[5] = gg;
	rig_gg(&r, gg)[7] = MI_SDI | GGTT_BIT;
	rig_gg(&r, gg)[8] = gg + 0x1004;
	rig_gg(&r, gg)[10] = 4;
	rig_gg(&r, gg)[11] = MI_BBE;
	rig_ring(&r, &c, MI_BBS_GGTT, gg, 0);
	rig_run(&r, &c);
	assert_int_equal(rig_gg(&r, gg + 0x1000)[0], 1);
	assert_int_equal(rig_gg(&r, gg + 0x1000)[1], 4);
	assert_int_equal(rig_violations(&r, VIOLATION_CS_PRIVILEGE), 5);
	rig_close(&r);
}

/* A user batch that was preempted and comes back is still a user's, at both levels. */
static void privilege_outlives_preemption(void **state)
{
	struct cs_rig r;
	struct rig_ctx a, b;
	uint32_t gg;

	rig_open(&r, false);
	gg = rig_alloc(&r, 1);
	for (int level = 1; level <= 2; level++) {
		rig_ctx_open(&r, &a, VCS0);
		rig_ctx_open(&r, &b, VCS0);
		rig_set(&r, PP_SCRATCH, 0);
		/* At the level in question: wait, then try the GGTT; then at the level above it. */
		rig_batch(&r, PP_DATA, MI_BBS_PPGTT | BIT(22), LO(PP_DATA + 0x1000), 0,
			MI_SDI | GGTT_BIT, gg, 0, 1, MI_BBE);
		rig_batch(&r, PP_DATA + 0x1000, MI_SEMA_WAIT | 4 << 12, 1, LO(PP_SCRATCH), 0,
			MI_SDI | GGTT_BIT, gg + 4, 0, 1, MI_BBE);
		rig_ring(&r, &a, BBS(level == 2 ? PP_DATA : PP_DATA + 0x1000),
			SDI(PP_SCRATCH + 4, (uint32_t)level));
		rig_submit(&r, &a, NULL);
		rig_until(engine_state(eng(&r, VCS0)) == ENGINE_WAITING);
		rig_ring(&r, &b, 0, 0);
		rig_submit(&r, &b, NULL);
		rig_wait_idle(&r, VCS0);
		rig_set(&r, PP_SCRATCH, 1);
		rig_submit(&r, &a, NULL);
		rig_wait_idle(&r, VCS0);
		assert_int_equal(load(&r, PP_SCRATCH + 4), level);
		assert_int_equal(rig_gg(&r, gg)[0], 0);
		assert_int_equal(rig_gg(&r, gg)[1], 0);
	}
	assert_int_equal(rig_violations(&r, VIOLATION_CS_PRIVILEGE), 3);
	rig_close(&r);
}

static void registers_are_guarded(void **state)
{
	static const uint32_t closed[] = {0x80, 0xa8, 0x29c, 0x230, 0xd0, 0x30, 0x3c};
	struct cs_rig r;
	struct rig_ctx c;
	uint32_t base = rig_base(RCS0);
	uint64_t n = 0;

	rig_open(&r, true);
	rig_ctx_open(&r, &c, RCS0);
	for (size_t i = 0; i <= ARRAY_SIZE(closed); i++) {
		uint32_t reg = i < ARRAY_SIZE(closed) ? base + closed[i] : 0x941c;
		uint32_t before = i < 3 ? rig_read(&r, reg) : 0;

		rig_batch(&r, PP_DATA, MI_LRI_N(1), reg, 0x00ff00ff, MI_LRI_N(1), base + RING_GPR,
			0x11, MI_LRR, base + RING_GPR, reg, SDI(PP_SCRATCH, i + 1), MI_BBE);
		rig_ring(&r, &c, BBS(PP_DATA));
		rig_run(&r, &c);
		n += 2;
		assert_int_equal(load(&r, PP_SCRATCH), i + 1);
		assert_int_equal(rig_violations(&r, VIOLATION_CS_REGISTER), n);
		if (i < 3)
			assert_int_equal(rig_read(&r, reg), before);
	}
	/* The ring's privilege opens what the table calls privileged; GDRST stays shut. */
	rig_ring(&r, &c, MI_LRI_N(1), base + 0x580, 0x00020002, MI_LRI_N(1), 0x941c, 1);
	rig_run(&r, &c);
	assert_int_equal(rig_read(&r, base + 0x580) & 2, 2);
	assert_int_equal(rig_violations(&r, VIOLATION_CS_REGISTER), n + 1);
	/* CS_CHICKEN1 for a user batch only once RING_FORCE_TO_NONPRIV names it. */
	rig_batch(&r, PP_DATA, MI_LRI_N(1), base + 0x580, 0x00020000, MI_BBE);
	rig_ring(&r, &c, BBS(PP_DATA), MI_SRM, base + 0x580, LO(PP_SCRATCH + 4), 0);
	rig_run(&r, &c);
	assert_int_equal(load(&r, PP_SCRATCH + 4) & 2, 2);
	assert_int_equal(rig_violations(&r, VIOLATION_CS_REGISTER), n + 2);
	rig_write(&r, base + 0x4d0, base + 0x580);
	rig_ring(&r, &c, BBS(PP_DATA), MI_SRM, base + 0x580, LO(PP_SCRATCH + 4), 0);
	rig_run(&r, &c);
	assert_int_equal(load(&r, PP_SCRATCH + 4) & 2, 0);
	assert_int_equal(rig_violations(&r, VIOLATION_CS_REGISTER), n + 2);
	rig_close(&r);
}

/* ------------------------------------------------------------------ loops, stops, resets */

static void open_loop(struct cs_rig *r, struct rig_ctx *c, int engine, bool arbitration)
{
	rig_ctx_open(r, c, engine);
	*rig_pp(r, PP_SCRATCH + 0x40) = 0;
	rig_batch(r, PP_DATA, MI(0x2f) | 5 << 8 | 1, LO(PP_SCRATCH + 0x40), 0, BBS(PP_DATA));
	rig_ring(r, c, arbitration ? MI_ARB_ON : MI_ARB_OFF, BBS(PP_DATA));
	rig_submit(r, c, NULL);
	rig_until(load(r, PP_SCRATCH + 0x40) > 1000);
}

static void loops_are_stopped_by_reset(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	rig_open(&r, false);
	for (int i = 0; i < 20; i++) {
		static const int engines[] = {RCS0, BCS0, VCS0, VECS0};
		int id = engines[i % 4];
		uint32_t v;

		open_loop(&r, &c, id, i & 4);
		assert_int_equal(engine_state(eng(&r, id)), ENGINE_RUNNING);
		if (i & 8)
			rig_write(&r, 0x941c, gen9_engines[id].gdrst_bit);
		rig_reset_engine(&r, id);
		v = load(&r, PP_SCRATCH + 0x40);
		rig_nap();
		assert_int_equal(load(&r, PP_SCRATCH + 0x40), v);
		expect_works(&r, id);
	}
	rig_close(&r);
}

/* A ring whose tail is behind its head runs all round, again and again is not possible: it ends. */
static void a_ring_of_noops_ends(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	rig_open(&r, true);
	rig_ctx_open(&r, &c, RCS0);
	c.tail = 64;
	rig_ctx_reset_image(&r, &c);
	rig_image(&r, &c)[CONTEXT_DW_TAIL] = 56;
	rig_elsp(&r, RCS0, rig_desc(&c), 0);
	rig_wait_idle(&r, RCS0);
	assert_int_equal(rig_image(&r, &c)[CONTEXT_DW_HEAD], 56);
	assert_int_equal(atomic_load(&eng(&r, RCS0)->commands), 4096 - 2);
	rig_close(&r);
}

static void commands_past_the_tail_hang(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	rig_open(&r, true);
	rig_ctx_open(&r, &c, RCS0);
	rig_ring(&r, &c, MI_SDI, LO(PP_SCRATCH));
	rig_submit(&r, &c, NULL);
	rig_wait_hung(&r, RCS0);
	rig_reset_engine(&r, RCS0);
	expect_works(&r, RCS0);
	rig_close(&r);
}

/* RESET_CTL: ready means stopped; taken back without a reset, the work goes on. */
static void reset_request_may_be_taken_back(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;
	uint32_t ctl = rig_base(BCS0) + RING_RESET_CTL, v;

	rig_open(&r, false);
	open_loop(&r, &c, BCS0, true);
	assert_int_equal(rig_read(&r, ctl), 0);
	rig_write(&r, ctl, 0x10001);
	assert_int_equal(rig_read(&r, ctl), 3);
	v = load(&r, PP_SCRATCH + 0x40);
	rig_nap();
	assert_int_equal(load(&r, PP_SCRATCH + 0x40), v);
	rig_write(&r, ctl, 0x10000);
	rig_until(load(&r, PP_SCRATCH + 0x40) > v);
	rig_reset_engine(&r, BCS0);
	rig_close(&r);
}

static void reset_without_handshake_is_counted(void **state)
{
	struct cs_rig r;

	rig_open(&r, true);
	rig_write(&r, 0x941c, gen9_engines[VCS0].gdrst_bit);
	assert_int_equal(rig_violations(&r, VIOLATION_RESET_HANDSHAKE), 1);
	rig_close(&r);
}

static void stop_ring_stops(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;
	uint32_t mode = rig_base(VCS0) + RING_MI_MODE, v;

	rig_open(&r, false);
	assert_int_equal(rig_read(&r, mode) & MI_MODE_IDLE, MI_MODE_IDLE);
	open_loop(&r, &c, VCS0, false);
	assert_int_equal(rig_read(&r, mode) & MI_MODE_IDLE, 0);
	rig_write(&r, mode, 0x01000100);
	assert_int_equal(rig_read(&r, mode) & MI_MODE_IDLE, MI_MODE_IDLE);
	v = load(&r, PP_SCRATCH + 0x40);
	rig_nap();
	assert_int_equal(load(&r, PP_SCRATCH + 0x40), v);
	rig_write(&r, mode, 0x01000000);
	rig_until(load(&r, PP_SCRATCH + 0x40) > v);
	rig_write(&r, mode, 0x01000100);
	rig_reset_engine(&r, VCS0);
	expect_works(&r, VCS0);
	rig_close(&r);
}

static void full_reset_stops_all(void **state)
{
	struct cs_rig r;
	struct rig_ctx c[2];

	rig_open(&r, false);
	open_loop(&r, &c[0], RCS0, false);
	rig_ctx_open(&r, &c[1], BCS0);
	rig_ring(&r, &c[1], MI_SEMA_WAIT | 4 << 12, 1, LO(PP_SCRATCH), 0);
	rig_submit(&r, &c[1], NULL);
	rig_until(engine_state(eng(&r, BCS0)) == ENGINE_WAITING);
	r.g->ops->reset(r.g);
	model_each_engine(r.m, e)
	{
		assert_int_equal(engine_state(e), ENGINE_IDLE);
		assert_int_equal(e->ppgtt_levels, 0);
	}
	rig_close(&r);
}

/* After a reset i915 sets HEAD to the request and replays: an old batch must not come back. */
static void replay_starts_in_the_ring(void **state)
{
	struct cs_rig r;
	struct rig_ctx a, b;

	rig_open(&r, false);
	rig_ctx_open(&r, &a, RCS0);
	rig_ctx_open(&r, &b, RCS0);
	rig_batch(&r, PP_DATA, MI(0x2f) | 5 << 8 | 1, LO(PP_SCRATCH), 0, MI_SEMA_WAIT | 4 << 12, 1,
		LO(PP_SCRATCH + 4), 0, MI_BBE);
	rig_ring(&r, &a, BBS(PP_DATA));
	rig_submit(&r, &a, NULL);
	rig_until(engine_state(eng(&r, RCS0)) == ENGINE_WAITING);
	/* Preempted in the batch, loaded again, reset while it waits there. */
	rig_ring(&r, &b, 0, 0);
	rig_submit(&r, &b, NULL);
	rig_wait_idle(&r, RCS0);
	assert_int_equal(rig_image(&r, &a)[CONTEXT_DW_BB_ADDR] & 1, 1);
	rig_submit(&r, &a, NULL);
	rig_until(engine_state(eng(&r, RCS0)) == ENGINE_WAITING);
	rig_reset_engine(&r, RCS0);
	rig_image(&r, &a)[CONTEXT_DW_HEAD] = 0;
	rig_set(&r, PP_SCRATCH + 4, 1);
	rig_elsp(&r, RCS0, rig_desc(&a) | 4, 0);
	rig_wait_idle(&r, RCS0);
	assert_int_equal(load(&r, PP_SCRATCH), 2);
	rig_close(&r);
}

/* Unmapping RAM under a loop ends in time, and the loop faults. */
static void unmap_under_a_loop(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;
	uint8_t *extra =
		mmap(NULL, MIB(1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(extra != MAP_FAILED);
	rig_open(&r, false);
	for (int i = 0; i < 10; i++) {
		struct iova at = {UINT64_C(0x1000000000)};
		uint64_t gma = 0x400000;

		assert_int_equal(r.g->ops->iova_map(r.g, at, MIB(1), (struct hva){extra}, true), 0);
		rig_pp_map(&r, gma, at.v);
		memset(extra, 0, 64);
		rig_ctx_open(&r, &c, BCS0);
		rig_batch(&r, PP_DATA, MI(0x2f) | 5 << 8 | 1, LO(gma), 0, BBS(PP_DATA));
		rig_ring(&r, &c, BBS(PP_DATA));
		rig_submit(&r, &c, NULL);
		rig_until(__atomic_load_n((uint32_t *)extra, __ATOMIC_RELAXED) > 10);
		assert_int_equal(r.g->ops->iova_unmap(r.g, at, MIB(1)), 0);
		mprotect(extra, MIB(1), PROT_NONE);
		rig_wait_hung(&r, BCS0);
		mprotect(extra, MIB(1), PROT_READ | PROT_WRITE);
		rig_reset_engine(&r, BCS0);
	}
	expect_works(&r, BCS0);
	rig_close(&r);
	munmap(extra, MIB(1));
}

/* A failed device: every engine hangs, whatever resets the driver tries, until a function level one. */
static void failed_device(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	rig_open(&r, false);
	rig_ctx_open(&r, &c, RCS0);
	rig_batch(&r, PP_DATA, BBS(PP_DATA));
	rig_ring(&r, &c, BBS(PP_DATA));
	rig_submit(&r, &c, NULL);
	rig_until(atomic_load(&r.m->engine[RCS0].commands) > 100 ||
		  engine_state(&r.m->engine[RCS0]) == ENGINE_RUNNING);
	(r.g->ops->fail)(r.g, "no good");
	(r.g->ops->fail)(r.g, "worse");
	model_each_engine(r.m, e)
	{
		rig_wait_hung(&r, e->id);
	}
	assert_string_equal(r.m->fault, "no good");
	rig_reset_engine(&r, RCS0);
	assert_int_equal(engine_state(&r.m->engine[RCS0]), ENGINE_HUNG);
	r.g->ops->pause(r.g);
	r.g->ops->resume(r.g);
	assert_int_equal(engine_state(&r.m->engine[BCS0]), ENGINE_HUNG);
	r.g->ops->reset(r.g);
	assert_string_equal(r.m->fault, "");
	model_each_engine(r.m, e)
	{
		assert_int_equal(engine_state(e), ENGINE_IDLE);
		assert_int_equal(atomic_load(&e->request), 0);
	}
	rig_close(&r);
	/* and a model that ends in that state */
	rig_open(&r, false);
	(r.g->ops->fail)(r.g, "no good");
	rig_close(&r);
}

/* ------------------------------------------------------------------ what shows outside */

/* Error capture reads these of an engine that hangs. */
static void registers_show_where_it_stands(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;
	uint32_t base = rig_base(RCS0);

	rig_open(&r, true);
	assert_int_equal(rig_read(&r, base + RING_INSTDONE), UINT32_MAX);
	rig_ctx_open(&r, &c, RCS0);
	rig_batch(&r, PP_HIGH + 0x40, 0, 0, 0xffffffff);
	rig_ring(&r, &c, 0, BBS(PP_HIGH + 0x40));
	rig_submit(&r, &c, NULL);
	rig_wait_hung(&r, RCS0);
	assert_int_equal(rig_read(&r, base + RING_HEAD), 16);
	assert_int_equal(rig_read(&r, base + RING_TAIL), 16);
	assert_int_equal(rig_read(&r, base + RING_START), c.ring);
	assert_int_equal(rig_read(&r, base + RING_CTL), 0x3001);
	assert_int_equal(rig_read(&r, base + RING_ACTHD), LO(PP_HIGH + 0x48));
	assert_int_equal(rig_read(&r, base + RING_ACTHD_UDW), HI(PP_HIGH + 0x48));
	assert_int_equal(rig_read(&r, base + RING_IPEHR), 0xffffffff);
	assert_int_equal(rig_read(&r, base + RING_BB_ADDR), LO(PP_HIGH + 0x48) | 1);
	assert_int_equal(rig_read(&r, base + RING_BB_STATE) & BIT(5), BIT(5));
	assert_int_not_equal(rig_read(&r, base + RING_INSTDONE), UINT32_MAX);
	assert_int_equal(rig_read(&r, base + RING_EXECLIST_STATUS + 4), c.id);
	assert_int_equal(rig_read(&r, base + RING_EXECLIST_STATUS) >> 14 & 3, 1);
	rig_reset_engine(&r, RCS0);
	assert_int_equal(rig_read(&r, base + RING_EXECLIST_STATUS + 4), 0);
	assert_int_equal(rig_read(&r, base + RING_ACTHD), 0);
	assert_int_equal(rig_read(&r, base + RING_HEAD), 0);
	rig_close(&r);
}

static void status_says_what_happened(void **state)
{
	struct json_object *o, *v;
	struct cs_rig r;
	struct rig_ctx c;

	rig_open(&r, true);
	rig_ctx_open(&r, &c, RCS0);
	rig_batch(&r, PP_DATA, 0, MI_BBE);
	rig_ring(&r, &c, BBS(PP_DATA), 0x7b000005, 0, 0, 0, 0, 0, 0, 0);
	rig_run(&r, &c);
	rig_ring(&r, &c, 0x21000000, 0);
	rig_submit(&r, &c, NULL);
	rig_wait_hung(&r, RCS0);
	o = json_object_new_object();
	engine_status(eng(&r, RCS0), o);
	assert_true(json_object_object_get_ex(o, "state", &v));
	assert_string_equal(json_object_get_string(v), "hung");
	assert_true(json_object_object_get_ex(o, "batches", &v));
	assert_int_equal(json_object_get_int(v), 1);
	assert_true(json_object_object_get_ex(o, "skipped", &v));
	assert_int_equal(json_object_get_int(v), 1);
	assert_true(json_object_object_get_ex(o, "contexts", &v));
	assert_int_equal(json_object_get_int(v), 2);
	assert_true(json_object_object_get_ex(o, "hangs", &v));
	assert_int_equal(json_object_get_int(v), 1);
	assert_true(json_object_object_get_ex(o, "unknown_command", &v));
	assert_string_equal(json_object_get_string(v), "21000000");
	assert_true(json_object_object_get_ex(o, "hang_reason", &v));
	assert_non_null(strstr(json_object_get_string(v), "21000000"));
	json_object_put(o);
	rig_close(&r);
}

static void traces_tell_the_story(void **state)
{
	static const struct {
		uint16_t kind;
		uint64_t b; /* flags of a command, or UINT64_MAX: any */
		uint32_t dw0;
	} story[] = {{TRACE_SUBMIT, 0, 0}, {TRACE_CSB, UINT64_MAX, 0},
		{TRACE_COMMAND, 0, MI_BBS_PPGTT}, {TRACE_COMMAND, 7, MI_SDI},
		{TRACE_COMMAND, 7, MI_BBE}, {TRACE_COMMAND, 0, 0}, {TRACE_CSB, UINT64_MAX, 0}};
	struct trace_event ev[64];
	struct trace t = {0};
	uint64_t dropped;
	struct cs_rig r;
	struct rig_ctx c;
	uint32_t n, at = 0;

	rig_open(&r, true);
	assert_int_equal(trace_init(&t, 64), 0);
	rig_ctx_open(&r, &c, BCS0);
	rig_batch(&r, PP_DATA, SDI(PP_SCRATCH, 7), MI_BBE);
	rig_ring(&r, &c, BBS(PP_DATA), 0);
	rig_publish(&r, &c);
	atomic_store(&t.on, true);
	r.g->ops->trace_set(r.g, &t);
	rig_run(&r, &c);
	r.g->ops->trace_set(r.g, NULL);
	n = trace_take(&t, ev, 64, &dropped);
	assert_int_equal(dropped, 0);
	for (uint32_t i = 0; i < n; i++) {
		if (ev[i].kind != TRACE_SUBMIT && ev[i].kind != TRACE_CSB &&
			ev[i].kind != TRACE_COMMAND)
			continue;
		assert_true(at < ARRAY_SIZE(story));
		assert_int_equal(ev[i].kind, story[at].kind);
		assert_int_equal(ev[i].unit, BCS0);
		if (story[at].b != UINT64_MAX)
			assert_int_equal(ev[i].b, story[at].b);
		if (story[at].kind == TRACE_COMMAND)
			assert_int_equal(ev[i].dw[0], story[at].dw0);
		if (story[at].dw0 == MI_SDI) {
			assert_int_equal(ev[i].a, PP_DATA);
			assert_int_equal(ev[i].n, 4);
			assert_int_equal(ev[i].dw[3], 7);
		}
		at++;
	}
	assert_int_equal(at, ARRAY_SIZE(story));
	rig_close(&r);
	trace_finish(&t);
}

/* ------------------------------------------------------------------ pause, state */

static void pause_stops_between_commands(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;
	uint32_t v;

	rig_open(&r, false);
	open_loop(&r, &c, RCS0, true);
	r.g->ops->pause(r.g);
	r.g->ops->pause(r.g);
	v = load(&r, PP_SCRATCH + 0x40);
	r.g->ops->resume(r.g);
	rig_nap();
	assert_int_equal(load(&r, PP_SCRATCH + 0x40), v);
	r.g->ops->resume(r.g);
	rig_until(load(&r, PP_SCRATCH + 0x40) > v);
	rig_reset_engine(&r, RCS0);
	rig_close(&r);
}

/* A model is saved with contexts in flight on three engines; another takes its place and goes on. */
static void state_moves_to_another_model(void **state)
{
	const struct state_section *secs;
	struct cs_rig r, s;
	struct rig_ctx loop, wait, hang, next;
	struct buf first, second;
	struct err err = {0};
	size_t n;

	rig_open(&r, false);
	open_loop(&r, &loop, BCS0, true);
	rig_ctx_open(&r, &wait, RCS0);
	rig_ctx_open(&r, &next, RCS0);
	rig_ring(&r, &wait, MI_LRI_N(1), rig_base(RCS0) + RING_GPR, 0x77, MI_ARB_OFF,
		MI_SEMA_WAIT | 4 << 12, 1, LO(PP_SCRATCH), 0, MI_SRM, rig_base(RCS0) + RING_GPR,
		LO(PP_SCRATCH + 4), 0, MI_ARB_ON, 0);
	rig_ring(&r, &next, SDI(PP_SCRATCH + 8, 5));
	rig_submit(&r, &wait, NULL);
	rig_until(engine_state(eng(&r, RCS0)) == ENGINE_WAITING);
	rig_submit(&r, &next, NULL);
	rig_ctx_open(&r, &hang, VCS0);
	rig_ring(&r, &hang, 0xffffffff, 0);
	rig_submit(&r, &hang, NULL);
	rig_wait_hung(&r, VCS0);

	r.g->ops->pause(r.g);
	buf_init(&first);
	secs = r.g->ops->sections(r.g, &n);
	assert_int_equal(state_save(secs, n, &first), 0);
	/* The second model takes over the RAM and the state. */
	rig_open(&s, false);
	s.g->ops->pause(s.g);
	memcpy(s.ram, r.ram, RIG_RAM);
	secs = s.g->ops->sections(s.g, &n);
	if (state_load(secs, n, first.data, first.len, &err))
		fail_msg("%s", err.what);
	/* Saved again, the engines say the same. */
	buf_init(&second);
	assert_int_equal(state_save(secs, n, &second), 0);
	assert_int_equal(first.len, second.len);
	s.g->ops->resume(s.g);
	s.csb_read[RCS0] = r.csb_read[RCS0];

	assert_int_equal(engine_state(eng(&s, VCS0)), ENGINE_HUNG);
	rig_set(&s, PP_SCRATCH, 1);
	rig_expect_csb(&s, RCS0, 1, 0);
	rig_expect_csb(&s, RCS0, 2, wait.id);
	rig_expect_csb(&s, RCS0, 0x18, next.id);
	rig_wait_idle(&s, RCS0);
	assert_int_equal(load(&s, PP_SCRATCH + 8), 5);
	rig_submit(&s, &wait, NULL);
	rig_wait_idle(&s, RCS0);
	assert_int_equal(load(&s, PP_SCRATCH + 4), 0x77);
	{
		uint32_t v = load(&s, PP_SCRATCH + 0x40);

		rig_until(load(&s, PP_SCRATCH + 0x40) > v);
	}
	rig_reset_engine(&s, BCS0);
	rig_reset_engine(&s, VCS0);
	expect_works(&s, VCS0);
	buf_finish(&first);
	buf_finish(&second);
	r.g->ops->resume(r.g);
	rig_close(&r);
	rig_close(&s);
}

/* The same in the batch that runs after a restore: the ring comes after it, where it was. */
static void state_moves_in_a_batch_of_a_restore(void **state)
{
	const struct state_section *secs;
	struct cs_rig r, s;
	struct rig_ctx c;
	struct err err = {0};
	struct buf b;
	uint32_t wa;
	size_t n;

	rig_open(&r, false);
	rig_ctx_open(&r, &c, RCS0);
	wa = rig_alloc(&r, 1);
	rig_gg(&r, wa)[0] = MI_SEMA_WAIT | GGTT_BIT | 4 << 12;
	rig_gg(&r, wa)[1] = 1;
	rig_gg(&r, wa)[2] = wa + 0x100;
	rig_gg(&r, wa)[4] = MI_BBE;
	rig_image(&r, &c)[CONTEXT_DW_BB_PER_CTX] = wa | 1;
	c.tail = 0x100;
	rig_image(&r, &c)[CONTEXT_DW_HEAD] = c.tail;
	rig_gg(&r, c.ring)[0] = 0xffffffff; /* where the ring does not go on */
	rig_ring(&r, &c, SDI(PP_SCRATCH, 5));
	rig_submit(&r, &c, NULL);
	rig_until(engine_state(eng(&r, RCS0)) == ENGINE_WAITING);
	r.g->ops->pause(r.g);
	buf_init(&b);
	secs = r.g->ops->sections(r.g, &n);
	assert_int_equal(state_save(secs, n, &b), 0);
	rig_open(&s, false);
	s.g->ops->pause(s.g);
	memcpy(s.ram, r.ram, RIG_RAM);
	secs = s.g->ops->sections(s.g, &n);
	assert_int_equal(state_load(secs, n, b.data, b.len, &err), 0);
	s.g->ops->resume(s.g);
	assert_int_equal(load(&s, PP_SCRATCH), 0);
	__atomic_store_n(&rig_gg(&s, wa)[0x40], 1, __ATOMIC_RELEASE);
	rig_wait_idle(&s, RCS0);
	assert_int_equal(load(&s, PP_SCRATCH), 5);
	assert_int_equal(rig_image(&s, &c)[CONTEXT_DW_HEAD], 0x110);
	buf_finish(&b);
	r.g->ops->resume(r.g);
	rig_close(&r);
	rig_close(&s);
}

/* A stream whose every byte may be wrong is refused or taken; what is taken does no harm. */
static void bad_state_is_refused(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;
	struct state_section sec;
	struct buf good;

	rig_open(&r, false);
	open_loop(&r, &c, RCS0, true);
	r.g->ops->pause(r.g);
	engine_sections(eng(&r, RCS0), &sec);
	buf_init(&good);
	sec.save(sec.obj, &good);
	for (size_t i = 0; i < good.len; i += 1 + i / 64) {
		struct err err = {0};
		struct buf_reader in;
		uint8_t old = good.data[i];

		good.data[i] ^= (uint8_t)(1 + rig_random(&r) % 255);
		buf_reader_init(&in, good.data, good.len);
		sec.load(sec.obj, &in, sec.version, &err);
		good.data[i] = old;
		buf_reader_init(&in, good.data, i);
		assert_int_not_equal(sec.load(sec.obj, &in, sec.version, &err), 0);
	}
	{
		struct err err = {0};
		struct buf_reader in;

		buf_reader_init(&in, good.data, good.len);
		assert_int_not_equal(sec.load(sec.obj, &in, sec.version + 1, &err), 0);
		buf_reader_init(&in, good.data, good.len);
		assert_int_equal(sec.load(sec.obj, &in, sec.version, &err), 0);
	}
	r.g->ops->resume(r.g);
	rig_reset_engine(&r, RCS0);
	buf_finish(&good);
	rig_close(&r);
}

static void streams_of_noise(void **state)
{
	struct cs_rig r;

	rig_open(&r, true);
	for (int n = 0; n < 200; n++) {
		int id = (const int[]){RCS0, BCS0, VCS0, VECS0}[n % 4];
		struct rig_ctx c;

		if (n % 40 == 0)
			r.next_gma = 0x100000;
		rig_ctx_open(&r, &c, id);
		for (int i = 0; i < 200; i++) {
			uint32_t dw = (uint32_t)rig_random(&r);

			/* Often a command that exists. */
			if (rig_random(&r) & 3)
				dw = gen9_cmds[rig_random(&r) % gen9_cmd_count].opcode | (dw & 0xf);
			*rig_pp(&r, PP_DATA + 4 * (uint64_t)i) = dw;
		}
		rig_batch(&r, PP_DATA + 800, MI_BBE);
		rig_ring(&r, &c, BBS(PP_DATA));
		rig_submit(&r, &c, NULL);
		for (int i = 0;
			i < 20 && !rig_is_idle(&r, id) && engine_state(eng(&r, id)) != ENGINE_HUNG;
			i++)
			rig_nap();
		rig_reset_engine(&r, id);
	}
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_commands_hang),
		cmocka_unit_test(a_hang_is_one_engines_affair),
		cmocka_unit_test(faults_name_the_address),
		cmocka_unit_test(ram_without_an_fd_faults_the_device),
		cmocka_unit_test(user_batches_do_not_reach_the_ggtt),
		cmocka_unit_test(privilege_is_inherited),
		cmocka_unit_test(privilege_outlives_preemption),
		cmocka_unit_test(registers_are_guarded),
		cmocka_unit_test(loops_are_stopped_by_reset),
		cmocka_unit_test(a_ring_of_noops_ends),
		cmocka_unit_test(commands_past_the_tail_hang),
		cmocka_unit_test(reset_request_may_be_taken_back),
		cmocka_unit_test(reset_without_handshake_is_counted),
		cmocka_unit_test(stop_ring_stops),
		cmocka_unit_test(full_reset_stops_all),
		cmocka_unit_test(replay_starts_in_the_ring),
		cmocka_unit_test(unmap_under_a_loop),
		cmocka_unit_test(failed_device),
		cmocka_unit_test(registers_show_where_it_stands),
		cmocka_unit_test(status_says_what_happened),
		cmocka_unit_test(traces_tell_the_story),
		cmocka_unit_test(pause_stops_between_commands),
		cmocka_unit_test(state_moves_to_another_model),
		cmocka_unit_test(state_moves_in_a_batch_of_a_restore),
		cmocka_unit_test(bad_state_is_refused),
		cmocka_unit_test(streams_of_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
