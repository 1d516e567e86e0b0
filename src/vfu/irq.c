/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts: eventfds that a client hands in for the vectors of each type, and raising them.
 *
 * INTx is masked by its own signal and unmasked by the client when the guest has acted on it; what is
 * raised meanwhile is signalled then. Other types cannot be masked here (the guest does it in QEMU).
 *
 * An eventfd is shared with the client, which could fill it and make it blocking; so a vector is
 * signalled by a write only after poll has found room. Where there is none, the interrupt is pending
 * at the client's end already.
 */
#include "base/util.h"
#include "vfu/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define IRQ_INTX 0 /* VFIO_PCI_INTX_IRQ_INDEX */

int vfu_irqs_init(struct vfu_server *s)
{
	const struct vfu_device_ops *ops = s->config.ops;

	lock_init(&s->irq_lock, LOCK_RANK_LEAF);
	for (uint32_t i = 0; i < ops->num_irqs; i++) {
		struct vfu_irq_index *x = &s->irqs[i];
		uint32_t n = ops->irq_count(s->config.dev, i);

		n = n < VFU_MAX_VECTORS ? n : VFU_MAX_VECTORS;
		if (!n)
			continue;
		x->vectors = calloc(n, sizeof(x->vectors[0]));
		if (!x->vectors)
			return -ENOMEM;
		x->count = n;
		for (uint32_t v = 0; v < n; v++)
			x->vectors[v].fd = -1;
	}
	return 0;
}

void vfu_irqs_finish(struct vfu_server *s)
{
	vfu_irqs_disarm(s);
	for (uint32_t i = 0; i < VFU_MAX_IRQS; i++) {
		free(s->irqs[i].vectors);
		s->irqs[i] = (struct vfu_irq_index){0};
	}
	lock_finish(&s->irq_lock);
}

/* Under irq_lock. `fd` is taken, -1 disarms. */
static void vector_set(struct vfu_irq_vector *v, int fd)
{
	fd_close(&v->fd);
	*v = (struct vfu_irq_vector){.fd = fd};
}

void vfu_irqs_disarm(struct vfu_server *s)
{
	lock_acquire(&s->irq_lock);
	for (uint32_t i = 0; i < VFU_MAX_IRQS; i++) {
		for (uint32_t v = 0; v < s->irqs[i].count; v++)
			vector_set(&s->irqs[i].vectors[v], -1);
	}
	lock_release(&s->irq_lock);
}

static void eventfd_signal(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	uint64_t one = 1;

	if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT)) {
		ssize_t n = write(fd, &one, sizeof(one));

		(void)n; /* full by now: pending anyway */
	}
}

/* Under irq_lock. True when somebody listens. */
static bool vector_raise(struct vfu_server *s, uint32_t index, struct vfu_irq_vector *v)
{
	if (v->fd < 0)
		return false;
	if (v->masked) {
		v->pending = true;
		return true;
	}
	v->masked = index == IRQ_INTX;
	eventfd_signal(v->fd);
	vfu_count(&s->counters.irqs);
	return true;
}

bool vfu_irq_raise(struct vfu_server *s, uint32_t index, uint32_t vector)
{
	bool heard = false;

	lock_acquire(&s->irq_lock);
	if (index < VFU_MAX_IRQS && vector < s->irqs[index].count)
		heard = vector_raise(s, index, &s->irqs[index].vectors[vector]);
	lock_release(&s->irq_lock);
	return heard;
}

int vfu_on_irq_info(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r)
{
	struct vfu_irq_info info;

	memcpy(&info, m->payload, sizeof(info));
	if (info.argsz < sizeof(info) || info.index >= c->server->config.ops->num_irqs)
		return -EINVAL;
	info.argsz = sizeof(info);
	info.count = c->server->irqs[info.index].count;
	info.flags = VFU_IRQ_EVENTFD;
	info.flags |=
		info.index == IRQ_INTX ? VFU_IRQ_MASKABLE | VFU_IRQ_AUTOMASKED : VFU_IRQ_NORESIZE;
	memcpy(r->data, &info, sizeof(info));
	r->len = sizeof(info);
	return 0;
}

/*
 * Other files could block a writer, or be written to at the client's bidding. Where /proc cannot be
 * seen: what has no inode of its own, as the eventfd that we made; only then is fstat asked, which
 * could wait for the server of a FUSE file.
 */
