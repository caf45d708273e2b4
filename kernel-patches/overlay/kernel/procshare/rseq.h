/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare - restartable sequences of a thread that moves */
#ifndef _PROCSHARE_RSEQ_H
#define _PROCSHARE_RSEQ_H

#include <linux/types.h>

struct pt_regs;

/**
 * struct thread_rseq - what a thread has registered with rseq()
 * @address: of its area, 0 if none
 * @length: of the area
 * @signature: in front of its abort handlers
 */
struct thread_rseq {
	u64 address;
	u32 length;
	u32 signature;
};

#ifdef CONFIG_RSEQ
/* What current has registered on this node. */
struct thread_rseq thread_rseq_get(void);
/* From now on the area of current is @rseq; its CPU number is written at once. */
void thread_rseq_set(const struct thread_rseq *rseq);
/*
 * current is on another CPU than it was: a sequence under way is aborted, and the
 * number of the new CPU written, before it executes another instruction.
 */
void thread_rseq_moved(void);
/*
 * current goes on with @regs, and may not touch its own memory just now: what the
 * kernel has to do there on the way to user mode is done here, with more rights than it
 * would have.  False if nothing had to be.
 */
bool thread_rseq_settle(struct pt_regs *regs);
/*
 * The CPUs of the node where current is going have no numbers in its process: its
 * area says "not registered".  -EBUSY in a sequence, which does not last.
 */
int thread_rseq_park(const struct pt_regs *regs);
#else
static inline struct thread_rseq thread_rseq_get(void)
{
	return (struct thread_rseq){ };
}

static inline void thread_rseq_set(const struct thread_rseq *rseq)
{
}

static inline void thread_rseq_moved(void)
{
}

static inline bool thread_rseq_settle(struct pt_regs *regs)
{
	return false;
}

static inline int thread_rseq_park(const struct pt_regs *regs)
{
	return 0;
}
#endif

#endif /* _PROCSHARE_RSEQ_H */
