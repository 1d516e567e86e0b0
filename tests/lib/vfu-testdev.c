/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device of plain memory over our vfio-user server, for wire tests that need no GPU.
 *
 * usage: vfu-testdev --socket-path PATH | --fd N [--region INDEX:BYTES:FLAGS]... [--irq INDEX:COUNT]...
 *                    [--max-maps N] [--spin-us N] [--no-reset]
 * FLAGS: r, w, m (whole region mappable), s (two sparse areas), t (type capability).
 *
 * Region 5 is the control block:
 *   0x00 u32  write INDEX << 16 | VECTOR: raises it; reads 1 when somebody listened
 *   0x08 u64  address, 0x10 u32 bytes, 0x14 u32 operation: writing it starts one of
 *             1 vfu_dma_read, 2 vfu_dma_write, 3 mem_read, 4 mem_write on another thread,
 *             5 vfu_dma_read on the connection's own
 *   0x18 i32  its result, 0x1c u32 1 while it runs
 *   0x20 u32  resets, 0x24 u32 attached, 0x28 u32 detached, 0x2c u32 INTx unmasked
 *   0x30 u32  write MS: this access takes so long
 *   0x800     2048 bytes that the operation reads or writes
 *
 * Prints its counters as one JSON object a line at SIGUSR1 and at its end (SIGTERM, SIGINT, or when
 * the client of a connected --fd is gone).
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "mem/mem.h"
#include "vfu/protocol.h"
#include "vfu/server.h"

#define REGIONS	      16
#define IRQS	      5
#define CONTROL	      5
#define CONTROL_BYTES 4096
#define BUF_AT	      0x800

struct control {
	_Atomic uint32_t irq;
	uint32_t pad;
	_Atomic uint64_t addr;
	_Atomic uint32_t len, op;
	_Atomic int32_t result;
	_Atomic uint32_t busy;
	_Atomic uint32_t resets, attached, detached, unmasked;
};

static struct vfu_region regions[REGIONS];
static uint8_t *bytes[REGIONS];
static uint32_t irqs[IRQS];
static struct control control;
static uint8_t control_buf[CONTROL_BYTES - BUF_AT];
static struct mem mem;
static struct vfu_server *server;

static void region_info(void *dev, uint32_t index, struct vfu_region *out)
{
	*out = regions[index];
}

static uint32_t irq_count(void *dev, uint32_t index)
{
	return irqs[index];
}

static void operation(void)
{
	size_t len = min_u64(control.len, sizeof(control_buf));
	struct gpa gpa = {control.addr};
	uint32_t op = control.op;

	switch (op) {
	case 1:
	case 5:
		control.result = vfu_dma_read(server, gpa, control_buf, len);
		break;
	case 2:
		control.result = vfu_dma_write(server, gpa, control_buf, len);
		break;
	case 3:
		control.result = mem_read(&mem, gpa, control_buf, len);
		break;
	case 4:
		control.result = mem_write(&mem, gpa, control_buf, len);
		break;
	default:
		control.result = -EINVAL;
	}
	control.busy = 0;
}

static void *worker(void *arg)
{
	operation();
	return NULL;
}

static void control_write(uint64_t offset, const void *data, size_t len)
{
	pthread_t t;

	if (offset >= BUF_AT) {
		memcpy(control_buf + offset - BUF_AT, data, len);
		return;
	}
	if (offset + len > sizeof(control))
		return;
	memcpy((uint8_t *)&control + offset, data, len);
	if (offset == 0)
		control.irq = vfu_irq_raise(server, control.irq >> 16, control.irq & 0xffff);
	if (offset == offsetof(struct control, op)) {
		control.busy = 1;
		if (control.op == 5)
			operation();
		else if (pthread_create(&t, NULL, worker, NULL) == 0)
			pthread_detach(t);
	}
}

