/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log lines with a level. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static log_sink_fn sink_fn;
static enum log_level max_level = LOG_INFO;

void log_init(log_sink_fn sink, enum log_level level)
{
	sink_fn = sink;
	max_level = level;
}

void log_write(enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = {"error", "warning", "info", "debug"};
	char line[512];
	va_list ap;

	if (level > max_level)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (sink_fn)
		sink_fn(level, line);
	else
		fprintf(stderr, "ugvt: %s: %s\n", names[level], line);
}
