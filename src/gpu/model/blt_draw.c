// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Drawing of the blitter.
 *
 * A rectangle is drawn row by row, a row in spans of at most SPAN bytes. A plain copy moves bytes from
 * run to run (a run is what is contiguous in both surfaces and in one page of each); a solid fill
 * writes runs from a prepared span; everything else gathers source, pattern and destination into
 * buffers, combines them and writes the result. Overlapping copies go through a buffer and in an order
 * that reads each byte before it is overwritten.
 *
 * Pointers into guest memory live from one look-up to the copy behind it. After each 64 KiB, or when an
 * unmap waits, the engine breathes, so that an unmap or a reset waits for no long blit. Nothing here
 * trusts an address: each goes through the TLB modulo 2^48, and every loop is bounded by 16-bit
 * coordinates.
 *
 * A span is drawn whole or not at all, where drawing it twice is not the same: everything is read and
 * every place to write is looked up before the first byte is written. So when a page was unmapped a
 * moment ago the engine waits for it and draws the span again; and when a request (a pause, a reset
 * that is asked for) comes, the spans that are done are noted in the context's state, and the command,
 * run again, goes on behind them.
 *
 * Source: PRM volume 10, "Blitter" (BLT engine, raster operations, XY addressing).
 */
#include "gpu/model/blt_draw.h"

#include "gpu/model/gtt.h"

#define SPAN	      4096u
#define BREATHE_BYTES KIB(64)
#define ADDRESS_MASK  (BIT64(48) - 1)

#define ROP_SRCCOPY 0xcc
#define ROP_PATCOPY 0xf0

enum row_kind { ROW_COPY, ROW_BUFFERED_COPY, ROW_FILL, ROW_GENERAL };

struct draw {
	struct engine *e;
	struct blt_rect *r;
	enum row_kind kind;
	const uint8_t *fill; /* ROW_FILL: a span of the color */
	int64_t left, right; /* bytes of a row that are drawn: [left, right) */
	bool columns_down;   /* spans go from right to left */
	bool rows_down;	     /* rows go from bottom to top */
	bool overlap;
	uint64_t since; /* bytes since the last breath */
};

/* ------------------------------------------------------------------ reaching a surface */

/* The graphics address of byte `x` of row `y`; *run: how many bytes from there on are contiguous. */
static uint64_t address(const struct blt_surface *s, int64_t x, int64_t y, uint64_t *run)
{
	uint64_t gma, in_page;

	if (s->tiling == GEN9_TILING_LINEAR) {
		gma = s->base + (uint64_t)(y * s->pitch + x);
		*run = SPAN;
	} else if (s->tiling == GEN9_TILING_YF) {
		gma = s->base + gen9_tile_yf_offset((uint32_t)s->pitch, (uint64_t)x, (uint64_t)y);
		*run = gen9_tile_run(s->tiling, (uint64_t)x);
	} else {
		gma = s->base + gen9_tile_row(s->tiling, (uint32_t)s->pitch, (uint64_t)y) +
		      gen9_tile_column(s->tiling, (uint64_t)x);
		*run = gen9_tile_run(s->tiling, (uint64_t)x);
	}
	if (s->space == SPACE_PPGTT)
		gma &= ADDRESS_MASK;
	in_page = PAGE_SIZE_4K - (gma & PAGE_MASK_4K);
	*run = min_u64(*run, in_page);
	return gma;
}

static uint8_t *reach(struct engine *e, const struct blt_surface *s, int64_t x, int64_t y,
	bool write, uint64_t *run)
{
	enum fault_reason why = FAULT_NONE;
	uint64_t gma = address(s, x, y, run);
	uint8_t *p = gtt_ptr(e, gma, s->space, write, &why);

	if (unlikely(!p))
		e->fault = (struct engine_fault){
			.gma = gma, .space = s->space, .reason = why, .write = write};
	return p;
}

/* The page of the tile of a Y-major surface that byte `x` of row `y` is in. */
static uint8_t *reach_tile_y(
	struct engine *e, const struct blt_surface *s, int64_t x, int64_t y, bool write)
{
	struct blt_surface tile = *s;
	uint64_t run;

