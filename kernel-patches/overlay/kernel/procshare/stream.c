// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - stream: which pages a thread is going to touch next
 */

#include <linux/minmax.h>

#include "stream.h"

/* What is farther away than this is not the same stream. */
#define NEAR	32
/* The first window, and by how much of what is used the others grow. */
#define LEAST	4
#define FRACTION 4
/* A page may be written when the next one has been read already. */
#define WRITES_BEHIND 2

/* Is @page one of the next of the stream?  Returns how many strides on, 0 if not. */
static unsigned int strides_on(const struct stream *t, unsigned long page)
{
	long distance = page - t->from;
	long n;

	if (!t->stride || distance % t->stride)
		return 0;
	n = distance / t->stride;
	return n > 0 && n <= t->ahead + 1 ? n : 0;
}

/* Is @page the last one of the stream, or has that just gone past it? */
static bool just_passed(const struct stream *t, unsigned long page)
{
	long distance = t->from - page;

	return t->turn && (!distance || distance == t->stride);
}

static void advance(struct stream *t, unsigned long page, unsigned int n)
{
	t->from = page;
	t->used += n;
	t->ahead -= min(n, t->ahead);
	t->unwritten++;
}

/* The pattern is another one from here on. */
static void restart(struct stream *t, unsigned long page, long stride)
{
	*t = (struct stream) { .from = page, .stride = stride };
}

static unsigned long distance_of(const struct stream *t, unsigned long page)
{
	return page > t->from ? page - t->from : t->from - page;
}

/*
 * The stream that @page belongs to, or else the one that has been quiet for longest,
 * begun anew with the stride from the nearest: that one may go on beside it.
 */
static struct stream *find(struct streams *s, unsigned long page)
{
	struct stream *near = NULL, *oldest = &s->of[0];
	unsigned long least = NEAR + 1;
	struct stream *t;

	for (t = s->of; t < s->of + STREAMS; t++) {
		if (just_passed(t, page) || (t->turn && strides_on(t, page)))
			return t;
		if (t->turn && distance_of(t, page) < least) {
			least = distance_of(t, page);
			near = t;
		}
		if (t->turn < oldest->turn)
			oldest = t;
	}
	t = least == 1 && !near->used ? near : oldest;
	restart(t, page, near ? page - near->from : 0);
	return t;
}

/* Ask for more if it is time. */
static struct stream_window extend(struct stream *t, unsigned int most)
{
	struct stream_window w = { .stride = t->stride, .write = t->write };

	if (t->used && t->ahead <= t->window / 2) {
		t->window = clamp(t->used / FRACTION, (unsigned int)LEAST, most);
		w.first = t->from + (t->ahead + 1) * t->stride;
		w.count = t->window;
		t->ahead += t->window;
	}
	if (t->stride == 1 && !t->write && t->ahead > t->window / 2)
		w.quiet = t->ahead - t->window / 2 - 1;
	return w;
}

/*
 * What was asked for to be read is asked for again when the first one is written; and
 * the stream only reads, after all, when it has gone past a page without writing it.
 */
static void note_write(struct stream *t, bool write)
{
	if (write) {
		if (!t->write)
			t->ahead = 0;
		t->write = true;
		t->unwritten = 0;
	} else if (t->write && t->unwritten > WRITES_BEHIND) {
		t->ahead = 0;
		t->write = false;
	}
}

struct stream_window streams_fault(struct streams *s, unsigned long page, bool write,
				   unsigned int most)
{
	struct stream *t = find(s, page);
	unsigned int n = strides_on(t, page);

	t->turn = ++s->turn;
	if (n)
		advance(t, page, n);
	else if (t->stride == 1 && !t->used)
		t->used = 1;
	note_write(t, write);
	return extend(t, most);
}
