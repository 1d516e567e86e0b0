/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-user on the wire, version 0.1: messages, their fixed parts, flags and limits.
 *
 * Source: QEMU's docs/interop/vfio-user.rst and, for the parts it borrows, linux/vfio.h. Everything
 * is in the host's byte order. Messages start anywhere in a buffer: copy these out, do not cast.
 */
#ifndef VFU_PROTOCOL_H
#define VFU_PROTOCOL_H

#include <assert.h>
#include <stdint.h>

#define VFU_MAJOR 0
#define VFU_MINOR 1

#define VFU_MAX_DATA	   (UINT32_C(1) << 20) /* max_data_xfer_size */
#define VFU_MAX_MESSAGE	   (VFU_MAX_DATA + 64) /* header, fixed part and data */
#define VFU_MAX_FDS	   16		       /* max_msg_fds: what QEMU takes at most */
#define VFU_MAX_REGIONS	   100		       /* QEMU refuses more */
#define VFU_MAX_IRQS	   50		       /* index types; QEMU refuses more */
#define VFU_MAX_VECTORS	   2048		       /* of one index: MSI-X's limit */
#define VFU_MAX_CAPS_JSON  4096		       /* bytes of a client's VERSION JSON */
#define VFU_MAX_CAPS_DEPTH 8

enum vfu_cmd {
	VFU_VERSION = 1,
	VFU_DMA_MAP = 2,
	VFU_DMA_UNMAP = 3,
	VFU_GET_INFO = 4,
	VFU_GET_REGION_INFO = 5,
	VFU_GET_REGION_IO_FDS = 6,
	VFU_GET_IRQ_INFO = 7,
	VFU_SET_IRQS = 8,
	VFU_REGION_READ = 9,
	VFU_REGION_WRITE = 10,
	VFU_DMA_READ = 11,  /* server to client */
	VFU_DMA_WRITE = 12, /* server to client */
	VFU_DEVICE_RESET = 13,
	/* 14 was DIRTY_PAGES: unassigned */
	VFU_REGION_WRITE_MULTI = 15,
	VFU_DEVICE_FEATURE = 16,
	VFU_MIG_DATA_READ = 17,
	VFU_MIG_DATA_WRITE = 18,
	VFU_CMD_COUNT
};

enum vfu_hdr_flags {
	VFU_TYPE_MASK = 0xf,
	VFU_TYPE_COMMAND = 0,
	VFU_TYPE_REPLY = 1,
	VFU_NO_REPLY = 0x10,
	VFU_ERROR = 0x20,
};

struct vfu_hdr {
	uint16_t id; /* the sender's; a reply echoes it */
	uint16_t cmd;
	uint32_t size; /* bytes, this header included */
	uint32_t flags;
	uint32_t error; /* errno, with VFU_ERROR */
};
static_assert(sizeof(struct vfu_hdr) == 16, "header");

struct vfu_version { /* JSON follows, with its NUL */
	uint16_t major, minor;
};
static_assert(sizeof(struct vfu_version) == 4, "VERSION");

enum vfu_dma_flags {
	VFU_DMA_READABLE = 1,
	VFU_DMA_WRITABLE = 2,
	VFU_UNMAP_DIRTY_BITMAP = 1,
	VFU_UNMAP_ALL = 2,
};

struct vfu_dma_map {
	uint32_t argsz, flags;
	uint64_t offset, addr, size;
};
static_assert(sizeof(struct vfu_dma_map) == 32, "DMA_MAP");

struct vfu_dma_unmap {
	uint32_t argsz, flags;
	uint64_t addr, size;
};
static_assert(sizeof(struct vfu_dma_unmap) == 24, "DMA_UNMAP");

enum vfu_info_flags { VFU_INFO_RESET = 1, VFU_INFO_PCI = 2 };

