/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Config space: sizing as QEMU probes it, masks, every width, hooks, power states, state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "pci/config.h"

struct heard {
	unsigned int writes, powers;
	const struct pci_config_row *row;
	uint32_t before, after;
	unsigned int power_before, power_after;
};

static void written(void *arg, const struct pci_config_row *row, uint32_t before, uint32_t after)
{
	struct heard *h = arg;

	h->writes++;
	h->row = row;
	h->before = before;
	h->after = after;
}

static void power(void *arg, unsigned int before, unsigned int after)
{
	struct heard *h = arg;

	h->powers++;
	h->power_before = before;
	h->power_after = after;
}

static const struct pci_config_row rows[] = {
	{0x50, 2, false, 0x00c1, 0, 0, "GGC", "t"},
	{0x5c, 4, true, 0, 0xfff00000, 0, "BDSM", "t"},
	{0x60, 4, false, 0xff00ff00, 0x000000ff, 0xffff0000, "W1C", "t"},
	{0xe8, 2, true, 0, 0x8001, 0, "SWSCI", "t"},
	{0xfc, 4, true, 0, 0xffffffff, 0, "ASLS", "t"},
};

static struct pci_config_desc desc(struct heard *h)
{
	memset(h, 0, sizeof(*h));
	return (struct pci_config_desc){
		.vendor_id = 0x8086,
		.device_id = 0x5916,
		.subsystem_vendor_id = 0x8086,
		.subsystem_id = 0x2212,
		.revision = 2,
		.class_code = 0x0380,
		.bars = {{MIB(16), PCI_BAR_64}, {0}, {MIB(4), PCI_BAR_64 | PCI_BAR_PREFETCH}, {0},
			{64, PCI_BAR_IO}},
		.rom_bytes = KIB(64),
		.intx_pin = 1,
		.msi_offset = 0xac,
		.pm_offset = 0xd0,
		.size_bytes = PCI_CONFIG_SIZE,
		.rows = rows,
		.row_count = ARRAY_SIZE(rows),
		.written = written,
		.power = power,
		.arg = h,
	};
}

static uint32_t rd(struct pci_config *c, uint32_t offset, unsigned int size)
{
	uint32_t v = 0;

	pci_config_read(c, offset, &v, size);
	return v;
}

static void wr(struct pci_config *c, uint32_t offset, unsigned int size, uint32_t v)
{
	pci_config_write(c, offset, &v, size);
}

static void init(struct pci_config *c, struct heard *h)
{
	struct pci_config_desc d = desc(h);

	assert_int_equal(pci_config_init(c, &d, NULL), 0);
}

static void test_header(void **state)
{
	struct pci_config c;
	struct heard h;

	init(&c, &h);
	assert_int_equal(rd(&c, 0x00, 4), 0x59168086);
	assert_int_equal(rd(&c, 0x04, 4), 0x00100000);
	assert_int_equal(rd(&c, 0x08, 4), 0x03800002);
	assert_int_equal(rd(&c, 0x0c, 4), 0);
	assert_int_equal(rd(&c, 0x2c, 4), 0x22128086);
	assert_int_equal(rd(&c, 0x34, 1), 0xac);
	assert_int_equal(rd(&c, 0x3d, 1), 1);
	assert_int_equal(rd(&c, 0xac, 4), 0x0000d005); /* MSI, next D0, one vector, 32-bit */
	assert_int_equal(rd(&c, 0xd0, 4), 0x00020001); /* PM 2, last */
	assert_int_equal(rd(&c, 0x50, 2), 0xc1);
	/* Past the end: all ones. */
	assert_int_equal(rd(&c, 0xfe, 4), 0xffff0000);
	assert_int_equal(rd(&c, 0x100, 4), 0xffffffff);
}

