// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Figures of the command streamers and the blitter, through the same miniature driver as the unit
 * tests: contexts, PPGTT, ELSP. Time is what the engine says it was busy, so that wake-ups of threads
 * are not in it.
 */
#include "bench/micro.h"

#include "tests/unit/gpu/model/cs_rig.h"

#define REPEATS	 15
#define NOOPS	 (MIB(1) / 4)
#define STORES	 (MIB(1) / 16)
#define COPY_ROW 4096u /* bytes a row, 32 bits a pixel */

static uint64_t run_timed(struct cs_rig *r, struct rig_ctx *c, uint64_t batch)
{
	uint64_t before = atomic_load(&r->m->engine[c->engine].busy_ns);

	rig_ring(r, c, MI_BBS_PPGTT, (uint32_t)batch, (uint32_t)(batch >> 32), 0);
	rig_run(r, c);
	return atomic_load(&r->m->engine[c->engine].busy_ns) - before;
}

static void per_command(uint64_t commands, const uint32_t *dw, size_t n)
{
	static struct cs_rig r;
	struct rig_ctx c;
	uint64_t at = PP_DATA;

	printf("ns\n");
	rig_open(&r, false);
	rig_ctx_open(&r, &c, RCS0);
	for (uint64_t i = 0; i < commands; i++)
		at = rig_batch_n(&r, at, n, dw);
	rig_batch(&r, at, MI_BBE, 0);
	for (int i = -1; i < REPEATS; i++) {
		uint64_t ns = run_timed(&r, &c, PP_DATA);

		if (i >= 0)
			printf("%.4f\n", (double)ns / (double)commands);
	}
	rig_close(&r);
}

void bench_cs_noop(void)
{
	per_command(NOOPS, (const uint32_t[]){0}, 1);
}

void bench_cs_store_dword(void)
{
	const uint32_t sdi[] = {MI_SDI, (uint32_t)PP_SCRATCH, (uint32_t)(PP_SCRATCH >> 32), 1};

	per_command(STORES, sdi, ARRAY_SIZE(sdi));
}

void bench_blt_linear_copy(void)
{
	const uint64_t src = PP_DATA + MIB(2), dst = PP_DATA + MIB(4), bytes = MIB(2);
	const uint32_t rows = (uint32_t)(bytes / COPY_ROW);
	const uint32_t pitch = COPY_ROW;
	static struct cs_rig r;
	struct rig_ctx c;

	printf("GiB/s memcpy\n");
	rig_open(&r, false);
	rig_ctx_open(&r, &c, BCS0);
	rig_batch(&r, PP_DATA, 0x54f00008, 0x03cc0000 | pitch, 0, rows << 16 | COPY_ROW / 4,
		(uint32_t)dst, (uint32_t)(dst >> 32), 0, pitch, (uint32_t)src,
		(uint32_t)(src >> 32), MI_BBE, 0);
	for (uint64_t i = 0; i < bytes / 4; i++)
		*rig_pp(&r, src + 4 * i) = (uint32_t)i;
	for (int i = -1; i < REPEATS; i++) {
		uint64_t ours = run_timed(&r, &c, PP_DATA), t0, theirs;

		if (memcmp(rig_pp(&r, dst), rig_pp(&r, src), bytes))
			bench_die("the copy differs");
		memset(rig_pp(&r, dst), 0, bytes);
		t0 = bench_now_ns();
		memcpy(rig_pp(&r, dst), rig_pp(&r, src), bytes);
		theirs = bench_now_ns() - t0;
		memset(rig_pp(&r, dst), 0, bytes);
		if (i >= 0)
			printf("%.4f %.4f\n", (double)bytes / (double)ours * 1e9 / (double)GIB(1),
				(double)bytes / (double)theirs * 1e9 / (double)GIB(1));
	}
	rig_close(&r);
}
