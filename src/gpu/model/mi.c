// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The MI commands.
 *
 * Each function gets the command's dwords as a copy and says what became of it. A command that waits
 * changes nothing before its condition holds, so that it can be run again. One that faults is run again
 * too, when its memory was only unmapped for a moment: before its last access to memory it does nothing
 * that done twice is not the same. Sources: PRM volume 2a (Kaby Lake), by the commands' names.
 */
#include "gpu/model/cs.h"

#define GMA(dw, i) ((uint64_t)(dw)[i] | (uint64_t)(dw)[(i) + 1] << 32)

#define DW0_GGTT BIT(22)

static enum cs_result noop(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	/* Bit 22: the rest goes to the NOP identification register. */
	if (dw[0] & BIT(22))
		ring_poke(e, RING_NOPID, dw[0] & 0x3fffff);
	return CS_NEXT;
}

static enum cs_result not_here(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	return CS_NEXT;
}

/* ------------------------------------------------------------------ batches, arbitration */

static enum cs_result batch_buffer_start(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	const struct cs_level here = *cs_level(e);
	struct cs_level to = {.addr = GMA(dw, 1) & GMA_MASK & ~UINT64_C(3)};
	bool second = dw[0] & BIT(22), ppgtt = dw[0] & BIT(8);

	/* RESULT_1, not RESULT as stores have it: i915's OA wait loop (i915_perf.c) and IGT rely on it. */
	if (dw[0] & BIT(15) && !(ring_peek(e, RING_PREDICATE_RESULT_1) & 1))
		return CS_NEXT;
	if (dw[0] & BIT(16))
		to.addr = (to.addr + (ring_peek(e, RING_BB_OFFSET) & ~UINT32_C(3))) & GMA_MASK;
	/* A user batch starts only user batches: it cannot leave the PPGTT. */
	if (here.user && !ppgtt)
		model_violate(e->model, VIOLATION_CS_PRIVILEGE, dw[0]);
	to.user = here.user || ppgtt;
	to.space = to.user ? SPACE_PPGTT : SPACE_GGTT;
	if (e->cs.depth == BATCH_RING) {
		e->cs.level[BATCH_RING].addr += (uint64_t)n * 4;
		if (e->cs.level[BATCH_RING].addr >= e->ring_bytes)
			e->cs.level[BATCH_RING].addr -= e->ring_bytes;
		e->cs.depth = BATCH_FIRST;
	} else if (second && e->cs.depth == BATCH_FIRST) {
		e->cs.level[BATCH_FIRST].addr += (uint64_t)n * 4;
		e->cs.depth = BATCH_SECOND;
	}
	e->cs.level[e->cs.depth] = to;
	atomic_store_explicit(&e->batches,
		atomic_load_explicit(&e->batches, memory_order_relaxed) + 1, memory_order_relaxed);
	return CS_JUMP;
}

static enum cs_result batch_end(struct engine *e)
{
	if (e->cs.depth == BATCH_RING)
		return CS_NEXT;
	e->cs.depth--;
	return CS_JUMP;
}

static enum cs_result batch_buffer_end(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	return batch_end(e);
}

static enum cs_result conditional_batch_buffer_end(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	uint64_t addr = GMA(dw, 2) & ~UINT64_C(7);
	uint32_t v, mask = UINT32_MAX;
	enum space space;

	if (!cs_space(e, dw[0], dw[0] & DW0_GGTT, &space))
		return CS_NEXT;
	/* Bit 19, compare mask mode: the dword behind the value is a mask. */
	if (!cs_read32(e, addr, space, &v))
		return CS_FAULT;
	if (dw[0] & BIT(19) && !cs_read32(e, addr + 4, space, &mask))
		return CS_FAULT;
	/* Bit 21, compare semaphore: without it nothing is compared and the batch ends. */
	if (dw[0] & BIT(21) && (v & mask) > dw[1])
		return CS_NEXT;
	return batch_end(e);
}

static enum cs_result arb_on_off(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	e->cs.arbitration_off = !(dw[0] & 1);
	return CS_NEXT;
}

static enum cs_result user_interrupt(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	cs_flush_cost(e);
	model_engine_irq(e, GT_USER_INTERRUPT);
	return CS_NEXT;
}

/* ------------------------------------------------------------------ waits */

static bool semaphore_holds(uint32_t op, uint32_t v, uint32_t data)
{
	switch (op) {
	case 0:
		return v > data;
	case 1:
		return v >= data;
	case 2:
		return v < data;
	case 3:
		return v <= data;
	case 4:
		return v == data;
	case 5:
		return v != data;
	default: /* reserved: never waits */
		return true;
	}
}

