// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Everything that reaches a GPU over its BARs and its bus, as a stream of operations: registers of every
 * width, GGTT entries, aperture accesses, maps coming and going, time, resets, pictures, save and load.
 *
 * An operation is an opcode byte and the bytes it takes; what the input lacks is 0. Registers are
 * mostly picked from the rows, so that most accesses reach a handler, values mostly from what makes
 * things happen: enable bits, addresses that are mapped, small numbers.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include <json-c/json.h>

#include "gpu/model/gtt.h"
#include "gpu/model/model_api.h"

#define RAM	MIB(1)
#define OPS_MAX 400

struct input {
	const uint8_t *data;
	size_t left;
};

struct fuzz {
	struct input in;
	struct clock clock;
	struct gpu *g;
	uint8_t *ram;
	uint32_t *offsets; /* of registers with a row */
	size_t count;
	uint32_t pixels[256 * 256];
	struct {
		uint64_t iova, size;
	} maps[64]; /* what may be mapped: taken back after an input */
	size_t map_count;
};

static uint64_t take(struct fuzz *f, unsigned int bytes)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < bytes && f->in.left; i++, f->in.left--)
		v |= (uint64_t)*f->in.data++ << (8 * i);
	return v;
}

static uint32_t pick_offset(struct fuzz *f)
{
	uint64_t v = take(f, 3);

	if (v >> 21 & 1) /* anywhere, also past the end and unaligned */
		return (uint32_t)(v & 0x21ffff);
	return f->offsets[v % f->count] + (uint32_t)((v >> 22) & 2 ? (v >> 20) & 3 : 0);
}

static uint64_t pick_value(struct fuzz *f)
{
	uint8_t kind = (uint8_t)take(f, 1);

	switch (kind % 8) {
	case 0:
		return BIT(kind >> 3) * 0x10001ull;
	case 1:
		return BIT(kind >> 3);
	case 2:
		return UINT32_MAX;
	case 3:
		return 0x80000000 | take(f, 2);
	case 4:
		return take(f, 2) << 12;
	case 5:
		return take(f, 1);
	default:
		return take(f, 8);
	}
}

static void state(struct fuzz *f)
{
	const struct state_section *secs;
	struct buf b;
	size_t count;
	uint8_t mode = (uint8_t)take(f, 1);
	uint64_t at = take(f, 3);
	uint8_t with = (uint8_t)take(f, 1);

	secs = f->g->ops->sections(f->g, &count);
	f->g->ops->pause(f->g);
	buf_init(&b);
	if (!state_save(secs, count, &b)) {
		if ((mode & 1) && b.len) /* one byte wrong */
			b.data[at % b.len] = with;
		if (mode & 2)
			b.len = at % (b.len + 1);
		state_load(secs, count, b.data, b.len, NULL);
	}
	buf_finish(&b);
	f->g->ops->resume(f->g);
}

static void picture(struct fuzz *f)
{
	struct gpu_frame frame = {.pixels = (uint8_t *)f->pixels, .size_bytes = sizeof(f->pixels)};

	f->g->ops->scanout(f->g, (unsigned int)take(f, 1) % 4, &frame);
}

static void status(struct fuzz *f)
{
	struct json_object *o = json_object_new_object();

	f->g->ops->status(f->g, o);
	json_object_put(o);
}

