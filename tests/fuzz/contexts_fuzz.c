// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzzer: context images and the submit port. Images start as i915 writes them and are then mutated
 * where the input says: values, register offsets, headers, whole dwords; descriptors, ELSP words and
 * register writes around them too.
 */
#include "fuzz_rig.h"

static void mutate(struct input *in, uint32_t *image)
{
	unsigned int n = input_u8(in) & 15;

	for (unsigned int i = 0; i < n && !input_done(in); i++) {
		const struct context_row *row =
			&gen9_context_rows[input_u8(in) % gen9_context_row_count];
		uint32_t v = input_u32(in);

		switch (input_u8(in) & 7) {
		case 0:
			image[input_u16(in) & 1023] = v;
			break;
		case 1:
			image[row->dw - 1] = v;
			break;
		case 2:
			image[row->dw - 1] ^= 1u << (v & 31);
			break;
		case 3:
			image[gen9_context_lris[v % gen9_context_lri_count].dw] ^= 1u
										   << (v >> 8 & 31);
			break;
		case 4: /* small numbers, page-aligned ones, flags */
			image[row->dw] = v & 0xfff;
			break;
		case 5:
			image[row->dw] = (v & 0x1ff000) | (v & 1);
			break;
		default:
			image[row->dw] = v;
			break;
		}
	}
	/* Where a preempted batch would go on. */
	if (input_u8(in) & 1) {
		image[CONTEXT_DW_BB_ADDR] = ((uint32_t)FUZZ_DATA + (input_u8(in) << 2)) | 1;
		image[CONTEXT_DW_BB_STATE] = (uint32_t)(input_u8(in) & 7) << 16 | (input_u8(in) & 1)
											  << 5;
		if (input_u8(in) & 1) {
			image[CONTEXT_DW_SBB_ADDR] =
				((uint32_t)FUZZ_DATA + (input_u8(in) << 2)) | 1;
			image[CONTEXT_DW_SBB_STATE] = (input_u8(in) & 1) << 5;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_rig *r;
	struct input in = {data, size, 0};
	static const int engines[] = {RCS0, BCS0, VCS0, VECS0};
	int engine = engines[input_u8(&in) & 3];
	uint32_t base;
	struct fuzz_ctx *c;

	if (!r)
		r = fuzz_open();
	base = gen9_engines[engine].mmio_base;
	fuzz_clean(r);
	c = &r->ctx[engine];
	fuzz_ctx_reset(r, c);
	fuzz_data(r, 0)[0] = 0x05000000;
	mutate(&in, fuzz_gg(r, c->lrca + 0x1000));
	for (int i = 0; i < 24 && !input_done(&in); i++) {
		uint64_t d0, d1;

		switch (input_u8(&in) & 15) {
		case 0:
		case 1:
		case 2:
			fuzz_submit(r, c, (input_u16(&in) & 0x3ff) * 8);
			break;
		case 3:
			fuzz_preempt(r, c);
			break;
		case 4:
			d0 = input_u32(&in) | (uint64_t)input_u32(&in) << 32;
			d1 = input_u32(&in) | (uint64_t)input_u32(&in) << 32;
			fuzz_elsp(r, engine, d0, d1);
			break;
		case 5:
			d0 = fuzz_desc(c) ^ (input_u8(&in) & 0xfe) ^
			     (uint64_t)(input_u8(&in) & 0xe) << 8;
			fuzz_elsp(r, engine, d0,
				input_u8(&in) & 1 ? fuzz_desc(&r->other[engine]) : 0);
			break;
		case 6:
			fuzz_write(r, base + 0x230, input_u32(&in));
			break;
		case 7:
			fuzz_write(r, base + 0x3a0, input_u32(&in));
			break;
		case 8:
			fuzz_write(r, base + 0xd0, (input_u8(&in) & 7) << 16 | (input_u8(&in) & 7));
			break;
		case 9:
			fuzz_write(r, base + 0x9c, 0x01000000 | (input_u8(&in) & 1) << 8);
			break;
		case 10:
			fuzz_write(r, 0x941c, input_u8(&in));
			break;
		case 11:
			fuzz_write(r, base + 0x80, input_u32(&in));
			break;
		case 12:
			mutate(&in, fuzz_gg(r, c->lrca + 0x1000));
			break;
		case 13:
			fuzz_settle_some(r, engine);
			break;
		case 14:
			if ((input_u8(&in) & 7) == 7)
				fuzz_save_load(r);
			break;
		default:
			r->g->ops->mmio_read(r->g, base + (input_u16(&in) & 0x7ff), 4);
			break;
		}
	}
	fuzz_settle(r, engine);
	fuzz_expect_works(r, engine);
	return 0;
}
