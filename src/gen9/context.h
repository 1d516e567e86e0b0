/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The logical context image of Gen9 as sorted const rows: which dword of the register state page holds
 * which register of the engine, and what a load and a save do with it.
 *
 * An image is CONTEXT pages in the GGTT at the LRCA: page 0 the per-process hardware status page, page
 * 1 the register state, a list of MI_LOAD_REGISTER_IMM; what follows is the engine's (3D state), which
 * nothing here knows. Sources: PRM volume 7 ("Logical Context Image"), i915 gt/intel_lrc.c and
 * intel_lrc_reg.h for the places that software writes and reads.
 */
#ifndef GEN9_CONTEXT_H
#define GEN9_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The page of the image that holds the registers, and how many dwords of it the rows span. */
#define CONTEXT_STATE_PAGE 1
#define CONTEXT_RING_DW	   0xac

enum context_row_flags {
	CONTEXT_RING =
		1 << 0, /* ring context: restored always; else only without RESTORE_INHIBIT */
	CONTEXT_MASKED = 1 << 1, /* the register takes a mask in its upper half */
	CONTEXT_SW =
		1 << 2, /* software may write it while the context runs, and a save leaves it */
	CONTEXT_LIVE =
		1 << 3, /* changes while the context runs: the save takes it from the engine */
};

struct context_row {
	uint16_t dw;	 /* index of the value; the register's offset is in dw - 1 */
	uint16_t reg;	 /* offset from the engine's MMIO base */
	uint8_t flags;	 /* enum context_row_flags */
	uint8_t engines; /* bit per enum gen9_engine */
	const char *name;
	const char *why;
};

extern const struct context_row gen9_context_rows[];
extern const size_t gen9_context_row_count;

/* The MI_LOAD_REGISTER_IMM headers: dword index and how many registers follow. */
struct context_lri {
	uint16_t dw;
	uint16_t count;
	uint8_t posted; /* engines on which bit 12 (force posted) is set */
	uint8_t engines;
};

extern const struct context_lri gen9_context_lris[];
extern const size_t gen9_context_lri_count;

/* Dword indices that software and the model name. */
enum context_dw {
	CONTEXT_DW_CONTROL = 0x03,
	CONTEXT_DW_HEAD = 0x05,
	CONTEXT_DW_TAIL = 0x07,
	CONTEXT_DW_START = 0x09,
	CONTEXT_DW_CTL = 0x0b,
	CONTEXT_DW_BB_ADDR_UDW = 0x0d,
	CONTEXT_DW_BB_ADDR = 0x0f,
	CONTEXT_DW_BB_STATE = 0x11,
	CONTEXT_DW_SBB_ADDR_UDW = 0x13,
	CONTEXT_DW_SBB_ADDR = 0x15,
	CONTEXT_DW_SBB_STATE = 0x17,
	CONTEXT_DW_BB_PER_CTX = 0x19,
	CONTEXT_DW_INDIRECT_CTX = 0x1b,
	CONTEXT_DW_INDIRECT_CTX_OFFSET = 0x1d,
	CONTEXT_DW_TIMESTAMP = 0x23,
	CONTEXT_DW_PDP3_UDW = 0x25, /* then PDP3 low, PDP2 high, ... PDP0 low: two dwords apart */
	CONTEXT_DW_PDP0_LDW = 0x33,
};

/* The row of an engine's register in the image, or NULL. `reg` from the engine's base. */
const struct context_row *gen9_context_row(int engine, uint32_t reg);

/* Writes the frame of an image: LRI headers, register offsets, the end; values are 0. */
void gen9_context_write(int engine, uint32_t mmio_base, uint32_t state[CONTEXT_RING_DW]);

/* Sorted, inside the page, headers and rows agree. 0, or -EINVAL and the complaint in `msg`. */
int gen9_context_lint(char *msg, size_t len);

#endif
