/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Start and end of a server: give up rights, make the device, bind the sockets, serve, clean up.
 *
 * The order matters. The janitor is forked first, with the rights that are left to the server and
 * before it has threads. Capabilities belong to a thread and new threads inherit what is left: so they go
 * before the device starts its engines' threads, and root binds the sockets by the rights of files, as
 * everybody does. The seccomp filter goes into all threads when nothing needs to be opened any more,
 * and only then come the threads that clients talk to.
 */
#include "daemon/serve.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/daemon.h"
#include "gen9/vbt.h"
#include "gpu/model/model_api.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

static int platform_find(const char *name, const struct gen9_platform **out, struct err *e)
{
	char names[160] = "there are:";

	*out = gen9_platform_find(name ? name : "kbl-gt2");
	if (*out)
		return 0;
	for (size_t i = 0; i < gen9_platform_count; i++) {
		size_t at = strlen(names);

		snprintf(names + at, sizeof(names) - at, " %s (8086:%04x)", gen9_platforms[i].name,
			gen9_platforms[i].device_id);
	}
	return err_set(e, -EINVAL, names, "no platform \"%s\"", name);
}

static int check_socket(int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st))
		return err_set(e, -errno, "pass an open socket", "--fd=%d", fd);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, -ENOTSOCK, "pass an open socket", "--fd=%d", fd);
	return 0;
}

/* Clients connect to no other name, so that none meets the vfio-user socket by mistake. */
static int check_control(const struct serve_config *config, struct err *e)
{
	const char *path = config->control_path;
	size_t len = path ? strlen(path) : 0;

	if (!path || strcmp(path, "none") == 0)
		return 0;
	if (len < 5 || strcmp(path + len - 4, ".ctl") != 0)
		return err_set(
			e, -EINVAL, "a path that ends in .ctl, or none", "--control=%s", path);
	if (config->socket_path && strcmp(path, config->socket_path) == 0)
		return err_set(e, -EINVAL, "two paths", "--control and --socket-path are the same");
	return 0;
}

static int make_device(struct daemon *d, const struct serve_config *config, struct err *e)
{
	struct model_config model = {
		.platform = d->platform,
		.aperture_bytes = config->aperture_bytes,
		.clock = &d->clock,
		.monitor = !config->no_monitor,
	};
	struct bare_config bare = {
		.clock = &d->clock,
		.class_code = config->class_code,
		.rom_bytes = VBT_ROM_BYTES,
		.writes_waited = config->writes_waited,
	};
	uint8_t *rom;

	d->gpu = model_create(&model, e);
	if (!d->gpu)
		return e->code;
	rom = malloc(VBT_ROM_BYTES);
	if (!rom)
		return err_set(e, -ENOMEM, NULL, "ROM image");
	vbt_build_rom(d->platform->device_id, rom);
	bare.gpu = d->gpu;
	bare.rom = rom;
	d->bare = bare_create(&bare, e);
	free(rom);
	if (!d->bare)
		return e->code;
	bare_trace_set(d->bare, &d->trace);
	mem_listen(&d->mem, bare_listener(d->bare));
	bare_watch(d->bare, &d->mem);
	return 0;
}

/* The one client of an inherited connection went: there is nobody left to serve. */
static void client_ended(void *arg)
{
	struct daemon *d = arg;

	pthread_kill(d->main_thread, SIGTERM);
}

static int bind_sockets(struct daemon *d, const struct serve_config *config, struct err *e)
{
	struct vfu_server_config server = {
		.socket_path = config->socket_path,
		.fd = config->fd,
		.ops = &daemon_front,
		.dev = d,
		.mem = &d->mem,
		.ended = client_ended,
		.ended_arg = d,
	};
	struct control_config control = {
		.path = config->control_path,
		.methods = daemon_methods,
		.method_count = daemon_method_count,
		.arg = d,
		.trace = &d->trace,
	};
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 8];

	d->server = vfu_server_create(&server, e);
	if (!d->server)
		return e->code;
	daemon_front_connect(d);
	if (!control.path && config->socket_path) {
		snprintf(path, sizeof(path), "%s.ctl", config->socket_path);
		control.path = path;
	}
	if (!control.path || strcmp(control.path, "none") == 0) {
		control.path = NULL;
	} else {
		d->control = control_create(&control, e);
		if (!d->control)
			return e->code;
	}
	return janitor_watch(&d->janitor, (const char *const[]){config->socket_path, control.path},
		JANITOR_FILES, e);
}

