/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's memory: maps and unmaps that it announces, reads and writes that we ask it for. */
#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "vfu/conn.h"

#include <errno.h>
#include <sys/socket.h>

int vfu_on_dma_map(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r)
{
	struct vfu_dma_map req;
	struct err e = {0};
	uint32_t flags = 0;
	int ret;

	memcpy(&req, m->payload, sizeof(req));
	if (req.argsz < sizeof(req) || m->nfds > 1 ||
		(req.flags & ~(uint32_t)(VFU_DMA_READABLE | VFU_DMA_WRITABLE)))
		return -EINVAL;
	flags |= (req.flags & VFU_DMA_READABLE) ? MEM_READ : 0;
	flags |= (req.flags & VFU_DMA_WRITABLE) ? MEM_WRITE : 0;
	ret = mem_map(c->server->config.mem, (struct gpa){req.addr}, req.size, flags,
		m->nfds ? m->fds[0] : -1, m->nfds ? req.offset : 0, &e);
	if (ret)
		log_limited(
			LOG_WARN, "DMA_MAP refused: %s%s%s", e.what, e.help[0] ? "; " : "", e.help);
	return ret;
}

int vfu_on_dma_unmap(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r)
{
	struct mem *mem = c->server->config.mem;
	struct vfu_dma_unmap req;
	int ret = 0;

	memcpy(&req, m->payload, sizeof(req));
	if (req.argsz < sizeof(req) ||
		(req.flags & ~(uint32_t)(VFU_UNMAP_DIRTY_BITMAP | VFU_UNMAP_ALL)))
		return -EINVAL;
	if (req.flags & VFU_UNMAP_DIRTY_BITMAP)
		return -ENOTSUP;
	if (req.flags & VFU_UNMAP_ALL) {
		if (req.addr || req.size)
			return -EINVAL;
		mem_unmap_all(mem);
	} else {
		ret = mem_unmap(mem, (struct gpa){req.addr}, req.size, NULL);
	}
	memcpy(r->data, &req, sizeof(req));
	r->len = sizeof(req);
	return ret;
}

/* ---- our own requests ---- */

static struct vfu_dma_wait **find_wait(struct vfu_conn *c, uint16_t id, uint16_t cmd)
{
	struct vfu_dma_wait **w = &c->waiting;

	while (*w && ((*w)->id != id || (*w)->cmd != cmd))
		w = &(*w)->next;
	return w;
}

/* What a reply says. QEMU answers a DMA_WRITE with the header alone, others with 12 or 16 bytes. */
static int read_reply(const struct vfu_msg *m, struct vfu_dma_wait *w)
{
	struct vfu_dma_rw rw;

	if (m->hdr.flags & VFU_ERROR)
		return m->hdr.error >= 1 && m->hdr.error < 4096 ? -(int)m->hdr.error : -EIO;
	if (w->cmd == VFU_DMA_WRITE)
		return m->len == 0 || m->len == 12 || m->len == sizeof(rw) ? 0 : -EPROTO;
	if (m->len != sizeof(rw) + w->len)
		return -EPROTO;
	memcpy(&rw, m->payload, sizeof(rw));
	if (rw.addr != w->addr || rw.count != w->len)
		return -EPROTO;
	memcpy(w->out, m->payload + sizeof(rw), w->len);
	return 0;
}

void vfu_on_dma_reply(struct vfu_conn *c, const struct vfu_msg *m)
{
	struct vfu_dma_wait **at, *w;

	lock_acquire(&c->lock);
	at = find_wait(c, m->hdr.id, m->hdr.cmd);
	w = *at;
	if (w) {
		*at = w->next;
		w->ret = read_reply(m, w);
		w->done = true;
		pthread_cond_broadcast(&c->cond);
	}
	lock_release(&c->lock);
	if (!w) /* never asked for, or given up: its bytes are skipped, the stream goes on */
		vfu_count(&c->server->counters.errors);
}

/* The connection ends: nobody will answer. Under c->lock. */
void vfu_dma_abort(struct vfu_conn *c)
{
	for (struct vfu_dma_wait *w = c->waiting; w; w = w->next) {
		w->ret = -ENOTCONN;
		w->done = true;
	}
	c->waiting = NULL;
	pthread_cond_broadcast(&c->cond);
}

/* One request of at most client_max_data bytes, under c->lock. */
static int request(struct vfu_conn *c, struct vfu_dma_wait *w, const void *data)
{
	struct vfu_dma_rw rw = {.addr = w->addr, .count = w->len};
	struct vfu_hdr hdr = {.id = w->id, .cmd = w->cmd};
	struct iovec iov[] = {
		{&hdr, sizeof(hdr)},
		{&rw, sizeof(rw)},
		{(void *)(uintptr_t)data, data ? w->len : 0},
	};
	struct clock clock;
	uint64_t deadline;
	int ret;

	clock_init_real(&clock);
	deadline = clock_now_ns(&clock) + VFU_TIMEOUT_MS * NSEC_PER_MSEC;
	hdr.size = (uint32_t)(sizeof(hdr) + sizeof(rw) + iov[2].iov_len);
	w->next = c->waiting;
	c->waiting = w;
	ret = vfu_stream_send(c->fd, iov, ARRAY_SIZE(iov), NULL, 0, VFU_TIMEOUT_MS);
	if (ret) {
		/* Half a message may be out: this connection is over. */
		shutdown(c->fd, SHUT_RDWR);
		*find_wait(c, w->id, w->cmd) = w->next;
		return ret;
	}
	while (!w->done) {
		if (lock_cond_wait(&c->lock, &c->cond, deadline) == -ETIMEDOUT && !w->done) {
			*find_wait(c, w->id, w->cmd) = w->next;
			return -ETIMEDOUT;
		}
	}
	return w->ret;
}

static int dma(
	struct vfu_server *s, uint16_t cmd, struct gpa gpa, void *out, const void *data, size_t len)
{
	struct vfu_conn *c = &s->conn;
	int ret = 0;

	if (len && len - 1 > UINT64_MAX - gpa.v)
		return -EINVAL;
	lock_acquire(&c->lock);
	for (size_t done = 0; done < len && !ret;) {
		struct vfu_dma_wait w = {.cmd = cmd, .addr = gpa.v + done};

		if (!c->open || !c->ready) {
			ret = -ENOTCONN;
			break;
		}
		if (pthread_equal(c->thread, pthread_self())) {
			ret = -EDEADLK;
			break;
		}
		w.id = c->next_id++;
		w.len = (size_t)min_u64(len - done, c->client_max_data);
		w.out = out ? (char *)out + done : NULL;
		ret = request(c, &w, data ? (const char *)data + done : NULL);
		done += w.len;
	}
	lock_release(&c->lock);
	return ret;
}

int vfu_dma_read(struct vfu_server *s, struct gpa gpa, void *out, size_t len)
{
	return dma(s, VFU_DMA_READ, gpa, out, NULL, len);
}

int vfu_dma_write(struct vfu_server *s, struct gpa gpa, const void *data, size_t len)
{
	return dma(s, VFU_DMA_WRITE, gpa, NULL, data, len);
}
