/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small macros and helpers that every room uses. */
#ifndef BASE_UTIL_H
#define BASE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n)	      (UINT32_C(1) << (n))
#define BIT64(n)      (UINT64_C(1) << (n))
/* Bits hi..lo, both included, as the PRM writes bit fields. */
#define GENMASK(hi, lo) ((uint32_t)((UINT64_C(2) << (hi)) - (UINT64_C(1) << (lo))))
#define KIB(n)		((uint64_t)(n) << 10)
#define MIB(n)		((uint64_t)(n) << 20)
#define GIB(n)		((uint64_t)(n) << 30)
#define NSEC_PER_SEC	UINT64_C(1000000000)
#define NSEC_PER_MSEC	UINT64_C(1000000)
#define NSEC_PER_USEC	UINT64_C(1000)

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* True when [start, start + size) wraps the 64-bit space or, with size > 0, is longer than `limit`. */
static inline bool range_bad(uint64_t start, uint64_t size, uint64_t limit)
{
	return start > limit || size > limit - start;
}

static inline void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* A file descriptor closed when it leaves scope: `fd_auto int fd = open(...)`. */
#define fd_auto __attribute__((cleanup(fd_close)))

#endif
