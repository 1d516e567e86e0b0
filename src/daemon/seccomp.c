/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system calls that serving needs, a row each with its reason; everything else kills the process.
 *
 * The filter goes in when sockets are bound, before the first client. Nothing here opens or removes a
 * file, makes a socket, starts a program or makes memory executable: what a client can make a broken server do is
 * bounded by this table and by the one VM whose memory is mapped.
 */
#include "daemon/privileges.h"
#include "base/util.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>

struct allowed {
	int call;
	/* One condition: argument `arg` & mask == value; mask 0: none. */
	unsigned int arg;
	uint64_t mask, value;
	const char *why;
};

// clang-format off
static const struct allowed table[] = {
	/* messages */
	{SCMP_SYS(accept4), 0, 0, 0, "clients of both sockets"},
	{SCMP_SYS(accept), 0, 0, 0, "the same"},
	{SCMP_SYS(recvmsg), 0, 0, 0, "requests and the fds that come with them"},
	{SCMP_SYS(sendmsg), 0, 0, 0, "replies and the fds we give out"},
	{SCMP_SYS(recvfrom), 0, 0, 0, "recv()"},
	{SCMP_SYS(sendto), 0, 0, 0, "send()"},
	{SCMP_SYS(getsockopt), 0, 0, 0, "SO_PEERCRED of control clients"},
	{SCMP_SYS(setsockopt), 0, 0, 0, "buffer sizes and timeouts of a connection"},
	{SCMP_SYS(shutdown), 0, 0, 0, "waking a connection's thread at the end"},
	{SCMP_SYS(poll), 0, 0, 0, "the control loop; a connection with a timeout"},
	{SCMP_SYS(ppoll), 0, 0, 0, "the same"},
	{SCMP_SYS(read), 0, 0, 0, "eventfds"},
	{SCMP_SYS(write), 0, 0, 0, "eventfds (MSI) and log lines on stderr"},
	{SCMP_SYS(writev), 0, 0, 0, "log lines; glibc's own last words"},
	{SCMP_SYS(close), 0, 0, 0, "fds of clients"},
	{SCMP_SYS(fcntl), 0, 0, 0, "F_GETFL and F_GET_SEALS of fds received, F_ADD_SEALS of ours"},
	{SCMP_SYS(fstat), 0, 0, 0, "is a received fd memory, how long is it"},
	{SCMP_SYS(newfstatat), 0, 0, 0, "fstat() of glibc 2.33 and later"},
	{SCMP_SYS(fstatfs), 0, 0, 0, "is it tmpfs or hugetlbfs"},
	/* Tells names, opens nothing. fstat() instead could wait for ever for a FUSE file's server. */
	{SCMP_SYS(readlink), 0, 0, 0, "is a received fd an eventfd: its link in /proc/self/fd"},
	{SCMP_SYS(readlinkat), 0, 0, 0, "the same"},
	{SCMP_SYS(eventfd2), 0, 0, 0, "wake-ups between our threads"},
	{SCMP_SYS(lseek), 0, 0, 0, "the size of a received fd"},

	/* memory: never executable */
	{SCMP_SYS(mmap), 2, PROT_EXEC, 0, "guest RAM, malloc, thread stacks, the SIGBUS guard"},
	{SCMP_SYS(mprotect), 2, PROT_EXEC, 0, "malloc's arenas, stack guards"},
	{SCMP_SYS(munmap), 0, 0, 0, "the same"},
	{SCMP_SYS(mremap), 0, 0, 0, "realloc of large blocks"},
	{SCMP_SYS(madvise), 0, 0, 0, "free() and thread stacks give pages back"},
	{SCMP_SYS(brk), 0, 0, 0, "malloc"},
	{SCMP_SYS(memfd_create), 0, 0, 0, "pictures and dumps that we give out"},
	{SCMP_SYS(ftruncate), 0, 0, 0, "their size"},

	/* threads and time */
	{SCMP_SYS(futex), 0, 0, 0, "locks and conditions"},
	{SCMP_SYS(clone), 0, CLONE_VM | CLONE_THREAD, CLONE_VM | CLONE_THREAD, "a thread a connection; no process"},
	{SCMP_SYS(set_robust_list), 0, 0, 0, "start of a thread"},
	{SCMP_SYS(rseq), 0, 0, 0, "start of a thread"},
	{SCMP_SYS(exit), 0, 0, 0, "end of a thread"},
	{SCMP_SYS(exit_group), 0, 0, 0, "end of the process"},
	{SCMP_SYS(membarrier), 0, 0, 0, "readers of published maps"},
	{SCMP_SYS(sched_yield), 0, 0, 0, "waiting for a reader to leave"},
	{SCMP_SYS(sched_getaffinity), 0, 0, 0, "malloc counts CPUs for its arenas"},
	{SCMP_SYS(clock_gettime), 0, 0, 0, "time, where the vDSO cannot tell it"},
	{SCMP_SYS(clock_nanosleep), 0, 0, 0, "the display's clock, bounded waits"},
	{SCMP_SYS(nanosleep), 0, 0, 0, "the same"},
	{SCMP_SYS(gettid), 0, 0, 0, "lock owners; abort()"},
	{SCMP_SYS(getpid), 0, 0, 0, "abort()"},
	{SCMP_SYS(geteuid), 0, 0, 0, "is a control client the same user"},
	{SCMP_SYS(getrandom), 0, 0, 0, "json-c's and malloc's seeds"},

	/* signals */
	{SCMP_SYS(rt_sigaction), 0, 0, 0, "the SIGBUS guard"},
	{SCMP_SYS(rt_sigprocmask), 0, 0, 0, "start of a thread"},
	{SCMP_SYS(rt_sigreturn), 0, 0, 0, "return from the SIGBUS guard"},
	{SCMP_SYS(rt_sigtimedwait), 0, 0, 0, "SIGTERM and SIGINT end us"},
	{SCMP_SYS(sigaltstack), 0, 0, 0, "the SIGBUS guard; sanitizers"},
	{SCMP_SYS(restart_syscall), 0, 0, 0, "after a stop and continue"},
	{SCMP_SYS(wait4), 0, 0, 0, "the janitor's end"},
};

