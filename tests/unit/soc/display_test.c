/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pipes, planes and their time, driven in the order in which i915 does it. */
#include "rig.h"

#include <errno.h>

#define MS		  NSEC_PER_MSEC
#define US		  NSEC_PER_USEC
#define PIPE_IMR	  0x44404
#define PIPE_IIR	  0x44408
#define PIPE_IER	  0x4440c
#define DSL		  0x70000
#define CONF		  0x70008
#define FRMCOUNT	  0x70040
#define FLIPCOUNT	  0x70044
#define CUR_CTL		  0x70080
#define CUR_BASE	  0x70084
#define CUR_POS		  0x70088
#define CUR_FBC		  0x700a0
#define CUR_SURFLIVE	  0x700ac
#define PLANE_CTL(p)	  (0x70180u + 0x100 * (p))
#define PLANE_STRIDE(p)	  (0x70188u + 0x100 * (p))
#define PLANE_POS(p)	  (0x7018cu + 0x100 * (p))
#define PLANE_SIZE(p)	  (0x70190u + 0x100 * (p))
#define PLANE_KEYMSK(p)	  (0x70198u + 0x100 * (p))
#define PLANE_SURF(p)	  (0x7019cu + 0x100 * (p))
#define PLANE_KEYMAX(p)	  (0x701a0u + 0x100 * (p))
#define PLANE_OFFSET(p)	  (0x701a4u + 0x100 * (p))
#define PLANE_SURFLIVE(p) (0x701acu + 0x100 * (p))
#define XRGB8888_X	  (BIT(31) | 4u << 24 | 1u << 10)

#define HTOTAL	 1344
#define VTOTAL	 806
#define VDISPLAY 768

/* skl_ddi_pll_enable() and hsw_crtc_enable() for 1024x768 at 60 Hz on port B, HDMI, DPLL 1. */
static void program_mode(struct rig *r)
{
	wr(r, 0x6c058, BIT(6 + 5) | BIT(6));			  /* DPLL_CTRL1: HDMI mode */
	wr(r, 0x6c040, BIT(31) | 5461u << 9 | 379);		  /* 9100 MHz */
	wr(r, 0x6c044, 7u << 8 | BIT(7) | 1u << 5 | 1u << 2 | 1); /* by 2 * 7 * 2, by 5 */
	wr(r, 0x46014, BIT(31));
	wr(r, 0x6c05c, 1u << 4 | BIT(3)); /* DPLL_CTRL2: port B from DPLL 1 */
	wr(r, 0x60000, (HTOTAL - 1) << 16 | 1023);
	wr(r, 0x60004, (HTOTAL - 1) << 16 | 1023);
	wr(r, 0x60008, 1183 << 16 | 1047);
	wr(r, 0x6000c, (VTOTAL - 1) << 16 | (VDISPLAY - 1));
	wr(r, 0x60010, (VTOTAL - 1) << 16 | (VDISPLAY - 1));
	wr(r, 0x60014, 776 << 16 | 770);
	wr(r, 0x6001c, 1023 << 16 | 767);
	wr(r, 0x60400, BIT(31) | 1u << 28);
}

static void show(struct rig *r, uint32_t surf)
{
	wr(r, PLANE_STRIDE(0), 4096 / 512);
	wr(r, PLANE_POS(0), 0);
	wr(r, PLANE_SIZE(0), 767 << 16 | 1023);
	wr(r, PLANE_OFFSET(0), 0);
	wr(r, PLANE_CTL(0), XRGB8888_X);
	wr(r, PLANE_SURF(0), surf);
}

static void listen(struct rig *r, uint32_t bits)
{
	wr(r, PIPE_IMR, ~0u);
	wr(r, PIPE_IIR, ~0u);
	wr(r, PIPE_IIR, ~0u);
	wr(r, 0x44200, BIT(31));
	wr(r, PIPE_IER, ~0u);
	wr(r, PIPE_IMR, ~bits);
}

