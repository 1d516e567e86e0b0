/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The blitter: the 2D commands of the BCS. */
#ifndef MODEL_BLT_H
#define MODEL_BLT_H

#include "gen9/cmds.h"
#include "gpu/model/model.h"

/*
 * Runs one 2D command of `n` dwords at `dw` (a copy that the guest cannot change). Addresses are in
 * `space`. Long blits call cs_breathe() at least every 64 KiB.
 *
 * CS_NEXT: done, or known and not done (counted). CS_FAULT: e->fault says which address led nowhere.
 * CS_HANG: malformed. CS_ABORT: a reset or quit came meanwhile.
 */
enum cs_result blt_run(struct engine *e, const struct cmd_row *row, const uint32_t *dw,
	unsigned int n, enum space space);

/* State section of what XY_SETUP_BLT left; while the engines are paused. */
void blt_save(void *obj, struct buf *out);
int blt_load(void *obj, struct buf_reader *in, uint32_t version, struct err *e);
#define BLT_STATE_VERSION 1

#endif
