// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command streamer: fetch, decode, batches, privilege, budget.
 *
 * A streamer stands at one of three levels: the ring, a first-level batch, a second-level batch; each
 * has the address of its next command, its address space and its privilege. Privilege follows the
 * batch (a batch in the PPGTT is a user's) and a user batch can start only user batches.
 *
 * cs_run() is the hot loop. It keeps a window, the rest of the current 4 KiB page (of the ring: up to
 * the tail), and takes commands from it; when it is used up, the next page is translated. A command's
 * dwords are copied once and its function works on the copy. The address of the next command is stored
 * after each, so that whatever stops the loop, the state is exact: at a command that is done, or at
 * one that will be run again.
 *
 * Once a slice (SLICE_COMMANDS) the engine breathes: it leaves its epoch section so that unmaps go on,
 * gives its cost to the virtual clock and looks whether someone traces. Requests (reset, pause, a new
 * execlist) are seen at every command: one relaxed load.
 */
#include "gpu/model/cs.h"

#include <stdarg.h>
#include <stdio.h>

#include "gpu/model/blt.h"

#define SLICE_COMMANDS 2000
#define CS_DWORDS_MAX  1026 /* the longest length field of a command that is executed, plus 2 */

#define FAULT_REG	0x4094
#define FAULT_TLB_DATA	0x4b10
#define EIR_INSTRUCTION BIT(0)

_Thread_local struct engine *cs_self;

/* ------------------------------------------------------------------ memory, registers */

bool cs_read64(struct engine *e, uint64_t gma, enum space space, uint64_t *v)
{
	uint32_t lo, hi;

	if (!(gma & 7)) {
		uint8_t *p = cs_ptr(e, gma, space, false);

		if (!p)
			return false;
		*v = __atomic_load_n((uint64_t *)p, __ATOMIC_RELAXED);
		return true;
	}
	if (!cs_read32(e, gma, space, &lo) || !cs_read32(e, gma + 4, space, &hi))
		return false;
	*v = lo | (uint64_t)hi << 32;
	return true;
}

bool cs_write64(struct engine *e, uint64_t gma, enum space space, uint64_t v)
{
	if (!(gma & 7)) {
		uint8_t *p = cs_ptr(e, gma, space, true);

		if (!p)
			return false;
		__atomic_store_n((uint64_t *)p, v, __ATOMIC_RELEASE);
		return true;
	}
	return cs_write32(e, gma, space, (uint32_t)v) &&
	       cs_write32(e, gma + 4, space, (uint32_t)(v >> 32));
}

bool cs_space(struct engine *e, uint32_t dw0, bool ggtt, enum space *space)
{
	if (ggtt && cs_user(e)) {
		model_violate(e->model, VIOLATION_CS_PRIVILEGE, dw0);
		return false;
	}
	*space = ggtt ? SPACE_GGTT : SPACE_PPGTT;
	return true;
}

static bool is_gpr(const struct engine *e, uint32_t offset)
{
	return offset - e->info->mmio_base - RING_GPR < RING_GPRS * 8;
}

/* i915 opens registers to user batches by naming them in RING_FORCE_TO_NONPRIV. */
static bool is_nonpriv(const struct engine *e, uint32_t offset)
{
	for (uint32_t i = 0; i < RING_NONPRIV_SLOTS; i++) {
		if ((ring_peek(e, RING_FORCE_TO_NONPRIV + 4 * i) & 0x3fffffc) == offset)
			return true;
	}
	return false;
}

static bool reg_may(struct engine *e, uint32_t offset, bool write)
{
	const struct reg_row *row;

	if (offset >= GEN9_MMIO_SIZE)
		return false;
	row = regs_row(&e->model->regs, offset);
	/* A reset waits for this very thread. */
	if (row && (row->handler == REG_H_GDRST || row->handler == REG_H_RING_RESET_CTL))
		return false;
	if (!cs_user(e))
		return !row || row->cs != REG_CS_NONE; /* without a row: counted where it lands */
	if (!row)
		return false;
	switch (row->cs) {
	case REG_CS_USER:
		return true;
	case REG_CS_USER_READ:
		return !write || is_nonpriv(e, offset);
	case REG_CS_PRIV:
		return is_nonpriv(e, offset);
	default:
		return false;
	}
}

bool cs_reg_read(struct engine *e, uint32_t offset, uint32_t *v)
{
	offset &= 0x7ffffc;
	if (is_gpr(e, offset)) {
		*v = regs_peek(&e->model->regs, offset);
		return true;
	}
	*v = 0;
	if (!reg_may(e, offset, false)) {
		model_violate(e->model, VIOLATION_CS_REGISTER, offset);
		return false;
	}
	cs_publish(e);
	*v = regs_read(&e->model->regs, offset);
	return true;
}

bool cs_reg_write(struct engine *e, uint32_t offset, uint32_t v)
{
	offset &= 0x7ffffc;
	if (is_gpr(e, offset)) {
		regs_poke(&e->model->regs, offset, v);
		return true;
	}
	if (!reg_may(e, offset, true)) {
		model_violate(e->model, VIOLATION_CS_REGISTER, offset);
		return false;
	}
	regs_write(&e->model->regs, offset, v);
	return true;
}

/* ------------------------------------------------------------------ what shows outside */

void cs_flush_cost(struct engine *e)
{
	if (e->model->clock->is_virtual && e->cost_ns)
		clock_advance(e->model->clock, e->cost_ns);
	e->cost_ns = 0;
}

void cs_publish(struct engine *e)
{
	const struct cs_level *l = cs_level(e);
	uint64_t addr = l->addr;

	/* While the batches of a restore run, the ring is where the image says. */
	ring_poke(e, RING_HEAD,
		(uint32_t)(e->cs.phase == CS_PHASE_RING ? e->cs.level[BATCH_RING].addr
							: e->resume.level[BATCH_RING].addr));
	if (e->cs.depth == BATCH_RING)
		addr += e->ring_start;
	ring_poke(e, RING_BB_ADDR, e->cs.depth == BATCH_RING ? 0 : (uint32_t)addr | 1);
	ring_poke(e, RING_BB_ADDR_UDW, e->cs.depth == BATCH_RING ? 0 : (uint32_t)(addr >> 32));
	ring_poke(e, RING_BB_STATE,
		e->cs.depth != BATCH_RING && l->space == SPACE_PPGTT ? BIT(5) : 0);
	ring_poke(e, RING_IPEHR, atomic_load_explicit(&e->ipehr, memory_order_relaxed));
	atomic_store_explicit(&e->acthd, addr, memory_order_relaxed);
}

enum cs_result cs_hang(struct engine *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->hang_reason, sizeof(e->hang_reason), fmt, ap);
	va_end(ap);
	return CS_HANG;
}

