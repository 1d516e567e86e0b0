/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver of the model in miniature: RAM, a GGTT that maps it linearly, one PPGTT, contexts as i915
 * writes them, submission by ELSP, events from the status page. What i915's tests would do from inside
 * the guest is done here from outside the register interface.
 */
#ifndef TESTS_CS_RIG_H
#define TESTS_CS_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include <cmocka.h>

#include "gen9/context.h"
#include "gpu/model/cs.h"
#include "gpu/model/model_api.h"

#define RIG_RAM	       MIB(64)
#define RIG_IOVA       UINT64_C(0x100000000)
#define RIG_GGTT       MIB(32) /* of RAM, linear from gma 0 */
#define RIG_DATA       MIB(40) /* offset in RAM of what the PPGTT maps */
#define RIG_DATA_BYTES MIB(8)
#define PP_DATA	       UINT64_C(0x10000000) /* in the PPGTT */
#define PP_HIGH	       UINT64_C(0x123400000000)
#define PP_SCRATCH     (PP_DATA + MIB(4)) /* results; batches are below */

/* MI commands by their opcode field. */
#define MI(op)	     ((uint32_t)(op) << 23)
#define MI_ARB_CHECK MI(0x05)
#define MI_ARB_OFF   MI(0x08)
#define MI_ARB_ON    (MI(0x08) | 1)
#define MI_BBE	     MI(0x0a)
#define MI_SDI	     (MI(0x20) | 2)
#define MI_SDI_QW    (MI(0x20) | BIT(21) | 3)
#define MI_LRI_N(n)  (MI(0x22) | (2 * (n)-1))
#define MI_SRM	     (MI(0x24) | 2)
#define MI_LRM	     (MI(0x29) | 2)
#define MI_LRR	     (MI(0x2a) | 1)
#define MI_BBS_PPGTT (MI(0x31) | BIT(8) | 1)
#define MI_BBS_GGTT  (MI(0x31) | 1)
#define MI_SEMA_WAIT (MI(0x1c) | BIT(15) | 2) /* poll */
#define MI_USER_INT  MI(0x02)
#define GGTT_BIT     BIT(22)

struct rig_event {
	uint32_t status, id;
};

struct rig_ctx {
	int engine;
	uint32_t lrca, ring, ring_bytes, tail, id;
	uint32_t mode; /* descriptor's addressing mode */
};

struct cs_rig {
	struct clock clock;
	struct gpu *g;
	struct model *m;
	uint8_t *ram;
	uint32_t next_gma;   /* of what the GGTT maps, not handed out */
	uint64_t next_table; /* RAM offset for page tables */
	uint64_t pml4;
	uint64_t pdp[4]; /* the same data in a 32-bit PPGTT */
	uint32_t hwsp[GEN9_ENGINES];
	unsigned int csb_read[GEN9_ENGINES];
	_Atomic unsigned int msis;
	uint64_t random;
	uint32_t next_id;
};

static inline uint64_t rig_random(struct cs_rig *r)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return r->random;
}

static inline uint32_t rig_base(int engine)
{
	return gen9_engines[engine].mmio_base;
}

static inline void rig_write(struct cs_rig *r, uint32_t offset, uint32_t v)
{
	r->g->ops->mmio_write(r->g, offset, v, 4);
}

static inline uint32_t rig_read(struct cs_rig *r, uint32_t offset)
{
	return (uint32_t)r->g->ops->mmio_read(r->g, offset, 4);
}

/* RAM behind a gma of the GGTT, and behind the PPGTT's data. */
static inline uint32_t *rig_gg(struct cs_rig *r, uint32_t gma)
{
	return (uint32_t *)(r->ram + gma);
}

static inline uint32_t *rig_pp(struct cs_rig *r, uint64_t gma)
{
	return (uint32_t *)(r->ram + RIG_DATA + (gma & (RIG_DATA_BYTES - 1)));
}

/* A store that an engine may be waiting for. */
static inline void rig_set(struct cs_rig *r, uint64_t gma, uint32_t v)
{
	__atomic_store_n(rig_pp(r, gma), v, __ATOMIC_RELEASE);
}

static inline uint32_t rig_alloc(struct cs_rig *r, uint32_t pages)
{
	uint32_t gma = r->next_gma;

	r->next_gma += pages << PAGE_SHIFT;
	assert_true(r->next_gma <= RIG_GGTT);
	memset(rig_gg(r, gma), 0, (size_t)pages << PAGE_SHIFT);
	return gma;
}

