/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that verbs write and read: a new file is there whole or not at all. */
#include "base/buf.h"
#include "base/util.h"
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

/*
 * What is written to: a device, pipe or FIFO as it is; else a temporary file beside the target, which
 * is where a symbolic link points.
 */
int cli_file_open(struct cli_file *c, const char *path, struct err *e)
{
	char target[PATH_MAX];
	const char *to = path;
	struct stat st;
	int fd;

	*c = (struct cli_file){.f = stdout};
	if (!path || strcmp(path, "-") == 0)
		return 0;
	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return err_set(e, -EISDIR, "name a file in it", "writing %s", path);
		if (!S_ISREG(st.st_mode))
			to = NULL;
		else if (realpath(path, target))
			to = target;
	}
	if (to) {
		if (snprintf(c->target, sizeof(c->target), "%s", to) >= (int)sizeof(c->target) ||
			snprintf(c->temporary, sizeof(c->temporary), "%s.%d.tmp", to, getpid()) >=
				(int)sizeof(c->temporary))
			return err_set(e, -ENAMETOOLONG, NULL, "%.150s...", path);
		fd = open(c->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	} else {
		fd = open(path, O_WRONLY | O_CLOEXEC);
	}
	if (fd < 0)
		return err_set(e, -errno, NULL, "writing %s", path);
	c->f = fdopen(fd, "w");
	if (!c->f) {
		close(fd);
		if (to)
			unlink(c->temporary);
		return err_set(e, -ENOMEM, NULL, "writing %s", path);
	}
	c->path = path;
	return 0;
}

int cli_file_close(struct cli_file *c, bool keep, struct err *e)
{
	const char *path = c->path ? c->path : "standard output";
	int ret = 0;

	errno = 0;
	if (fflush(c->f) || ferror(c->f))
		ret = errno ? -errno : -EIO;
	if (c->path) {
		if (fclose(c->f) && !ret)
			ret = -errno;
		if (*c->temporary && (!keep || ret)) {
			unlink(c->temporary);
		} else if (*c->temporary && rename(c->temporary, c->target)) {
			ret = -errno;
			unlink(c->temporary);
		}
	} else if (ret) {
		clearerr(c->f); /* said here: not once more at the end */
	}
	c->f = NULL;
	return ret && keep ? err_set(e, ret, NULL, "writing %s", path) : 0;
}

int cli_file_read(const char *path, size_t max, struct buf *out, struct err *e)
{
	bool standard = strcmp(path, "-") == 0;
	uint8_t chunk[65536];
	int fd = standard ? 0 : open(path, O_RDONLY | O_CLOEXEC), ret;
	ssize_t n;

	if (fd < 0)
		return err_set(e, -errno, NULL, "reading %s", path);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		buf_put(out, chunk, (size_t)n);
		if (out->len > max || out->failed)
			break;
	}
	ret = n < 0 ? -errno : 0;
	if (!standard)
		close(fd);
	if (ret)
		return err_set(e, ret, NULL, "reading %s", path);
	if (out->failed)
		return err_set(e, -ENOMEM, NULL, "reading %s", path);
	if (out->len > max)
		return err_set(e, -EFBIG, NULL, "%s: more than %zu bytes", path, max);
	return 0;
}
