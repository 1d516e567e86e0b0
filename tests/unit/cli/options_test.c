/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Option tables: every form, every type, and what must be refused with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "base/util.h"
#include "cli/options.h"

struct values {
	bool flag;
	const char *text;
	uint64_t number, size;
	unsigned int choice;
};

#define AT(field) offsetof(struct values, field)

static const struct option rows[] = {
	{"flag", 'f', OPTION_FLAG, AT(flag), NULL, 0, 0, "a flag"},
	{"text", 't', OPTION_STRING, AT(text), "PATH", 0, 0, "a text"},
	{"number", 0, OPTION_UINT, AT(number), "N", 1, 9, "a number"},
	{"size", 0, OPTION_SIZE, AT(size), "SIZE", MIB(4), MIB(256), "a size"},
	{"choice", 0, OPTION_CHOICE, AT(choice), "on|off|log", 0, 0, "a choice"},
};
static const struct options options = {rows, ARRAY_SIZE(rows)};

struct parsed {
	struct values v;
	const char *args[2];
	size_t count;
	struct err e;
	int ret;
};

static struct parsed parse(const char *const *words)
{
	struct parsed p = {.v = {.size = MIB(4)}};
	char *argv[16];
	int argc = 0;

	while (words[argc]) {
		argv[argc] = (char *)words[argc];
		argc++;
	}
	p.ret = options_parse(&options, argc, argv, &p.v, p.args, 2, &p.count, &p.e);
	return p;
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static void test_forms(void **state)
{
	struct parsed p = PARSE("--flag", "--text=a=b", "--number", "3", "one", "--size=64M",
		"--choice", "log", "--", "--two");

	assert_int_equal(p.ret, 0);
	assert_true(p.v.flag);
	assert_string_equal(p.v.text, "a=b");
	assert_int_equal(p.v.number, 3);
	assert_true(p.v.size == MIB(64));
	assert_int_equal(p.v.choice, 2);
	assert_int_equal(p.count, 2);
	assert_string_equal(p.args[0], "one");
	assert_string_equal(p.args[1], "--two");
	p = PARSE("-f", "-t", "x", "-");
	assert_int_equal(p.ret, 0);
	assert_true(p.v.flag);
	assert_string_equal(p.v.text, "x");
	assert_string_equal(p.args[0], "-");
	assert_true(p.v.size == MIB(4)); /* the default stays */
}

static void test_refusals(void **state)
{
	static const struct {
		const char *words[4];
		const char *what, *help;
	} bad[] = {
		{{"--nothing"}, "no option --nothing", "--help"},
		{{"-x"}, "no option -x", "--help"},
		{{"-ft"}, "no option -ft", "--help"},
		{{"--fla"}, "no option --fla", "--help"},
		{{"--flag=1"}, "takes no value", ""},
		{{"--text"}, "--text needs a value", ""},
		{{"--text="}, "--text is empty", ""},
		{{"--number=x"}, "--number=x", "a number"},
		{{"--number="}, "--number=", "a number"},
		{{"--number=-1"}, "--number=-1", "a number"},
		{{"--number= 1"}, "--number= 1", "a number"},
		{{"--number=1x"}, "--number=1x", "a number"},
		{{"--number=0"}, "--number=0", "between 1 and 9"},
		{{"--number=10"}, "--number=10", "between 1 and 9"},
		{{"--number=99999999999999999999"}, "--number=99999999999999999999", "a number"},
		{{"--size=3M"}, "--size=3M", "between"},
		{{"--size=512M"}, "--size=512M", "between"},
		{{"--size=64X"}, "--size=64X", "a size"},
		{{"--size=64MM"}, "--size=64MM", "a size"},
		{{"--size=M"}, "--size=M", "a size"},
		{{"--choice=maybe"}, "--choice=maybe", "on|off|log"},
		{{"--choice=o"}, "--choice=o", "on|off|log"},
		{{"--choice=on|off"}, "--choice=on|off", "on|off|log"},
		{{"a", "b", "c"}, "\"c\" is one too many", "--help"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct parsed p = parse(bad[i].words);

		assert_int_equal(p.ret, -EINVAL);
		assert_non_null(strstr(p.e.what, bad[i].what));
		assert_non_null(strstr(p.e.help, bad[i].help));
	}
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		int ret;
		uint64_t value;
	} sizes[] = {
		{"0", 0, 0},
		{"65536", 0, 65536},
		{"0x1000", 0, 4096},
		{"4k", 0, KIB(4)},
		{"4K", 0, KIB(4)},
		{"4KiB", 0, KIB(4)},
		{"4MB", 0, MIB(4)},
		{"2G", 0, GIB(2)},
		{"1T", 0, GIB(1024)},
		{"16777215T", 0, UINT64_C(16777215) << 40},
		{"16777216T", -ERANGE, 0},
		{"18446744073709551615", 0, UINT64_MAX},
		{"18446744073709551616", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{"4Mi", -EINVAL, 0},
		{"4 M", -EINVAL, 0},
		{"4B", -EINVAL, 0},
		{"0x", -EINVAL, 0},
		{"1.5G", -EINVAL, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t v = 0;

		assert_int_equal(size_parse(sizes[i].text, &v), sizes[i].ret);
		assert_true(v == sizes[i].value);
	}
}

static void test_help(void **state)
{
	char text[2048] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");

	options_help(&options, f);
	fclose(f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_non_null(strstr(text, rows[i].name));
		assert_non_null(strstr(text, rows[i].help));
	}
	assert_non_null(strstr(text, "on|off|log"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
