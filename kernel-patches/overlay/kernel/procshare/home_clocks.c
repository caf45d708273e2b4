// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_clocks: what other nodes need to know to tell home's time
 *
 * Between the clocks of a node only differences are sent: they change when a wall
 * clock is set, and for CLOCK_MONOTONIC_RAW as far as the others are disciplined.
 */

#include <linux/sched.h>
#include <linux/time_namespace.h>
#include <linux/timekeeping.h>

#include "home.h"

static __le64 minus_monotonic(enum tk_offsets clock)
{
	return cpu_to_le64(ktime_to_ns(ktime_mono_to_any(0, clock)));
}

/* START of @p. */
void home_clocks_pack(const struct procshare_process *p,
		      struct procshare_wire_start *start)
{
	const struct timens_offsets *offsets = &p->time_ns->offsets;
	u64 raw = ktime_get_raw_ns();
	u64 now = ktime_get_ns();

	start->monotonic = cpu_to_le64(now);
	start->boottime = minus_monotonic(TK_OFFS_BOOT);
	start->raw = cpu_to_le64(raw - now);
	start->realtime = minus_monotonic(TK_OFFS_REAL);
	start->tai = minus_monotonic(TK_OFFS_TAI);
	start->monotonic_offset = cpu_to_le64(timespec64_to_ns(&offsets->monotonic));
	start->boottime_offset = cpu_to_le64(timespec64_to_ns(&offsets->boottime));
}

/* MIGRATE of current. */
void home_clocks_pack_thread(struct procshare_wire_thread *state)
{
	struct timespec64 now;

	ktime_get_ts64(&now);
	timens_add_monotonic(&now);
	state->monotonic = cpu_to_le64(timespec64_to_ns(&now));
	state->realtime = minus_monotonic(TK_OFFS_REAL);
}
