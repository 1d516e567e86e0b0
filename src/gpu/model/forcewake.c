// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Forcewake: the driver asks a power domain to stay awake and waits for the acknowledge. Requests and
 * acknowledges are registers and nothing else, so there is no other state: a domain is awake while any
 * request bit of it is set. Sources: PRM volume 2c, FORCE_WAKE; i915 intel_uncore.c (fw_domain_get).
 */
#include "gpu/model/model.h"

static const struct {
	uint32_t request, ack;
	uint32_t domain; /* FW_* */
} domains[] = {
	{0xa278, 0xd84, FW_RENDER},
	{0xa188, 0x130044, FW_BLITTER},
	{0xa270, 0xd88, FW_MEDIA},
};

#define FORCEWAKE_BITS 0xffff

static void request_write(void *block, uint32_t offset, uint32_t value)
{
	struct model *m = block;
	uint32_t mask = value >> 16, bits;

	/* Masked whatever the row says; a thread that takes two domains at once writes two registers. */
	bits = (regs_peek(&m->regs, offset) & ~mask & FORCEWAKE_BITS) | (value & mask);
	regs_poke(&m->regs, offset, bits);
	for (unsigned int i = 0; i < ARRAY_SIZE(domains); i++) {
		if (domains[i].request == offset)
			regs_poke(&m->regs, domains[i].ack, bits);
	}
}

static void ack_write(void *block, uint32_t offset, uint32_t value)
{
	/* Status: software only reads it. */
}

bool forcewake_awake(const struct model *m, uint32_t wanted)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(domains); i++) {
		if ((wanted & domains[i].domain) && !regs_peek(&m->regs, domains[i].ack))
			return false;
	}
	return true;
}

void model_bind_forcewake(struct model *m)
{
	static const struct reg_ops request = {.write = request_write};
	static const struct reg_ops ack = {.write = ack_write};

	regs_bind(&m->regs, REG_H_FORCEWAKE, &request, m);
	regs_bind(&m->regs, REG_H_FORCEWAKE_ACK, &ack, m);
}
