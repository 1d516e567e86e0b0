/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ugvt trace: what a GPU does, live, from a file, or replayed. */
#include "cli/trace.h"
#include "base/util.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "daemon/tracefile.h"

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

struct trace_options {
	const char *socket, *output, *print, *replay;
	uint64_t count;
	bool mmio, commands, irq, json;
};

static const struct trace_options defaults;

#define AT(field) offsetof(struct trace_options, field)

// clang-format off
static const struct option rows[] = {
	OPTION_SOCKET(struct trace_options, socket),
	{"mmio", 0, OPTION_FLAG, AT(mmio), NULL, 0, 0, "only register, GGTT and config accesses"},
	{"commands", 0, OPTION_FLAG, AT(commands), NULL, 0, 0, "only commands, submissions and their ends"},
	{"irq", 0, OPTION_FLAG, AT(irq), NULL, 0, 0, "only interrupts and frames"},
	{"count", 'n', OPTION_UINT, AT(count), "N", 1, 0, "end after N events"},
	{"output", 'o', OPTION_STRING, AT(output), "FILE", 0, 0, "write a trace file instead of text"},
	{"print", 0, OPTION_STRING, AT(print), "FILE", 0, 0, "print a trace file"},
	{"replay", 0, OPTION_STRING, AT(replay), "FILE", 0, 0, "replay a trace file on a fresh model, compare"},
	OPTION_JSON(struct trace_options, json),
};
// clang-format on

#define KIND(k) BIT64(TRACE_##k)
#define KINDS_MMIO \
	(KIND(MMIO_READ) | KIND(MMIO_WRITE) | KIND(GGTT_WRITE) | KIND(CFG_READ) | KIND(CFG_WRITE))
#define KINDS_COMMAND (KIND(SUBMIT) | KIND(CSB) | KIND(COMMAND) | KIND(FAULT))
#define KINDS_IRQ     (KIND(IRQ) | KIND(FRAME))

/* Resets and losses are always shown. Without a filter: everything. */
static uint64_t kinds(const struct trace_options *o)
{
	uint64_t k = KIND(RESET);

	if (!o->mmio && !o->commands && !o->irq)
		return INT64_MAX;
	if (o->mmio)
		k |= KINDS_MMIO;
	if (o->commands)
		k |= KINDS_COMMAND;
	if (o->irq)
		k |= KINDS_IRQ;
	return k;
}

struct sink {
	const struct trace_options *options;
	uint64_t kinds, start_ns, left; /* left: events still to take */
	FILE *f;
	struct buf out; /* with --output */
};

static void sink_event(struct sink *s, const struct trace_event *ev)
{
	if (!s->left || (ev->kind < 64 && !(s->kinds & BIT64(ev->kind))))
		return;
	if (ev->kind != TRACEFILE_LOST)
		s->left--;
	if (s->options->output) {
		s->out.len = 0;
		tracefile_put(&s->out, ev);
		fwrite(s->out.data, 1, s->out.len, s->f);
	} else if (s->options->json) {
		trace_print_json(s->f, ev, s->start_ns);
	} else {
		trace_print_text(s->f, ev, s->start_ns);
	}
}

static int print_file(const struct trace_options *o, struct err *e)
{
	struct sink s = {.options = o, .kinds = kinds(o), .f = stdout};
	struct tracefile_header h;
	struct buf_reader r;
	struct trace_event ev;
	struct buf file;
	int ret;

	s.left = o->count ? o->count : UINT64_MAX;
	buf_init(&file);
	ret = cli_file_read(o->print, TRACE_FILE_MAX, &file, e);
	buf_reader_init(&r, file.data, file.len);
	if (!ret)
		ret = tracefile_get_header(&r, &h, e);
	s.start_ns = ret ? 0 : h.start_ns;
	while (!ret && s.left && (ret = tracefile_get(&r, &ev, e)) > 0) {
		sink_event(&s, &ev);
		ret = 0;
	}
	buf_finish(&file);
	return ret ? EXIT_FAILED : EXIT_OK;
}

static int replay_file(const struct trace_options *o, struct err *e)
{
	struct replay_options options = {.json = o->json, .list_max = o->count ? o->count : 100};
	struct buf file;
	int code = EXIT_FAILED;

	buf_init(&file);
	if (!cli_file_read(o->replay, TRACE_FILE_MAX, &file, e))
		code = trace_replay(&file, &options, e);
	buf_finish(&file);
	return code;
}

/* ------------------------------------------------------------------ live */

static void take_header(struct sink *s, struct json_object *reply)
{
	struct tracefile_header h = {
		.aperture_bytes = reply_u64(reply, "aperture_bytes"),
		.start_ns = reply_u64(reply, "start_ns"),
		.class_code = (uint16_t)reply_u64(reply, "class_code"),
	};
	struct json_object *v;

	s->start_ns = h.start_ns;
	if (!s->options->output)
		return;
	if (json_object_object_get_ex(reply, "platform", &v))
		snprintf(h.platform, sizeof(h.platform), "%s", json_object_get_string(v));
	if (json_object_object_get_ex(reply, "monitor", &v))
		h.monitor = json_object_get_boolean(v);
	tracefile_put_header(&s->out, &h);
	fwrite(s->out.data, 1, s->out.len, s->f);
}

