/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PLANE_CTL and CUR_CTL as i915 writes them, and every other value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gen9/planes.h"

static void test_formats(void **state)
{
	/* skl_plane_ctl_format() */
	static const struct {
		uint32_t ctl;
		enum gen9_pixel pixel;
		const char *fourcc;
		unsigned int bytes;
	} known[] = {
		{4u << 24, GEN9_PIXEL_XRGB8888, "XR24", 4},
		{4u << 24 | 1u << 20, GEN9_PIXEL_XBGR8888, "XB24", 4},
		{14u << 24, GEN9_PIXEL_RGB565, "RG16", 2},
		{12u << 24, GEN9_PIXEL_C8, "C8  ", 1},
		{2u << 24, GEN9_PIXEL_XRGB2101010, "XR30", 4},
		{2u << 24 | 1u << 20, GEN9_PIXEL_XBGR2101010, "XB30", 4},
		{6u << 24 | 1u << 20, GEN9_PIXEL_XBGR16161616F, "XB4H", 8},
		{0u << 24 | 0u << 16, GEN9_PIXEL_YUYV, "YUYV", 2},
		{0u << 24 | 1u << 16, GEN9_PIXEL_UYVY, "UYVY", 2},
		{0u << 24 | 2u << 16, GEN9_PIXEL_YVYU, "YVYU", 2},
		{0u << 24 | 3u << 16, GEN9_PIXEL_VYUY, "VYUY", 2},
		{1u << 24, GEN9_PIXEL_NV12, "NV12", 1},
		{8u << 24, GEN9_PIXEL_XYUV8888, "XYUV", 4},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const struct gen9_plane_format *f = gen9_plane_format(known[i].ctl | 1u << 31);

		assert_int_equal(f->pixel, known[i].pixel);
		assert_int_equal(f->bytes, known[i].bytes);
		assert_memory_equal(&f->fourcc, known[i].fourcc, 4);
	}
	for (uint32_t i = 0; i < 0x10000; i++) {
		const struct gen9_plane_format *f = gen9_plane_format(i << 16 | i);

		assert_non_null(f);
		assert_non_null(f->name);
		assert_ptr_equal(f, gen9_plane_pixel(f->pixel));
	}
	assert_int_equal(gen9_plane_format(15u << 24)->pixel, GEN9_PIXEL_NONE);
	assert_false(gen9_plane_format(15u << 24)->supported);
	assert_true(gen9_plane_format(4u << 24)->supported);
	assert_int_equal(gen9_plane_pixel((enum gen9_pixel)1000)->pixel, GEN9_PIXEL_NONE);
}

static void test_layout(void **state)
{
	static const struct {
		uint32_t field;
		bool known;
		enum gen9_plane_tiling tiling;
		uint32_t unit; /* 4 bytes a pixel */
		uint32_t height;
	} tilings[8] = {
		{0, true, GEN9_PLANE_LINEAR, 64, 1},
		{1, true, GEN9_PLANE_X, 512, 8},
		{2, false, GEN9_PLANE_LINEAR, 64, 1},
		{3, false, GEN9_PLANE_LINEAR, 64, 1},
		{4, true, GEN9_PLANE_Y, 128, 32},
		{5, true, GEN9_PLANE_YF, 128, 32},
		{6, false, GEN9_PLANE_LINEAR, 64, 1},
		{7, false, GEN9_PLANE_LINEAR, 64, 1},
	};
	enum gen9_plane_tiling t;

	for (int i = 0; i < 8; i++) {
		assert_int_equal(gen9_plane_tiling(tilings[i].field << 10, &t), tilings[i].known);
		assert_int_equal(t, tilings[i].tiling);
		assert_int_equal(gen9_plane_stride_unit(t, 4), tilings[i].unit);
		assert_int_equal(gen9_plane_tile_height(t, 4), tilings[i].height);
	}
	/* i915 intel_tile_width_bytes() */
	assert_int_equal(gen9_plane_stride_unit(GEN9_PLANE_YF, 1), 64);
	assert_int_equal(gen9_plane_stride_unit(GEN9_PLANE_YF, 2), 128);
	assert_int_equal(gen9_plane_stride_unit(GEN9_PLANE_YF, 8), 256);
	assert_int_equal(gen9_plane_tile_height(GEN9_PLANE_YF, 1), 64);
	assert_int_equal(gen9_plane_alpha(0), GEN9_ALPHA_NONE);
	assert_int_equal(gen9_plane_alpha(2u << 4), GEN9_ALPHA_PREMULTIPLIED);
	assert_int_equal(gen9_plane_alpha(3u << 4), GEN9_ALPHA_STRAIGHT);
	assert_int_equal(gen9_plane_rotation(0xfffffffc), 0);
	assert_int_equal(gen9_plane_rotation(3), 270);
}

static void test_cursor(void **state)
{
	static const uint8_t modes[] = {0x02, 0x03, 0x04, 0x07, 0x22, 0x23, 0x27};
	size_t known = 0;

	assert_null(gen9_cursor_mode(0));
	for (uint32_t mode = 0; mode < 0x40; mode++) {
		const struct gen9_cursor_mode *m = gen9_cursor_mode(mode | 0xffffff00);

		if (mode & 0x18)
			continue;
		if (!m)
			continue;
		assert_true(known < sizeof(modes));
		assert_int_equal(m->mode, modes[known++]);
		assert_true(m->stride_bytes == m->size * 4 || m->pixel == GEN9_PIXEL_CURSOR_2BPP);
	}
	assert_int_equal(known, sizeof(modes));
	assert_int_equal(gen9_cursor_mode(0x27)->size, 64);
	assert_int_equal(gen9_cursor_mode(0x22)->size, 128);
	assert_int_equal(gen9_cursor_mode(0x23)->size, 256);
	assert_int_equal(gen9_cursor_mode(0x27)->alpha, GEN9_ALPHA_PREMULTIPLIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_cursor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
