/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PLANE_CTL and CUR_CTL decoded by rows. */
#include "gen9/planes.h"
#include "base/util.h"

#define FOURCC(a, b, c, d) \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

#define FORMAT(id, name, fourcc, bytes, supported) \
	[GEN9_PIXEL_##id] = {name, fourcc, GEN9_PIXEL_##id, bytes, supported}

/* clang-format off */
static const struct gen9_plane_format formats[GEN9_PIXEL_COUNT] = {
	/*     pixel            name              fourcc                   bytes shown */
	FORMAT(NONE,            "reserved",       0,                         4, false),
	FORMAT(XRGB8888,        "XRGB8888",       FOURCC('X', 'R', '2', '4'), 4, true),
	FORMAT(ARGB8888,        "ARGB8888",       FOURCC('A', 'R', '2', '4'), 4, true),
	FORMAT(XBGR8888,        "XBGR8888",       FOURCC('X', 'B', '2', '4'), 4, true),
	FORMAT(ABGR8888,        "ABGR8888",       FOURCC('A', 'B', '2', '4'), 4, true),
	FORMAT(RGB565,          "RGB565",         FOURCC('R', 'G', '1', '6'), 2, true),
	FORMAT(C8,              "C8",             FOURCC('C', '8', ' ', ' '), 1, false),
	FORMAT(XRGB2101010,     "XRGB2101010",    FOURCC('X', 'R', '3', '0'), 4, true),
	FORMAT(XBGR2101010,     "XBGR2101010",    FOURCC('X', 'B', '3', '0'), 4, true),
	FORMAT(XRGB16161616F,   "XRGB16161616F",  FOURCC('X', 'R', '4', 'H'), 8, false),
	FORMAT(XBGR16161616F,   "XBGR16161616F",  FOURCC('X', 'B', '4', 'H'), 8, false),
	FORMAT(YUYV,            "YUYV",           FOURCC('Y', 'U', 'Y', 'V'), 2, false),
	FORMAT(UYVY,            "UYVY",           FOURCC('U', 'Y', 'V', 'Y'), 2, false),
	FORMAT(YVYU,            "YVYU",           FOURCC('Y', 'V', 'Y', 'U'), 2, false),
	FORMAT(VYUY,            "VYUY",           FOURCC('V', 'Y', 'U', 'Y'), 2, false),
	FORMAT(NV12,            "NV12",           FOURCC('N', 'V', '1', '2'), 1, false),
	FORMAT(XYUV8888,        "XYUV8888",       FOURCC('X', 'Y', 'U', 'V'), 4, false),
	FORMAT(CURSOR_2BPP,     "cursor 2bpp",    0,                         0, false),
};
#undef FORMAT

/* PLANE_CTL 27:24. `order` is what ORDER_RGBX (bit 20) makes of it, `yuv` says that 17:16 count. */
static const struct {
	uint8_t pixel, order;
	bool yuv422;
} by_field[16] = {
	[0]  = {GEN9_PIXEL_YUYV, GEN9_PIXEL_YUYV, true},
	[1]  = {GEN9_PIXEL_NV12, GEN9_PIXEL_NV12, false},
	[2]  = {GEN9_PIXEL_XRGB2101010, GEN9_PIXEL_XBGR2101010, false},
	[4]  = {GEN9_PIXEL_XRGB8888, GEN9_PIXEL_XBGR8888, false},
	[6]  = {GEN9_PIXEL_XRGB16161616F, GEN9_PIXEL_XBGR16161616F, false},
	[8]  = {GEN9_PIXEL_XYUV8888, GEN9_PIXEL_XYUV8888, false},
	[12] = {GEN9_PIXEL_C8, GEN9_PIXEL_C8, false},
	[14] = {GEN9_PIXEL_RGB565, GEN9_PIXEL_RGB565, false},
};

/* PLANE_CTL 17:16 */
static const uint8_t yuv422_order[4] = {
	GEN9_PIXEL_YUYV, GEN9_PIXEL_UYVY, GEN9_PIXEL_YVYU, GEN9_PIXEL_VYUY,
};

/* CUR_CTL bits 5 and 2:0 (PRM volume 2c, CUR_CTL "Cursor Mode Select"). */
static const struct gen9_cursor_mode cursor_modes[] = {
	{0x02, 128, 512, GEN9_PIXEL_ARGB8888, GEN9_ALPHA_NONE},           /* 128x128 32bpp AND/INVERT */
	{0x03, 256, 1024, GEN9_PIXEL_ARGB8888, GEN9_ALPHA_NONE},
	{0x04, 64, 16, GEN9_PIXEL_CURSOR_2BPP, GEN9_ALPHA_NONE},
	{0x07, 64, 256, GEN9_PIXEL_ARGB8888, GEN9_ALPHA_NONE},
	{0x22, 128, 512, GEN9_PIXEL_ARGB8888, GEN9_ALPHA_PREMULTIPLIED},
	{0x23, 256, 1024, GEN9_PIXEL_ARGB8888, GEN9_ALPHA_PREMULTIPLIED},
	{0x27, 64, 256, GEN9_PIXEL_ARGB8888, GEN9_ALPHA_PREMULTIPLIED},
};
/* clang-format on */

const struct gen9_plane_format *gen9_plane_pixel(enum gen9_pixel pixel)
{
	return &formats[(unsigned int)pixel < GEN9_PIXEL_COUNT ? pixel : GEN9_PIXEL_NONE];
}

const struct gen9_plane_format *gen9_plane_format(uint32_t plane_ctl)
{
	unsigned int field = (plane_ctl & PLANE_CTL_FORMAT_MASK) >> 24;
	uint8_t pixel =
		plane_ctl & PLANE_CTL_ORDER_RGBX ? by_field[field].order : by_field[field].pixel;

	if (by_field[field].yuv422)
		pixel = yuv422_order[(plane_ctl & PLANE_CTL_YUV422_ORDER_MASK) >> 16];
	return &formats[pixel];
}

bool gen9_plane_tiling(uint32_t plane_ctl, enum gen9_plane_tiling *out)
{
	switch (plane_ctl >> 10 & 7) {
	case 0:
		*out = GEN9_PLANE_LINEAR;
		return true;
	case 1:
		*out = GEN9_PLANE_X;
		return true;
	case 4:
		*out = GEN9_PLANE_Y;
		return true;
	case 5:
		*out = GEN9_PLANE_YF;
		return true;
	default:
		*out = GEN9_PLANE_LINEAR;
		return false;
	}
}

enum gen9_plane_alpha gen9_plane_alpha(uint32_t plane_ctl)
{
	switch (plane_ctl >> 4 & 3) {
	case 2:
		return GEN9_ALPHA_PREMULTIPLIED; /* by software, before it was written */
	case 3:
		return GEN9_ALPHA_STRAIGHT; /* the hardware multiplies */
	default:
		return GEN9_ALPHA_NONE;
	}
}

unsigned int gen9_plane_rotation(uint32_t plane_ctl)
{
	return (plane_ctl & 3) * 90;
}

/* PRM volume 5: a Yf tile is 4 KiB, its shape depends on the size of a pixel. */
uint32_t gen9_plane_stride_unit(enum gen9_plane_tiling tiling, unsigned int bytes)
{
	switch (tiling) {
	case GEN9_PLANE_X:
		return 512;
	case GEN9_PLANE_Y:
		return 128;
	case GEN9_PLANE_YF:
		return bytes <= 1 ? 64 : bytes <= 4 ? 128 : 256;
	default:
		return 64;
	}
}

uint32_t gen9_plane_tile_height(enum gen9_plane_tiling tiling, unsigned int bytes)
{
	return tiling == GEN9_PLANE_LINEAR ? 1 : 4096 / gen9_plane_stride_unit(tiling, bytes);
}

const struct gen9_cursor_mode *gen9_cursor_mode(uint32_t cur_ctl)
{
	for (size_t i = 0; i < ARRAY_SIZE(cursor_modes); i++) {
		if (cursor_modes[i].mode == (cur_ctl & 0x27))
			return &cursor_modes[i];
	}
	return NULL;
}
