// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The software Gen9 GPU as a device: how it is made, its BARs, its interrupt, its clock.
 *
 * A register access is counted, traced, checked for forcewake and handed to the register file, which
 * finds the row's handler; blocks without state of their own have theirs in misc_regs.c, forcewake.c
 * and reset.c. The bus is iommu.c: a map or unmap publishes a new table, tells every engine's TLB, and
 * waits until no reader sees the old one; an engine that does not leave in time is reset. The one MSI
 * comes from the soc's interrupt tree, on whichever thread raised the event. On a real clock a thread
 * sleeps until the display's next event; on a virtual one model_advance() takes its place.
 *
 * Creation goes up in one order (registers, GGTT, bus, soc, engines, timer) and down in the reverse.
 */
#include "gpu/model/model_api.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "gpu/model/blt.h"
#include "gpu/model/gtt.h"
#include "gpu/model/status.h"

#define APERTURE_DEFAULT MIB(2)
#define RING_IMR	 0xa8

/* ------------------------------------------------------------------ tracing, interrupts */

static void trace_access(
	struct model *m, enum trace_kind kind, uint64_t a, uint64_t b, unsigned int n)
{
	struct trace *t = atomic_load_explicit(&m->trace, memory_order_acquire);

	if (unlikely(trace_on(t))) {
		struct trace_event ev = {.ns = clock_now_ns(m->clock),
			.kind = (uint16_t)kind,
			.a = a,
			.b = b,
			.n = n};

		trace_put(t, &ev);
	}
}

/* The soc asks for an MSI. */
static void raise_msi(void *arg)
{
	struct model *m = arg;
	gpu_irq_fn fn;

	atomic_fetch_add_explicit(&m->stats.interrupts, 1, memory_order_relaxed);
	trace_access(m, TRACE_IRQ, regs_peek(&m->regs, 0x44200), 0, 0);
	/* Counted, so that irq_set() can wait for the callback it takes away. */
	atomic_fetch_add(&m->irq_calls, 1);
	fn = atomic_load(&m->irq_fn);
	if (fn)
		fn(atomic_load(&m->irq_arg));
	atomic_fetch_sub(&m->irq_calls, 1);
}

static void model_irq_set(struct gpu *g, gpu_irq_fn fn, void *arg)
{
	struct model *m = to_model(g);

	atomic_store(&m->irq_fn, NULL);
	while (atomic_load(&m->irq_calls))
		sched_yield();
	atomic_store(&m->irq_arg, arg);
	atomic_store(&m->irq_fn, fn);
}

void model_engine_irq(struct engine *e, uint32_t bits)
{
	struct model *m = e->model;

	/* A ring's mask has its bits where its half of the bank has them (i915: irq_enable_mask). */
	bits <<= e->info->irq_shift;
	bits &= ~regs_peek(&m->regs, e->info->mmio_base + RING_IMR);
	if (!bits)
		return;
	atomic_fetch_add_explicit(&e->interrupts, 1, memory_order_relaxed);
	soc_irq_event(&m->soc.irq, IRQ_GT0 + e->info->irq_bank, bits);
}

/* ------------------------------------------------------------------ BAR0 */

/*
 * The unit that wakes the domains is awake itself: forcewake requests, and the RPS registers next to
 * them, which i915 writes without forcewake (gt/intel_rps.c: set()) although its table of domains has
 * them in the blitter's. GDRST is outside the wells too (gt/intel_reset.c: gen6_hw_domain_reset).
 */
static bool always_on(uint32_t offset)
{
	return (offset >= 0xa000 && offset < 0xa400) || offset == 0x941c;
}

/*
 * Registers that i915 reads asleep or not, without harm: most only to post what it wrote before
 * (ENGINE_POSTING_READ in gt/intel_execlists_submission.c, intel_gt_flush_ggtt_writes()), and
 * EXECLIST_STATUS when a semaphore wait was signalled that may be over by now (execlists_irq_handler).
 */
static bool harmless_read(uint32_t offset)
{
	int engine = gen9_reg_engine(offset);

	if (engine < 0)
		return false;
	switch (offset - gen9_engines[engine].mmio_base) {
	case 0x30:  /* RING_TAIL */
	case 0x80:  /* RING_HWS_PGA */
	case 0xa8:  /* RING_IMR */
	case 0x238: /* RING_EXECLIST_STATUS_HI */
	case 0x3a0: /* RING_CONTEXT_STATUS_PTR */
		return true;
	}
	return false;
}

