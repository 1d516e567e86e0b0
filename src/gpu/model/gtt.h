/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From graphics addresses to host memory: the engines' TLB in front, GGTT and PPGTT walks behind it.
 *
 * A pointer from here is good to the end of its 4 KiB page and until the epoch section it was made in
 * ends (cs_breathe(), gtt_leave(), ggtt_user_leave()). The guest may write the memory behind it at any
 * time: load each value once, with relaxed atomics where it steers anything.
 */
#ifndef MODEL_GTT_H
#define MODEL_GTT_H

#include "gpu/model/model.h"

/* Bits 63:54 the TLB's generation, 53:2 the page, 1 the space, 0 always set. */
#define GTT_TAG_GENERATION BIT64(54)

static inline uint64_t gtt_tag(const struct tlb *t, uint64_t gma, enum space space)
{
	return t->generation | (gma >> PAGE_SHIFT) << 2 | (uint64_t)(space == SPACE_PPGTT) << 1 | 1;
}

static inline unsigned int gtt_slot(uint64_t tag)
{
	return (unsigned int)(tag >> 2 ^ tag >> 12 ^ tag >> 22 ^ (tag & 2) << 8) % TLB_ENTRIES;
}

/* A miss, a comparison that is due, or something that needs a closer look. */
uint8_t *gtt_ptr_slow(
	struct engine *e, uint64_t gma, enum space space, bool write, enum fault_reason *why);

/*
 * The host's byte at `gma`, through the engine's TLB. NULL with *why when it leads nowhere. Only the
 * engine's thread (or whoever has it parked), inside its epoch section. A write through a read-only
 * PPGTT entry gets a pointer whose content is dropped, as silicon drops it. Addresses are taken
 * modulo 2^48 (PPGTT; with three levels and in the GGTT they end at 4 GiB).
 */
static inline uint8_t *gtt_ptr(
	struct engine *e, uint64_t gma, enum space space, bool write, enum fault_reason *why)
{
	struct tlb *t = &e->tlb;
	uint64_t tag = gtt_tag(t, gma, space);
	struct tlb_entry *x = &t->e[gtt_slot(tag)];

	if (unlikely((write ? x->wtag : x->rtag) != tag ||
		     atomic_load_explicit(&t->wanted, memory_order_relaxed) != t->done ||
		     --t->sample == 0))
		return gtt_ptr_slow(e, gma, space, write, why);
	if (space == SPACE_GGTT &&
		unlikely(atomic_load_explicit(&e->model->ggtt.any_unflushed, memory_order_relaxed)))
		return gtt_ptr_slow(e, gma, space, write, why);
	return x->page + (gma & PAGE_MASK_4K);
}

/*
 * After a fault (e->fault is filled): was it guest RAM that was unmapped a moment ago? Then the thread
 * waits, outside its epoch section, until it is mapped again, at most IOMMU_WAIT_NS after the unmap.
 * True: try again, after a look at e->request, which ends the wait too. False: it stays a fault; then
 * nothing has been waited for, or in vain. Every pointer from gtt_ptr() is void afterwards either way.
 * The engine's thread only, with no lock held.
 */
bool gtt_await_map(struct engine *e);

/* Drops every translation the engine has cached. The engine's thread, or who has it parked. */
void gtt_tlb_flush(struct engine *e);
/* The same from any thread: done before the engine's next look-up. */
void gtt_tlb_want_flush(struct engine *e);

/*
 * The engine's epoch section. Entering sees every unmap that was published before: what the TLB held
 * of it is dropped.
 */
static inline void gtt_enter(struct engine *e)
{
	epoch_enter(&e->model->iommu.epoch, &e->reader);
	if (atomic_load_explicit(&e->tlb.wanted, memory_order_seq_cst) != e->tlb.done)
		gtt_tlb_flush(e);
}

static inline void gtt_leave(struct engine *e)
{
	epoch_exit(&e->reader);
}

/* ------------------------------------------------------------------ GGTT outside engines */

int ggtt_init(struct ggtt *g);
void ggtt_finish(struct ggtt *g);
/* All entries 0, as after power-on. */
void ggtt_reset(struct ggtt *g);
/* False: no entry of the GGTT_BLOCK that `index` is in is anything but 0. */
bool ggtt_block_used(const struct ggtt *g, uint32_t index);
uint64_t ggtt_read_entry(const struct ggtt *g, uint32_t index);
/* The bits in `mask` of entry `index` become those of `value`. */
void ggtt_write_entry(struct ggtt *g, uint32_t index, uint64_t value, uint64_t mask);
/* GFX_FLSH_CNTL: what was written counts from here on, and TLBs drop what they have. */
void ggtt_flush(struct model *m);

/*
 * The host's byte at `gma` of the GGTT, without a TLB, inside the caller's own epoch section of
 * m->iommu.epoch (an engine's, or a ggtt_user's). NULL with *why when it leads nowhere.
 */
uint8_t *ggtt_ptr(struct model *m, uint64_t gma, bool write, enum fault_reason *why);

void ggtt_user_init(struct model *m, struct ggtt_user *u);
void ggtt_user_finish(struct model *m, struct ggtt_user *u);
static inline void ggtt_user_enter(struct model *m, struct ggtt_user *u)
{
	lock_acquire(&u->lock);
	epoch_enter(&m->iommu.epoch, &u->reader);
}

static inline void ggtt_user_leave(struct ggtt_user *u)
{
	epoch_exit(&u->reader);
	lock_release(&u->lock);
}

#endif
