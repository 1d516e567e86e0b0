/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interrupt tree as i915's gen8_irq_handler() drives it, in order and with late writes. */
#include "rig.h"

#include <errno.h>
#include <pthread.h>

#define MASTER	  0x44200
#define ENABLE	  UINT32_C(0x80000000)
#define GT_IMR(n) (0x44304u + 16 * (n))
#define GT_IIR(n) (0x44308u + 16 * (n))
#define GT_IER(n) (0x4430cu + 16 * (n))

static void unmask_all(struct rig *r)
{
	static const uint32_t bases[] = {0x44300, 0x44310, 0x44320, 0x44330, 0x44400, 0x44410,
		0x44420, 0x44440, 0x44460, 0x444e0, 0xc4000};

	for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
		wr(r, bases[i] + 4, 0);
		wr(r, bases[i] + 12, ~0u);
	}
}

static void test_tree(void **state)
{
	static const struct {
		enum irq_bank bank;
		uint32_t bits, master, iir;
	} rows[] = {
		{IRQ_GT0, BIT(0), BIT(0), 0x44308},
		{IRQ_GT0, BIT(24), BIT(1), 0x44308},
		{IRQ_GT1, BIT(8), BIT(2), 0x44318},
		{IRQ_GT1, BIT(16), BIT(3), 0x44318},
		{IRQ_GT2, BIT(4), BIT(4), 0x44328},
		{IRQ_GT2, BIT(31), BIT(5), 0x44328},
		{IRQ_GT3, BIT(8), BIT(6), 0x44338},
		{IRQ_PIPE_A, BIT(0), BIT(16), 0x44408},
		{IRQ_PIPE_B, BIT(3), BIT(17), 0x44418},
		{IRQ_PIPE_C, BIT(31), BIT(18), 0x44428},
		{IRQ_DE_PORT, BIT(0), BIT(20), 0x44448},
		{IRQ_DE_MISC, BIT(27), BIT(22), 0x44468},
		{IRQ_SDE, BIT(21), BIT(23), 0xc4008},
		{IRQ_PCU, BIT(1), BIT(30), 0x444e8},
	};
	struct rig r;

	rig_init(&r, true);
	unmask_all(&r);
	wr(&r, MASTER, 0xffffffff);
	assert_int_equal(rd(&r, MASTER), ENABLE); /* the other bits are computed */
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		r.msis = 0;
		soc_irq_event(&r.soc.irq, rows[i].bank, rows[i].bits);
		assert_int_equal(r.msis, 1);
		assert_int_equal(rd(&r, MASTER), ENABLE | rows[i].master);
		assert_int_equal(rd(&r, rows[i].iir), rows[i].bits);
		wr(&r, MASTER, 0);
		assert_int_equal(rd(&r, MASTER), rows[i].master);
		wr(&r, rows[i].iir, rows[i].bits);
		assert_int_equal(rd(&r, rows[i].iir), 0);
		wr(&r, MASTER, ENABLE);
		assert_int_equal(rd(&r, MASTER), ENABLE);
		assert_int_equal(r.msis, 1);
	}
	rig_finish(&r);
}

static void test_gates(void **state)
{
	struct rig r;

	rig_init(&r, true);
	wr(&r, MASTER, ENABLE);
	/* Masked: not latched, and not by unmasking later. */
	wr(&r, GT_IMR(0), ~0u);
	wr(&r, GT_IER(0), ~0u);
	soc_irq_event(&r.soc.irq, IRQ_GT0, 1);
	assert_int_equal(rd(&r, GT_IIR(0)), 0);
	wr(&r, GT_IMR(0), ~1u);
	assert_int_equal(rd(&r, GT_IIR(0)), 0);
	assert_int_equal(r.msis, 0);
	/* Not enabled: latched without an MSI, which comes when it is enabled. */
	wr(&r, GT_IER(0), 0);
	soc_irq_event(&r.soc.irq, IRQ_GT0, 1);
	assert_int_equal(rd(&r, GT_IIR(0)), 1);
	assert_int_equal(rd(&r, MASTER), ENABLE);
	assert_int_equal(r.msis, 0);
	assert_false(soc_irq_line(&r.soc.irq));
	wr(&r, GT_IER(0), 1);
	assert_int_equal(r.msis, 1);
	assert_true(soc_irq_line(&r.soc.irq));
	/* Further events while the line is up make no further edge. */
	soc_irq_event(&r.soc.irq, IRQ_GT0, 1);
	assert_int_equal(r.msis, 1);
	assert_int_equal(soc_irq_listened(&r.soc.irq, IRQ_GT0, 3), 1);
	/* The ISR is read-only. */
	wr(&r, 0x44300, ~0u);
	assert_int_equal(rd(&r, 0x44300), 0);
	soc_irq_level(&r.soc.irq, IRQ_GT0, 6, true);
	soc_irq_level(&r.soc.irq, IRQ_GT0, 2, false);
	assert_int_equal(rd(&r, 0x44300), 4);
	rig_finish(&r);
}

