// SPDX-License-Identifier: GPL-2.0-or-later
/* The device: creation, forcewake, resets, fuses, timestamps, interrupt, state, status. */
#include <errno.h>
#include <json-c/json.h>

#include "memory_rig.h"

#define GDRST	  0x941c
#define RESET_CTL 0xd0

static uint32_t rd(struct rig *r, uint32_t offset)
{
	return (uint32_t)r->g->ops->mmio_read(r->g, offset, 4);
}

static void wr(struct rig *r, uint32_t offset, uint32_t value)
{
	r->g->ops->mmio_write(r->g, offset, value, 4);
}

static void test_config(void **state)
{
	static const uint64_t bad[] = {1, MIB(1) - 1, MIB(3), KIB(512), GIB(8), UINT64_MAX};
	struct clock clock;
	struct model_config c = {.clock = NULL};
	struct err e = {0};
	struct gpu *g;

	assert_null(model_create(&c, &e));
	assert_int_equal(e.code, -EINVAL);
	clock_init_virtual(&clock, 0);
	c.clock = &clock;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		c.aperture_bytes = bad[i];
		assert_null(model_create(&c, &e));
		assert_int_equal(e.code, -EINVAL);
		assert_true(e.help[0] != 0);
	}
	c.aperture_bytes = 0;
	g = model_create(&c, &e);
	assert_non_null(g);
	assert_int_equal(g->info.aperture_bytes, MIB(2));
	assert_int_equal(g->info.device_id, 0x5916);
	assert_true(g->info.caps & GPU_CAP_VIRTUAL_CLOCK);
	g->ops->destroy(g);
	clock_init_real(&clock);
	c.platform = gen9_platform_find("skl-gt2");
	g = model_create(&c, &e);
	assert_non_null(g);
	assert_int_equal(g->info.device_id, 0x1912);
	assert_false(g->info.caps & GPU_CAP_VIRTUAL_CLOCK);
	g->ops->destroy(g);
}

/* Each handler that a row names has someone who reacts. */
static void test_all_bound(void **state)
{
	struct rig r;

	rig_init(&r);
	assert_int_equal(regs_unbound(&r.m->regs), REG_H_NONE);
	rig_finish(&r);
}

static void test_forcewake(void **state)
{
	static const struct {
		uint32_t request, ack, reg;
	} domains[] = {
		{FORCEWAKE_RENDER, 0xd84, 0x203c}, /* RING_CTL of RCS */
		{FORCEWAKE_BLITTER, 0x130044, 0x2203c},
		{FORCEWAKE_MEDIA, 0xd88, 0x1203c},
	};
	struct rig r;
	uint64_t n;

	rig_init(&r);
	for (size_t i = 0; i < ARRAY_SIZE(domains); i++) {
		n = rig_violations(&r, VIOLATION_FORCEWAKE);
		assert_int_equal(rd(&r, domains[i].ack), 0);
		rd(&r, domains[i].reg);
		assert_int_equal(rig_violations(&r, VIOLATION_FORCEWAKE), n + 1);
		assert_int_equal(r.m->violations.last[VIOLATION_FORCEWAKE], domains[i].reg);
		/* only the bits of the mask change */
		wr(&r, domains[i].request, 0x00010001);
		assert_int_equal(rd(&r, domains[i].ack), 1);
		rd(&r, domains[i].reg);
		wr(&r, domains[i].reg, 0);
		wr(&r, domains[i].request, 0x80008000);
		assert_int_equal(rd(&r, domains[i].ack), 0x8001);
		wr(&r, domains[i].request, 0x00010000);
		assert_int_equal(rd(&r, domains[i].ack), 0x8000);
		wr(&r, domains[i].ack, 0);
		assert_int_equal(rd(&r, domains[i].ack), 0x8000);
		rd(&r, domains[i].reg);
		assert_int_equal(rig_violations(&r, VIOLATION_FORCEWAKE), n + 1);
		wr(&r, domains[i].request, 0x80000000);
		wr(&r, domains[i].reg, 0);
		assert_int_equal(rig_violations(&r, VIOLATION_FORCEWAKE), n + 2);
	}
	/* shadowed registers take writes while they sleep, others do not; some are read to post */
	n = rig_violations(&r, VIOLATION_FORCEWAKE);
	wr(&r, 0x2030, 0);
	wr(&r, 0x2230, 0);
	rd(&r, 0x2030);
	rd(&r, 0x23a0);
	assert_int_equal(rig_violations(&r, VIOLATION_FORCEWAKE), n);
	rd(&r, 0x2034);
	assert_int_equal(rig_violations(&r, VIOLATION_FORCEWAKE), n + 1);
	/* nor does a domain sleep under a running context */
	atomic_store(&r.m->engine[RCS0].state, ENGINE_WAITING);
	rd(&r, 0x203c);
	assert_int_equal(rig_violations(&r, VIOLATION_FORCEWAKE), n + 1);
	rd(&r, 0x1203c);
	assert_int_equal(rig_violations(&r, VIOLATION_FORCEWAKE), n + 2);
	atomic_store(&r.m->engine[RCS0].state, ENGINE_IDLE);
	n++;
	/* the display needs none */
	rd(&r, 0x70008);
	assert_int_equal(rig_violations(&r, VIOLATION_FORCEWAKE), n + 1);
	rig_finish(&r);
}

