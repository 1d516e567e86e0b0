// SPDX-License-Identifier: GPL-2.0-or-later
/* The submit port, its events, context images, lite restore, preemption, waits. */
#include "cs_rig.h"

#define SDI(gma, v) MI_SDI, (uint32_t)(gma), (uint32_t)((uint64_t)(gma) >> 32), v
#define BBS(gma)    MI_BBS_PPGTT, (uint32_t)(gma), (uint32_t)((uint64_t)(gma) >> 32)
#define WAIT_EQ(gma, v) \
	MI_SEMA_WAIT | 4 << 12, v, (uint32_t)(gma), (uint32_t)((uint64_t)(gma) >> 32)
#define BATCH0 PP_DATA
#define BATCH1 (PP_DATA + 0x10000)
#define BATCH2 (PP_DATA + 0x20000)

static uint32_t load(struct cs_rig *r, uint64_t gma)
{
	return __atomic_load_n(rig_pp(r, gma), __ATOMIC_ACQUIRE);
}

static void one_request_on_every_engine(void **state)
{
	struct cs_rig r;

	rig_open(&r, true);
	model_each_engine(r.m, e)
	{
		struct rig_ctx c;

		rig_ctx_open(&r, &c, e->id);
		rig_ring(&r, &c, SDI(PP_SCRATCH + 8 * e->id, 0x1000 + e->id), MI_USER_INT, 0);
		rig_run(&r, &c);
		assert_int_equal(load(&r, PP_SCRATCH + 8 * e->id), 0x1000 + e->id);
		rig_expect_csb(&r, e->id, 1, 0);
		rig_expect_csb(&r, e->id, 0x18, c.id);
		rig_expect_no_csb(&r, e->id);
		/* User interrupt and context switch, in the engine's half of its bank. */
		assert_int_equal(
			rig_read(&r, 0x44308 + 16 * e->info->irq_bank) >> e->info->irq_shift &
				0xffff,
			0x101);
		assert_true(atomic_load(&r.msis) > 0);
		assert_int_equal(atomic_load(&e->contexts), 1);
	}
	rig_expect_clean(&r);
	rig_close(&r);
}

static void interrupts_behind_imr_are_not_raised(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	rig_open(&r, true);
	rig_ctx_open(&r, &c, RCS0);
	rig_write(&r, rig_base(RCS0) + RING_IMR, ~GT_CONTEXT_SWITCH);
	rig_ring(&r, &c, MI_USER_INT, 0);
	rig_run(&r, &c);
	assert_int_equal(rig_read(&r, 0x44308), GT_CONTEXT_SWITCH);
	rig_close(&r);
}

static void two_elements(void **state)
{
	struct cs_rig r;
	struct rig_ctx a, b;

	rig_open(&r, true);
	rig_ctx_open(&r, &a, BCS0);
	rig_ctx_open(&r, &b, BCS0);
	rig_ring(&r, &a, SDI(PP_SCRATCH, 1));
	rig_ring(&r, &b, MI(0x2e) | 3, (uint32_t)PP_SCRATCH + 4, 0, (uint32_t)PP_SCRATCH, 0);
	rig_submit(&r, &a, &b);
	rig_wait_idle(&r, BCS0);
	assert_int_equal(load(&r, PP_SCRATCH + 4), 1);
	rig_expect_csb(&r, BCS0, 1, 0);
	rig_expect_csb(&r, BCS0, 0x14, a.id);
	rig_expect_csb(&r, BCS0, 0x18, b.id);
	rig_expect_clean(&r);
	rig_close(&r);
}

/* Six entries, again and again: the write pointer runs 0..5. */
static void status_buffer_wraps(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	rig_open(&r, true);
	rig_ctx_open(&r, &c, VCS0);
	for (int i = 0; i < 20; i++) {
		rig_ring(&r, &c, SDI(PP_SCRATCH, i), 0, 0);
		rig_run(&r, &c);
		rig_expect_csb(&r, VCS0, 1, 0);
		rig_expect_csb(&r, VCS0, 0x18, c.id);
		assert_int_equal(load(&r, PP_SCRATCH), i);
	}
	rig_expect_clean(&r);
	rig_close(&r);
}

