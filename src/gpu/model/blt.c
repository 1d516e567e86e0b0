// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The 2D commands of the BCS: from dwords to a rectangle to draw.
 *
 * Done: XY_COLOR_BLT, XY_PAT_BLT, XY_PAT_BLT_IMMEDIATE, XY_SRC_COPY_BLT, XY_FAST_COPY_BLT, XY_SETUP_BLT
 * and XY_SETUP_CLIP_BLT with XY_SCANLINES_BLT, COLOR_BLT, SRC_COPY_BLT. Others (text, monochrome, chroma
 * key) are known by their length and counted as not done.
 *
 * Sources: PRM volume 2a, "BLT" commands; volume 10, blitter registers BR00..BR28; i915
 * gt/intel_gpu_commands.h.
 */
#include "gpu/model/blt.h"

#include <errno.h>

#include "gpu/model/blt_draw.h"
#include "gpu/model/cs.h"

#define BCS_SWCTRL 0x22200 /* what "tiled" means in the XY commands but FAST_COPY */
#define BCS_SRC_Y  BIT(0)
#define BCS_DST_Y  BIT(1)

#define BR00_WRITE_ALPHA BIT(21)
#define BR00_WRITE_RGB	 BIT(20)
#define BR00_SRC_TILED	 BIT(15)
#define BR00_DST_TILED	 BIT(11)
#define BR13_CLIP	 BIT(30)

enum blt_opcode { /* BR00 28:22 */
	OP_SETUP_BLT = 0x01,
	OP_SETUP_CLIP_BLT = 0x03,
	OP_SCANLINES_BLT = 0x25,
	OP_COLOR_BLT = 0x40,
	OP_FAST_COPY_BLT = 0x42,
	OP_SRC_COPY_BLT = 0x43,
	OP_XY_COLOR_BLT = 0x50,
	OP_XY_PAT_BLT = 0x51,
	OP_XY_SRC_COPY_BLT = 0x53,
	OP_XY_PAT_BLT_IMMEDIATE = 0x72,
};

static int32_t low16(uint32_t v)
{
	return (int16_t)v;
}

static int32_t high16(uint32_t v)
{
	return (int16_t)(v >> 16);
}

static uint64_t address(const uint32_t *dw)
{
	return dw[0] | (uint64_t)dw[1] << 32;
}

/* BR13 25:24: 8, 16 (565), 16 (1555), 32 bits a pixel. */
static unsigned int depth_bytes(uint32_t br13)
{
	static const uint8_t bytes[] = {1, 2, 2, 4};

	return bytes[br13 >> 24 & 3];
}

/* A surface of the XY commands. False: nothing sensible can be drawn with that pitch. */
static bool surface(const struct engine *e, struct blt_surface *s, uint64_t base, uint32_t pitch,
	bool tiled, uint32_t y_bit, enum space space)
{
	s->space = space;
	s->base = base;
	s->pitch = low16(pitch);
	s->tiling = GEN9_TILING_LINEAR;
	if (!tiled)
		return true;
	s->tiling = regs_peek(&e->model->regs, BCS_SWCTRL) & y_bit ? GEN9_TILING_Y : GEN9_TILING_X;
	s->base &= ~PAGE_MASK_4K;
	s->pitch *= 4;
	return s->pitch >= (int32_t)gen9_tile_width(s->tiling);
}

/* What most commands share: BR00, BR13, corners, destination. */
static bool rect(const struct engine *e, struct blt_rect *r, uint32_t br00, uint32_t br13,
	uint32_t first, uint32_t last, uint64_t base, enum space space)
{
	*r = (struct blt_rect){
		.x1 = low16(first),
		.y1 = high16(first),
		.x2 = low16(last),
		.y2 = high16(last),
		.bpp = depth_bytes(br13),
		.rop = (uint8_t)(br13 >> 16),
		.write = (br00 & BR00_WRITE_ALPHA ? 0xff000000 : 0) |
			 (br00 & BR00_WRITE_RGB ? 0x00ffffff : 0),
	};
	return surface(e, &r->dst, base, br13, br00 & BR00_DST_TILED, BCS_DST_Y, space);
}