void cs_report_fault(struct engine *e)
{
	struct model *m = e->model;
	const struct engine_fault *f = &e->fault;
	struct trace *t = atomic_load_explicit(&m->trace, memory_order_acquire);
	static const uint8_t engine_ids[GEN9_ENGINES] = {
		[RCS0] = 0, [VCS0] = 1, [VCS1] = 2, [VECS0] = 3, [BCS0] = 4};

	cs_hang(e, "%s of %s %llx: %s", f->write ? "write" : "read",
		f->space == SPACE_GGTT ? "GGTT" : "PPGTT", (unsigned long long)f->gma,
		fault_reason_names[f->reason]);
	/* The first fault stays until the driver clears the register: i915 gt/intel_gt.c. */
	if (!(regs_peek(&m->regs, FAULT_REG) & 1)) {
		regs_poke(&m->regs, FAULT_TLB_DATA, (uint32_t)(f->gma >> 12));
		regs_poke(&m->regs, FAULT_TLB_DATA + 4,
			(uint32_t)(f->gma >> 44 & 0xf) | (f->space == SPACE_GGTT ? BIT(4) : 0));
		regs_poke(&m->regs, FAULT_REG,
			1 | (f->space == SPACE_GGTT ? BIT(11) : 0) |
				(uint32_t)engine_ids[e->id] << 12);
	}
	if (f->reason == FAULT_FDLESS)
		model_fault(m, "guest RAM is not shared: add memory-backend-memfd,share=on");
	if (trace_on(t)) {
		struct trace_event ev = {.ns = clock_now_ns(m->clock),
			.kind = TRACE_FAULT,
			.unit = (uint16_t)e->id,
			.a = f->gma,
			.b = f->reason};

		trace_put(t, &ev);
	}
}

