// SPDX-License-Identifier: GPL-2.0-or-later
/* PIPE_CONTROL and MI_FLUSH_DW: flushes, invalidation, post-sync writes, notify. */
#include "gpu/model/cs.h"

#define GMA(dw, i) ((uint64_t)(dw)[i] | (uint64_t)(dw)[(i) + 1] << 32)

/* Post-sync operations, bits 15:14 of both commands. */
enum post_sync {
	POST_SYNC_NONE,
	POST_SYNC_IMMEDIATE,
	POST_SYNC_DEPTH_COUNT, /* PIPE_CONTROL only */
	POST_SYNC_TIMESTAMP,
};

#define PS_DEPTH_COUNT UINT32_C(0x2350)

/* What a post-sync operation writes. */
static uint64_t post_sync_value(struct engine *e, enum post_sync op, uint64_t immediate)
{
	switch (op) {
	case POST_SYNC_DEPTH_COUNT:
		return regs_peek(&e->model->regs, PS_DEPTH_COUNT) |
		       (uint64_t)regs_peek(&e->model->regs, PS_DEPTH_COUNT + 4) << 32;
	case POST_SYNC_TIMESTAMP:
		cs_flush_cost(e);
		return model_timestamp(e->model);
	default:
		return immediate;
	}
}

/*
 * Where it writes: with bit 21 (store data index) into the context's own status page, else to the
 * address in the GGTT or the PPGTT. False: a user batch may not.
 */
static bool post_sync_place(
	struct engine *e, uint32_t dw0, bool index, bool ggtt, uint64_t *addr, enum space *space)
{
	if (index) {
		*addr = e->pphwsp + (*addr & 0xff8);
		*space = SPACE_GGTT;
		return true;
	}
	*addr &= ~UINT64_C(7);
	return cs_space(e, dw0, ggtt, space);
}

/*
 * PRM volume 2a, PIPE_CONTROL. Caches are coherent here and commands run in order, so flushes, stalls
 * and invalidations are done when it is; but the TLB is kept until bit 18 says otherwise.
 */
enum cs_result pipe_control_run(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	enum post_sync op = (enum post_sync)(dw[1] >> 14 & 3);
	uint64_t addr = GMA(dw, 2);
	enum space space;

	if (dw[1] & BIT(18))
		gtt_tlb_flush(e);
	if (op != POST_SYNC_NONE) {
		uint64_t v = post_sync_value(e, op, GMA(dw, 4));

		if (dw[1] & BIT(23)) /* LRI post-sync: the address is a register */
			cs_reg_write(e, dw[2], (uint32_t)v);
		else if (post_sync_place(
				 e, dw[0], dw[1] & BIT(21), dw[1] & BIT(24), &addr, &space) &&
			 !cs_write64(e, addr, space, v))
			return CS_FAULT;
	}
	if (dw[1] & BIT(8)) {
		cs_flush_cost(e);
		model_engine_irq(e, GT_FLUSH_NOTIFY);
	}
	return CS_NEXT;
}

/* PRM volume 2a, MI_FLUSH_DW: five dwords write a qword, four a dword. Bit 2 of the address: GGTT. */
enum cs_result mi_flush_dw(
	struct engine *e, const struct cmd_row *row, const uint32_t *dw, unsigned int n)
{
	enum post_sync op = (enum post_sync)(dw[0] >> 14 & 3);
	enum space space;

	if (dw[0] & BIT(18))
		gtt_tlb_flush(e);
	if ((op == POST_SYNC_IMMEDIATE && n >= 4) || (op == POST_SYNC_TIMESTAMP && n >= 3)) {
		uint64_t addr = GMA(dw, 1);
		uint64_t v = post_sync_value(e, op, n >= 5 ? GMA(dw, 3) : n >= 4 ? dw[3] : 0);

		if (post_sync_place(e, dw[0], dw[0] & BIT(21), dw[1] & BIT(2), &addr, &space)) {
			bool ok = op == POST_SYNC_IMMEDIATE && n == 4
					  ? cs_write32(e, addr, space, (uint32_t)v)
					  : cs_write64(e, addr, space, v);

			if (!ok)
				return CS_FAULT;
		}
	}
	if (dw[0] & BIT(8)) {
		cs_flush_cost(e);
		model_engine_irq(e, GT_FLUSH_NOTIFY);
	}
	return CS_NEXT;
}
