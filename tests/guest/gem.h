/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guest's test programs share: TAP output, random numbers, i915's uAPI, building batches.
 *
 * Each program is one static file without libraries, so all of it stands in this header. Buffers are
 * bound where we say (softpin): a test knows every graphics address it uses. Calls that fail for a
 * reason that no test is about end the program with "Bail out!" and exit code 2; a check that fails
 * prints "not ok" and makes gem_done() return 1.
 */
#ifndef GUEST_GEM_H
#define GUEST_GEM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <drm/i915_drm.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define GEM_UNUSED    __attribute__((unused))
#define GEM_PRINTF(a) __attribute__((format(printf, a, (a) + 1)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define GEM_PAGE      4096u
#define GEM_SECOND    INT64_C(1000000000)
#define GEM_WAIT_NS   (120 * GEM_SECOND) /* a bound for a slow machine, never a measure */

/* Two places in a PPGTT: one that 32 bits reach, one that only four levels of tables do. */
#define GEM_LOW	 UINT64_C(0x10000000)
#define GEM_HIGH UINT64_C(0x123450000000)

/* ------------------------------------------------------------------ TAP */

static int gem_tests, gem_failures;

static GEM_UNUSED GEM_PRINTF(2) bool gem_ok(bool good, const char *format, ...)
{
	va_list args;

	printf("%s %d - ", good ? "ok" : "not ok", ++gem_tests);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	gem_failures += !good;
	return good;
}

