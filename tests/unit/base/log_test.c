/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log levels, the sink, and the limit on what a guest can repeat. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/log.h"

static char last[600];
static int lines;

static void sink(enum log_level level, const char *line)
{
	lines++;
	strncpy(last, line, sizeof(last) - 1);
}

static void test_levels(void **state)
{
	log_init(sink, LOG_WARN);
	lines = 0;
	log_error("e %d", 1);
	assert_string_equal(last, "e 1");
	log_warn("w");
	log_info("i");
	log_debug("d");
	assert_int_equal(lines, 2);
	log_init(sink, LOG_DEBUG);
	log_debug("d");
	assert_int_equal(lines, 3);
}

static void test_limit(void **state)
{
	log_init(sink, LOG_INFO);
	lines = 0;
	for (int i = 0; i < 1000; i++)
		log_limited(LOG_WARN, "from a guest %d", i);
	assert_int_equal(lines, LOG_BURST);
	log_limited(LOG_WARN, "from another place");
	assert_int_equal(lines, LOG_BURST + 1);
}

static void test_long_line(void **state)
{
	char text[2000];

	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_init(sink, LOG_INFO);
	log_error("%s", text);
	assert_in_range(strlen(last), 100, 599);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_long_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
