/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Range maps against a naive reference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/rangemap.h"

static void test_edges(void **state)
{
	struct rangemap *m = NULL, *n;

	assert_null(rangemap_find(NULL, 0));
	assert_int_equal(rangemap_insert(NULL, 0, 0, NULL, &m), -EINVAL);
	assert_int_equal(rangemap_insert(NULL, 1, UINT64_MAX, NULL, &m), 0);
	assert_int_equal(m->ranges[0].last, UINT64_MAX);
	assert_null(rangemap_find(m, 0));
	assert_non_null(rangemap_find(m, UINT64_MAX));
	assert_int_equal(rangemap_insert(m, 0, 2, NULL, &n), -EEXIST);
	assert_int_equal(rangemap_insert(m, 0, 1, NULL, &n), 0);
	assert_int_equal(n->count, 2);
	assert_int_equal(m->count, 1); /* the old one is as it was */
	free(m);
	m = n;
	assert_int_equal(rangemap_insert(m, 2, UINT64_MAX, NULL, &n), -EINVAL);
	assert_int_equal(rangemap_remove(m, 1, UINT64_MAX - 1, &n), -ENOENT);
	assert_int_equal(rangemap_remove(m, 1, 0, &n), -ENOENT);
	assert_int_equal(rangemap_remove(NULL, 1, 1, &n), -ENOENT);
	assert_int_equal(rangemap_remove(m, 1, UINT64_MAX, &n), 0);
	assert_int_equal(n->count, 1);
	free(m);
	m = n;
	assert_int_equal(rangemap_remove(m, 0, 1, &n), 0);
	assert_int_equal(n->count, 0);
	assert_null(rangemap_find(n, 0));
	free(m);
	free(n);
}

#define SPACE 64

struct reference {
	int owner[SPACE]; /* 0: free; else the id of the range that covers it */
	int start[1000], size[1000];
};

static int ref_insert(struct reference *r, int start, int size, int id)
{
	if (size == 0)
		return -EINVAL;
	for (int i = start; i < start + size; i++) {
		if (r->owner[i])
			return -EEXIST;
	}
	for (int i = start; i < start + size; i++)
		r->owner[i] = id;
	r->start[id] = start;
	r->size[id] = size;
	return 0;
}

static int ref_remove(struct reference *r, int start, int size)
{
	int id = r->owner[start];

	if (!size || !id || r->start[id] != start || r->size[id] != size)
		return -ENOENT;
	for (int i = start; i < start + size; i++)
		r->owner[i] = 0;
	return 0;
}

static void check(const struct rangemap *m, const struct reference *r, uint64_t base)
{
	for (int i = 0; i < SPACE; i++) {
		const struct range *f = rangemap_find(m, base + (uint64_t)i);

		assert_int_equal(f ? (intptr_t)f->value : 0, r->owner[i]);
	}
	for (size_t i = 1; m && i < m->count; i++)
		assert_true(m->ranges[i - 1].last < m->ranges[i].start);
}

static void test_random(void **state)
{
	/* Also at the end of the space, where sums wrap. */
	const uint64_t bases[] = {0, 1000, UINT64_MAX - SPACE + 1};

	srand(7);
	for (int round = 0; round < 60; round++) {
		uint64_t base = bases[round % 3];
		struct reference r = {0};
		struct rangemap *m = NULL;

		for (int id = 1; id < 500; id++) {
			struct rangemap *next = NULL;
			int start = rand() % SPACE, size = rand() % (rand() % 3 ? 4 : SPACE);
			int ret, want;

			size = size > SPACE - start ? SPACE - start : size;
			if (rand() % 2) {
				ret = rangemap_insert(m, base + (uint64_t)start, (uint64_t)size,
					(void *)(intptr_t)id, &next);
				want = ref_insert(&r, start, size, id);
			} else {
				if (r.owner[start] && rand() % 4) {
					size = r.size[r.owner[start]];
					start = r.start[r.owner[start]];
				}
				ret = rangemap_remove(
					m, base + (uint64_t)start, (uint64_t)size, &next);
				want = ref_remove(&r, start, size);
			}
			assert_int_equal(ret, want);
			if (!ret) {
				free(m);
				m = next;
			}
			check(m, &r, base);
		}
		free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
