/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trace events as bytes, and base64. */
#include "daemon/tracefile.h"
#include "base/util.h"

#include <errno.h>
#include <stdlib.h>

void tracefile_put_header(struct buf *out, const struct tracefile_header *h)
{
	uint8_t tail[8] = {h->monitor, 0, (uint8_t)h->class_code, (uint8_t)(h->class_code >> 8)};

	buf_put(out, TRACEFILE_MAGIC, 8);
	buf_put_u32(out, TRACEFILE_VERSION);
	buf_put_u32(out, TRACEFILE_HEADER_BYTES - 16);
	buf_put(out, h->platform, sizeof(h->platform));
	buf_put_u64(out, h->aperture_bytes);
	buf_put_u64(out, h->start_ns);
	buf_put(out, tail, sizeof(tail));
}

void tracefile_put(struct buf *out, const struct trace_event *ev)
{
	uint32_t dwords = ev->kind == TRACE_COMMAND ? (uint32_t)min_u64(ev->n, TRACE_DW_MAX) : 0;

	buf_put_u32(out, (uint32_t)(ev->kind & 0xff) | dwords << 8 | (uint32_t)ev->unit << 16);
	buf_put_u32(out, ev->n);
	buf_put_u64(out, ev->ns);
	buf_put_u64(out, ev->a);
	buf_put_u64(out, ev->b);
	buf_put(out, ev->dw, 4 * dwords);
}

int tracefile_get_header(struct buf_reader *r, struct tracefile_header *h, struct err *e)
{
	char magic[8];
	uint8_t tail[8];
	uint32_t version, len;

	memset(h, 0, sizeof(*h));
	buf_get(r, magic, sizeof(magic));
	version = buf_get_u32(r);
	len = buf_get_u32(r);
	if (r->failed || memcmp(magic, TRACEFILE_MAGIC, sizeof(magic)) != 0)
		return err_set(e, -EINVAL, "write one with ugvt trace -o FILE", "not a trace file");
	if (version != TRACEFILE_VERSION)
		return err_set(e, -ENOTSUP, NULL, "trace file: version %u, this build knows %u",
			version, TRACEFILE_VERSION);
	if (len != TRACEFILE_HEADER_BYTES - 16)
		return err_set(e, -EINVAL, NULL, "trace file: header of %u bytes", len);
	buf_get(r, h->platform, sizeof(h->platform));
	h->aperture_bytes = buf_get_u64(r);
	h->start_ns = buf_get_u64(r);
	buf_get(r, tail, sizeof(tail));
	if (r->failed || h->platform[sizeof(h->platform) - 1])
		return err_set(e, -EINVAL, NULL, "trace file: bad header");
	h->monitor = tail[0];
	h->class_code = (uint16_t)(tail[2] | tail[3] << 8);
	return 0;
}

int tracefile_get(struct buf_reader *r, struct trace_event *ev, struct err *e)
{
	size_t start = r->pos;
	uint32_t head, dwords;

	if (r->pos == r->len)
		return 0;
	memset(ev, 0, sizeof(*ev));
	head = buf_get_u32(r);
	ev->kind = head & 0xff;
	dwords = head >> 8 & 0xff;
	ev->unit = (uint16_t)(head >> 16);
	ev->n = buf_get_u32(r);
	ev->ns = buf_get_u64(r);
	ev->a = buf_get_u64(r);
	ev->b = buf_get_u64(r);
	if (!r->failed && dwords <= TRACE_DW_MAX)
		buf_get(r, ev->dw, 4 * dwords);
	if (!r->failed && dwords <= TRACE_DW_MAX &&
		(ev->kind == TRACEFILE_LOST ||
			(ev->kind >= TRACE_MMIO_READ && ev->kind <= TRACE_FRAME)))
		return 1;
	err_set(e, -EINVAL, NULL,
		r->failed ? "trace: record at byte %zu is cut short"
			  : "trace: record at byte %zu is none of ours",
		start);
	r->pos = start;
	return -EINVAL;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *data, size_t len)
{
	const uint8_t *in = data;
	char *text = malloc((len + 2) / 3 * 4 + 1);
	char *out = text;

	if (!text)
		return NULL;
	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = (uint32_t)in[i] << 16;

		v |= i + 1 < len ? (uint32_t)in[i + 1] << 8 : 0;
		v |= i + 2 < len ? in[i + 2] : 0;
		*out++ = alphabet[v >> 18];
		*out++ = alphabet[v >> 12 & 63];
		*out++ = i + 1 < len ? alphabet[v >> 6 & 63] : '=';
		*out++ = i + 2 < len ? alphabet[v & 63] : '=';
	}
	*out = '\0';
	return text;
}

static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(const char *text, size_t len, struct buf *out)
{
	if (len % 4)
		return -EINVAL;
	for (size_t i = 0; i < len; i += 4) {
		unsigned int pad = 0;
		uint32_t v = 0;
		uint8_t bytes[3];

		for (unsigned int k = 0; k < 4; k++) {
			int d = digit(text[i + k]);

			if (text[i + k] == '=' && i + 4 == len && k >= 2) {
				pad++;
				d = 0;
			} else if (pad || d < 0) {
				return -EINVAL;
			}
			v = v << 6 | (uint32_t)d;
		}
		bytes[0] = (uint8_t)(v >> 16);
		bytes[1] = (uint8_t)(v >> 8);
		bytes[2] = (uint8_t)v;
		buf_put(out, bytes, 3 - pad);
	}
	return out->failed ? -ENOMEM : 0;
}
