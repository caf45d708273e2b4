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
 * @together: one node has all threads
 * @poor: looks in a row at which one node would have been enough
 * @pause: so many looks they remain together, before being apart is tried once more
 * @rest: of these
 */
struct gather {
	bool together;
	unsigned int poor;
	unsigned int pause;
	unsigned int rest;
};

/**
 * struct gather_sample - what its threads have done since the last look
 * @period_ns: how long that was
 * @user_ns: user CPU time, on all nodes together
 * @moved: pages that left one of the nodes
 */
struct gather_sample {
	u64 period_ns;
	u64 user_ns;
	u64 moved;
};

enum gather_advice {
	GATHER_KEEP,
	GATHER_JOIN,
	GATHER_PART,
};

/* Pure, for KUnit: look about once a second, and do as you are told. */
enum gather_advice gather_look(struct gather *g, const struct gather_sample *sample);

#endif /* _PROCSHARE_GATHER_H */
