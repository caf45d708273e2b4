// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_scratch: memory of a shared process for the arguments of calls
 *
 * What comes with a remote thread's call is put here, and the kernel makes the call
 * with these addresses: it takes arguments from nowhere but the caller's memory.  One area
 * per process, made by the first executor that wants it, of which a call has as many pages
 * as it needs.  If there are none the call is made with the caller's own; so it is once the
 * program has unmapped some of the area, which is mapped like any other memory of its.
 */

#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mman.h>
#include <uapi/asm-generic/mman-common.h>

#include "home.h"

#define AREA_SIZE	(SCRATCH_PAGES * PAGE_SIZE)
/* The highest place there is: mappings that come later are where they would be. */
#define AREA_HINT	(DEFAULT_MAP_WINDOW - AREA_SIZE)

/* Children have areas of their own, dumps are of the program. */
static const int advice[] = { MADV_DONTFORK, MADV_DONTDUMP, MADV_NOHUGEPAGE };

static void name_area(unsigned long start)
{
	struct anon_vma_name *name = anon_vma_name_alloc("procshare");

	if (!name)
		return;
	mmap_write_lock(current->mm);
	madvise_set_anon_name(current->mm, start, AREA_SIZE, name);
	mmap_write_unlock(current->mm);
	anon_vma_name_put(name);
}

static unsigned long make_area(void)
{
	unsigned long start;
	int i;

	start = vm_mmap(NULL, AREA_HINT, AREA_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, 0);
	if (IS_ERR_VALUE(start))
		return 0;
	for (i = 0; i < ARRAY_SIZE(advice); i++)
		do_madvise(current->mm, start, AREA_SIZE, advice[i]);
	name_area(start);
	return start;
}

static unsigned int pages(size_t size)
{
	return DIV_ROUND_UP(size, PAGE_SIZE);
}

/* The first one makes the area: others do not wait for it. */
static bool has_area(struct scratch *s)
{
	if (!READ_ONCE(s->start) && !test_and_set_bit(0, &s->tried))
		WRITE_ONCE(s->start, make_area());
	return READ_ONCE(s->start) && !READ_ONCE(s->gone);
}

/* @size bytes of current's memory, for scratch_put(); 0 if there are none. */
unsigned long scratch_get(struct procshare_process *p, size_t size)
{
	struct scratch *s = &p->scratch;
	unsigned long at;

	if (!has_area(s))
		return 0;
	spin_lock(&s->lock);
	at = bitmap_find_next_zero_area(s->used, SCRATCH_PAGES, 0, pages(size), 0);
	if (at < SCRATCH_PAGES)
		bitmap_set(s->used, at, pages(size));
	spin_unlock(&s->lock);
	return at < SCRATCH_PAGES ? s->start + at * PAGE_SIZE : 0;
}

void scratch_put(struct procshare_process *p, unsigned long address, size_t size)
{
	struct scratch *s = &p->scratch;

	spin_lock(&s->lock);
	bitmap_clear(s->used, (address - s->start) / PAGE_SIZE, pages(size));
	spin_unlock(&s->lock);
}

/* [@from, @to) is unmapped, and may become something else. */
void scratch_lose(struct procshare_process *p, unsigned long from, unsigned long to)
{
	unsigned long start = READ_ONCE(p->scratch.start);

	if (start && from < start + AREA_SIZE && start < to)
		WRITE_ONCE(p->scratch.gone, true);
}
