// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The display through plain DRM ioctls: connector, EDID and modes; a dumb buffer shown by a mode
 * set; page flips with their events; the cursor; another mode.
 *
 * kms_check                all checks
 * kms_check --show WxH     sets that mode, shows the pattern and holds it until stdin ends, for the
 *                          host to compare with a screenshot: pattern() here is the one of
 *                          tests/lib/screen.py
 */
#include "gem.h"
#include <drm/drm.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_mode.h>
#include <poll.h>

#define MAX_MODES 64
#define CURSOR	  64u

struct buffer {
	uint32_t handle, pitch, fb;
	uint64_t size;
	uint32_t *map;
};

static uint32_t connector_id, crtc_id, edid_blob;
static struct drm_mode_modeinfo modes[MAX_MODES];
static uint32_t mode_count;

static void must(unsigned long request, void *arg, const char *what)
{
	int r = gem_ioctl(request, arg);

	if (r) {
		errno = -r;
		gem_bail("%s", what);
	}
}

/* A colour for each place, different in all channels: XRGB8888. */
static uint32_t pattern(uint32_t x, uint32_t y, uint32_t seed)
{
	uint32_t red = (x + seed) & 0xff, green = (y * 3 + seed) & 0xff,
		 blue = ((x >> 4) ^ (y >> 4)) * 16 & 0xff;

	return red << 16 | green << 8 | blue;
}

/* ------------------------------------------------------------------ connector and modes */

static uint64_t property(uint32_t object, const char *name, bool *found)
{
	uint32_t ids[64];
	uint64_t values[64];
	struct drm_mode_obj_get_properties get = {.props_ptr = (uintptr_t)ids,
		.prop_values_ptr = (uintptr_t)values,
		.count_props = ARRAY_SIZE(ids),
		.obj_id = object,
		.obj_type = DRM_MODE_OBJECT_CONNECTOR};

	must(DRM_IOCTL_MODE_OBJ_GETPROPERTIES, &get, "properties of the connector");
	for (uint32_t i = 0; i < get.count_props && i < ARRAY_SIZE(ids); i++) {
		struct drm_mode_get_property p = {.prop_id = ids[i]};

		if (!gem_ioctl(DRM_IOCTL_MODE_GETPROPERTY, &p) && !strcmp(p.name, name)) {
			*found = true;
			return values[i];
		}
	}
	*found = false;
	return 0;
}

/* Finds the one connected connector; the others must say that nothing is there. */
static void find_connector(void)
{
	uint32_t connectors[16], crtcs[8];
	struct drm_mode_card_res res = {.connector_id_ptr = (uintptr_t)connectors,
		.crtc_id_ptr = (uintptr_t)crtcs,
		.count_connectors = ARRAY_SIZE(connectors),
		.count_crtcs = ARRAY_SIZE(crtcs)};
	uint32_t connected = 0;
	bool found;

	must(DRM_IOCTL_MODE_GETRESOURCES, &res, "GETRESOURCES");
	gem_ok(res.count_crtcs == 3, "three pipes (%u)", res.count_crtcs);
	for (uint32_t i = 0; i < res.count_connectors && i < ARRAY_SIZE(connectors); i++) {
		struct drm_mode_get_connector c = {.connector_id = connectors[i],
			.modes_ptr = (uintptr_t)modes,
			.count_modes = MAX_MODES};

		must(DRM_IOCTL_MODE_GETCONNECTOR, &c, "GETCONNECTOR");
		if (c.connection != 1) {
			continue;
		}
		connected++;
		connector_id = c.connector_id;
		mode_count = c.count_modes < MAX_MODES ? c.count_modes : MAX_MODES;
		gem_ok(c.connector_type == DRM_MODE_CONNECTOR_HDMIA, "the connector is HDMI (%u)",
			c.connector_type);
	}
	crtc_id = crtcs[0];
	if (!gem_ok(connected == 1, "one connector is connected (%u of %u)", connected,
		    res.count_connectors)) {
		exit(gem_done());
	}
	edid_blob = (uint32_t)property(connector_id, "EDID", &found);
}

static void check_edid(void)
{
	uint8_t edid[512] = {0}, sum = 0;
	struct drm_mode_get_blob blob = {.blob_id = edid_blob, .data = (uintptr_t)edid};
	static const uint8_t head[8] = {0, 255, 255, 255, 255, 255, 255, 0};

	/* Once for the length: data comes only when ours is the same. */
	must(DRM_IOCTL_MODE_GETPROPBLOB, &blob, "the EDID's blob");
	if (blob.length <= sizeof(edid)) {
		must(DRM_IOCTL_MODE_GETPROPBLOB, &blob, "the EDID's blob");
	}
	for (size_t i = 0; i < 128; i++) {
		sum += edid[i];
	}
	gem_ok(blob.length >= 128 && blob.length % 128 == 0 && !memcmp(edid, head, 8) && !sum,
		"an EDID of %u bytes with a right checksum", blob.length);
	gem_ok(mode_count > 0, "%u modes", mode_count);
	for (uint32_t i = 0; i < mode_count; i++) {
		gem_say("mode %s %ux%u@%u%s", modes[i].name, modes[i].hdisplay, modes[i].vdisplay,
			modes[i].vrefresh,
			modes[i].type & DRM_MODE_TYPE_PREFERRED ? " preferred" : "");
	}
}

