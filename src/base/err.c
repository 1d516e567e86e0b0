/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors as people read them. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int code, const char *help, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return code;
	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->what, sizeof(e->what), fmt, ap);
	va_end(ap);
	snprintf(e->help, sizeof(e->help), "%s", help ? help : "");
	return code;
}

void err_print(const char *prog, const struct err *e)
{
	fprintf(stderr, "%s: %s", prog, e->what);
	if (e->code)
		fprintf(stderr, " (%s)", strerror(-e->code));
	if (e->help[0])
		fprintf(stderr, ": %s", e->help);
	fputc('\n', stderr);
}
