/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The four address spaces as distinct types, so that the compiler refuses a mix-up.
 *
 * gma   graphics memory address, as commands and the GGTT or a PPGTT name it
 * gpa   guest-physical address (vfio-user calls it iova; vfu converts once)
 * iova  address on the pGPU's bus, as PTEs of the physical GPU hold it
 * hva   our own virtual address
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdint.h>

struct gma {
	uint64_t v;
};

struct gpa {
	uint64_t v;
};

struct iova {
	uint64_t v;
};

struct hva {
	void *p;
};

#define PAGE_SHIFT   12
#define PAGE_SIZE_4K (UINT64_C(1) << PAGE_SHIFT)
#define PAGE_MASK_4K (PAGE_SIZE_4K - 1)

#endif
