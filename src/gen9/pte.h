/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Formats of GGTT entries and PPGTT entries (PRM volume 5, memory views; i915 gt/intel_gtt.h). */
#ifndef GEN9_PTE_H
#define GEN9_PTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/util.h"

#define GEN9_PTE_PRESENT UINT64_C(1)
#define GEN9_PTE_RW	 UINT64_C(2)
#define GEN9_PDE_PS	 BIT64(7)  /* PDE: 2 MiB page; PDPE: 1 GiB page */
#define GEN9_PDE_IPS_64K BIT64(11) /* PDE: the table holds 64 KiB pages, every 16th entry counts */
#define GEN9_PTE_ADDR	 UINT64_C(0x7ffffff000) /* bits 38:12: Gen9's 39-bit bus */

/* GGTT entry -> does it translate. */
static inline bool gen9_pte_present(uint64_t pte)
{
	return pte & GEN9_PTE_PRESENT;
}

static inline uint64_t gen9_pte_addr(uint64_t pte)
{
	return pte & GEN9_PTE_ADDR;
}

#endif
