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
	VIOLATION_FORCEWAKE,       /* register access in a domain that is not awake; detail: offset */
	VIOLATION_GGTT_FLUSH,      /* an entry used that was written after the last GGTT flush; gma page */
	VIOLATION_STALE_TLB,       /* a translation used whose entry has changed since it was cached */
	VIOLATION_CONTEXT_WRITE,   /* the image of a running context was written by the CPU; lrca */
	VIOLATION_TAIL_ALIGN,      /* ring tail not on a qword */
	VIOLATION_LITE_RESTORE,    /* lite restore whose tail did not move, or HEAD == TAIL; lrca */
	VIOLATION_ELSP_OVERRUN,    /* ELSP written while the pending port is still full */
	VIOLATION_CSB_OVERFLOW,    /* more than six events unread */
	VIOLATION_RESET_HANDSHAKE, /* GDRST of an engine without RESET_CTL ready-for-reset */
	VIOLATION_CS_REGISTER,     /* a command streamer touched a register it may not; offset */
	VIOLATION_CS_PRIVILEGE,    /* a privileged command or GGTT write in a user batch; dword 0 */
	VIOLATION_UNKNOWN_COMMAND, /* an opcode without a row; dword 0 */
	VIOLATION_DESCRIPTOR,      /* reserved or impossible bits in a context descriptor */
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
	FAULT_PTE,      /* not present, or outside the tables */
	FAULT_READONLY, /* a write through an entry or a mapping without write permission */
	FAULT_IOVA,     /* the entry names a bus address that is not mapped */
	FAULT_FDLESS,   /* guest RAM that was announced without an fd */
};

struct iommu_map {
	uint8_t *hva; /* NULL: announced without an fd */
	uint64_t size_bytes;
	bool writable;
};

struct iommu {
	struct lock lock; /* writers */
	struct rangemap *_Atomic map;
	struct epoch epoch;
	_Atomic uint32_t generation; /* goes up with each change: every TLB drops what it has */
};

int iommu_init(struct iommu *mmu);
void iommu_finish(struct iommu *mmu);
/* Inside an epoch section: the host page under `iova`, NULL when none. *why gets a fault reason. */
uint8_t *iommu_page(struct iommu *mmu, struct iova iova, bool write, enum fault_reason *why);

/* ------------------------------------------------------------------ gtt.c: GGTT, PPGTT, TLB */

#define GGTT_ENTRIES (1u << 20)

struct ggtt {
	_Atomic uint64_t *pte;     /* what the driver wrote */
	_Atomic uint8_t *unflushed; /* 1: written since the last GFX_FLSH_CNTL; a bitmap by entry */
	_Atomic uint32_t generation; /* goes up with each flush */
};

struct tlb_entry {
	uint64_t tag;  /* page number | space << 60 | valid; 0: empty */
	uint8_t *page; /* host page */
	bool writable;
};

#define TLB_ENTRIES 1024

struct tlb {
	struct tlb_entry e[TLB_ENTRIES];
	uint32_t iommu_generation, ggtt_generation;
};

enum space { SPACE_GGTT, SPACE_PPGTT };

/* ------------------------------------------------------------------ fence.c, aperture.c */

#define MODEL_FENCES 32

/* ------------------------------------------------------------------ engines */

enum batch_level { BATCH_RING, BATCH_FIRST, BATCH_SECOND, BATCH_LEVELS };

enum engine_stop { /* why the engine's thread does not execute */
	ENGINE_IDLE,
	ENGINE_RUNNING,
	ENGINE_WAITING, /* an unsatisfied MI_SEMAPHORE_WAIT or MI_WAIT_FOR_EVENT */
	ENGINE_HUNG,    /* until a reset; hang_reason says why */
};

struct cs_level {
	uint64_t addr;    /* gma of the next command; for the ring: offset from RING_START */
	enum space space;
	bool user; /* non-privileged */
};

/* What one context executes with; saved to and restored from its image. */
struct cs_state {
	struct cs_level level[BATCH_LEVELS];
	int depth; /* enum batch_level */
	bool arbitration_off;
	bool predicate; /* MI_SET_PREDICATE / MI_PREDICATE result: skip */
};

struct elsp_port {
	uint64_t desc; /* context descriptor: bit 0 valid, 12..31 LRCA, 32..63 context id */
};

struct engine {
	struct model *model;
	const struct gen9_engine_info *info;
	int id; /* enum gen9_engine */
	pthread_t thread;
	struct lock lock;
	pthread_cond_t wake;
	bool quit;
	_Atomic bool attention; /* the thread shall leave its slice: new ELSP, reset, pause, quit */

	/* under lock */
	uint32_t elsp_words[4];
	int elsp_count;
	struct elsp_port port[2];    /* running */
	struct elsp_port pending[2]; /* from the next ELSP write */
	bool pending_valid;
	unsigned int csb_write; /* 0..5: the last entry written */
	enum engine_stop state;
	bool reset_wanted;

	/* the engine's thread alone */
	bool loaded; /* port[0]'s context is in the registers */
	struct cs_state cs;
	struct tlb tlb;
	struct epoch_reader reader;
	bool in_epoch;
	char hang_reason[96];

	/* statistics: written by the thread, read by status */
	_Atomic uint64_t commands, batches, contexts, busy_ns, interrupts, hangs, resets, preemptions;
};

struct model {
	struct gpu gpu; /* first: the seam */
	const struct gen9_platform *platform;
	struct clock *clock; /* borrowed */
	struct trace *_Atomic trace;
	struct regs regs;
	struct soc soc;
	struct iommu iommu;
	struct ggtt ggtt;
	struct violations violations;
	struct engine engine[GEN9_ENGINES];
	int engine_count_mask; /* bit per engine that exists */
	pthread_t timer;
	_Atomic uint32_t awake; /* FW_* domains */
	gpu_irq_fn irq_fn;
	void *irq_arg;
	/* first fault of the device as a whole, e.g. "guest RAM is not shared: ..." */
	struct lock fault_lock; /* leaf */
	char fault[160];
};

static inline struct model *to_model(struct gpu *g)
{
	return container_of(g, struct model, gpu);
}

#endif
