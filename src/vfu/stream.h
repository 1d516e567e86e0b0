/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages over a stream socket: a buffered reader that finds message borders and the file
 * descriptors that belong to each, and a sender. Both ends of a connection use it.
 */
#ifndef VFU_STREAM_H
#define VFU_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "vfu/protocol.h"

#define STREAM_PENDING_FDS 64

struct vfu_stream {
	int fd;		 /* owned */
	uint8_t *buf;	 /* owned */
	size_t pos, end; /* unread bytes: buf[pos, end) */
	uint64_t base;	 /* bytes of the stream before buf[0] */
	uint32_t
		pending; /* descriptors that came and were not taken yet, in order of their owner */
	struct {
		uint64_t owner; /* where in the stream the message starts that they belong to */
		int fd;
	} fds[STREAM_PENDING_FDS];
};

struct vfu_msg {
	struct vfu_hdr hdr;
	const uint8_t *payload; /* borrowed until the next vfu_stream_fill */
	size_t len;		/* bytes of payload */
	int fds[VFU_MAX_FDS];	/* owned: vfu_msg_finish closes what is left (>= 0) */
	uint32_t nfds;		/* more came than VFU_MAX_FDS: VFU_MAX_FDS + 1, and none is here */
};

/* Takes `fd`. 0 or -ENOMEM (then `fd` is still the caller's). */
int vfu_stream_init(struct vfu_stream *s, int fd);
void vfu_stream_finish(struct vfu_stream *s);

/*
 * One recvmsg: as many bytes as there are and room for. `flags` as for recvmsg (MSG_DONTWAIT).
 * Bytes read; 0: the peer is gone; -errno.
 */
ssize_t vfu_stream_fill(struct vfu_stream *s, int flags);

/*
 * The next whole message that is in the buffer, checked for its size. 1: here; 0: fill first;
 * -EBADMSG: shorter than a header; -EMSGSIZE: longer than VFU_MAX_MESSAGE (hdr is filled). After an
 * error the stream has lost its borders.
 */
int vfu_stream_next(struct vfu_stream *s, struct vfu_msg *m);

void vfu_msg_finish(struct vfu_msg *m);

/*
 * Sends all of `iov` (changed on a short send), with `nfds` descriptors on the first byte. Waits for
 * room at most `timeout_ms` in all. 0 or -errno; after an error nothing more may be sent.
 */
int vfu_stream_send(
	int fd, struct iovec *iov, size_t iovcnt, const int *fds, uint32_t nfds, int timeout_ms);

#endif