static enum cs_result semaphore_wait(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	uint64_t id = port_id(e->port[0].desc);
	enum space space;
	uint32_t v;

	/* Bit 16, register poll mode: the address is a register. */
	if (dw[0] & BIT(16)) {
		if (!cs_reg_read(e, dw[2], &v))
			return CS_NEXT;
		return semaphore_holds(dw[0] >> 12 & 7, v, dw[1]) ? CS_NEXT : CS_WAIT;
	}
	if (!cs_space(e, dw[0], dw[0] & DW0_GGTT, &space))
		return CS_NEXT;
	/* Signal mode looks at memory when it begins and when a signal for this context came. */
	if (!(dw[0] & BIT(15)) && e->cs.waiting &&
		atomic_load_explicit(&e->signalled, memory_order_acquire) != id)
		return CS_WAIT;
	atomic_store_explicit(&e->signalled, UINT64_MAX, memory_order_seq_cst);
	if (!cs_read32(e, GMA(dw, 2), space, &v)) {
		/* A signal that was taken counts when the command is run again. */
		atomic_store_explicit(&e->signalled, id, memory_order_seq_cst);
		return CS_FAULT;
	}
	return semaphore_holds(dw[0] >> 12 & 7, v, dw[1]) ? CS_NEXT : CS_WAIT;
}

static enum cs_result semaphore_signal(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	static const int8_t targets[8] = {RCS0, VCS0, BCS0, VECS0, VCS1, -1, -1, -1};
	int target = targets[dw[0] >> 15 & 7];
	struct engine *to;

	if (target < 0 || !(e->model->engines & BIT(target)))
		return CS_NEXT;
	to = &e->model->engine[target];
	atomic_store_explicit(&to->signalled, dw[1], memory_order_seq_cst);
	if (to != e)
		engine_kick(to);
	return CS_NEXT;
}

/*
 * Vertical blanks: until the pipe's frame changes. What else it can wait for (flips, scan lines) is
 * over at once, as is a wait for a pipe that is off.
 */
static enum cs_result wait_for_event(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	static const uint32_t vblank[3] = {BIT(3), BIT(11), BIT(21)};

	for (uint32_t pipe = 0; pipe < 3; pipe++) {
		uint32_t base = 0x70000 + 0x1000 * pipe, frame;

		if (!(dw[0] & vblank[pipe]) || !(regs_peek(&e->model->regs, base + 8) & BIT(31)))
			continue;
		frame = regs_read(&e->model->regs, base + 0x40);
		if (!e->cs.waiting) {
			e->wait_frame = frame;
			return CS_WAIT;
		}
		return frame != e->wait_frame ? CS_NEXT : CS_WAIT;
	}
	return CS_NEXT;
}

/* ------------------------------------------------------------------ memory */

static enum cs_result store_data_imm(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	enum space space;
	bool ok = true;

	if (!cs_space(e, dw[0], dw[0] & DW0_GGTT, &space))
		return CS_NEXT;
	if (dw[0] & BIT(21)) {
		/* Qwords, as many as there are. */
		for (unsigned int i = 3; ok && i + 1 < n; i += 2)
			ok = cs_write64(
				e, (GMA(dw, 1) & ~UINT64_C(7)) + 4 * (i - 3), space, GMA(dw, i));
	} else {
		for (unsigned int i = 3; ok && i < n; i++)
			ok = cs_write32(e, GMA(dw, 1) + 4 * (i - 3), space, dw[i]);
	}
	return ok ? CS_NEXT : CS_FAULT;
}

static enum cs_result store_data_index(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	/* Bit 21: the context's own status page. */
	uint64_t page = dw[0] & BIT(21) ? e->pphwsp : ring_peek(e, RING_HWS_PGA) & 0xfffff000;
	uint32_t at = dw[1] & 0xffc;

	for (unsigned int i = 2; i < n && i < 4 && at + 4 * (i - 2) < PAGE_SIZE_4K; i++) {
		if (!cs_write32(e, page + at + 4 * (i - 2), SPACE_GGTT, dw[i]))
			return CS_FAULT;
	}
	return CS_NEXT;
}

static enum cs_result report_head(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	uint64_t page = ring_peek(e, RING_HWS_PGA) & 0xfffff000;

	cs_publish(e);
	return cs_write32(e, page + 4, SPACE_GGTT, ring_peek(e, RING_HEAD)) ? CS_NEXT : CS_FAULT;
}

