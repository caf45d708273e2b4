// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - capture and restore a thread's extended CPU state on x86_64
 *
 * The kernel keeps it in whatever format this CPU likes best; its own routines
 * for ptrace turn that into the standard format and back, xstate.c turns the
 * standard format into pairs for the wire.
 */
#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/regset.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <asm/fpu/api.h>
#include <asm/fpu/sched.h>
#include <asm/fpu/signal.h>
#include <asm/pkru.h>

#include "fpu/context.h"
#include "fpu/internal.h"
#include "fpu/legacy.h"
#include "fpu/xstate.h"

#include "../../../kernel/procshare/thread_state.h"
#include "../../../kernel/procshare/xstate.h"

static_assert(PROCSHARE_XSTATE_COMPONENTS >= XFEATURE_MAX);
static_assert(PROCSHARE_XSTATE_MOVABLE ==
	      (XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM |
	       XFEATURE_MASK_AVX512 | XFEATURE_MASK_PKRU));
static_assert(offsetof(struct fxregs_state, mxcsr) == PROCSHARE_XSTATE_MXCSR);
static_assert(PROCSHARE_XSTATE_MXCSR_MASK ==
	      offsetof(struct fxregs_state, mxcsr_mask));
static_assert(PROCSHARE_XSTATE_HEADER ==
	      offsetof(struct xregs_state, header.xfeatures));
static_assert(PROCSHARE_XSTATE_EXTENDED ==
	      offsetof(struct xregs_state, extended_state_area));

/* This CPU's standard format.  Without XSAVE nothing can travel. */
static struct procshare_xstate_layout layout __ro_after_init;

static void __init learn_component(unsigned int n)
{
	u32 eax, ebx, ecx, edx;

	cpuid_count(XSTATE_CPUID, n, &eax, &ebx, &ecx, &edx);
	layout.at[n].size = eax;
	layout.at[n].offset = ebx;
	layout.size = max(layout.size, ebx + eax);
}

static int __init learn_layout(void)
{
	unsigned int n;

	if (!cpu_feature_enabled(X86_FEATURE_XSAVE))
		return 0;

	layout.components = fpu_user_cfg.default_features;
	layout.size = PROCSHARE_XSTATE_EXTENDED;
	layout.at[XFEATURE_FP].size = offsetof(struct fxregs_state, xmm_space);
	layout.at[XFEATURE_SSE].offset = layout.at[XFEATURE_FP].size;
	layout.at[XFEATURE_SSE].size = sizeof_field(struct fxregs_state, xmm_space);
	for (n = FIRST_EXTENDED_XFEATURE; n < XFEATURE_MAX; n++)
		if (layout.components & BIT_ULL(n))
			learn_component(n);
	return 0;
}
core_initcall(learn_layout);

/**
 * procshare_xfeatures - the extended state that this CPU can exchange
 *
 * Return: a set of xfeatures, empty if no thread can move to or from here.
 */
u64 procshare_xfeatures(void)
{
	return layout.components & PROCSHARE_XSTATE_MOVABLE;
}

/**
 * procshare_state_size - room that procshare_save_xstate() may need here
 *
 * Return: an upper bound in bytes.
 */
size_t procshare_state_size(void)
{
	return procshare_xstate_bound(&layout);
}

/* No one else has FPU state of their own in fpstate. */
static bool has_user_fpu(void)
{
	return layout.components &&
	       !(current->flags & (PF_KTHREAD | PF_USER_WORKER));
}

/* PKRU in the task's fpstate may be stale: put the real one into @image. */
static void put_pkru(void *image)
{
	struct xregs_state *xsave = image;
	u32 pkru = read_pkru();

	if (!(layout.components & XFEATURE_MASK_PKRU) ||
	    pkru == PROCSHARE_XSTATE_PKRU_DEFAULT)
		return;
	memcpy(image + layout.at[XFEATURE_PKRU].offset, &pkru, sizeof(pkru));
	xsave->header.xfeatures |= XFEATURE_MASK_PKRU;
}

