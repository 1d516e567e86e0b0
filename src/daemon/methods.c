/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be asked of a running server on its control socket: org.ugvt.*. */
#include "base/util.h"
#include "daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <sys/mman.h>

#define STATUS_MAPS_MAX 256

static void add_u64(struct json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

static void add_text(struct json_object *o, const char *key, const char *v)
{
	json_object_object_add(o, key, v ? json_object_new_string(v) : NULL);
}

static void add_bool(struct json_object *o, const char *key, bool v)
{
	json_object_object_add(o, key, json_object_new_boolean(v));
}

static void fail(struct control_call *call, const char *error, const char *reason)
{
	call->error = error;
	add_text(call->out, "reason", reason);
}

/* An unsigned parameter; absent: `*out` stays. False: it is not one, and the call has its error. */
static bool get_uint(struct control_call *call, const char *name, uint64_t max, uint64_t *out)
{
	struct json_object *v;

	if (!json_object_object_get_ex(call->in, name, &v))
		return true;
	if (!json_object_is_type(v, json_type_int) || json_object_get_int64(v) < 0 ||
		json_object_get_uint64(v) > max) {
		control_bad_parameter(call, name);
		return false;
	}
	*out = json_object_get_uint64(v);
	return true;
}

/* A memfd of `len` bytes, mapped; the caller unmaps and closes. */
static int memory_create(const char *name, size_t len, void **map)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)len)) {
		close(fd);
		return -ENOMEM;
	}
	*map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*map == MAP_FAILED) {
		close(fd);
		return -ENOMEM;
	}
	return fd;
}

/* From here on neither side can change it under the other. */
static void memory_seal(int fd, void *map, size_t len)
{
	munmap(map, len);
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
}

/* ------------------------------------------------------------------ Status */

static void status_vfu(struct daemon *d, struct json_object *out)
{
	static const char *const names[32] = {
		[1] = "version",
		[2] = "dma_map",
		[3] = "dma_unmap",
		[4] = "device_get_info",
		[5] = "device_get_region_info",
		[6] = "device_get_region_io_fds",
		[7] = "device_get_irq_info",
		[8] = "device_set_irqs",
		[9] = "region_read",
		[10] = "region_write",
		[11] = "dma_read",
		[12] = "dma_write",
		[13] = "device_reset",
		[15] = "region_write_multi",
		[16] = "device_feature",
		[17] = "mig_data_read",
		[18] = "mig_data_write",
	};
	struct json_object *o = json_object_new_object(), *messages = json_object_new_object();
	struct vfu_stats stats;

	vfu_stats_get(d->server, &stats);
	for (unsigned int i = 0; i < ARRAY_SIZE(stats.messages); i++) {
		char number[16];

		if (!stats.messages[i])
			continue;
		snprintf(number, sizeof(number), "command_%u", i);
		add_u64(messages, names[i] ? names[i] : number, stats.messages[i]);
	}
	json_object_object_add(o, "messages", messages);
	add_u64(o, "posted", stats.posted);
	add_u64(o, "errors", stats.errors);
	add_u64(o, "connections", stats.connections);
	add_u64(o, "refused", stats.refused);
	add_u64(o, "irqs", stats.irqs);
	json_object_object_add(out, "vfu", o);
}

struct maps {
	struct mem_map list[STATUS_MAPS_MAX];
	unsigned int count;
};

/* Inside an epoch section: no allocation here, an unmap waits for it. */
static void add_map(void *arg, const struct mem_map *m)
{
	struct maps *maps = arg;

	if (maps->count < STATUS_MAPS_MAX)
		maps->list[maps->count++] = *m;
}

static void status_memory(struct daemon *d, struct json_object *out)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	struct maps maps = {.count = 0};
	struct mem_stats stats;

	mem_stats_get(&d->mem, &stats);
	add_u64(o, "maps", stats.maps);
	add_u64(o, "maps_ever", stats.maps_ever);
	add_u64(o, "bytes", stats.bytes);
	add_u64(o, "unshared", stats.fdless);
	add_u64(o, "leaked", stats.leaked);
	add_u64(o, "sigbus", stats.sigbus);
	add_bool(o, "shrunk", mem_shrunk(&d->mem));
	mem_each(&d->mem, add_map, &maps);
	for (unsigned int i = 0; i < maps.count; i++) {
		struct json_object *map = json_object_new_object();

		add_u64(map, "gpa", maps.list[i].gpa.v);
		add_u64(map, "bytes", maps.list[i].size_bytes);
		add_bool(map, "shared", maps.list[i].hva.p != NULL);
		add_bool(map, "writable", maps.list[i].flags & MEM_WRITE);
		json_object_array_add(list, map);
	}
	json_object_object_add(o, "list", list);
	json_object_object_add(out, "memory", o);
}

static void method_status(void *arg, struct control_call *call)
{
	struct daemon *d = arg;
	struct json_object *gpu = json_object_new_object();
	char id[16];

	snprintf(id, sizeof(id), "%04x:%04x", d->gpu->info.vendor_id, d->gpu->info.device_id);
	add_text(call->out, "version", DAEMON_VERSION);
	add_text(call->out, "platform", d->platform->name);
	add_text(call->out, "title", d->gpu->info.name);
	add_text(call->out, "pci_id", id);
	add_text(call->out, "socket", d->socket_path);
	add_u64(call->out, "aperture_bytes", d->gpu->info.aperture_bytes);
	json_object_object_add(call->out, "uptime_s",
		json_object_new_double((double)(clock_now_ns(&d->clock) - d->start_ns) / 1e9));
	add_bool(call->out, "attached", vfu_attached(d->server));
	bare_status(d->bare, call->out);
	status_vfu(d, call->out);
	status_memory(d, call->out);
	d->gpu->ops->status(d->gpu, gpu);
	json_object_object_add(call->out, "gpu", gpu);
}

