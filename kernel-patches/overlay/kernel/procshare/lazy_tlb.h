/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - lazy TLB mode: kernel threads that flush single pages leave it
 *
 * A kernel thread runs in lazy TLB mode, with the address space of whoever ran before.
 * A CPU in that mode that is to flush a page of this address space leaves it
 * altogether, so that the thread that was interrupted begins with an empty TLB, and
 * walks its page tables for every page of its working set.
 */
#ifndef _PROCSHARE_LAZY_TLB_H
#define _PROCSHARE_LAZY_TLB_H

struct mm_struct;

/**
 * lazy_tlb_leave - current is going to take away or protect pages
 *
 * A kernel thread makes the address space that it has borrowed its own; any other
 * thread has one.  May be called with mutexes held, not with spinlocks.
 *
 * Return: what lazy_tlb_enter() is to be given.
 */
struct mm_struct *lazy_tlb_leave(void);

/* The flush is over.  @mm: from lazy_tlb_leave() */
void lazy_tlb_enter(struct mm_struct *mm);

#endif /* _PROCSHARE_LAZY_TLB_H */