static struct rig *start(struct rig *r)
{
	rig_init(r, true);
	program_mode(r);
	wr(r, CONF, BIT(31));
	return r;
}

/* Runs the timer as its owner does, until `to`; returns how often soc_tick() was called. */
static unsigned int run_until(struct rig *r, uint64_t to)
{
	unsigned int ticks = 0;

	for (;;) {
		uint64_t next = soc_tick(&r->soc), now = clock_now_ns(&r->clock);

		ticks++;
		if (next > to)
			break;
		assert_true(next > now);
		clock_advance(&r->clock, next - now);
		assert_true(ticks < 100000);
	}
	if (to > clock_now_ns(&r->clock))
		clock_advance(&r->clock, to - clock_now_ns(&r->clock));
	return ticks;
}

/* i915 __intel_get_crtc_scanline() for an HDMI output. */
static uint32_t scanline(struct rig *r)
{
	return (rd(r, DSL) + 2) % VTOTAL;
}

static void test_modeset(void **state)
{
	struct rig r;
	uint32_t frame, line, last;

	rig_init(&r, true);
	assert_int_equal(rd(&r, CONF), 0);
	assert_int_equal(rd(&r, DSL), 0);
	program_mode(&r);
	show(&r, 0x40000);
	assert_int_equal(rd(&r, PLANE_SURFLIVE(0)), 0x40000); /* at once: the pipe is off */
	assert_int_equal(r.kicks, 0);
	wr(&r, CONF, BIT(31));
	assert_int_equal(rd(&r, CONF), BIT(31) | BIT(30));
	assert_true(r.kicks > 0);
	/* 65 MHz: 60.004 Hz */
	assert_in_range(r.soc.display.pipe[0].frame_ns, 16665700, 16666100);
	assert_int_equal(r.soc.display.pipe[1].on, false);
	/* Lines go by in order, one each 20.7 us; the counter steps where the vblank starts. */
	frame = rd(&r, FRMCOUNT);
	last = scanline(&r);
	assert_int_equal(last, 0);
	for (int i = 0; i < 767; i++) {
		uint64_t line_ns = r.soc.display.pipe[0].frame_ns / VTOTAL;

		r.soc.display.pipe[0].hold_ns = 0; /* this test looks at the clock alone */
		clock_advance(&r.clock, line_ns + 1);
		line = scanline(&r);
		if (line >= 740)
			break;
		assert_int_equal(rd(&r, FRMCOUNT), frame);
		assert_in_range(line, last, last + 1);
		last = line;
	}
	wr(&r, CONF, 0);
	assert_int_equal(rd(&r, CONF), 0);
	assert_int_equal(soc_tick(&r.soc), UINT64_MAX);
	rig_finish(&r);
}

static void test_vblank_clock(void **state)
{
	struct rig r;
	uint64_t frame_ns, first, now;
	uint32_t frame;

	start(&r);
	frame_ns = r.soc.display.pipe[0].frame_ns;
	/* Nobody listens: no timer, and yet the frames are counted. */
	assert_int_equal(soc_tick(&r.soc), UINT64_MAX);
	frame = rd(&r, FRMCOUNT);
	clock_advance(&r.clock, 100 * frame_ns);
	assert_int_equal(soc_tick(&r.soc), UINT64_MAX);
	assert_int_equal(rd(&r, FRMCOUNT) - frame, 100);
	assert_int_equal(r.msis, 0);
	run_until(&r, clock_now_ns(&r.clock) + 50 * MS);
	/* Unmasked: the owner is kicked, and each vblank is one event, in time. */
	r.kicks = 0;
	listen(&r, 1);
	assert_int_equal(r.kicks, 1);
	first = soc_tick(&r.soc);
	now = clock_now_ns(&r.clock);
	assert_in_range(first, now + 1, now + frame_ns + 5 * MS);
	run_until(&r, first);
	soc_tick(&r.soc);
	frame = r.soc.display.pipe[0].frames;
	for (int i = 1; i <= 20; i++) {
		wr(&r, PIPE_IIR, ~0u);
		wr(&r, 0x44200, BIT(31));
		r.msis = 0;
		clock_advance(&r.clock, frame_ns - 1);
		assert_int_equal(soc_tick(&r.soc), first + (uint64_t)i * frame_ns);
		assert_int_equal(r.msis, 0);
		clock_advance(&r.clock, 1);
		soc_tick(&r.soc);
		assert_int_equal(r.msis, 1);
		assert_int_equal(rd(&r, PIPE_IIR) & 1, 1);
		assert_int_equal(r.soc.display.pipe[0].frames, frame + (uint32_t)i);
	}
	/* Late by frames: one event, all frames counted, and in step again. */
	clock_advance(&r.clock, 7 * frame_ns + 3);
	assert_int_equal(soc_tick(&r.soc), first + 28 * frame_ns);
	assert_int_equal(r.soc.display.pipe[0].frames, frame + 27);
	/* Just after vblank the scanline is where vblank starts, in a driver's eyes. */
	clock_advance(&r.clock, frame_ns - 3);
	assert_int_equal(scanline(&r), VDISPLAY);
	wr(&r, PIPE_IMR, ~0u);
	assert_int_equal(soc_tick(&r.soc), UINT64_MAX);
	rig_finish(&r);
}