/* BR24 and BR25 hold the clip rectangle; its right and bottom are outside. */
static void clip(const struct blt_setup *s, struct blt_rect *r, uint32_t br13)
{
	int32_t x1 = low16(s->clip_first), y1 = high16(s->clip_first);
	int32_t x2 = low16(s->clip_last), y2 = high16(s->clip_last);

	if (!(br13 & BR13_CLIP))
		return;
	if (r->x1 < x1) {
		r->src_x += x1 - r->x1;
		r->x1 = x1;
	}
	if (r->y1 < y1) {
		r->src_y += y1 - r->y1;
		r->y1 = y1;
	}
	r->x2 = r->x2 < x2 ? r->x2 : x2;
	r->y2 = r->y2 < y2 ? r->y2 : y2;
}

static enum cs_result undone(struct engine *e)
{
	atomic_fetch_add_explicit(&e->model->stats.blt_undone, 1, memory_order_relaxed);
	return CS_NEXT;
}

static void seeds(struct blt_rect *r, uint32_t br00)
{
	r->pattern_kind = BLT_PATTERN_8X8;
	r->pattern_x = br00 >> 12 & 7;
	r->pattern_y = br00 >> 8 & 7;
}

/* The 8 x 8 pixels at `gma`, read once. */
static enum cs_result load_pattern(
	struct engine *e, struct blt_rect *r, uint64_t gma, enum space space)
{
	uint64_t size = 8 * 8 * r->bpp, done = 0;

	while (done < size) {
		enum fault_reason why = FAULT_NONE;
		uint64_t at = gma + done;
		uint64_t n = min_u64(size - done, PAGE_SIZE_4K - (at & PAGE_MASK_4K));
		const uint8_t *p = gtt_ptr(e, at, space, false, &why);

		if (!p) {
			e->fault = (struct engine_fault){.gma = at, .space = space, .reason = why};
			return CS_FAULT;
		}
		memcpy(r->pattern + done, p, n);
		done += n;
	}
	return CS_NEXT;
}

/* ------------------------------------------------------------------ commands */

static enum cs_result xy_color(
	struct engine *e, const struct blt_setup *s, const uint32_t *dw, enum space space)
{
	struct blt_rect r;

	if (!rect(e, &r, dw[0], dw[1], dw[2], dw[3], address(&dw[4]), space))
		return undone(e);
	r.pattern_kind = BLT_PATTERN_SOLID;
	r.color = dw[6];
	clip(s, &r, dw[1]);
	return blt_draw(e, &r);
}

static enum cs_result xy_pattern(
	struct engine *e, const struct blt_setup *s, const uint32_t *dw, enum space space)
{
	enum cs_result ret;
	struct blt_rect r;

	if (!rect(e, &r, dw[0], dw[1], dw[2], dw[3], address(&dw[4]), space))
		return undone(e);
	seeds(&r, dw[0]);
	ret = load_pattern(e, &r, address(&dw[6]), space);
	if (ret != CS_NEXT)
		return ret;
	clip(s, &r, dw[1]);
	return blt_draw(e, &r);
}

static enum cs_result xy_pattern_immediate(struct engine *e, const struct blt_setup *s,
	const uint32_t *dw, unsigned int n, enum space space)
{
	struct blt_rect r;

	if (!rect(e, &r, dw[0], dw[1], dw[2], dw[3], address(&dw[4]), space))
		return undone(e);
	if (n < 6 + 8 * 8 * r.bpp / 4)
		return cs_hang(e, "XY_PAT_BLT_IMMEDIATE of %u dwords", n);
	seeds(&r, dw[0]);
	memcpy(r.pattern, &dw[6], 8 * 8 * r.bpp);
	clip(s, &r, dw[1]);
	return blt_draw(e, &r);
}

static enum cs_result xy_src_copy(
	struct engine *e, const struct blt_setup *s, const uint32_t *dw, enum space space)
{
	struct blt_rect r;

	if (!rect(e, &r, dw[0], dw[1], dw[2], dw[3], address(&dw[4]), space) ||
		!surface(e, &r.src, address(&dw[8]), dw[7], dw[0] & BR00_SRC_TILED, BCS_SRC_Y,
			space))
		return undone(e);
	r.has_src = true;
	r.src_x = low16(dw[6]);
	r.src_y = high16(dw[6]);
	clip(s, &r, dw[1]);
	return blt_draw(e, &r);
}

