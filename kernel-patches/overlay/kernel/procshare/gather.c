// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - gather: when the threads of a process come together, and when they part
 *
 * Being together costs at most what the other nodes could have computed; being apart
 * may cost any factor.  So the former needs little evidence, and the latter is tried
 * again less and less often.
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

/* They have not done what one CPU does, and a page was moved for every bit of it. */
static bool is_poor(const struct gather_sample *s)
{
	return s->user_ns * 100 < s->period_ns * ENOUGH_PERCENT &&
	       s->moved * NSEC_PER_SEC >= s->period_ns * MOVED_PER_S &&
	       s->moved * NSEC_PER_MSEC >= s->user_ns;
}

static bool has_full_node(const struct gather_sample *s)
{
	return s->user_ns * 100 >= s->period_ns * FULL_PERCENT;
}

static enum gather_advice look_together(struct gather *g, const struct gather_sample *s)
{
	g->rest -= g->rest > 0;
	if (g->rest || !has_full_node(s))
		return GATHER_KEEP;
	g->together = false;
	return GATHER_PART;
}

enum gather_advice gather_look(struct gather *g, const struct gather_sample *s)
{
	if (g->together)
		return look_together(g, s);
	g->poor = is_poor(s) ? g->poor + 1 : 0;
	if (g->poor < POOR_LOOKS)
		return GATHER_KEEP;
	g->poor = 0;
	g->pause = g->pause ? min(2 * g->pause, PAUSE_MOST) : PAUSE_FIRST;
	g->rest = g->pause;
	g->together = true;
	return GATHER_JOIN;
}