static void test_flip(void **state)
{
	struct rig r;
	uint32_t flips;

	start(&r);
	show(&r, 0x40000);
	assert_int_equal(rd(&r, PLANE_SURFLIVE(0)), 0);
	clock_advance(&r.clock, 20 * MS + 5 * MS);
	assert_int_equal(rd(&r, PLANE_SURFLIVE(0)), 0x40000);
	flips = rd(&r, FLIPCOUNT);
	/* A synchronous flip: at vblank, with its event; nothing before. */
	listen(&r, BIT(3));
	assert_int_equal(soc_tick(&r.soc), UINT64_MAX);
	r.kicks = 0;
	r.msis = 0;
	wr(&r, PLANE_SURF(0), 0x80000);
	assert_int_equal(r.kicks, 1);
	assert_int_equal(rd(&r, PLANE_SURF(0)), 0x80000);
	assert_int_equal(rd(&r, PLANE_SURFLIVE(0)), 0x40000);
	assert_true(soc_tick(&r.soc) < clock_now_ns(&r.clock) + 25 * MS);
	run_until(&r, clock_now_ns(&r.clock) + 25 * MS);
	assert_int_equal(r.msis, 1);
	assert_int_equal(rd(&r, PIPE_IIR), BIT(3));
	assert_int_equal(rd(&r, PLANE_SURFLIVE(0)), 0x80000);
	assert_int_equal(rd(&r, FLIPCOUNT), flips + 1);
	assert_int_equal(soc_tick(&r.soc), UINT64_MAX);
	/* The first flip with the async bit is latched with it, those after it go at once. */
	wr(&r, PIPE_IIR, ~0u);
	wr(&r, PLANE_CTL(0), XRGB8888_X | BIT(9));
	wr(&r, PLANE_SURF(0), 0x90000);
	assert_int_equal(rd(&r, PLANE_SURFLIVE(0)), 0x80000);
	run_until(&r, clock_now_ns(&r.clock) + 25 * MS);
	assert_int_equal(rd(&r, PLANE_SURFLIVE(0)), 0x90000);
	wr(&r, PIPE_IIR, ~0u);
	wr(&r, PLANE_CTL(0), XRGB8888_X | BIT(9));
	wr(&r, PLANE_SURF(0), 0xa0000);
	assert_int_equal(rd(&r, PLANE_SURFLIVE(0)), 0xa0000);
	assert_int_equal(rd(&r, PIPE_IIR), BIT(3));
	rig_finish(&r);
}

