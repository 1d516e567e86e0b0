/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes the vfio-user server's parser, without threads: one connection over a socket pair.
 *
 * The input is a program: each step takes a selector byte and builds a message of that kind from the
 * bytes that follow, mostly well formed, so that the fuzzer gets past the size checks and into the
 * handlers; some steps send raw bytes, cut a message in two, attach descriptors of several sorts, cut
 * a memfd that is mapped, or raise interrupts. After each step the server reads what is there, its
 * replies are drained and checked for their form.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/util.h"
#include "mem/mem.h"
#include "vfu/conn.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX    64
#define REGION_BYTES 4096
#define FILE_BYTES   65536

static struct mem mem;
static struct vfu_server server;
static uint8_t region[REGION_BYTES];
static int region_fd, file_fd, sealed_fd, event_fd, pipe_fds[2], zero_fd;

static void region_info(void *dev, uint32_t index, struct vfu_region *out)
{
	*out = (struct vfu_region){.fd = -1};
	if (index == 1 || index == 8)
		return;
	out->size = REGION_BYTES;
	out->flags =
		index == 6 ? VFU_REGION_FLAG_READ : VFU_REGION_FLAG_READ | VFU_REGION_FLAG_WRITE;
	if (index == 2 || index == 9) {
		out->flags |= VFU_REGION_FLAG_MMAP;
		out->fd = region_fd;
	}
	if (index == 9) {
		out->area_count = 1;
		out->areas[0] = (struct vfu_area){.offset = 0, .size = REGION_BYTES};
		out->type = 1;
	}
}

static uint32_t irq_count(void *dev, uint32_t index)
{
	return index == 0 ? 1 : index == 1 ? 3 : 0;
}

static int region_read(void *dev, uint32_t index, uint64_t offset, void *data, size_t len)
{
	if (offset > REGION_BYTES || len > REGION_BYTES - offset || !len)
		abort();
	memcpy(data, region + offset, len);
	return index == 7 && offset == 99 ? -EIO : 0;
}

static int region_write(void *dev, uint32_t index, uint64_t offset, const void *data, size_t len)
{
	if (offset > REGION_BYTES || len > REGION_BYTES - offset || !len || index == 6)
		abort();
	memcpy(region + offset, data, len);
	return 0;
}

static void nothing(void *dev)
{
}

static const struct vfu_device_ops ops = {
	.num_regions = 10,
	.num_irqs = 5,
	.region_info = region_info,
	.irq_count = irq_count,
	.region_read = region_read,
	.region_write = region_write,
	.reset = nothing,
	.attached = nothing,
	.detached = nothing,
};

static void quiet(enum log_level level, const char *line)
{
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct vfu_server_config config = {.fd = -1, .ops = &ops, .mem = &mem};

	log_init(quiet, LOG_ERROR);
	region_fd = memfd_create("region", MFD_CLOEXEC);
	file_fd = memfd_create("file", MFD_CLOEXEC);
	sealed_fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	zero_fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	if (ftruncate(region_fd, REGION_BYTES) || ftruncate(sealed_fd, FILE_BYTES) ||
		fcntl(sealed_fd, F_ADD_SEALS, F_SEAL_SHRINK) || pipe2(pipe_fds, O_CLOEXEC))
		abort();
	if (mem_init(&mem) || vfu_server_init(&server, &config, NULL))
		abort();
	mem.max_maps = 16;
	return 0;
}

/* ---- the program ---- */

static uint64_t pick(struct buf_reader *in, const uint64_t *values, size_t n)
{
	uint8_t b = 0;

	buf_get(in, &b, 1);
	if (b < 0xf0)
		return values[b % n];
	return buf_get_u64(in);
}

#define PICK(in, ...) \
	pick(in, (const uint64_t[]){__VA_ARGS__}, ARRAY_SIZE(((const uint64_t[]){__VA_ARGS__})))

static uint32_t u32(struct buf_reader *in, uint32_t usual)
{
	return (uint32_t)PICK(in, usual, usual, usual, 0, 1, 4096, UINT32_MAX);
}

static uint64_t address(struct buf_reader *in)
{
	return PICK(in, 0, 0x1000, 0x2000, 0x3000, 0x10000, UINT64_C(1) << 32, UINT64_MAX - 4095);
}

static uint64_t length(struct buf_reader *in)
{
	return PICK(in, 0x1000, 0x1000, 0x2000, 0x10000, 0, UINT64_MAX - 4095, 0x11000);
}

