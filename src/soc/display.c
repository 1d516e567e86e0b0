/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The display's registers, and what they say is on a pipe.
 *
 * A plane's registers are stored as written and become live together: the write of PLANE_SURF (or
 * CUR_BASE) arms them, the next vblank latches them into soc_plane_live. At once it goes while the
 * pipe is off, and for an async flip, when the live PLANE_CTL already says so (the bit is
 * double-buffered itself, as i915's need_async_flip_toggle_wa knows). A plane that is not enabled arms
 * itself; a write to an enabled and armed one takes the arming back. PRM volume 2c, "Double Buffer
 * Armed By"; i915 i9xx_cursor_update_arm(), skl_plane_update_arm().
 *
 * Each handler brings its pipe up to the clock first (pipe.c); nothing is done ahead of time.
 */
#include "soc/display.h"
#include "base/util.h"
#include "soc/pipe.h"
#include "soc/soc.h"

#include <errno.h>

#define PIPE_STRIDE	   0x1000u
#define PIPE_DSL	   0x70000u
#define PIPE_BOTTOM_COLOR  0x70034u
#define PIPE_SRC	   0x6001cu
#define PS_CTRL		   0x68180u
#define PS_WIN_SIZE	   0x68174u
#define CONF_ENABLE	   BIT(31)
#define CONF_STATE	   BIT(30)
#define SURF_ADDRESS	   UINT32_C(0xfffff000)
#define SDE_PORT_B	   BIT(21)
#define SHOTPLUG_CTL	   0xc4030u
#define SHOTPLUG_STATUS	   UINT32_C(0x03030303)
#define SHOTPLUG_B_ENABLE  BIT(4)
#define SHOTPLUG_B_LONG	   UINT32_C(2)
#define SFUSE_STRAP_PORT_B BIT(2)
#define DDI_BUF_IDLE	   BIT(7)
#define DP_TP_IDLE_DONE	   BIT(25)

static uint64_t now_ns(const struct soc_display *d)
{
	return clock_now_ns(d->soc->clock);
}

/* The pipe whose 4 KiB of registers `offset` is in; SOC_PIPES or more: none of A to C. */
static unsigned int pipe_of(uint32_t offset)
{
	return (offset - PIPE_DSL) / PIPE_STRIDE;
}

/* ------------------------------------------------------------------ pipes */

static uint32_t state_follows(uint32_t value)
{
	return (value & ~CONF_STATE) | (value >> 1 & CONF_STATE);
}

static uint32_t conf_read(void *block, uint32_t offset)
{
	struct soc_display *d = block;

	return state_follows(regs_peek(d->soc->regs, offset));
}

/* Any transcoder's TRANSCONF: EDP's may feed from any pipe, so all are looked at. */
static void conf_write(void *block, uint32_t offset, uint32_t value)
{
	struct soc_display *d = block;
	uint64_t now;

	soc_acquire(d->soc);
	now = now_ns(d);
	for (unsigned int i = 0; i < SOC_PIPES; i++)
		pipe_sync(d, i, now); /* by the state before */
	regs_store(d->soc->regs, offset, value & ~CONF_STATE);
	for (unsigned int i = 0; i < SOC_PIPES; i++) {
		bool on = pipe_transcoder(d->soc->regs, i) >= 0;

		if (on && !d->pipe[i].on) {
			pipe_start(d, i, now);
			d->soc->kick_wanted = true;
		} else if (!on && d->pipe[i].on) {
			pipe_stop(d, i, now);
		}
	}
	soc_release(d->soc);
}

static uint32_t scanline_read(void *block, uint32_t offset)
{
	struct soc_display *d = block;
	unsigned int pipe = pipe_of(offset);
	uint32_t value = 0;

	if (pipe >= SOC_PIPES)
		return 0;
	soc_acquire(d->soc);
	if (d->pipe[pipe].on) {
		struct soc_pipe *p = &d->pipe[pipe];
		uint64_t now = now_ns(d);

		pipe_enter(d, pipe, now, PIPE_SCANLINE);
		value = (pipe_line(p, now) + p->vtotal - p->line_bias % p->vtotal) % p->vtotal;
		pipe_hold(d, pipe, now, PIPE_SCANLINE);
	}
	soc_release(d->soc);
	return value;
}

static uint32_t frames_read(void *block, uint32_t offset)
{
	struct soc_display *d = block;
	unsigned int pipe = pipe_of(offset);
	uint32_t value;
	uint64_t now;

	if (pipe >= SOC_PIPES)
		return regs_peek(d->soc->regs, offset);
	soc_acquire(d->soc);
	now = now_ns(d);
	pipe_enter(d, pipe, now, PIPE_FRAMES);
	value = d->pipe[pipe].frames;
	pipe_hold(d, pipe, now, PIPE_FRAMES);
	soc_release(d->soc);
	return value;
}

static uint32_t flips_read(void *block, uint32_t offset)
{
	struct soc_display *d = block;
	unsigned int pipe = pipe_of(offset);
	uint32_t value;

	if (pipe >= SOC_PIPES)
		return regs_peek(d->soc->regs, offset);
	soc_acquire(d->soc);
	pipe_sync(d, pipe, now_ns(d));
	value = d->pipe[pipe].flips;
	soc_release(d->soc);
	return value;
}

/* The counters are writable on silicon; no driver does. */
static void drop_write(void *block, uint32_t offset, uint32_t value)
{
}

/* ------------------------------------------------------------------ planes */

/* Which latched register `offset` is. False: one of the plane's that does not latch here. */
static bool plane_of(
	uint32_t offset, unsigned int *pipe, unsigned int *plane, enum soc_plane_reg *reg)
{
	uint32_t within = offset % PIPE_STRIDE;

	*pipe = pipe_of(offset);
	if (*pipe >= SOC_PIPES || within < 0x80)
		return false;
	*plane = within < 0x180 ? SOC_CURSOR : (within - 0x180) / 0x100;
	if (*plane > SOC_CURSOR || (*plane == SOC_CURSOR && within >= 0x180))
		return false;
	for (int i = 0; i < PLANE_REG_COUNT; i++) {
		if (pipe_plane_offset(*pipe, *plane, (enum soc_plane_reg)i) == offset) {
			*reg = (enum soc_plane_reg)i;
			return true;
		}
	}
	return false;
}

static bool plane_enabled(const struct soc_plane_live *live, unsigned int plane)
{
	if (plane == SOC_CURSOR)
		return gen9_cursor_mode(live->reg[PLANE_REG_CTL]) != NULL;
	return live->reg[PLANE_REG_CTL] & PLANE_CTL_ENABLE;
}

static void plane_write(void *block, uint32_t offset, uint32_t value)
{
	struct soc_display *d = block;
	unsigned int pipe, plane;
	enum soc_plane_reg reg;
	struct soc_plane_live *live;
	uint64_t now;

	if (!plane_of(offset, &pipe, &plane, &reg)) {
		regs_store(d->soc->regs, offset, value);
		return;
	}
	soc_acquire(d->soc);
	now = now_ns(d);
	live = &d->pipe[pipe].plane[plane];
	pipe_enter(d, pipe, now, PIPE_WRITE);
	regs_store(d->soc->regs, offset, value);
	live->touched = true;
	live->armed = !plane_enabled(live, plane);
	if (!d->pipe[pipe].on && live->armed)
		pipe_latch(d, pipe, plane);
	pipe_hold(d, pipe, now, PIPE_WRITE);
	soc_release(d->soc);
}

/* Both the live and the written PLANE_CTL say so. A cursor has no such flips. */
static bool async_flip(const struct soc_display *d, unsigned int pipe, unsigned int plane)
{
	uint32_t ctl = regs_peek(d->soc->regs, pipe_plane_offset(pipe, plane, PLANE_REG_CTL));

	return plane != SOC_CURSOR &&
	       d->pipe[pipe].plane[plane].reg[PLANE_REG_CTL] & ctl & PLANE_CTL_ASYNC_FLIP;
}

static void surf_write(void *block, uint32_t offset, uint32_t value)
{
	struct soc_display *d = block;
	unsigned int pipe, plane;
	enum soc_plane_reg reg;
	struct soc_plane_live *live;
	uint32_t event;
	uint64_t now;

	if (!plane_of(offset, &pipe, &plane, &reg)) {
		regs_store(d->soc->regs, offset, value);
		return;
	}
	soc_acquire(d->soc);
	now = now_ns(d);
	live = &d->pipe[pipe].plane[plane];
	pipe_enter(d, pipe, now, PIPE_WRITE);
	regs_store(d->soc->regs, offset, value);
	live->touched = false;
	live->armed = true;
	live->flip = true;
	if (!d->pipe[pipe].on || async_flip(d, pipe, plane))
		pipe_latch(d, pipe, plane);
	pipe_hold(d, pipe, now, PIPE_WRITE);
	event = plane == SOC_CURSOR ? 0 : PIPE_IRQ_FLIP_DONE(plane);
	if (live->armed && soc_irq_listened(&d->soc->irq, IRQ_PIPE_A + pipe, event))
		d->soc->kick_wanted = true;
	soc_release(d->soc);
}

static uint32_t surflive_read(void *block, uint32_t offset)
{
	struct soc_display *d = block;
	unsigned int pipe, plane;
	enum soc_plane_reg reg;
	uint32_t value;

	/* SURFLIVE is 0x10 behind PLANE_SURF and 0x28 behind CUR_BASE. */
	if (!plane_of(offset - (offset % PIPE_STRIDE < 0x180 ? 0x28 : 0x10), &pipe, &plane, &reg) ||
		reg != PLANE_REG_SURF)
		return regs_peek(d->soc->regs, offset);
	soc_acquire(d->soc);
	pipe_sync(d, pipe, now_ns(d));
	value = d->pipe[pipe].plane[plane].reg[PLANE_REG_SURF];
	soc_release(d->soc);
	return value;
}

/* ------------------------------------------------------------------ ports */

static uint32_t ddi_buf_read(void *block, uint32_t offset)
{
	struct soc_display *d = block;
	uint32_t value = regs_peek(d->soc->regs, offset);

	return value & BIT(31) ? value & ~DDI_BUF_IDLE : value | DDI_BUF_IDLE;
}

/* Whatever training pattern was asked for has been sent. */
static uint32_t dp_tp_status_read(void *block, uint32_t offset)
{
	return DP_TP_IDLE_DONE;
}

static uint32_t sfuse_strap_read(void *block, uint32_t offset)
{
	return SFUSE_STRAP_PORT_B;
}

/* SHOTPLUG_CTL and SHOTPLUG_CTL2: status bits clear when written 1, the rest is stored. */
static void hotplug_write(void *block, uint32_t offset, uint32_t value)
{
	struct soc_display *d = block;
	uint32_t status;

	soc_acquire(d->soc);
	status = regs_peek(d->soc->regs, offset) & SHOTPLUG_STATUS & ~value;
	regs_poke(d->soc->regs, offset, (value & ~SHOTPLUG_STATUS) | status);
	soc_release(d->soc);
}

void soc_display_plug(struct soc_display *d, bool monitor)
{
	struct regs *r = d->soc->regs;

	soc_acquire(d->soc);
	if (d->monitor != monitor) {
		d->monitor = monitor;
		soc_irq_level(&d->soc->irq, IRQ_SDE, SDE_PORT_B, monitor);
		if (regs_peek(r, SHOTPLUG_CTL) & SHOTPLUG_B_ENABLE) {
			regs_poke(r, SHOTPLUG_CTL, regs_peek(r, SHOTPLUG_CTL) | SHOTPLUG_B_LONG);
			soc_raise(d->soc, IRQ_SDE, SDE_PORT_B);
		}
	}
	soc_release(d->soc);
}

/* ------------------------------------------------------------------ what a pipe shows */

/* Where a plane scaler puts plane `plane`: PS_CTRL 27:25 is 1 + the plane. */
static void scale(
	const struct regs *r, unsigned int pipe, unsigned int plane, struct soc_plane_state *s)
{
	for (uint32_t i = 0; i < (pipe == 2 ? 1u : 2u); i++) {
		uint32_t at = 0x800 * pipe + 0x100 * i;
		uint32_t ctrl = regs_peek(r, PS_CTRL + at);
		uint32_t position = regs_peek(r, PS_WIN_SIZE - 4 + at);
		uint32_t size = regs_peek(r, PS_WIN_SIZE + at);

		if (!(ctrl & BIT(31)) || (ctrl >> 25 & 7) != plane + 1)
			continue;
		s->x = (int32_t)(position >> 16 & 0x1fff);
		s->y = (int32_t)(position & 0x1fff);
		s->dst_w = size >> 16 & 0x1fff;
		s->dst_h = size & 0x1fff;
	}
}

static void universal_state(const struct soc_display *d, unsigned int pipe, unsigned int plane,
	struct soc_plane_state *s)
{
	const uint32_t *reg = d->pipe[pipe].plane[plane].reg;
	uint32_t ctl = reg[PLANE_REG_CTL];

	*s = (struct soc_plane_state){
		.on = true,
		.kind = plane == 0 ? SOC_PLANE_PRIMARY : SOC_PLANE_OVERLAY,
		.index = plane,
		.format = gen9_plane_format(ctl),
		.surf = {reg[PLANE_REG_SURF] & SURF_ADDRESS},
		.stride_raw = reg[PLANE_REG_STRIDE] & 0x3ff,
		.x = (int32_t)(reg[PLANE_REG_POS] & 0x1fff),
		.y = (int32_t)(reg[PLANE_REG_POS] >> 16 & 0x1fff),
		.w = (reg[PLANE_REG_SIZE] & 0x1fff) + 1,
		.h = (reg[PLANE_REG_SIZE] >> 16 & 0x1fff) + 1,
		.src_x = reg[PLANE_REG_OFFSET] & 0x1fff,
		.src_y = reg[PLANE_REG_OFFSET] >> 16 & 0x1fff,
		.rotation = gen9_plane_rotation(ctl),
		.alpha = gen9_plane_alpha(ctl),
		.plane_alpha = reg[PLANE_REG_KEYMSK] & BIT(31)
				       ? (uint8_t)(reg[PLANE_REG_KEYMAX] >> 24)
				       : 255,
		.key_enable = ctl >> 21 & 3,
		.key_value = reg[PLANE_REG_KEYVAL],
		.key_mask = reg[PLANE_REG_KEYMSK],
		.key_max = reg[PLANE_REG_KEYMAX],
		.compressed = ctl & PLANE_CTL_DECOMPRESSION,
		.aux_offset = reg[PLANE_REG_AUXDIST] & SURF_ADDRESS,
	};
	gen9_plane_tiling(ctl, &s->tiling);
	s->stride_bytes = s->stride_raw * gen9_plane_stride_unit(s->tiling, s->format->bytes);
	s->dst_w = s->w;
	s->dst_h = s->h;
	scale(d->soc->regs, pipe, plane, s);
}

/* A coordinate of CUR_POS: sign and magnitude. */
static int32_t cursor_coordinate(uint32_t half)
{
	int32_t magnitude = (int32_t)(half & 0x7fff);

	return half & 0x8000 ? -magnitude : magnitude;
}

static bool cursor_state(const struct soc_display *d, unsigned int pipe, struct soc_plane_state *s)
{
	const uint32_t *reg = d->pipe[pipe].plane[SOC_CURSOR].reg;
	const struct gen9_cursor_mode *mode = gen9_cursor_mode(reg[PLANE_REG_CTL]);
	uint32_t fbc = reg[PLANE_REG_SIZE];

	if (!mode)
		return false;
	*s = (struct soc_plane_state){
		.on = true,
		.kind = SOC_PLANE_CURSOR,
		.index = SOC_CURSOR,
		.format = gen9_plane_pixel(mode->pixel),
		.tiling = GEN9_PLANE_LINEAR,
		.stride_bytes = mode->stride_bytes,
		.stride_raw = mode->stride_bytes / 64,
		.surf = {reg[PLANE_REG_SURF] & SURF_ADDRESS},
		.x = cursor_coordinate(reg[PLANE_REG_POS]),
		.y = cursor_coordinate(reg[PLANE_REG_POS] >> 16),
		.w = mode->size,
		.h = mode->size,
		.rotation = reg[PLANE_REG_CTL] & BIT(15) ? 180 : 0,
		.alpha = mode->alpha,
		.plane_alpha = 255,
	};
	if (fbc & BIT(31) && (fbc & 0xff) + 1 < s->h) /* CUR_FBC_CTL: fewer lines than the mode's */
		s->h = (fbc & 0xff) + 1;
	s->dst_w = s->w;
	s->dst_h = s->h;
	return true;
}

/* PIPE_BOTTOM_COLOR has 10 bits a colour. */
static uint32_t bottom_color(uint32_t value)
{
	return (value >> 22 & 0xff) << 16 | (value >> 12 & 0xff) << 8 | (value >> 2 & 0xff);
}

int soc_display_scanout(struct soc_display *d, unsigned int pipe, struct soc_pipe_state *pipe_out,
	struct soc_plane_state out[], size_t max)
{
	const struct regs *r = d->soc->regs;
	size_t n = 0;
	uint32_t src;

	if (pipe >= SOC_PIPES)
		return -EINVAL;
	soc_acquire(d->soc);
	pipe_sync(d, pipe, now_ns(d));
	src = regs_peek(r, PIPE_SRC + PIPE_STRIDE * pipe);
	*pipe_out = (struct soc_pipe_state){
		.on = d->pipe[pipe].on,
		.width = (src >> 16 & 0x1fff) + 1,
		.height = (src & 0x1fff) + 1,
		.background = bottom_color(regs_peek(r, PIPE_BOTTOM_COLOR + PIPE_STRIDE * pipe)),
		.frame = d->pipe[pipe].frames,
		.frame_ns = d->pipe[pipe].frame_ns,
	};
	for (unsigned int i = 0; d->pipe[pipe].on && i < SOC_PIPE_PLANES && n < max; i++) {
		if (plane_enabled(&d->pipe[pipe].plane[i], i))
			universal_state(d, pipe, i, &out[n++]);
	}
	if (d->pipe[pipe].on && n < max && cursor_state(d, pipe, &out[n]))
		n++;
	soc_release(d->soc);
	return (int)n;
}

int soc_display_planes(
	struct soc_display *d, unsigned int pipe, struct soc_plane_state out[], size_t max)
{
	struct soc_pipe_state state;

	return soc_display_scanout(d, pipe, &state, out, max);
}

int soc_display_pipe(struct soc_display *d, unsigned int pipe, struct soc_pipe_state *out)
{
	return soc_display_scanout(d, pipe, out, NULL, 0);
}

/* ------------------------------------------------------------------ block */

uint64_t soc_display_tick(struct soc_display *d, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	for (unsigned int i = 0; i < SOC_PIPES; i++) {
		struct soc_pipe *p = &d->pipe[i];
		uint32_t events = PIPE_IRQ_VBLANK | PIPE_IRQ_VSYNC;

		if (!p->on)
			continue;
		pipe_sync(d, i, now);
		for (unsigned int plane = 0; plane < SOC_PIPE_PLANES; plane++) {
			if (p->plane[plane].armed && p->plane[plane].flip)
				events |= PIPE_IRQ_FLIP_DONE(plane);
		}
		if (soc_irq_listened(&d->soc->irq, IRQ_PIPE_A + i, events))
			next = min_u64(next, pipe_next_vblank(p));
	}
	return next;
}

/* clang-format off */
static const struct {
	enum reg_handler id;
	struct reg_ops ops;
} handlers[] = {
	{REG_H_PIPE_CONF,       {conf_read, conf_write}},
	{REG_H_TRANS_CONF,      {conf_read, conf_write}},
	{REG_H_PIPE_SCANLINE,   {scanline_read, drop_write}},
	{REG_H_PIPE_FRMCOUNT,   {frames_read, drop_write}},
	{REG_H_PIPE_FLIPCOUNT,  {flips_read, drop_write}},
	{REG_H_PLANE_REG,       {NULL, plane_write}},
	{REG_H_PLANE_SURF,      {NULL, surf_write}},
	{REG_H_PLANE_SURFLIVE,  {surflive_read, drop_write}},
	{REG_H_CURSOR_REG,      {NULL, plane_write}},
	{REG_H_CURSOR_BASE,     {NULL, surf_write}},
	{REG_H_CURSOR_SURFLIVE, {surflive_read, drop_write}},
	{REG_H_DDI_BUF_CTL,     {ddi_buf_read, NULL}},
	{REG_H_DP_TP_STATUS,    {dp_tp_status_read, NULL}},
	{REG_H_SFUSE_STRAP,     {sfuse_strap_read, NULL}},
	{REG_H_HOTPLUG,         {NULL, hotplug_write}},
};
/* clang-format on */

void soc_display_init(struct soc_display *d, struct soc *s, bool monitor)
{
	*d = (struct soc_display){.soc = s, .monitor = monitor};
	soc_display_reset(d);
	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++)
		regs_bind(s->regs, handlers[i].id, &handlers[i].ops, d);
}

