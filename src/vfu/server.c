/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vfio-user server: its socket, and its two threads.
 *
 * The connection's thread blocks in recvmsg for the one client there is, and in a condition variable
 * when there is none. The accepting thread hands the next client over, and while there is one refuses
 * others: it looks at their first message and answers EBUSY, without ever waiting for one of them.
 */
#include "vfu/server.h"
#include "base/clock.h"
#include "base/util.h"
#include "vfu/conn.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define WAITING_MAX	   8	/* clients that wait or are refused; more stay in the backlog */
#define WAITING_TIMEOUT_MS 1000 /* for a message to refuse */
#define WAITING_TICK_MS	   10
#define ACCEPT_PAUSE_MS	   100 /* after a failure (no descriptors, no memory) */

/* ---- socket ---- */

/* Is somebody listening at `addr`? */
static bool is_alive(const struct sockaddr_un *addr)
{
	fd_auto int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* EAGAIN: its backlog is full. EACCES: it may well be. ENOENT: it went this moment. */
	return fd < 0 || connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 ||
	       (errno != ECONNREFUSED && errno != ENOENT);
}

static int socket_bind(struct vfu_server *s, struct err *e)
{
	const char *path = s->config.socket_path;
	const struct sockaddr *addr = (const struct sockaddr *)&s->addr;
	struct stat st;
	int ret;

	s->addr.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(s->addr.sun_path) || !path[0])
		return err_set(e, -ENAMETOOLONG, "use a path of 1 to 107 bytes",
			"socket path \"%s\"", path);
	strcpy(s->addr.sun_path, path);
	s->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Before bind, so that the inode never has another mode (unix(7): bind takes the socket's). */
	if (s->listen_fd < 0 || fchmod(s->listen_fd, 0600))
		return err_set(e, -errno, NULL, "cannot make a socket");
	ret = bind(s->listen_fd, addr, sizeof(s->addr)) ? -errno : 0;
	if (ret == -EADDRINUSE) {
		if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
			return err_set(e, -EEXIST, "name another path or remove it",
				"\"%s\" is there and not a socket", path);
		if (is_alive(&s->addr))
			return err_set(e, -EADDRINUSE, "stop the other server or name another path",
				"a server listens on \"%s\" already", path);
		unlink(path);
		ret = bind(s->listen_fd, addr, sizeof(s->addr)) ? -errno : 0;
	}
	if (ret)
		return err_set(e, ret, NULL, "cannot bind \"%s\"", path);
	s->bound = true;
	if (lstat(path, &st) == 0) {
		s->dev = st.st_dev;
		s->ino = st.st_ino;
	}
	if (listen(s->listen_fd, 8))
		return err_set(e, -errno, NULL, "cannot listen on \"%s\"", path);
	return 0;
}

/* An inherited fd: a listening or a connected unix stream socket. */
static int socket_adopt(struct vfu_server *s, struct err *e)
{
	int fd = s->config.fd, domain = 0, type = 0, listening = 0;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) ||
		getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) ||
		getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len))
		return err_set(e, -errno, "pass a listening or connected unix socket",
			"fd %d is not a socket", fd);
	if (domain != AF_UNIX || type != SOCK_STREAM)
		return err_set(e, -EINVAL, "pass a listening or connected unix socket",
			"fd %d is not a unix stream socket", fd);
	if (listening)
		s->listen_fd = fd;
	else
		s->connected_fd = fd;
	return 0;
}

static void socket_remove(struct vfu_server *s)
{
	struct stat st;

	if (s->bound && lstat(s->addr.sun_path, &st) == 0 && st.st_dev == s->dev &&
		st.st_ino == s->ino)
		unlink(s->addr.sun_path);
	s->bound = false;
}

/* ---- the connection's thread ---- */

static void serve(struct vfu_server *s, int fd)
{
	int ret = vfu_conn_open(&s->conn, fd);

	if (ret) {
		close(fd);
		return;
	}
	/* Stopped before the connection was there to be shut down. */
	lock_acquire(&s->lock);
	ret = s->stopping ? -ECANCELED : 0;
	lock_release(&s->lock);
	while (!ret)
		ret = vfu_conn_process(&s->conn, 0);
	vfu_conn_close(&s->conn);
}

/* The accepting thread has something to look at. */
static void wake(struct vfu_server *s)
{
	uint64_t one = 1;
	ssize_t n = write(s->wake_fd, &one, sizeof(one));

	(void)n; /* full: it will wake anyway */
}

