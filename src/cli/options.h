/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command-line options as typed tables: one const row an option, parsed into a struct of the verb's.
 *
 * Forms: --name VALUE, --name=VALUE, -x VALUE, --flag; "--" ends options. Everything that is wrong is a
 * struct err that names the option and its value.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum option_type {
	OPTION_FLAG,   /* bool: true when given */
	OPTION_STRING, /* const char *, borrowed from argv; never empty */
	OPTION_UINT,   /* uint64_t between min and max */
	OPTION_SIZE,   /* uint64_t bytes between min and max; K, M, G suffixes (KiB, MiB, GiB) */
	OPTION_CHOICE, /* unsigned int: index into the words of `values` */
};

struct option {
	const char *name;   /* without "--" */
	char letter;	    /* 0: none */
	uint8_t type;	    /* enum option_type */
	size_t offset;	    /* in the verb's struct */
	const char *values; /* OPTION_CHOICE: "on|off|log"; else what help calls the value */
	uint64_t min, max;  /* OPTION_UINT, OPTION_SIZE; max 0: none */
	const char *help;
};

struct options {
	const struct option *rows;
	size_t count;
};

/*
 * Parses argv[0..argc) (without the verb) into `out`, which holds the defaults. What is no option goes
 * to args[] in order, at most `max_args` of them; *arg_count gets their number. 0, or -EINVAL with `e`.
 */
int options_parse(const struct options *o, int argc, char **argv, void *out, const char **args,
	size_t max_args, size_t *arg_count, struct err *e);

/* A line an option: name, value, help. */
void options_help(const struct options *o, FILE *f);

/* "4M", "4MiB", "0x1000", "65536": bytes. -EINVAL: not a size; -ERANGE: past 2^64. */
int size_parse(const char *text, uint64_t *out);

#endif
