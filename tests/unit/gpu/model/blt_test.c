// SPDX-License-Identifier: GPL-2.0-or-later
/* The blitter against a plain reference, pixel by pixel, over the whole of the memory it can reach. */
#include "gpu/model/blt.h"
#include "memory_rig.h"

#define AREA_GMA UINT64_C(0x7f0000000000)
#define AREA	 MIB(4)
#define HALF	 (AREA / 2)

struct bench {
	struct rig r;
	uint64_t page[AREA / 4096]; /* where in RAM each page of the area is: shuffled */
	uint8_t *want;		    /* the area as it should be */
};

struct surf {
	uint64_t base; /* within the area */
	int32_t pitch; /* bytes */
	int tiling;    /* 0 linear, 1 X, 2 Y, 3 Yf */
};

static void setup(struct bench *b)
{
	struct rig *r = &b->r;
	uint64_t ram;

	rig_init(r);
	rig_ppgtt_map(r, AREA_GMA, 0, 12, 0);
	ram = rig_pages(r, AREA / 4096);
	for (uint64_t i = 0; i < AREA / 4096; i++)
		b->page[i] = ram - RIG_IOVA + i * 4096;
	for (uint64_t i = 0; i < AREA / 4096; i++) {
		uint64_t k = rig_below(r, AREA / 4096), t = b->page[i];

		b->page[i] = b->page[k];
		b->page[k] = t;
	}
	b->want = malloc(AREA);
	assert_non_null(b->want);
	for (uint64_t i = 0; i < AREA; i += 4096) {
		for (uint64_t k = 0; k < 4096; k += 8) {
			uint64_t v = rig_random(r);

			memcpy(b->want + i + k, &v, 8);
		}
		memcpy(r->ram + b->page[i / 4096], b->want + i, 4096);
		rig_ppgtt_map(r, AREA_GMA + i, RIG_IOVA + b->page[i / 4096], 12, PTE_RW);
	}
	gtt_tlb_flush(r->e);
	gtt_enter(r->e);
}

static void teardown(struct bench *b)
{
	gtt_leave(b->r.e);
	free(b->want);
	rig_finish(&b->r);
}

/* Everything in the area, so that a byte beside the rectangle is seen too. */
static void compare(struct bench *b)
{
	for (uint64_t i = 0; i < AREA; i += 4096)
		assert_memory_equal(b->r.ram + b->page[i / 4096], b->want + i, 4096);
}

static enum cs_result run(struct bench *b, const uint32_t *dw, unsigned int n)
{
	return blt_run(b->r.e, NULL, dw, n, SPACE_PPGTT);
}

/* Where byte x of row y is, from the PRM's picture of a tile. */
static uint64_t place(const struct surf *s, int64_t x, int64_t y)
{
	uint64_t tile, in;

	switch (s->tiling) {
	case 1:
		tile = (y / 8) * (s->pitch / 512) + x / 512;
		in = (y % 8) * 512 + x % 512;
		break;
	case 2:
		tile = (y / 32) * (s->pitch / 128) + x / 128;
		in = (x % 128 / 16) * 512 + (y % 32) * 16 + x % 16;
		break;
	case 3: {
		/* bits 11..0: x y x y x y y y x x x x */
		static const char order[] = "xyxyxyyyxxxx";
		int xb = 6, yb = 4;

		tile = (y / 32) * (s->pitch / 128) + x / 128;
		in = 0;
		for (int i = 0; i < 12; i++)
			in = in << 1 | (order[i] == 'x' ? x >> xb-- & 1 : y >> yb-- & 1);
		break;
	}
	default:
		return s->base + (uint64_t)(y * s->pitch + x);
	}
	return s->base + tile * 4096 + in;
}

struct want {
	struct surf dst, src;
	int x1, y1, x2, y2, sx, sy;
	unsigned int bpp, rop;
	uint32_t mask;
	bool has_src;
	const uint8_t *pattern; /* 8 x 8, or NULL */
	uint32_t color;
	int px, py;
};