static void step(struct fuzz *f)
{
	static const unsigned int sizes[] = {4, 4, 4, 8, 1, 2, 4, 3};
	const struct gpu_ops *ops = f->g->ops;
	uint8_t op = (uint8_t)take(f, 1);
	unsigned int size = sizes[op >> 5];
	uint64_t a, b;
	uint8_t data[300] = {0};

	switch (op % 32) {
	case 0 ... 7:
		a = pick_offset(f);
		ops->mmio_write(f->g, (uint32_t)a, pick_value(f), size);
		break;
	case 8 ... 11:
		ops->mmio_read(f->g, pick_offset(f), size);
		break;
	case 12 ... 14: /* a mapped page, or noise */
		a = take(f, 1);
		b = take(f, 1);
		ops->ggtt_write(f->g, (uint32_t)a, (b << 12) | 1, UINT64_MAX);
		break;
	case 15:
		a = take(f, 3);
		ops->ggtt_write(f->g, (uint32_t)a, take(f, 8), size == 4 ? UINT32_MAX : UINT64_MAX);
		ops->ggtt_read(f->g, (uint32_t)a);
		break;
	case 16:
		a = take(f, 3);
		b = take(f, 1);
		memset(data, (int)b, sizeof(data));
		ops->aperture_write(f->g, a, data, b);
		break;
	case 17:
		a = take(f, 3);
		ops->aperture_read(f->g, a, data, take(f, 1));
		break;
	case 18: /* a range of RAM, or one without memory */
		a = take(f, 1);
		b = 1 + take(f, 1) % 16;
		if (a + b <= RAM >> 12 && f->map_count < ARRAY_SIZE(f->maps) &&
			!ops->iova_map(f->g, (struct iova){a << 12}, b << 12,
				(struct hva){op & 32 ? NULL : f->ram + (a << 12)}, op & 64)) {
			f->maps[f->map_count].iova = a << 12;
			f->maps[f->map_count++].size = b << 12;
		}
		break;
	case 19:
		a = take(f, 1);
		ops->iova_unmap(f->g, (struct iova){a << 12}, (1 + take(f, 1) % 16) << 12);
		break;
	case 20:
		ops->iova_unmap(f->g, (struct iova){take(f, 8)}, take(f, 8));
		break;
	case 21:
	case 22:
		model_advance(f->g, take(f, op & 32 ? 2 : 4));
		break;
	case 23:
		ops->reset(f->g);
		break;
	case 24: /* takes longest: seldom */
		if (op >> 5 == 1)
			state(f);
		break;
	case 25:
		picture(f);
		break;
	case 26:
		status(f);
		break;
	case 27: /* forcewake and interrupts on, so that what follows does something */
		ops->mmio_write(f->g, 0xa278, 0x10001, 4);
		ops->mmio_write(f->g, 0xa188, 0x10001, 4);
		ops->mmio_write(f->g, 0xa270, 0x10001, 4);
		ops->mmio_write(f->g, 0x44200, 1u << 31, 4);
		break;
	case 28: /* a fence */
		a = take(f, 1) % 32;
		ops->mmio_write(
			f->g, (uint32_t)(0x100004 + a * 8), take(f, 1) << 12 | take(f, 1), 4);
		ops->mmio_write(f->g, (uint32_t)(0x100000 + a * 8),
			take(f, 1) << 12 | 1 | (op >> 5 & 2), 4);
		break;
	case 29: /* a plane of pipe A */
		ops->mmio_write(f->g, 0x6001c, take(f, 1) << 16 | take(f, 1), 4);
		ops->mmio_write(f->g, 0x70008, 1u << 31, 4);
		ops->mmio_write(f->g, 0x70180, 1u << 31 | take(f, 4), 4);
		ops->mmio_write(f->g, 0x70188, take(f, 2), 4);
		ops->mmio_write(f->g, 0x70190, take(f, 4), 4);
		ops->mmio_write(f->g, 0x7019c, take(f, 1) << 12, 4);
		break;
	default:
		break;
	}
}

static void irq(void *arg)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/*
 * A GPU lives through many inputs; a function level reset between them leaves nothing. Now and then
 * there is a new one.
 */
#define INPUTS_PER_GPU 256

static bool open_gpu(struct fuzz *f)
{
	struct model_config c = {.clock = &f->clock, .monitor = true, .aperture_bytes = MIB(16)};
	static unsigned int inputs;

	if (f->g && inputs++ % INPUTS_PER_GPU == 0) {
		f->g->ops->destroy(f->g);
		f->g = NULL;
	}
	if (!f->g) {
		clock_init_virtual(&f->clock, 0);
		f->g = model_create(&c, NULL);
		if (f->g)
			f->g->ops->irq_set(f->g, irq, NULL);
	}
	return f->g;
}

static void close_input(struct fuzz *f)
{
	for (size_t i = 0; i < f->map_count; i++)
		f->g->ops->iova_unmap(f->g, (struct iova){f->maps[i].iova}, f->maps[i].size);
	f->map_count = 0;
	f->g->ops->reset(f->g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	static uint16_t index[GEN9_REG_DWORDS];

	if (!f.offsets) {
		gen9_regs_index(index, false);
		f.offsets = malloc(sizeof(*f.offsets) * GEN9_REG_DWORDS);
		for (uint32_t i = 0; i < GEN9_REG_DWORDS; i++) {
			if (index[i])
				f.offsets[f.count++] = i * 4;
		}
		f.ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
	if (!open_gpu(&f))
		return 0;
	f.in = (struct input){data, size};
	for (unsigned int i = 0; i < OPS_MAX && f.in.left; i++)
		step(&f);
	close_input(&f);
	return 0;
}
