/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pipe's time, and what happens at its vblank.
 *
 * A pipe in motion is one number, the clock time of its next vblank; frame counter, scanline and flips
 * follow from it when someone looks (pipe_sync). No timer is needed for them to be right.
 *
 * Holding. A driver updates a pipe by reading the scanline, waiting while it is within 100 us before
 * vblank, then writing ten to fifty registers that must all land before the next vblank. On silicon
 * that takes microseconds. Here each access may be a trap that costs 30 us or, with a guest on a busy
 * host, milliseconds, and vblank would fall into the middle: i915 says "Atomic update failure", and a
 * torn state would be latched. So the pipe's time is our own: it stands still at the hold point, LATE
 * before vblank, while an update seems to be going on:
 *
 *   - after an access to the scanline or frame counter, for QUIET (an update may begin);
 *   - from the first write to a plane until the write that arms it, and after that until the frame
 *     counter is read (i915 checks each update so), but no longer than CHECK: a cursor is moved without;
 *   - never longer than HOLD_READ_MAX (reads alone) or PIPE_HOLD_MAX (writes) a frame; and when it has
 *     lasted for HOLD_LONG, it ends where one update has been checked (frame counter) and the next one
 *     begins (scanline), so that updates back to back do not add up.
 *
 * Between the hold point and vblank nothing holds: an access there makes the vblank happen at once, at
 * most LATE early, so that no driver ever sees a scanline it would have to wait on. Everything that
 * shows time (scanline, frame counter, vblank event, flips) is computed from the one number, held or
 * not, and so agrees. A display that nobody touches runs exactly by the clock.
 */
#include "soc/pipe.h"
#include "base/util.h"
#include "soc/power.h"
#include "soc/soc.h"

#define QUIET_NS	 (5 * NSEC_PER_MSEC)
#define CHECK_NS	 (15 * NSEC_PER_MSEC)
#define LATE_NS		 (400 * NSEC_PER_USEC)
#define HOLD_READ_MAX_NS (10 * NSEC_PER_MSEC)
#define HOLD_LONG_NS	 (20 * NSEC_PER_MSEC)
#define FRAME_DEFAULT_NS (NSEC_PER_SEC / 60)

#define TRANSCODER_EDP 3
#define CONF_ENABLE    BIT(31)

int pipe_transcoder(const struct regs *r, unsigned int pipe)
{
	static const uint8_t input[8] = {0, 0, 0, 0, 0, 1, 2, 0}; /* TRANS_DDI_FUNC_CTL 14:12 */
	uint32_t func = regs_peek(r, 0x6f400);

	if (regs_peek(r, 0x70008 + 0x1000 * pipe) & CONF_ENABLE)
		return (int)pipe;
	if (regs_peek(r, 0x7f008) & CONF_ENABLE && input[func >> 12 & 7] == pipe)
		return TRANSCODER_EDP;
	return -1;
}

/* Timing registers hold a count less one in 13 bits; which half is which differs. */
static uint32_t lines(uint32_t field)
{
	return (field & 0x1fff) + 1;
}

static void read_mode(struct soc_display *d, unsigned int pipe)
{
	const struct regs *r = d->soc->regs;
	struct soc_pipe *p = &d->pipe[pipe];
	int transcoder = pipe_transcoder(r, pipe);
	uint32_t base = transcoder == TRANSCODER_EDP ? 0x6f000 : 0x60000 + 0x1000 * pipe;
	uint32_t htotal = lines(regs_peek(r, base) >> 16);
	uint32_t vertical = regs_peek(r, base + 0x0c);
	uint32_t khz = transcoder < 0 ? 0 : soc_power_pixel_khz(r, (unsigned int)transcoder);

	p->vtotal = lines(vertical >> 16);
	p->vblank_start = lines(regs_peek(r, base + 0x10)); /* TRANS_VBLANK */
	if (p->vblank_start == 1 || p->vblank_start >= p->vtotal)
		p->vblank_start = lines(vertical);
	if (p->vblank_start >= p->vtotal)
		p->vblank_start = p->vtotal - 1;
	/* HDMI or DVI against DisplayPort: i915 intel_crtc_scanline_offset() */
	p->line_bias = (regs_peek(r, base + 0x400) >> 24 & 7) < 2 ? 2 : 1;
	p->frame_ns = khz ? (uint64_t)htotal * p->vtotal * 1000000 / khz : FRAME_DEFAULT_NS;
	if (p->frame_ns < PIPE_FRAME_MIN_NS || p->frame_ns > PIPE_FRAME_MAX_NS)
		p->frame_ns = FRAME_DEFAULT_NS;
}

static uint64_t late_ns(const struct soc_pipe *p)
{
	return min_u64(LATE_NS, p->frame_ns / 4);
}

static uint64_t hold_point(const struct soc_pipe *p)
{
	return p->vblank_ns - late_ns(p);
}

uint64_t pipe_next_vblank(const struct soc_pipe *p)
{
	return p->hold_ns > hold_point(p) ? p->hold_ns + late_ns(p) : p->vblank_ns;
}