/* Appends the payload of one message of `cmd`. */
static void payload(struct buf_reader *in, uint16_t cmd, struct buf *out)
{
	uint8_t text[256];
	size_t n;

	switch (cmd) {
	case VFU_VERSION: {
		static const char *const caps[] = {
			"{\"capabilities\":{\"max_msg_fds\":16,\"pgsizes\":4096}}",
			"{\"capabilities\":{\"max_data_xfer_size\":64,\"twin_socket\":{"
			"\"supported\":"
			"true}}}",
			"{}",
			"{\"capabilities\":[1]}",
		};
		const char *s = caps[PICK(in, 0, 1, 2, 3) % 4];

		buf_put_u32(out, u32(in, 0));
		if (PICK(in, 1, 1, 0)) {
			buf_put(out, s, strlen(s) + 1);
			break;
		}
		n = (size_t)PICK(in, 1, 30, 200) % sizeof(text);
		buf_get(in, text, n);
		buf_put(out, text, n);
		break;
	}
	case VFU_DMA_MAP:
		buf_put_u32(out, u32(in, 32));
		buf_put_u32(out, u32(in, 3));
		buf_put_u64(out, PICK(in, 0, 0x1000, 0x10000, UINT64_MAX - 4095));
		buf_put_u64(out, address(in));
		buf_put_u64(out, length(in));
		break;
	case VFU_DMA_UNMAP:
		buf_put_u32(out, u32(in, 24));
		buf_put_u32(out, (uint32_t)PICK(in, 0, 0, 0, 2, 1, 4));
		buf_put_u64(out, address(in));
		buf_put_u64(out, length(in));
		break;
	case VFU_GET_REGION_INFO:
		buf_put_u32(out, (uint32_t)PICK(in, 32, 64, 80, 96, 31, 0));
		buf_put_u32(out, 0);
		buf_put_u32(out, (uint32_t)PICK(in, 0, 2, 9, 6, 10));
		buf_put_u32(out, 0);
		buf_put_u64(out, 0);
		buf_put_u64(out, 0);
		break;
	case VFU_SET_IRQS:
		n = (size_t)PICK(in, 1, 1, 0, 2, 3, 4, UINT32_MAX);
		buf_put_u32(out, u32(in, 20));
		buf_put_u32(out, (uint32_t)PICK(in, 36, 36, 33, 34, 9, 17, 18, 12, 20, 63));
		buf_put_u32(out, (uint32_t)PICK(in, 0, 1, 1, 2, 5));
		buf_put_u32(out, (uint32_t)PICK(in, 0, 0, 1, 3, UINT32_MAX));
		buf_put_u32(out, (uint32_t)n);
		for (size_t i = PICK(in, 0, n) % 8; i > 0; i--)
			buf_put(out, "\1", 1);
		break;
	case VFU_REGION_READ:
	case VFU_REGION_WRITE:
		n = (size_t)PICK(in, 4, 1, 2, 8, 0, 4096, 4097);
		buf_put_u64(out, PICK(in, 0, 99, 4092, 4095, 4096, UINT64_MAX));
		buf_put_u32(out, (uint32_t)PICK(in, 0, 2, 6, 7, 1, 10));
		buf_put_u32(out, (uint32_t)n);
		if (cmd == VFU_REGION_WRITE) {
			static const uint8_t zeros[4096];

			buf_put(out, zeros, n % 4097);
		}
		break;
	case VFU_DMA_READ:
	case VFU_DMA_WRITE:
	case VFU_DEVICE_RESET:
		break;
	default: /* GET_INFO, IO_FDS, IRQ_INFO, DEVICE_FEATURE and what nobody knows */
		n = (size_t)PICK(in, 16, 16, 20, 8, 24, 0, 64) % sizeof(text);
		memset(text, 0, sizeof(text));
		text[0] = (uint8_t)PICK(in, 16, 20, 8, 255);
		text[4] = (uint8_t)PICK(in, 0, 1, 2);
		text[6] = (uint8_t)PICK(in, 0, 1, 2, 4, 5, 3);
		text[8] = (uint8_t)PICK(in, 0, 1, 5, 9, 10);
		buf_put(out, text, n);
	}
}

static void send_all(int fd, const void *data, size_t len, const int *fds, uint32_t nfds)
{
	struct iovec iov = {(void *)(uintptr_t)data, len};

	vfu_stream_send(
		fd, &iov, 1, fds, nfds, 0); /* a full socket: the rest is lost, as from the dead */
}