	/* The tile is one page from its start on; as a linear surface that is what it is. */
	tile.base += (gen9_tile_row(s->tiling, (uint32_t)s->pitch, (uint64_t)y) & ~PAGE_MASK_4K) +
		     (uint64_t)x / 128 * PAGE_SIZE_4K;
	tile.tiling = GEN9_TILING_LINEAR;
	return reach(e, &tile, 0, 0, write, &run);
}

/*
 * Bytes [at, at + n) of a row that is `in_tile` bytes from the start of a Y-major tile: 128 bytes of it
 * are in the page, 16 by 16. They come from `buf` when `write`, else they go there.
 */
static inline void copy_tile_y(
	uint8_t *page, uint64_t in_tile, uint64_t at, uint8_t *buf, uint64_t n, bool write)
{
	while (n) {
		uint8_t *p = page + at / 16 * 512 + in_tile + at % 16;
		uint64_t m = min_u64(16 - at % 16, n);

		if (likely(m == 16)) /* a length the compiler knows */
			memcpy(write ? p : buf, write ? buf : p, 16);
		else
			memcpy(write ? p : buf, write ? buf : p, m);
		buf += m;
		at += m;
		n -= m;
	}
}

static bool read_span_y(struct engine *e, const struct blt_surface *s, int64_t x, int64_t y,
	uint8_t *out, uint64_t n)
{
	uint64_t in_tile = (uint64_t)y % 32 * 16;

	while (n) {
		uint64_t at = (uint64_t)x % 128, m = min_u64(128 - at, n);
		uint8_t *page = reach_tile_y(e, s, x, y, false);

		if (!page)
			return false;
		copy_tile_y(page, in_tile, at, out, m, false);
		out += m;
		x += (int64_t)m;
		n -= m;
	}
	return true;
}

static bool read_span(struct engine *e, const struct blt_surface *s, int64_t x, int64_t y,
	uint8_t *out, uint64_t n)
{
	if (s->tiling == GEN9_TILING_Y)
		return read_span_y(e, s, x, y, out, n);
	while (n) {
		uint64_t run, m;
		const uint8_t *p = reach(e, s, x, y, false, &run);

		if (!p)
			return false;
		m = min_u64(run, n);
		memcpy(out, p, m);
		out += m;
		x += (int64_t)m;
		n -= m;
	}
	return true;
}

/*
 * Where a span is written: its pieces (of Y-major surfaces: the pages of its tiles), all looked up in
 * one epoch section and good until it ends.
 */
struct places {
	unsigned int count;
	struct {
		uint8_t *p;
		uint64_t n;
	} piece[SPAN / 16 + 2]; /* the shortest runs are Yf's */
};

static bool find_places(struct engine *e, const struct blt_surface *s, int64_t x, int64_t y,
	uint64_t n, struct places *to)
{
	to->count = 0;
	while (n) {
		uint64_t run = 128 - (uint64_t)x % 128;
		uint8_t *p = s->tiling == GEN9_TILING_Y ? reach_tile_y(e, s, x, y, true)
							: reach(e, s, x, y, true, &run);

		if (!p)
			return false;
		run = min_u64(run, n);
		to->piece[to->count].p = p;
		to->piece[to->count++].n = run;
		x += (int64_t)run;
		n -= run;
	}
	return true;
}

static void fill_places(const struct places *to, const struct blt_surface *s, int64_t x, int64_t y,
	const uint8_t *in)
{
	uint64_t in_tile = (uint64_t)y % 32 * 16;

	for (unsigned int i = 0; i < to->count; i++) {
		uint64_t n = to->piece[i].n;

		if (s->tiling == GEN9_TILING_Y) /* `in` is only read from */
			copy_tile_y(
				to->piece[i].p, in_tile, (uint64_t)x % 128, (uint8_t *)in, n, true);
		else
			memcpy(to->piece[i].p, in, n);
		in += n;
		x += (int64_t)n;
	}
}

static bool write_span(struct engine *e, const struct blt_surface *s, int64_t x, int64_t y,
	const uint8_t *in, uint64_t n)
{
	struct places to;

	if (!find_places(e, s, x, y, n, &to))
		return false;
	fill_places(&to, s, x, y, in);
	return true;
}

/*
 * Source to destination without a buffer, where they do not overlap: what has been copied before a
 * fault may be copied again. memmove: two addresses may lead to one page.
 */
