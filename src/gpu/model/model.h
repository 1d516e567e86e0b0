/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The software Gen9 GPU, inside: what its blocks share. Nothing outside gpu/model includes this;
 * the way in is model_create() in gpu/model/model_api.h, then struct gpu.
 *
 * Threads. MMIO comes from any thread. Each engine has one thread, which sleeps until its execlist
 * port has work. One timer thread runs the display's clock. Registers are atomics (soc/regs.h); the
 * execlist port, CSB and status of an engine are under engine.lock, which the engine's thread takes
 * only at context boundaries, never while it executes commands. What the thread needs of the guest's
 * memory it reaches inside an epoch section that it leaves at least once a slice (cs_breathe()), so
 * that an iova_unmap is answered soon.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/epoch.h"
#include "base/lock.h"
#include "base/rangemap.h"
#include "base/trace.h"
#include "base/util.h"
#include "gen9/cmds.h"
#include "gen9/pte.h"
#include "gpu/gpu.h"
#include "soc/regs.h"
#include "soc/soc.h"

struct model;
struct engine;

/* ------------------------------------------------------------------ violation.c */

/*
 * What the driver of the GPU did that silicon does not forgive (DESIGN, decision 2). Counted, with
 * the last offender; shown by status; any of it by stock i915 or by exec fails the test.
 */
enum violation {
	VIOLATION_FORCEWAKE, /* register access in a domain that is not awake; detail: offset */
	VIOLATION_GGTT_FLUSH, /* an entry used that was written after the last GGTT flush; gma page */
	VIOLATION_STALE_TLB, /* a translation used whose entry has changed since it was cached */
	VIOLATION_CONTEXT_WRITE,   /* the image of a running context was written by the CPU; lrca */
	VIOLATION_TAIL_ALIGN,	   /* ring tail not on a qword */
	VIOLATION_LITE_RESTORE,	   /* lite restore whose tail did not move, or HEAD == TAIL; lrca */
	VIOLATION_ELSP_OVERRUN,	   /* ELSP written while the pending port is still full */
	VIOLATION_CSB_OVERFLOW,	   /* more than six events unread */
	VIOLATION_RESET_HANDSHAKE, /* GDRST of an engine without RESET_CTL ready-for-reset */
	VIOLATION_CS_REGISTER,	   /* a command streamer touched a register it may not; offset */
	VIOLATION_CS_PRIVILEGE,	   /* a privileged command or GGTT write in a user batch; dword 0 */
	VIOLATION_UNKNOWN_COMMAND, /* an opcode without a row; dword 0 */
	VIOLATION_DESCRIPTOR,	   /* reserved or impossible bits in a context descriptor */
	VIOLATION_COUNT
};
extern const char *const violation_names[VIOLATION_COUNT];

struct violations {
	_Atomic uint64_t count[VIOLATION_COUNT];
	_Atomic uint64_t last[VIOLATION_COUNT];
};

void model_violate(struct model *m, enum violation v, uint64_t detail);

/* ------------------------------------------------------------------ iommu.c */

enum fault_reason { /* why an address led nowhere */
	FAULT_NONE,
	FAULT_PTE,	/* not present, or outside the tables */
	FAULT_READONLY, /* a write through a mapping of the bus without write permission */
	FAULT_IOVA,	/* the entry names a bus address that is not mapped */
	FAULT_FDLESS,	/* guest RAM that was announced without an fd */
	FAULT_REASONS
};
extern const char *const fault_reason_names[FAULT_REASONS];

struct iommu_map {
	uint8_t *hva; /* NULL: announced without an fd */
	bool writable;
};

struct iommu_ops { /* to whom an IOMMU belongs; both from the thread that maps or unmaps */
	/* A range went: every cached translation must be dropped before its next use. */
	void (*invalidate)(void *arg);
	/* An unmap waited and readers are still inside: make them leave. */
	void (*evict)(void *arg);
	/* A range came: who waits for it may look again. */
	void (*mapped)(void *arg);
};

/*
 * Ranges that were unmapped lately. A VMM unmaps RAM and maps it again whenever its view of it changes
 * (SeaBIOS' PAM registers, a vIOMMU), with engines running: what an engine misses in that moment comes
 * back. Only the last few are remembered.
 */
#define IOMMU_GONE 64

