/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The register file: how writes are stored, widths, handlers, what has no row, reset, state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "soc/regs.h"

#define CACHE_MODE_0 0x07000u  /* masked, GT */
#define GPR0	     0x02600u  /* plain, GT */
#define HTOTAL	     0x60000u  /* plain, display */
#define PVINFO	     0x78000u  /* read-only */
#define RING_EIR     0x020b0u  /* write 1 to clear */
#define FPGA_DBG     0x42300u  /* bit 31 is write 1 to clear */
#define GTFIFOCTL    0x120008u /* bits 6:0 are read-only, reset value 0x3f */
#define VGACNTRL     0x41000u  /* plain, reset value 0x80000000 */
#define HWSTAM	     0x02098u  /* plain, GT, reset value 0xffffffff */
#define GDRST	     0x0941cu  /* has a handler */
#define NOWHERE	     0x1ff000u /* no row */

static int setup(void **state)
{
	static struct regs r;

	assert_int_equal(regs_init(&r, gen9_platform_find("kbl-gt2")), 0);
	*state = &r;
	return 0;
}

static int teardown(void **state)
{
	struct regs *r = *state;

	regs_finish(r);
	regs_finish(r); /* once more is fine */
	return 0;
}

static void test_rules(void **state)
{
	struct regs *r = *state;

	regs_write(r, GPR0, 0x12345678);
	assert_int_equal(regs_read(r, GPR0), 0x12345678);

	regs_write(r, CACHE_MODE_0, 0x000f000f | 0xff000000);
	assert_int_equal(regs_read(r, CACHE_MODE_0), 0x000f & 0xff0f);
	regs_write(r, CACHE_MODE_0, 0x00f000ff); /* 3:0 are outside the mask */
	assert_int_equal(regs_read(r, CACHE_MODE_0), 0xff);
	regs_write(r, CACHE_MODE_0, 0x0003fffc);
	assert_int_equal(regs_read(r, CACHE_MODE_0), 0xfc);
	assert_int_equal(regs_store(r, CACHE_MODE_0, 0xffff0001), 1);

	regs_write(r, PVINFO, 0x4776544);
	assert_int_equal(regs_read(r, PVINFO), 0);
	assert_int_equal(regs_store(r, PVINFO, 7), 0);
	regs_poke(r, PVINFO, 7); /* a block's own write is not bound by the row */
	assert_int_equal(regs_read(r, PVINFO), 7);
	regs_write(r, PVINFO, 0);
	assert_int_equal(regs_read(r, PVINFO), 7);

	regs_poke(r, RING_EIR, 0xff);
	regs_write(r, RING_EIR, 0xffff0f);
	assert_int_equal(regs_read(r, RING_EIR), 0xf0);

	regs_poke(r, FPGA_DBG, 0x80000001);
	regs_write(r, FPGA_DBG, 0x2);
	assert_int_equal(regs_read(r, FPGA_DBG), 0x80000002);
	regs_write(r, FPGA_DBG, 0x80000000);
	assert_int_equal(regs_read(r, FPGA_DBG), 0);

	assert_int_equal(regs_read(r, GTFIFOCTL), 0x3f);
	regs_write(r, GTFIFOCTL, 0xffffff80);
	assert_int_equal(regs_read(r, GTFIFOCTL), 0xffffffbf);
}

