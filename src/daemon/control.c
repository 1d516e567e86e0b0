/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket's thread.
 *
 * Theory of operation. One thread polls the listening socket, an eventfd that ends it, and the clients.
 * A client has an input buffer of one message's size and an output buffer. While output is pending, or a
 * whole request waits in the buffer, its socket is not read. Each turn of the loop runs at most one
 * request of each client, so that one who sends hundreds at once, or dumps, holds up the others and the
 * end by no more than one; the reply goes to the output buffer and, with its fd, out of the socket as
 * fast as the client reads.
 *
 * A client that traces sends nothing any more; what it sends all the same is an error and ends it.
 * Every TRACE_POLL_MS the thread moves events from the ring to the clients that want them. A client
 * whose output buffer holds more than TRACE_BACKLOG_BYTES misses events, which it is told.
 */
#include "daemon/control.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/tracefile.h"

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum {
	TRACE_POLL_MS = 5,
	TRACE_BATCH = 1024,
	TRACE_ROUNDS = 64, /* batches a wake-up: 64 Ki events, the ring's size */
	TRACE_BACKLOG_BYTES = 8 << 20,
	ACCEPT_PAUSE_MS = 100, /* after a failure: no descriptors, no memory */
};

struct client {
	int fd;	  /* -1: free */
	char *in; /* owned: CONTROL_MESSAGE_MAX */
	size_t in_len;
	struct buf out;
	size_t out_pos;
	int out_fd;   /* goes with the byte at out_pos; -1: none */
	bool closing; /* when the output is out */
	bool tracing;
	uint64_t trace_kinds, lost;
};

struct control {
	struct control_config config;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	dev_t socket_dev; /* which file we made at `path` */
	ino_t socket_ino;
	int listen_fd, stop_fd;
	pthread_t thread;
	bool started;
	struct client clients[CONTROL_CLIENTS_MAX];
	unsigned int tracing;
	bool deaf;		   /* nobody could be accepted: not at once again */
	struct trace_event *batch; /* owned: TRACE_BATCH */
};

/* ------------------------------------------------------------------ clients */

static void client_drop(struct control *c, struct client *k)
{
	if (k->tracing && --c->tracing == 0 && c->config.trace)
		atomic_store(&c->config.trace->on, false);
	fd_close(&k->fd);
	fd_close(&k->out_fd);
	free(k->in);
	buf_finish(&k->out);
	memset(k, 0, sizeof(*k));
	k->fd = k->out_fd = -1;
}

/* Appends a message. Takes `o`. */
static void client_say(struct client *k, struct json_object *o)
{
	size_t len;
	const char *text = json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &len);

	/* A client that never reads all of it must not make the sent part pile up. */
	if (k->out_pos > k->out.len / 2) {
		k->out.len -= k->out_pos;
		memmove(k->out.data, k->out.data + k->out_pos, k->out.len);
		k->out_pos = 0;
	}
	if (text)
		buf_put(&k->out, text, len + 1);
	else
		k->out.failed = true;
	json_object_put(o);
}

static struct json_object *reply(const char *error, struct json_object *parameters)
{
	struct json_object *o = json_object_new_object();

	if (error)
		json_object_object_add(o, "error", json_object_new_string(error));
	json_object_object_add(o, "parameters", parameters);
	return o;
}

static void client_refuse(struct client *k, const char *error, const char *reason)
{
	struct json_object *p = json_object_new_object();

	json_object_object_add(p, "reason", json_object_new_string(reason));
	client_say(k, reply(error, p));
}

/* The server's own user and root. */
static bool peer_may(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	return peer.uid == geteuid() || peer.uid == 0;
}

