/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clocks: a virtual one stands still until it is advanced, a real one cannot be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"

static void test_virtual(void **state)
{
	struct clock c;

	clock_init_virtual(&c, 1000);
	assert_int_equal(clock_now_ns(&c), 1000);
	usleep(2000);
	assert_int_equal(clock_now_ns(&c), 1000);
	assert_int_equal(clock_advance(&c, 5), 1005);
	assert_int_equal(clock_advance(&c, 0), 1005);
	assert_int_equal(clock_now_ns(&c), 1005);
}

static void test_real(void **state)
{
	uint64_t a, b;
	struct clock c;

	clock_init_real(&c);
	a = clock_now_ns(&c);
	usleep(2000);
	b = clock_now_ns(&c);
	assert_true(b - a >= 2000000);
	/* A year does not pass by being asked for. */
	assert_true(clock_advance(&c, UINT64_C(31536000) * 1000000000) - b <
		    UINT64_C(3600) * 1000000000);
}

static void *advance(void *arg)
{
	uint64_t last = 0;

	for (int i = 0; i < 10000; i++) {
		uint64_t now = clock_advance(arg, 3);

		if (now <= last)
			return (void *)1; /* it went back */
		last = now;
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct clock c;
	pthread_t t[4];
	void *ret;

	clock_init_virtual(&c, 0);
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, advance, &c);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &ret);
		assert_null(ret);
	}
	assert_int_equal(clock_now_ns(&c), 120000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_virtual),
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
