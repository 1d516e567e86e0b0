/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Epochs: a writer that poisons what it took away, readers that would see it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/epoch.h"
#include "base/util.h"

struct object {
	uint64_t a, b;
};

struct shared {
	struct epoch epoch;
	struct object *_Atomic object;
	_Atomic bool stop, bad;
	_Atomic uint64_t reads;
};

static void *reader(void *arg)
{
	struct shared *s = arg;
	struct epoch_reader r;

	epoch_reader_add(&s->epoch, &r);
	while (!atomic_load(&s->stop)) {
		epoch_enter(&s->epoch, &r);
		for (int i = 0; i < 3; i++) {
			const struct object *o = atomic_load(&s->object);

			for (int k = 0; k < 20; k++) {
				if (*(volatile const uint64_t *)&o->a !=
					~*(volatile const uint64_t *)&o->b)
					atomic_store(&s->bad, true);
			}
		}
		epoch_exit(&r);
		atomic_fetch_add(&s->reads, 1);
	}
	epoch_reader_remove(&s->epoch, &r);
	return NULL;
}

static void test_writer_and_readers(void **state)
{
	struct object pool[2] = {{1, ~UINT64_C(1)}, {0, 0}};
	struct shared s = {0};
	pthread_t t[3];

	epoch_init(&s.epoch);
	atomic_store(&s.object, &pool[0]);
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, reader, &s);
	for (uint64_t n = 1; n < 3000 || atomic_load(&s.reads) < 1000; n++) {
		struct object *old = atomic_load(&s.object), *next = &pool[n & 1];

		next->a = n;
		next->b = ~n;
		atomic_store(&s.object, next);
		assert_int_equal(epoch_wait(&s.epoch, 10 * NSEC_PER_SEC), 0);
		old->a = old->b = 0x5555; /* nobody may see this */
	}
	atomic_store(&s.stop, true);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	assert_false(atomic_load(&s.bad));
	epoch_finish(&s.epoch);
}

static void test_timeout(void **state)
{
	struct epoch_reader in, later, out;
	struct epoch e;

	epoch_init(&e);
	assert_int_equal(epoch_wait(&e, 0), 0); /* nobody there */
	epoch_reader_add(&e, &in);
	epoch_reader_add(&e, &later);
	epoch_reader_add(&e, &out);
	assert_int_equal(epoch_wait(&e, 0), 0); /* nobody inside */
	epoch_enter(&e, &in);
	assert_int_equal(epoch_wait(&e, NSEC_PER_MSEC), -ETIMEDOUT);
	/* One who came after the last wait began keeps only later ones waiting. */
	epoch_exit(&in);
	epoch_enter(&e, &later);
	epoch_exit(&later);
	assert_int_equal(epoch_wait(&e, NSEC_PER_MSEC), 0);
	/* Who is removed keeps nobody waiting. */
	epoch_enter(&e, &out);
	epoch_reader_remove(&e, &out);
	assert_int_equal(epoch_wait(&e, NSEC_PER_MSEC), 0);
	epoch_finish(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writer_and_readers),
		cmocka_unit_test(test_timeout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
