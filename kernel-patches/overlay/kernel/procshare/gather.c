// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - gather: when the threads of a process come together, and when they part
 *
 * Being together costs at most what the other nodes could have computed; being apart
 * may cost any factor.  So the former needs little evidence, and the latter is tried
 * again less and less often as long as it does not pay.
 */

#include <linux/minmax.h>
#include <linux/time64.h>

#include "gather.h"

/* One such second may be a beginning, or a phase that is soon over. */
#define POOR_LOOKS	2
#define PAUSE_FIRST	8
#define PAUSE_MOST	256
/* Less would not be what they wait for. */
#define MOVED_PER_S	20
/* Of one CPU: they leave room on it, or would have use for another one. */
#define ENOUGH_PERCENT	75
#define FULL_PERCENT	90

static bool is_enough(const struct gather_sample *s)
{
	return s->user_ns * 100 >= s->period_ns * ENOUGH_PERCENT;
}

/* They have not done what one CPU does, and a page was moved for every bit of it. */
static bool is_poor(const struct gather_sample *s)
{
	return s->hosts > 1 && !is_enough(s) &&
	       s->moved * NSEC_PER_SEC >= s->period_ns * MOVED_PER_S &&
	       s->moved * NSEC_PER_MSEC >= s->user_ns;
}

bool gather_is_full(u64 user_ns, u64 period_ns, unsigned int cpus)
{
	return user_ns * 100 >= period_ns * cpus * FULL_PERCENT;
}

/* Or once more, where some were apart all the same. */
static enum gather_advice join(struct gather *g)
{
	if (!g->together)
		g->pause = g->pause ? min(2 * g->pause, PAUSE_MOST) : PAUSE_FIRST;
	g->together = true;
	g->rest = g->pause;
	g->poor = 0;
	g->well = 0;
	return GATHER_JOIN;
}

static enum gather_advice look_together(struct gather *g, const struct gather_sample *s)
{
	g->rest -= g->rest > 0;
	if (g->rest || !s->full)
		return GATHER_KEEP;
	g->together = false;
	return GATHER_PART;
}

/* Once it has paid for as long as they were together, it was not in vain. */
static void look_apart(struct gather *g, const struct gather_sample *s)
{
	g->well += is_enough(s);
	if (g->well > g->pause)
		g->pause = 0;
}

enum gather_advice gather_look(struct gather *g, const struct gather_sample *s)
{
	g->poor = is_poor(s) ? g->poor + 1 : 0;
	if (g->poor >= POOR_LOOKS)
		return join(g);
	if (g->together)
		return look_together(g, s);
	look_apart(g, s);
	return GATHER_KEEP;
}
