/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - directory: home's record of the pages that other nodes have
 *
 * Kept by home_mm.c, from where everything else about home's pages is reached: exports
 * (home_serve.c), home's own faults (home_fault.c), changes of mappings (home_recall.c).
 */
#ifndef _PROCSHARE_DIRECTORY_H
#define _PROCSHARE_DIRECTORY_H

#include <linux/hrtimer.h>
#include <linux/mm_types.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "coherence.h"
#include "migratory.h"
#include "page_message.h"

struct procshare_msg;
struct procshare_process;

/* Most invalidate under the mmap lock, one at a time; some only read-lock it. */
#define DIRECTORY_BLOCKS	8

/**
 * struct directory - who holds which page; see home_mm.c
 * @lock: protects all of it, and the page table marker of every entry
 * @entries: struct dir_entry by page number; pages never exported have none
 * @epoch: counter of transactions
 * @blocks: ranges of the invalidations under way; exports there wait
 * @nblocks: how many
 * @more_blocks: invalidations that did not fit: exports wait everywhere
 * @away: pages that home's address space counts as resident for other nodes
 * @nparked: length of @parked
 * @parked: requests for pages in the ranges that have no entry yet
 * @unpark: delivers them in process context
 * @wait: home's faults and notifiers that wait for a page
 */
struct directory {
	spinlock_t lock;
	struct xarray entries;
	u64 epoch;
	struct {
		unsigned long start;
		unsigned long end;
	} blocks[DIRECTORY_BLOCKS];
	unsigned int nblocks;
	unsigned int more_blocks;
	long away;
	unsigned int nparked;
	struct list_head parked;
	struct work_struct unpark;
	wait_queue_head_t wait;
};

/**
 * struct dir_entry - one exported page
 * @coh: the coherence machine
 * @process: back pointer for @work; counted while @queued
 * @address: of the page
 * @frame: home's copy while the page table holds the marker, or NULL
 * @cache: of a shared area: the page cache's page while it is not up to date, or home
 *	not alone with it; a reference is held
 * @shared: the area is a shared one (home_shared.c)
 * @away: the marker counts as a resident page, see directory_count_away()
 * @migratory: who has it one after another
 * @area: what remotes are told of its mapping; nothing is granted without a prot
 * @mapped: home's page table maps it (read-only, uffd-wp): no @frame
 * @queued: @work is going to look at it, perhaps when @timer has fired or the page is read
 * @releasing: and shall end home's hold then
 * @ahead: was recalled ahead, to be written, which has not happened yet
 * @vain: nor had it when the page was taken away: windows to be written end here
 * @waiters: home threads that sleep for it; keeps the entry
 * @timer: starts @work later
 * @work: serves the head of the queue where page tables are needed
 */
struct dir_entry {
	struct coh_home coh;
	struct procshare_process *process;
	unsigned long address;
	struct page *frame;
	struct page *cache;
	bool shared;
	bool away;
	struct migratory migratory;
	struct page_area area;
	bool mapped;
	bool queued;
	bool releasing;
	bool ahead;
	bool vain;
	unsigned int waiters;
	struct hrtimer timer;
	struct work_struct work;
};

/**
 * struct export_pte - home's mapping of a page while it is being exported
 * @vma: its area; the mmap lock is held for reading
 * @ptep: the page table entry; its lock is held
 * @pte: what it was
 * @page: what it mapped; NULL: nothing or the zero page
 * @detached: it was the marker already, home's copy is the entry's frame
 * @done: the machine has given it its new value
 * @drop: page to be freed once the locks are gone
 */
struct export_pte {
	struct vm_area_struct *vma;
	pte_t *ptep;
	pte_t pte;
	struct page *page;
	bool detached;
	bool done;
	struct page *drop;
};

/* home_mm.c; all but _init and _destroy under the lock */
void directory_init(struct directory *d);
void directory_destroy(struct procshare_process *p);
struct dir_entry *directory_create(struct procshare_process *p, unsigned long address,
				   gfp_t gfp);
