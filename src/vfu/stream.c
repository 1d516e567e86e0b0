/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages over a stream socket.
 *
 * Reading: one recvmsg may bring half a message or many. unix(7) sockets end a read with the piece
 * that carried descriptors, so all that a read brings were sent by one sendmsg whose first byte is
 * somewhere in that read; where, the kernel does not say. They go to the last message that starts in
 * the read and may carry some (posted writes before it may not), else to the message that was under
 * way and may, else to the last one that starts, which then refuses them. A header that is not
 * complete yet may be of any kind, and gets them.
 */
#include "vfu/stream.h"
#include "base/clock.h"
#include "base/util.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* A whole message and, behind it, room for a good read. */
#define BUF_BYTES ((size_t)VFU_MAX_MESSAGE + KIB(64))

int vfu_stream_init(struct vfu_stream *s, int fd)
{
	/* Untouched pages of it cost nothing. */
	uint8_t *buf = mmap(NULL, BUF_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (buf == MAP_FAILED)
		return -ENOMEM;
	*s = (struct vfu_stream){.fd = fd, .buf = buf};
	return 0;
}

void vfu_stream_finish(struct vfu_stream *s)
{
	for (uint32_t i = 0; i < s->pending; i++)
		close(s->fds[i].fd);
	s->pending = 0;
	if (s->buf)
		munmap(s->buf, BUF_BYTES);
	s->buf = NULL;
	fd_close(&s->fd);
}

static bool may_carry_fds(const struct vfu_hdr *h)
{
	if ((h->flags & VFU_TYPE_MASK) == VFU_TYPE_REPLY)
		return h->cmd == VFU_VERSION || h->cmd == VFU_GET_REGION_INFO ||
		       h->cmd == VFU_GET_REGION_IO_FDS;
	return h->cmd == VFU_DMA_MAP || h->cmd == VFU_SET_IRQS;
}

/* Which message gets the descriptors of the read that brought buf[start, end). */
static uint64_t fds_owner(const struct vfu_stream *s, size_t start)
{
	size_t at = s->pos, last = s->pos, fit = SIZE_MAX;

	while (at < s->end) {
		struct vfu_hdr h;

		last = at;
		if (s->end - at < sizeof(h)) {
			fit = at;
			break;
		}
		memcpy(&h, s->buf + at, sizeof(h));
		/* Whole messages from before this read were taken: only the first can start early. */
		if (may_carry_fds(&h) && (at >= start || fit == SIZE_MAX))
			fit = at;
		if (h.size < sizeof(h) || h.size > s->end - at)
			break;
		at += h.size;
	}
	return s->base + (fit != SIZE_MAX ? fit : last);
}

static void take_fds(struct vfu_stream *s, struct msghdr *mh, size_t start)
{
	uint64_t owner = fds_owner(s, start);

	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (s->pending == STREAM_PENDING_FDS) {
				close(fd); /* far more than any message takes */
				continue;
			}
			s->fds[s->pending].owner = owner;
			s->fds[s->pending++].fd = fd;
		}
	}
}

/* Room behind `end` for what is missing of the message at `pos`. */
static void make_room(struct vfu_stream *s)
{
	struct vfu_hdr h = {.size = sizeof(h)};

	if (s->pos == s->end) {
		s->base += s->pos;
		s->pos = s->end = 0;
		return;
	}
	if (s->end - s->pos >= sizeof(h))
		memcpy(&h, s->buf + s->pos, sizeof(h));
	if (s->pos + max_u64(h.size, sizeof(h)) <= BUF_BYTES)
		return;
	memmove(s->buf, s->buf + s->pos, s->end - s->pos);
	s->base += s->pos;
	s->end -= s->pos;
	s->pos = 0;
}

