/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of a running server share: the device, its front, its memory. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "bare/bare.h"
#include "base/clock.h"
#include "base/trace.h"
#include "daemon/control.h"
#include "daemon/janitor.h"
#include "gen9/platform.h"
#include "gpu/gpu.h"
#include "mem/mem.h"
#include "vfu/server.h"

#define DAEMON_VERSION	       "0.1.0"
#define DAEMON_TRACE_EVENTS    (1u << 16)
#define DAEMON_FRAME_BYTES_MAX (256u << 20)

struct daemon {
	const struct gen9_platform *platform;
	bool monitor;
	uint16_t class_code;
	struct clock clock;
	uint64_t start_ns;
	struct gpu *gpu;
	struct bare *bare;
	struct mem mem;
	struct vfu_server *server;
	struct control *control;
	struct janitor janitor;
	struct trace trace;
	pthread_t main_thread;	 /* waits for the signals that end us */
	const char *socket_path; /* borrowed; NULL: an inherited fd */
};

/* methods.c: the methods of org.ugvt; arg is the struct daemon. */
extern const struct control_method daemon_methods[];
extern const size_t daemon_method_count;

/* front.c: a struct pci_device as vfu serves it; vfu's `dev` is the struct daemon. */
extern const struct vfu_device_ops daemon_front;
/* Lets the device's interrupts out through d->server. */
void daemon_front_connect(struct daemon *d);
/* Before d->server is destroyed: when it returns no thread raises an interrupt there any more. */
void daemon_front_disconnect(struct daemon *d);

#endif