static inline uint64_t rig_table(struct cs_rig *r)
{
	uint64_t at = r->next_table;

	r->next_table += PAGE_SIZE_4K;
	memset(r->ram + at, 0, PAGE_SIZE_4K);
	return RIG_IOVA + at;
}

static inline uint64_t *rig_entries(struct cs_rig *r, uint64_t iova)
{
	return (uint64_t *)(r->ram + ((iova & GEN9_PTE_ADDR) - RIG_IOVA));
}

static inline uint64_t rig_below(struct cs_rig *r, uint64_t table, uint64_t index)
{
	uint64_t *t = rig_entries(r, table);

	if (!t[index])
		t[index] = rig_table(r) | GEN9_PTE_PRESENT | GEN9_PTE_RW;
	return t[index];
}

static inline void rig_pp_map(struct cs_rig *r, uint64_t gma, uint64_t iova)
{
	uint64_t t = rig_below(r, r->pml4, gma >> 39 & 511);

	t = rig_below(r, t, gma >> 30 & 511);
	t = rig_below(r, t, gma >> 21 & 511);
	rig_entries(r, t)[gma >> 12 & 511] = iova | GEN9_PTE_PRESENT | GEN9_PTE_RW;
}

static inline void rig_pp32_map(struct cs_rig *r, uint64_t gma, uint64_t iova)
{
	uint64_t t = rig_below(r, r->pdp[gma >> 30], gma >> 21 & 511);

	rig_entries(r, t)[gma >> 12 & 511] = iova | GEN9_PTE_PRESENT | GEN9_PTE_RW;
}

static inline void rig_msi(void *arg)
{
	struct cs_rig *r = arg;

	atomic_fetch_add(&r->msis, 1);
}

/* What i915 does to an engine before its first submission. */
static inline void rig_enable_engine(struct cs_rig *r, int engine)
{
	uint32_t base = rig_base(engine);

	rig_write(r, base + 0x29c, 0x80008000); /* run list enable */
	rig_write(r, base + RING_HWS_PGA, r->hwsp[engine]);
	rig_write(r, base + RING_IMR, 0);
	rig_write(r, base + RING_EMR, ~UINT32_C(1));
	rig_write(r, base + RING_CSB_PTR, 0xffff0505);
	memset((uint8_t *)rig_gg(r, r->hwsp[engine]) + 0x40, 0xff, 48);
	rig_gg(r, r->hwsp[engine])[0x1f] = 5;
	r->csb_read[engine] = 5;
}

