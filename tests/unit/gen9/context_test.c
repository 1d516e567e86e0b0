// SPDX-License-Identifier: GPL-2.0-or-later
/* The context image against what i915 writes into it and reads from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "gen9/context.h"
#include "gen9/regs.h"

static void rows_are_sound(void **state)
{
	char msg[200] = "";

	if (gen9_context_lint(msg, sizeof(msg)))
		fail_msg("%s", msg);
}

/* Places that i915 6.12 names in gt/intel_lrc_reg.h and intel_lrc.c for Gen9, and their registers. */
static void places_that_software_uses(void **state)
{
	static const struct {
		uint32_t dw, reg;
	} places[] = {{0x03, 0x244}, {0x05, 0x34}, {0x07, 0x30}, {0x09, 0x38}, {0x0b, 0x3c},
		{0x11, 0x110}, {0x19, 0x1c0}, {0x1b, 0x1c4}, {0x1d, 0x1c8}, {0x23, 0x3a8},
		{0x25, 0x28c}, {0x27, 0x288}, {0x29, 0x284}, {0x2b, 0x280}, {0x2d, 0x27c},
		{0x2f, 0x278}, {0x31, 0x274}, {0x33, 0x270}, {0x55, 0x9c}, {0x65, 0x158},
		{0x69, 0x600}, {0x6b, 0x604}, {0xa7, 0x67c}, {0xa9, 0x68}};

	for (int e = 0; e < GEN9_ENGINES; e++) {
		uint32_t base = gen9_engines[e].mmio_base, image[CONTEXT_RING_DW];

		gen9_context_write(e, base, image);
		for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
			assert_int_equal(image[places[i].dw - 1], base + places[i].reg);
			assert_int_equal(image[places[i].dw], 0);
			assert_non_null(gen9_context_row(e, places[i].reg));
		}
		assert_int_equal(image[0x42], base + (e == RCS0 ? 0xc8 : 0x200));
		/* Headers: counts 14, 9, 1, 44; the render engine's third is not posted. */
		assert_int_equal(image[0x01], 0x1100101b);
		assert_int_equal(image[0x21], 0x11001011);
		assert_int_equal(image[0x41], e == RCS0 ? 0x11000001 : 0x11001001);
		assert_int_equal(image[0x51], 0x11001057);
		assert_int_equal(image[0xaa], 0x05000000);
	}
}

static void registers_that_are_not_there(void **state)
{
	assert_null(gen9_context_row(RCS0, 0x200));
	assert_null(gen9_context_row(BCS0, 0xc8));
	assert_null(gen9_context_row(VCS0, 0x230));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_sound),
		cmocka_unit_test(places_that_software_uses),
		cmocka_unit_test(registers_that_are_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
