// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - stream: which pages a thread is going to touch next
 */

#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/math.h>
#include <linux/minmax.h>

#include "stream.h"

/* What is farther away than this is not the same stream. */
#define NEAR	32
/* The first window, and by how much of what is used the others grow. */
#define LEAST	4
#define FRACTION 4
/* A page may be written when the next one has been read already. */
#define WRITES_BEHIND 2
/* So often the first page must have been followed by the others to stand for them. */
#define TRUSTED 2
/* No stream has asked for what is so far away: a stride is at most NEAR, a window the most. */
#define FAR	(NEAR * 2 * STREAM_READ_MAX)
/* Not a page number. */
#define NOWHERE (~0UL)

/* One bit per stream that may have to do with @page: of hardly any most of the time. */
static u32 close_to(const struct streams *s, unsigned long page)
{
	const struct stream *t = s->of;
	unsigned int i;
	u32 set = 0;

	BUILD_BUG_ON(STREAMS > 32);
	for (i = 0; i < STREAMS; i++, t++)
		if (page - t->from + FAR <= 2 * FAR || t->first == page)
			set |= 1U << i;
	return set;
}

/* Each stream @t of the set @close. */
#define for_each_close(t, s, close)						\
	for (u32 left = (close); left && ((t) = &(s)->of[__ffs(left)], true);	\
	     left &= left - 1)

/* Is @page one of the next of the stream?  Returns how many strides on, 0 if not. */
static unsigned int strides_on(const struct stream *t, unsigned long page)
{
	long distance = page - t->from;
	long n;

	/* Without a division, most of the time. */
	if (!t->stride || abs(distance) > abs(t->stride) * (t->ahead + 1L) ||
	    distance % t->stride)
		return 0;
	n = distance / t->stride;
	return n > 0 ? n : 0;
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
	t->trust += !t->used;
	t->used += n;
	t->ahead -= min(n, t->ahead);
	t->unwritten++;
}

static unsigned long distance_of(const struct stream *t, unsigned long page)
{
	return page > t->from ? page - t->from : t->from - page;
}

static struct stream *oldest(struct streams *s)
{
	struct stream *t, *found = &s->of[0];

	for (t = s->of; t < s->of + STREAMS; t++)
		if (t->turn < found->turn)
			found = t;
	return found;
}

/*
 * May @page be the stream's?  Where it writes, somebody who only reads is not: those
 * are its neighbour's pages.
 */
static bool goes_on(const struct stream *t, unsigned long page, bool write, bool missed)
{
	if (just_passed(t, page))
		return true;
	return t->turn && strides_on(t, page) &&
	       (write || !t->write || t->both || !missed);
}

/* Of those that @page may belong to, the one that was touched last. */
static struct stream *find_going_on(struct streams *s, u32 close, unsigned long page,
				    bool write, bool missed)
{
	struct stream *t, *found = NULL;

	for_each_close(t, s, close)
		if (goes_on(t, page, write, missed) && (!found || t->turn > found->turn))
			found = t;
	return found;
}

/*
 * The one that began at @page and has not gone on yet; otherwise the last one that
 * began there in the same way: an array that is read and written in turn is two.
 */
static struct stream *find_begun(struct streams *s, u32 close, unsigned long page,
				 bool write)
{
	struct stream *t, *found = NULL;

	for_each_close(t, s, close) {
		if (!t->turn || t->first != page)
			continue;
		if (!t->used)
			return t;
		if (t->opened == write && (!found || t->turn > found->turn))
			found = t;
	}
	return found;
}

/*
 * The same way once more, as an iteration's next step; the old one may still go on.
 * It is as that was behind its first page, which may be a lock or a counter before
 * an array.
 */
static struct stream *begin_again(struct streams *s, struct stream *old)
{
	struct stream *t = oldest(s);
	struct stream again = {
		.first = old->first, .from = old->first, .stride = old->stride,
		.last = old->used, .trust = old->trust, .opened = old->opened,
		.before = old->last ? min(old->used, old->last) : old->used,
		.write = old->write, .both = old->both,
	};

	old->first = NOWHERE;
	*t = again;
	return t;
}

static struct stream *restart(struct stream *t, unsigned long page, long stride,
			      bool write)
{
	*t = (struct stream) {
		.first = page, .from = page, .stride = stride, .write = write,
		.opened = write,
	};
	return t;
}

/*
 * Whoever has touched one page touches the next one: that is its stride.  Otherwise
 * the one that has been quiet for longest is begun anew with the stride from the
 * nearest: that one may go on beside it.
 */
static struct stream *begin(struct streams *s, u32 close, unsigned long page, bool write)
{
	unsigned long least = NEAR + 1;
	struct stream *near = NULL;
	struct stream *t;
	bool opened;

	for_each_close(t, s, close)
		if (t->turn && distance_of(t, page) < least) {
			least = distance_of(t, page);
			near = t;
		}
	if (near && !near->used && page == near->from + 1) {
		opened = near->opened;
		restart(near, near->from, 1, near->write)->opened = opened;
		return near;
	}
	t = near && !near->used && least == 1 ? near : oldest(s);
	return restart(t, page, near ? page - near->from : 0, write);
}

static struct stream *find(struct streams *s, unsigned long page, bool write,
			   bool missed)
{
	u32 close = close_to(s, page);
	struct stream *t = missed ? find_begun(s, close, page, write) : NULL;

	if (t && t->used)
		return begin_again(s, t);
	/* The first page once more, not to write what was read, and nothing came behind. */
	if (t && (!write || t->opened))
		t->trust = 0;
	return find_going_on(s, close, page, write, missed) ?: begin(s, close, page, write);
}

/* How many strides to ask for at once. */
static unsigned int next_window(const struct stream *t)
{
	unsigned int most = t->write ? STREAM_WRITE_MAX : STREAM_READ_MAX;

	if (t->used <= t->before)
		return min(t->before - min(t->used + t->ahead, t->before), most);
	return clamp(t->used / FRACTION, (unsigned int)LEAST, most);
}

/* Ask for more if it is time. */
static struct stream_window extend(struct stream *t)
{
	struct stream_window w = { .stride = t->stride, .write = t->write };

	if ((t->used || (t->before && t->trust >= TRUSTED)) && t->ahead <= t->window / 2)
		w.count = next_window(t);
	if (w.count) {
		w.first = t->from + (t->ahead + 1) * t->stride;
		t->window = w.count;
		t->ahead += w.count;
	}
	if (t->stride == 1 && !t->write && t->ahead > t->window / 2)
		w.quiet = t->ahead - t->window / 2 - 1;
	return w;
}

/*
 * What was asked for to be read is asked for again when the first one is written; and
 * the stream only reads, after all, when it has gone past a page without writing it.
 * @on: this page is farther on than the last one.
 */
static void note_write(struct stream *t, bool write, bool on)
{
	if (write) {
		t->both = !on && (t->both || !t->write || t->unwritten);
		if (!t->write)
			t->ahead = 0;
		t->write = true;
		t->unwritten = 0;
	} else if (t->write && t->unwritten > WRITES_BEHIND) {
		t->ahead = 0;
		t->write = false;
		t->both = false;
	}
}

struct stream_window streams_fault(struct streams *s, unsigned long page, bool write,
				   bool missed)
{
	struct stream *t = find(s, page, write, missed);
	unsigned int n = strides_on(t, page);

	t->turn = ++s->turn;
	/* The window ended before, or the page has been taken away again. */
	if (n && missed)
		t->ahead = n;
	if (n)
		advance(t, page, n);
	if (t->used || !t->before)
		note_write(t, write, n);
	return extend(t);
}