void soc_display_reset(struct soc_display *d)
{
	memset(d->pipe, 0, sizeof(d->pipe));
	for (unsigned int i = 0; i < SOC_PIPES; i++) {
		d->pipe[i].frame_ns = NSEC_PER_SEC / 60;
		d->pipe[i].vtotal = 1;
	}
	soc_irq_level(&d->soc->irq, IRQ_SDE, SDE_PORT_B, d->monitor);
}

/* Times are saved as distances from now, so that a pipe goes on where it was on another clock. */
void soc_display_save(void *obj, struct buf *out)
{
	struct soc_display *d = obj;
	uint64_t now;

	soc_acquire(d->soc);
	now = now_ns(d);
	buf_put_u32(out, d->monitor);
	for (unsigned int i = 0; i < SOC_PIPES; i++) {
		struct soc_pipe *p = &d->pipe[i];

		pipe_sync(d, i, now);
		buf_put_u32(out, p->on);
		buf_put_u32(out, p->hold_write | p->hold_done << 1);
		buf_put_u64(out, p->frame_ns);
		buf_put_u32(out, p->vtotal);
		buf_put_u32(out, p->vblank_start);
		buf_put_u32(out, p->line_bias);
		/* Held, vblank_ns may be in the past: by less than the longest hold. */
		buf_put_u64(out, p->on ? p->vblank_ns + PIPE_HOLD_MAX_NS - now : 0);
		buf_put_u64(out, p->hold_ns > now ? p->hold_ns - now : 0);
		buf_put_u32(out, p->frames);
		buf_put_u32(out, p->flips);
		for (unsigned int k = 0; k < SOC_PLANES_MAX; k++) {
			const struct soc_plane_live *live = &p->plane[k];

			for (int j = 0; j < PLANE_REG_COUNT; j++)
				buf_put_u32(out, live->reg[j]);
			buf_put_u32(out, live->armed | live->flip << 1 | live->touched << 2);
		}
	}
	soc_release(d->soc);
}