static void test_arming(void **state)
{
	struct soc_plane_state s[SOC_PLANES_MAX];
	struct rig r;

	start(&r);
	show(&r, 0x40000);
	clock_advance(&r.clock, 25 * MS);
	assert_int_equal(soc_display_planes(&r.soc.display, 0, s, SOC_PLANES_MAX), 1);
	assert_int_equal(s[0].w, 1024);
	/* A half-done update does not show, however long it takes. */
	wr(&r, PLANE_SIZE(0), 99 << 16 | 99);
	clock_advance(&r.clock, 500 * MS);
	assert_int_equal(soc_display_planes(&r.soc.display, 0, s, SOC_PLANES_MAX), 1);
	assert_int_equal(s[0].w, 1024);
	/* A write after the arming one takes it back; arming again brings both. */
	wr(&r, PLANE_SURF(0), 0x50000);
	wr(&r, PLANE_POS(0), 7 << 16 | 5);
	clock_advance(&r.clock, 500 * MS);
	assert_int_equal(soc_display_planes(&r.soc.display, 0, s, SOC_PLANES_MAX), 1);
	assert_int_equal(s[0].surf.v, 0x40000);
	wr(&r, PLANE_SURF(0), 0x50000);
	clock_advance(&r.clock, 25 * MS);
	assert_int_equal(soc_display_planes(&r.soc.display, 0, s, SOC_PLANES_MAX), 1);
	assert_int_equal(s[0].surf.v, 0x50000);
	assert_int_equal(s[0].w, 100);
	assert_int_equal(s[0].h, 100);
	assert_int_equal(s[0].x, 5);
	assert_int_equal(s[0].y, 7);
	/* skl_plane_disable_arm(), armed but not yet latched when the pipe goes off. */
	wr(&r, PLANE_CTL(0), 0);
	wr(&r, PLANE_SURF(0), 0);
	assert_int_equal(soc_display_planes(&r.soc.display, 0, s, SOC_PLANES_MAX), 1);
	wr(&r, CONF, 0);
	assert_int_equal(soc_display_planes(&r.soc.display, 0, s, SOC_PLANES_MAX), 0);
	wr(&r, CONF, BIT(31));
	assert_int_equal(soc_display_planes(&r.soc.display, 0, s, SOC_PLANES_MAX), 0);
	rig_finish(&r);
}