/* False when it leaves the area: then nothing was changed. */
static bool reference(struct bench *b, const struct want *w)
{
	int width = w->x2 - w->x1, height = w->y2 - w->y1;
	uint8_t *src;

	if (width <= 0 || height <= 0)
		return true;
	for (int y = 0; y < height; y++) {
		for (int x = 0; x < width * (int)w->bpp; x++) {
			if (place(&w->dst, w->x1 * (int)w->bpp + x, w->y1 + y) >= AREA)
				return false;
			if (w->has_src &&
				place(&w->src, w->sx * (int)w->bpp + x, w->sy + y) >= AREA)
				return false;
		}
	}
	src = calloc((size_t)width * height, w->bpp);
	for (int y = 0; w->has_src && y < height; y++) {
		for (int x = 0; x < width * (int)w->bpp; x++)
			src[(size_t)y * width * w->bpp + x] =
				b->want[place(&w->src, w->sx * (int)w->bpp + x, w->sy + y)];
	}
	for (int y = 0; y < height; y++) {
		for (int x = 0; x < width * (int)w->bpp; x++) {
			int pixel = w->x1 + x / (int)w->bpp, byte = x % (int)w->bpp;
			uint8_t *d = &b->want[place(&w->dst, w->x1 * (int)w->bpp + x, w->y1 + y)];
			uint8_t s = src[(size_t)y * width * w->bpp + x], p, out = 0;
			uint8_t m = w->bpp == 4 ? (uint8_t)(w->mask >> byte * 8) : 0xff;

			p = w->pattern ? w->pattern[(((w->y1 + y + w->py) & 7) * 8 +
							    ((pixel + w->px) & 7)) *
							    w->bpp +
						    byte]
				       : (uint8_t)(byte < 4 ? w->color >> byte * 8 : 0);
			for (int bit = 0; bit < 8; bit++) {
				int k = (p >> bit & 1) << 2 | (s >> bit & 1) << 1 | (*d >> bit & 1);

				out |= (w->rop >> k & 1) << bit;
			}
			*d = (uint8_t)((*d & ~m) | (out & m));
		}
	}
	free(src);
	return true;
}

/* A random surface in one half of the area. */
static struct surf random_surface(struct rig *r, uint64_t at, int tiling)
{
	struct surf s = {.base = at, .tiling = tiling};

	switch (tiling) {
	case 1:
		s.pitch = (int32_t)(512 * (1 + rig_below(r, 8)));
		break;
	case 2:
	case 3:
		s.pitch = (int32_t)(128 * (1 + rig_below(r, 32)));
		break;
	default:
		s.pitch = (int32_t)(1 + rig_below(r, 5000));
		s.base += rig_below(r, 9000);
	}
	return s;
}

static uint32_t xy(int x, int y)
{
	return (uint32_t)(uint16_t)x | (uint32_t)(uint16_t)y << 16;
}

static void random_rect(struct rig *r, struct want *w)
{
	unsigned int row = (unsigned int)(w->dst.pitch < 0 ? -w->dst.pitch : w->dst.pitch);

	w->x1 = (int)rig_below(r, row / w->bpp / 2 + 1);
	w->x2 = w->x1 + (int)rig_below(r, row / w->bpp + 2);
	w->y1 = (int)rig_below(r, 80);
	w->y2 = w->y1 + (int)rig_below(r, 90);
	w->sx = (int)rig_below(r, 40);
	w->sy = (int)rig_below(r, 100);
}

static uint32_t pitch_field(const struct surf *s)
{
	return (uint16_t)(s->tiling ? s->pitch / 4 : s->pitch);
}

static void set_swctrl(struct bench *b, bool src_y, bool dst_y)
{
	regs_poke(&b->r.m->regs, 0x22200, (src_y ? 1u : 0) | (dst_y ? 2u : 0));
}