static void test_widths(void **state)
{
	struct regs *r = *state;

	regs_mmio_write(r, GPR0, 0x8877665544332211, 8);
	assert_int_equal(regs_read(r, GPR0), 0x44332211);
	assert_int_equal(regs_read(r, GPR0 + 4), 0x88776655);
	assert_int_equal(regs_mmio_read(r, GPR0, 8), 0x8877665544332211);
	assert_int_equal(regs_mmio_read(r, GPR0 + 4, 4), 0x88776655);
	assert_int_equal(regs_mmio_read(r, GPR0, 2), 0x2211);
	assert_int_equal(regs_mmio_read(r, GPR0 + 2, 2), 0x4433);
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(regs_mmio_read(r, GPR0 + i, 1), 0x11 * (i + 1));
	/* Unaligned, within a dword and across. */
	assert_int_equal(regs_mmio_read(r, GPR0 + 1, 2), 0x3322);
	assert_int_equal(regs_mmio_read(r, GPR0 + 3, 2), 0x5544);
	assert_int_equal(regs_mmio_read(r, GPR0 + 1, 4), 0x55443322);
	regs_poke(r, GPR0 + 8, 0xbbaa99);
	assert_int_equal(regs_mmio_read(r, GPR0 + 3, 8), UINT64_C(0xbbaa998877665544));

	regs_mmio_write(r, GPR0 + 1, 0xee, 1);
	assert_int_equal(regs_read(r, GPR0), 0x4433ee11);
	regs_mmio_write(r, GPR0 + 2, 0xccdd, 2);
	assert_int_equal(regs_read(r, GPR0), 0xccddee11);
	regs_mmio_write(r, GPR0 + 2, 0x04030201, 4);
	assert_int_equal(regs_mmio_read(r, GPR0, 8), 0x887704030201ee11);

	/* What is not written takes part neither in masks nor in clearing. */
	regs_write(r, CACHE_MODE_0, 0xffff00ff);
	regs_mmio_write(r, CACHE_MODE_0, 0, 1);
	assert_int_equal(regs_read(r, CACHE_MODE_0), 0xff);
	regs_mmio_write(r, CACHE_MODE_0, 0, 2);
	assert_int_equal(regs_read(r, CACHE_MODE_0), 0xff);
	regs_poke(r, RING_EIR, 0xffff);
	regs_mmio_write(r, RING_EIR, 0x0f, 1);
	assert_int_equal(regs_read(r, RING_EIR), 0xfff0);
	regs_poke(r, FPGA_DBG, 0x80000300);
	regs_mmio_write(r, FPGA_DBG, 0x5, 1);
	assert_int_equal(regs_read(r, FPGA_DBG), 0x80000305);
}

static void test_outside(void **state)
{
	struct regs *r = *state;
	uint64_t before = atomic_load(&r->unknown_total);

	regs_mmio_write(r, GEN9_MMIO_SIZE - 4, ~0ull, 8);
	regs_mmio_write(r, GEN9_MMIO_SIZE, ~0ull, 4);
	regs_mmio_write(r, UINT32_MAX, ~0ull, 8);
	regs_mmio_write(r, UINT32_MAX - 2, ~0ull, 4);
	assert_int_equal(regs_mmio_read(r, GEN9_MMIO_SIZE - 4, 8), 0);
	assert_int_equal(regs_mmio_read(r, GEN9_MMIO_SIZE, 1), 0);
	assert_int_equal(regs_mmio_read(r, UINT32_MAX, 8), 0);
	assert_int_equal(regs_mmio_read(r, UINT32_MAX - 3, 4), 0);
	assert_int_equal(atomic_load(&r->unknown_total), before);
	/* Widths that no bus has. */
	regs_write(r, GPR0, 0x55);
	regs_mmio_write(r, GPR0, 0xff, 0);
	regs_mmio_write(r, GPR0, 0xff, 16);
	assert_int_equal(regs_read(r, GPR0), 0x55);
	assert_int_equal(regs_mmio_read(r, GPR0, 0), 0);
	assert_int_equal(regs_mmio_read(r, GPR0, 9), 0);
	/* From a command streamer any offset may come. */
	assert_null(regs_row(r, GEN9_MMIO_SIZE));
	assert_null(regs_row(r, UINT32_MAX));
}

static void test_unknown(void **state)
{
	struct regs *r = *state;

	assert_int_equal(regs_read(r, NOWHERE), 0);
	regs_write(r, NOWHERE, 5);
	regs_write(r, NOWHERE, 6);
	assert_int_equal(regs_read(r, NOWHERE), 0);
	assert_int_equal(regs_store(r, NOWHERE, 6), 0);
	assert_int_equal(regs_peek(r, NOWHERE), 0);
	assert_int_equal(r->unknown_count, 1);
	assert_int_equal(r->unknown[0].offset, NOWHERE);
	assert_int_equal(r->unknown[0].reads, 2);
	assert_int_equal(r->unknown[0].writes, 2);
	assert_int_equal(atomic_load(&r->unknown_total), 4);
	for (uint32_t i = 0; i < 2 * REGS_UNKNOWN_MAX; i++)
		regs_write(r, NOWHERE + 4 * i, i);
	assert_int_equal(r->unknown_count, REGS_UNKNOWN_MAX);
	assert_int_equal(atomic_load(&r->unknown_total), 4 + 2 * REGS_UNKNOWN_MAX);
	assert_int_equal(r->unknown[0].writes, 3);
	/* A byte of it is one access, not an access more for what is beside it. */
	regs_mmio_write(r, NOWHERE + 1, 1, 1);
	assert_int_equal(atomic_load(&r->unknown_total), 5 + 2 * REGS_UNKNOWN_MAX);
}

