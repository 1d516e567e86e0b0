/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One connection: from messages to handlers, from handlers to replies. */
#include "vfu/conn.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* Room for any reply, guard-free: every handler bounds what it writes by VFU_MAX_DATA. */
#define OUT_BYTES ((size_t)VFU_MAX_MESSAGE)

static int on_reset(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r)
{
	if (!c->server->config.ops->reset)
		return -ENOTSUP;
	c->server->config.ops->reset(c->server->config.dev);
	return 0;
}

/* No feature is known: a probe, a get and a set all say so, as long as they are well formed. */
static int on_feature(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r)
{
	struct vfu_feature f;
	uint32_t ops;

	memcpy(&f, m->payload, sizeof(f));
	ops = f.flags & (VFU_FEATURE_GET | VFU_FEATURE_SET);
	if (f.argsz < sizeof(f) || (f.flags & ~(uint32_t)(VFU_FEATURE_MASK | VFU_FEATURE_GET |
							  VFU_FEATURE_SET | VFU_FEATURE_PROBE)))
		return -EINVAL;
	/* Exactly one of GET and SET, but a PROBE may ask for both (linux/vfio.h). */
	if (!ops || (!(f.flags & VFU_FEATURE_PROBE) && (ops & (ops - 1))))
		return -EINVAL;
	return -ENOTSUP;
}

static int on_unsupported(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r)
{
	return -ENOTSUP;
}

static const struct {
	int (*handle)(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r);
	uint32_t min, max; /* bytes of payload */
	bool takes_fds;
} commands[VFU_CMD_COUNT] = {
	/* clang-format off */
	[VFU_VERSION] = {vfu_on_version, 4, VFU_MAX_MESSAGE, false},
	[VFU_DMA_MAP] = {vfu_on_dma_map, 32, 32, true},
	[VFU_DMA_UNMAP] = {vfu_on_dma_unmap, 24, 24 + 16, false}, /* 16: of the dirty bitmap's form */
	[VFU_GET_INFO] = {vfu_on_info, 16, 24, false},
	[VFU_GET_REGION_INFO] = {vfu_on_region_info, 32, 4096, false}, /* room for the caps is allowed */
	[VFU_GET_REGION_IO_FDS] = {vfu_on_region_io_fds, 16, 16, false},
	[VFU_GET_IRQ_INFO] = {vfu_on_irq_info, 16, 16, false},
	[VFU_SET_IRQS] = {vfu_on_set_irqs, 20, 20 + VFU_MAX_VECTORS, true},
	[VFU_REGION_READ] = {vfu_on_region_read, 16, 16, false},
	[VFU_REGION_WRITE] = {vfu_on_region_write, 16, 16 + VFU_MAX_DATA, false},
	[VFU_DEVICE_RESET] = {on_reset, 0, 0, false},
	[VFU_REGION_WRITE_MULTI] = {on_unsupported, 0, VFU_MAX_MESSAGE, false},
	[VFU_DEVICE_FEATURE] = {on_feature, 8, VFU_MAX_MESSAGE, false},
	[VFU_MIG_DATA_READ] = {on_unsupported, 0, VFU_MAX_MESSAGE, false},
	[VFU_MIG_DATA_WRITE] = {on_unsupported, 0, VFU_MAX_MESSAGE, false},
	/* clang-format on */
};

