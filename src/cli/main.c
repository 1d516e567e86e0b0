/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ugvt VERB: finds the verb, parses its options, runs it. */
#include "base/buf.h"
#include "base/util.h"
#include "cli/cli.h"
#include "daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

static const struct verb *const verbs[] = {
	&verb_serve,
	&verb_status,
	&verb_screenshot,
	&verb_trace,
	&verb_dump,
	&verb_qemu_args,
};

static void print_help(FILE *f)
{
	fprintf(f, "usage: ugvt VERB [OPTION...]\n\n"
		   "A virtual Intel Gen9 GPU for VMs, from user space.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		fprintf(f, "  %-12s %s\n", verbs[i]->name, verbs[i]->summary);
	}
	fprintf(f, "\n  ugvt VERB --help tells more; ugvt --version\n\n"
		   "exit codes: 0 done, 1 failed, 2 wrong usage, 3 no server there, 4 replay "
		   "differs\n\n"
		   "example:\n"
		   "  ugvt serve --socket-path /tmp/gpu.sock &\n"
		   "  eval qemu-system-x86_64 -M q35 \"$(ugvt qemu-args --socket /tmp/gpu.sock)\" "
		   "...\n"
		   "  ugvt screenshot --socket /tmp/gpu.sock screen.png\n");
}

static void print_verb_help(const struct verb *v)
{
	printf("usage: ugvt %s [OPTION...]%s%s\n\n%s.\n\n", v->name, *v->arguments ? " " : "",
		v->arguments, v->summary);
	options_help(&v->options, stdout);
	printf("  %-34s %s\n", "    --help", "this");
	if (*v->details)
		printf("\n%s", v->details);
	printf("\nexample:\n  %s\n", v->example);
}

const char *cli_socket(const char *path, struct err *e)
{
	const char *env = getenv("UGVT_SOCKET");

	if (path)
		return path;
	if (env && *env)
		return env;
	err_set(e, -EINVAL, "--socket PATH, or UGVT_SOCKET in the environment", "no socket named");
	return NULL;
}

int cli_file_open(struct cli_file *c, const char *path, struct err *e)
{
	int fd;

	*c = (struct cli_file){.f = stdout};
	if (!path || strcmp(path, "-") == 0)
		return 0;
	if ((size_t)snprintf(c->temporary, sizeof(c->temporary), "%s.%d.tmp", path, getpid()) >=
		sizeof(c->temporary))
		return err_set(e, -ENAMETOOLONG, NULL, "%.150s...", path);
	fd = open(c->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_set(e, -errno, NULL, "writing %s", path);
	c->f = fdopen(fd, "w");
	if (!c->f) {
		close(fd);
		unlink(c->temporary);
		return err_set(e, -ENOMEM, NULL, "writing %s", path);
	}
	c->path = path;
	return 0;
}

int cli_file_close(struct cli_file *c, bool keep, struct err *e)
{
	const char *path = c->path ? c->path : "standard output";
	int ret = 0;

	if (fflush(c->f) || ferror(c->f))
		ret = errno ? -errno : -EIO;
	if (c->path) {
		if (fclose(c->f) && !ret)
			ret = -errno;
		if (!keep || ret)
			unlink(c->temporary);
		else if (rename(c->temporary, c->path)) {
			ret = -errno;
			unlink(c->temporary);
		}
	}
	c->f = NULL;
	return ret && keep ? err_set(e, ret, NULL, "writing %s", path) : 0;
}

int cli_file_read(const char *path, size_t max, struct buf *out, struct err *e)
{
	bool standard = strcmp(path, "-") == 0;
	uint8_t chunk[65536];
	int fd = standard ? 0 : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return err_set(e, -errno, NULL, "reading %s", path);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		buf_put(out, chunk, (size_t)n);
		if (out->len > max || out->failed)
			break;
	}
	if (!standard)
		close(fd);
	if (n < 0)
		return err_set(e, -errno, NULL, "reading %s", path);
	if (out->failed)
		return err_set(e, -ENOMEM, NULL, "reading %s", path);
	if (out->len > max)
		return err_set(e, -EFBIG, NULL, "%s: more than %zu bytes", path, max);
	return 0;
}

static int run_verb(const struct verb *v, int argc, char **argv)
{
	const char *args[CLI_ARGS_MAX];
	_Alignas(max_align_t) char options[256];
	size_t arg_count;
	struct err e = {0};
	int code;

	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			print_verb_help(v);
			return EXIT_OK;
		}
	}
	if (v->options_bytes > sizeof(options))
		abort(); /* our own bug */
	memcpy(options, v->defaults, v->options_bytes);
	if (options_parse(&v->options, argc, argv, options, args, v->max_args, &arg_count, &e))
		code = EXIT_USAGE;
	else
		code = v->run(options, args, arg_count, &e);
	if (code != EXIT_OK && code != EXIT_DIFFERENT) {
		char prog[32];

		snprintf(prog, sizeof(prog), "ugvt %s", v->name);
		err_print(prog, &e);
	}
	return code;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
		strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("ugvt " DAEMON_VERSION);
		return EXIT_OK;
	}
	/* As device back ends are started: options and no verb. */
	if (strcmp(argv[1], "--print-capabilities") == 0)
		return run_verb(&verb_serve, argc - 1, argv + 1);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(argv[1], verbs[i]->name) == 0)
			return run_verb(verbs[i], argc - 2, argv + 2);
	}
	fprintf(stderr, "ugvt: no verb \"%s\": see ugvt --help\n", argv[1]);
	return EXIT_USAGE;
}