/* Domains that are awake because an engine in them works: none sleeps under a running context. */
static uint32_t busy_domains(struct model *m)
{
	uint32_t domains = 0;

	model_each_engine(m, e)
	{
		if (atomic_load_explicit(&e->state, memory_order_relaxed) != ENGINE_IDLE)
			domains |= e->info->forcewake | FW_BLITTER; /* i915's FORCEWAKE_GT */
	}
	return domains;
}

/* A dword's domains must be awake, or silicon answers garbage and drops the write. */
static void check_forcewake(struct model *m, uint32_t offset, bool write)
{
	uint32_t domains = gen9_reg_forcewake(offset);
	const struct reg_row *row;

	if (likely(!domains || forcewake_awake(m, domains)) || always_on(offset))
		return;
	if (forcewake_awake(m, domains & ~busy_domains(m)))
		return;
	row = regs_row(&m->regs, offset & ~3u);
	if (write ? row && (row->flags & REG_SHADOWED) : harmless_read(offset))
		return;
	model_violate(m, VIOLATION_FORCEWAKE, offset);
}

static uint64_t model_mmio_read(struct gpu *g, uint32_t offset, unsigned int size)
{
	struct model *m = to_model(g);
	uint64_t v;

	atomic_fetch_add_explicit(&m->stats.mmio_reads, 1, memory_order_relaxed);
	if (offset >= GEN9_MMIO_SIZE)
		return 0;
	check_forcewake(m, offset, false);
	v = regs_mmio_read(&m->regs, offset, size);
	trace_access(m, TRACE_MMIO_READ, offset, v, size);
	return v;
}

static void model_mmio_write(struct gpu *g, uint32_t offset, uint64_t value, unsigned int size)
{
	struct model *m = to_model(g);

	atomic_fetch_add_explicit(&m->stats.mmio_writes, 1, memory_order_relaxed);
	if (offset >= GEN9_MMIO_SIZE)
		return;
	trace_access(m, TRACE_MMIO_WRITE, offset, value, size);
	check_forcewake(m, offset, true);
	regs_mmio_write(&m->regs, offset, value, size);
}

static uint64_t model_ggtt_read(struct gpu *g, uint32_t index)
{
	struct model *m = to_model(g);

	atomic_fetch_add_explicit(&m->stats.ggtt_reads, 1, memory_order_relaxed);
	return ggtt_read_entry(&m->ggtt, index);
}

static void model_ggtt_write(struct gpu *g, uint32_t index, uint64_t value, uint64_t mask)
{
	struct model *m = to_model(g);

	atomic_fetch_add_explicit(&m->stats.ggtt_writes, 1, memory_order_relaxed);
	trace_access(m, TRACE_GGTT_WRITE, index, value, 0);
	ggtt_write_entry(&m->ggtt, index, value, mask);
}

/* ------------------------------------------------------------------ the bus */

static void iommu_invalidate(void *arg)
{
	struct model *m = arg;

	model_each_engine(m, e)
	{
		gtt_tlb_want_flush(e);
		/* Who enters from now on sees the new table; who is inside comes out between commands. */
		if (atomic_load(&e->reader.active))
			atomic_fetch_or(&e->request, ENGINE_REQ_BREATHE);
	}
}

static void iommu_mapped(void *arg)
{
	struct model *m = arg;

	model_each_engine(m, e)
	{
		engine_kick(e);
	}
}

/* An unmap waits in vain: engines that are still inside drop what they do. */
static void iommu_evict(void *arg)
{
	struct model *m = arg;

	uint64_t now = atomic_load(&m->iommu.epoch.now);

	model_each_engine(m, e)
	{
		uint64_t since = atomic_load(&e->reader.active);

		if (since && since < now)
			engine_reset(e);
	}
}

static int model_iova_map(
	struct gpu *g, struct iova iova, uint64_t size, struct hva hva, bool writable)
{
	return iommu_map_range(&to_model(g)->iommu, iova, size, hva.p, writable);
}

static int model_iova_unmap(struct gpu *g, struct iova iova, uint64_t size)
{
	return iommu_unmap_range(&to_model(g)->iommu, iova, size);
}

static void model_fail(struct gpu *g, const char *reason)
{
	struct model *m = to_model(g);

	model_fault(m, reason);
	model_each_engine(m, e)
	{
		engine_fail(e);
	}
}

/* ------------------------------------------------------------------ the display's clock */

static void timer_kick(void *arg)
{
	struct model_timer *t = &((struct model *)arg)->timer;

	if (!t->started)
		return;
	lock_acquire(&t->lock);
	t->kicked = true;
	pthread_cond_signal(&t->wake);
	lock_release(&t->lock);
}

