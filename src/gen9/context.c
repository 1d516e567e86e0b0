// SPDX-License-Identifier: GPL-2.0-or-later
/* The logical context image of Gen9: which dword holds which register. */
#include "gen9/context.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "gen9/regs.h"

#define RCS BIT(RCS0)
#define XCS (BIT(BCS0) | BIT(VCS0) | BIT(VCS1) | BIT(VECS0))
#define ALL (RCS | XCS)

#define MI_LRI		    (UINT32_C(0x22) << 23)
#define MI_LRI_POSTED	    BIT(12)
#define MI_BATCH_BUFFER_END (UINT32_C(0x0a) << 23)

const struct context_lri gen9_context_lris[] = {
	{0x01, 14, ALL, ALL},
	{0x21, 9, ALL, ALL},
	{0x41, 1, XCS, ALL},
	{0x51, 44, ALL, ALL},
};
const size_t gen9_context_lri_count = ARRAY_SIZE(gen9_context_lris);

/* clang-format off */
#define GPR(n) \
	{0x69 + 4 * (n), 0x600 + 8 * (n), 0, ALL, "CS_GPR" #n, "MI_MATH operand, isolated between contexts"}, \
	{0x6b + 4 * (n), 0x604 + 8 * (n), 0, ALL, "CS_GPR" #n "_UDW", "upper half"}

const struct context_row gen9_context_rows[] = {
	{0x03, 0x244, CONTEXT_RING | CONTEXT_MASKED, ALL, "CTX_CONTEXT_CONTROL", "restore inhibit, inhibit of switches on waits"},
	{0x05, 0x034, CONTEXT_RING | CONTEXT_LIVE, ALL, "RING_HEAD", "where the ring goes on"},
	{0x07, 0x030, CONTEXT_RING | CONTEXT_SW, ALL, "RING_TAIL", "i915 writes it before each submission, running or not"},
	{0x09, 0x038, CONTEXT_RING, ALL, "RING_START", "ring buffer, GGTT"},
	{0x0b, 0x03c, CONTEXT_RING, ALL, "RING_CTL", "ring length, enable"},
	{0x0d, 0x168, CONTEXT_RING | CONTEXT_LIVE, ALL, "BB_ADDR_UDW", "batch that was preempted"},
	{0x0f, 0x140, CONTEXT_RING | CONTEXT_LIVE, ALL, "BB_ADDR", "bit 0: valid"},
	{0x11, 0x110, CONTEXT_RING | CONTEXT_LIVE, ALL, "BB_STATE", "its address space and privilege"},
	{0x13, 0x11c, CONTEXT_RING | CONTEXT_LIVE, ALL, "SBB_ADDR_UDW", "second-level batch that was preempted"},
	{0x15, 0x114, CONTEXT_RING | CONTEXT_LIVE, ALL, "SBB_ADDR", "bit 0: valid"},
	{0x17, 0x118, CONTEXT_RING | CONTEXT_LIVE, ALL, "SBB_STATE", "its address space and privilege"},
	{0x19, 0x1c0, CONTEXT_RING, ALL, "BB_PER_CTX_PTR", "batch run after each restore"},
	{0x1b, 0x1c4, CONTEXT_RING, ALL, "INDIRECT_CTX", "commands run within each restore: i915's workarounds"},
	{0x1d, 0x1c8, CONTEXT_RING, ALL, "INDIRECT_CTX_OFFSET", "where within the restore"},
	{0x23, 0x3a8, CONTEXT_RING | CONTEXT_LIVE, ALL, "CTX_TIMESTAMP", "i915: run time of the context"},
	{0x25, 0x28c, CONTEXT_RING, ALL, "PDP3_UDW", "root of the PPGTT"},
	{0x27, 0x288, CONTEXT_RING, ALL, "PDP3_LDW", "root of the PPGTT"},
	{0x29, 0x284, CONTEXT_RING, ALL, "PDP2_UDW", "root of the PPGTT"},
	{0x2b, 0x280, CONTEXT_RING, ALL, "PDP2_LDW", "root of the PPGTT"},
	{0x2d, 0x27c, CONTEXT_RING, ALL, "PDP1_UDW", "root of the PPGTT"},
	{0x2f, 0x278, CONTEXT_RING, ALL, "PDP1_LDW", "root of the PPGTT"},
	{0x31, 0x274, CONTEXT_RING, ALL, "PDP0_UDW", "PML4 of a 48-bit PPGTT"},
	{0x33, 0x270, CONTEXT_RING, ALL, "PDP0_LDW", "PML4 of a 48-bit PPGTT"},
	{0x43, 0x0c8, CONTEXT_RING, RCS, "R_PWR_CLK_STATE", "i915: slices of the context, written by its requests"},
	{0x43, 0x200, CONTEXT_MASKED, XCS, "SWCTRL", "tiling of blits (BCS_SWCTRL)"},
	{0x53, 0x028, CONTEXT_MASKED, ALL, "EXCC", "engine context"},
	{0x55, 0x09c, CONTEXT_RING | CONTEXT_MASKED, ALL, "MI_MODE", "i915 takes STOP_RING out of it after a reset"},
	{0x57, 0x0c0, CONTEXT_MASKED, ALL, "INSTPM", "engine context"},
	{0x59, 0x178, 0, ALL, "PR_CTR_CTL", "watchdog"},
	{0x5b, 0x17c, 0, ALL, "PR_CTR_THRSH", "watchdog"},
	{0x5d, 0x358, CONTEXT_LIVE, ALL, "RING_TIMESTAMP", "saved, never restored"},
	{0x5f, 0x170, 0, ALL, "BB_START_ADDR_UDW", "engine context"},
	{0x61, 0x150, 0, ALL, "BB_START_ADDR", "engine context"},
	{0x63, 0x154, 0, ALL, "BB_ADD_DIFF", "engine context"},
	{0x65, 0x158, 0, ALL, "BB_OFFSET", "i915 clears it in new images"},
	{0x67, 0x41c, 0, ALL, "MI_PREDICATE_RESULT_1", "predication"},
	GPR(0), GPR(1), GPR(2), GPR(3), GPR(4), GPR(5), GPR(6), GPR(7),
	GPR(8), GPR(9), GPR(10), GPR(11), GPR(12), GPR(13), GPR(14), GPR(15),
	{0xa9, 0x068, CONTEXT_LIVE, ALL, "RING_IPEHR", "saved, never restored"},
};
/* clang-format on */
const size_t gen9_context_row_count = ARRAY_SIZE(gen9_context_rows);

const struct context_row *gen9_context_row(int engine, uint32_t reg)
{
	for (size_t i = 0; i < gen9_context_row_count; i++) {
		const struct context_row *row = &gen9_context_rows[i];

		if (row->reg == reg && row->engines & BIT(engine))
			return row;
	}
	return NULL;
}

void gen9_context_write(int engine, uint32_t mmio_base, uint32_t state[CONTEXT_RING_DW])
{
	memset(state, 0, CONTEXT_RING_DW * sizeof(state[0]));
	for (size_t i = 0; i < gen9_context_lri_count; i++) {
		const struct context_lri *lri = &gen9_context_lris[i];

		if (lri->engines & BIT(engine))
			state[lri->dw] = MI_LRI | (2u * lri->count - 1) |
					 (lri->posted & BIT(engine) ? MI_LRI_POSTED : 0);
	}
	for (size_t i = 0; i < gen9_context_row_count; i++) {
		const struct context_row *row = &gen9_context_rows[i];

		if (row->engines & BIT(engine))
			state[row->dw - 1] = mmio_base + row->reg;
	}
	state[CONTEXT_RING_DW - 2] = MI_BATCH_BUFFER_END;
}

static int lint_engine(int engine, char *msg, size_t len)
{
	uint32_t state[CONTEXT_RING_DW];
	size_t rows = 0, covered = 0;

	gen9_context_write(engine, 0x2000, state);
	for (size_t i = 0; i < gen9_context_row_count; i++)
		rows += !!(gen9_context_rows[i].engines & BIT(engine));
	for (size_t i = 0; i < gen9_context_lri_count; i++) {
		const struct context_lri *lri = &gen9_context_lris[i];

		for (unsigned int n = 0; n < lri->count; n++) {
			unsigned int dw = lri->dw + 1u + 2 * n;

			if (dw + 1 >= CONTEXT_RING_DW - 2 || state[dw] < 0x2000) {
				snprintf(msg, len,
					"engine %d: header at dword %x names dword %x: no row",
					engine, lri->dw, dw);
				return -EINVAL;
			}
			covered++;
		}
	}
	if (covered != rows) {
		snprintf(msg, len, "engine %d: %zu rows, headers name %zu", engine, rows, covered);
		return -EINVAL;
	}
	return 0;
}

int gen9_context_lint(char *msg, size_t len)
{
	for (size_t i = 0; i < gen9_context_row_count; i++) {
		const struct context_row *row = &gen9_context_rows[i];

		if (!row->name || !row->why || !row->engines || row->reg & 3 || row->reg >= 0x800) {
			snprintf(msg, len, "row %zu is incomplete", i);
			return -EINVAL;
		}
		if (i && row->dw <= row[-1].dw &&
			!(row->dw == row[-1].dw && !(row->engines & row[-1].engines))) {
			snprintf(msg, len, "%s: not sorted", row->name);
			return -EINVAL;
		}
	}
	for (int e = 0; e < GEN9_ENGINES; e++) {
		if (lint_engine(e, msg, len))
			return -EINVAL;
	}
	return 0;
}
