/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trace events: what a device did, as records in a bounded ring that a client drains.
 *
 * Producers are connection and engine threads; they never wait: a full ring drops the event and
 * counts it. With no reader the producer's cost is one relaxed load.
 */
#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/lock.h"

enum trace_kind {
	TRACE_MMIO_READ = 1, /* a: offset, b: value, n: bytes */
	TRACE_MMIO_WRITE,
	TRACE_GGTT_WRITE, /* a: index, b: value */
	TRACE_CFG_READ,	  /* a: offset, b: value, n: bytes */
	TRACE_CFG_WRITE,
	TRACE_IRQ,    /* a: master interrupt bits */
	TRACE_SUBMIT, /* unit: engine; a: descriptor 0, b: descriptor 1 */
	TRACE_CSB,    /* unit: engine; a: status, b: context id */
	TRACE_COMMAND, /* unit: engine; a: gma; b: flags (1: in a batch, 2: user, 4: PPGTT); n: dwords in dw */
	TRACE_RESET, /* a: engines, b: 1 full GT, 2 function level */
	TRACE_FAULT, /* unit: engine; a: gma; b: reason */
	TRACE_FRAME, /* unit: pipe; a: frame */
};

#define TRACE_DW_MAX 16

struct trace_event {
	uint64_t ns;
	uint64_t a, b;
	uint16_t kind;
	uint16_t unit;
	uint32_t n;
	uint32_t dw[TRACE_DW_MAX];
};

struct trace {
	_Atomic bool on;
	struct lock lock; /* leaf */
	struct trace_event *ring;
	uint32_t size, head, tail; /* head: next to write; tail: next to read */
	uint64_t dropped;
};

int trace_init(struct trace *t, uint32_t events);
void trace_finish(struct trace *t);
void trace_put(struct trace *t, const struct trace_event *ev);
/* Moves up to `max` events out; returns how many; *dropped gets the number lost since last time. */
uint32_t trace_take(struct trace *t, struct trace_event *out, uint32_t max, uint64_t *dropped);

static inline bool trace_on(const struct trace *t)
{
	return t && atomic_load_explicit(&t->on, memory_order_relaxed);
}

#endif
