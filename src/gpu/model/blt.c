// SPDX-License-Identifier: GPL-2.0-or-later
/* The blitter. */
#include "gpu/model/blt.h"

enum cs_result blt_run(struct engine *e, const struct cmd_row *row, const uint32_t *dw,
	unsigned int n, enum space space)
{
	return CS_NEXT;
}
