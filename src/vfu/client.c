/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vfio-user client.
 *
 * Every command is send, then wait for the reply with its id; the stream and its descriptors are read
 * by the same code as the server's (stream.c). While it waits, the server's own commands come in
 * between and are answered at once, as the protocol wants of a client with one thread. A reply with
 * another id ends in -EPROTO: nothing is pipelined here, who wants that uses vfu_client_send and
 * vfu_client_reply.
 */
#include "vfu/client.h"
#include "base/util.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#define TIMEOUT_MS 5000

struct vfu_client {
	struct vfu_stream in;
	uint16_t next_id;
	unsigned int timeout_ms;
	vfu_client_dma_fn dma;
	void *dma_arg;
	uint8_t *dma_buf; /* owned: header, fixed part and data of one DMA reply */
};

struct vfu_client *vfu_client_create(int fd, struct err *e)
{
	struct vfu_client *c = calloc(1, sizeof(*c));

	if (!c || vfu_stream_init(&c->in, fd)) {
		err_set(e, -ENOMEM, NULL, "no memory for a client");
		close(fd);
		free(c);
		return NULL;
	}
	c->dma_buf = malloc(VFU_MAX_MESSAGE);
	if (!c->dma_buf) {
		err_set(e, -ENOMEM, NULL, "no memory for a client");
		vfu_client_destroy(c);
		return NULL;
	}
	vfu_client_timeout(c, TIMEOUT_MS);
	return c;
}

struct vfu_client *vfu_client_connect(const char *path, struct err *e)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		err_set(e, -ENAMETOOLONG, NULL, "socket path \"%s\"", path);
		return NULL;
	}
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		err_set(e, -errno, "is the server running?", "cannot connect to \"%s\"", path);
		fd_close(&fd);
		return NULL;
	}
	return vfu_client_create(fd, e);
}

void vfu_client_destroy(struct vfu_client *c)
{
	if (!c)
		return;
	vfu_stream_finish(&c->in);
	free(c->dma_buf);
	free(c);
}

int vfu_client_fd(const struct vfu_client *c)
{
	return c->in.fd;
}