static GEM_UNUSED GEM_PRINTF(1) void gem_say(const char *format, ...)
{
	va_list args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static GEM_UNUSED GEM_PRINTF(1) __attribute__((noreturn)) void gem_bail(const char *format, ...)
{
	int error = errno;
	va_list args;

	printf("Bail out! ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf(" (errno: %s)\n", strerror(error));
	exit(2);
}

/* Prints the plan; the program's exit code. */
static GEM_UNUSED int gem_done(void)
{
	printf("1..%d\n", gem_tests);
	if (gem_failures) {
		gem_say("%d of %d failed", gem_failures, gem_tests);
	}
	fflush(stdout);
	return gem_failures || !gem_tests;
}

/* ------------------------------------------------------------------ random numbers */

static uint64_t gem_seed = 1;

/* The seed is printed, and taken from GEM_SEED, so that a failure can be had again. */
static GEM_UNUSED void gem_seed_init(void)
{
	const char *text = getenv("GEM_SEED");
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	gem_seed = text ? strtoull(text, NULL, 0)
			: (uint64_t)t.tv_nsec * 2654435761u ^ (uint64_t)t.tv_sec;
	gem_seed |= !gem_seed;
	gem_say("GEM_SEED=%#llx", (unsigned long long)gem_seed);
}

/* xorshift64* */
static GEM_UNUSED uint64_t gem_random(void)
{
	gem_seed ^= gem_seed >> 12;
	gem_seed ^= gem_seed << 25;
	gem_seed ^= gem_seed >> 27;
	return gem_seed * UINT64_C(0x2545f4914f6cdd1d);
}

/* low .. high, both included */
static GEM_UNUSED int gem_between(int low, int high)
{
	return low + (int)((gem_random() >> 33) % (uint64_t)(high - low + 1));
}

static GEM_UNUSED void gem_fill_random(void *data, size_t bytes)
{
	uint8_t *p = data;
	uint64_t word;

	for (; bytes >= 8; bytes -= 8, p += 8) {
		word = gem_random();
		memcpy(p, &word, 8);
	}
	word = gem_random();
	memcpy(p, &word, bytes);
}

/* ------------------------------------------------------------------ the device and its buffers */

struct gem_bo {
	uint32_t handle;
	uint64_t size, addr; /* bytes; where it is bound in each PPGTT */
	void *map;	     /* write-back CPU mapping of all of it */
};

static int gem_fd = -1;

static GEM_UNUSED int gem_ioctl(unsigned long request, void *arg)
{
	int r;

	do {
		r = ioctl(gem_fd, request, arg);
	} while (r < 0 && (errno == EINTR || errno == EAGAIN));
	return r < 0 ? -errno : 0;
}

static GEM_UNUSED void gem_open(void)
{
	gem_fd = open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
	if (gem_fd < 0) {
		gem_bail("/dev/dri/card0");
	}
}

/* kind: I915_MMAP_OFFSET_WB, _WC or _GTT (through the aperture) */
static GEM_UNUSED void *gem_map(const struct gem_bo *bo, uint64_t kind)
{
	struct drm_i915_gem_mmap_offset arg = {.handle = bo->handle, .flags = kind};
	void *p;

	if (gem_ioctl(DRM_IOCTL_I915_GEM_MMAP_OFFSET, &arg)) {
		gem_bail("mmap_offset kind %llu", (unsigned long long)kind);
	}
	p = mmap(NULL, bo->size, PROT_READ | PROT_WRITE, MAP_SHARED, gem_fd, (off_t)arg.offset);
	if (p == MAP_FAILED) {
		gem_bail("mmap of a buffer, kind %llu", (unsigned long long)kind);
	}
	return p;
}

static GEM_UNUSED struct gem_bo gem_create(uint64_t size, uint64_t addr)
{
	struct drm_i915_gem_create arg = {.size = size};
	struct gem_bo bo = {.size = size, .addr = addr};

	if (gem_ioctl(DRM_IOCTL_I915_GEM_CREATE, &arg)) {
		gem_bail("create of %llu bytes", (unsigned long long)size);
	}
	bo.handle = arg.handle;
	bo.map = gem_map(&bo, I915_MMAP_OFFSET_WB);
	return bo;
}

static GEM_UNUSED void gem_close(struct gem_bo *bo)
{
	struct drm_gem_close arg = {.handle = bo->handle};

	munmap(bo->map, bo->size);
	gem_ioctl(DRM_IOCTL_GEM_CLOSE, &arg);
	memset(bo, 0, sizeof(*bo));
}

static GEM_UNUSED int gem_wait(const struct gem_bo *bo, int64_t timeout_ns)
{
	struct drm_i915_gem_wait arg = {.bo_handle = bo->handle, .timeout_ns = timeout_ns};

	return gem_ioctl(DRM_IOCTL_I915_GEM_WAIT, &arg);
}

/* domain: I915_GEM_DOMAIN_CPU, _GTT or _WC; waits for the GPU. */
static GEM_UNUSED void gem_domain(const struct gem_bo *bo, uint32_t domain, bool write)
{
	struct drm_i915_gem_set_domain arg = {
		.handle = bo->handle, .read_domains = domain, .write_domain = write ? domain : 0};

	if (gem_ioctl(DRM_IOCTL_I915_GEM_SET_DOMAIN, &arg)) {
		gem_bail("set_domain %#x", domain);
	}
}

/* tiling: I915_TILING_NONE, _X or _Y; stride in bytes */
static GEM_UNUSED int gem_tiling(const struct gem_bo *bo, uint32_t tiling, uint32_t stride)
{
	struct drm_i915_gem_set_tiling arg = {
		.handle = bo->handle, .tiling_mode = tiling, .stride = stride};

	return gem_ioctl(DRM_IOCTL_I915_GEM_SET_TILING, &arg);
}

/*
 * Byte offset of byte column `x` of row `y` in a surface with `stride` bytes a row (PRM volume 5,
 * "Tiled resources"): an X tile is 8 rows of 512 bytes, a Y tile 8 columns of 32 rows of 16 bytes.
 */
static GEM_UNUSED size_t gem_tile_offset(uint32_t tiling, uint32_t stride, uint32_t x, uint32_t y)
{
	switch (tiling) {
	case I915_TILING_X:
		return ((size_t)(y / 8) * (stride / 512) + x / 512) * 4096 + y % 8 * 512 + x % 512;
	case I915_TILING_Y:
		return ((size_t)(y / 32) * (stride / 128) + x / 128) * 4096 + x % 128 / 16 * 512 +
		       y % 32 * 16 + x % 16;
	default:
		return (size_t)y * stride + x;
	}
}

/* ------------------------------------------------------------------ contexts and execution */

static GEM_UNUSED uint32_t gem_context_create(void)
{
	struct drm_i915_gem_context_create arg = {0};

	if (gem_ioctl(DRM_IOCTL_I915_GEM_CONTEXT_CREATE, &arg)) {
		gem_bail("context_create");
	}
	return arg.ctx_id;
}

static GEM_UNUSED void gem_context_destroy(uint32_t context)
{
	struct drm_i915_gem_context_destroy arg = {.ctx_id = context};

	gem_ioctl(DRM_IOCTL_I915_GEM_CONTEXT_DESTROY, &arg);
}

static GEM_UNUSED int gem_context_set(uint32_t context, uint64_t param, uint64_t value)
{
	struct drm_i915_gem_context_param arg = {.ctx_id = context, .param = param, .value = value};

	return gem_ioctl(DRM_IOCTL_I915_GEM_CONTEXT_SETPARAM, &arg);
}

/* Hangs a context was guilty of, and those that it was a victim of. */
static GEM_UNUSED void gem_reset_stats(uint32_t context, uint32_t *guilty, uint32_t *innocent)
{
	struct drm_i915_reset_stats arg = {.ctx_id = context};

	if (gem_ioctl(DRM_IOCTL_I915_GET_RESET_STATS, &arg)) {
		gem_bail("get_reset_stats");
	}
	*guilty = arg.batch_active;
	*innocent = arg.batch_pending;
}

struct gem_engine {
	const char *name;
	uint64_t flag;	    /* I915_EXEC_* */
	uint32_t mmio_base; /* i915: gt/intel_engine_cs.c, intel_engines[] */
	bool parsed;	    /* i915 copies and checks its user batches (i915_cmd_parser.c) */
};

static const struct gem_engine gem_engines[] GEM_UNUSED = {
	{"rcs0", I915_EXEC_RENDER, 0x2000, false},
	{"bcs0", I915_EXEC_BLT, 0x22000, true},
	{"vcs0", I915_EXEC_BSD, 0x12000, false},
	{"vecs0", I915_EXEC_VEBOX, 0x1a000, false},
};
#define GEM_RCS (&gem_engines[0])
#define GEM_BCS (&gem_engines[1])

#define GEM_MAX_BOS 16

/* Submits; the batch is the last of `bos`, the others may be written. -errno from the kernel. */
static GEM_UNUSED int gem_try_exec(
	const struct gem_engine *engine, uint32_t context, struct gem_bo *const bos[], int count)
{
	struct drm_i915_gem_exec_object2 objects[GEM_MAX_BOS] = {0};
	struct drm_i915_gem_execbuffer2 arg = {.buffers_ptr = (uintptr_t)objects,
		.buffer_count = (uint32_t)count,
		.flags = engine->flag};

	if (count > GEM_MAX_BOS) {
		return -E2BIG;
	}
	for (int i = 0; i < count; i++) {
		objects[i].handle = bos[i]->handle;
		objects[i].offset = bos[i]->addr;
		objects[i].flags = EXEC_OBJECT_PINNED | EXEC_OBJECT_SUPPORTS_48B_ADDRESS;
		objects[i].flags |= i < count - 1 ? EXEC_OBJECT_WRITE : 0;
	}
	i915_execbuffer2_set_context_id(arg, context);
	return gem_ioctl(DRM_IOCTL_I915_GEM_EXECBUFFER2, &arg);
}

static GEM_UNUSED void gem_exec(
	const struct gem_engine *engine, uint32_t context, struct gem_bo *const bos[], int count)
{
	int r = gem_try_exec(engine, context, bos, count);

	if (r) {
		errno = -r;
		gem_bail("execbuffer2 on %s", engine->name);
	}
}

/* Submits and waits for the end. */
static GEM_UNUSED void gem_run(
	const struct gem_engine *engine, uint32_t context, struct gem_bo *const bos[], int count)
{
	int r;

	gem_exec(engine, context, bos, count);
	r = gem_wait(bos[count - 1], GEM_WAIT_NS);
	if (r) {
		errno = -r;
		gem_bail("a batch on %s does not end", engine->name);
	}
}

/* ------------------------------------------------------------------ batches */

/* Commands of PRM volume 2a with lengths as Gen8 and Gen9 have them. */
#define MI_NOOP			0u
#define MI_SET_PREDICATE(x)	(0x01u << 23 | (x))
#define MI_USER_INTERRUPT	(0x02u << 23)
#define MI_ARB_CHECK		(0x05u << 23)
#define MI_ARB_ON_OFF(on)	(0x08u << 23 | (on))
#define MI_BATCH_BUFFER_END	(0x0au << 23)
#define MI_PREDICATE(x)		(0x0cu << 23 | (x))
#define MI_MATH(dwords)		(0x1au << 23 | ((dwords)-1))
#define MI_SEMAPHORE_WAIT	(0x1cu << 23 | 2)
#define MI_STORE_DATA_IMM	(0x20u << 23 | 2)
#define MI_STORE_DATA_IMM_QWORD (0x20u << 23 | 1u << 21 | 3)
#define MI_LOAD_REGISTER_IMM(n) (0x22u << 23 | (2 * (n)-1))
#define MI_STORE_REGISTER_MEM	(0x24u << 23 | 2)
#define MI_FLUSH_DW		(0x26u << 23 | 3)
#define MI_LOAD_REGISTER_MEM	(0x29u << 23 | 2)
#define MI_LOAD_REGISTER_REG	(0x2au << 23 | 1)
#define MI_COPY_MEM_MEM		(0x2eu << 23 | 3)
#define MI_ATOMIC		(0x2fu << 23)
#define MI_BATCH_BUFFER_START	(0x31u << 23 | 1u << 8 | 1) /* PPGTT */
#define MI_SECOND_LEVEL		(1u << 22)
#define MI_COND_BATCH_END	(0x36u << 23 | 1u << 21 | 2) /* ends unless memory > data */
#define MI_USE_GGTT		(1u << 22)
#define PIPE_CONTROL		0x7a000004u

struct gem_batch {
	struct gem_bo bo;
	uint32_t used; /* dwords */
};

static GEM_UNUSED struct gem_batch gem_batch_create(uint64_t size, uint64_t addr)
{
	return (struct gem_batch){.bo = gem_create(size, addr)};
}

static GEM_UNUSED void gem_batch_reset(struct gem_batch *b)
{
	b->used = 0;
}

static GEM_UNUSED void gem_emit(struct gem_batch *b, uint32_t dword)
{
	if ((uint64_t)b->used * 4 + 8 >= b->bo.size) {
		errno = ENOSPC;
		gem_bail("a batch of %llu bytes is full", (unsigned long long)b->bo.size);
	}
	((volatile uint32_t *)b->bo.map)[b->used++] = dword;
}

static GEM_UNUSED void gem_emit_addr(struct gem_batch *b, uint64_t addr)
{
	gem_emit(b, (uint32_t)addr);
	gem_emit(b, (uint32_t)(addr >> 32));
}

/* Where the next command will stand. */
static GEM_UNUSED uint64_t gem_batch_addr(const struct gem_batch *b)
{
	return b->bo.addr + 4u * b->used;
}

static GEM_UNUSED void gem_emit_store(struct gem_batch *b, uint64_t addr, uint32_t value)
{
	gem_emit(b, MI_STORE_DATA_IMM);
	gem_emit_addr(b, addr);
	gem_emit(b, value);
}

static GEM_UNUSED void gem_emit_lri(struct gem_batch *b, uint32_t offset, uint32_t value)
{
	gem_emit(b, MI_LOAD_REGISTER_IMM(1));
	gem_emit(b, offset);
	gem_emit(b, value);
}

static GEM_UNUSED void gem_emit_srm(struct gem_batch *b, uint32_t offset, uint64_t addr)
{
	gem_emit(b, MI_STORE_REGISTER_MEM);
	gem_emit(b, offset);
	gem_emit_addr(b, addr);
}

static GEM_UNUSED void gem_emit_lrm(struct gem_batch *b, uint32_t offset, uint64_t addr)
{
	gem_emit(b, MI_LOAD_REGISTER_MEM);
	gem_emit(b, offset);
	gem_emit_addr(b, addr);
}

/* Ends the batch on a qword, as the kernel asks for. */
static GEM_UNUSED void gem_emit_end(struct gem_batch *b)
{
	gem_emit(b, MI_BATCH_BUFFER_END);
	if (b->used & 1) {
		gem_emit(b, MI_NOOP);
	}
}

/* General purpose register n of an engine's command streamer: 64 bits. */
static GEM_UNUSED uint32_t gem_gpr(const struct gem_engine *engine, int n)
{
	return engine->mmio_base + 0x600 + 8u * (uint32_t)n;
}

#endif
