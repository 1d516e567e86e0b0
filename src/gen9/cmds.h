/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of Gen9 command streamers as sorted const rows: opcode, length rule, engines,
 * privilege and address fields. The model executes from them, trace prints from them, and the command
 * scan of shadow mode will check from them.
 * Sources: PRM volume 2a (command reference: instructions), i915 gt/intel_gpu_commands.h, Mesa genxml.
 */
#ifndef GEN9_CMDS_H
#define GEN9_CMDS_H

#include <stddef.h>
#include <stdint.h>

/* How long a command is. */
enum cmd_len {
	CMD_LEN_FIXED, /* `dwords` */
	CMD_LEN_BIAS2, /* DW0 & len_mask, plus 2 */
};

/* Who may run it (DESIGN, decision 4). */
enum cmd_priv {
	CMD_USER = 0, /* everyone */
	CMD_PRIV,     /* rings and privileged batches; a NOOP in a user batch, counted */
};

/* Which function runs it; the model binds functions to ids and lints that each is bound. */
enum cmd_id {
#define CMD_ID(id) CMD_##id,
#include "gen9/cmd_ids.inc"
#undef CMD_ID
	CMD_ID_COUNT
};

struct cmd_row {
	uint32_t opcode; /* DW0 & mask */
	uint32_t mask;
	uint8_t id;	   /* enum cmd_id; CMD_SKIP: known, skipped by its length */
	uint8_t engines;   /* bit per enum gen9_engine */
	uint8_t len;	   /* enum cmd_len */
	uint8_t priv;	   /* enum cmd_priv */
	uint16_t dwords;   /* CMD_LEN_FIXED: the length; else the least length that makes sense */
	uint16_t len_mask; /* CMD_LEN_BIAS2 */
	uint16_t cost_ns;  /* virtual clock: what it costs beside its memory traffic */
	uint16_t addr_dw;  /* bit n: dword n starts a graphics address (low, then high) */
	const char *name;
	const char *why;
};

extern const struct cmd_row gen9_cmds[];
extern const size_t gen9_cmd_count;

/* The row of a command whose first dword is `dw0` on `engine` (enum gen9_engine), or NULL. */
const struct cmd_row *gen9_cmd_find(uint32_t dw0, int engine);
/* Its length in dwords, at least 1. */
uint32_t gen9_cmd_length(const struct cmd_row *row, uint32_t dw0);
int gen9_cmds_lint(char *msg, size_t len);

#endif
