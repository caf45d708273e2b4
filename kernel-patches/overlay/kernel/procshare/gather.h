/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - gather: do the threads of a process get on better together?
 *
 * Threads that take turns at the same pages wait for each other's machines most of the
 * time: on one node alone they would be done sooner.
 */
#ifndef _PROCSHARE_GATHER_H
#define _PROCSHARE_GATHER_H

#include <linux/types.h>

/**
 * struct gather - what has been seen so far
 * @together: they have been told to go to one node
 * @poor: looks in a row at which one node would have been enough
 * @well: looks since they parted at which it would not
 * @pause: so many looks they remain together, before being apart is tried once more
 * @rest: of these
 */
struct gather {
	bool together;
	unsigned int poor;
	unsigned int well;
	unsigned int pause;
	unsigned int rest;
};

/**
 * struct gather_sample - what the threads have done since the last look
 * @period_ns: how long that was
 * @user_ns: user CPU time, on all nodes but home
 * @moved: pages that left one of these nodes
 * @hosts: on so many of them there are threads now
 * @full: the node to which they were told to go has no CPU time left
 */
struct gather_sample {
	u64 period_ns;
	u64 user_ns;
	u64 moved;
	unsigned int hosts;
	bool full;
};

enum gather_advice {
	GATHER_KEEP,
	GATHER_JOIN,
	GATHER_PART,
};

/* Pure, for KUnit: look about once a second, and do as you are told. */
enum gather_advice gather_look(struct gather *g, const struct gather_sample *sample);

/* Of @cpus, @user_ns in @period_ns leave hardly anything. */
bool gather_is_full(u64 user_ns, u64 period_ns, unsigned int cpus);

#endif /* _PROCSHARE_GATHER_H */