void vfu_client_timeout(struct vfu_client *c, unsigned int ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

	c->timeout_ms = ms;
	/* A timed recvmsg: no second call to wait. */
	setsockopt(c->in.fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

void vfu_client_on_dma(struct vfu_client *c, vfu_client_dma_fn fn, void *arg)
{
	c->dma = fn;
	c->dma_arg = arg;
}

/* ---- messages ---- */

int vfu_client_send_raw(
	struct vfu_client *c, const void *data, size_t len, const int *fds, uint32_t nfds)
{
	struct iovec iov = {(void *)(uintptr_t)data, len};

	return vfu_stream_send(c->in.fd, &iov, 1, fds, nfds, TIMEOUT_MS);
}

int vfu_client_send(struct vfu_client *c, uint16_t cmd, uint32_t flags, const void *fixed,
	size_t fixed_len, const void *data, size_t len, const int *fds, uint32_t nfds, uint16_t *id)
{
	struct vfu_hdr hdr = {
		.id = c->next_id++,
		.cmd = cmd,
		.size = (uint32_t)(sizeof(hdr) + fixed_len + len),
		.flags = flags,
	};
	struct iovec iov[] = {
		{&hdr, sizeof(hdr)},
		{(void *)(uintptr_t)fixed, fixed_len},
		{(void *)(uintptr_t)data, len},
	};

	if (id)
		*id = hdr.id;
	return vfu_stream_send(c->in.fd, iov, ARRAY_SIZE(iov), fds, nfds, TIMEOUT_MS);
}

/* The server's DMA_READ or DMA_WRITE. */
static int answer(struct vfu_client *c, const struct vfu_msg *m)
{
	struct vfu_hdr hdr = {.id = m->hdr.id, .cmd = m->hdr.cmd, .flags = VFU_TYPE_REPLY};
	uint8_t *data = c->dma_buf + sizeof(hdr) + sizeof(struct vfu_dma_rw);
	struct iovec iov = {.iov_base = c->dma_buf};
	struct vfu_dma_rw rw = {0};
	bool write = m->hdr.cmd == VFU_DMA_WRITE;
	int ret = -EINVAL;

	if ((write || m->hdr.cmd == VFU_DMA_READ) && m->len >= sizeof(rw)) {
		memcpy(&rw, m->payload, sizeof(rw));
		if (rw.count <= VFU_MAX_DATA && m->len == sizeof(rw) + (write ? rw.count : 0)) {
			if (write)
				memcpy(data, m->payload + sizeof(rw), (size_t)rw.count);
			ret = c->dma ? c->dma(c->dma_arg, write, (struct gpa){rw.addr}, data,
					       (size_t)rw.count)
				     : -EFAULT;
		}
	}
	if (m->hdr.flags & VFU_NO_REPLY)
		return 0;
	hdr.size = (uint32_t)(sizeof(hdr) + sizeof(rw) + (write ? 0 : rw.count));
	if (ret) {
		hdr.size = sizeof(hdr);
		hdr.flags |= VFU_ERROR;
		hdr.error = (uint32_t)-ret;
	}
	memcpy(c->dma_buf, &hdr, sizeof(hdr));
	memcpy(c->dma_buf + sizeof(hdr), &rw, sizeof(rw));
	iov.iov_len = hdr.size;
	return vfu_stream_send(c->in.fd, &iov, 1, NULL, 0, TIMEOUT_MS);
}

/* The next reply; commands before it are answered. */
static int next_reply(struct vfu_client *c, struct vfu_msg *m)
{
	for (;;) {
		int ret = vfu_stream_next(&c->in, m);

		if (ret < 0)
			return ret;
		if (ret == 0) {
			ssize_t n = vfu_stream_fill(&c->in, 0);

			if (n <= 0)
				return n == 0 ? -ECONNRESET : n == -EAGAIN ? -ETIMEDOUT : (int)n;
			continue;
		}
		if ((m->hdr.flags & VFU_TYPE_MASK) == VFU_TYPE_REPLY)
			return 0;
		ret = answer(c, m);
		vfu_msg_finish(m);
		if (ret)
			return ret;
	}
}

int vfu_client_reply(struct vfu_client *c, uint16_t cmd, uint16_t id, struct vfu_msg *m)
{
	int ret = next_reply(c, m);

	if (ret)
		return ret;
	if (m->hdr.id != id || m->hdr.cmd != cmd)
		ret = -EPROTO;
	else if (m->hdr.flags & VFU_ERROR)
		ret = m->hdr.error && m->hdr.error < 4096 ? -(int)m->hdr.error : -EIO;
	if (ret)
		vfu_msg_finish(m);
	return ret;
}

int vfu_client_serve(struct vfu_client *c, unsigned int ms)
{
	unsigned int old = c->timeout_ms;
	struct vfu_msg m;
	int ret;

	vfu_client_timeout(c, ms);
	ret = next_reply(c, &m);
	vfu_client_timeout(c, old);
	if (ret)
		return ret == -ETIMEDOUT ? 0 : ret;
	vfu_msg_finish(&m);
	return -EPROTO; /* a reply that nobody asked for */
}

/*
 * A command and its reply. The reply's payload has to be `want` bytes and is copied to `out`; SIZE_MAX:
 * whatever it is, and `m` is the caller's.
 */
static int call(struct vfu_client *c, uint16_t cmd, const void *fixed, size_t fixed_len,
	const void *data, size_t len, const int *fds, uint32_t nfds, void *out, size_t want,
	struct vfu_msg *m)
{
	struct vfu_msg mine;
	uint16_t id;
	int ret;

	ret = vfu_client_send(c, cmd, 0, fixed, fixed_len, data, len, fds, nfds, &id);
	if (ret)
		return ret;
	if (!m)
		m = &mine;
	ret = vfu_client_reply(c, cmd, id, m);
	if (ret || want == SIZE_MAX)
		return ret;
	if (m->len != want)
		ret = -EPROTO;
	else if (want)
		memcpy(out, m->payload, want);
	vfu_msg_finish(m);
	return ret;
}

/* ---- commands ---- */

int vfu_client_negotiate(struct vfu_client *c, uint16_t minor, const char *json,
	struct vfu_version *version, char *answer_json, size_t answer_size)
{
	static const char qemu[] =
		"{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576,"
		"\"max_dma_maps\":65535,\"pgsizes\":4096,\"write_multiple\":true,"
		"\"migration\":{\"pgsize\":4096,\"max_bitmap_size\":268435456}}}";
	struct vfu_version v = {.major = VFU_MAJOR, .minor = minor};
	struct vfu_msg m;
	int ret;

	json = json ? json : qemu;
	ret = call(
		c, VFU_VERSION, &v, sizeof(v), json, strlen(json) + 1, NULL, 0, NULL, SIZE_MAX, &m);
	if (ret)
		return ret;
	if (m.len < sizeof(v) || (m.len > sizeof(v) && m.payload[m.len - 1])) {
		ret = -EPROTO;
		goto out;
	}
	memcpy(&v, m.payload, sizeof(v));
	if (v.major != VFU_MAJOR || v.minor > minor)
		ret = -EPROTO;
	if (version)
		*version = v;
	if (answer_json && answer_size) {
		size_t n = m.len > sizeof(v) ? m.len - sizeof(v) : 0;

		if (n > answer_size) {
			ret = -ENOSPC;
			goto out;
		}
		answer_json[0] = '\0';
		memcpy(answer_json, m.payload + sizeof(v), n);
	}
out:
	vfu_msg_finish(&m);
	return ret;
}

int vfu_client_dma_map(struct vfu_client *c, struct gpa gpa, uint64_t size, uint32_t flags, int fd,
	uint64_t offset)
{
	struct vfu_dma_map req = {
		.argsz = sizeof(req),
		.flags = flags,
		.offset = offset,
		.addr = gpa.v,
		.size = size,
	};

	return call(
		c, VFU_DMA_MAP, &req, sizeof(req), NULL, 0, &fd, fd >= 0 ? 1 : 0, NULL, 0, NULL);
}

static int unmap(struct vfu_client *c, struct vfu_dma_unmap req)
{
	struct vfu_dma_unmap reply;
	int ret;

	req.argsz = sizeof(req);
	ret = call(
		c, VFU_DMA_UNMAP, &req, sizeof(req), NULL, 0, NULL, 0, &reply, sizeof(reply), NULL);
	if (!ret && (reply.addr != req.addr || reply.size != req.size))
		ret = -EPROTO;
	return ret;
}

int vfu_client_dma_unmap(struct vfu_client *c, struct gpa gpa, uint64_t size)
{
	return unmap(c, (struct vfu_dma_unmap){.addr = gpa.v, .size = size});
}

int vfu_client_dma_unmap_all(struct vfu_client *c)
{
	return unmap(c, (struct vfu_dma_unmap){.flags = VFU_UNMAP_ALL});
}

int vfu_client_info(struct vfu_client *c, struct vfu_device_info *out)
{
	struct vfu_device_info req = {.argsz = VFU_DEVICE_INFO_MIN};

	memset(out, 0, sizeof(*out));
	return call(c, VFU_GET_INFO, &req, VFU_DEVICE_INFO_MIN, NULL, 0, NULL, 0, out,
		VFU_DEVICE_INFO_MIN, NULL);
}

/* The capabilities of a region's reply, each offset checked before it is followed. */
static int read_caps(const struct vfu_msg *m, uint32_t at, struct vfu_region *out)
{
	for (int n = 0; at; n++) {
		struct vfu_cap_sparse sparse;
		struct vfu_cap_type type;
		size_t areas;

		/* Both kinds have 16 bytes before what varies. */
		if (n == 8 || at > m->len || m->len - at < sizeof(sparse))
			return -EPROTO;
		memcpy(&sparse, m->payload + at, sizeof(sparse));
		memcpy(&type, m->payload + at, sizeof(type));
		if (sparse.header.id == VFU_CAP_SPARSE_MMAP) {
			if (sparse.nr_areas > ARRAY_SIZE(out->areas))
				return -EPROTO;
			areas = sparse.nr_areas * sizeof(out->areas[0]);
			if (m->len - at - sizeof(sparse) < areas)
				return -EPROTO;
			memcpy(out->areas, m->payload + at + sizeof(sparse), areas);
			out->area_count = sparse.nr_areas;
		} else if (sparse.header.id == VFU_CAP_TYPE) {
			out->type = type.type;
			out->subtype = type.subtype;
		}
		at = sparse.header.next;
	}
	return 0;
}

int vfu_client_region_info(struct vfu_client *c, uint32_t index, struct vfu_region *out)
{
	struct vfu_region_info info = {.argsz = sizeof(info), .index = index}, reply;
	struct vfu_msg m;
	int ret;

	for (int pass = 0;; pass++) {
		ret = call(c, VFU_GET_REGION_INFO, &info, sizeof(info), NULL, 0, NULL, 0, NULL,
			SIZE_MAX, &m);
		if (ret)
			return ret;
		if (m.len < sizeof(reply))
			goto proto;
		memcpy(&reply, m.payload, sizeof(reply));
		if (reply.argsz <= info.argsz)
			break;
		if (pass || reply.argsz > VFU_MAX_DATA)
			goto proto;
		info.argsz = reply.argsz;
		vfu_msg_finish(&m);
	}
	*out = (struct vfu_region){
		.size = reply.size,
		.flags = reply.flags & ~(uint32_t)VFU_REGION_FLAG_CAPS,
		.fd = -1,
		.fd_offset = reply.offset,
	};
	if (reply.index != index || m.len != reply.argsz || m.nfds > 1 ||
		((reply.flags & VFU_REGION_FLAG_CAPS) && !reply.cap_offset))
		goto proto;
	if ((reply.flags & VFU_REGION_FLAG_CAPS) && read_caps(&m, reply.cap_offset, out))
		goto proto;
	if ((m.nfds == 1) != ((reply.flags & VFU_REGION_FLAG_MMAP) != 0))
		goto proto;
	if (m.nfds) {
		out->fd = m.fds[0];
		m.fds[0] = -1;
	}
	vfu_msg_finish(&m);
	return 0;

proto:
	vfu_msg_finish(&m);
	return -EPROTO;
}

int vfu_client_region_read(
	struct vfu_client *c, uint32_t index, uint64_t offset, void *data, size_t len)
{
	struct vfu_region_rw rw = {.offset = offset, .region = index, .count = (uint32_t)len}, back;
	struct vfu_msg m;
	int ret;

	ret = call(c, VFU_REGION_READ, &rw, sizeof(rw), NULL, 0, NULL, 0, NULL, SIZE_MAX, &m);
	if (ret)
		return ret;
	if (m.len != sizeof(rw) + len) {
		ret = -EPROTO;
	} else {
		memcpy(&back, m.payload, sizeof(back));
		ret = memcmp(&rw, &back, sizeof(rw)) ? -EPROTO : 0;
		memcpy(data, m.payload + sizeof(rw), len);
	}
	vfu_msg_finish(&m);
	return ret;
}

int vfu_client_region_write(
	struct vfu_client *c, uint32_t index, uint64_t offset, const void *data, size_t len)
{
	struct vfu_region_rw rw = {.offset = offset, .region = index, .count = (uint32_t)len}, back;
	int ret;

	ret = call(c, VFU_REGION_WRITE, &rw, sizeof(rw), data, len, NULL, 0, &back, sizeof(back),
		NULL);
	return ret ? ret : memcmp(&rw, &back, sizeof(rw)) ? -EPROTO : 0;
}

int vfu_client_region_post(
	struct vfu_client *c, uint32_t index, uint64_t offset, const void *data, size_t len)
{
	struct vfu_region_rw rw = {.offset = offset, .region = index, .count = (uint32_t)len};

	return vfu_client_send(
		c, VFU_REGION_WRITE, VFU_NO_REPLY, &rw, sizeof(rw), data, len, NULL, 0, NULL);
}

int vfu_client_irq_info(struct vfu_client *c, uint32_t index, struct vfu_irq_info *out)
{
	struct vfu_irq_info req = {.argsz = sizeof(req), .index = index};

	return call(
		c, VFU_GET_IRQ_INFO, &req, sizeof(req), NULL, 0, NULL, 0, out, sizeof(*out), NULL);
}

int vfu_client_set_irqs(struct vfu_client *c, uint32_t flags, uint32_t index, uint32_t start,
	uint32_t count, const uint8_t *bools, const int *fds, uint32_t nfds)
{
	struct vfu_irq_set set = {
		.argsz = (uint32_t)(sizeof(set) + (bools ? count : 0)),
		.flags = flags,
		.index = index,
		.start = start,
		.count = count,
	};

	return call(c, VFU_SET_IRQS, &set, sizeof(set), bools, bools ? count : 0, fds, nfds, NULL,
		0, NULL);
}

int vfu_client_reset(struct vfu_client *c)
{
	return call(c, VFU_DEVICE_RESET, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL);
}