static void *timer_main(void *arg)
{
	struct model *m = arg;
	struct model_timer *t = &m->timer;

	lock_acquire(&t->lock);
	while (!t->quit) {
		uint64_t next;

		t->kicked = false;
		lock_release(&t->lock);
		next = soc_tick(&m->soc);
		lock_acquire(&t->lock);
		/* The real clock is CLOCK_MONOTONIC, which the condition waits on. */
		while (!t->quit && !t->kicked) {
			if (lock_cond_wait(&t->lock, &t->wake, next == UINT64_MAX ? 0 : next))
				break;
		}
	}
	lock_release(&t->lock);
	return NULL;
}

static int timer_start(struct model *m)
{
	int ret;

	lock_init(&m->timer.lock, LOCK_RANK_LEAF);
	lock_cond_init(&m->timer.wake);
	if (m->clock->is_virtual)
		return 0;
	m->timer.started = true;
	ret = pthread_create(&m->timer.thread, NULL, timer_main, m);
	if (ret)
		m->timer.started = false;
	return -ret;
}

static void timer_stop(struct model *m)
{
	struct model_timer *t = &m->timer;

	if (t->started) {
		lock_acquire(&t->lock);
		t->quit = true;
		pthread_cond_signal(&t->wake);
		lock_release(&t->lock);
		pthread_join(t->thread, NULL);
	}
	pthread_cond_destroy(&t->wake);
	lock_finish(&t->lock);
}

#define ADVANCE_EVENTS_MAX 100000

void model_advance(struct gpu *g, uint64_t ns)
{
	struct model *m = to_model(g);
	uint64_t now = clock_now_ns(m->clock), end;

	if (!m->clock->is_virtual)
		return;
	end = ns > UINT64_MAX - now ? UINT64_MAX : now + ns;
	for (unsigned int i = 0; i < ADVANCE_EVENTS_MAX; i++) {
		uint64_t next = soc_tick(&m->soc);

		now = clock_now_ns(m->clock);
		if (next >= end || now >= end)
			break;
		if (next > now)
			clock_advance(m->clock, next - now);
	}
	if (end > now)
		clock_advance(m->clock, end - now);
	soc_tick(&m->soc);
	model_each_engine(m, e)
	{
		engine_kick(e);
	}
}

/* ------------------------------------------------------------------ state */

static const struct state_section *model_sections(struct gpu *g, size_t *count)
{
	struct model *m = to_model(g);

	*count = m->section_count;
	return m->sections;
}

static void model_pause(struct gpu *g)
{
	model_each_engine(to_model(g), e)
	{
		engine_pause(e);
	}
}

static void model_resume(struct gpu *g)
{
	struct model *m = to_model(g);

	model_each_engine(m, e)
	{
		/* What was loaded meanwhile may have changed every address. */
		gtt_tlb_want_flush(e);
		engine_resume(e);
	}
	timer_kick(m);
}

static void list_sections(struct model *m)
{
	struct state_section *s = m->sections;

	*s++ = (struct state_section){.name = "regs",
		.version = REGS_STATE_VERSION,
		.obj = &m->regs,
		.save = regs_save,
		.load = regs_load};
	*s++ = (struct state_section){.name = "ggtt",
		.version = GGTT_STATE_VERSION,
		.obj = m,
		.save = ggtt_save,
		.load = ggtt_load};
	*s++ = (struct state_section){.name = "blt",
		.version = BLT_STATE_VERSION,
		.obj = m,
		.save = blt_save,
		.load = blt_load};
	s += soc_sections(&m->soc, s);
	model_each_engine(m, e)
	{
		s += engine_sections(e, s);
	}
	m->section_count = (size_t)(s - m->sections);
}

/* ------------------------------------------------------------------ making and ending it */

static void model_trace_set(struct gpu *g, struct trace *t)
{
	atomic_store_explicit(&to_model(g)->trace, t, memory_order_release);
}

static void model_destroy(struct gpu *g)
{
	struct model *m;

	if (!g)
		return;
	m = to_model(g);
	timer_stop(m);
	model_each_engine(m, e)
	{
		engine_finish(e);
	}
	ggtt_user_finish(m, &m->scanout);
	ggtt_user_finish(m, &m->aperture);
	soc_finish(&m->soc);
	iommu_finish(&m->iommu);
	ggtt_finish(&m->ggtt);
	regs_finish(&m->regs);
	lock_finish(&m->fault_lock);
	lock_finish(&m->reset_lock);
	free(m);
}