static void test_sizing(void **state)
{
	static const struct {
		uint32_t offset, write, expect;
	} probes[] = {
		{0x10, 0xffffffff, 0xff000004},
		{0x14, 0xffffffff, 0xffffffff},
		{0x18, 0xffffffff, 0xffc0000c},
		{0x1c, 0xffffffff, 0xffffffff},
		{0x20, 0xffffffff, 0xffffffc1},
		{0x24, 0xffffffff, 0},
		{0x30, 0xfffff800, 0xffff0000},
		{0x30, 0xffffffff, 0xffff0001},
	};
	struct pci_config c;
	struct heard h;

	init(&c, &h);
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		uint32_t old = rd(&c, probes[i].offset, 4);

		wr(&c, probes[i].offset, 4, probes[i].write);
		assert_int_equal(rd(&c, probes[i].offset, 4), probes[i].expect);
		wr(&c, probes[i].offset, 4, old);
		assert_int_equal(rd(&c, probes[i].offset, 4), old);
	}
	wr(&c, 0x18, 4, 0xe0400000);
	wr(&c, 0x1c, 4, 0x12);
	assert_true(pci_config_bar_address(&c, 2) == UINT64_C(0x12e0400000));
	wr(&c, 0x20, 4, 0xc041);
	assert_true(pci_config_bar_address(&c, 4) == 0xc040);
	assert_true(pci_config_bar_address(&c, 5) == 0);
	assert_true(pci_config_bar_address(&c, 77) == 0);
}

/* A BAR of more than 4 GiB sizes through its high half. */
static void test_sizing_above_4g(void **state)
{
	struct pci_config c;
	struct pci_config_desc d;
	struct heard h;

	d = desc(&h);
	d.bars[2].size_bytes = GIB(8);
	assert_int_equal(pci_config_init(&c, &d, NULL), 0);
	wr(&c, 0x18, 4, 0xffffffff);
	wr(&c, 0x1c, 4, 0xffffffff);
	assert_int_equal(rd(&c, 0x18, 4), 0x0000000c);
	assert_int_equal(rd(&c, 0x1c, 4), 0xfffffffe);
}

static void test_bad_descriptions(void **state)
{
	struct pci_config c;
	struct pci_config_desc d;
	struct heard h;
	struct err e = {0};

	d = desc(&h);
	d.bars[0].size_bytes = MIB(16) + 4096;
	assert_int_equal(pci_config_init(&c, &d, &e), -EINVAL);
	assert_non_null(strstr(e.what, "BAR0"));
	d = desc(&h);
	d.bars[1].size_bytes = MIB(1); /* half of BAR0 */
	assert_int_equal(pci_config_init(&c, &d, NULL), -EINVAL);
	d = desc(&h);
	d.bars[4].size_bytes = 512;
	assert_int_equal(pci_config_init(&c, &d, NULL), -EINVAL);
	d = desc(&h);
	d.rom_bytes = 1024;
	assert_int_equal(pci_config_init(&c, &d, NULL), -EINVAL);
	d = desc(&h);
	d.pm_offset = 0x5c; /* on BDSM */
	assert_int_equal(pci_config_init(&c, &d, NULL), -EINVAL);
	d = desc(&h);
	d.size_bytes = 512;
	assert_int_equal(pci_config_init(&c, &d, NULL), -EINVAL);
}

static void test_masks(void **state)
{
	struct pci_config c;
	struct heard h;

	init(&c, &h);
	wr(&c, 0x04, 4, 0xffffffff);
	assert_int_equal(rd(&c, 0x04, 4), 0x00100407);
	assert_int_equal(pci_config_command(&c), 0x0407);
	wr(&c, 0x00, 4, 0);
	assert_int_equal(rd(&c, 0x00, 4), 0x59168086);
	wr(&c, 0x3c, 4, 0xffffffff);
	assert_int_equal(rd(&c, 0x3c, 4), 0x000001ff);
	assert_false(pci_config_msi_enabled(&c));
	wr(&c, 0xae, 2, 0xffff);
	assert_int_equal(rd(&c, 0xae, 2), 1);
	assert_true(pci_config_msi_enabled(&c));
	wr(&c, 0xb0, 4, 0xfee00001);
	assert_int_equal(rd(&c, 0xb0, 4), 0xfee00000);
	/* Write 1 to clear: bits 31:16 clear, 7:0 store, 15:8 stay. */
	wr(&c, 0x60, 4, 0x0f00005a);
	assert_int_equal(rd(&c, 0x60, 4), 0xf000ff5a);
}

