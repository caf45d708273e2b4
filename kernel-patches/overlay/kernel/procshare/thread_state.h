/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare - a thread's state, captured and restored: what the CPU provides */
#ifndef _PROCSHARE_THREAD_STATE_H
#define _PROCSHARE_THREAD_STATE_H

#include <linux/types.h>

#include "wire.h"

struct pt_regs;

/*
 * Everything here is about current, in its exit-to-user path (or in the
 * function of a user_mode_thread()): @regs is current_pt_regs(), interrupts are
 * on, sleeping is allowed.
 */

/* NULL, or what about current's state cannot travel, in words for people. */
const char *procshare_state_obstacle(void);
/* The same as a number: 0 or -EOPNOTSUPP. */
int procshare_state_movable(void);

/* User components of extended state that this CPU has and that can travel. */
u64 procshare_xfeatures(void);
/* Upper bound in bytes of what procshare_save_xstate() writes on this CPU. */
size_t procshare_state_size(void);

/*
 * General registers, as struct user_regs_struct.  Saving fails (-EOPNOTSUPP)
 * only with a cs or ss from an LDT.  Loading trusts nothing: segments are forced,
 * flags sanitised; what the kernel must not load is refused with -EINVAL and
 * then nothing has changed.  procshare_load_regs(), for departure, refuses an ip
 * or sp outside of user space, too.  procshare_restore_regs(), for everything
 * that comes from a thread that is away, takes them as ptrace does: one that
 * jumped into the wild gets its SIGSEGV at home.
 */
int procshare_save_regs(struct pt_regs *regs, __le64 out[PROCSHARE_WIRE_REGS]);
int procshare_load_regs(struct pt_regs *regs,
			const __le64 in[PROCSHARE_WIRE_REGS]);
int procshare_restore_regs(struct pt_regs *regs,
			   const __le64 in[PROCSHARE_WIRE_REGS]);

/* Bytes to go back so that the instruction which has just trapped is repeated. */
unsigned int procshare_trap_length(const struct pt_regs *regs);

/*
 * Extended state, as pairs (see xstate.h).  Saving returns the bytes written.
 * Loading replaces all user components, absent ones by their initial state:
 * -EOPNOTSUPP if this CPU lacks a component or a bit of MXCSR, -EINVAL if the
 * pairs are malformed; on any error nothing has changed.
 */
ssize_t procshare_save_xstate(void *buf, size_t size);
int procshare_load_xstate(const void *buf, size_t length);

/* Parts of the above that KUnit tests on registers of its own. */
int procshare_check_regs(const __le64 in[PROCSHARE_WIRE_REGS], bool wild);
void procshare_decode_regs(struct pt_regs *regs,
			   const __le64 in[PROCSHARE_WIRE_REGS], bool wild);

#endif /* _PROCSHARE_THREAD_STATE_H */
