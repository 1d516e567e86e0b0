// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Blits compared with a C reference, byte by byte over whole buffers.
 *
 * Two buffers, each with a copy in plain memory that the reference works on. A round fills a batch
 * with random blits, runs the same on the copies in the same order, and compares everything, also
 * what no blit should have touched. A round is a row of a table of command, depth and tilings; all
 * run with the buffers at an address below 4 GiB and at one above.
 */
#include "gem.h"

#define WIDTH_BYTES 1024u /* a multiple of both tiles' widths */
#define HEIGHT	    64u	  /* and of both heights */
#define BO_BYTES    (WIDTH_BYTES * HEIGHT)
#define BLITS	    12

#define XY_SETUP_CLIP_BLT (2u << 29 | 0x03u << 22 | 1)
#define XY_FAST_COPY_BLT  (2u << 29 | 0x42u << 22 | 8)
#define XY_COLOR_BLT	  (2u << 29 | 0x50u << 22 | 5)
#define XY_SRC_COPY_BLT	  (2u << 29 | 0x53u << 22 | 8)
#define BLT_WRITE_ARGB	  (3u << 20)
#define BLT_CLIP	  (1u << 30)
#define ROP_PATCOPY	  (0xf0u << 16)
#define ROP_SRCCOPY	  (0xccu << 16)

#define BCS_SWCTRL 0x22200u /* bit 0: the source's tiles are Y, bit 1: the destination's are */

enum command { FILL, COPY, FAST_COPY };
static const char *const command_names[] = {"XY_COLOR_BLT", "XY_SRC_COPY_BLT", "XY_FAST_COPY_BLT"};
static const char *const tiling_names[] = {"linear", "X", "Y"};

struct rect {
	int x1, y1, x2, y2; /* pixels; x2 and y2 are excluded */
};

struct surface {
	struct gem_bo bo;
	uint8_t *copy; /* what the buffer should hold */
	uint32_t tiling;
};

struct round {
	enum command command;
	int cpp; /* bytes a pixel */
	uint32_t src_tiling, dst_tiling;
	bool clip, overlap;
};

static struct surface surfaces[2];
static struct gem_batch batch;

static uint8_t *pixel(struct surface *s, int cpp, int x, int y)
{
	return s->copy + gem_tile_offset(s->tiling, WIDTH_BYTES, (uint32_t)(x * cpp), (uint32_t)y);
}

static struct rect intersect(struct rect a, struct rect b)
{
	return (struct rect){
		.x1 = a.x1 > b.x1 ? a.x1 : b.x1,
		.y1 = a.y1 > b.y1 ? a.y1 : b.y1,
		.x2 = a.x2 < b.x2 ? a.x2 : b.x2,
		.y2 = a.y2 < b.y2 ? a.y2 : b.y2,
	};
}

static void reference_fill(struct surface *dst, int cpp, struct rect r, uint32_t color)
{
	for (int y = r.y1; y < r.y2; y++) {
		for (int x = r.x1; x < r.x2; x++) {
			memcpy(pixel(dst, cpp, x, y), &color, (size_t)cpp);
		}
	}
}

/* As if the whole source had been read before anything is written. */
static void reference_copy(
	struct surface *dst, struct rect r, struct surface *src, int src_dx, int src_dy, int cpp)
{
	static uint8_t held[WIDTH_BYTES * HEIGHT];
	uint8_t *p = held;

	for (int y = r.y1; y < r.y2; y++) {
		for (int x = r.x1; x < r.x2; x++, p += cpp) {
			memcpy(p, pixel(src, cpp, x + src_dx, y + src_dy), (size_t)cpp);
		}
	}
	p = held;
	for (int y = r.y1; y < r.y2; y++) {
		for (int x = r.x1; x < r.x2; x++, p += cpp) {
			memcpy(pixel(dst, cpp, x, y), p, (size_t)cpp);
		}
	}
}

/* Pitch field: bytes, or dwords where the surface is tiled. */
static uint32_t pitch(uint32_t tiling)
{
	return tiling == I915_TILING_NONE ? WIDTH_BYTES : WIDTH_BYTES / 4;
}

static uint32_t point(int x, int y)
{
	return (uint32_t)(uint16_t)y << 16 | (uint16_t)x;
}

static uint32_t depth(const struct round *t)
{
	switch (t->cpp) {
	case 1:
		return 0;
	case 2:
		return 1u << 24;
	default:
		return 3u << 24;
	}
}

