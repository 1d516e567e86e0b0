/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interrupt tree of Gen9: events latch in IIR registers behind IMR, IER gates them into the master
 * interrupt register 0x44200, and its bit 31 gates the one MSI. An event that comes while its IIR bit
 * is set is queued (one deep), so that a clear that races with it loses nothing: PRM volume 12,
 * "Interrupt Identity: double buffered".
 */
#ifndef SOC_IRQ_H
#define SOC_IRQ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/lock.h"
#include "base/state.h"
#include "soc/regs.h"

/* Sets of {ISR, IMR, IIR, IER}, 4 bytes apart. */
enum irq_bank {
	IRQ_GT0,    /* 0x44300: RCS 15:0, BCS 31:16 */
	IRQ_GT1,    /* 0x44310: VCS0, VCS1 */
	IRQ_GT2,    /* 0x44320: PM, GuC */
	IRQ_GT3,    /* 0x44330: VECS 15:0 */
	IRQ_PIPE_A, /* 0x44400 */
	IRQ_PIPE_B,
	IRQ_PIPE_C,
	IRQ_DE_PORT, /* 0x44440 */
	IRQ_DE_MISC, /* 0x44460 */
	IRQ_PCU,     /* 0x444e0 */
	IRQ_SDE,     /* 0xc4000: south display */
	IRQ_BANKS
};

#define IRQ_MASTER	  0x44200u
#define IRQ_MASTER_ENABLE UINT32_C(0x80000000)

/* Called with LOCK_RANK_IRQ released; asks for one MSI. */
typedef void (*soc_irq_fn)(void *arg);
/*
 * Around a write of an IMR or IER, with LOCK_RANK_IRQ released. Before (`opened` false): events that
 * are computed when someone looks shall come now, behind the old gate. After, if bits are let through
 * that were not before (`opened` true): someone may have to watch for them.
 */
typedef void (*soc_irq_gate_fn)(void *arg, enum irq_bank bank, bool opened);

struct soc_irq {
	struct regs *regs;	    /* borrowed */
	struct lock lock;	    /* LOCK_RANK_IRQ */
	uint32_t queued[IRQ_BANKS]; /* second events */
	uint32_t level[IRQ_BANKS];  /* ISR: what is asserted right now */
	bool asserted;		    /* an MSI went out and the master was not rewritten since */
	uint64_t raised;	    /* MSIs asked for */
	soc_irq_fn fn;
	void *arg;
	soc_irq_gate_fn gate_fn; /* may be NULL */
	void *gate_arg;
};

/* Binds the IRQ_* handlers of `regs`. `fn` may be NULL. */
void soc_irq_init(struct soc_irq *q, struct regs *regs, soc_irq_fn fn, void *arg);
void soc_irq_finish(struct soc_irq *q);
/* Power-on state, levels included: who owns a live pin sets it again. Registers are regs_reset()'s. */
void soc_irq_reset(struct soc_irq *q);
/* An event on `bits` of a bank: any thread that holds no lock ranked at or above LOCK_RANK_IRQ. */
void soc_irq_event(struct soc_irq *q, enum irq_bank bank, uint32_t bits);
/* Level status (ISR) for banks that have one, e.g. a live hotplug pin. Latches no event. */
void soc_irq_level(struct soc_irq *q, enum irq_bank bank, uint32_t bits, bool on);
/* Which of `bits` would reach the master if they came now: unmasked in IMR and enabled in IER. */
uint32_t soc_irq_listened(const struct soc_irq *q, enum irq_bank bank, uint32_t bits);
/* True when the master is enabled and something is pending: the level of an INTx pin. */
bool soc_irq_line(struct soc_irq *q);

/* State section body (obj: struct soc_irq). */
void soc_irq_save(void *obj, struct buf *out);
int soc_irq_load(void *obj, struct buf_reader *in, uint32_t version, struct err *e);
#define SOC_IRQ_STATE_VERSION 1

#endif
