/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the device is, its regions, and access to them. */
#include "base/util.h"
#include "vfu/conn.h"

#include <errno.h>

/* Sizes and flags are asked once a client, so that an access costs no call. */
void vfu_regions_load(struct vfu_server *s)
{
	const struct vfu_device_ops *ops = s->config.ops;

	for (uint32_t i = 0; i < ops->num_regions; i++) {
		s->regions[i] = (struct vfu_region){.fd = -1};
		ops->region_info(s->config.dev, i, &s->regions[i]);
	}
}

/*
 * The reply is as long as the request's fixed part: rust-vmm reads 16 bytes or, in its older form,
 * 20, whatever its argsz says; linux/vfio.h has 24 by now.
 */
int vfu_on_info(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r)
{
	const struct vfu_device_ops *ops = c->server->config.ops;
	struct vfu_device_info info;

	memset(&info, 0, sizeof(info));
	memcpy(&info, m->payload, VFU_DEVICE_INFO_MIN);
	if (info.argsz < VFU_DEVICE_INFO_MIN || (m->len & 3))
		return -EINVAL;
	r->len = m->len;
	info = (struct vfu_device_info){
		.argsz = (uint32_t)r->len,
		.flags = VFU_INFO_PCI | (ops->reset ? VFU_INFO_RESET : 0),
		.num_regions = ops->num_regions,
		.num_irqs = ops->num_irqs,
	};
	memcpy(r->data, &info, r->len);
	return 0;
}

/* Appends the region's capabilities at `out` (NULL: only counts). Returns their bytes. */
static uint32_t region_caps(const struct vfu_region *region, uint8_t *out)
{
	bool sparse = (region->flags & VFU_REGION_FLAG_MMAP) && region->area_count;
	uint32_t n = 0;

	if (sparse) {
		struct vfu_cap_sparse cap = {
			.header = {.id = VFU_CAP_SPARSE_MMAP, .version = 1},
			.nr_areas = region->area_count,
		};
		uint32_t areas = region->area_count * (uint32_t)sizeof(region->areas[0]);

		if (region->type)
			cap.header.next =
				(uint32_t)(sizeof(struct vfu_region_info) + sizeof(cap)) + areas;
		if (out) {
			memcpy(out, &cap, sizeof(cap));
			memcpy(out + sizeof(cap), region->areas, areas);
		}
		n = (uint32_t)sizeof(cap) + areas;
	}
	if (region->type) {
		struct vfu_cap_type cap = {
			.header = {.id = VFU_CAP_TYPE, .version = 1},
			.type = region->type,
			.subtype = region->subtype,
		};

		if (out)
			memcpy(out + n, &cap, sizeof(cap));
		n += (uint32_t)sizeof(cap);
	}
	return n;
}

/*
 * Two passes: a client whose argsz is too small for the capabilities gets the fixed part with the
 * argsz it needs, and asks again. Also that first answer carries a valid cap_offset: QEMU refuses a
 * region with the CAPS flag and cap_offset 0. The fd comes with the answer that is complete.
 */
int vfu_on_region_info(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r)
{
	const struct vfu_region *region;
	struct vfu_region_info info;
	uint32_t argsz, caps;

	memcpy(&info, m->payload, sizeof(info));
	argsz = info.argsz;
	if (argsz < sizeof(info) || info.index >= c->server->config.ops->num_regions)
		return -EINVAL;
	region = &c->server->regions[info.index];
	caps = region_caps(region, NULL);
	info = (struct vfu_region_info){
		.argsz = (uint32_t)sizeof(info) + caps,
		.flags = region->size ? region->flags : 0,
		.index = info.index,
		.cap_offset = caps ? (uint32_t)sizeof(info) : 0,
		.size = region->size,
		.offset = (region->flags & VFU_REGION_FLAG_MMAP) ? region->fd_offset : 0,
	};
	info.flags |= caps ? VFU_REGION_FLAG_CAPS : 0;
	memcpy(r->data, &info, sizeof(info));
	r->len = sizeof(info);
	if (argsz < info.argsz)
		return 0;
	r->len += region_caps(region, r->data + r->len);
	if (info.flags & VFU_REGION_FLAG_MMAP)
		r->fd = region->fd;
	return 0;
}

/* No region has descriptors that stand for accesses. */
int vfu_on_region_io_fds(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r)
{
	struct vfu_io_fds io;

	memcpy(&io, m->payload, sizeof(io));
	if (io.argsz < sizeof(io) || io.flags || io.count ||
		io.index >= c->server->config.ops->num_regions)
		return -EINVAL;
	io.argsz = sizeof(io);
	memcpy(r->data, &io, sizeof(io));
	r->len = sizeof(io);
	return 0;
}

/* The checks that reads and writes share. */
static int check_access(const struct vfu_conn *c, const struct vfu_region_rw *rw, uint32_t flag)
{
	const struct vfu_region *region;

	if (rw->region >= c->server->config.ops->num_regions)
		return -EINVAL;
	region = &c->server->regions[rw->region];
	if (!(region->flags & flag) || range_bad(rw->offset, rw->count, region->size))
		return -EINVAL;
	return 0;
}

int vfu_on_region_read(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r)
{
	const struct vfu_server_config *config = &c->server->config;
	struct vfu_region_rw rw;
	int ret;

	memcpy(&rw, m->payload, sizeof(rw));
	ret = check_access(c, &rw, VFU_REGION_FLAG_READ);
	if (ret || rw.count > c->client_max_data)
		return -EINVAL;
	memcpy(r->data, &rw, sizeof(rw));
	r->len = sizeof(rw) + rw.count;
	if (!rw.count)
		return 0;
	/* The buffer held earlier replies: a device that writes less must not show them. */
	memset(r->data + sizeof(rw), 0, rw.count);
	return config->ops->region_read(
		config->dev, rw.region, rw.offset, r->data + sizeof(rw), rw.count);
}

int vfu_on_region_write(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r)
{
	const struct vfu_server_config *config = &c->server->config;
	struct vfu_region_rw rw;
	int ret;

	memcpy(&rw, m->payload, sizeof(rw));
	ret = check_access(c, &rw, VFU_REGION_FLAG_WRITE);
	if (ret || rw.count != m->len - sizeof(rw) || rw.count > VFU_MAX_DATA)
		return -EINVAL;
	memcpy(r->data, &rw, sizeof(rw));
	r->len = sizeof(rw);
	if (!rw.count)
		return 0;
	return config->ops->region_write(
		config->dev, rw.region, rw.offset, m->payload + sizeof(rw), rw.count);
}