static void check(struct bench *b, const struct want *w, const uint32_t *dw, unsigned int n)
{
	bool inside = reference(b, w);
	enum cs_result ret = run(b, dw, n);

	if (inside) {
		assert_int_equal(ret, CS_NEXT);
		compare(b);
	} else {
		assert_int_equal(ret, CS_FAULT);
		assert_true(b->r.e->fault.gma - AREA_GMA >= AREA);
		for (uint64_t i = 0; i < AREA; i += 4096) /* it was drawn in part: start again */
			memcpy(b->want + i, b->r.ram + b->page[i / 4096], 4096);
	}
}

static const unsigned int depth_of_bpp[] = {[1] = 0, [2] = 1, [4] = 3, [8] = 4, [16] = 5};

static void test_src_copy(void **state)
{
	static const uint8_t rops[] = {
		0xcc, 0xcc, 0xcc, 0x66, 0x88, 0xee, 0x33, 0x00, 0xff, 0xaa, 0x55};
	struct bench b;

	setup(&b);
	for (int i = 0; i < 1200; i++) {
		struct rig *r = &b.r;
		struct want w = {.bpp = 1u << rig_below(r, 3), .has_src = true, .mask = UINT32_MAX};
		unsigned int bits = (unsigned int)rig_below(r, 4);

		w.dst = random_surface(r, 0, (int)rig_below(r, 3));
		w.src = random_surface(r, HALF, (int)rig_below(r, 3));
		w.rop = rops[rig_below(r, sizeof(rops))];
		if (w.bpp == 4 && rig_below(r, 2))
			w.mask = (bits & 2 ? 0xff000000 : 0) | (bits & 1 ? 0xffffff : 0);
		else
			bits = 3;
		random_rect(r, &w);
		set_swctrl(&b, w.src.tiling == 2, w.dst.tiling == 2);
		const uint32_t dw[10] = {
			0x54c00008 | bits << 20 | (w.src.tiling ? 1u << 15 : 0) |
				(w.dst.tiling ? 1u << 11 : 0),
			depth_of_bpp[w.bpp] << 24 | w.rop << 16 | pitch_field(&w.dst),
			xy(w.x1, w.y1),
			xy(w.x2, w.y2),
			(uint32_t)(AREA_GMA + w.dst.base),
			(AREA_GMA + w.dst.base) >> 32,
			xy(w.sx, w.sy),
			pitch_field(&w.src),
			(uint32_t)(AREA_GMA + w.src.base),
			(AREA_GMA + w.src.base) >> 32,
		};
		check(&b, &w, dw, 10);
	}
	teardown(&b);
}

/* Source and destination in one surface: as if the source had been read first. */
static void test_overlap(void **state)
{
	struct bench b;

	setup(&b);
	for (int i = 0; i < 800; i++) {
		struct rig *r = &b.r;
		struct want w = {.bpp = 1u << rig_below(r, 3),
			.has_src = true,
			.mask = UINT32_MAX,
			.rop = 0xcc};
		bool tiled;

		if (rig_below(r, 4) == 0)
			w.rop = 0x66;
		w.dst = random_surface(r, 0, (int)rig_below(r, 3));
		w.src = w.dst;
		tiled = w.dst.tiling;
		random_rect(r, &w);
		if (!tiled) {
			/* rows that run into the next one overlap themselves: leave them out */
			w.x2 = (int)min_u64((uint64_t)w.x2, (uint64_t)w.dst.pitch / w.bpp);
			if (w.x2 <= w.x1)
				continue;
			if (rig_below(r, 2)) { /* the same surface, upside down */
				w.dst.base += MIB(1);
				w.dst.pitch = -w.dst.pitch;
				w.src = w.dst;
			} else if (rig_below(r, 2)) { /* one address, told as another base */
				w.src.base += rig_below(r, 3000) * w.bpp;
			}
		}
		w.sx = w.x1 + (int)rig_below(r, 33) - (w.x1 >= 16 ? 16 : w.x1);
		w.sy = w.y1 + (int)rig_below(r, 9) - (w.y1 >= 4 ? 4 : w.y1);
		set_swctrl(&b, tiled && w.dst.tiling == 2, tiled && w.dst.tiling == 2);
		const uint32_t dw[10] = {
			0x54f00008 | (tiled ? 1u << 15 | 1u << 11 : 0),
			depth_of_bpp[w.bpp] << 24 | w.rop << 16 | pitch_field(&w.dst),
			xy(w.x1, w.y1),
			xy(w.x2, w.y2),
			(uint32_t)(AREA_GMA + w.dst.base),
			(AREA_GMA + w.dst.base) >> 32,
			xy(w.sx, w.sy),
			pitch_field(&w.src),
			(uint32_t)(AREA_GMA + w.src.base),
			(AREA_GMA + w.src.base) >> 32,
		};
		/* tiles: columns beyond the pitch would overlap other rows */
		if (tiled && ((w.x2 + 64) * (int)w.bpp > w.dst.pitch ||
				     (w.sx + w.x2 - w.x1) * (int)w.bpp > w.dst.pitch))
			continue;
		check(&b, &w, dw, 10);
	}
	teardown(&b);
}

