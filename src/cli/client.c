/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A blocking client of the control socket. */
#include "cli/client.h"
#include "base/util.h"
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static int try(const char *path, struct err *e)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = CLIENT_TIMEOUT_S};
	int fd, ret;

	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(e, -ENAMETOOLONG, "at most 107 bytes", "socket %.100s...", path);
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(e, -errno, NULL, "socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	ret = errno == EAGAIN ? -ETIMEDOUT : -errno;
	close(fd);
	return err_set(e, ret,
		ret == -EACCES	    ? "only its own user and root may"
		: ret == -ETIMEDOUT ? "is it stopped?"
				    : "is ugvt serve running?",
		"connecting to %s", path);
}

int client_open_code(int ret)
{
	return ret == -ENOENT || ret == -ECONNREFUSED || ret == -ENOTDIR ? EXIT_NO_SERVER
									 : EXIT_FAILED;
}

int client_open(struct client *c, const char *path, struct err *e)
{
	size_t len = strlen(path);
	char control[4096];

	*c = (struct client){.fd = -1, .got_fd = -1};
	buf_init(&c->in);
	snprintf(control, sizeof(control), "%s.ctl", path);
	c->fd = try(control, e);
	if (c->fd < 0 && len > 4 && strcmp(path + len - 4, ".ctl") == 0)
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

/* Keeps one fd. */
int client_fill(struct client *c, struct err *e)
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
	if (n < 0 && errno == EAGAIN)
		return err_set(e, -ETIMEDOUT, "is the server stopped?", "no answer within %d s",
			CLIENT_TIMEOUT_S);
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
	if (c->in_pos) {
		c->in.len -= c->in_pos;
		memmove(c->in.data, c->in.data + c->in_pos, c->in.len);
		c->in_pos = 0;
	}
	buf_put(&c->in, chunk, (size_t)n);
	if (c->in.failed)
		return err_set(e, -ENOMEM, NULL, "the server's answer");
	if (c->in.len > CLIENT_REPLY_MAX)
		return err_set(
			e, -EMSGSIZE, NULL, "an answer of more than %u bytes", CLIENT_REPLY_MAX);
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
		const uint8_t *start = c->in.len ? c->in.data + c->in_pos : NULL;
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
		if (client_fill(c, e))
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
		err_set(e, -EREMOTEIO, reason, "%s", v ? json_object_get_string(v) : "an error");
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

uint64_t reply_u64(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_uint64(v) : 0;
}

const char *reply_text(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string)
		       ? json_object_get_string(v)
		       : "";
}

struct json_object *reply_member(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) &&
			       (json_object_is_type(v, json_type_object) ||
				       json_object_is_type(v, json_type_array))
		       ? v
		       : NULL;
}

const void *reply_map(int fd, size_t *len, struct err *e)
{
	struct stat st;
	void *map;
	int seals = fd < 0 ? -1 : fcntl(fd, F_GET_SEALS);

	if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(fd, &st) || st.st_size <= 0) {
		err_set(e, -EPROTO, NULL, "no sealed memory came with the server's answer");
		return NULL;
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		err_set(e, -errno, NULL, "mapping what came with the server's answer");
		return NULL;
	}
	*len = (size_t)st.st_size;
	return map;
}

const char *cli_socket(const char *path, struct err *e)
{
	const char *env = getenv("UGVT_SOCKET");

	if (path)
		return path;
	if (env && *env)
		return env;
	err_set(e, -EINVAL, "--socket PATH, or UGVT_SOCKET in the environment", "no socket named");
	return NULL;
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
	*code = client_open_code(client_open(&c, socket, e));
	if (c.fd < 0) {
		json_object_put(parameters);
		client_close(&c);
		return NULL;
	}
	*code = EXIT_FAILED;
	if (!client_send(&c, method, parameters, false, e))
		out = client_receive(&c, &continues, fd, e);
	client_close(&c);
	return out;
}
