/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A struct pci_device behind the calls that vfu makes. */
#include "base/util.h"
#include "daemon/daemon.h"

static struct pci_device *device(void *dev)
{
	return bare_device(((struct daemon *)dev)->bare);
}

static void region_info(void *dev, uint32_t index, struct vfu_region *out)
{
	struct pci_device *d = device(dev);
	struct pci_region_info info = {.fd = -1};

	d->ops->region_info(d, index, &info);
	*out = (struct vfu_region){
		.size = info.size,
		.flags = info.flags, /* both as linux/vfio.h numbers them */
		.fd = info.fd,
		.fd_offset = info.fd_offset,
		.area_count = (uint32_t)min_u64(info.area_count, ARRAY_SIZE(out->areas)),
		.type = info.type,
		.subtype = info.subtype,
	};
	for (uint32_t i = 0; i < out->area_count; i++) {
		out->areas[i] = (struct vfu_area){info.areas[i].offset, info.areas[i].size};
	}
}

static uint32_t irq_count(void *dev, uint32_t index)
{
	struct pci_device *d = device(dev);

	return d->ops->irq_count(d, index);
}

static int region_read(void *dev, uint32_t index, uint64_t offset, void *data, size_t len)
{
	struct pci_device *d = device(dev);

	return d->ops->region_read(d, index, offset, data, len);
}

static int region_write(void *dev, uint32_t index, uint64_t offset, const void *data, size_t len)
{
	struct pci_device *d = device(dev);

	return d->ops->region_write(d, index, offset, data, len);
}

static void reset(void *dev)
{
	struct pci_device *d = device(dev);

	d->ops->reset(d);
}

static void attached(void *dev)
{
	struct pci_device *d = device(dev);

	d->ops->attached(d);
}

static void detached(void *dev)
{
	struct pci_device *d = device(dev);

	d->ops->detached(d);
}

const struct vfu_device_ops daemon_front = {
	.num_regions = PCI_REGION_COUNT,
	.num_irqs = PCI_IRQ_COUNT,
	.region_info = region_info,
	.irq_count = irq_count,
	.region_read = region_read,
	.region_write = region_write,
	.reset = reset,
	.attached = attached,
	.detached = detached,
};

/*
 * MSI where the client listens to it, else INTx: a guest without MSI gets its interrupts too. The GPU
 * gives an edge each time it wants attention, also after each enable of its master interrupt with
 * something pending; vfu keeps one that comes while INTx is masked. So no level has to be asked for.
 */
static void irq_raise(void *arg, enum pci_irq type, uint32_t vector)
{
	struct daemon *d = arg;

	if (!vfu_irq_raise(d->server, type, vector) && type == PCI_IRQ_MSI &&
		bare_intx_allowed(d->bare))
		vfu_irq_raise(d->server, PCI_IRQ_INTX, 0);
}

void daemon_front_connect(struct daemon *d)
{
	struct pci_device *dev = bare_device(d->bare);

	dev->irq_arg = d;
	dev->irq_raise = irq_raise;
}

void daemon_front_disconnect(struct daemon *d)
{
	bare_irq_stop(d->bare);
}
