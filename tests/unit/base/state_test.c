/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State sections: a round trip, and streams that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/state.h"
#include "base/util.h"

struct thing {
	uint32_t a;
	uint64_t b;
	int loads;
	uint32_t version;
};

static void thing_save(void *obj, struct buf *out)
{
	struct thing *t = obj;

	buf_put_u32(out, t->a);
	buf_put_u64(out, t->b);
}

static int thing_load(void *obj, struct buf_reader *in, uint32_t version, struct err *e)
{
	struct thing *t = obj;
	uint32_t a = buf_get_u32(in);
	uint64_t b = version >= 2 ? buf_get_u64(in) : 7;

	if (in->failed)
		return err_set(e, -EINVAL, NULL, "short");
	if (a == 666)
		return err_set(e, -ERANGE, NULL, "a value that cannot be");
	t->a = a;
	t->b = b;
	t->loads++;
	t->version = version;
	return 0;
}

static struct thing one, two;
static const struct state_section sections[] = {
	{"one", 2, &one, thing_save, thing_load},
	{"engine.two", 2, &two, thing_save, thing_load},
};
#define SECTION_BYTES (STATE_NAME_MAX + 4 + 8 + 12)

static void save(struct buf *b)
{
	one = (struct thing){.a = 1, .b = 11};
	two = (struct thing){.a = 2, .b = UINT64_MAX};
	buf_init(b);
	assert_int_equal(state_save(sections, 2, b), 0);
	assert_int_equal(b->len, 8 + 2 * SECTION_BYTES);
}

static int load(const struct buf *b, struct err *e)
{
	one = two = (struct thing){0};
	memset(e, 0, sizeof(*e));
	return state_load(sections, 2, b->data, b->len, e);
}

static void test_round_trip(void **state)
{
	struct buf b, again;
	struct err e;

	save(&b);
	assert_int_equal(load(&b, &e), 0);
	assert_int_equal(one.a, 1);
	assert_int_equal(one.b, 11);
	assert_int_equal(two.a, 2);
	assert_true(two.b == UINT64_MAX);
	buf_init(&again);
	assert_int_equal(state_save(sections, 2, &again), 0);
	assert_int_equal(again.len, b.len);
	assert_memory_equal(again.data, b.data, b.len);
	buf_finish(&again);
	buf_finish(&b);
}

static void test_every_cut(void **state)
{
	struct buf b;
	struct err e;
	size_t len;

	save(&b);
	len = b.len;
	for (b.len = 0; b.len < len; b.len++) {
		assert_true(load(&b, &e) < 0);
		assert_string_not_equal(e.what, "");
	}
	buf_put(&b, "x", 1);
	assert_int_equal(load(&b, &e), -EINVAL); /* bytes after its end */
	buf_finish(&b);
}

static void put_u32(struct buf *b, size_t at, uint32_t v)
{
	memcpy(b->data + at, &v, sizeof(v));
}

static void test_lies(void **state)
{
	const size_t first = 8, version = first + STATE_NAME_MAX, length = version + 4;
	struct buf b;
	struct err e;

	save(&b);
	put_u32(&b, 0, 0);
	assert_int_equal(load(&b, &e), -EINVAL);
	buf_finish(&b);

	for (uint32_t n = 0; n < 70; n++) {
		save(&b);
		put_u32(&b, 4, n);
		assert_int_equal(load(&b, &e), n == 2 ? 0 : -EINVAL);
		buf_finish(&b);
	}

	save(&b); /* unknown */
	b.data[first] = 'x';
	assert_int_equal(load(&b, &e), -EINVAL);
	assert_non_null(strstr(e.what, "xne"));
	buf_finish(&b);

	save(&b); /* a name without an end */
	memset(b.data + first, 'n', STATE_NAME_MAX);
	assert_int_equal(load(&b, &e), -EINVAL);
	buf_finish(&b);

	save(&b); /* twice */
	memcpy(b.data + first + SECTION_BYTES, b.data + first, SECTION_BYTES);
	assert_int_equal(load(&b, &e), -EINVAL);
	assert_non_null(strstr(e.what, "twice"));
	buf_finish(&b);

	save(&b); /* from the future */
	put_u32(&b, version, 3);
	assert_int_equal(load(&b, &e), -ENOTSUP);
	assert_string_not_equal(e.help, "");
	buf_finish(&b);

	save(&b); /* what the section itself refuses */
	put_u32(&b, length + 8, 666);
	assert_int_equal(load(&b, &e), -ERANGE);
	buf_finish(&b);

	save(&b); /* lengths: too short, too long, beyond all */
	put_u32(&b, length, 11);
	assert_int_equal(load(&b, &e), -EINVAL);
	put_u32(&b, length, 13);
	assert_int_equal(load(&b, &e), -EINVAL);
	put_u32(&b, length, UINT32_MAX);
	assert_int_equal(load(&b, &e), -EINVAL);
	memset(b.data + length, 0xff, 8);
	assert_int_equal(load(&b, &e), -EINVAL);
	buf_finish(&b);
}

static void test_old_version(void **state)
{
	char name[STATE_NAME_MAX] = "one";
	struct buf b;
	struct err e;

	buf_init(&b);
	buf_put_u32(&b, STATE_MAGIC);
	buf_put_u32(&b, 1);
	buf_put(&b, name, sizeof(name));
	buf_put_u32(&b, 1);
	buf_put_u64(&b, 4);
	buf_put_u32(&b, 42);
	one = (struct thing){0};
	assert_int_equal(state_load(sections, 1, b.data, b.len, &e), 0);
	assert_int_equal(one.a, 42);
	assert_int_equal(one.b, 7);
	assert_int_equal(one.version, 1);
	buf_finish(&b);
}

/* Noise over a good stream: never a crash, never a load of what does not parse. */
static void test_noise(void **state)
{
	struct buf b;
	struct err e;

	srand(1);
	for (int i = 0; i < 20000; i++) {
		save(&b);
		for (int k = rand() % 4; k >= 0; k--)
			b.data[(size_t)rand() % b.len] = (uint8_t)rand();
		if (rand() % 4 == 0)
			b.len = (size_t)rand() % (b.len + 1);
		if (load(&b, &e) == 0)
			assert_true(one.loads == 1 && two.loads == 1);
		else
			assert_true(e.code < 0);
		buf_finish(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_old_version),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
