/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may be taken for guest memory when a client hands in a file descriptor. */
#ifndef MEM_FD_H
#define MEM_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct mem_fd {
	size_t page_bytes; /* 4 KiB, or hugetlbfs's page */
	bool sealed;	   /* cannot shrink */
};

/*
 * Checks that `fd` is a regular file of tmpfs, memfd or hugetlbfs, that it allows what `flags` (enum
 * mem_flags) ask, and that [offset, offset + size) lies inside it. Never blocks: nothing is asked of a
 * file system before the kernel has said that the file is shared memory. 0, -EINVAL or -EACCES.
 */
int mem_fd_check(
	int fd, uint64_t offset, uint64_t size, uint32_t flags, struct mem_fd *out, struct err *e);

#endif
