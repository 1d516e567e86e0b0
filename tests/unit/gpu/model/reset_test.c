// SPDX-License-Identifier: GPL-2.0-or-later
/* Function level resets: under everything that runs at the time, and that nothing outlives them. */
#include <json-c/json.h>

#include "cs_rig.h"

#define LO(v)	((uint32_t)(v))
#define HI(v)	((uint32_t)((uint64_t)(v) >> 32))
#define BBS(at) MI_BBS_PPGTT, LO(at), HI(at)
#define INC(at) (MI(0x2f) | 5 << 8 | 1), LO(at), HI(at)

/* ------------------------------------------------------------------ others, meanwhile */

struct watcher {
	struct cs_rig *r;
	pthread_t thread;
	_Atomic bool stop;
	_Atomic unsigned int rounds;
};

/* What the control thread does: pictures, status, state. */
static void *watch(void *arg)
{
	struct watcher *w = arg;
	const struct gpu_ops *ops = w->r->g->ops;
	uint8_t *pixels = malloc(MIB(4));

	while (!atomic_load(&w->stop)) {
		struct gpu_frame f = {.pixels = pixels, .size_bytes = MIB(4)};
		struct json_object *o = json_object_new_object();
		const struct state_section *secs;
		struct buf b;
		size_t n;

		ops->scanout(w->r->g, 0, &f);
		ops->status(w->r->g, o);
		json_object_put(o);
		ops->pause(w->r->g);
		secs = ops->sections(w->r->g, &n);
		buf_init(&b);
		state_save(secs, n, &b);
		buf_finish(&b);
		ops->resume(w->r->g);
		atomic_fetch_add(&w->rounds, 1);
	}
	free(pixels);
	return NULL;
}

/* What a driver has to set up again. */
static void revive(struct cs_rig *r)
{
	for (uint32_t i = 0; i < RIG_GGTT >> PAGE_SHIFT; i++)
		r->g->ops->ggtt_write(r->g, i,
			(RIG_IOVA + ((uint64_t)i << PAGE_SHIFT)) | GEN9_PTE_PRESENT, UINT64_MAX);
	rig_write(r, 0x101008, 1);
	rig_write(r, 0xa278, 0x10001);
	rig_write(r, 0xa188, 0x10001);
	rig_write(r, 0xa270, 0x10001);
	model_each_engine(r->m, e)
	{
		rig_enable_engine(r, e->id);
	}
	/* pipe A with a plane, so that there is a picture */
	rig_write(r, 0x6001c, 639 << 16 | 479);
	rig_write(r, 0x70008, BIT(31));
	rig_write(r, 0x70188, 40);
	rig_write(r, 0x70190, 479 << 16 | 639);
	rig_write(r, 0x70180, BIT(31) | 4u << 24);
	rig_write(r, 0x7019c, 0);
}

static void reset_under_load(void **state)
{
	struct rig_ctx c[GEN9_ENGINES];
	struct watcher w = {0};
	struct cs_rig r;

	rig_open(&r, false);
	model_each_engine(r.m, e)
	{
		rig_ctx_open(&r, &c[e->id], e->id);
	}
	rig_batch(&r, PP_DATA, INC(PP_SCRATCH), BBS(PP_DATA));
	w.r = &r;
	assert_int_equal(pthread_create(&w.thread, NULL, watch, &w), 0);
	for (unsigned int i = 0; i < 100 || atomic_load(&w.rounds) < 100; i++) {
		uint32_t before;

		revive(&r);
		model_each_engine(r.m, e)
		{
			c[e->id].tail = 0;
			rig_ctx_reset_image(&r, &c[e->id]);
			rig_ring(&r, &c[e->id], BBS(PP_DATA), 0);
			rig_submit(&r, &c[e->id], NULL);
		}
		before = __atomic_load_n(rig_pp(&r, PP_SCRATCH), __ATOMIC_RELAXED);
		rig_until(__atomic_load_n(rig_pp(&r, PP_SCRATCH), __ATOMIC_RELAXED) != before);
		r.g->ops->reset(r.g);
		before = __atomic_load_n(rig_pp(&r, PP_SCRATCH), __ATOMIC_RELAXED);
		model_each_engine(r.m, e)
		{
			assert_int_equal(engine_state(e), ENGINE_IDLE);
		}
		assert_int_equal(r.g->ops->ggtt_read(r.g, 1), 0);
		assert_int_equal(__atomic_load_n(rig_pp(&r, PP_SCRATCH), __ATOMIC_RELAXED), before);
	}
	atomic_store(&w.stop, true);
	pthread_join(w.thread, NULL);
	rig_close(&r);
}

/* ------------------------------------------------------------------ what is left */

/* After a reset the device's whole state is what a new one's is, whatever was in it. */
static void nothing_outlives_a_reset(void **state)
{
	const struct state_section *secs;
	struct buf fresh[32];
	struct cs_rig r;
	struct rig_ctx c;
	size_t n;

	rig_open(&r, true);
	r.g->ops->reset(r.g);
	secs = r.g->ops->sections(r.g, &n);
	assert_true(n <= ARRAY_SIZE(fresh));
	r.g->ops->pause(r.g);
	for (size_t i = 0; i < n; i++) {
		buf_init(&fresh[i]);
		secs[i].save(secs[i].obj, &fresh[i]);
	}
	r.g->ops->resume(r.g);

	for (uint32_t i = 0; i < GGTT_ENTRIES; i += 77)
		r.g->ops->ggtt_write(r.g, i, 0xfff000 | i, UINT64_MAX);
	revive(&r);
	rig_ctx_open(&r, &c, BCS0);
	/* XY_SETUP_BLT, GPRs, a predicate, and a hang at the end */
	rig_ring(&r, &c, 2u << 29 | 0x01 << 22 | 8, 3 << 24, 1, 2, 3, 4, 5, 6, 7, 8);
	rig_ring(&r, &c, MI_LRI_N(2), rig_base(BCS0) + RING_GPR, 0x1234, rig_base(BCS0) + 0x418, 1);
	rig_ring(&r, &c, 0xdeadbeef & ~BIT(31) & ~BIT(30), 0);
	rig_submit(&r, &c, NULL);
	rig_wait_hung(&r, BCS0);
	assert_int_equal(r.m->blt_setup.br13, 3 << 24);
	assert_int_equal(r.g->ops->ggtt_read(r.g, 77 * 13000), 0xfff000 | 77 * 13000);
	r.g->ops->reset(r.g);
	/* Section by section, so that a difference has a name. */
	for (size_t i = 0; i < n; i++) {
		struct buf x;

		r.g->ops->pause(r.g);
		buf_init(&x);
		secs[i].save(secs[i].obj, &x);
		r.g->ops->resume(r.g);
		if (x.len != fresh[i].len || memcmp(x.data, fresh[i].data, x.len))
			fail_msg("%s outlives a reset", secs[i].name);
		buf_finish(&x);
		buf_finish(&fresh[i]);
	}
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reset_under_load),
		cmocka_unit_test(nothing_outlives_a_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
