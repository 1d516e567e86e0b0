/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EDID blocks built from a mode and a name. */
#include "gen9/edid.h"
#include "base/util.h"

#include <errno.h>

/* VESA DMT 1.13, the modes monitors announce by size alone. */
static const struct edid_timing dmt[] = {
	{25175, 640, 656, 752, 800, 480, 490, 492, 525, false, false},
	{40000, 800, 840, 968, 1056, 600, 601, 605, 628, true, true},
	{65000, 1024, 1048, 1184, 1344, 768, 771, 777, 806, false, false},
	{74250, 1280, 1390, 1430, 1650, 720, 725, 730, 750, true, true},
	{108000, 1280, 1328, 1440, 1688, 1024, 1025, 1028, 1066, true, true},
	{148500, 1920, 2008, 2052, 2200, 1080, 1084, 1089, 1125, true, true},
};

/* CVT 1.2, 5.4: constants of reduced blanking (version 1). */
#define RB_HBLANK	   160
#define RB_HSYNC	   32
#define RB_HFRONT	   48
#define RB_VFRONT	   3
#define RB_VBACK_MIN	   6
#define RB_VBLANK_MIN_NS   460000
#define CVT_CLOCK_STEP_KHZ 250

/* CVT 1.2, table 3-2: the width of vsync tells the aspect ratio. */
static uint16_t cvt_vsync(uint32_t width, uint32_t height)
{
	static const struct {
		uint32_t w, h;
		uint16_t lines;
	} aspect[] = {{4, 3, 4}, {16, 9, 5}, {16, 10, 6}, {5, 4, 7}, {15, 9, 7}};

	for (size_t i = 0; i < ARRAY_SIZE(aspect); i++) {
		/* CVT rounds the height's width down to a character cell of 8 pixels. */
		if (height * aspect[i].w / aspect[i].h / 8 * 8 == width)
			return aspect[i].lines;
	}
	return 10;
}

static void cvt_rb(uint32_t width, uint32_t height, uint32_t hz, struct edid_timing *t)
{
	uint64_t blank = (uint64_t)RB_VBLANK_MIN_NS * height * hz;
	uint32_t vsync = cvt_vsync(width, height);
	uint32_t lines = (uint32_t)(blank / (NSEC_PER_SEC - (uint64_t)RB_VBLANK_MIN_NS * hz)) + 1;
	uint64_t khz;

	if (lines < RB_VFRONT + vsync + RB_VBACK_MIN)
		lines = RB_VFRONT + vsync + RB_VBACK_MIN;
	t->hdisplay = (uint16_t)width;
	t->hsync_start = (uint16_t)(width + RB_HFRONT);
	t->hsync_end = (uint16_t)(width + RB_HFRONT + RB_HSYNC);
	t->htotal = (uint16_t)(width + RB_HBLANK);
	t->vdisplay = (uint16_t)height;
	t->vsync_start = (uint16_t)(height + RB_VFRONT);
	t->vsync_end = (uint16_t)(height + RB_VFRONT + vsync);
	t->vtotal = (uint16_t)(height + lines);
	t->hsync_positive = true;
	t->vsync_positive = false;
	khz = (uint64_t)hz * t->vtotal * t->htotal / 1000;
	t->clock_khz = (uint32_t)(khz / CVT_CLOCK_STEP_KHZ * CVT_CLOCK_STEP_KHZ);
}

int edid_timing(uint32_t width, uint32_t height, uint32_t refresh_hz, struct edid_timing *out,
	struct err *e)
{
	if (width < 640 || width > 4095 || height < 480 || height > 4095)
		return err_set(e, -ERANGE, "use 640x480 to 4088x4095", "mode of %ux%u pixels",
			width, height);
	if (refresh_hz < 24 || refresh_hz > 120)
		return err_set(e, -ERANGE, "use 24 to 120", "refresh rate of %u Hz", refresh_hz);
	if (refresh_hz == 60) {
		for (size_t i = 0; i < ARRAY_SIZE(dmt); i++) {
			if (dmt[i].hdisplay == width && dmt[i].vdisplay == height) {
				*out = dmt[i];
				return 0;
			}
		}
	}
	if (width % 8)
		return err_set(e, -EINVAL, "use a multiple of 8", "mode of %u pixels width", width);
	cvt_rb(width, height, refresh_hz, out);
	if (out->clock_khz > 655350)
		return err_set(e, -ERANGE, "use a smaller mode or a lower refresh rate",
			"mode %ux%u at %u Hz needs %u kHz", width, height, refresh_hz,
			out->clock_khz);
	return 0;
}

