/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCI device as a front (vfio-user today) sees it: regions, interrupts, reset, memory coming and
 * going. Whole physical GPUs (bare), virtual GPUs (vgpu) and samples implement it; a front drives it.
 *
 * All calls come from the front's one thread for this device; irq callbacks go out from any thread.
 */
#ifndef PCI_DEVICE_H
#define PCI_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Region and interrupt indices as linux/vfio.h numbers them. */
enum pci_region {
	PCI_REGION_BAR0,
	PCI_REGION_BAR1,
	PCI_REGION_BAR2,
	PCI_REGION_BAR3,
	PCI_REGION_BAR4,
	PCI_REGION_BAR5,
	PCI_REGION_ROM,
	PCI_REGION_CONFIG,
	PCI_REGION_VGA,
	PCI_REGION_COUNT
};

enum pci_irq { PCI_IRQ_INTX, PCI_IRQ_MSI, PCI_IRQ_MSIX, PCI_IRQ_ERR, PCI_IRQ_REQ, PCI_IRQ_COUNT };

enum pci_region_flags {
	PCI_REGION_READ = 1,
	PCI_REGION_WRITE = 2,
	PCI_REGION_MMAP = 4,
};

struct pci_region_area {
	uint64_t offset, size;
};

struct pci_region_info {
	uint64_t size;	/* 0: no such region */
	uint32_t flags; /* enum pci_region_flags */
	int fd;		/* with MMAP: borrowed, the whole region's memory; else -1 */
	uint64_t fd_offset;
	uint32_t area_count; /* with MMAP: 0: all of it */
	struct pci_region_area areas[4];
	uint32_t type, subtype; /* device-specific regions, 0: none */
};

struct pci_device;

struct pci_device_ops {
	uint32_t regions; /* how many, at least PCI_REGION_COUNT */
	void (*region_info)(struct pci_device *d, uint32_t index, struct pci_region_info *out);
	/*
	 * The front has checked that [offset, offset + len) lies in the region and that its flags allow
	 * the access. 0, or -errno for the client (the guest sees all ones).
	 */
	int (*region_read)(
		struct pci_device *d, uint32_t index, uint64_t offset, void *data, size_t len);
	int (*region_write)(struct pci_device *d, uint32_t index, uint64_t offset, const void *data,
		size_t len);
	uint32_t (*irq_count)(struct pci_device *d, uint32_t index);
	/* Function level reset: registers to power-on state. Bounded: well under 100 ms. */
	void (*reset)(struct pci_device *d);
	/* A client came, or went: its memory is unmapped and its interrupts are disarmed already. */
	void (*attached)(struct pci_device *d);
	void (*detached)(struct pci_device *d);
};

struct pci_device {
	const struct pci_device_ops *ops;
	/* Set by the front: raises vector 0 of an interrupt type. Any thread; never blocks. */
	void (*irq_raise)(void *arg, enum pci_irq type, uint32_t vector);
	void *irq_arg;
};

#endif
