/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A soc on a virtual clock, with what its tests share: register names, MSI and kick counters. */
#ifndef TESTS_SOC_RIG_H
#define TESTS_SOC_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/util.h"
#include "gen9/platform.h"
#include "soc/soc.h"

#define START_NS (10 * NSEC_PER_SEC)

struct rig {
	struct regs regs;
	struct clock clock;
	struct soc soc;
	unsigned int msis, kicks;
};

static inline void rig_msi(void *arg)
{
	((struct rig *)arg)->msis++;
}

static inline void rig_kick(void *arg)
{
	((struct rig *)arg)->kicks++;
}

static inline void rig_init(struct rig *r, bool monitor)
{
	const struct soc_config config = {
		.monitor = monitor,
		.irq_fn = rig_msi,
		.irq_arg = r,
		.kick = rig_kick,
		.kick_arg = r,
	};

	memset(r, 0, sizeof(*r));
	assert_int_equal(regs_init(&r->regs, &gen9_platforms[0]), 0);
	clock_init_virtual(&r->clock, START_NS);
	assert_int_equal(soc_init(&r->soc, &r->regs, &r->clock, &config), 0);
	soc_reset(&r->soc);
}

static inline void rig_finish(struct rig *r)
{
	soc_finish(&r->soc);
	regs_finish(&r->regs);
}

static inline uint32_t rd(struct rig *r, uint32_t offset)
{
	return regs_read(&r->regs, offset);
}

static inline void wr(struct rig *r, uint32_t offset, uint32_t value)
{
	regs_write(&r->regs, offset, value);
}

/* A random number that is the same on every run. */
static inline uint32_t rnd(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33);
}

#endif
