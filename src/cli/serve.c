/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ugvt serve: options for daemon/serve.h. */
#include "daemon/serve.h"
#include "base/util.h"
#include "cli/cli.h"

#include <errno.h>

struct serve_options {
	const char *socket_path, *control, *platform;
	uint64_t fd; /* NO_FD: none */
	uint64_t aperture;
	unsigned int class_code, clock, posted, seccomp;
	bool no_monitor, print_capabilities;
};

#define NO_FD UINT64_MAX

static const struct serve_options defaults = {.fd = NO_FD, .aperture = MIB(2)};

#define AT(field) offsetof(struct serve_options, field)

// clang-format off
static const struct option rows[] = {
	{"socket-path", 's', OPTION_STRING, AT(socket_path), "PATH", 0, 0, "listen here for a VMM (0600)"},
	{"fd", 0, OPTION_UINT, AT(fd), "N", 0, 1 << 20, "an inherited socket instead, listening or connected"},
	{"control", 0, OPTION_STRING, AT(control), "PATH", 0, 0, "control socket, ends in .ctl (default: socket path + .ctl); none"},
	{"platform", 0, OPTION_STRING, AT(platform), "NAME", 0, 0, "kbl-gt2 (default), skl-gt2, or 8086:5916"},
	{"aperture", 0, OPTION_SIZE, AT(aperture), "SIZE", MIB(1), MIB(256), "BAR2: 1M to 256M; 2M when not given"},
	{"class", 0, OPTION_CHOICE, AT(class_code), "0380|0300", 0, 0, "display (default) or VGA: 0380|0300"},
	{"clock", 0, OPTION_CHOICE, AT(clock), "real|virtual", 0, 0, "virtual: time goes on by the commands' cost"},
	{"posted-writes", 0, OPTION_CHOICE, AT(posted), "on|off", 0, 0, "off: the guest waits for each write to a BAR (slower)"},
	{"no-monitor", 0, OPTION_FLAG, AT(no_monitor), NULL, 0, 0, "nothing is plugged into port B"},
	{"seccomp", 0, OPTION_CHOICE, AT(seccomp), "on|off|log", 0, 0, "log: name forbidden calls, run on"},
	{"print-capabilities", 0, OPTION_FLAG, AT(print_capabilities), NULL, 0, 0, "JSON for management, and exit"},
};
// clang-format on

static int run(const void *options, const char *const *args, size_t arg_count, struct err *e)
{
	static const uint16_t classes[] = {0x0380, 0x0300};
	const struct serve_options *o = options;
	struct serve_config config = {
		.socket_path = o->socket_path,
		.fd = o->fd == NO_FD ? -1 : (int)o->fd,
		.control_path = o->control,
		.platform = o->platform,
		.aperture_bytes = o->aperture,
		.class_code = classes[o->class_code],
		.clock_virtual = o->clock == 1,
		.no_monitor = o->no_monitor,
		.writes_waited = o->posted == 1,
		.seccomp = (enum seccomp_mode)o->seccomp,
	};
	int ret;

	(void)args;
	(void)arg_count;
	if (o->print_capabilities) {
		serve_print_capabilities();
		return EXIT_OK;
	}
	if (!config.socket_path == (config.fd < 0)) {
		err_set(e, -EINVAL, "--socket-path PATH or --fd N", "no socket, or two");
		return EXIT_USAGE;
	}
	if (o->aperture & (o->aperture - 1)) {
		err_set(e, -EINVAL, "a power of two, 1M to 256M", "--aperture of %llu bytes",
			(unsigned long long)o->aperture);
		return EXIT_USAGE;
	}
	ret = serve_run(&config, e);
	return !ret ? EXIT_OK : ret == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
}

const struct verb verb_serve = {
	.name = "serve",
	.summary = "Give one VM a whole software GPU",
	.arguments = "",
	.example = "ugvt serve --socket-path /run/user/1000/gpu.sock",
	.details =
		"Runs in the foreground and unprivileged until SIGTERM or SIGINT. A VMM connects "
		"with\n"
		"vfio-user (see ugvt qemu-args); when it goes, the next one can come. The control\n"
		"socket is for ugvt status, screenshot, trace and dump. With NOTIFY_SOCKET set,\n"
		"systemd is told when it is ready.\n"
		"\n"
		"QEMU posts writes: the guest goes on before they are here. A guest program that "
		"writes\n"
		"through the aperture (GTT mmap) and then reads the same RAM directly may read "
		"too\n"
		"early; --posted-writes=off makes it wait, at 15 to 30 us a write.\n",
	.options = {rows, ARRAY_SIZE(rows)},
	.options_bytes = sizeof(struct serve_options),
	.defaults = &defaults,
	.max_args = 0,
	.run = run,
};