static int start(struct daemon *d, const struct serve_config *config, struct err *e)
{
	int ret;

	/* Both sockets listen: whoever waits for us can connect. */
	sd_notify(0, "READY=1");
	ret = seccomp_load_list(config->seccomp, e);
	if (ret)
		return ret;
	if (d->control) {
		ret = control_start(d->control, e);
		if (ret)
			return ret;
	}
	return vfu_server_start(d->server, e);
}

static void wait_for_end(const sigset_t *set)
{
	int got;

	do {
		got = sigwaitinfo(set, NULL);
	} while (got < 0 && errno == EINTR);
	log_info("%s: ending", strsignal(got));
}

/* Who may still call whom decides the order: fronts first, then the GPU, then what it looks at. */
static void finish(struct daemon *d)
{
	control_destroy(d->control);
	if (d->server) {
		daemon_front_disconnect(d);
		vfu_server_destroy(d->server);
	}
	mem_finish(&d->mem);
	if (d->bare)
		bare_trace_set(d->bare, NULL);
	bare_destroy(d->bare);
	if (d->gpu)
		d->gpu->ops->destroy(d->gpu);
	trace_finish(&d->trace);
	janitor_finish(&d->janitor);
}

int serve_run(const struct serve_config *config, struct err *e)
{
	struct daemon d = {
		.monitor = !config->no_monitor,
		.class_code = config->class_code,
		.socket_path = config->socket_path,
		.main_thread = pthread_self(),
	};
	struct err ignored = {0};
	sigset_t set, old;
	int ret;

	e = e ? e : &ignored;
	if (!config->socket_path == (config->fd < 0))
		return err_set(e, -EINVAL, "--socket-path PATH or --fd N", "no socket, or two");
	ret = check_control(config, e);
	if (!ret)
		ret = platform_find(config->platform, &d.platform, e);
	if (ret)
		return ret;
	if (config->fd >= 0) {
		ret = check_socket(config->fd, e);
		if (ret)
			return ret;
	}
	/*
	 * One arena: with more, glibc opens /sys to count CPUs for them, and /proc/sys/vm when it
	 * gives one's memory back, which a confined process must not.
	 */
	mallopt(M_ARENA_MAX, 1);
	signal(SIGPIPE, SIG_IGN);
	/* Before the first thread, so that all of them leave these to us. */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, &old);

	if (config->clock_virtual)
		clock_init_virtual(&d.clock, 0);
	else
		clock_init_real(&d.clock);
	d.start_ns = clock_now_ns(&d.clock);
	ret = privileges_drop(e);
	if (!ret)
		ret = janitor_start(&d.janitor, e);
	if (ret)
		goto unmask;
	ret = mem_init(&d.mem);
	if (ret) {
		err_set(e, ret, NULL, "memory map");
		janitor_finish(&d.janitor);
		goto unmask;
	}
	ret = trace_init(&d.trace, DAEMON_TRACE_EVENTS);
	if (ret)
		err_set(e, ret, NULL, "trace ring");
	else
		ret = make_device(&d, config, e);
	if (!ret)
		ret = bind_sockets(&d, config, e);
	if (ret)
		goto out;
	ret = start(&d, config, e);
	if (ret)
		goto out;
	log_info("%s (8086:%04x) on %s", d.platform->title, d.platform->device_id,
		config->socket_path ? config->socket_path : "an inherited socket");
	wait_for_end(&set);
out:
	finish(&d);
unmask:
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret;
}

void serve_print_capabilities(void)
{
	struct json_object *o = json_object_new_object();
	struct json_object *platforms = json_object_new_array();

	for (size_t i = 0; i < gen9_platform_count; i++) {
		json_object_array_add(platforms, json_object_new_string(gen9_platforms[i].name));
	}
	json_object_object_add(o, "type", json_object_new_string("gpu"));
	json_object_object_add(o, "protocol", json_object_new_string("vfio-user"));
	json_object_object_add(o, "features", json_object_new_array());
	json_object_object_add(o, "platforms", platforms);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}
