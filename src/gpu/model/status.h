/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gpu_ops.status of the model. */
#ifndef MODEL_STATUS_H
#define MODEL_STATUS_H

#include "gpu/model/model.h"

/*
 * Adds to `out`: platform, counters of accesses, "engines" (by name: engine_status() fills each),
 * "violations" (by name {count, last}: those that happened), "unknown_registers", "fault" (a string
 * or null), "iommu".
 */
void model_status(struct gpu *g, struct json_object *out);

#endif
