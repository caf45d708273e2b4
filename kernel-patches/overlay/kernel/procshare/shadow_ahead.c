// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - shadow_ahead: pages that a thread is going to touch next
 *
 * A thread whose faults follow each other upwards has the pages behind its fault
 * requested before it touches them, as if it had.  The window doubles while the
 * sequence lasts and ends with it.
 */

#include <linux/mm.h>

#include "shadow.h"

/* Written pages leave their owner: be bolder with those that are only read. */
#define AHEAD_READ_MAX	32
#define AHEAD_WRITE_MAX	8

static bool in_sequence(const struct shadow_thread *st, unsigned long page)
{
	return page > st->ahead_from && page <= st->ahead_end;
}

/*
 * current faults on @address: ask for what is likely to follow.  Returns how many
 * pages behind it may be on their way; the caller pushes the requests out.
 */
unsigned int shadow_ahead(struct shadow_thread *st, unsigned long address,
			  enum coh_access access)
{
	unsigned int most = access == COH_WRITE ? AHEAD_WRITE_MAX : AHEAD_READ_MAX;
	unsigned long page = address >> PAGE_SHIFT;
	unsigned long next;

	if (!in_sequence(st, page)) {
		/* The next page would begin a sequence. */
		st->ahead = 0;
		st->ahead_from = page;
		st->ahead_end = page + 1;
		return 0;
	}
	st->ahead = clamp(2 * st->ahead, 2u, most);
	next = max(page + 1, st->ahead_end);
	st->ahead_from = page;
	st->ahead_end = page + 1 + st->ahead;
	for (; next < min(st->ahead_end, TASK_SIZE_MAX >> PAGE_SHIFT); next++)
		shadow_page_expect(st->shadow, next << PAGE_SHIFT, access);
	return st->ahead;
}
