/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Server and client library against each other, each on its own thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/util.h"
#include "vfu/client.h"
#include "vfu/server.h"

#define BAR_BYTES 4096

struct dev {
	uint8_t bar[BAR_BYTES];
	int fail; /* what the next accesses return */
	_Atomic int resets, attached, detached, ended;
	struct mem mem;
	struct vfu_server *server;
	struct vfu_client *client;
	char path[64];
	int memory;
};

static void region_info(void *arg, uint32_t index, struct vfu_region *out)
{
	struct dev *d = arg;

	*out = (struct vfu_region){.fd = -1};
	if (index == 0 || index == 7)
		*out = (struct vfu_region){.size = BAR_BYTES, .flags = 3, .fd = -1};
	if (index == 2)
		*out = (struct vfu_region){
			.size = 16384,
			.flags = 7,
			.fd = d->memory,
			.fd_offset = 4096,
			.area_count = 2,
			.areas = {{0, 4096}, {8192, 8192}},
		};
	if (index == 9)
		*out = (struct vfu_region){
			.size = 4096, .flags = 1, .fd = -1, .type = 0x80008086, .subtype = 3};
}

static uint32_t irq_count(void *arg, uint32_t index)
{
	return index == 0 ? 1 : index == 1 ? 2 : 0;
}

static int region_read(void *arg, uint32_t index, uint64_t offset, void *data, size_t len)
{
	struct dev *d = arg;

	memcpy(data, d->bar + offset, len);
	return d->fail;
}

static int region_write(void *arg, uint32_t index, uint64_t offset, const void *data, size_t len)
{
	struct dev *d = arg;

	if (!d->fail)
		memcpy(d->bar + offset, data, len);
	return d->fail;
}

static void reset(void *arg)
{
	((struct dev *)arg)->resets++;
}

static void attached(void *arg)
{
	((struct dev *)arg)->attached++;
}

static void detached(void *arg)
{
	((struct dev *)arg)->detached++;
}

static void ended(void *arg)
{
	((struct dev *)arg)->ended++;
}

static const struct vfu_device_ops ops = {
	.num_regions = 10,
	.num_irqs = 5,
	.region_info = region_info,
	.irq_count = irq_count,
	.region_read = region_read,
	.region_write = region_write,
	.reset = reset,
	.attached = attached,
	.detached = detached,
};

static struct vfu_client *connect_to(struct dev *d)
{
	struct vfu_client *c = vfu_client_connect(d->path, NULL);

	assert_non_null(c);
	assert_int_equal(vfu_client_negotiate(c, 0, NULL, NULL, NULL, 0), 0);
	return c;
}

static int setup(void **state)
{
	struct dev *d = calloc(1, sizeof(*d));
	struct vfu_server_config config = {.fd = -1, .ops = &ops, .dev = d};
	struct err e;

	config.mem = &d->mem;
	snprintf(d->path, sizeof(d->path), "/tmp/ugvt-server-test-%d.sock", getpid());
	config.socket_path = d->path;
	d->memory = memfd_create("bar", MFD_CLOEXEC);
	assert_int_equal(ftruncate(d->memory, 32768), 0);
	assert_int_equal(mem_init(&d->mem), 0);
	d->server = vfu_server_create(&config, &e);
	assert_non_null(d->server);
	assert_int_equal(vfu_server_start(d->server, &e), 0);
	d->client = connect_to(d);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct dev *d = *state;

	vfu_client_destroy(d->client);
	vfu_server_destroy(d->server);
	assert_int_equal(access(d->path, F_OK), -1);
	assert_int_equal(d->attached, d->detached);
	mem_finish(&d->mem);
	close(d->memory);
	free(d);
	return 0;
}

