// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Engines: their threads, and what stops, starts, saves and shows them.
 *
 * A thread sleeps while its port is empty or it is hung. engine.request is how others reach it: a bit
 * for a new execlist, and bits for which it parks. A parked thread touches nothing of the engine, so
 * who asked may read and change everything under engine.lock. engine_ask() waits for the parking; a
 * running thread looks at its requests before every command and a blit at least every 64 KiB.
 *
 * An engine's thread never waits for another engine: a reset that a command stream asks for is left
 * to be done by the thread itself, later.
 */
#include "gpu/model/cs.h"

#include <errno.h>
#include <json-c/json.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>

/* Polling a wait: at once for a while, then with sleeps that grow to the second figure. */
#define WAIT_SPINS	  32
#define WAIT_SLEEP_NS	  (20 * NSEC_PER_USEC)
#define WAIT_SLEEP_MAX_NS (250 * NSEC_PER_USEC)
#define WAIT_COST_NS	  100

static uint64_t mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

/* ------------------------------------------------------------------ requests */

static void wake_unlocked(struct engine *e, bool asleep)
{
	if (asleep)
		pthread_cond_signal(&e->wake);
}

void engine_ask(struct engine *e, uint32_t bits)
{
	lock_acquire(&e->lock);
	atomic_fetch_or(&e->request, bits);
	pthread_cond_signal(&e->wake);
	while (cs_self != e && e->started && !e->parked &&
		atomic_load(&e->request) & ENGINE_REQ_PARK & bits)
		lock_cond_wait(&e->lock, &e->acked, 0);
	lock_release(&e->lock);
}

void engine_unask(struct engine *e, uint32_t bits)
{
	lock_acquire(&e->lock);
	atomic_fetch_and(&e->request, ~bits);
	pthread_cond_signal(&e->wake);
	lock_release(&e->lock);
}

void engine_kick(struct engine *e)
{
	bool asleep;

	lock_acquire(&e->lock);
	e->kicked = true;
	asleep = e->asleep;
	lock_release(&e->lock);
	wake_unlocked(e, asleep);
}

void engine_pause(struct engine *e)
{
	lock_acquire(&e->lock);
	e->pauses++;
	lock_release(&e->lock);
	engine_ask(e, ENGINE_REQ_PAUSE);
}

void engine_resume(struct engine *e)
{
	bool last;

	lock_acquire(&e->lock);
	last = e->pauses && --e->pauses == 0;
	lock_release(&e->lock);
	if (last)
		engine_unask(e, ENGINE_REQ_PAUSE);
}

/* Registers of the engine's block to their reset values; RESET_CTL is who resets' affair. */
static void reset_registers(struct engine *e)
{
	static const uint16_t always[] = {RING_TAIL, RING_HEAD, RING_START, RING_CTL, RING_ACTHD,
		RING_ACTHD_UDW, RING_IPEHR, RING_EIR, RING_BB_ADDR, RING_BB_ADDR_UDW, RING_BB_STATE,
		RING_CTX_CONTROL, RING_CTX_TIMESTAMP};
	struct regs *regs = &e->model->regs;
	uint32_t base = e->info->mmio_base;

	for (uint32_t reg = 0; reg < 0x800; reg += 4) {
		const struct reg_row *row = regs_row(regs, base + reg);

		if (row && row->flags & REG_GDRST && reg != RING_RESET_CTL)
			regs_poke(regs, base + reg, row->reset);
	}
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		regs_poke(regs, base + always[i], 0);
	for (uint32_t i = 0; i < RING_GPRS * 2; i++)
		regs_poke(regs, base + RING_GPR + 4 * i, 0);
	for (uint32_t i = 0; i < 12; i++)
		regs_poke(regs, base + RING_CSB + 4 * i, 0);
	regs_poke(regs, base + RING_MI_MODE,
		regs_peek(regs, base + RING_MI_MODE) & ~MI_MODE_STOP_RING);
	regs_poke(regs, base + RING_CSB_PTR, 0x505);
}

/* While the thread is parked, or by itself; under engine.lock. */
static void hang_failed(struct engine *e)
{
	if (engine_state(e) == ENGINE_HUNG)
		return;
	snprintf(e->hang_reason, sizeof(e->hang_reason), "the device has failed");
	engine_set_state(e, ENGINE_HUNG);
	atomic_fetch_add_explicit(&e->hangs, 1, memory_order_relaxed);
}

