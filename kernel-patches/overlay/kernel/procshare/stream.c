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
/* So often the first page must have been followed by the others to stand for them. */
#define TRUSTED 2

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
	t->trust += !t->used;
	t->used += n;
	t->ahead -= min(n, t->ahead);
	t->unwritten++;
}

/* The pattern is another one from here on. */
static void restart(struct stream *t, unsigned long first, unsigned long page,
		    long stride)
{
	*t = (struct stream) {
		.first = first, .from = page, .stride = stride, .used = first != page,
		.trust = first != page,
	};
}

/* The same way once more, as the next step of an iteration. */
static struct stream *repeat(struct stream *t, bool write)
{
	*t = (struct stream) {
		.first = t->first, .from = t->first, .stride = t->stride,
		.before = t->used, .trust = t->trust, .write = write,
	};
	return t;
}

/* The stream that began at @page, if one did. */
static struct stream *find_begun(struct streams *s, unsigned long page)
{
	struct stream *t;

	for (t = s->of; t < s->of + STREAMS; t++)
		if (t->turn && t->first == page)
			return t;
	return NULL;
}

static unsigned long distance_of(const struct stream *t, unsigned long page)
{
	return page > t->from ? page - t->from : t->from - page;
}

/* May @page be the stream's?  Where it writes, somebody who only reads is not. */
static bool goes_on(const struct stream *t, unsigned long page, bool write, bool missed)
{
	if (just_passed(t, page))
		return true;
	return t->turn && strides_on(t, page) && (write || !t->write || !missed);
}

/* Of those that @page may belong to, the one that was touched last. */
static struct stream *find_going_on(struct streams *s, unsigned long page, bool write,
				    bool missed)
{
	struct stream *found = NULL;
	struct stream *t;

	for (t = s->of; t < s->of + STREAMS; t++)
		if (goes_on(t, page, write, missed) && (!found || t->turn > found->turn))
			found = t;
	return found;
}

/*
 * The one that has been quiet for longest is begun anew with the stride from the
 * nearest: that one may go on beside it.
 */
static struct stream *begin(struct streams *s, unsigned long page)
{
	struct stream *near = NULL, *oldest = &s->of[0];
	unsigned long least = NEAR + 1;
	struct stream *t;

	for (t = s->of; t < s->of + STREAMS; t++) {
		if (t->turn && distance_of(t, page) < least) {
			least = distance_of(t, page);
			near = t;
		}
		if (t->turn < oldest->turn)
			oldest = t;
	}
	t = least == 1 && !near->used ? near : oldest;
	if (t == near && page == t->from + 1)
		restart(t, t->from, page, 1);
	else
		restart(t, page, page, near ? page - near->from : 0);
	return t;
}

static struct stream *find(struct streams *s, unsigned long page, bool write,
			   bool missed)
{
	struct stream *t = missed ? find_begun(s, page) : NULL;

	if (t && t->used)
		return repeat(t, write);
	/* The first page once more, and nothing came behind it. */
	if (t && (t->write || !write))
		t->trust = 0;
	return find_going_on(s, page, write, missed) ?: begin(s, page);
}

/* How many strides to ask for at once. */
static unsigned int next_window(const struct stream *t, unsigned int most)
{
	if (t->used <= t->before)
		return min(t->before - min(t->used + t->ahead, t->before), most);
	return clamp(t->used / FRACTION, (unsigned int)LEAST, most);
}

/* Ask for more if it is time. */
static struct stream_window extend(struct stream *t, unsigned int most)
{
	struct stream_window w = { .stride = t->stride, .write = t->write };

	if ((t->used || (t->before && t->trust >= TRUSTED)) && t->ahead <= t->window / 2)
		w.count = next_window(t, most);
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
				   bool missed, unsigned int most)
{
	struct stream *t = find(s, page, write, missed);
	unsigned int n = strides_on(t, page);

	t->turn = ++s->turn;
	/* What had been asked for was refused, or has been taken away again. */
	if (n && missed)
		t->ahead = n;
	if (n)
		advance(t, page, n);
	note_write(t, write);
	return extend(t, most);
}