static void ring_wraps(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	rig_open(&r, true);
	rig_ctx_open(&r, &c, RCS0);
	/* A command that begins before the end of the ring and ends behind its start. */
	c.tail = c.ring_bytes - 8;
	rig_ctx_reset_image(&r, &c);
	rig_ring(&r, &c, SDI(PP_SCRATCH, 77), SDI(PP_SCRATCH + 4, 78));
	rig_run(&r, &c);
	assert_int_equal(load(&r, PP_SCRATCH), 77);
	assert_int_equal(load(&r, PP_SCRATCH + 4), 78);
	assert_int_equal(rig_image(&r, &c)[CONTEXT_DW_HEAD], c.tail);
	/* And a ring that ends exactly at its end. */
	while (c.tail)
		rig_emit(&r, &c, 0);
	rig_run(&r, &c);
	assert_int_equal(rig_image(&r, &c)[CONTEXT_DW_HEAD], 0);
	rig_close(&r);
}

static void lite_restore_takes_the_tail(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	rig_open(&r, false);
	rig_ctx_open(&r, &c, RCS0);
	rig_ring(&r, &c, WAIT_EQ(PP_SCRATCH, 1), SDI(PP_SCRATCH + 4, 1));
	rig_submit(&r, &c, NULL);
	rig_expect_csb(&r, RCS0, 1, 0);
	rig_until(engine_state(&r.m->engine[RCS0]) == ENGINE_WAITING);
	rig_ring(&r, &c, SDI(PP_SCRATCH + 8, 2));
	rig_submit(&r, &c, NULL);
	rig_expect_csb(&r, RCS0, 0x8002, c.id);
	assert_int_equal(load(&r, PP_SCRATCH + 4), 0);
	rig_set(&r, PP_SCRATCH, 1);
	rig_wait_idle(&r, RCS0);
	rig_expect_csb(&r, RCS0, 0x18, c.id);
	assert_int_equal(load(&r, PP_SCRATCH + 4), 1);
	assert_int_equal(load(&r, PP_SCRATCH + 8), 2);
	assert_int_equal(atomic_load(&r.m->engine[RCS0].contexts), 1);
	rig_expect_clean(&r);
	rig_close(&r);
}

static void lite_restore_without_a_new_tail_is_counted(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	rig_open(&r, false);
	rig_ctx_open(&r, &c, RCS0);
	rig_ring(&r, &c, WAIT_EQ(PP_SCRATCH, 1));
	rig_submit(&r, &c, NULL);
	rig_expect_csb(&r, RCS0, 1, 0);
	rig_submit(&r, &c, NULL);
	rig_expect_csb(&r, RCS0, 0x8002, c.id);
	assert_int_equal(rig_violations(&r, VIOLATION_LITE_RESTORE), 1);
	/* With force-restore, i915's way out, it is a reload and legal. */
	rig_elsp(&r, RCS0, rig_desc(&c) | 4, 0);
	rig_expect_csb(&r, RCS0, 2, c.id);
	assert_int_equal(rig_violations(&r, VIOLATION_LITE_RESTORE), 1);
	rig_set(&r, PP_SCRATCH, 1);
	rig_wait_idle(&r, RCS0);
	rig_expect_csb(&r, RCS0, 0x18, c.id);
	rig_close(&r);
}

/*
 * The driver may move the tail for its next submission before an element it has submitted is loaded:
 * i915 does when it has seen the event that comes first.
 */
static void lite_restore_of_an_element_loaded_late(void **state)
{
	struct cs_rig r;
	struct rig_ctx a, b;

	rig_open(&r, false);
	rig_ctx_open(&r, &a, RCS0);
	rig_ctx_open(&r, &b, RCS0);
	rig_ring(&r, &a, WAIT_EQ(PP_SCRATCH, 1));
	rig_ring(&r, &b, SDI(PP_SCRATCH + 4, 1));
	rig_submit(&r, &a, &b);
	rig_until(engine_state(&r.m->engine[RCS0]) == ENGINE_WAITING);
	rig_ring(&r, &b, WAIT_EQ(PP_SCRATCH, 2));
	rig_publish(&r, &b);
	rig_set(&r, PP_SCRATCH, 1);
	rig_until(load(&r, PP_SCRATCH + 4) == 1);
	rig_until(engine_state(&r.m->engine[RCS0]) == ENGINE_WAITING);
	rig_elsp(&r, RCS0, rig_desc(&b), 0);
	rig_expect_csb(&r, RCS0, 1, 0);
	rig_expect_csb(&r, RCS0, 0x14, a.id);
	rig_expect_csb(&r, RCS0, 0x8002, b.id);
	rig_set(&r, PP_SCRATCH, 2);
	rig_wait_idle(&r, RCS0);
	rig_expect_clean(&r);
	rig_close(&r);
}

