// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a pipe shows, composited into XRGB8888.
 *
 * The display says which planes are on and where (soc/display.h); their pixels are read through the
 * GGTT, row by row, only what is visible. What is not mapped is black. Planes are blended bottom to
 * top. Scaled planes take the nearest pixel; formats that the software display does not show, and
 * planes turned by 90 or 270 degrees, are left out and counted.
 */
#include <errno.h>

#include "gen9/tiling.h"
#include "gpu/model/gtt.h"

#define ROW_PIXELS SOC_PIPE_SIZE_MAX

/* Reading surfaces: the page that was reached last, valid within one epoch section. */
struct reader {
	struct model *m;
	uint64_t page; /* gma, or UINT64_MAX */
	const uint8_t *ptr;
};

static const uint8_t *reach(struct reader *r, uint64_t gma)
{
	uint64_t page = gma & ~PAGE_MASK_4K;
	enum fault_reason why;

	if (page != r->page) {
		r->page = page;
		r->ptr = ggtt_ptr(r->m, page, false, &why);
	}
	return r->ptr ? r->ptr + (gma & PAGE_MASK_4K) : NULL;
}

static enum gen9_tiling tiling_of(enum gen9_plane_tiling t)
{
	switch (t) {
	case GEN9_PLANE_X:
		return GEN9_TILING_X;
	case GEN9_PLANE_Y:
		return GEN9_TILING_Y;
	case GEN9_PLANE_YF:
		return GEN9_TILING_YF;
	case GEN9_PLANE_LINEAR:
		break;
	}
	return GEN9_TILING_LINEAR;
}

/* `n` bytes from byte `x` of row `y` of the plane's surface on. */
static void read_row(struct reader *r, const struct soc_plane_state *p, uint64_t x, uint64_t y,
	uint8_t *out, uint64_t n)
{
	enum gen9_tiling t = tiling_of(p->tiling);

	while (n) {
		uint64_t gma = p->surf.v + gen9_tile_offset(t, p->stride_bytes, x, y);
		uint64_t run = min_u64(gen9_tile_run(t, x), PAGE_SIZE_4K - (gma & PAGE_MASK_4K));
		const uint8_t *from = reach(r, gma);

		run = min_u64(run, n);
		if (from)
			memcpy(out, from, run);
		else
			memset(out, 0, run);
		out += run;
		x += run;
		n -= run;
	}
}

/* ------------------------------------------------------------------ pixels */

static uint32_t expand(uint32_t v, unsigned int bits)
{
	return bits == 5 ? v << 3 | v >> 2 : v << 2 | v >> 4;
}

/* One pixel as ARGB8888; alpha is the memory's, whatever it means. */
static uint32_t argb(enum gen9_pixel format, const uint8_t *p)
{
	uint16_t h;
	uint32_t v;

	if (format == GEN9_PIXEL_RGB565) {
		memcpy(&h, p, 2);
		return expand(h >> 11, 5) << 16 | expand(h >> 5 & 63, 6) << 8 | expand(h & 31, 5);
	}
	memcpy(&v, p, 4);
	switch (format) {
	case GEN9_PIXEL_XBGR8888:
	case GEN9_PIXEL_ABGR8888:
		return (v & 0xff00ff00) | (v & 0xff) << 16 | (v >> 16 & 0xff);
	case GEN9_PIXEL_XRGB2101010:
		return (v >> 22 & 0xff) << 16 | (v >> 12 & 0xff) << 8 | (v >> 2 & 0xff);
	case GEN9_PIXEL_XBGR2101010:
		return (v >> 2 & 0xff) << 16 | (v >> 12 & 0xff) << 8 | (v >> 22 & 0xff);
	default:
		return v;
	}
}

static uint32_t div255(uint32_t v)
{
	return (v + 128 + ((v + 128) >> 8)) >> 8;
}

static uint32_t blend(uint32_t below, uint32_t above, enum gen9_plane_alpha kind, uint8_t constant)
{
	uint32_t a = kind == GEN9_ALPHA_NONE ? 255 : above >> 24, out = 0;
	uint32_t weight = kind == GEN9_ALPHA_STRAIGHT ? div255(a * constant) : constant;
	uint32_t rest = 255 - div255(a * constant);

	for (unsigned int shift = 0; shift < 24; shift += 8) {
		uint32_t v = div255((above >> shift & 0xff) * weight) +
			     div255((below >> shift & 0xff) * rest);

		out |= (v > 255 ? 255 : v) << shift; /* "premultiplied" may lie */
	}
	return out;
}

