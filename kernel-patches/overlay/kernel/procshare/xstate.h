/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - extended CPU state on the wire: (component, data) pairs
 *
 * Freestanding, so that it can be fuzzed in userland.  Standard-format XSAVE
 * offsets differ between CPU vendors, so an image never travels: each component
 * does, under its architectural number, and the receiver puts it where its own
 * CPU wants it.  A component that is absent is in its initial state.
 */
#ifndef _PROCSHARE_XSTATE_H
#define _PROCSHARE_XSTATE_H

#include "wire.h"

#ifndef __KERNEL__
#include <sys/types.h>
#endif

/* Components are numbered below this here; Linux 6.12 knows 0 to 18. */
#define PROCSHARE_XSTATE_COMPONENTS	20

#define PROCSHARE_XSTATE_FP		0
#define PROCSHARE_XSTATE_SSE		1
#define PROCSHARE_XSTATE_PKRU		9

/*
 * x87, SSE, AVX, the three parts of AVX-512 and PKRU travel.  MPX is dead (and
 * XRSTOR faults on some of its values), AMX needs permission per process.
 */
#define PROCSHARE_XSTATE_MOVABLE	0x2e7ull

/*
 * PKRU of a thread that never used protection keys.  For PKRU, absent means
 * this instead of the CPU's initial state (0, all keys accessible), so that
 * such threads can move between CPUs with and without protection keys.
 */
#define PROCSHARE_XSTATE_PKRU_DEFAULT	0x55555554u

/* Layout of a standard-format image: legacy area, header, the rest */
#define PROCSHARE_XSTATE_MXCSR		24	/* offset of MXCSR */
#define PROCSHARE_XSTATE_MXCSR_MASK	28	/* offset of MXCSR_MASK */
#define PROCSHARE_XSTATE_HEADER		512	/* offset of XSTATE_BV */
#define PROCSHARE_XSTATE_EXTENDED	576	/* offset behind the header */

/**
 * struct procshare_xstate_layout - where a CPU keeps each component
 * @components: user components of the CPU, FP and SSE among them
 * @size: bytes of an image, at least PROCSHARE_XSTATE_EXTENDED
 * @at: offset and size of each of @components within an image
 */
struct procshare_xstate_layout {
	u64 components;
	u32 size;
	struct {
		u32 offset;
		u32 size;
	} at[PROCSHARE_XSTATE_COMPONENTS];
};

size_t procshare_xstate_bound(const struct procshare_xstate_layout *layout);
ssize_t procshare_xstate_encode(const struct procshare_xstate_layout *layout,
				const void *image, void *buf, size_t size);
int procshare_xstate_decode(const struct procshare_xstate_layout *layout,
			    const void *buf, size_t length, void *image);

#endif /* _PROCSHARE_XSTATE_H */
