/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EDID: bytes as the standard has them, timings as CVT and DMT compute them, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "gen9/edid.h"

/* What drm_edid's drm_mode_detailed() reads out of a descriptor. */
static struct edid_timing parse(const uint8_t *d)
{
	struct edid_timing t = {
		.clock_khz = (uint32_t)(d[0] | d[1] << 8) * 10,
		.hdisplay = (uint16_t)(d[2] | (d[4] & 0xf0) << 4),
		.vdisplay = (uint16_t)(d[5] | (d[7] & 0xf0) << 4),
		.hsync_positive = d[17] & 2,
		.vsync_positive = d[17] & 4,
	};
	uint32_t hblank = (uint32_t)(d[3] | (d[4] & 0xf) << 8);
	uint32_t vblank = (uint32_t)(d[6] | (d[7] & 0xf) << 8);
	uint32_t hfront = (uint32_t)(d[8] | (d[11] & 0xc0) << 2);
	uint32_t hsync = (uint32_t)(d[9] | (d[11] & 0x30) << 4);
	uint32_t vfront = (uint32_t)(d[10] >> 4 | (d[11] & 0xc) << 2);
	uint32_t vsync = (uint32_t)((d[10] & 15) | (d[11] & 3) << 4);

	t.htotal = (uint16_t)(t.hdisplay + hblank);
	t.vtotal = (uint16_t)(t.vdisplay + vblank);
	t.hsync_start = (uint16_t)(t.hdisplay + hfront);
	t.hsync_end = (uint16_t)(t.hsync_start + hsync);
	t.vsync_start = (uint16_t)(t.vdisplay + vfront);
	t.vsync_end = (uint16_t)(t.vsync_start + vsync);
	return t;
}

static void assert_timing(const struct edid_timing *a, const struct edid_timing *b)
{
	assert_int_equal(a->clock_khz, b->clock_khz);
	assert_int_equal(a->hdisplay, b->hdisplay);
	assert_int_equal(a->hsync_start, b->hsync_start);
	assert_int_equal(a->hsync_end, b->hsync_end);
	assert_int_equal(a->htotal, b->htotal);
	assert_int_equal(a->vdisplay, b->vdisplay);
	assert_int_equal(a->vsync_start, b->vsync_start);
	assert_int_equal(a->vsync_end, b->vsync_end);
	assert_int_equal(a->vtotal, b->vtotal);
	assert_int_equal(a->hsync_positive, b->hsync_positive);
	assert_int_equal(a->vsync_positive, b->vsync_positive);
}

static void test_default(void **state)
{
	/* VESA DMT id 10h; and CVT's own example of reduced blanking. */
	static const struct edid_timing xga = {
		65000, 1024, 1048, 1184, 1344, 768, 771, 777, 806, false, false};
	static const struct edid_timing wuxga = {
		154000, 1920, 1968, 2000, 2080, 1200, 1203, 1209, 1235, true, false};
	struct edid_timing t;
	uint8_t e[EDID_BLOCK_BYTES];

	edid_default(e);
	assert_true(edid_valid(e, sizeof(e)));
	assert_int_equal(e[18], 1);
	assert_int_equal(e[19], 4);
	assert_int_equal(e[126], 0);
	assert_true(e[20] & 0x80);
	assert_true(e[36] & 8);
	t = parse(e + 54);
	assert_timing(&t, &xga);
	t = parse(e + 108);
	assert_timing(&t, &wuxga);
	/* 1280x720 and 1920x1080, 16:9, 60 Hz, and no more. */
	assert_int_equal((e[38] + 31) * 8, 1280);
	assert_int_equal(e[39], 0xc0);
	assert_int_equal((e[40] + 31) * 8, 1920);
	assert_int_equal(e[41], 0xc0);
	assert_int_equal(e[42], 1);
	assert_int_equal(e[43], 1);
	assert_int_equal(e[90 + 3], 0xfc);
	assert_memory_equal(e + 95, "uGVT\n        ", 13);
}