int vfu_conn_init(struct vfu_conn *c, struct vfu_server *s)
{
	void *out = mmap(NULL, OUT_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (out == MAP_FAILED)
		return -ENOMEM;
	*c = (struct vfu_conn){.server = s, .out = out, .in.fd = -1, .fd = -1, .shut_fd = -1};
	lock_init(&c->fd_lock, LOCK_RANK_LEAF);
	lock_init(&c->lock, LOCK_RANK_VFU);
	lock_cond_init(&c->cond);
	return 0;
}

void vfu_conn_finish(struct vfu_conn *c)
{
	if (!c->out)
		return;
	munmap(c->out, OUT_BYTES);
	c->out = NULL;
	pthread_cond_destroy(&c->cond);
	lock_finish(&c->lock);
	lock_finish(&c->fd_lock);
}

int vfu_conn_open(struct vfu_conn *c, int fd)
{
	int flags = fcntl(fd, F_GETFL), ret = vfu_stream_init(&c->in, fd);

	if (ret)
		return ret;
	if (flags >= 0)
		fcntl(fd, F_SETFL, flags & ~O_NONBLOCK); /* an inherited one may be */
	lock_acquire(&c->fd_lock);
	c->shut_fd = fd;
	lock_release(&c->fd_lock);
	c->negotiated = false;
	c->done = false;
	c->recv_ns = 0;
	lock_acquire(&c->lock);
	c->fd = fd;
	c->thread = pthread_self();
	c->client_max_data = 0;
	c->open = true;
	lock_release(&c->lock);
	vfu_count(&c->server->counters.connections);
	return 0;
}

void vfu_conn_close(struct vfu_conn *c)
{
	struct vfu_server *s = c->server;

	vfu_conn_shutdown(c); /* so that nobody waits in a send with the lock held */
	lock_acquire(&c->fd_lock);
	c->shut_fd = -1;
	lock_release(&c->fd_lock);
	lock_acquire(&c->lock);
	c->open = false;
	c->ready = false;
	c->fd = -1;
	vfu_dma_abort(c);
	lock_release(&c->lock);
	vfu_stream_finish(&c->in);
	vfu_irqs_disarm(s);
	mem_unmap_all(s->config.mem);
	if (c->negotiated) {
		atomic_store(&s->attached, false);
		if (s->config.ops->detached)
			s->config.ops->detached(s->config.dev);
	}
	c->negotiated = false;
}

void vfu_conn_shutdown(struct vfu_conn *c)
{
	lock_acquire(&c->fd_lock);
	if (c->shut_fd >= 0)
		shutdown(c->shut_fd, SHUT_RDWR);
	lock_release(&c->fd_lock);
}

bool vfu_conn_hung_up(struct vfu_conn *c)
{
	struct pollfd p = {.events = POLLRDHUP};

	lock_acquire(&c->fd_lock);
	p.fd = c->shut_fd;
	if (p.fd >= 0)
		poll(&p, 1, 0);
	lock_release(&c->fd_lock);
	return p.fd < 0 || p.revents;
}

/* `ret` 0: with what `r` says; else an error reply. */
static int send_reply(struct vfu_conn *c, const struct vfu_hdr *req, int ret, struct vfu_reply *r)
{
	struct vfu_hdr hdr = {.id = req->id, .cmd = req->cmd, .flags = VFU_TYPE_REPLY};
	struct iovec iov = {.iov_base = c->out};

	if (ret) {
		hdr.flags |= VFU_ERROR;
		hdr.error = (uint32_t)-ret;
		r->len = 0;
		r->fd = -1;
	}
	hdr.size = (uint32_t)(sizeof(hdr) + r->len);
	memcpy(c->out, &hdr, sizeof(hdr));
	iov.iov_len = hdr.size;
	lock_acquire(&c->lock);
	ret = vfu_stream_send(c->fd, &iov, 1, &r->fd, r->fd >= 0 ? 1 : 0, VFU_TIMEOUT_MS);
	c->ready = c->negotiated;
	lock_release(&c->lock);
	return ret;
}

static int dispatch(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r)
{
	uint32_t cmd = m->hdr.cmd;

	if ((m->hdr.flags & VFU_TYPE_MASK) != VFU_TYPE_COMMAND)
		return -EINVAL;
	if (cmd >= VFU_CMD_COUNT || !commands[cmd].handle)
		return -EINVAL;
	if (m->len < commands[cmd].min || m->len > commands[cmd].max)
		return -EINVAL;
	if (m->nfds > (commands[cmd].takes_fds ? VFU_MAX_FDS : 0))
		return -EINVAL;
	if (!c->negotiated && cmd != VFU_VERSION)
		return -EINVAL;
	return commands[cmd].handle(c, m, r);
}

/* One message. 0, or -errno when the connection cannot go on. */
static int handle(struct vfu_conn *c, struct vfu_msg *m)
{
	struct vfu_reply r = {.data = c->out + sizeof(m->hdr), .fd = -1};
	struct vfu_counters *count = &c->server->counters;
	int ret;

	vfu_count(&count->messages[m->hdr.cmd < VFU_CMD_COUNT ? m->hdr.cmd : 0]);
	if ((m->hdr.flags & VFU_TYPE_MASK) == VFU_TYPE_REPLY) {
		vfu_on_dma_reply(c, m);
		vfu_msg_finish(m);
		return 0;
	}
	ret = dispatch(c, m, &r);
	vfu_msg_finish(m);
	if (ret)
		vfu_count(&count->errors);
	if (m->hdr.flags & VFU_NO_REPLY) {
		vfu_count(&count->posted);
		ret = 0;
	} else {
		ret = send_reply(c, &m->hdr, ret, &r);
	}
	return ret ? ret : c->done ? -ECONNABORTED : 0;
}

/* A blocking read, before which a configured time is spent looking for bytes without sleeping. */
static ssize_t fill(struct vfu_conn *c, int flags)
{
	uint64_t spin_ns = c->server->config.spin_ns, start;
	struct clock clock;
	ssize_t n;

	if (!spin_ns || (flags & MSG_DONTWAIT))
		return vfu_stream_fill(&c->in, flags);
	clock_init_real(&clock);
	start = clock_now_ns(&clock);
	/* Only while messages come as close together as we are ready to spin. */
	if (start - c->recv_ns < 2 * spin_ns) {
		do {
			n = vfu_stream_fill(&c->in, MSG_DONTWAIT);
			if (n != -EAGAIN)
				goto out;
		} while (clock_now_ns(&clock) - start < spin_ns);
	}
	n = vfu_stream_fill(&c->in, flags);
out:
	c->recv_ns = clock_now_ns(&clock);
	return n;
}

int vfu_conn_process(struct vfu_conn *c, int flags)
{
	ssize_t n = fill(c, flags);
	struct vfu_msg m;
	int ret;

	if (n <= 0)
		return n == 0 ? -ECONNRESET : (int)n;
	while ((ret = vfu_stream_next(&c->in, &m)) == 1) {
		ret = handle(c, &m);
		if (ret)
			return ret;
	}
	if (ret == 0)
		return 0;
	/* Where the next message starts is lost. */
	vfu_count(&c->server->counters.errors);
	if (ret == -EMSGSIZE && !(m.hdr.flags & (VFU_NO_REPLY | VFU_TYPE_MASK))) {
		struct vfu_reply r = {.fd = -1};

		send_reply(c, &m.hdr, ret, &r);
	}
	log_limited(
		LOG_WARN, "vfio-user client sent a message of %u bytes: disconnected", m.hdr.size);
	return ret;
}
