/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `ugvt trace` does with events: print them, replay them. */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/trace.h"

#define TRACE_FILE_MAX ((size_t)2 << 30)

/* One line an event; time is relative to start_ns. */
void trace_print_text(FILE *f, const struct trace_event *ev, uint64_t start_ns);
/* The same as a JSON object on a line. */
void trace_print_json(FILE *f, const struct trace_event *ev, uint64_t start_ns);

struct replay_options {
	bool json;
	uint64_t list_max; /* how many differences are listed */
};

/*
 * Feeds the accesses of a trace file to a fresh model and compares what reads return; prints a report.
 * An exit code: EXIT_OK: every read returned the same, but for the time and missing memory;
 * EXIT_DIFFERENT: some did not; EXIT_FAILED with `e`: no verdict, because the file is no trace, is cut
 * short (both without a report), has no reads or lacks events that were lost (with one).
 */
int trace_replay(const struct buf *file, const struct replay_options *o, struct err *e);

#endif