/* ------------------------------------------------------------------ planes */

static bool plane_done(const struct soc_plane_state *p)
{
	return p->format->supported && (p->rotation == 0 || p->rotation == 180) &&
	       (p->tiling != GEN9_PLANE_YF || p->format->bytes == 2 || p->format->bytes == 4);
}

/* The part of row `y` of the pipe that plane `p` covers goes over `line`. */
static void plane_row(struct reader *r, const struct soc_plane_state *p, uint32_t *line,
	uint32_t width, uint32_t y)
{
	uint8_t raw[ROW_PIXELS * 4];
	int64_t top = (int64_t)y - p->y;
	int64_t first = p->x < 0 ? -(int64_t)p->x : 0; /* within the window */
	int64_t last =
		min_u64(p->dst_w, p->x < (int64_t)width ? (uint64_t)((int64_t)width - p->x) : 0);
	bool scaled = p->dst_w != p->w || p->dst_h != p->h;
	bool turned = p->rotation == 180;
	unsigned int bytes = p->format->bytes;
	uint64_t row, from, to;

	if (top < 0 || top >= p->dst_h || first >= last || !p->w || !p->h)
		return;
	/* Rows and columns of the surface that are needed: [from, to) of `row`. */
	row = scaled ? (uint64_t)top * p->h / p->dst_h : (uint64_t)top;
	from = scaled ? (uint64_t)first * p->w / p->dst_w : (uint64_t)first;
	to = scaled ? (uint64_t)(last - 1) * p->w / p->dst_w + 1 : (uint64_t)last;
	if (turned) {
		uint64_t t = p->w - to;

		row = p->h - 1 - row;
		to = p->w - from;
		from = t;
	}
	if (to - from > ROW_PIXELS)
		to = from + ROW_PIXELS;
	read_row(r, p, (p->src_x + from) * bytes, p->src_y + row, raw, (to - from) * bytes);

	for (int64_t i = first; i < last; i++) {
		uint64_t column = scaled ? (uint64_t)i * p->w / p->dst_w : (uint64_t)i;
		uint32_t *out = &line[p->x + i];
		uint32_t v;

		if (turned)
			column = p->w - 1 - column;
		if (column - from >= to - from)
			continue;
		v = argb(p->format->pixel, raw + (column - from) * bytes);
		if (p->alpha == GEN9_ALPHA_NONE && p->plane_alpha == 255)
			*out = v & 0xffffff;
		else
			*out = blend(*out, v, p->alpha, p->plane_alpha);
	}
}

int scanout_frame(struct gpu *g, unsigned int pipe, struct gpu_frame *f)
{
	struct model *m = to_model(g);
	struct soc_plane_state planes[SOC_PLANES_MAX];
	struct reader r = {.m = m, .page = UINT64_MAX};
	struct soc_pipe_state state;
	uint64_t need;
	int n;

	n = soc_display_scanout(&m->soc.display, pipe, &state, planes, ARRAY_SIZE(planes));
	if (n < 0)
		return n;
	f->width = state.width;
	f->height = state.height;
	f->frame = state.frame;
	f->on = state.on;
	f->stride = f->width * 4;
	need = (uint64_t)f->stride * f->height;
	if (f->width > ROW_PIXELS || f->height > ROW_PIXELS)
		return -EINVAL;
	if (!f->pixels || f->size_bytes < need)
		return -ENOSPC;
	atomic_fetch_add_explicit(&m->stats.frames, 1, memory_order_relaxed);
	if (!state.on) {
		memset(f->pixels, 0, need);
		return 0;
	}
	for (int i = 0; i < n; i++) {
		if (!plane_done(&planes[i]))
			atomic_fetch_add_explicit(&m->stats.planes_undone, 1, memory_order_relaxed);
	}
	for (uint32_t y = 0; y < f->height; y++) {
		uint32_t line[ROW_PIXELS];

		for (uint32_t x = 0; x < f->width; x++)
			line[x] = state.background & 0xffffff;
		/* A section a row: an unmap waits for no picture. */
		ggtt_user_enter(m, &m->scanout);
		r.page = UINT64_MAX;
		for (int i = 0; i < n; i++) {
			if (planes[i].on && plane_done(&planes[i]))
				plane_row(&r, &planes[i], line, f->width, y);
		}
		ggtt_user_leave(&m->scanout);
		memcpy(f->pixels + (uint64_t)y * f->stride, line, f->stride);
	}
	return 0;
}