/* Have current's fpstate up to date.  Call with fpregs_lock() held. */
static struct fpstate *sync_fpstate(void)
{
	struct fpu *fpu = &current->thread.fpu;

	if (!test_thread_flag(TIF_NEED_FPU_LOAD))
		save_fpregs_to_fpstate(fpu);
	return fpu->fpstate;
}

/**
 * procshare_save_xstate - write current's extended state as pairs
 * @buf: where to; procshare_state_size() bytes always suffice
 * @size: of @buf
 *
 * Return: bytes written, -EOPNOTSUPP if a component in use cannot travel,
 * -ENOSPC or -ENOMEM.
 */
ssize_t procshare_save_xstate(void *buf, size_t size)
{
	struct membuf to = { .left = layout.size };
	struct fpstate *fpstate;
	bool dynamic;
	void *image;
	ssize_t used;

	if (!has_user_fpu())
		return -EOPNOTSUPP;
	image = kvzalloc(layout.size, GFP_KERNEL_ACCOUNT);
	if (!image)
		return -ENOMEM;

	to.p = image;
	fpregs_lock();
	fpstate = sync_fpstate();
	dynamic = fpstate->user_xfeatures & ~layout.components;
	__copy_xstate_to_uabi_buf(to, fpstate,
				  layout.components & ~XFEATURE_MASK_PKRU,
				  0, XSTATE_COPY_XSAVE);
	fpregs_unlock();
	put_pkru(image);

	used = dynamic ? -EOPNOTSUPP :
	       procshare_xstate_encode(&layout, image, buf, size);
	kvfree(image);
	return used;
}

/* What the CPU decides about: bits of MXCSR, and PKRU if none came. */
static int fit_image(void *image)
{
	struct xregs_state *xsave = image;
	const u32 pkru = PROCSHARE_XSTATE_PKRU_DEFAULT;

	if (xsave->i387.mxcsr & ~mxcsr_feature_mask)
		return -EOPNOTSUPP;
	xsave->i387.mxcsr_mask = mxcsr_feature_mask;

	if (layout.components & ~xsave->header.xfeatures & XFEATURE_MASK_PKRU) {
		memcpy(image + layout.at[XFEATURE_PKRU].offset, &pkru,
		       sizeof(pkru));
		xsave->header.xfeatures |= XFEATURE_MASK_PKRU;
	}
	return 0;
}

/* Replace current's user state by @image, all of it, or fail and leave it. */
static int install_image(const void *image)
{
	struct fpu *fpu = &current->thread.fpu;
	u32 pkru = 0;
	int err;

	fpregs_lock();
	/* Supervisor components (PASID) stay as they are in the registers. */
	sync_fpstate();
	set_thread_flag(TIF_NEED_FPU_LOAD);
	__fpu_invalidate_fpregs_state(fpu);
	err = copy_uabi_from_kernel_to_xstate(fpu->fpstate, image, &pkru);
	if (!err && (layout.components & XFEATURE_MASK_PKRU))
		write_pkru(pkru);
	fpregs_unlock();
	return err;
}

/**
 * procshare_load_xstate - load current's extended state from pairs
 * @buf: the pairs, from a peer: nothing about them is trusted
 * @length: of @buf
 *
 * The registers themselves are loaded on return to user mode.
 *
 * Return: 0; -EOPNOTSUPP if this CPU lacks a component or a bit of MXCSR,
 * -EINVAL if the pairs are malformed, -ENOMEM.  On error nothing has changed.
 */
int procshare_load_xstate(const void *buf, size_t length)
{
	void *image;
	int err;

	if (!has_user_fpu())
		return -EOPNOTSUPP;
	image = kvzalloc(layout.size, GFP_KERNEL_ACCOUNT);
	if (!image)
		return -ENOMEM;

	err = procshare_xstate_decode(&layout, buf, length, image);
	if (!err)
		err = fit_image(image);
	if (!err)
		err = install_image(image);
	kvfree(image);
	return err;
}