/* A batch that counts in a register for ever is preempted, and goes on where it was. */
static void preemption_resumes_exactly(void **state)
{
	struct cs_rig r;
	struct rig_ctx spin, other;
	uint32_t gpr = rig_base(BCS0) + RING_GPR, before;

	rig_open(&r, false);
	rig_ctx_open(&r, &spin, BCS0);
	rig_ctx_open(&r, &other, BCS0);
	/* First level: R1 = 1; then second level for ever: R0 += R1, one store, ends on a flag. */
	rig_batch(&r, BATCH0, MI_LRI_N(2), gpr + 8, 1, gpr + 12, 0, MI_BBS_PPGTT | BIT(22),
		(uint32_t)BATCH1, 0, SDI(PP_SCRATCH + 16, 0xd0e), MI_BBE);
	rig_batch(&r, BATCH1, MI(0x1a) | 3, 0x080 << 20 | 0x20 << 10 | 0,
		0x080 << 20 | 0x21 << 10 | 1, 0x100 << 20, 0x180 << 20 | 0x31, MI_SRM, gpr,
		(uint32_t)PP_SCRATCH, 0, MI(0x36) | BIT(21) | 2, 0, (uint32_t)PP_SCRATCH + 8, 0,
		MI_BBS_PPGTT, (uint32_t)BATCH1, 0);
	rig_set(&r, PP_SCRATCH + 8, 1);
	rig_ring(&r, &spin, BBS(BATCH0), SDI(PP_SCRATCH + 20, 0xe11d));
	rig_submit(&r, &spin, NULL);
	rig_expect_csb(&r, BCS0, 1, 0);
	for (int i = 0; i < 20; i++) {
		uint32_t v = load(&r, PP_SCRATCH);

		rig_until(load(&r, PP_SCRATCH) > v + 100);
		/* Another context, which clobbers what it can, then the first again. */
		rig_ring(&r, &other, MI_LRI_N(2), gpr, 0xbad, gpr + 8, 0xbad,
			SDI(PP_SCRATCH + 12, i + 1), 0);
		rig_publish(&r, &other);
		rig_elsp(&r, BCS0, rig_desc(&other), rig_desc(&spin));
		rig_expect_csb(&r, BCS0, 2, spin.id);
		rig_expect_csb(&r, BCS0, 0x14, other.id);
		assert_int_equal(load(&r, PP_SCRATCH + 12), i + 1);
		before = load(&r, PP_SCRATCH);
		/* What the loop stores goes up by one: never lost, never twice. */
		rig_until(load(&r, PP_SCRATCH) != before);
		assert_true(load(&r, PP_SCRATCH) > before);
		assert_true(load(&r, PP_SCRATCH) < 0x80000000);
	}
	rig_set(&r, PP_SCRATCH + 8, 0);
	rig_wait_idle(&r, BCS0);
	rig_expect_csb(&r, BCS0, 0x18, spin.id);
	assert_int_equal(load(&r, PP_SCRATCH + 16), 0xd0e);
	assert_int_equal(load(&r, PP_SCRATCH + 20), 0xe11d);
	assert_true(atomic_load(&r.m->engine[BCS0].preemptions) >= 20);
	rig_expect_clean(&r);
	rig_close(&r);
}

/* The chain of numbers a batch stores has no gap and no double, however often it is preempted. */
static void preemption_loses_no_command(void **state)
{
	struct cs_rig r;
	struct rig_ctx a, b;
	uint64_t at = BATCH0;
	const uint32_t count = 20000;

	rig_open(&r, false);
	rig_ctx_open(&r, &a, RCS0);
	rig_ctx_open(&r, &b, RCS0);
	for (uint32_t i = 0; i < count; i++)
		at = rig_batch(&r, at, MI(0x2f) | 5 << 8 | 1, (uint32_t)PP_SCRATCH, 0);
	rig_batch(&r, at, MI_BBE);
	rig_ring(&r, &a, BBS(BATCH0));
	rig_submit(&r, &a, NULL);
	rig_expect_csb(&r, RCS0, 1, 0);
	for (uint32_t i = 1; i <= 50; i++) {
		struct rig_event ev;

		rig_ring(&r, &b, SDI(PP_SCRATCH + 4, i), 0, 0);
		rig_publish(&r, &b);
		rig_elsp(&r, RCS0, rig_desc(&b), rig_desc(&a) | 4);
		rig_until(load(&r, PP_SCRATCH + 4) == i);
		/* Events: what was preempted or done, then the change to A or the end. */
		do {
			rig_until(rig_csb(&r, RCS0, &ev));
		} while (!(ev.status == 0x14 && ev.id == b.id));
	}
	rig_wait_idle(&r, RCS0);
	assert_int_equal(load(&r, PP_SCRATCH), count);
	rig_expect_clean(&r);
	rig_close(&r);
}