struct dir_entry *directory_find(struct procshare_process *p, unsigned long address);
bool directory_blocked(const struct directory *d, unsigned long address);
void directory_unpin(struct dir_entry *e);
void directory_drop(struct dir_entry *e);
void directory_count_away(struct dir_entry *e, bool away);
void directory_served(struct procshare_process *p, struct dir_entry *e);
void directory_settle(struct procshare_process *p, struct dir_entry *e);
bool directory_eager(struct dir_entry *e);
bool directory_run(struct procshare_process *p, struct dir_entry *e);
void directory_progress(struct procshare_process *p, struct dir_entry *e);
void directory_release(struct procshare_process *p, struct dir_entry *e,
		       enum coh_access access);
extern struct workqueue_struct *home_works;
int directory_works_init(void);
void directory_wake_all(struct procshare_process *p);

/* home_perform.c; under the lock */
void directory_perform(struct dir_entry *e, const struct coh_out *out,
		       struct export_pte *pte, struct procshare_msg *arrived);

/* home_message.c */
void directory_message(struct procshare_process *p, struct procshare_msg *msg);
void directory_unpark(struct procshare_process *p);
void directory_unparked(struct work_struct *work);

/* What one look at a page that is asked for came to. */
enum export_result {
	EXPORT_DONE,		/* served, or nothing to serve any more */
	EXPORT_FAULT,		/* the page must be faulted in first */
	EXPORT_ELSEWHERE,	/* it is mapped elsewhere, too, and must not be */
	EXPORT_LEASE,		/* its file must be protected from writers first */
	EXPORT_REFUSE,
};

/* home_export.c */
enum export_result export_once(struct dir_entry *e, struct vm_area_struct *vma);
bool export_allowed(struct vm_area_struct *vma, bool write);
u8 export_prot(struct vm_area_struct *vma);
struct page_area export_area(struct vm_area_struct *vma, unsigned long address);
pmd_t *export_pmd(struct mm_struct *mm, unsigned long address);
void export_wrprotect(struct dir_entry *e, struct export_pte *x);
void export_clear(struct dir_entry *e, struct export_pte *x);

/* home_serve.c */
void export_refuse(struct dir_entry *e);
bool export_serve(struct dir_entry *e, bool patient);

/* home_read.c */
int home_read_init(void);
bool home_read(struct dir_entry *e, struct vm_area_struct *vma);

/* home_zero.c */
void home_zero_message(struct procshare_process *p, struct procshare_msg *msg);

/**
 * struct directory_wait - a home thread sleeps until a want of home has been served
 * @entry: in the directory's wait queue; for wait_woken()
 * @process: whose; it may also end
 * @e: the page's entry, pinned
 * @want: COH_WANT_*
 * @first: the want of a change of home's mapping, not of a fault
 */
struct directory_wait {
	struct wait_queue_entry entry;
	const struct dir_entry *e;
	struct procshare_process *process;
	u8 want;
	bool first;
};

/* home_wait.c */
bool directory_wait_is_over(const struct directory_wait *w);
void directory_wait_begin(struct directory_wait *w);
void directory_wait_end(struct directory_wait *w);

/* home_fault.c */
bool home_marker(pte_t pte);
int home_install(struct vm_area_struct *vma, struct dir_entry *e, pte_t *ptep,
		 enum coh_access access);

/**
 * struct recall - what a change of home's mapping asks of the pages in its range
 * @process: whose
 * @first: @last: page numbers
 * @want: COH_WANT_*
 * @shared: of those of shared memory only
 * @map: home's page table must map what is back: a marker would not do
 */
struct recall {
	struct procshare_process *process;
	unsigned long first;
	unsigned long last;
	u8 want;
	bool shared;
	bool map;
};

/* home_recall.c */
u8 recall_want(const struct dir_entry *e, u8 want);
void recall_range(const struct recall *r);

#endif /* _PROCSHARE_DIRECTORY_H */