/* Whole messages of a known form, or none of our business. */
static void drain(int fd)
{
	static uint8_t buf[1 << 20];
	ssize_t n;

	do {
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		for (ssize_t at = 0; n >= 16 && at < n;) {
			struct vfu_hdr h;

			if (n - at < 16)
				abort();
			memcpy(&h, buf + at, sizeof(h));
			if (h.size < 16 || h.size > n - at ||
				(h.flags & ~VFU_ERROR) != VFU_TYPE_REPLY)
				abort();
			if ((h.flags & VFU_ERROR) && (h.size != 16 || !h.error || h.error > 133))
				abort();
			at += h.size;
		}
	} while (n > 0);
}

static bool step(struct buf_reader *in, int peer)
{
	static const uint16_t commands[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 15, 16, 17, 18, 14};
	const int fd_kinds[] = {file_fd, sealed_fd, event_fd, pipe_fds[0], pipe_fds[1], zero_fd};
	uint8_t sel = 0, flags = 0, extra[64];
	struct buf body, msg;
	struct vfu_hdr h;
	int fds[20];
	uint32_t nfds = 0;
	size_t n, cut;
	int ret;

	buf_get(in, &sel, 1);
	buf_get(in, &flags, 1);
	if (in->failed)
		return false;
	buf_init(&body);
	buf_init(&msg);
	switch (sel >> 4) {
	case 15: /* raw bytes */
		n = flags % sizeof(extra);
		buf_get(in, extra, n);
		send_all(peer, extra, n, NULL, 0);
		goto process;
	case 14: /* the file grows and shrinks under its maps, which are touched */
		if (ftruncate(file_fd, flags & 1 ? FILE_BYTES : flags & 2 ? 4096 : 0))
			abort();
		ret = mem_read(&mem, (struct gpa){(flags & 0xf0u) << 8}, extra, sizeof(extra));
		if (ret && ret != -EFAULT && ret != -ENODEV && ret != -EACCES)
			abort();
		mem_write(&mem, (struct gpa){(flags & 0xf0u) << 8}, "x", 1);
		goto process;
	case 13:
		vfu_irq_raise(&server, flags & 7, flags >> 4);
		goto process;
	}
	h = (struct vfu_hdr){
		.id = flags,
		.cmd = (flags & 0x80) ? (uint16_t)buf_get_u32(in) : commands[sel & 15],
		.flags = (flags & 1) ? VFU_NO_REPLY : 0,
	};
	if (flags & 2)
		h.flags |= buf_get_u32(in) & 0xff;
	payload(in, h.cmd, &body);
	if (flags & 4)
		buf_put(&body, "extra", 5);
	h.size = (uint32_t)(16 + body.len);
	if ((flags & 0x48) == 0x48)
		h.size = buf_get_u32(in);
	buf_put(&msg, &h, sizeof(h));
	buf_put(&msg, body.data, body.len);
	if (flags & 16) {
		nfds = 1 + (uint32_t)PICK(in, 0, 0, 0, 1, 2, 15, 16) % VFU_MAX_FDS;
		for (uint32_t i = 0; i < nfds; i++)
			fds[i] = fd_kinds[PICK(in, 0, 1, 2, 2, 3, 4, 5) % ARRAY_SIZE(fd_kinds)];
	}
	cut = (flags & 32) ? (size_t)buf_get_u32(in) % (msg.len + 1) : msg.len;
	if (cut < msg.len && cut) {
		send_all(peer, msg.data, cut, fds, nfds);
		vfu_conn_process(&server.conn, MSG_DONTWAIT);
		send_all(peer, msg.data + cut, msg.len - cut, NULL, 0);
	} else {
		send_all(peer, msg.data, msg.len, fds, nfds);
	}
process:
	buf_finish(&body);
	buf_finish(&msg);
	if (flags & 0x40) /* several steps are read at once */
		return true;
	do {
		ret = vfu_conn_process(&server.conn, MSG_DONTWAIT);
		drain(peer);
	} while (ret == 0);
	return ret == -EAGAIN;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf_reader in;
	struct mem_stats stats;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		abort();
	if (ftruncate(file_fd, FILE_BYTES))
		abort();
	buf_reader_init(&in, data, size);
	if (vfu_conn_open(&server.conn, pair[0]))
		abort();
	if (size && !(data[0] & 1)) { /* past the door at once */
		static const char hello[] = "\1\0\1\0\24\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

		send_all(pair[1], hello, 20, NULL, 0);
	}
	for (int i = 0; i < STEPS_MAX && step(&in, pair[1]); i++)
		;
	close(pair[1]);
	while (vfu_conn_process(&server.conn, MSG_DONTWAIT) == 0)
		;
	vfu_conn_close(&server.conn);
	mem_stats_get(&mem, &stats);
	if (stats.maps || stats.bytes || stats.fdless || stats.leaked || vfu_attached(&server))
		abort();
	return 0;
}
