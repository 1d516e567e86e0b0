/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The display of Gen9 as its driver sees it: pipes A to C with four universal planes and a cursor
 * each, transcoders A to C and EDP, DDI buffers, the hotplug pin of port B. It composes no pixels:
 * soc_display_planes() says what is on a pipe, from the registers that are live.
 *
 * Time comes from a struct clock; nothing here needs a timer to be right. Frame counters, scanlines,
 * flips and SURFLIVE are computed when someone looks; only interrupts need soc_tick().
 */
#ifndef SOC_DISPLAY_H
#define SOC_DISPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/state.h"
#include "gen9/planes.h"
#include "soc/irq.h"
#include "soc/regs.h"

struct soc;

#define SOC_PIPES	  3
#define SOC_PIPE_PLANES	  4			/* universal planes of a pipe */
#define SOC_PLANES_MAX	  (SOC_PIPE_PLANES + 1) /* and the cursor */
#define SOC_PIPE_SIZE_MAX 8192			/* a pipe's width and height at most */

/* What latches when a plane is armed; the order of the registers in `struct soc_plane_live`. */
enum soc_plane_reg {
	PLANE_REG_CTL,	   /* 0x80; cursor: CUR_CTL */
	PLANE_REG_STRIDE,  /* 0x88 */
	PLANE_REG_POS,	   /* 0x8c; cursor: CUR_POS */
	PLANE_REG_SIZE,	   /* 0x90; cursor: CUR_FBC_CTL */
	PLANE_REG_KEYVAL,  /* 0x94 */
	PLANE_REG_KEYMSK,  /* 0x98 */
	PLANE_REG_SURF,	   /* 0x9c, arms; cursor: CUR_BASE */
	PLANE_REG_KEYMAX,  /* 0xa0 */
	PLANE_REG_OFFSET,  /* 0xa4 */
	PLANE_REG_AUXDIST, /* 0xc0 */
	PLANE_REG_AUXOFF,  /* 0xc4 */
	PLANE_REG_COUNT
};

struct soc_plane_live {
	uint32_t reg[PLANE_REG_COUNT]; /* what is being scanned out */
	bool armed;		       /* the stored registers become live at the next vblank */
	bool flip;		       /* ... and then a flip is done */
	bool touched;		       /* written since it was last armed */
};

struct soc_pipe {
	bool on;
	/* The mode, as of the last vblank or of the pipe's start. */
	uint64_t frame_ns;     /* never 0 */
	uint32_t vtotal;       /* lines a frame, never 0 */
	uint32_t vblank_start; /* line on which vblank starts, < vtotal */
	uint32_t line_bias;    /* PIPEDSL runs so many lines behind (HDMI 2, DP 1) */
	/* The pipe's time: pipe.c. */
	uint64_t vblank_ns; /* clock time of the next start of vblank, if nothing holds it */
	uint64_t hold_ns;   /* held until then; 0 or the past: not held */
	bool hold_write;    /* a register of an update was written in this frame */
	bool hold_done;	    /* and since then the frame counter was read: it may be complete */
	uint64_t last_vblank_ns;
	uint32_t frames;			     /* PIPE_FRMCOUNT */
	uint32_t flips;				     /* PIPE_FLIPCOUNT */
	struct soc_plane_live plane[SOC_PLANES_MAX]; /* the last one is the cursor */
};

struct soc_display {
	struct soc *soc; /* borrowed */
	bool monitor;	 /* something is plugged into port B */
	struct soc_pipe pipe[SOC_PIPES];
};

enum soc_plane_kind { SOC_PLANE_PRIMARY, SOC_PLANE_OVERLAY, SOC_PLANE_CURSOR };

struct soc_plane_state {
	bool on;
	enum soc_plane_kind kind;
	unsigned int index;			/* plane 0..3; cursor: 4 */
	const struct gen9_plane_format *format; /* never NULL; check format->supported */
	enum gen9_plane_tiling tiling;
	uint32_t stride_bytes; /* a row of the surface; not with rotation by 90 or 270 */
	uint32_t stride_raw;   /* the register's field, in chunks (linear) or tiles */
	struct gma surf;       /* GGTT address, 4 KiB aligned */
	int32_t x, y;  /* window on the pipe; a cursor's may be negative or partly outside */
	uint32_t w, h; /* of the window, before scaling: pixels read from the surface */
	uint32_t dst_w, dst_h; /* on the pipe: differ from w, h when a plane scaler is on */
	uint32_t src_x, src_y; /* first pixel within the surface */
	/*
	 * Degrees clockwise: 0, 90, 180, 270. With 90 and 270, i915 maps the surface through a GGTT
	 * view whose tiles are laid out by columns; stride_raw counts tiles of such a column, and
	 * w, h, src_x and src_y are those of the picture after rotation.
	 */
	unsigned int rotation;
	enum gen9_plane_alpha alpha; /* per pixel */
	uint8_t plane_alpha;	     /* constant alpha of the whole plane, 255: opaque */
	uint32_t key_enable;	     /* PLANE_CTL 22:21, 0: no colour key */
	uint32_t key_value, key_mask, key_max;
	bool compressed; /* render compression (CCS) is on: aux_* say where */
	uint32_t aux_offset;
};

struct soc_pipe_state {
	bool on;
	uint32_t width, height; /* PIPESRC */
	uint32_t background;	/* XRGB8888, from PIPE_BOTTOM_COLOR */
	uint64_t frame;		/* frame counter */
	uint64_t frame_ns;	/* of one frame */
};

/*
 * What pipe `pipe` (0..2) shows now, bottom to top, cursor last; only planes that are on. Returns how
 * many entries of out[] were filled, at most `max`, 0 when the pipe is off, or -EINVAL for a pipe
 * that does not exist. Windows are as programmed: the caller clips them to the pipe.
 */
int soc_display_planes(
	struct soc_display *d, unsigned int pipe, struct soc_plane_state out[], size_t max);
/* 0, or -EINVAL. With the pipe off, width and height are still those of PIPESRC. */
int soc_display_pipe(struct soc_display *d, unsigned int pipe, struct soc_pipe_state *out);
/* Both from one moment. As soc_display_planes(). */
int soc_display_scanout(struct soc_display *d, unsigned int pipe, struct soc_pipe_state *pipe_out,
	struct soc_plane_state out[], size_t max);

/* The monitor of port B is plugged in or out: live status and a long pulse. Takes the soc's lock. */
void soc_display_plug(struct soc_display *d, bool monitor);

/* --- for soc.c, under the soc's lock --- */
void soc_display_init(struct soc_display *d, struct soc *s, bool monitor);
void soc_display_reset(struct soc_display *d);
/* Everything due at `now` happens. Returns when the next listened-to event is due, or UINT64_MAX. */
uint64_t soc_display_tick(struct soc_display *d, uint64_t now);

void soc_display_save(void *obj, struct buf *out);
int soc_display_load(void *obj, struct buf_reader *in, uint32_t version, struct err *e);
#define SOC_DISPLAY_STATE_VERSION 1

#endif