static void arbitration_off_holds_preemption_back(void **state)
{
	struct cs_rig r;
	struct rig_ctx a, b;

	rig_open(&r, false);
	rig_ctx_open(&r, &a, VECS0);
	rig_ctx_open(&r, &b, VECS0);
	rig_ring(&r, &a, MI_ARB_OFF, SDI(PP_SCRATCH + 12, 1), WAIT_EQ(PP_SCRATCH, 1),
		SDI(PP_SCRATCH + 4, 5), MI_ARB_ON, 0, WAIT_EQ(PP_SCRATCH, 2));
	rig_ring(&r, &b, SDI(PP_SCRATCH + 8, 6));
	rig_submit(&r, &a, NULL);
	rig_expect_csb(&r, VECS0, 1, 0);
	rig_until(load(&r, PP_SCRATCH + 12));
	rig_submit(&r, &b, NULL);
	rig_until(
		atomic_load(&r.m->engine[VECS0].commands) < 100); /* it sleeps, it does not spin */
	for (int i = 0; i < 50; i++)
		rig_nap();
	rig_expect_no_csb(&r, VECS0);
	assert_int_equal(load(&r, PP_SCRATCH + 8), 0);
	/* Pending and running: the queue is full. */
	assert_int_equal(rig_read(&r, rig_base(VECS0) + RING_EXECLIST_STATUS) & 4, 4);
	rig_set(&r, PP_SCRATCH, 1);
	rig_expect_csb(&r, VECS0, 2, a.id);
	rig_expect_csb(&r, VECS0, 0x18, b.id);
	assert_int_equal(load(&r, PP_SCRATCH + 4), 5);
	assert_int_equal(load(&r, PP_SCRATCH + 8), 6);
	rig_set(&r, PP_SCRATCH, 2);
	rig_submit(&r, &a, NULL);
	rig_wait_idle(&r, VECS0);
	rig_expect_clean(&r);
	rig_close(&r);
}

static void waits_announce_themselves_and_give_way(void **state)
{
	struct cs_rig r;
	struct rig_ctx a, b;

	rig_open(&r, false);
	rig_ctx_open(&r, &a, RCS0);
	rig_ctx_open(&r, &b, RCS0);
	rig_ring(&r, &a, WAIT_EQ(PP_SCRATCH, 1), SDI(PP_SCRATCH + 4, 5));
	rig_submit(&r, &a, NULL);
	rig_until(rig_read(&r, 0x44308) & GT_WAIT_SEMAPHORE);
	assert_int_equal(rig_read(&r, rig_base(RCS0) + RING_EXECLIST_STATUS + 4), a.id);
	rig_expect_csb(&r, RCS0, 1, 0);
	rig_ring(&r, &b, SDI(PP_SCRATCH, 1), 0, 0);
	rig_publish(&r, &b);
	rig_elsp(&r, RCS0, rig_desc(&b), rig_desc(&a));
	rig_expect_csb(&r, RCS0, 2, a.id);
	rig_expect_csb(&r, RCS0, 0x14, b.id);
	rig_wait_idle(&r, RCS0);
	assert_int_equal(load(&r, PP_SCRATCH + 4), 5);
	rig_expect_clean(&r);
	rig_close(&r);
}

/* Without "inhibit synchronous context switch" a wait gives its element up. */
static void synchronous_switch(void **state)
{
	struct cs_rig r;
	struct rig_ctx a, b;

	rig_open(&r, false);
	rig_ctx_open(&r, &a, RCS0);
	rig_ctx_open(&r, &b, RCS0);
	rig_image(&r, &a)[CONTEXT_DW_CONTROL] = 0x00090001;
	rig_ring(&r, &a, WAIT_EQ(PP_SCRATCH, 1), SDI(PP_SCRATCH + 4, 5));
	rig_ring(&r, &b, SDI(PP_SCRATCH, 1));
	rig_submit(&r, &a, &b);
	rig_wait_idle(&r, RCS0);
	rig_expect_csb(&r, RCS0, 1, 0);
	rig_expect_csb(&r, RCS0, 0x84, a.id);
	rig_expect_csb(&r, RCS0, 0x18, b.id);
	assert_int_equal(load(&r, PP_SCRATCH + 4), 0);
	rig_submit(&r, &a, NULL);
	rig_wait_idle(&r, RCS0);
	assert_int_equal(load(&r, PP_SCRATCH + 4), 5);
	rig_close(&r);
}

