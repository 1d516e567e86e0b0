/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Message borders and descriptors: any cut of a stream yields the same messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/util.h"
#include "vfu/stream.h"

struct pair {
	struct vfu_stream in;
	int peer;
};

static int setup(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(vfu_stream_init(&p->in, fds[0]), 0);
	p->peer = fds[1];
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct pair *p = *state;

	vfu_stream_finish(&p->in);
	fd_close(&p->peer);
	free(p);
	return 0;
}

static size_t put(uint8_t *at, uint16_t id, uint16_t cmd, uint32_t flags, size_t payload)
{
	struct vfu_hdr h = {.id = id, .cmd = cmd, .size = (uint32_t)(16 + payload), .flags = flags};

	memcpy(at, &h, sizeof(h));
	memset(at + sizeof(h), id, payload);
	return h.size;
}

static void send_bytes(struct pair *p, const void *data, size_t len, const int *fds, uint32_t nfds)
{
	struct iovec iov = {(void *)(uintptr_t)data, len};

	assert_int_equal(vfu_stream_send(p->peer, &iov, 1, fds, nfds, 1000), 0);
}

/* Reads messages until nothing is there; their ids, in `ids`, and who got `expect_inode`. */
static int drain(struct pair *p, uint16_t *ids, int max, int *fd_owner, uint32_t *nfds)
{
	struct vfu_msg m;
	int n = 0;

	while (vfu_stream_fill(&p->in, MSG_DONTWAIT) > 0) {
		while (vfu_stream_next(&p->in, &m) == 1) {
			assert_true(n < max);
			ids[n++] = m.hdr.id;
			for (size_t i = 0; i < m.len; i++)
				assert_int_equal(m.payload[i], (uint8_t)m.hdr.id);
			if (m.nfds) {
				*fd_owner = m.hdr.id;
				*nfds = m.nfds;
			}
			vfu_msg_finish(&m);
		}
	}
	return n;
}

static void test_cuts(void **state)
{
	struct pair *p = *state;
	uint8_t bytes[400];
	size_t len = 0;
	uint16_t ids[8];
	uint32_t nfds;
	int owner;

	len += put(bytes + len, 1, VFU_REGION_WRITE, VFU_NO_REPLY, 20);
	len += put(bytes + len, 2, VFU_DEVICE_RESET, 0, 0);
	len += put(bytes + len, 3, VFU_REGION_WRITE, 0, 100);
	len += put(bytes + len, 4, VFU_REGION_READ, 0, 16);
	for (size_t a = 0; a <= len; a++) {
		for (size_t b = a; b <= len; b += 7) {
			int n = 0;

			if (a)
				send_bytes(p, bytes, a, NULL, 0);
			n += drain(p, ids, 8, &owner, &nfds);
			if (b > a)
				send_bytes(p, bytes + a, b - a, NULL, 0);
			n += drain(p, ids + n, 8 - n, &owner, &nfds);
			if (len > b)
				send_bytes(p, bytes + b, len - b, NULL, 0);
			n += drain(p, ids + n, 8 - n, &owner, &nfds);
			assert_int_equal(n, 4);
			for (int i = 0; i < 4; i++)
				assert_int_equal(ids[i], i + 1);
		}
	}
}

/* The descriptors of a send that starts with `first` bytes and goes on with the rest. */
static void fds_case(
	struct pair *p, const uint8_t *bytes, size_t first, size_t len, bool with_first, int want)
{
	int fds[2] = {memfd_create("a", 0), memfd_create("b", 0)}, owner = -1;
	uint16_t ids[8];
	uint32_t nfds = 0;

	if (first)
		send_bytes(p, bytes, first, fds, with_first ? 2 : 0);
	if (len > first)
		send_bytes(p, bytes + first, len - first, fds, with_first && first ? 0 : 2);
	drain(p, ids, 8, &owner, &nfds);
	assert_int_equal(owner, want);
	assert_int_equal(nfds, 2);
	assert_int_equal(p->in.pending, 0);
	close(fds[0]);
	close(fds[1]);
}

static void test_fds(void **state)
{
	struct pair *p = *state;
	uint8_t bytes[400];
	size_t a = put(bytes, 1, VFU_REGION_WRITE, VFU_NO_REPLY, 20);
	size_t b = a + put(bytes + a, 2, VFU_REGION_WRITE, VFU_NO_REPLY, 20);
	size_t c = b + put(bytes + b, 3, VFU_DMA_MAP, 0, 32);
	size_t d = c + put(bytes + c, 4, VFU_REGION_READ, 0, 16);

	fds_case(p, bytes, b, c, false, 3);	  /* posted writes, then the map with its fds */
	fds_case(p, bytes, 0, c, false, 3);	  /* all in one send */
	fds_case(p, bytes, 0, d, false, 3);	  /* and something behind it */
	fds_case(p, bytes, 0, b, false, 2);	  /* nobody may carry them: the last that starts */
	fds_case(p, bytes + b, 16, 48, true, 3);  /* header first */
	fds_case(p, bytes + b, 7, 48, true, 3);	  /* half a header: it may be anything */
	fds_case(p, bytes + b, 16, 48, false, 3); /* with the payload, late */
	fds_case(p, bytes, b + 3, c, false, 3);

	/* A whole map, and of the next message only a piece: the last that starts has them. */
	put(bytes, 1, VFU_DMA_MAP, 0, 32);
	put(bytes + 48, 2, VFU_DMA_MAP, 0, 32);
	fds_case(p, bytes, 55, 96, true, 2);
}