static int region_read(void *dev, uint32_t index, uint64_t offset, void *data, size_t len)
{
	uint8_t block[CONTROL_BYTES] = {0};

	if (index != CONTROL) {
		memcpy(data, bytes[index] + offset, len);
		return 0;
	}
	memcpy(block, &control, sizeof(control));
	memcpy(block + BUF_AT, control_buf, sizeof(control_buf));
	memcpy(data, block + offset, len);
	return 0;
}

static int region_write(void *dev, uint32_t index, uint64_t offset, const void *data, size_t len)
{
	uint32_t ms;

	if (index != CONTROL) {
		memcpy(bytes[index] + offset, data, len);
		return 0;
	}
	if (offset == 0x30 && len == sizeof(ms)) {
		memcpy(&ms, data, sizeof(ms));
		usleep(ms * 1000);
		return 0;
	}
	control_write(offset, data, len);
	return 0;
}

static void reset(void *dev)
{
	control.resets++;
}

static void attached(void *dev)
{
	control.attached++;
}

static void detached(void *dev)
{
	control.detached++;
}

static void irq_unmasked(void *dev, uint32_t index)
{
	control.unmasked++;
}

static void ended(void *arg)
{
	kill(getpid(), SIGTERM);
}

static int region_add(uint32_t index, uint64_t size, const char *flags)
{
	struct vfu_region *r = &regions[index];

	*r = (struct vfu_region){.size = size, .fd = -1};
	if (!size)
		return 0;
	if (strchr(flags, 'r'))
		r->flags |= VFU_REGION_FLAG_READ;
	if (strchr(flags, 'w'))
		r->flags |= VFU_REGION_FLAG_WRITE;
	if (strchr(flags, 't')) {
		r->type = 0x80008086;
		r->subtype = 1;
	}
	r->fd = memfd_create("region", MFD_CLOEXEC);
	if (r->fd < 0 || ftruncate(r->fd, (off_t)size))
		return -errno;
	bytes[index] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (bytes[index] == MAP_FAILED)
		return -errno;
	if (strpbrk(flags, "ms"))
		r->flags |= VFU_REGION_FLAG_MMAP;
	if (strchr(flags, 's')) {
		r->area_count = 2;
		r->areas[0] = (struct vfu_area){.offset = 0, .size = size / 4};
		r->areas[1] = (struct vfu_area){.offset = size / 2, .size = size / 4};
	}
	return 0;
}

static void print_stats(void)
{
	struct vfu_stats v;
	struct mem_stats m;
	uint64_t messages = 0;

	vfu_stats_get(server, &v);
	mem_stats_get(&mem, &m);
	for (size_t i = 0; i < ARRAY_SIZE(v.messages); i++)
		messages += v.messages[i];
	printf("{\"messages\":%" PRIu64 ",\"unknown\":%" PRIu64 ",\"posted\":%" PRIu64
	       ",\"errors\":%" PRIu64 ",\"connections\":%" PRIu64 ",\"refused\":%" PRIu64
	       ",\"irqs\":%" PRIu64 ",\"attached\":%s,\"maps\":%" PRIu64 ",\"maps_ever\":%" PRIu64
	       ",\"bytes\":%" PRIu64 ",\"fdless\":%" PRIu64 ",\"leaked\":%" PRIu64
	       ",\"sigbus\":%" PRIu64 ",\"shrunk\":%s}\n",
		messages, v.messages[0], v.posted, v.errors, v.connections, v.refused, v.irqs,
		vfu_attached(server) ? "true" : "false", m.maps, m.maps_ever, m.bytes, m.fdless,
		m.leaked, m.sigbus, mem_shrunk(&mem) ? "true" : "false");
	fflush(stdout);
}

static struct vfu_device_ops ops = {
	.num_regions = 10,
	.num_irqs = IRQS,
	.region_info = region_info,
	.irq_count = irq_count,
	.region_read = region_read,
	.region_write = region_write,
	.reset = reset,
	.attached = attached,
	.detached = detached,
	.irq_unmasked = irq_unmasked,
};

