// SPDX-License-Identifier: GPL-2.0-or-later
/* The aperture: graphics memory as the CPU sees it through BAR2, detiled where a fence says so. */
#include "gen9/tiling.h"
#include "gpu/model/gtt.h"

#define FENCE_REG 0x100000
#define FENCES	  32

/*
 * A fence register: a range of graphics memory that is tiled. Low dword: start 31:12, 1 Y-major,
 * 0 valid. High dword: address of the last page 31:12, pitch in units of 128 bytes, less one, 11:0.
 * Source: PRM volume 2c, FENCE_LSB/MSB; i915 gt/intel_ggtt_fencing.c.
 */
struct fence {
	uint64_t start, end; /* first byte, and the one after the last */
	uint32_t pitch;
	enum gen9_tiling tiling;
};

static bool fence_decode(const struct model *m, unsigned int i, struct fence *f)
{
	uint32_t lo = regs_peek(&m->regs, FENCE_REG + i * 8);
	uint32_t hi = regs_peek(&m->regs, FENCE_REG + i * 8 + 4);

	if (!(lo & 1))
		return false;
	f->start = lo & ~PAGE_MASK_4K;
	f->end = (uint64_t)(hi & 0xfffff000) + PAGE_SIZE_4K;
	f->pitch = ((hi & 0xfff) + 1) * 128;
	f->tiling = lo & 2 ? GEN9_TILING_Y : GEN9_TILING_X;
	/* A pitch that is not a whole number of tiles: nothing sensible can be said; not tiled. */
	return f->start < f->end && f->pitch % gen9_tile_width(f->tiling) == 0;
}

/* The fence over `gma`, or how far there is none: *end is the next byte at which that changes. */
static bool fence_find(const struct model *m, uint64_t gma, struct fence *f, uint64_t *end)
{
	*end = UINT64_MAX;
	for (unsigned int i = 0; i < FENCES; i++) {
		if (!fence_decode(m, i, f))
			continue;
		if (gma >= f->start && gma < f->end) {
			*end = f->end;
			return true;
		}
		if (f->start > gma)
			*end = min_u64(*end, f->start);
	}
	return false;
}

/* Where the byte at `gma` of the aperture is in graphics memory; *run: how many follow in a row. */
static uint64_t detile(const struct model *m, uint64_t gma, uint64_t *run)
{
	struct fence f;
	uint64_t end, off, x, y;

	if (!fence_find(m, gma, &f, &end)) {
		*run = min_u64(end - gma, PAGE_SIZE_4K - (gma & PAGE_MASK_4K));
		return gma;
	}
	off = gma - f.start;
	x = off % f.pitch;
	y = off / f.pitch;
	*run = min_u64(end - gma, gen9_tile_run(f.tiling, x));
	return f.start + gen9_tile_row(f.tiling, f.pitch, y) + gen9_tile_column(f.tiling, x);
}

/* `done` bytes of an access went; the epoch section is left now and then, for long ones. */
#define BREATHE_BYTES KIB(64)

/* A dword or qword that does not straddle goes in one store: an engine may poll for it. */
static void store(uint8_t *p, const uint8_t *data, size_t n)
{
	if (n == 4 && !((uintptr_t)p & 3)) {
		uint32_t v;

		memcpy(&v, data, 4);
		__atomic_store_n((uint32_t *)p, v, __ATOMIC_RELEASE);
	} else if (n == 8 && !((uintptr_t)p & 7)) {
		uint64_t v;

		memcpy(&v, data, 8);
		__atomic_store_n((uint64_t *)p, v, __ATOMIC_RELEASE);
	} else {
		memcpy(p, data, n);
	}
}

/* What lies behind [offset, offset + size): into `out`, or from `in` when `out` is NULL. */
static void transfer(struct model *m, uint64_t offset, uint8_t *out, const uint8_t *in, size_t size)
{
	size_t since = 0;

	ggtt_user_enter(m, &m->aperture);
	for (size_t done = 0; done < size;) {
		enum fault_reason why;
		uint64_t run, gma = detile(m, offset + done, &run);
		size_t n = (size_t)min_u64(run, size - done);
		uint8_t *p = ggtt_ptr(m, gma, !out, &why);

		if (!p)
			atomic_fetch_add_explicit(
				&m->stats.aperture_nowhere, 1, memory_order_relaxed);
		else if (out)
			memcpy(out + done, p, n);
		else
			store(p, in + done, n);
		done += n;
		since += n;
		if (since >= BREATHE_BYTES) {
			since = 0;
			ggtt_user_leave(&m->aperture);
			ggtt_user_enter(m, &m->aperture);
		}
	}
	ggtt_user_leave(&m->aperture);
}

void aperture_read(struct gpu *g, uint64_t offset, void *data, size_t size)
{
	struct model *m = to_model(g);

	atomic_fetch_add_explicit(&m->stats.aperture_reads, 1, memory_order_relaxed);
	memset(data, 0, size);
	if (!range_bad(offset, size, g->info.aperture_bytes))
		transfer(m, offset, data, NULL, size);
}

void aperture_write(struct gpu *g, uint64_t offset, const void *data, size_t size)
{
	struct model *m = to_model(g);

	atomic_fetch_add_explicit(&m->stats.aperture_writes, 1, memory_order_relaxed);
	if (!range_bad(offset, size, g->info.aperture_bytes))
		transfer(m, offset, NULL, data, size);
}