static bool copy_span(struct engine *e, const struct blt_rect *r, int64_t x, int64_t y, int64_t sx,
	int64_t sy, uint64_t n)
{
	while (n) {
		uint64_t run, from_run, m;
		const uint8_t *from = reach(e, &r->src, sx, sy, false, &from_run);
		uint8_t *to;

		if (!from)
			return false;
		to = reach(e, &r->dst, x, y, true, &run);
		if (!to)
			return false;
		m = min_u64(min_u64(run, from_run), n);
		memmove(to, from, m);
		x += (int64_t)m;
		sx += (int64_t)m;
		n -= m;
	}
	return true;
}

/* ------------------------------------------------------------------ patterns, raster operations */

/* `n` bytes of pixels of `color`, from a pixel's first byte on. n is a multiple of 16 or the last. */
static void fill_color(uint8_t *out, uint32_t color, unsigned int bpp, uint64_t n)
{
	uint8_t unit[16];

	for (unsigned int i = 0; i < sizeof(unit); i += bpp)
		memcpy(unit + i, &color, bpp);
	for (uint64_t i = 0; i < n; i += sizeof(unit))
		memcpy(out + i, unit, min_u64(sizeof(unit), n - i));
}

static void fill_8x8(uint8_t *out, const struct blt_rect *r, int64_t px, int64_t y, uint64_t n)
{
	const uint8_t *row = r->pattern + ((uint64_t)y + r->pattern_y) % 8 * 8 * r->bpp;
	uint64_t x = ((uint64_t)px + r->pattern_x) % 8 * r->bpp;

	for (uint64_t i = 0; i < n; i += r->bpp) {
		memcpy(out + i, row + x, r->bpp);
		x = (x + r->bpp) % (8 * r->bpp);
	}
}

/* d = rop(p, s, d) on whole words; the buffers are SPAN long, n is rounded up. */
static void combine(uint8_t rop, const uint64_t *restrict p, const uint64_t *restrict s,
	uint64_t *restrict d, uint64_t n)
{
	uint64_t m[8];

	for (unsigned int i = 0; i < 8; i++)
		m[i] = rop & BIT(i) ? UINT64_MAX : 0;
	for (uint64_t i = 0; i < (n + 7) / 8; i++) {
		uint64_t a = p[i], b = s[i], c = d[i];

		d[i] = (m[0] & ~a & ~b & ~c) | (m[1] & ~a & ~b & c) | (m[2] & ~a & b & ~c) |
		       (m[3] & ~a & b & c) | (m[4] & a & ~b & ~c) | (m[5] & a & ~b & c) |
		       (m[6] & a & b & ~c) | (m[7] & a & b & c);
	}
}

static bool rop_uses_src(uint8_t rop)
{
	return ((rop >> 2) & 0x33) != (rop & 0x33);
}

static bool rop_uses_dst(uint8_t rop)
{
	return ((rop >> 1) & 0x55) != (rop & 0x55);
}

static bool rop_uses_pattern(uint8_t rop)
{
	return (rop >> 4) != (rop & 0xf);
}

/* ------------------------------------------------------------------ spans */

static bool span_general(struct draw *d, int64_t x, int64_t y, int64_t sx, int64_t sy, uint64_t n)
{
	struct blt_rect *r = d->r;
	bool masked = r->bpp == 4 && r->write != UINT32_MAX;
	uint64_t p[SPAN / 8], s[SPAN / 8], t[SPAN / 8], old[SPAN / 8];

	if (n % 8) { /* combine() reads whole words */
		p[n / 8] = s[n / 8] = old[n / 8] = 0;
	}
	if (rop_uses_pattern(r->rop) && r->pattern_kind == BLT_PATTERN_SOLID)
		fill_color((uint8_t *)p, r->color, r->bpp, n);
	else if (rop_uses_pattern(r->rop) && r->pattern_kind == BLT_PATTERN_8X8)
		fill_8x8((uint8_t *)p, r, x / r->bpp, y, n);
	else
		memset(p, 0, n);
	if (rop_uses_src(r->rop) && r->has_src) {
		if (!read_span(d->e, &r->src, sx, sy, (uint8_t *)s, n))
			return false;
	} else {
		memset(s, 0, n);
	}
	if (rop_uses_dst(r->rop) || masked) {
		if (!read_span(d->e, &r->dst, x, y, (uint8_t *)old, n))
			return false;
	} else {
		memset(old, 0, n);
	}
	memcpy(t, old, (n + 7) / 8 * 8);
	combine(r->rop, p, s, t, n);
	if (masked) {
		uint64_t w = (uint64_t)r->write << 32 | r->write;

		for (uint64_t i = 0; i < (n + 7) / 8; i++)
			t[i] = (t[i] & w) | (old[i] & ~w);
	}
	return write_span(d->e, &r->dst, x, y, (const uint8_t *)t, n);
}

