// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_clocks: what other nodes need to know to tell home's time
 *
 * Between the clocks of a node only differences are sent: they change when a wall
 * clock is set, and for CLOCK_MONOTONIC_RAW as far as the others are disciplined.
 */

#include <linux/delay.h>
#include <linux/sched.h>
#include <linux/time_namespace.h>
#include <linux/timekeeping.h>

#include "home.h"

/* How far a node's clock may be ahead of ours before we stop waiting for it. */
#define CLOCK_PATIENCE_US	20000

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

/* What current sees now. */
static void read_clocks(s64 *monotonic, s64 *raw)
{
	struct timespec64 now;

	ktime_get_ts64(&now);
	timens_add_monotonic(&now);
	*monotonic = timespec64_to_ns(&now);
	ktime_get_raw_ts64(&now);
	timens_add_monotonic(&now);
	*raw = timespec64_to_ns(&now);
}

/* MIGRATE of current. */
void home_clocks_pack_thread(struct procshare_wire_thread *state)
{
	s64 monotonic, raw;

	read_clocks(&monotonic, &raw);
	state->monotonic = cpu_to_le64(monotonic);
	state->raw = cpu_to_le64(raw);
	state->realtime = minus_monotonic(TK_OFFS_REAL);
}

/*
 * BACK of current.  Where the node's clocks were faster than ours, time must not step
 * back: wait until ours have caught up.
 */
void home_clocks_arrive(const struct procshare_wire_thread *state)
{
	s64 monotonic, raw;
	int waited;

	for (waited = 0; waited < CLOCK_PATIENCE_US; waited += 50) {
		read_clocks(&monotonic, &raw);
		if (monotonic >= (s64)le64_to_cpu(state->monotonic) &&
		    raw >= (s64)le64_to_cpu(state->raw))
			return;
		usleep_range(50, 100);
	}
}
