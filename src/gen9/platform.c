// SPDX-License-Identifier: GPL-2.0-or-later
/* The platforms we are. A new one is a row here: nothing else may ask which platform it is. */
#include <stdlib.h>
#include <strings.h>

#include "base/util.h"
#include "gen9/platform.h"

/* FUSE2 0x9120: bits 27:25 slices that exist, 23:20 subslices that are fused off (of four). */
#define FUSE2(slices, subslices_off) ((uint32_t)(slices) << 25 | (uint32_t)(subslices_off) << 20)
/* RP_STATE_CAP: RP0, RP1, RPn in 50 MHz (PRM volume 2c). */
#define RP_CAP(rp0, rp1, rpn) ((uint32_t)(rpn) << 16 | (uint32_t)(rp1) << 8 | (uint32_t)(rp0))
/* CTC_MODE 0xa26c: crystal clock source, shift 2 (bits 2:1): i915 reads 12 MHz out of it. */
#define CTC_CRYSTAL 0x4

/*
 * GT2: one slice of three subslices with eight EUs. Device ids and names: i915_pciids.h; revisions:
 * the last steppings that were sold (Skylake G0 06, Kaby Lake B0 02 and up); the fields of FUSE2
 * and EU_DISABLE as i915 gt/intel_sseu.c reads them; frequencies: Intel ARK.
 */
const struct gen9_platform gen9_platforms[] = {
	{.name = "kbl-gt2",
		.title = "Kaby Lake GT2 (HD Graphics 620)",
		.device_id = 0x5916,
		.revision = 2,
		.slices = 1,
		.subslices = 3,
		.eus_per_subslice = 8,
		.fuse2 = FUSE2(1, 0x8),
		.rp_state_cap = RP_CAP(22, 19, 6),
		.timestamp_hz = 12000000,
		.ctc_mode = CTC_CRYSTAL},
	{.name = "skl-gt2",
		.title = "Skylake GT2 (HD Graphics 530)",
		.device_id = 0x1912,
		.revision = 6,
		.slices = 1,
		.subslices = 3,
		.eus_per_subslice = 8,
		.fuse2 = FUSE2(1, 0x8),
		.rp_state_cap = RP_CAP(23, 7, 7),
		.timestamp_hz = 12000000,
		.ctc_mode = CTC_CRYSTAL},
	{.name = "kbl-gt2-desktop",
		.title = "Kaby Lake GT2 (HD Graphics 630)",
		.device_id = 0x5912,
		.revision = 4,
		.slices = 1,
		.subslices = 3,
		.eus_per_subslice = 8,
		.fuse2 = FUSE2(1, 0x8),
		.rp_state_cap = RP_CAP(23, 7, 7),
		.timestamp_hz = 12000000,
		.ctc_mode = CTC_CRYSTAL},
	{.name = "kbl-gt2-halo",
		.title = "Kaby Lake GT2 (HD Graphics 630, mobile)",
		.device_id = 0x591b,
		.revision = 4,
		.slices = 1,
		.subslices = 3,
		.eus_per_subslice = 8,
		.fuse2 = FUSE2(1, 0x8),
		.rp_state_cap = RP_CAP(22, 7, 7),
		.timestamp_hz = 12000000,
		.ctc_mode = CTC_CRYSTAL},
	{.name = "skl-gt2-mobile",
		.title = "Skylake GT2 (HD Graphics 520)",
		.device_id = 0x1916,
		.revision = 7,
		.slices = 1,
		.subslices = 3,
		.eus_per_subslice = 8,
		.fuse2 = FUSE2(1, 0x8),
		.rp_state_cap = RP_CAP(21, 6, 6),
		.timestamp_hz = 12000000,
		.ctc_mode = CTC_CRYSTAL},
};
const size_t gen9_platform_count = ARRAY_SIZE(gen9_platforms);

const struct gen9_platform *gen9_platform_find(const char *name)
{
	unsigned long id;
	char *end;

	if (!name)
		return NULL;
	for (size_t i = 0; i < gen9_platform_count; i++) {
		if (!strcmp(name, gen9_platforms[i].name))
			return &gen9_platforms[i];
	}
	if (!strncasecmp(name, "8086:", 5))
		name += 5;
	if (strspn(name, "0123456789abcdefABCDEF") != 4 || name[4])
		return NULL;
	id = strtoul(name, &end, 16);
	for (size_t i = 0; i < gen9_platform_count; i++) {
		if (gen9_platforms[i].device_id == id)
			return &gen9_platforms[i];
	}
	return NULL;
}