/* A write of a dword, of its bytes, and of its two words in any order leave the same. */
static void test_widths(void **state)
{
	struct pci_config whole, parts;
	struct heard h;

	srand(1);
	init(&whole, &h);
	init(&parts, &h);
	for (unsigned int n = 0; n < 2000; n++) {
		uint32_t offset = (uint32_t)rand() % 63 * 4;
		uint32_t v = (uint32_t)rand() << 1 ^ (uint32_t)rand();

		if (offset >= 0xd0 && offset < 0xd8)
			continue; /* a reset in the middle is not the same */
		wr(&whole, offset, 4, v);
		if (n & 1) {
			for (unsigned int i = 0; i < 4; i++) {
				wr(&parts, offset + i, 1, v >> (8 * i));
			}
		} else {
			wr(&parts, offset + 2, 2, v >> 16);
			wr(&parts, offset, 2, v);
		}
		assert_memory_equal(whole.value, parts.value, PCI_CONFIG_SIZE);
		assert_int_equal(rd(&parts, offset + 1, 2), (rd(&whole, offset, 4) >> 8) & 0xffff);
		assert_int_equal(rd(&parts, offset + 3, 1), rd(&whole, offset, 4) >> 24);
	}
}

static void test_random_writes_keep_read_only_bits(void **state)
{
	struct pci_config c;
	struct heard h;
	uint8_t junk[512];

	srand(2);
	init(&c, &h);
	for (unsigned int n = 0; n < 20000; n++) {
		size_t len = (size_t)rand() % (n % 16 ? 9 : sizeof(junk));
		uint64_t offset = (uint64_t)rand() % 300;

		for (size_t i = 0; i < len; i++) {
			junk[i] = (uint8_t)(rand() >> 4);
		}
		pci_config_write(&c, offset, junk, len);
		for (unsigned int i = 0; i < PCI_CONFIG_SIZE; i++) {
			assert_int_equal(
				(c.value[i] ^ c.reset[i]) & ~(c.writable[i] | c.w1c[i]) & 0xff, 0);
		}
		assert_true(pci_config_power_state(&c) == 0 || pci_config_power_state(&c) == 3);
	}
	/* Offsets that would wrap. */
	pci_config_write(&c, UINT64_MAX, junk, sizeof(junk));
	pci_config_read(&c, UINT64_MAX, junk, sizeof(junk));
	assert_int_equal(junk[0], 0xff);
}

static void test_hooks(void **state)
{
	struct pci_config c;
	struct heard h;

	init(&c, &h);
	wr(&c, 0xfc, 4, 0x1fffe000);
	assert_int_equal(h.writes, 1);
	assert_string_equal(h.row->name, "ASLS");
	assert_int_equal(h.before, 0);
	assert_int_equal(h.after, 0x1fffe000);
	wr(&c, 0xfe, 1, 0x77); /* a byte of it */
	assert_int_equal(h.writes, 2);
	assert_int_equal(h.before, 0x1fffe000);
	assert_int_equal(h.after, 0x1f77e000);
	wr(&c, 0xe8, 2, 0xffff);
	assert_int_equal(h.after, 0x8001);
	wr(&c, 0xec, 4, 1); /* beside it */
	wr(&c, 0x60, 4, 1); /* a row that is not to be heard of */
	assert_int_equal(h.writes, 3);
}

/* The device takes a bit back while it is told of it: the guest reads it cleared. */
static void take_back(void *arg, const struct pci_config_row *row, uint32_t before, uint32_t after)
{
	if (row->offset == 0xe8 && (after & 1))
		pci_config_set(arg, 0xe8, 2, after & ~1u);
}

static void test_set(void **state)
{
	struct pci_config_desc d;
	struct pci_config c;
	struct heard h;

	d = desc(&h);
	d.written = take_back;
	d.power = NULL;
	d.arg = &c;
	assert_int_equal(pci_config_init(&c, &d, NULL), 0);
	wr(&c, 0xe8, 2, 0x8001);
	assert_int_equal(rd(&c, 0xe8, 2), 0x8000);
	/* Read-only for the guest, not for the device. */
	pci_config_set(&c, 0x50, 2, 0x1234);
	assert_int_equal(rd(&c, 0x50, 4), 0x1234);
}