static void test_double_buffer(void **state)
{
	struct rig r;

	rig_init(&r, true);
	unmask_all(&r);
	wr(&r, MASTER, ENABLE);
	soc_irq_event(&r.soc.irq, IRQ_GT0, 0x101);
	soc_irq_event(&r.soc.irq, IRQ_GT0, 0x1);
	soc_irq_event(&r.soc.irq, IRQ_GT0, 0x1);
	wr(&r, GT_IIR(0), 0x101);
	assert_int_equal(rd(&r, GT_IIR(0)), 1); /* the second event; the third was the same */
	wr(&r, GT_IIR(0), 0x100);
	assert_int_equal(rd(&r, GT_IIR(0)), 1);
	wr(&r, GT_IIR(0), 0x1);
	assert_int_equal(rd(&r, GT_IIR(0)), 0);
	/* gen3_irq_reset(): twice all ones, then it must be zero. */
	soc_irq_event(&r.soc.irq, IRQ_PIPE_A, ~0u);
	soc_irq_event(&r.soc.irq, IRQ_PIPE_A, ~0u);
	wr(&r, 0x44408, ~0u);
	wr(&r, 0x44408, ~0u);
	assert_int_equal(rd(&r, 0x44408), 0);
	/* EDP_PSR_IIR is alone, and i915 warns if it does not read zero. */
	wr(&r, 0x64838, ~0u);
	assert_int_equal(rd(&r, 0x64838), 0);
	rig_finish(&r);
}

/* ------------------------------------------------------------------ late writes */

/*
 * i915's handler, one access a step, against engines that complete work: `produced` is what is in
 * memory, `seen` what the driver has read of it.
 */
struct driver {
	struct rig *r;
	int step; /* 0: not in the handler */
	uint32_t master, iir[4];
	int bank;
	uint32_t produced[4], seen[4];
	struct {
		uint32_t offset, value;
	} posted[32];
	unsigned int count;
	bool reads_overtake; /* worse than any bus: a read does not push writes before it */
};

static void apply_posted(struct driver *d, unsigned int n)
{
	while (n-- && d->count) {
		wr(d->r, d->posted[0].offset, d->posted[0].value);
		d->count--;
		memmove(d->posted, d->posted + 1, d->count * sizeof(d->posted[0]));
	}
}

static void post(struct driver *d, uint32_t offset, uint32_t value)
{
	if (d->count == ARRAY_SIZE(d->posted))
		apply_posted(d, 1);
	d->posted[d->count].offset = offset;
	d->posted[d->count++].value = value;
}

static uint32_t fetch(struct driver *d, uint32_t offset)
{
	if (!d->reads_overtake)
		apply_posted(d, ~0u);
	return rd(d->r, offset);
}

static void handler_step(struct driver *d)
{
	static const uint32_t in_master[4] = {3, 12, 48, 64};

	switch (d->step) {
	case 1:
		post(d, MASTER, 0);
		d->step = 2;
		break;
	case 2:
		d->master = fetch(d, MASTER) & ~ENABLE;
		d->bank = 0;
		d->step = 3;
		break;
	case 3: /* gen8_gt_irq_handler(): read, look at the memory, then clear */
		if (d->bank == 4) {
			d->step = 6;
		} else if (!(d->master & in_master[d->bank])) {
			d->bank++;
		} else {
			d->iir[d->bank] = fetch(d, GT_IIR((uint32_t)d->bank));
			d->step = 4;
		}
		break;
	case 4:
		if (d->iir[d->bank])
			d->seen[d->bank] = d->produced[d->bank];
		d->step = 5;
		break;
	case 5:
		if (d->iir[d->bank])
			post(d, GT_IIR((uint32_t)d->bank), d->iir[d->bank]);
		d->bank++;
		d->step = 3;
		break;
	default:
		post(d, MASTER, ENABLE);
		d->step = 0;
		break;
	}
}

