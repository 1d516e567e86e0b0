/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of file descriptors that are said to be guest memory. */
#include "mem/fd.h"
#include "base/util.h"
#include "mem/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define REMEDY "share guest RAM as memory-backend-memfd or -file on tmpfs or hugetlbfs, share=on"

int mem_fd_check(
	int fd, uint64_t offset, uint64_t size, uint32_t flags, struct mem_fd *out, struct err *e)
{
	int mode = fcntl(fd, F_GETFL), seals;
	struct statfs fs;
	struct stat st;

	if (mode < 0 || (mode & O_PATH))
		return err_set(e, -EINVAL, REMEDY, "the fd is only a path (O_PATH)");
	/*
	 * F_GET_SEALS answers from memory, for regular files of shmem and hugetlbfs alone (mm/memfd.c),
	 * whereas fstat or fstatfs on a FUSE file could wait for its server for ever.
	 */
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0)
		return err_set(e, -EINVAL, REMEDY, "the fd is not shared memory");
	if (fstat(fd, &st) || fstatfs(fd, &fs) || !S_ISREG(st.st_mode) || st.st_size < 0)
		return err_set(e, -EINVAL, REMEDY, "the fd is not a regular file");
	if (fs.f_type == HUGETLBFS_MAGIC && fs.f_bsize >= (long)PAGE_SIZE_4K &&
		(fs.f_bsize & (fs.f_bsize - 1)) == 0)
		out->page_bytes = (size_t)fs.f_bsize;
	else if (fs.f_type == TMPFS_MAGIC)
		out->page_bytes = PAGE_SIZE_4K;
	else
		return err_set(e, -EINVAL, REMEDY, "the fd is on file system 0x%llx",
			(unsigned long long)fs.f_type);
	if ((mode & O_ACCMODE) == O_WRONLY || ((flags & MEM_WRITE) && (mode & O_ACCMODE) != O_RDWR))
		return err_set(e, -EACCES, "open the file for what the map's flags say",
			"the fd's access mode does not allow flags 0x%x", flags);
	if ((flags & MEM_WRITE) && (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))
		return err_set(e, -EACCES, NULL, "the file is sealed against writing");
	if (range_bad(offset, size, (uint64_t)st.st_size))
		return err_set(e, -EINVAL, NULL,
			"offset 0x%llx size 0x%llx passes the file's end at 0x%llx",
			(unsigned long long)offset, (unsigned long long)size,
			(unsigned long long)st.st_size);
	out->sealed = (seals & F_SEAL_SHRINK) != 0;
	return 0;
}
