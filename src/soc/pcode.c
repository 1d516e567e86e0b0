/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The power controller's mailbox: one row a command. */
#include "soc/pcode.h"
#include "base/util.h"
#include "soc/soc.h"

#include <errno.h>

#define PCODE_MAILBOX 0x138124u
#define PCODE_DATA0   0x138128u
#define PCODE_DATA1   0x13812cu
#define PCODE_BUSY    BIT(31)

/* What a command leaves in the mailbox's low byte (i915: GEN7_PCODE_*). */
enum pcode_status {
	PCODE_SUCCESS = 0x00,
	PCODE_ILLEGAL_CMD = 0x01,
	PCODE_ILLEGAL_DATA = 0x03,
	PCODE_RATIO_OUT_OF_RANGE = 0x10,
};

/* `data[0]` and `data[1]`: in what was written, out what is to be read. */
typedef enum pcode_status (*pcode_fn)(struct soc_pcode *p, uint32_t data[2]);

static enum pcode_status accept(struct soc_pcode *p, uint32_t data[2])
{
	return PCODE_SUCCESS;
}

static enum pcode_status zero(struct soc_pcode *p, uint32_t data[2])
{
	data[0] = 0;
	data[1] = 0;
	return PCODE_SUCCESS;
}

/* 0: latency of watermark levels 0..3 in us, a byte each; 1: levels 4..7. Those of a laptop's DDR4. */
static enum pcode_status mem_latency(struct soc_pcode *p, uint32_t data[2])
{
	if (data[0] > 1)
		return PCODE_ILLEGAL_DATA;
	data[0] = data[0] ? 0x2d28231e : 0x14100c04;
	return PCODE_SUCCESS;
}

/* 3: prepare for a change, answered "ready" (1). 0..3 after it tell the voltage; 1 is both, and fine. */
static enum pcode_status cdclk(struct soc_pcode *p, uint32_t data[2])
{
	if (data[0] > 3)
		return PCODE_ILLEGAL_DATA;
	data[0] = 1;
	return PCODE_SUCCESS;
}

/* 0: disable, answered "is disabled" (1); 3: enable. */
static enum pcode_status sagv(struct soc_pcode *p, uint32_t data[2])
{
	if (data[0] != 0 && data[0] != 3)
		return PCODE_ILLEGAL_DATA;
	if (data[0] == 0)
		data[0] = 1;
	return PCODE_SUCCESS;
}

/* GT ratio 7:0 (50 MHz), IA ratio 15:8, ring ratio 23:16. */
static enum pcode_status write_min_freq(struct soc_pcode *p, uint32_t data[2])
{
	uint32_t gt = data[0] & 0xff;

	if (gt == 0)
		return PCODE_RATIO_OUT_OF_RANGE;
	p->ia_ratio[gt] = (uint8_t)(data[0] >> 8);
	p->ring_ratio[gt] = (uint8_t)(data[0] >> 16);
	return PCODE_SUCCESS;
}

static enum pcode_status read_min_freq(struct soc_pcode *p, uint32_t data[2])
{
	uint32_t gt = data[0] & 0xff;

	data[0] = (uint32_t)p->ring_ratio[gt] << 16 | (uint32_t)p->ia_ratio[gt] << 8 | gt;
	return PCODE_SUCCESS;
}

/* i915 takes bits 15:8 as the most efficient frequency, in 50 MHz: RP1's half, at least RPn. */
static enum pcode_status duty_cycle(struct soc_pcode *p, uint32_t data[2])
{
	uint32_t cap = p->soc->regs->platform->rp_state_cap;
	uint32_t rp1 = cap >> 8 & 0xff, rpn = cap >> 16 & 0xff;
	uint32_t efficient = rp1 / 2 > rpn ? rp1 / 2 : rpn;

	data[0] = efficient * UINT32_C(0x01010101);
	return PCODE_SUCCESS;
}

