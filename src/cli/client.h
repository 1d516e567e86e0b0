/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client of the control socket (daemon/control.h has the protocol). Blocking. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct json_object;

#define CLIENT_REPLY_MAX (64u << 20)

struct client {
	int fd;
	struct buf in;
	size_t in_pos;
	int got_fd; /* came with what was read and not taken yet; -1: none */
};

/*
 * `path` is the control socket, or the vfio-user socket whose control socket is PATH.ctl.
 * -ENOENT or -ECONNREFUSED with `e`: nobody serves there.
 */
int client_open(struct client *c, const char *path, struct err *e);
void client_close(struct client *c);

/* Takes `parameters` (may be NULL). */
int client_send(struct client *c, const char *method, struct json_object *parameters, bool more,
	struct err *e);
/* Whether client_receive has a whole message already. */
bool client_pending(const struct client *c);
/*
 * The parameters of the next reply (caller's). *continues: more will come. *fd (may be NULL) gets the
 * fd that came with it, or -1. NULL with `e`: the server's error, or -ECONNRESET at its end.
 */
struct json_object *client_receive(struct client *c, bool *continues, int *fd, struct err *e);

/* Open, send, receive one reply. The exit code (enum exit_code) when NULL is in *code. */
struct json_object *client_call(const char *socket, const char *method,
	struct json_object *parameters, int *fd, int *code, struct err *e);

#endif