static void test_negotiate(void **state)
{
	struct dev *d = *state;
	struct vfu_version v;
	char json[256];

	assert_true(vfu_attached(d->server));
	assert_int_equal(vfu_client_negotiate(d->client, 0, NULL, NULL, NULL, 0), -EINVAL);
	vfu_client_destroy(d->client);
	d->client = vfu_client_connect(d->path, NULL);
	assert_int_equal(vfu_client_negotiate(d->client, 1, NULL, &v, json, sizeof(json)), 0);
	assert_int_equal(v.minor, 1);
	assert_string_equal(json,
		"{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576,"
		"\"max_dma_maps\":65535,\"pgsizes\":4096}}");
}

static void test_info(void **state)
{
	struct dev *d = *state;
	struct vfu_device_info info;
	struct vfu_irq_info irq;
	struct vfu_region r;

	assert_int_equal(vfu_client_info(d->client, &info), 0);
	assert_int_equal(info.flags, VFU_INFO_PCI | VFU_INFO_RESET);
	assert_int_equal(info.num_regions, 10);
	assert_int_equal(vfu_client_irq_info(d->client, 1, &irq), 0);
	assert_int_equal(irq.count, 2);
	assert_int_equal(vfu_client_region_info(d->client, 0, &r), 0);
	assert_int_equal(r.size, BAR_BYTES);
	assert_int_equal(r.fd, -1);
	assert_int_equal(vfu_client_region_info(d->client, 2, &r), 0);
	assert_true(r.fd >= 0);
	assert_int_equal(r.fd_offset, 4096);
	assert_int_equal(r.area_count, 2);
	assert_int_equal(r.areas[1].offset, 8192);
	close(r.fd);
	assert_int_equal(vfu_client_region_info(d->client, 9, &r), 0);
	assert_int_equal(r.type, 0x80008086);
	assert_int_equal(r.subtype, 3);
	assert_int_equal(vfu_client_region_info(d->client, 10, &r), -EINVAL);
}

static void test_access(void **state)
{
	struct dev *d = *state;
	struct vfu_stats before, after;
	uint32_t v = 0x12345678, got = 0;

	assert_int_equal(vfu_client_region_write(d->client, 0, 8, &v, 4), 0);
	assert_int_equal(vfu_client_region_read(d->client, 0, 8, &got, 4), 0);
	assert_int_equal(got, v);
	d->fail = -EIO;
	assert_int_equal(vfu_client_region_read(d->client, 0, 8, &got, 4), -EIO);
	assert_int_equal(vfu_client_region_write(d->client, 0, 8, &v, 4), -EIO);
	d->fail = 0;
	vfu_stats_get(d->server, &before);
	for (v = 0; v < 1000; v++)
		assert_int_equal(vfu_client_region_post(d->client, 0, v % 1000 * 4, &v, 4), 0);
	assert_int_equal(vfu_client_region_read(d->client, 0, 3996, &got, 4), 0);
	assert_int_equal(got, 999);
	vfu_stats_get(d->server, &after);
	assert_int_equal(after.posted - before.posted, 1000);
	assert_int_equal(after.messages[VFU_REGION_READ] - before.messages[VFU_REGION_READ], 1);
	assert_int_equal(vfu_client_reset(d->client), 0);
	assert_int_equal(d->resets, 1);
}

static void test_irqs(void **state)
{
	struct dev *d = *state;
	int fds[2] = {eventfd(0, EFD_NONBLOCK), eventfd(0, EFD_NONBLOCK)};
	uint64_t n;

	assert_false(vfu_irq_raise(d->server, 1, 0));
	assert_int_equal(
		vfu_client_set_irqs(d->client, VFU_IRQ_DATA_EVENTFD | VFU_IRQ_ACTION_TRIGGER, 1, 0,
			2, NULL, fds, 2),
		0);
	assert_true(vfu_irq_raise(d->server, 1, 1));
	assert_int_equal(read(fds[0], &n, 8), -1);
	assert_int_equal(read(fds[1], &n, 8), 8);
	assert_false(vfu_irq_raise(d->server, 1, 2));
	assert_false(vfu_irq_raise(d->server, 99, 0));
	assert_int_equal(vfu_client_set_irqs(d->client, VFU_IRQ_DATA_NONE | VFU_IRQ_ACTION_TRIGGER,
				 1, 0, 0, NULL, NULL, 0),
		0);
	assert_false(vfu_irq_raise(d->server, 1, 1));
	close(fds[0]);
	close(fds[1]);
}