uint32_t pipe_plane_offset(unsigned int pipe, unsigned int plane, enum soc_plane_reg reg)
{
	static const uint8_t universal[PLANE_REG_COUNT] = {
		[PLANE_REG_CTL] = 0x00,
		[PLANE_REG_STRIDE] = 0x08,
		[PLANE_REG_POS] = 0x0c,
		[PLANE_REG_SIZE] = 0x10,
		[PLANE_REG_KEYVAL] = 0x14,
		[PLANE_REG_KEYMSK] = 0x18,
		[PLANE_REG_SURF] = 0x1c,
		[PLANE_REG_KEYMAX] = 0x20,
		[PLANE_REG_OFFSET] = 0x24,
		[PLANE_REG_AUXDIST] = 0x40,
		[PLANE_REG_AUXOFF] = 0x44,
	};
	static const uint8_t cursor[PLANE_REG_COUNT] = {
		[PLANE_REG_CTL] = 0x80,
		[PLANE_REG_SURF] = 0x84,
		[PLANE_REG_POS] = 0x88,
		[PLANE_REG_SIZE] = 0xa0,
	};
	uint32_t base = 0x70000 + 0x1000 * pipe;

	if (plane == SOC_CURSOR)
		return cursor[reg] ? base + cursor[reg] : 0;
	return base + 0x180 + 0x100 * plane + universal[reg];
}

void pipe_latch(struct soc_display *d, unsigned int pipe, unsigned int plane)
{
	struct soc_pipe *p = &d->pipe[pipe];
	struct soc_plane_live *live = &p->plane[plane];

	for (int i = 0; i < PLANE_REG_COUNT; i++) {
		uint32_t offset = pipe_plane_offset(pipe, plane, (enum soc_plane_reg)i);

		live->reg[i] = offset ? regs_peek(d->soc->regs, offset) : 0;
	}
	if (live->flip && plane != SOC_CURSOR)
		soc_raise(d->soc, IRQ_PIPE_A + pipe, PIPE_IRQ_FLIP_DONE(plane));
	if (live->flip && plane == 0)
		p->flips++;
	live->armed = false;
	live->flip = false;
}

static void latch_armed(struct soc_display *d, unsigned int pipe)
{
	for (unsigned int i = 0; i < SOC_PLANES_MAX; i++) {
		if (d->pipe[pipe].plane[i].armed)
			pipe_latch(d, pipe, i);
	}
}

void pipe_start(struct soc_display *d, unsigned int pipe, uint64_t now)
{
	struct soc_pipe *p = &d->pipe[pipe];

	latch_armed(d, pipe);
	read_mode(d, pipe);
	p->on = true;
	p->last_vblank_ns = now;
	p->vblank_ns = now + p->frame_ns * p->vblank_start / p->vtotal;
	if (p->vblank_ns < now + PIPE_FRAME_MIN_NS / 2)
		p->vblank_ns = now + PIPE_FRAME_MIN_NS / 2;
	p->hold_ns = 0;
	p->hold_write = false;
	p->hold_done = false;
}

void pipe_stop(struct soc_display *d, unsigned int pipe, uint64_t now)
{
	pipe_sync(d, pipe, now);
	d->pipe[pipe].on = false;
	latch_armed(d, pipe);
}

void pipe_sync(struct soc_display *d, unsigned int pipe, uint64_t now)
{
	struct soc_pipe *p = &d->pipe[pipe];
	uint64_t first, frames;

	if (!p->on)
		return;
	first = pipe_next_vblank(p);
	if (now < first)
		return;
	frames = (now - first) / p->frame_ns;
	p->frames += (uint32_t)frames + 1;
	p->last_vblank_ns = first + frames * p->frame_ns;
	p->hold_ns = 0;
	p->hold_write = false;
	p->hold_done = false;
	for (unsigned int i = 0; i < SOC_PLANES_MAX; i++)
		p->plane[i].touched = false;
	latch_armed(d, pipe);
	read_mode(d, pipe); /* timing registers are double-buffered too */
	p->vblank_ns = p->last_vblank_ns + p->frame_ns;
	if (p->vblank_ns <= now)
		p->vblank_ns = now + p->frame_ns;
	soc_raise(d->soc, IRQ_PIPE_A + pipe, PIPE_IRQ_VBLANK | PIPE_IRQ_VSYNC);
}

void pipe_enter(struct soc_display *d, unsigned int pipe, uint64_t now, enum pipe_access access)
{
	struct soc_pipe *p = &d->pipe[pipe];
	bool another;

	if (!p->on)
		return;
	pipe_sync(d, pipe, now);
	another = access == PIPE_SCANLINE && p->hold_done && now > hold_point(p) + HOLD_LONG_NS;
	if (another || now + late_ns(p) >= pipe_next_vblank(p)) {
		p->vblank_ns = now;
		p->hold_ns = 0;
		pipe_sync(d, pipe, now);
	}
}

void pipe_hold(struct soc_display *d, unsigned int pipe, uint64_t now, enum pipe_access access)
{
	struct soc_pipe *p = &d->pipe[pipe];
	uint64_t longest, quiet;
	bool touched = false;

	if (!p->on)
		return;
	for (unsigned int i = 0; i < SOC_PLANES_MAX; i++)
		touched |= p->plane[i].touched;
	p->hold_write |= access == PIPE_WRITE;
	p->hold_done = !touched && (p->hold_done || access == PIPE_FRAMES) && access != PIPE_WRITE;
	longest = hold_point(p) + (p->hold_write ? PIPE_HOLD_MAX_NS : HOLD_READ_MAX_NS);
	quiet = p->hold_write && !p->hold_done ? CHECK_NS : QUIET_NS;
	p->hold_ns = touched ? longest : min_u64(now + quiet, longest);
}

uint32_t pipe_line(const struct soc_pipe *p, uint64_t now)
{
	uint64_t vblank = pipe_next_vblank(p);
	uint64_t late = late_ns(p), left;

	if (now + late >= vblank)
		left = vblank > now ? vblank - now : 0;
	else if (now >= hold_point(p))
		left = late; /* held */
	else
		left = p->vblank_ns - now;
	/* Lines still to go, rounded up: all of them right at vblank. */
	left = (left * p->vtotal + p->frame_ns - 1) / p->frame_ns % p->vtotal;
	return (uint32_t)((p->vblank_start + p->vtotal - left) % p->vtotal);
}
