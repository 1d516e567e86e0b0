/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client of the control socket (daemon/control.h has the protocol). Blocking. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct json_object;

#define CLIENT_REPLY_MAX (64u << 20)
#define CLIENT_TIMEOUT_S 30 /* for one answer: a server that is stopped is not waited for */

struct client {
	int fd;
	struct buf in;
	size_t in_pos;
	int got_fd; /* came with what was read and not taken yet; -1: none */
};

/*
 * `path` is the control socket, whose name ends in ".ctl", or the vfio-user socket whose control socket
 * is PATH.ctl. The vfio-user socket itself is never connected to: there we would look like a VMM.
 * -ENOENT or -ECONNREFUSED with `e`: nobody serves there.
 */
int client_open(struct client *c, const char *path, struct err *e);
/* The exit code (enum exit_code) for what client_open returned. */
int client_open_code(int ret);
void client_close(struct client *c);

/* Takes `parameters` (may be NULL). */
int client_send(struct client *c, const char *method, struct json_object *parameters, bool more,
	struct err *e);
/* Whether client_receive has a whole message already. */
bool client_pending(const struct client *c);
/* Takes what has arrived, or waits for something. 0, or -errno with `e`: -ECONNRESET at the end. */
int client_fill(struct client *c, struct err *e);
/*
 * The parameters of the next reply (caller's). *continues: more will come. *fd (may be NULL) gets the
 * fd that came with it, or -1. NULL with `e`: the server's error, or -ECONNRESET at its end.
 */
struct json_object *client_receive(struct client *c, bool *continues, int *fd, struct err *e);

/* Members of a reply; 0 and "" where there is none of that type. */
uint64_t reply_u64(struct json_object *o, const char *key);
const char *reply_text(struct json_object *o, const char *key);
/* A member that is an object or array, or NULL. */
struct json_object *reply_member(struct json_object *o, const char *key);

/*
 * The memory that came with a reply, mapped for reading; *len gets its size. NULL with `e`: none, or it
 * could shrink under us.
 */
const void *reply_map(int fd, size_t *len, struct err *e);

/* Open, send, receive one reply. The exit code (enum exit_code) when NULL is in *code. */
struct json_object *client_call(const char *socket, const char *method,
	struct json_object *parameters, int *fd, int *code, struct err *e);

#endif
