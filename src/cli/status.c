/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ugvt status: what a server counts. */
#include "base/util.h"
#include "cli/cli.h"
#include "cli/client.h"

#include <json-c/json.h>

struct status_options {
	const char *socket;
	bool json;
};

static const struct status_options defaults;

static const struct option rows[] = {
	OPTION_SOCKET(struct status_options, socket),
	OPTION_JSON(struct status_options, json),
};

/* "key: value" lines, nested objects indented; what is empty or 0 is left out below the top. */
static void print_object(struct json_object *o, unsigned int depth)
{
	json_object_object_foreach(o, key, v)
	{
		if (json_object_is_type(v, json_type_object)) {
			if (!json_object_object_length(v))
				continue;
			printf("%*s%s:\n", 2 * (int)depth, "", key);
			print_object(v, depth + 1);
		} else if (json_object_is_type(v, json_type_array)) {
			size_t n = json_object_array_length(v);

			for (size_t i = 0; i < n; i++) {
				printf("%*s%s: %s\n", 2 * (int)depth, "", key,
					json_object_to_json_string_ext(
						json_object_array_get_idx(v, i),
						JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_SPACED));
			}
		} else if (!depth || (v && (json_object_is_type(v, json_type_string) ||
						   json_object_get_boolean(v)))) {
			printf("%*s%s: %s\n", 2 * (int)depth, "", key,
				v ? json_object_get_string(v) : "-");
		}
	}
}

static int run(const void *options, const char *const *args, size_t arg_count, struct err *e)
{
	const struct status_options *o = options;
	struct json_object *s;
	int code;

	(void)args;
	(void)arg_count;
	s = client_call(o->socket, "org.ugvt.Status", NULL, NULL, &code, e);
	if (!s)
		return code;
	if (o->json)
		puts(json_object_to_json_string_ext(s, JSON_C_TO_STRING_PRETTY));
	else
		print_object(s, 0);
	json_object_put(s);
	return EXIT_OK;
}

const struct verb verb_status = {
	.name = "status",
	.summary = "Show what a server counts: accesses, interrupts, engines, violations, faults",
	.arguments = "",
	.example = "ugvt status --socket /tmp/gpu.sock --json",
	.details = "Without --json, counters that are 0 are left out.\n",
	.options = {rows, ARRAY_SIZE(rows)},
	.options_bytes = sizeof(struct status_options),
	.defaults = &defaults,
	.max_args = 0,
	.run = run,
};
