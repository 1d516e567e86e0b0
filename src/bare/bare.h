/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole physical GPU as one PCI device, with no mediation: what `ugvt serve` gives one VM.
 *
 * The guest drives the GPU itself: its accesses go through the seam (gpu/gpu.h) as they come, its
 * memory is the GPU's bus, a GPA is an IOVA. Isolation is that of the process.
 */
#ifndef BARE_BARE_H
#define BARE_BARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/state.h"
#include "base/trace.h"
#include "gpu/gpu.h"
#include "mem/mem.h"
#include "pci/device.h"

struct json_object;

#define BARE_CLASS_VGA	   0x0300 /* VGA compatible */
#define BARE_CLASS_DISPLAY 0x0380 /* other display controller: the guest reads the ROM BAR itself */
#define BARE_IO_BYTES	   64
#define BARE_ROM_BYTES_MAX (64u << 10)

struct bare_config {
	struct gpu *gpu;	   /* borrowed, longer than the device */
	const struct clock *clock; /* borrowed: the time of traced events; NULL: none */
	uint16_t class_code;	   /* 0: BARE_CLASS_DISPLAY */
	const uint8_t *rom;	   /* copied: the PCI ROM image with the VBT; NULL: no ROM */
	size_t rom_bytes;	   /* a power of two, 2 KiB to BARE_ROM_BYTES_MAX */
	/*
	 * The client shall wait for each write. QEMU posts writes to BARs only as long as no region can
	 * be mapped, so one page of BAR0 that holds no register is offered for it.
	 */
	bool writes_waited;
};

struct bare;

/* Owned by the caller. NULL with `e` filled: -EINVAL (ROM size, aperture), -ENOMEM. */
struct bare *bare_create(const struct bare_config *config, struct err *e);
/* Takes the interrupt back from the GPU; NULL is fine. */
void bare_destroy(struct bare *b);

/* The device for a front. */
struct pci_device *bare_device(struct bare *b);
/* What a struct mem must tell: mem_listen(). */
const struct mem_listener *bare_listener(struct bare *b);
/*
 * The memory that is listened to (borrowed, longer than the device), before the first client: when a
 * file of it is cut while it is mapped, the GPU fails at the next access, interrupt or status.
 */
void bare_watch(struct bare *b, const struct mem *mem);

/*
 * No interrupt goes to the front any more, and none is on its way when this returns: what a front
 * calls before it takes apart what its irq_raise uses.
 */
void bare_irq_stop(struct bare *b);
/* Any thread: may the device use INTx (PCI 3.0, 6.2.2: Interrupt Disable is 0)? */
bool bare_intx_allowed(const struct bare *b);

/* Config space, OpRegion registers and all of the GPU's (borrowed, valid as long as the device). */
const struct state_section *bare_sections(struct bare *b, size_t *count);

/* Where config accesses and the GPU's events go; NULL: nowhere. `t` lives longer than the device. */
void bare_trace_set(struct bare *b, struct trace *t);

/*
 * Any thread: adds "config", "opregion" (what firmware and driver last wrote to ASLS, BDSM, SWSCI and
 * ASLE, and how often the last two were rung), "traps" ({"mmio_reads": n, "mmio_writes": n, ...} by
 * part of the device), "interrupts", "resets", "clients" and "unshared_maps" to a JSON object.
 */
void bare_status(struct bare *b, struct json_object *out);

#endif
