// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * GGTT and PPGTT walks, and the engines' TLB in front of them.
 *
 * A GGTT entry counts from the flush that follows its write (GFX_FLSH_CNTL); the model uses what was
 * written at once, but counts a use before the flush. A PPGTT is in guest memory, four levels or
 * three; each table pointer is a bus address and goes through the IOMMU like any other.
 *
 * The TLB keeps a translation until someone invalidates it (a command, a register, a context switch,
 * a GGTT flush, the IOMMU), so that a driver that forgets to will notice. To count that, every
 * TLB_SAMPLE'th look-up is compared with a walk, and every look-up of a GGTT page while entries are
 * unflushed with its entry.
 *
 * Sources: PRM volume 5 "Memory Views" (entry formats; GGTT: "Global GTT"); i915 gt/gen8_ppgtt.c and
 * gt/intel_ggtt.c for the order of writes and invalidations.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "gpu/model/cs.h"

#define UNFLUSHED_WORDS (GGTT_ENTRIES / 64)
#define GGTT_LIMIT	((uint64_t)GGTT_ENTRIES << PAGE_SHIFT)

/* Without these bits a walk does not look at IPS (i915 gt/intel_gt.c, gtt_write_workarounds). */
#define GAMW_ECO_DEV_RW_IA 0x4080
#define GAMW_ECO_64K_IPS   0xf

#define FDLESS_TEXT "guest RAM is not shared: add memory-backend-memfd,share=on"

/* Where a 4 KiB page of graphics memory is on the bus. */
struct gtt_leaf {
	uint64_t iova;
	bool writable;
};

/* ------------------------------------------------------------------ GGTT */