static void semaphores_across_engines(void **state)
{
	struct cs_rig r;
	struct rig_ctx c[4];
	static const int engines[4] = {RCS0, BCS0, VCS0, VECS0};

	rig_open(&r, false);
	for (int i = 0; i < 4; i++)
		rig_ctx_open(&r, &c[i], engines[i]);
	/* A token runs round the engines fifty times. */
	for (uint32_t n = 0; n < 200; n++)
		rig_ring(&r, &c[n % 4], WAIT_EQ(PP_SCRATCH, n), SDI(PP_SCRATCH, n + 1));
	for (int i = 3; i >= 0; i--)
		rig_submit(&r, &c[i], NULL);
	for (int i = 0; i < 4; i++)
		rig_wait_idle(&r, engines[i]);
	assert_int_equal(load(&r, PP_SCRATCH), 200);
	rig_expect_clean(&r);
	rig_close(&r);
}

/* Signal mode: memory alone wakes nobody, a signal for the context does. */
static void signal_mode(void **state)
{
	struct cs_rig r;
	struct rig_ctx a, b;

	rig_open(&r, false);
	rig_ctx_open(&r, &a, RCS0);
	rig_ctx_open(&r, &b, BCS0);
	rig_ring(&r, &a, (MI_SEMA_WAIT & ~BIT(15)) | 4 << 12, 1, (uint32_t)PP_SCRATCH, 0);
	rig_submit(&r, &a, NULL);
	rig_until(engine_state(&r.m->engine[RCS0]) == ENGINE_WAITING);
	rig_set(&r, PP_SCRATCH, 1);
	/* A signal for another context, then none: it still waits. */
	rig_ring(&r, &b, MI(0x1b) | 0, a.id + 1);
	rig_run(&r, &b);
	for (int i = 0; i < 50; i++)
		rig_nap();
	assert_int_equal(engine_state(&r.m->engine[RCS0]), ENGINE_WAITING);
	rig_ring(&r, &b, MI(0x1b) | 0, a.id);
	rig_run(&r, &b);
	rig_wait_idle(&r, RCS0);
	rig_expect_clean(&r);
	rig_close(&r);
}

/* What a context leaves in its registers comes back, and only to it. */
static void registers_belong_to_contexts(void **state)
{
	static const uint32_t regs[] = {
		RING_GPR, RING_GPR + 4, RING_GPR + 0x7c, 0x400, 0x404, 0x408, 0x410, 0x41c};
	struct cs_rig r;

	rig_open(&r, true);
	model_each_engine(r.m, e)
	{
		uint32_t base = e->info->mmio_base;
		struct rig_ctx c[2];

		for (int i = 0; i < 2; i++) {
			rig_ctx_open(&r, &c[i], e->id);
			for (size_t k = 0; k < ARRAY_SIZE(regs); k++)
				rig_ring(&r, &c[i], MI_LRI_N(1), base + regs[k],
					(uint32_t)(0x1000 * (i + 1) + k));
			rig_run(&r, &c[i]);
		}
		for (int i = 0; i < 2; i++) {
			for (size_t k = 0; k < ARRAY_SIZE(regs); k++)
				rig_ring(&r, &c[i], MI_SRM, base + regs[k],
					(uint32_t)(PP_SCRATCH + 4 * k), 0);
			rig_run(&r, &c[i]);
			for (size_t k = 0; k < ARRAY_SIZE(regs); k++)
				assert_int_equal(
					load(&r, PP_SCRATCH + 4 * k), 0x1000 * (i + 1) + k);
		}
	}
	rig_expect_clean(&r);
	rig_close(&r);
}

