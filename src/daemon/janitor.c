/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process that waits for the server's end and removes its socket files. */
#include "daemon/janitor.h"
#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

/* One write, shorter than PIPE_BUF: it arrives whole or not at all. */
struct order {
	struct {
		char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* "": none */
		dev_t dev;
		ino_t ino;
		struct timespec mtime; /* inode numbers are used again; this time is not */
	} files[JANITOR_FILES];
};

static void remove_files(const struct order *o)
{
	struct stat st;

	for (size_t i = 0; i < JANITOR_FILES; i++) {
		const char *path = o->files[i].path;

		if (*path && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) &&
			st.st_dev == o->files[i].dev && st.st_ino == o->files[i].ino &&
			memcmp(&st.st_mtim, &o->files[i].mtime, sizeof(st.st_mtim)) == 0)
			unlink(path);
	}
}

static ssize_t read_some(int fd, void *data, size_t len)
{
	ssize_t n;

	do {
		n = read(fd, data, len);
	} while (n < 0 && errno == EINTR);
	return n;
}

static _Noreturn void janitor_main(int fd)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
	struct order order;
	char rest[64];
	ssize_t n;

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++) {
		signal(ignored[i], SIG_IGN);
	}
	prctl(PR_SET_NAME, "ugvt-janitor", 0, 0, 0);
	/* Nothing of the server's is held open here, its end of the pipe least of all. */
	if (dup2(fd, 0) != 0)
		_exit(1);
	close_range(1, ~0U, 0);
	n = read_some(0, &order, sizeof(order));
	if (n != (ssize_t)sizeof(order))
		_exit(0); /* it never served */
	/* From here on a server may be anybody's: what it says is not heard. */
	while (read_some(0, rest, sizeof(rest)) > 0) {
	}
	remove_files(&order);
	_exit(0);
}

int janitor_start(struct janitor *j, struct err *e)
{
	int fds[2], ret;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return err_set(e, -errno, NULL, "a pipe to the janitor");
	pid = fork();
	if (pid == 0)
		janitor_main(fds[0]);
	ret = -errno;
	close(fds[0]);
	if (pid < 0) {
		close(fds[1]);
		return err_set(e, ret, NULL, "starting the janitor");
	}
	*j = (struct janitor){.pid = pid, .fd = fds[1]};
	return 0;
}

int janitor_watch(struct janitor *j, const char *const *paths, size_t count, struct err *e)
{
	struct order order;
	struct stat st;
	size_t n = 0;

	memset(&order, 0, sizeof(order));
	for (size_t i = 0; i < count && n < JANITOR_FILES; i++) {
		if (!paths[i])
			continue;
		if (strlen(paths[i]) >= sizeof(order.files[n].path))
			return err_set(e, -ENAMETOOLONG, NULL, "socket %.100s...", paths[i]);
		if (lstat(paths[i], &st))
			return err_set(e, -errno, NULL, "socket %s", paths[i]);
		strcpy(order.files[n].path, paths[i]);
		order.files[n].dev = st.st_dev;
		order.files[n].ino = st.st_ino;
		order.files[n].mtime = st.st_mtim;
		n++;
	}
	if (write(j->fd, &order, sizeof(order)) != (ssize_t)sizeof(order))
		return err_set(e, -EPIPE, NULL, "the janitor is gone");
	return 0;
}

void janitor_finish(struct janitor *j)
{
	if (!j->pid)
		return;
	fd_close(&j->fd);
	while (waitpid(j->pid, NULL, 0) < 0 && errno == EINTR) {
	}
	j->pid = 0;
}