void cs_kick_waiters(struct engine *e)
{
	model_each_engine(e->model, other)
	{
		if (other != e && engine_state(other) == ENGINE_WAITING)
			engine_kick(other);
	}
}

static void trace_command(struct engine *e, uint32_t dw0, const uint32_t *dw, uint32_t n)
{
	struct trace *t = atomic_load_explicit(&e->model->trace, memory_order_acquire);
	const struct cs_level *l = cs_level(e);
	struct trace_event ev = {.ns = clock_now_ns(e->model->clock) + e->cost_ns,
		.kind = TRACE_COMMAND,
		.unit = (uint16_t)e->id,
		.a = l->addr + (e->cs.depth == BATCH_RING ? e->ring_start : 0),
		.b = (e->cs.depth != BATCH_RING) | l->user << 1 | (l->space == SPACE_PPGTT) << 2,
		.n = n < TRACE_DW_MAX ? n : TRACE_DW_MAX,
		.dw = {dw0}};

	if (!trace_on(t))
		return;
	if (dw)
		memcpy(ev.dw, dw, ev.n * sizeof(ev.dw[0]));
	else
		ev.n = 1;
	trace_put(t, &ev);
}

bool cs_breathe(struct engine *e)
{
	struct trace *t = atomic_load_explicit(&e->model->trace, memory_order_acquire);

	gtt_leave(e);
	/* An unmap that comes from here on asks again, or sees that nobody is inside. */
	atomic_fetch_and(&e->request, ~(uint32_t)ENGINE_REQ_BREATHE);
	cs_publish(e);
	cs_flush_cost(e);
	e->tracing = trace_on(t);
	gtt_enter(e);
	return atomic_load_explicit(&e->request, memory_order_relaxed) &
	       (ENGINE_REQ_PARK | ENGINE_REQ_QUIT);
}

/* ------------------------------------------------------------------ the loop */

struct window {
	const uint8_t *p, *end;
};

/*
 * The rest of the page at the fetch pointer. False: the ring is done (CS_STOP_EMPTY), or the address
 * leads nowhere (CS_STOP_HUNG; e->fault says why).
 */
static bool window_open(struct engine *e, struct window *w, enum cs_stop *stop)
{
	struct cs_level *l = &e->cs.level[e->cs.depth];
	uint64_t gma = l->addr, left = PAGE_SIZE_4K;

	if (e->cs.depth == BATCH_RING) {
		uint32_t head;

		if (l->addr >= e->ring_bytes)
			l->addr = 0;
		head = (uint32_t)l->addr;
		if (head == e->ring_tail) {
			*stop = CS_STOP_EMPTY;
			return false;
		}
		left = (head < e->ring_tail ? e->ring_tail : e->ring_bytes) - head;
		gma = (uint64_t)e->ring_start + head;
	} else if (e->cs.phase == CS_PHASE_INDIRECT && e->cs.depth == BATCH_FIRST) {
		if (l->addr >= e->cs.phase_end) {
			*stop = CS_STOP_EMPTY;
			return false;
		}
		left = e->cs.phase_end - l->addr;
	}
	w->p = cs_ptr(e, gma, l->space, false);
	if (!w->p) {
		*stop = CS_STOP_HUNG; /* or try again */
		return false;
	}
	w->end = w->p + min_u64(left, PAGE_SIZE_4K - (gma & PAGE_MASK_4K));
	return true;
}

/* The dwords of a command that does not lie in one window: page by page, around the ring's end. */
static bool fetch_split(struct engine *e, uint32_t *dw, unsigned int n)
{
	const struct cs_level *l = cs_level(e);
	uint64_t at = l->addr;

	for (unsigned int i = 0; i < n; i++, at += 4) {
		uint64_t gma = at;

		if (e->cs.depth == BATCH_RING) {
			if (at >= e->ring_bytes)
				at -= e->ring_bytes;
			gma = e->ring_start + at;
		}
		if (!cs_read32(e, gma, l->space, &dw[i]))
			return false;
	}
	return true;
}

