// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The register tables: a file of rows for each hardware block, put together here.
 *
 * A row reads ROW(offset, dwords, name, why, fields). FL() gives its flags, G() the same for a
 * register that a full GT reset reaches, H() its handler, CS() what a command streamer may do with
 * it, RESET() its value after power-on, RO_BITS() and W1C_BITS() bits with rules of their own, ON()
 * the engines and AT() the instances that have it. Names that begin with GVT_ are of registers that
 * have a place in KVMGT's list and no public name.
 */
#include "base/util.h"
#include "gen9/regs.h"

/* clang-format off */

#define ROW(o, n, s, w, ...) {.offset = (o), .count = (n), .name = s, .why = w, __VA_ARGS__},
#define FL(f) .flags = (f)
#define G(f) .flags = (f) | REG_GDRST
#define H(id) .handler = REG_H_##id
#define CS(c) .cs = REG_CS_##c
#define RESET(v) .reset = (v)
#define RO_BITS(v) .ro = (v)
#define W1C_BITS(v) .w1c = (v)
#define ON(e) .engines = ON_##e
#define AT(mask) .engines = (mask)

/* The flags' short names, for G(). */
enum {
	NONE = 0,
	RO = REG_RO,
	MASKED = REG_MASKED,
	W1C = REG_W1C,
	PLAIN = REG_PLAIN,
	CTX = REG_CTX,
	SHADOWED = REG_SHADOWED,
};

enum {
	ON_ALL = ENGINES_ALL,
	ON_RCS = 1 << RCS0,
	ON_XCS = ENGINES_ALL & ~ENGINES_RCS,
	ON_VCS = 1 << VCS0 | 1 << VCS1,
};

/* Why a row is there, where several share the reason. */
#define W_AUDIO "HDMI audio: i915 programs it with a mode; no codec answers"
#define W_BACKLIGHT "backlight: no panel hangs on it"
#define W_BUF_TRANS "voltage swings of the port: no wires"
#define W_CACHE "cache policy: the model has no caches"
#define W_COUNTER "pipeline statistics: user mode may (PRM volume 7); 3D will count them"
#define W_CRC "CRCs of frames: debugfs alone, none is computed"
#define W_CURSOR "cursor: double-buffered, armed by CURBASE"
#define W_DIP "info frames: HDMI mode set; nobody receives them"
#define W_DMC "i915 writes it when it loads the DMC's firmware; KVMGT reads it"
#define W_DUMP "error capture and debugfs read it"
#define W_DWA "display workaround or clock gating: no effect here"
#define W_FBC "frame buffer compression: needs stolen memory, so it stays off"
#define W_FUSE "fuses: i915 reads what exists"
#define W_FW "forcewake: request, acknowledge"
#define W_GATING "clock gating: no clocks here"
#define W_GMBUS "EDID of the monitor"
#define W_GUC "the GuC: it does not run, i915 on Gen9 does not ask it to"
#define W_GVT_NAMELESS "KVMGT's MMIO table reads it; no public name, no known effect"
#define W_GVT_READ "KVMGT's MMIO table reads it; i915 does not use it on Gen9"
#define W_HDCP "HDCP: no keys, so it never starts"
#define W_IMAGE "part of the context image (PRM volume 7)"
#define W_IMAGE_DUMP "part of the context image; error capture reads it"
#define W_INDIRECT "parameters of indirect draws: user mode may (PRM volume 7)"
#define W_IRQ "interrupt tree"
#define W_LUT "colour management: what is shown ignores it"
#define W_MCHBAR "mirror of MCHBAR: KVMGT reads all of it"
#define W_MN "link ratios of the mode: storage that i915 reads back"
#define W_NO_VCS1 "KVMGT's MMIO table reads it; nothing is there"
#define W_NONPRIV "opened to user batches by FORCE_TO_NONPRIV"
#define W_OA "performance counters: the OA unit is not there, its registers hold what is written"
#define W_PLANE "plane: double-buffered, armed by PLANE_SURF"
#define W_PLL "PLLs lock as soon as they are enabled"
#define W_PLL_SET "PLL parameters: the pixel clock is computed from them"
#define W_PPS "panel power: status follows control"
#define W_PREDICATE "predicates of a batch: user mode may (PRM volume 7)"
#define W_PSR "panel self refresh: needs a panel on DP"
#define W_RC6 "RC6: i915 programs it; the GT never sleeps"
#define W_RC6_COUNT "RC6 residency: the GT never sleeps"
#define W_RING "ring of the engine; part of the context image"
#define W_RPS "frequencies: i915 programs them; the model has none"
#define W_RPS_COUNT "debugfs reads how busy the GT was: not counted"
#define W_SBI "sideband interface of older PCHs; KVMGT reads it"
#define W_SCALER "scalers: the display block reads them"
#define W_SSEU "debugfs reads which slices have power: all that exist"
#define W_TIMING "timings of the mode: the display's clock is computed from them"
#define W_TLB "TLB invalidation: the bit reads 0 when done"
#define W_TRTT "tiled resource tables: off; the walk does not know them"
#define W_USER_STATE "Mesa writes it; user mode may (PRM volume 7)"
#define W_WA "workaround of i915: no effect here"
#define W_WA_CTX "workaround that i915's indirect context batch writes: no effect here"
#define W_WELL "power wells: state follows request"
#define W_WM "watermarks and display buffer: memory always keeps up"

