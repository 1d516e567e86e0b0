/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ugvt qemu-args: what to give QEMU so that it uses a server. */
#include "base/util.h"
#include "cli/cli.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>

struct qemu_options {
	const char *socket, *address;
	uint64_t memory;
	bool json;
};

static const struct qemu_options defaults = {.memory = GIB(2)};

#define AT(field) offsetof(struct qemu_options, field)

static const struct option rows[] = {
	OPTION_SOCKET(struct qemu_options, socket),
	{"memory", 'm', OPTION_SIZE, AT(memory), "SIZE", MIB(64), 0, "the VM's RAM (default: 2G)"},
	{"addr", 0, OPTION_STRING, AT(address), "SLOT.FN", 0, 0,
		"where on the PCI bus (default: QEMU finds a place)"},
	OPTION_JSON(struct qemu_options, json),
};

/* The absolute path of a socket that need not exist yet. */
static int absolute(const char *path, char out[PATH_MAX], struct err *e)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	char real[PATH_MAX];

	if (strlen(path) >= sizeof(dir))
		return err_set(e, -ENAMETOOLONG, NULL, "socket %.100s...", path);
	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)max_u64(len, 1) : 1, slash ? path : ".");
	if (!realpath(dir, real))
		return err_set(e, -errno, NULL, "folder %s of the socket", dir);
	if ((size_t)snprintf(out, PATH_MAX, "%s/%s", strcmp(real, "/") == 0 ? "" : real,
		    slash ? slash + 1 : path) >= 108)
		return err_set(e, -ENAMETOOLONG, "at most 107 bytes", "socket %.150s", out);
	return 0;
}

/* For a shell: in single quotes unless it is plain. */
static void print_quoted(const char *word)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=,./:";

	if (*word && strspn(word, plain) == strlen(word)) {
		fputs(word, stdout);
		return;
	}
	putchar('\'');
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*word);
	}
	putchar('\'');
}

static bool address_good(const char *a)
{
	unsigned int slot, function;
	int end = 0;

	return sscanf(a, "%2x.%1u%n", &slot, &function, &end) == 2 && !a[end] && slot < 32 &&
	       function < 8;
}

static int run(const void *options, const char *const *args, size_t arg_count, struct err *e)
{
	const struct qemu_options *o = options;
	const char *socket = cli_socket(o->socket, e);
	struct json_object *device, *address, *list;
	char path[PATH_MAX], memory[128], size[32];

	(void)args;
	(void)arg_count;
	if (!socket)
		return EXIT_USAGE;
	if (o->address && !address_good(o->address)) {
		err_set(e, -EINVAL, "SLOT.FUNCTION in hexadecimal, e.g. 2.0", "--addr=%s",
			o->address);
		return EXIT_USAGE;
	}
	if (o->memory % MIB(1)) {
		err_set(e, -EINVAL, "whole MiB, e.g. 2G", "--memory of %llu bytes",
			(unsigned long long)o->memory);
		return EXIT_USAGE;
	}
	if (absolute(socket, path, e))
		return EXIT_FAILED;
	snprintf(size, sizeof(size), "%lluM", (unsigned long long)(o->memory >> 20));
	snprintf(memory, sizeof(memory), "memory-backend-memfd,id=ugvt-ram,size=%s,share=on", size);

	address = json_object_new_object();
	json_object_object_add(address, "type", json_object_new_string("unix"));
	json_object_object_add(address, "path", json_object_new_string(path));
	device = json_object_new_object();
	json_object_object_add(device, "driver", json_object_new_string("vfio-user-pci"));
	if (o->address)
		json_object_object_add(device, "addr", json_object_new_string(o->address));
	json_object_object_add(device, "socket", address);

	const char *const words[] = {"-m", size, "-object", memory, "-machine",
		"memory-backend=ugvt-ram", "-vga", "none", "-device",
		json_object_to_json_string_ext(
			device, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)};
	list = json_object_new_array();
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (o->json) {
			json_object_array_add(list, json_object_new_string(words[i]));
			continue;
		}
		if (i)
			putchar(' ');
		print_quoted(words[i]);
	}
	if (o->json)
		fputs(json_object_to_json_string_ext(
			      list, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
			stdout);
	putchar('\n');
	json_object_put(list);
	json_object_put(device);
	return EXIT_OK;
}

const struct verb verb_qemu_args = {
	.name = "qemu-args",
	.summary = "Print the QEMU arguments that connect a VM to a server",
	.arguments = "",
	.example =
		"eval \"qemu-system-x86_64 -M q35 $(ugvt qemu-args --socket /tmp/gpu.sock) ...\"",
	.details =
		"QEMU must be 10.1 or later. The server needs the VM's RAM as a shared file: that "
		"is\n"
		"what the memory arguments are for; they replace -m. -vga none leaves the guest "
		"no\n"
		"other GPU for its console. Without --json the words are quoted for a shell: "
		"paste\n"
		"them, or let eval read the whole command line.\n",
	.options = {rows, ARRAY_SIZE(rows)},
	.options_bytes = sizeof(struct qemu_options),
	.defaults = &defaults,
	.max_args = 0,
	.run = run,
};