static void client_accept(struct control *c)
{
	struct client *k = NULL;
	int fd = accept4(c->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		/* The client stays in the backlog, and poll would say so for ever. */
		c->deaf = errno != EAGAIN && errno != EINTR && errno != ECONNABORTED;
		return;
	}
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX && !k; i++) {
		if (c->clients[i].fd < 0)
			k = &c->clients[i];
	}
	if (!peer_may(fd)) {
		log_limited(LOG_WARN, "control: a client of another user was refused");
		goto refused;
	}
	if (!k) {
		static const char busy[] = "{\"error\":\"org.ugvt.Busy\",\"parameters\":{"
					   "\"reason\":\"too many clients\"}}";

		if (send(fd, busy, sizeof(busy), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			log_limited(LOG_WARN, "control: too many clients");
		goto refused;
	}
	k->in = malloc(CONTROL_MESSAGE_MAX);
	if (!k->in)
		goto refused;
	k->fd = fd;
	return;

refused:
	close(fd);
}

/* Sends what is pending. False: the client is gone. */
static bool client_flush(struct client *k)
{
	while (k->out_pos < k->out.len) {
		struct iovec iov = {k->out.data + k->out_pos, k->out.len - k->out_pos};
		struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
		union {
			char bytes[CMSG_SPACE(sizeof(int))];
			struct cmsghdr align;
		} control = {{0}};
		ssize_t n;

		if (k->out_fd >= 0) {
			msg.msg_control = control.bytes;
			msg.msg_controllen = sizeof(control.bytes);
			struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
			cmsg->cmsg_level = SOL_SOCKET;
			cmsg->cmsg_type = SCM_RIGHTS;
			cmsg->cmsg_len = CMSG_LEN(sizeof(int));
			memcpy(CMSG_DATA(cmsg), &k->out_fd, sizeof(int));
		}
		n = sendmsg(k->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		fd_close(&k->out_fd);
		k->out_pos += (size_t)n;
	}
	if (k->out.failed)
		return false;
	k->out.len = k->out_pos = 0;
	if (k->out.cap > CONTROL_MESSAGE_MAX) {
		buf_finish(&k->out);
		buf_init(&k->out);
	}
	return !k->closing;
}

/* ------------------------------------------------------------------ requests */

static const struct control_method *method_find(const struct control *c, struct json_object *name)
{
	const char *text = json_object_get_string(name);

	/* A JSON string can have a NUL within. */
	if (strlen(text) != (size_t)json_object_get_string_len(name))
		return NULL;
	for (size_t i = 0; i < c->config.method_count; i++) {
		if (strcmp(c->config.methods[i].name, text) == 0)
			return &c->config.methods[i];
	}
	return NULL;
}

void control_bad_parameter(struct control_call *call, const char *name)
{
	call->error = "org.varlink.service.InvalidParameter";
	json_object_object_add(call->out, "parameter", json_object_new_string(name));
}

static bool flag(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) && json_object_get_boolean(v);
}

static void trace_start(struct control *c, struct client *k, uint64_t kinds)
{
	struct trace_event *ev = c->batch;
	uint64_t dropped;

	k->tracing = true;
	k->trace_kinds = kinds;
	if (c->tracing++)
		return;
	/* What an earlier client left in the ring is not ours; TRACE_ROUNDS empties it. */
	for (unsigned int i = 0; i < TRACE_ROUNDS; i++) {
		if (!trace_take(c->config.trace, ev, TRACE_BATCH, &dropped))
			break;
	}
	atomic_store(&c->config.trace->on, true);
}

/* Takes `request`. */
static void client_call(struct control *c, struct client *k, struct json_object *request)
{
	struct control_call call = {.fd = -1};
	const struct control_method *m;
	struct json_object *name, *in = NULL, *message;
	struct json_object *none = NULL;

	if (!json_object_is_type(request, json_type_object) ||
		!json_object_object_get_ex(request, "method", &name) ||
		!json_object_is_type(name, json_type_string)) {
		client_refuse(k, "org.ugvt.InvalidMessage", "no object with a method");
		goto out;
	}
	if (!json_object_object_get_ex(request, "parameters", &in) || !in)
		in = none = json_object_new_object();
	if (!json_object_is_type(in, json_type_object)) {
		client_refuse(k, "org.ugvt.InvalidMessage", "parameters are no object");
		goto out;
	}
	m = method_find(c, name);
	if (!m) {
		struct json_object *p = json_object_new_object();

		json_object_object_add(p, "method", json_object_get(name));
		client_say(k, reply("org.varlink.service.MethodNotFound", p));
		goto out;
	}
	call.in = in;
	call.more = flag(request, "more");
	call.out = json_object_new_object();
	m->run(c->config.arg, &call);
	message = reply(call.error, call.out);
	if (call.trace && !call.error) {
		json_object_object_add(message, "continues", json_object_new_boolean(true));
		trace_start(c, k, call.trace_kinds);
	}
	k->out_fd = call.fd;
	if (flag(request, "oneway") && !call.trace) {
		fd_close(&k->out_fd);
		json_object_put(message);
	} else {
		client_say(k, message);
	}
out:
	json_object_put(none);
	json_object_put(request);
}

static void client_message(struct control *c, struct client *k, const char *text, size_t len)
{
	struct json_tokener *tok = json_tokener_new_ex(CONTROL_DEPTH_MAX);
	struct json_object *request;
	enum json_tokener_error error;

	if (!tok) {
		k->out.failed = true;
		return;
	}
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	/* With its NUL, so that a number at the end is known to end. */
	request = json_tokener_parse_ex(tok, text, (int)len + 1);
	error = json_tokener_get_error(tok);
	if (error != json_tokener_success || json_tokener_get_parse_end(tok) < len) {
		json_object_put(request);
		client_refuse(k, "org.ugvt.InvalidMessage",
			error != json_tokener_success ? json_tokener_error_desc(error)
						      : "more than one value");
	} else {
		client_call(c, k, request);
	}
	json_tokener_free(tok);
}

/* A request waits in the input buffer, and the reply to the one before is out. */
static bool client_ready(const struct client *k)
{
	return !k->closing && k->out_pos == k->out.len && memchr(k->in, '\0', k->in_len);
}

/* Runs one request of the input buffer, if there is a whole one. False: drop the client. */
static bool client_run(struct control *c, struct client *k)
{
	const char *end = memchr(k->in, '\0', k->in_len);
	size_t len;

	if (!end && k->in_len < CONTROL_MESSAGE_MAX)
		return true;
	if (!end || k->tracing) {
		client_refuse(k, "org.ugvt.InvalidMessage",
			end ? "a request during a trace" : "longer than 64 KiB");
		k->closing = true;
		return client_flush(k);
	}
	len = (size_t)(end - k->in);
	client_message(c, k, k->in, len);
	k->in_len -= len + 1;
	memmove(k->in, end + 1, k->in_len);
	return client_flush(k);
}

static bool client_read(struct control *c, struct client *k)
{
	ssize_t n = recv(k->fd, k->in + k->in_len, CONTROL_MESSAGE_MAX - k->in_len, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	k->in_len += (size_t)n;
	return client_run(c, k);
}

static bool client_events(struct control *c, struct client *k, short events)
{
	if (events & (POLLERR | POLLNVAL))
		return false;
	if (events & POLLOUT)
		return client_flush(k);
	if (client_ready(k))
		return client_run(c, k);
	/* A peer that is gone takes no more output: without POLLIN there is nothing left to do. */
	if (events & POLLIN)
		return client_read(c, k);
	return !(events & POLLHUP);
}

/* ------------------------------------------------------------------ events */

static void client_trace(
	struct client *k, const struct trace_event *ev, uint32_t count, uint64_t dropped)
{
	struct json_object *p, *o;
	struct buf bytes;
	char *text;

	k->lost += dropped;
	if (k->out.len - k->out_pos > TRACE_BACKLOG_BYTES) {
		k->lost += count;
		return;
	}
	buf_init(&bytes);
	if (k->lost) {
		struct trace_event lost = {
			.kind = TRACEFILE_LOST, .a = k->lost, .ns = count ? ev[0].ns : 0};

		tracefile_put(&bytes, &lost);
		k->lost = 0;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (ev[i].kind < 64 && (k->trace_kinds & BIT64(ev[i].kind)))
			tracefile_put(&bytes, &ev[i]);
	}
	if (bytes.failed) { /* a part of a record is none */
		k->lost += count;
		bytes.len = 0;
	}
	text = bytes.len ? base64_encode(bytes.data, bytes.len) : NULL;
	if (text) {
		p = json_object_new_object();
		json_object_object_add(p, "events", json_object_new_string(text));
		o = reply(NULL, p);
		json_object_object_add(o, "continues", json_object_new_boolean(true));
		client_say(k, o);
	}
	free(text);
	buf_finish(&bytes);
}

static void trace_pump(struct control *c)
{
	for (unsigned int round = 0; round < TRACE_ROUNDS; round++) {
		uint64_t dropped;
		uint32_t n = trace_take(c->config.trace, c->batch, TRACE_BATCH, &dropped);

		if (!n && !dropped)
			return;
		for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
			struct client *k = &c->clients[i];

			if (k->fd < 0 || !k->tracing || k->closing)
				continue;
			client_trace(k, c->batch, n, dropped);
			if (!client_flush(k))
				client_drop(c, k);
		}
	}
}

/* ------------------------------------------------------------------ the thread */

#define POLL_FDS (2 + CONTROL_CLIENTS_MAX)

/* What to wait for; *who are the clients from fds[2] on. Returns how many fds; *timeout in ms. */
static nfds_t what_to_poll(struct control *c, struct pollfd *fds, struct client **who, int *timeout)
{
	nfds_t n = 2;

	*timeout = c->tracing ? TRACE_POLL_MS : c->deaf ? ACCEPT_PAUSE_MS : -1;
	fds[0] = (struct pollfd){.fd = c->stop_fd, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = c->deaf ? -1 : c->listen_fd, .events = POLLIN};
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct client *k = &c->clients[i];

		if (k->fd < 0)
			continue;
		fds[n] = (struct pollfd){.fd = k->fd, .events = POLLIN};
		if (k->out_pos < k->out.len) {
			fds[n].events = POLLOUT;
		} else if (client_ready(k)) {
			fds[n].events = 0; /* its buffer may be full */
			*timeout = 0;
		}
		who[n++] = k;
	}
	return n;
}

