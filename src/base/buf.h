/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growable byte buffer, and a bounded reader over bytes: what state sections are written to. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data; /* owned */
	size_t len, cap;
	bool failed; /* an allocation failed: the content is incomplete */
};

void buf_init(struct buf *b);
void buf_finish(struct buf *b);
void buf_put(struct buf *b, const void *data, size_t len);
void buf_put_u32(struct buf *b, uint32_t v);
void buf_put_u64(struct buf *b, uint64_t v);

/* A reader never passes `len`; a short read sets `failed` and yields zeros. */
struct buf_reader {
	const uint8_t *data; /* borrowed */
	size_t len, pos;
	bool failed;
};

void buf_reader_init(struct buf_reader *r, const void *data, size_t len);
void buf_get(struct buf_reader *r, void *out, size_t len);
uint32_t buf_get_u32(struct buf_reader *r);
uint64_t buf_get_u64(struct buf_reader *r);
/* True when everything was read and nothing was short. */
bool buf_reader_done(const struct buf_reader *r);

#endif
