/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs of `ugvt`, and what they share. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "cli/options.h"

/* What the process ends with. Printed by --help; scripts may rely on them. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,    /* it was tried and did not work */
	EXIT_USAGE = 2,	    /* an option or argument is wrong */
	EXIT_NO_SERVER = 3, /* nobody serves at that socket */
	EXIT_DIFFERENT = 4, /* trace --replay: reads differ; 1 there: no verdict */
};

#define CLI_ARGS_MAX 2

struct verb {
	const char *name;
	const char *summary;   /* one line */
	const char *arguments; /* "[FILE.png]"; "": none */
	const char *example;
	const char *details; /* more for --help, lines; "": none */
	struct options options;
	size_t options_bytes; /* of the verb's struct of options */
	const void *defaults; /* its start values */
	size_t max_args;
	/* An exit code; with `e` filled when it is not EXIT_OK or EXIT_DIFFERENT. */
	int (*run)(const void *options, const char *const *args, size_t arg_count, struct err *e);
};

extern const struct verb verb_serve, verb_status, verb_screenshot, verb_trace, verb_dump,
	verb_qemu_args;

/* --socket of the verbs that talk to a server; without it, $UGVT_SOCKET. */
#define OPTION_SOCKET(type, field)                                                   \
	{                                                                            \
		"socket", 's', OPTION_STRING, offsetof(type, field), "PATH", 0, 0,   \
			"the server's vfio-user or control socket (or $UGVT_SOCKET)" \
	}

#define OPTION_JSON(type, field)                                                          \
	{                                                                                 \
		"json", 'j', OPTION_FLAG, offsetof(type, field), NULL, 0, 0, "print JSON" \
	}

/* `path` or $UGVT_SOCKET. NULL with `e`: none is given. */
const char *cli_socket(const char *path, struct err *e);

/*
 * Standard output for "-" (or NULL); a device, pipe or FIFO as it is; else a file that replaces what is
 * there when it is complete. cli_file_close says whether all was written.
 */
struct cli_file {
	FILE *f;
	const char *path;	  /* borrowed; NULL: standard output */
	char target[PATH_MAX];	  /* `path` without symbolic links */
	char temporary[PATH_MAX]; /* becomes `target` when complete; "": none */
};
int cli_file_open(struct cli_file *c, const char *path, struct err *e);
/* `keep` false: the file is removed. 0 or -errno with `e`. */
int cli_file_close(struct cli_file *c, bool keep, struct err *e);

/* The whole of a file, at most `max` bytes. 0 or -errno with `e`. */
struct buf;
int cli_file_read(const char *path, size_t max, struct buf *out, struct err *e);

#endif
