// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The register file: storage, the rows' rules, dispatch to handlers, the count of what has no row,
 * and its state section.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/util.h"
#include "soc/regs.h"

int regs_init(struct regs *r, const struct gen9_platform *platform)
{
	memset(r, 0, sizeof(*r));
	r->platform = platform;
	r->index = calloc(GEN9_REG_DWORDS, sizeof(*r->index));
	r->value = calloc(GEN9_REG_DWORDS, sizeof(*r->value));
	if (!r->index || !r->value) {
		free(r->index);
		free((void *)r->value);
		r->index = NULL;
		r->value = NULL;
		return -ENOMEM;
	}
	gen9_regs_index(r->index, platform->has_vcs1);
	for (uint32_t i = 0; i < GEN9_REG_DWORDS; i++)
		r->row_count += r->index[i] != 0;
	r->rows = malloc(sizeof(*r->rows) * r->row_count);
	if (!r->rows) {
		free(r->index);
		free((void *)r->value);
		r->index = NULL;
		r->value = NULL;
		return -ENOMEM;
	}
	for (uint32_t i = 0, n = 0; i < GEN9_REG_DWORDS; i++) {
		if (r->index[i])
			r->rows[n++] = i;
	}
	lock_init(&r->unknown_lock, LOCK_RANK_LEAF);
	regs_reset(r, false);
	return 0;
}

void regs_finish(struct regs *r)
{
	if (!r->index)
		return;
	lock_finish(&r->unknown_lock);
	free(r->index);
	free((void *)r->value);
	free(r->rows);
	r->index = NULL;
	r->value = NULL;
	r->rows = NULL;
}

void regs_bind(struct regs *r, enum reg_handler id, const struct reg_ops *ops, void *block)
{
	r->ops[id] = *ops;
	r->block[id] = block;
}

enum reg_handler regs_unbound(const struct regs *r)
{
	bool named[REG_H_COUNT] = {false};

	for (uint32_t i = 0; i < GEN9_REG_DWORDS; i++) {
		const struct reg_row *row = gen9_reg_row(r->index[i]);

		if (row)
			named[row->handler] = true;
	}
	for (unsigned int id = REG_H_NONE + 1; id < REG_H_COUNT; id++) {
		if (named[id] && !r->ops[id].read && !r->ops[id].write)
			return (enum reg_handler)id;
	}
	return REG_H_NONE;
}

void regs_reset(struct regs *r, bool gt_only)
{
	for (uint32_t n = 0; n < r->row_count; n++) {
		uint32_t i = r->rows[n];
		const struct reg_row *row = gen9_reg_row(r->index[i]);

		if (!gt_only || row->flags & REG_GDRST)
			regs_poke(r, i * 4, row->reset);
	}
}

const struct reg_row *regs_row(const struct regs *r, uint32_t offset)
{
	return offset < GEN9_MMIO_SIZE ? gen9_reg_row(r->index[offset / 4]) : NULL;
}

/*
 * An access to a register without a row: remembered by offset while there is room, always counted.
 */
static void unknown_access(struct regs *r, uint32_t offset, bool write)
{
	struct regs_unknown *u = NULL;

	atomic_fetch_add_explicit(&r->unknown_total, 1, memory_order_relaxed);
	lock_acquire(&r->unknown_lock);
	for (unsigned int i = 0; i < r->unknown_count && !u; i++) {
		if (r->unknown[i].offset == offset)
			u = &r->unknown[i];
	}
	if (!u && r->unknown_count < REGS_UNKNOWN_MAX) {
		u = &r->unknown[r->unknown_count++];
		*u = (struct regs_unknown){.offset = offset};
	}
	if (u && write && u->writes < UINT32_MAX)
		u->writes++;
	else if (u && !write && u->reads < UINT32_MAX)
		u->reads++;
	lock_release(&r->unknown_lock);
}

uint32_t regs_read(struct regs *r, uint32_t offset)
{
	const struct reg_row *row = regs_row(r, offset);
	const struct reg_ops *ops;

	if (unlikely(!row)) {
		unknown_access(r, offset, false);
		return 0;
	}
	ops = &r->ops[row->handler];
	if (ops->read)
		return ops->read(r->block[row->handler], offset);
	return regs_peek(r, offset);
}

void regs_write(struct regs *r, uint32_t offset, uint32_t value)
{
	const struct reg_row *row = regs_row(r, offset);
	const struct reg_ops *ops;

	if (unlikely(!row)) {
		unknown_access(r, offset, true);
		return;
	}
	ops = &r->ops[row->handler];
	if (ops->write)
		ops->write(r->block[row->handler], offset, value);
	else
		regs_store(r, offset, value);
}

/* What a register holds after `value` is written over `old`. */
static uint32_t row_apply(const struct reg_row *row, uint32_t old, uint32_t value)
{
	uint32_t w1c = row->flags & REG_W1C ? UINT32_MAX : row->w1c;

	if (row->flags & REG_RO)
		return old;
	if (row->flags & REG_MASKED) {
		uint32_t change = value >> 16 & ~row->ro;

		return (old & 0xffff & ~change) | (value & change);
	}
	return (old & row->ro) | (old & w1c & ~value) | (value & ~(row->ro | w1c));
}