/* ------------------------------------------------------------------ Screenshot */

/* The size can change between the question and the picture: a modeset. Then once more. */
static int picture(struct daemon *d, unsigned int pipe, struct gpu_frame *f)
{
	for (unsigned int try = 0; try < 4; try++) {
		size_t len = (size_t)f->stride * f->height;
		void *map;
		int fd, ret;

		if (!len || len > DAEMON_FRAME_BYTES_MAX)
			return -EINVAL;
		fd = memory_create("ugvt-frame", len, &map);
		if (fd < 0)
			return fd;
		f->pixels = map;
		f->size_bytes = len;
		ret = d->gpu->ops->scanout(d->gpu, pipe, f);
		f->pixels = NULL;
		if (!ret) {
			memory_seal(fd, map, len);
			return fd;
		}
		munmap(map, len);
		close(fd);
		if (ret != -ENOSPC)
			return ret;
	}
	return -EBUSY;
}

static void method_screenshot(void *arg, struct control_call *call)
{
	struct daemon *d = arg;
	struct gpu_frame f = {0};
	uint64_t pipe = 0;
	int ret;

	if (!get_uint(call, "pipe", 2, &pipe))
		return;
	if (!(d->gpu->info.caps & GPU_CAP_SCANOUT))
		return fail(call, "org.ugvt.NoPicture", "this GPU shows no pictures");
	ret = d->gpu->ops->scanout(d->gpu, (unsigned int)pipe, &f);
	if (ret && ret != -ENOSPC)
		return fail(call, "org.ugvt.NoPicture", strerror(-ret));
	ret = picture(d, (unsigned int)pipe, &f);
	if (ret < 0)
		return fail(call, "org.ugvt.NoPicture", strerror(-ret));
	if (!f.on) {
		close(ret);
		return fail(call, "org.ugvt.NoPicture",
			"the pipe is off: the guest's driver has set no mode");
	}
	call->fd = ret;
	add_u64(call->out, "width", f.width);
	add_u64(call->out, "height", f.height);
	add_u64(call->out, "stride", f.stride);
	add_u64(call->out, "frame", f.frame);
	add_text(call->out, "format", "XRGB8888");
}

/* ------------------------------------------------------------------ Trace */

static void method_trace(void *arg, struct control_call *call)
{
	struct daemon *d = arg;
	uint64_t kinds = UINT64_MAX;

	if (!call->more)
		return fail(call, "org.ugvt.NeedsMore", "Trace answers many times: set \"more\"");
	if (!get_uint(call, "kinds", INT64_MAX, &kinds))
		return;
	add_text(call->out, "platform", d->platform->name);
	add_u64(call->out, "aperture_bytes", d->gpu->info.aperture_bytes);
	add_u64(call->out, "start_ns", d->start_ns);
	add_bool(call->out, "monitor", d->monitor);
	add_u64(call->out, "class_code", d->class_code);
	call->trace = true;
	call->trace_kinds = kinds;
}

/* ------------------------------------------------------------------ Dump */

static void method_dump(void *arg, struct control_call *call)
{
	struct daemon *d = arg;
	struct json_object *list = json_object_new_array();
	const struct state_section *s;
	struct buf_reader r;
	struct buf b;
	size_t n;
	void *map;
	int fd, ret;

	s = bare_sections(d->bare, &n);
	buf_init(&b);
	d->gpu->ops->pause(d->gpu);
	ret = state_save(s, n, &b);
	d->gpu->ops->resume(d->gpu);
	fd = ret ? ret : memory_create("ugvt-state", b.len, &map);
	if (fd < 0) {
		json_object_put(list);
		buf_finish(&b);
		return fail(call, "org.ugvt.NoDump", strerror(-fd));
	}
	memcpy(map, b.data, b.len);
	/* The stream's own heads say how long each section is (base/state.h). */
	buf_reader_init(&r, b.data, b.len);
	buf_get_u64(&r);
	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_new_object();
		char name[STATE_NAME_MAX];
		uint64_t size;

		buf_get(&r, name, sizeof(name));
		name[sizeof(name) - 1] = '\0';
		add_text(o, "name", name);
		add_u64(o, "version", buf_get_u32(&r));
		size = buf_get_u64(&r);
		add_u64(o, "size", size);
		add_u64(o, "offset", r.pos);
		r.pos += (size_t)min_u64(size, r.len - r.pos);
		json_object_array_add(list, o);
	}
	json_object_object_add(call->out, "sections", list);
	add_text(call->out, "platform", d->platform->name);
	add_u64(call->out, "size", b.len);
	memory_seal(fd, map, b.len);
	buf_finish(&b);
	call->fd = fd;
}

/* ------------------------------------------------------------------ org.varlink.service */

static void method_info(void *arg, struct control_call *call)
{
	struct json_object *interfaces = json_object_new_array();

	(void)arg;
	add_text(call->out, "vendor", "uGVT");
	add_text(call->out, "product", "ugvt serve");
	add_text(call->out, "version", DAEMON_VERSION);
	add_text(call->out, "url", "");
	json_object_array_add(interfaces, json_object_new_string("org.varlink.service"));
	json_object_array_add(interfaces, json_object_new_string("org.ugvt"));
	json_object_object_add(call->out, "interfaces", interfaces);
}

const struct control_method daemon_methods[] = {
	{"org.ugvt.Status", method_status},
	{"org.ugvt.Screenshot", method_screenshot},
	{"org.ugvt.Trace", method_trace},
	{"org.ugvt.Dump", method_dump},
	{"org.varlink.service.GetInfo", method_info},
};
const size_t daemon_method_count = ARRAY_SIZE(daemon_methods);
