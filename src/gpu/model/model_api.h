/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a software Gen9 GPU is made. */
#ifndef MODEL_MODEL_API_H
#define MODEL_MODEL_API_H

#include "base/clock.h"
#include "gen9/platform.h"
#include "gpu/gpu.h"

struct model_config {
	const struct gen9_platform *platform; /* NULL: kbl-gt2 */
	uint64_t aperture_bytes;	      /* a power of two, 1 MiB to 4 GiB; 0: 2 MiB */
	struct clock *clock;		      /* borrowed; required */
	bool monitor;			      /* one HDMI monitor on port B */
};

/* Owned by the caller: g->ops->destroy(g). NULL with `e` filled: -EINVAL or -ENOMEM. */
struct gpu *model_create(const struct model_config *config, struct err *e);

/*
 * On a virtual clock: time goes on by `ns`, and what the display does in that time is done, event by
 * event (at most 100,000 of them; beyond that time jumps). No effect on a real clock.
 */
void model_advance(struct gpu *g, uint64_t ns);

#endif
