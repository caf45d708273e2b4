// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - file use: which pages of a file processes have used on this node
 *
 * A table of segments, each where its origin says; what was there before is forgotten.
 * A page that is used gets credit, one that is asked for costs some.
 *
 * Locking: segments_lock, a leaf.
 */

#include <linux/bits.h>
#include <linux/hash.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/spinlock.h>

#include "file_use.h"

#define SEGMENT_BITS	10
#define CREDIT_USED	3
#define CREDIT_MOST	6

struct segment {
	u64 first;
	u64 written;
	u8 credit[FILE_USE_PAGES];
};

static struct segment *segments;
static DEFINE_SPINLOCK(segments_lock);

static u64 first_of(u64 origin)
{
	return round_down(origin, FILE_USE_PAGES);
}

static struct segment *place_of(u64 origin)
{
	return &segments[hash_64(first_of(origin), SEGMENT_BITS)];
}

static struct segment *find(u64 origin)
{
	struct segment *s = place_of(origin);

	return s->first == first_of(origin) ? s : NULL;
}

static struct segment *find_or_make(u64 origin)
{
	struct segment *s = place_of(origin);

	if (s->first != first_of(origin))
		*s = (struct segment) { .first = first_of(origin) };
	return s;
}

void file_use_note(u64 origin, bool write, bool again)
{
	unsigned int i = origin % FILE_USE_PAGES;
	struct segment *s;

	if (!origin || (again && !write))
		return;
	spin_lock(&segments_lock);
	s = find_or_make(origin);
	if (!again) {
		s->credit[i] = min(s->credit[i] + CREDIT_USED, CREDIT_MOST);
		s->written &= ~BIT_ULL(i);
	}
	if (write)
		s->written |= BIT_ULL(i);
	spin_unlock(&segments_lock);
}

struct file_use_pages file_use_expect(u64 origin)
{
	struct file_use_pages pages = {};
	struct segment *s;
	unsigned int i;

	if (!origin)
		return pages;
	spin_lock(&segments_lock);
	s = find(origin);
	for (i = 0; s && i < FILE_USE_PAGES; i++)
		if (s->credit[i])
			pages.read |= BIT_ULL(i);
	if (s)
		pages.written = s->written & pages.read;
	spin_unlock(&segments_lock);
	pages.read &= ~pages.written;
	return pages;
}

void file_use_asked(u64 origin, u64 pages)
{
	struct segment *s;
	unsigned int i;

	spin_lock(&segments_lock);
	s = find(origin);
	for (i = 0; s && i < FILE_USE_PAGES; i++)
		if (pages & BIT_ULL(i) && s->credit[i])
			s->credit[i]--;
	spin_unlock(&segments_lock);
}

int __init file_use_init(void)
{
	segments = kvcalloc(1 << SEGMENT_BITS, sizeof(*segments), GFP_KERNEL);
	return segments ? 0 : -ENOMEM;
}
