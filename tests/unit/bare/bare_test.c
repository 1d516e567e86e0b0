/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bare device on a GPU that only notes what it was asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "bare/bare.h"
#include "base/util.h"

/* ------------------------------------------------------------------ a GPU that takes notes */

struct note_gpu {
	struct gpu gpu;
	char notes[4096];
	gpu_irq_fn irq_fn;
	void *irq_arg;
	struct trace *trace;
	int map_result;
	uint32_t section_value;
	struct state_section section;
	uint64_t ggtt[16];
};

static struct note_gpu *to_note(struct gpu *g)
{
	return container_of(g, struct note_gpu, gpu);
}

static void note(struct gpu *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void note(struct gpu *g, const char *fmt, ...)
{
	struct note_gpu *n = to_note(g);
	size_t at = strlen(n->notes);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(n->notes + at, sizeof(n->notes) - at, fmt, ap);
	va_end(ap);
}

static uint64_t mmio_read(struct gpu *g, uint32_t offset, unsigned int size)
{
	note(g, "r%x/%u ", offset, size);
	return UINT64_C(0x1122334455667788) + offset;
}

static void mmio_write(struct gpu *g, uint32_t offset, uint64_t value, unsigned int size)
{
	note(g, "w%x/%u=%llx ", offset, size, (unsigned long long)value);
}

static uint64_t ggtt_read(struct gpu *g, uint32_t index)
{
	return index < 16 ? to_note(g)->ggtt[index] : 0;
}

static void ggtt_write(struct gpu *g, uint32_t index, uint64_t value, uint64_t mask)
{
	uint64_t *e = &to_note(g)->ggtt[index % 16];

	assert_true(index < g->info.ggtt_entries);
	*e = (*e & ~mask) | (value & mask);
}

static void aperture_read(struct gpu *g, uint64_t offset, void *data, size_t size)
{
	note(g, "ar%llx/%zu ", (unsigned long long)offset, size);
	memset(data, 0x5a, size);
}

static void aperture_write(struct gpu *g, uint64_t offset, const void *data, size_t size)
{
	note(g, "aw%llx/%zu=%02x ", (unsigned long long)offset, size, *(const uint8_t *)data);
}

static int iova_map(struct gpu *g, struct iova iova, uint64_t size, struct hva hva, bool writable)
{
	note(g, "map%llx/%llx%s%s ", (unsigned long long)iova.v, (unsigned long long)size,
		hva.p ? "" : "-unshared", writable ? "" : "-ro");
	return to_note(g)->map_result;
}

static int iova_unmap(struct gpu *g, struct iova iova, uint64_t size)
{
	note(g, "unmap%llx/%llx ", (unsigned long long)iova.v, (unsigned long long)size);
	return to_note(g)->map_result;
}

static void irq_set(struct gpu *g, gpu_irq_fn fn, void *arg)
{
	to_note(g)->irq_fn = fn;
	to_note(g)->irq_arg = arg;
}

static void reset(struct gpu *g)
{
	note(g, "reset ");
}

static const struct state_section *sections(struct gpu *g, size_t *count)
{
	*count = 1;
	return &to_note(g)->section;
}

static void trace_set(struct gpu *g, struct trace *t)
{
	to_note(g)->trace = t;
}

static const struct gpu_ops note_ops = {
	.mmio_read = mmio_read,
	.mmio_write = mmio_write,
	.ggtt_read = ggtt_read,
	.ggtt_write = ggtt_write,
	.aperture_read = aperture_read,
	.aperture_write = aperture_write,
	.iova_map = iova_map,
	.iova_unmap = iova_unmap,
	.irq_set = irq_set,
	.reset = reset,
	.sections = sections,
	.trace_set = trace_set,
};

static void section_save(void *obj, struct buf *out)
{
	buf_put_u32(out, *(uint32_t *)obj);
}

static int section_load(void *obj, struct buf_reader *in, uint32_t version, struct err *e)
{
	*(uint32_t *)obj = buf_get_u32(in);
	return 0;
}

struct rig {
	struct note_gpu gpu;
	struct bare *bare;
	struct pci_device *dev;
	unsigned int irqs;
	uint8_t rom[4096];
};

static void irq_raise(void *arg, enum pci_irq type, uint32_t vector)
{
	struct rig *r = arg;

	assert_int_equal(type, PCI_IRQ_MSI);
	assert_int_equal(vector, 0);
	r->irqs++;
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct bare_config config;

	r->gpu.gpu = (struct gpu){
		.ops = &note_ops,
		.info =
			{
				.vendor_id = 0x8086,
				.device_id = 0x5916,
				.revision = 2,
				.aperture_bytes = MIB(4),
				.ggtt_entries = 1 << 20,
			},
	};
	r->gpu.section =
		(struct state_section){"gpu", 1, &r->gpu.section_value, section_save, section_load};
	for (size_t i = 0; i < sizeof(r->rom); i++) {
		r->rom[i] = (uint8_t)(i * 7);
	}
	config = (struct bare_config){
		.gpu = &r->gpu.gpu,
		.rom = r->rom,
		.rom_bytes = sizeof(r->rom),
	};
	r->bare = bare_create(&config, NULL);
	assert_non_null(r->bare);
	r->dev = bare_device(r->bare);
	r->dev->irq_raise = irq_raise;
	r->dev->irq_arg = r;
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	bare_destroy(r->bare);
	assert_null(r->gpu.irq_fn); /* the GPU must not call a device that is gone */
	free(r);
	return 0;
}

#define expect_notes(r, text)                              \
	do {                                               \
		assert_string_equal((r)->gpu.notes, text); \
		(r)->gpu.notes[0] = '\0';                  \
	} while (0)

static uint64_t rd(struct rig *r, uint32_t region, uint64_t offset, size_t len)
{
	uint64_t v = 0;

	assert_int_equal(r->dev->ops->region_read(r->dev, region, offset, &v, len), 0);
	return v;
}

static void wr(struct rig *r, uint32_t region, uint64_t offset, uint64_t v, size_t len)
{
	assert_int_equal(r->dev->ops->region_write(r->dev, region, offset, &v, len), 0);
}

/* ------------------------------------------------------------------ tests */

static void test_regions(void **state)
{
	static const uint64_t sizes[PCI_REGION_COUNT] = {
		[0] = MIB(16), [2] = MIB(4), [4] = 64, [6] = 4096, [7] = 256};
	struct rig *r = *state;
	struct pci_region_info info;

	for (uint32_t i = 0; i < PCI_REGION_COUNT + 3; i++) {
		r->dev->ops->region_info(r->dev, i, &info);
		assert_true(info.size == (i < PCI_REGION_COUNT ? sizes[i] : 0));
		assert_int_equal(info.fd, -1);
		assert_int_equal(info.flags, !info.size ? 0
					     : i == PCI_REGION_ROM
						     ? PCI_REGION_READ
						     : PCI_REGION_READ | PCI_REGION_WRITE);
	}
	assert_int_equal(r->dev->ops->irq_count(r->dev, PCI_IRQ_INTX), 1);
	assert_int_equal(r->dev->ops->irq_count(r->dev, PCI_IRQ_MSI), 1);
	assert_int_equal(r->dev->ops->irq_count(r->dev, PCI_IRQ_ERR), 0);
	assert_int_equal(rd(r, 7, 0, 4), 0x59168086);
	assert_int_equal(rd(r, 7, 0x0a, 2), 0x0380);
	assert_int_equal(rd(r, 7, 0x50, 2) >> 6 & 3, 3);
	assert_int_equal(rd(r, 6, 16, 1), 16 * 7);
	assert_int_equal(rd(r, 4, 0, 4), 0);
	assert_int_equal(r->dev->ops->region_write(r->dev, 6, 0, "x", 1), -EINVAL);
	assert_int_equal(r->dev->ops->region_write(r->dev, 1, 0, "x", 1), -EINVAL);
}

static void test_mmio_widths(void **state)
{
	struct rig *r = *state;
	uint8_t bytes[16];

	assert_true(rd(r, 0, 0x2000, 4) == 0x55667788 + 0x2000);
	assert_true(rd(r, 0, 0x2000, 8) == UINT64_C(0x1122334455667788) + 0x2000);
	expect_notes(r, "r2000/4 r2000/8 ");
	rd(r, 0, 0x2001, 1);
	rd(r, 0, 0x2002, 2);
	rd(r, 0, 0x2001, 4);
	expect_notes(r, "r2001/1 r2002/2 r2001/1 r2002/2 r2004/1 ");
	rd(r, 0, 0x2004, 8);
	expect_notes(r, "r2004/4 r2008/4 ");
	assert_int_equal(r->dev->ops->region_read(r->dev, 0, 0x2000, bytes, 16), 0);
	expect_notes(r, "r2000/4 r2004/4 r2008/4 r200c/4 ");
	wr(r, 0, 0x2030, 0xdeadbeef, 4);
	wr(r, 0, 0x2033, 0xabcd, 2);
	expect_notes(r, "w2030/4=deadbeef w2033/1=cd w2034/1=ab ");
}

/* Registers end at 2 MiB, the GGTT begins at 8 MiB; between them nothing answers. */
static void test_bar0_parts(void **state)
{
	struct rig *r = *state;
	uint8_t bytes[8];

	wr(r, 0, 0x1ffffe, 0x44332211, 4);
	expect_notes(r, "w1ffffe/2=2211 ");
	memset(bytes, 0xee, sizeof(bytes));
	assert_int_equal(r->dev->ops->region_read(r->dev, 0, 0x1ffffc, bytes, 8), 0);
	expect_notes(r, "r1ffffc/4 ");
	assert_int_equal(bytes[4] | bytes[5] | bytes[6] | bytes[7], 0);
	assert_int_equal(rd(r, 0, 0x400000, 8), 0);
	wr(r, 0, 0x7fffff, 0x2211, 2); /* one byte in the hole, one in entry 0 */
	assert_true(r->gpu.ggtt[0] == 0x22);
	expect_notes(r, "");
}

static void test_ggtt_parts(void **state)
{
	struct rig *r = *state;
	uint64_t two[2] = {UINT64_C(0x1111111122222222), UINT64_C(0x3333333344444444)};

	wr(r, 0, 0x800008, UINT64_C(0xaabbccdd11223344), 8);
	assert_true(r->gpu.ggtt[1] == UINT64_C(0xaabbccdd11223344));
	wr(r, 0, 0x80000c, 0x55667788, 4);
	assert_true(r->gpu.ggtt[1] == UINT64_C(0x5566778811223344));
	wr(r, 0, 0x800009, 0xff, 1);
	assert_true(r->gpu.ggtt[1] == UINT64_C(0x556677881122ff44));
	wr(r, 0, 0x80000e, 0xa1a2a3a4, 4); /* across two entries */
	assert_true(r->gpu.ggtt[1] == UINT64_C(0xa3a477881122ff44));
	assert_true(r->gpu.ggtt[2] == UINT64_C(0xa1a2));
	assert_int_equal(r->dev->ops->region_write(r->dev, 0, 0x800020, two, 16), 0);
	assert_true(r->gpu.ggtt[4] == two[0] && r->gpu.ggtt[5] == two[1]);
	assert_true(rd(r, 0, 0x800024, 8) == UINT64_C(0x4444444411111111));
	r->gpu.gpu.info.ggtt_entries = 4;
	assert_true(rd(r, 0, 0x800020, 8) == 0);
	wr(r, 0, 0x800020, 1, 8); /* the note asserts that it does not come */
}

static void test_aperture(void **state)
{
	struct rig *r = *state;

	assert_int_equal(rd(r, 2, 0x1003, 2), 0x5a5a);
	wr(r, 2, 0x3ffff0, 0x77, 8);
	expect_notes(r, "ar1003/2 aw3ffff0/8=77 ");
}

static void test_interrupt(void **state)
{
	struct rig *r = *state;

	r->gpu.irq_fn(r->gpu.irq_arg);
	assert_int_equal(r->irqs, 1);
	wr(r, 7, 0xd4, 3, 2); /* D3hot: silent */
	r->gpu.irq_fn(r->gpu.irq_arg);
	assert_int_equal(r->irqs, 1);
}

/* After bare_irq_stop the front may go: the GPU has nobody to call. */
static void test_interrupt_stops(void **state)
{
	struct rig *r = *state;

	assert_non_null(r->gpu.irq_fn);
	bare_irq_stop(r->bare);
	assert_null(r->gpu.irq_fn);
}

static void test_intx_disable(void **state)
{
	struct rig *r = *state;

	assert_true(bare_intx_allowed(r->bare));
	wr(r, 7, 0x04, 0x0406, 2);
	assert_false(bare_intx_allowed(r->bare));
	wr(r, 7, 0x04, 0x0006, 2);
	assert_true(bare_intx_allowed(r->bare));
	wr(r, 7, 0x05, 0x04, 1); /* a byte of it */
	assert_false(bare_intx_allowed(r->bare));
	r->dev->ops->reset(r->dev);
	assert_true(bare_intx_allowed(r->bare));
	wr(r, 7, 0x04, 0x0400, 2);
	wr(r, 7, 0xd4, 3, 2); /* to D3hot and back: a reset too */
	wr(r, 7, 0xd4, 0, 2);
	assert_true(bare_intx_allowed(r->bare));
}

static void test_reset_and_power(void **state)
{
	struct rig *r = *state;

	wr(r, 7, 0x04, 6, 2);
	wr(r, 7, 0xfc, 0x1000, 4);
	r->dev->ops->reset(r->dev);
	expect_notes(r, "reset ");
	assert_int_equal(rd(r, 7, 0x04, 2), 0);
	assert_int_equal(rd(r, 7, 0xfc, 4), 0);
	assert_int_equal(rd(r, 4, 0, 4), 0);
	wr(r, 7, 0xd4, 3, 2);
	assert_true(rd(r, 0, 0x2000, 4) == 0xffffffff);
	assert_true(rd(r, 2, 0, 4) == 0xffffffff);
	assert_true(rd(r, 4, 0, 4) == 0xffffffff);
	wr(r, 0, 0x2000, 1, 4);
	wr(r, 2, 0, 1, 4);
	expect_notes(r, "");
	wr(r, 7, 0xd4, 0, 2);
	expect_notes(r, "reset ");
	wr(r, 0, 0x2000, 1, 4);
	expect_notes(r, "w2000/4=1 ");
	/* A reset in D3hot wakes it too. */
	wr(r, 7, 0xd4, 3, 2);
	r->dev->ops->reset(r->dev);
	assert_int_equal(rd(r, 7, 0xd4, 2), 0);
	rd(r, 0, 0x2000, 4);
	expect_notes(r, "reset r2000/4 ");
}

/* The second client gets a fresh device; what the first left can be looked at before. */
static void test_clients(void **state)
{
	struct rig *r = *state;

	r->dev->ops->attached(r->dev);
	wr(r, 7, 0x04, 6, 2);
	r->dev->ops->detached(r->dev);
	expect_notes(r, "");
	assert_int_equal(rd(r, 7, 0x04, 2), 6);
	r->dev->ops->attached(r->dev);
	expect_notes(r, "reset ");
	assert_int_equal(rd(r, 7, 0x04, 2), 0);
}

/* QEMU resets the device when it comes; what it does after that is no more the next one's to see. */
static void test_clients_that_reset(void **state)
{
	struct rig *r = *state;

	r->dev->ops->attached(r->dev);
	r->dev->ops->reset(r->dev);
	wr(r, 7, 0x04, 6, 2);
	r->dev->ops->detached(r->dev);
	expect_notes(r, "reset ");
	r->dev->ops->attached(r->dev);
	expect_notes(r, "reset ");
	assert_int_equal(rd(r, 7, 0x04, 2), 0);
}

static void test_memory(void **state)
{
	struct rig *r = *state;
	const struct mem_listener *l = bare_listener(r->bare);
	struct mem_map ram = {{0x100000}, MIB(1), {r->rom}, MEM_READ | MEM_WRITE, true};
	struct mem_map ro = {{0x200000}, 4096, {r->rom}, MEM_READ, true};
	struct mem_map unshared = {{0x300000}, 4096, {NULL}, MEM_READ | MEM_WRITE, false};
	struct mem_map flash = {{0xfffc0000}, KIB(256), {NULL}, MEM_READ, false};

	assert_int_equal(l->map(l->arg, &ram), 0);
	assert_int_equal(l->map(l->arg, &ro), 0);
	assert_int_equal(l->map(l->arg, &unshared), 0);
	assert_int_equal(l->map(l->arg, &flash), 0);
	expect_notes(r, "map100000/100000 map200000/1000-ro map300000/1000-unshared ");
	assert_int_equal(l->unmap(l->arg, &flash), 0);
	assert_int_equal(l->unmap(l->arg, &unshared), 0);
	expect_notes(r, "unmap300000/1000 ");
	r->gpu.map_result = -ETIMEDOUT;
	assert_int_equal(l->unmap(l->arg, &ram), -ETIMEDOUT);
	r->gpu.map_result = -EEXIST;
	assert_int_equal(l->map(l->arg, &ram), -EEXIST);
}

static uint64_t number(struct json_object *o, const char *a, const char *b)
{
	const char *const path[] = {a, b};

	for (unsigned int i = 0; i < 2 && path[i]; i++) {
		assert_true(json_object_object_get_ex(o, path[i], &o));
	}
	return json_object_get_uint64(o);
}

static uint64_t status_number(struct rig *r, const char *a, const char *b)
{
	struct json_object *o = json_object_new_object();
	uint64_t v;

	bare_status(r->bare, o);
	v = number(o, a, b);
	json_object_put(o);
	return v;
}

/*
 * With QEMU's -fw_cfg name=etc/igd-opregion SeaBIOS puts the OpRegion into RAM and writes its address
 * to ASLS, etc/igd-bdsm-size that of stolen memory to BDSM (SeaBIOS, src/fw/pciinit.c: intel_igd_setup).
 */
static void test_opregion(void **state)
{
	struct rig *r = *state;

	assert_int_equal(rd(r, 7, 0x50, 2), 0x00c1);
	wr(r, 7, 0x50, 0xffff, 2); /* GGC is locked */
	assert_int_equal(rd(r, 7, 0x50, 2), 0x00c1);
	wr(r, 7, 0xfc, 0x1fffe000, 4);
	wr(r, 7, 0x5c, 0x1c0fffff, 4);
	assert_int_equal(rd(r, 7, 0xfc, 4), 0x1fffe000);
	assert_int_equal(rd(r, 7, 0x5c, 4), 0x1c000000);
	assert_int_equal(status_number(r, "opregion", "asls"), 0x1fffe000);
	assert_int_equal(status_number(r, "opregion", "bdsm"), 0x1c000000);
	/* i915's swsci(): selects SCI, then pulls the trigger. Nobody answers, nothing sticks. */
	wr(r, 7, 0xe8, 0x8000, 2);
	assert_int_equal(status_number(r, "opregion", "swsci_calls"), 0);
	wr(r, 7, 0xe8, 0x8001, 2);
	assert_int_equal(rd(r, 7, 0xe8, 2), 0x8000);
	assert_int_equal(status_number(r, "opregion", "swsci"), 0x8001);
	assert_int_equal(status_number(r, "opregion", "swsci_calls"), 1);
	wr(r, 7, 0xe8, 0x01, 1); /* by a byte */
	assert_int_equal(rd(r, 7, 0xe8, 2), 0x8000);
	assert_int_equal(status_number(r, "opregion", "swsci_calls"), 2);
	wr(r, 7, 0xe4, 0x55, 4);
	assert_int_equal(status_number(r, "opregion", "asle"), 0x55);
	assert_int_equal(status_number(r, "opregion", "asle_rings"), 1);
	expect_notes(r, ""); /* none of it is the GPU's affair */
	r->dev->ops->reset(r->dev);
	assert_int_equal(status_number(r, "opregion", "asls"), 0);
	assert_int_equal(status_number(r, "opregion", "swsci"), 0);
}

static void test_state(void **state)
{
	struct rig *r = *state;
	const struct state_section *s;
	struct err e = {0};
	struct buf b;
	size_t n;

	s = bare_sections(r->bare, &n);
	assert_int_equal(n, 3);
	assert_string_equal(s[0].name, "config");
	assert_string_equal(s[1].name, "opregion");
	wr(r, 7, 0x10, 0xe0000000, 4);
	wr(r, 7, 0xe8, 0x8001, 2);
	wr(r, 7, 0xd4, 3, 2);
	r->gpu.section_value = 77;
	buf_init(&b);
	assert_int_equal(state_save(s, n, &b), 0);
	r->dev->ops->reset(r->dev);
	r->gpu.section_value = 0;
	assert_int_equal(state_load(s, n, b.data, b.len, &e), 0);
	assert_int_equal(rd(r, 7, 0x10, 4), 0xe0000004);
	assert_int_equal(r->gpu.section_value, 77);
	assert_true(rd(r, 0, 0x2000, 4) == 0xffffffff); /* asleep again */
	assert_int_equal(status_number(r, "opregion", "swsci"), 0x8001);
	/* A value that no SWSCI can have is not taken. */
	for (size_t i = 0; i + 4 <= b.len; i++) {
		if (memcmp(b.data + i, "\x01\x80\0\0", 4) == 0)
			b.data[i + 2] = 1;
	}
	assert_int_equal(state_load(s, n, b.data, b.len, &e), -EINVAL);
	assert_int_equal(status_number(r, "opregion", "swsci"), 0x8001);
	buf_finish(&b);
}

static void test_trace(void **state)
{
	struct rig *r = *state;
	struct trace_event ev[4];
	struct trace t;
	uint64_t dropped;

	assert_int_equal(trace_init(&t, 16), 0);
	bare_trace_set(r->bare, &t);
	assert_ptr_equal(r->gpu.trace, &t);
	rd(r, 7, 0, 4); /* off yet */
	atomic_store(&t.on, true);
	rd(r, 7, 0, 2);
	wr(r, 7, 0xfc, 0x12345678, 4);
	assert_int_equal(trace_take(&t, ev, 4, &dropped), 2);
	assert_int_equal(ev[0].kind, TRACE_CFG_READ);
	assert_true(ev[0].a == 0 && ev[0].b == 0x8086 && ev[0].n == 2);
	assert_int_equal(ev[1].kind, TRACE_CFG_WRITE);
	assert_true(ev[1].a == 0xfc && ev[1].b == 0x12345678 && ev[1].n == 4);
	bare_trace_set(r->bare, NULL);
	trace_finish(&t);
}

static void test_status(void **state)
{
	struct rig *r = *state;
	struct json_object *o = json_object_new_object();

	rd(r, 0, 0x2000, 4);
	wr(r, 0, 0x2000, 0, 4);
	wr(r, 0, 0x2000, 0, 4);
	wr(r, 0, 0x800000, 0, 4);
	rd(r, 0, 0x300000, 4);
	r->dev->ops->reset(r->dev);
	bare_status(r->bare, o);
	assert_int_equal(number(o, "traps", "mmio_reads"), 1);
	assert_int_equal(number(o, "traps", "mmio_writes"), 2);
	assert_int_equal(number(o, "traps", "ggtt_writes"), 1);
	assert_int_equal(number(o, "traps", "hole_reads"), 1);
	assert_int_equal(number(o, "resets", NULL), 1);
	json_object_put(o);
}

static void test_bad_creation(void **state)
{
	struct rig *r = *state;
	struct bare_config config = {.gpu = &r->gpu.gpu, .rom = r->rom, .rom_bytes = 3000};
	struct err e = {0};

	assert_null(bare_create(&config, &e));
	assert_int_equal(e.code, -EINVAL);
	config.rom_bytes = SIZE_MAX;
	assert_null(bare_create(&config, &e));
	config.rom = NULL;
	config.rom_bytes = 0;
	r->gpu.gpu.info.aperture_bytes = MIB(3);
	assert_null(bare_create(&config, &e));
	assert_non_null(strstr(e.what, "BAR2"));
}

#define bare_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		bare_test(test_regions),
		bare_test(test_mmio_widths),
		bare_test(test_bar0_parts),
		bare_test(test_ggtt_parts),
		bare_test(test_aperture),
		bare_test(test_interrupt),
		bare_test(test_interrupt_stops),
		bare_test(test_intx_disable),
		bare_test(test_reset_and_power),
		bare_test(test_clients),
		bare_test(test_clients_that_reset),
		bare_test(test_memory),
		bare_test(test_opregion),
		bare_test(test_state),
		bare_test(test_trace),
		bare_test(test_status),
		bare_test(test_bad_creation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
