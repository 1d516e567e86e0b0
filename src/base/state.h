/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device's whole state as a table of sections {name, version, save, load}.
 *
 * `ugvt dump` prints it; a round-trip test runs over it; migration and restart will use it. A stream
 * is: magic, count, then per section {name, version, length, bytes}.
 */
#ifndef BASE_STATE_H
#define BASE_STATE_H

#include "base/buf.h"
#include "base/err.h"

struct state_section {
	const char *name; /* unique within a device: "regs", "ggtt", "engine.rcs" */
	uint32_t version;
	void *obj; /* borrowed: what save and load work on */
	void (*save)(void *obj, struct buf *out);
	/* Everything is checked before anything is changed. 0 or -errno with `e` filled. */
	int (*load)(void *obj, struct buf_reader *in, uint32_t version, struct err *e);
};

#define STATE_NAME_MAX 32
#define STATE_MAGIC    UINT32_C(0x54564755) /* "UGVT" */

/* Writes all sections. 0, or -ENOMEM. */
int state_save(const struct state_section *secs, size_t count, struct buf *out);

/*
 * Reads a stream into the sections it names. -EINVAL: not a stream, unknown or missing or doubled
 * section; -ENOTSUP: a version this build does not know; or what a section's load returned.
 */
int state_load(const struct state_section *secs, size_t count, const void *data, size_t len,
	struct err *e);

#endif
