/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: varlink framing on a unix socket, its own thread, methods as a table.
 *
 * A message is a JSON object ended by a NUL: {"method": "org.ugvt.Status", "parameters": {}}; a reply
 * {"parameters": {...}} or {"error": "org.ugvt.X", "parameters": {...}}. With "more": true a method may
 * answer many times, each but the last with "continues": true.
 *
 * Only the server's own user and root get in (0600, SO_PEERCRED). A client gets its next request read
 * when it has taken the reply to the last one, so what one client can make us hold is bounded, and a
 * slow one holds up nobody.
 */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/trace.h"

struct json_object;

#define CONTROL_MESSAGE_MAX (64u << 10)
#define CONTROL_DEPTH_MAX   8
#define CONTROL_CLIENTS_MAX 32

struct control;

/* One request and what becomes of it. */
struct control_call {
	struct json_object *in;	 /* borrowed: "parameters", an object */
	bool more;		 /* the client takes many replies */
	struct json_object *out; /* reply parameters: an empty object to fill */
	const char *error;	 /* set: an error reply with `out` as its parameters */
	int fd;			 /* sent with the reply, closed after; -1: none */
	bool trace;		 /* set: from now on this client gets events */
	uint64_t trace_kinds;	 /* with trace: a bit per enum trace_kind */
};

struct control_method {
	const char *name; /* "org.ugvt.Status" */
	void (*run)(void *arg, struct control_call *call);
};

struct control_config {
	const char *path;		      /* borrowed until control_create returns */
	const struct control_method *methods; /* borrowed, const */
	size_t method_count;
	void *arg;
	struct trace *trace; /* borrowed: switched on while somebody wants events */
};

/* Binds and listens, no thread yet. NULL with `e`: -EADDRINUSE, -ENAMETOOLONG, ... */
struct control *control_create(const struct control_config *config, struct err *e);
int control_start(struct control *c, struct err *e);
/*
 * Drops all clients, joins the thread, and removes the socket where the process may (a confined one may
 * not: its janitor does). NULL is fine.
 */
void control_destroy(struct control *c);

/* For methods: an error reply about a parameter. */
void control_bad_parameter(struct control_call *call, const char *name);

#endif
