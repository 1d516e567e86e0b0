/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trace events for people (a line each) and for programs (a JSON object each). */
#include "base/util.h"
#include "cli/trace.h"
#include "daemon/tracefile.h"
#include "gen9/cmds.h"
#include "gen9/regs.h"

#include <inttypes.h>
#include <json-c/json.h>

static const char *const kind_names[] = {
	[TRACE_MMIO_READ] = "mmio_read",
	[TRACE_MMIO_WRITE] = "mmio_write",
	[TRACE_GGTT_WRITE] = "ggtt_write",
	[TRACE_CFG_READ] = "config_read",
	[TRACE_CFG_WRITE] = "config_write",
	[TRACE_IRQ] = "irq",
	[TRACE_SUBMIT] = "submit",
	[TRACE_CSB] = "csb",
	[TRACE_COMMAND] = "command",
	[TRACE_RESET] = "reset",
	[TRACE_FAULT] = "fault",
	[TRACE_FRAME] = "frame",
};

static const char *kind_name(const struct trace_event *ev)
{
	if (ev->kind == TRACEFILE_LOST)
		return "lost";
	return ev->kind < ARRAY_SIZE(kind_names) && kind_names[ev->kind] ? kind_names[ev->kind]
									 : "?";
}

static const char *engine_name(unsigned int unit)
{
	return unit < GEN9_ENGINES ? gen9_engines[unit].name : "?";
}

static void reg_name(uint64_t offset, char *out, size_t len)
{
	out[0] = '\0';
	if (offset < GEN9_MMIO_SIZE)
		gen9_reg_name((uint32_t)offset, out, len);
}

static const char *command_name(const struct trace_event *ev)
{
	const struct cmd_row *row =
		ev->unit < GEN9_ENGINES ? gen9_cmd_find(ev->dw[0], (int)ev->unit) : NULL;

	return row ? row->name : "unknown command";
}

static uint32_t dwords(const struct trace_event *ev)
{
	return (uint32_t)min_u64(ev->n, TRACE_DW_MAX);
}

static void print_access(FILE *f, const struct trace_event *ev, const char *what)
{
	char name[64];

	reg_name(ev->a, name, sizeof(name));
	fprintf(f, "%s %06" PRIx64 " %s 0x%0*" PRIx64 "  %s\n", what, ev->a,
		ev->kind == TRACE_MMIO_READ ? "->" : "<-", 2 * (int)min_u64(ev->n, 8), ev->b,
		name[0] ? name : "(no row)");
}

static void print_command(FILE *f, const struct trace_event *ev)
{
	uint32_t n = dwords(ev);

	fprintf(f, "%-5s %s %c %012" PRIx64 " %s", engine_name(ev->unit),
		ev->b & 1 ? (ev->b & 2 ? "user" : "priv") : "ring", ev->b & 4 ? 'P' : 'G', ev->a,
		command_name(ev));
	for (uint32_t i = 0; i < n; i++) {
		fprintf(f, " %08x", ev->dw[i]);
	}
	fputc('\n', f);
}

void trace_print_text(FILE *f, const struct trace_event *ev, uint64_t start_ns)
{
	uint64_t ns = ev->ns > start_ns ? ev->ns - start_ns : 0;

	fprintf(f, "%4" PRIu64 ".%06" PRIu64 " ", ns / NSEC_PER_SEC,
		ns % NSEC_PER_SEC / NSEC_PER_USEC);
	switch (ev->kind) {
	case TRACE_MMIO_READ:
		print_access(f, ev, "rd");
		break;
	case TRACE_MMIO_WRITE:
		print_access(f, ev, "wr");
		break;
	case TRACE_GGTT_WRITE:
		fprintf(f, "ggtt %06" PRIx64 " <- 0x%016" PRIx64 "\n", ev->a, ev->b);
		break;
	case TRACE_CFG_READ:
	case TRACE_CFG_WRITE:
		fprintf(f, "config %03" PRIx64 "/%u %s 0x%0*" PRIx64 "\n", ev->a, ev->n,
			ev->kind == TRACE_CFG_READ ? "->" : "<-", 2 * (int)min_u64(ev->n, 8),
			ev->b);
		break;
	case TRACE_IRQ:
		fprintf(f, "irq master 0x%08" PRIx64 "\n", ev->a);
		break;
	case TRACE_SUBMIT:
		fprintf(f, "%-5s submit %016" PRIx64 " %016" PRIx64 "\n", engine_name(ev->unit),
			ev->a, ev->b);
		break;
	case TRACE_CSB:
		fprintf(f, "%-5s csb status 0x%08" PRIx64 " context 0x%08" PRIx64 "\n",
			engine_name(ev->unit), ev->a, ev->b);
		break;
	case TRACE_COMMAND:
		print_command(f, ev);
		break;
	case TRACE_RESET:
		fprintf(f, "reset %s engines 0x%" PRIx64 "\n",
			ev->b == 2 ? "function"
			: ev->b	   ? "GT"
				   : "engine",
			ev->a);
		break;
	case TRACE_FAULT:
		fprintf(f, "%-5s fault at %012" PRIx64 " reason %" PRIu64 "\n",
			engine_name(ev->unit), ev->a, ev->b);
		break;
	case TRACE_FRAME:
		fprintf(f, "pipe %c frame %" PRIu64 "\n", 'A' + (ev->unit & 3), ev->a);
		break;
	case TRACEFILE_LOST:
		fprintf(f, "--- %" PRIu64 " events lost here\n", ev->a);
		break;
	default:
		fprintf(f, "kind %u\n", ev->kind);
		break;
	}
}

void trace_print_json(FILE *f, const struct trace_event *ev, uint64_t start_ns)
{
	struct json_object *o = json_object_new_object();
	char name[64];

	json_object_object_add(
		o, "ns", json_object_new_uint64(ev->ns > start_ns ? ev->ns - start_ns : 0));
	json_object_object_add(o, "kind", json_object_new_string(kind_name(ev)));
	json_object_object_add(o, "unit", json_object_new_uint64(ev->unit));
	json_object_object_add(o, "a", json_object_new_uint64(ev->a));
	json_object_object_add(o, "b", json_object_new_uint64(ev->b));
	json_object_object_add(o, "n", json_object_new_uint64(ev->n));
	if (ev->kind == TRACE_MMIO_READ || ev->kind == TRACE_MMIO_WRITE) {
		reg_name(ev->a, name, sizeof(name));
		json_object_object_add(o, "name", json_object_new_string(name));
	}
	if (ev->kind == TRACE_COMMAND) {
		struct json_object *list = json_object_new_array();

		for (uint32_t i = 0; i < dwords(ev); i++) {
			json_object_array_add(list, json_object_new_uint64(ev->dw[i]));
		}
		json_object_object_add(o, "name", json_object_new_string(command_name(ev)));
		json_object_object_add(o, "dwords", list);
	}
	fprintf(f, "%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}
