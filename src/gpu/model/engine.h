/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command streamer of the model: its execlist port, the context that runs on it and the thread that
 * executes it. Part of model.h (include that): it needs the TLB and the model around it.
 *
 * Threads. MMIO threads write the port, ask for resets and read registers; the engine's thread runs
 * contexts. What both touch is under engine.lock or an atomic. The thread takes the lock only at
 * context boundaries and when `attention` says that there is something for it.
 */
#ifndef MODEL_ENGINE_H
#define MODEL_ENGINE_H

#include "gen9/context.h"

struct json_object;

/* What became of a command. */
enum cs_result {
	CS_NEXT,  /* done: go on behind it */
	CS_WAIT,  /* its condition does not hold: try it again later */
	CS_FAULT, /* an address led nowhere; engine.fault says which: the engine hangs */
	CS_HANG,  /* malformed; the engine hangs */
	CS_ABORT, /* reset or quit came meanwhile: drop it */
	CS_JUMP,  /* done, and the fetch pointer was set: start and end of a batch */
};

enum batch_level { BATCH_RING, BATCH_FIRST, BATCH_SECOND, BATCH_LEVELS };

enum engine_stop { /* why the engine's thread does not execute */
	ENGINE_IDLE,
	ENGINE_RUNNING,
	ENGINE_WAITING, /* an unsatisfied MI_SEMAPHORE_WAIT or MI_WAIT_FOR_EVENT */
	ENGINE_HUNG,	/* until a reset; hang_reason says why */
};

/* Where one level of batches stands. */
struct cs_level {
	uint64_t addr; /* gma of the next command; for the ring: offset from RING_START */
	enum space space;
	bool user; /* non-privileged */
};

/* What one context executes with; saved to and restored from its image. */
struct cs_state {
	struct cs_level level[BATCH_LEVELS];
	int depth; /* enum batch_level */
	bool arbitration_off;
	bool predicate;	    /* MI_SET_PREDICATE: commands but a few are skipped while set */
	bool waiting;	    /* the command at the fetch pointer is a wait that was announced */
	int phase;	    /* enum cs_phase */
	uint64_t phase_end; /* CS_PHASE_INDIRECT: gma behind its last command */
	/*
	 * How far the blit at the fetch pointer has come when a request stopped it in the middle: rows
	 * that are done, in drawing order, and bytes of the next. Both 0 between commands.
	 */
	uint32_t blt_rows, blt_bytes;
};

/* Where an access of this engine led nowhere: what the fault register and status show. */
struct engine_fault {
	uint64_t gma;
	enum space space;
	enum fault_reason reason;
	bool write;
};

struct elsp_port {
	uint64_t desc; /* context descriptor: bit 0 valid, 12..31 LRCA, 32..63 context id */
	uint32_t tail; /* RING_TAIL in the image when it was submitted; TAIL_UNKNOWN: unreadable */
};
#define TAIL_UNKNOWN UINT32_MAX

/* What engine_reset, engine_pause and quit ask of the thread; bits of engine.request. */
enum engine_request {
	ENGINE_REQ_RESET = 1,
	ENGINE_REQ_PAUSE = 2,
	ENGINE_REQ_QUIT = 4,
	ENGINE_REQ_ELSP = 8,	 /* the pending port was written */
	ENGINE_REQ_STOP = 16,	 /* RESET_CTL asks to be ready for a reset */
	ENGINE_REQ_HALT = 32,	 /* MI_MODE: STOP_RING */
	ENGINE_REQ_BREATHE = 64, /* an unmap waits: leave the epoch section for a moment */

	ENGINE_REQ_FAIL = 128, /* the device has failed: hang until a function level reset */

	/* the thread stops for these and touches nothing until they are gone */
	ENGINE_REQ_PARK = ENGINE_REQ_RESET | ENGINE_REQ_PAUSE | ENGINE_REQ_STOP | ENGINE_REQ_HALT |
			  ENGINE_REQ_FAIL,
};

/* What of a context runs: a restore may run two batches before the ring goes on. */
enum cs_phase {
	CS_PHASE_RING,
	CS_PHASE_INDIRECT, /* INDIRECT_CTX: so many bytes of commands */
	CS_PHASE_PER_CTX,  /* BB_PER_CTX_PTR: a batch with an end */
};

#define CONTEXT_REGS_MAX 320

struct engine {
	struct model *model;
	const struct gen9_engine_info *info;
	int id; /* enum gen9_engine */
	pthread_t thread;
	bool started; /* the thread exists */
	struct lock lock;
	pthread_cond_t wake;  /* the thread waits for work */
	pthread_cond_t acked; /* engine_reset and engine_pause wait for the thread */
	_Atomic uint32_t
		request; /* enum engine_request; nonzero: the thread shall leave its slice */