static int take_events(struct sink *s, struct json_object *reply, struct err *e)
{
	struct buf_reader r;
	struct trace_event ev;
	struct json_object *v;
	struct buf bytes;
	int ret;

	if (!json_object_object_get_ex(reply, "events", &v))
		return 0;
	buf_init(&bytes);
	ret = base64_decode(
		json_object_get_string(v), (size_t)json_object_get_string_len(v), &bytes);
	if (ret)
		err_set(e, -EPROTO, NULL, "the server's events are not base64");
	buf_reader_init(&r, bytes.data, bytes.len);
	while (!ret && (ret = tracefile_get(&r, &ev, e)) > 0) {
		sink_event(s, &ev);
		ret = 0;
	}
	buf_finish(&bytes);
	return ret;
}

/*
 * SIGINT and SIGTERM end a trace as a loop sees it, so that what was taken is written whole. Each does
 * so once: when the end itself is stuck (a pipe that nobody reads), the second ends us at once.
 */
static int ending = -1;

static void end(int signal_number)
{
	uint64_t one = 1;
	int saved = errno;
	ssize_t n = write(ending, &one, sizeof(one));

	(void)signal_number;
	(void)n;
	errno = saved;
}

static int catch_end(struct err *e)
{
	struct sigaction action = {.sa_handler = end, .sa_flags = SA_RESETHAND | SA_RESTART};

	ending = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ending < 0)
		return err_set(e, -errno, NULL, "eventfd");
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return 0;
}

/*
 * Until a whole message is there: 1. 0: the user has had enough. -errno with `e`. Only what has arrived
 * is read, so that half a message holds up nobody's Ctrl-C.
 */
static int wait_message(struct client *c, FILE *f, struct err *e)
{
	while (!client_pending(c)) {
		struct pollfd fds[2] = {{c->fd, POLLIN, 0}, {ending, POLLIN, 0}};
		int ret;

		if (poll(fds, 2, 0) == 0) {
			/* Nothing waits: show what there is, then sleep. */
			fflush(f);
			while (poll(fds, 2, -1) < 0 && errno == EINTR) {
			}
		}
		if (fds[1].revents)
			return 0;
		ret = client_fill(c, e);
		if (ret)
			return ret;
	}
	return 1;
}

static int follow(struct client *c, struct sink *s, struct err *e)
{
	struct json_object *reply, *in = json_object_new_object();
	bool continues = true, first = true;
	int ret;

	json_object_object_add(in, "kinds", json_object_new_uint64(s->kinds));
	ret = client_send(c, "org.ugvt.Trace", in, true, e);
	while (!ret && continues && s->left && !ferror(s->f)) {
		ret = wait_message(c, s->f, e);
		if (ret <= 0) {
			/* The server's end is the trace's, unless it never began. */
			ret = ret == -ECONNRESET && !first ? 0 : ret;
			break;
		}
		reply = client_receive(c, &continues, NULL, e);
		if (!reply)
			return -EIO; /* `e` has the server's words */
		ret = 0;
		if (first)
			take_header(s, reply);
		else
			ret = take_events(s, reply, e);
		first = false;
		json_object_put(reply);
	}
	return ret;
}

static int live(const struct trace_options *o, struct err *e)
{
	struct sink s = {.options = o, .kinds = kinds(o), .f = stdout};
	const char *socket = cli_socket(o->socket, e);
	struct cli_file file;
	struct client c;
	int ret, closed;

	if (!socket)
		return EXIT_USAGE;
	s.left = o->count ? o->count : UINT64_MAX;
	ret = client_open(&c, socket, e);
	if (ret) {
		client_close(&c);
		return client_open_code(ret);
	}
	if (catch_end(e) || cli_file_open(&file, o->output, e)) {
		client_close(&c);
		fd_close(&ending);
		return EXIT_FAILED;
	}
	s.f = file.f;
	buf_init(&s.out);
	ret = follow(&c, &s, e);
	closed = cli_file_close(&file, !ret, e);
	buf_finish(&s.out);
	client_close(&c);
	signal(SIGINT, SIG_IGN); /* a late one finds nothing to write to */
	signal(SIGTERM, SIG_IGN);
	fd_close(&ending);
	return ret || closed ? EXIT_FAILED : EXIT_OK;
}

static int run(const void *options, const char *const *args, size_t arg_count, struct err *e)
{
	const struct trace_options *o = options;

	(void)args;
	(void)arg_count;
	if (!!o->output + !!o->print + !!o->replay > 1) {
		err_set(e, -EINVAL, NULL, "--output, --print and --replay exclude each other");
		return EXIT_USAGE;
	}
	if (o->replay)
		return replay_file(o, e);
	return o->print ? print_file(o, e) : live(o, e);
}

const struct verb verb_trace = {
	.name = "trace",
	.summary = "Show or record accesses by register name, decoded commands, interrupts",
	.arguments = "",
	.example = "ugvt trace --socket /tmp/gpu.sock --commands",
	.details =
		"Ends with Ctrl-C, after --count events, or with the server. A file written with "
		"-o\n"
		"before the VM starts, and without a filter, can be replayed: its accesses go to "
		"a\n"
		"fresh model, and reads that return something else are listed (--count limits the\n"
		"list). The guest's memory is not in the file, so engines run nothing in a "
		"replay;\n"
		"reads that depend on that, or on the time, are counted apart and no difference.\n"
		"--replay ends with 0: all reads the same; 4: some differ; 1: no verdict, because\n"
		"the file is none, is cut short, has no reads, or events were lost when it was "
		"written.\n",
	.options = {rows, ARRAY_SIZE(rows)},
	.options_bytes = sizeof(struct trace_options),
	.defaults = &defaults,
	.max_args = 0,
	.run = run,
};
