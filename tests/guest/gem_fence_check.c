// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The aperture through fences: what the CPU sees there of X and Y tiled buffers, and what it leaves
 * behind, compared with the write-back mapping detiled by hand.
 *
 * Every access to the aperture may be trapped, and the mappable window be only a few MiB: buffers
 * and the number of accesses are small on purpose.
 */
#include "gem.h"

static const char *const tiling_names[] = {"linear", "X", "Y"};

struct shape {
	uint32_t tiling, stride, rows;
};

/* A read of 1, 2, 4 or 8 bytes, as wide as asked for. */
static uint64_t load(const volatile uint8_t *p, int bytes)
{
	switch (bytes) {
	case 1:
		return *p;
	case 2:
		return *(const volatile uint16_t *)p;
	case 4:
		return *(const volatile uint32_t *)p;
	default:
		return *(const volatile uint64_t *)p;
	}
}

static void store(volatile uint8_t *p, int bytes, uint64_t value)
{
	switch (bytes) {
	case 1:
		*p = (uint8_t)value;
		break;
	case 2:
		*(volatile uint16_t *)p = (uint16_t)value;
		break;
	case 4:
		*(volatile uint32_t *)p = (uint32_t)value;
		break;
	default:
		*(volatile uint64_t *)p = value;
		break;
	}
}

/*
 * `linear` as the aperture shows it, from the memory behind it. A unit of 16 bytes is in one piece
 * in every tiling.
 */
static void detile(const struct shape *s, const uint8_t *memory, uint8_t *linear)
{
	for (uint32_t y = 0; y < s->rows; y++) {
		for (uint32_t x = 0; x < s->stride; x += 16) {
			memcpy(linear + (size_t)y * s->stride + x,
				memory + gem_tile_offset(s->tiling, s->stride, x, y), 16);
		}
	}
}

static struct gem_bo shaped(const struct shape *s)
{
	struct gem_bo bo = gem_create((uint64_t)s->stride * s->rows, 0);
	int r = gem_tiling(&bo, s->tiling, s->tiling == I915_TILING_NONE ? 0 : s->stride);

	if (r) {
		errno = -r;
		gem_bail("set_tiling %s, stride %u", tiling_names[s->tiling], s->stride);
	}
	return bo;
}

/* All of a buffer read through the aperture. */
static void check_reads(const struct shape *s)
{
	struct gem_bo bo = shaped(s);
	uint8_t *aperture = gem_map(&bo, I915_MMAP_OFFSET_GTT);
	uint8_t *want = malloc(bo.size);
	size_t bad = 0, first = 0;

	gem_domain(&bo, I915_GEM_DOMAIN_CPU, true);
	gem_fill_random(bo.map, bo.size);
	detile(s, bo.map, want);
	gem_domain(&bo, I915_GEM_DOMAIN_GTT, false);
	for (size_t i = 0; i < bo.size; i += 4) {
		uint32_t have = (uint32_t)load(aperture + i, 4), expect;

		memcpy(&expect, want + i, 4);
		if (have != expect && !bad++) {
			first = i;
		}
	}
	if (!gem_ok(!bad, "reads, %s, stride %u, %u rows", tiling_names[s->tiling], s->stride,
		    s->rows)) {
		gem_say("%zu dwords differ, first at byte %#zx", bad, first);
	}
	munmap(aperture, bo.size);
	gem_close(&bo);
	free(want);
}

/* Random writes of every width through the aperture, in between random reads. */
static void check_writes(const struct shape *s)
{
	struct gem_bo bo = shaped(s);
	uint8_t *aperture = gem_map(&bo, I915_MMAP_OFFSET_GTT);
	uint8_t *want = malloc(bo.size), *have = malloc(bo.size);
	int reads_bad = 0;

	gem_domain(&bo, I915_GEM_DOMAIN_CPU, true);
	gem_fill_random(bo.map, bo.size);
	detile(s, bo.map, want);
	gem_domain(&bo, I915_GEM_DOMAIN_GTT, true);
	for (int n = 0; n < 1500; n++) {
		int bytes = 1 << gem_between(0, 3);
		size_t at = gem_random() % bo.size / (size_t)bytes * (size_t)bytes;
		uint64_t value = gem_random(), expect = 0;

		if (n % 3) {
			store(aperture + at, bytes, value);
			memcpy(want + at, &value, (size_t)bytes);
		} else {
			memcpy(&expect, want + at, (size_t)bytes);
			reads_bad += load(aperture + at, bytes) != expect;
		}
	}
	/*
	 * QEMU posts writes to the device: i915, which takes the aperture for coherent, does not wait
	 * for them when the domain changes. A read behind them does.
	 */
	load(aperture, 4);
	gem_domain(&bo, I915_GEM_DOMAIN_CPU, false);
	detile(s, bo.map, have);
	if (!gem_ok(!reads_bad && !memcmp(have, want, bo.size),
		    "writes of 1, 2, 4 and 8 bytes, %s, stride %u, %u rows",
		    tiling_names[s->tiling], s->stride, s->rows)) {
		gem_say("%d reads differ, the memory %s", reads_bad,
			memcmp(have, want, bo.size) ? "differs" : "is right");
	}
	munmap(aperture, bo.size);
	gem_close(&bo);
	free(want);
	free(have);
}

