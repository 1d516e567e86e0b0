/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A model that lives through all inputs of a fuzzer, contexts in it, and the input as numbers. */
#ifndef TESTS_FUZZ_RIG_H
#define TESTS_FUZZ_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "gen9/context.h"
#include "gpu/model/cs.h"
#include "gpu/model/model_api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_RAM      MIB(16)
#define FUZZ_GGTT     MIB(4) /* of RAM, at gma 0 */
#define FUZZ_IOVA     UINT64_C(0x100000000)
#define FUZZ_DATA_RAM MIB(8) /* what the PPGTT maps: MIB(4) from here */
#define FUZZ_DATA     UINT64_C(0x10000000)
#define FUZZ_HIGH     UINT64_C(0x7f0000000000)

struct input {
	const uint8_t *p;
	size_t len, at;
};

static inline bool input_done(const struct input *in)
{
	return in->at >= in->len;
}

/* Behind its end an input is zeros. */
static inline uint32_t input_u8(struct input *in)
{
	return in->at < in->len ? in->p[in->at++] : 0;
}

static inline uint32_t input_u16(struct input *in)
{
	uint32_t v = input_u8(in);

	return v | input_u8(in) << 8;
}

static inline uint32_t input_u32(struct input *in)
{
	uint32_t v = input_u16(in);

	return v | input_u16(in) << 16;
}

struct fuzz_ctx {
	int engine;
	uint32_t lrca, ring, id;
};

struct fuzz_rig {
	struct clock clock;
	struct gpu *g;
	struct model *m;
	uint8_t *ram;
	uint32_t next_gma;
	uint64_t next_table, pml4;
	uint32_t hwsp[GEN9_ENGINES];
	struct fuzz_ctx ctx[GEN9_ENGINES], other[GEN9_ENGINES];
	uint32_t marker;
	uint64_t cleans;
};

/* A finding: libFuzzer keeps the input. */
#define fuzz_require(cond)                                                         \
	do {                                                                       \
		if (!(cond)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                   \
		}                                                                  \
	} while (0)

static inline uint32_t *fuzz_gg(struct fuzz_rig *r, uint32_t gma)
{
	return (uint32_t *)(r->ram + gma);
}

static inline uint32_t *fuzz_data(struct fuzz_rig *r, uint32_t offset)
{
	return (uint32_t *)(r->ram + FUZZ_DATA_RAM + offset);
}

static inline void fuzz_write(struct fuzz_rig *r, uint32_t offset, uint32_t v)
{
	r->g->ops->mmio_write(r->g, offset, v, 4);
}

static inline uint32_t fuzz_alloc(struct fuzz_rig *r, uint32_t pages)
{
	uint32_t gma = r->next_gma;

	r->next_gma += pages << PAGE_SHIFT;
	fuzz_require(r->next_gma <= FUZZ_GGTT);
	return gma;
}

static inline void fuzz_map(struct fuzz_rig *r, uint64_t gma, uint64_t iova)
{
	uint64_t *t = (uint64_t *)(r->ram + (r->pml4 - FUZZ_IOVA));

	for (int shift = 39; shift > 12; shift -= 9) {
		uint64_t *e = &t[gma >> shift & 511];

		if (!*e) {
			*e = (FUZZ_IOVA + r->next_table) | GEN9_PTE_PRESENT | GEN9_PTE_RW;
			r->next_table += PAGE_SIZE_4K;
		}
		t = (uint64_t *)(r->ram + ((*e & GEN9_PTE_ADDR) - FUZZ_IOVA));
	}
	t[gma >> 12 & 511] = iova | GEN9_PTE_PRESENT | GEN9_PTE_RW;
}

/* Everything a stream may have written: tables, entries, registers, status pages. */
static inline void fuzz_clean(struct fuzz_rig *r)
{
	/* A whole reset costs milliseconds; these leave what no engine's work depends on. */
	if (r->cleans++ % 256 == 0)
		r->g->ops->reset(r->g);
	else
		fuzz_write(r, 0x941c, 0x1e);
	for (uint32_t i = 0; i < FUZZ_GGTT >> PAGE_SHIFT; i++)
		r->g->ops->ggtt_write(r->g, i,
			(FUZZ_IOVA + ((uint64_t)i << PAGE_SHIFT)) | GEN9_PTE_PRESENT, UINT64_MAX);
	fuzz_write(r, 0x101008, 1);
	r->next_table = FUZZ_GGTT;
	memset(r->ram + FUZZ_GGTT, 0, 32 << PAGE_SHIFT);
	r->pml4 = FUZZ_IOVA + r->next_table;
	r->next_table += PAGE_SIZE_4K;
	for (uint64_t o = 0; o < MIB(1); o += PAGE_SIZE_4K) {
		fuzz_map(r, FUZZ_DATA + o, FUZZ_IOVA + FUZZ_DATA_RAM + o);
		fuzz_map(r, FUZZ_HIGH + o, FUZZ_IOVA + FUZZ_DATA_RAM + o);
	}
	fuzz_write(r, 0xa278, 0x10001);
	fuzz_write(r, 0xa188, 0x10001);
	fuzz_write(r, 0xa270, 0x10001);
	model_each_engine(r->m, e)
	{
		uint32_t base = e->info->mmio_base;

		fuzz_write(r, base + 0x29c, 0x80008000);
		fuzz_write(r, base + RING_HWS_PGA, r->hwsp[e->id]);
		fuzz_write(r, base + RING_IMR, 0);
		fuzz_write(r, base + RING_CSB_PTR, 0xffff0505);
	}
}

