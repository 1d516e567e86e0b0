/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capabilities, no_new_privs, core files. */
#include "daemon/privileges.h"
#include "base/util.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static int drop_bounding_set(struct err *e)
{
	for (unsigned int cap = 0; cap < 64; cap++) {
		int have = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (have < 0)
			return 0; /* past the kernel's last capability */
		if (have && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			return err_set(e, -errno, NULL,
				"dropping capability %u from the bounding set", cap);
	}
	return 0;
}

int privileges_drop(struct err *e)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2], have[2];
	const struct rlimit no_core = {0, 0};
	int ret;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return err_set(e, -errno, NULL, "prctl(PR_SET_NO_NEW_PRIVS)");
	if (setrlimit(RLIMIT_CORE, &no_core))
		return err_set(e, -errno, NULL, "setrlimit(RLIMIT_CORE)");
	if (syscall(SYS_capget, &header, have))
		return err_set(e, -errno, NULL, "capget");
	/* The bounding set can be emptied only by who has CAP_SETPCAP; others gain nothing by it. */
	if (have[0].effective & BIT(CAP_SETPCAP)) {
		ret = drop_bounding_set(e);
		if (ret)
			return ret;
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) && errno != EINVAL)
		return err_set(e, -errno, NULL, "clearing ambient capabilities");
	memset(none, 0, sizeof(none));
	if (syscall(SYS_capset, &header, none))
		return err_set(e, -errno, NULL, "capset");
	return 0;
}