static struct drm_mode_modeinfo *find_mode(uint32_t width, uint32_t height)
{
	for (uint32_t i = 0; i < mode_count; i++) {
		if (modes[i].hdisplay == width && modes[i].vdisplay == height) {
			return &modes[i];
		}
	}
	return NULL;
}

/* ------------------------------------------------------------------ buffers */

static struct buffer buffer_create(uint32_t width, uint32_t height, uint32_t format)
{
	struct drm_mode_create_dumb create = {.width = width, .height = height, .bpp = 32};
	struct drm_mode_map_dumb map = {0};
	struct drm_mode_fb_cmd2 fb = {.width = width, .height = height, .pixel_format = format};
	struct buffer b = {0};

	must(DRM_IOCTL_MODE_CREATE_DUMB, &create, "CREATE_DUMB");
	map.handle = fb.handles[0] = b.handle = create.handle;
	fb.pitches[0] = b.pitch = create.pitch;
	b.size = create.size;
	must(DRM_IOCTL_MODE_MAP_DUMB, &map, "MAP_DUMB");
	must(DRM_IOCTL_MODE_ADDFB2, &fb, "ADDFB2");
	b.fb = fb.fb_id;
	b.map = mmap(NULL, b.size, PROT_READ | PROT_WRITE, MAP_SHARED, gem_fd, (off_t)map.offset);
	if (b.map == MAP_FAILED) {
		gem_bail("mmap of a dumb buffer");
	}
	return b;
}

static void buffer_destroy(struct buffer *b)
{
	struct drm_mode_destroy_dumb destroy = {.handle = b->handle};

	munmap(b->map, b->size);
	gem_ioctl(DRM_IOCTL_MODE_RMFB, &b->fb);
	gem_ioctl(DRM_IOCTL_MODE_DESTROY_DUMB, &destroy);
}

static void buffer_paint(struct buffer *b, uint32_t width, uint32_t height, uint32_t seed)
{
	struct drm_mode_fb_dirty_cmd dirty = {.fb_id = b->fb};

	for (uint32_t y = 0; y < height; y++) {
		uint32_t *row = (uint32_t *)((uint8_t *)b->map + (size_t)y * b->pitch);

		for (uint32_t x = 0; x < width; x++) {
			row[x] = pattern(x, y, seed);
		}
	}
	gem_ioctl(DRM_IOCTL_MODE_DIRTYFB, &dirty);
}

/* ------------------------------------------------------------------ showing */

static int mode_set(const struct drm_mode_modeinfo *mode, uint32_t fb)
{
	struct drm_mode_crtc crtc = {.crtc_id = crtc_id,
		.set_connectors_ptr = (uintptr_t)&connector_id,
		.count_connectors = mode ? 1 : 0,
		.fb_id = fb,
		.mode_valid = mode != NULL};

	if (mode) {
		crtc.mode = *mode;
	}
	return gem_ioctl(DRM_IOCTL_MODE_SETCRTC, &crtc);
}

/* The next flip event; false when none comes. */
static bool flip_event(struct drm_event_vblank *event)
{
	struct pollfd p = {.fd = gem_fd, .events = POLLIN};
	union {
		struct drm_event_vblank vblank;
		uint8_t bytes[1024];
	} data;

	if (poll(&p, 1, (int)(GEM_WAIT_NS / 1000000)) <= 0) {
		return false;
	}
	if (read(gem_fd, &data, sizeof(data)) < (ssize_t)sizeof(data.vblank)) {
		return false;
	}
	*event = data.vblank;
	return event->base.type == DRM_EVENT_FLIP_COMPLETE;
}

static void check_flips(struct buffer b[2])
{
	enum { FLIPS = 30 };
	uint64_t last_time = 0;
	uint32_t last = 0;
	int events = 0, disorder = 0;

	for (int i = 0; i < FLIPS; i++) {
		struct drm_mode_crtc_page_flip flip = {.crtc_id = crtc_id,
			.fb_id = b[i & 1].fb,
			.flags = DRM_MODE_PAGE_FLIP_EVENT,
			.user_data = (uint64_t)i};
		struct drm_event_vblank event = {0};
		uint64_t time;

		must(DRM_IOCTL_MODE_PAGE_FLIP, &flip, "PAGE_FLIP");
		if (!flip_event(&event)) {
			break;
		}
		time = event.tv_sec * UINT64_C(1000000) + event.tv_usec;
		/* A frame may show one flip only: the count goes up, and so does the time. */
		disorder += event.user_data != (uint64_t)i;
		disorder += i && ((int32_t)(event.sequence - last) < 1 || time <= last_time);
		last = event.sequence;
		last_time = time;
		events++;
	}
	gem_ok(events == FLIPS, "%d of %d flips come to their event", events, FLIPS);
	gem_ok(!disorder, "counts and times of the events go up");
}

