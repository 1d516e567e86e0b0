// SPDX-License-Identifier: GPL-2.0-or-later
/* The command table: lint, look-ups, lengths as drivers use them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "gen9/cmds.h"
#include "gen9/regs.h"

static void rows_are_sound(void **state)
{
	char msg[200] = "";

	if (gen9_cmds_lint(msg, sizeof(msg)))
		fail_msg("%s", msg);
}

static void every_row_is_found_on_its_engines_only(void **state)
{
	for (size_t i = 0; i < gen9_cmd_count; i++) {
		const struct cmd_row *row = &gen9_cmds[i];

		for (int e = 0; e < GEN9_ENGINES; e++) {
			const struct cmd_row *found =
				gen9_cmd_find(row->opcode | (0x12345678 & ~row->mask), e);

			if (row->engines & BIT(e))
				assert_ptr_equal(found, row);
			else
				assert_ptr_not_equal(found, row);
		}
	}
}

/* The index against a search, over all first dwords that differ above bit 16. */
static void index_agrees_with_a_search(void **state)
{
	for (uint32_t top = 0; top < 0x10000; top++) {
		for (int e = 0; e < GEN9_ENGINES; e++) {
			const struct cmd_row *want = NULL;

			/* Types that hold commands, thinly for the rest. */
			if ((top >> 13) != 0 && (top >> 13) != 2 && (top >> 13) != 3 && top % 97)
				continue;
			if ((top >> 13) == 0 && top & 0x3f)
				continue;
			for (size_t i = 0; i < gen9_cmd_count; i++) {
				if (gen9_cmds[i].engines & BIT(e) &&
					(top << 16 & gen9_cmds[i].mask) == gen9_cmds[i].opcode)
					want = &gen9_cmds[i];
			}
			assert_ptr_equal(gen9_cmd_find(top << 16, e), want);
		}
	}
}

static void lengths(void **state)
{
	/* Dword 0 as i915, IGT, Mesa and media drivers write it, and how long that is. */
	static const struct {
		uint32_t dw0;
		int engine;
		const char *name;
		uint32_t dwords;
	} rows[] = {
		{0x00000000, RCS0, "MI_NOOP", 1},
		{0x05000000, BCS0, "MI_BATCH_BUFFER_END", 1},
		{0x10400002, RCS0, "MI_STORE_DATA_IMM", 4},
		{0x10200003, RCS0, "MI_STORE_DATA_IMM", 5},
		{0x100003ff, VCS0, "MI_STORE_DATA_IMM", 1025},
		{0x1100101b, RCS0, "MI_LOAD_REGISTER_IMM", 29}, /* a context image */
		{0x13044083, VCS0, "MI_FLUSH_DW", 5},		/* bit 7: invalidate BSD */
		{0x13004002, VECS0, "MI_FLUSH_DW", 4},
		{0x18800101, RCS0, "MI_BATCH_BUFFER_START", 3},
		{0x0e00c002, BCS0, "MI_SEMAPHORE_WAIT", 4},
		{0x17840509, RCS0, "MI_ATOMIC", 11},
		{0x0d000003, RCS0, "MI_MATH", 5},
		{0x54c00008, BCS0, "XY_SRC_COPY_BLT", 10},
		{0x54000005, BCS0, "XY_COLOR_BLT", 7},
		{0x50800008, BCS0, "XY_FAST_COPY_BLT", 10},
		{0x7a000004, RCS0, "PIPE_CONTROL", 6},
		{0x680b0001, RCS0, "3DSTATE_VF_STATISTICS", 1},
		{0x69041302, RCS0, "PIPELINE_SELECT", 1},
		{0x61010011, RCS0, "STATE_BASE_ADDRESS", 19},
		{0x78080003, RCS0, "3DSTATE_VERTEX_BUFFERS", 5},
		{0x79170103, RCS0, "3DSTATE_SO_DECL_LIST", 261}, /* nine bits */
		{0x7b000005, RCS0, "3DPRIMITIVE", 7},
		{0x70000007, RCS0, "MEDIA_VFE_STATE", 9},
		{0x70000003, VCS0, "MFX_PIPE_MODE_SELECT", 5},
		{0x71000100, RCS0, "MEDIA_OBJECT", 258},	      /* sixteen bits */
		{0x7702033d, VCS0, "MFX_JPEG_HUFF_TABLE_STATE", 831}, /* twelve bits */
		{0x74020010, VECS0, "VEBOX_STATE", 18},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct cmd_row *row = gen9_cmd_find(rows[i].dw0, rows[i].engine);

		if (!row)
			fail_msg("%08x is no command", rows[i].dw0);
		assert_string_equal(row->name, rows[i].name);
		assert_int_equal(gen9_cmd_length(row, rows[i].dw0), rows[i].dwords);
	}
}

static void what_is_no_command(void **state)
{
	assert_null(gen9_cmd_find(0x20000000, RCS0)); /* type 1 */
	assert_null(gen9_cmd_find(0xffffffff, RCS0));
	assert_null(gen9_cmd_find(0x0b000000, RCS0)); /* MI_SEMAPHORE_MBOX: gone since Gen8 */
	assert_null(gen9_cmd_find(0x54c00008, RCS0)); /* 2D on the render engine */
	assert_null(gen9_cmd_find(0x7a000004, BCS0)); /* 3D on the blitter */
	assert_null(gen9_cmd_find(0x13000003, RCS0)); /* MI_FLUSH_DW on the render engine */
}

static void privileged_commands(void **state)
{
	static const char *const names[] = {"MI_UPDATE_GTT", "MI_STORE_DATA_INDEX",
		"MI_DISPLAY_FLIP", "MI_SET_CONTEXT", "MI_REPORT_HEAD"};

	for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
		bool found = false;

		for (size_t i = 0; i < gen9_cmd_count; i++) {
			if (!strcmp(gen9_cmds[i].name, names[k])) {
				found = true;
				assert_int_equal(gen9_cmds[i].priv, CMD_PRIV);
			}
		}
		assert_true(found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_sound),
		cmocka_unit_test(every_row_is_found_on_its_engines_only),
		cmocka_unit_test(index_agrees_with_a_search),
		cmocka_unit_test(lengths),
		cmocka_unit_test(what_is_no_command),
		cmocka_unit_test(privileged_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
