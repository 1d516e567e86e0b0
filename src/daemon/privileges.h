/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving up what the process does not need, in the order of its start. */
#ifndef DAEMON_PRIVILEGES_H
#define DAEMON_PRIVILEGES_H

#include "base/err.h"

/*
 * No new privileges by execve, no core files (guest RAM is in them), no capabilities and an empty
 * bounding set. Before the first other thread. 0 or -errno with `e`.
 */
int privileges_drop(struct err *e);

enum seccomp_mode { SECCOMP_ON, SECCOMP_OFF, SECCOMP_LOG };

/*
 * Loads the allow-list of src/daemon/seccomp.c into all threads. ON: any other call kills the process;
 * LOG: the kernel logs it and lets it through (development). 0 or -errno with `e`.
 */
int seccomp_load_list(enum seccomp_mode mode, struct err *e);

#endif