/* E-EDID 3.10.2: a detailed timing descriptor. */
static void put_detailed(
	uint8_t *d, const struct edid_timing *t, uint32_t width_mm, uint32_t height_mm)
{
	uint32_t clock = t->clock_khz / 10;
	uint32_t hblank = (uint32_t)t->htotal - t->hdisplay;
	uint32_t vblank = (uint32_t)t->vtotal - t->vdisplay;
	uint32_t hfront = (uint32_t)t->hsync_start - t->hdisplay;
	uint32_t hsync = (uint32_t)t->hsync_end - t->hsync_start;
	uint32_t vfront = (uint32_t)t->vsync_start - t->vdisplay;
	uint32_t vsync = (uint32_t)t->vsync_end - t->vsync_start;

	d[0] = (uint8_t)clock;
	d[1] = (uint8_t)(clock >> 8);
	d[2] = (uint8_t)t->hdisplay;
	d[3] = (uint8_t)hblank;
	d[4] = (uint8_t)(t->hdisplay >> 8 << 4 | hblank >> 8);
	d[5] = (uint8_t)t->vdisplay;
	d[6] = (uint8_t)vblank;
	d[7] = (uint8_t)(t->vdisplay >> 8 << 4 | vblank >> 8);
	d[8] = (uint8_t)hfront;
	d[9] = (uint8_t)hsync;
	d[10] = (uint8_t)((vfront & 15) << 4 | (vsync & 15));
	d[11] = (uint8_t)(hfront >> 8 << 6 | hsync >> 8 << 4 | vfront >> 4 << 2 | vsync >> 4);
	d[12] = (uint8_t)width_mm;
	d[13] = (uint8_t)height_mm;
	d[14] = (uint8_t)(width_mm >> 8 << 4 | height_mm >> 8);
	d[15] = 0;
	d[16] = 0;
	d[17] = (uint8_t)(0x18 | (t->vsync_positive ? 4 : 0) | (t->hsync_positive ? 2 : 0));
}

/* E-EDID 3.10.3.4: the monitor's name. */
static void put_name(uint8_t *d, const char *name)
{
	size_t len = strlen(name);

	memset(d, 0, 18);
	d[3] = 0xfc;
	memset(d + 5, ' ', 13);
	memcpy(d + 5, name, len);
	if (len < 13)
		d[5 + len] = '\n';
}

/* E-EDID 3.10.3.3: range limits, bare: 24-120 Hz, 15-255 kHz, up to `clock_khz`. */
static void put_range(uint8_t *d, uint32_t clock_khz)
{
	memset(d, 0, 18);
	d[3] = 0xfd;
	d[5] = 24;
	d[6] = 120;
	d[7] = 15;
	d[8] = 255;
	d[9] = (uint8_t)min_u64((clock_khz + 9999) / 10000, 255);
	d[10] = 1; /* no formula */
	d[11] = '\n';
	memset(d + 12, ' ', 6);
}

static void put_dummy(uint8_t *d)
{
	memset(d, 0, 18);
	d[3] = 0x10;
}

static void put_checksum(uint8_t *block)
{
	uint8_t sum = 0;

	for (int i = 0; i < EDID_BLOCK_BYTES - 1; i++)
		sum = (uint8_t)(sum + block[i]);
	block[EDID_BLOCK_BYTES - 1] = (uint8_t)-sum;
}

