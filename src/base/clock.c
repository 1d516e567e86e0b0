/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real and virtual clocks. */
#include "base/clock.h"
#include "base/util.h"

#include <time.h>

void clock_init_real(struct clock *c)
{
	c->is_virtual = false;
	atomic_init(&c->virtual_ns, 0);
}

void clock_init_virtual(struct clock *c, uint64_t start_ns)
{
	c->is_virtual = true;
	atomic_init(&c->virtual_ns, start_ns);
}

uint64_t clock_now_ns(const struct clock *c)
{
	struct timespec ts;

	if (c->is_virtual)
		return atomic_load_explicit(&c->virtual_ns, memory_order_acquire);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

uint64_t clock_advance(struct clock *c, uint64_t ns)
{
	if (!c->is_virtual)
		return clock_now_ns(c);
	return atomic_fetch_add_explicit(&c->virtual_ns, ns, memory_order_acq_rel) + ns;
}
