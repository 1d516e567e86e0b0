/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EDID blocks: what a monitor says about itself over DDC.
 * Source: VESA E-EDID standard, release A (EDID 1.4); timings from VESA DMT 1.13 and CVT 1.2
 * (reduced blanking).
 */
#ifndef GEN9_EDID_H
#define GEN9_EDID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define EDID_BLOCK_BYTES 128

struct edid_timing {
	uint32_t clock_khz;
	uint16_t hdisplay, hsync_start, hsync_end, htotal;
	uint16_t vdisplay, vsync_start, vsync_end, vtotal;
	bool hsync_positive, vsync_positive;
};

struct edid_monitor {
	const char *name; /* at most 13 characters; NULL: "uGVT" */
	uint32_t serial;
	uint32_t width, height;	      /* of the preferred mode, pixels; 0: 1024x768 */
	uint32_t refresh_hz;	      /* 0: 60 */
	uint32_t width_mm, height_mm; /* of the picture; 0: at 96 dots an inch */
};

/*
 * The timing for a mode: the VESA DMT one where there is one (1024x768, 1280x720, 1920x1080 at 60),
 * else CVT with reduced blanking. -ERANGE: outside 640x480..4095x4095 or 24..120 Hz, or a clock that
 * a detailed timing cannot hold (655 MHz); -EINVAL: a width that is not a multiple of 8.
 */
int edid_timing(uint32_t width, uint32_t height, uint32_t refresh_hz, struct edid_timing *out,
	struct err *e);

/* One block with its checksum. Errors as edid_timing(); -EINVAL for a name that is too long. */
int edid_build(const struct edid_monitor *m, uint8_t out[EDID_BLOCK_BYTES], struct err *e);

/* The built-in monitor: 1024x768 preferred, and 1280x720, 1920x1080, 1920x1200 as further modes. */
void edid_default(uint8_t out[EDID_BLOCK_BYTES]);

/* Header and checksum of each block are right. `size` is a multiple of 128. */
bool edid_valid(const uint8_t *edid, size_t size);

#endif
