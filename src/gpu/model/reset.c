// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Resets: GDRST (one engine, or the whole GT) and the function level reset.
 *
 * Before GDRST the driver asks each engine over RESET_CTL whether it is ready; a reset without is
 * counted. RESET_CTL keeps its bits over the reset, until the driver takes its request back: i915
 * writes GDRST twice in one handshake. Sources: PRM volume 2c, GDRST and RESET_CTL; i915
 * gt/intel_reset.c (gen8_reset_engines, gen6_hw_domain_reset).
 */
#include "gpu/model/gtt.h"

#define GDRST_FULL	    BIT(0)
#define RING_RESET_CTL	    0xd0
#define RESET_CTL_READY	    BIT(1)
#define RESET_CTL_CAT_ERROR BIT(2)

static void trace_reset(struct model *m, uint32_t engines, uint64_t kind)
{
	struct trace *t = atomic_load_explicit(&m->trace, memory_order_acquire);

	if (trace_on(t)) {
		struct trace_event ev = {
			.ns = clock_now_ns(m->clock), .kind = TRACE_RESET, .a = engines, .b = kind};

		trace_put(t, &ev);
	}
}

static void gdrst_write(void *block, uint32_t offset, uint32_t value)
{
	struct model *m = block;
	uint32_t ready[GEN9_ENGINES];
	uint32_t which = 0;

	lock_acquire(&m->reset_lock);
	model_each_engine(m, e)
	{
		if (!(value & (GDRST_FULL | e->info->gdrst_bit)))
			continue;
		which |= BIT(e->id);
		ready[e->id] = regs_peek(&m->regs, e->info->mmio_base + RING_RESET_CTL);
		if (!(ready[e->id] & (RESET_CTL_READY | RESET_CTL_CAT_ERROR)))
			model_violate(m, VIOLATION_RESET_HANDSHAKE, (uint64_t)e->id);
		engine_reset(e);
		gtt_tlb_want_flush(e);
	}
	if (value & GDRST_FULL) {
		regs_reset(&m->regs, true);
		atomic_fetch_add_explicit(&m->stats.gt_resets, 1, memory_order_relaxed);
	}
	model_each_engine(m, e)
	{
		/* Bits that ask for and grant the reset; a catastrophic error is cleared by it. */
		if (which & BIT(e->id))
			regs_poke(&m->regs, e->info->mmio_base + RING_RESET_CTL, ready[e->id] & 3);
	}
	regs_poke(&m->regs, offset, 0); /* done: the driver polls for it */
	lock_release(&m->reset_lock);
	trace_reset(m, which, value & GDRST_FULL ? 1 : 0);
}

void model_reset(struct gpu *g)
{
	struct model *m = to_model(g);

	lock_acquire(&m->reset_lock);
	model_each_engine(m, e)
	{
		engine_restore(e);
		engine_reset(e);
	}
	iommu_forget(&m->iommu);
	regs_reset(&m->regs, false);
	soc_reset(&m->soc);
	ggtt_reset(&m->ggtt);
	ggtt_flush(m);
	atomic_fetch_add_explicit(&m->stats.resets, 1, memory_order_relaxed);
	lock_acquire(&m->fault_lock);
	m->fault[0] = '\0';
	lock_release(&m->fault_lock);
	lock_release(&m->reset_lock);
	trace_reset(m, m->engines, 2);
}

void model_bind_reset(struct model *m)
{
	static const struct reg_ops gdrst = {.write = gdrst_write};

	regs_bind(&m->regs, REG_H_GDRST, &gdrst, m);
}