static void test_gdrst(void **state)
{
	struct rig r;

	rig_init(&r);
	rig_wake(&r);
	/* with the handshake, twice as i915 does it */
	wr(&r, 0x22000 + RESET_CTL, 0x00010001);
	assert_int_equal(rd(&r, 0x22000 + RESET_CTL) & 2, 2);
	wr(&r, GDRST, 1 << 3);
	assert_int_equal(rd(&r, GDRST), 0);
	wr(&r, GDRST, 1 << 3);
	assert_int_equal(rd(&r, GDRST), 0);
	wr(&r, 0x22000 + RESET_CTL, 0x00010000);
	assert_int_equal(rd(&r, 0x22000 + RESET_CTL) & 2, 0);
	assert_int_equal(rig_violations(&r, VIOLATION_RESET_HANDSHAKE), 0);
	/* without */
	wr(&r, GDRST, 1 << 3);
	assert_int_equal(rd(&r, GDRST), 0);
	assert_int_equal(rig_violations(&r, VIOLATION_RESET_HANDSHAKE), 1);
	assert_int_equal(r.m->violations.last[VIOLATION_RESET_HANDSHAKE], BCS0);
	/* the whole GT: each engine is asked */
	wr(&r, 0x2000 + RESET_CTL, 0x00010001);
	wr(&r, GDRST, 1);
	assert_int_equal(rig_violations(&r, VIOLATION_RESET_HANDSHAKE), 4);
	assert_int_equal(r.m->stats.gt_resets, 1);
	rig_finish(&r);
}

static void test_fuses_and_time(void **state)
{
	struct rig r;
	uint64_t t;

	rig_init(&r);
	rig_wake(&r);
	assert_int_equal(rd(&r, 0x9120), r.m->platform->fuse2);
	wr(&r, 0x9120, 0);
	assert_int_equal(rd(&r, 0x9120), r.m->platform->fuse2);
	assert_int_equal(rd(&r, 0x145998), r.m->platform->rp_state_cap);
	assert_int_equal(rd(&r, 0xa26c), r.m->platform->ctc_mode);
	assert_int_equal(rd(&r, 0xc000) & 1, 1);
	assert_int_equal(model_timestamp(r.m), 0);
	model_advance(r.g, 1000);
	assert_int_equal(model_timestamp(r.m), 12);
	t = 400ull * 86400 * NSEC_PER_SEC; /* no overflow in a year */
	clock_advance(&r.clock, t);
	assert_int_equal(model_timestamp(r.m), 12 + 400ull * 86400 * 12000000);
	rig_finish(&r);
}

/* A whole state, written and read back, is the same; a broken one changes nothing. */
static void test_sections(void **state)
{
	const struct state_section *secs;
	struct buf a, b;
	struct err e = {0};
	struct rig r;
	size_t count;

	rig_init(&r);
	rig_wake(&r);
	secs = r.g->ops->sections(r.g, &count);
	assert_true(count >= 2);
	r.g->ops->ggtt_write(r.g, 0, 0x1001, UINT64_MAX);
	for (uint32_t i = 0; i < 3000; i++)
		r.g->ops->ggtt_write(
			r.g, (uint32_t)rig_below(&r, GGTT_ENTRIES), rig_random(&r), UINT64_MAX);
	r.g->ops->ggtt_write(r.g, GGTT_ENTRIES - 1, 0x2001, UINT64_MAX);
	wr(&r, 0x100000, 0x1003);
	r.g->ops->pause(r.g);
	buf_init(&a);
	assert_int_equal(state_save(secs, count, &a), 0);
	r.g->ops->resume(r.g);

	r.g->ops->reset(r.g);
	assert_int_equal(r.g->ops->ggtt_read(r.g, 0), 0);
	assert_int_equal(rd(&r, 0x100000), 0);
	assert_int_equal(rd(&r, 0xd84), 0);

	r.g->ops->pause(r.g);
	assert_int_equal(state_load(secs, count, a.data, a.len, &e), 0);
	buf_init(&b);
	assert_int_equal(state_save(secs, count, &b), 0);
	r.g->ops->resume(r.g);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	assert_int_equal(rd(&r, 0x100000), 0x1003);
	assert_int_equal(rd(&r, 0xd84), 1);
	buf_finish(&a);
	buf_finish(&b);
	rig_finish(&r);
}

static int load_ggtt(struct rig *r, const uint32_t *words, size_t n)
{
	struct buf_reader in;
	struct err e = {0};

	buf_reader_init(&in, words, n * 4);
	return ggtt_load(r->m, &in, 1, &e);
}