static void test_fds_of_two(void **state)
{
	struct pair *p = *state;
	uint8_t bytes[48];
	struct vfu_msg m;
	struct stat st[2], got;
	int fds[2] = {memfd_create("a", 0), memfd_create("b", 0)};

	for (int i = 0; i < 2; i++)
		assert_int_equal(fstat(fds[i], &st[i]), 0);
	/* The end of the first and the whole second in one read, each with its own. */
	put(bytes, 1, VFU_DMA_MAP, 0, 32);
	send_bytes(p, bytes, 20, &fds[0], 1);
	assert_int_equal(vfu_stream_fill(&p->in, 0), 20);
	assert_int_equal(vfu_stream_next(&p->in, &m), 0);
	send_bytes(p, bytes + 20, 28, NULL, 0);
	put(bytes, 2, VFU_DMA_MAP, 0, 32);
	send_bytes(p, bytes, 48, &fds[1], 1);
	assert_int_equal(vfu_stream_fill(&p->in, 0), 76);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vfu_stream_next(&p->in, &m), 1);
		assert_int_equal(m.hdr.id, i + 1);
		assert_int_equal(m.nfds, 1);
		assert_int_equal(fstat(m.fds[0], &got), 0);
		assert_int_equal(got.st_ino, st[i].st_ino);
		vfu_msg_finish(&m);
	}
	close(fds[0]);
	close(fds[1]);
}

static void test_too_many_fds(void **state)
{
	struct pair *p = *state;
	uint8_t bytes[48];
	int fds[16], count = open("/dev/null", 0), after;
	struct vfu_msg m;

	for (int i = 0; i < 16; i++)
		fds[i] = memfd_create("x", 0);
	put(bytes, 1, VFU_SET_IRQS, 0, 32);
	send_bytes(p, bytes, 10, fds, 16);
	assert_int_equal(vfu_stream_fill(&p->in, 0), 10);
	send_bytes(p, bytes + 10, 38, fds, 16);
	assert_int_equal(vfu_stream_fill(&p->in, 0), 38);
	assert_int_equal(vfu_stream_next(&p->in, &m), 1);
	assert_int_equal(m.nfds, VFU_MAX_FDS + 1);
	vfu_msg_finish(&m);
	for (int i = 0; i < 16; i++)
		close(fds[i]);
	close(count);
	after = open("/dev/null", 0);
	assert_int_equal(after, count); /* none of them is left open */
	close(after);
}

static void test_sizes(void **state)
{
	struct pair *p = *state;
	struct vfu_hdr h = {.size = 15};
	struct vfu_msg m;

	send_bytes(p, &h, sizeof(h), NULL, 0);
	assert_int_equal(vfu_stream_fill(&p->in, 0), 16);
	assert_int_equal(vfu_stream_next(&p->in, &m), -EBADMSG);
	p->in.pos = p->in.end;
	h.size = VFU_MAX_MESSAGE + 1;
	send_bytes(p, &h, sizeof(h), NULL, 0);
	assert_int_equal(vfu_stream_fill(&p->in, 0), 16);
	assert_int_equal(vfu_stream_next(&p->in, &m), -EMSGSIZE);
	assert_int_equal(m.hdr.size, h.size);
	p->in.pos = p->in.end;
	fd_close(&p->peer);
	assert_int_equal(vfu_stream_fill(&p->in, 0), 0);
}

/* The longest message, behind others, so that the buffer has to be moved. */
static void test_longest(void **state)
{
	struct pair *p = *state;
	uint8_t *bytes = malloc(VFU_MAX_MESSAGE + 200000);
	size_t len = 0, sent = 0;
	struct vfu_msg m;
	int n = 0;

	while (len < 100000)
		len += put(bytes + len, 7, VFU_REGION_WRITE, 0, 1000);
	for (int i = 0; i < 2; i++) {
		len += i ? 0 : put(bytes + len, 9, VFU_REGION_WRITE, 0, VFU_MAX_MESSAGE - 16);
	}
	len += put(bytes + len, 8, VFU_DEVICE_RESET, 0, 0);
	while (sent < len) {
		ssize_t k = send(p->peer, bytes + sent, min_u64(len - sent, 70000), MSG_DONTWAIT);

		if (k > 0)
			sent += (size_t)k;
		while (vfu_stream_fill(&p->in, MSG_DONTWAIT) > 0) {
			while (vfu_stream_next(&p->in, &m) == 1) {
				for (size_t i = 0; i < m.len; i++)
					assert_int_equal(m.payload[i], m.hdr.id);
				n++;
			}
		}
	}
	assert_int_equal(n, 99 + 2);
	assert_int_equal(m.hdr.id, 8);
	free(bytes);
}

/* Nobody reads: the sender gives up. */
static void test_send_timeout(void **state)
{
	struct pair *p = *state;
	static uint8_t bytes[1 << 20];
	struct iovec iov = {bytes, sizeof(bytes)};

	assert_int_equal(vfu_stream_send(p->peer, &iov, 1, NULL, 0, 10), -ETIMEDOUT);
	vfu_stream_finish(&p->in);
	iov = (struct iovec){bytes, 1};
	assert_int_equal(vfu_stream_send(p->peer, &iov, 1, NULL, 0, 10), -EPIPE);
	iov = (struct iovec){bytes, 1};
	assert_int_equal(vfu_stream_send(p->peer, &iov, 1, NULL, VFU_MAX_FDS + 1, 10), -EINVAL);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_cuts),
		T(test_fds),
		T(test_fds_of_two),
		T(test_too_many_fds),
		T(test_sizes),
		T(test_longest),
		T(test_send_timeout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
