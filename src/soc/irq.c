/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interrupt tree: from an event to one MSI.
 *
 * Nothing is ever lost, however late a write of the driver arrives. An event either sets its IIR bit,
 * or, with the bit still set, is queued and sets it again when the driver's clear comes: so after each
 * clear that came later than an event, the bit is there again. And the MSI is an edge, made whenever
 * the master is written with its enable bit while something is pending: so whatever came while the
 * driver had the master off asks again. A third event during one clear is the same as the second: the
 * driver looks at memory (CSB, seqno) after it has seen the second.
 */
#include "soc/irq.h"
#include "base/util.h"

#include <errno.h>

enum { ISR, IMR, IIR, IER }; /* dwords of a set */

static const uint32_t bank_base[IRQ_BANKS] = {
	[IRQ_GT0] = 0x44300,
	[IRQ_GT1] = 0x44310,
	[IRQ_GT2] = 0x44320,
	[IRQ_GT3] = 0x44330,
	[IRQ_PIPE_A] = 0x44400,
	[IRQ_PIPE_B] = 0x44410,
	[IRQ_PIPE_C] = 0x44420,
	[IRQ_DE_PORT] = 0x44440,
	[IRQ_DE_MISC] = 0x44460,
	[IRQ_PCU] = 0x444e0,
	[IRQ_SDE] = 0xc4000,
};

/* Which bits of the master follow a bank: PRM volume 2c, MASTER_INTERRUPT. */
static const struct {
	uint8_t bank;
	uint32_t bits;	 /* of the bank */
	uint32_t master; /* of 0x44200 */
} tree[] = {
	{IRQ_GT0, GENMASK(15, 0), BIT(0)},  /* RCS */
	{IRQ_GT0, GENMASK(31, 16), BIT(1)}, /* BCS */
	{IRQ_GT1, GENMASK(15, 0), BIT(2)},  /* VCS0 */
	{IRQ_GT1, GENMASK(31, 16), BIT(3)}, /* VCS1 */
	{IRQ_GT2, GENMASK(15, 0), BIT(4)},  /* PM */
	{IRQ_GT2, GENMASK(31, 16), BIT(5)}, /* GuC */
	{IRQ_GT3, GENMASK(31, 0), BIT(6)},  /* VECS */
	{IRQ_PIPE_A, GENMASK(31, 0), BIT(16)},
	{IRQ_PIPE_B, GENMASK(31, 0), BIT(17)},
	{IRQ_PIPE_C, GENMASK(31, 0), BIT(18)},
	{IRQ_DE_PORT, GENMASK(31, 0), BIT(20)},
	{IRQ_DE_MISC, GENMASK(31, 0), BIT(22)},
	{IRQ_SDE, GENMASK(31, 0), BIT(23)},
	{IRQ_PCU, GENMASK(31, 0), BIT(30)},
};

static uint32_t get(const struct soc_irq *q, enum irq_bank bank, int which)
{
	return regs_peek(q->regs, bank_base[bank] + 4 * (uint32_t)which);
}

static void set(struct soc_irq *q, enum irq_bank bank, int which, uint32_t value)
{
	regs_poke(q->regs, bank_base[bank] + 4 * (uint32_t)which, value);
}

/* The bank whose set holds `offset`, or IRQ_BANKS: a lone IIR such as EDP_PSR_IIR. */
static enum irq_bank bank_of(uint32_t offset)
{
	for (int i = 0; i < IRQ_BANKS; i++) {
		if (offset - bank_base[i] < 16)
			return (enum irq_bank)i;
	}
	return IRQ_BANKS;
}

static uint32_t master_bits(const struct soc_irq *q)
{
	uint32_t pending[IRQ_BANKS], master = 0;

	for (int i = 0; i < IRQ_BANKS; i++)
		pending[i] = get(q, (enum irq_bank)i, IIR) & get(q, (enum irq_bank)i, IER);
	for (size_t i = 0; i < ARRAY_SIZE(tree); i++) {
		if (pending[tree[i].bank] & tree[i].bits)
			master |= tree[i].master;
	}
	return master;
}

/* Under the lock, after any change: true when an MSI has to go out. */
static bool update(struct soc_irq *q)
{
	bool line = (regs_peek(q->regs, IRQ_MASTER) & IRQ_MASTER_ENABLE) && master_bits(q);
	bool edge = line && !q->asserted;

	q->asserted = line;
	if (edge)
		q->raised++;
	return edge;
}

static void release_and_fire(struct soc_irq *q, bool fire)
{
	lock_release(&q->lock);
	if (fire && q->fn)
		q->fn(q->arg);
}

void soc_irq_event(struct soc_irq *q, enum irq_bank bank, uint32_t bits)
{
	uint32_t iir;
	bool fire = false;

	lock_acquire(&q->lock);
	bits &= ~get(q, bank, IMR);
	if (bits) {
		iir = get(q, bank, IIR);
		q->queued[bank] |= iir & bits;
		set(q, bank, IIR, iir | bits);
		fire = update(q);
	}
	release_and_fire(q, fire);
}

void soc_irq_level(struct soc_irq *q, enum irq_bank bank, uint32_t bits, bool on)
{
	lock_acquire(&q->lock);
	if (on)
		q->level[bank] |= bits;
	else
		q->level[bank] &= ~bits;
	lock_release(&q->lock);
}

uint32_t soc_irq_listened(const struct soc_irq *q, enum irq_bank bank, uint32_t bits)
{
	return bits & ~get(q, bank, IMR) & get(q, bank, IER);
}