/* What our code or glibc tries and can do without: it fails, and nobody is killed for it. */
static const struct {
	int call, error;
	const char *why;
} refused[] = {
	{SCMP_SYS(clone3), ENOSYS, "its flags are in memory, where a filter cannot look: glibc takes clone"},
	{SCMP_SYS(ioctl), ENOTTY, "isatty() of a log line's stdio buffer"},
	{SCMP_SYS(lstat), EPERM, "are the sockets still ours, at the end: the janitor's affair"},
	{SCMP_SYS(unlink), EPERM, "removing them: the janitor's (daemon/janitor.h)"},
	{SCMP_SYS(unlinkat), EPERM, "the same"},
};
// clang-format on

static int allow(scmp_filter_ctx ctx, const struct allowed *a)
{
	if (!a->mask)
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, a->call, 0);
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, a->call, 1,
		SCMP_CMP(a->arg, SCMP_CMP_MASKED_EQ, a->mask, a->value));
}

int seccomp_load_list(enum seccomp_mode mode, struct err *e)
{
	scmp_filter_ctx ctx;
	int ret;

	if (mode == SECCOMP_OFF)
		return 0;
	ctx = seccomp_init(mode == SECCOMP_LOG ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS);
	if (!ctx)
		return err_set(e, -ENOMEM, NULL, "seccomp filter");
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		ret = allow(ctx, &table[i]);
		/* A call that this architecture does not have. */
		if (ret == -EDOM || ret == -EINVAL)
			continue;
		if (ret)
			goto failed;
	}
	/* A thread names itself. */
	ret = seccomp_rule_add(
		ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
	if (ret)
		goto failed;
	/* abort() of ours, and only of ours. */
	ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
		SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	for (size_t i = 0; i < ARRAY_SIZE(refused) && !ret; i++) {
		ret = seccomp_rule_add(
			ctx, SCMP_ACT_ERRNO((uint32_t)refused[i].error), refused[i].call, 0);
		ret = ret == -EDOM ? 0 : ret; /* not on this architecture */
	}
	if (!ret)
		ret = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!ret)
		ret = seccomp_load(ctx);
	if (!ret) {
		seccomp_release(ctx);
		return 0;
	}
failed:
	seccomp_release(ctx);
	return err_set(e, ret, "--seccomp=off runs without it", "loading the seccomp filter");
}
