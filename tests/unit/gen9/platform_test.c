/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The platform rows: how they are found, and that fuses and counts say the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "gen9/platform.h"

static void test_find(void **state)
{
	const struct gen9_platform *kbl = gen9_platform_find("kbl-gt2");
	const struct gen9_platform *skl = gen9_platform_find("skl-gt2");

	assert_non_null(kbl);
	assert_int_equal(kbl->device_id, 0x5916);
	assert_int_equal(kbl->revision, 2);
	assert_ptr_equal(gen9_platform_find("8086:5916"), kbl);
	assert_ptr_equal(gen9_platform_find("5916"), kbl);
	assert_non_null(skl);
	assert_int_equal(skl->device_id, 0x1912);
	assert_int_equal(skl->revision, 6);
	assert_ptr_equal(gen9_platform_find("8086:1912"), skl);
	assert_non_null(gen9_platform_find("591B"));
	assert_ptr_equal(gen9_platform_find("591B"), gen9_platform_find("591b"));
	/* The first is what a caller gets who does not ask for one. */
	assert_ptr_equal(&gen9_platforms[0], kbl);
}

static void test_find_refuses(void **state)
{
	static const char *const bad[] = {"", "kbl", "kbl-gt2 ", "8086:", "8086:591", "8086:59161",
		"1002:5916", "0x5916", "591g", "-916", " 5916", "8086:8086:5916", "ffff"};

	assert_null(gen9_platform_find(NULL));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_null(gen9_platform_find(bad[i]));
}

/* What i915's gen9_sseu_info_init() counts out of the fuses is what the row says. */
static void test_fuses(void **state)
{
	for (size_t i = 0; i < gen9_platform_count; i++) {
		const struct gen9_platform *p = &gen9_platforms[i];
		unsigned int slices = __builtin_popcount(p->fuse2 >> 25 & 0x7);
		unsigned int subslices = 4 - __builtin_popcount(p->fuse2 >> 20 & 0xf);

		assert_int_equal(slices, p->slices);
		assert_int_equal(subslices, p->subslices);
		for (unsigned int s = 0; s < ARRAY_SIZE(p->eu_disable); s++)
			assert_int_equal(p->eu_disable[s], 0);
		assert_int_equal(p->eus_per_subslice, 8);
		/* i915 takes the shift of bits 2:1 off a 24 MHz crystal divided by 8. */
		assert_int_equal(24000000 >> (3 - (p->ctc_mode >> 1 & 3)), p->timestamp_hz);
		assert_int_equal(p->ctc_mode & 1, 0);
	}
}

static void test_rows(void **state)
{
	for (size_t i = 0; i < gen9_platform_count; i++) {
		const struct gen9_platform *p = &gen9_platforms[i];
		uint32_t rp0 = p->rp_state_cap & 0xff, rp1 = p->rp_state_cap >> 8 & 0xff;
		uint32_t rpn = p->rp_state_cap >> 16 & 0xff;

		assert_non_null(p->name);
		assert_non_null(p->title);
		assert_true(rpn && rpn <= rp1 && rp1 <= rp0);
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(p->name, gen9_platforms[j].name);
			assert_int_not_equal(p->device_id, gen9_platforms[j].device_id);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_find_refuses),
		cmocka_unit_test(test_fuses),
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
