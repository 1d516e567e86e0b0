/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reply of org.ugvt.Status on a screen: what is wrong first, then what was done. */
#include "base/util.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/status.h"
#include "gen9/regs.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdlib.h>

#define LABEL "%-12s"

/* "1 write", "2 writes". */
static void count(char *out, size_t len, uint64_t n, const char *what)
{
	snprintf(out, len, "%" PRIu64 " %s%s", n, what, n == 1 ? "" : "s");
}

static void bytes(char *out, size_t len, uint64_t n)
{
	if (n >= MIB(1))
		snprintf(out, len, "%" PRIu64 " MiB", n >> 20);
	else
		snprintf(out, len, "%" PRIu64 " KiB", n >> 10);
}

static void print_head(FILE *f, struct json_object *s)
{
	struct json_object *config = reply_member(s, "config"), *v;
	uint64_t power = reply_u64(config, "power_state");
	bool attached = json_object_object_get_ex(s, "attached", &v) && json_object_get_boolean(v);
	double uptime =
		json_object_object_get_ex(s, "uptime_s", &v) ? json_object_get_double(v) : 0;

	fprintf(f, LABEL "%s, %s, %s\n", "gpu", reply_text(s, "title"), reply_text(s, "pci_id"),
		reply_text(s, "platform"));
	fprintf(f, LABEL "ugvt %s, up %.1f s\n", "server", reply_text(s, "version"), uptime);
	if (!attached) {
		fprintf(f, LABEL "none attached, %" PRIu64 " so far\n", "vm",
			reply_u64(s, "clients"));
		return;
	}
	fprintf(f, LABEL "attached, number %" PRIu64 "%s%s\n", "vm", reply_u64(s, "clients"),
		reply_u64(config, "msi") ? ", MSI" : "", power ? ", asleep (D3hot)" : "");
}

/* ------------------------------------------------------------------ what is wrong */

struct problems {
	FILE *f;
	unsigned int count;
};

static void problem(struct problems *p, const char *kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void problem(struct problems *p, const char *kind, const char *fmt, ...)
{
	va_list ap;

	if (!p->count++)
		fprintf(p->f, "PROBLEMS\n");
	fprintf(p->f, "  %-20s", kind);
	va_start(ap, fmt);
	vfprintf(p->f, fmt, ap);
	va_end(ap);
	fputc('\n', p->f);
}

static void engine_problems(struct problems *p, struct json_object *engines)
{
	json_object_object_foreach(engines, name, e)
	{
		const char *unknown = reply_text(e, "unknown_command");

		if (strcmp(reply_text(e, "state"), "hung") == 0)
			problem(p, "hung engine", "%s: %s", name, reply_text(e, "hang_reason"));
		if (*unknown)
			problem(p, "unknown command", "%s: %s", name, unknown);
	}
}

static void violation_problems(struct problems *p, struct json_object *violations)
{
	json_object_object_foreach(violations, name, v)
	{
		char times[32];

		count(times, sizeof(times), reply_u64(v, "count"), "time");
		problem(p, "violation", "%s: %s, last %s", name, times, reply_text(v, "last"));
	}
}

static void register_problems(struct problems *p, struct json_object *list)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *r = json_object_array_get_idx(list, i);
		char reads[32], writes[32], name[64] = "";
		uint64_t offset = strtoull(reply_text(r, "offset"), NULL, 16);

		if (offset < GEN9_MMIO_SIZE)
			gen9_reg_name((uint32_t)offset, name, sizeof(name));
		count(reads, sizeof(reads), reply_u64(r, "reads"), "read");
		count(writes, sizeof(writes), reply_u64(r, "writes"), "write");
		problem(p, "unknown register", "%s%s%s: %s, %s", reply_text(r, "offset"),
			*name ? " " : "", name, reads, writes);
	}
}

/* Counters that are 0 when all is well. */
static void counter_problems(struct problems *p, struct json_object *s)
{
	static const struct {
		const char *in, *key, *text;
	} rows[] = {
		{"memory", "shrunk", "a file of guest RAM was cut while it was mapped"},
		{"memory", "leaked", "maps that could not be taken back in time"},
		{"gpu", "blits_undone", "blits of a kind that is not done"},
		{"gpu", "planes_undone", "planes of a kind that is not shown"},
		{"vfu", "refused", "VMMs refused, because one is attached"},
	};
	struct json_object *iommu = reply_member(reply_member(s, "gpu"), "iommu");

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t n = reply_u64(reply_member(s, rows[i].in), rows[i].key);

		if (n)
			problem(p, rows[i].in, "%s: %" PRIu64, rows[i].text, n);
	}
	if (reply_u64(iommu, "timeouts"))
		problem(p, "memory", "unmaps that an engine outlasted: %" PRIu64,
			reply_u64(iommu, "timeouts"));
}