static void test_planes(void **state)
{
	struct soc_plane_state s[SOC_PLANES_MAX + 1];
	struct soc_pipe_state p;
	struct rig r;

	rig_init(&r, true);
	program_mode(&r);
	show(&r, 0x40000);
	wr(&r, PLANE_STRIDE(2), 640 * 2 / 64);
	wr(&r, PLANE_POS(2), 20 << 16 | 10);
	wr(&r, PLANE_SIZE(2), 479 << 16 | 639);
	wr(&r, PLANE_OFFSET(2), 4 << 16 | 3);
	wr(&r, PLANE_KEYMSK(2), BIT(31));
	wr(&r, PLANE_KEYMAX(2), 0x80u << 24);
	wr(&r, PLANE_CTL(2), BIT(31) | 14u << 24 | 2);
	wr(&r, PLANE_SURF(2), 0x123fff);
	wr(&r, CUR_FBC, BIT(31) | 31);
	wr(&r, CUR_CTL, 0x27);
	wr(&r, CUR_POS, (BIT(15) | 5) << 16 | 12);
	wr(&r, CUR_BASE, 0x7000);
	assert_int_equal(rd(&r, CUR_SURFLIVE), 0x7000);
	wr(&r, 0x70034, 0x3ffu << 20 | 0x200u << 10);
	assert_int_equal(soc_display_scanout(&r.soc.display, 0, &p, s, ARRAY_SIZE(s)), 0);
	assert_false(p.on);
	assert_int_equal(p.width, 1024);
	wr(&r, CONF, BIT(31));
	assert_int_equal(soc_display_scanout(&r.soc.display, 0, &p, s, ARRAY_SIZE(s)), 3);
	assert_true(p.on);
	assert_int_equal(p.width, 1024);
	assert_int_equal(p.height, 768);
	assert_int_equal(p.background, 0xff8000);
	assert_int_equal(s[0].kind, SOC_PLANE_PRIMARY);
	assert_int_equal(s[0].format->pixel, GEN9_PIXEL_XRGB8888);
	assert_int_equal(s[0].tiling, GEN9_PLANE_X);
	assert_int_equal(s[0].stride_bytes, 4096);
	assert_int_equal(s[0].plane_alpha, 255);
	assert_int_equal(s[1].kind, SOC_PLANE_OVERLAY);
	assert_int_equal(s[1].index, 2);
	assert_int_equal(s[1].format->pixel, GEN9_PIXEL_RGB565);
	assert_int_equal(s[1].tiling, GEN9_PLANE_LINEAR);
	assert_int_equal(s[1].stride_bytes, 1280);
	assert_int_equal(s[1].surf.v, 0x123000);
	assert_int_equal(s[1].x, 10);
	assert_int_equal(s[1].y, 20);
	assert_int_equal(s[1].src_x, 3);
	assert_int_equal(s[1].src_y, 4);
	assert_int_equal(s[1].rotation, 180);
	assert_int_equal(s[1].plane_alpha, 0x80);
	assert_int_equal(s[1].dst_w, 640);
	assert_int_equal(s[2].kind, SOC_PLANE_CURSOR);
	assert_int_equal(s[2].x, 12);
	assert_int_equal(s[2].y, -5);
	assert_int_equal(s[2].w, 64);
	assert_int_equal(s[2].h, 32);
	assert_int_equal(s[2].alpha, GEN9_ALPHA_PREMULTIPLIED);
	/* No more than asked for; a pipe that is not there. */
	assert_int_equal(soc_display_planes(&r.soc.display, 0, s, 2), 2);
	assert_int_equal(soc_display_planes(&r.soc.display, 1, s, 2), 0);
	assert_int_equal(soc_display_planes(&r.soc.display, 3, s, 2), -EINVAL);
	assert_int_equal(soc_display_pipe(&r.soc.display, ~0u, &p), -EINVAL);
	/* A scaler enlarges plane 2. */
	wr(&r, 0x68170, 1u << 16 | 2);
	wr(&r, 0x68174, 1000u << 16 | 700);
	wr(&r, 0x68180, BIT(31) | 3u << 25);
	assert_int_equal(soc_display_planes(&r.soc.display, 0, s, 3), 3);
	assert_int_equal(s[1].dst_w, 1000);
	assert_int_equal(s[1].dst_h, 700);
	assert_int_equal(s[1].x, 1);
	assert_int_equal(s[1].y, 2);
	assert_int_equal(s[0].dst_w, 1024);
	/* The picture's size follows PIPESRC. */
	wr(&r, 0x6001c, 1919u << 16 | 1079);
	assert_int_equal(soc_display_pipe(&r.soc.display, 0, &p), 0);
	assert_int_equal(p.width, 1920);
	assert_int_equal(p.height, 1080);
	rig_finish(&r);
}

static void test_edp(void **state)
{
	struct soc_pipe_state p;
	struct rig r;

	rig_init(&r, true);
	wr(&r, 0x6f000, 2079u << 16 | 1919);
	wr(&r, 0x6f00c, 1110u << 16 | 1079);
	wr(&r, 0x6f010, 1110u << 16 | 1079);
	wr(&r, 0x6c05c, 0);	 /* DPLL_CTRL2: port A from DPLL 0, its clock on */
	wr(&r, 0x6f040, 138700); /* M, N of 138.7 MHz on 2.7 GHz */
	wr(&r, 0x6f044, 270000);
	wr(&r, 0x6c058, 1u << 1 | 1);			/* DPLL 0: 1350 */
	wr(&r, 0x6f400, BIT(31) | 2u << 24 | 5u << 12); /* DP, input from pipe B */
	wr(&r, 0x7f008, BIT(31));
	assert_int_equal(rd(&r, 0x7f008), BIT(31) | BIT(30));
	assert_int_equal(soc_display_pipe(&r.soc.display, 1, &p), 0);
	assert_true(p.on);
	assert_in_range(p.frame_ns, 2080ull * 1111 * 1000000 / 138700 - 10,
		2080ull * 1111 * 1000000 / 138700 + 10);
	assert_int_equal(r.soc.display.pipe[1].line_bias, 1);
	assert_int_equal(soc_display_pipe(&r.soc.display, 0, &p), 0);
	assert_false(p.on);
	wr(&r, 0x7f008, 0);
	assert_int_equal(soc_display_pipe(&r.soc.display, 1, &p), 0);
	assert_false(p.on);
	rig_finish(&r);
}

