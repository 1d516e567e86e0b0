/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ring of trace events. */
#include "base/trace.h"
#include "base/util.h"

#include <errno.h>
#include <stdlib.h>

int trace_init(struct trace *t, uint32_t events)
{
	memset(t, 0, sizeof(*t));
	t->ring = calloc(events, sizeof(t->ring[0]));
	if (!t->ring)
		return -ENOMEM;
	t->size = events;
	lock_init(&t->lock, LOCK_RANK_LEAF);
	return 0;
}

void trace_finish(struct trace *t)
{
	if (!t->ring)
		return;
	free(t->ring);
	t->ring = NULL;
	lock_finish(&t->lock);
}

void trace_put(struct trace *t, const struct trace_event *ev)
{
	lock_acquire(&t->lock);
	if (t->head - t->tail == t->size)
		t->dropped++;
	else
		t->ring[t->head++ % t->size] = *ev;
	lock_release(&t->lock);
}

uint32_t trace_take(struct trace *t, struct trace_event *out, uint32_t max, uint64_t *dropped)
{
	uint32_t n = 0;

	lock_acquire(&t->lock);
	while (n < max && t->tail != t->head)
		out[n++] = t->ring[t->tail++ % t->size];
	*dropped = t->dropped;
	t->dropped = 0;
	lock_release(&t->lock);
	return n;
}
