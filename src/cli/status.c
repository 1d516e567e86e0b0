/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ugvt status: what a server counts. */
#include "base/util.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/status.h"

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
		status_print(stdout, s);
	json_object_put(s);
	return EXIT_OK;
}

const struct verb verb_status = {
	.name = "status",
	.summary = "Show what is wrong with a device, and what it has done",
	.arguments = "",
	.example = "ugvt status --socket /tmp/gpu.sock --json",
	.details =
		"What is wrong comes first: a fault, hung engines, what the driver must not do on\n"
		"hardware (violations), registers that the model does not know. --json has all.\n",
	.options = {rows, ARRAY_SIZE(rows)},
	.options_bytes = sizeof(struct status_options),
	.defaults = &defaults,
	.max_args = 0,
	.run = run,
};
