/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ugvt dump: a device's state sections, and its registers by name. */
#include "base/buf.h"
#include "base/util.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "gen9/regs.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <sys/mman.h>

struct dump_options {
	const char *socket, *output;
	bool json;
};

static const struct dump_options defaults;

static const struct option rows[] = {
	OPTION_SOCKET(struct dump_options, socket),
	{"output", 'o', OPTION_STRING, offsetof(struct dump_options, output), "FILE", 0, 0,
		"write the state itself, as a stream of sections"},
	OPTION_JSON(struct dump_options, json),
};

/* The section "regs": a count, then {offset, value} of every register that differs from its reset. */
static struct json_object *registers(struct buf_reader *r)
{
	struct json_object *list = json_object_new_array();
	uint32_t count = buf_get_u32(r);

	for (uint32_t i = 0; i < count && i < GEN9_REG_DWORDS; i++) {
		struct json_object *o;
		uint32_t offset = buf_get_u32(r), value = buf_get_u32(r);
		char name[64] = "";

		if (r->failed)
			break;
		if (offset < GEN9_MMIO_SIZE)
			gen9_reg_name(offset, name, sizeof(name));
		o = json_object_new_object();
		json_object_object_add(o, "offset", json_object_new_uint64(offset));
		json_object_object_add(o, "value", json_object_new_uint64(value));
		json_object_object_add(o, "name", json_object_new_string(name));
		json_object_array_add(list, o);
	}
	return list;
}

static void print(struct json_object *reply, struct json_object *list, struct json_object *regs)
{
	printf("platform %s, %" PRIu64 " bytes of state\n", reply_text(reply, "platform"),
		reply_u64(reply, "size"));
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		printf("  %-24s version %" PRIu64 " %10" PRIu64 " bytes\n", reply_text(o, "name"),
			reply_u64(o, "version"), reply_u64(o, "size"));
	}
	printf("registers that differ from their reset value:\n");
	for (size_t i = 0; i < json_object_array_length(regs); i++) {
		struct json_object *o = json_object_array_get_idx(regs, i);

		printf("  %06" PRIx64 " %08" PRIx64 " %s\n", reply_u64(o, "offset"),
			reply_u64(o, "value"), reply_text(o, "name"));
	}
}

static int show(const struct dump_options *o, struct json_object *reply, const uint8_t *state,
	size_t len, struct err *e)
{
	struct json_object *list = reply_member(reply, "sections"), *regs = NULL;
	struct cli_file file;

	if (o->output) {
		int ret = cli_file_open(&file, o->output, e);

		if (ret)
			return ret;
		fwrite(state, 1, len, file.f);
		ret = cli_file_close(&file, true, e);
		if (ret || strcmp(o->output, "-") == 0)
			return ret;
	}
	if (!json_object_is_type(list, json_type_array))
		return err_set(e, -EPROTO, NULL, "the server's answer has no sections");
	for (size_t i = 0; i < json_object_array_length(list) && !regs; i++) {
		struct json_object *s = json_object_array_get_idx(list, i);
		uint64_t offset = reply_u64(s, "offset"), size = reply_u64(s, "size");
		struct buf_reader r;

		if (strcmp(reply_text(s, "name"), "regs") != 0 || range_bad(offset, size, len))
			continue;
		buf_reader_init(&r, state + offset, (size_t)size);
		regs = registers(&r);
	}
	regs = regs ? regs : json_object_new_array();
	if (o->json) {
		json_object_object_add(reply, "registers", json_object_get(regs));
		puts(json_object_to_json_string_ext(reply, JSON_C_TO_STRING_PRETTY));
	} else if (!o->output) {
		print(reply, list, regs);
	}
	json_object_put(regs);
	return 0;
}

static int run(const void *options, const char *const *args, size_t arg_count, struct err *e)
{
	const struct dump_options *o = options;
	struct json_object *reply;
	const void *map;
	size_t len;
	int fd, code, ret;

	(void)args;
	(void)arg_count;
	if (o->json && o->output && strcmp(o->output, "-") == 0) {
		err_set(e, -EINVAL, NULL, "both the state and JSON to standard output");
		return EXIT_USAGE;
	}
	reply = client_call(o->socket, "org.ugvt.Dump", NULL, &fd, &code, e);
	if (!reply)
		return code;
	map = reply_map(fd, &len, e);
	ret = map ? show(o, reply, map, len, e) : e->code;
	if (map)
		munmap((void *)map, len);
	fd_close(&fd);
	json_object_put(reply);
	return ret ? EXIT_FAILED : EXIT_OK;
}

const struct verb verb_dump = {
	.name = "dump",
	.summary = "Show a device's whole state: sections, registers by name",
	.arguments = "",
	.example = "ugvt dump --socket /tmp/gpu.sock --json",
	.details = "Engines stand still for the moment it takes.\n",
	.options = {rows, ARRAY_SIZE(rows)},
	.options_bytes = sizeof(struct dump_options),
	.defaults = &defaults,
	.max_args = 0,
	.run = run,
};