struct block {
	uint32_t offset, value;
	unsigned int reads, writes;
};

static uint32_t block_read(void *block, uint32_t offset)
{
	struct block *b = block;

	b->offset = offset;
	b->reads++;
	return 0xabcd0000 | (offset & 0xffff);
}

static void block_write(void *block, uint32_t offset, uint32_t value)
{
	struct block *b = block;

	b->offset = offset;
	b->value = value;
	b->writes++;
}

static void test_handlers(void **state)
{
	struct regs *r = *state;
	struct block b = {0};

	/* Unbound: storage. */
	regs_write(r, GDRST, 0x1e);
	assert_int_equal(regs_read(r, GDRST), 0x1e);

	regs_bind(r, REG_H_GDRST, &(struct reg_ops){.read = block_read, .write = block_write}, &b);
	assert_int_equal(regs_read(r, GDRST), 0xabcd941c);
	regs_write(r, GDRST, 0x3);
	assert_int_equal(b.offset, GDRST);
	assert_int_equal(b.value, 0x3);
	assert_int_equal(regs_peek(r, GDRST), 0x1e); /* the handler stores, or does not */
	/* Bytes come with what is stored beside them. */
	regs_mmio_write(r, GDRST + 1, 0x7, 1);
	assert_int_equal(b.value, 0x71e);
	assert_int_equal(b.writes, 2);
	assert_int_equal(regs_mmio_read(r, GDRST + 2, 2), 0xabcd);

	/* Only one of the two: the other is storage by the row's rules. */
	regs_bind(r, REG_H_GDRST, &(struct reg_ops){.read = block_read}, &b);
	regs_write(r, GDRST, 0x55);
	assert_int_equal(b.writes, 2);
	assert_int_equal(regs_peek(r, GDRST), 0x55);
}

static void test_unbound(void **state)
{
	static const struct reg_ops ops = {.read = block_read};
	struct regs *r = *state;
	struct block b = {0};
	enum reg_handler id;
	unsigned int bound = 0;

	while ((id = regs_unbound(r)) != REG_H_NONE) {
		assert_true(id < REG_H_COUNT);
		assert_null(r->ops[id].read);
		regs_bind(r, id, &ops, &b);
		assert_true(++bound < REG_H_COUNT);
	}
	/* Every id but NONE has a row that names it. */
	assert_int_equal(bound, REG_H_COUNT - 1);
	for (unsigned int i = 0; i < REG_H_COUNT; i++)
		assert_non_null(reg_handler_names[i]);
}

static void test_reset(void **state)
{
	struct regs *r = *state;

	assert_int_equal(regs_read(r, VGACNTRL), 0x80000000);
	regs_write(r, VGACNTRL, 0);
	regs_write(r, HTOTAL, 0x1234);
	regs_write(r, GPR0, 0x1234);
	regs_write(r, HWSTAM, 0);
	regs_write(r, CACHE_MODE_0, 0xffffffff);
	regs_read(r, NOWHERE);

	regs_reset(r, true);
	assert_int_equal(regs_read(r, VGACNTRL), 0);
	assert_int_equal(regs_read(r, HTOTAL), 0x1234);
	assert_int_equal(regs_read(r, GPR0), 0);
	assert_int_equal(regs_read(r, HWSTAM), 0xffffffff);
	assert_int_equal(regs_read(r, CACHE_MODE_0), 0);

	regs_reset(r, false);
	assert_int_equal(regs_read(r, VGACNTRL), 0x80000000);
	assert_int_equal(regs_read(r, HTOTAL), 0);
	assert_int_equal(r->unknown_count, 1); /* a record of what happened, not state */
}

static int load(struct regs *r, const struct buf *b, uint32_t version)
{
	struct buf_reader in;
	struct err e = {0};
	int ret;

	buf_reader_init(&in, b->data, b->len);
	ret = regs_load(r, &in, version, &e);
	assert_int_equal(e.code, ret);
	if (ret)
		assert_true(e.what[0]);
	return ret;
}

