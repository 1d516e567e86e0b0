// SPDX-License-Identifier: GPL-2.0-or-later
/* The submit port, events, context images, preemption. */
#include "cs_rig.h"

static void one_noop(void **state)
{
	struct cs_rig r;
	struct rig_ctx c;

	rig_open(&r, true);
	rig_ctx_open(&r, &c, RCS0);
	rig_ring(&r, &c, 0, 0);
	rig_run(&r, &c);
	rig_expect_csb(&r, RCS0, 1, 0);
	rig_expect_csb(&r, RCS0, 0x18, c.id);
	rig_expect_no_csb(&r, RCS0);
	rig_expect_clean(&r);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_noop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