struct iommu_gone {
	uint64_t start, last; /* last included */
	uint64_t until_ns;    /* CLOCK_MONOTONIC: how long to wait for it; 0: free */
};

struct iommu {
	struct lock lock;	      /* LOCK_RANK_IOMMU: writers */
	struct rangemap *_Atomic map; /* published; values are struct iommu_map, owned */
	struct epoch epoch;	      /* readers of `map` and of the memory it names */
	const struct iommu_ops *ops;
	void *arg;
	/* What could not be freed because a reader did not leave: freed at the end. Under lock. */
	struct iommu_dead *dead;
	struct lock gone_lock; /* leaf */
	struct iommu_gone gone[IOMMU_GONE];
	unsigned int gone_next;
	_Atomic uint64_t maps, evictions, timeouts, waits;
};

void iommu_init(struct iommu *mmu, const struct iommu_ops *ops, void *arg);
/* No reader is left. */
void iommu_finish(struct iommu *mmu);
/* As gpu_ops.iova_map and iova_unmap. -EINVAL: not 4 KiB granular, or it wraps. */
int iommu_map_range(
	struct iommu *mmu, struct iova iova, uint64_t size, uint8_t *hva, bool writable);
int iommu_unmap_range(struct iommu *mmu, struct iova iova, uint64_t size);
/* Inside an epoch section: the host page under `iova`, NULL when none. *why gets a fault reason. */
uint8_t *iommu_page(struct iommu *mmu, struct iova iova, bool write, enum fault_reason *why);
/*
 * Until when (CLOCK_MONOTONIC, ns) it is worth waiting for `iova` to be mapped again: at most
 * IOMMU_WAIT_NS after the unmap that took it. 0: it was not there lately.
 */
uint64_t iommu_gone_until(struct iommu *mmu, struct iova iova);
/* A reset: nobody waits for what went before it. */
void iommu_forget(struct iommu *mmu);
#define IOMMU_WAIT_NS NSEC_PER_SEC

/* ------------------------------------------------------------------ gtt.c: GGTT, PPGTT, TLB */

#define GGTT_ENTRIES (1u << 20)
#define GGTT_BLOCK   512u /* a page of the table */

/*
 * Entries that were changed since the last flush are marked in a bitmap of three levels, so that a
 * flush costs what was written since the last one and not the size of the table.
 */
struct ggtt {
	_Atomic uint64_t *pte;		     /* owned: what the driver wrote */
	_Atomic uint64_t *unflushed;	     /* owned: a bit an entry */
	_Atomic uint64_t unflushed_sum[256]; /* a bit a word of `unflushed` */
	_Atomic bool any_unflushed;
	/* A bit for each GGTT_BLOCK entries: may there be one that is not 0? Else nobody need look. */
	_Atomic uint64_t used[GGTT_ENTRIES / GGTT_BLOCK / 64];
};

/* A cached translation. A tag is 0 (empty) or what gtt_tag() makes of page and space. */
struct tlb_entry {
	uint64_t rtag, wtag; /* what may be read, what may be written */
	uint8_t *page;	     /* host page */
	uint64_t leaf; /* the bus page it was filled with: to see that its entry has changed */
};

#define TLB_ENTRIES 1024
#define TLB_SAMPLE  4096 /* every so many look-ups are compared with a walk */

struct tlb {
	_Atomic uint32_t wanted; /* goes up when someone wants it flushed, from any thread */
	uint32_t done;		 /* the engine's thread: `wanted` at its last flush */
	uint32_t sample;	 /* look-ups until the next comparison */
	uint64_t generation;	 /* part of every tag; a flush changes it */
	bool sink_used;
	struct tlb_entry e[TLB_ENTRIES];
	/* Where writes through read-only PPGTT entries go: silicon drops them without a fault. */
	uint8_t sink[4096];
};

enum space { SPACE_GGTT, SPACE_PPGTT };

/* A user of the GGTT that is no engine: the aperture, scanout. */
struct ggtt_user {
	struct lock lock; /* LOCK_RANK_ENGINE: one section at a time */
	struct epoch_reader reader;
};

/* ------------------------------------------------------------------ engines */

#include "gpu/model/engine.h"

/* ------------------------------------------------------------------ the device */

