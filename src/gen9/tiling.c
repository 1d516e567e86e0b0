// SPDX-License-Identifier: GPL-2.0-or-later
/* Tiled surfaces. */
#include "gen9/tiling.h"

uint64_t gen9_tile_yf_offset(uint32_t pitch, uint64_t x, uint64_t y)
{
	uint64_t tile = (y / 32 * (pitch / 128) + x / 128) * 4096;

	/* Within a tile, from bit 11 down: x6 y4 x5 y3 x4 y2 y1 y0 x3 x2 x1 x0. */
	return tile | (x & 0x40) << 5 | (y & 0x10) << 6 | (x & 0x20) << 4 | (y & 0x08) << 5 |
	       (x & 0x10) << 3 | (y & 0x07) << 4 | (x & 0x0f);
}

uint64_t gen9_tile_offset(enum gen9_tiling t, uint32_t pitch, uint64_t x, uint64_t y)
{
	if (t == GEN9_TILING_YF)
		return gen9_tile_yf_offset(pitch, x, y);
	return gen9_tile_row(t, pitch, y) + gen9_tile_column(t, x);
}
