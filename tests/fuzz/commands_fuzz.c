// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzzer: command streams. The input is turned into mostly valid commands, in the ring and in batches
 * of two levels that may start each other; operands are often addresses that exist, registers that
 * exist, lengths that fit. Whatever runs, a reset ends it and a good request works afterwards.
 */
#include "fuzz_rig.h"

#define BATCHES	    8
#define BATCH_BYTES 0x1000

static uint32_t reg_near(struct input *in, int engine)
{
	uint32_t base = gen9_engines[engine].mmio_base;

	switch (input_u8(in) & 7) {
	case 0:
		return input_u32(in);
	case 1:
		return base + (input_u32(in) & 0x7fc);
	case 2:
		return base + 0x400 + (input_u8(in) & 0x1c);
	default:
		return base + 0x600 + (input_u8(in) & 0x7c);
	}
}

static uint64_t address(struct input *in)
{
	uint32_t off = input_u16(in) * 4u;

	switch (input_u8(in) & 7) {
	case 0:
		return input_u32(in) | (uint64_t)input_u32(in) << 32;
	case 1:
		return FUZZ_HIGH + off;
	case 2: /* the GGTT's RAM: rings, images, status pages */
		return off + (uint32_t)(input_u8(in) << 16);
	case 3:
		return FUZZ_DATA + (off & 7) * BATCH_BYTES;
	default:
		return FUZZ_DATA + BATCHES * BATCH_BYTES + off;
	}
}

/* One command of the table, with operands that fit its kind; returns its dwords. */
static uint32_t command(struct input *in, int engine, uint32_t *dw)
{
	const struct cmd_row *row = &gen9_cmds[input_u16(in) % gen9_cmd_count];
	uint32_t n;

	/* MI commands most of the time: they are what runs. */
	if (input_u8(in) & 3)
		row = &gen9_cmds[input_u8(in) % 37];
	dw[0] = row->opcode;
	if (input_u8(in) & 1)
		dw[0] |= input_u32(in) & ~row->mask & ~(uint32_t)row->len_mask;
	if (row->len == CMD_LEN_BIAS2) {
		uint32_t len = row->dwords + (input_u8(in) & 7 ? 0 : input_u8(in) & 15);

		dw[0] |= (len - 2) & row->len_mask;
	}
	if (!(input_u8(in) & 31))
		dw[0] ^= 1u << (input_u8(in) & 31);
	n = gen9_cmd_length(row, dw[0]);
	if (n > 64)
		n = 64;
	for (uint32_t i = 1; i < n; i++)
		dw[i] = input_u8(in) & 3 ? 0 : input_u32(in);
	for (uint32_t i = 1; i + 1 < n && i < 15; i++) {
		if (row->addr_dw & 1 << i) {
			uint64_t a = address(in);

			dw[i] = (uint32_t)a;
			dw[i + 1] = (uint32_t)(a >> 32);
		}
	}
	switch (row->id) {
	case CMD_MI_LOAD_REGISTER_IMM:
		for (uint32_t i = 1; i + 1 < n; i += 2)
			dw[i] = reg_near(in, engine);
		break;
	case CMD_MI_LOAD_REGISTER_MEM:
	case CMD_MI_STORE_REGISTER_MEM:
		dw[1] = reg_near(in, engine);
		break;
	case CMD_MI_LOAD_REGISTER_REG:
		dw[1] = reg_near(in, engine);
		dw[2] = reg_near(in, engine);
		break;
	case CMD_MI_MATH:
		for (uint32_t i = 1; i < n; i++) {
			static const uint16_t ops[] = {0, 0x80, 0x480, 0x81, 0x481, 0x100, 0x101,
				0x102, 0x103, 0x104, 0x180, 0x580};

			dw[i] = (uint32_t)ops[input_u8(in) % ARRAY_SIZE(ops)] << 20 |
				(input_u8(in) & 0x3f) << 10 | (input_u8(in) & 0x3f);
		}
		break;
	default:
		break;
	}
	return n;
}

static void fill(struct input *in, int engine, uint32_t *at, uint32_t bytes, bool end)
{
	uint32_t used = 0, max = bytes / 4 - 2;

	for (int i = 0; i < 40 && !input_done(in); i++) {
		uint32_t dw[64], n = command(in, engine, dw);

		if (used + n > max)
			break;
		memcpy(at + used, dw, n * 4);
		used += n;
	}
	if (end)
		at[used] = 0x05000000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_rig *r;
	struct input in = {data, size, 0};
	static const int engines[] = {RCS0, BCS0, VCS0, VECS0};
	int engine = engines[input_u8(&in) & 3];
	struct fuzz_ctx *c;

	if (!r)
		r = fuzz_open();
	fuzz_clean(r);
	c = &r->ctx[engine];
	fuzz_ctx_reset(r, c);
	memset(fuzz_data(r, 0), 0, BATCHES * BATCH_BYTES);
	for (uint32_t b = 0; b < BATCHES && !input_done(&in); b++)
		fill(&in, engine, fuzz_data(r, b * BATCH_BYTES), BATCH_BYTES, true);
	/* The ring: its own commands, then a batch. */
	fill(&in, engine, fuzz_gg(r, c->ring), 0x800, false);
	{
		uint32_t *bbs = fuzz_gg(r, c->ring) + 0x200;

		bbs[0] = 0x18800001 | (input_u8(&in) & 7 ? 0x100 : 0);
		bbs[1] = (uint32_t)FUZZ_DATA;
		bbs[2] = 0;
	}
	fuzz_submit(r, c, 0x810);
	/* An element behind, a lite restore, a preemption: as the input says. */
	if (input_u8(&in) & 1)
		fuzz_submit(r, c, 0x820);
	if (input_u8(&in) & 1)
		fuzz_preempt(r, c);
	fuzz_settle(r, engine);
	if ((input_u8(&in) & 63) == 63)
		fuzz_save_load(r);
	fuzz_expect_works(r, engine);
	return 0;
}
