/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The type-1 map: rules, listeners, hostile files, the guard, readers beside a writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <linux/memfd.h>

#include "base/util.h"
#include "mem/fd.h"
#include "mem/mem.h"

#define RW (MEM_READ | MEM_WRITE)

static struct gpa gpa(uint64_t v)
{
	return (struct gpa){v};
}

static int file_of(uint64_t size)
{
	int fd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static int setup(void **state)
{
	struct mem *m = malloc(sizeof(*m));

	assert_non_null(m);
	assert_int_equal(mem_init(m), 0);
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	mem_finish(*state);
	free(*state);
	return 0;
}

static void test_rules(void **state)
{
	struct mem *m = *state;
	struct mem_stats s;
	struct err e;

	assert_int_equal(mem_map(m, gpa(0), 0, RW, -1, 0, &e), -EINVAL);
	assert_int_equal(mem_map(m, gpa(1), 4096, RW, -1, 0, &e), -EINVAL);
	assert_int_equal(mem_map(m, gpa(0), 4097, RW, -1, 0, &e), -EINVAL);
	assert_int_equal(mem_map(m, gpa(0), 4096, 0, -1, 0, &e), -EINVAL);
	assert_int_equal(mem_map(m, gpa(0), 4096, 4, -1, 0, &e), -EINVAL);
	assert_int_equal(mem_map(m, gpa(4096), -UINT64_C(4096) + 0, RW, -1, 0, &e), 0);
	mem_unmap_all(m);
	assert_int_equal(mem_map(m, gpa(8192), -UINT64_C(4096), RW, -1, 0, &e), -EINVAL);
	assert_string_not_equal(e.what, "");
	assert_int_equal(mem_map(m, gpa(0x10000), 0x2000, RW, -1, 0, &e), 0);
	assert_int_equal(mem_map(m, gpa(0x11000), 0x1000, RW, -1, 0, &e), -EEXIST);
	assert_int_equal(mem_unmap(m, gpa(0x10000), 0x1000, &e), -ENOENT);
	assert_int_equal(mem_unmap(m, gpa(0x10000), 0x2000, &e), 0);
	assert_int_equal(mem_unmap(m, gpa(0x10000), 0x2000, &e), -ENOENT);
	mem_stats_get(m, &s);
	assert_int_equal(s.maps, 0);
	assert_int_equal(s.fdless, 0);
	assert_int_equal(s.maps_ever, 2);
}

static void test_limit(void **state)
{
	struct mem *m = *state;

	m->max_maps = 3;
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(mem_map(m, gpa(i << 12), 4096, RW, -1, 0, NULL), 0);
	assert_int_equal(mem_map(m, gpa(3 << 12), 4096, RW, -1, 0, NULL), -ENOSPC);
	assert_int_equal(mem_unmap(m, gpa(0), 4096, NULL), 0);
	assert_int_equal(mem_map(m, gpa(3 << 12), 4096, RW, -1, 0, NULL), 0);
}

static void test_bytes_limit(void **state)
{
	int fd = file_of(UINT64_C(1) << 45);

	assert_int_equal(mem_map(*state, gpa(0), UINT64_C(1) << 45, RW, fd, 0, NULL), -ENOSPC);
	assert_int_equal(mem_map(*state, gpa(0), UINT64_C(1) << 30, RW, fd, 0, NULL), 0);
	assert_int_equal(mem_map(*state, gpa(UINT64_C(1) << 46), MEM_FD_BYTES_MAX, RW, fd, 0, NULL),
		-ENOSPC);
	close(fd);
}

static void test_copies(void **state)
{
	uint8_t in[12288], out[12288];
	struct mem *m = *state;
	int fd = file_of(65536);

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 7 + i / 256);
	/* Neighbours in the guest, apart and swapped in the file. */
	assert_int_equal(mem_map(m, gpa(0x1000), 0x2000, RW, fd, 0x8000, NULL), 0);
	assert_int_equal(mem_map(m, gpa(0x3000), 0x2000, RW, fd, 0x1000, NULL), 0);
	assert_int_equal(mem_write(m, gpa(0x1800), in, sizeof(in)), 0);
	assert_int_equal(mem_read(m, gpa(0x1800), out, sizeof(out)), 0);
	assert_memory_equal(in, out, sizeof(in));
	assert_int_equal(pread(fd, out, 0x1800, 0x8800), 0x1800);
	assert_memory_equal(in, out, 0x1800);
	assert_int_equal(pread(fd, out, 0x1800, 0x1000), 0x1800);
	assert_memory_equal(in + 0x1800, out, 0x1800);

	assert_int_equal(mem_read(m, gpa(0), out, 1), -EFAULT);
	assert_int_equal(mem_read(m, gpa(0x4fff), out, 2), -EFAULT);
	assert_int_equal(mem_read(m, gpa(UINT64_MAX), out, 2), -EFAULT);
	assert_int_equal(mem_read(m, gpa(0), out, 0), 0);
	assert_int_equal(mem_map(m, gpa(0x5000), 0x1000, MEM_READ, fd, 0, NULL), 0);
	assert_int_equal(mem_read(m, gpa(0x5000), out, 16), 0);
	assert_int_equal(mem_write(m, gpa(0x5000), in, 16), -EACCES);
	assert_int_equal(mem_map(m, gpa(0x6000), 0x1000, RW, -1, 0, NULL), 0);
	assert_int_equal(mem_read(m, gpa(0x6000), out, 16), -ENODEV);
	/* The file goes, the memory stays. */
	close(fd);
	assert_int_equal(mem_read(m, gpa(0x1800), out, sizeof(out)), 0);
	assert_memory_equal(in, out, sizeof(in));
}

