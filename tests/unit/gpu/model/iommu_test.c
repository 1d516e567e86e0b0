// SPDX-License-Identifier: GPL-2.0-or-later
/* The bus: rules of map and unmap, and that after an unmap nobody touches what was there. */
#include <errno.h>

#include "memory_rig.h"

static void test_rules(void **state)
{
	uint8_t *mem = aligned_alloc(4096, 16384);
	struct rig r;
	const struct gpu_ops *ops;

	rig_init(&r);
	ops = r.g->ops;
#define MAP(at, size, p) ops->iova_map(r.g, (struct iova){at}, size, (struct hva){p}, true)
#define UNMAP(at, size)	 ops->iova_unmap(r.g, (struct iova){at}, size)
	assert_int_equal(MAP(0x1000, 0, mem), -EINVAL);
	assert_int_equal(MAP(0x1001, 0x1000, mem), -EINVAL);
	assert_int_equal(MAP(0x1000, 0x1800, mem), -EINVAL);
	assert_int_equal(MAP(0x1000, 0x1000, mem + 1), -EINVAL);
	assert_int_equal(MAP(UINT64_MAX - 0xfff, 0x2000, mem), -EINVAL);
	assert_int_equal(MAP(0x1000, 0x4000, mem), 0);
	assert_int_equal(MAP(0x1000, 0x4000, mem), -EEXIST);
	assert_int_equal(MAP(0x4000, 0x1000, mem), -EEXIST);
	assert_int_equal(MAP(0, 0x2000, mem), -EEXIST);
	assert_int_equal(MAP(RIG_IOVA + RIG_RAM - 0x1000, 0x2000, mem), -EEXIST);
	assert_int_equal(UNMAP(0x1000, 0x1000), -ENOENT);
	assert_int_equal(UNMAP(0x2000, 0x3000), -ENOENT);
	assert_int_equal(UNMAP(0x9000, 0x1000), -ENOENT);
	assert_int_equal(UNMAP(0x1000, 0), -ENOENT);
	assert_int_equal(UNMAP(0x1000, 0x4000), 0);
	assert_int_equal(UNMAP(0x1000, 0x4000), -ENOENT);
	assert_int_equal(MAP(UINT64_MAX - 0xfff, 0x1000, mem), 0);
	assert_int_equal(UNMAP(UINT64_MAX - 0xfff, 0x1000), 0);
	rig_finish(&r);
	free(mem);
}

/* One page moves between two places; a thread writes through the TLB all the time. */
struct user {
	struct rig *r;
	_Atomic bool stop;
	_Atomic uint64_t wrote, nowhere;
};

static void *use_page(void *arg)
{
	struct user *u = arg;
	struct engine *e = u->r->e;
	enum fault_reason why;

	while (!atomic_load(&u->stop)) {
		gtt_enter(e);
		for (unsigned int i = 0; i < 50; i++) {
			uint8_t *p = gtt_ptr(e, 0x1000, SPACE_GGTT, true, &why);

			if (p) {
				__atomic_store_n((uint32_t *)p, 0x12345678, __ATOMIC_RELAXED);
				atomic_fetch_add_explicit(&u->wrote, 1, memory_order_relaxed);
			} else {
				atomic_fetch_add_explicit(&u->nowhere, 1, memory_order_relaxed);
			}
		}
		gtt_leave(e);
	}
	return NULL;
}

static void test_unmap_under_use(void **state)
{
	uint8_t *mem = aligned_alloc(4096, 4096);
	struct user u = {0};
	pthread_t thread;
	struct rig r;

	rig_init(&r);
	u.r = &r;
	rig_ggtt_map(&r, 0x1000, 0x7000, 1);
	assert_int_equal(pthread_create(&thread, NULL, use_page, &u), 0);
	for (unsigned int i = 0; i < 3000; i++) {
		uint64_t before = atomic_load(&u.wrote);

		memset(mem, 0, 4096);
		assert_int_equal(r.g->ops->iova_map(
					 r.g, (struct iova){0x7000}, 4096, (struct hva){mem}, true),
			0);
		if (i % 100 == 0) {
			while (atomic_load(&u.wrote) == before)
				sched_yield();
		}
		assert_int_equal(r.g->ops->iova_unmap(r.g, (struct iova){0x7000}, 4096), 0);
		/* From here on the page is ours alone. */
		memset(mem, 0xee, 4096);
		for (unsigned int k = 0; k < 100; k++)
			assert_int_equal(
				__atomic_load_n((uint32_t *)mem, __ATOMIC_RELAXED), 0xeeeeeeee);
	}
	atomic_store(&u.stop, true);
	pthread_join(thread, NULL);
	assert_true(atomic_load(&u.wrote) > 0);
	assert_int_equal(atomic_load(&r.m->iommu.timeouts), 0);
	rig_finish(&r);
	free(mem);
}

/* A reader that does not leave: the unmap says so, and what it may still see is not freed. */
static void test_unmap_timeout(void **state)
{
	uint8_t *mem = aligned_alloc(4096, 4096);
	enum fault_reason why;
	struct rig r;
	uint8_t *p;

	rig_init(&r);
	assert_int_equal(
		r.g->ops->iova_map(r.g, (struct iova){0x7000}, 4096, (struct hva){mem}, true), 0);
	rig_ggtt_map(&r, 0x1000, 0x7000, 1);
	ggtt_user_enter(r.m, &r.m->scanout);
	p = ggtt_ptr(r.m, 0x1000, true, &why);
	assert_ptr_equal(p, mem);
	epoch_enter(&r.m->iommu.epoch, &r.m->scanout.reader);
	lock_release(&r.m->scanout.lock); /* the same thread unmaps: ranks */
	assert_int_equal(r.g->ops->iova_unmap(r.g, (struct iova){0x7000}, 4096), -ETIMEDOUT);
	assert_int_equal(atomic_load(&r.m->iommu.timeouts), 1);
	*p = 1;
	assert_null(ggtt_ptr(r.m, 0x1000, true, &why));
	assert_int_equal(why, FAULT_IOVA);
	epoch_exit(&r.m->scanout.reader);
	/* gone from the map all the same, and the next change cleans up */
	assert_int_equal(
		r.g->ops->iova_map(r.g, (struct iova){0x7000}, 4096, (struct hva){mem}, true), 0);
	assert_null(r.m->iommu.dead);
	rig_finish(&r);
	free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_unmap_under_use),
		cmocka_unit_test(test_unmap_timeout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
