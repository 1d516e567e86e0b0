/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `ugvt serve`: one VM gets the whole software GPU, from one unprivileged process. */
#ifndef DAEMON_SERVE_H
#define DAEMON_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "daemon/privileges.h"

struct serve_config {
	const char *socket_path; /* NULL with fd >= 0 */
	int fd;			 /* an inherited socket, listening or connected; -1: none */
	/* Ends in ".ctl", which is how clients tell it; NULL: socket_path + ".ctl"; "none": none. */
	const char *control_path;
	const char *platform;	 /* name or PCI id; NULL: kbl-gt2 */
	uint64_t aperture_bytes; /* 1 MiB to 256 MiB, a power of two */
	uint16_t class_code;
	bool clock_virtual;
	bool no_monitor;
	bool writes_waited; /* bare_config.writes_waited */
	enum seccomp_mode seccomp;
};

/* Serves until SIGTERM or SIGINT: 0. -errno with `e` when it cannot start. */
int serve_run(const struct serve_config *config, struct err *e);

/* One line of JSON, as device back ends print it for management programs. */
void serve_print_capabilities(void);

#endif
