// SPDX-License-Identifier: GPL-2.0-or-later
/* GT registers that need a word of code: timestamps, fuses, GGTT flush and TLB invalidation. */
#include "gpu/model/gtt.h"

/* ------------------------------------------------------------------ timestamps */

uint64_t model_timestamp(const struct model *m)
{
	uint64_t ns = clock_now_ns(m->clock) - m->start_ns;
	uint64_t hz = m->platform->timestamp_hz;

	/* Seconds and the rest apart: the product of both would overflow after half an hour. */
	return ns / NSEC_PER_SEC * hz + ns % NSEC_PER_SEC * hz / NSEC_PER_SEC;
}

#define TIMESTAMP_CTR 0x44070 /* display: counts microseconds (PRM volume 2c, TIMESTAMP_CTR) */

static uint32_t timestamp_read(void *block, uint32_t offset)
{
	struct model *m = block;
	uint64_t t;

	if (offset == TIMESTAMP_CTR)
		return (uint32_t)((clock_now_ns(m->clock) - m->start_ns) / NSEC_PER_USEC);
	t = model_timestamp(m);
	return (uint32_t)(offset & 4 ? t >> 32 : t);
}

static void drop_write(void *block, uint32_t offset, uint32_t value)
{
}

void model_bind_timestamp(struct model *m)
{
	static const struct reg_ops timestamp = {.read = timestamp_read, .write = drop_write};

	regs_bind(&m->regs, REG_H_GT_TIMESTAMP, &timestamp, m);
}

/* ------------------------------------------------------------------ fuses: what the platform is */

#define EU_DISABLE0 0x9134

static uint32_t fuse2_read(void *block, uint32_t offset)
{
	return ((struct model *)block)->platform->fuse2;
}

static uint32_t eu_disable_read(void *block, uint32_t offset)
{
	const struct gen9_platform *p = ((struct model *)block)->platform;
	uint32_t i = (offset - EU_DISABLE0) / 4;

	return i < ARRAY_SIZE(p->eu_disable) ? p->eu_disable[i] : 0;
}

static uint32_t rp_state_cap_read(void *block, uint32_t offset)
{
	return ((struct model *)block)->platform->rp_state_cap;
}

static uint32_t ctc_mode_read(void *block, uint32_t offset)
{
	return ((struct model *)block)->platform->ctc_mode;
}

static uint32_t guc_status_read(void *block, uint32_t offset)
{
	/* GS_MIA_IN_RESET: the microcontroller never starts (i915 gt/uc/intel_uc.c, __uc_sanitize). */
	return 1;
}

void model_bind_fuses(struct model *m)
{
	static const struct reg_ops fuse2 = {fuse2_read, drop_write};
	static const struct reg_ops eu_disable = {eu_disable_read, drop_write};
	static const struct reg_ops rp_state_cap = {rp_state_cap_read, drop_write};
	static const struct reg_ops ctc_mode = {ctc_mode_read, drop_write};
	static const struct reg_ops guc_status = {guc_status_read, drop_write};

	regs_bind(&m->regs, REG_H_FUSE2, &fuse2, m);
	regs_bind(&m->regs, REG_H_EU_DISABLE, &eu_disable, m);
	regs_bind(&m->regs, REG_H_RP_STATE_CAP, &rp_state_cap, m);
	regs_bind(&m->regs, REG_H_CTC_MODE, &ctc_mode, m);
	regs_bind(&m->regs, REG_H_GUC_STATUS, &guc_status, m);
}

/* ------------------------------------------------------------------ translations */

static void ggtt_flush_write(void *block, uint32_t offset, uint32_t value)
{
	struct model *m = block;

	/* GFX_FLSH_CNTL_EN; reading it back waits for the flush, which is done by then. */
	if (value & 1)
		ggtt_flush(m);
	regs_store(&m->regs, offset, value);
}

static void tlb_inv_write(void *block, uint32_t offset, uint32_t value)
{
	struct model *m = block;

	/* Bit 0 asks, and clears when it is done: the engine drops its TLB before its next look-up. */
	if (!(value & 1))
		return;
	model_each_engine(m, e)
	{
		if (e->info->tlb_inv_reg == offset)
			gtt_tlb_want_flush(e);
	}
}

static uint32_t tlb_inv_read(void *block, uint32_t offset)
{
	return 0;
}

/* Storage that others read: fences when the aperture is used; the fault register, by the driver. */
static void storage_write(void *block, uint32_t offset, uint32_t value)
{
	struct model *m = block;

	regs_store(&m->regs, offset, value);
}

void model_bind_gtt(struct model *m)
{
	static const struct reg_ops flush = {.write = ggtt_flush_write};
	static const struct reg_ops tlb_inv = {tlb_inv_read, tlb_inv_write};
	static const struct reg_ops storage = {.write = storage_write};

	regs_bind(&m->regs, REG_H_GFX_FLSH_CNTL, &flush, m);
	regs_bind(&m->regs, REG_H_TLB_INV, &tlb_inv, m);
	regs_bind(&m->regs, REG_H_FENCE, &storage, m);
	regs_bind(&m->regs, REG_H_FAULT_REG, &storage, m);
}
