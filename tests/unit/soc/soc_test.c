/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The soc as a whole: every register random, state sections, reset, handlers of the table. */
#include "rig.h"

#include <errno.h>
#include <pthread.h>

#include "gen9/edid.h"

static size_t sections(struct rig *r, struct state_section *out)
{
	size_t n = soc_sections(&r->soc, out);

	assert_true(n <= SOC_SECTIONS);
	out[n++] =
		(struct state_section){"regs", REGS_STATE_VERSION, &r->regs, regs_save, regs_load};
	return n;
}

/* Every id of soc's headings in gen9/reg_handlers.inc is bound; what is not is the model's. */
static void test_bound(void **state)
{
	struct rig r;

	rig_init(&r, true);
	for (int id = REG_H_IRQ_MASTER; id < REG_H_COUNT; id++) {
		if (!r.regs.ops[id].read && !r.regs.ops[id].write)
			fail_msg("nobody handles %s", reg_handler_names[id]);
	}
	rig_finish(&r);
}

/* A register of the display, south or interrupt blocks, mostly one with a row. */
static uint32_t any_register(struct rig *r, uint64_t *seed)
{
	static const struct {
		uint32_t from, to;
	} ranges[] = {{0x42000, 0x47000}, {0x60000, 0x60480}, {0x64000, 0x64500},
		{0x68100, 0x69200}, {0x6c000, 0x6c070}, {0x6f000, 0x6f480}, {0x70000, 0x70600},
		{0x71000, 0x71600}, {0x72000, 0x72600}, {0x7f000, 0x7f050}, {0xc4000, 0xc4050},
		{0xc5000, 0xc5130}, {0xc6000, 0xc600c}, {0xc7200, 0xc7214}, {0x138120, 0x138130}};
	uint32_t offset = 0;

	for (int i = 0; i < 64; i++) {
		size_t k = rnd(seed) % ARRAY_SIZE(ranges);

		offset = ranges[k].from + rnd(seed) % (ranges[k].to - ranges[k].from);
		offset &= ~3u;
		if (regs_row(&r->regs, offset))
			break;
	}
	return offset;
}

static uint32_t any_value(uint64_t *seed)
{
	switch (rnd(seed) % 6) {
	case 0:
		return 0;
	case 1:
		return ~0u;
	case 2:
		return BIT(31);
	case 3:
		return 1u << rnd(seed) % 32;
	default:
		return rnd(seed) << 1 ^ rnd(seed);
	}
}

static void saved(struct rig *r, struct buf *out)
{
	struct state_section s[SOC_SECTIONS + 1];
	size_t n = sections(r, s);

	buf_init(out);
	assert_int_equal(state_save(s, n, out), 0);
}

static void test_noise(void **state)
{
	struct soc_plane_state planes[SOC_PLANES_MAX];
	struct soc_pipe_state pipe;
	struct rig r, copy;

	for (uint64_t round = 0; round < 12; round++) {
		uint64_t seed = round * 77 + 5;

		rig_init(&r, round % 2);
		for (int i = 0; i < 30000; i++) {
			uint32_t offset = any_register(&r, &seed);
			uint64_t next;

			if (rnd(&seed) % 3)
				wr(&r, offset, any_value(&seed));
			else
				rd(&r, offset);
			if (rnd(&seed) % 8 == 0)
				clock_advance(&r.clock, (uint64_t)rnd(&seed) << rnd(&seed) % 8);
			if (rnd(&seed) % 16 == 0) {
				next = soc_tick(&r.soc);
				assert_true(next > clock_now_ns(&r.clock));
			}
			if (rnd(&seed) % 64 == 0) {
				unsigned int p = rnd(&seed) % 4;
				int n = soc_display_scanout(
					&r.soc.display, p, &pipe, planes, SOC_PLANES_MAX);

				assert_true(p == 3 ? n == -EINVAL : n >= 0);
				for (int k = 0; k < n; k++) {
					assert_non_null(planes[k].format);
					assert_in_range(planes[k].w, 1, 8192);
					assert_in_range(planes[k].h, 1, 8192);
					assert_true(planes[k].surf.v <= UINT32_MAX);
				}
			}
			if (rnd(&seed) % 4096 == 0)
				soc_display_plug(&r.soc.display, rnd(&seed) % 2);
		}
		/* The state goes over to another one, whose clock starts elsewhere. */
		struct state_section s[SOC_SECTIONS + 1];
		struct buf a, b;
		struct err e;
		size_t n;

		rig_init(&copy, true);
		clock_init_virtual(&copy.clock, (round + 1) * NSEC_PER_SEC / 5);
		saved(&r, &a);
		n = sections(&copy, s);
		assert_int_equal(state_load(s, n, a.data, a.len, &e), 0);
		saved(&copy, &b);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.data, b.data, a.len);
		/* And goes on in the same way. */
		for (int i = 0; i < 200; i++) {
			uint32_t offset = any_register(&r, &seed), value = any_value(&seed);

			wr(&r, offset, value);
			wr(&copy, offset, value);
			assert_int_equal(rd(&r, offset), rd(&copy, offset));
			value = rnd(&seed) % (20 * NSEC_PER_MSEC);
			clock_advance(&r.clock, value);
			clock_advance(&copy.clock, value);
		}
		buf_finish(&a);
		buf_finish(&b);
		rig_finish(&copy);
		rig_finish(&r);
	}
}

