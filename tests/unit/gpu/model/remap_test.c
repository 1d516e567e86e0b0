// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RAM that is unmapped and mapped again under engines that use it, as a VMM does: nothing faults and
 * everything comes out exact; what does not come back is a fault of that one engine.
 */
#include "cs_rig.h"

#define CHUNK  MIB(2)
#define CHUNKS (RIG_RAM / CHUNK)

#define LO(v)	((uint32_t)(v))
#define HI(v)	((uint32_t)((uint64_t)(v) >> 32))
#define BBS(at) MI_BBS_PPGTT, LO(at), HI(at)

#define INC(at)		(MI(0x2f) | 5 << 8 | 1), LO(at), HI(at)
#define SDI(at, v)	MI_SDI, LO(at), HI(at), (v)
#define COPY(to, from)	(MI(0x2e) | 3), LO(to), HI(to), LO(from), HI(from)
#define SRM(reg, at)	MI_SRM, (reg), LO(at), HI(at)
#define BLT(op, length) (UINT32_C(2) << 29 | (op) << 22 | BIT(21) | BIT(20) | (length))
#define XY(x, y)	((uint32_t)(y) << 16 | (uint32_t)(x))

static void chunk_map(struct cs_rig *r, uint64_t i)
{
	assert_int_equal(r->g->ops->iova_map(r->g, (struct iova){RIG_IOVA + i * CHUNK}, CHUNK,
				 (struct hva){r->ram + i * CHUNK}, true),
		0);
}

static void chunk_unmap(struct cs_rig *r, uint64_t i)
{
	assert_int_equal(
		r->g->ops->iova_unmap(r->g, (struct iova){RIG_IOVA + i * CHUNK}, CHUNK), 0);
}

/* The rig with its RAM in pieces that can go one by one. */
static void open_in_chunks(struct cs_rig *r)
{
	rig_open(r, false);
	assert_int_equal(r->g->ops->iova_unmap(r->g, (struct iova){RIG_IOVA}, RIG_RAM), 0);
	for (uint64_t i = 0; i < CHUNKS; i++)
		chunk_map(r, i);
	iommu_forget(&r->m->iommu);
}

/* ------------------------------------------------------------------ the VMM */

struct vmm {
	struct cs_rig *r;
	pthread_t thread;
	_Atomic bool stop;
	_Atomic unsigned int rounds;
	uint64_t random;
};

/* Rings, contexts, status pages; page tables; data; and back: nothing is spared. */
static const uint8_t victims[] = {0, RIG_GGTT / CHUNK, RIG_DATA / CHUNK, RIG_DATA / CHUNK + 1,
	RIG_DATA / CHUNK + 2, RIG_DATA / CHUNK + 3};

static void *vmm_main(void *arg)
{
	struct vmm *v = arg;

	while (!atomic_load(&v->stop)) {
		struct timespec ts = {.tv_nsec = 20000};
		uint64_t i;

		v->random = v->random * 6364136223846793005 + 1442695040888963407;
		i = victims[(v->random >> 33) % sizeof(victims)];
		chunk_unmap(v->r, i);
		ts.tv_nsec += v->random >> 40 & 0x1ffff;
		nanosleep(&ts, NULL);
		chunk_map(v->r, i);
		atomic_fetch_add(&v->rounds, 1);
	}
	return NULL;
}

static void vmm_start(struct vmm *v, struct cs_rig *r)
{
	*v = (struct vmm){.r = r, .random = 7};
	assert_int_equal(pthread_create(&v->thread, NULL, vmm_main, v), 0);
}

static void vmm_stop(struct vmm *v)
{
	atomic_store(&v->stop, true);
	pthread_join(v->thread, NULL);
}

static void expect_good(struct cs_rig *r)
{
	model_each_engine(r->m, e)
	{
		assert_int_equal(atomic_load(&e->hangs), 0);
		assert_int_equal(atomic_load(&e->resets), 0);
	}
	assert_int_equal(atomic_load(&r->m->iommu.evictions), 0);
	assert_true(atomic_load(&r->m->iommu.waits) > 0);
	rig_expect_clean(r);
}

/* ------------------------------------------------------------------ MI commands */

#define INCS	 150u
#define REQUESTS 200u