static const struct gpu_ops model_ops = {
	.destroy = model_destroy,
	.mmio_read = model_mmio_read,
	.mmio_write = model_mmio_write,
	.ggtt_read = model_ggtt_read,
	.ggtt_write = model_ggtt_write,
	.aperture_read = aperture_read,
	.aperture_write = aperture_write,
	.iova_map = model_iova_map,
	.iova_unmap = model_iova_unmap,
	.irq_set = model_irq_set,
	.reset = model_reset,
	.fail = model_fail,
	.scanout = scanout_frame,
	.sections = model_sections,
	.pause = model_pause,
	.resume = model_resume,
	.status = model_status,
	.trace_set = model_trace_set,
};

static void bind(struct model *m)
{
	model_bind_forcewake(m);
	model_bind_reset(m);
	model_bind_timestamp(m);
	model_bind_fuses(m);
	model_bind_gtt(m);
	model_bind_rings(m);
}

static int check_config(const struct model_config *c, struct err *e)
{
	uint64_t ap = c->aperture_bytes;

	if (!c->clock)
		return err_set(e, -EINVAL, NULL, "a GPU needs a clock");
	if (ap && ((ap & (ap - 1)) || ap < MIB(1) || ap > GIB(4)))
		return err_set(e, -EINVAL, "use a power of two, 1 MiB to 4 GiB",
			"aperture of %llu bytes", (unsigned long long)ap);
	return 0;
}

struct gpu *model_create(const struct model_config *config, struct err *e)
{
	struct soc_config sc = {
		.monitor = config->monitor, .irq_fn = raise_msi, .kick = timer_kick};
	struct model *m;
	int ret;

	if (check_config(config, e))
		return NULL;
	m = calloc(1, sizeof(*m));
	if (!m) {
		err_set(e, -ENOMEM, NULL, "no memory for a GPU");
		return NULL;
	}
	m->platform = config->platform ? config->platform : gen9_platform_find("kbl-gt2");
	m->clock = config->clock;
	m->start_ns = clock_now_ns(m->clock);
	m->gpu.ops = &model_ops;
	m->gpu.info = (struct gpu_info){
		.name = m->platform->title,
		.vendor_id = 0x8086,
		.device_id = m->platform->device_id,
		.revision = m->platform->revision,
		.caps = GPU_CAP_SCANOUT | (m->clock->is_virtual ? GPU_CAP_VIRTUAL_CLOCK : 0),
		.aperture_bytes =
			config->aperture_bytes ? config->aperture_bytes : APERTURE_DEFAULT,
		.ggtt_entries = GGTT_ENTRIES,
	};
	lock_init(&m->reset_lock, LOCK_RANK_IOMMU);
	lock_init(&m->fault_lock, LOCK_RANK_LEAF);

	ret = regs_init(&m->regs, m->platform);
	if (ret)
		goto err_regs;
	ret = ggtt_init(&m->ggtt);
	if (ret)
		goto err_ggtt;
	{
		static const struct iommu_ops iommu_ops = {
			iommu_invalidate, iommu_evict, iommu_mapped};

		iommu_init(&m->iommu, &iommu_ops, m);
	}
	sc.irq_arg = m;
	sc.kick_arg = m;
	ret = soc_init(&m->soc, &m->regs, m->clock, &sc);
	if (ret)
		goto err_soc;
	ggtt_user_init(m, &m->aperture);
	ggtt_user_init(m, &m->scanout);
	bind(m);
	for (int id = 0; id < GEN9_ENGINES; id++) {
		if (id == VCS1 && !m->platform->has_vcs1)
			continue;
		/* A failed init is finished like a good one. */
		m->engines |= BIT(id);
		m->engine[id].tlb.sample = TLB_SAMPLE;
		ret = engine_init(m, id);
		if (ret)
			goto err_engines;
	}
	ret = timer_start(m);
	if (ret) {
		timer_stop(m);
		goto err_engines;
	}
	list_sections(m);
	return &m->gpu;

err_engines:
	model_each_engine(m, eng)
	{
		engine_finish(eng);
	}
	ggtt_user_finish(m, &m->scanout);
	ggtt_user_finish(m, &m->aperture);
	soc_finish(&m->soc);
err_soc:
	iommu_finish(&m->iommu);
	ggtt_finish(&m->ggtt);
err_ggtt:
	regs_finish(&m->regs);
err_regs:
	lock_finish(&m->fault_lock);
	lock_finish(&m->reset_lock);
	free(m);
	err_set(e, ret, NULL, "the GPU could not be made");
	return NULL;
}
