/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ugvt VERB: finds the verb, parses its options, runs it. */
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
	fprintf(f, "\n  ugvt help VERB (or ugvt VERB --help) tells more; ugvt --version\n\n"
		   "exit codes: 0 done, 1 failed, 2 wrong usage, 3 no server there, 4 replay "
		   "differs\n\n"
		   "example:\n"
		   "  ugvt serve --socket-path /tmp/gpu.sock &\n"
		   "  eval \"qemu-system-x86_64 -M q35 $(ugvt qemu-args --socket /tmp/gpu.sock) "
		   "...\"\n"
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

		if (code == EXIT_USAGE)
			e.code = 0; /* "Invalid argument" says nothing that is not said */
		snprintf(prog, sizeof(prog), "ugvt %s", v->name);
		err_print(prog, &e);
	}
	return code;
}

static const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(name, verbs[i]->name) == 0)
			return verbs[i];
	}
	fprintf(stderr, "ugvt: no verb \"%s\": see ugvt --help\n", name);
	return NULL;
}

static int run(int argc, char **argv)
{
	const struct verb *v;

	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
		strcmp(argv[1], "help") == 0) {
		if (argc == 2) {
			print_help(stdout);
			return EXIT_OK;
		}
		v = verb_find(argv[2]);
		if (!v)
			return EXIT_USAGE;
		print_verb_help(v);
		return EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("ugvt " DAEMON_VERSION);
		return EXIT_OK;
	}
	/* As device back ends are started: options and no verb. */
	if (strcmp(argv[1], "--print-capabilities") == 0)
		return run_verb(&verb_serve, argc - 1, argv + 1);
	v = verb_find(argv[1]);
	return v ? run_verb(v, argc - 2, argv + 2) : EXIT_USAGE;
}

/* What we open must not become a standard stream that was closed: text would go into a socket. */
static void standard_streams(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		/* Read-only: what is written to a closed stream fails, here too. */
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDONLY) != fd)
			_exit(EXIT_FAILED);
	}
}

int main(int argc, char **argv)
{
	int code;

	standard_streams();
	code = run(argc, argv);
	errno = 0;
	if ((fflush(stdout) || ferror(stdout)) && code == EXIT_OK) {
		fprintf(stderr, "ugvt: writing standard output: %s\n",
			strerror(errno ? errno : EIO));
		code = EXIT_FAILED;
	}
	return code;
}
