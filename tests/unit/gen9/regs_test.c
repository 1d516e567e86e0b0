/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The register tables: the lint on them and on faults put into them, index, names, ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>

#include <cmocka.h>

#include "base/util.h"
#include "gen9/context.h"
#include "gen9/regs.h"

static void test_lint(void **state)
{
	char msg[200] = "";

	if (gen9_regs_lint(msg, sizeof(msg)))
		fail_msg("%s", msg);
}

/* Two good rows; each fault below spoils one of them. */
static const struct reg_row good[] = {
	{.offset = 0x100, .count = 2, .flags = REG_PLAIN, .name = "ONE", .why = "test"},
	{.offset = 0x108, .count = 1, .handler = REG_H_GDRST, .name = "TWO", .why = "test"},
};

static int lint(const struct reg_row *rows, size_t count, char *msg, size_t len)
{
	const struct reg_table t = {.block = "test", .rows = rows, .count = count};

	return gen9_reg_tables_lint(&t, 1, msg, len);
}

struct fault {
	const char *complaint; /* a part of it */
	struct reg_row row;    /* in place of the first */
};

#define ROW(...)                                                                       \
	{                                                                              \
		.offset = 0x100, .count = 1, .name = "ONE", .why = "test", __VA_ARGS__ \
	}

static void test_lint_finds(void **state)
{
	static const struct fault faults[] = {
		{"no name", {.offset = 0x100, .count = 1, .flags = REG_PLAIN, .why = "test"}},
		{"no why", {.offset = 0x100, .count = 1, .flags = REG_PLAIN, .name = "ONE"}},
		{"no name or no why", {.offset = 0x100,
					      .count = 1,
					      .flags = REG_PLAIN,
					      .name = "",
					      .why = "test"}},
		{"overlaps", {.offset = 0x100,
				     .count = 3,
				     .flags = REG_PLAIN,
				     .name = "ONE",
				     .why = "test"}},
		{"stands after", {.offset = 0x10c,
					 .count = 1,
					 .flags = REG_PLAIN,
					 .name = "ONE",
					 .why = "test"}},
		{"stands after", {.offset = 0x108,
					 .count = 1,
					 .flags = REG_PLAIN,
					 .name = "ONE",
					 .why = "test"}},
		{"multiple of 4", {.offset = 0x102,
					  .count = 1,
					  .flags = REG_PLAIN,
					  .name = "ONE",
					  .why = "test"}},
		{"covers no dword",
			{.offset = 0x100, .flags = REG_PLAIN, .name = "ONE", .why = "test"}},
		{"flags that do not exist", ROW(.flags = REG_PLAIN | 0x8000)},
		{"handler does not exist", ROW(.handler = REG_H_COUNT)},
		{"policy does not exist", ROW(.flags = REG_PLAIN, .cs = REG_CS_USER_READ + 1)},
		{"absolute offsets", ROW(.flags = REG_PLAIN, .engines = ENGINES_RCS)},
		{"read-only", ROW(.flags = REG_RO | REG_MASKED)},
		{"read-only", ROW(.flags = REG_RO, .w1c = 1)},
		{"read-only", ROW(.flags = REG_RO, .ro = 1)},
		{"masked and write-1-to-clear", ROW(.flags = REG_MASKED | REG_W1C)},
		{"upper half", ROW(.flags = REG_PLAIN | REG_MASKED, .reset = 0x10000)},
		{"all bits and some bits", ROW(.flags = REG_W1C, .w1c = 1)},
		{"both read-only and", ROW(.ro = 3, .w1c = 2)},
		{"plain storage, yet", ROW(.flags = REG_PLAIN, .handler = REG_H_GDRST)},
		{"plain storage, yet", ROW(.flags = REG_PLAIN | REG_RO)},
		{"plain storage, yet", ROW(.flags = REG_PLAIN, .ro = 1)},
		{"neither plain storage", ROW(.flags = 0)},
		{"neither plain storage", ROW(.flags = REG_MASKED)},
		{"out of the streamers' reach", ROW(.flags = REG_PLAIN | REG_CTX)},
	};
	char msg[200] = "";

	assert_int_equal(lint(good, ARRAY_SIZE(good), msg, sizeof(msg)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		struct reg_row rows[ARRAY_SIZE(good)];

		memcpy(rows, good, sizeof(rows));
		rows[0] = faults[i].row;
		msg[0] = '\0';
		if (lint(rows, ARRAY_SIZE(rows), msg, sizeof(msg)) != -EINVAL)
			fail_msg("fault %zu passed: %s", i, faults[i].complaint);
		if (!strstr(msg, faults[i].complaint))
			fail_msg(
				"fault %zu: \"%s\" instead of \"%s\"", i, msg, faults[i].complaint);
	}
}

static void test_lint_finds_tables(void **state)
{
	static const struct reg_row end[] = {{.offset = GEN9_MMIO_SIZE - 4,
		.count = 2,
		.flags = REG_PLAIN,
		.name = "END",
		.why = "test"}};
	static const struct reg_row beyond[] = {{.offset = GEN9_MMIO_SIZE,
		.count = 1,
		.flags = REG_PLAIN,
		.name = "BEYOND",
		.why = "test"}};
	static const struct reg_row engine[] = {{.offset = 0x30,
		.count = 1,
		.flags = REG_PLAIN,
		.engines = ENGINES_ALL,
		.name = "RING",
		.why = "test"}};
	static const struct reg_row no_engine[] = {
		{.offset = 0x30, .count = 1, .flags = REG_PLAIN, .name = "RING", .why = "test"}};
	static const struct reg_row in_vcs1[] = {
		{.offset = 0x1c030, .count = 1, .flags = REG_PLAIN, .name = "VCS1", .why = "test"}};
	static const struct reg_row at_c[] = {{.offset = 0,
		.count = 1,
		.flags = REG_PLAIN,
		.engines = 4,
		.name = "AT_C",
		.why = "test"}};
	static const struct reg_instance two[] = {{0x100, "A"}, {0x104, "B"}};
	const struct reg_table engines = {
		.block = "engine", .rows = engine, .count = 1, .engine_relative = true};
	char msg[200] = "";

	assert_int_equal(lint(end, 1, msg, sizeof(msg)), -EINVAL);
	assert_non_null(strstr(msg, "outside MMIO"));
	assert_int_equal(lint(beyond, 1, msg, sizeof(msg)), -EINVAL);
	assert_non_null(strstr(msg, "outside MMIO"));
	assert_int_equal(lint(good, 0, msg, sizeof(msg)), -EINVAL);

	/* Between tables: an absolute row in an engine's block, only where that engine is. */
	{
		struct reg_table t[] = {engines, {.block = "test", .rows = in_vcs1, .count = 1}};

		assert_int_equal(gen9_reg_tables_lint(t, 2, msg, sizeof(msg)), -EINVAL);
		assert_non_null(strstr(msg, "overlaps RING"));
		t[1].without_vcs1 = true;
		assert_int_equal(gen9_reg_tables_lint(t, 2, msg, sizeof(msg)), 0);
	}
	{
		struct reg_table t = engines;

		t.rows = no_engine;
		assert_int_equal(gen9_reg_tables_lint(&t, 1, msg, sizeof(msg)), -EINVAL);
		assert_non_null(strstr(msg, "names no engine"));
	}
	/* Instances: row ONE's two dwords at A reach into B. */
	{
		struct reg_table t = {.block = "test",
			.rows = good,
			.count = 1,
			.instances = two,
			.instance_count = 2};

		assert_int_equal(gen9_reg_tables_lint(&t, 1, msg, sizeof(msg)), -EINVAL);
		assert_non_null(strstr(msg, "overlaps ONE"));
		t.rows = at_c;
		assert_int_equal(gen9_reg_tables_lint(&t, 1, msg, sizeof(msg)), -EINVAL);
		assert_non_null(strstr(msg, "instance that does not exist"));
	}
}

/* The index finds each row, at each place it applies to, and nothing else. */
static void test_index(void **state)
{
	uint16_t *one = calloc(GEN9_REG_DWORDS, sizeof(*one));
	uint16_t *two = calloc(GEN9_REG_DWORDS, sizeof(*two));

	assert_non_null(one);
	assert_non_null(two);
	memset(one, 0xff, GEN9_REG_DWORDS * sizeof(*one)); /* it is overwritten */
	gen9_regs_index(one, false);
	gen9_regs_index(two, true);
	for (size_t i = 0; i < gen9_reg_table_count; i++) {
		const struct reg_table *t = &gen9_reg_tables[i];

		for (size_t j = 0; j < t->count && !t->engine_relative && !t->instances; j++) {
			const struct reg_row *row = &t->rows[j];

			for (uint32_t n = 0; n < row->count; n++)
				assert_ptr_equal(gen9_reg_row(one[row->offset / 4 + n]), row);
		}
	}
	assert_null(gen9_reg_row(0));
	assert_int_equal(one[0], 0);
	assert_string_equal(gen9_reg_row(one[0x2030 / 4])->name, "RING_TAIL");
	assert_ptr_equal(gen9_reg_row(one[0x2030 / 4]), gen9_reg_row(one[0x1a030 / 4]));
	assert_null(gen9_reg_row(one[0x1c030 / 4]));
	assert_string_equal(gen9_reg_row(two[0x1c030 / 4])->name, "RING_TAIL");
	assert_string_equal(gen9_reg_row(two[0x1c054 / 4])->name, "RING_MAX_IDLE");
	/* 3D registers are the render engine's alone; PIPESRC is not transcoder EDP's. */
	assert_non_null(gen9_reg_row(one[0x2310 / 4]));
	assert_null(gen9_reg_row(one[0x22310 / 4]));
	assert_non_null(gen9_reg_row(one[0x6201c / 4]));
	assert_null(gen9_reg_row(one[0x6f01c / 4]));
	free(one);
	free(two);
}

static void test_names(void **state)
{
	static const struct {
		uint32_t offset;
		const char *name;
	} rows[] = {
		{0x02030, "RING_TAIL(rcs0)"},
		{0x22030, "RING_TAIL(bcs0)"},
		{0x1c030, "RING_TAIL(vcs1)"},
		{0x1a374, "RING_CONTEXT_STATUS_BUF+4(vecs0)"},
		{0x0941c, "GEN6_GDRST"},
		{0x0c80c, "GEN9_GFX_MOCS+12"},
		{0x44308, "GEN8_GT0_IIR"},
		{0x70180, "PLANE_CTL_1(A)"},
		{0x7229c, "PLANE_SURF_2(C)"},
		{0x7f008, "TRANSCONF(EDP)"},
		{0x64110, "DP_AUX_CH_CTL(B)"},
		{0x6f000, "TRANS_HTOTAL(EDP)"},
		{0x78000, "VGT_PVINFO"},
		{0x1ffffc, ""},
		{0xfffffffc, ""},
	};
	char name[64];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		gen9_reg_name(rows[i].offset, name, sizeof(name));
		assert_string_equal(name, rows[i].name);
	}
	gen9_reg_name(0x2030, name, 6); /* cut, not overrun */
	assert_string_equal(name, "RING_");
}