static void *control_thread(void *arg)
{
	struct control *c = arg;

	pthread_setname_np(pthread_self(), "control");
	for (;;) {
		struct pollfd fds[POLL_FDS];
		struct client *who[POLL_FDS];
		int timeout;
		nfds_t n = what_to_poll(c, fds, who, &timeout);

		if (poll(fds, n, timeout) < 0) {
			if (errno == EINTR)
				continue;
			log_error("control: poll: %s", strerror(errno));
			return NULL;
		}
		if (fds[0].revents)
			return NULL;
		c->deaf = false;
		for (nfds_t i = 2; i < n; i++) {
			if ((fds[i].revents || client_ready(who[i])) &&
				!client_events(c, who[i], fds[i].revents))
				client_drop(c, who[i]);
		}
		if (fds[1].revents)
			client_accept(c);
		if (c->tracing)
			trace_pump(c);
	}
}

/* A socket file that nobody listens on is left over from a server that died. */
static int remove_dead(const struct sockaddr_un *addr, struct err *e)
{
	struct stat st;
	fd_auto int fd = -1;

	if (lstat(addr->sun_path, &st))
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, -EEXIST, "choose another --control path", "%s is no socket",
			addr->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, -errno, NULL, "socket");
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0)
		errno = EISCONN;
	if (errno == ENOENT)
		return 0; /* its janitor was quicker */
	if (errno != ECONNREFUSED)
		return err_set(e, -EADDRINUSE, "another server runs there", "control socket %s",
			addr->sun_path);
	if (unlink(addr->sun_path) && errno != ENOENT)
		return err_set(e, -errno, NULL, "removing %s", addr->sun_path);
	return 0;
}

