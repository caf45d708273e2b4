/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - cpu_estimate: what home believes of a remote thread's CPU time
 *
 * A thread that computes uses the CPU steadily: home goes on counting by itself, and
 * its node, which knows what home believes, speaks up when that is not so.
 */
#ifndef _PROCSHARE_CPU_ESTIMATE_H
#define _PROCSHARE_CPU_ESTIMATE_H

#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/time64.h>
#include <linux/types.h>

/* A thread that never gives up the CPU. */
#define CPU_RATE_FULL	1024
/* Jiffies after which either side looks again: 8 ms, as no timer is a jiffy early. */
#define CPU_PERIOD	max(msecs_to_jiffies(8) - 1, 1UL)
/* A report is believed for so long. */
#define CPU_BELIEVED_NS	NSEC_PER_SEC

/**
 * struct cpu_estimate - user CPU time goes on like this
 * @at_ns: monotonic time, of whoever looks, when it was reported
 * @user_ns: reported then
 * @rate: how fast it grows, CPU_RATE_FULL as fast as time
 */
struct cpu_estimate {
	u64 at_ns;
	u64 user_ns;
	u32 rate;
};

/**
 * struct cpu_report - what a node has told home about a thread
 * @told: home believes this of its user CPU time
 * @told_system_ns: and this of its system CPU time, which it does not expect to grow
 * @last_ns: when the thread was looked at last
 * @last_user_ns: its user CPU time then
 */
struct cpu_report {
	struct cpu_estimate told;
	u64 told_system_ns;
	u64 last_ns;
	u64 last_user_ns;
};

/* User CPU time in ns at @now. */
u64 cpu_estimate_at(const struct cpu_estimate *e, u64 now);

/* Home knows these totals at @now, in ns, and expects no more. */
void cpu_report_begin(struct cpu_report *r, u64 now, u64 user, u64 system);

/*
 * Called from time to time with the thread's totals, in ns.  True if home believes
 * something else: @r->told and @r->told_system_ns are to be sent.
 */
bool cpu_report_due(struct cpu_report *r, u64 now, u64 user, u64 system);

#endif /* _PROCSHARE_CPU_ESTIMATE_H */