/* All but the descriptors: header, vendor "UGV", EDID 1.4, DVI input with 8 bits, sRGB. */
static void put_base(uint8_t *b, uint32_t serial, uint32_t width_mm, uint32_t height_mm)
{
	static const uint8_t header[8] = {0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00};
	static const uint8_t srgb[10] = {
		0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54};
	const uint32_t vendor = ('U' - 'A' + 1) << 10 | ('G' - 'A' + 1) << 5 | ('V' - 'A' + 1);

	memset(b, 0, EDID_BLOCK_BYTES);
	memcpy(b, header, sizeof(header));
	b[8] = (uint8_t)(vendor >> 8);
	b[9] = (uint8_t)vendor;
	b[10] = 1; /* product */
	for (int i = 0; i < 4; i++)
		b[12 + i] = (uint8_t)(serial >> (8 * i));
	b[16] = 1;	     /* week */
	b[17] = 2026 - 1990; /* year */
	b[18] = 1;
	b[19] = 4;
	b[20] = 0xa1; /* digital, 8 bits a colour, DVI */
	b[21] = (uint8_t)min_u64((width_mm + 5) / 10, 255);
	b[22] = (uint8_t)min_u64((height_mm + 5) / 10, 255);
	b[23] = 120;  /* gamma 2.2 */
	b[24] = 0x06; /* RGB 4:4:4, sRGB, the first timing is preferred */
	memcpy(b + 25, srgb, sizeof(srgb));
	b[35] = 0x21; /* 640x480 and 800x600 at 60 Hz */
	b[36] = 0x08; /* 1024x768 at 60 Hz */
	memset(b + 38, 1, 16);
}

int edid_build(const struct edid_monitor *m, uint8_t out[EDID_BLOCK_BYTES], struct err *e)
{
	const char *name = m->name ? m->name : "uGVT";
	uint32_t width = m->width ? m->width : 1024;
	uint32_t height = m->height ? m->height : 768;
	uint32_t width_mm = m->width_mm ? m->width_mm : width * 254 / 960;
	uint32_t height_mm = m->height_mm ? m->height_mm : height * 254 / 960;
	struct edid_timing t;
	int ret;

	if (strlen(name) > 13)
		return err_set(
			e, -EINVAL, "use at most 13 characters", "monitor name \"%s\"", name);
	if (width_mm > 4095 || height_mm > 4095)
		return err_set(e, -ERANGE, "use at most 4095 mm", "picture of %ux%u mm", width_mm,
			height_mm);
	ret = edid_timing(width, height, m->refresh_hz ? m->refresh_hz : 60, &t, e);
	if (ret)
		return ret;
	put_base(out, m->serial, width_mm, height_mm);
	put_detailed(out + 54, &t, width_mm, height_mm);
	put_range(out + 72, t.clock_khz > 170000 ? t.clock_khz : 170000);
	put_name(out + 90, name);
	put_dummy(out + 108);
	put_checksum(out);
	return 0;
}

void edid_default(uint8_t out[EDID_BLOCK_BYTES])
{
	static const struct edid_monitor monitor = {.name = "uGVT"};
	/* Standard timings, 60 Hz: width / 8 - 31, then the aspect ratio (16:9) in bits 7:6. */
	static const uint8_t standard[4] = {1280 / 8 - 31, 0xc0, 1920 / 8 - 31, 0xc0};
	struct edid_timing t;

	edid_build(&monitor, out, NULL);
	memcpy(out + 38, standard, sizeof(standard));
	/* As a detailed timing with reduced blanking: otherwise too fast for single-link DVI. */
	edid_timing(1920, 1200, 60, &t, NULL);
	put_detailed(out + 108, &t, 1024 * 254 / 960, 768 * 254 / 960);
	put_checksum(out);
}

bool edid_valid(const uint8_t *edid, size_t size)
{
	static const uint8_t header[8] = {0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00};

	if (size == 0 || size % EDID_BLOCK_BYTES || memcmp(edid, header, sizeof(header)) != 0)
		return false;
	for (size_t block = 0; block < size; block += EDID_BLOCK_BYTES) {
		uint8_t sum = 0;

		for (size_t i = 0; i < EDID_BLOCK_BYTES; i++)
			sum = (uint8_t)(sum + edid[block + i]);
		if (sum)
			return false;
	}
	return true;
}