static enum cs_result copy_mem_mem(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	enum space from, to;
	uint32_t v;

	if (!cs_space(e, dw[0], dw[0] & BIT(22), &from) ||
		!cs_space(e, dw[0], dw[0] & BIT(21), &to))
		return CS_NEXT;
	if (!cs_read32(e, GMA(dw, 3), from, &v) || !cs_write32(e, GMA(dw, 1), to, v))
		return CS_FAULT;
	return CS_NEXT;
}

static enum cs_result update_gtt(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	uint32_t index = dw[1] >> 12;

	for (unsigned int i = 2; i + 1 < n && index < GGTT_ENTRIES; i += 2, index++)
		ggtt_write_entry(&e->model->ggtt, index, GMA(dw, i), UINT64_MAX);
	/* The streamer's own path to the table: nothing is left to flush. */
	ggtt_flush(e->model);
	return CS_NEXT;
}

/* 64 dwords: report id, time, context, and no counter of ours behind them. */
static enum cs_result report_perf_count(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	uint32_t report[64] = {dw[3]};
	uint64_t addr = GMA(dw, 1) & ~UINT64_C(63);
	enum space space;

	if (!cs_space(e, dw[0], dw[1] & 1, &space))
		return CS_NEXT;
	cs_flush_cost(e);
	report[1] = (uint32_t)model_timestamp(e->model);
	report[2] = port_id(e->port[0].desc);
	for (unsigned int i = 0; i < ARRAY_SIZE(report); i++) {
		if (!cs_write32(e, addr + 4 * i, space, report[i]))
			return CS_FAULT;
	}
	return CS_NEXT;
}

/* ------------------------------------------------------------------ registers */

static enum cs_result load_register_imm(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	uint32_t keep = 0; /* bits 11:8: bytes that are not written */

	for (unsigned int b = 0; b < 4; b++) {
		if (dw[0] & BIT(8 + b))
			keep |= UINT32_C(0xff) << (8 * b);
	}
	for (unsigned int i = 1; i + 1 < n; i += 2) {
		uint32_t old = 0;

		if (unlikely(keep) && !cs_reg_read(e, dw[i], &old))
			continue;
		cs_reg_write(e, dw[i], (dw[i + 1] & ~keep) | (old & keep));
	}
	return CS_NEXT;
}

static enum cs_result load_register_mem(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	enum space space;
	uint32_t v;

	if (!cs_space(e, dw[0], dw[0] & DW0_GGTT, &space))
		return CS_NEXT;
	if (!cs_read32(e, GMA(dw, 2), space, &v))
		return CS_FAULT;
	cs_reg_write(e, dw[1], v);
	return CS_NEXT;
}

static enum cs_result load_register_reg(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	uint32_t v;

	cs_flush_cost(e);
	if (cs_reg_read(e, dw[1], &v))
		cs_reg_write(e, dw[2], v);
	return CS_NEXT;
}

static enum cs_result store_register_mem(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	enum space space;
	uint32_t v;

	if (dw[0] & BIT(21) && !(ring_peek(e, RING_PREDICATE_RESULT) & 1))
		return CS_NEXT;
	if (!cs_space(e, dw[0], dw[0] & DW0_GGTT, &space))
		return CS_NEXT;
	cs_flush_cost(e);
	if (!cs_reg_read(e, dw[1], &v))
		return CS_NEXT;
	return cs_write32(e, GMA(dw, 2), space, v) ? CS_NEXT : CS_FAULT;
}

/* ------------------------------------------------------------------ MI_MATH */

enum alu_op {
	ALU_NOOP = 0x000,
	ALU_LOAD = 0x080,
	ALU_LOADINV = 0x480,
	ALU_LOAD0 = 0x081,
	ALU_LOAD1 = 0x481,
	ALU_ADD = 0x100,
	ALU_SUB = 0x101,
	ALU_AND = 0x102,
	ALU_OR = 0x103,
	ALU_XOR = 0x104,
	ALU_STORE = 0x180,
	ALU_STOREINV = 0x580,
};

enum alu_operand {
	ALU_SRCA = 0x20,
	ALU_SRCB = 0x21,
	ALU_ACCU = 0x31,
	ALU_ZF = 0x32,
	ALU_CF = 0x33
};

struct alu {
	uint64_t a, b, accu;
	bool zf, cf;
};

