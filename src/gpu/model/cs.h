/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the command streamer share: the way to memory and registers, running, hanging. */
#ifndef MODEL_CS_H
#define MODEL_CS_H

#include <assert.h>

#include "gen9/cmds.h"
#include "gpu/model/gtt.h"

/* Engine registers, from the engine's base. */
enum ring_reg {
	RING_TAIL = 0x30,
	RING_HEAD = 0x34,
	RING_START = 0x38,
	RING_CTL = 0x3c,
	RING_ACTHD_UDW = 0x5c,
	RING_IPEHR = 0x68,
	RING_INSTDONE = 0x6c,
	RING_ACTHD = 0x74,
	RING_HWS_PGA = 0x80,
	RING_NOPID = 0x94,
	RING_MI_MODE = 0x9c,
	RING_IMR = 0xa8,
	RING_EIR = 0xb0,
	RING_EMR = 0xb4,
	RING_RESET_CTL = 0xd0,
	RING_BB_STATE = 0x110,
	RING_BB_ADDR = 0x140,
	RING_BB_OFFSET = 0x158,
	RING_BB_ADDR_UDW = 0x168,
	RING_ELSP = 0x230,
	RING_EXECLIST_STATUS = 0x234,
	RING_CTX_CONTROL = 0x244,
	RING_PDP = 0x270,
	RING_CSB = 0x370,
	RING_CSB_PTR = 0x3a0,
	RING_CTX_TIMESTAMP = 0x3a8,
	RING_PREDICATE_RESULT_2 = 0x3bc,
	RING_PREDICATE_SRC0 = 0x400,
	RING_PREDICATE_SRC1 = 0x408,
	RING_PREDICATE_DATA = 0x410,
	RING_PREDICATE_RESULT = 0x418,
	RING_PREDICATE_RESULT_1 = 0x41c,
	RING_FORCE_TO_NONPRIV = 0x4d0,
	RING_GPR = 0x600,
};

#define RING_NONPRIV_SLOTS 12
#define RING_GPRS	   16

#define RING_HEAD_ADDR	UINT32_C(0x1ffffc)
#define RING_TAIL_ADDR	UINT32_C(0x1ffff8)
#define RING_CTL_ENABLE BIT(0)
#define RING_CTL_PAGES	UINT32_C(0x1ff000)

#define MI_MODE_IDLE	  BIT(9)
#define MI_MODE_STOP_RING BIT(8)

#define CTX_CTRL_RESTORE_INHIBIT    BIT(0)
#define CTX_CTRL_INHIBIT_SYN_SWITCH BIT(3)

/* GT interrupts, in an engine's 16 bits of its bank. */
#define GT_USER_INTERRUPT BIT(0)
#define GT_CS_ERROR	  BIT(3)
#define GT_FLUSH_NOTIFY	  BIT(4)
#define GT_CONTEXT_SWITCH BIT(8)
#define GT_WAIT_SEMAPHORE BIT(11)

#define GMA_MASK (BIT64(48) - 1)

/* Why cs_run() came back. */
enum cs_stop {
	CS_STOP_EMPTY,	 /* the ring is done, or the batch of a restore */
	CS_STOP_ARB,	 /* an arbitration point with an execlist pending */
	CS_STOP_WAIT,	 /* an unsatisfied wait */
	CS_STOP_HUNG,	 /* hang_reason says why */
	CS_STOP_REQUEST, /* e->request has something to park for, or quit */
};

/* The engine whose thread this is, or NULL. */
extern _Thread_local struct engine *cs_self;

/* A command's function. `dw` has `n` dwords, a copy the guest cannot change; n >= row->dwords. */
typedef enum cs_result (*cs_fn)(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n);

/* mi.c, pipe_control.c */
extern const cs_fn mi_commands[CMD_ID_COUNT];
enum cs_result pipe_control_run(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n);
enum cs_result mi_flush_dw(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n);

/* ------------------------------------------------------------------ cs.c */

