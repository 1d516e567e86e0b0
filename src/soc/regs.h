/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The register file of one GPU instance, physical (the model) or virtual: storage for every
 * register that has a row, dispatch to the handlers that blocks bind, and a count of accesses to
 * registers without a row.
 *
 * Threads: storage is relaxed atomics, so plain registers need no lock. A handler takes its own
 * block's lock. Accesses are dwords here; regs_mmio_read/write split and merge 1, 2 and 8 bytes.
 */
#ifndef SOC_REGS_H
#define SOC_REGS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/lock.h"
#include "base/state.h"
#include "gen9/platform.h"
#include "gen9/regs.h"

struct regs;

/*
 * read: returns the value (regs_peek() for what is stored). NULL: stored value.
 * write: the full dword as written; it stores what it wants with regs_poke() or, for the row's own
 * rules (masked, ro, w1c), regs_store(). NULL: regs_store().
 */
struct reg_ops {
	uint32_t (*read)(void *block, uint32_t offset);
	void (*write)(void *block, uint32_t offset, uint32_t value);
};

struct regs_unknown { /* a register without a row that was touched */
	uint32_t offset;
	uint32_t reads, writes;
};
#define REGS_UNKNOWN_MAX 256

struct regs {
	const struct gen9_platform *platform; /* borrowed, const */
	uint16_t *index;		      /* owned */
	_Atomic uint32_t *value;	      /* owned: GEN9_REG_DWORDS */
	uint32_t *rows;			      /* owned: dwords that have a row, ascending */
	uint32_t row_count;
	struct reg_ops ops[REG_H_COUNT];
	void *block[REG_H_COUNT];
	struct lock unknown_lock; /* leaf */
	struct regs_unknown unknown[REGS_UNKNOWN_MAX];
	unsigned int unknown_count;
	_Atomic uint64_t unknown_total;
};

int regs_init(struct regs *r, const struct gen9_platform *platform);
void regs_finish(struct regs *r);
void regs_bind(struct regs *r, enum reg_handler id, const struct reg_ops *ops, void *block);
/* The first handler id that some row names and nobody has bound, or REG_H_NONE. */
enum reg_handler regs_unbound(const struct regs *r);
/* All to their reset values (power-on), or only those that a full GT reset reaches. */
void regs_reset(struct regs *r, bool gt_only);

const struct reg_row *regs_row(const struct regs *r, uint32_t offset);

/*
 * One dword through row and handler, as MMIO does. `offset` is dword-aligned and inside the range.
 */
uint32_t regs_read(struct regs *r, uint32_t offset);
void regs_write(struct regs *r, uint32_t offset, uint32_t value);

/*
 * MMIO of 1, 2, 4 or 8 bytes at any offset: outside the range reads 0; unaligned is split in bytes.
 */
uint64_t regs_mmio_read(struct regs *r, uint32_t offset, unsigned int size);
void regs_mmio_write(struct regs *r, uint32_t offset, uint64_t value, unsigned int size);

/* Storage without row rules or handlers: for the blocks themselves. */
static inline uint32_t regs_peek(const struct regs *r, uint32_t offset)
{
	return atomic_load_explicit(&r->value[offset / 4], memory_order_relaxed);
}

static inline void regs_poke(struct regs *r, uint32_t offset, uint32_t value)
{
	atomic_store_explicit(&r->value[offset / 4], value, memory_order_relaxed);
}

/* Stores with the row's rules (masked, ro, w1c) but without its handler; returns the new value. */
uint32_t regs_store(struct regs *r, uint32_t offset, uint32_t value);

/* State section body: every register that has a row and differs from its reset value. */
void regs_save(void *obj, struct buf *out);
int regs_load(void *obj, struct buf_reader *in, uint32_t version, struct err *e);
#define REGS_STATE_VERSION 1

#endif