static const struct reg_row rows_engine[] = {
#include "gen9/regs_engine.inc"
};
static const struct reg_row rows_gt[] = {
#include "gen9/regs_gt.inc"
};
static const struct reg_row rows_pm[] = {
#include "gen9/regs_pm.inc"
};
static const struct reg_row rows_guc[] = {
#include "gen9/regs_guc.inc"
};
static const struct reg_row rows_irq[] = {
#include "gen9/regs_irq.inc"
};
static const struct reg_row rows_display[] = {
#include "gen9/regs_display.inc"
};
static const struct reg_row rows_pipe[] = {
#include "gen9/regs_pipe.inc"
};
static const struct reg_row rows_pipe_edp[] = {
#include "gen9/regs_pipe_edp.inc"
};
static const struct reg_row rows_scaler[] = {
#include "gen9/regs_scaler.inc"
};
static const struct reg_row rows_color[] = {
#include "gen9/regs_color.inc"
};
static const struct reg_row rows_palette[] = {
#include "gen9/regs_palette.inc"
};
static const struct reg_row rows_transcoder[] = {
#include "gen9/regs_transcoder.inc"
};
static const struct reg_row rows_port[] = {
#include "gen9/regs_port.inc"
};
static const struct reg_row rows_audio[] = {
#include "gen9/regs_audio.inc"
};
static const struct reg_row rows_hdcp[] = {
#include "gen9/regs_hdcp.inc"
};
static const struct reg_row rows_south[] = {
#include "gen9/regs_south.inc"
};
static const struct reg_row rows_pch_transcoder[] = {
#include "gen9/regs_pch_transcoder.inc"
};
static const struct reg_row rows_mchbar[] = {
#include "gen9/regs_mchbar.inc"
};
static const struct reg_row rows_misc[] = {
#include "gen9/regs_misc.inc"
};
static const struct reg_row rows_no_vcs1[] = {
#include "gen9/regs_no_vcs1.inc"
};

static const struct reg_instance pipes[] = {{0x70000, "A"}, {0x71000, "B"}, {0x72000, "C"}};
static const struct reg_instance edp[] = {{0x7f000, "EDP"}};
static const struct reg_instance scalers[] = {{0x68000, "A"}, {0x68800, "B"}, {0x69000, "C"}};
static const struct reg_instance colors[] = {{0x49000, "A"}, {0x49100, "B"}, {0x49200, "C"}};
static const struct reg_instance palettes[] = {{0x4a000, "A"}, {0x4a800, "B"}, {0x4b000, "C"}};
static const struct reg_instance transcoders[] = {
	{0x60000, "A"}, {0x61000, "B"}, {0x62000, "C"}, {0x6f000, "EDP"}};
static const struct reg_instance ports[] = {
	{0x64000, "A"}, {0x64100, "B"}, {0x64200, "C"}, {0x64300, "D"}, {0x64400, "E"}};
static const struct reg_instance audios[] = {
	{0x65000, "A"}, {0x65100, "B"}, {0x65200, "C"}, {0x65400, "EDP"}};
static const struct reg_instance hdcps[] = {
	{0x66800, "A"}, {0x66500, "B"}, {0x66600, "C"}, {0x66700, "D"}, {0x66a00, "E"}};
static const struct reg_instance pch_pipes[] = {{0xe0000, "A"}, {0xe1000, "B"}, {0xe2000, "C"}};

#define TABLE(t) {.block = #t, .rows = rows_##t, .count = ARRAY_SIZE(rows_##t)}
#define TABLE_AT(t, list) \
	{.block = #t, .rows = rows_##t, .count = ARRAY_SIZE(rows_##t), .instances = list, \
		.instance_count = ARRAY_SIZE(list)}

const struct reg_table gen9_reg_tables[] = {
	{.block = "engine", .rows = rows_engine, .count = ARRAY_SIZE(rows_engine),
		.engine_relative = true},
	TABLE(gt),
	TABLE(pm),
	TABLE(guc),
	TABLE(irq),
	TABLE(display),
	TABLE_AT(pipe, pipes),
	TABLE_AT(pipe_edp, edp),
	TABLE_AT(scaler, scalers),
	TABLE_AT(color, colors),
	TABLE_AT(palette, palettes),
	TABLE_AT(transcoder, transcoders),
	TABLE_AT(port, ports),
	TABLE_AT(audio, audios),
	TABLE_AT(hdcp, hdcps),
	TABLE(south),
	TABLE_AT(pch_transcoder, pch_pipes),
	TABLE(mchbar),
	TABLE(misc),
	{.block = "no_vcs1", .rows = rows_no_vcs1, .count = ARRAY_SIZE(rows_no_vcs1),
		.without_vcs1 = true},
};
const size_t gen9_reg_table_count = ARRAY_SIZE(gen9_reg_tables);

/* clang-format on */
