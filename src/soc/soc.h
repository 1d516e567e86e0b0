/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The register blocks with state that every Gen9 device shows, physical or virtual: interrupt tree,
 * display, power wells, clocks, pcode, GMBUS, AUX. One struct soc an instance (the model has one, each
 * vGPU will have one); it owns no thread and no clock: time comes in.
 */
#ifndef SOC_SOC_H
#define SOC_SOC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/state.h"
#include "soc/display.h"
#include "soc/gmbus.h"
#include "soc/irq.h"
#include "soc/pcode.h"
#include "soc/power.h"
#include "soc/regs.h"

struct soc {
	struct regs *regs;	   /* borrowed */
	const struct clock *clock; /* borrowed */
	struct lock lock;	   /* LOCK_RANK_SOC: all blocks below but irq */
	struct soc_irq irq;	   /* has its own lock, LOCK_RANK_IRQ */
	struct soc_display display;
	struct soc_gmbus gmbus;
	struct soc_power power;
	struct soc_pcode pcode;
	/* Under `lock`: what soc_release() does when it is free, so that no foreign code runs under it. */
	uint32_t events[IRQ_BANKS];
	bool kick_wanted;
	void (*kick)(void *arg); /* may be NULL */
	void *kick_arg;
};

struct soc_config {
	bool monitor;	     /* one monitor on port B (HDMI), as the VBT of gen9/vbt.h says */
	const uint8_t *edid; /* edid_bytes long, copied; NULL: gen9's built-in 1024x768 */
	size_t edid_bytes;   /* 128 or 256; 0: 128 */
	soc_irq_fn irq_fn;   /* the instance's MSI */
	void *irq_arg;
	/* A flip or vblank may have to be delivered earlier than the timer knows: called with no lock. */
	void (*kick)(void *arg);
	void *kick_arg;
};

/* Binds the blocks' handlers to `regs`. 0, or -EINVAL for an EDID of another size. */
int soc_init(struct soc *s, struct regs *regs, const struct clock *clock,
	const struct soc_config *config);
void soc_finish(struct soc *s);
/* Power-on state of the blocks; their registers are regs_reset()'s, before or after. */
void soc_reset(struct soc *s);

/*
 * Runs what is due at the clock's time (vblanks, flips, GMBUS waits). Returns the time of the next
 * event in ns, or UINT64_MAX when nothing is to come (no pipe on, or nobody listens).
 */
uint64_t soc_tick(struct soc *s);

/* The soc's state sections, appended to out[]; returns how many (at most SOC_SECTIONS). */
#define SOC_SECTIONS 6
size_t soc_sections(struct soc *s, struct state_section *out);

/* --- for the blocks --- */

void soc_acquire(struct soc *s);
/* Releases the lock, then raises the events and the kick that were asked for under it. */
void soc_release(struct soc *s);

static inline void soc_raise(struct soc *s, enum irq_bank bank, uint32_t bits)
{
	s->events[bank] |= bits;
}

#endif