/* ------------------------------------------------------------------ updates by a slow guest */

/* An access costs the guest some time, before it or after it. */
static uint64_t slow_seed;
static uint64_t slow_max_ns;

static void pass(struct rig *r)
{
	run_until(r, clock_now_ns(&r->clock) + rnd(&slow_seed) % slow_max_ns);
}

static uint32_t slow_rd(struct rig *r, uint32_t offset)
{
	uint32_t v;

	pass(r);
	v = rd(r, offset);
	pass(r);
	return v;
}

static void slow_wr(struct rig *r, uint32_t offset, uint32_t value)
{
	pass(r);
	wr(r, offset, value);
	pass(r);
}

/*
 * intel_pipe_update_start() .. intel_pipe_update_end(): false when the vblank fell into it, which is
 * what i915 reports. The evasion must never have to wait: 1 ms may already be too long.
 */
static bool update(struct rig *r, uint32_t surf)
{
	const uint32_t min = VDISPLAY - 13, max = VDISPLAY - 1; /* 250 us, the debug kernel's */
	uint32_t line = (slow_rd(r, DSL) + 2) % VTOTAL, first, last;

	assert_true(line < min || line > max);
	first = slow_rd(r, FRMCOUNT);
	slow_wr(r, PLANE_STRIDE(0), 8);
	slow_wr(r, PLANE_POS(0), 0);
	slow_wr(r, PLANE_SIZE(0), 767 << 16 | 1023);
	slow_wr(r, PLANE_OFFSET(0), surf >> 12);
	slow_wr(r, PLANE_CTL(0), XRGB8888_X);
	slow_wr(r, PLANE_SURF(0), surf);
	slow_wr(r, CUR_CTL, 0x27);
	slow_wr(r, CUR_POS, surf >> 12);
	slow_wr(r, CUR_BASE, surf);
	slow_rd(r, DSL);
	last = slow_rd(r, FRMCOUNT);
	return first == last;
}

static void test_slow_updates(void **state)
{
	static const uint64_t costs[] = {30 * US, 130 * US, 1 * MS, 2 * MS};
	struct soc_plane_state s[SOC_PLANES_MAX];
	struct rig r;
	int n;

	for (size_t c = 0; c < ARRAY_SIZE(costs); c++) {
		start(&r);
		listen(&r, 1);
		slow_seed = c;
		slow_max_ns = costs[c];
		for (uint32_t i = 1; i < 400; i++) {
			assert_true(update(&r, i << 12));
			/* The picture is that of one update, whole, at any time. */
			run_until(&r, clock_now_ns(&r.clock) + rnd(&slow_seed) % (40 * MS));
			n = soc_display_planes(&r.soc.display, 0, s, SOC_PLANES_MAX);
			if (n == 2) {
				assert_int_equal(s[0].surf.v >> 12, s[0].src_x);
				assert_int_equal(s[1].surf.v >> 12, s[1].x);
			}
		}
		/* Vblanks come all the while: each 16.7 ms and what a hold adds. */
		assert_true(r.soc.display.pipe[0].frames > 200);
		rig_finish(&r);
	}
}

/* The driver loses its CPU between the last write of an update and its check of the frame counter. */
static void test_late_check(void **state)
{
	struct rig r;
	uint32_t first;

	start(&r);
	listen(&r, 1);
	for (unsigned int i = 0; i < 100; i++) {
		run_until(&r, clock_now_ns(&r.clock) + i % 17 * MS);
		rd(&r, DSL);
		first = rd(&r, FRMCOUNT);
		wr(&r, PLANE_POS(0), 0);
		wr(&r, PLANE_SURF(0), i << 12);
		run_until(&r, clock_now_ns(&r.clock) + 12 * MS);
		rd(&r, DSL);
		assert_int_equal(rd(&r, FRMCOUNT), first);
	}
	rig_finish(&r);
}

