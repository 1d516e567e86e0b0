// SPDX-License-Identifier: GPL-2.0-or-later
/* The aperture: GGTT, fences, odd sizes, pages that are not there. */
#include "memory_rig.h"

#define FENCE(n) (0x100000 + (n)*8)
#define SIZE	 MIB(1)

static void set_fence(
	struct rig *r, unsigned int n, uint64_t start, uint64_t size, uint32_t pitch, bool y)
{
	r->g->ops->mmio_write(r->g, FENCE(n), 0, 4);
	r->g->ops->mmio_write(r->g, FENCE(n) + 4, (start + size - 4096) | (pitch / 128 - 1), 4);
	r->g->ops->mmio_write(r->g, FENCE(n), start | (y ? 2 : 0) | 1, 4);
}

/* Where byte `off` of a fenced range is, from the picture of a tile in the PRM. */
static uint64_t tiled(uint64_t off, uint32_t pitch, bool y_major)
{
	uint64_t x = off % pitch, y = off / pitch;

	if (y_major)
		return (y / 32 * (pitch / 128) + x / 128) * 4096 + x % 128 / 16 * 512 +
		       y % 32 * 16 + x % 16;
	return (y / 8 * (pitch / 512) + x / 512) * 4096 + y % 8 * 512 + x % 512;
}

static void test_linear(void **state)
{
	uint8_t out[9000], want[9000];
	struct rig r;
	uint64_t a;

	rig_init(&r);
	a = rig_pages(&r, 4);
	for (uint64_t i = 0; i < 4 * 4096; i++)
		r.ram[a - RIG_IOVA + i] = (uint8_t)rig_random(&r);
	/* pages in another order, one missing */
	rig_ggtt_map(&r, 0x10000, a + 0x3000, 1);
	rig_ggtt_map(&r, 0x11000, a, 1);
	rig_ggtt_map(&r, 0x13000, a + 0x1000, 1);
	r.g->ops->aperture_read(r.g, 0x10ff0, out, 9000);
	memcpy(want, r.ram + (a - RIG_IOVA) + 0x3ff0, 16);
	memcpy(want + 16, r.ram + (a - RIG_IOVA), 4096);
	memset(want + 16 + 4096, 0, 4096);
	memcpy(want + 16 + 8192, r.ram + (a - RIG_IOVA) + 0x1000, 9000 - 16 - 8192);
	assert_memory_equal(out, want, 9000);
	assert_int_equal(r.m->stats.aperture_nowhere, 1);

	for (unsigned int i = 0; i < 9000; i++)
		want[i] = (uint8_t)i;
	r.g->ops->aperture_write(r.g, 0x10ff1, want, 9000);
	r.g->ops->aperture_read(r.g, 0x10ff1, out, 9000);
	memset(want + 15 + 4096, 0, 4096);
	assert_memory_equal(out, want, 9000);
	/* past the end: reads 0, writes nothing */
	memset(out, 1, 8);
	r.g->ops->aperture_read(r.g, r.g->info.aperture_bytes - 4, out, 8);
	assert_memory_equal(out, "\0\0\0\0\0\0\0\0", 8);
	r.g->ops->aperture_read(r.g, UINT64_MAX - 3, out, 8);
	r.g->ops->aperture_write(r.g, UINT64_MAX - 3, out, 8);
	rig_finish(&r);
}

static void test_fences(void **state)
{
	uint8_t *want = malloc(SIZE), *out = malloc(SIZE);
	struct rig r;
	uint64_t a;

	rig_init(&r);
	a = rig_pages(&r, SIZE / 4096);
	rig_ggtt_map(&r, 0x100000, a, SIZE / 4096);
	for (unsigned int round = 0; round < 24; round++) {
		bool y = round & 1;
		uint32_t unit = y ? 128 : 512, height = y ? 32 : 8;
		uint32_t pitch = unit * (1 + (uint32_t)rig_below(&r, 20));
		uint64_t start = 0x100000 + rig_below(&r, 8) * 4096;
		uint64_t size = (uint64_t)pitch * height * (1 + rig_below(&r, 4));
		unsigned int n = (unsigned int)rig_below(&r, 32);

		for (uint64_t i = 0; i < SIZE; i++)
			r.ram[a - RIG_IOVA + i] = (uint8_t)rig_random(&r);
		memcpy(want, r.ram + (a - RIG_IOVA), SIZE);
		for (uint64_t i = 0; i < size; i++)
			want[start - 0x100000 + i] =
				r.ram[a - RIG_IOVA + (start - 0x100000) + tiled(i, pitch, y)];
		set_fence(&r, n, start, size, pitch, y);
		/* all at once, then odd pieces over the fence's edges */
		r.g->ops->aperture_read(r.g, 0x100000, out, SIZE);
		assert_memory_equal(out, want, SIZE);
		for (unsigned int i = 0; i < 300; i++) {
			uint64_t at = rig_below(&r, SIZE), len = rig_below(&r, 700);
			uint8_t data[700], back[700];

			len = min_u64(len, SIZE - at);
			for (uint64_t k = 0; k < len; k++)
				data[k] = (uint8_t)rig_random(&r);
			r.g->ops->aperture_write(r.g, 0x100000 + at, data, len);
			memcpy(want + at, data, len);
			r.g->ops->aperture_read(r.g, 0x100000 + at, back, len);
			assert_memory_equal(back, data, len);
		}
		r.g->ops->aperture_read(r.g, 0x100000, out, SIZE);
		assert_memory_equal(out, want, SIZE);
		/* without the fence the memory is as tiles lie in it */
		r.g->ops->mmio_write(r.g, FENCE(n), 0, 4);
		r.g->ops->aperture_read(r.g, 0x100000, out, SIZE);
		assert_memory_equal(out, r.ram + (a - RIG_IOVA), SIZE);
		for (uint64_t i = 0; i < size; i++)
			assert_int_equal(out[start - 0x100000 + tiled(i, pitch, y)],
				want[start - 0x100000 + i]);
	}
	assert_int_equal(rig_violations(&r, VIOLATION_GGTT_FLUSH), 0);
	rig_finish(&r);
	free(want);
	free(out);
}

/* Fences of noise, and accesses all over: nothing but the mapped pages is touched. */
static void test_noise(void **state)
{
	struct rig r;
	uint64_t a;

	rig_init(&r);
	a = rig_pages(&r, 256);
	rig_ggtt_map(&r, 0, a, 256);
	for (unsigned int i = 0; i < 20000; i++) {
		uint8_t data[64] = {1};

		if (i % 16 == 0) {
			r.g->ops->mmio_write(r.g, FENCE(rig_below(&r, 32)), rig_random(&r), 8);
		} else if (i & 1) {
			r.g->ops->aperture_write(r.g, rig_below(&r, 1u << rig_below(&r, 27)), data,
				rig_below(&r, 64));
		} else {
			r.g->ops->aperture_read(r.g, rig_below(&r, 1u << rig_below(&r, 27)), data,
				rig_below(&r, 64));
		}
	}
	rig_finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linear),
		cmocka_unit_test(test_fences),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