static void print_problems(FILE *f, struct json_object *s)
{
	struct json_object *gpu = reply_member(s, "gpu"), *member;
	struct problems p = {.f = f};

	if (*reply_text(gpu, "fault"))
		problem(&p, "fault", "%s", reply_text(gpu, "fault"));
	member = reply_member(gpu, "engines");
	if (json_object_is_type(member, json_type_object))
		engine_problems(&p, member);
	member = reply_member(gpu, "violations");
	if (json_object_is_type(member, json_type_object))
		violation_problems(&p, member);
	member = reply_member(gpu, "unknown_registers");
	if (json_object_is_type(member, json_type_array))
		register_problems(&p, member);
	counter_problems(&p, s);
	if (!p.count)
		fprintf(f, LABEL "none\n", "problems");
}

/* ------------------------------------------------------------------ what was done */

static void print_memory(FILE *f, struct json_object *s)
{
	struct json_object *m = reply_member(s, "memory"), *opregion = reply_member(s, "opregion");
	char size[32], maps[32];

	bytes(size, sizeof(size), reply_u64(m, "bytes"));
	count(maps, sizeof(maps), reply_u64(m, "maps"), "map");
	fprintf(f, LABEL "%s in %s", "memory", size, maps);
	if (reply_u64(m, "unshared"))
		fprintf(f, ", %" PRIu64 " of them without a file (ROMs, or RAM without share=on)",
			reply_u64(m, "unshared"));
	fputc('\n', f);
	if (reply_u64(opregion, "asls"))
		fprintf(f, LABEL "at 0x%" PRIx64 ", %" PRIu64 " calls\n", "OpRegion",
			reply_u64(opregion, "asls"), reply_u64(opregion, "swsci_calls"));
}

static void print_traps(FILE *f, struct json_object *s)
{
	static const char *const parts[] = {
		"mmio", "ggtt", "aperture", "config", "rom", "io", "hole"};
	struct json_object *traps = reply_member(s, "traps");
	bool head = false;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		char reads[32], writes[32];
		uint64_t r, w;

		snprintf(reads, sizeof(reads), "%s_reads", parts[i]);
		snprintf(writes, sizeof(writes), "%s_writes", parts[i]);
		r = reply_u64(traps, reads);
		w = reply_u64(traps, writes);
		if (!r && !w)
			continue;
		if (!head)
			fprintf(f, LABEL "%12s %12s\n", "accesses", "reads", "writes");
		head = true;
		fprintf(f, "  %-10s%12" PRIu64 " %12" PRIu64 "\n", parts[i], r, w);
	}
}

static void print_engines(FILE *f, struct json_object *engines)
{
	fprintf(f, LABEL "%8s %10s %10s %10s %10s %8s %6s %6s\n", "engines", "state", "contexts",
		"batches", "commands", "busy ms", "preempt", "hangs", "resets");
	json_object_object_foreach(engines, name, e)
	{
		fprintf(f,
			"  %-10s%8s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10.1f %8" PRIu64
			" %6" PRIu64 " %6" PRIu64 "\n",
			name, reply_text(e, "state"), reply_u64(e, "contexts"),
			reply_u64(e, "batches"), reply_u64(e, "commands"),
			(double)reply_u64(e, "busy_ns") / NSEC_PER_MSEC,
			reply_u64(e, "preemptions"), reply_u64(e, "hangs"), reply_u64(e, "resets"));
	}
}

void status_print(FILE *f, struct json_object *s)
{
	struct json_object *engines = reply_member(reply_member(s, "gpu"), "engines");

	print_head(f, s);
	print_problems(f, s);
	print_memory(f, s);
	fprintf(f, LABEL "%" PRIu64 "\n", "interrupts", reply_u64(s, "interrupts"));
	fprintf(f, LABEL "%" PRIu64 "\n", "resets", reply_u64(s, "resets"));
	print_traps(f, s);
	if (json_object_is_type(engines, json_type_object))
		print_engines(f, engines);
}
