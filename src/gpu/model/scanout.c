// SPDX-License-Identifier: GPL-2.0-or-later
/* What a pipe shows, composited into XRGB8888. */
#include <errno.h>
#include "gpu/model/gtt.h"

int scanout_frame(struct gpu *g, unsigned int pipe, struct gpu_frame *f)
{
	return -ENOSYS;
}
