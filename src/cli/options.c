/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parsing of typed option tables. */
#include "cli/options.h"
#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

/* A number without sign or blanks, decimal or 0x; *end is what follows it. */
static int number_parse(const char *text, uint64_t *out, const char **end)
{
	char *stop;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	*out = strtoull(text, &stop, text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10);
	*end = stop;
	return errno == ERANGE ? -ERANGE : 0;
}

int size_parse(const char *text, uint64_t *out)
{
	static const struct {
		char letter;
		unsigned int shift;
	} units[] = {{'K', 10}, {'M', 20}, {'G', 30}, {'T', 40}};
	const char *unit;
	unsigned int shift = 0;
	uint64_t v;
	int ret;

	ret = number_parse(text, &v, &unit);
	if (ret)
		return ret;
	for (size_t i = 0; i < ARRAY_SIZE(units) && *unit; i++) {
		if (toupper((unsigned char)*unit) != units[i].letter)
			continue;
		shift = units[i].shift;
		unit++;
		if (strcmp(unit, "iB") == 0 || strcmp(unit, "B") == 0)
			unit = "";
		break;
	}
	if (*unit)
		return -EINVAL;
	if (shift && v >> (64 - shift))
		return -ERANGE;
	*out = v << shift;
	return 0;
}

static int choice_parse(const char *values, const char *text, unsigned int *out)
{
	size_t len = strlen(text);
	unsigned int n = 0;

	for (const char *p = values; p; n++) {
		const char *bar = strchr(p, '|');
		size_t word = bar ? (size_t)(bar - p) : strlen(p);

		if (word == len && memcmp(p, text, len) == 0) {
			*out = n;
			return 0;
		}
		p = bar ? bar + 1 : NULL;
	}
	return -EINVAL;
}

static int store(const struct option *row, const char *value, void *out, struct err *e)
{
	void *field = (char *)out + row->offset;
	const char *rest = "";
	uint64_t v = 0;
	int ret;

	switch (row->type) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case OPTION_STRING:
		if (!*value)
			return err_set(e, -EINVAL, NULL, "--%s is empty", row->name);
		*(const char **)field = value;
		return 0;
	case OPTION_CHOICE:
		if (choice_parse(row->values, value, field))
			return err_set(e, -EINVAL, row->values, "--%s=%s", row->name, value);
		return 0;
	case OPTION_SIZE:
		ret = size_parse(value, &v);
		break;
	default:
		ret = number_parse(value, &v, &rest);
		break;
	}
	if (ret || *rest)
		return err_set(e, -EINVAL,
			row->type == OPTION_SIZE ? "a size, e.g. 64M" : "a number, e.g. 3",
			"--%s=%s", row->name, value);
	if (v < row->min || (row->max && v > row->max)) {
		char help[64];

		snprintf(help, sizeof(help), "between %llu and %llu", (unsigned long long)row->min,
			(unsigned long long)row->max);
		return err_set(e, -EINVAL, help, "--%s=%s", row->name, value);
	}
	*(uint64_t *)field = v;
	return 0;
}

/* The row that `word` ("--name", "--name=value", "-x") names; *value is set in the = form. */
static const struct option *find(const struct options *o, const char *word, const char **value)
{
	const char *eq = strchr(word, '=');
	size_t len = eq ? (size_t)(eq - word) : strlen(word);

	*value = NULL;
	for (size_t i = 0; i < o->count; i++) {
		const struct option *row = &o->rows[i];

		if (word[1] != '-') {
			if (word[1] == row->letter && !word[2])
				return row;
			continue;
		}
		if (strlen(row->name) == len - 2 && memcmp(row->name, word + 2, len - 2) == 0) {
			*value = eq ? eq + 1 : NULL;
			return row;
		}
	}
	return NULL;
}

int options_parse(const struct options *o, int argc, char **argv, void *out, const char **args,
	size_t max_args, size_t *arg_count, struct err *e)
{
	bool ended = false;
	int ret;

	*arg_count = 0;
	for (int i = 0; i < argc; i++) {
		const struct option *row;
		const char *value;

		if (!ended && strcmp(argv[i], "--") == 0) {
			ended = true;
			continue;
		}
		/* "-" alone is an argument: standard output. */
		if (ended || argv[i][0] != '-' || !argv[i][1]) {
			if (*arg_count == max_args)
				return err_set(e, -EINVAL, "see --help",
					"argument \"%s\" is one too many", argv[i]);
			args[(*arg_count)++] = argv[i];
			continue;
		}
		row = find(o, argv[i], &value);
		if (!row)
			return err_set(e, -EINVAL, "see --help", "no option %s", argv[i]);
		if (row->type == OPTION_FLAG && value)
			return err_set(e, -EINVAL, NULL, "--%s takes no value", row->name);
		if (row->type != OPTION_FLAG && !value) {
			if (i + 1 == argc)
				return err_set(e, -EINVAL, NULL, "--%s needs a value", row->name);
			value = argv[++i];
		}
		ret = store(row, value, out, e);
		if (ret)
			return ret;
	}
	return 0;
}

void options_help(const struct options *o, FILE *f)
{
	for (size_t i = 0; i < o->count; i++) {
		const struct option *row = &o->rows[i];
		char left[64];

		snprintf(left, sizeof(left), "%s%c%s--%s%s%s", row->letter ? "-" : "",
			row->letter ? row->letter : ' ', row->letter ? ", " : "   ", row->name,
			row->type == OPTION_FLAG ? "" : " ",
			row->type == OPTION_FLAG ? "" : row->values);
		fprintf(f, "  %-34s %s\n", left, row->help);
	}
}
