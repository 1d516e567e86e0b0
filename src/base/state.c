/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State sections: writing and reading a device's whole state. */
#include "base/state.h"
#include "base/util.h"

#include <errno.h>
#include <stdlib.h>

int state_save(const struct state_section *secs, size_t count, struct buf *out)
{
	buf_put_u32(out, STATE_MAGIC);
	buf_put_u32(out, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		char name[STATE_NAME_MAX] = {0};
		struct buf body;

		buf_init(&body);
		secs[i].save(secs[i].obj, &body);
		strncpy(name, secs[i].name, sizeof(name) - 1);
		buf_put(out, name, sizeof(name));
		buf_put_u32(out, secs[i].version);
		buf_put_u64(out, body.len);
		buf_put(out, body.data, body.len);
		if (body.failed)
			out->failed = true;
		buf_finish(&body);
	}
	return out->failed ? -ENOMEM : 0;
}

static const struct state_section *find(
	const struct state_section *secs, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(secs[i].name, name) == 0)
			return &secs[i];
	}
	return NULL;
}

int state_load(
	const struct state_section *secs, size_t count, const void *data, size_t len, struct err *e)
{
	struct buf_reader r;
	uint64_t seen = 0;
	uint32_t n;

	buf_reader_init(&r, data, len);
	if (buf_get_u32(&r) != STATE_MAGIC)
		return err_set(e, -EINVAL, NULL, "state stream: no magic at its start");
	n = buf_get_u32(&r);
	if (r.failed || n != count || count > 64)
		return err_set(e, -EINVAL, NULL, "state stream: %u sections, this device has %zu",
			n, count);
	for (uint32_t i = 0; i < n; i++) {
		const struct state_section *s;
		char name[STATE_NAME_MAX];
		struct buf_reader body;
		uint32_t version;
		uint64_t size;
		int ret;

		buf_get(&r, name, sizeof(name));
		version = buf_get_u32(&r);
		size = buf_get_u64(&r);
		if (r.failed || size > r.len - r.pos)
			return err_set(
				e, -EINVAL, NULL, "state stream: cut short in section %u", i);
		name[sizeof(name) - 1] = '\0';
		s = find(secs, count, name);
		if (!s)
			return err_set(
				e, -EINVAL, NULL, "state stream: unknown section \"%s\"", name);
		if (seen & BIT64(s - secs))
			return err_set(
				e, -EINVAL, NULL, "state stream: section \"%s\" twice", name);
		seen |= BIT64(s - secs);
		if (version > s->version)
			return err_set(e, -ENOTSUP, "use a build at least as new as the writer",
				"section \"%s\": version %u, this build knows %u", name, version,
				s->version);
		buf_reader_init(&body, r.data + r.pos, (size_t)size);
		ret = s->load(s->obj, &body, version, e);
		if (ret)
			return ret;
		if (!buf_reader_done(&body))
			return err_set(e, -EINVAL, NULL, "section \"%s\": wrong length %llu", name,
				(unsigned long long)size);
		r.pos += (size_t)size;
	}
	if (!buf_reader_done(&r))
		return err_set(e, -EINVAL, NULL, "state stream: bytes after its end");
	return 0;
}