/* Each engine of three counts in its own dword; every event reaches its status page. */
static void commands_under_remap(void **state)
{
	static const int engines[] = {RCS0, BCS0, VECS0};
	struct rig_ctx c[ARRAY_SIZE(engines)];
	unsigned int events[ARRAY_SIZE(engines)] = {0};
	struct cs_rig r;
	struct vmm v;

	open_in_chunks(&r);
	for (unsigned int k = 0; k < ARRAY_SIZE(engines); k++) {
		uint64_t at = PP_DATA + (k + 1) * MIB(1) - 4096, out = PP_SCRATCH + k * 4096;
		uint64_t batch = at;

		rig_ctx_open(&r, &c[k], engines[k]);
		for (uint32_t i = 0; i < INCS; i++) {
			at = rig_batch(&r, at, INC(out), SDI(out + 64, i), INC(out + MIB(2)),
				COPY(out + 128, out + 64), INC(out + 256));
		}
		rig_batch(&r, at, MI_BBE);
		c[k].id = 0x40 + k;
		for (unsigned int i = 0; i < 4; i++) /* a ring's worth is written as it goes */
			rig_ring(&r, &c[k], BBS(batch), 0);
		c[k].tail = 0;
	}
	vmm_start(&v, &r);
	for (unsigned int i = 0; i < REQUESTS || atomic_load(&v.rounds) < 300; i++) {
		for (unsigned int k = 0; k < ARRAY_SIZE(engines); k++) {
			uint64_t batch = PP_DATA + (k + 1) * MIB(1) - 4096;

			rig_ring(&r, &c[k], BBS(batch), MI_ARB_CHECK,
				SDI(PP_SCRATCH + k * 4096 + 512, i));
			rig_submit(&r, &c[k], NULL);
		}
		for (unsigned int k = 0; k < ARRAY_SIZE(engines); k++) {
			struct rig_event ev;

			rig_wait_idle(&r, engines[k]);
			/* Idle to active, then complete. */
			rig_until(rig_csb(&r, engines[k], &ev));
			assert_int_equal(ev.status, 1);
			rig_until(rig_csb(&r, engines[k], &ev));
			assert_int_equal(ev.status, 0x18);
			assert_int_equal(ev.id, c[k].id);
			events[k]++;
		}
	}
	vmm_stop(&v);
	for (unsigned int k = 0; k < ARRAY_SIZE(engines); k++) {
		uint64_t out = PP_SCRATCH + k * 4096;

		assert_int_equal(*rig_pp(&r, out), INCS * events[k]);
		assert_int_equal(*rig_pp(&r, out + MIB(2)), INCS * events[k]);
		assert_int_equal(*rig_pp(&r, out + 256), INCS * events[k]);
		assert_int_equal(*rig_pp(&r, out + 128), INCS - 1);
		assert_int_equal(*rig_pp(&r, out + 512), events[k] - 1);
	}
	expect_good(&r);
	rig_close(&r);
}

/* ------------------------------------------------------------------ blits */

#define PITCH  4096
#define LINEAR (PP_DATA + MIB(1) + MIB(1) / 2) /* over the end of a chunk */
#define TILED  (PP_DATA + MIB(5) + MIB(1) / 2)

/*
 * What done twice is not the same: an inversion; copies onto themselves, down and up; a detour over
 * Y tiles; and a pattern.
 */
static uint64_t blit_batch(struct cs_rig *r, uint64_t at)
{
	uint64_t start = at;

	at = rig_batch(r, at, BLT(0x50u, 5), 3 << 24 | 0x5a << 16 | PITCH, XY(3, 1), XY(990, 251),
		LO(LINEAR), HI(LINEAR), 0x9e3779b9);
	at = rig_batch(r, at, BLT(0x53u, 8), 3 << 24 | 0xcc << 16 | PITCH, XY(8, 2), XY(900, 250),
		LO(LINEAR), HI(LINEAR), XY(5, 1), PITCH, LO(LINEAR), HI(LINEAR));
	at = rig_batch(r, at, BLT(0x53u, 8), 3 << 24 | 0x66 << 16 | PITCH, XY(2, 3), XY(800, 240),
		LO(LINEAR), HI(LINEAR), XY(9, 7), PITCH, LO(LINEAR), HI(LINEAR));
	/* FAST_COPY: linear to Y, and an inversion of what came by a copy back. */
	at = rig_batch(r, at, UINT32_C(2) << 29 | 0x42 << 22 | 2 << 13 | 8, 3 << 24 | PITCH / 4,
		XY(1, 0), XY(1000, 200), LO(TILED), HI(TILED), XY(3, 5), PITCH, LO(LINEAR),
		HI(LINEAR));
	at = rig_batch(r, at, UINT32_C(2) << 29 | 0x42 << 22 | 2 << 20 | 8, 3 << 24 | PITCH,
		XY(0, 0), XY(700, 99), LO(LINEAR), HI(LINEAR), XY(50, 60), PITCH / 4, LO(TILED),
		HI(TILED));
	rig_batch(r, at, MI_BBE);
	return start;
}