/* What init() promises to refuse, beyond sizes. */
static void test_bad_overlaps(void **state)
{
	static const struct pci_config_row both[] = {{0x60, 4, false, 0, 0x3, 0x2, "BOTH", "t"}};
	struct pci_config_desc d;
	struct pci_config c;
	struct err e = {0};
	struct heard h;

	d = desc(&h);
	d.pm_offset = 0xb4; /* MSI is 0xac to 0xb5 */
	assert_int_equal(pci_config_init(&c, &d, &e), -EINVAL);
	assert_non_null(strstr(e.what, "overlap"));
	d.pm_offset = 0xb8;
	assert_int_equal(pci_config_init(&c, &d, &e), 0);
	d.pm_offset = 0xa4; /* ends where MSI begins */
	assert_int_equal(pci_config_init(&c, &d, &e), 0);
	d.pm_offset = 0xa8;
	assert_int_equal(pci_config_init(&c, &d, &e), -EINVAL);
	d = desc(&h);
	d.rows = both;
	d.row_count = 1;
	assert_int_equal(pci_config_init(&c, &d, &e), -EINVAL);
	assert_non_null(strstr(e.what, "BOTH"));
}

static void test_power(void **state)
{
	struct pci_config c;
	struct heard h;

	init(&c, &h);
	wr(&c, 0x04, 2, 7);
	wr(&c, 0xd4, 2, 1); /* D1 does not exist */
	assert_int_equal(pci_config_power_state(&c), 0);
	assert_int_equal(h.powers, 0);
	wr(&c, 0xd4, 2, 3);
	assert_int_equal(pci_config_power_state(&c), 3);
	assert_int_equal(h.power_after, 3);
	wr(&c, 0xd4, 2, 2);
	assert_int_equal(pci_config_power_state(&c), 3);
	assert_int_equal(pci_config_command(&c), 7);
	wr(&c, 0xd4, 2, 0);
	assert_int_equal(h.powers, 2);
	assert_int_equal(h.power_before, 3);
	assert_int_equal(h.power_after, 0);
	assert_int_equal(pci_config_command(&c), 0); /* D3hot -> D0 is a reset */
}

static void test_state(void **state)
{
	struct pci_config c, other;
	struct heard h;
	struct buf b;
	struct buf_reader r;
	struct err e = {0};

	init(&c, &h);
	init(&other, &h);
	wr(&c, 0x10, 4, 0xe0000000);
	wr(&c, 0x04, 2, 6);
	wr(&c, 0xfc, 4, 0x12345678);
	buf_init(&b);
	pci_config_save(&c, &b);
	buf_reader_init(&r, b.data, b.len);
	assert_int_equal(pci_config_load(&other, &r, 1, &e), 0);
	assert_true(buf_reader_done(&r));
	assert_memory_equal(c.value, other.value, PCI_CONFIG_SIZE);

	/* Hostile streams change nothing: cut short at every length, another device, D2. */
	for (size_t n = 0; n < b.len; n++) {
		init(&other, &h);
		buf_reader_init(&r, b.data, n);
		assert_int_equal(pci_config_load(&other, &r, 1, &e), -EINVAL);
		assert_memory_equal(other.value, other.reset, PCI_CONFIG_SIZE);
	}
	b.data[4] ^= 1;
	buf_reader_init(&r, b.data, b.len);
	assert_int_equal(pci_config_load(&other, &r, 1, &e), -EINVAL);
	assert_non_null(strstr(e.what, "byte 0"));
	b.data[4] ^= 1;
	b.data[4 + 0xd4] = 2;
	buf_reader_init(&r, b.data, b.len);
	assert_int_equal(pci_config_load(&other, &r, 1, &e), -EINVAL);
	assert_memory_equal(other.value, other.reset, PCI_CONFIG_SIZE);
	buf_finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_sizing),
		cmocka_unit_test(test_sizing_above_4g),
		cmocka_unit_test(test_bad_descriptions),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_random_writes_keep_read_only_bits),
		cmocka_unit_test(test_hooks),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_bad_overlaps),
		cmocka_unit_test(test_power),
		cmocka_unit_test(test_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
