/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growable byte buffer and a bounded reader. */
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b)
{
	memset(b, 0, sizeof(*b));
}

void buf_finish(struct buf *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}

void buf_put(struct buf *b, const void *data, size_t len)
{
	if (b->failed || len == 0)
		return;
	if (len > b->cap - b->len) {
		size_t cap = b->cap ? b->cap : 256;
		uint8_t *p;

		while (cap - b->len < len)
			cap *= 2;
		p = realloc(b->data, cap);
		if (!p) {
			b->failed = true;
			return;
		}
		b->data = p;
		b->cap = cap;
	}
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

void buf_put_u32(struct buf *b, uint32_t v)
{
	buf_put(b, &v, sizeof(v));
}

void buf_put_u64(struct buf *b, uint64_t v)
{
	buf_put(b, &v, sizeof(v));
}

void buf_reader_init(struct buf_reader *r, const void *data, size_t len)
{
	*r = (struct buf_reader){.data = data, .len = len};
}

void buf_get(struct buf_reader *r, void *out, size_t len)
{
	if (r->failed || len > r->len - r->pos) {
		r->failed = true;
		memset(out, 0, len);
		return;
	}
	memcpy(out, r->data + r->pos, len);
	r->pos += len;
}

uint32_t buf_get_u32(struct buf_reader *r)
{
	uint32_t v;

	buf_get(r, &v, sizeof(v));
	return v;
}

uint64_t buf_get_u64(struct buf_reader *r)
{
	uint64_t v;

	buf_get(r, &v, sizeof(v));
	return v;
}

bool buf_reader_done(const struct buf_reader *r)
{
	return !r->failed && r->pos == r->len;
}
