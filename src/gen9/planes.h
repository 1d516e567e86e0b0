/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What PLANE_CTL and CUR_CTL of Gen9 say about pixels: formats, tilings, alpha, cursor modes.
 * Sources: PRM volume 2c (PLANE_CTL, PLANE_STRIDE, CUR_CTL), i915 display/skl_universal_plane_regs.h
 * and display/intel_cursor_regs.h.
 */
#ifndef GEN9_PLANES_H
#define GEN9_PLANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLANE_CTL_ENABLE	    UINT32_C(0x80000000)
#define PLANE_CTL_FORMAT_MASK	    UINT32_C(0x0f000000)
#define PLANE_CTL_ORDER_RGBX	    UINT32_C(0x00100000)
#define PLANE_CTL_YUV422_ORDER_MASK UINT32_C(0x00030000)
#define PLANE_CTL_DECOMPRESSION	    UINT32_C(0x00008000)
#define PLANE_CTL_ASYNC_FLIP	    UINT32_C(0x00000200)

/* Pixels by what is in memory, least significant bits first in a little-endian word: DRM's names. */
enum gen9_pixel {
	GEN9_PIXEL_NONE, /* reserved: nothing can be said about the pixels */
	GEN9_PIXEL_XRGB8888,
	GEN9_PIXEL_ARGB8888,
	GEN9_PIXEL_XBGR8888,
	GEN9_PIXEL_ABGR8888,
	GEN9_PIXEL_RGB565,
	GEN9_PIXEL_C8,
	GEN9_PIXEL_XRGB2101010,
	GEN9_PIXEL_XBGR2101010,
	GEN9_PIXEL_XRGB16161616F,
	GEN9_PIXEL_XBGR16161616F,
	GEN9_PIXEL_YUYV,
	GEN9_PIXEL_UYVY,
	GEN9_PIXEL_YVYU,
	GEN9_PIXEL_VYUY,
	GEN9_PIXEL_NV12,
	GEN9_PIXEL_XYUV8888,
	GEN9_PIXEL_CURSOR_2BPP, /* 2 bits a pixel: AND and XOR plane */
	GEN9_PIXEL_COUNT
};

enum gen9_plane_tiling { GEN9_PLANE_LINEAR, GEN9_PLANE_X, GEN9_PLANE_Y, GEN9_PLANE_YF };
enum gen9_plane_alpha { GEN9_ALPHA_NONE, GEN9_ALPHA_PREMULTIPLIED, GEN9_ALPHA_STRAIGHT };

struct gen9_plane_format {
	const char *name;
	uint32_t fourcc; /* DRM's; 0: none */
	enum gen9_pixel pixel;
	uint8_t bytes;	/* a pixel of the first colour plane; 0: less than one */
	bool supported; /* the software display can show it */
};

/* By what is in memory; never NULL. */
const struct gen9_plane_format *gen9_plane_pixel(enum gen9_pixel pixel);
/* The format PLANE_CTL selects; GEN9_PIXEL_NONE's row for reserved values. Alpha is not in it. */
const struct gen9_plane_format *gen9_plane_format(uint32_t plane_ctl);
/* Reserved encodings count as linear and return false. */
bool gen9_plane_tiling(uint32_t plane_ctl, enum gen9_plane_tiling *out);
enum gen9_plane_alpha gen9_plane_alpha(uint32_t plane_ctl);
/* Degrees clockwise: 0, 90, 180, 270. */
unsigned int gen9_plane_rotation(uint32_t plane_ctl);
/*
 * Bytes of one unit of PLANE_STRIDE: 64 for linear, else a tile's width. PRM: "Stride".
 * With 90 or 270 degrees the unit is a tile's height instead (gen9_plane_tile_height() rows).
 */
uint32_t gen9_plane_stride_unit(enum gen9_plane_tiling tiling, unsigned int bytes);
uint32_t gen9_plane_tile_height(enum gen9_plane_tiling tiling, unsigned int bytes);

struct gen9_cursor_mode {
	uint8_t mode;  /* CUR_CTL & 0x27 */
	uint16_t size; /* pixels, square */
	uint16_t stride_bytes;
	enum gen9_pixel pixel;
	enum gen9_plane_alpha alpha;
};
/* NULL: the cursor is off, or its mode is reserved. */
const struct gen9_cursor_mode *gen9_cursor_mode(uint32_t cur_ctl);

#endif
