/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time as an object, so that everything under it runs on the wall clock or on a virtual one.
 *
 * The virtual clock stands still until someone advances it: engines of the model by the stated cost
 * of each command, tests by hand. It never goes back.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct clock {
	bool is_virtual;
	_Atomic uint64_t virtual_ns; /* read only when is_virtual */
};

void clock_init_real(struct clock *c);
void clock_init_virtual(struct clock *c, uint64_t start_ns);

/* Nanoseconds since an arbitrary start; monotonic. */
uint64_t clock_now_ns(const struct clock *c);

/* Virtual clocks only: time goes on by `ns`; returns the new time. On a real clock: no effect. */
uint64_t clock_advance(struct clock *c, uint64_t ns);

#endif