/* The display's clock: soc_tick() when something is due. */
struct model_timer {
	pthread_t thread;
	bool started;
	struct lock lock; /* leaf */
	pthread_cond_t wake;
	bool kicked, quit; /* under lock */
};

struct model_stats {
	_Atomic uint64_t mmio_reads, mmio_writes, ggtt_reads, ggtt_writes;
	_Atomic uint64_t aperture_reads, aperture_writes, aperture_nowhere;
	_Atomic uint64_t interrupts, resets, gt_resets, frames;
	_Atomic uint64_t blt_undone; /* blits that are known and not done */
	_Atomic uint64_t
		planes_undone; /* planes in a format or tiling that scanout does not show */
	_Atomic uint64_t readonly_writes; /* dropped: through a read-only PPGTT entry (pages) */
};

/*
 * What XY_SETUP_BLT and XY_SETUP_CLIP_BLT leave for the commands behind them. The BCS's thread, or
 * who has it parked, under its lock.
 */
struct blt_setup {
	uint32_t context; /* its LRCA */
	uint32_t br00, br13, clip_first, clip_last;
	uint64_t dst, pattern;
};

struct model {
	struct gpu gpu; /* first: the seam */
	const struct gen9_platform *platform;
	struct clock *clock;	     /* borrowed */
	uint64_t start_ns;	     /* of the clock: timestamps count from here */
	struct trace *_Atomic trace; /* borrowed; outlives the GPU */
	struct regs regs;
	struct soc soc;
	struct iommu iommu;
	struct ggtt ggtt;
	struct ggtt_user aperture, scanout;
	struct violations violations;
	struct engine engine[GEN9_ENGINES];
	unsigned int engines; /* bit per engine that exists */
	struct blt_setup blt_setup;
	struct model_timer timer;
	struct lock reset_lock; /* LOCK_RANK_IOMMU: one reset at a time */
	struct model_stats stats;

	/* The one MSI. */
	gpu_irq_fn _Atomic irq_fn;
	void *_Atomic irq_arg;
	_Atomic unsigned int irq_calls; /* callbacks that run now */

	/* First fault of the device as a whole, e.g. "guest RAM is not shared: ..." */
	struct lock fault_lock; /* leaf */
	char fault[160];

	struct state_section sections[SOC_SECTIONS + GEN9_ENGINES * ENGINE_SECTIONS + 4];
	size_t section_count;
};

/* Each engine that exists, as `e`. */
#define model_each_engine(m, e)                                                   \
	for (struct engine *e = (m)->engine; e < (m)->engine + GEN9_ENGINES; e++) \
		if ((m)->engines & BIT(e - (m)->engine))

/* The 12 MHz count that every timestamp register and post-sync write shows. misc_regs.c */
uint64_t model_timestamp(const struct model *m);
/* Keeps the first fault of the device for status. violation.c */
void model_fault(struct model *m, const char *text);
/* GT interrupts of an engine: `bits` in its 16-bit half, unless the ring's IMR masks them. model.c */
void model_engine_irq(struct engine *e, uint32_t bits);

/* forcewake.c: a register access needs these domains (FW_*): are they awake? */
bool forcewake_awake(const struct model *m, uint32_t domains);

/* Handlers of the blocks that have no state but registers. */
void model_bind_forcewake(struct model *m);
void model_bind_reset(struct model *m);
void model_bind_timestamp(struct model *m);
void model_bind_fuses(struct model *m);
void model_bind_gtt(struct model *m);

/* gpu_ops.reset: reset.c */
void model_reset(struct gpu *g);

/* gpu_ops.aperture_read and aperture_write: aperture.c */
void aperture_read(struct gpu *g, uint64_t offset, void *data, size_t size);
void aperture_write(struct gpu *g, uint64_t offset, const void *data, size_t size);

/* gpu_ops.scanout: scanout.c */
int scanout_frame(struct gpu *g, unsigned int pipe, struct gpu_frame *f);

/* The GGTT's state section: the entries that are not 0, as runs. gtt_state.c */
void ggtt_save(void *obj, struct buf *out);
int ggtt_load(void *obj, struct buf_reader *in, uint32_t version, struct err *e);
#define GGTT_STATE_VERSION 1

static inline struct model *to_model(struct gpu *g)
{
	return container_of(g, struct model, gpu);
}

#endif