static uint64_t alu_read(const struct engine *e, const struct alu *alu, uint32_t operand)
{
	if (operand < RING_GPRS)
		return ring_peek64(e, RING_GPR + 8 * operand);
	switch (operand) {
	case ALU_ACCU:
		return alu->accu;
	case ALU_ZF:
		return alu->zf ? UINT64_MAX : 0;
	case ALU_CF:
		return alu->cf ? UINT64_MAX : 0;
	default:
		return 0;
	}
}

static void alu_load(struct alu *alu, uint32_t operand, uint64_t v)
{
	if (operand == ALU_SRCA)
		alu->a = v;
	else if (operand == ALU_SRCB)
		alu->b = v;
}

static void alu_result(struct alu *alu, uint64_t v, bool carry)
{
	alu->accu = v;
	alu->zf = v == 0;
	alu->cf = carry;
}

static enum cs_result math(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	struct alu alu = {0};

	for (unsigned int i = 1; i < n; i++) {
		uint32_t op = dw[i] >> 20, x = dw[i] >> 10 & 0x3ff, y = dw[i] & 0x3ff;

		switch (op) {
		case ALU_NOOP:
			break;
		case ALU_LOAD:
			alu_load(&alu, x, alu_read(e, &alu, y));
			break;
		case ALU_LOADINV:
			alu_load(&alu, x, ~alu_read(e, &alu, y));
			break;
		case ALU_LOAD0:
			alu_load(&alu, x, 0);
			break;
		case ALU_LOAD1:
			alu_load(&alu, x, UINT64_MAX);
			break;
		case ALU_ADD:
			alu_result(&alu, alu.a + alu.b, alu.a + alu.b < alu.a);
			break;
		case ALU_SUB:
			alu_result(&alu, alu.a - alu.b, alu.a < alu.b);
			break;
		case ALU_AND:
			alu_result(&alu, alu.a & alu.b, false);
			break;
		case ALU_OR:
			alu_result(&alu, alu.a | alu.b, false);
			break;
		case ALU_XOR:
			alu_result(&alu, alu.a ^ alu.b, false);
			break;
		case ALU_STORE:
		case ALU_STOREINV: {
			uint64_t v = alu_read(e, &alu, y);

			if (x < RING_GPRS)
				ring_poke64(e, RING_GPR + 8 * x, op == ALU_STORE ? v : ~v);
			break;
		}
		default:
			return cs_hang(e, "MI_MATH: instruction %08x", dw[i]);
		}
	}
	e->cost_ns += n;
	return CS_NEXT;
}

/* ------------------------------------------------------------------ predicates */

static enum cs_result predicate(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	uint64_t src0 = ring_peek64(e, RING_PREDICATE_SRC0);
	uint64_t src1 = ring_peek64(e, RING_PREDICATE_SRC1);
	uint32_t load = dw[0] >> 6 & 3, combine = dw[0] >> 3 & 3;
	bool old = ring_peek(e, RING_PREDICATE_RESULT) & 1, c;

	switch (dw[0] & 3) {
	case 0:
		c = true;
		break;
	case 1:
		c = false;
		break;
	case 2:
		c = src0 == src1;
		break;
	default:
		c = src0 - src1 == ring_peek64(e, RING_PREDICATE_DATA);
		break;
	}
	if (load < 2) /* keep */
		return CS_NEXT;
	if (load == 3)
		c = !c;
	switch (combine) {
	case 1:
		c = old && c;
		break;
	case 2:
		c = old || c;
		break;
	case 3:
		c = old != c;
		break;
	default:
		break;
	}
	ring_poke(e, RING_PREDICATE_RESULT, c);
	return CS_NEXT;
}

static enum cs_result set_predicate(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	uint32_t r1 = ring_peek(e, RING_PREDICATE_RESULT_1);
	uint32_t r2 = ring_peek(e, RING_PREDICATE_RESULT_2);

	switch (dw[0] & 0xf) {
	case 1:
		e->cs.predicate = !(r2 & 1);
		break;
	case 2:
		e->cs.predicate = r2 & 1;
		break;
	case 3:
		e->cs.predicate = !(r1 & 1);
		break;
	case 4:
		e->cs.predicate = r1 & 1;
		break;
	case 5: /* execute when one slice is on, two, three */
	case 6:
	case 7:
		e->cs.predicate = e->model->platform->slices != (dw[0] & 0xf) - 4;
		break;
	case 0xf:
		e->cs.predicate = true;
		break;
	default:
		e->cs.predicate = false;
		break;
	}
	return CS_NEXT;
}

