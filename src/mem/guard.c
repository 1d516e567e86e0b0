/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SIGBUS guard: a table that a signal handler can search, and the handler. */
#include "mem/guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/*
 * The handler takes no lock: it walks a list of chunks that only grows. Each slot has a sequence
 * count, odd while a writer is in it. A slot that changes under the handler is not the one that
 * faulted, because a range is guarded before anyone can touch it and until nobody can any more.
 */
#define SLOTS_PER_CHUNK 256

struct guard_slot {
	_Atomic uint32_t seq;
	_Atomic uintptr_t base;
	_Atomic size_t size; /* 0: free */
	_Atomic size_t page_bytes;
	_Atomic int prot;
	struct guard_owner *_Atomic owner;
	struct guard_slot *free_next;
};

struct chunk {
	struct chunk *_Atomic next;
	struct guard_slot slots[SLOTS_PER_CHUNK];
};

static struct chunk *_Atomic chunks;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* writers; a leaf of the lock order */
static struct guard_slot *free_slots;
static struct sigaction previous;

/* Puts zero pages from the faulting page to the end of its range. True when `addr` was guarded. */
static bool guard_step_in(uintptr_t addr)
{
	for (struct chunk *c = atomic_load(&chunks); c; c = atomic_load(&c->next)) {
		for (size_t i = 0; i < SLOTS_PER_CHUNK; i++) {
			struct guard_slot *s = &c->slots[i];
			uint32_t seq = atomic_load(&s->seq);
			uintptr_t base = atomic_load(&s->base), from;
			size_t size = atomic_load(&s->size);
			size_t page = atomic_load(&s->page_bytes);
			int prot = atomic_load(&s->prot);
			struct guard_owner *owner = atomic_load(&s->owner);

			if ((seq & 1) || atomic_load(&s->seq) != seq || size == 0 || addr < base ||
				addr - base >= size)
				continue;
			from = addr & ~(uintptr_t)(page - 1);
			if (mmap((void *)from, size - (from - base), prot,
				    MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
				    0) == MAP_FAILED)
				return false;
			atomic_fetch_add(&owner->times, 1);
			atomic_store(&owner->shrunk, true);
			return true;
		}
	}
	return false;
}

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	int saved = errno;
	bool done = info->si_code == BUS_ADRERR && guard_step_in((uintptr_t)info->si_addr);

	errno = saved;
	if (done)
		return;
	if (previous.sa_flags & SA_SIGINFO) {
		previous.sa_sigaction(sig, info, context);
	} else if (previous.sa_handler == SIG_IGN && info->si_code <= 0) {
		return;
	} else if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
		/* The access is repeated under the default action; a sent signal is sent again. */
		signal(SIGBUS, SIG_DFL);
		if (info->si_code <= 0)
			raise(SIGBUS);
	} else {
		previous.sa_handler(sig);
	}
}

int guard_install(void)
{
	struct sigaction sa = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	struct sigaction now;
	int ret = 0;

	sigemptyset(&sa.sa_mask);
	pthread_mutex_lock(&lock);
	if (sigaction(SIGBUS, NULL, &now)) {
		ret = -errno;
	} else if (!(now.sa_flags & SA_SIGINFO) || now.sa_sigaction != on_sigbus) {
		previous = now;
		ret = sigaction(SIGBUS, &sa, NULL) ? -errno : 0;
	}
	pthread_mutex_unlock(&lock);
	return ret;
}

static void chunk_add(void)
{
	struct chunk *c = calloc(1, sizeof(*c));

	if (!c)
		return;
	for (size_t i = 0; i < SLOTS_PER_CHUNK; i++) {
		c->slots[i].free_next = free_slots;
		free_slots = &c->slots[i];
	}
	atomic_store(&c->next, atomic_load(&chunks));
	atomic_store(&chunks, c);
}

static void slot_set(struct guard_slot *s, uintptr_t base, size_t size, size_t page_bytes, int prot,
	struct guard_owner *owner)
{
	atomic_fetch_add(&s->seq, 1);
	atomic_store(&s->base, base);
	atomic_store(&s->size, size);
	atomic_store(&s->page_bytes, page_bytes);
	atomic_store(&s->prot, prot);
	atomic_store(&s->owner, owner);
	atomic_fetch_add(&s->seq, 1);
}

struct guard_slot *guard_add(
	void *base, size_t size, size_t page_bytes, bool writable, struct guard_owner *owner)
{
	struct guard_slot *s;

	pthread_mutex_lock(&lock);
	if (!free_slots)
		chunk_add();
	s = free_slots;
	if (s) {
		free_slots = s->free_next;
		slot_set(s, (uintptr_t)base, size, page_bytes,
			PROT_READ | (writable ? PROT_WRITE : 0), owner);
	}
	pthread_mutex_unlock(&lock);
	return s;
}

void guard_remove(struct guard_slot *slot)
{
	if (!slot)
		return;
	pthread_mutex_lock(&lock);
	slot_set(slot, 0, 0, 0, 0, NULL);
	slot->free_next = free_slots;
	free_slots = slot;
	pthread_mutex_unlock(&lock);
}
