/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Video BIOS Table that tells i915 which ports exist (one HDMI connector on port B), and the PCI
 * option ROM image that carries it. Without a VBT i915 invents ports A to E and probes them all, which
 * is four fifths of a boot's register accesses.
 * Sources: i915 display/intel_vbt_defs.h; PCI Firmware Specification 3.0, 5.1 (expansion ROM).
 */
#ifndef GEN9_VBT_H
#define GEN9_VBT_H

#include <stddef.h>
#include <stdint.h>

#define VBT_MAX_BYTES 512
#define VBT_ROM_BYTES 65536 /* the ROM BAR's size */

/* Writes the VBT; returns its length, a multiple of 4 and at most VBT_MAX_BYTES. */
size_t vbt_build(uint8_t out[VBT_MAX_BYTES]);

/*
 * Writes the ROM image for PCI device 8086:`device_id`: a header whose code type no firmware runs, the
 * PCI data structure, and the VBT. Unused bytes are 0.
 */
void vbt_build_rom(uint16_t device_id, uint8_t out[VBT_ROM_BYTES]);

#endif