static void all_context_registers_fit(void **state)
{
	struct cs_rig r;

	rig_open(&r, true);
	model_each_engine(r.m, e)
	{
		assert_true(e->context_reg_count > 0);
		assert_true(e->context_reg_count <= CONTEXT_REGS_MAX);
		/* Each register of the ring context has storage behind it. */
		for (size_t i = 0; i < gen9_context_row_count; i++) {
			const struct context_row *row = &gen9_context_rows[i];

			if (row->engines & BIT(e->id) && row->reg != 0x200)
				assert_non_null(
					regs_row(&r.m->regs, e->info->mmio_base + row->reg));
		}
	}
	rig_close(&r);
}

static void restore_inhibited_clears_operands(void **state)
{
	struct cs_rig r;
	struct rig_ctx a, b;
	uint32_t gpr = rig_base(VCS0) + RING_GPR;

	rig_open(&r, true);
	rig_ctx_open(&r, &a, VCS0);
	rig_ctx_open(&r, &b, VCS0);
	rig_ring(&r, &a, MI_LRI_N(1), gpr, 0x5ec2e7, 0);
	rig_run(&r, &a);
	rig_set(&r, PP_SCRATCH, 1);
	rig_ring(&r, &b, MI_SRM, gpr, (uint32_t)PP_SCRATCH, 0);
	rig_run(&r, &b);
	assert_int_equal(load(&r, PP_SCRATCH), 0);
	/* Saved once, it is no longer inhibited. */
	assert_int_equal(rig_image(&r, &b)[CONTEXT_DW_CONTROL] & 1, 0);
	rig_close(&r);
}

static void context_timestamp_accumulates(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;
	uint32_t last = 0;

	rig_open(&r, true);
	rig_ctx_open(&r, &c, RCS0);
	for (int i = 0; i < 3; i++) {
		uint32_t now;

		/* Ten user interrupts cost 100 ns each on the virtual clock: 12 ticks. */
		for (int k = 0; k < 10; k++)
			rig_emit(&r, &c, MI_USER_INT);
		rig_run(&r, &c);
		now = rig_image(&r, &c)[CONTEXT_DW_TIMESTAMP];
		assert_in_range(now - last, 11, 14);
		last = now;
		clock_advance(&r.clock, NSEC_PER_SEC); /* it does not run meanwhile */
	}
	rig_close(&r);
}

static void indirect_and_per_context_batches(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;
	uint32_t wa;

	rig_open(&r, true);
	rig_ctx_open(&r, &c, RCS0);
	wa = rig_alloc(&r, 1);
	/* One cache line that adds 1 to a GGTT dword, padded; and a batch that adds 16. */
	rig_gg(&r, wa)[0] = MI(0x2f) | GGTT_BIT | 5 << 8 | 1; /* INC */
	rig_gg(&r, wa)[1] = wa + 0x800;
	rig_gg(&r, wa)[16] = MI(0x2f) | GGTT_BIT | BIT(18) | 7 << 8 | 9; /* ADD, inline */
	rig_gg(&r, wa)[17] = wa + 0x804;
	rig_gg(&r, wa)[19] = 16;
	rig_gg(&r, wa)[27] = MI_BBE;
	rig_image(&r, &c)[CONTEXT_DW_INDIRECT_CTX] = wa | 1;
	rig_image(&r, &c)[CONTEXT_DW_INDIRECT_CTX_OFFSET] = 0x26 << 6;
	rig_image(&r, &c)[CONTEXT_DW_BB_PER_CTX] = (wa + 64) | 1;
	for (uint32_t i = 1; i <= 3; i++) {
		rig_ring(&r, &c, SDI(PP_SCRATCH, i));
		rig_run(&r, &c);
		assert_int_equal(rig_gg(&r, wa)[0x200], i);
		assert_int_equal(rig_gg(&r, wa)[0x201], 16 * i);
		assert_int_equal(load(&r, PP_SCRATCH), i);
	}
	rig_expect_clean(&r);
	rig_close(&r);
}

static void three_level_contexts(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	rig_open(&r, true);
	rig_ctx_open(&r, &c, BCS0);
	c.mode = 1;
	rig_ctx_reset_image(&r, &c);
	rig_ring(&r, &c, SDI(PP_SCRATCH, 99));
	rig_run(&r, &c);
	assert_int_equal(load(&r, PP_SCRATCH), 99);
	rig_expect_clean(&r);
	rig_close(&r);
}

static void batches_above_4g(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	rig_open(&r, true);
	rig_ctx_open(&r, &c, BCS0);
	rig_batch(&r, PP_HIGH + 0xff8, SDI(PP_HIGH + MIB(4), 0x4711), MI_BBE);
	rig_ring(&r, &c, BBS(PP_HIGH + 0xff8));
	rig_run(&r, &c);
	assert_int_equal(load(&r, PP_SCRATCH), 0x4711);
	rig_expect_clean(&r);
	rig_close(&r);
}