static bool span_buffered_copy(
	struct draw *d, int64_t x, int64_t y, int64_t sx, int64_t sy, uint64_t n)
{
	uint8_t buf[SPAN];

	return read_span(d->e, &d->r->src, sx, sy, buf, n) &&
	       write_span(d->e, &d->r->dst, x, y, buf, n);
}

/* Leaves the epoch section when it has been long. True: stop here. */
static bool breathe(struct draw *d, uint64_t n)
{
	d->since += n;
	d->e->cost_ns += n / 16; /* virtual clock: 16 GB/s */
	if (d->since < BREATHE_BYTES &&
		likely(!(atomic_load_explicit(&d->e->request, memory_order_relaxed) &
			 ENGINE_REQ_BREATHE)))
		return false;
	d->since = 0;
	return cs_breathe(d->e);
}

/* `n` bytes of row `y` from byte `x` on, whole or not at all. False with e->fault. */
static bool draw_span(struct draw *d, int64_t x, int64_t y, uint64_t n)
{
	struct blt_rect *r = d->r;
	int64_t sx = x + ((int64_t)r->src_x - r->x1) * r->bpp;
	int64_t sy = r->src_y + (y - r->y1);

	switch (d->kind) {
	case ROW_COPY:
		return copy_span(d->e, r, x, y, sx, sy, n);
	case ROW_BUFFERED_COPY:
		return span_buffered_copy(d, x, y, sx, sy, n);
	case ROW_FILL:
		return write_span(d->e, &r->dst, x, y, d->fill, n);
	case ROW_GENERAL:
		break;
	}
	return span_general(d, x, y, sx, sy, n);
}

/* Row `y` from the *done'th byte on, in drawing order; *done keeps up. */
static enum cs_result draw_row(struct draw *d, int64_t y, uint32_t *done)
{
	uint64_t width = (uint64_t)(d->right - d->left);

	while (*done < width) {
		uint64_t left = width - *done, n = min_u64(left, SPAN);
		/* From the right, the odd piece comes last, so that all but it are whole spans. */
		int64_t x = d->columns_down ? d->left + (int64_t)(left - n) : d->left + *done;

		if (unlikely(!draw_span(d, x, y, n))) {
			if (!gtt_await_map(d->e))
				return CS_FAULT;
			if (atomic_load(&d->e->request) & (ENGINE_REQ_PARK | ENGINE_REQ_QUIT))
				return CS_ABORT;
			continue;
		}
		*done += (uint32_t)n;
		if (breathe(d, n))
			return CS_ABORT;
	}
	return CS_NEXT;
}

/* ------------------------------------------------------------------ a rectangle */

/* Moves the upper left corner to (x, y) at least, the source with it. */
static void clip_corner(struct blt_rect *r, int32_t x, int32_t y)
{
	if (r->x1 < x) {
		r->src_x += x - r->x1;
		r->x1 = x;
	}
	if (r->y1 < y) {
		r->src_y += y - r->y1;
		r->y1 = y;
	}
}

/* Tiles have no negative coordinates: what lies there is not drawn. */
static void clip_tiled(struct blt_rect *r)
{
	if (r->dst.tiling != GEN9_TILING_LINEAR)
		clip_corner(r, 0, 0);
	if (r->has_src && r->src.tiling != GEN9_TILING_LINEAR)
		clip_corner(r, r->src_x < 0 ? r->x1 - r->src_x : r->x1,
			r->src_y < 0 ? r->y1 - r->src_y : r->y1);
}

