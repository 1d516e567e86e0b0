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
	struct regs *regs;         /* borrowed */
	const struct clock *clock; /* borrowed */
	struct lock lock;          /* LOCK_RANK_SOC: all blocks below but irq */
	struct soc_irq irq;        /* has its own lock, LOCK_RANK_IRQ */
	struct soc_display display;
	struct soc_gmbus gmbus;
	struct soc_power power;
	struct soc_pcode pcode;
};

struct soc_config {
	bool monitor;         /* one monitor on port B (HDMI), as the VBT of gen9/vbt.h says */
	const uint8_t *edid;  /* 128 bytes; NULL: gen9's built-in 1024x768 */
	soc_irq_fn irq_fn;    /* the instance's MSI */
	void *irq_arg;
	/* A flip or vblank may have to be delivered earlier than the timer knows: called with no lock. */
	void (*kick)(void *arg);
	void *kick_arg;
};

/* Binds the blocks' handlers to `regs`. */
int soc_init(struct soc *s, struct regs *regs, const struct clock *clock,
	const struct soc_config *config);
void soc_finish(struct soc *s);
void soc_reset(struct soc *s);

/*
 * Runs what is due at the clock's time (vblanks, flips, GMBUS waits). Returns the time of the next
 * event in ns, or UINT64_MAX when nothing is to come (no pipe on, or nobody listens).
 */
uint64_t soc_tick(struct soc *s);

/* The soc's state sections, appended to out[]; returns how many (at most SOC_SECTIONS). */
#define SOC_SECTIONS 6
size_t soc_sections(struct soc *s, struct state_section *out);

#endif
