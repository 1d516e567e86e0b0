// SPDX-License-Identifier: GPL-2.0-or-later
/* The registers of a ring as MMIO and command streams reach them. */
#include "gpu/model/cs.h"

#define RESET_CTL_REQUEST BIT(0)
#define RESET_CTL_READY	  BIT(1)

#define CSB_PTR_READ  0x700
#define CSB_PTR_WRITE 0x007

static struct engine *engine_of(struct model *m, uint32_t offset)
{
	int id = gen9_reg_engine(offset);

	return id >= 0 && m->engines & BIT(id) ? &m->engine[id] : NULL;
}

static uint32_t plain_read(void *block, uint32_t offset)
{
	return regs_peek(&((struct model *)block)->regs, offset);
}

static void plain_write(void *block, uint32_t offset, uint32_t value)
{
	regs_store(&((struct model *)block)->regs, offset, value);
}

static void no_write(void *block, uint32_t offset, uint32_t value)
{
}

/* TAIL moves rings in ring mode only; a streamer that runs an execlist has its own. */
static void tail_write(void *block, uint32_t offset, uint32_t value)
{
	struct model *m = block;

	if (value & 7)
		model_violate(m, VIOLATION_TAIL_ALIGN, value);
	regs_store(&m->regs, offset, value);
}

static uint32_t acthd_read(void *block, uint32_t offset)
{
	struct engine *e = engine_of(block, offset);
	uint64_t v = e ? atomic_load_explicit(&e->acthd, memory_order_relaxed) : 0;

	return (uint32_t)(e && offset - e->info->mmio_base == RING_ACTHD_UDW ? v >> 32 : v);
}

/* All units done, or all but the streamer itself. */
static uint32_t instdone_read(void *block, uint32_t offset)
{
	struct engine *e = engine_of(block, offset);

	return e && engine_state(e) != ENGINE_IDLE ? ~UINT32_C(1) : UINT32_MAX;
}

static uint32_t mi_mode_read(void *block, uint32_t offset)
{
	struct model *m = block;
	struct engine *e = engine_of(m, offset);
	uint32_t v = regs_peek(&m->regs, offset) & ~MI_MODE_IDLE;

	if (!e || engine_state(e) == ENGINE_IDLE || v & MI_MODE_STOP_RING)
		v |= MI_MODE_IDLE; /* writing STOP_RING has waited for it */
	return v;
}

static void mi_mode_write(void *block, uint32_t offset, uint32_t value)
{
	struct model *m = block;
	struct engine *e = engine_of(m, offset);
	uint32_t v = regs_store(&m->regs, offset, value);

	if (!e || !(value >> 16 & MI_MODE_STOP_RING))
		return;
	if (v & MI_MODE_STOP_RING)
		engine_ask(e, ENGINE_REQ_HALT);
	else
		engine_unask(e, ENGINE_REQ_HALT);
}

/*
 * The handshake before GDRST: the streamer stops between commands, then it is ready. The bits stay
 * over the reset until the request is taken back.
 */
static uint32_t reset_ctl_read(void *block, uint32_t offset)
{
	return regs_peek(&((struct model *)block)->regs, offset) & 7;
}

static void reset_ctl_write(void *block, uint32_t offset, uint32_t value)
{
	struct model *m = block;
	struct engine *e = engine_of(m, offset);
	uint32_t mask = value >> 16;

	if (!e || !(mask & RESET_CTL_REQUEST))
		return;
	if (value & RESET_CTL_REQUEST) {
		engine_ask(e, ENGINE_REQ_STOP);
		regs_poke(&m->regs, offset, RESET_CTL_REQUEST | RESET_CTL_READY);
	} else {
		regs_poke(&m->regs, offset, 0);
		engine_unask(e, ENGINE_REQ_STOP);
	}
}

static void elsp_write(void *block, uint32_t offset, uint32_t value)
{
	struct engine *e = engine_of(block, offset);
	uint32_t words[4], tails[2];
	bool last, asleep;

	if (!e)
		return;
	lock_acquire(&e->lock);
	e->elsp_words[e->elsp_count++] = value;
	last = e->elsp_count == 4;
	if (last)
		e->elsp_count = 0;
	memcpy(words, e->elsp_words, sizeof(words));
	lock_release(&e->lock);
	if (!last)
		return;
	tails[0] = execlist_tail(e, (uint64_t)words[2] << 32 | words[3]);
	tails[1] = execlist_tail(e, (uint64_t)words[0] << 32 | words[1]);
	lock_acquire(&e->lock);
	execlist_submit(e, words, tails);
	asleep = e->asleep;
	lock_release(&e->lock);
	if (asleep)
		pthread_cond_signal(&e->wake);
}