/*
 * FAST_COPY says its tilings itself: 0 linear, 1 X, 2 Y (legacy, or Yf by a bit in DW1), 3 64 KiB
 * tiles. Not of all depths is Yf the same; the 64 KiB ones are not done.
 */
static bool fast_surface(struct blt_surface *s, uint64_t base, uint32_t pitch, uint32_t tiling,
	bool yf, unsigned int bpp, enum space space)
{
	static const enum gen9_tiling tilings[] = {
		GEN9_TILING_LINEAR, GEN9_TILING_X, GEN9_TILING_Y};

	if (tiling > 2)
		return false;
	s->space = space;
	s->base = base;
	s->pitch = low16(pitch);
	s->tiling = tilings[tiling];
	if (s->tiling == GEN9_TILING_LINEAR)
		return true;
	if (s->tiling == GEN9_TILING_Y && yf) {
		if (bpp != 2 && bpp != 4)
			return false;
		s->tiling = GEN9_TILING_YF;
	}
	s->base &= ~PAGE_MASK_4K;
	s->pitch *= 4;
	return s->pitch >= (int32_t)gen9_tile_width(s->tiling);
}

static enum cs_result fast_copy(struct engine *e, const uint32_t *dw, enum space space)
{
	/* DW1 26:24: 8, 16, reserved, 32, 64, 128 bits a pixel. */
	static const uint8_t bytes[] = {1, 2, 0, 4, 8, 16, 0, 0};
	unsigned int bpp = bytes[dw[1] >> 24 & 7];
	struct blt_rect r = {
		.x1 = low16(dw[2]),
		.y1 = high16(dw[2]),
		.x2 = low16(dw[3]),
		.y2 = high16(dw[3]),
		.src_x = low16(dw[6]),
		.src_y = high16(dw[6]),
		.bpp = bpp,
		.rop = 0xcc,
		.write = UINT32_MAX,
		.has_src = true,
	};

	if (!bpp ||
		!fast_surface(&r.dst, address(&dw[4]), dw[1], dw[0] >> 13 & 3, dw[1] & BIT(30), bpp,
			space) ||
		!fast_surface(&r.src, address(&dw[8]), dw[7], dw[0] >> 20 & 3, dw[1] & BIT(31), bpp,
			space))
		return undone(e);
	return blt_draw(e, &r);
}

/* COLOR_BLT, SRC_COPY_BLT: height and width in bytes from an address on; no clipping, no tiling. */
static enum cs_result plain(struct engine *e, const uint32_t *dw, bool copy, enum space space)
{
	unsigned int bpp = depth_bytes(dw[1]);
	struct blt_rect r = {
		.x2 = (int32_t)((dw[2] & 0xffff) / bpp),
		.y2 = (int32_t)(dw[2] >> 16),
		.bpp = bpp,
		.rop = (uint8_t)(dw[1] >> 16),
		.write = (dw[0] & BR00_WRITE_ALPHA ? 0xff000000 : 0) |
			 (dw[0] & BR00_WRITE_RGB ? 0x00ffffff : 0),
		.has_src = copy,
		.pattern_kind = copy ? BLT_PATTERN_NONE : BLT_PATTERN_SOLID,
		.color = copy ? 0 : dw[5],
	};

	surface(e, &r.dst, address(&dw[3]), dw[1], false, 0, space);
	if (copy)
		surface(e, &r.src, address(&dw[6]), dw[5], false, 0, space);
	return blt_draw(e, &r);
}

static enum cs_result setup(struct blt_setup *s, const uint32_t *dw)
{
	s->br00 = dw[0];
	s->br13 = dw[1];
	s->clip_first = dw[2];
	s->clip_last = dw[3];
	s->dst = address(&dw[4]);
	s->pattern = address(&dw[8]);
	return CS_NEXT;
}

/* A rectangle of the pattern and surface that XY_SETUP_BLT left; always clipped. */
static enum cs_result scanlines(
	struct engine *e, const struct blt_setup *s, const uint32_t *dw, enum space space)
{
	enum cs_result ret;
	struct blt_rect r;

	if (!rect(e, &r, s->br00, s->br13, dw[1], dw[2], s->dst, space))
		return undone(e);
	seeds(&r, dw[0]);
	ret = load_pattern(e, &r, s->pattern, space);
	if (ret != CS_NEXT)
		return ret;
	clip(s, &r, s->br13 | BR13_CLIP);
	return blt_draw(e, &r);
}

