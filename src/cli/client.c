/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A blocking client of the control socket. */
#include "cli/client.h"
#include "base/util.h"
#include "cli/cli.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

static int try(const char *path, struct err *e)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, ret;

	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(e, -ENAMETOOLONG, "at most 107 bytes", "socket %.100s...", path);
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(e, -errno, NULL, "socket");
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	ret = -errno;
	close(fd);
	return err_set(e, ret, "is ugvt serve running?", "connecting to %s", path);
}

/* To connect to the vfio-user socket itself would look like a VMM: only what ends in .ctl is tried. */
int client_open(struct client *c, const char *path, struct err *e)
{
	size_t len = strlen(path);
	char control[4096];

	*c = (struct client){.fd = -1, .got_fd = -1};
	buf_init(&c->in);
	snprintf(control, sizeof(control), "%s.ctl", path);
	c->fd = try(control, e);
	/* A control socket by its own name: PATH.ctl, or any that --control gave. */
	if (c->fd == -ENOENT || (c->fd < 0 && len > 4 && strcmp(path + len - 4, ".ctl") == 0))
		c->fd = try(path, e);
	return c->fd < 0 ? c->fd : 0;
}

void client_close(struct client *c)
{
	fd_close(&c->fd);
	fd_close(&c->got_fd);
	buf_finish(&c->in);
}

int client_send(struct client *c, const char *method, struct json_object *parameters, bool more,
	struct err *e)
{
	struct json_object *o = json_object_new_object();
	const char *text;
	size_t len, done = 0;
	int ret = 0;

	json_object_object_add(o, "method", json_object_new_string(method));
	if (parameters)
		json_object_object_add(o, "parameters", parameters);
	if (more)
		json_object_object_add(o, "more", json_object_new_boolean(true));
	text = json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &len);
	while (done < len + 1) {
		ssize_t n = send(c->fd, text + done, len + 1 - done, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			ret = err_set(e, -errno, NULL, "asking the server");
			break;
		}
		done += (size_t)n;
	}
	json_object_put(o);
	return ret;
}

/* Reads some more; keeps one fd. */
static int fill(struct client *c, struct err *e)
{
	static char chunk[1 << 16];
	struct iovec iov = {chunk, sizeof(chunk)};
	union {
		char bytes[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n;

	do {
		n = recvmsg(c->fd, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(e, -errno, NULL, "the server's answer");
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&msg); h; h = CMSG_NXTHDR(&msg, h)) {
		size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(int));
			if (c->got_fd < 0)
				c->got_fd = fd;
			else
				close(fd);
		}
	}
	if (n == 0)
		return err_set(e, -ECONNRESET, NULL, "the server has ended the connection");
	/* What was taken makes room. */
	memmove(c->in.data, c->in.data + c->in_pos, c->in.len - c->in_pos);
	c->in.len -= c->in_pos;
	c->in_pos = 0;
	buf_put(&c->in, chunk, (size_t)n);
	if (c->in.failed || c->in.len > CLIENT_REPLY_MAX)
		return err_set(e, -ENOMEM, NULL, "an answer of more than %zu bytes", c->in.len);
	return 0;
}

bool client_pending(const struct client *c)
{
	return c->in.len > c->in_pos && memchr(c->in.data + c->in_pos, 0, c->in.len - c->in_pos);
}

static struct json_object *message(struct client *c, struct err *e)
{
	size_t searched = 0;

	for (;;) {
		const uint8_t *start = c->in.data + c->in_pos;
		size_t len = c->in.len - c->in_pos;
		const uint8_t *end =
			len > searched ? memchr(start + searched, 0, len - searched) : NULL;
		struct json_object *o;

		if (end) {
			o = json_tokener_parse((const char *)start);
			c->in_pos += (size_t)(end - start) + 1;
			if (!json_object_is_type(o, json_type_object)) {
				json_object_put(o);
				err_set(e, -EPROTO, NULL, "the server's answer is no JSON object");
				return NULL;
			}
			return o;
		}
		searched = len;
		if (fill(c, e))
			return NULL;
	}
}

struct json_object *client_receive(struct client *c, bool *continues, int *fd, struct err *e)
{
	struct json_object *o, *v, *parameters = NULL;

	if (fd)
		*fd = -1;
	o = message(c, e);
	if (!o)
		return NULL;
	json_object_object_get_ex(o, "parameters", &parameters);
	if (json_object_object_get_ex(o, "error", &v)) {
		const char *reason = NULL;
		struct json_object *r;

		if (json_object_is_type(parameters, json_type_object) &&
			(json_object_object_get_ex(parameters, "reason", &r) ||
				json_object_object_get_ex(parameters, "parameter", &r)))
			reason = json_object_get_string(r);
		err_set(e, -EREMOTEIO, reason, "%s", json_object_get_string(v));
		e->code = 0; /* the server's words say it all */
		json_object_put(o);
		return NULL;
	}
	*continues = json_object_object_get_ex(o, "continues", &v) && json_object_get_boolean(v);
	parameters = json_object_is_type(parameters, json_type_object) ? json_object_get(parameters)
								       : json_object_new_object();
	json_object_put(o);
	if (fd) {
		*fd = c->got_fd;
		c->got_fd = -1;
	}
	return parameters;
}

struct json_object *client_call(const char *socket, const char *method,
	struct json_object *parameters, int *fd, int *code, struct err *e)
{
	struct json_object *out = NULL;
	bool continues;
	struct client c;

	*code = EXIT_USAGE;
	socket = cli_socket(socket, e);
	if (!socket) {
		json_object_put(parameters);
		return NULL;
	}
	*code = EXIT_NO_SERVER;
	if (client_open(&c, socket, e)) {
		json_object_put(parameters);
		return NULL;
	}
	*code = EXIT_FAILED;
	if (!client_send(&c, method, parameters, false, e))
		out = client_receive(&c, &continues, fd, e);
	client_close(&c);
	return out;
}
