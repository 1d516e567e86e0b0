/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VBT and its ROM, read as the kernel's PCI core, i915 and SeaBIOS read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gen9/vbt.h"

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)(p[0] | p[1] << 8);
}

static uint8_t sum(const uint8_t *p, size_t n)
{
	uint8_t s = 0;

	while (n--)
		s = (uint8_t)(s + *p++);
	return s;
}

/* i915 intel_bios_is_valid_vbt(), bdb_find_section(), parse_general_definitions(). */
static void check_vbt(const uint8_t *vbt, size_t size)
{
	const uint8_t *bdb, *block, *child;
	uint32_t bdb_size, at;
	int devices = 0;

	assert_true(size >= 48);
	assert_memory_equal(vbt, "$VBT", 4);
	assert_int_equal(sum(vbt, get16(vbt + 24)), 0);
	assert_true(get16(vbt + 24) <= size);
	at = (uint32_t)vbt[28] | (uint32_t)vbt[29] << 8 | (uint32_t)vbt[30] << 16;
	assert_true(at + 22 <= get16(vbt + 24));
	bdb = vbt + at;
	assert_memory_equal(bdb, "BIOS_DATA_BLOCK ", 16);
	bdb_size = get16(bdb + 20);
	assert_true(at + bdb_size <= get16(vbt + 24));
	for (at = get16(bdb + 18); at + 3 < bdb_size; at += 3 + get16(bdb + at + 1)) {
		block = bdb + at;
		assert_true(at + 3 + get16(block + 1) <= bdb_size);
		if (block[0] != 2)
			continue;
		assert_int_equal(block[3 + 4], 33); /* child_device_expected_size() of 155 */
		for (child = block + 8; child + 33 <= block + 3 + get16(block + 1); child += 33) {
			devices++;
			assert_int_equal(get16(child + 2), 0x60d2);
			assert_int_equal(child[16], 1); /* HDMI-B */
			assert_int_equal(child[19], 5); /* GMBUS pin */
		}
	}
	assert_int_equal(devices, 1);
}

static void test_vbt(void **state)
{
	uint8_t vbt[VBT_MAX_BYTES];
	size_t n = vbt_build(vbt);

	assert_int_equal(n % 4, 0);
	check_vbt(vbt, n);
}

static void test_rom(void **state)
{
	uint8_t *rom = malloc(VBT_ROM_BYTES);
	uint8_t *again = malloc(VBT_ROM_BYTES);
	const uint8_t *pcir;
	size_t at = 0;

	memset(rom, 0xaa, VBT_ROM_BYTES);
	vbt_build_rom(0x1912, rom);
	assert_int_equal(get16(rom), 0xaa55);
	assert_int_equal(rom[2] * 512, VBT_ROM_BYTES);
	assert_int_equal(sum(rom, VBT_ROM_BYTES), 0);
	pcir = rom + get16(rom + 0x18);
	assert_memory_equal(pcir, "PCIR", 4);
	assert_int_equal(get16(pcir + 4), 0x8086);
	assert_int_equal(get16(pcir + 6), 0x1912);
	assert_int_equal(get16(pcir + 16) * 512, VBT_ROM_BYTES);
	assert_int_not_equal(pcir[20], 0); /* x86 code, which SeaBIOS would run */
	assert_int_not_equal(pcir[20], 3); /* EFI */
	assert_true(pcir[21] & 0x80);
	/* i915 scours the image dword by dword. */
	while (at + 4 < VBT_ROM_BYTES && memcmp(rom + at, "$VBT", 4) != 0)
		at += 4;
	assert_true(at + 4 < VBT_ROM_BYTES);
	check_vbt(rom + at, VBT_ROM_BYTES - at);

	vbt_build_rom(0x5916, again);
	assert_int_equal(get16(again + get16(again + 0x18) + 6), 0x5916);
	assert_int_equal(sum(again, VBT_ROM_BYTES), 0);
	free(rom);
	free(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vbt),
		cmocka_unit_test(test_rom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