static enum cs_result run(struct engine *e, const uint32_t *dw, unsigned int n, enum space space)
{
	struct blt_setup *s = &e->model->blt_setup;
	static const struct {
		uint8_t opcode, dwords;
	} lengths[] = {
		{OP_SETUP_BLT, 10},
		{OP_SETUP_CLIP_BLT, 3},
		{OP_SCANLINES_BLT, 3},
		{OP_COLOR_BLT, 6},
		{OP_FAST_COPY_BLT, 10},
		{OP_SRC_COPY_BLT, 8},
		{OP_XY_COLOR_BLT, 7},
		{OP_XY_PAT_BLT, 8},
		{OP_XY_SRC_COPY_BLT, 10},
		{OP_XY_PAT_BLT_IMMEDIATE, 6},
	};
	uint32_t op = dw[0] >> 22 & 0x7f;

	/* Set-up commands count for the context they came in. */
	if (s->context != e->pphwsp)
		*s = (struct blt_setup){.context = e->pphwsp};
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		if (lengths[i].opcode == op && n < lengths[i].dwords)
			return cs_hang(e, "blit %02x of %u dwords", op, n);
	}
	switch ((enum blt_opcode)op) {
	case OP_SETUP_BLT:
		return setup(s, dw);
	case OP_SETUP_CLIP_BLT:
		s->clip_first = dw[1];
		s->clip_last = dw[2];
		return CS_NEXT;
	case OP_SCANLINES_BLT:
		return scanlines(e, s, dw, space);
	case OP_COLOR_BLT:
		return plain(e, dw, false, space);
	case OP_SRC_COPY_BLT:
		return plain(e, dw, true, space);
	case OP_FAST_COPY_BLT:
		return fast_copy(e, dw, space);
	case OP_XY_COLOR_BLT:
		return xy_color(e, s, dw, space);
	case OP_XY_PAT_BLT:
		return xy_pattern(e, s, dw, space);
	case OP_XY_PAT_BLT_IMMEDIATE:
		return xy_pattern_immediate(e, s, dw, n, space);
	case OP_XY_SRC_COPY_BLT:
		return xy_src_copy(e, s, dw, space);
	}
	return undone(e);
}

enum cs_result blt_run(struct engine *e, const struct cmd_row *row, const uint32_t *dw,
	unsigned int n, enum space space)
{
	enum cs_result ret = run(e, dw, n, space);

	/* Only a blit that goes on later has come anywhere: blt_draw(). */
	if (ret == CS_NEXT)
		e->cs.blt_rows = e->cs.blt_bytes = 0;
	return ret;
}

/* ------------------------------------------------------------------ state */

void blt_save(void *obj, struct buf *out)
{
	struct model *m = obj;
	const struct blt_setup *s = &m->blt_setup;

	lock_acquire(&m->engine[BCS0].lock);
	buf_put_u32(out, s->context);
	buf_put_u32(out, s->br00);
	buf_put_u32(out, s->br13);
	buf_put_u32(out, s->clip_first);
	buf_put_u32(out, s->clip_last);
	buf_put_u64(out, s->dst);
	buf_put_u64(out, s->pattern);
	lock_release(&m->engine[BCS0].lock);
}

int blt_load(void *obj, struct buf_reader *in, uint32_t version, struct err *e)
{
	struct model *m = obj;
	struct blt_setup s; /* any values will do: a guest can set them all */

	if (version != BLT_STATE_VERSION)
		return err_set(e, -ENOTSUP, NULL, "blitter state of version %u", version);
	s.context = buf_get_u32(in);
	s.br00 = buf_get_u32(in);
	s.br13 = buf_get_u32(in);
	s.clip_first = buf_get_u32(in);
	s.clip_last = buf_get_u32(in);
	s.dst = buf_get_u64(in);
	s.pattern = buf_get_u64(in);
	if (in->failed)
		return err_set(e, -EINVAL, NULL, "state of the blitter: cut short");
	lock_acquire(&m->engine[BCS0].lock);
	m->blt_setup = s;
	lock_release(&m->engine[BCS0].lock);
	return 0;
}