static void test_last_page(void **state)
{
	int fd = file_of(4096);
	char out[8];

	assert_int_equal(mem_map(*state, gpa(-UINT64_C(4096)), 4096, RW, fd, 0, NULL), 0);
	assert_int_equal(mem_write(*state, gpa(UINT64_MAX - 7), "the end", 8), 0);
	assert_int_equal(mem_read(*state, gpa(UINT64_MAX - 7), out, 8), 0);
	assert_string_equal(out, "the end");
	assert_int_equal(mem_read(*state, gpa(UINT64_MAX - 6), out, 8), -EFAULT);
	close(fd);
}

/* ---- listeners ---- */

struct notes {
	struct mem *m;
	int maps, unmaps, map_result, unmap_result;
	uint64_t gpa, size;
	void *p;
};

static int on_map(void *arg, const struct mem_map *map)
{
	struct notes *n = arg;

	n->maps++;
	n->gpa = map->gpa.v;
	n->size = map->size_bytes;
	n->p = map->hva.p;
	if (n->p)
		*(volatile char *)n->p = 'm'; /* it can be used already */
	return n->map_result;
}

static int on_unmap(void *arg, const struct mem_map *map)
{
	struct notes *n = arg;
	char c;

	n->unmaps++;
	n->p = map->hva.p;
	/* Nobody finds it any more, but it is still there. */
	assert_int_equal(mem_read(n->m, map->gpa, &c, 1), -EFAULT);
	if (n->p)
		assert_int_equal(*(volatile char *)n->p, 'm');
	return n->unmap_result;
}

static void test_listener(void **state)
{
	struct mem *m = *state;
	struct notes n = {.m = m};
	const struct mem_listener l = {.map = on_map, .unmap = on_unmap, .arg = &n};
	struct mem_stats s;
	int fd = file_of(8192);
	char c;

	mem_listen(m, &l);
	assert_int_equal(mem_map(m, gpa(0x4000), 8192, RW, fd, 0, NULL), 0);
	assert_int_equal(n.maps, 1);
	assert_int_equal(n.gpa, 0x4000);
	assert_int_equal(n.size, 8192);
	assert_int_equal(mem_map(m, gpa(0), 4096, RW, -1, 0, NULL), 0);
	assert_null(n.p);
	assert_int_equal(mem_unmap(m, gpa(0x4000), 8192, NULL), 0);
	assert_int_equal(n.unmaps, 1);
	mem_unmap_all(m);
	assert_int_equal(n.unmaps, 2);

	/* Refused: as if it had never been. */
	n.map_result = -ENOSPC;
	assert_int_equal(mem_map(m, gpa(0x4000), 8192, RW, fd, 0, NULL), -ENOSPC);
	assert_int_equal(mem_read(m, gpa(0x4000), &c, 1), -EFAULT);
	mem_stats_get(m, &s);
	assert_int_equal(s.maps, 0);
	assert_int_equal(s.bytes, 0);
	n.map_result = 0;
	assert_int_equal(mem_map(m, gpa(0x4000), 8192, RW, fd, 0, NULL), 0);
	mem_unmap_all(m);
	mem_listen(m, NULL);
	close(fd);
}