static void bad_tails_and_descriptors_are_counted(void **state)
{
	struct cs_rig r;
	struct rig_ctx c, d;

	rig_open(&r, true);
	rig_ctx_open(&r, &c, RCS0);
	rig_ctx_open(&r, &d, RCS0);
	rig_ring(&r, &c, 0, 0, 0);
	rig_image(&r, &c)[CONTEXT_DW_TAIL] = 12;
	rig_elsp(&r, RCS0, rig_desc(&c), 0);
	rig_wait_idle(&r, RCS0);
	assert_int_equal(rig_violations(&r, VIOLATION_TAIL_ALIGN), 1);
	assert_int_equal(rig_image(&r, &c)[CONTEXT_DW_HEAD], 8);
	d.mode = 0;
	rig_run(&r, &d);
	assert_int_equal(rig_violations(&r, VIOLATION_DESCRIPTOR), 1);
	d.mode = 3;
	/* The second element alone, and the same context twice. */
	rig_elsp(&r, RCS0, 0, rig_desc(&d));
	assert_int_equal(rig_violations(&r, VIOLATION_DESCRIPTOR), 2);
	rig_until(rig_is_idle(&r, RCS0));
	rig_elsp(&r, RCS0, rig_desc(&d), rig_desc(&d));
	rig_wait_idle(&r, RCS0);
	assert_int_equal(rig_violations(&r, VIOLATION_DESCRIPTOR), 3);
	rig_close(&r);
}

static void overrun_is_counted(void **state)
{
	struct cs_rig r;
	struct rig_ctx a, b;

	rig_open(&r, false);
	rig_ctx_open(&r, &a, RCS0);
	rig_ctx_open(&r, &b, RCS0);
	rig_ring(&r, &a, MI_ARB_OFF, SDI(PP_SCRATCH + 4, 1), WAIT_EQ(PP_SCRATCH, 1), 0);
	rig_submit(&r, &a, NULL);
	rig_until(load(&r, PP_SCRATCH + 4));
	rig_submit(&r, &b, NULL);
	assert_int_equal(rig_violations(&r, VIOLATION_ELSP_OVERRUN), 0);
	rig_submit(&r, &b, NULL);
	assert_int_equal(rig_violations(&r, VIOLATION_ELSP_OVERRUN), 1);
	rig_set(&r, PP_SCRATCH, 1);
	rig_wait_idle(&r, RCS0);
	rig_close(&r);
}

/* A driver that moves the read pointer is told when it falls behind; i915 never moves it. */
static void status_buffer_overflow_is_counted(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	rig_open(&r, true);
	rig_ctx_open(&r, &c, RCS0);
	for (int i = 0; i < 8; i++) {
		rig_ring(&r, &c, 0, 0);
		rig_run(&r, &c);
	}
	assert_int_equal(rig_violations(&r, VIOLATION_CSB_OVERFLOW), 0);
	rig_write(&r, rig_base(RCS0) + RING_CSB_PTR,
		0x07000000 | (rig_read(&r, rig_base(RCS0) + RING_CSB_PTR) & 7) << 8);
	for (int i = 0; i < 3; i++) {
		rig_ring(&r, &c, 0, 0);
		rig_run(&r, &c);
	}
	assert_int_equal(rig_violations(&r, VIOLATION_CSB_OVERFLOW), 0);
	rig_ring(&r, &c, 0, 0);
	rig_run(&r, &c);
	assert_true(rig_violations(&r, VIOLATION_CSB_OVERFLOW) > 0);
	rig_close(&r);
}

static void writes_to_a_running_image_are_counted(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	rig_open(&r, false);
	rig_ctx_open(&r, &c, RCS0);
	for (int bad = 0; bad < 2; bad++) {
		rig_set(&r, PP_SCRATCH, 0);
		rig_ring(&r, &c, WAIT_EQ(PP_SCRATCH, 1), 0, 0);
		rig_submit(&r, &c, NULL);
		rig_until(engine_state(&r.m->engine[RCS0]) == ENGINE_WAITING);
		/* HEAD and TAIL i915 may write, the ring's start nobody. */
		rig_image(&r, &c)[CONTEXT_DW_HEAD] ^= 8;
		if (bad)
			rig_image(&r, &c)[CONTEXT_DW_START] ^= 0x1000;
		rig_set(&r, PP_SCRATCH, 1);
		rig_wait_idle(&r, RCS0);
		assert_int_equal(rig_violations(&r, VIOLATION_CONTEXT_WRITE), bad);
	}
	rig_close(&r);
}