static int load_pipe(struct soc_pipe *p, struct buf_reader *in, uint64_t now, struct err *e)
{
	uint32_t on = buf_get_u32(in), held = buf_get_u32(in), flags;
	uint64_t vblank, hold;

	p->frame_ns = buf_get_u64(in);
	p->vtotal = buf_get_u32(in);
	p->vblank_start = buf_get_u32(in);
	p->line_bias = buf_get_u32(in);
	vblank = buf_get_u64(in);
	hold = buf_get_u64(in);
	p->frames = buf_get_u32(in);
	p->flips = buf_get_u32(in);
	if (on > 1 || held > 3)
		return err_set(e, -EINVAL, NULL, "display state: pipe flags %u, %u", on, held);
	if (p->frame_ns < PIPE_FRAME_MIN_NS || p->frame_ns > PIPE_FRAME_MAX_NS || !p->vtotal ||
		p->vtotal > 0x2000 || p->vblank_start >= p->vtotal || p->line_bias > 2)
		return err_set(e, -EINVAL, NULL, "display state: a mode of %u lines in %llu ns",
			p->vtotal, (unsigned long long)p->frame_ns);
	if (vblank > PIPE_HOLD_MAX_NS + PIPE_FRAME_MAX_NS || hold > vblank)
		return err_set(e, -EINVAL, NULL, "display state: next vblank in %llu ns, held %llu",
			(unsigned long long)vblank, (unsigned long long)hold);
	p->on = on;
	p->hold_write = held & 1;
	p->hold_done = held >> 1;
	/* On a clock that has just started there is no past to put it in. */
	p->vblank_ns =
		max_u64(now + vblank, PIPE_HOLD_MAX_NS + PIPE_FRAME_MIN_NS) - PIPE_HOLD_MAX_NS;
	p->hold_ns = hold ? now + hold : 0;
	p->last_vblank_ns = now;
	for (unsigned int k = 0; k < SOC_PLANES_MAX; k++) {
		for (int j = 0; j < PLANE_REG_COUNT; j++)
			p->plane[k].reg[j] = buf_get_u32(in);
		flags = buf_get_u32(in);
		if (flags > 7)
			return err_set(e, -EINVAL, NULL, "display state: plane flags %u", flags);
		p->plane[k].armed = flags & 1;
		p->plane[k].flip = flags >> 1 & 1;
		p->plane[k].touched = flags >> 2;
	}
	return 0;
}

int soc_display_load(void *obj, struct buf_reader *in, uint32_t version, struct err *e)
{
	struct soc_display *d = obj;
	struct soc_pipe pipe[SOC_PIPES] = {0};
	uint64_t now = now_ns(d);
	uint32_t monitor = buf_get_u32(in);
	int ret;

	if (monitor > 1)
		return err_set(e, -EINVAL, NULL, "display state: monitor is %u", monitor);
	for (unsigned int i = 0; i < SOC_PIPES; i++) {
		ret = load_pipe(&pipe[i], in, now, e);
		if (ret)
			return ret;
	}
	if (!buf_reader_done(in))
		return err_set(e, -EINVAL, NULL, "display state: wrong length %zu", in->len);
	soc_acquire(d->soc);
	d->monitor = monitor;
	memcpy(d->pipe, pipe, sizeof(pipe));
	d->soc->kick_wanted = true;
	soc_release(d->soc);
	return 0;
}