/* Somebody cannot let go: the address range stays, the guest's memory does not. */
static void test_leak(void **state)
{
	struct mem *m = *state;
	struct notes n = {.m = m, .unmap_result = -ETIMEDOUT};
	const struct mem_listener l = {.map = on_map, .unmap = on_unmap, .arg = &n};
	struct mem_stats s;
	int fd = file_of(8192);
	char c = 0;

	mem_listen(m, &l);
	assert_int_equal(mem_map(m, gpa(0), 8192, RW, fd, 0, NULL), 0);
	assert_int_equal(mem_unmap(m, gpa(0), 8192, NULL), 0);
	*(volatile char *)n.p = 'x';
	assert_int_equal(pread(fd, &c, 1, 0), 1);
	assert_int_equal(c, 'm');
	mem_stats_get(m, &s);
	assert_int_equal(s.leaked, 1);
	assert_int_equal(s.maps, 0);
	assert_int_equal(s.bytes, 0);
	assert_int_equal(mem_map(m, gpa(0), 8192, RW, fd, 0, NULL), 0);
	n.unmap_result = 0;
	mem_listen(m, NULL);
	close(fd);
}

static void count_maps(void *arg, const struct mem_map *map)
{
	uint64_t *last = arg;

	assert_true(map->gpa.v > *last);
	*last = map->gpa.v;
}

static void test_each(void **state)
{
	uint64_t last = 0;

	for (uint64_t i = 20; i > 0; i--)
		assert_int_equal(mem_map(*state, gpa(i << 13), 4096, RW, -1, 0, NULL), 0);
	mem_each(*state, count_maps, &last);
	assert_int_equal(last, 20 << 13);
}

/* ---- files ---- */