static void check_vblank_wait(void)
{
	union drm_wait_vblank wait = {.request = {.type = _DRM_VBLANK_RELATIVE, .sequence = 0}};
	uint32_t before;
	int r = gem_ioctl(DRM_IOCTL_WAIT_VBLANK, &wait);

	before = wait.reply.sequence;
	wait.request.type = _DRM_VBLANK_RELATIVE;
	wait.request.sequence = 3;
	r = r ? r : gem_ioctl(DRM_IOCTL_WAIT_VBLANK, &wait);
	gem_ok(!r && wait.reply.sequence - before >= 3, "three vblanks pass (%u)",
		wait.reply.sequence - before);
}

static void check_cursor(void)
{
	struct buffer b = buffer_create(CURSOR, CURSOR, DRM_FORMAT_ARGB8888);
	struct drm_mode_cursor cursor = {.flags = DRM_MODE_CURSOR_BO,
		.crtc_id = crtc_id,
		.width = CURSOR,
		.height = CURSOR,
		.handle = b.handle};
	int r;

	for (size_t i = 0; i < b.size / 4; i++) {
		b.map[i] = 0xffff0000;
	}
	r = gem_ioctl(DRM_IOCTL_MODE_CURSOR, &cursor);
	for (int i = 0; !r && i < 20; i++) {
		cursor.flags = DRM_MODE_CURSOR_MOVE;
		cursor.x = gem_between(-32, 1100);
		cursor.y = gem_between(-32, 800);
		r = gem_ioctl(DRM_IOCTL_MODE_CURSOR, &cursor);
	}
	cursor = (struct drm_mode_cursor){.flags = DRM_MODE_CURSOR_BO, .crtc_id = crtc_id};
	gem_ioctl(DRM_IOCTL_MODE_CURSOR, &cursor);
	gem_ok(!r, "a cursor is shown and moves, over the edges too");
	buffer_destroy(&b);
}

static void check_all_modes(void)
{
	int bad = 0;

	for (uint32_t i = 0; i < mode_count; i++) {
		struct buffer b =
			buffer_create(modes[i].hdisplay, modes[i].vdisplay, DRM_FORMAT_XRGB8888);

		if (mode_set(&modes[i], b.fb)) {
			gem_say("mode %s %u is refused: %s", modes[i].name, modes[i].vrefresh,
				strerror(errno));
			bad++;
		}
		buffer_destroy(&b);
	}
	gem_ok(!bad, "each of %u modes can be set", mode_count);
	gem_ok(!mode_set(NULL, 0), "the pipe goes off");
}

/* Holds the pattern with a cursor on it until stdin ends. */
static int show(const char *size)
{
	unsigned int width = 0, height = 0;
	struct drm_mode_modeinfo *mode = NULL;
	struct buffer b;
	char c;

	if (sscanf(size, "%ux%u", &width, &height) == 2) {
		mode = find_mode(width, height);
	}
	if (!mode) {
		errno = EINVAL;
		gem_bail("no mode %s", size);
	}
	b = buffer_create(width, height, DRM_FORMAT_XRGB8888);
	buffer_paint(&b, width, height, 7);
	if (mode_set(mode, b.fb)) {
		gem_bail("SETCRTC");
	}
	printf("shown %ux%u\n", width, height);
	fflush(stdout);
	while (read(0, &c, 1) > 0) {
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct buffer b[2];
	const struct drm_mode_modeinfo *mode;
	uint64_t master = 0;

	gem_seed_init();
	gem_open();
	gem_ioctl(DRM_IOCTL_SET_MASTER, &master);
	find_connector();
	if (argc == 3 && !strcmp(argv[1], "--show")) {
		return show(argv[2]);
	}
	check_edid();
	mode = &modes[0];
	for (int i = 0; i < 2; i++) {
		b[i] = buffer_create(mode->hdisplay, mode->vdisplay, DRM_FORMAT_XRGB8888);
		buffer_paint(&b[i], mode->hdisplay, mode->vdisplay, (uint32_t)i);
	}
	gem_ok(!mode_set(mode, b[0].fb), "mode %s is set", mode->name);
	check_flips(b);
	check_vblank_wait();
	check_cursor();
	check_all_modes();
	for (int i = 0; i < 2; i++) {
		buffer_destroy(&b[i]);
	}
	return gem_done();
}
