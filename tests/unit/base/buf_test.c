/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Buffers grow, readers never pass their end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"

static void test_round_trip(void **state)
{
	struct buf_reader r;
	struct buf b;
	char text[6];

	buf_init(&b);
	for (uint32_t i = 0; i < 1000; i++) {
		buf_put_u32(&b, i);
		buf_put_u64(&b, UINT64_MAX - i);
		buf_put(&b, "hello", 6);
		buf_put(&b, NULL, 0);
	}
	assert_false(b.failed);
	assert_int_equal(b.len, 18000);
	assert_true(b.cap >= b.len);
	buf_reader_init(&r, b.data, b.len);
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(buf_get_u32(&r), i);
		assert_true(buf_get_u64(&r) == UINT64_MAX - i);
		buf_get(&r, text, 6);
		assert_string_equal(text, "hello");
		assert_int_equal(buf_reader_done(&r), i == 999);
	}
	buf_finish(&b);
	assert_null(b.data);
}

static void test_short(void **state)
{
	const uint8_t bytes[6] = {1, 2, 3, 4, 5, 6};
	uint8_t out[4] = {9, 9, 9, 9};
	struct buf_reader r;

	buf_reader_init(&r, bytes, sizeof(bytes));
	assert_int_equal(buf_get_u32(&r), 0x04030201);
	buf_get(&r, out, 4);
	assert_true(r.failed);
	for (int i = 0; i < 4; i++)
		assert_int_equal(out[i], 0);
	/* What is left is not given out after a failure. */
	assert_int_equal(buf_get_u32(&r), 0);
	buf_get(&r, out, 1);
	assert_int_equal(out[0], 0);
	assert_int_equal(r.pos, 4);
	assert_false(buf_reader_done(&r));
	buf_reader_init(&r, NULL, 0);
	assert_true(buf_reader_done(&r));
	assert_true(buf_get_u64(&r) == 0);
	assert_false(buf_reader_done(&r));
	buf_reader_init(&r, bytes, sizeof(bytes));
	buf_get(&r, out, SIZE_MAX & 0); /* nothing is no failure */
	assert_false(r.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
