// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_scratch: memory of a shared process for the arguments of calls
 *
 * What comes with a remote thread's call is put here, and the kernel makes the call
 * with these addresses: it takes arguments from nowhere but the caller's memory.  One area
 * per process, made by the first executor that wants it, of slots of which a call has one.
 * If there is none the call is made with the caller's pages; so it is once the program has
 * unmapped some of the area, which is mapped like any other memory of its.
 */

#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mman.h>
#include <uapi/asm-generic/mman-common.h>

#include "carried.h"
#include "home.h"

/* Room for all buffers of a call, each aligned. */
#define SLOT_SIZE	PAGE_ALIGN(CARRIED_MAX + CARRIED_BUFFERS * SCRATCH_ALIGN)
#define AREA_SIZE	(SCRATCH_SLOTS * SLOT_SIZE)
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

/* A slot in current's memory, for scratch_put(); 0 if there is none. */
unsigned long scratch_get(struct procshare_process *p)
{
	struct scratch *s = &p->scratch;
	unsigned long start = READ_ONCE(s->start);
	unsigned int slot;

	if (READ_ONCE(s->gone))
		return 0;
	if (!start) {
		if (test_and_set_bit(0, &s->tried))
			return 0;
		start = make_area();
		WRITE_ONCE(s->start, start);
		if (!start)
			return 0;
	}
	do {
		slot = find_first_zero_bit(s->used, SCRATCH_SLOTS);
		if (slot == SCRATCH_SLOTS)
			return 0;
	} while (test_and_set_bit_lock(slot, s->used));
	return start + slot * SLOT_SIZE;
}

void scratch_put(struct procshare_process *p, unsigned long address)
{
	struct scratch *s = &p->scratch;

	clear_bit_unlock((address - s->start) / SLOT_SIZE, s->used);
}

/* [@from, @to) is unmapped, and may become something else. */
void scratch_lose(struct procshare_process *p, unsigned long from, unsigned long to)
{
	unsigned long start = READ_ONCE(p->scratch.start);

	if (start && from < start + AREA_SIZE && start < to)
		WRITE_ONCE(p->scratch.gone, true);
}
