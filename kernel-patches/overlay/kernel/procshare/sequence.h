/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - sequence: do a thread's faults follow each other upwards?
 */
#ifndef _PROCSHARE_SEQUENCE_H
#define _PROCSHARE_SEQUENCE_H

#include <linux/minmax.h>

/**
 * struct sequence - a thread's last faults, by page number
 * @from: of the last one
 * @end: behind the last page that was asked for
 * @window: pages to ask for ahead, 0 while there is no sequence
 */
struct sequence {
	unsigned long from;
	unsigned long end;
	unsigned int window;
};

/**
 * sequence_fault - the thread faults on @page
 * @s: its sequence
 * @page: page number
 * @most: pages to ask for ahead
 *
 * The window opens with the second fault of a sequence, grows while that lasts
 * and closes with it.  Returns the first page to ask for now; the last one is in
 * front of @s->end, so there may be none.
 */
static inline unsigned long sequence_fault(struct sequence *s, unsigned long page,
					   unsigned int most)
{
	bool follows = page > s->from && page <= s->end;
	unsigned long first = page + 1;

	if (follows) {
		first = max(first, s->end);
		s->window = clamp(4 * s->window, 4u, most);
	} else {
		/* The next page would begin a sequence. */
		s->window = 0;
	}
	s->from = page;
	s->end = page + 1 + s->window;
	return first;
}

#endif /* _PROCSHARE_SEQUENCE_H */
