/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCI function's configuration space, header type 0, as data: what each byte resets to, which bits
 * software can change, which it clears by writing 1, and which registers the device wants to hear of.
 *
 * BAR and ROM sizing needs no code of its own: a BAR is a register whose low bits cannot be written
 * (PCI 3.0, 6.2.5.1). Sources: PCI Local Bus 3.0 chapter 6, PCI PM 1.2 chapter 3.
 *
 * Not thread-safe: the caller serialises.
 */
#ifndef PCI_CONFIG_H
#define PCI_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/state.h"

#define PCI_CONFIG_SIZE	    256	 /* conventional */
#define PCI_CONFIG_SIZE_MAX 4096 /* PCI Express */
#define PCI_BARS	    6

enum pci_config_offset {
	PCI_CFG_VENDOR = 0x00,
	PCI_CFG_DEVICE = 0x02,
	PCI_CFG_COMMAND = 0x04,
	PCI_CFG_STATUS = 0x06,
	PCI_CFG_REVISION = 0x08,
	PCI_CFG_CLASS = 0x0a,
	PCI_CFG_CACHE_LINE = 0x0c,
	PCI_CFG_HEADER_TYPE = 0x0e,
	PCI_CFG_BAR0 = 0x10,
	PCI_CFG_SUBSYSTEM = 0x2c,
	PCI_CFG_ROM = 0x30,
	PCI_CFG_CAPABILITIES = 0x34,
	PCI_CFG_INTERRUPT_LINE = 0x3c,
	PCI_CFG_INTERRUPT_PIN = 0x3d,
};

enum pci_command {
	PCI_COMMAND_IO_SPACE = 1 << 0,
	PCI_COMMAND_MEMORY_SPACE = 1 << 1,
	PCI_COMMAND_BUS_MASTER = 1 << 2,
	PCI_COMMAND_INTX_OFF = 1 << 10,
};

enum pci_bar_flags {
	PCI_BAR_IO = 1 << 0,
	PCI_BAR_64 = 1 << 1, /* takes the next BAR's register too */
	PCI_BAR_PREFETCH = 1 << 2,
};

struct pci_bar {
	uint64_t size_bytes; /* a power of two, 16 or more (I/O: 4 to 256); 0: none */
	uint32_t flags;	     /* enum pci_bar_flags */
};

/* A register of the device's own in configuration space. */
struct pci_config_row {
	uint16_t offset;
	uint8_t size_bytes; /* 1, 2 or 4 */
	bool notify;	    /* the device's written() hears of it */
	uint32_t reset;
	uint32_t writable;
	uint32_t w1c;
	const char *name;
	const char *why;
};

struct pci_config_desc {
	uint16_t vendor_id, device_id;
	uint16_t subsystem_vendor_id, subsystem_id;
	uint8_t revision;
	uint16_t class_code; /* base class << 8 | sub-class: 0x0380 */
	struct pci_bar bars[PCI_BARS];
	uint32_t rom_bytes;  /* a power of two, 2 KiB to 16 MiB; 0: none */
	uint8_t intx_pin;    /* 1: INTA#; 0: none */
	uint8_t msi_offset;  /* one vector, 32-bit address, no mask bits: 10 bytes; 0: none */
	uint8_t pm_offset;   /* D0 and D3hot, D3hot -> D0 resets; 8 bytes; 0: none */
	uint32_t size_bytes; /* PCI_CONFIG_SIZE or PCI_CONFIG_SIZE_MAX */
	const struct pci_config_row *rows; /* borrowed, sorted by offset, no overlap */
	size_t row_count;
	/* A row with `notify` was written; `before` and `after` are its values. */
	void (*written)(
		void *arg, const struct pci_config_row *row, uint32_t before, uint32_t after);
	/* The power state changed: 0 (D0) or 3 (D3hot). On 3 -> 0 config space was reset already. */
	void (*power)(void *arg, unsigned int before, unsigned int after);
	void *arg;
};

struct pci_config {
	struct pci_config_desc desc;
	uint8_t value[PCI_CONFIG_SIZE_MAX];
	uint8_t reset[PCI_CONFIG_SIZE_MAX];
	uint8_t writable[PCI_CONFIG_SIZE_MAX];
	uint8_t w1c[PCI_CONFIG_SIZE_MAX];
};

/* -EINVAL with `e`: a description that no PCI function can have (sizes, overlaps, a bit both ways). */
int pci_config_init(struct pci_config *c, const struct pci_config_desc *desc, struct err *e);
/* All to power-on values. Calls no hook. */
void pci_config_reset(struct pci_config *c);

/* Any offset and length; bytes past the end read as all ones, as an absent function's do. */
void pci_config_read(const struct pci_config *c, uint64_t offset, void *data, size_t len);
/* Any offset and length; bytes past the end are dropped. One call is one write: hooks see its end. */
void pci_config_write(struct pci_config *c, uint64_t offset, const void *data, size_t len);

/* A little-endian value of 1 to 4 bytes; inside the space. */
uint32_t pci_config_get(const struct pci_config *c, uint32_t offset, unsigned int size_bytes);
/*
 * The device itself changes a register, whatever its masks say; calls no hook. From written() too: a
 * bit that hardware takes back at once.
 */
void pci_config_set(struct pci_config *c, uint32_t offset, unsigned int size_bytes, uint32_t value);
uint16_t pci_config_command(const struct pci_config *c);
bool pci_config_msi_enabled(const struct pci_config *c);
/* 0: D0, 3: D3hot. */
unsigned int pci_config_power_state(const struct pci_config *c);
/* Where a BAR is decoded now, as the guest set it. */
uint64_t pci_config_bar_address(const struct pci_config *c, unsigned int bar);

/* State section body; obj is the struct pci_config. */
void pci_config_save(void *obj, struct buf *out);
int pci_config_load(void *obj, struct buf_reader *in, uint32_t version, struct err *e);
#define PCI_CONFIG_STATE_VERSION 1

#endif
