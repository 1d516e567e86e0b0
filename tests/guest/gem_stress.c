// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A fixed amount of verified work from many processes and contexts on all engines at once:
 * gem_stress [PROCESSES [CONTEXTS [ROUNDS]]]
 *
 * A process has a device file of its own, CONTEXTS contexts and a buffer for each. In a round each
 * context gets a batch on a random engine: stores into its buffer and, on the blitter, a filled
 * rectangle. What the buffer should hold is kept in plain memory; every few rounds all is compared.
 */
#include "gem.h"
#include <sys/wait.h>

#define WIDTH	     256u /* pixels of 4 bytes */
#define HEIGHT	     64u
#define BO_BYTES     (WIDTH * HEIGHT * 4)
#define MAX_CONTEXTS 64

struct client {
	uint32_t context;
	struct gem_bo bo;
	struct gem_batch batch;
	uint32_t *copy;
};

static void store_some(struct client *c)
{
	for (int n = gem_between(1, 40); n; n--) {
		uint32_t at = (uint32_t)gem_between(0, (int)(WIDTH * HEIGHT) - 1),
			 value = (uint32_t)gem_random();

		gem_emit_store(&c->batch, c->bo.addr + 4u * at, value);
		c->copy[at] = value;
	}
}

static void fill_some(struct client *c)
{
	uint32_t x1 = (uint32_t)gem_between(0, WIDTH - 1),
		 x2 = (uint32_t)gem_between((int)x1 + 1, WIDTH);
	uint32_t y1 = (uint32_t)gem_between(0, HEIGHT - 1),
		 y2 = (uint32_t)gem_between((int)y1 + 1, HEIGHT);
	uint32_t color = (uint32_t)gem_random();

	gem_emit(&c->batch, 2u << 29 | 0x50u << 22 | 3u << 20 | 5); /* XY_COLOR_BLT */
	gem_emit(&c->batch, 3u << 24 | 0xf0u << 16 | WIDTH * 4);
	gem_emit(&c->batch, y1 << 16 | x1);
	gem_emit(&c->batch, y2 << 16 | x2);
	gem_emit_addr(&c->batch, c->bo.addr);
	gem_emit(&c->batch, color);
	for (uint32_t y = y1; y < y2; y++) {
		for (uint32_t x = x1; x < x2; x++) {
			c->copy[y * WIDTH + x] = color;
		}
	}
}

/* Work for one context; it waits for its last batch first, others run meanwhile. */
static void submit(struct client *c)
{
	const struct gem_engine *engine = &gem_engines[gem_random() % ARRAY_SIZE(gem_engines)];
	struct gem_bo *bos[] = {&c->bo, &c->batch.bo};

	if (gem_wait(&c->batch.bo, GEM_WAIT_NS)) {
		gem_bail("a batch does not end");
	}
	gem_batch_reset(&c->batch);
	store_some(c);
	if (engine == GEM_BCS) {
		fill_some(c);
	}
	gem_emit_end(&c->batch);
	gem_exec(engine, c->context, bos, 2);
}

static long verify(struct client *c)
{
	const uint32_t *have = c->bo.map;

	gem_domain(&c->bo, I915_GEM_DOMAIN_CPU, true);
	if (memcmp(have, c->copy, BO_BYTES)) {
		for (long i = 0; i < (long)(WIDTH * HEIGHT); i++) {
			if (have[i] != c->copy[i]) {
				gem_say("context %u differs at dword %ld: %#x, not %#x", c->context,
					i, have[i], c->copy[i]);
				return 1;
			}
		}
	}
	return 0;
}

/* One process; its exit code. */
static int work(int contexts, int rounds)
{
	struct client clients[MAX_CONTEXTS] = {0};
	long bad = 0;

	gem_open();
	for (int i = 0; i < contexts; i++) {
		struct client *c = &clients[i];

		c->context = gem_context_create();
		c->bo = gem_create(
			BO_BYTES, (i & 1 ? GEM_HIGH : GEM_LOW) + (uint64_t)i * 2 * BO_BYTES);
		c->batch = gem_batch_create(GEM_PAGE, 0x40000000 + (uint64_t)i * 2 * GEM_PAGE);
		c->copy = calloc(1, BO_BYTES);
		if (!c->copy) {
			gem_bail("calloc");
		}
	}
	for (int round = 1; round <= rounds; round++) {
		for (int i = 0; i < contexts; i++) {
			submit(&clients[i]);
		}
		if (round % 8 == 0 || round == rounds) {
			for (int i = 0; i < contexts; i++) {
				bad += verify(&clients[i]);
			}
		}
	}
	return bad != 0;
}

int main(int argc, char **argv)
{
	int processes = argc > 1 ? atoi(argv[1]) : 4;
	int contexts = argc > 2 ? atoi(argv[2]) : 4;
	int rounds = argc > 3 ? atoi(argv[3]) : 24;

	if (processes < 1 || processes > 256 || contexts < 1 || contexts > MAX_CONTEXTS ||
		rounds < 1) {
		fprintf(stderr, "usage: gem_stress [PROCESSES [CONTEXTS [ROUNDS]]]\n");
		return 2;
	}
	gem_seed_init();
	for (int i = 0; i < processes; i++) {
		uint64_t seed = gem_random() | 1;
		pid_t pid;

		fflush(stdout);
		pid = fork();
		if (pid < 0) {
			gem_bail("fork");
		}
		if (!pid) {
			gem_seed = seed;
			exit(work(contexts, rounds));
		}
	}
	for (int i = 0; i < processes; i++) {
		int status = 0;

		if (wait(&status) < 0) {
			gem_bail("wait");
		}
		gem_ok(WIFEXITED(status) && !WEXITSTATUS(status),
			"a process with %d contexts, %d rounds", contexts, rounds);
	}
	return gem_done();
}