static void emit_fill(
	const struct round *t, const struct surface *dst, struct rect r, uint32_t color)
{
	bool tiled = t->dst_tiling != I915_TILING_NONE;

	gem_emit(&batch, XY_COLOR_BLT | (t->cpp == 4 ? BLT_WRITE_ARGB : 0) | (uint32_t)tiled << 11);
	gem_emit(&batch, depth(t) | ROP_PATCOPY | (t->clip ? BLT_CLIP : 0) | pitch(t->dst_tiling));
	gem_emit(&batch, point(r.x1, r.y1));
	gem_emit(&batch, point(r.x2, r.y2));
	gem_emit_addr(&batch, dst->bo.addr);
	gem_emit(&batch, color);
}

static void emit_copy(const struct round *t, const struct surface *dst, struct rect r,
	const struct surface *src, int src_x, int src_y)
{
	bool src_tiled = t->src_tiling != I915_TILING_NONE;
	bool dst_tiled = t->dst_tiling != I915_TILING_NONE;

	if (t->command == FAST_COPY) {
		gem_emit(&batch, XY_FAST_COPY_BLT | t->src_tiling << 20 | t->dst_tiling << 13);
		gem_emit(&batch, depth(t) | pitch(t->dst_tiling));
	} else {
		gem_emit(&batch, XY_SRC_COPY_BLT | (t->cpp == 4 ? BLT_WRITE_ARGB : 0) |
					 (uint32_t)src_tiled << 15 | (uint32_t)dst_tiled << 11);
		gem_emit(&batch,
			depth(t) | ROP_SRCCOPY | (t->clip ? BLT_CLIP : 0) | pitch(t->dst_tiling));
	}
	gem_emit(&batch, point(r.x1, r.y1));
	gem_emit(&batch, point(r.x2, r.y2));
	gem_emit_addr(&batch, dst->bo.addr);
	gem_emit(&batch, point(src_x, src_y));
	gem_emit(&batch, pitch(t->src_tiling));
	gem_emit_addr(&batch, src->bo.addr);
}

static void emit_swctrl(const struct round *t)
{
	uint32_t bits = (t->src_tiling == I915_TILING_Y) | (t->dst_tiling == I915_TILING_Y) << 1;

	gem_emit_lri(&batch, BCS_SWCTRL, 3u << 16 | bits);
}

static void emit_flush(void)
{
	gem_emit(&batch, MI_FLUSH_DW);
	for (int i = 0; i < 4; i++) {
		gem_emit(&batch, 0);
	}
}

static struct rect random_rect(int width, int height)
{
	struct rect r = {.x1 = gem_between(0, width - 1), .y1 = gem_between(0, (int)HEIGHT - 1)};

	r.x2 = gem_between(r.x1 + 1, width);
	r.y2 = gem_between(r.y1 + 1, height);
	return r;
}

/* One random blit, into the batch and on the copies. */
static void add_blit(const struct round *t)
{
	int width = (int)WIDTH_BYTES / t->cpp;
	struct surface *dst = &surfaces[1], *src = t->overlap ? &surfaces[1] : &surfaces[0];
	struct rect all = {0, 0, width, (int)HEIGHT};
	struct rect r = random_rect(width, (int)HEIGHT);
	int src_x = gem_between(0, width - (r.x2 - r.x1));
	int src_y = gem_between(0, (int)HEIGHT - (r.y2 - r.y1));
	int dx = src_x - r.x1, dy = src_y - r.y1;
	uint32_t color = (uint32_t)gem_random();
	struct rect clip = all;

	if (t->clip) {
		clip = random_rect(width, (int)HEIGHT);
		gem_emit(&batch, XY_SETUP_CLIP_BLT);
		gem_emit(&batch, point(clip.x1, clip.y1));
		gem_emit(&batch, point(clip.x2, clip.y2));
		if (t->command == FILL) {
			/* A clipped rectangle may reach out of the surface, to where coordinates go negative. */
			r.x1 -= gem_between(0, 40);
			r.y1 -= gem_between(0, 40);
			r.x2 += gem_between(0, 40);
			r.y2 += gem_between(0, 40);
		}
	}
	if (t->command == FILL) {
		emit_fill(t, dst, r, color);
		reference_fill(dst, t->cpp, intersect(r, clip), color);
	} else {
		emit_copy(t, dst, r, src, src_x, src_y);
		reference_copy(dst, intersect(r, clip), src, dx, dy, t->cpp);
	}
}