/* A command in the ring must end at the tail or before: silicon would run on into what was there. */
static bool past_tail(const struct engine *e, uint32_t n)
{
	uint32_t head, left;

	if (e->cs.depth != BATCH_RING)
		return false;
	head = (uint32_t)e->cs.level[BATCH_RING].addr;
	left = e->ring_tail >= head ? e->ring_tail - head : e->ring_bytes - head + e->ring_tail;
	return (uint64_t)n * 4 > left;
}

static void unknown_command(struct engine *e, uint32_t dw0)
{
	const struct cs_level *l = cs_level(e);

	model_violate(e->model, VIOLATION_UNKNOWN_COMMAND, dw0);
	atomic_store_explicit(&e->unknown_command, dw0, memory_order_relaxed);
	cs_hang(e, "unknown command %08x at %s %llx", dw0,
		e->cs.depth == BATCH_RING ? "ring" : "batch", (unsigned long long)l->addr);
	/* i915 enables this one error only and resets the engine at once. */
	if (!(ring_peek(e, RING_EMR) & EIR_INSTRUCTION)) {
		ring_poke(e, RING_EIR, ring_peek(e, RING_EIR) | EIR_INSTRUCTION);
		model_engine_irq(e, GT_CS_ERROR);
	}
}

/* While MI_SET_PREDICATE holds, only what ends it and what steers batches and arbitration runs. */
static bool predicated_off(const struct cmd_row *row)
{
	switch (row->id) {
	case CMD_MI_SET_PREDICATE:
	case CMD_MI_BATCH_BUFFER_END:
	case CMD_MI_ARB_CHECK:
	case CMD_MI_ARB_ON_OFF:
	case CMD_NOOP:
		return false;
	default:
		return true;
	}
}

/*
 * Decodes and runs the command at the fetch pointer, whose first dword is dw0. *len: its dwords.
 */
static enum cs_result step(struct engine *e, struct window *w, uint32_t dw0, uint32_t *len)
{
	uint32_t dw[CS_DWORDS_MAX];
	const struct cmd_row *row = gen9_cmd_find(dw0, e->id);
	uint32_t n;

	atomic_store_explicit(&e->ipehr, dw0, memory_order_relaxed);
	if (unlikely(!row)) {
		unknown_command(e, dw0);
		return CS_HANG;
	}
	n = *len = gen9_cmd_length(row, dw0);
	e->cost_ns += row->cost_ns;
	if (unlikely(past_tail(e, n)))
		return cs_hang(e, "%s of %u dwords runs past the ring's tail", row->name, n);
	if (unlikely(row->priv == CMD_PRIV && cs_user(e))) {
		model_violate(e->model, VIOLATION_CS_PRIVILEGE, dw0);
		return CS_NEXT;
	}
	if (row->id == CMD_SKIP || unlikely(e->cs.predicate && predicated_off(row))) {
		if (unlikely(e->tracing))
			trace_command(e, dw0, NULL, n);
		if (row->id == CMD_SKIP)
			atomic_store_explicit(&e->skipped,
				atomic_load_explicit(&e->skipped, memory_order_relaxed) + 1,
				memory_order_relaxed);
		return CS_NEXT;
	}
	if (unlikely(n < row->dwords || n > CS_DWORDS_MAX))
		return cs_hang(e, "%s of %u dwords", row->name, n);
	if (likely((size_t)n * 4 <= (size_t)(w->end - w->p))) {
		dw[0] = dw0;
		for (uint32_t i = 1; i < n; i++)
			dw[i] = cs_load(w->p + 4 * (size_t)i);
	} else {
		if (!fetch_split(e, dw, n))
			return CS_FAULT;
		dw[0] = dw0;
	}
	if (unlikely(e->tracing))
		trace_command(e, dw0, dw, n);
	if (row->id == CMD_BLT) {
		w->p = w->end = NULL;			    /* it may breathe */
		return blt_run(e, row, dw, n, SPACE_PPGTT); /* always: i915 blits from rings too */
	}
	return mi_commands[row->id](e, row, dw, n);
}