static void test_state(void **state)
{
	struct regs *r = *state, other;
	struct buf a, b;

	regs_write(r, GPR0, 0x11111111);
	regs_write(r, CACHE_MODE_0, 0xffff1234);
	regs_write(r, HTOTAL, 0x2222);
	regs_write(r, VGACNTRL, 0); /* 0 is not its reset value */
	regs_poke(r, PVINFO, 0x3333);
	buf_init(&a);
	buf_init(&b);
	regs_save(r, &a);
	assert_int_equal(a.len, 4 + 5 * 8);

	assert_int_equal(regs_init(&other, r->platform), 0);
	regs_write(&other, GPR0 + 4, 0x99); /* goes away */
	assert_int_equal(load(&other, &a, REGS_STATE_VERSION), 0);
	for (uint32_t i = 0; i < GEN9_MMIO_SIZE; i += 4)
		assert_int_equal(regs_peek(&other, i), regs_peek(r, i));
	regs_save(&other, &b);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	buf_finish(&a);
	buf_finish(&b);
	regs_finish(&other);
}

static void test_state_hostile(void **state)
{
	static const struct {
		uint32_t words[6];
		size_t bytes;
	} rows[] = {
		{{0}, 0},			  /* empty */
		{{1, GPR0}, 8},			  /* cut short */
		{{2, GPR0, 1}, 12},		  /* fewer than it says */
		{{UINT32_MAX, GPR0, 1}, 12},	  /* far fewer */
		{{0x20000001, GPR0, 1}, 12},	  /* times 8 it wraps */
		{{1, GPR0 + 2, 1}, 12},		  /* between registers */
		{{1, NOWHERE, 1}, 12},		  /* no row */
		{{1, GEN9_MMIO_SIZE, 1}, 12},	  /* outside */
		{{1, UINT32_MAX - 3, 1}, 12},	  /* far outside */
		{{2, GPR0, 1, GPR0, 2}, 20},	  /* twice */
		{{2, GPR0 + 4, 1, GPR0, 2}, 20},  /* out of order */
		{{1, CACHE_MODE_0, 0x10000}, 12}, /* a masked register holds 16 bits */
		{{1, GPR0, 1, 0}, 16},		  /* something behind the end */
		{{1, 0x1c030, 8}, 12},		  /* VCS1, which GT2 has not */
		{{2, GPR0, 1, NOWHERE, 1}, 20},	  /* the last one is wrong */
	};
	struct regs *r = *state;

	regs_write(r, GPR0, 0x5a5a5a5a);
	regs_write(r, HTOTAL, 0x1234);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct buf b;

		buf_init(&b);
		buf_put(&b, rows[i].words, rows[i].bytes);
		if (load(r, &b, REGS_STATE_VERSION) != -EINVAL)
			fail_msg("stream %zu was taken", i);
		buf_finish(&b);
		assert_int_equal(regs_read(r, GPR0), 0x5a5a5a5a);
		assert_int_equal(regs_read(r, HTOTAL), 0x1234);
	}
	{
		struct buf b;

		buf_init(&b);
		buf_put_u32(&b, 0);
		assert_int_equal(load(r, &b, REGS_STATE_VERSION + 1), -ENOTSUP);
		assert_int_equal(load(r, &b, 0), -ENOTSUP);
		assert_int_equal(regs_read(r, GPR0), 0x5a5a5a5a);
		assert_int_equal(load(r, &b, REGS_STATE_VERSION), 0);
		assert_int_equal(regs_read(r, GPR0), 0);
		buf_finish(&b);
	}
}

/* Two threads own eight bits each of one masked register: no write of theirs is lost. */
struct writer {
	struct regs *r;
	uint32_t shift, lost;
};

static void *writer_run(void *arg)
{
	struct writer *w = arg;
	uint32_t mask = 0xffu << w->shift;

	for (uint32_t i = 0; i < 50000; i++) {
		uint32_t v = (i & 0xff) << w->shift;

		regs_write(w->r, CACHE_MODE_0, mask << 16 | v);
		w->lost += (regs_read(w->r, CACHE_MODE_0) & mask) != v;
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct writer w[2] = {{.r = *state, .shift = 0}, {.r = *state, .shift = 8}};
	pthread_t t[2];

	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[i], NULL, writer_run, &w[i]), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	assert_int_equal(w[0].lost, 0);
	assert_int_equal(w[1].lost, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rules),
		TEST(test_widths),
		TEST(test_outside),
		TEST(test_unknown),
		TEST(test_handlers),
		TEST(test_unbound),
		TEST(test_reset),
		TEST(test_state),
		TEST(test_state_hostile),
		TEST(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
