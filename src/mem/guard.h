/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guard against files that are cut while we have them mapped.
 *
 * A process-wide SIGBUS handler knows every guarded range. When an access in one of them raises
 * SIGBUS (the file is shorter than the mapping now, or a page of it cannot be had), zero pages take
 * the place of the rest of that mapping, the range's flag is set, and the access goes on. A SIGBUS
 * elsewhere reaches whoever handled it before us, or ends the process as it would have.
 */
#ifndef MEM_GUARD_H
#define MEM_GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guard_owner {
	_Atomic bool shrunk;	/* a guard stepped in */
	_Atomic uint64_t times; /* how often */
};

struct guard_slot;

/*
 * Installs the handler for the process, in front of what handles SIGBUS now; again only when somebody
 * has put another in its place. Before the first access to a guarded range. 0 or -errno.
 */
int guard_install(void);

/*
 * Guards [base, base + size): page aligned, a whole mapping of `page_bytes` pages (hugetlb's for
 * hugetlbfs). `owner` is borrowed until guard_remove. NULL: no memory.
 */
struct guard_slot *guard_add(
	void *base, size_t size, size_t page_bytes, bool writable, struct guard_owner *owner);

/* The caller has made sure that nobody touches the range any more. `slot` may be NULL. */
void guard_remove(struct guard_slot *slot);

#endif
