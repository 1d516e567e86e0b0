/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seam: what may be asked of a physical GPU, and all that may be asked.
 *
 * It is the register level: what a PCI GPU offers on its BARs, on its bus and as an interrupt. The
 * software Gen9 GPU (gpu/model) and a real IGD (gpu/igd) stand behind it; exec drives them and cannot
 * tell which. Every call may come from any thread.
 */
#ifndef GPU_GPU_H
#define GPU_GPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/state.h"

struct gpu;
struct trace;
struct json_object;

enum gpu_caps {
	GPU_CAP_DOMAINS = 1 << 0,	/* separates clients itself: DESIGN, decision 3 */
	GPU_CAP_VIRTUAL_CLOCK = 1 << 1, /* runs on a clock that tests advance */
	GPU_CAP_SCANOUT = 1 << 2,	/* scanout() works */
};

struct gpu_info {
	const char *name; /* "Kaby Lake GT2 (software model)" */
	uint16_t vendor_id, device_id;
	uint8_t revision;
	uint32_t caps;		 /* enum gpu_caps */
	uint64_t aperture_bytes; /* BAR2, the mappable window */
	uint32_t ggtt_entries;	 /* 8 bytes each, at BAR0 + 8 MiB */
};

/* A picture of what a pipe shows: XRGB8888, `stride` bytes a row. */
struct gpu_frame {
	uint32_t width, height, stride;
	uint8_t *pixels; /* caller's */
	size_t size_bytes;
	uint64_t frame; /* count of the pipe's frames */
	bool on;	/* false: the pipe is off, pixels are black */
};

/* Called from any thread, without locks of the caller's: the GPU asks for its (one) MSI. */
typedef void (*gpu_irq_fn)(void *arg);

struct gpu_ops {
	void (*destroy)(struct gpu *g);

	/* BAR0, registers. size 1, 2, 4 or 8; `offset` < 2 MiB. Never fails: what is not there reads 0. */
	uint64_t (*mmio_read)(struct gpu *g, uint32_t offset, unsigned int size);
	void (*mmio_write)(struct gpu *g, uint32_t offset, uint64_t value, unsigned int size);

	/* BAR0, GGTT entries; index < ggtt_entries. Half writes as hardware takes them: 4 or 8 bytes. */
	uint64_t (*ggtt_read)(struct gpu *g, uint32_t index);
	void (*ggtt_write)(struct gpu *g, uint32_t index, uint64_t value, uint64_t mask);

	/* BAR2: translated by the GGTT, detiled by fences. What has no page reads 0 and drops writes. */
	void (*aperture_read)(struct gpu *g, uint64_t offset, void *data, size_t size);
	void (*aperture_write)(struct gpu *g, uint64_t offset, const void *data, size_t size);

	/*
	 * The bus: which memory an IOVA is. 4 KiB granular. hva.p NULL: RAM that cannot be reached
	 * (announced without an fd); its first use faults the device. Overlap: -EEXIST.
	 */
	int (*iova_map)(
		struct gpu *g, struct iova iova, uint64_t size, struct hva hva, bool writable);
	/*
	 * Exactly one range that was mapped, else -ENOENT. Returns when nothing of the GPU can touch it
	 * any more: in much less than 100 ms where the GPU's threads get CPU time; after a second
	 * the engines that still do are reset.
	 */
	int (*iova_unmap)(struct gpu *g, struct iova iova, uint64_t size);

	void (*irq_set)(struct gpu *g, gpu_irq_fn fn, void *arg);

	/* Function level reset: all state as after power-on; IOVA maps stay. */
	void (*reset)(struct gpu *g);
	/*
	 * The memory behind the bus cannot be trusted any more: all engines hang until a function level
	 * reset, status shows `reason` (copied) as the fault. Does not wait for the engines; any thread
	 * that holds no lock of the GPU's, also from the interrupt callback.
	 */
	void (*fail)(struct gpu *g, const char *reason);

	/* The composited picture of pipe `pipe` into f->pixels. -ENOSPC: too small, sizes are set. */
	int (*scanout)(struct gpu *g, unsigned int pipe, struct gpu_frame *f);

	/* The device's state sections (borrowed, valid as long as the GPU). */
	const struct state_section *(*sections)(struct gpu *g, size_t *count);
	/* Engines stop between commands and stay so until resumed: around save and load. */
	void (*pause)(struct gpu *g);
	void (*resume)(struct gpu *g);

	/* Adds counters, engine states, violations and faults to a JSON object. */
	void (*status)(struct gpu *g, struct json_object *out);

	/* Where events go; NULL switches tracing off. */
	void (*trace_set)(struct gpu *g, struct trace *t);
};

struct gpu {
	const struct gpu_ops *ops;
	struct gpu_info info;
};

#endif