static int control_listen(struct control *c, struct err *e)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	const char *path = c->config.path;
	struct stat st;
	mode_t mask;
	int ret;

	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(
			e, -ENAMETOOLONG, "at most 107 bytes", "control socket %.100s...", path);
	strcpy(addr.sun_path, path);
	ret = remove_dead(&addr, e);
	if (ret)
		return ret;
	c->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->listen_fd < 0)
		return err_set(e, -errno, NULL, "socket");
	mask = umask(0177);
	ret = bind(c->listen_fd, (const struct sockaddr *)&addr, sizeof(addr));
	ret = ret ? -errno : 0;
	umask(mask);
	if (ret)
		return err_set(e, ret, NULL, "control socket %s", path);
	strcpy(c->path, path);
	if (lstat(path, &st))
		return err_set(e, -errno, NULL, "control socket %s", path);
	c->socket_dev = st.st_dev;
	c->socket_ino = st.st_ino;
	if (listen(c->listen_fd, CONTROL_CLIENTS_MAX))
		return err_set(e, -errno, NULL, "listening on %s", path);
	return 0;
}

struct control *control_create(const struct control_config *config, struct err *e)
{
	struct control *c = calloc(1, sizeof(*c));

	if (!c) {
		err_set(e, -ENOMEM, NULL, "control socket");
		return NULL;
	}
	c->config = *config;
	c->listen_fd = c->stop_fd = -1;
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		c->clients[i].fd = c->clients[i].out_fd = -1;
	}
	c->batch = calloc(TRACE_BATCH, sizeof(c->batch[0]));
	c->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (!c->batch || c->stop_fd < 0) {
		err_set(e, -ENOMEM, NULL, "control socket");
		goto failed;
	}
	if (control_listen(c, e))
		goto failed;
	return c;

failed:
	control_destroy(c);
	return NULL;
}

int control_start(struct control *c, struct err *e)
{
	int ret = pthread_create(&c->thread, NULL, control_thread, c);

	if (ret)
		return err_set(e, -ret, NULL, "control thread");
	c->started = true;
	return 0;
}

void control_destroy(struct control *c)
{
	uint64_t one = 1;
	struct stat st;

	if (!c)
		return;
	if (c->started) {
		if (write(c->stop_fd, &one, sizeof(one)) < 0)
			log_error("control: cannot stop: %s", strerror(errno));
		pthread_join(c->thread, NULL);
	}
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (c->clients[i].fd >= 0)
			client_drop(c, &c->clients[i]);
	}
	if (c->path[0] && lstat(c->path, &st) == 0 && st.st_dev == c->socket_dev &&
		st.st_ino == c->socket_ino)
		unlink(c->path);
	fd_close(&c->listen_fd);
	fd_close(&c->stop_fd);
	free(c->batch);
	free(c);
}