void engine_fail(struct engine *e)
{
	lock_acquire(&e->lock);
	atomic_fetch_or(&e->request, ENGINE_REQ_FAIL);
	if (e->parked)
		hang_failed(e);
	pthread_cond_signal(&e->wake);
	lock_release(&e->lock);
}

void engine_restore(struct engine *e)
{
	engine_unask(e, ENGINE_REQ_FAIL);
}

/* While the thread is parked, or by itself; under engine.lock. */
static void reset_locked(struct engine *e)
{
	execlist_reset(e);
	if (e->id == BCS0)
		e->model->blt_setup = (struct blt_setup){0};
	reset_registers(e);
	e->kicked = false;
	atomic_store(&e->acthd, 0);
	atomic_store(&e->ipehr, 0);
	engine_set_state(e, ENGINE_IDLE);
	atomic_fetch_add_explicit(&e->resets, 1, memory_order_relaxed);
	atomic_fetch_and(&e->request, ~(uint32_t)(ENGINE_REQ_RESET | ENGINE_REQ_STOP |
						  ENGINE_REQ_HALT | ENGINE_REQ_ELSP));
	if (atomic_load(&e->request) & ENGINE_REQ_FAIL)
		hang_failed(e);
}

void engine_reset(struct engine *e)
{
	if (cs_self) {
		atomic_fetch_or(&e->request, ENGINE_REQ_RESET);
		if (cs_self != e)
			engine_kick(e);
		return;
	}
	engine_ask(e, ENGINE_REQ_RESET);
	lock_acquire(&e->lock);
	/* Unless the thread has done it meanwhile for a stream that asked too. */
	if (atomic_load(&e->request) & ENGINE_REQ_RESET)
		reset_locked(e);
	pthread_cond_signal(&e->wake);
	lock_release(&e->lock);
}

/* ------------------------------------------------------------------ the thread */

/* Under the lock: nothing is touched until nobody wants it parked. */
static void park(struct engine *e)
{
	e->parked = true;
	if (atomic_load(&e->request) & ENGINE_REQ_FAIL)
		hang_failed(e);
	pthread_cond_broadcast(&e->acked);
	while (atomic_load(&e->request) & ENGINE_REQ_PARK &&
		!(atomic_load(&e->request) & ENGINE_REQ_QUIT)) {
		e->asleep = true;
		lock_cond_wait(&e->lock, &e->wake, 0);
		e->asleep = false;
	}
	e->parked = false;
}

/* An unsatisfied wait: until someone kicks, a request comes, or the next poll is due. */
static void wait_a_while(struct engine *e)
{
	unsigned int n = e->wait_polls++;
	uint64_t ns;

	e->cost_ns += WAIT_COST_NS;
	if (n < WAIT_SPINS) {
		sched_yield();
		return;
	}
	ns = WAIT_SLEEP_NS << (n - WAIT_SPINS < 5 ? n - WAIT_SPINS : 5);
	lock_acquire(&e->lock);
	if (!e->kicked && !atomic_load(&e->request)) {
		e->asleep = true;
		lock_cond_wait(&e->lock, &e->wake, mono_ns() + min_u64(ns, WAIT_SLEEP_MAX_NS));
		e->asleep = false;
	} else if (!e->kicked) {
		/* A request that cannot be served yet: a new execlist while arbitration is off. */
		e->asleep = true;
		lock_cond_wait(&e->lock, &e->wake, mono_ns() + WAIT_SLEEP_NS);
		e->asleep = false;
	}
	e->kicked = false;
	lock_release(&e->lock);
}

static bool has_work(struct engine *e)
{
	if (engine_state(e) == ENGINE_HUNG)
		return false;
	return port_valid(e->port[0].desc) || e->pending_valid;
}

