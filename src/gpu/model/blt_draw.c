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
 * Pointers into guest memory live from one look-up to the copy behind it. After each 64 KiB the engine
 * breathes, so that an unmap or a reset waits for no long blit. Nothing here trusts an address: each
 * goes through the TLB modulo 2^48, and every loop is bounded by 16-bit coordinates.
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

struct draw {
	struct engine *e;
	struct blt_rect *r;
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

/*
 * A row of a Y-major surface, a tile at a time: 128 bytes of it are in one page, 16 by 16. `buf` is
 * where they go, or come from when `write`.
 */
static bool span_y(struct engine *e, const struct blt_surface *s, int64_t x, int64_t y,
	uint8_t *buf, uint64_t n, bool write)
{
	uint64_t row = gen9_tile_row(s->tiling, (uint32_t)s->pitch, (uint64_t)y) & ~PAGE_MASK_4K;
	uint64_t in_tile = (uint64_t)y % 32 * 16;

	while (n) {
		struct blt_surface tile = *s;
		uint64_t at = (uint64_t)x % 128, left = min_u64(128 - at, n), run;
		uint8_t *page;

		/* The tile is one page from its start on; as a linear surface that is what it is. */
		tile.base += row + (uint64_t)x / 128 * PAGE_SIZE_4K;
		tile.tiling = GEN9_TILING_LINEAR;
		page = reach(e, &tile, 0, 0, write, &run);
		if (!page)
			return false;
		x += (int64_t)left;
		n -= left;
		while (left) {
			uint8_t *p = page + at / 16 * 512 + in_tile + at % 16;
			uint64_t m = min_u64(16 - at % 16, left);

			if (likely(m == 16)) /* a length the compiler knows */
				memcpy(write ? p : buf, write ? buf : p, 16);
			else
				memcpy(write ? p : buf, write ? buf : p, m);
			buf += m;
			at += m;
			left -= m;
		}
	}
	return true;
}

static bool read_span(struct engine *e, const struct blt_surface *s, int64_t x, int64_t y,
	uint8_t *out, uint64_t n)
{
	if (s->tiling == GEN9_TILING_Y)
		return span_y(e, s, x, y, out, n, false);
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

static bool write_span(struct engine *e, const struct blt_surface *s, int64_t x, int64_t y,
	const uint8_t *in, uint64_t n)
{
	if (s->tiling == GEN9_TILING_Y)
		return span_y(e, s, x, y, (uint8_t *)in, n, true); /* only read from */
	while (n) {
		uint64_t run, m;
		uint8_t *p = reach(e, s, x, y, true, &run);

		if (!p)
			return false;
		m = min_u64(run, n);
		memcpy(p, in, m);
		in += m;
		x += (int64_t)m;
		n -= m;
	}
	return true;
}

/* Source to destination without a buffer. memmove: two addresses may lead to one page. */
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

/* Leaves the epoch section when it has been long. True: drop everything. */
static bool breathe(struct draw *d, uint64_t n)
{
	d->since += n;
	d->e->cost_ns += n / 16; /* virtual clock: 16 GB/s */
	if (d->since < BREATHE_BYTES)
		return false;
	d->since = 0;
	return cs_breathe(d->e);
}

enum row_kind { ROW_COPY, ROW_BUFFERED_COPY, ROW_FILL, ROW_GENERAL };

static enum cs_result draw_row(struct draw *d, enum row_kind kind, const uint8_t *fill, int64_t y)
{
	struct blt_rect *r = d->r;
	int64_t sy = r->src_y + (y - r->y1);
	int64_t shift = ((int64_t)r->src_x - r->x1) * r->bpp;
	uint64_t left = (uint64_t)(d->right - d->left), done = 0;

	while (left) {
		uint64_t n = min_u64(left, SPAN);
		int64_t x =
			d->columns_down ? d->left + (int64_t)(left - n) : d->left + (int64_t)done;
		bool ok = false;

		/* From the right, the odd piece comes last, so that all but it are whole spans. */
		switch (kind) {
		case ROW_COPY:
			ok = copy_span(d->e, r, x, y, x + shift, sy, n);
			break;
		case ROW_BUFFERED_COPY:
			ok = span_buffered_copy(d, x, y, x + shift, sy, n);
			break;
		case ROW_FILL:
			ok = write_span(d->e, &r->dst, x, y, fill, n);
			break;
		case ROW_GENERAL:
			ok = span_general(d, x, y, x + shift, sy, n);
			break;
		}
		if (!ok)
			return CS_FAULT;
		done += n;
		left -= n;
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

enum cs_result blt_draw(struct engine *e, struct blt_rect *r)
{
	struct draw d = {.e = e, .r = r};
	uint8_t fill[SPAN];
	enum row_kind kind;
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

		kind = d.overlap || gather ? ROW_BUFFERED_COPY : ROW_COPY;
	} else if (r->rop == ROP_PATCOPY && r->pattern_kind == BLT_PATTERN_SOLID && whole) {
		kind = ROW_FILL;
		fill_color(fill, r->color, r->bpp, SPAN);
	} else {
		kind = ROW_GENERAL;
	}
	for (int64_t i = 0, rows = (int64_t)r->y2 - r->y1; i < rows; i++) {
		enum cs_result ret =
			draw_row(&d, kind, fill, d.rows_down ? r->y2 - 1 - i : r->y1 + i);

		if (ret != CS_NEXT)
			return ret;
	}
	return CS_NEXT;
}