static uint32_t elsp_read(void *block, uint32_t offset)
{
	return 0;
}

static uint32_t execlist_status_read(void *block, uint32_t offset)
{
	struct engine *e = engine_of(block, offset);
	uint32_t v;

	if (!e)
		return 0;
	lock_acquire(&e->lock);
	v = offset - e->info->mmio_base == RING_EXECLIST_STATUS ? execlist_status(e)
								: port_id(e->port[0].desc);
	lock_release(&e->lock);
	return v;
}

/* A masked register; i915 sets both pointers to 5 after a reset and expects the next event in 0. */
static void csb_ptr_write(void *block, uint32_t offset, uint32_t value)
{
	struct model *m = block;
	struct engine *e = engine_of(m, offset);
	uint32_t mask = value >> 16, v;

	if (!e)
		return;
	lock_acquire(&e->lock);
	v = regs_peek(&m->regs, offset);
	v = ((v & ~mask) | (value & mask)) & (CSB_PTR_READ | CSB_PTR_WRITE);
	regs_poke(&m->regs, offset, v);
	if (mask & CSB_PTR_WRITE) {
		e->csb_write = v & CSB_PTR_WRITE;
		if (e->csb_write > 5)
			e->csb_write = 5;
	}
	if (mask & CSB_PTR_READ) {
		unsigned int read = v >> 8 & 7;

		/* Only a driver that moves it alone can be told that it fell behind. */
		e->csb_read_moves = !(mask & CSB_PTR_WRITE);
		e->csb_unread = read > 5 ? 0 : (e->csb_write + 6 - read) % 6;
	}
	lock_release(&e->lock);
}

/* 12 MHz, 36 bits; the upper half is at the next dword. */
static uint32_t timestamp_read(void *block, uint32_t offset)
{
	struct model *m = block;
	struct engine *e = engine_of(m, offset);
	uint64_t v = model_timestamp(m);

	return (uint32_t)(e && (offset - e->info->mmio_base) & 4 ? v >> 32 & 0xf : v);
}

/* A stream that loads the roots of its own PPGTT: i915 gen8_emit_... for 32-bit address spaces. */
static void pdp_write(void *block, uint32_t offset, uint32_t value)
{
	struct model *m = block;
	struct engine *e = engine_of(m, offset);

	regs_store(&m->regs, offset, value);
	if (!e || e != cs_self)
		return;
	for (uint32_t i = 0; i < 4; i++)
		e->pdp[i] = ring_peek64(e, RING_PDP + 8 * i);
	gtt_tlb_flush(e);
}

void model_bind_rings(struct model *m)
{
	static const struct {
		enum reg_handler id;
		struct reg_ops ops;
	} rows[] = {
		{REG_H_RING_TAIL, {plain_read, tail_write}},
		{REG_H_RING_HEAD, {plain_read, plain_write}},
		{REG_H_RING_START, {plain_read, plain_write}},
		{REG_H_RING_CTL, {plain_read, plain_write}},
		{REG_H_RING_ACTHD, {acthd_read, no_write}},
		{REG_H_RING_INSTDONE, {instdone_read, no_write}},
		{REG_H_RING_HWS_PGA, {plain_read, plain_write}},
		{REG_H_RING_MI_MODE, {mi_mode_read, mi_mode_write}},
		{REG_H_RING_MODE, {plain_read, plain_write}},
		{REG_H_RING_IMR, {plain_read, plain_write}},
		{REG_H_RING_RESET_CTL, {reset_ctl_read, reset_ctl_write}},
		{REG_H_RING_ELSP, {elsp_read, elsp_write}},
		{REG_H_RING_EXECLIST_STATUS, {execlist_status_read, no_write}},
		{REG_H_RING_CSB, {plain_read, no_write}},
		{REG_H_RING_CSB_PTR, {plain_read, csb_ptr_write}},
		{REG_H_RING_TIMESTAMP, {timestamp_read, no_write}},
		{REG_H_RING_PDP, {plain_read, pdp_write}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		regs_bind(&m->regs, rows[i].id, &rows[i].ops, m);
}