/* Many buffers of different tilings in use at once: fences are given and taken away. */
static void check_many(void)
{
	enum { COUNT = 40 }; /* more than there are fences */
	static const struct shape shapes[] = {{I915_TILING_X, 512, 32}, {I915_TILING_Y, 256, 64},
		{I915_TILING_NONE, 512, 32}, {I915_TILING_Y, 128, 128}, {I915_TILING_X, 1024, 16}};
	struct gem_bo bos[COUNT];
	uint8_t *apertures[COUNT], *linear = malloc(16384);
	int bad = 0;

	for (int i = 0; i < COUNT; i++) {
		const struct shape *s = &shapes[(size_t)i % ARRAY_SIZE(shapes)];

		bos[i] = shaped(s);
		gem_domain(&bos[i], I915_GEM_DOMAIN_CPU, true);
		gem_fill_random(bos[i].map, bos[i].size);
		apertures[i] = gem_map(&bos[i], I915_MMAP_OFFSET_GTT);
		gem_domain(&bos[i], I915_GEM_DOMAIN_GTT, false);
	}
	for (int n = 0; n < 400; n++) {
		int i = gem_between(0, COUNT - 1);
		const struct shape *s = &shapes[(size_t)i % ARRAY_SIZE(shapes)];
		size_t at = gem_random() % bos[i].size / 4 * 4;
		uint32_t expect;

		detile(s, bos[i].map, linear);
		memcpy(&expect, linear + at, 4);
		bad += load(apertures[i] + at, 4) != expect;
	}
	gem_ok(!bad, "%d buffers of five shapes by turns", COUNT);
	for (int i = 0; i < COUNT; i++) {
		munmap(apertures[i], bos[i].size);
		gem_close(&bos[i]);
	}
	free(linear);
}

/* Size of BAR2, the mappable window. */
static uint64_t aperture_bytes(void)
{
	FILE *f = fopen("/sys/class/drm/card0/device/resource", "r");
	unsigned long long start = 0, end = 0;
	bool good = f != NULL;

	for (int bar = 0; good && bar <= 2; bar++) {
		good = fscanf(f, "%llx %llx %*x", &start, &end) == 2;
	}
	if (!good) {
		gem_bail("the device's resources");
	}
	fclose(f);
	return end - start + 1;
}

/* A buffer that is larger than what i915 maps at once: it maps the part that is touched. */
static void check_partial(uint32_t tiling)
{
	struct shape s = {tiling, 4096, 2048};
	struct gem_bo bo = shaped(&s);
	uint8_t *aperture = gem_map(&bo, I915_MMAP_OFFSET_GTT);
	int bad = 0;

	gem_domain(&bo, I915_GEM_DOMAIN_CPU, true);
	for (size_t i = 0; i < bo.size; i += 64) {
		uint64_t word = gem_random();

		memcpy((uint8_t *)bo.map + i + 8 * (word % 8), &word, 8);
	}
	gem_domain(&bo, I915_GEM_DOMAIN_GTT, true);
	for (int n = 0; n < 60; n++) {
		uint32_t x = (uint32_t)gem_between(0, 4095) & ~3u,
			 y = (uint32_t)gem_between(0, 2047);
		uint32_t expect, value = (uint32_t)gem_random();
		uint8_t *behind = (uint8_t *)bo.map + gem_tile_offset(tiling, s.stride, x, y);
		uint8_t *through = aperture + (size_t)y * s.stride + x;

		memcpy(&expect, behind, 4);
		bad += load(through, 4) != expect;
		store(through, 4, value);
		bad += load(through, 4) != value;
		memcpy(&expect, behind, 4);
		bad += expect != value;
	}
	if (!gem_ok(!bad, "8 MiB in parts, %s", tiling_names[tiling])) {
		gem_say("%d of 180 accesses differ", bad);
	}
	munmap(aperture, bo.size);
	gem_close(&bo);
}

int main(void)
{
	static const struct shape shapes[] = {
		{I915_TILING_NONE, 512, 16},
		{I915_TILING_X, 512, 16},
		{I915_TILING_X, 1536, 24},
		{I915_TILING_X, 2048, 8},
		{I915_TILING_Y, 128, 64},
		{I915_TILING_Y, 384, 96},
		{I915_TILING_Y, 1024, 32},
	};

	gem_seed_init();
	gem_open();
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		check_reads(&shapes[i]);
		check_writes(&shapes[i]);
	}
	check_many();
	/* In a window with no megabyte free, i915 (6.12) would retry the page fault for ever. */
	if (aperture_bytes() >= 16 << 20) {
		check_partial(I915_TILING_X);
		check_partial(I915_TILING_Y);
	} else {
		gem_say("the mappable window is too small for maps of parts");
	}
	return gem_done();
}
