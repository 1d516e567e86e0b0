/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors as people read them: what was wrong, which value, what would help. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

struct err {
	int code;	/* -errno; 0: none */
	char what[200]; /* what was wrong and which value */
	char help[160]; /* what would help; may be empty */
};

/*
 * Fills `e` (may be NULL: then only the code counts) and returns `code`, so that a caller can write
 * `return err_set(e, -EINVAL, "use 64 or 256", "aperture of %u MiB", n);`. `code` is -errno.
 * `help` may be NULL.
 */
int err_set(struct err *e, int code, const char *help, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Prints "PROG: what (strerror): help" on stderr. */
void err_print(const char *prog, const struct err *e);

#endif
