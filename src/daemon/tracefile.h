/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trace events as bytes: how they travel on the control socket and stand in a trace file.
 *
 * A file is a header, then records. Header: 8 bytes magic "UGVTRACE", u32 version, u32 length of what
 * follows: {char platform[32], u64 aperture_bytes, u64 start_ns, u8 monitor, u8 0, u16 PCI class, u32
 * 0}. A record: u8 kind (enum trace_kind, or TRACEFILE_LOST), u8 count of dwords at its end (at most
 * TRACE_DW_MAX), u16 unit, u32 n, u64 ns, u64 a, u64 b, then the dwords. All little-endian. A record
 * that is cut short is -EINVAL: messages of the control socket hold whole ones.
 */
#ifndef DAEMON_TRACEFILE_H
#define DAEMON_TRACEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/trace.h"

#define TRACEFILE_MAGIC	       "UGVTRACE"
#define TRACEFILE_VERSION      1
#define TRACEFILE_HEADER_BYTES 72
#define TRACEFILE_RECORD_BYTES 32   /* without dwords */
#define TRACEFILE_LOST	       0xff /* kind: `a` events were lost here */

struct tracefile_header {
	char platform[32]; /* as --platform takes it */
	uint64_t aperture_bytes;
	uint64_t start_ns; /* the clock when the GPU was made */
	bool monitor;
	uint16_t class_code; /* base class << 8 | sub-class */
};

void tracefile_put_header(struct buf *out, const struct tracefile_header *h);
void tracefile_put(struct buf *out, const struct trace_event *ev);

/* -EINVAL with `e`: not a trace file; -ENOTSUP: a version this build does not know. */
int tracefile_get_header(struct buf_reader *r, struct tracefile_header *h, struct err *e);
/*
 * 1: an event; 0: the end; -EINVAL with `e`: cut short, a kind this build does not know, or too many
 * dwords. After an error r->pos is where the bad record starts.
 */
int tracefile_get(struct buf_reader *r, struct trace_event *ev, struct err *e);

/* Base64 (RFC 4648, 4) of `len` bytes, with its NUL; owned by the caller, NULL: no memory. */
char *base64_encode(const void *data, size_t len);
/* Appends what `text` encodes. -EINVAL: not base64. */
int base64_decode(const char *text, size_t len, struct buf *out);

#endif