/* Returns how many engines ended with work that the driver never saw. */
static unsigned int run_late(uint64_t seed, bool overtake, bool single_buffered)
{
	static const enum irq_bank banks[4] = {IRQ_GT0, IRQ_GT1, IRQ_GT2, IRQ_GT3};
	struct rig r;
	struct driver d = {.r = &r, .reads_overtake = overtake};
	unsigned int lost = 0, idle = 0;

	rig_init(&r, true);
	unmask_all(&r);
	wr(&r, MASTER, ENABLE);
	for (unsigned int i = 0; i < 300 || idle < 3; i++) {
		uint32_t dice = rnd(&seed) % 8, bank = rnd(&seed) % 4;

		if (i < 300 && dice < 2) {
			d.produced[bank]++;
			soc_irq_event(&r.soc.irq, banks[bank], rnd(&seed) % 2 ? 1 : 0x100);
		} else if (dice < 3) {
			apply_posted(&d, 1 + rnd(&seed) % 3);
		} else if (d.step) {
			handler_step(&d);
		} else if (r.msis) {
			r.msis = 0; /* edges that come before the handler starts are one */
			d.step = 1;
		} else if (i >= 300) {
			apply_posted(&d, ~0u);
			idle = d.step || r.msis ? 0 : idle + 1;
		}
		if (single_buffered)
			memset(r.soc.irq.queued, 0, sizeof(r.soc.irq.queued));
		assert_true(i < 100000);
	}
	for (int i = 0; i < 4; i++)
		lost += d.seen[i] != d.produced[i];
	rig_finish(&r);
	return lost;
}

static void test_late_writes(void **state)
{
	unsigned int lost_without = 0;

	for (uint64_t seed = 1; seed <= 150; seed++) {
		assert_int_equal(run_late(seed, false, false), 0);
		assert_int_equal(run_late(seed, true, false), 0);
		lost_without += run_late(seed, false, true);
	}
	assert_true(lost_without > 0); /* the test sees it when the second event is not kept */
}

/* ------------------------------------------------------------------ threads */

struct shared {
	struct rig rig;
	_Atomic uint32_t produced, edges;
	uint32_t seen;
};

static void count_edge(void *arg)
{
	atomic_fetch_add(&((struct shared *)arg)->edges, 1);
}

static void *produce(void *arg)
{
	struct shared *s = arg;

	for (int i = 0; i < 20000; i++) {
		atomic_fetch_add(&s->produced, 1);
		soc_irq_event(&s->rig.soc.irq, IRQ_GT0, 1);
	}
	return NULL;
}

static void test_threads(void **state)
{
	static struct shared s;
	pthread_t t[2];
	uint32_t handled = 0, edges, idle = 0;
	bool joined = false;

	rig_init(&s.rig, true);
	s.rig.soc.irq.fn = count_edge;
	s.rig.soc.irq.arg = &s;
	unmask_all(&s.rig);
	wr(&s.rig, MASTER, ENABLE);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[i], NULL, produce, &s), 0);
	while (idle < 2) {
		edges = atomic_load(&s.edges);
		if (edges != handled) {
			uint32_t iir;

			handled = edges;
			wr(&s.rig, MASTER, 0);
			if (rd(&s.rig, MASTER)) {
				iir = rd(&s.rig, GT_IIR(0));
				s.seen = atomic_load(&s.produced);
				wr(&s.rig, GT_IIR(0), iir);
			}
			wr(&s.rig, MASTER, ENABLE);
			idle = 0;
		} else if (atomic_load(&s.produced) == 40000) {
			if (!joined) {
				pthread_join(t[0], NULL);
				pthread_join(t[1], NULL);
			}
			joined = true;
			idle++; /* an edge that came before the join is looked at first */
		}
	}
	assert_int_equal(s.seen, 40000);
	rig_finish(&s.rig);
}

/* ------------------------------------------------------------------ state */

static void test_state(void **state)
{
	struct state_section sec = {
		"soc.irq", SOC_IRQ_STATE_VERSION, NULL, soc_irq_save, soc_irq_load};
	struct rig a, b;
	struct buf out;
	struct buf_reader in;
	struct err e;

	rig_init(&a, true);
	rig_init(&b, false);
	unmask_all(&a);
	soc_irq_event(&a.soc.irq, IRQ_GT3, 5);
	soc_irq_event(&a.soc.irq, IRQ_GT3, 4);
	buf_init(&out);
	sec.save(&a.soc.irq, &out);
	buf_reader_init(&in, out.data, out.len);
	assert_int_equal(sec.load(&b.soc.irq, &in, sec.version, &e), 0);
	assert_int_equal(b.soc.irq.queued[IRQ_GT3], 4);
	assert_int_equal(rd(&b, 0xc4000), rd(&a, 0xc4000));
	for (size_t n = 0; n < out.len; n++) {
		buf_reader_init(&in, out.data, n);
		assert_int_equal(sec.load(&b.soc.irq, &in, sec.version, &e), -EINVAL);
	}
	assert_int_equal(b.soc.irq.queued[IRQ_GT3], 4);
	out.data[out.len - 12] = 2; /* the line is a bit */
	buf_reader_init(&in, out.data, out.len);
	assert_int_equal(sec.load(&b.soc.irq, &in, sec.version, &e), -EINVAL);
	buf_finish(&out);
	rig_finish(&a);
	rig_finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_gates),
		cmocka_unit_test(test_double_buffer),
		cmocka_unit_test(test_late_writes),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