static void *conn_main(void *arg)
{
	struct vfu_server *s = arg;

	/* Of itself: naming another thread opens a file, which a confined process cannot. */
	pthread_setname_np(pthread_self(), "vfu-conn");
	for (;;) {
		bool last = false;
		int fd;

		lock_acquire(&s->lock);
		while (s->next_fd < 0 && !s->stopping)
			lock_cond_wait(&s->lock, &s->cond, 0);
		fd = s->next_fd;
		s->next_fd = -1;
		last = s->listen_fd < 0;
		lock_release(&s->lock);
		if (fd < 0)
			return NULL;
		serve(s, fd);
		lock_acquire(&s->lock);
		s->busy = false;
		lock_release(&s->lock);
		wake(s);
		if (last && s->config.ended)
			s->config.ended(s->config.ended_arg);
	}
}

/* ---- the accepting thread ---- */

struct waiting {
	int fd;
	uint64_t deadline_ns;
};

struct waiting_list { /* who came while there is a client, in order */
	struct waiting clients[WAITING_MAX];
	size_t count;
};

/* To the connection's thread, if it is free. Takes `fd` then. */
static bool hand_over(struct vfu_server *s, int fd)
{
	bool free_now;

	lock_acquire(&s->lock);
	free_now = !s->busy && s->next_fd < 0;
	if (free_now) {
		s->next_fd = fd;
		s->busy = true;
		pthread_cond_signal(&s->cond);
	}
	lock_release(&s->lock);
	return free_now;
}

/* Answers EBUSY to whatever it says first. True when it is done with: answered, gone, out of time. */
static bool refuse(const struct waiting *w, uint64_t now_ns)
{
	struct vfu_hdr hdr;
	struct iovec iov = {&hdr, sizeof(hdr)};
	ssize_t n = recv(w->fd, &hdr, sizeof(hdr), MSG_DONTWAIT | MSG_PEEK);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return now_ns >= w->deadline_ns;
	if (n > 0 && n < (ssize_t)sizeof(hdr))
		return now_ns >= w->deadline_ns;
	if (n == (ssize_t)sizeof(hdr) && !(hdr.flags & VFU_TYPE_MASK)) {
		hdr = (struct vfu_hdr){
			.id = hdr.id,
			.cmd = hdr.cmd,
			.size = sizeof(hdr),
			.flags = VFU_TYPE_REPLY | VFU_ERROR,
			.error = EBUSY,
		};
		vfu_stream_send(w->fd, &iov, 1, NULL, 0, 0);
	}
	return true;
}

/*
 * The first in line gets the connection when it is free. As long as there is a client, others are
 * refused; one that has hung up is no longer there, only its memory is still being unmapped, and who
 * comes after it (QEMU's next device_add) may wait for that.
 */
static void attend(struct vfu_server *s, struct waiting_list *l, uint64_t now_ns)
{
	size_t kept = 0, i = 0;

	if (l->count && hand_over(s, l->clients[0].fd))
		i = 1;
	for (; i < l->count; i++) {
		if (!vfu_conn_hung_up(&s->conn) && refuse(&l->clients[i], now_ns)) {
			vfu_count(&s->counters.refused);
			close(l->clients[i].fd);
		} else {
			l->clients[kept++] = l->clients[i];
		}
	}
	l->count = kept;
}

/* False: nobody could be accepted. */
static bool take_client(struct vfu_server *s, struct waiting_list *l, uint64_t now_ns)
{
	int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return false;
	l->clients[l->count++] = (struct waiting){
		.fd = fd,
		.deadline_ns = now_ns + WAITING_TIMEOUT_MS * NSEC_PER_MSEC,
	};
	return true;
}

static bool is_stopping(struct vfu_server *s)
{
	bool stopping;

	lock_acquire(&s->lock);
	stopping = s->stopping;
	lock_release(&s->lock);
	return stopping;
}

static void *accept_main(void *arg)
{
	struct vfu_server *s = arg;
	struct waiting_list list = {.count = 0};
	struct clock clock;
	bool pause = false;

	pthread_setname_np(pthread_self(), "vfu-accept");
	clock_init_real(&clock);
	while (!is_stopping(s)) {
		struct pollfd p[] = {
			{.fd = s->wake_fd, .events = POLLIN},
			/* With no place left the next one waits in the backlog. */
			{.fd = list.count < WAITING_MAX && !pause ? s->listen_fd : -1,
				.events = POLLIN},
		};
		int timeout = list.count ? WAITING_TICK_MS : pause ? ACCEPT_PAUSE_MS : -1;
		uint64_t now, woken;

		if (poll(p, ARRAY_SIZE(p), timeout) < 0 && errno != EINTR)
			break;
		if (p[0].revents && read(s->wake_fd, &woken, sizeof(woken)) < 0 && errno != EAGAIN)
			break;
		now = clock_now_ns(&clock);
		pause = p[1].revents && !take_client(s, &list, now);
		attend(s, &list, now);
	}
	while (list.count)
		close(list.clients[--list.count].fd);
	return NULL;
}