static void test_maps(void **state)
{
	struct dev *d = *state;
	int fd = memfd_create("ram", MFD_CLOEXEC);
	struct gpa gpa = {0x100000};
	char out[6];

	assert_int_equal(ftruncate(fd, 65536), 0);
	assert_int_equal(pwrite(fd, "there", 6, 4096), 6);
	assert_int_equal(vfu_client_dma_map(d->client, gpa, 8192, 3, fd, 0), 0);
	assert_int_equal(vfu_client_dma_map(d->client, gpa, 8192, 3, fd, 0), -EEXIST);
	assert_int_equal(mem_read(&d->mem, (struct gpa){0x101000}, out, 6), 0);
	assert_string_equal(out, "there");
	assert_int_equal(vfu_client_dma_unmap(d->client, gpa, 4096), -ENOENT);
	assert_int_equal(vfu_client_dma_unmap(d->client, gpa, 8192), 0);
	assert_int_equal(vfu_client_dma_map(d->client, gpa, 8192, 3, -1, 0), 0);
	assert_int_equal(vfu_client_dma_unmap_all(d->client), 0);
	assert_int_equal(mem_read(&d->mem, gpa, out, 1), -EFAULT);
	close(fd);
}

/* ---- DMA_READ and DMA_WRITE, from several threads while the client goes on reading ---- */

struct dma {
	struct dev *d;
	uint8_t memory[65536];
	_Atomic int running;
};

static int serve(void *arg, bool write, struct gpa gpa, void *data, size_t len)
{
	struct dma *x = arg;

	if (gpa.v > sizeof(x->memory) || len > sizeof(x->memory) - gpa.v)
		return -EFAULT;
	if (write)
		memcpy(x->memory + gpa.v, data, len);
	else
		memcpy(data, x->memory + gpa.v, len);
	return 0;
}

static void *dma_thread(void *arg)
{
	struct dma *x = arg;
	uint8_t buf[3000], back[3000];
	uint64_t at = 4096 * (uint64_t)atomic_fetch_add(&x->running, 1);

	for (int i = 0; i < 50; i++) {
		memset(buf, i + (int)(at >> 12), sizeof(buf));
		if (vfu_dma_write(x->d->server, (struct gpa){at}, buf, sizeof(buf)) ||
			vfu_dma_read(x->d->server, (struct gpa){at}, back, sizeof(back)) ||
			memcmp(buf, back, sizeof(buf)))
			abort();
	}
	if (vfu_dma_read(x->d->server, (struct gpa){1 << 20}, back, 4) != -EFAULT)
		abort();
	return NULL;
}

static void *join_all(void *arg)
{
	struct dma *x = arg;
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, dma_thread, x);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	atomic_store(&x->running, 0);
	return NULL;
}

static void test_dma(void **state)
{
	struct dev *d = *state;
	struct dma *x = calloc(1, sizeof(*x));
	uint32_t v;
	pthread_t t;

	x->d = d;
	vfu_client_on_dma(d->client, serve, x);
	pthread_create(&t, NULL, join_all, x);
	while (!atomic_load(&x->running))
		usleep(100);
	while (atomic_load(&x->running)) {
		assert_int_equal(vfu_client_region_read(d->client, 0, 0, &v, 4), 0);
		assert_int_equal(vfu_client_serve(d->client, 1), 0);
	}
	pthread_join(t, NULL);
	free(x);
}

/* A reply that never comes: the connection's end frees who waits. */
static void *wait_in_vain(void *arg)
{
	struct dev *d = arg;
	char c;

	return (void *)(intptr_t)vfu_dma_read(d->server, (struct gpa){0}, &c, 1);
}