static void fill_data(struct cs_rig *r)
{
	uint64_t x = 88172645463325252;

	for (uint64_t i = MIB(1); i < RIG_DATA_BYTES; i += 8) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(r->ram + RIG_DATA + i, &x, 8);
	}
}

#define BLITS 40

static void run_blits(struct cs_rig *r, struct rig_ctx *c, uint64_t batch, struct vmm *v)
{
	for (unsigned int i = 0; i < BLITS; i++) {
		rig_ring(r, c, BBS(batch), 0);
		rig_run(r, c);
	}
	/* The vmm has its rounds while something runs that leaves no trace in the result. */
	while (v && atomic_load(&v->rounds) < 300) {
		for (unsigned int i = 0; i < 2; i++) {
			rig_ring(r, c, BBS(PP_DATA + 2048), 0); /* inverted, and back */
			rig_run(r, c);
		}
	}
}

static void blits_under_remap(void **state)
{
	uint8_t *want = malloc(RIG_DATA_BYTES);
	struct cs_rig r;
	struct rig_ctx c;
	struct vmm v;
	uint64_t batch;

	assert_non_null(want);
	open_in_chunks(&r);
	rig_ctx_open(&r, &c, BCS0);
	batch = blit_batch(&r, PP_DATA);
	rig_batch(&r, PP_DATA + 2048, BLT(0x50u, 5), 3 << 24 | 0x55 << 16 | PITCH, XY(0, 0),
		XY(1024, 256), LO(LINEAR), HI(LINEAR), 0, MI_BBE);
	fill_data(&r);
	run_blits(&r, &c, batch, NULL);
	memcpy(want, r.ram + RIG_DATA, RIG_DATA_BYTES);
	fill_data(&r);
	vmm_start(&v, &r);
	run_blits(&r, &c, batch, &v);
	vmm_stop(&v);
	assert_memory_equal(r.ram + RIG_DATA, want, RIG_DATA_BYTES);
	expect_good(&r);
	rig_close(&r);
	free(want);
}

/* ------------------------------------------------------------------ one wait */

/* An engine in the middle of an inversion of which the second half is not there. */
static void stop_in_a_blit(struct cs_rig *r, struct rig_ctx *c)
{
	open_in_chunks(r);
	rig_ctx_open(r, c, BCS0);
	fill_data(r);
	rig_batch(r, PP_DATA, BLT(0x50u, 5), 3 << 24 | 0x55 << 16 | PITCH, XY(0, 0), XY(1024, 256),
		LO(LINEAR), HI(LINEAR), 0, SDI(PP_DATA + 4096, 1), MI_BBE);
	rig_ring(r, c, BBS(PP_DATA), 0);
	chunk_unmap(r, RIG_DATA / CHUNK + 1);
	rig_submit(r, c, NULL);
	rig_until(atomic_load(&r->m->iommu.waits));
}

static void expect_inverted(struct cs_rig *r)
{
	uint8_t *got = malloc(MIB(1));

	assert_non_null(got);
	assert_int_equal(*rig_pp(r, PP_DATA + 4096), 1);
	memcpy(got, rig_pp(r, LINEAR), MIB(1));
	fill_data(r);
	for (uint64_t i = 0; i < MIB(1); i++)
		assert_int_equal(got[i], (uint8_t) ~((uint8_t *)rig_pp(r, LINEAR))[i]);
	free(got);
}

/* A pause ends the wait; state is saved and loaded; the blit goes on where it was. */
static void pause_in_a_wait(void **state)
{
	const struct state_section *secs;
	struct err err = {0};
	struct cs_rig r;
	struct rig_ctx c;
	struct buf b;
	size_t n;

	stop_in_a_blit(&r, &c);
	r.g->ops->pause(r.g);
	assert_int_equal(r.m->engine[BCS0].cs.blt_rows, 128);
	secs = r.g->ops->sections(r.g, &n);
	buf_init(&b);
	assert_int_equal(state_save(secs, n, &b), 0);
	r.g->ops->reset(r.g);
	if (state_load(secs, n, b.data, b.len, &err))
		fail_msg("%s", err.what);
	buf_finish(&b);
	chunk_map(&r, RIG_DATA / CHUNK + 1);
	r.g->ops->resume(r.g);
	rig_wait_idle(&r, BCS0);
	expect_inverted(&r);
	rig_close(&r);
}