static void test_files(void **state)
{
	int memfd = file_of(8192), pipes[2];
	struct mem_fd info;
	struct err e;
	char path[64];
	int fd;

	assert_int_equal(mem_fd_check(memfd, 0, 8192, RW, &info, NULL), 0);
	assert_false(info.sealed);
	assert_int_equal(info.page_bytes, 4096);
	assert_int_equal(mem_fd_check(memfd, 4096, 8192, RW, &info, &e), -EINVAL);
	assert_int_equal(mem_fd_check(memfd, UINT64_MAX - 4095, 4096, RW, &info, &e), -EINVAL);
	assert_int_equal(mem_fd_check(memfd, 0, UINT64_MAX, RW, &info, &e), -EINVAL);
	assert_int_equal(mem_fd_check(-1, 0, 4096, RW, &info, &e), -EINVAL);
	assert_int_equal(mem_fd_check(12345, 0, 4096, RW, &info, &e), -EINVAL);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", memfd);
	fd = open(path, O_PATH | O_CLOEXEC);
	assert_int_equal(mem_fd_check(fd, 0, 4096, MEM_READ, &info, &e), -EINVAL);
	close(fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(mem_fd_check(fd, 0, 4096, RW, &info, &e), -EACCES);
	assert_int_equal(mem_fd_check(fd, 0, 4096, MEM_READ, &info, &e), 0);
	close(fd);
	fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	assert_int_equal(mem_fd_check(fd, 0, 4096, MEM_READ, &info, &e), -EINVAL);
	assert_non_null(strstr(e.help, "share=on"));
	close(fd);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(mem_fd_check(pipes[0], 0, 4096, MEM_READ, &info, &e), -EINVAL);
	close(pipes[0]);
	close(pipes[1]);
	fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	assert_int_equal(mem_fd_check(fd, 0, 4096, RW, &info, &e), -EINVAL);
	close(fd);

	assert_int_equal(fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	assert_int_equal(mem_fd_check(memfd, 0, 8192, RW, &info, NULL), 0);
	assert_true(info.sealed);
	assert_int_equal(fcntl(memfd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
	assert_int_equal(mem_fd_check(memfd, 0, 8192, RW, &info, &e), -EACCES);
	assert_int_equal(mem_fd_check(memfd, 0, 8192, MEM_READ, &info, NULL), 0);
	close(memfd);
}

/* Hugetlbfs maps whole huge pages; QEMU splits RAM at 640 KiB all the same. */
static void test_hugetlb(void **state)
{
	int fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB | MFD_HUGE_2MB);
	struct mem *m = *state;
	char out[8];

	assert_int_equal(guard_install(), 0); /* cmocka puts its own handler before each test */
	if (fd < 0)
		skip();
	if (ftruncate(fd, 4 << 20) || mem_map(m, gpa(0), 0xc0000, RW, fd, 0, NULL)) {
		close(fd);
		skip(); /* no huge page to be had */
	}
	assert_int_equal(
		mem_map(m, gpa(0x100000), (4 << 20) - 0x100000, RW, fd, 0x100000, NULL), 0);
	/* With no page in the pool a touch raises SIGBUS, and meets the guard. */
	assert_int_equal(mem_write(m, gpa(0x100ffc), "in huge", 8), 0);
	assert_int_equal(mem_read(m, gpa(0x100ffc), out, 8), 0);
	assert_string_equal(out, "in huge");
	mem_unmap_all(m);
	close(fd);
}

/* ---- the guard ---- */

static void test_cut_file(void **state)
{
	struct mem *m = *state;
	struct mem_stats s;
	int cut = file_of(65536), whole = file_of(65536);
	char buf[4096];

	assert_int_equal(guard_install(), 0); /* cmocka puts its own handler before each test */
	assert_int_equal(mem_map(m, gpa(0), 65536, RW, cut, 0, NULL), 0);
	assert_int_equal(mem_map(m, gpa(0x10000), 65536, RW, whole, 0, NULL), 0);
	memset(buf, 'a', sizeof(buf));
	for (uint64_t p = 0; p < 32; p++)
		assert_int_equal(mem_write(m, gpa(p << 12), buf, sizeof(buf)), 0);
	assert_false(mem_shrunk(m));
	assert_int_equal(ftruncate(cut, 16384), 0);
	for (uint64_t p = 32; p-- > 0;) { /* from the end: one fault a page at worst */
		assert_int_equal(mem_read(m, gpa(p << 12), buf, sizeof(buf)), 0);
		assert_int_equal(buf[100], p >= 4 && p < 16 ? 0 : 'a');
	}
	assert_true(mem_shrunk(m));
	mem_stats_get(m, &s);
	assert_int_equal(s.sigbus, 12);
	assert_int_equal(mem_unmap(m, gpa(0), 65536, NULL), 0);

	/* From the start: one fault for all the rest. */
	assert_int_equal(mem_map(m, gpa(0), 16384, RW, cut, 0, NULL), 0);
	assert_int_equal(ftruncate(cut, 0), 0);
	for (uint64_t p = 0; p < 4; p++)
		assert_int_equal(mem_write(m, gpa(p << 12), "z", 1), 0);
	mem_stats_get(m, &s);
	assert_int_equal(s.sigbus, 13);
	close(cut);
	close(whole);
}

static void test_cut_read_only(void **state)
{
	struct mem *m = *state;
	int fd = file_of(8192);
	char c = 'x';

	assert_int_equal(guard_install(), 0); /* cmocka puts its own handler before each test */
	assert_int_equal(mem_map(m, gpa(0), 8192, MEM_READ, fd, 0, NULL), 0);
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(mem_read(m, gpa(4096), &c, 1), 0);
	assert_int_equal(c, 0);
	close(fd);
}

static void chained(int sig)
{
	_exit(42);
}

/* A SIGBUS that is none of ours: to the handler before us, or the death that it would have been. */
static int foreign_sigbus(bool handler)
{
	int status, fd;
	pid_t pid = fork();
	char *p;

	if (pid == 0) {
		signal(SIGBUS, handler ? chained : SIG_DFL);
		/* The test process has the guard already: a fresh one chains to what stands now. */
		guard_install();
		fd = memfd_create("x", 0);
		p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
		_exit(*(volatile char *)p);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void test_foreign_sigbus(void **state)
{
	int status = foreign_sigbus(true);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
	status = foreign_sigbus(false);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
}

static void test_many_guards(void **state)
{
	struct guard_owner owner = {0};
	struct guard_slot *slots[1000];
	int fd = file_of(4096);
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	assert_int_equal(guard_install(), 0); /* cmocka puts its own handler before each test */
	for (uintptr_t i = 0; i < 1000; i++) {
		slots[i] = guard_add(
			i == 500 ? (void *)p : (void *)((i + 1) << 40), 4096, 4096, true, &owner);
		assert_non_null(slots[i]);
	}
	assert_int_equal(ftruncate(fd, 0), 0);
	*(volatile char *)p = 1;
	assert_int_equal(atomic_load(&owner.times), 1);
	for (int i = 0; i < 1000; i++)
		guard_remove(slots[i]);
	guard_remove(NULL);
	munmap(p, 4096);
	close(fd);
}

/* ---- readers beside a writer ---- */

#define RACE_BYTES KIB(256) /* a copy takes long enough to be met by an unmap */

struct race {
	struct mem *m;
	_Atomic bool stop;
	_Atomic uint64_t hits, misses;
};

static void *race_reader(void *arg)
{
	struct race *r = arg;
	char *buf = malloc(RACE_BYTES);

	while (!atomic_load(&r->stop)) {
		int ret = mem_read(r->m, gpa(0x1000), buf, RACE_BYTES);

		if (ret == 0) {
			for (size_t i = 1; i < RACE_BYTES; i += 1000) {
				if (buf[i] != buf[0])
					abort(); /* other memory than the map's */
			}
			atomic_fetch_add(&r->hits, 1);
		} else if (ret == -EFAULT) {
			atomic_fetch_add(&r->misses, 1);
		} else {
			abort();
		}
	}
	free(buf);
	return NULL;
}

static void test_readers(void **state)
{
	struct race r = {.m = *state};
	int fds[2] = {file_of(RACE_BYTES), file_of(RACE_BYTES)};
	char *buf = malloc(RACE_BYTES);
	pthread_t t[3];

	for (int i = 0; i < 2; i++) {
		memset(buf, 'a' + i, RACE_BYTES);
		assert_int_equal(pwrite(fds[i], buf, RACE_BYTES, 0), RACE_BYTES);
	}
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, race_reader, &r);
	/* Until readers have met both often; each unmap while copies are under way. */
	for (int i = 0; i < 500 || atomic_load(&r.hits) < 300 || !atomic_load(&r.misses); i++) {
		uint64_t hits = atomic_load(&r.hits);

		assert_int_equal(
			mem_map(*state, gpa(0x1000), RACE_BYTES, RW, fds[i & 1], 0, NULL), 0);
		for (int k = 0; k < 100 && (i % 4) && atomic_load(&r.hits) == hits; k++)
			usleep(20);
		assert_int_equal(mem_unmap(*state, gpa(0x1000), RACE_BYTES, NULL), 0);
	}
	atomic_store(&r.stop, true);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	free(buf);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_foreign_sigbus), /* first: before the guard is installed */
		T(test_rules),
		T(test_limit),
		T(test_bytes_limit),
		T(test_copies),
		T(test_last_page),
		T(test_listener),
		T(test_leak),
		T(test_each),
		T(test_files),
		T(test_hugetlb),
		T(test_cut_file),
		T(test_cut_read_only),
		T(test_many_guards),
		T(test_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