	/* under lock */
	uint32_t elsp_words[4];
	int elsp_count;
	struct elsp_port port[2];    /* running */
	struct elsp_port pending[2]; /* from the next ELSP write */
	bool pending_valid;
	unsigned int execlist;	 /* which of the two execlist slots runs */
	unsigned int element;	 /* which of its elements */
	uint32_t last_switch;	 /* status of the last CSB event */
	unsigned int csb_write;	 /* 0..5: the last entry written */
	unsigned int csb_unread; /* events since the driver moved the read pointer */
	bool csb_read_moves;	 /* the driver maintains the read pointer */
	bool csb_irq;		 /* an event was written: the interrupt follows when unlocked */
	bool kicked;		 /* the thread shall poll its wait again */
	unsigned int pauses;
	struct ggtt_user
		port_user; /* whose section an ELSP write reads tails in; its lock comes alone */
	bool asleep;	   /* the thread is in a wait for `wake`: a kick has to signal */
	bool parked;	   /* the thread has stopped for a pause or a reset and touches nothing */

	_Atomic int
		state; /* enum engine_stop; written by the thread or, while it is parked, a reset */

	/* the engine's thread alone, or whoever has it parked */
	bool loaded; /* port[0]'s context is in the registers */
	struct cs_state cs;
	struct cs_state resume; /* what the ring goes on with after the batches of a restore */
	uint32_t ring_start, ring_bytes, ring_tail;
	uint64_t pdp[4];  /* roots of the PPGTT: [0] the PML4 when ppgtt_levels is 4 */
	int ppgtt_levels; /* 4, 3, or 0: no context */
	uint32_t pphwsp;  /* gma of the context's own status page: its LRCA */
	struct engine_fault fault;
	uint64_t fault_iova; /* FAULT_IOVA: which bus address it was, a table's or the page's own */
	struct tlb tlb;
	struct epoch_reader reader;
	char hang_reason[96];
	uint64_t cost_ns;		 /* virtual time not yet given to the clock */
	uint64_t timestamp_loaded;	 /* when the context was loaded, in ticks */
	uint32_t timestamp_base;	 /* CTX_TIMESTAMP as it was loaded */
	bool tracing;			 /* looked up once a slice */
	unsigned int wait_polls;	 /* polls of the present wait */
	uint32_t wait_frame;		 /* MI_WAIT_FOR_EVENT: frame it began in */
	uint32_t image[CONTEXT_RING_DW]; /* the ring context as it was loaded or last saved */

	/* offsets of the context's registers beyond the ring context: context_regs.c */
	uint32_t context_regs[CONTEXT_REGS_MAX];
	unsigned int context_reg_count;

	/* MI_SEMAPHORE_SIGNAL came for this context id; UINT64_MAX: none */
	_Atomic uint64_t signalled;

	/* live values for MMIO reads */
	_Atomic uint64_t acthd;
	_Atomic uint32_t ipehr;

	/* statistics: written by the thread, read by status */
	_Atomic uint64_t commands, batches, contexts, busy_ns, interrupts, hangs, resets,
		preemptions;
	_Atomic uint64_t skipped;	  /* known commands that only their length was taken of */
	_Atomic uint32_t unknown_command; /* dword 0 of the last opcode without a row */
};

/* ------------------------------------------------------------------ engine.c */

/* Makes the engine and starts its thread. 0 or -errno. */
int engine_init(struct model *m, int id);
/* Stops and joins the thread; also right after a failed engine_init. */
void engine_finish(struct engine *e);

/*
 * From an MMIO thread that holds no engine's lock: drops what the engine does (within 50 ms) and puts
 * ports, CSB and ring registers to their reset state.
 */
void engine_reset(struct engine *e);
/*
 * The engine hangs, whatever it does, until engine_restore() and a reset: any thread without an
 * engine's lock; the thread stops soon after.
 */
void engine_fail(struct engine *e);
void engine_restore(struct engine *e);
/* Wakes a sleeping thread to look again: after a write to memory that a semaphore may wait for. */
void engine_kick(struct engine *e);
/* The thread stops between commands and stays so until as many resumes. Counted. */
void engine_pause(struct engine *e);
void engine_resume(struct engine *e);

/* Appends the engine's state section to out[]; returns how many (1). Save and load while paused. */
#define ENGINE_SECTIONS 1
size_t engine_sections(struct engine *e, struct state_section *out);
void engine_status(struct engine *e, struct json_object *out);

/*
 * Leaves and re-enters the epoch section, so that an iova_unmap goes on. Every pointer from gtt_ptr()
 * is void afterwards. True: a request came that the thread shall park or end for. The engine's thread
 * only.
 */
bool cs_breathe(struct engine *e);

/* ------------------------------------------------------------------ ring.c */

/* Binds REG_H_RING_* to their handlers. */
void model_bind_rings(struct model *m);

#endif