/* A stream that is cut, or has a bit turned, is refused or is a state like any other. */
static void test_hostile_state(void **state)
{
	struct state_section s[SOC_SECTIONS];
	uint64_t seed = 9;
	struct rig r;
	struct buf a;
	struct err e;
	size_t n;
	unsigned int refused = 0;

	rig_init(&r, true);
	wr(&r, 0x6000c, 805u << 16 | 767);
	wr(&r, 0x70008, BIT(31));
	clock_advance(&r.clock, 100 * NSEC_PER_MSEC);
	n = soc_sections(&r.soc, s); /* regs_test.c does the same with the registers */
	buf_init(&a);
	assert_int_equal(state_save(s, n, &a), 0);
	for (size_t len = 0; len < a.len; len++)
		assert_int_not_equal(state_load(s, n, a.data, len, &e), 0);
	for (int i = 0; i < 20000; i++) {
		size_t at = rnd(&seed) % a.len;
		uint8_t was = a.data[at];

		a.data[at] = (uint8_t)rnd(&seed);
		refused += state_load(s, n, a.data, a.len, &e) != 0;
		a.data[at] = was;
		soc_tick(&r.soc);
		rd(&r, 0x70000);
		clock_advance(&r.clock, rnd(&seed) % (50 * NSEC_PER_MSEC));
	}
	assert_true(refused > 1000);
	buf_finish(&a);
	rig_finish(&r);
}

static void test_reset(void **state)
{
	struct rig r, fresh;
	struct buf a, b;
	uint64_t seed = 1;

	rig_init(&r, true);
	rig_init(&fresh, true);
	for (int i = 0; i < 20000; i++) {
		wr(&r, any_register(&r, &seed), any_value(&seed));
		clock_advance(&r.clock, 1000);
	}
	regs_reset(&r.regs, false);
	soc_reset(&r.soc);
	r.soc.irq.raised = 0;
	saved(&r, &a);
	saved(&fresh, &b);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	assert_int_equal(soc_tick(&r.soc), UINT64_MAX);
	assert_int_equal(rd(&r, 0xc4000) & BIT(21), BIT(21)); /* the monitor is still plugged in */
	buf_finish(&a);
	buf_finish(&b);
	rig_finish(&r);
	rig_finish(&fresh);
}

/* ------------------------------------------------------------------ threads */

static struct rig shared;
static _Atomic uint32_t calls;

static void count_call(void *arg)
{
	/* The callbacks come without a lock: each may come back in. */
	regs_read(&shared.regs, 0x44200);
	regs_read(&shared.regs, 0x70040);
	atomic_fetch_add(&calls, 1);
}

static void *timer_thread(void *arg)
{
	for (int i = 0; i < 3000; i++) {
		clock_advance(&shared.clock, 5 * NSEC_PER_MSEC);
		soc_tick(&shared.soc);
	}
	return NULL;
}

static void *driver_thread(void *arg)
{
	struct soc_plane_state planes[SOC_PLANES_MAX];
	uint64_t seed = (uintptr_t)arg;

	for (int i = 0; i < 6000; i++) {
		uint32_t offset = any_register(&shared, &seed);

		if (offset == 0x70008 || (offset & ~0xfu) == 0x44400 || offset == 0x44200)
			continue; /* the pipe stays on, and listened to */
		wr(&shared, offset, any_value(&seed));
		rd(&shared, 0x70000);
		soc_display_planes(&shared.soc.display, 0, planes, SOC_PLANES_MAX);
		wr(&shared, 0x44408, ~0u);
		wr(&shared, 0x44200, BIT(31));
	}
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t t[3];
	uint32_t frames;

	rig_init(&shared, true);
	shared.soc.irq.fn = count_call;
	shared.soc.kick = count_call;
	wr(&shared, 0x44404, 0);
	wr(&shared, 0x4440c, 1);
	wr(&shared, 0x44200, BIT(31));
	wr(&shared, 0x70008, BIT(31));
	frames = rd(&shared, 0x70040);
	assert_int_equal(pthread_create(&t[0], NULL, timer_thread, NULL), 0);
	assert_int_equal(pthread_create(&t[1], NULL, driver_thread, (void *)1), 0);
	assert_int_equal(pthread_create(&t[2], NULL, driver_thread, (void *)2), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	/* 15 s, of which no frame took longer than a second. */
	assert_true(rd(&shared, 0x70040) - frames >= 13);
	assert_true(atomic_load(&calls) > 0);
	rig_finish(&shared);
}

static void test_config(void **state)
{
	const struct edid_monitor wide = {.name = "wide", .width = 1920, .height = 1080};
	uint8_t edid[EDID_BLOCK_BYTES];
	struct soc_config config = {.monitor = true, .edid = edid};
	struct regs regs;
	struct clock clock;
	struct soc soc;

	assert_int_equal(edid_build(&wide, edid, NULL), 0);
	assert_int_equal(regs_init(&regs, &gen9_platforms[0]), 0);
	clock_init_virtual(&clock, 0);
	assert_int_equal(soc_init(&soc, &regs, &clock, &config), 0);
	regs_write(&regs, 0xc5100, 5);
	regs_write(&regs, 0xc5104, 0x46000000u | 4 << 16 | 54 << 8 | 0x50 << 1 | 1);
	assert_int_equal(regs_read(&regs, 0xc510c) & 0xffff, 14850);
	soc_finish(&soc);
	edid[127]++;
	assert_int_equal(soc_init(&soc, &regs, &clock, &config), -EINVAL);
	edid[127]--;
	config.edid_bytes = 100;
	assert_int_equal(soc_init(&soc, &regs, &clock, &config), -EINVAL);
	config.edid_bytes = 1 << 20;
	assert_int_equal(soc_init(&soc, &regs, &clock, &config), -EINVAL);
	regs_finish(&regs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_hostile_state),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