/* ---- life ---- */

int vfu_server_init(struct vfu_server *s, const struct vfu_server_config *config, struct err *e)
{
	int ret;

	*s = (struct vfu_server){
		.config = *config,
		.listen_fd = -1,
		.connected_fd = -1,
		.next_fd = -1,
		.wake_fd = -1,
	};
	if (config->ops->num_regions > VFU_MAX_REGIONS || config->ops->num_irqs > VFU_MAX_IRQS)
		return err_set(e, -EINVAL, NULL, "%u regions and %u interrupt types are too many",
			config->ops->num_regions, config->ops->num_irqs);
	lock_init(&s->lock, LOCK_RANK_CONTROL);
	lock_cond_init(&s->cond);
	ret = vfu_irqs_init(s);
	if (!ret)
		ret = vfu_conn_init(&s->conn, s);
	if (ret) {
		vfu_irqs_finish(s);
		return err_set(e, ret, NULL, "no memory for a server");
	}
	return 0;
}

void vfu_server_finish(struct vfu_server *s)
{
	vfu_conn_finish(&s->conn);
	vfu_irqs_finish(s);
	pthread_cond_destroy(&s->cond);
	lock_finish(&s->lock);
	fd_close(&s->wake_fd);
	fd_close(&s->listen_fd);
	fd_close(&s->connected_fd);
	fd_close(&s->next_fd);
}

struct vfu_server *vfu_server_create(const struct vfu_server_config *config, struct err *e)
{
	struct vfu_server *s = calloc(1, sizeof(*s));
	int ret;

	if (!s) {
		err_set(e, -ENOMEM, NULL, "no memory for a server");
		return NULL;
	}
	ret = vfu_server_init(s, config, e);
	if (ret) {
		free(s);
		return NULL;
	}
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake_fd < 0)
		ret = err_set(e, -errno, NULL, "cannot make an eventfd");
	else if (config->socket_path)
		ret = socket_bind(s, e);
	else
		ret = socket_adopt(s, e);
	if (ret) {
		vfu_server_destroy(s);
		return NULL;
	}
	return s;
}

int vfu_server_start(struct vfu_server *s, struct err *e)
{
	int ret;

	if (s->connected_fd >= 0) {
		s->next_fd = s->connected_fd;
		s->connected_fd = -1;
		s->busy = true;
	}
	ret = pthread_create(&s->conn_thread, NULL, conn_main, s);
	if (ret)
		return err_set(e, -ret, NULL, "cannot start a thread");
	ret = pthread_create(&s->accept_thread, NULL, accept_main, s);
	if (ret) {
		lock_acquire(&s->lock);
		s->stopping = true;
		pthread_cond_signal(&s->cond);
		lock_release(&s->lock);
		vfu_conn_shutdown(&s->conn);
		pthread_join(s->conn_thread, NULL);
		return err_set(e, -ret, NULL, "cannot start a thread");
	}
	s->started = true;
	return 0;
}

void vfu_server_destroy(struct vfu_server *s)
{
	if (!s)
		return;
	if (s->started) {
		lock_acquire(&s->lock);
		s->stopping = true;
		pthread_cond_signal(&s->cond);
		lock_release(&s->lock);
		wake(s);
		vfu_conn_shutdown(&s->conn);
		pthread_join(s->accept_thread, NULL);
		pthread_join(s->conn_thread, NULL);
	}
	socket_remove(s);
	vfu_server_finish(s);
	free(s);
}

bool vfu_attached(const struct vfu_server *s)
{
	return atomic_load(&s->attached);
}

void vfu_stats_get(const struct vfu_server *s, struct vfu_stats *out)
{
	const struct vfu_counters *c = &s->counters;

	for (size_t i = 0; i < ARRAY_SIZE(out->messages); i++)
		out->messages[i] = atomic_load_explicit(&c->messages[i], memory_order_relaxed);
	out->posted = atomic_load_explicit(&c->posted, memory_order_relaxed);
	out->errors = atomic_load_explicit(&c->errors, memory_order_relaxed);
	out->connections = atomic_load_explicit(&c->connections, memory_order_relaxed);
	out->refused = atomic_load_explicit(&c->refused, memory_order_relaxed);
	out->irqs = atomic_load_explicit(&c->irqs, memory_order_relaxed);
}