/* While a blit is cut in two, no other context may come in between: it could not go on. */
static void no_preemption_in_a_wait(void **state)
{
	struct cs_rig r;
	struct rig_ctx c, other;

	stop_in_a_blit(&r, &c);
	rig_ctx_open(&r, &other, BCS0);
	rig_ring(&r, &other, SDI(PP_DATA + 4100, 7), INC(PP_DATA + 4104));
	rig_publish(&r, &other);
	rig_elsp(&r, BCS0, rig_desc(&other), rig_desc(&c));
	r.g->ops->pause(r.g);
	r.g->ops->resume(r.g);
	assert_int_equal(*rig_pp(&r, PP_DATA + 4104), 0);
	chunk_map(&r, RIG_DATA / CHUNK + 1);
	rig_wait_idle(&r, BCS0);
	assert_int_equal(*rig_pp(&r, PP_DATA + 4104), 1);
	expect_inverted(&r);
	rig_close(&r);
}

static void reset_in_a_wait(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	stop_in_a_blit(&r, &c);
	rig_reset_engine(&r, BCS0);
	assert_int_equal(engine_state(&r.m->engine[BCS0]), ENGINE_IDLE);
	assert_int_equal(r.m->engine[BCS0].cs.blt_rows, 0);
	chunk_map(&r, RIG_DATA / CHUNK + 1);
	rig_ctx_open(&r, &c, BCS0);
	rig_ring(&r, &c, SDI(PP_DATA + 4096, 9));
	rig_run(&r, &c);
	assert_int_equal(*rig_pp(&r, PP_DATA + 4096), 9);
	rig_close(&r);
}

/* The model ends under a wait. */
static void end_in_a_wait(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	stop_in_a_blit(&r, &c);
	rig_close(&r);
}

/* What does not come back is a fault, and meanwhile other engines work. */
static void never_back(void **state)
{
	struct cs_rig r;
	struct rig_ctx c, other;

	stop_in_a_blit(&r, &c);
	rig_ctx_open(&r, &other, RCS0);
	for (unsigned int i = 0; i < 20; i++) {
		rig_ring(&r, &other, INC(PP_DATA + 4104), 0);
		rig_run(&r, &other);
	}
	assert_int_equal(*rig_pp(&r, PP_DATA + 4104), 20);
	rig_wait_hung(&r, BCS0);
	assert_non_null(strstr(r.m->engine[BCS0].hang_reason, "bus address not mapped"));
	assert_int_equal(*rig_pp(&r, PP_DATA + 4096), 0);
	/* It was not there lately: no more waiting for it. */
	assert_int_equal(
		iommu_gone_until(&r.m->iommu, (struct iova){RIG_IOVA + RIG_DATA + CHUNK}), 0);
	rig_close(&r);
}

/* An address that never was RAM, and RAM that an entry does not name: faults at once. */
static void nothing_to_wait_for(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	open_in_chunks(&r);
	rig_ctx_open(&r, &c, BCS0);
	rig_pp_map(&r, 0x400000, RIG_IOVA + RIG_RAM);
	rig_ring(&r, &c, SDI(0x400000, 1));
	rig_submit(&r, &c, NULL);
	rig_wait_hung(&r, BCS0);
	rig_reset_engine(&r, BCS0);
	rig_ctx_open(&r, &c, BCS0);
	rig_ring(&r, &c, SDI(0x500000, 1));
	rig_submit(&r, &c, NULL);
	rig_wait_hung(&r, BCS0);
	assert_int_equal(atomic_load(&r.m->iommu.waits), 0);
	/* A function level reset forgets what went before it. */
	chunk_unmap(&r, RIG_DATA / CHUNK);
	assert_true(iommu_gone_until(&r.m->iommu, (struct iova){RIG_IOVA + RIG_DATA}) > 0);
	assert_true(
		iommu_gone_until(&r.m->iommu, (struct iova){RIG_IOVA + RIG_DATA + CHUNK - 1}) > 0);
	assert_int_equal(
		iommu_gone_until(&r.m->iommu, (struct iova){RIG_IOVA + RIG_DATA + CHUNK}), 0);
	r.g->ops->reset(r.g);
	assert_int_equal(iommu_gone_until(&r.m->iommu, (struct iova){RIG_IOVA + RIG_DATA}), 0);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_under_remap),
		cmocka_unit_test(blits_under_remap),
		cmocka_unit_test(pause_in_a_wait),
		cmocka_unit_test(no_preemption_in_a_wait),
		cmocka_unit_test(reset_in_a_wait),
		cmocka_unit_test(end_in_a_wait),
		cmocka_unit_test(never_back),
		cmocka_unit_test(nothing_to_wait_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
