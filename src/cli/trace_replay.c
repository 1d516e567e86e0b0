/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replays the register and config accesses of a trace file on a fresh model.
 *
 * The model runs on a virtual clock that is set to each event's time. The guest's memory is not in the
 * file: what engines would read and write there does not happen, so reads that depend on it are
 * expected to differ once something was submitted. They are counted apart, as are reads of the time;
 * any other difference says that this model does not behave as the one that was traced. Where there is
 * nothing to compare, or something is missing in between, there is no verdict: exit code 1.
 */
#include "bare/bare.h"
#include "base/util.h"
#include "cli/cli.h"
#include "cli/trace.h"
#include "daemon/tracefile.h"
#include "gen9/regs.h"
#include "gen9/vbt.h"
#include "gpu/model/model_api.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>

/* What a difference comes from: the model itself, the time, or memory that is not in the file. */
enum cause { CAUSE_REAL, CAUSE_TIME, CAUSE_MEMORY, CAUSE_COUNT };

struct replay {
	struct clock clock;
	struct gpu *gpu;
	struct bare *bare;
	uint16_t *index; /* of register rows */
	uint64_t now_ns; /* of the trace's clock */
	bool submitted;
	uint64_t reads, writes, lost, skipped;
	uint64_t different[CAUSE_COUNT], listed;
	const struct replay_options *options;
	struct json_object *list;
};

/* Handlers whose reads tell time or follow it. */
static const uint8_t time_handlers[] = {
	REG_H_GT_TIMESTAMP,
	REG_H_RING_TIMESTAMP,
	REG_H_PIPE_SCANLINE,
	REG_H_PIPE_FRMCOUNT,
	REG_H_PIPE_FLIPCOUNT,
};

/* Why a read of `offset` may differ. */
static enum cause classify(const struct replay *r, uint32_t offset)
{
	const struct reg_row *row = gen9_reg_row(r->index[offset / 4]);

	for (size_t i = 0; row && i < ARRAY_SIZE(time_handlers); i++) {
		if (row->handler == time_handlers[i])
			return CAUSE_TIME;
	}
	/* Interrupts of frames and engines come when they come. */
	if (offset >= 0x44200 && offset < 0x44500)
		return CAUSE_TIME;
	/* 0x4094: the fault register, which is all engines'. */
	if (r->submitted && (gen9_reg_engine(offset) >= 0 || offset == 0x4094))
		return CAUSE_MEMORY;
	return CAUSE_REAL;
}

static void differs(struct replay *r, const struct trace_event *ev, uint64_t got, enum cause why)
{
	char name[64] = "config";

	r->different[why]++;
	if (why != CAUSE_REAL || r->listed++ >= r->options->list_max)
		return;
	if (ev->kind == TRACE_MMIO_READ)
		gen9_reg_name((uint32_t)ev->a, name, sizeof(name));
	if (r->options->json) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "offset", json_object_new_uint64(ev->a));
		json_object_object_add(o, "name", json_object_new_string(name));
		json_object_object_add(o, "traced", json_object_new_uint64(ev->b));
		json_object_object_add(o, "replayed", json_object_new_uint64(got));
		json_object_array_add(r->list, o);
	} else {
		printf("%06" PRIx64 " %-32s traced 0x%08" PRIx64 " replayed 0x%08" PRIx64 "\n",
			ev->a, name, ev->b, got);
	}
}

static bool access_good(const struct trace_event *ev, uint64_t space)
{
	return (ev->n == 1 || ev->n == 2 || ev->n == 4 || ev->n == 8) && ev->a < space &&
	       ev->n <= space - ev->a;
}

static void replay_config(struct replay *r, const struct trace_event *ev)
{
	struct pci_device *d = bare_device(r->bare);
	uint64_t got = 0;

	if (!access_good(ev, 256)) {
		r->skipped++; /* e.g. all 256 bytes at once: the event has but eight of them */
	} else if (ev->kind == TRACE_CFG_WRITE) {
		r->writes++;
		d->ops->region_write(d, PCI_REGION_CONFIG, ev->a, &ev->b, ev->n);
	} else {
		r->reads++;
		d->ops->region_read(d, PCI_REGION_CONFIG, ev->a, &got, ev->n);
		if (got != ev->b)
			differs(r, ev, got, CAUSE_REAL);
	}
}

