/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of a Gen9 GPU (Skylake, Kaby Lake) as sorted const rows.
 *
 * A row says where a register is, how it stores, who handles it and what a command streamer may do
 * with it. Engine registers are rows relative to the engine's MMIO base and apply to every engine
 * named in `engines`. A register without a row reads 0, drops writes and is counted (soc/regs.h).
 * Sources: PRM volume 2c (command reference: registers), i915's i915_reg.h, gt/intel_gt_regs.h,
 * gt/intel_engine_regs.h and the *_regs.h of display/ for names.
 */
#ifndef GEN9_REGS_H
#define GEN9_REGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GEN9_MMIO_SIZE	 0x200000u /* BAR0: registers, then from 8 MiB on the GGTT */
#define GEN9_BAR0_SIZE	 0x1000000u
#define GEN9_GGTT_OFFSET 0x800000u

enum gen9_engine { RCS0, BCS0, VCS0, VCS1, VECS0, GEN9_ENGINES };
#define ENGINES_ALL 0x1f
#define ENGINES_RCS (1 << RCS0)

/*
 * MMIO base, short name ("rcs0"), class and instance as i915 has them. VCS1 exists on GT3 and up.
 */
struct gen9_engine_info {
	const char *name;
	uint32_t mmio_base;
	uint32_t gdrst_bit;   /* in GDRST 0x941c */
	uint8_t irq_bank;     /* GT interrupt register set 0..3 at 0x44300 + 16 * n */
	uint8_t irq_shift;    /* 0 or 16 within it */
	uint32_t forcewake;   /* domain that covers its registers: FW_* */
	uint32_t tlb_inv_reg; /* 0x4260.. */
	uint32_t ctx_pages;   /* pages of a context image with its HWSP page: 22 render, 2 others */
};
extern const struct gen9_engine_info gen9_engines[GEN9_ENGINES];

enum { FW_RENDER = 1, FW_BLITTER = 2, FW_MEDIA = 4, FW_ALL = 7 };

enum reg_flags {
	REG_RO = 1 << 0,       /* writes are dropped; the value is `reset` or the handler's */
	REG_MASKED = 1 << 1,   /* bits 31:16 of a write select which of 15:0 it changes; read 0 */
	REG_W1C = 1 << 2,      /* a 1 written clears the bit (all bits; else see w1c) */
	REG_PLAIN = 1 << 3,    /* storage and nothing else: `why` says why that is enough */
	REG_CTX = 1 << 4,      /* saved and restored with the logical context */
	REG_GDRST = 1 << 5,    /* returns to its reset value at a full GT reset */
	REG_SHADOWED = 1 << 6, /* a write needs no forcewake (PRM: shadow registers) */
};

/* What a command streamer may do with a register (LRI, LRM, LRR, SRM): DESIGN, decision 4. */
enum reg_cs {
	REG_CS_NONE = 0, /* MMIO only: from any batch a NOOP, counted */
	REG_CS_PRIV,	 /* rings and privileged batches */
	REG_CS_USER,	 /* user batches too (i915: the non-privileged whitelist of the hardware) */
	REG_CS_USER_READ, /* user batches may read (SRM), privileged ones write */
};

/* Who reacts. One id a behaviour; soc and the model bind functions to ids (soc/regs.h). */
enum reg_handler {
#define REG_HANDLER(id) REG_H_##id,
#include "gen9/reg_handlers.inc"
#undef REG_HANDLER
	REG_H_COUNT
};
extern const char *const reg_handler_names[REG_H_COUNT];

struct reg_row {
	uint32_t offset;  /* bytes from BAR0; in engine rows: from the engine's base */
	uint16_t count;	  /* dwords from there on that the row covers */
	uint16_t flags;	  /* enum reg_flags */
	uint8_t handler;  /* enum reg_handler */
	uint8_t cs;	  /* enum reg_cs */
	uint8_t engines;  /* which engines, or which of a table's instances (0: all) have it */
	uint32_t reset;	  /* value after power-on, each dword */
	uint32_t ro;	  /* bits that keep their value on a write */
	uint32_t w1c;	  /* bits that a written 1 clears */
	const char *name; /* the kernel's or the PRM's */
	const char *why;  /* PRM volume or the driver behaviour that needs it */
};

/* Where a block that exists more than once has its rows: pipe A, B, C; port A to E; ... */
struct reg_instance {
	uint32_t base;
	const char *name; /* "A", "EDP" */
};

/* A part of the table: the rows of one hardware block, sorted by offset. */
struct reg_table {
	const char *block; /* "gt", "display", "irq", ... */
	const struct reg_row *rows;
	size_t count;
	bool engine_relative; /* offsets count from each engine's MMIO base */
	const struct reg_instance
		*instances;    /* not NULL: offsets count from each instance's base */
	size_t instance_count; /* at most 8 */
	bool without_vcs1;     /* these rows are there only where VCS1 is not */
};
extern const struct reg_table gen9_reg_tables[];
extern const size_t gen9_reg_table_count;

/*
 * An index for O(1) look-ups: index[offset / 4] is 0 (no row) or an entry that gen9_reg_row()
 * takes. 512 Ki entries, written by gen9_regs_index(). VCS1's rows only when has_vcs1.
 */
#define GEN9_REG_DWORDS (GEN9_MMIO_SIZE / 4)
void gen9_regs_index(uint16_t index[GEN9_REG_DWORDS], bool has_vcs1);
/* The row for an index entry; NULL for 0. */
const struct reg_row *gen9_reg_row(uint16_t entry);
/*
 * "RING_TAIL(rcs0)" for engine rows, "PLANE_CTL_1(A)" for instances, "GEN6_GDRST" or
 * "GEN9_GFX_MOCS+12" for others; "" without a row. For traces and lists: it searches all tables.
 */
void gen9_reg_name(uint32_t offset, char *out, size_t len);
/* The engine whose register block holds `offset` (base .. base + 0x7ff, and VCS1), or -1. */
int gen9_reg_engine(uint32_t offset);
/* Forcewake domains that a read (write) of `offset` needs; 0 when none. i915: gen9_fw_ranges. */
uint32_t gen9_reg_forcewake(uint32_t offset);

/*
 * The lint that the unit test runs: sorted, no overlap, a name and a why, aligned, inside the MMIO
 * range, flags that contradict, reset values that break the row's own rules. 0, or -EINVAL and the
 * complaint in `msg`; -ENOMEM.
 */
int gen9_regs_lint(char *msg, size_t len);
/* The same over any tables, so that a test can seed faults. */
int gen9_reg_tables_lint(const struct reg_table *tables, size_t count, char *msg, size_t len);

#endif
