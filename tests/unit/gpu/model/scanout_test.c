// SPDX-License-Identifier: GPL-2.0-or-later
/* Pictures: formats, tilings, windows, cursor, holes. */
#include <errno.h>

#include "memory_rig.h"

#define W	200
#define H	100
#define SURFACE 0x200000
#define CURSOR	0x600000

struct screen {
	struct rig r;
	uint8_t *fb, *cursor; /* RAM behind SURFACE and CURSOR */
	struct gpu_frame f;
	uint32_t out[W * H];
};

static void wr(struct screen *s, uint32_t offset, uint32_t value)
{
	s->r.g->ops->mmio_write(s->r.g, offset, value, 4);
}

static void setup(struct screen *s)
{
	uint64_t a;

	rig_init(&s->r);
	a = rig_pages(&s->r, 128);
	s->fb = s->r.ram + (a - RIG_IOVA);
	rig_ggtt_map(&s->r, SURFACE, a, 128);
	a = rig_pages(&s->r, 64);
	s->cursor = s->r.ram + (a - RIG_IOVA);
	rig_ggtt_map(&s->r, CURSOR, a, 64);
	for (uint64_t i = 0; i < 128 * 4096; i++)
		s->fb[i] = (uint8_t)rig_random(&s->r);
	wr(s, 0x60000, (W + 99) << 16 | (W - 1)); /* HTOTAL */
	wr(s, 0x60004, (W + 99) << 16 | (W - 1));
	wr(s, 0x6000c, (H + 19) << 16 | (H - 1)); /* VTOTAL */
	wr(s, 0x60010, (H + 19) << 16 | (H - 1));
	wr(s, 0x6001c, (W - 1) << 16 | (H - 1)); /* PIPESRC */
	wr(s, 0x60400, 0x80000000);		 /* TRANS_DDI_FUNC_CTL */
	wr(s, 0x70008, 0x80000000);		 /* TRANSCONF */
	s->f = (struct gpu_frame){.pixels = (uint8_t *)s->out, .size_bytes = sizeof(s->out)};
}

static void plane(struct screen *s, uint32_t ctl, uint32_t stride, uint32_t pos, uint32_t size,
	uint32_t offset)
{
	wr(s, 0x70180, 0x80000000 | ctl);
	wr(s, 0x70188, stride);
	wr(s, 0x7018c, pos);
	wr(s, 0x70190, size);
	wr(s, 0x701a4, offset);
	wr(s, 0x7019c, SURFACE);
	model_advance(s->r.g, 50 * NSEC_PER_MSEC);
}

static void shoot(struct screen *s)
{
	memset(s->out, 0xaa, sizeof(s->out));
	assert_int_equal(s->r.g->ops->scanout(s->r.g, 0, &s->f), 0);
	assert_int_equal(s->f.width, W);
	assert_int_equal(s->f.height, H);
	assert_int_equal(s->f.stride, W * 4);
}

static uint32_t pixel32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static void test_off_and_sizes(void **state)
{
	struct gpu_frame f = {0};
	struct screen *s = calloc(1, sizeof(*s));

	setup(s);
	assert_int_equal(s->r.g->ops->scanout(s->r.g, 3, &f), -EINVAL);
	assert_int_equal(s->r.g->ops->scanout(s->r.g, 0, &f), -ENOSPC);
	assert_int_equal(f.width, W);
	assert_int_equal(f.height, H);
	f.pixels = (uint8_t *)s->out;
	f.size_bytes = sizeof(s->out) - 1;
	assert_int_equal(s->r.g->ops->scanout(s->r.g, 0, &f), -ENOSPC);
	/* on, nothing shown: black */
	model_advance(s->r.g, 50 * NSEC_PER_MSEC);
	shoot(s);
	assert_true(s->f.on);
	for (unsigned int i = 0; i < W * H; i++)
		assert_int_equal(s->out[i], 0);
	wr(s, 0x70008, 0);
	model_advance(s->r.g, 50 * NSEC_PER_MSEC);
	shoot(s);
	assert_false(s->f.on);
	assert_int_equal(s->out[5], 0);
	rig_finish(&s->r);
	free(s);
}

static uint64_t place(unsigned int tiling, uint64_t pitch, uint64_t x, uint64_t y)
{
	if (tiling == 1)
		return (y / 8 * (pitch / 512) + x / 512) * 4096 + y % 8 * 512 + x % 512;
	if (tiling == 4)
		return (y / 32 * (pitch / 128) + x / 128) * 4096 + x % 128 / 16 * 512 +
		       y % 32 * 16 + x % 16;
	return y * pitch + x;
}