/* Offset of the first byte that differs, or -1. */
static long compare(const struct surface *s)
{
	const uint8_t *have = s->bo.map;

	if (!memcmp(have, s->copy, BO_BYTES)) {
		return -1;
	}
	for (size_t i = 0; i < BO_BYTES; i++) {
		if (have[i] != s->copy[i]) {
			return (long)i;
		}
	}
	return -1;
}

static void run_round(const struct round *t, const char *place)
{
	struct gem_bo *bos[] = {&surfaces[0].bo, &surfaces[1].bo, &batch.bo};
	long bad[2];

	surfaces[0].tiling = t->src_tiling;
	surfaces[1].tiling = t->dst_tiling;
	gem_batch_reset(&batch);
	for (int i = 0; i < 2; i++) {
		gem_domain(&surfaces[i].bo, I915_GEM_DOMAIN_CPU, true);
		gem_fill_random(surfaces[i].copy, BO_BYTES);
		memcpy(surfaces[i].bo.map, surfaces[i].copy, BO_BYTES);
	}
	if (t->command != FAST_COPY) {
		emit_swctrl(t);
	}
	for (int i = 0; i < BLITS; i++) {
		add_blit(t);
	}
	if (t->command != FAST_COPY) {
		emit_flush();
		gem_emit_lri(&batch, BCS_SWCTRL, 3u << 16);
	}
	gem_emit_end(&batch);
	gem_run(GEM_BCS, 0, bos, 3);
	for (int i = 0; i < 2; i++) {
		gem_domain(&surfaces[i].bo, I915_GEM_DOMAIN_CPU, false);
		bad[i] = compare(&surfaces[i]);
	}
	if (!gem_ok(bad[0] < 0 && bad[1] < 0, "%s %d bpp %s to %s%s%s, %s",
		    command_names[t->command], 8 * t->cpp, tiling_names[t->src_tiling],
		    tiling_names[t->dst_tiling], t->clip ? ", clipped" : "",
		    t->overlap ? ", overlapping" : "", place)) {
		for (int i = 0; i < 2; i++) {
			if (bad[i] >= 0) {
				gem_say("%s differs first at byte %#lx: %02x, not %02x",
					i ? "destination" : "source", bad[i],
					((uint8_t *)surfaces[i].bo.map)[bad[i]],
					surfaces[i].copy[bad[i]]);
			}
		}
	}
}

static void run_rounds(const char *place)
{
	static const int cpps[] = {1, 2, 4};
	struct round t;

	for (size_t i = 0; i < ARRAY_SIZE(cpps); i++) {
		for (uint32_t d = I915_TILING_NONE; d <= I915_TILING_Y; d++) {
			t = (struct round){
				.command = FILL, .cpp = cpps[i], .src_tiling = d, .dst_tiling = d};
			run_round(&t, place);
			for (uint32_t s = I915_TILING_NONE; s <= I915_TILING_Y; s++) {
				t = (struct round){.command = COPY,
					.cpp = cpps[i],
					.src_tiling = s,
					.dst_tiling = d};
				run_round(&t, place);
				t.command = FAST_COPY;
				run_round(&t, place);
			}
		}
		t = (struct round){.command = FILL, .cpp = cpps[i], .clip = true};
		run_round(&t, place);
		t.command = COPY;
		run_round(&t, place);
		t = (struct round){.command = COPY, .cpp = cpps[i], .overlap = true};
		run_round(&t, place);
		t.src_tiling = t.dst_tiling = I915_TILING_X;
		run_round(&t, place);
		t.clip = true;
		t.src_tiling = t.dst_tiling = I915_TILING_Y;
		run_round(&t, place);
	}
}

int main(void)
{
	static const struct {
		uint64_t addr;
		const char *name;
	} places[] = {{GEM_LOW, "below 4 GiB"}, {GEM_HIGH, "above 4 GiB"}};

	gem_seed_init();
	gem_open();
	batch = gem_batch_create(16 * GEM_PAGE, 0x40000000);
	for (int i = 0; i < 2; i++) {
		surfaces[i].bo = gem_create(BO_BYTES, 0);
		surfaces[i].copy = malloc(BO_BYTES);
		if (!surfaces[i].copy) {
			gem_bail("malloc");
		}
	}
	for (size_t p = 0; p < ARRAY_SIZE(places); p++) {
		for (uint64_t i = 0; i < 2; i++) {
			surfaces[i].bo.addr = places[p].addr + i * (BO_BYTES + 16 * GEM_PAGE);
		}
		run_rounds(places[p].name);
	}
	return gem_done();
}
