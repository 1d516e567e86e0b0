// SPDX-License-Identifier: GPL-2.0-or-later
/* What the driver did wrong, counted; and the first fault of the device as a whole. */
#include <stdio.h>

#include "base/log.h"
#include "gpu/model/model.h"

const char *const violation_names[VIOLATION_COUNT] = {
	[VIOLATION_FORCEWAKE] = "forcewake",
	[VIOLATION_GGTT_FLUSH] = "ggtt_flush",
	[VIOLATION_STALE_TLB] = "stale_tlb",
	[VIOLATION_CONTEXT_WRITE] = "context_write",
	[VIOLATION_TAIL_ALIGN] = "tail_align",
	[VIOLATION_LITE_RESTORE] = "lite_restore",
	[VIOLATION_ELSP_OVERRUN] = "elsp_overrun",
	[VIOLATION_CSB_OVERFLOW] = "csb_overflow",
	[VIOLATION_RESET_HANDSHAKE] = "reset_handshake",
	[VIOLATION_CS_REGISTER] = "cs_register",
	[VIOLATION_CS_PRIVILEGE] = "cs_privilege",
	[VIOLATION_UNKNOWN_COMMAND] = "unknown_command",
	[VIOLATION_DESCRIPTOR] = "descriptor",
};

void model_violate(struct model *m, enum violation v, uint64_t detail)
{
	atomic_store_explicit(&m->violations.last[v], detail, memory_order_relaxed);
	atomic_fetch_add_explicit(&m->violations.count[v], 1, memory_order_relaxed);
}

void model_fault(struct model *m, const char *text)
{
	bool first;

	lock_acquire(&m->fault_lock);
	first = !m->fault[0];
	if (first)
		snprintf(m->fault, sizeof(m->fault), "%s", text);
	lock_release(&m->fault_lock);
	if (first)
		log_limited(LOG_ERROR, "%s", text);
}
