// SPDX-License-Identifier: GPL-2.0-or-later
/* The GGTT's state section: {first index, count, entries} runs of what is not 0, then {0, 0}. */
#include <errno.h>
#include <stdlib.h>

#include "gpu/model/gtt.h"

/* The first entry from `i` on that is not 0, or GGTT_ENTRIES. */
static uint32_t next_entry(const struct ggtt *g, uint32_t i)
{
	while (i < GGTT_ENTRIES) {
		if (!ggtt_block_used(g, i))
			i = (i / GGTT_BLOCK + 1) * GGTT_BLOCK;
		else if (!ggtt_read_entry(g, i))
			i++;
		else
			break;
	}
	return i;
}

void ggtt_save(void *obj, struct buf *out)
{
	struct model *m = obj;
	uint32_t i = 0;

	for (;;) {
		uint32_t end;

		i = next_entry(&m->ggtt, i);
		for (end = i; end < GGTT_ENTRIES && ggtt_read_entry(&m->ggtt, end);)
			end++;
		if (end == i)
			break;
		buf_put_u32(out, i);
		buf_put_u32(out, end - i);
		for (; i < end; i++)
			buf_put_u64(out, ggtt_read_entry(&m->ggtt, i));
	}
	buf_put_u32(out, 0);
	buf_put_u32(out, 0);
}

int ggtt_load(void *obj, struct buf_reader *in, uint32_t version, struct err *e)
{
	struct buf_reader check = *in;
	struct model *m = obj;
	uint32_t first, count, next = 0;

	for (;;) {
		first = buf_get_u32(&check);
		count = buf_get_u32(&check);
		if (check.failed)
			return err_set(e, -EINVAL, NULL, "ggtt: cut short");
		if (!count)
			break;
		if (first < next || count > GGTT_ENTRIES || first > GGTT_ENTRIES - count)
			return err_set(
				e, -EINVAL, NULL, "ggtt: run of %u entries at %u", count, first);
		if ((check.len - check.pos) / 8 < count)
			return err_set(e, -EINVAL, NULL, "ggtt: run at %u cut short", first);
		check.pos += (size_t)count * 8;
		next = first + count;
	}
	ggtt_reset(&m->ggtt);
	for (;;) {
		first = buf_get_u32(in);
		count = buf_get_u32(in);
		if (!count)
			break;
		for (; count; count--, first++)
			ggtt_write_entry(&m->ggtt, first, buf_get_u64(in), UINT64_MAX);
	}
	ggtt_flush(m);
	return 0;
}
