/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare selftests - registers: what cycle.S fills and stores */
#ifndef PROCSHARE_SELFTEST_REGISTERS_H
#define PROCSHARE_SELFTEST_REGISTERS_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define VECTORS	16

/* All but rsp; the assembly knows the places. */
struct registers {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t flags, fs_word, gs_word;
	uint32_t mxcsr;
	uint16_t fcw, pad;
	uint8_t x87[8][16];	/* 10 bytes used of each */
	uint8_t vector[VECTORS][32];
};

static_assert(offsetof(struct registers, flags) == 120);
static_assert(offsetof(struct registers, mxcsr) == 144);
static_assert(offsetof(struct registers, x87) == 152);
static_assert(offsetof(struct registers, vector) == 280);

/*
 * Loads *in, computes for as long as hold[0] is not 0, stores into *out.  With a
 * call, it is made behind that, and hold[1] is waited for before storing.
 */
void cycle(const struct registers *in, struct registers *out, int avx);
void cycle_call(const struct registers *in, struct registers *out, int avx);
extern const char behind_call[];
extern int hold[2];

#endif