struct vfu_device_info { /* 16 bytes, or 20 and 24 with linux/vfio.h's later fields */
	uint32_t argsz, flags, num_regions, num_irqs, cap_offset, pad;
};
static_assert(sizeof(struct vfu_device_info) == 24, "GET_INFO");
#define VFU_DEVICE_INFO_MIN 16

enum vfu_region_flags {
	VFU_REGION_FLAG_READ = 1,
	VFU_REGION_FLAG_WRITE = 2,
	VFU_REGION_FLAG_MMAP = 4,
	VFU_REGION_FLAG_CAPS = 8,
};

struct vfu_region_info { /* capabilities follow */
	uint32_t argsz, flags, index, cap_offset;
	uint64_t size, offset;
};
static_assert(sizeof(struct vfu_region_info) == 32, "GET_REGION_INFO");

struct vfu_cap_header {
	uint16_t id, version;
	uint32_t next; /* offset from the start of vfu_region_info; 0: the last */
};

#define VFU_CAP_SPARSE_MMAP 1
#define VFU_CAP_TYPE	    2

struct vfu_cap_sparse { /* struct vfu_area follow, relative to the region */
	struct vfu_cap_header header;
	uint32_t nr_areas, reserved;
};
static_assert(sizeof(struct vfu_cap_sparse) == 16, "sparse mmap capability");

struct vfu_cap_type {
	struct vfu_cap_header header;
	uint32_t type, subtype;
};
static_assert(sizeof(struct vfu_cap_type) == 16, "type capability");

struct vfu_io_fds {
	uint32_t argsz, flags, index, count;
};
static_assert(sizeof(struct vfu_io_fds) == 16, "GET_REGION_IO_FDS");

enum vfu_irq_info_flags {
	VFU_IRQ_EVENTFD = 1,
	VFU_IRQ_MASKABLE = 2,
	VFU_IRQ_AUTOMASKED = 4,
	VFU_IRQ_NORESIZE = 8,
};

struct vfu_irq_info {
	uint32_t argsz, flags, index, count;
};
static_assert(sizeof(struct vfu_irq_info) == 16, "GET_IRQ_INFO");

enum vfu_irq_set_flags {
	VFU_IRQ_DATA_NONE = 1,
	VFU_IRQ_DATA_BOOL = 2,
	VFU_IRQ_DATA_EVENTFD = 4,
	VFU_IRQ_DATA_MASK = 7,
	VFU_IRQ_ACTION_MASK = 8,
	VFU_IRQ_ACTION_UNMASK = 16,
	VFU_IRQ_ACTION_TRIGGER = 32,
	VFU_IRQ_ACTIONS = 56,
};

struct vfu_irq_set { /* count bools follow with DATA_BOOL */
	uint32_t argsz, flags, index, start, count;
};
static_assert(sizeof(struct vfu_irq_set) == 20, "SET_IRQS");

struct vfu_region_rw { /* data follow in a READ's reply and a WRITE's request */
	uint64_t offset;
	uint32_t region, count;
};
static_assert(sizeof(struct vfu_region_rw) == 16, "REGION_READ and REGION_WRITE");

struct vfu_dma_rw { /* data follow in a READ's reply and a WRITE's request */
	uint64_t addr, count;
};
static_assert(sizeof(struct vfu_dma_rw) == 16, "DMA_READ and DMA_WRITE");

enum vfu_feature_flags {
	VFU_FEATURE_MASK = 0xffff,
	VFU_FEATURE_GET = 1 << 16,
	VFU_FEATURE_SET = 1 << 17,
	VFU_FEATURE_PROBE = 1 << 18,
};

struct vfu_feature {
	uint32_t argsz, flags;
};
static_assert(sizeof(struct vfu_feature) == 8, "DEVICE_FEATURE");

struct vfu_mig_data {
	uint32_t argsz, size;
};
static_assert(sizeof(struct vfu_mig_data) == 8, "MIG_DATA_READ and MIG_DATA_WRITE");

#endif