/* ------------------------------------------------------------------ MI_ATOMIC */

enum atomic_op {
	ATOMIC_AND = 1,
	ATOMIC_OR,
	ATOMIC_XOR,
	ATOMIC_MOVE,
	ATOMIC_INC,
	ATOMIC_DEC,
	ATOMIC_ADD,
	ATOMIC_SUB,
	ATOMIC_RSUB,
	ATOMIC_IMAX,
	ATOMIC_IMIN,
	ATOMIC_UMAX,
	ATOMIC_UMIN,
	ATOMIC_CMPWR,
	ATOMIC_PREDEC,
};

#define ATOMIC_8B	 0x20
#define ATOMIC_CMPWR_16B 0x4e

/* What memory becomes. `sign` is the operand size's top bit. False: no such operation. */
static bool atomic_new(
	uint32_t op, uint64_t old, uint64_t x, uint64_t y, uint64_t sign, uint64_t *new)
{
	switch (op) {
	case ATOMIC_AND:
		*new = old &x;
		return true;
	case ATOMIC_OR:
		*new = old | x;
		return true;
	case ATOMIC_XOR:
		*new = old ^ x;
		return true;
	case ATOMIC_MOVE:
		*new = x;
		return true;
	case ATOMIC_INC:
		*new = old + 1;
		return true;
	case ATOMIC_DEC:
	case ATOMIC_PREDEC:
		*new = old - 1;
		return true;
	case ATOMIC_ADD:
		*new = old + x;
		return true;
	case ATOMIC_SUB:
		*new = old - x;
		return true;
	case ATOMIC_RSUB:
		*new = x - old;
		return true;
	case ATOMIC_IMAX:
		*new = (old ^ sign) > (x ^ sign) ? old : x;
		return true;
	case ATOMIC_IMIN:
		*new = (old ^ sign) < (x ^ sign) ? old : x;
		return true;
	case ATOMIC_UMAX:
		*new = old > x ? old : x;
		return true;
	case ATOMIC_UMIN:
		*new = old < x ? old : x;
		return true;
	case ATOMIC_CMPWR:
		*new = old == x ? y : old;
		return true;
	default:
		return false;
	}
}

