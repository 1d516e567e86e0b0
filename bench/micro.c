// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The measurements of bench/run that need no VM. Prints "unit [against]", then a line a repetition:
 * our figure and, where it compares, the other side's, both measured in turn.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "bench/micro.h"
#include "mem/mem.h"
#include "vfu/client.h"
#include "vfu/server.h"

#define REPEATS	   15
#define ROUNDTRIPS 4000
#define POSTED	   50000

uint64_t bench_now_ns(void)
{
	struct clock c;

	clock_init_real(&c);
	return clock_now_ns(&c);
}

void bench_pin(void)
{
	cpu_set_t now, one;

	CPU_ZERO(&one);
	sched_getaffinity(0, sizeof(now), &now);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET(i, &now)) {
			CPU_SET(i, &one);
			break;
		}
	}
	sched_setaffinity(0, sizeof(one), &one);
}

_Noreturn void bench_die(const char *what)
{
	fprintf(stderr, "bench-micro: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ------------------------------------------------------------------ wire */

static uint32_t word;

static void dev_region_info(void *dev, uint32_t index, struct vfu_region *out)
{
	if (index == 0)
		*out = (struct vfu_region){.size = 4096, .flags = 3, .fd = -1};
}

static uint32_t dev_irq_count(void *dev, uint32_t index)
{
	return 0;
}

static int dev_read(void *dev, uint32_t index, uint64_t offset, void *data, size_t len)
{
	memcpy(data, &word, len < 4 ? len : 4);
	return 0;
}

static int dev_write(void *dev, uint32_t index, uint64_t offset, const void *data, size_t len)
{
	memcpy(&word, data, len < 4 ? len : 4);
	return 0;
}

static void dev_nothing(void *dev)
{
}

static const struct vfu_device_ops dev_ops = {
	.num_regions = 9,
	.num_irqs = 5,
	.region_info = dev_region_info,
	.irq_count = dev_irq_count,
	.region_read = dev_read,
	.region_write = dev_write,
	.reset = dev_nothing,
	.attached = dev_nothing,
	.detached = dev_nothing,
};

struct wire {
	struct mem mem;
	struct vfu_server *server;
	struct vfu_client *client;
};

static void wire_open(struct wire *w)
{
	int fds[2];
	struct vfu_version version;
	char answer[256];
	struct err e = {0};

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) || mem_init(&w->mem))
		bench_die("socketpair");
	w->server = vfu_server_create(
		&(struct vfu_server_config){.fd = fds[0], .ops = &dev_ops, .mem = &w->mem}, &e);
	if (!w->server || vfu_server_start(w->server, &e))
		bench_die(e.what);
	w->client = vfu_client_create(fds[1], &e);
	if (!w->client ||
		vfu_client_negotiate(w->client, 0, NULL, &version, answer, sizeof(answer)))
		bench_die("negotiate");
}

static void wire_close(struct wire *w)
{
	vfu_client_destroy(w->client);
	vfu_server_destroy(w->server);
	mem_finish(&w->mem);
}

/* The other side of the bare socket: 32 bytes in, 36 out, as a 4-byte REGION_READ has them. */
static void *echo(void *arg)
{
	int fd = *(int *)arg;
	char buf[64] = {0};

	while (recv(fd, buf, 32, MSG_WAITALL) == 32) {
		if (send(fd, buf, 36, 0) != 36)
			break;
	}
	return NULL;
}

static void wire_read_roundtrip(void)
{
	struct wire w;
	pthread_t thread;
	int fds[2];
	char buf[64] = {0};

	printf("us socketpair\n");
	bench_pin();
	wire_open(&w);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) ||
		pthread_create(&thread, NULL, echo, &fds[0]))
		bench_die("echo");
	for (int r = -1; r < REPEATS; r++) {
		uint64_t t0 = bench_now_ns(), t1, t2;

		for (int i = 0; i < ROUNDTRIPS; i++) {
			uint32_t v;

			if (vfu_client_region_read(w.client, 0, 16, &v, sizeof(v)))
				bench_die("read");
		}
		t1 = bench_now_ns();
		for (int i = 0; i < ROUNDTRIPS; i++) {
			if (send(fds[1], buf, 32, 0) != 32 ||
				recv(fds[1], buf, 36, MSG_WAITALL) != 36)
				bench_die("ping");
		}
		t2 = bench_now_ns();
		if (r >= 0)
			printf("%.4f %.4f\n", (double)(t1 - t0) / ROUNDTRIPS / 1e3,
				(double)(t2 - t1) / ROUNDTRIPS / 1e3);
	}
	close(fds[1]);
	pthread_join(thread, NULL);
	close(fds[0]);
	wire_close(&w);
}

static void wire_posted_write(void)
{
	struct wire w;

	printf("us\n");
	bench_pin();
	wire_open(&w);
	for (int r = -1; r < REPEATS; r++) {
		uint64_t t0 = bench_now_ns();
		uint32_t v = 1;

		for (int i = 0; i < POSTED; i++) {
			if (vfu_client_region_post(w.client, 0, 16, &v, sizeof(v)))
				bench_die("post");
		}
		if (vfu_client_region_read(w.client, 0, 16, &v, sizeof(v))) /* fence */
			bench_die("read");
		if (r >= 0)
			printf("%.4f\n", (double)(bench_now_ns() - t0) / POSTED / 1e3);
	}
	wire_close(&w);
}

static const struct {
	const char *name;
	void (*run)(void);
} benches[] = {
	{"wire.read_roundtrip", wire_read_roundtrip},
	{"wire.posted_write", wire_posted_write},
	{"cs.noop_ns", bench_cs_noop},
	{"cs.store_dword_ns", bench_cs_store_dword},
	{"blt.linear_copy", bench_blt_linear_copy},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(benches); i++) {
		if (strcmp(argv[1], benches[i].name) == 0) {
			benches[i].run();
			return 0;
		}
	}
	fprintf(stderr, "usage: bench-micro NAME; one of:");
	for (size_t i = 0; i < ARRAY_SIZE(benches); i++)
		fprintf(stderr, " %s", benches[i].name);
	fputc('\n', stderr);
	return 2;
}