/* clang-format off */
static const struct {
	uint8_t command;
	pcode_fn run;
	const char *why;
} commands[] = {
	{0x04, accept,         "GEN6_PCODE_WRITE_RC6VIDS"},
	{0x05, accept,         "SKL_PCODE_LOAD_HDCP_KEYS; before Gen9 READ_RC6VIDS, which debugfs reads"},
	{0x06, mem_latency,    "GEN9_PCODE_READ_MEM_LATENCY: skl_wm_init"},
	{0x07, cdclk,          "SKL_PCODE_CDCLK_CONTROL: skl_set_cdclk"},
	{0x08, write_min_freq, "GEN6_PCODE_WRITE_MIN_FREQ_TABLE: intel_llc_enable"},
	{0x09, read_min_freq,  "GEN6_PCODE_READ_MIN_FREQ_TABLE: debugfs i915_ring_freq_table"},
	{0x0c, zero,           "GEN6_READ_OC_PARAMS: no overclocking"},
	{0x1a, duty_cycle,     "HSW_PCODE_DYNAMIC_DUTY_CYCLE_CONTROL: gen6_rps_init"},
	{0x21, sagv,           "GEN9_PCODE_SAGV_CONTROL: intel_sagv_init"},
};
/* clang-format on */

static enum pcode_status run(struct soc_pcode *p, uint8_t command, uint32_t data[2])
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (commands[i].command == command)
			return commands[i].run(p, data);
	}
	p->refused++;
	return PCODE_ILLEGAL_CMD;
}

static void mailbox_write(void *block, uint32_t offset, uint32_t value)
{
	struct soc_pcode *p = block;
	struct regs *r = p->soc->regs;
	uint32_t data[2];
	enum pcode_status status;

	if (offset != PCODE_MAILBOX || !(value & PCODE_BUSY)) {
		regs_store(r, offset, value);
		return;
	}
	soc_acquire(p->soc);
	data[0] = regs_peek(r, PCODE_DATA0);
	data[1] = regs_peek(r, PCODE_DATA1);
	status = run(p, (uint8_t)value, data);
	if (status == PCODE_SUCCESS) {
		regs_poke(r, PCODE_DATA0, data[0]);
		regs_poke(r, PCODE_DATA1, data[1]);
	}
	regs_poke(r, PCODE_MAILBOX, (value & ~PCODE_BUSY & ~UINT32_C(0xff)) | status);
	soc_release(p->soc);
}

void soc_pcode_init(struct soc_pcode *p, struct soc *s)
{
	static const struct reg_ops mailbox = {.write = mailbox_write};

	*p = (struct soc_pcode){.soc = s};
	regs_bind(s->regs, REG_H_PCODE_MAILBOX, &mailbox, p);
}

void soc_pcode_reset(struct soc_pcode *p)
{
	memset(p->ia_ratio, 0, sizeof(p->ia_ratio));
	memset(p->ring_ratio, 0, sizeof(p->ring_ratio));
}

void soc_pcode_save(void *obj, struct buf *out)
{
	struct soc_pcode *p = obj;

	soc_acquire(p->soc);
	buf_put(out, p->ia_ratio, sizeof(p->ia_ratio));
	buf_put(out, p->ring_ratio, sizeof(p->ring_ratio));
	soc_release(p->soc);
}

int soc_pcode_load(void *obj, struct buf_reader *in, uint32_t version, struct err *e)
{
	struct soc_pcode *p = obj;
	uint8_t ia[PCODE_FREQUENCIES], ring[PCODE_FREQUENCIES];

	buf_get(in, ia, sizeof(ia));
	buf_get(in, ring, sizeof(ring));
	if (!buf_reader_done(in))
		return err_set(e, -EINVAL, NULL, "pcode state: wrong length %zu", in->len);
	soc_acquire(p->soc);
	memcpy(p->ia_ratio, ia, sizeof(ia));
	memcpy(p->ring_ratio, ring, sizeof(ring));
	soc_release(p->soc);
	return 0;
}
