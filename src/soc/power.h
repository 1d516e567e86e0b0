/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power wells, display buffer, fuses, PLLs and panel power: registers whose status bits follow what
 * was asked for, at once. They have no state beyond their storage.
 */
#ifndef SOC_POWER_H
#define SOC_POWER_H

#include <stdint.h>

#include "soc/regs.h"

struct soc;

struct soc_power {
	struct regs *regs; /* borrowed */
};

void soc_power_init(struct soc_power *p, struct soc *s);

/*
 * The pixel clock in kHz that `transcoder` (0..2: A..C, 3: EDP) runs on as its port, PLL and link
 * registers are now, or 0 when they do not say. PRM volume 12, "Display clocks".
 */
uint32_t soc_power_pixel_khz(const struct regs *r, unsigned int transcoder);

#endif