/* What the loop has to leave for, if anything. */
static bool wanted(struct engine *e, uint32_t request, enum cs_stop *stop)
{
	if (request & (ENGINE_REQ_PARK | ENGINE_REQ_QUIT)) {
		*stop = CS_STOP_REQUEST;
		return true;
	}
	if (request & ENGINE_REQ_ELSP && cs_arbitrates(e)) {
		*stop = CS_STOP_ARB;
		return true;
	}
	return false;
}

static void wait_over(struct engine *e)
{
	e->cs.waiting = false;
	engine_set_state(e, ENGINE_RUNNING);
}

enum cs_stop cs_run(struct engine *e)
{
	struct window w = {NULL, NULL};
	uint64_t commands = 0;
	int32_t budget = SLICE_COMMANDS;
	enum cs_stop stop;

	for (;;) {
		uint32_t request = atomic_load_explicit(&e->request, memory_order_relaxed);
		enum cs_result r;
		uint32_t dw0, n = 1;

		if (unlikely(request) && wanted(e, request, &stop))
			break;
		if (unlikely(budget <= 0 || request & ENGINE_REQ_BREATHE)) {
			cs_breathe(e);
			cs_kick_waiters(e);
			/* Status counts what an endless stream has done, too. */
			atomic_fetch_add_explicit(&e->commands, commands, memory_order_relaxed);
			commands = 0;
			w.p = w.end = NULL;
			budget = SLICE_COMMANDS;
			continue;
		}
		if (w.p == w.end && !window_open(e, &w, &stop)) {
			if (stop == CS_STOP_EMPTY)
				break;
			if (gtt_await_map(e))
				continue;
			cs_report_fault(e);
			break;
		}
		dw0 = cs_load(w.p);
		if (dw0 == 0 && likely(!e->tracing)) {
			/* MI_NOOP: runs of them are what padding and benchmarks are made of. */
			const uint8_t *p = w.p + 4;

			while (p < w.end && cs_load(p) == 0)
				p += 4;
			n = (uint32_t)(p - w.p) / 4;
			e->cs.level[e->cs.depth].addr += (uint64_t)n * 4;
			e->cost_ns += 2 * (uint64_t)n;
			commands += n;
			budget -= (int32_t)n;
			w.p = p;
			continue;
		}
		r = step(e, &w, dw0, &n);
		budget -= 1 + (int32_t)(n / 16); /* long commands are many operands */
		if (likely(r == CS_NEXT)) {
			commands++;
			if (unlikely(e->cs.waiting))
				wait_over(e);
			e->cs.level[e->cs.depth].addr += (uint64_t)n * 4;
			if (likely((size_t)n * 4 < (size_t)(w.end - w.p)))
				w.p += (size_t)n * 4;
			else
				w.p = w.end = NULL;
			if (e->cs.depth == BATCH_RING &&
				e->cs.level[BATCH_RING].addr >= e->ring_bytes)
				e->cs.level[BATCH_RING].addr -= e->ring_bytes;
			continue;
		}
		w.p = w.end = NULL;
		if (r == CS_JUMP) {
			commands++;
			if (e->cs.phase != CS_PHASE_RING && e->cs.depth == BATCH_RING) {
				stop = CS_STOP_EMPTY;
				break;
			}
			continue;
		}
		if (r == CS_ABORT)
			continue; /* the request is at the top of the loop */
		if (r == CS_WAIT) {
			stop = CS_STOP_WAIT;
			break;
		}
		if (r == CS_FAULT) {
			/* Nothing has been done, or what can be done twice: mi.c, blt_draw.c. */
			if (gtt_await_map(e))
				continue;
			cs_report_fault(e);
		}
		stop = CS_STOP_HUNG;
		break;
	}
	atomic_fetch_add_explicit(&e->commands, commands, memory_order_relaxed);
	cs_publish(e);
	cs_flush_cost(e);
	return stop;
}