static inline void rig_open(struct cs_rig *r, bool is_virtual)
{
	struct err err = {0};
	struct model_config c = {.clock = &r->clock, .monitor = true};

	*r = (struct cs_rig){
		.random = 0x9e3779b97f4a7c15, .next_table = RIG_GGTT, .next_id = 0x100};
	if (is_virtual)
		clock_init_virtual(&r->clock, NSEC_PER_SEC);
	else
		clock_init_real(&r->clock);
	r->g = model_create(&c, &err);
	assert_non_null(r->g);
	r->m = to_model(r->g);
	r->ram = mmap(NULL, RIG_RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(r->ram != MAP_FAILED);
	assert_int_equal(r->g->ops->iova_map(r->g, (struct iova){RIG_IOVA}, RIG_RAM,
				 (struct hva){r->ram}, true),
		0);
	for (uint32_t i = 0; i < RIG_GGTT >> PAGE_SHIFT; i++)
		r->g->ops->ggtt_write(r->g, i,
			(RIG_IOVA + ((uint64_t)i << PAGE_SHIFT)) | GEN9_PTE_PRESENT, UINT64_MAX);
	rig_write(r, 0x101008, 1);
	r->next_gma = PAGE_SIZE_4K;
	r->pml4 = rig_table(r);
	for (int i = 0; i < 4; i++)
		r->pdp[i] = rig_table(r);
	for (uint64_t o = 0; o < RIG_DATA_BYTES; o += PAGE_SIZE_4K) {
		rig_pp_map(r, PP_DATA + o, RIG_IOVA + RIG_DATA + o);
		rig_pp_map(r, PP_HIGH + o, RIG_IOVA + RIG_DATA + o);
		rig_pp32_map(r, PP_DATA + o, RIG_IOVA + RIG_DATA + o);
	}
	rig_write(r, 0xa278, 0x10001);
	rig_write(r, 0xa188, 0x10001);
	rig_write(r, 0xa270, 0x10001);
	r->g->ops->irq_set(r->g, rig_msi, r);
	for (uint32_t b = 0; b < 4; b++) {
		rig_write(r, 0x44304 + 16 * b, 0);
		rig_write(r, 0x4430c + 16 * b, ~UINT32_C(0));
	}
	rig_write(r, 0x44200, BIT(31));
	model_each_engine(r->m, e)
	{
		r->hwsp[e->id] = rig_alloc(r, 1);
		rig_enable_engine(r, e->id);
	}
}

static inline void rig_close(struct cs_rig *r)
{
	r->g->ops->destroy(r->g);
	munmap(r->ram, RIG_RAM);
}

/* ------------------------------------------------------------------ contexts */

static inline uint32_t *rig_image(struct cs_rig *r, const struct rig_ctx *c)
{
	return rig_gg(r, c->lrca + PAGE_SIZE_4K);
}

/* A fresh image, restore inhibited, as lrc_init_regs() makes one. */
static inline void rig_ctx_reset_image(struct cs_rig *r, struct rig_ctx *c)
{
	uint32_t *im = rig_image(r, c);

	memset(im, 0, PAGE_SIZE_4K);
	gen9_context_write(c->engine, rig_base(c->engine), im);
	im[CONTEXT_DW_CONTROL] = 0x00090009 | BIT(18) | BIT(17);
	im[CONTEXT_DW_HEAD] = c->tail;
	im[CONTEXT_DW_TAIL] = c->tail;
	im[CONTEXT_DW_START] = c->ring;
	im[CONTEXT_DW_CTL] = (c->ring_bytes - (uint32_t)PAGE_SIZE_4K) | 1;
	if (c->mode == 3) {
		im[CONTEXT_DW_PDP0_LDW] = (uint32_t)r->pml4;
		im[CONTEXT_DW_PDP0_LDW - 2] = (uint32_t)(r->pml4 >> 32);
	} else {
		for (int i = 0; i < 4; i++) {
			im[CONTEXT_DW_PDP0_LDW - 4 * i] = (uint32_t)r->pdp[i];
			im[CONTEXT_DW_PDP0_LDW - 4 * i - 2] = (uint32_t)(r->pdp[i] >> 32);
		}
	}
	im[0x55] = MI_MODE_STOP_RING << 16;
}

static inline void rig_ctx_open(struct cs_rig *r, struct rig_ctx *c, int engine)
{
	*c = (struct rig_ctx){.engine = engine, .ring_bytes = 16384, .id = r->next_id++, .mode = 3};
	c->lrca = rig_alloc(r, gen9_engines[engine].ctx_pages);
	c->ring = rig_alloc(r, c->ring_bytes >> PAGE_SHIFT);
	rig_ctx_reset_image(r, c);
}

static inline void rig_emit(struct cs_rig *r, struct rig_ctx *c, uint32_t dw)
{
	rig_gg(r, c->ring)[c->tail / 4] = dw;
	c->tail = (c->tail + 4) % c->ring_bytes;
}

#define RIG_NARGS(...) (sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))
#define rig_ring(r, c, ...) \
	rig_ring_n(r, c, RIG_NARGS(__VA_ARGS__), (const uint32_t[]){__VA_ARGS__})

static inline void rig_ring_n(struct cs_rig *r, struct rig_ctx *c, size_t n, const uint32_t *dw)
{
	for (size_t i = 0; i < n; i++)
		rig_emit(r, c, dw[i]);
}

/* Dwords at a PPGTT address; returns the address behind them. */
#define rig_batch(r, at, ...) \
	rig_batch_n(r, at, RIG_NARGS(__VA_ARGS__), (const uint32_t[]){__VA_ARGS__})

static inline uint64_t rig_batch_n(struct cs_rig *r, uint64_t at, size_t n, const uint32_t *dw)
{
	for (size_t i = 0; i < n; i++)
		*rig_pp(r, at + 4 * i) = dw[i];
	return at + 4 * n;
}

static inline uint64_t rig_desc(const struct rig_ctx *c)
{
	return c ? (uint64_t)c->id << 32 | c->lrca | 0x100 | c->mode << 3 | 1 : 0;
}

/* Pads to a qword, as a tail must be, and publishes it in the image. */
static inline void rig_publish(struct cs_rig *r, struct rig_ctx *c)
{
	if (c->tail & 7)
		rig_emit(r, c, 0);
	__atomic_store_n(&rig_image(r, c)[CONTEXT_DW_TAIL], c->tail, __ATOMIC_RELEASE);
}

static inline void rig_elsp(struct cs_rig *r, int engine, uint64_t d0, uint64_t d1)
{
	uint32_t elsp = rig_base(engine) + RING_ELSP;

	rig_write(r, elsp, (uint32_t)(d1 >> 32));
	rig_write(r, elsp, (uint32_t)d1);
	rig_write(r, elsp, (uint32_t)(d0 >> 32));
	rig_write(r, elsp, (uint32_t)d0);
}

static inline void rig_submit(struct cs_rig *r, struct rig_ctx *a, struct rig_ctx *b)
{
	rig_publish(r, a);
	if (b)
		rig_publish(r, b);
	rig_elsp(r, a->engine, rig_desc(a), rig_desc(b));
}

/* ------------------------------------------------------------------ waiting, events */

static inline void rig_nap(void)
{
	struct timespec ts = {.tv_nsec = 50000};

	nanosleep(&ts, NULL);
}

/* Until the condition holds; no test runs into the end of this unless it has failed. */
#define rig_until(cond)                                       \
	do {                                                  \
		unsigned int naps = 0;                        \
		while (!(cond)) {                             \
			if (++naps > 400000)                  \
				fail_msg("never: %s", #cond); \
			rig_nap();                            \
		}                                             \
	} while (0)

static inline bool rig_is_idle(struct cs_rig *r, int engine)
{
	struct engine *e = &r->m->engine[engine];
	bool idle;

	lock_acquire(&e->lock);
	idle = engine_state(e) == ENGINE_IDLE && !e->pending_valid;
	lock_release(&e->lock);
	return idle;
}

static inline void rig_wait_idle(struct cs_rig *r, int engine)
{
	struct engine *e = &r->m->engine[engine];

	rig_until(rig_is_idle(r, engine) || engine_state(e) == ENGINE_HUNG);
	if (engine_state(e) == ENGINE_HUNG)
		fail_msg("%s hangs: %s", e->info->name, e->hang_reason);
}

static inline void rig_wait_hung(struct cs_rig *r, int engine)
{
	rig_until(engine_state(&r->m->engine[engine]) == ENGINE_HUNG);
}

static inline void rig_run(struct cs_rig *r, struct rig_ctx *c)
{
	rig_submit(r, c, NULL);
	rig_wait_idle(r, c->engine);
}

/* The next event of the status page, as i915 reads it. False: none. */
static inline bool rig_csb(struct cs_rig *r, int engine, struct rig_event *ev)
{
	uint32_t *h = rig_gg(r, r->hwsp[engine]);
	unsigned int *at = &r->csb_read[engine];

	if (__atomic_load_n(&h[0x1f], __ATOMIC_ACQUIRE) == *at)
		return false;
	*at = *at == 5 ? 0 : *at + 1;
	ev->status = h[0x10 + 2 * *at];
	ev->id = h[0x11 + 2 * *at];
	/* The registers say the same. */
	assert_int_equal(rig_read(r, rig_base(engine) + RING_CSB + 8 * *at), ev->status);
	assert_int_equal(rig_read(r, rig_base(engine) + RING_CSB + 8 * *at + 4), ev->id);
	return true;
}

static inline void rig_expect_csb(struct cs_rig *r, int engine, uint32_t status, uint32_t id)
{
	struct rig_event ev;

	rig_until(rig_csb(r, engine, &ev));
	if (ev.status != status || (status != 1 && ev.id != id))
		fail_msg("event %x of %x, not %x of %x", ev.status, ev.id, status, id);
}

static inline void rig_expect_no_csb(struct cs_rig *r, int engine)
{
	struct rig_event ev;

	if (rig_csb(r, engine, &ev))
		fail_msg("event %x of %x, not none", ev.status, ev.id);
}

static inline uint64_t rig_violations(struct cs_rig *r, enum violation v)
{
	return atomic_load(&r->m->violations.count[v]);
}

static inline void rig_expect_clean(struct cs_rig *r)
{
	for (int v = 0; v < VIOLATION_COUNT; v++) {
		if (rig_violations(r, (enum violation)v))
			fail_msg("violation %s: %llx", violation_names[v],
				(unsigned long long)atomic_load(&r->m->violations.last[v]));
	}
}

/* i915's way: request, ready, GDRST, request taken back. */
static inline void rig_reset_engine(struct cs_rig *r, int engine)
{
	uint32_t ctl = rig_base(engine) + RING_RESET_CTL;

	rig_write(r, ctl, 0x10001);
	assert_int_equal(rig_read(r, ctl) & 2, 2);
	rig_write(r, 0x941c, gen9_engines[engine].gdrst_bit);
	assert_int_equal(rig_read(r, 0x941c), 0);
	rig_write(r, ctl, 0x10000);
	assert_int_equal(rig_read(r, ctl) & 3, 0);
	rig_enable_engine(r, engine);
}

#endif
