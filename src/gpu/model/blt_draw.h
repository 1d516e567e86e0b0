/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drawing of the blitter: one rectangle, with or without source, pattern, raster operation, mask. */
#ifndef MODEL_BLT_DRAW_H
#define MODEL_BLT_DRAW_H

#include "gen9/tiling.h"
#include "gpu/model/model.h"

struct blt_surface {
	uint64_t base; /* graphics address; of a tiled one 4 KiB aligned */
	int32_t pitch; /* bytes a row; negative only when linear */
	enum gen9_tiling tiling;
	enum space space;
};

enum blt_pattern {
	BLT_PATTERN_NONE,
	BLT_PATTERN_SOLID, /* `color` */
	BLT_PATTERN_8X8,   /* 8 x 8 pixels of the destination's depth, in `pattern` */
};

/* Coordinates are pixels, x2 and y2 not included; all within 17 bits. */
struct blt_rect {
	struct blt_surface dst, src;
	int32_t x1, y1, x2, y2;
	int32_t src_x, src_y;
	unsigned int bpp; /* bytes a pixel: 1, 2, 4, 8 or 16 */
	uint8_t rop;	  /* ROP3: bit P << 2 | S << 1 | D is the result's */
	uint32_t write;	  /* bits of a 32-bit pixel that are written; all ones: everything */
	bool has_src;
	enum blt_pattern pattern_kind;
	uint32_t color;
	uint8_t pattern[8 * 8 * 4];
	unsigned int pattern_x, pattern_y; /* pixel of the pattern at destination (0, 0) */
};

/*
 * Draws `r`. What of a tiled surface would lie at negative coordinates is not drawn. Overlapping source
 * and destination come out as if the source had been read first, when pitch and tiling are the same.
 * CS_NEXT; CS_FAULT with e->fault; CS_ABORT when a request came: e->cs notes how far it got, and the
 * same call goes on from there.
 */
enum cs_result blt_draw(struct engine *e, struct blt_rect *r);

#endif