static void test_engines(void **state)
{
	assert_int_equal(gen9_reg_engine(0x2000), RCS0);
	assert_int_equal(gen9_reg_engine(0x27fc), RCS0);
	assert_int_equal(gen9_reg_engine(0x2800), -1);
	assert_int_equal(gen9_reg_engine(0x1ffc), -1);
	assert_int_equal(gen9_reg_engine(0x22230), BCS0);
	assert_int_equal(gen9_reg_engine(0x12230), VCS0);
	assert_int_equal(gen9_reg_engine(0x1c230), VCS1);
	assert_int_equal(gen9_reg_engine(0x1a230), VECS0);
	for (int i = 0; i < GEN9_ENGINES; i++) {
		const struct gen9_engine_info *e = &gen9_engines[i];
		char name[64];

		/* Each has its own bits, and its TLB register has a row. */
		gen9_reg_name(e->tlb_inv_reg, name, sizeof(name));
		assert_non_null(strstr(name, "TCR"));
		for (int j = 0; j < i; j++) {
			assert_int_not_equal(e->mmio_base, gen9_engines[j].mmio_base);
			assert_int_not_equal(e->gdrst_bit, gen9_engines[j].gdrst_bit);
			assert_int_not_equal(e->tlb_inv_reg, gen9_engines[j].tlb_inv_reg);
			assert_false(e->irq_bank == gen9_engines[j].irq_bank &&
				     e->irq_shift == gen9_engines[j].irq_shift);
		}
		assert_int_equal(gen9_reg_forcewake(e->mmio_base + 0x30), e->forcewake);
	}
}