static bool atomic_32(uint8_t *p, uint32_t op, uint32_t x, uint32_t y, uint32_t *ret)
{
	uint32_t old = __atomic_load_n((uint32_t *)p, __ATOMIC_RELAXED);
	uint64_t new;

	do {
		if (!atomic_new(op, old, x, y, BIT(31), &new))
			return false;
	} while (!__atomic_compare_exchange_n(
		(uint32_t *)p, &old, (uint32_t) new, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	*ret = op == ATOMIC_PREDEC ? (uint32_t) new : old;
	return true;
}

static bool atomic_64(uint8_t *p, uint32_t op, uint64_t x, uint64_t y, uint64_t *ret)
{
	uint64_t old = __atomic_load_n((uint64_t *)p, __ATOMIC_RELAXED), new;

	do {
		if (!atomic_new(op, old, x, y, BIT64(63), &new))
			return false;
	} while (!__atomic_compare_exchange_n(
		(uint64_t *)p, &old, new, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	*ret = op == ATOMIC_PREDEC ? new : old;
	return true;
}

/* Compare and write of 16 bytes: atomic against other engines by halves only. */
static void atomic_cmpwr_128(uint8_t *p, const uint64_t x[2], const uint64_t y[2], uint64_t ret[2])
{
	uint64_t *q = (uint64_t *)p;

	ret[0] = __atomic_load_n(&q[0], __ATOMIC_RELAXED);
	ret[1] = __atomic_load_n(&q[1], __ATOMIC_RELAXED);
	if (ret[0] == x[0] && ret[1] == x[1]) {
		__atomic_store_n(&q[0], y[0], __ATOMIC_RELAXED);
		__atomic_store_n(&q[1], y[1], __ATOMIC_RELEASE);
	}
}

/*
 * Operands are inline (dwords 3, 5, 7, 9 the first; 4, 6, 8, 10 the second) or in GPR 0..1 and 2..3;
 * the value returned goes to GPR 4..5 when bit 16 asks for it.
 */
static enum cs_result atomic_op(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	uint32_t code = dw[0] >> 8 & 0xff, op = code & 0x1f;
	unsigned int bytes = code == ATOMIC_CMPWR_16B ? 16 : code & ATOMIC_8B ? 8 : 4;
	uint64_t x[2], y[2], ret[2] = {0, 0}, addr = GMA(dw, 1) & ~(uint64_t)(bytes - 1);
	enum space space;
	uint32_t ret32;
	uint8_t *p;
	bool ok;

	if (!cs_space(e, dw[0], dw[0] & DW0_GGTT, &space))
		return CS_NEXT;
	if (dw[0] & BIT(18)) {
		if (n < 3 + bytes / 2)
			return cs_hang(e, "MI_ATOMIC of %u dwords with inline operands", n);
		for (unsigned int i = 0; i < 2; i++) {
			unsigned int at = 3 + 4 * i;

			x[i] = at < n ? dw[at] : 0;
			y[i] = at + 1 < n ? dw[at + 1] : 0;
			x[i] |= at + 2 < n ? (uint64_t)dw[at + 2] << 32 : 0;
			y[i] |= at + 3 < n ? (uint64_t)dw[at + 3] << 32 : 0;
		}
	} else {
		for (uint32_t i = 0; i < 2; i++) {
			x[i] = ring_peek64(e, RING_GPR + 8 * i);
			y[i] = ring_peek64(e, RING_GPR + 8 * (i + 2));
		}
	}
	if (code != ATOMIC_CMPWR_16B && code & ~(ATOMIC_8B | 0x1f))
		return cs_hang(e, "MI_ATOMIC: operation %02x", code);
	p = cs_ptr(e, addr, space, true);
	if (!p)
		return CS_FAULT;
	if (bytes == 4) {
		ok = atomic_32(p, op, (uint32_t)x[0], (uint32_t)y[0], &ret32);
		ret[0] = ok ? ret32 : 0;
	} else if (bytes == 8) {
		ok = atomic_64(p, op, x[0], y[0], &ret[0]);
	} else {
		atomic_cmpwr_128(p, x, y, ret);
		ok = true;
	}
	if (!ok)
		return cs_hang(e, "MI_ATOMIC: operation %02x", code);
	if (dw[0] & BIT(16)) {
		ring_poke64(e, RING_GPR + 8 * 4, ret[0]);
		if (bytes == 16)
			ring_poke64(e, RING_GPR + 8 * 5, ret[1]);
	}
	return CS_NEXT;
}

const cs_fn mi_commands[CMD_ID_COUNT] = {
	[CMD_SKIP] = not_here,
	[CMD_NOOP] = noop,
	[CMD_MI_SET_PREDICATE] = set_predicate,
	[CMD_MI_USER_INTERRUPT] = user_interrupt,
	[CMD_MI_WAIT_FOR_EVENT] = wait_for_event,
	[CMD_MI_ARB_CHECK] = not_here, /* the loop looks for a new execlist before every command */
	[CMD_MI_REPORT_HEAD] = report_head,
	[CMD_MI_ARB_ON_OFF] = arb_on_off,
	[CMD_MI_BATCH_BUFFER_END] = batch_buffer_end,
	[CMD_MI_PREDICATE] = predicate,
	[CMD_MI_MATH] = math,
	[CMD_MI_SEMAPHORE_SIGNAL] = semaphore_signal,
	[CMD_MI_SEMAPHORE_WAIT] = semaphore_wait,
	[CMD_MI_STORE_DATA_IMM] = store_data_imm,
	[CMD_MI_STORE_DATA_INDEX] = store_data_index,
	[CMD_MI_LOAD_REGISTER_IMM] = load_register_imm,
	[CMD_MI_UPDATE_GTT] = update_gtt,
	[CMD_MI_STORE_REGISTER_MEM] = store_register_mem,
	[CMD_MI_FLUSH_DW] = mi_flush_dw,
	[CMD_MI_REPORT_PERF_COUNT] = report_perf_count,
	[CMD_MI_LOAD_REGISTER_MEM] = load_register_mem,
	[CMD_MI_LOAD_REGISTER_REG] = load_register_reg,
	[CMD_MI_COPY_MEM_MEM] = copy_mem_mem,
	[CMD_MI_ATOMIC] = atomic_op,
	[CMD_MI_BATCH_BUFFER_START] = batch_buffer_start,
	[CMD_MI_CONDITIONAL_BATCH_BUFFER_END] = conditional_batch_buffer_end,
	[CMD_PIPE_CONTROL] = pipe_control_run,
	[CMD_BLT] = not_here, /* cs.c hands it to the blitter */
};
