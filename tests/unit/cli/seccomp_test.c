/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a confined process can and cannot do: each case in a child of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/util.h"
#include "daemon/privileges.h"

/* Runs fn in a child under the filter; its wait status. */
static int confined(enum seccomp_mode mode, int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct err e = {0};

		if (privileges_drop(&e) || seccomp_load_list(mode, &e)) {
			err_print("seccomp_test", &e);
			_exit(99);
		}
		_exit(fn());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int forbidden_open(void)
{
	return open("/etc/passwd", O_RDONLY) >= 0 ? 0 : 1;
}

static int forbidden_exec(void)
{
	char *const argv[] = {"true", NULL};

	return execve("/bin/true", argv, argv + 1);
}

static int forbidden_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? 0 : 1;
}

static int forbidden_fork(void)
{
	return syscall(SYS_fork) >= 0 ? 0 : 1;
}

/* clone without CLONE_THREAD makes a process. */
static int forbidden_clone(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) >= 0 ? 0 : 1;
}

static int forbidden_exec_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	       MAP_FAILED;
}

static int forbidden_ptrace(void)
{
	return syscall(SYS_ptrace, 0, 0, 0, 0) >= 0 ? 0 : 1;
}

static int forbidden_kill(void)
{
	return kill(getppid(), 0) ? 1 : 0;
}

static int forbidden_tgkill(void)
{
	return syscall(SYS_tgkill, 1, 1, 0) ? 1 : 0;
}

static void test_forbidden(void **state)
{
	static int (*const calls[])(void) = {
		forbidden_open,
		forbidden_exec,
		forbidden_socket,
		forbidden_fork,
		forbidden_clone,
		forbidden_exec_memory,
		forbidden_ptrace,
		forbidden_kill,
		forbidden_tgkill,
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		int status = confined(SECCOMP_ON, calls[i]);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			print_error("call %zu: status %#x\n", i, status);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
		assert_false(WCOREDUMP(status));
	}
	/* The same calls do work without it: the cases test the filter and nothing else. */
	assert_int_equal(confined(SECCOMP_OFF, forbidden_open), 0);
	assert_int_equal(confined(SECCOMP_OFF, forbidden_socket), 0);
	assert_int_equal(confined(SECCOMP_LOG, forbidden_open), 0);
}

static void *thread(void *arg)
{
	void *p = malloc(1 << 20);

	*(int *)arg = p != NULL;
	free(p);
	return NULL;
}

/* What serving does: threads, messages with fds, memory from fds, pictures, time, allocation. */
static int served(void)
{
	int done = 0, fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct timespec moment = {0, 1000};
	uint64_t one = 1;
	pthread_t t;
	void *map;

	if (fd < 0 || ftruncate(fd, 8192))
		return 2;
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return 3;
	memset(map, 1, 8192);
	if (munmap(map, 8192) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) ||
		lseek(fd, 0, SEEK_END) != 8192)
		return 4;
	if (pthread_create(&t, NULL, thread, &done) || pthread_join(t, NULL) || !done)
		return 5;
	nanosleep(&moment, NULL);
	fd = eventfd(0, 0);
	if (fd < 0 || write(fd, &one, 8) != 8 || read(fd, &one, 8) != 8)
		return 6;
	fprintf(stderr, "a line of log\n");
	return 0;
}

static void test_allowed(void **state)
{
	assert_int_equal(confined(SECCOMP_ON, served), 0);
}

/* A confined process can still say where its own bug is. */
static int aborts(void)
{
	abort();
}

static void test_abort(void **state)
{
	int status = confined(SECCOMP_ON, aborts);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_false(WCOREDUMP(status));
}

/* Sockets are removed by the janitor: the server itself is refused, and goes on. */
static char victim[] = "/tmp/ugvt-seccomp-XXXXXX";

static int removes(void)
{
	return unlink(victim) == -1 && errno == EPERM &&
			       syscall(SYS_unlinkat, -100, victim, 0) == -1
		       ? 0
		       : 1;
}

static void test_remove(void **state)
{
	int fd = mkstemp(victim);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(confined(SECCOMP_ON, removes), 0);
	assert_int_equal(access(victim, F_OK), 0);
	assert_int_equal(unlink(victim), 0);
}

static pthread_barrier_t barrier;

static void *early_thread(void *arg)
{
	pthread_barrier_wait(&barrier); /* the filter is being loaded */
	pthread_barrier_wait(&barrier);
	open("/etc/passwd", O_RDONLY);
	return NULL;
}

/* A thread that ran before the filter came is under it too. */
static void test_all_threads(void **state)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		pthread_t t;

		pthread_barrier_init(&barrier, NULL, 2);
		pthread_create(&t, NULL, early_thread, NULL);
		pthread_barrier_wait(&barrier);
		if (privileges_drop(NULL) || seccomp_load_list(SECCOMP_ON, NULL))
			_exit(99);
		pthread_barrier_wait(&barrier);
		pthread_join(t, NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static int without_rights(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct have[2];
	struct rlimit core;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 1;
	if (syscall(SYS_capget, &header, have))
		return 2;
	if (have[0].effective | have[0].permitted | have[0].inheritable | have[1].effective |
		have[1].permitted | have[1].inheritable)
		return 3;
	if (geteuid() == 0 && prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0))
		return 4;
	if (getrlimit(RLIMIT_CORE, &core) || core.rlim_max)
		return 5;
	return 0;
}

static void test_privileges(void **state)
{
	assert_int_equal(confined(SECCOMP_OFF, without_rights), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_privileges),
		cmocka_unit_test(test_forbidden),
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_all_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
