/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The trace ring: order, overflow, wrap-around, and a reader beside writers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

#include "base/trace.h"

static void put(struct trace *t, uint64_t a)
{
	struct trace_event ev = {.a = a, .kind = TRACE_MMIO_READ};

	trace_put(t, &ev);
}

static void test_ring(void **state)
{
	struct trace_event out[16];
	uint64_t dropped;
	struct trace t;

	assert_int_equal(trace_init(&t, 8), 0);
	assert_false(trace_on(&t));
	assert_false(trace_on(NULL));
	atomic_store(&t.on, true);
	assert_true(trace_on(&t));
	assert_int_equal(trace_take(&t, out, 16, &dropped), 0);
	for (uint64_t i = 0; i < 11; i++)
		put(&t, i);
	assert_int_equal(trace_take(&t, out, 3, &dropped), 3);
	assert_int_equal(dropped, 3); /* the newest were lost, the oldest are here */
	assert_int_equal(out[0].a, 0);
	for (uint64_t i = 20; i < 23; i++)
		put(&t, i);
	assert_int_equal(trace_take(&t, out, 16, &dropped), 8);
	assert_int_equal(dropped, 0);
	assert_int_equal(out[0].a, 3);
	assert_int_equal(out[4].a, 7);
	assert_int_equal(out[5].a, 20);
	assert_int_equal(out[7].a, 22);
	trace_finish(&t);
	trace_finish(&t);
}

/* The counters run over 2^32 and go on. */
static void test_wrap(void **state)
{
	struct trace_event out[4];
	uint64_t dropped;
	struct trace t;

	assert_int_equal(trace_init(&t, 4), 0);
	t.head = t.tail = UINT32_MAX - 2;
	for (uint64_t i = 0; i < 40; i++) {
		put(&t, i);
		put(&t, i + 100);
		assert_int_equal(trace_take(&t, out, 4, &dropped), 2);
		assert_int_equal(out[0].a, i);
		assert_int_equal(out[1].a, i + 100);
		assert_int_equal(dropped, 0);
	}
	trace_finish(&t);
}

#define WRITES 20000

static void *writer(void *arg)
{
	for (uint64_t i = 0; i < WRITES; i++)
		put(arg, i);
	return NULL;
}

static void test_threads(void **state)
{
	struct trace_event out[64];
	uint64_t seen = 0, lost = 0, dropped;
	struct trace t;
	pthread_t w[2];

	assert_int_equal(trace_init(&t, 256), 0);
	for (int i = 0; i < 2; i++)
		pthread_create(&w[i], NULL, writer, &t);
	while (seen + lost < 2 * WRITES) {
		seen += trace_take(&t, out, 64, &dropped);
		lost += dropped;
	}
	for (int i = 0; i < 2; i++)
		pthread_join(w[i], NULL);
	assert_int_equal(seen + lost, 2 * WRITES);
	assert_int_equal(trace_take(&t, out, 64, &dropped), 0);
	trace_finish(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
