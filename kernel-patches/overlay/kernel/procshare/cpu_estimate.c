// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - cpu_estimate: what home believes of a remote thread's CPU time
 */

#include <linux/math64.h>

#include "cpu_estimate.h"

/* Home may be wrong by so much. */
#define TOLERANCE_NS	(2 * NSEC_PER_MSEC)
/* A report is repeated before it is believed no longer. */
#define REPEAT_NS	(CPU_BELIEVED_NS / 2)

u64 cpu_estimate_at(const struct cpu_estimate *e, u64 now)
{
	return e->user_ns + min_t(u64, now - e->at_ns, CPU_BELIEVED_NS) * e->rate / CPU_RATE_FULL;
}

void cpu_report_begin(struct cpu_report *r, u64 now, u64 user, u64 system)
{
	*r = (struct cpu_report) {
		.told = { .at_ns = now, .user_ns = user },
		.told_system_ns = system,
		.last_ns = now,
		.last_user_ns = user,
	};
}

/* How fast has @user grown since it was looked at last?  Looks at it. */
static u32 measure(struct cpu_report *r, u64 now, u64 user)
{
	u64 time = max_t(u64, now - r->last_ns, 1);
	u64 rate = div64_u64((user - r->last_user_ns) * CPU_RATE_FULL, time);

	r->last_ns = now;
	r->last_user_ns = user;
	return min_t(u64, rate, CPU_RATE_FULL);
}

bool cpu_report_due(struct cpu_report *r, u64 now, u64 user, u64 system)
{
	u32 rate = measure(r, now, user);
	u64 believed = cpu_estimate_at(&r->told, now);
	u64 off = max(user, believed) - min(user, believed) + system - r->told_system_ns;

	if (off < TOLERANCE_NS && !(r->told.rate && now - r->told.at_ns >= REPEAT_NS))
		return false;
	r->told = (struct cpu_estimate) { .at_ns = now, .user_ns = user, .rate = rate };
	r->told_system_ns = system;
	return true;
}