static void test_dma_after_the_end(void **state)
{
	struct dev *d = *state;
	void *ret;
	pthread_t t;
	char c;

	pthread_create(&t, NULL, wait_in_vain, d);
	/* It has asked when its message is here. */
	assert_int_equal(recv(vfu_client_fd(d->client), &c, 1, MSG_PEEK), 1);
	vfu_client_destroy(d->client);
	d->client = NULL;
	pthread_join(t, &ret);
	assert_int_equal((intptr_t)ret, -ENOTCONN);
	while (vfu_attached(d->server))
		usleep(100);
	assert_int_equal(vfu_dma_read(d->server, (struct gpa){0}, &c, 1), -ENOTCONN);
}

/* ---- connections ---- */

static void test_second_client(void **state)
{
	struct dev *d = *state;
	struct vfu_client *c = vfu_client_connect(d->path, NULL);
	struct vfu_stats s;

	assert_int_equal(vfu_client_negotiate(c, 0, NULL, NULL, NULL, 0), -EBUSY);
	vfu_client_destroy(c);
	vfu_stats_get(d->server, &s);
	assert_int_equal(s.refused, 1);
	/* As device_del and device_add do: at once, and never refused. */
	for (int i = 0; i < 200; i++) {
		vfu_client_destroy(d->client);
		d->client = connect_to(d);
	}
	vfu_stats_get(d->server, &s);
	assert_int_equal(s.refused, 1);
	assert_int_equal(s.connections, 201);
}

static void test_connected_pair(void **state)
{
	struct dev *d = *state;
	struct vfu_server_config config = {.ops = &ops, .dev = d, .mem = &d->mem};
	struct vfu_server *server;
	struct vfu_client *c;
	int pair[2];

	config.ended = ended;
	config.ended_arg = d;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	config.fd = pair[0];
	server = vfu_server_create(&config, NULL);
	assert_non_null(server);
	assert_int_equal(vfu_server_start(server, NULL), 0);
	c = vfu_client_create(pair[1], NULL);
	assert_int_equal(vfu_client_negotiate(c, 0, NULL, NULL, NULL, 0), 0);
	assert_int_equal(vfu_client_reset(c), 0);
	vfu_client_destroy(c);
	while (!d->ended)
		usleep(100);
	vfu_server_destroy(server);
}

static void test_refused_sockets(void **state)
{
	struct dev *d = *state;
	struct vfu_server_config config = {.ops = &ops, .dev = d, .mem = &d->mem, .fd = -1};
	struct err e = {0};

	config.socket_path = d->path;
	assert_null(vfu_server_create(&config, &e));
	assert_int_equal(e.code, -EADDRINUSE);
	assert_non_null(strstr(e.help, "another path"));
	config.socket_path = "/proc/nothing/here";
	assert_null(vfu_server_create(&config, &e));
	config.socket_path = "";
	assert_null(vfu_server_create(&config, &e));
	assert_int_equal(e.code, -ENAMETOOLONG);
	config.socket_path = NULL;
	config.fd = d->memory;
	assert_null(vfu_server_create(&config, &e));
	assert_int_equal(e.code, -ENOTSOCK);
	assert_int_equal(lseek(d->memory, 0, SEEK_SET), 0); /* still ours */
}

static void test_stop_before_start(void **state)
{
	struct dev *d = *state;
	struct vfu_server_config config = {.ops = &ops, .dev = d, .mem = &d->mem, .fd = -1};
	char path[80];
	struct vfu_server *s;

	snprintf(path, sizeof(path), "%s.2", d->path);
	config.socket_path = path;
	for (int i = 0; i < 20; i++) {
		s = vfu_server_create(&config, NULL);
		assert_non_null(s);
		if (i & 1)
			assert_int_equal(vfu_server_start(s, NULL), 0);
		vfu_server_destroy(s);
		assert_int_equal(access(path, F_OK), -1);
	}
	vfu_server_destroy(NULL);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_negotiate),
		T(test_info),
		T(test_access),
		T(test_irqs),
		T(test_maps),
		T(test_dma),
		T(test_dma_after_the_end),
		T(test_second_client),
		T(test_connected_pair),
		T(test_refused_sockets),
		T(test_stop_before_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
