/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The platforms we are, a row each: PCI identity, fuses, frequencies. */
#ifndef GEN9_PLATFORM_H
#define GEN9_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gen9_platform {
	const char *name;   /* "kbl-gt2", as --platform takes it */
	const char *title;  /* "Kaby Lake GT2 (HD Graphics 620)" */
	uint16_t device_id; /* PCI device; vendor is 8086 */
	uint8_t revision;
	bool has_vcs1;
	uint8_t slices, subslices, eus_per_subslice;
	uint32_t fuse2;		/* 0x9120 */
	uint32_t eu_disable[3]; /* 0x9134, 0x9138, 0x913c */
	uint32_t rp_state_cap;	/* 0x145998: RPn, RP1, RP0 in 50 MHz */
	uint32_t timestamp_hz;	/* 12 MHz */
	uint32_t ctc_mode;	/* 0xa26c */
};

extern const struct gen9_platform gen9_platforms[];
extern const size_t gen9_platform_count;
/* By name or by "8086:5916"/"5916"; NULL when unknown. */
const struct gen9_platform *gen9_platform_find(const char *name);

#endif