/* Without holding, the same updates do fail: the test above can see it. */
static void test_slow_updates_need_it(void **state)
{
	unsigned int failed = 0;
	struct rig r;

	start(&r);
	slow_seed = 1;
	for (int i = 0; i < 200; i++) {
		uint32_t first = rd(&r, FRMCOUNT);

		for (int k = 0; k < 22; k++) {
			r.soc.display.pipe[0].hold_ns = 0;
			clock_advance(&r.clock, rnd(&slow_seed) % MS);
			soc_tick(&r.soc);
		}
		failed += rd(&r, FRMCOUNT) != first;
	}
	assert_true(failed > 50);
	rig_finish(&r);
}

static void test_hold_is_bounded(void **state)
{
	struct rig r;
	uint64_t began;
	uint32_t frame;

	start(&r);
	listen(&r, 1);
	/* Writes without an end: a vblank at least each 17 + 80 ms. */
	for (int i = 0; i < 20; i++) {
		began = clock_now_ns(&r.clock);
		frame = r.soc.display.pipe[0].frames;
		while (r.soc.display.pipe[0].frames == frame) {
			wr(&r, PLANE_POS(0), 0);
			run_until(&r, clock_now_ns(&r.clock) + 100 * US);
			assert_true(clock_now_ns(&r.clock) - began < 100 * MS);
		}
	}
	wr(&r, PLANE_SURF(0), 0);
	run_until(&r, clock_now_ns(&r.clock) + 100 * MS);
	/* Reads without an end, which i915's own waits are: each 17 + 10 ms. */
	for (int i = 0; i < 20; i++) {
		began = clock_now_ns(&r.clock);
		frame = rd(&r, FRMCOUNT);
		while (rd(&r, FRMCOUNT) == frame) {
			clock_advance(&r.clock, 100 * US);
			assert_true(clock_now_ns(&r.clock) - began < 30 * MS);
		}
	}
	/* Something armed late in a frame: its vblank is late by milliseconds, not lost. */
	run_until(&r, soc_tick(&r.soc) - 300 * US);
	frame = r.soc.display.pipe[0].frames;
	wr(&r, PLANE_SURF(0), 0x1000);
	run_until(&r, clock_now_ns(&r.clock) + 25 * MS);
	assert_true(r.soc.display.pipe[0].frames > frame);
	rig_finish(&r);
}

/* What shows time never runs backwards, and the frame counter steps exactly when lines wrap. */
static void test_time_agrees(void **state)
{
	uint64_t seed = 7;
	struct rig r;
	uint32_t frame, line, last_frame, last_line;

	start(&r);
	listen(&r, 1);
	last_frame = rd(&r, FRMCOUNT);
	last_line = scanline(&r);
	for (int i = 0; i < 20000; i++) {
		clock_advance(&r.clock, rnd(&seed) % (rnd(&seed) % 8 ? 200 * US : 9 * MS));
		if (rnd(&seed) % 4 == 0)
			wr(&r, PLANE_POS(0), i & 0xfff);
		if (rnd(&seed) % 8 == 0)
			wr(&r, PLANE_SURF(0), (uint32_t)i << 12);
		do { /* as drm_update_vblank_count() does: a read may be what lets a vblank happen */
			frame = rd(&r, FRMCOUNT);
			line = scanline(&r);
		} while (frame != rd(&r, FRMCOUNT));
		/* Counted from vblank, a frame's lines only go up. */
		if (frame == last_frame)
			assert_true((line + VTOTAL - VDISPLAY) % VTOTAL >=
				    (last_line + VTOTAL - VDISPLAY) % VTOTAL);
		assert_in_range(frame - last_frame, 0, 2);
		last_frame = frame;
		last_line = line;
	}
	rig_finish(&r);
}