ssize_t vfu_stream_fill(struct vfu_stream *s, int flags)
{
	/* Room for more than a message may carry, so that too many are seen as that. */
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 2 * VFU_MAX_FDS)];
	} control;
	struct iovec iov;
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	make_room(s);
	iov = (struct iovec){.iov_base = s->buf + s->end, .iov_len = BUF_BYTES - s->end};
	do {
		mh.msg_control = &control;
		mh.msg_controllen = sizeof(control);
		n = recvmsg(s->fd, &mh, flags | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	s->end += (size_t)n;
	if (mh.msg_controllen)
		take_fds(s, &mh, s->end - (size_t)n);
	return n;
}

/* Moves the descriptors of the message at `owner` to `m`; what belongs to nobody is closed. */
static void give_fds(struct vfu_stream *s, uint64_t owner, struct vfu_msg *m)
{
	uint32_t keep = 0;

	for (uint32_t i = 0; i < s->pending; i++) {
		if (s->fds[i].owner > owner) {
			s->fds[keep++] = s->fds[i];
		} else if (s->fds[i].owner == owner && m->nfds < VFU_MAX_FDS) {
			m->fds[m->nfds++] = s->fds[i].fd;
		} else {
			if (s->fds[i].owner == owner)
				m->nfds = VFU_MAX_FDS + 1;
			close(s->fds[i].fd);
		}
	}
	s->pending = keep;
	if (m->nfds > VFU_MAX_FDS) {
		for (uint32_t i = 0; i < VFU_MAX_FDS; i++)
			fd_close(&m->fds[i]);
	}
}

int vfu_stream_next(struct vfu_stream *s, struct vfu_msg *m)
{
	size_t have = s->end - s->pos;

	m->nfds = 0;
	if (have < sizeof(m->hdr))
		return 0;
	memcpy(&m->hdr, s->buf + s->pos, sizeof(m->hdr));
	if (m->hdr.size < sizeof(m->hdr))
		return -EBADMSG;
	if (m->hdr.size > VFU_MAX_MESSAGE)
		return -EMSGSIZE;
	if (have < m->hdr.size)
		return 0;
	m->payload = s->buf + s->pos + sizeof(m->hdr);
	m->len = m->hdr.size - sizeof(m->hdr);
	if (unlikely(s->pending))
		give_fds(s, s->base + s->pos, m);
	s->pos += m->hdr.size;
	return 1;
}

void vfu_msg_finish(struct vfu_msg *m)
{
	for (uint32_t i = 0; i < m->nfds && i < VFU_MAX_FDS; i++)
		fd_close(&m->fds[i]);
	m->nfds = 0;
}

/* After a short or a refused send: waits for room. *deadline_ns is set by the first wait. */
static int wait_writable(int fd, int timeout_ms, uint64_t *deadline_ns)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	struct clock clock;
	uint64_t now;
	int n;

	clock_init_real(&clock);
	now = clock_now_ns(&clock);
	if (!*deadline_ns)
		*deadline_ns = now + (uint64_t)timeout_ms * NSEC_PER_MSEC;
	if (now >= *deadline_ns)
		return -ETIMEDOUT;
	n = poll(&p, 1, (int)((*deadline_ns - now) / NSEC_PER_MSEC) + 1);
	return n < 0 && errno != EINTR ? -errno : 0;
}

int vfu_stream_send(
	int fd, struct iovec *iov, size_t iovcnt, const int *fds, uint32_t nfds, int timeout_ms)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * VFU_MAX_FDS)];
	} control;
	struct msghdr mh = {.msg_iov = iov, .msg_iovlen = iovcnt};
	uint64_t deadline_ns = 0;

	if (nfds > VFU_MAX_FDS)
		return -EINVAL;
	if (nfds) {
		struct cmsghdr *c = &control.align;

		memset(&control, 0, sizeof(control));
		mh.msg_control = &control;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * nfds);
	}
	for (;;) {
		ssize_t n = sendmsg(fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
		size_t left;
		int ret;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return -errno;
		if (n > 0) {
			mh.msg_control = NULL;
			mh.msg_controllen = 0;
		}
		for (left = n > 0 ? (size_t)n : 0; mh.msg_iovlen && left >= mh.msg_iov->iov_len;) {
			left -= mh.msg_iov->iov_len;
			mh.msg_iov++;
			mh.msg_iovlen--;
		}
		if (!mh.msg_iovlen)
			return 0;
		mh.msg_iov->iov_base = (char *)mh.msg_iov->iov_base + left;
		mh.msg_iov->iov_len -= left;
		ret = wait_writable(fd, timeout_ms, &deadline_ns);
		if (ret)
			return ret;
	}
}