int ggtt_init(struct ggtt *g)
{
	/* Zero pages of the system until written: an idle GPU costs nothing. */
	void *p = mmap(NULL, GGTT_ENTRIES * sizeof(*g->pte), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return -ENOMEM;
	g->unflushed = calloc(UNFLUSHED_WORDS, sizeof(*g->unflushed));
	if (!g->unflushed) {
		munmap(p, GGTT_ENTRIES * sizeof(*g->pte));
		return -ENOMEM;
	}
	g->pte = p;
	return 0;
}

void ggtt_finish(struct ggtt *g)
{
	if (g->pte)
		munmap((void *)g->pte, GGTT_ENTRIES * sizeof(*g->pte));
	free(g->unflushed);
	g->pte = NULL;
	g->unflushed = NULL;
}

static void unflushed_clear(struct ggtt *g)
{
	if (!atomic_exchange(&g->any_unflushed, false))
		return;
	for (unsigned int s = 0; s < ARRAY_SIZE(g->unflushed_sum); s++) {
		uint64_t sum = atomic_exchange(&g->unflushed_sum[s], 0);

		while (sum) {
			unsigned int w = s * 64 + (unsigned int)__builtin_ctzll(sum);

			atomic_store_explicit(&g->unflushed[w], 0, memory_order_relaxed);
			sum &= sum - 1;
		}
	}
}

void ggtt_reset(struct ggtt *g)
{
	unflushed_clear(g);
	for (uint32_t b = 0; b < GGTT_ENTRIES / GGTT_BLOCK; b++) {
		if (!ggtt_block_used(g, b * GGTT_BLOCK))
			continue;
		atomic_fetch_and(&g->used[b / 64], ~BIT64(b % 64));
		for (uint32_t i = b * GGTT_BLOCK; i < (b + 1) * GGTT_BLOCK; i++)
			atomic_store_explicit(&g->pte[i], 0, memory_order_relaxed);
	}
}

bool ggtt_block_used(const struct ggtt *g, uint32_t index)
{
	uint32_t b = index / GGTT_BLOCK;

	return index < GGTT_ENTRIES &&
	       atomic_load_explicit(&g->used[b / 64], memory_order_relaxed) & BIT64(b % 64);
}

uint64_t ggtt_read_entry(const struct ggtt *g, uint32_t index)
{
	if (index >= GGTT_ENTRIES)
		return 0;
	return atomic_load_explicit(&g->pte[index], memory_order_relaxed);
}

void ggtt_write_entry(struct ggtt *g, uint32_t index, uint64_t value, uint64_t mask)
{
	uint64_t old, new;

	if (index >= GGTT_ENTRIES)
		return;
	/* Before the entry: who finds the bit clear has nothing to find. */
	if (value & mask && !ggtt_block_used(g, index))
		atomic_fetch_or(&g->used[index / GGTT_BLOCK / 64], BIT64(index / GGTT_BLOCK % 64));
	old = atomic_load_explicit(&g->pte[index], memory_order_relaxed);
	do {
		new = (old & ~mask) | (value & mask);
	} while (!atomic_compare_exchange_weak_explicit(
		&g->pte[index], &old, new, memory_order_release, memory_order_relaxed));
	if (new == old)
		return;
	atomic_fetch_or(&g->unflushed[index / 64], BIT64(index % 64));
	atomic_fetch_or(&g->unflushed_sum[index / 4096], BIT64(index / 64 % 64));
	atomic_store(&g->any_unflushed, true);
}

static bool ggtt_is_unflushed(const struct ggtt *g, uint32_t index)
{
	return atomic_load_explicit(&g->unflushed[index / 64], memory_order_relaxed) &
	       BIT64(index % 64);
}

void ggtt_flush(struct model *m)
{
	unflushed_clear(&m->ggtt);
	model_each_engine(m, e)
	{
		gtt_tlb_want_flush(e);
	}
}

static bool ggtt_walk(struct model *m, uint64_t gma, struct gtt_leaf *leaf)
{
	uint64_t pte;

	if (gma >= GGTT_LIMIT)
		return false;
	pte = atomic_load_explicit(&m->ggtt.pte[gma >> PAGE_SHIFT], memory_order_acquire);
	if (!gen9_pte_present(pte))
		return false;
	leaf->iova = gen9_pte_addr(pte);
	leaf->writable = true; /* a GGTT entry has no write permission bit on Gen9 */
	return true;
}

/* Counts a use of an entry that was written after the last flush. */
static void ggtt_check_flushed(struct model *m, uint64_t gma)
{
	if (atomic_load_explicit(&m->ggtt.any_unflushed, memory_order_relaxed) &&
		ggtt_is_unflushed(&m->ggtt, (uint32_t)(gma >> PAGE_SHIFT)))
		model_violate(m, VIOLATION_GGTT_FLUSH, gma & ~PAGE_MASK_4K);
}

static uint8_t *bus_page(struct model *m, uint64_t iova, bool write, enum fault_reason *why)
{
	uint8_t *p = iommu_page(&m->iommu, (struct iova){iova}, write, why);

	if (!p && *why == FAULT_FDLESS)
		model_fault(m, FDLESS_TEXT);
	return p;
}

uint8_t *ggtt_ptr(struct model *m, uint64_t gma, bool write, enum fault_reason *why)
{
	struct gtt_leaf leaf;
	uint8_t *page;

	if (!ggtt_walk(m, gma, &leaf)) {
		*why = FAULT_PTE;
		return NULL;
	}
	ggtt_check_flushed(m, gma);
	page = bus_page(m, leaf.iova, write, why);
	return page ? page + (gma & PAGE_MASK_4K) : NULL;
}

void ggtt_user_init(struct model *m, struct ggtt_user *u)
{
	lock_init(&u->lock, LOCK_RANK_ENGINE);
	epoch_reader_add(&m->iommu.epoch, &u->reader);
}

void ggtt_user_finish(struct model *m, struct ggtt_user *u)
{
	epoch_reader_remove(&m->iommu.epoch, &u->reader);
	lock_finish(&u->lock);
}

/* ------------------------------------------------------------------ PPGTT */

/* The same for an engine, which may want to wait for what is not there: gtt_await_map(). */
static uint8_t *engine_page(struct engine *e, uint64_t iova, bool write, enum fault_reason *why)
{
	uint8_t *p = bus_page(e->model, iova, write, why);

	if (!p)
		e->fault_iova = iova;
	return p;
}

/* One entry of a table at bus address `table`, loaded once. False: the table is nowhere. */
static bool table_entry(struct engine *e, uint64_t table, unsigned int index, uint64_t *entry,
	enum fault_reason *why)
{
	uint8_t *page = engine_page(e, table & GEN9_PTE_ADDR, false, why);

	if (!page)
		return false;
	*entry = __atomic_load_n((uint64_t *)(page + index * 8), __ATOMIC_RELAXED);
	return true;
}

/*
 * Bits of an address below which one entry of a level covers: level 3 is the PML4. The walk takes at
 * most four steps whatever the tables say.
 */
static bool ppgtt_walk(
	struct engine *e, uint64_t gma, struct gtt_leaf *leaf, enum fault_reason *why)
{
	struct model *m = e->model;
	uint64_t table = e->pdp[0], entry;
	int level = 3;

	*why = FAULT_PTE;
	leaf->writable = true;
	if (e->ppgtt_levels == 3) {
		if (gma >> 32)
			return false;
		table = e->pdp[gma >> 30];
		level = 1;
	}
	for (;; level--) {
		unsigned int index = (unsigned int)(gma >> (PAGE_SHIFT + 9 * level)) & 511;

		if (!table_entry(e, table, index, &entry, why))
			return false;
		*why = FAULT_PTE;
		if (!gen9_pte_present(entry))
			return false;
		leaf->writable &= (entry & GEN9_PTE_RW) != 0;
		if (level == 0 || (level <= 2 && (entry & GEN9_PDE_PS)))
			break;
		table = entry;
		if (level == 1 && (entry & GEN9_PDE_IPS_64K) &&
			(regs_peek(&m->regs, GAMW_ECO_DEV_RW_IA) & GAMW_ECO_64K_IPS)) {
			/* 64 KiB pages: every 16th entry counts. */
			if (!table_entry(e, table, (unsigned int)(gma >> PAGE_SHIFT) & 0x1f0,
				    &entry, why))
				return false;
			*why = FAULT_PTE;
			if (!gen9_pte_present(entry))
				return false;
			leaf->writable &= (entry & GEN9_PTE_RW) != 0;
			leaf->iova = (gen9_pte_addr(entry) & ~UINT64_C(0xffff)) | (gma & 0xf000);
			return true;
		}
	}
	/* A page of 4 KiB, 2 MiB or 1 GiB: the entry gives the high bits, the address the rest. */
	{
		uint64_t low = BIT64(PAGE_SHIFT + 9 * level) - 1;

		leaf->iova = (gen9_pte_addr(entry) & ~low) | (gma & low & ~PAGE_MASK_4K);
	}
	return true;
}

/* ------------------------------------------------------------------ TLB */

void gtt_tlb_flush(struct engine *e)
{
	struct tlb *t = &e->tlb;

	t->done = atomic_load_explicit(&t->wanted, memory_order_seq_cst);
	t->sample = TLB_SAMPLE;
	/* A new generation makes every tag a miss; only when the count wraps are they cleared. */
	t->generation += GTT_TAG_GENERATION;
	if (t->generation == 0) {
		for (unsigned int i = 0; i < TLB_ENTRIES; i++)
			t->e[i].rtag = t->e[i].wtag = 0;
	}
	if (t->sink_used) {
		memset(t->sink, 0, sizeof(t->sink));
		t->sink_used = false;
	}
}

void gtt_tlb_want_flush(struct engine *e)
{
	atomic_fetch_add_explicit(&e->tlb.wanted, 1, memory_order_seq_cst);
}

static bool walk(struct engine *e, uint64_t gma, enum space space, struct gtt_leaf *leaf,
	enum fault_reason *why)
{
	*why = FAULT_PTE;
	if (space == SPACE_GGTT || e->ppgtt_levels == 0)
		return ggtt_walk(e->model, gma, leaf);
	return ppgtt_walk(e, gma & (BIT64(48) - 1), leaf, why);
}

/*
 * What is cached is used: does its entry still say so? What the driver changed under a page that is in
 * use counts as a violation; the TLB goes on with what it has, as silicon's would.
 */
static void compare(struct engine *e, const struct tlb_entry *x, uint64_t gma, enum space space)
{
	enum fault_reason why = FAULT_NONE;
	struct gtt_leaf leaf;
	bool there = walk(e, gma, space, &leaf, &why);

	/* A table in memory that is being unmapped says nothing; the flush for that is on its way. */
	if (!there && why == FAULT_IOVA)
		return;
	if (!there || leaf.iova != x->leaf)
		model_violate(e->model, VIOLATION_STALE_TLB, gma & ~PAGE_MASK_4K);
}

static uint8_t *fill(struct engine *e, struct tlb_entry *x, uint64_t gma, enum space space,
	bool write, enum fault_reason *why)
{
	struct model *m = e->model;
	uint64_t tag = gtt_tag(&e->tlb, gma, space);
	enum fault_reason ignored;
	struct gtt_leaf leaf;
	uint8_t *page;

	if (!walk(e, gma, space, &leaf, why))
		return NULL;
	if (space == SPACE_GGTT)
		ggtt_check_flushed(m, gma);
	if (write && !leaf.writable) {
		e->tlb.sink_used = true;
		atomic_fetch_add_explicit(&m->stats.readonly_writes, 1, memory_order_relaxed);
		return e->tlb.sink;
	}
	page = engine_page(e, leaf.iova, write, why);
	if (!page)
		return NULL;
	*x = (struct tlb_entry){.rtag = tag, .page = page, .leaf = leaf.iova};
	if (write ||
		(leaf.writable && iommu_page(&m->iommu, (struct iova){leaf.iova}, true, &ignored)))
		x->wtag = tag;
	return page;
}

uint8_t *gtt_ptr_slow(
	struct engine *e, uint64_t gma, enum space space, bool write, enum fault_reason *why)
{
	struct tlb *t = &e->tlb;
	bool sampled = t->sample == 0;
	struct tlb_entry *x;
	uint8_t *page;
	uint64_t tag;

	if (sampled)
		t->sample = TLB_SAMPLE;
	if (atomic_load_explicit(&t->wanted, memory_order_seq_cst) != t->done)
		gtt_tlb_flush(e);
	tag = gtt_tag(t, gma, space);
	x = &t->e[gtt_slot(tag)];
	if ((write ? x->wtag : x->rtag) == tag) {
		page = x->page;
		if (sampled ||
			(space == SPACE_GGTT && gma < GGTT_LIMIT &&
				ggtt_is_unflushed(&e->model->ggtt, (uint32_t)(gma >> PAGE_SHIFT))))
			compare(e, x, gma, space);
	} else {
		page = fill(e, x, gma, space, write, why);
	}
	return page ? page + (gma & PAGE_MASK_4K) : NULL;
}

/* ------------------------------------------------------------------ RAM that comes back */

/*
 * Until someone maps, asks for something, or the time is over. A map and a request both kick under
 * engine.lock, so that neither is lost between a look and the sleep.
 */
static void sleep_until_kicked(struct engine *e, uint64_t until_ns)
{
	lock_acquire(&e->lock);
	if (!e->kicked && !(atomic_load(&e->request) & (ENGINE_REQ_PARK | ENGINE_REQ_QUIT))) {
		e->asleep = true;
		lock_cond_wait(&e->lock, &e->wake, until_ns);
		e->asleep = false;
	}
	e->kicked = false;
	lock_release(&e->lock);
}

bool gtt_await_map(struct engine *e)
{
	struct iommu *mmu = &e->model->iommu;
	struct iova iova = {e->fault_iova};
	enum fault_reason why;
	uint64_t until;

	if (e->fault.reason != FAULT_IOVA)
		return false;
	until = iommu_gone_until(mmu, iova);
	if (!until)
		return false;
	atomic_fetch_add_explicit(&mmu->waits, 1, memory_order_relaxed);
	cs_publish(e);
	cs_flush_cost(e);
	for (;;) {
		/* Inside the section only for the look: what is awaited comes by maps and unmaps. */
		if (atomic_load(&e->request) & (ENGINE_REQ_PARK | ENGINE_REQ_QUIT) ||
			iommu_page(mmu, iova, false, &why) || why != FAULT_IOVA)
			return true;
		until = iommu_gone_until(mmu, iova);
		if (!until)
			return false;
		gtt_leave(e);
		sleep_until_kicked(e, until);
		gtt_enter(e);
	}
}