/* ------------------------------------------------------------------ ports, hotplug */

static void test_ports(void **state)
{
	struct rig r;

	rig_init(&r, true);
	assert_int_equal(rd(&r, 0x64100) & BIT(7), BIT(7));
	wr(&r, 0x64100, BIT(31));
	assert_int_equal(rd(&r, 0x64100) & BIT(7), 0);
	wr(&r, 0x64100, 0);
	assert_int_equal(rd(&r, 0x64100) & BIT(7), BIT(7));
	assert_int_equal(rd(&r, 0x64144) & BIT(25), BIT(25));
	assert_int_equal(rd(&r, 0xc2014) & 7, 4);
	/* spt_hpd_detection_setup(), and a monitor that goes and comes. */
	assert_int_equal(rd(&r, 0xc4000), BIT(21));
	wr(&r, 0x44200, BIT(31));
	wr(&r, 0xc4004, ~BIT(21));
	wr(&r, 0xc400c, ~0u);
	wr(&r, 0xc4030, BIT(4));
	soc_display_plug(&r.soc.display, true); /* no news */
	assert_int_equal(r.msis, 0);
	soc_display_plug(&r.soc.display, false);
	assert_int_equal(r.msis, 1);
	assert_int_equal(rd(&r, 0xc4000), 0);
	assert_int_equal(rd(&r, 0xc4008), BIT(21));
	assert_int_equal(rd(&r, 0xc4030), BIT(4) | 2);
	wr(&r, 0xc4030, BIT(4) | 2);
	assert_int_equal(rd(&r, 0xc4030), BIT(4));
	wr(&r, 0xc4008, BIT(21));
	wr(&r, 0xc4030, 0);
	soc_display_plug(&r.soc.display, true); /* detection is off: live status only */
	assert_int_equal(rd(&r, 0xc4000), BIT(21));
	assert_int_equal(rd(&r, 0xc4008), 0);
	rig_finish(&r);
}

/* ------------------------------------------------------------------ odd modes */

static void test_odd_modes(void **state)
{
	static const uint32_t values[] = {0, 1, 0xffff, 0x1fff0000, 0x1fff1fff, 0xffffffff,
		0x80000000, 0x03240000, 0x00000324};
	uint64_t seed = 3;
	struct rig r;

	for (int i = 0; i < 300; i++) {
		rig_init(&r, true);
		for (uint32_t o = 0x60000; o < 0x60020; o += 4)
			wr(&r, o, values[rnd(&seed) % ARRAY_SIZE(values)]);
		wr(&r, 0x60400, BIT(31) | rnd(&seed) << 1);
		wr(&r, 0x60040, rnd(&seed));
		wr(&r, 0x60044, rnd(&seed) % 3);
		for (uint32_t o = 0x6c040; o <= 0x6c05c; o += 4)
			wr(&r, o, rnd(&seed) << 1);
		wr(&r, CONF, BIT(31));
		listen(&r, 0x7f);
		for (int k = 0; k < 20; k++) {
			uint64_t next = soc_tick(&r.soc);

			assert_in_range(next, clock_now_ns(&r.clock) + 1,
				clock_now_ns(&r.clock) + 2 * NSEC_PER_SEC);
			assert_true(rd(&r, DSL) < 0x2000);
			clock_advance(&r.clock, next - clock_now_ns(&r.clock));
		}
		rig_finish(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modeset),
		cmocka_unit_test(test_vblank_clock),
		cmocka_unit_test(test_flip),
		cmocka_unit_test(test_arming),
		cmocka_unit_test(test_planes),
		cmocka_unit_test(test_edp),
		cmocka_unit_test(test_slow_updates),
		cmocka_unit_test(test_late_check),
		cmocka_unit_test(test_slow_updates_need_it),
		cmocka_unit_test(test_hold_is_bounded),
		cmocka_unit_test(test_time_agrees),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_odd_modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