static void replay_event(struct replay *r, const struct trace_event *ev)
{
	const struct gpu_ops *ops = r->gpu->ops;
	uint64_t got;

	if (ev->ns > r->now_ns) {
		model_advance(r->gpu, ev->ns - r->now_ns);
		r->now_ns = ev->ns;
	}
	switch (ev->kind) {
	case TRACE_MMIO_READ:
		if (!access_good(ev, GEN9_MMIO_SIZE))
			break;
		r->reads++;
		got = ops->mmio_read(r->gpu, (uint32_t)ev->a, ev->n);
		if (got != ev->b)
			differs(r, ev, got, classify(r, (uint32_t)ev->a));
		return;
	case TRACE_MMIO_WRITE:
		if (!access_good(ev, GEN9_MMIO_SIZE))
			break;
		r->writes++;
		ops->mmio_write(r->gpu, (uint32_t)ev->a, ev->b, ev->n);
		return;
	case TRACE_GGTT_WRITE:
		if (ev->a >= r->gpu->info.ggtt_entries)
			break;
		r->writes++;
		ops->ggtt_write(r->gpu, (uint32_t)ev->a, ev->b, UINT64_MAX);
		return;
	case TRACE_CFG_READ:
	case TRACE_CFG_WRITE:
		replay_config(r, ev);
		return;
	case TRACE_SUBMIT:
		r->submitted = true;
		return;
	case TRACE_RESET:
		/* A function level reset is no register access: do it here. */
		if (ev->b == 2)
			ops->reset(r->gpu);
		return;
	case TRACEFILE_LOST:
		r->lost += ev->a;
		return;
	default:
		return; /* what came of the accesses */
	}
	r->skipped++;
}

static int make(struct replay *r, const struct tracefile_header *h, struct err *e)
{
	struct model_config model = {
		.platform = gen9_platform_find(h->platform),
		.aperture_bytes = h->aperture_bytes,
		.clock = &r->clock,
		.monitor = h->monitor,
	};
	struct bare_config bare = {
		.clock = &r->clock,
		.class_code = h->class_code,
		.rom_bytes = VBT_ROM_BYTES,
	};
	uint8_t *rom;

	if (!model.platform)
		return err_set(e, -EINVAL, NULL, "trace file: no platform \"%s\"", h->platform);
	if (!h->aperture_bytes)
		return err_set(e, -EINVAL, NULL, "trace file: no aperture");
	r->now_ns = h->start_ns;
	clock_init_virtual(&r->clock, h->start_ns);
	r->index = calloc(GEN9_REG_DWORDS, sizeof(r->index[0]));
	rom = calloc(1, VBT_ROM_BYTES);
	r->list = json_object_new_array();
	if (!r->index || !rom) {
		free(rom);
		return err_set(e, -ENOMEM, NULL, "replay");
	}
	gen9_regs_index(r->index, model.platform->has_vcs1);
	vbt_build_rom(model.platform->device_id, rom);
	r->gpu = model_create(&model, e);
	if (r->gpu) {
		bare.gpu = r->gpu;
		bare.rom = rom;
		r->bare = bare_create(&bare, e);
	}
	free(rom);
	return r->bare ? 0 : -EINVAL;
}

static void report(struct replay *r)
{
	struct json_object *o;

	if (!r->options->json) {
		printf("%" PRIu64 " reads, %" PRIu64 " writes replayed; reads that differ: %" PRIu64
		       " (and of the time %" PRIu64 ", of work on memory %" PRIu64 ")\n",
			r->reads, r->writes, r->different[CAUSE_REAL], r->different[CAUSE_TIME],
			r->different[CAUSE_MEMORY]);
		if (r->lost || r->skipped)
			printf("%" PRIu64 " events were lost when it was written, %" PRIu64
			       " cannot be replayed\n",
				r->lost, r->skipped);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "reads", json_object_new_uint64(r->reads));
	json_object_object_add(o, "writes", json_object_new_uint64(r->writes));
	json_object_object_add(o, "lost", json_object_new_uint64(r->lost));
	json_object_object_add(o, "skipped", json_object_new_uint64(r->skipped));
	json_object_object_add(o, "different", json_object_new_uint64(r->different[CAUSE_REAL]));
	json_object_object_add(
		o, "different_time", json_object_new_uint64(r->different[CAUSE_TIME]));
	json_object_object_add(
		o, "different_memory", json_object_new_uint64(r->different[CAUSE_MEMORY]));
	json_object_object_add(o, "differences", json_object_get(r->list));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY));
	json_object_put(o);
}

int trace_replay(const struct buf *file, const struct replay_options *options, struct err *e)
{
	struct replay r = {.options = options};
	struct tracefile_header h;
	struct buf_reader reader;
	struct trace_event ev;
	int ret, code = EXIT_FAILED;

	buf_reader_init(&reader, file->data, file->len);
	if (tracefile_get_header(&reader, &h, e) || make(&r, &h, e))
		goto out;
	while ((ret = tracefile_get(&reader, &ev, e)) > 0) {
		replay_event(&r, &ev);
	}
	if (ret)
		goto out;
	report(&r);
	if (!r.reads)
		err_set(e, -ENODATA, "trace without --commands and --irq",
			"the file has no reads to compare");
	else if (r.lost)
		err_set(e, -ENODATA, "trace a shorter time, or fewer VMs at once",
			"%" PRIu64 " events were lost when the file was written", r.lost);
	else
		code = r.different[CAUSE_REAL] ? EXIT_DIFFERENT : EXIT_OK;
out:
	bare_destroy(r.bare);
	if (r.gpu)
		r.gpu->ops->destroy(r.gpu);
	json_object_put(r.list);
	free(r.index);
	return code;
}
