// SPDX-License-Identifier: GPL-2.0-or-later
/* The model's counters, engine states, violations and faults as JSON. */
#include "gpu/model/status.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

static void add(struct json_object *o, const char *key, const _Atomic uint64_t *v)
{
	json_object_object_add(
		o, key, json_object_new_uint64(atomic_load_explicit(v, memory_order_relaxed)));
}

static void add_hex(struct json_object *o, const char *key, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)v);
	json_object_object_add(o, key, json_object_new_string(text));
}

static struct json_object *violations(struct model *m)
{
	struct json_object *all = json_object_new_object();

	for (int v = 0; v < VIOLATION_COUNT; v++) {
		struct json_object *o;

		if (!atomic_load_explicit(&m->violations.count[v], memory_order_relaxed))
			continue;
		o = json_object_new_object();
		add(o, "count", &m->violations.count[v]);
		add_hex(o, "last",
			atomic_load_explicit(&m->violations.last[v], memory_order_relaxed));
		json_object_object_add(all, violation_names[v], o);
	}
	return all;
}

static struct json_object *unknown_registers(struct model *m)
{
	struct json_object *all = json_object_new_array();
	struct regs_unknown *copy;
	unsigned int n;

	copy = malloc(sizeof(*copy) * REGS_UNKNOWN_MAX);
	if (!copy)
		return all;
	/* JSON is made outside the lock. */
	lock_acquire(&m->regs.unknown_lock);
	n = m->regs.unknown_count;
	memcpy(copy, m->regs.unknown, sizeof(*copy) * n);
	lock_release(&m->regs.unknown_lock);
	for (unsigned int i = 0; i < n; i++) {
		struct json_object *o = json_object_new_object();

		add_hex(o, "offset", copy[i].offset);
		json_object_object_add(o, "reads", json_object_new_uint64(copy[i].reads));
		json_object_object_add(o, "writes", json_object_new_uint64(copy[i].writes));
		json_object_array_add(all, o);
	}
	free(copy);
	return all;
}

static struct json_object *fault(struct model *m)
{
	char text[sizeof(m->fault)];

	lock_acquire(&m->fault_lock);
	memcpy(text, m->fault, sizeof(text));
	lock_release(&m->fault_lock);
	return text[0] ? json_object_new_string(text) : NULL;
}

void model_status(struct gpu *g, struct json_object *out)
{
	struct model *m = to_model(g);
	struct json_object *engines = json_object_new_object(), *o;
	const struct {
		const char *key;
		const _Atomic uint64_t *v;
	} counters[] = {
		{"mmio_reads", &m->stats.mmio_reads},
		{"mmio_writes", &m->stats.mmio_writes},
		{"ggtt_reads", &m->stats.ggtt_reads},
		{"ggtt_writes", &m->stats.ggtt_writes},
		{"aperture_reads", &m->stats.aperture_reads},
		{"aperture_writes", &m->stats.aperture_writes},
		{"aperture_nowhere", &m->stats.aperture_nowhere},
		{"interrupts", &m->stats.interrupts},
		{"resets", &m->stats.resets},
		{"gt_resets", &m->stats.gt_resets},
		{"frames", &m->stats.frames},
		{"blits_undone", &m->stats.blt_undone},
		{"planes_undone", &m->stats.planes_undone},
		{"readonly_writes", &m->stats.readonly_writes},
		{"unknown_register_accesses", &m->regs.unknown_total},
	};

	json_object_object_add(out, "platform", json_object_new_string(m->platform->name));
	json_object_object_add(out, "name", json_object_new_string(m->platform->title));
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		add(out, counters[i].key, counters[i].v);

	model_each_engine(m, e)
	{
		o = json_object_new_object();
		engine_status(e, o);
		json_object_object_add(engines, e->info->name, o);
	}
	json_object_object_add(out, "engines", engines);
	json_object_object_add(out, "violations", violations(m));
	json_object_object_add(out, "unknown_registers", unknown_registers(m));
	json_object_object_add(out, "fault", fault(m));

	o = json_object_new_object();
	add(o, "maps", &m->iommu.maps);
	add(o, "evictions", &m->iommu.evictions);
	add(o, "timeouts", &m->iommu.timeouts);
	add(o, "waits", &m->iommu.waits);
	json_object_object_add(out, "iommu", o);
}