/* Enough of a config space for QEMU to realize a device: ids, a class, INTx pin, MSI. */
static void fill_config(void)
{
	static const uint8_t header[] = {0xf4, 0x1a, 0xf0, 0x10, 0, 0, 0x10, 0, 1, 0, 0, 0xff};
	static const uint8_t msi[] = {5, 0, 2 << 1, 0}; /* 4 vectors, 32-bit */

	memcpy(bytes[7], header, sizeof(header));
	memcpy(bytes[7] + 0x40, msi, sizeof(msi));
	bytes[7][0x34] = 0x40;
	bytes[7][0x3d] = 1;
}

static int defaults(void)
{
	static const struct {
		uint64_t size;
		const char *flags;
	} rows[10] = {
		{KIB(64), "rw"},       /* BAR0 */
		{0, ""},	       /* none */
		{MIB(1), "rwm"},       /* BAR2: all of it mappable */
		{KIB(64), "rws"},      /* BAR3: sparse areas */
		{KIB(4), "w"},	       /* BAR4: write only */
		{CONTROL_BYTES, "rw"}, /* the control block */
		{KIB(64), "r"},	       /* ROM */
		{256, "rw"},	       /* config space */
		{0, ""},	       /* VGA */
		{KIB(16), "rwst"},     /* device specific: type and sparse capabilities */
	};
	int ret = 0;

	for (uint32_t i = 0; i < ARRAY_SIZE(rows) && !ret; i++)
		ret = region_add(i, rows[i].size, rows[i].flags);
	irqs[0] = 1;
	irqs[1] = 4;
	if (!ret)
		fill_config();
	return ret;
}

static int usage(void)
{
	fputs("usage: vfu-testdev --socket-path PATH | --fd N [--region INDEX:BYTES:FLAGS]...\n"
	      "                   [--irq INDEX:COUNT]... [--max-maps N] [--spin-us N] "
	      "[--no-reset]\n",
		stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"socket-path", required_argument, NULL, 's'},
		{"fd", required_argument, NULL, 'f'},
		{"region", required_argument, NULL, 'r'},
		{"irq", required_argument, NULL, 'i'},
		{"max-maps", required_argument, NULL, 'm'},
		{"spin-us", required_argument, NULL, 'p'},
		{"no-reset", no_argument, NULL, 'n'},
		{0},
	};
	struct vfu_server_config config = {.fd = -1, .ops = &ops, .mem = &mem, .ended = ended};
	struct err e = {0};
	uint32_t index, n;
	sigset_t set;
	int opt, sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL); /* before any thread: all inherit it */
	signal(SIGPIPE, SIG_IGN);
	if (mem_init(&mem) || defaults()) {
		fprintf(stderr, "vfu-testdev: no memory\n");
		return 1;
	}
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		char flags[16] = "";
		uint64_t size;

		switch (opt) {
		case 's':
			config.socket_path = optarg;
			break;
		case 'f':
			config.fd = atoi(optarg);
			break;
		case 'r':
			if (sscanf(optarg, "%u:%" SCNu64 ":%15s", &index, &size, flags) < 2 ||
				index >= REGIONS || index == CONTROL ||
				region_add(index, size, flags))
				return usage();
			if (index >= ops.num_regions)
				ops.num_regions = index + 1;
			break;
		case 'i':
			if (sscanf(optarg, "%u:%u", &index, &n) != 2 || index >= IRQS)
				return usage();
			irqs[index] = n;
			break;
		case 'm':
			mem.max_maps = strtoull(optarg, NULL, 0);
			break;
		case 'p':
			config.spin_ns = strtoull(optarg, NULL, 0) * NSEC_PER_USEC;
			break;
		case 'n':
			ops.reset = NULL;
			break;
		default:
			return usage();
		}
	}
	if (!config.socket_path && config.fd < 0)
		return usage();
	server = vfu_server_create(&config, &e);
	if (!server || vfu_server_start(server, &e)) {
		err_print("vfu-testdev", &e);
		vfu_server_destroy(server);
		return 1;
	}
	while (sigwait(&set, &sig) == 0 && sig == SIGUSR1)
		print_stats();
	print_stats();
	vfu_server_destroy(server);
	mem_finish(&mem);
	return 0;
}