static void test_ggtt_hostile(void **state)
{
	static const uint32_t past[] = {GGTT_ENTRIES - 1, 2, 1, 0, 1, 0, 0, 0};
	static const uint32_t wraps[] = {0xffffffff, 2, 1, 0, 1, 0, 0, 0};
	static const uint32_t backwards[] = {5, 1, 1, 0, 4, 1, 1, 0, 0, 0};
	static const uint32_t cut[] = {5, 1000, 1, 0};
	static const uint32_t good[] = {5, 1, 0x7001, 0, 0, 0};
	struct rig r;

	rig_init(&r);
	r.g->ops->ggtt_write(r.g, 77, 0x9001, UINT64_MAX);
	assert_int_equal(load_ggtt(&r, past, ARRAY_SIZE(past)), -EINVAL);
	assert_int_equal(load_ggtt(&r, wraps, ARRAY_SIZE(wraps)), -EINVAL);
	assert_int_equal(load_ggtt(&r, backwards, ARRAY_SIZE(backwards)), -EINVAL);
	assert_int_equal(load_ggtt(&r, cut, ARRAY_SIZE(cut)), -EINVAL);
	assert_int_equal(load_ggtt(&r, cut, 1), -EINVAL);
	assert_int_equal(load_ggtt(&r, NULL, 0), -EINVAL);
	assert_int_equal(r.g->ops->ggtt_read(r.g, 77), 0x9001);
	assert_int_equal(load_ggtt(&r, good, ARRAY_SIZE(good)), 0);
	assert_int_equal(r.g->ops->ggtt_read(r.g, 77), 0);
	assert_int_equal(r.g->ops->ggtt_read(r.g, 5), 0x7001);
	rig_finish(&r);
}

static struct json_object *get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	assert_true(json_object_object_get_ex(o, key, &v));
	return v;
}

static void test_status(void **state)
{
	struct json_object *o = json_object_new_object(), *v;
	enum fault_reason why;
	struct rig r;

	rig_init(&r);
	rd(&r, 0x2203c);  /* asleep */
	rd(&r, 0x1ffff0); /* no row */
	assert_int_equal(
		r.g->ops->iova_map(r.g, (struct iova){0x2000}, 4096, (struct hva){NULL}, true), 0);
	rig_ggtt_map(&r, 0, 0x2000, 1);
	ggtt_user_enter(r.m, &r.m->aperture);
	assert_null(ggtt_ptr(r.m, 0, false, &why));
	ggtt_user_leave(&r.m->aperture);

	r.g->ops->status(r.g, o);
	assert_string_equal(json_object_get_string(get(o, "platform")), "kbl-gt2");
	v = get(get(o, "violations"), "forcewake");
	assert_int_equal(json_object_get_int64(get(v, "count")), 1);
	assert_string_equal(json_object_get_string(get(v, "last")), "0x2203c");
	v = get(o, "unknown_registers");
	assert_int_equal(json_object_array_length(v), 1);
	assert_string_equal(
		json_object_get_string(get(json_object_array_get_idx(v, 0), "offset")), "0x1ffff0");
	assert_string_equal(json_object_get_string(get(o, "fault")),
		"guest RAM is not shared: add memory-backend-memfd,share=on");
	assert_int_equal(json_object_get_int64(get(o, "ggtt_writes")), 1);
	assert_int_equal(json_object_get_int64(get(get(o, "iommu"), "maps")), 2);
	get(get(o, "engines"), "rcs0");
	get(get(o, "engines"), "vecs0");
	json_object_put(o);
	rig_finish(&r);
}

static void count_irq(void *arg)
{
	(*(unsigned int *)arg)++;
}

static void test_interrupt(void **state)
{
	unsigned int n = 0;
	struct rig r;

	rig_init(&r);
	rig_wake(&r);
	r.g->ops->irq_set(r.g, count_irq, &n);
	wr(&r, 0x44304, 0);	     /* GT IMR(0) */
	wr(&r, 0x4430c, 0xffffffff); /* GT IER(0) */
	wr(&r, 0x44200, 1u << 31);
	wr(&r, 0x220a8, 0xffffffff); /* the ring's own mask */
	model_engine_irq(r.e, 1);
	assert_int_equal(n, 0);
	assert_int_equal(rd(&r, 0x44308), 0);
	wr(&r, 0x220a8, 0xfffeffff); /* the half that the bank has it in */
	model_engine_irq(r.e, 3);
	assert_int_equal(n, 1);
	assert_int_equal(rd(&r, 0x44308), 1 << 16);
	r.g->ops->irq_set(r.g, NULL, NULL);
	wr(&r, 0x44308, 0xffffffff);
	wr(&r, 0x44200, 1u << 31);
	model_engine_irq(r.e, 1);
	assert_int_equal(n, 1);
	rig_finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_all_bound),
		cmocka_unit_test(test_forcewake),
		cmocka_unit_test(test_gdrst),
		cmocka_unit_test(test_fuses_and_time),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_ggtt_hostile),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_interrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