/* First byte and the one behind the last that a rectangle of a surface may touch. */
static void extent(const struct blt_surface *s, int64_t x, int64_t y, int64_t bytes, int64_t rows,
	uint64_t *first, uint64_t *last)
{
	int64_t a, b;

	if (s->tiling == GEN9_TILING_LINEAR) {
		a = y * s->pitch;
		b = (y + rows - 1) * s->pitch;
		*first = s->base + (uint64_t)((a < b ? a : b) + x);
		*last = s->base + (uint64_t)((a < b ? b : a) + x + bytes);
	} else {
		int64_t h = gen9_tile_height(s->tiling);

		*first = s->base + (uint64_t)(y / h * h * s->pitch);
		*last = s->base +
			(uint64_t)(((y + rows + h - 1) / h * h + h) * s->pitch + x + bytes + 4096);
	}
}

/* Decides the order in which rows and columns go so that nothing is overwritten before it is read. */
static void order(struct draw *d)
{
	struct blt_rect *r = d->r;
	int64_t bytes = d->right - d->left, rows = (int64_t)r->y2 - r->y1;
	uint64_t df, dl, sf, sl;

	if (!r->has_src || !rop_uses_src(r->rop) || r->src.space != r->dst.space)
		return;
	extent(&r->dst, d->left, r->y1, bytes, rows, &df, &dl);
	extent(&r->src, (int64_t)r->src_x * r->bpp, r->src_y, bytes, rows, &sf, &sl);
	/* Extents that wrap compare wrong; then at worst the order of an impossible copy is. */
	if (df >= sl || sf >= dl)
		return;
	d->overlap = true;
	if (r->src.tiling != r->dst.tiling || r->src.pitch != r->dst.pitch)
		return; /* no order is right for every byte */
	if (r->dst.tiling == GEN9_TILING_LINEAR) {
		int64_t to = (int64_t)(r->dst.base +
				       (uint64_t)((int64_t)r->y1 * r->dst.pitch + d->left));
		int64_t from = (int64_t)(r->src.base + (uint64_t)((int64_t)r->src_y * r->src.pitch +
								  (int64_t)r->src_x * r->bpp));

		d->columns_down = to > from;
		d->rows_down = d->columns_down != (r->dst.pitch < 0);
	} else {
		d->rows_down = r->y1 > r->src_y;
		d->columns_down = r->y1 == r->src_y && r->x1 > r->src_x;
	}
}

/* All rows, or those that are left of a blit that was stopped. */
static enum cs_result draw_rows(struct draw *d)
{
	struct cs_state *cs = &d->e->cs;
	struct blt_rect *r = d->r;
	int64_t rows = (int64_t)r->y2 - r->y1;
	uint32_t done = cs->blt_bytes;

	/* In a stream from elsewhere they may have been anything. */
	done -= done % r->bpp;
	for (int64_t i = cs->blt_rows; i < rows; i++) {
		enum cs_result ret = draw_row(d, d->rows_down ? r->y2 - 1 - i : r->y1 + i, &done);

		if (ret == CS_ABORT) {
			cs->blt_rows = (uint32_t)i;
			cs->blt_bytes = done;
		}
		if (ret != CS_NEXT)
			return ret;
		done = 0;
	}
	cs->blt_rows = cs->blt_bytes = 0;
	return CS_NEXT;
}

enum cs_result blt_draw(struct engine *e, struct blt_rect *r)
{
	struct draw d = {.e = e, .r = r};
	uint8_t fill[SPAN];
	bool whole = r->bpp != 4 || r->write == UINT32_MAX;

	if (r->bpp == 4 && r->write == 0)
		return CS_NEXT;
	clip_tiled(r);
	if (r->x1 >= r->x2 || r->y1 >= r->y2)
		return CS_NEXT;
	d.left = (int64_t)r->x1 * r->bpp;
	d.right = (int64_t)r->x2 * r->bpp;
	order(&d);

	if (r->rop == ROP_SRCCOPY && r->has_src && whole) {
		/* Y-major runs are short: they are gathered faster than matched. */
		bool gather = r->dst.tiling == GEN9_TILING_Y || r->src.tiling == GEN9_TILING_Y;

		d.kind = d.overlap || gather ? ROW_BUFFERED_COPY : ROW_COPY;
	} else if (r->rop == ROP_PATCOPY && r->pattern_kind == BLT_PATTERN_SOLID && whole) {
		d.kind = ROW_FILL;
		d.fill = fill;
		fill_color(fill, r->color, r->bpp, SPAN);
	} else {
		d.kind = ROW_GENERAL;
	}
	return draw_rows(&d);
}