static void test_color(void **state)
{
	struct bench b;

	setup(&b);
	for (int i = 0; i < 600; i++) {
		struct rig *r = &b.r;
		struct want w = {.bpp = 1u << rig_below(r, 3),
			.mask = UINT32_MAX,
			.color = (uint32_t)rig_random(r)};
		unsigned int bits = (unsigned int)rig_below(r, 4);
		int cx1 = (int)rig_below(r, 200), cy1 = (int)rig_below(r, 60),
		    cx2 = (int)rig_below(r, 900), cy2 = (int)rig_below(r, 150);
		bool clip = rig_below(r, 2);

		w.dst = random_surface(r, 0, (int)rig_below(r, 3));
		w.rop = rig_below(r, 3) ? 0xf0 : (unsigned int)rig_below(r, 256);
		if (((w.rop >> 2) & 0x33) != (w.rop & 0x33))
			w.rop = 0x5a; /* there is no source */
		if (w.bpp == 4 && rig_below(r, 2))
			w.mask = (bits & 2 ? 0xff000000 : 0) | (bits & 1 ? 0xffffff : 0);
		else
			bits = 3;
		random_rect(r, &w);
		set_swctrl(&b, false, w.dst.tiling == 2);
		const uint32_t rect[3] = {0x40c00001, xy(cx1, cy1), xy(cx2, cy2)};
		const uint32_t dw[7] = {
			0x54000005 | bits << 20 | (w.dst.tiling ? 1u << 11 : 0),
			(clip ? 1u << 30 : 0) | depth_of_bpp[w.bpp] << 24 | w.rop << 16 |
				pitch_field(&w.dst),
			xy(w.x1, w.y1),
			xy(w.x2, w.y2),
			(uint32_t)(AREA_GMA + w.dst.base),
			(AREA_GMA + w.dst.base) >> 32,
			w.color,
		};

		assert_int_equal(run(&b, rect, 3), CS_NEXT);
		if (clip) {
			w.x1 = w.x1 > cx1 ? w.x1 : cx1;
			w.y1 = w.y1 > cy1 ? w.y1 : cy1;
			w.x2 = w.x2 < cx2 ? w.x2 : cx2;
			w.y2 = w.y2 < cy2 ? w.y2 : cy2;
		}
		check(&b, &w, dw, 7);
	}
	teardown(&b);
}