/* Runs commands until there is a reason to stop. Inside the epoch section. */
enum cs_stop cs_run(struct engine *e);
/* Gives the virtual time that commands cost to the clock. */
void cs_flush_cost(struct engine *e);
/* Shows where the streamer stands in RING_HEAD, ACTHD, BB_ADDR, IPEHR. */
void cs_publish(struct engine *e);
/* Notes why the engine hangs; always CS_HANG. */
enum cs_result cs_hang(struct engine *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* e->fault is filled: fault registers, device fault, reason. */
void cs_report_fault(struct engine *e);
/* Other engines that wait for memory shall look again. */
void cs_kick_waiters(struct engine *e);

static inline const struct cs_level *cs_level(const struct engine *e)
{
	return &e->cs.level[e->cs.depth];
}

/* May another context take the place of this one now? Not in a blit that a request has cut in two. */
static inline bool cs_arbitrates(const struct engine *e)
{
	return !e->cs.arbitration_off && e->cs.phase == CS_PHASE_RING && !e->cs.blt_rows &&
	       !e->cs.blt_bytes;
}

static inline bool cs_user(const struct engine *e)
{
	return cs_level(e)->user;
}

static inline uint32_t ring_peek(const struct engine *e, uint32_t reg)
{
	return regs_peek(&e->model->regs, e->info->mmio_base + reg);
}

static inline void ring_poke(struct engine *e, uint32_t reg, uint32_t value)
{
	regs_poke(&e->model->regs, e->info->mmio_base + reg, value);
}

static inline uint64_t ring_peek64(const struct engine *e, uint32_t reg)
{
	return ring_peek(e, reg) | (uint64_t)ring_peek(e, reg + 4) << 32;
}

static inline void ring_poke64(struct engine *e, uint32_t reg, uint64_t value)
{
	ring_poke(e, reg, (uint32_t)value);
	ring_poke(e, reg + 4, (uint32_t)(value >> 32));
}

/* Where an access stands; NULL with e->fault filled. */
static inline uint8_t *cs_ptr(struct engine *e, uint64_t gma, enum space space, bool write)
{
	enum fault_reason why = FAULT_NONE;
	uint8_t *p = gtt_ptr(e, gma & GMA_MASK, space, write, &why);

	if (unlikely(!p))
		e->fault = (struct engine_fault){gma & GMA_MASK, space, why, write};
	return p;
}

static inline uint32_t cs_load(const void *p)
{
	return __atomic_load_n((const uint32_t *)p, __ATOMIC_RELAXED);
}

/* Dwords and qwords at dword-aligned addresses; false with e->fault filled. */
static inline bool cs_read32(struct engine *e, uint64_t gma, enum space space, uint32_t *v)
{
	uint8_t *p = cs_ptr(e, gma & ~UINT64_C(3), space, false);

	if (unlikely(!p))
		return false;
	*v = cs_load(p);
	return true;
}

static inline bool cs_write32(struct engine *e, uint64_t gma, enum space space, uint32_t v)
{
	uint8_t *p = cs_ptr(e, gma & ~UINT64_C(3), space, true);

	if (unlikely(!p))
		return false;
	/* Release: who sees a breadcrumb sees what was written before it. */
	__atomic_store_n((uint32_t *)p, v, __ATOMIC_RELEASE);
	return true;
}

bool cs_read64(struct engine *e, uint64_t gma, enum space space, uint64_t *v);
bool cs_write64(struct engine *e, uint64_t gma, enum space space, uint64_t v);

/*
 * The space of a command's address: the GGTT when its `ggtt` bit is set. False: a user batch may not;
 * the command is a NOOP then, counted.
 */
bool cs_space(struct engine *e, uint32_t dw0, bool ggtt, enum space *space);

/*
 * Registers as a command streamer reaches them. False: refused and counted; a read gives 0. Offsets
 * are taken modulo 8 MiB as bits 22:2 hold them.
 */
bool cs_reg_read(struct engine *e, uint32_t offset, uint32_t *v);
bool cs_reg_write(struct engine *e, uint32_t offset, uint32_t v);

/* ------------------------------------------------------------------ execlist.c */

/* One turn of the thread: until it has to sleep or park. Inside the epoch section, no lock held. */
enum execlist_turn {
	EXECLIST_IDLE, /* nothing to run */
	EXECLIST_WAIT, /* poll again later */
	EXECLIST_STOP, /* a request, or hung: look at it */
};
enum execlist_turn execlist_run(struct engine *e);
/*
 * ELSP, fourth write. `words` in the order they were written, with the tails that the two images have
 * now (execlist_tail, before engine.lock is taken); under engine.lock.
 */
void execlist_submit(struct engine *e, const uint32_t words[4], const uint32_t tails[2]);
uint32_t execlist_tail(struct engine *e, uint64_t desc);
/* EXECLIST_STATUS as it reads; under engine.lock. */
uint32_t execlist_status(const struct engine *e);
void execlist_reset(struct engine *e);

/* context_regs.c: registers beyond the ring context; `image` is the register state page. */
void context_regs_init(struct engine *e);
void context_regs_save(struct engine *e, uint32_t *image);
void context_regs_load(struct engine *e, const uint32_t *image);

/* engine.c: state changes that sleepers and MMIO see. */
static inline void engine_set_state(struct engine *e, enum engine_stop s)
{
	atomic_store_explicit(&e->state, (int)s, memory_order_release);
}

static inline enum engine_stop engine_state(struct engine *e)
{
	return (enum engine_stop)atomic_load_explicit(&e->state, memory_order_acquire);
}

/* Sets and clears bits of e->request and, for those that park, waits until the thread has stopped. */
void engine_ask(struct engine *e, uint32_t bits);
void engine_unask(struct engine *e, uint32_t bits);

static inline uint32_t port_lrca(uint64_t desc)
{
	return (uint32_t)desc & 0xfffff000;
}

static inline uint32_t port_id(uint64_t desc)
{
	return (uint32_t)(desc >> 32);
}

static inline bool port_valid(uint64_t desc)
{
	return desc & 1;
}

#endif