static void test_forcewake(void **state)
{
	static const struct {
		uint32_t offset, domains;
	} rows[] = {
		{0x0, FW_BLITTER},
		{0xafc, FW_BLITTER},
		{0xb00, 0},
		{0x2000, FW_RENDER},
		{0x26fc, FW_RENDER},
		{0x2700, FW_BLITTER},
		{0x7000, FW_RENDER},
		{0x8130, FW_MEDIA},
		{0x9424, FW_RENDER | FW_MEDIA},
		{0xb020, FW_RENDER},
		{0xc800, FW_BLITTER},
		{0x12000, FW_MEDIA},
		{0x1a000, FW_MEDIA},
		{0x22000, FW_BLITTER},
		{0x3fffc, FW_MEDIA},
		{0x40000, 0},
		{0x44200, 0},
		{0x1ffffc, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(gen9_reg_forcewake(rows[i].offset), rows[i].domains);
}

static const struct reg_row *row_at(uint32_t offset)
{
	static uint16_t index[GEN9_REG_DWORDS];

	if (!index[0x2030 / 4])
		gen9_regs_index(index, false);
	return gen9_reg_row(index[offset / 4]);
}

/* What a batch may do: the registers that are the reason for the rules. */
static void test_streamer_policy(void **state)
{
	static const uint32_t never[] = {0x2080, 0x20a8, 0x20d0, 0x2230, 0x229c, 0x941c, 0x4260,
		0x44200, 0x44304, 0x70180, 0x7019c, 0x100000, 0x101008, 0x138124, 0xa188, 0xa278,
		0xa008, 0xc4008, 0x45404, 0x46010, 0x78000, 0x120008};
	static const uint32_t user[] = {0x2600, 0x267c, 0x22600, 0x12600, 0x1a600, 0x2400, 0x2418,
		0x2310, 0x2350, 0x2290, 0x5200, 0x5240, 0x5280, 0x2430, 0x2440, 0x2500, 0x20d8,
		0x7000, 0x7004, 0x7008, 0x7034, 0x22200, 0x20c0};
	static const uint32_t priv[] = {0x24d0, 0x24fc, 0x2580, 0x7014, 0x7304, 0xb118, 0x2248,
		0x2088, 0x2090, 0xc800, 0xb020, 0x2270, 0x2274, 0xe100, 0xe184, 0x44050};
	static const uint32_t readable[] = {0x2358, 0x235c, 0x22358, 0x23a8};

	for (size_t i = 0; i < ARRAY_SIZE(never); i++) {
		assert_non_null(row_at(never[i]));
		assert_int_equal(row_at(never[i])->cs, REG_CS_NONE);
	}
	for (size_t i = 0; i < ARRAY_SIZE(user); i++) {
		assert_non_null(row_at(user[i]));
		assert_int_equal(row_at(user[i])->cs, REG_CS_USER);
	}
	for (size_t i = 0; i < ARRAY_SIZE(priv); i++) {
		assert_non_null(row_at(priv[i]));
		assert_int_equal(row_at(priv[i])->cs, REG_CS_PRIV);
	}
	for (size_t i = 0; i < ARRAY_SIZE(readable); i++) {
		assert_non_null(row_at(readable[i]));
		assert_int_equal(row_at(readable[i])->cs, REG_CS_USER_READ);
	}
}

/*
 * Nothing but graphics registers may be in reach of a user batch, and none that has an effect on
 * others: storage that a full GT reset clears.
 */
static void test_user_registers_are_storage(void **state)
{
	for (size_t i = 0; i < gen9_reg_table_count; i++) {
		const struct reg_table *t = &gen9_reg_tables[i];

		for (size_t j = 0; j < t->count; j++) {
			const struct reg_row *row = &t->rows[j];

			if (row->cs != REG_CS_USER)
				continue;
			assert_true(t->engine_relative || !strcmp(t->block, "gt"));
			assert_int_equal(row->handler, REG_H_NONE);
			assert_true(row->flags & REG_GDRST);
		}
	}
}

/* Skylake and Kaby Lake registers whose upper half is a mask: i915 writes them so. */
static void test_masked(void **state)
{
	static const uint32_t masked[] = {0x209c, 0x20c0, 0x229c, 0x2244, 0x20d0, 0x23a0, 0x2088,
		0x2090, 0x20e0, 0x20e4, 0x20ec, 0x20d4, 0x20d8, 0x2580, 0x7000, 0x7004, 0x7008,
		0x7010, 0x7014, 0x7018, 0x7300, 0x7304, 0xe100, 0xe180, 0xe184, 0xe188, 0xe194,
		0xe4f0, 0xe4f4, 0x5588, 0x4030, 0xa188, 0xa270, 0xa278, 0x22200};
	static const uint32_t whole[] = {0x2030, 0x20a8, 0x20c8, 0x2248, 0x24d0, 0x4080, 0x4090,
		0x7034, 0x940c, 0x9424, 0x9430, 0xb004, 0xb008, 0xb118, 0xb11c, 0xc800, 0xa090};

	for (size_t i = 0; i < ARRAY_SIZE(masked); i++) {
		assert_non_null(row_at(masked[i]));
		assert_true(row_at(masked[i])->flags & REG_MASKED);
	}
	for (size_t i = 0; i < ARRAY_SIZE(whole); i++) {
		assert_non_null(row_at(whole[i]));
		assert_false(row_at(whole[i])->flags & REG_MASKED);
	}
}

/* A write of these needs no forcewake: PRM "shadow registers", as far as i915 counts on it. */
static void test_shadowed(void **state)
{
	static const uint32_t listed[] = {0x2030, 0x2230, 0xa008, 0xa00c, 0x12030, 0x12230, 0x1a030,
		0x1a230, 0x22030, 0x22230};
	size_t found = 0;

	for (uint32_t offset = 0; offset < GEN9_MMIO_SIZE; offset += 4) {
		const struct reg_row *row = row_at(offset);

		if (!row || !(row->flags & REG_SHADOWED))
			continue;
		assert_true(found < ARRAY_SIZE(listed));
		assert_int_equal(offset, listed[found++]);
	}
	assert_int_equal(found, ARRAY_SIZE(listed));
}

/* What a context image loads has a row that says so, and the same idea of masks. */
static void test_context_rows(void **state)
{
	for (size_t i = 0; i < gen9_context_row_count; i++) {
		const struct context_row *c = &gen9_context_rows[i];

		for (int e = 0; e < GEN9_ENGINES; e++) {
			const struct reg_row *row;

			if (!(c->engines & BIT(e)) || e == VCS1)
				continue;
			row = row_at(gen9_engines[e].mmio_base + c->reg);
			if (!row)
				fail_msg("%s: no row at %x", c->name, c->reg);
			assert_int_equal(
				!!(c->flags & CONTEXT_MASKED), !!(row->flags & REG_MASKED));
			if (!(c->flags & CONTEXT_LIVE))
				assert_true(row->flags & REG_CTX);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lint),
		cmocka_unit_test(test_lint_finds),
		cmocka_unit_test(test_lint_finds_tables),
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_engines),
		cmocka_unit_test(test_forcewake),
		cmocka_unit_test(test_streamer_policy),
		cmocka_unit_test(test_user_registers_are_storage),
		cmocka_unit_test(test_masked),
		cmocka_unit_test(test_shadowed),
		cmocka_unit_test(test_context_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