static inline struct fuzz_rig *fuzz_open(void)
{
	struct fuzz_rig *r = calloc(1, sizeof(*r));
	struct model_config c = {.monitor = true};
	struct err err = {0};

	fuzz_require(r);
	clock_init_virtual(&r->clock, NSEC_PER_SEC);
	c.clock = &r->clock;
	r->g = model_create(&c, &err);
	fuzz_require(r->g);
	r->m = to_model(r->g);
	r->ram = mmap(NULL, FUZZ_RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fuzz_require(r->ram != MAP_FAILED);
	fuzz_require(!r->g->ops->iova_map(
		r->g, (struct iova){FUZZ_IOVA}, FUZZ_RAM, (struct hva){r->ram}, true));
	r->next_gma = PAGE_SIZE_4K;
	model_each_engine(r->m, e)
	{
		r->hwsp[e->id] = fuzz_alloc(r, 1);
		r->ctx[e->id] = (struct fuzz_ctx){e->id, fuzz_alloc(r, 22), fuzz_alloc(r, 4), 0x10};
		r->other[e->id] =
			(struct fuzz_ctx){e->id, fuzz_alloc(r, 22), fuzz_alloc(r, 4), 0x20};
	}
	return r;
}

static inline void fuzz_ctx_reset(struct fuzz_rig *r, struct fuzz_ctx *c)
{
	uint32_t *im = fuzz_gg(r, c->lrca + 0x1000);

	memset(im, 0, PAGE_SIZE_4K);
	memset(fuzz_gg(r, c->ring), 0, 4 * PAGE_SIZE_4K);
	gen9_context_write(c->engine, gen9_engines[c->engine].mmio_base, im);
	im[CONTEXT_DW_CONTROL] = 0x00090009;
	im[CONTEXT_DW_START] = c->ring;
	im[CONTEXT_DW_CTL] = 0x3001;
	im[CONTEXT_DW_PDP0_LDW] = (uint32_t)r->pml4;
	im[CONTEXT_DW_PDP0_LDW - 2] = (uint32_t)(r->pml4 >> 32);
}

static inline uint64_t fuzz_desc(const struct fuzz_ctx *c)
{
	return (uint64_t)c->id << 32 | c->lrca | 0x119;
}

static inline void fuzz_elsp(struct fuzz_rig *r, int engine, uint64_t d0, uint64_t d1)
{
	uint32_t elsp = gen9_engines[engine].mmio_base + RING_ELSP;

	fuzz_write(r, elsp, (uint32_t)(d1 >> 32));
	fuzz_write(r, elsp, (uint32_t)d1);
	fuzz_write(r, elsp, (uint32_t)(d0 >> 32));
	fuzz_write(r, elsp, (uint32_t)d0);
}

static inline void fuzz_submit(struct fuzz_rig *r, struct fuzz_ctx *c, uint32_t tail)
{
	__atomic_store_n(&fuzz_gg(r, c->lrca + 0x1000)[CONTEXT_DW_TAIL], tail, __ATOMIC_RELEASE);
	fuzz_elsp(r, c->engine, fuzz_desc(c), 0);
}

static inline void fuzz_preempt(struct fuzz_rig *r, struct fuzz_ctx *c)
{
	struct fuzz_ctx *o = &r->other[c->engine];

	fuzz_ctx_reset(r, o);
	fuzz_gg(r, o->lrca + 0x1000)[CONTEXT_DW_TAIL] = 64;
	fuzz_elsp(r, c->engine, fuzz_desc(o), fuzz_desc(c));
}

static inline bool fuzz_idle(struct fuzz_rig *r, int engine)
{
	struct engine *e = &r->m->engine[engine];
	bool idle;

	lock_acquire(&e->lock);
	idle = (engine_state(e) == ENGINE_IDLE && !e->pending_valid) ||
	       engine_state(e) == ENGINE_HUNG || atomic_load(&e->request) & ENGINE_REQ_PARK;
	lock_release(&e->lock);
	return idle;
}

/* A stream may loop or wait for ever: it gets so many naps. */
static inline void fuzz_nap(struct fuzz_rig *r, int engine, int naps)
{
	struct timespec ts = {.tv_nsec = 20000};

	for (int i = 0; i < naps && !fuzz_idle(r, engine); i++)
		nanosleep(&ts, NULL);
}

static inline void fuzz_settle_some(struct fuzz_rig *r, int engine)
{
	fuzz_nap(r, engine, 2);
}

static inline void fuzz_settle(struct fuzz_rig *r, int engine)
{
	fuzz_nap(r, engine, 10);
}

/* Saved state is always good: the same model takes it back. */
static inline void fuzz_save_load(struct fuzz_rig *r)
{
	const struct state_section *secs;
	struct err err = {0};
	struct buf b;
	size_t n;

	r->g->ops->pause(r->g);
	secs = r->g->ops->sections(r->g, &n);
	buf_init(&b);
	fuzz_require(!state_save(secs, n, &b));
	if (state_load(secs, n, b.data, b.len, &err)) {
		fprintf(stderr, "%s\n", err.what);
		abort();
	}
	buf_finish(&b);
	r->g->ops->resume(r->g);
}

/* After a reset a good request runs. */
static inline void fuzz_expect_works(struct fuzz_rig *r, int engine)
{
	struct fuzz_ctx *c = &r->ctx[engine];
	uint32_t *ring;

	fuzz_clean(r);
	fuzz_ctx_reset(r, c);
	ring = fuzz_gg(r, c->ring);
	ring[0] = 0x10000002;
	ring[1] = (uint32_t)FUZZ_DATA + 0x80000;
	ring[3] = ++r->marker;
	fuzz_submit(r, c, 16);
	fuzz_nap(r, engine, 200000);
	fuzz_require(engine_state(&r->m->engine[engine]) == ENGINE_IDLE);
	fuzz_require(__atomic_load_n(fuzz_data(r, 0x80000), __ATOMIC_ACQUIRE) == r->marker);
}

#endif
