/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of bench-micro share. */
#ifndef BENCH_MICRO_H
#define BENCH_MICRO_H

#include <stdint.h>

uint64_t bench_now_ns(void);
/* This process, and threads it makes from now on, on one CPU. */
void bench_pin(void);
_Noreturn void bench_die(const char *what);

/* micro_model.c */
void bench_cs_noop(void);
void bench_cs_store_dword(void);
void bench_blt_linear_copy(void);

#endif