static void test_timings(void **state)
{
	static const struct {
		uint32_t w, h, hz;
		uint32_t clock_khz, htotal, vtotal;
	} known[] = {
		{1280, 720, 60, 74250, 1650, 750},    /* DMT 55h */
		{1920, 1080, 60, 148500, 2200, 1125}, /* DMT 52h */
		{1280, 1024, 60, 108000, 1688, 1066}, /* DMT 23h */
		{1280, 800, 60, 71000, 1440, 823},    /* DMT 1Bh, CVT reduced blanking */
		{1680, 1050, 60, 119000, 1840, 1080}, /* DMT 39h */
		{2560, 1600, 60, 268500, 2720, 1646}, /* DMT 4Ch */
		{1400, 1050, 60, 101000, 1560, 1080}, /* DMT 29h */
	};
	struct edid_timing t, u;
	struct edid_monitor m = {.name = "x"};
	uint8_t e[EDID_BLOCK_BYTES];

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_int_equal(edid_timing(known[i].w, known[i].h, known[i].hz, &t, NULL), 0);
		assert_int_equal(t.clock_khz, known[i].clock_khz);
		assert_int_equal(t.htotal, known[i].htotal);
		assert_int_equal(t.vtotal, known[i].vtotal);
	}
	/* Whatever is accepted survives the way through a descriptor. */
	for (uint32_t hz = 24; hz <= 120; hz += 8) {
		for (m.width = 640; m.width < 4096; m.width += 232) {
			m.height = m.width * 3 / 4;
			m.refresh_hz = hz;
			if (edid_timing(m.width, m.height, hz, &t, NULL))
				continue;
			assert_int_equal(edid_build(&m, e, NULL), 0);
			assert_true(edid_valid(e, sizeof(e)));
			u = parse(e + 54);
			t.clock_khz = t.clock_khz / 10 * 10;
			assert_timing(&t, &u);
			assert_true(t.hsync_end <= t.htotal && t.vsync_end <= t.vtotal);
		}
	}
}

static void test_refused(void **state)
{
	struct edid_timing t;
	struct edid_monitor m = {.name = "fourteen chars"};
	uint8_t e[EDID_BLOCK_BYTES];
	struct err err;

	assert_int_equal(edid_timing(0, 0, 60, &t, &err), -ERANGE);
	assert_int_equal(edid_timing(4096, 768, 60, &t, &err), -ERANGE);
	assert_int_equal(edid_timing(UINT32_MAX, UINT32_MAX, 60, &t, &err), -ERANGE);
	assert_int_equal(edid_timing(1024, 768, 0, &t, &err), -ERANGE);
	assert_int_equal(edid_timing(1024, 768, UINT32_MAX, &t, &err), -ERANGE);
	assert_int_equal(edid_timing(1025, 768, 60, &t, &err), -EINVAL);
	assert_int_equal(edid_timing(4088, 4000, 60, &t, &err), -ERANGE);
	assert_non_null(strstr(err.what, "kHz"));
	assert_int_equal(edid_build(&m, e, &err), -EINVAL);
	m = (struct edid_monitor){.width_mm = 5000};
	assert_int_equal(edid_build(&m, e, &err), -ERANGE);
}

static void test_valid(void **state)
{
	uint8_t e[2 * EDID_BLOCK_BYTES] = {0};

	edid_default(e);
	assert_true(edid_valid(e, EDID_BLOCK_BYTES));
	assert_true(edid_valid(e, 2 * EDID_BLOCK_BYTES));
	e[200] = 1;
	assert_false(edid_valid(e, 2 * EDID_BLOCK_BYTES));
	assert_false(edid_valid(e, 0));
	assert_false(edid_valid(e, 100));
	for (int i = 0; i < EDID_BLOCK_BYTES; i++) {
		e[i] ^= 0x10;
		assert_false(edid_valid(e, EDID_BLOCK_BYTES));
		e[i] ^= 0x10;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_timings),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
