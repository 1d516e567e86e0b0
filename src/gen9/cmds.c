// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The commands of Gen9's streamers, a row each, and the index that finds them.
 *
 * Three command types have their opcode in different bits of dword 0: MI (31:29 = 0) in 28:23, the 2D
 * blitter (2) in 28:22, 3D, compute and media (3) in 28:16. One opcode of type 3 means one thing to
 * the RCS and another to the video engines, so the index is one table per kind of engine, built at the
 * first look-up: 8 KiB entries of two bytes, of which a running engine touches a few lines.
 *
 * Sources: PRM volume 2a (Kaby Lake, command reference: instructions), volume 2d for the blitter, i915
 * gt/intel_gpu_commands.h and gvt/cmd_parser.c for lengths as software uses them, Mesa's
 * genxml/gen9.xml for 3D and media.
 */
#include "gen9/cmds.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "gen9/regs.h"

/* clang-format off */
#define R BIT(RCS0)
#define B BIT(BCS0)
#define V (BIT(VCS0) | BIT(VCS1))
#define E BIT(VECS0)
#define ALL (R | B | V | E)

#define A(n) (1 << (n))

/* `mask` 0: always `dws` long; else DW0 & mask plus 2, at least `dws`. */
#define ROW(op, msk, i, eng, dws, lmask, prv, cost, addr, nm, y) \
	{.opcode = (op), .mask = (msk), .id = CMD_##i, .engines = (eng), \
	 .len = (lmask) ? CMD_LEN_BIAS2 : CMD_LEN_FIXED, .dwords = (dws), .len_mask = (lmask), \
	 .priv = CMD_##prv, .cost_ns = (cost), .addr_dw = (addr), .name = nm, .why = y}
/* Bits 28:23; 28:22 of type 2; 28:16 of type 3, written as the upper half of dword 0. */
#define MI(op, ...) ROW((uint32_t)(op) << 23, 0xff800000, __VA_ARGS__)
#define XY(op, ...) ROW(2u << 29 | (uint32_t)(op) << 22, 0xffc00000, __VA_ARGS__)
#define GFX(op, ...) ROW((uint32_t)(op) << 16, 0xffff0000, __VA_ARGS__)

const struct cmd_row gen9_cmds[] = {
	/* opcode, id, engines, dwords, length mask, privilege, cost in ns, address dwords, name, why */
	MI(0x00, NOOP, ALL, 1, 0, USER, 2, 0,
		"MI_NOOP", "padding everywhere"),
	MI(0x01, MI_SET_PREDICATE, ALL, 1, 0, USER, 10, 0,
		"MI_SET_PREDICATE", "PRM 2a; Mesa: conditional rendering of whole ranges"),
	MI(0x02, MI_USER_INTERRUPT, ALL, 1, 0, USER, 100, 0,
		"MI_USER_INTERRUPT", "i915: end of each request"),
	MI(0x03, MI_WAIT_FOR_EVENT, R | B, 1, 0, USER, 10, 0,
		"MI_WAIT_FOR_EVENT", "PRM 2a; old X drivers wait for scan lines with it"),
	MI(0x05, MI_ARB_CHECK, ALL, 1, 0, USER, 10, 0,
		"MI_ARB_CHECK", "i915: preemption point in batches and at ring tails"),
	MI(0x06, SKIP, R, 1, 0, USER, 10, 0,
		"MI_RS_CONTROL", "resource streamer: not modelled"),
	MI(0x07, MI_REPORT_HEAD, ALL, 1, 0, PRIV, 50, 0,
		"MI_REPORT_HEAD", "PRM 2a: RING_HEAD to the status page"),
	MI(0x08, MI_ARB_ON_OFF, ALL, 1, 0, USER, 10, 0,
		"MI_ARB_ON_OFF", "i915: around what must not be preempted"),
	MI(0x09, SKIP, R, 1, 0, USER, 10, 0,
		"MI_URB_ATOMIC_ALLOC", "URB: not modelled"),
	MI(0x0a, MI_BATCH_BUFFER_END, ALL, 1, 0, USER, 50, 0,
		"MI_BATCH_BUFFER_END", "end of every batch"),
	MI(0x0b, SKIP, ALL, 1, 0, PRIV, 10, 0,
		"MI_SUSPEND_FLUSH", "display flushes: nothing to suspend"),
	MI(0x0c, MI_PREDICATE, R, 1, 0, USER, 10, 0,
		"MI_PREDICATE", "Mesa: conditional rendering, indirect draws"),
	MI(0x0d, SKIP, R, 1, 0, USER, 10, 0,
		"MI_TOPOLOGY_FILTER", "3D pipeline: not modelled yet"),
	MI(0x0e, SKIP, ALL, 1, 0, USER, 10, 0,
		"MI_SET_APPID", "protected content: not modelled"),
	MI(0x0f, SKIP, R, 1, 0, USER, 10, 0,
		"MI_RS_CONTEXT", "resource streamer: not modelled"),
	MI(0x12, SKIP, R | B, 2, 0x3f, PRIV, 10, 0,
		"MI_LOAD_SCAN_LINES_INCL", "display windows of MI_WAIT_FOR_EVENT: not modelled"),
	MI(0x13, SKIP, R | B, 2, 0x3f, PRIV, 10, 0,
		"MI_LOAD_SCAN_LINES_EXCL", "display windows of MI_WAIT_FOR_EVENT: not modelled"),
	MI(0x14, SKIP, R | B, 3, 0xff, PRIV, 10, 0,
		"MI_DISPLAY_FLIP", "i915 flips by MMIO; decoded for trace"),
	MI(0x18, SKIP, R, 2, 0xff, PRIV, 10, 0,
		"MI_SET_CONTEXT", "ring mode only; execlists switch contexts"),
	MI(0x19, SKIP, R, 2, 0xff, USER, 10, 0,
		"MI_URB_CLEAR", "URB: not modelled"),
	MI(0x1a, MI_MATH, ALL, 2, 0xff, USER, 20, 0,
		"MI_MATH", "Mesa: arithmetic on query results and indirect draws"),
	MI(0x1b, MI_SEMAPHORE_SIGNAL, ALL, 2, 0xff, USER, 100, 0,
		"MI_SEMAPHORE_SIGNAL", "PRM 2a: wakes a wait in signal mode"),
	MI(0x1c, MI_SEMAPHORE_WAIT, ALL, 4, 0xff, USER, 50, A(2),
		"MI_SEMAPHORE_WAIT", "i915: request ordering between engines"),
	MI(0x1d, SKIP, ALL, 2, 0xff, PRIV, 10, 0,
		"MI_FORCE_WAKEUP", "power wells of other engines: always awake here"),
	MI(0x20, MI_STORE_DATA_IMM, ALL, 4, 0x3ff, USER, 30, A(1),
		"MI_STORE_DATA_IMM", "i915: breadcrumbs; 10-bit length"),
	MI(0x21, MI_STORE_DATA_INDEX, ALL, 3, 0xff, PRIV, 30, 0,
		"MI_STORE_DATA_INDEX", "PRM 2a: into the status page"),
	MI(0x22, MI_LOAD_REGISTER_IMM, ALL, 3, 0xff, USER, 10, 0,
		"MI_LOAD_REGISTER_IMM", "i915: workarounds, MOCS; Mesa: L3, GPRs"),
	MI(0x23, MI_UPDATE_GTT, ALL, 4, 0x3ff, PRIV, 50, 0,
		"MI_UPDATE_GTT", "PRM 2a: GGTT entries by a privileged stream; 10-bit length"),
	MI(0x24, MI_STORE_REGISTER_MEM, ALL, 4, 0xff, USER, 40, A(2),
		"MI_STORE_REGISTER_MEM", "Mesa: queries; i915: timestamps"),
	MI(0x26, MI_FLUSH_DW, B | V | E, 2, 0x3f, USER, 100, A(1),
		"MI_FLUSH_DW", "i915: breadcrumbs of BCS, VCS, VECS; bit 7 is BSD invalidate, so 6-bit length"),
	MI(0x27, SKIP, ALL, 3, 0x3ff, USER, 10, A(1),
		"MI_CLFLUSH", "CPU caches are coherent here; 10-bit length"),
	MI(0x28, MI_REPORT_PERF_COUNT, R, 4, 0x3f, USER, 200, A(1),
		"MI_REPORT_PERF_COUNT", "Mesa: performance queries; 6-bit length"),
	MI(0x29, MI_LOAD_REGISTER_MEM, ALL, 4, 0xff, USER, 60, A(2),
		"MI_LOAD_REGISTER_MEM", "Mesa: indirect draws, queries"),
	MI(0x2a, MI_LOAD_REGISTER_REG, ALL, 3, 0xff, USER, 10, 0,
		"MI_LOAD_REGISTER_REG", "Mesa: GPR moves"),
	MI(0x2b, SKIP, R, 4, 0xff, USER, 10, A(1),
		"MI_RS_STORE_DATA_IMM", "resource streamer: not modelled"),
	MI(0x2c, SKIP, R, 4, 0xff, USER, 10, A(2),
		"MI_LOAD_URB_MEM", "URB: not modelled"),
	MI(0x2d, SKIP, R, 4, 0xff, USER, 10, A(2),
		"MI_STORE_URB_MEM", "URB: not modelled"),
	MI(0x2e, MI_COPY_MEM_MEM, ALL, 5, 0xff, USER, 80, A(1) | A(3),
		"MI_COPY_MEM_MEM", "Mesa: copies of query results"),
	MI(0x2f, MI_ATOMIC, ALL, 3, 0xff, USER, 80, A(1),
		"MI_ATOMIC", "PRM 2a: read-modify-write by the streamer"),
	MI(0x31, MI_BATCH_BUFFER_START, ALL, 3, 0xff, USER, 100, A(1),
		"MI_BATCH_BUFFER_START", "every execbuffer; Mesa chains batches"),
	MI(0x36, MI_CONDITIONAL_BATCH_BUFFER_END, ALL, 4, 0xff, USER, 60, A(2),
		"MI_CONDITIONAL_BATCH_BUFFER_END", "PRM 2a; media drivers leave loops with it"),
	XY(0x01, BLT, B, 10, 0xff, USER, 200, A(4) | A(8),
		"XY_SETUP_BLT", "PRM volume 2d (blitter)"),
	XY(0x03, BLT, B, 3, 0xff, USER, 200, 0,
		"XY_SETUP_CLIP_BLT", "PRM volume 2d (blitter)"),
	XY(0x11, BLT, B, 10, 0xff, USER, 200, A(4),
		"XY_SETUP_MONO_PATTERN_SL_BLT", "PRM volume 2d (blitter)"),
	XY(0x24, BLT, B, 2, 0xff, USER, 200, 0,
		"XY_PIXEL_BLT", "PRM volume 2d (blitter)"),
	XY(0x25, BLT, B, 3, 0xff, USER, 200, 0,
		"XY_SCANLINES_BLT", "PRM volume 2d (blitter)"),
	XY(0x26, BLT, B, 5, 0xff, USER, 200, A(3),
		"XY_TEXT_BLT", "PRM volume 2d (blitter)"),
	XY(0x31, BLT, B, 3, 0xff, USER, 200, 0,
		"XY_TEXT_IMMEDIATE_BLT", "PRM volume 2d (blitter)"),
	XY(0x40, BLT, B, 6, 0xff, USER, 200, A(3),
		"COLOR_BLT", "PRM volume 2d (blitter)"),
	XY(0x42, BLT, B, 10, 0xff, USER, 200, A(4) | A(8),
		"XY_FAST_COPY_BLT", "IGT and i915 (intel_migrate) copy with it"),
	XY(0x43, BLT, B, 8, 0xff, USER, 200, A(3) | A(7),
		"SRC_COPY_BLT", "PRM volume 2d (blitter)"),
	XY(0x50, BLT, B, 7, 0xff, USER, 200, A(4),
		"XY_COLOR_BLT", "fills: IGT, i915 selftests"),
	XY(0x51, BLT, B, 8, 0xff, USER, 200, A(4) | A(6),
		"XY_PAT_BLT", "PRM volume 2d (blitter)"),
	XY(0x52, BLT, B, 10, 0xff, USER, 200, A(4) | A(6),
		"XY_MONO_PAT_BLT", "PRM volume 2d (blitter)"),
	XY(0x53, BLT, B, 10, 0xff, USER, 200, A(4) | A(8),
		"XY_SRC_COPY_BLT", "gem_blt, fbdev and X copy with it"),
	XY(0x54, BLT, B, 10, 0xff, USER, 200, A(4) | A(6),
		"XY_MONO_SRC_COPY_BLT", "PRM volume 2d (blitter)"),
	XY(0x55, BLT, B, 12, 0xff, USER, 200, A(4) | A(8) | A(10),
		"XY_FULL_BLT", "PRM volume 2d (blitter)"),
	XY(0x56, BLT, B, 12, 0xff, USER, 200, A(4) | A(6) | A(10),
		"XY_FULL_MONO_SRC_BLT", "PRM volume 2d (blitter)"),
	XY(0x57, BLT, B, 14, 0xff, USER, 200, A(4) | A(8) | A(10),
		"XY_FULL_MONO_PATTERN_BLT", "PRM volume 2d (blitter)"),
	XY(0x58, BLT, B, 14, 0xff, USER, 200, A(4) | A(6) | A(10),
		"XY_FULL_MONO_PATTERN_MONO_SRC_BLT", "PRM volume 2d (blitter)"),
	XY(0x59, BLT, B, 8, 0xff, USER, 200, A(4),
		"XY_MONO_PAT_FIXED_BLT", "PRM volume 2d (blitter)"),
	XY(0x71, BLT, B, 8, 0xff, USER, 200, A(4),
		"XY_MONO_SRC_COPY_IMMEDIATE_BLT", "PRM volume 2d (blitter)"),
	XY(0x72, BLT, B, 7, 0xff, USER, 200, A(4),
		"XY_PAT_BLT_IMMEDIATE", "PRM volume 2d (blitter)"),
	XY(0x73, BLT, B, 12, 0xff, USER, 200, A(4) | A(8),
		"XY_SRC_COPY_CHROMA_BLT", "PRM volume 2d (blitter)"),
	XY(0x74, BLT, B, 12, 0xff, USER, 200, A(4) | A(8),
		"XY_FULL_IMMEDIATE_PATTERN_BLT", "PRM volume 2d (blitter)"),
	XY(0x75, BLT, B, 12, 0xff, USER, 200, A(4) | A(6),
		"XY_FULL_MONO_SRC_IMMEDIATE_PATTERN_BLT", "PRM volume 2d (blitter)"),
	XY(0x76, BLT, B, 10, 0xff, USER, 200, A(4) | A(6),
		"XY_PAT_CHROMA_BLT", "PRM volume 2d (blitter)"),
	XY(0x77, BLT, B, 9, 0xff, USER, 200, A(4),
		"XY_PAT_CHROMA_BLT_IMMEDIATE", "PRM volume 2d (blitter)"),
	GFX(0x6003, SKIP, R, 2, 0xff, USER, 20, A(1),
		"STATE_PREFETCH", "3D and compute: skipped by its length, counted"),
	GFX(0x6101, SKIP, R, 2, 0xff, USER, 20, A(1) | A(4) | A(6) | A(8) | A(10),
		"STATE_BASE_ADDRESS", "3D and compute: skipped by its length, counted"),
	GFX(0x6102, SKIP, R, 2, 0xff, USER, 20, 0,
		"STATE_SIP", "3D and compute: skipped by its length, counted"),
	GFX(0x6103, SKIP, R, 2, 0xff, USER, 20, A(1),
		"SWTESS_BASE_ADDRESS", "3D and compute: skipped by its length, counted"),
	GFX(0x6104, SKIP, R, 2, 0xff, USER, 20, A(1),
		"GPGPU_CSR_BASE_ADDRESS", "3D and compute: skipped by its length, counted"),
	GFX(0x6800, SKIP, V, 1, 0, USER, 20, 0,
		"MFX_WAIT", "media: skipped by its length, counted; one dword"),
	GFX(0x680b, SKIP, R, 1, 0, USER, 20, 0,
		"3DSTATE_VF_STATISTICS", "3D and compute: skipped by its length, counted; one dword"),
	GFX(0x6904, SKIP, R, 1, 0, USER, 20, 0,
		"PIPELINE_SELECT", "3D and compute: skipped by its length, counted; one dword"),
	GFX(0x7000, SKIP, R, 2, 0xffff, USER, 20, A(1),
		"MEDIA_VFE_STATE", "3D and compute: skipped by its length, counted"),
	GFX(0x7000, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_PIPE_MODE_SELECT", "media: skipped by its length, counted"),
	GFX(0x7001, SKIP, R, 2, 0xffff, USER, 20, 0,
		"MEDIA_CURBE_LOAD", "3D and compute: skipped by its length, counted"),
	GFX(0x7001, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_SURFACE_STATE", "media: skipped by its length, counted"),
	GFX(0x7002, SKIP, R, 2, 0xffff, USER, 20, 0,
		"MEDIA_INTERFACE_DESCRIPTOR_LOAD", "3D and compute: skipped by its length, counted"),
	GFX(0x7002, SKIP, V, 2, 0xfff, USER, 20, A(1) | A(4) | A(7) | A(10) | A(13),
		"MFX_PIPE_BUF_ADDR_STATE", "media: skipped by its length, counted"),
	GFX(0x7003, SKIP, R, 2, 0xffff, USER, 20, 0,
		"MEDIA_GATEWAY_STATE", "3D and compute: skipped by its length, counted"),
	GFX(0x7003, SKIP, V, 2, 0xfff, USER, 20, A(1) | A(4) | A(6) | A(9) | A(11) | A(14),
		"MFX_IND_OBJ_BASE_ADDR_STATE", "media: skipped by its length, counted"),
	GFX(0x7004, SKIP, R, 2, 0xffff, USER, 20, 0,
		"MEDIA_STATE_FLUSH", "3D and compute: skipped by its length, counted"),
	GFX(0x7004, SKIP, V, 2, 0xfff, USER, 20, A(1) | A(4) | A(7),
		"MFX_BSP_BUF_BASE_ADDR_STATE", "media: skipped by its length, counted"),
	GFX(0x7005, SKIP, R, 2, 0xffff, USER, 20, 0,
		"MEDIA_POOL_STATE", "3D and compute: skipped by its length, counted"),
	GFX(0x7005, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_2_0_0_5", "media: skipped by its length, counted"),
	GFX(0x7006, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_STATE_POINTER", "media: skipped by its length, counted"),
	GFX(0x7007, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_QM_STATE", "media: skipped by its length, counted"),
	GFX(0x7008, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_FQM_STATE", "media: skipped by its length, counted"),
	GFX(0x7009, SKIP, V, 2, 0xfff, USER, 20, A(1) | A(4) | A(7) | A(10),
		"MFX_DBK_OBJECT", "media: skipped by its length, counted"),
	GFX(0x7029, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFD_IT_OBJECT", "media: skipped by its length, counted"),
	GFX(0x7048, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_PAK_INSERT_OBJECT", "media: skipped by its length, counted"),
	GFX(0x704a, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_STITCH_OBJECT", "media: skipped by its length, counted"),
	GFX(0x704b, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_MPEG_TS_CONTROL", "media: skipped by its length, counted"),
	GFX(0x7080, SKIP, V, 2, 0xfff, USER, 20, 0,
		"VDENC_PIPE_MODE_SELECT", "media: skipped by its length, counted"),
	GFX(0x7081, SKIP, V, 2, 0xfff, USER, 20, 0,
		"VDENC_SRC_SURFACE_STATE", "media: skipped by its length, counted"),
	GFX(0x7082, SKIP, V, 2, 0xfff, USER, 20, 0,
		"VDENC_REF_SURFACE_STATE", "media: skipped by its length, counted"),
	GFX(0x7083, SKIP, V, 2, 0xfff, USER, 20, 0,
		"VDENC_DS_REF_SURFACE_STATE", "media: skipped by its length, counted"),
	GFX(0x7084, SKIP, V, 2, 0xfff, USER, 20, 0,
		"VDENC_PIPE_BUF_ADDR_STATE", "media: skipped by its length, counted"),
	GFX(0x7085, SKIP, V, 2, 0xfff, USER, 20, 0,
		"VDENC_IMG_STATE", "media: skipped by its length, counted"),
	GFX(0x7086, SKIP, V, 2, 0xfff, USER, 20, 0,
		"VDENC_CONST_QPT_STATE", "media: skipped by its length, counted"),
	GFX(0x7087, SKIP, V, 2, 0xfff, USER, 20, 0,
		"VDENC_WALKER_STATE", "media: skipped by its length, counted"),
	GFX(0x7100, SKIP, R, 2, 0xffff, USER, 20, A(3),
		"MEDIA_OBJECT", "3D and compute: skipped by its length, counted"),
	GFX(0x7100, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_AVC_IMG_STATE", "media: skipped by its length, counted"),
	GFX(0x7101, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_AVC_QM_STATE", "media: skipped by its length, counted"),
	GFX(0x7102, SKIP, R, 2, 0xffff, USER, 20, 0,
		"MEDIA_OBJECT_PRT", "3D and compute: skipped by its length, counted"),
	GFX(0x7102, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_AVC_DIRECTMODE_STATE", "media: skipped by its length, counted"),
	GFX(0x7103, SKIP, R, 2, 0xffff, USER, 1000, 0,
		"MEDIA_OBJECT_WALKER", "3D and compute: skipped by its length, counted"),
	GFX(0x7103, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_AVC_SLICE_STATE", "media: skipped by its length, counted"),
	GFX(0x7104, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_AVC_REF_IDX_STATE", "media: skipped by its length, counted"),
	GFX(0x7105, SKIP, R, 2, 0xff, USER, 1000, 0,
		"GPGPU_WALKER", "3D and compute: skipped by its length, counted"),
	GFX(0x7105, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_AVC_WEIGHTOFFSET_STATE", "media: skipped by its length, counted"),
	GFX(0x7106, SKIP, R, 2, 0xffff, USER, 20, A(3),
		"MEDIA_OBJECT_GRPID", "3D and compute: skipped by its length, counted"),
	GFX(0x7125, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFD_AVC_PICID_STATE", "media: skipped by its length, counted"),
	GFX(0x7126, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFD_AVC_DPB_STATE", "media: skipped by its length, counted"),
	GFX(0x7127, SKIP, V, 2, 0xfff, USER, 20, A(2),
		"MFD_AVC_SLICEADDR", "media: skipped by its length, counted"),
	GFX(0x7128, SKIP, V, 2, 0xfff, USER, 20, A(2),
		"MFD_AVC_BSD_OBJECT", "media: skipped by its length, counted"),
	GFX(0x7149, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFC_AVC_PAK_OBJECT", "media: skipped by its length, counted"),
	GFX(0x7201, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_VC1_PRED_PIPE_STATE", "media: skipped by its length, counted"),
	GFX(0x7202, SKIP, V, 2, 0xfff, USER, 20, A(1) | A(4),
		"MFX_VC1_DIRECTMODE_STATE", "media: skipped by its length, counted"),
	GFX(0x7220, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFD_VC1_SHORT_PIC_STATE", "media: skipped by its length, counted"),
	GFX(0x7221, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFD_VC1_LONG_PIC_STATE", "media: skipped by its length, counted"),
	GFX(0x7228, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFD_VC1_BSD_OBJECT", "media: skipped by its length, counted"),
	GFX(0x7300, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_MPEG2_PIC_STATE", "media: skipped by its length, counted"),
	GFX(0x7301, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_MPEG2_QM_STATE", "media: skipped by its length, counted"),
	GFX(0x7328, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFD_MPEG2_BSD_OBJECT", "media: skipped by its length, counted"),
	GFX(0x7343, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFC_MPEG2_SLICEGROUP_STATE", "media: skipped by its length, counted"),
	GFX(0x7349, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFC_MPEG2_PAK_OBJECT", "media: skipped by its length, counted"),
	GFX(0x7380, SKIP, V, 2, 0xfff, USER, 20, 0,
		"HCP_PIPE_MODE_SELECT", "media: skipped by its length, counted"),
	GFX(0x7381, SKIP, V, 2, 0xfff, USER, 20, 0,
		"HCP_SURFACE_STATE", "media: skipped by its length, counted"),
	GFX(0x7382, SKIP, V, 2, 0xfff, USER, 20, A(1) | A(4) | A(7) | A(10) | A(13),
		"HCP_PIPE_BUF_ADDR_STATE", "media: skipped by its length, counted"),
	GFX(0x7383, SKIP, V, 2, 0xfff, USER, 20, A(1) | A(4) | A(6) | A(9) | A(12),
		"HCP_IND_OBJ_BASE_ADDR_STATE", "media: skipped by its length, counted"),
	GFX(0x7384, SKIP, V, 2, 0xfff, USER, 20, 0,
		"HCP_QM_STATE", "media: skipped by its length, counted"),
	GFX(0x7385, SKIP, V, 2, 0xfff, USER, 20, 0,
		"HCP_FQM_STATE", "media: skipped by its length, counted"),
	GFX(0x7388, SKIP, V, 2, 0xfff, USER, 20, 0,
		"HEVC_VP9_RDOQ_STATE", "media: skipped by its length, counted"),
	GFX(0x7390, SKIP, V, 2, 0xfff, USER, 20, 0,
		"HCP_PIC_STATE", "media: skipped by its length, counted"),
	GFX(0x7391, SKIP, V, 2, 0xfff, USER, 20, 0,
		"HCP_TILE_STATE", "media: skipped by its length, counted"),
	GFX(0x7392, SKIP, V, 2, 0xfff, USER, 20, 0,
		"HCP_REF_IDX_STATE", "media: skipped by its length, counted"),
	GFX(0x7393, SKIP, V, 2, 0xfff, USER, 20, 0,
		"HCP_WEIGHTOFFSET_STATE", "media: skipped by its length, counted"),
	GFX(0x7394, SKIP, V, 2, 0xfff, USER, 20, 0,
		"HCP_SLICE_STATE", "media: skipped by its length, counted"),
	GFX(0x73a0, SKIP, V, 2, 0xfff, USER, 20, 0,
		"HCP_BSD_OBJECT", "media: skipped by its length, counted"),
	GFX(0x73a1, SKIP, V, 2, 0xfff, USER, 20, 0,
		"HCP_PAK_OBJECT", "media: skipped by its length, counted"),
	GFX(0x73a2, SKIP, V, 2, 0xfff, USER, 20, 0,
		"HCP_PAK_INSERT_OBJECT", "media: skipped by its length, counted"),
	GFX(0x73b0, SKIP, V, 2, 0xfff, USER, 20, 0,
		"HCP_VP9_PIC_STATE", "media: skipped by its length, counted"),
	GFX(0x73b2, SKIP, V, 2, 0xfff, USER, 20, 0,
		"HCP_VP9_SEGMENT_STATE", "media: skipped by its length, counted"),
	GFX(0x7400, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_VP8_PIC_STATE", "media: skipped by its length, counted"),
	GFX(0x7400, SKIP, E, 2, 0xfff, USER, 20, 0,
		"VEBOX_SURFACE_STATE", "media: skipped by its length, counted"),
	GFX(0x7401, SKIP, E, 2, 0xfff, USER, 20, 0,
		"VEBOX_TILING_CONVERT", "media: skipped by its length, counted"),
	GFX(0x7402, SKIP, E, 2, 0xfff, USER, 20, 0,
		"VEBOX_STATE", "media: skipped by its length, counted"),
	GFX(0x7403, SKIP, E, 2, 0xfff, USER, 20, 0,
		"VEB_DI_IECP", "media: skipped by its length, counted"),
	GFX(0x7428, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFD_VP8_BSD_OBJECT", "media: skipped by its length, counted"),
	GFX(0x7441, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_VP8_ENCODER_CFG", "media: skipped by its length, counted"),
	GFX(0x7443, SKIP, V, 2, 0xfff, USER, 20, A(1) | A(4),
		"MFX_VP8_BSP_BUF_BASE_ADDR_STATE", "media: skipped by its length, counted"),
	GFX(0x7449, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_VP8_PAK_OBJECT", "media: skipped by its length, counted"),
	GFX(0x7500, SKIP, V | E, 2, 0xfff, USER, 20, 0,
		"SFC_LOCK", "media: skipped by its length, counted"),
	GFX(0x7501, SKIP, V | E, 2, 0xfff, USER, 20, 0,
		"SFC_STATE", "media: skipped by its length, counted"),
	GFX(0x7502, SKIP, V | E, 2, 0xfff, USER, 20, 0,
		"SFC_AVS_STATE", "media: skipped by its length, counted"),
	GFX(0x7503, SKIP, V | E, 2, 0xfff, USER, 20, 0,
		"SFC_IEF_STATE", "media: skipped by its length, counted"),
	GFX(0x7504, SKIP, V | E, 2, 0xfff, USER, 20, 0,
		"SFC_FRAME_START", "media: skipped by its length, counted"),
	GFX(0x7505, SKIP, V | E, 2, 0xfff, USER, 20, 0,
		"SFC_AVS_LUMA_COEFF_TABLE", "media: skipped by its length, counted"),
	GFX(0x7506, SKIP, V | E, 2, 0xfff, USER, 20, 0,
		"SFC_AVS_CHROMA_COEFF_TABLE", "media: skipped by its length, counted"),
	GFX(0x7580, SKIP, V, 2, 0xfff, USER, 20, 0,
		"HUC_PIPE_MODE_SELECT", "media: skipped by its length, counted"),
	GFX(0x7581, SKIP, V, 2, 0xfff, USER, 20, 0,
		"HUC_IMEM_STATE", "media: skipped by its length, counted"),
	GFX(0x7582, SKIP, V, 2, 0xfff, USER, 20, A(1) | A(4),
		"HUC_DMEM_STATE", "media: skipped by its length, counted"),
	GFX(0x7583, SKIP, V, 2, 0xfff, USER, 20, 0,
		"HUC_CFG_STATE", "media: skipped by its length, counted"),
	GFX(0x7584, SKIP, V, 2, 0xfff, USER, 20, 0,
		"HUC_VIRTUAL_ADDR_STATE", "media: skipped by its length, counted"),
	GFX(0x7585, SKIP, V, 2, 0xfff, USER, 20, A(1) | A(4) | A(6) | A(9),
		"HUC_IND_OBJ_BASE_ADDR_STATE", "media: skipped by its length, counted"),
	GFX(0x75a0, SKIP, V, 2, 0xfff, USER, 20, A(2) | A(3),
		"HUC_STREAM_OBJECT", "media: skipped by its length, counted"),
	GFX(0x75a1, SKIP, V, 2, 0xfff, USER, 20, 0,
		"HUC_START", "media: skipped by its length, counted"),
	GFX(0x7600, SKIP, V, 2, 0xffff, USER, 20, 0,
		"MFX_CRYPTO_COPY_BASE_ADDR", "media: skipped by its length, counted"),
	GFX(0x7608, SKIP, V, 2, 0xffff, USER, 20, 0,
		"MFX_CRYPTO_KEY_EXCHANGE", "media: skipped by its length, counted"),
	GFX(0x7609, SKIP, V, 2, 0xffff, USER, 20, 0,
		"MFX_CRYPTO_COPY", "media: skipped by its length, counted"),
	GFX(0x7700, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_JPEG_PIC_STATE", "media: skipped by its length, counted"),
	GFX(0x7702, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFX_JPEG_HUFF_TABLE_STATE", "media: skipped by its length, counted"),
	GFX(0x7728, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFD_JPEG_BSD_OBJECT", "media: skipped by its length, counted"),
	GFX(0x7743, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFC_JPEG_HUFF_TABLE_STATE", "media: skipped by its length, counted"),
	GFX(0x7749, SKIP, V, 2, 0xfff, USER, 20, 0,
		"MFC_JPEG_SCAN_OBJECT", "media: skipped by its length, counted"),
	GFX(0x7780, SKIP, V, 2, 0xfff, USER, 20, 0,
		"VD_PIPELINE_FLUSH", "media: skipped by its length, counted"),
	GFX(0x7804, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_CLEAR_PARAMS", "3D and compute: skipped by its length, counted"),
	GFX(0x7805, SKIP, R, 2, 0xff, USER, 20, A(2),
		"3DSTATE_DEPTH_BUFFER", "3D and compute: skipped by its length, counted"),
	GFX(0x7806, SKIP, R, 2, 0xff, USER, 20, A(2),
		"3DSTATE_STENCIL_BUFFER", "3D and compute: skipped by its length, counted"),
	GFX(0x7807, SKIP, R, 2, 0xff, USER, 20, A(2),
		"3DSTATE_HIER_DEPTH_BUFFER", "3D and compute: skipped by its length, counted"),
	GFX(0x7808, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_VERTEX_BUFFERS", "3D and compute: skipped by its length, counted"),
	GFX(0x7809, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_VERTEX_ELEMENTS", "3D and compute: skipped by its length, counted"),
	GFX(0x780a, SKIP, R, 2, 0xff, USER, 20, A(2),
		"3DSTATE_INDEX_BUFFER", "3D and compute: skipped by its length, counted"),
	GFX(0x780c, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_VF", "3D and compute: skipped by its length, counted"),
	GFX(0x780d, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_MULTISAMPLE", "3D and compute: skipped by its length, counted"),
	GFX(0x780e, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_CC_STATE_POINTERS", "3D and compute: skipped by its length, counted"),
	GFX(0x780f, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_SCISSOR_STATE_POINTERS", "3D and compute: skipped by its length, counted"),
	GFX(0x7810, SKIP, R, 2, 0xff, USER, 20, A(4),
		"3DSTATE_VS", "3D and compute: skipped by its length, counted"),
	GFX(0x7811, SKIP, R, 2, 0xff, USER, 20, A(4),
		"3DSTATE_GS", "3D and compute: skipped by its length, counted"),
	GFX(0x7812, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_CLIP", "3D and compute: skipped by its length, counted"),
	GFX(0x7813, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_SF", "3D and compute: skipped by its length, counted"),
	GFX(0x7814, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_WM", "3D and compute: skipped by its length, counted"),
	GFX(0x7815, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_CONSTANT_VS", "3D and compute: skipped by its length, counted"),
	GFX(0x7816, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_CONSTANT_GS", "3D and compute: skipped by its length, counted"),
	GFX(0x7817, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_CONSTANT_PS", "3D and compute: skipped by its length, counted"),
	GFX(0x7818, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_SAMPLE_MASK", "3D and compute: skipped by its length, counted"),
	GFX(0x7819, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_CONSTANT_HS", "3D and compute: skipped by its length, counted"),
	GFX(0x781a, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_CONSTANT_DS", "3D and compute: skipped by its length, counted"),
	GFX(0x781b, SKIP, R, 2, 0xff, USER, 20, A(5),
		"3DSTATE_HS", "3D and compute: skipped by its length, counted"),
	GFX(0x781c, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_TE", "3D and compute: skipped by its length, counted"),
	GFX(0x781d, SKIP, R, 2, 0xff, USER, 20, A(4),
		"3DSTATE_DS", "3D and compute: skipped by its length, counted"),
	GFX(0x781e, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_STREAMOUT", "3D and compute: skipped by its length, counted"),
	GFX(0x781f, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_SBE", "3D and compute: skipped by its length, counted"),
	GFX(0x7820, SKIP, R, 2, 0xff, USER, 20, A(4),
		"3DSTATE_PS", "3D and compute: skipped by its length, counted"),
	GFX(0x7821, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_VIEWPORT_STATE_POINTERS_SF_CLIP", "3D and compute: skipped by its length, counted"),
	GFX(0x7823, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_VIEWPORT_STATE_POINTERS_CC", "3D and compute: skipped by its length, counted"),
	GFX(0x7824, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_BLEND_STATE_POINTERS", "3D and compute: skipped by its length, counted"),
	GFX(0x7825, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_DEPTH_STENCIL_STATE_POINTERS", "3D and compute: skipped by its length, counted"),
	GFX(0x7826, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_BINDING_TABLE_POINTERS_VS", "3D and compute: skipped by its length, counted"),
	GFX(0x7827, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_BINDING_TABLE_POINTERS_HS", "3D and compute: skipped by its length, counted"),
	GFX(0x7828, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_BINDING_TABLE_POINTERS_DS", "3D and compute: skipped by its length, counted"),
	GFX(0x7829, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_BINDING_TABLE_POINTERS_GS", "3D and compute: skipped by its length, counted"),
	GFX(0x782a, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_BINDING_TABLE_POINTERS_PS", "3D and compute: skipped by its length, counted"),
	GFX(0x782b, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_SAMPLER_STATE_POINTERS_VS", "3D and compute: skipped by its length, counted"),
	GFX(0x782c, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_SAMPLER_STATE_POINTERS_HS", "3D and compute: skipped by its length, counted"),
	GFX(0x782d, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_SAMPLER_STATE_POINTERS_DS", "3D and compute: skipped by its length, counted"),
	GFX(0x782e, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_SAMPLER_STATE_POINTERS_GS", "3D and compute: skipped by its length, counted"),
	GFX(0x782f, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_SAMPLER_STATE_POINTERS_PS", "3D and compute: skipped by its length, counted"),
	GFX(0x7830, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_URB_VS", "3D and compute: skipped by its length, counted"),
	GFX(0x7831, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_URB_HS", "3D and compute: skipped by its length, counted"),
	GFX(0x7832, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_URB_DS", "3D and compute: skipped by its length, counted"),
	GFX(0x7833, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_URB_GS", "3D and compute: skipped by its length, counted"),
	GFX(0x7834, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_GATHER_CONSTANT_VS", "3D and compute: skipped by its length, counted"),
	GFX(0x7835, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_GATHER_CONSTANT_GS", "3D and compute: skipped by its length, counted"),
	GFX(0x7836, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_GATHER_CONSTANT_HS", "3D and compute: skipped by its length, counted"),
	GFX(0x7837, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_GATHER_CONSTANT_DS", "3D and compute: skipped by its length, counted"),
	GFX(0x7838, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_GATHER_CONSTANT_PS", "3D and compute: skipped by its length, counted"),
	GFX(0x7839, SKIP, R, 2, 0x7ff, USER, 20, 0,
		"3DSTATE_DX9_CONSTANTF_VS", "3D and compute: skipped by its length, counted"),
	GFX(0x783a, SKIP, R, 2, 0x7ff, USER, 20, 0,
		"3DSTATE_DX9_CONSTANTF_PS", "3D and compute: skipped by its length, counted"),
	GFX(0x783b, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_DX9_CONSTANTI_VS", "3D and compute: skipped by its length, counted"),
	GFX(0x783c, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_DX9_CONSTANTI_PS", "3D and compute: skipped by its length, counted"),
	GFX(0x783d, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_DX9_CONSTANTB_VS", "3D and compute: skipped by its length, counted"),
	GFX(0x783e, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_DX9_CONSTANTB_PS", "3D and compute: skipped by its length, counted"),
	GFX(0x783f, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_DX9_LOCAL_VALID_VS", "3D and compute: skipped by its length, counted"),
	GFX(0x7840, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_DX9_LOCAL_VALID_PS", "3D and compute: skipped by its length, counted"),
	GFX(0x7841, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_DX9_GENERATE_ACTIVE_VS", "3D and compute: skipped by its length, counted"),
	GFX(0x7842, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_DX9_GENERATE_ACTIVE_PS", "3D and compute: skipped by its length, counted"),
	GFX(0x7843, SKIP, R, 2, 0x1ff, USER, 20, 0,
		"3DSTATE_BINDING_TABLE_EDIT_VS", "3D and compute: skipped by its length, counted"),
	GFX(0x7844, SKIP, R, 2, 0x1ff, USER, 20, 0,
		"3DSTATE_BINDING_TABLE_EDIT_GS", "3D and compute: skipped by its length, counted"),
	GFX(0x7845, SKIP, R, 2, 0x1ff, USER, 20, 0,
		"3DSTATE_BINDING_TABLE_EDIT_HS", "3D and compute: skipped by its length, counted"),
	GFX(0x7846, SKIP, R, 2, 0x1ff, USER, 20, 0,
		"3DSTATE_BINDING_TABLE_EDIT_DS", "3D and compute: skipped by its length, counted"),
	GFX(0x7847, SKIP, R, 2, 0x1ff, USER, 20, 0,
		"3DSTATE_BINDING_TABLE_EDIT_PS", "3D and compute: skipped by its length, counted"),
	GFX(0x7849, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_VF_INSTANCING", "3D and compute: skipped by its length, counted"),
	GFX(0x784a, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_VF_SGVS", "3D and compute: skipped by its length, counted"),
	GFX(0x784b, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_VF_TOPOLOGY", "3D and compute: skipped by its length, counted"),
	GFX(0x784c, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_WM_CHROMAKEY", "3D and compute: skipped by its length, counted"),
	GFX(0x784d, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_PS_BLEND", "3D and compute: skipped by its length, counted"),
	GFX(0x784e, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_WM_DEPTH_STENCIL", "3D and compute: skipped by its length, counted"),
	GFX(0x784f, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_PS_EXTRA", "3D and compute: skipped by its length, counted"),
	GFX(0x7850, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_RASTER", "3D and compute: skipped by its length, counted"),
	GFX(0x7851, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_SBE_SWIZ", "3D and compute: skipped by its length, counted"),
	GFX(0x7852, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_WM_HZ_OP", "3D and compute: skipped by its length, counted"),
	GFX(0x7854, SKIP, R, 2, 0xff, USER, 20, A(2) | A(3),
		"3DSTATE_RS_CONSTANT_POINTER", "3D and compute: skipped by its length, counted"),
	GFX(0x7855, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_VF_COMPONENT_PACKING", "3D and compute: skipped by its length, counted"),
	GFX(0x7900, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_DRAWING_RECTANGLE", "3D and compute: skipped by its length, counted"),
	GFX(0x7902, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_SAMPLER_PALETTE_LOAD0", "3D and compute: skipped by its length, counted"),
	GFX(0x7904, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_CHROMA_KEY", "3D and compute: skipped by its length, counted"),
	GFX(0x7906, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_POLY_STIPPLE_OFFSET", "3D and compute: skipped by its length, counted"),
	GFX(0x7907, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_POLY_STIPPLE_PATTERN", "3D and compute: skipped by its length, counted"),
	GFX(0x7908, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_LINE_STIPPLE", "3D and compute: skipped by its length, counted"),
	GFX(0x790a, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_AA_LINE_PARAMETERS", "3D and compute: skipped by its length, counted"),
	GFX(0x790b, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_GS_SVB_INDEX", "3D and compute: skipped by its length, counted"),
	GFX(0x790c, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_SAMPLER_PALETTE_LOAD1", "3D and compute: skipped by its length, counted"),
	GFX(0x7911, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_MONOFILTER_SIZE", "3D and compute: skipped by its length, counted"),
	GFX(0x7912, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_PUSH_CONSTANT_ALLOC_VS", "3D and compute: skipped by its length, counted"),
	GFX(0x7913, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_PUSH_CONSTANT_ALLOC_HS", "3D and compute: skipped by its length, counted"),
	GFX(0x7914, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_PUSH_CONSTANT_ALLOC_DS", "3D and compute: skipped by its length, counted"),
	GFX(0x7915, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_PUSH_CONSTANT_ALLOC_GS", "3D and compute: skipped by its length, counted"),
	GFX(0x7916, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_PUSH_CONSTANT_ALLOC_PS", "3D and compute: skipped by its length, counted"),
	GFX(0x7917, SKIP, R, 2, 0x1ff, USER, 20, 0,
		"3DSTATE_SO_DECL_LIST", "3D and compute: skipped by its length, counted"),
	GFX(0x7918, SKIP, R, 2, 0xff, USER, 20, A(2) | A(5),
		"3DSTATE_SO_BUFFER", "3D and compute: skipped by its length, counted"),
	GFX(0x7919, SKIP, R, 2, 0xff, USER, 20, A(1),
		"3DSTATE_BINDING_TABLE_POOL_ALLOC", "3D and compute: skipped by its length, counted"),
	GFX(0x791a, SKIP, R, 2, 0xff, USER, 20, A(1),
		"3DSTATE_GATHER_POOL_ALLOC", "3D and compute: skipped by its length, counted"),
	GFX(0x791b, SKIP, R, 2, 0xff, USER, 20, A(1),
		"3DSTATE_DX9_CONSTANT_BUFFER_POOL_ALLOC", "3D and compute: skipped by its length, counted"),
	GFX(0x791c, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_SAMPLE_PATTERN", "3D and compute: skipped by its length, counted"),
	GFX(0x791d, SKIP, R, 2, 0xff, USER, 20, 0,
		"3DSTATE_URB_CLEAR", "3D and compute: skipped by its length, counted"),
	GFX(0x7a00, PIPE_CONTROL, R, 6, 0xff, USER, 200, A(2),
		"PIPE_CONTROL", "i915 and Mesa: flushes, stalls, breadcrumbs and queries of RCS"),
	GFX(0x7b00, SKIP, R, 2, 0xff, USER, 1000, 0,
		"3DPRIMITIVE", "3D and compute: skipped by its length, counted"),
};
/* clang-format on */

const size_t gen9_cmd_count = ARRAY_SIZE(gen9_cmds);

enum { KIND_RCS, KIND_BCS, KIND_VCS, KIND_VECS, KINDS };

/* MI opcodes, then 2D opcodes, then the 13 opcode bits of type 3. */
#define SLOT_2D	 64
#define SLOT_GFX (SLOT_2D + 128)
#define SLOTS	 (SLOT_GFX + 8192)

static uint16_t slots[KINDS][SLOTS]; /* 0: none; else 1 + row */
static pthread_once_t slots_once = PTHREAD_ONCE_INIT;

static int engine_kind(int engine)
{
	switch (engine) {
	case RCS0:
		return KIND_RCS;
	case BCS0:
		return KIND_BCS;
	case VECS0:
		return KIND_VECS;
	default:
		return KIND_VCS;
	}
}

/* Where a first dword is looked up; -1 for command types that Gen9 does not have. */
static int slot_of(uint32_t dw0)
{
	switch (dw0 >> 29) {
	case 0:
		return (int)(dw0 >> 23 & 0x3f);
	case 2:
		return (int)(SLOT_2D + (dw0 >> 22 & 0x7f));
	case 3:
		return (int)(SLOT_GFX + (dw0 >> 16 & 0x1fff));
	default:
		return -1;
	}
}

static void slots_build(void)
{
	static const int engine_of[KINDS] = {RCS0, BCS0, VCS0, VECS0};

	for (size_t i = 0; i < gen9_cmd_count; i++) {
		for (int k = 0; k < KINDS; k++) {
			if (gen9_cmds[i].engines & BIT(engine_of[k]))
				slots[k][slot_of(gen9_cmds[i].opcode)] = (uint16_t)(i + 1);
		}
	}
}

const struct cmd_row *gen9_cmd_find(uint32_t dw0, int engine)
{
	int slot = slot_of(dw0);
	uint16_t n;

	pthread_once(&slots_once, slots_build);
	if (slot < 0)
		return NULL;
	n = slots[engine_kind(engine)][slot];
	return n ? &gen9_cmds[n - 1] : NULL;
}

uint32_t gen9_cmd_length(const struct cmd_row *row, uint32_t dw0)
{
	return row->len == CMD_LEN_FIXED ? row->dwords : (dw0 & row->len_mask) + 2;
}

static int complain(char *msg, size_t len, const struct cmd_row *row, const char *what)
{
	snprintf(msg, len, "%s (%08x): %s", row->name ? row->name : "?", row->opcode, what);
	return -EINVAL;
}

int gen9_cmds_lint(char *msg, size_t len)
{
	bool used[CMD_ID_COUNT] = {false};

	for (size_t i = 0; i < gen9_cmd_count; i++) {
		const struct cmd_row *row = &gen9_cmds[i];
		uint32_t type_mask = (row->opcode >> 29) == 0	? 0xff800000
				     : (row->opcode >> 29) == 2 ? 0xffc00000
								: 0xffff0000;

		if (!row->name || !row->name[0] || !row->why || !row->why[0])
			return complain(msg, len, row, "no name or no why");
		if (slot_of(row->opcode) < 0 || row->mask != type_mask || row->opcode & ~row->mask)
			return complain(msg, len, row, "opcode and mask do not fit its type");
		if (row->id >= CMD_ID_COUNT || !row->engines || row->engines & ~ALL)
			return complain(msg, len, row, "id or engines");
		if (row->dwords == 0 || !row->cost_ns)
			return complain(msg, len, row, "no length or no cost");
		if (row->len == CMD_LEN_FIXED
				? row->len_mask != 0
				: row->dwords < 2 || (row->len_mask & (row->len_mask + 1)))
			return complain(msg, len, row, "length rule");
		if (row->len == CMD_LEN_BIAS2 && row->dwords > row->len_mask + 2u)
			return complain(msg, len, row, "least length cannot be written");
		if (row->len_mask & row->mask)
			return complain(msg, len, row, "length reaches into the opcode");
		used[row->id] = true;
		for (size_t j = 0; j < i; j++) {
			const struct cmd_row *o = &gen9_cmds[j];

			if (o->opcode == row->opcode && o->engines & row->engines)
				return complain(msg, len, row, "doubled");
		}
		if (i && (row->opcode < row[-1].opcode ||
				 (row->opcode == row[-1].opcode && row->engines < row[-1].engines)))
			return complain(msg, len, row, "not sorted");
	}
	for (int id = 0; id < CMD_ID_COUNT; id++) {
		if (!used[id]) {
			snprintf(msg, len, "command id %d has no row", id);
			return -EINVAL;
		}
	}
	return 0;
}