bool soc_irq_line(struct soc_irq *q)
{
	bool line;

	lock_acquire(&q->lock);
	line = (regs_peek(q->regs, IRQ_MASTER) & IRQ_MASTER_ENABLE) && master_bits(q);
	lock_release(&q->lock);
	return line;
}

static uint32_t master_read(void *block, uint32_t offset)
{
	struct soc_irq *q = block;
	uint32_t value;

	lock_acquire(&q->lock);
	value = (regs_peek(q->regs, offset) & IRQ_MASTER_ENABLE) | master_bits(q);
	lock_release(&q->lock);
	return value;
}

static void master_write(void *block, uint32_t offset, uint32_t value)
{
	struct soc_irq *q = block;
	bool fire;

	lock_acquire(&q->lock);
	regs_poke(q->regs, offset, value & IRQ_MASTER_ENABLE);
	q->asserted = false; /* what is pending now asks again */
	fire = update(q);
	release_and_fire(q, fire);
}

static uint32_t isr_read(void *block, uint32_t offset)
{
	struct soc_irq *q = block;
	enum irq_bank bank = bank_of(offset);
	uint32_t value;

	if (bank == IRQ_BANKS)
		return regs_peek(q->regs, offset);
	lock_acquire(&q->lock);
	value = q->level[bank];
	lock_release(&q->lock);
	return value;
}

static void isr_write(void *block, uint32_t offset, uint32_t value)
{
	/* Read-only: what the wires are. */
}

static void iir_write(void *block, uint32_t offset, uint32_t value)
{
	struct soc_irq *q = block;
	enum irq_bank bank = bank_of(offset);
	uint32_t again;
	bool fire;

	lock_acquire(&q->lock);
	if (bank == IRQ_BANKS) {
		regs_poke(q->regs, offset, regs_peek(q->regs, offset) & ~value);
		lock_release(&q->lock);
		return;
	}
	again = q->queued[bank] & value;
	q->queued[bank] &= ~value;
	set(q, bank, IIR, (get(q, bank, IIR) & ~value) | again);
	fire = update(q);
	release_and_fire(q, fire);
}

/* IMR and IER */
static void gate_write(void *block, uint32_t offset, uint32_t value)
{
	struct soc_irq *q = block;
	enum irq_bank bank = bank_of(offset);
	uint32_t before, after;
	bool fire;

	if (bank == IRQ_BANKS) {
		regs_store(q->regs, offset, value);
		return;
	}
	if (q->gate_fn)
		q->gate_fn(q->gate_arg, bank, false);
	lock_acquire(&q->lock);
	before = soc_irq_listened(q, bank, ~UINT32_C(0));
	regs_poke(q->regs, offset, value);
	after = soc_irq_listened(q, bank, ~UINT32_C(0));
	fire = update(q);
	release_and_fire(q, fire);
	if ((after & ~before) && q->gate_fn)
		q->gate_fn(q->gate_arg, bank, true);
}

void soc_irq_init(struct soc_irq *q, struct regs *regs, soc_irq_fn fn, void *arg)
{
	static const struct reg_ops master = {.read = master_read, .write = master_write};
	static const struct reg_ops isr = {.read = isr_read, .write = isr_write};
	static const struct reg_ops iir = {.write = iir_write};
	static const struct reg_ops gate = {.write = gate_write};

	*q = (struct soc_irq){.regs = regs, .fn = fn, .arg = arg};
	lock_init(&q->lock, LOCK_RANK_IRQ);
	regs_bind(regs, REG_H_IRQ_MASTER, &master, q);
	regs_bind(regs, REG_H_IRQ_ISR, &isr, q);
	regs_bind(regs, REG_H_IRQ_IMR, &gate, q);
	regs_bind(regs, REG_H_IRQ_IIR, &iir, q);
	regs_bind(regs, REG_H_IRQ_IER, &gate, q);
}

void soc_irq_finish(struct soc_irq *q)
{
	lock_finish(&q->lock);
}

void soc_irq_reset(struct soc_irq *q)
{
	lock_acquire(&q->lock);
	memset(q->queued, 0, sizeof(q->queued));
	memset(q->level, 0, sizeof(q->level));
	q->asserted = false;
	lock_release(&q->lock);
}

void soc_irq_save(void *obj, struct buf *out)
{
	struct soc_irq *q = obj;

	lock_acquire(&q->lock);
	for (int i = 0; i < IRQ_BANKS; i++) {
		buf_put_u32(out, q->queued[i]);
		buf_put_u32(out, q->level[i]);
	}
	buf_put_u32(out, q->asserted);
	buf_put_u64(out, q->raised);
	lock_release(&q->lock);
}

int soc_irq_load(void *obj, struct buf_reader *in, uint32_t version, struct err *e)
{
	struct soc_irq *q = obj;
	uint32_t queued[IRQ_BANKS], level[IRQ_BANKS], asserted;
	uint64_t raised;

	for (int i = 0; i < IRQ_BANKS; i++) {
		queued[i] = buf_get_u32(in);
		level[i] = buf_get_u32(in);
	}
	asserted = buf_get_u32(in);
	raised = buf_get_u64(in);
	if (!buf_reader_done(in))
		return err_set(e, -EINVAL, NULL, "interrupt state: wrong length %zu", in->len);
	if (asserted > 1)
		return err_set(e, -EINVAL, NULL, "interrupt state: line is %u", asserted);
	lock_acquire(&q->lock);
	memcpy(q->queued, queued, sizeof(queued));
	memcpy(q->level, level, sizeof(level));
	q->asserted = asserted;
	q->raised = raised;
	lock_release(&q->lock);
	return 0;
}
