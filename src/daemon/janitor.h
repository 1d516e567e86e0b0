/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who removes a server's socket files: a process of its own, because the confined server must not be
 * able to remove any file at all.
 *
 * It knows which files they are from before the first client, takes no further word from the server,
 * and acts when the server is gone, by whatever end. It ignores the signals that end a server.
 */
#ifndef DAEMON_JANITOR_H
#define DAEMON_JANITOR_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

#define JANITOR_FILES 2

struct janitor {
	pid_t pid; /* 0: not started */
	int fd;	   /* a pipe to it; its end is the server's end */
};

/* Forks: before the first thread. 0 or -errno with `e`. */
int janitor_start(struct janitor *j, struct err *e);
/*
 * Once: the socket files at these paths, as they are now, are to be removed. NULL paths are skipped;
 * at most JANITOR_FILES. 0 or -errno with `e`.
 */
int janitor_watch(struct janitor *j, const char *const *paths, size_t count, struct err *e);
/* The server ends: the files are gone when this returns. Fine when it was not started. */
void janitor_finish(struct janitor *j);

#endif