static void test_pattern_all_rops(void **state)
{
	struct bench b;

	setup(&b);
	for (unsigned int rop = 0; rop < 256; rop++) {
		struct rig *r = &b.r;
		struct want w = {.bpp = 1u << rig_below(r, 3), .mask = UINT32_MAX, .rop = rop};
		uint8_t pattern[256];
		uint64_t at = HALF + rig_below(r, 4000);
		uint32_t dw[6 + 64];
		unsigned int n = 8;

		if (((rop >> 2) & 0x33) != (rop & 0x33))
			continue;
		memcpy(pattern, b.want + at, 256);
		w.pattern = pattern;
		w.px = (int)rig_below(r, 8);
		w.py = (int)rig_below(r, 8);
		w.dst = random_surface(r, 0, (int)rig_below(r, 3));
		random_rect(r, &w);
		set_swctrl(&b, false, w.dst.tiling == 2);
		dw[0] = 0x54700006 | (uint32_t)w.px << 12 | (uint32_t)w.py << 8 |
			(w.dst.tiling ? 1u << 11 : 0);
		dw[1] = depth_of_bpp[w.bpp] << 24 | rop << 16 | pitch_field(&w.dst);
		dw[2] = xy(w.x1, w.y1);
		dw[3] = xy(w.x2, w.y2);
		dw[4] = (uint32_t)(AREA_GMA + w.dst.base);
		dw[5] = (AREA_GMA + w.dst.base) >> 32;
		dw[6] = (uint32_t)(AREA_GMA + at);
		dw[7] = (AREA_GMA + at) >> 32;
		if (rop & 1) { /* the pattern in the command */
			n = 6 + 16 * w.bpp;
			dw[0] = (dw[0] & ~(0x7fu << 22 | 0xff)) | 0x72u << 22 | (n - 2);
			memcpy(&dw[6], pattern, 64 * w.bpp);
		}
		check(&b, &w, dw, n);
	}
	teardown(&b);
}

static void test_fast_copy(void **state)
{
	struct bench b;

	setup(&b);
	for (int i = 0; i < 800; i++) {
		struct rig *r = &b.r;
		struct want w = {.bpp = 1u << rig_below(r, 5),
			.has_src = true,
			.mask = UINT32_MAX,
			.rop = 0xcc};
		int tilings = w.bpp == 2 || w.bpp == 4 ? 4 : 3;
		uint32_t dt, st;

		w.dst = random_surface(r, 0, (int)rig_below(r, (uint64_t)tilings));
		w.src = random_surface(r, HALF, (int)rig_below(r, (uint64_t)tilings));
		random_rect(r, &w);
		dt = w.dst.tiling == 3 ? 2 : (uint32_t)w.dst.tiling;
		st = w.src.tiling == 3 ? 2 : (uint32_t)w.src.tiling;
		const uint32_t dw[10] = {
			0x50800008 | st << 20 | dt << 13,
			(w.src.tiling == 3 ? 1u << 31 : 0) | (w.dst.tiling == 3 ? 1u << 30 : 0) |
				depth_of_bpp[w.bpp] << 24 | pitch_field(&w.dst),
			xy(w.x1, w.y1),
			xy(w.x2, w.y2),
			(uint32_t)(AREA_GMA + w.dst.base),
			(AREA_GMA + w.dst.base) >> 32,
			xy(w.sx, w.sy),
			pitch_field(&w.src),
			(uint32_t)(AREA_GMA + w.src.base),
			(AREA_GMA + w.src.base) >> 32,
		};
		check(&b, &w, dw, 10);
	}
	teardown(&b);
}