static void *engine_main(void *arg)
{
	struct engine *e = arg;

	cs_self = e;
	lock_acquire(&e->lock);
	while (!(atomic_load(&e->request) & ENGINE_REQ_QUIT)) {
		enum execlist_turn turn;
		uint64_t start;

		if (atomic_load(&e->request) & ENGINE_REQ_PARK) {
			park(e);
			continue;
		}
		if (!has_work(e)) {
			e->asleep = true;
			lock_cond_wait(&e->lock, &e->wake, 0);
			e->asleep = false;
			continue;
		}
		lock_release(&e->lock);
		start = mono_ns();
		gtt_enter(e);
		e->tracing = trace_on(atomic_load_explicit(&e->model->trace, memory_order_acquire));
		turn = execlist_run(e);
		gtt_leave(e);
		atomic_fetch_and(&e->request, ~(uint32_t)ENGINE_REQ_BREATHE); /* it has */
		cs_flush_cost(e);
		atomic_fetch_add_explicit(&e->busy_ns, mono_ns() - start, memory_order_relaxed);
		if (turn == EXECLIST_WAIT)
			wait_a_while(e);
		lock_acquire(&e->lock);
	}
	e->parked = true;
	pthread_cond_broadcast(&e->acked);
	lock_release(&e->lock);
	return NULL;
}

int engine_init(struct model *m, int id)
{
	struct engine *e = &m->engine[id];
	int ret;

	e->model = m;
	e->id = id;
	e->info = &gen9_engines[id];
	lock_init(&e->lock, LOCK_RANK_ENGINE);
	lock_cond_init(&e->wake);
	lock_cond_init(&e->acked);
	epoch_reader_add(&m->iommu.epoch, &e->reader);
	ggtt_user_init(m, &e->port_user);
	context_regs_init(e);
	execlist_reset(e);
	gtt_tlb_flush(e);
	ret = pthread_create(&e->thread, NULL, engine_main, e);
	if (ret)
		return -ret;
	e->started = true;
	return 0;
}

static void stop_thread(struct engine *e)
{
	if (!e->started)
		return;
	lock_acquire(&e->lock);
	atomic_fetch_or(&e->request, ENGINE_REQ_QUIT);
	pthread_cond_signal(&e->wake);
	lock_release(&e->lock);
	pthread_join(e->thread, NULL);
	e->started = false;
}

void engine_finish(struct engine *e)
{
	/* Threads kick each other's engines: all end before the first is taken apart. */
	model_each_engine(e->model, other)
	{
		stop_thread(other);
	}
	ggtt_user_finish(e->model, &e->port_user);
	epoch_reader_remove(&e->model->iommu.epoch, &e->reader);
	pthread_cond_destroy(&e->acked);
	pthread_cond_destroy(&e->wake);
	lock_finish(&e->lock);
}

/* ------------------------------------------------------------------ status */

static const char *const state_names[] = {
	[ENGINE_IDLE] = "idle",
	[ENGINE_RUNNING] = "running",
	[ENGINE_WAITING] = "waiting",
	[ENGINE_HUNG] = "hung",
};

static void add_count(struct json_object *out, const char *name, _Atomic uint64_t *n)
{
	json_object_object_add(out, name,
		json_object_new_int64((int64_t)atomic_load_explicit(n, memory_order_relaxed)));
}

void engine_status(struct engine *e, struct json_object *out)
{
	uint32_t unknown = atomic_load_explicit(&e->unknown_command, memory_order_relaxed);
	enum engine_stop state = engine_state(e);
	char text[sizeof(e->hang_reason)];

	json_object_object_add(out, "state", json_object_new_string(state_names[state]));
	add_count(out, "commands", &e->commands);
	add_count(out, "skipped", &e->skipped);
	add_count(out, "batches", &e->batches);
	add_count(out, "contexts", &e->contexts);
	add_count(out, "busy_ns", &e->busy_ns);
	add_count(out, "interrupts", &e->interrupts);
	add_count(out, "preemptions", &e->preemptions);
	add_count(out, "hangs", &e->hangs);
	add_count(out, "resets", &e->resets);
	if (unknown) {
		snprintf(text, sizeof(text), "%08x", unknown);
		json_object_object_add(out, "unknown_command", json_object_new_string(text));
	}
	/* A hung thread writes its reason no more; the lock keeps a reset away. */
	lock_acquire(&e->lock);
	if (engine_state(e) == ENGINE_HUNG) {
		snprintf(text, sizeof(text), "%s", e->hang_reason);
		json_object_object_add(out, "hang_reason", json_object_new_string(text));
	}
	lock_release(&e->lock);
}