uint32_t regs_store(struct regs *r, uint32_t offset, uint32_t value)
{
	const struct reg_row *row = regs_row(r, offset);
	_Atomic uint32_t *v;
	uint32_t old, new;

	if (!row)
		return 0;
	if (!(row->flags & (REG_RO | REG_MASKED | REG_W1C)) && !row->ro && !row->w1c) {
		regs_poke(r, offset, value);
		return value;
	}
	v = &r->value[offset / 4];
	old = atomic_load_explicit(v, memory_order_relaxed);
	do {
		new = row_apply(row, old, value);
	} while (!atomic_compare_exchange_weak_explicit(
		v, &old, new, memory_order_relaxed, memory_order_relaxed));
	return new;
}

uint64_t regs_mmio_read(struct regs *r, uint32_t offset, unsigned int size)
{
	uint64_t value = 0;

	if (size > 8 || range_bad(offset, size, GEN9_MMIO_SIZE))
		return 0;
	if (size == 4 && offset % 4 == 0)
		return regs_read(r, offset);
	if (size == 8 && offset % 4 == 0) {
		value = regs_read(r, offset);
		return value | (uint64_t)regs_read(r, offset + 4) << 32;
	}
	if (size <= 4 && offset % 4 + size <= 4) {
		value = regs_read(r, offset & ~3u) >> (offset % 4 * 8);
		return value & ((UINT64_C(1) << (size * 8)) - 1);
	}
	for (unsigned int i = 0; i < size; i++) {
		uint32_t at = offset + i;
		uint64_t byte = regs_read(r, at & ~3u) >> (at % 4 * 8) & 0xff;

		value |= byte << (i * 8);
	}
	return value;
}

/*
 * A write of `size` bytes within one dword. The bytes beside it keep what they hold, as byte
 * enables do on the bus: masks and write-1-to-clear bits that are not written are 0.
 */
static void write_bytes(struct regs *r, uint32_t offset, uint32_t value, unsigned int size)
{
	uint32_t shift = offset % 4 * 8, dword = offset & ~3u;
	uint32_t mask = (uint32_t)(((UINT64_C(1) << (size * 8)) - 1) << shift);
	const struct reg_row *row = regs_row(r, dword);
	uint32_t keep = 0;

	if (row && !(row->flags & (REG_MASKED | REG_W1C)))
		keep = regs_peek(r, dword) & ~row->w1c;
	regs_write(r, dword, (keep & ~mask) | (value << shift & mask));
}

void regs_mmio_write(struct regs *r, uint32_t offset, uint64_t value, unsigned int size)
{
	if (size > 8 || range_bad(offset, size, GEN9_MMIO_SIZE))
		return;
	if (size == 4 && offset % 4 == 0) {
		regs_write(r, offset, (uint32_t)value);
	} else if (size == 8 && offset % 4 == 0) {
		regs_write(r, offset, (uint32_t)value);
		regs_write(r, offset + 4, (uint32_t)(value >> 32));
	} else if (size && size <= 4 && offset % 4 + size <= 4) {
		write_bytes(r, offset, (uint32_t)value, size);
	} else {
		for (unsigned int i = 0; i < size; i++)
			write_bytes(r, offset + i, (uint32_t)(value >> (i * 8)) & 0xff, 1);
	}
}

/* The stream: a count, then {offset, value} in ascending order of offset. */
void regs_save(void *obj, struct buf *out)
{
	const struct regs *r = obj;
	size_t count_at = out->len;
	uint32_t count = 0;

	buf_put_u32(out, 0);
	for (uint32_t n = 0; n < r->row_count; n++) {
		uint32_t i = r->rows[n], value = regs_peek(r, i * 4);

		if (value == gen9_reg_row(r->index[i])->reset)
			continue;
		buf_put_u32(out, i * 4);
		buf_put_u32(out, value);
		count++;
	}
	if (!out->failed)
		memcpy(out->data + count_at, &count, sizeof(count));
}

int regs_load(void *obj, struct buf_reader *in, uint32_t version, struct err *e)
{
	struct regs *r = obj;
	uint32_t count, last = 0, *pairs;
	int ret = 0;

	if (version != REGS_STATE_VERSION)
		return err_set(e, -ENOTSUP, NULL, "registers: version %u of their state", version);
	count = buf_get_u32(in);
	if (in->failed || count > (in->len - in->pos) / 8 || count > GEN9_REG_DWORDS)
		return err_set(
			e, -EINVAL, NULL, "registers: %u of them, the state is shorter", count);
	pairs = calloc(count ? count : 1, 2 * sizeof(*pairs));
	if (!pairs)
		return err_set(e, -ENOMEM, NULL, "registers: no memory for %u", count);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t offset = buf_get_u32(in), value = buf_get_u32(in);
		const struct reg_row *row = offset % 4 ? NULL : regs_row(r, offset);

		pairs[2 * i] = offset;
		pairs[2 * i + 1] = value;
		if (!row)
			ret = err_set(e, -EINVAL, "was it saved by another platform?",
				"registers: %x is none of ours", offset);
		else if (i && offset <= last)
			ret = err_set(e, -EINVAL, NULL, "registers: %x after %x", offset, last);
		else if (row->flags & REG_MASKED && value >> 16)
			ret = err_set(
				e, -EINVAL, NULL, "registers: %x cannot hold %x", offset, value);
		if (ret)
			goto out;
		last = offset;
	}
	if (!buf_reader_done(in)) {
		ret = err_set(e, -EINVAL, NULL, "registers: bytes after the last");
		goto out;
	}
	regs_reset(r, false);
	for (uint32_t i = 0; i < count; i++)
		regs_poke(r, pairs[2 * i], pairs[2 * i + 1]);
out:
	free(pairs);
	return ret;
}
