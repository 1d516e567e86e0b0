/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pipe's time, and what happens at its vblank. Inside soc/; all under the soc's lock. */
#ifndef SOC_PIPE_H
#define SOC_PIPE_H

#include <stdbool.h>
#include <stdint.h>

#include "soc/display.h"

#define SOC_CURSOR SOC_PIPE_PLANES /* its place in soc_pipe.plane[] */

/* DE_PIPE_IIR */
#define PIPE_IRQ_VBLANK		  UINT32_C(1)
#define PIPE_IRQ_VSYNC		  UINT32_C(2)
#define PIPE_IRQ_FLIP_DONE(plane) (UINT32_C(8) << (plane))

#define PIPE_FRAME_MIN_NS UINT64_C(2000000)
#define PIPE_FRAME_MAX_NS UINT64_C(1000000000)
/* How long a vblank is put off at most (silicon never does): pipe.c, "Holding". */
#define PIPE_HOLD_MAX_NS UINT64_C(80000000)

/* The pipe starts at line 0, with the mode that is programmed. */
void pipe_start(struct soc_display *d, unsigned int pipe, uint64_t now);
/* What is armed becomes live. */
void pipe_stop(struct soc_display *d, unsigned int pipe, uint64_t now);
/* Every vblank up to `now` happens. */
void pipe_sync(struct soc_display *d, unsigned int pipe, uint64_t now);
/* What a driver does to a pipe that it updates. */
enum pipe_access { PIPE_SCANLINE, PIPE_FRAMES, PIPE_WRITE };
/* Such an access begins: pipe_sync(), and it is never just before a vblank. */
void pipe_enter(struct soc_display *d, unsigned int pipe, uint64_t now, enum pipe_access access);
/* It is over: the next vblank waits for what may follow. */
void pipe_hold(struct soc_display *d, unsigned int pipe, uint64_t now, enum pipe_access access);
/* When the next vblank starts, as things are. The pipe is on and synced. */
uint64_t pipe_next_vblank(const struct soc_pipe *p);
/* The line that is scanned out, 0 the first visible one. The pipe is on and synced. */
uint32_t pipe_line(const struct soc_pipe *p, uint64_t now);
/* The transcoder that feeds from `pipe`: 0..2, or 3 (EDP); -1: none is enabled. */
int pipe_transcoder(const struct regs *r, unsigned int pipe);
/* Where a latched register is stored; 0: this plane has none of the kind. */
uint32_t pipe_plane_offset(unsigned int pipe, unsigned int plane, enum soc_plane_reg reg);
void pipe_latch(struct soc_display *d, unsigned int pipe, unsigned int plane);

#endif