/* XY_SETUP_BLT and XY_SCANLINES_BLT; the bytewise COLOR_BLT and SRC_COPY_BLT. */
static void test_setup_and_plain(void **state)
{
	struct bench b;

	setup(&b);
	for (int i = 0; i < 100; i++) {
		struct rig *r = &b.r;
		struct want w = {.bpp = 4, .mask = UINT32_MAX, .rop = 0xf0};
		uint8_t pattern[256];
		uint64_t at = HALF + rig_below(r, 4000);

		w.dst = random_surface(r, 0, 0);
		random_rect(r, &w);
		memcpy(pattern, b.want + at, 256);
		w.pattern = pattern;
		const uint32_t set[10] = {0x40700008, 3u << 24 | 0xf0u << 16 | pitch_field(&w.dst),
			xy(3, 4), xy(700, 100), (uint32_t)(AREA_GMA + w.dst.base),
			(AREA_GMA + w.dst.base) >> 32, 0, 0, (uint32_t)(AREA_GMA + at),
			(AREA_GMA + at) >> 32};
		const uint32_t dw[3] = {0x49400001, xy(w.x1, w.y1), xy(w.x2, w.y2)};

		assert_int_equal(run(&b, set, 10), CS_NEXT);
		w.x1 = w.x1 > 3 ? w.x1 : 3;
		w.y1 = w.y1 > 4 ? w.y1 : 4;
		w.x2 = w.x2 < 700 ? w.x2 : 700;
		w.y2 = w.y2 < 100 ? w.y2 : 100;
		check(&b, &w, dw, 3);
	}
	for (int i = 0; i < 100; i++) {
		struct rig *r = &b.r;
		struct want w = {.bpp = 1u << rig_below(r, 3),
			.mask = UINT32_MAX,
			.rop = 0xf0,
			.color = (uint32_t)rig_random(r)};

		w.dst = random_surface(r, 0, 0);
		w.src = random_surface(r, HALF, 0);
		w.x2 = (int)rig_below(r, 400);
		w.y2 = (int)rig_below(r, 60);
		w.has_src = i & 1;
		const uint32_t color[6] = {0x50300004,
			depth_of_bpp[w.bpp] << 24 | 0xf0u << 16 | pitch_field(&w.dst),
			(uint32_t)w.y2 << 16 | (uint32_t)(w.x2 * (int)w.bpp),
			(uint32_t)(AREA_GMA + w.dst.base), (AREA_GMA + w.dst.base) >> 32, w.color};
		const uint32_t copy[8] = {0x50f00006,
			depth_of_bpp[w.bpp] << 24 | 0xccu << 16 | pitch_field(&w.dst),
			(uint32_t)w.y2 << 16 | (uint32_t)(w.x2 * (int)w.bpp),
			(uint32_t)(AREA_GMA + w.dst.base), (AREA_GMA + w.dst.base) >> 32,
			pitch_field(&w.src), (uint32_t)(AREA_GMA + w.src.base),
			(AREA_GMA + w.src.base) >> 32};

		if (w.has_src) {
			w.rop = 0xcc;
			check(&b, &w, copy, 8);
		} else {
			check(&b, &w, color, 6);
		}
	}
	teardown(&b);
}

/* Noise in every field: it ends, and touches nothing outside what is mapped. */
static void test_noise(void **state)
{
	static const uint8_t ops[] = {
		0x01, 0x03, 0x25, 0x40, 0x42, 0x43, 0x50, 0x51, 0x53, 0x72, 0x26, 0x71, 0x54};
	struct bench b;

	setup(&b);
	for (int i = 0; i < 20000; i++) {
		struct rig *r = &b.r;
		uint32_t dw[80];
		unsigned int n = (unsigned int)rig_below(r, 80);

		for (unsigned int k = 0; k < 80; k++)
			dw[k] = (uint32_t)rig_random(r);
		dw[0] = 2u << 29 | (uint32_t)ops[rig_below(r, sizeof(ops))] << 22 |
			(dw[0] & 0x3fffff);
		if (rig_below(r, 4)) { /* small, and into the area */
			dw[2] &= 0x00ff00ff;
			dw[3] = (dw[3] & 0x00ff00ff) + 0x00010001;
			dw[4] = (uint32_t)(AREA_GMA + (dw[4] & (AREA - 1)));
			dw[5] = AREA_GMA >> 32;
			dw[8] = (uint32_t)(AREA_GMA + (dw[8] & (AREA - 1)));
			dw[9] = AREA_GMA >> 32;
		}
		set_swctrl(&b, rig_below(r, 2), rig_below(r, 2));
		run(&b, dw, n > 80 ? 80 : n ? n : 1);
	}
	teardown(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_src_copy),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_color),
		cmocka_unit_test(test_pattern_all_rops),
		cmocka_unit_test(test_fast_copy),
		cmocka_unit_test(test_setup_and_plain),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
