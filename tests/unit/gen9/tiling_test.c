// SPDX-License-Identifier: GPL-2.0-or-later
/* Tilings against the PRM's pictures, written another way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gen9/tiling.h"

/* A tile's bytes in the order of memory, by (x, y). */
static void walk(enum gen9_tiling t, uint64_t base, uint32_t pitch, uint32_t tx, uint32_t ty)
{
	uint64_t at = base;

	if (t == GEN9_TILING_X) {
		for (uint32_t y = 0; y < 8; y++) {
			for (uint32_t x = 0; x < 512; x++)
				assert_int_equal(
					gen9_tile_offset(t, pitch, tx * 512 + x, ty * 8 + y), at++);
		}
	} else {
		for (uint32_t column = 0; column < 8; column++) {
			for (uint32_t y = 0; y < 32; y++) {
				for (uint32_t x = 0; x < 16; x++)
					assert_int_equal(
						gen9_tile_offset(t, pitch,
							tx * 128 + column * 16 + x, ty * 32 + y),
						at++);
			}
		}
	}
}

static void test_x_y(void **state)
{
	for (uint32_t ty = 0; ty < 3; ty++) {
		for (uint32_t tx = 0; tx < 5; tx++) {
			walk(GEN9_TILING_X, (ty * 5 + tx) * 4096, 5 * 512, tx, ty);
			walk(GEN9_TILING_Y, (ty * 5 + tx) * 4096, 5 * 128, tx, ty);
		}
	}
}

static void test_linear(void **state)
{
	assert_int_equal(gen9_tile_offset(GEN9_TILING_LINEAR, 1000, 7, 3), 3007);
	assert_int_equal(gen9_tile_run(GEN9_TILING_LINEAR, 7), UINT64_MAX);
}

/* Every byte of a surface has a place of its own, within the surface; runs are what they say. */
static void test_bijective(void **state)
{
	static const enum gen9_tiling all[] = {GEN9_TILING_X, GEN9_TILING_Y, GEN9_TILING_YF};

	for (unsigned int i = 0; i < 3; i++) {
		uint32_t pitch = gen9_tile_width(all[i]) * 3, rows = gen9_tile_height(all[i]) * 2;
		static uint8_t seen[3 * 512 * 64];

		memset(seen, 0, sizeof(seen));
		for (uint32_t y = 0; y < rows; y++) {
			for (uint32_t x = 0; x < pitch; x++) {
				uint64_t at = gen9_tile_offset(all[i], pitch, x, y);

				assert_true(at < (uint64_t)pitch * rows);
				assert_int_equal(seen[at]++, 0);
				if (gen9_tile_run(all[i], x) > 1)
					assert_int_equal(
						gen9_tile_offset(all[i], pitch, x + 1, y), at + 1);
			}
		}
	}
}

/* Yf of 32 bits a pixel: blocks of 4 x 4 pixels are 64 bytes, of 8 x 4 ... as the bits say. */
static void test_yf_bits(void **state)
{
	static const struct {
		uint32_t x, y, at;
	} bits[] = {{1, 0, 1}, {8, 0, 8}, {0, 1, 16}, {0, 2, 32}, {0, 4, 64}, {16, 0, 128},
		{0, 8, 256}, {32, 0, 512}, {0, 16, 1024}, {64, 0, 2048}, {128, 0, 4096},
		{0, 32, 4096 * 7}};

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		assert_int_equal(gen9_tile_yf_offset(7 * 128, bits[i].x, bits[i].y), bits[i].at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_x_y),
		cmocka_unit_test(test_linear),
		cmocka_unit_test(test_bijective),
		cmocka_unit_test(test_yf_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
