/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors: code, text, help, and texts that are too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

static void test_set(void **state)
{
	struct err e = {0};

	assert_int_equal(err_set(&e, -EINVAL, "use 64", "aperture of %u MiB", 65), -EINVAL);
	assert_int_equal(e.code, -EINVAL);
	assert_string_equal(e.what, "aperture of 65 MiB");
	assert_string_equal(e.help, "use 64");
	assert_int_equal(err_set(&e, -EIO, NULL, "again"), -EIO);
	assert_string_equal(e.help, "");
	assert_int_equal(err_set(NULL, -EBUSY, "help", "text"), -EBUSY);
}

static void test_long(void **state)
{
	char text[1000];
	struct err e;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&e, -EINVAL, text, "%s", text);
	assert_int_equal(strlen(e.what), sizeof(e.what) - 1);
	assert_int_equal(strlen(e.help), sizeof(e.help) - 1);
}

static void test_print(void **state)
{
	struct err e = {0};
	char line[300];
	FILE *f = tmpfile(), *old = stderr;

	err_set(&e, -ENOENT, "make it", "no file \"%s\"", "x");
	stderr = f;
	err_print("prog", &e);
	stderr = old;
	rewind(f);
	assert_non_null(fgets(line, sizeof(line), f));
	assert_string_equal(line, "prog: no file \"x\" (No such file or directory): make it\n");
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