/* The tail software writes while the context runs outlives the save. */
static void save_leaves_the_tail(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	rig_open(&r, false);
	rig_ctx_open(&r, &c, RCS0);
	rig_ring(&r, &c, WAIT_EQ(PP_SCRATCH, 1));
	rig_submit(&r, &c, NULL);
	rig_until(engine_state(&r.m->engine[RCS0]) == ENGINE_WAITING);
	rig_ring(&r, &c, SDI(PP_SCRATCH + 4, 1));
	rig_publish(&r, &c);
	rig_set(&r, PP_SCRATCH, 1);
	rig_wait_idle(&r, RCS0);
	assert_int_equal(rig_image(&r, &c)[CONTEXT_DW_TAIL], c.tail);
	assert_int_equal(load(&r, PP_SCRATCH + 4), 0);
	rig_elsp(&r, RCS0, rig_desc(&c), 0);
	rig_wait_idle(&r, RCS0);
	assert_int_equal(load(&r, PP_SCRATCH + 4), 1);
	rig_close(&r);
}

static void images_of_noise_hang_and_no_more(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	rig_open(&r, true);
	rig_ctx_open(&r, &c, RCS0);
	for (int n = 0; n < 300; n++) {
		uint32_t *im = rig_image(&r, &c);

		rig_ctx_reset_image(&r, &c);
		if (n % 3 == 0) {
			for (int i = 0; i < 1024; i++)
				im[i] = (uint32_t)rig_random(&r);
		} else {
			for (uint64_t k = rig_random(&r) % 8; k; k--)
				im[rig_random(&r) % CONTEXT_RING_DW] = (uint32_t)rig_random(&r);
		}
		im[CONTEXT_DW_TAIL] = (im[CONTEXT_DW_TAIL] + 64) & 0x3ff8;
		rig_elsp(&r, RCS0, rig_desc(&c), 0);
		/* It may stop, hang, wait or loop for ever: a reset ends it all. */
		for (int i = 0; i < 20 && !rig_is_idle(&r, RCS0) &&
				engine_state(&r.m->engine[RCS0]) != ENGINE_HUNG;
			i++)
			rig_nap();
		rig_reset_engine(&r, RCS0);
	}
	c.tail = 0;
	rig_ctx_reset_image(&r, &c);
	rig_ring(&r, &c, SDI(PP_SCRATCH, 0x600d));
	rig_run(&r, &c);
	assert_int_equal(load(&r, PP_SCRATCH), 0x600d);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_request_on_every_engine),
		cmocka_unit_test(interrupts_behind_imr_are_not_raised),
		cmocka_unit_test(two_elements),
		cmocka_unit_test(status_buffer_wraps),
		cmocka_unit_test(ring_wraps),
		cmocka_unit_test(lite_restore_takes_the_tail),
		cmocka_unit_test(lite_restore_without_a_new_tail_is_counted),
		cmocka_unit_test(lite_restore_of_an_element_loaded_late),
		cmocka_unit_test(preemption_resumes_exactly),
		cmocka_unit_test(preemption_loses_no_command),
		cmocka_unit_test(arbitration_off_holds_preemption_back),
		cmocka_unit_test(waits_announce_themselves_and_give_way),
		cmocka_unit_test(synchronous_switch),
		cmocka_unit_test(semaphores_across_engines),
		cmocka_unit_test(signal_mode),
		cmocka_unit_test(registers_belong_to_contexts),
		cmocka_unit_test(all_context_registers_fit),
		cmocka_unit_test(restore_inhibited_clears_operands),
		cmocka_unit_test(context_timestamp_accumulates),
		cmocka_unit_test(indirect_and_per_context_batches),
		cmocka_unit_test(three_level_contexts),
		cmocka_unit_test(batches_above_4g),
		cmocka_unit_test(bad_tails_and_descriptors_are_counted),
		cmocka_unit_test(overrun_is_counted),
		cmocka_unit_test(status_buffer_overflow_is_counted),
		cmocka_unit_test(writes_to_a_running_image_are_counted),
		cmocka_unit_test(save_leaves_the_tail),
		cmocka_unit_test(images_of_noise_hang_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
