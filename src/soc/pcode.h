/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The power controller's mailbox (0x138124 command, 0x138128/0x13812c data): each command is done when
 * its write returns. Sources: i915 i915_reg.h (GEN6_PCODE_*), intel_pcode.c; PRM volume 12, "Mailbox".
 */
#ifndef SOC_PCODE_H
#define SOC_PCODE_H

#include <stdint.h>

#include "base/state.h"
#include "soc/regs.h"

struct soc;

#define PCODE_FREQUENCIES 256

struct soc_pcode {
	struct soc *soc;		     /* borrowed */
	uint8_t ia_ratio[PCODE_FREQUENCIES]; /* by GT ratio: what the driver asked for */
	uint8_t ring_ratio[PCODE_FREQUENCIES];
	uint64_t refused; /* commands that do not exist here */
};

void soc_pcode_init(struct soc_pcode *p, struct soc *s);
void soc_pcode_reset(struct soc_pcode *p);

void soc_pcode_save(void *obj, struct buf *out);
int soc_pcode_load(void *obj, struct buf_reader *in, uint32_t version, struct err *e);
#define SOC_PCODE_STATE_VERSION 1

#endif