static bool is_eventfd(const struct vfu_server *s, int fd)
{
	char path[32], name[32];
	struct stat ours, theirs;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, name, sizeof(name) - 1);
	if (n < 0)
		return fstat(s->wake_fd, &ours) == 0 && fstat(fd, &theirs) == 0 &&
		       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
	name[n] = '\0';
	return strcmp(name, "anon_inode:[eventfd]") == 0;
}

static void vector_act(struct vfu_server *s, uint32_t index, uint32_t vector, uint32_t action)
{
	struct vfu_irq_vector *v = &s->irqs[index].vectors[vector];

	switch (action) {
	case VFU_IRQ_ACTION_MASK:
		v->masked = true;
		break;
	case VFU_IRQ_ACTION_UNMASK:
		v->masked = false;
		if (v->pending) {
			v->pending = false;
			vector_raise(s, index, v);
		}
		break;
	default:
		vector_raise(s, index, v);
	}
}

/* Checks the form of a SET_IRQS, whose bools are at `bools`. */
static int check_set(const struct vfu_server *s, const struct vfu_irq_set *set, size_t bools,
	const struct vfu_msg *m)
{
	uint32_t data = set->flags & VFU_IRQ_DATA_MASK, action = set->flags & VFU_IRQ_ACTIONS;
	uint32_t count;

	if (set->argsz < sizeof(*set) || (set->flags & ~(VFU_IRQ_DATA_MASK | VFU_IRQ_ACTIONS)))
		return -EINVAL;
	if (__builtin_popcount(data) != 1 || __builtin_popcount(action) != 1)
		return -EINVAL;
	if (set->index >= s->config.ops->num_irqs)
		return -EINVAL;
	count = s->irqs[set->index].count;
	if (set->start > count || set->count > count - set->start)
		return -EINVAL;
	if (bools != (data == VFU_IRQ_DATA_BOOL ? set->count : 0))
		return -EINVAL;
	if (m->nfds && (data != VFU_IRQ_DATA_EVENTFD || m->nfds != set->count))
		return -EINVAL;
	/* Nothing at all to act on: only "disable this type". */
	if (set->count == 0 &&
		(data != VFU_IRQ_DATA_NONE || action != VFU_IRQ_ACTION_TRIGGER || set->start))
		return -EINVAL;
	if (action != VFU_IRQ_ACTION_TRIGGER) {
		if (set->index != IRQ_INTX)
			return -EINVAL; /* not MASKABLE */
		if (data == VFU_IRQ_DATA_EVENTFD)
			return -ENOTSUP;
	}
	for (uint32_t i = 0; i < m->nfds; i++) {
		if (!is_eventfd(s, m->fds[i]))
			return -EINVAL;
	}
	return 0;
}

int vfu_on_set_irqs(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r)
{
	const uint8_t *bools = m->payload + sizeof(struct vfu_irq_set);
	struct vfu_server *s = c->server;
	struct vfu_irq_index *x;
	struct vfu_irq_set set;
	uint32_t action;
	int ret;

	memcpy(&set, m->payload, sizeof(set));
	ret = check_set(s, &set, m->len - sizeof(set), m);
	if (ret)
		return ret;
	x = &s->irqs[set.index];
	action = set.flags & VFU_IRQ_ACTIONS;
	for (uint32_t i = 0; i < m->nfds; i++)
		fcntl(m->fds[i], F_SETFL, O_NONBLOCK);

	lock_acquire(&s->irq_lock);
	if (set.count == 0) {
		for (uint32_t v = 0; v < x->count; v++)
			vector_set(&x->vectors[v], -1);
	}
	for (uint32_t i = 0; i < set.count; i++) {
		if (set.flags & VFU_IRQ_DATA_EVENTFD) {
			vector_set(&x->vectors[set.start + i], m->nfds ? m->fds[i] : -1);
			if (m->nfds)
				m->fds[i] = -1;
		} else if ((set.flags & VFU_IRQ_DATA_NONE) || bools[i]) {
			vector_act(s, set.index, set.start + i, action);
		}
	}
	lock_release(&s->irq_lock);
	if (action == VFU_IRQ_ACTION_UNMASK && s->config.ops->irq_unmasked)
		s->config.ops->irq_unmasked(s->config.dev, set.index);
	return 0;
}
