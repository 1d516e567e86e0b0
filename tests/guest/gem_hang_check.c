// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hangs and preemption: i915 recovers from a batch that never ends and names the guilty one, while
 * other engines go on; a spinner that can be preempted is time-sliced.
 */
#include "gem.h"

static struct gem_bo out;
static struct gem_batch batch;

/* A batch that jumps to its own start for ever. */
static struct gem_batch spinner(bool arbitration, uint64_t addr)
{
	struct gem_batch b = gem_batch_create(GEM_PAGE, addr);

	gem_emit(&b, arbitration ? MI_ARB_CHECK : MI_ARB_ON_OFF(0));
	gem_emit(&b, MI_BATCH_BUFFER_START);
	gem_emit_addr(&b, addr);
	gem_emit_end(&b);
	return b;
}

/* Stores through an engine; whether the value arrived. */
static bool works(const struct gem_engine *engine, uint32_t context)
{
	struct gem_bo *bos[] = {&out, &batch.bo};
	uint32_t value = (uint32_t)gem_random();

	gem_domain(&out, I915_GEM_DOMAIN_CPU, true);
	gem_batch_reset(&batch);
	gem_emit_store(&batch, out.addr, value);
	gem_emit_end(&batch);
	gem_run(engine, context, bos, 2);
	gem_domain(&out, I915_GEM_DOMAIN_CPU, false);
	return *(volatile uint32_t *)out.map == value;
}

/* Tells i915 to look after an engine sooner than it would: a hang is found within seconds. */
static void hurry(const struct gem_engine *engine)
{
	static const struct {
		const char *name;
		int ms;
	} knobs[] = {{"heartbeat_interval_ms", 500}, {"preempt_timeout_ms", 200}};
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(knobs); i++) {
		FILE *f;

		snprintf(path, sizeof(path), "/sys/class/drm/card0/engine/%s/%s", engine->name,
			knobs[i].name);
		f = fopen(path, "w");
		if (!f || fprintf(f, "%d", knobs[i].ms) < 0 || fclose(f)) {
			gem_say("%s cannot be set", path);
		}
	}
}

static void check_hang(const struct gem_engine *engine)
{
	uint32_t guilty_context = gem_context_create(), other = gem_context_create();
	struct gem_batch spin = spinner(false, 0x30000000);
	struct gem_bo *bos[] = {&spin.bo};
	uint32_t guilty, innocent, rounds = 0;
	bool meanwhile = true;
	int busy;

	hurry(engine);
	gem_exec(engine, guilty_context, bos, 1);
	gem_ok(gem_wait(&spin.bo, 50 * 1000 * 1000) == -ETIME, "%s: a batch spins", engine->name);
	/* Work on the other engines until the reset has come. */
	do {
		for (size_t e = 0; e < ARRAY_SIZE(gem_engines); e++) {
			if (&gem_engines[e] != engine) {
				meanwhile &= works(&gem_engines[e], 0);
				rounds++;
			}
		}
		busy = gem_wait(&spin.bo, 10 * 1000 * 1000);
	} while (busy == -ETIME && rounds < 100000);
	gem_ok(!busy, "%s: i915 takes the batch off", engine->name);
	gem_ok(meanwhile, "%s: meanwhile the other engines went on (%u times)", engine->name,
		rounds);
	gem_reset_stats(guilty_context, &guilty, &innocent);
	gem_ok(guilty == 1, "%s: RESET_STATS counts %u for the guilty context", engine->name,
		guilty);
	gem_reset_stats(other, &guilty, &innocent);
	gem_ok(!guilty, "%s: and %u for an innocent one", engine->name, guilty);
	for (size_t e = 0; e < ARRAY_SIZE(gem_engines); e++) {
		bool good = true;

		for (int i = 0; i < 10; i++) {
			good &= works(&gem_engines[e], i & 1 ? other : 0);
		}
		gem_ok(good, "%s: after it %s works", engine->name, gem_engines[e].name);
	}
	gem_close(&spin.bo);
	gem_context_destroy(guilty_context);
	gem_context_destroy(other);
}

/* i915 copies batches for the blitter, so nobody could end a spinner there: it is not asked to. */
static void check_slices(const struct gem_engine *engine)
{
	uint32_t spinning = gem_context_create(), other = gem_context_create();
	struct gem_batch spin = spinner(true, 0x30000000);
	struct gem_bo *bos[] = {&spin.bo};
	uint32_t guilty, innocent;
	bool good = true;

	gem_exec(engine, spinning, bos, 1);
	for (int i = 0; i < 5; i++) {
		good &= works(engine, other);
	}
	gem_ok(good, "%s: other work gets its slice beside a spinner", engine->name);
	gem_ok(gem_wait(&spin.bo, 0) == -ETIME, "%s: the spinner still spins", engine->name);
	*(volatile uint32_t *)spin.bo.map = MI_BATCH_BUFFER_END;
	gem_ok(!gem_wait(&spin.bo, GEM_WAIT_NS), "%s: the spinner sees its end", engine->name);
	gem_reset_stats(spinning, &guilty, &innocent);
	gem_ok(!guilty && !innocent, "%s: nobody was reset", engine->name);
	gem_close(&spin.bo);
	gem_context_destroy(spinning);
	gem_context_destroy(other);
}

int main(int argc, char **argv)
{
	bool hangs = argc < 2 || strcmp(argv[1], "--no-hang");

	gem_seed_init();
	gem_open();
	out = gem_create(GEM_PAGE, GEM_HIGH);
	batch = gem_batch_create(GEM_PAGE, 0x40000000);
	for (size_t e = 0; e < ARRAY_SIZE(gem_engines); e++) {
		if (!gem_engines[e].parsed) {
			check_slices(&gem_engines[e]);
		}
	}
	if (hangs) {
		check_hang(GEM_BCS);
		check_hang(GEM_RCS);
	}
	return gem_done();
}
