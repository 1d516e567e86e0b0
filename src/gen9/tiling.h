/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a byte of a tiled surface is. Pure; shared by blitter, aperture and scanout.
 *
 * X, Y: tiles of 4 KiB, 512 bytes x 8 rows and 128 bytes x 32 rows, tiles row by row. For linear, X
 * and Y the offset of byte x of row y is gen9_tile_row() + gen9_tile_column(): a row's part and a
 * column's part, so that a row is walked run by run. Yf mixes both; gen9_tile_yf_offset() does it.
 * Gen9 does not swizzle bit 6. Sources: PRM volume 5, "Tiling"; i915 Documentation/gpu (tiling).
 */
#ifndef GEN9_TILING_H
#define GEN9_TILING_H

#include <stdbool.h>
#include <stdint.h>

enum gen9_tiling { GEN9_TILING_LINEAR, GEN9_TILING_X, GEN9_TILING_Y, GEN9_TILING_YF };

/* Bytes a tile is wide; pitches are multiples of it. Yf: of 16 and 32 bits a pixel. */
static inline uint32_t gen9_tile_width(enum gen9_tiling t)
{
	return t == GEN9_TILING_X ? 512 : t == GEN9_TILING_LINEAR ? 1 : 128;
}

static inline uint32_t gen9_tile_height(enum gen9_tiling t)
{
	return t == GEN9_TILING_X ? 8 : t == GEN9_TILING_LINEAR ? 1 : 32;
}

/* Offset of row `y` of a surface with `pitch` bytes a row; linear, X, Y. */
static inline uint64_t gen9_tile_row(enum gen9_tiling t, uint32_t pitch, uint64_t y)
{
	switch (t) {
	case GEN9_TILING_X:
		return y / 8 * (pitch / 512) * 4096 + y % 8 * 512;
	case GEN9_TILING_Y:
		return y / 32 * (pitch / 128) * 4096 + y % 32 * 16;
	default:
		return y * pitch;
	}
}

/* What byte `x` of a row adds to it. */
static inline uint64_t gen9_tile_column(enum gen9_tiling t, uint64_t x)
{
	switch (t) {
	case GEN9_TILING_X:
		return x / 512 * 4096 + x % 512;
	case GEN9_TILING_Y:
		return x / 128 * 4096 + x % 128 / 16 * 512 + x % 16;
	default:
		return x;
	}
}

/* How many bytes from byte `x` of a row on are contiguous, and in one page if the base is aligned. */
static inline uint64_t gen9_tile_run(enum gen9_tiling t, uint64_t x)
{
	switch (t) {
	case GEN9_TILING_X:
		return 512 - x % 512;
	case GEN9_TILING_LINEAR:
		return UINT64_MAX;
	default:
		return 16 - x % 16;
	}
}

/* Byte x of row y in a Yf surface of 16 or 32 bits a pixel (tiles of 128 bytes x 32 rows). */
uint64_t gen9_tile_yf_offset(uint32_t pitch, uint64_t x, uint64_t y);

/* The offset whatever the tiling is. */
uint64_t gen9_tile_offset(enum gen9_tiling t, uint32_t pitch, uint64_t x, uint64_t y);

#endif
