/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VERSION: which protocol, and what each side can take. */
#include "base/log.h"
#include "base/util.h"
#include "vfu/conn.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>

/*
 * The answer names only capabilities that the client offered, none above its own value, and stays
 * under 200 bytes: QEMU 11.1 takes no more than it sent and warns of keys it did not send. What we do
 * not do (write_multiple, twin_socket, migration) is not named at all.
 */
enum cap { CAP_FDS, CAP_DATA, CAP_MAPS, CAP_PGSIZES, CAP_COUNT };

struct offer {
	bool present[CAP_COUNT];
	int64_t value[CAP_COUNT];
};

static const struct {
	const char *name;
	int64_t min, max;
} cap_rows[CAP_COUNT] = {
	[CAP_FDS] = {"max_msg_fds", 1, 1024},
	[CAP_DATA] = {"max_data_xfer_size", 1, INT64_MAX},
	[CAP_MAPS] = {"max_dma_maps", 1, INT64_MAX},
	[CAP_PGSIZES] = {"pgsizes", 1, INT64_MAX},
};

static bool member_is(struct json_object *o, const char *name, enum json_type type)
{
	struct json_object *v;

	return !json_object_object_get_ex(o, name, &v) || json_object_is_type(v, type);
}

/* What we only look at: wrong types show a client that we had better not talk to. */
static bool others_ok(struct json_object *caps)
{
	struct json_object *o;

	if (!member_is(caps, "write_multiple", json_type_boolean) ||
		!member_is(caps, "migration", json_type_object) ||
		!member_is(caps, "twin_socket", json_type_object))
		return false;
	if (json_object_object_get_ex(caps, "migration", &o) &&
		(!member_is(o, "pgsize", json_type_int) ||
			!member_is(o, "max_bitmap_size", json_type_int)))
		return false;
	return !json_object_object_get_ex(caps, "twin_socket", &o) ||
	       member_is(o, "supported", json_type_boolean);
}

static int caps_read(struct json_object *root, struct offer *offer)
{
	struct json_object *caps, *v;

	if (!json_object_is_type(root, json_type_object))
		return -EINVAL;
	if (!json_object_object_get_ex(root, "capabilities", &caps))
		return 0;
	if (!json_object_is_type(caps, json_type_object) || !others_ok(caps))
		return -EINVAL;
	for (int i = 0; i < CAP_COUNT; i++) {
		if (!json_object_object_get_ex(caps, cap_rows[i].name, &v))
			continue;
		if (!json_object_is_type(v, json_type_int))
			return -EINVAL;
		offer->present[i] = true;
		offer->value[i] = json_object_get_int64(v); /* saturates */
		if (offer->value[i] < cap_rows[i].min || offer->value[i] > cap_rows[i].max)
			return -EINVAL;
	}
	return 0;
}

/* `text` of `len` bytes, its NUL included. */
static int caps_parse(const char *text, size_t len, struct offer *offer)
{
	struct json_tokener *tok;
	struct json_object *root;
	int ret = -EINVAL;

	if (len > VFU_MAX_CAPS_JSON || strnlen(text, len) != len - 1)
		return -EINVAL;
	tok = json_tokener_new_ex(VFU_MAX_CAPS_DEPTH);
	if (!tok)
		return -ENOMEM;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	root = json_tokener_parse_ex(tok, text, (int)len); /* the NUL says that it is all */
	if (root && json_tokener_get_error(tok) == json_tokener_success)
		ret = caps_read(root, offer);
	json_object_put(root);
	json_tokener_free(tok);
	return ret;
}

/* The JSON of the answer, with its NUL; returns its length. */
static size_t caps_write(const struct offer *offer, const int64_t *ours, char *out, size_t size)
{
	const char *sep = "";
	size_t n = (size_t)snprintf(out, size, "{\"capabilities\":{");

	for (int i = 0; i < CAP_COUNT; i++) {
		if (!offer->present[i])
			continue;
		n += (size_t)snprintf(
			out + n, size - n, "%s\"%s\":%" PRId64, sep, cap_rows[i].name, ours[i]);
		sep = ",";
	}
	return n + (size_t)snprintf(out + n, size - n, "}}") + 1;
}

int vfu_on_version(struct vfu_conn *c, struct vfu_msg *m, struct vfu_reply *r)
{
	struct vfu_server *s = c->server;
	struct offer offer = {.value = {1, VFU_MAX_DATA, MEM_MAPS_MAX, PAGE_SIZE_4K}};
	size_t text_len = m->len - sizeof(struct vfu_version);
	int64_t ours[CAP_COUNT];
	struct vfu_version v;
	int ret;

	if (c->negotiated)
		return -EINVAL;
	c->done = true; /* unless all is well: a client that cannot be talked to has to go */
	memcpy(&v, m->payload, sizeof(v));
	if (v.major != VFU_MAJOR) {
		log_limited(LOG_WARN, "vfio-user client speaks version %u.%u, we 0.1", v.major,
			v.minor);
		return -EINVAL;
	}
	if (text_len) {
		ret = caps_parse((const char *)m->payload + sizeof(v), text_len, &offer);
		if (ret) {
			log_limited(LOG_WARN, "vfio-user client's capabilities are malformed");
			return ret;
		}
	}
	if (!(offer.value[CAP_PGSIZES] & (int64_t)PAGE_SIZE_4K))
		return -EINVAL;

	ours[CAP_FDS] = (int64_t)min_u64((uint64_t)offer.value[CAP_FDS], VFU_MAX_FDS);
	ours[CAP_DATA] = (int64_t)min_u64((uint64_t)offer.value[CAP_DATA], VFU_MAX_DATA);
	ours[CAP_MAPS] = (int64_t)min_u64((uint64_t)offer.value[CAP_MAPS], s->config.mem->max_maps);
	ours[CAP_PGSIZES] = PAGE_SIZE_4K;
	v.minor = v.minor < VFU_MINOR ? v.minor : VFU_MINOR;
	memcpy(r->data, &v, sizeof(v));
	r->len = sizeof(v);
	if (text_len)
		r->len += caps_write(&offer, ours, (char *)r->data + sizeof(v), 200);

	lock_acquire(&c->lock);
	c->client_max_data = (uint32_t)ours[CAP_DATA];
	lock_release(&c->lock);
	c->done = false;
	c->negotiated = true;
	vfu_regions_load(s);
	atomic_store(&s->attached, true);
	if (s->config.ops->attached)
		s->config.ops->attached(s->config.dev);
	return 0;
}