static void test_formats_and_tilings(void **state)
{
	static const uint32_t units[] = {[0] = 64, [1] = 512, [4] = 128};
	static const uint32_t tilings[] = {0, 1, 4};
	static const struct {
		uint32_t ctl;
		unsigned int bytes;
	} formats[] = {{4u << 24, 4}, {4u << 24 | 1u << 20, 4}, {2u << 24, 4}, {14u << 24, 2}};
	struct screen *s = calloc(1, sizeof(*s));

	setup(s);
	for (unsigned int t = 0; t < 3; t++) {
		for (unsigned int k = 0; k < ARRAY_SIZE(formats); k++) {
			uint32_t stride = 1024 / units[tilings[t]];

			plane(s, formats[k].ctl | tilings[t] << 10, stride, 0,
				(H - 1) << 16 | (W - 1), 3 << 16 | 5);
			shoot(s);
			for (uint32_t y = 0; y < H; y++) {
				for (uint32_t x = 0; x < W; x++) {
					const uint8_t *p = s->fb + place(tilings[t], 1024,
									   (uint64_t)(x + 5) *
										   formats[k].bytes,
									   y + 3);
					uint32_t v = pixel32(p), want = v & 0xffffff;

					if (k == 1)
						want = (v & 0xff) << 16 | (v & 0xff00) |
						       (v >> 16 & 0xff);
					if (k == 2)
						want = (v >> 22 & 0xff) << 16 |
						       (v >> 12 & 0xff) << 8 | (v >> 2 & 0xff);
					if (k == 3) {
						uint32_t h = v & 0xffff;

						want = (h >> 11 << 3 | h >> 13) << 16 |
						       ((h >> 5 & 63) << 2 | (h >> 9 & 3)) << 8 |
						       ((h & 31) << 3 | (h >> 2 & 7));
					}
					assert_int_equal(s->out[y * W + x], want);
				}
			}
		}
	}
	assert_int_equal(rig_violations(&s->r, VIOLATION_GGTT_FLUSH), 0);
	rig_finish(&s->r);
	free(s);
}

/* A window in the middle, holes in the GGTT, a format that is not done. */
static void test_windows_and_holes(void **state)
{
	struct screen *s = calloc(1, sizeof(*s));

	setup(s);
	plane(s, 4u << 24, 16, 20 << 16 | 30, 39 << 16 | 49, 0);
	shoot(s);
	for (uint32_t y = 0; y < H; y++) {
		for (uint32_t x = 0; x < W; x++) {
			bool in = x >= 30 && x < 80 && y >= 20 && y < 60;

			assert_int_equal(s->out[y * W + x],
				in ? pixel32(s->fb + (y - 20) * 1024 + (x - 30) * 4) & 0xffffff
				   : 0);
		}
	}
	/* rows 4..7 of the surface are in a page that is not there */
	s->r.g->ops->ggtt_write(s->r.g, (SURFACE >> 12) + 1, 0, UINT64_MAX);
	wr(s, 0x101008, 1);
	shoot(s);
	assert_int_equal(s->out[25 * W + 40], 0);
	assert_int_equal(s->out[23 * W + 40], pixel32(s->fb + 3 * 1024 + 40) & 0xffffff);
	assert_int_equal(s->out[28 * W + 40], pixel32(s->fb + 8 * 1024 + 40) & 0xffffff);
	/* far too large and far away: clipped */
	plane(s, 4u << 24, 0x3ff, 0x1fff << 16 | 0x1fff, 0x1fff1fff, 0x1fff1fff);
	shoot(s);
	assert_int_equal(s->out[0], 0);
	plane(s, 4u << 24, 0x3ff, 0, 0x1fff1fff, 0x1fff1fff);
	shoot(s);
	plane(s, 1u << 24, 16, 0, 39 << 16 | 49, 0);
	shoot(s);
	assert_true(s->r.m->stats.planes_undone > 0);
	rig_finish(&s->r);
	free(s);
}

static void test_cursor(void **state)
{
	struct screen *s = calloc(1, sizeof(*s));

	setup(s);
	for (uint32_t i = 0; i < 64 * 64; i++) {
		/* premultiplied: opaque red, half blue, nothing */
		static const uint32_t kinds[] = {0xffff0000, 0x80000080, 0};

		memcpy(s->cursor + i * 4, &kinds[i % 3], 4);
	}
	plane(s, 4u << 24, 16, 0, (H - 1) << 16 | (W - 1), 0);
	wr(s, 0x70080, 0x27);		       /* 64x64 ARGB */
	wr(s, 0x70088, 10 << 16 | 0x8000 | 3); /* x = -3, y = 10 */
	wr(s, 0x70084, CURSOR);
	model_advance(s->r.g, 50 * NSEC_PER_MSEC);
	shoot(s);
	for (uint32_t y = 0; y < H; y++) {
		for (uint32_t x = 0; x < W; x++) {
			uint32_t below = pixel32(s->fb + y * 1024 + x * 4) & 0xffffff,
				 got = s->out[y * W + x];

			if (x + 3 >= 64 || y < 10 || y >= 74) {
				assert_int_equal(got, below);
				continue;
			}
			switch (((y - 10) * 64 + x + 3) % 3) {
			case 0:
				assert_int_equal(got, 0xff0000);
				break;
			case 1:
				for (unsigned int c = 0; c < 24; c += 8) {
					int want = (int)((below >> c & 0xff) * 127 / 255) +
						   (c ? 0 : 0x80);
					int v = (int)(got >> c & 0xff);

					assert_in_range(v, want > 0 ? want - 1 : 0, want + 1);
				}
				break;
			default:
				assert_int_equal(got, below);
			}
		}
	}
	rig_finish(&s->r);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off_and_sizes),
		cmocka_unit_test(test_formats_and_tilings),
		cmocka_unit_test(test_windows_and_holes),
		cmocka_unit_test(test_cursor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
