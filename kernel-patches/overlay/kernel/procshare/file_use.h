/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - file use: which pages of a file processes have used on this node
 *
 * Whoever maps the same file next, a library above all, is likely to use them, too.
 * What is not used as often as once in three times is forgotten.
 */
#ifndef _PROCSHARE_FILE_USE_H
#define _PROCSHARE_FILE_USE_H

#include <linux/types.h>

/* So many pages of a file, from a multiple of that on, are remembered together. */
#define FILE_USE_PAGES	64

/**
 * struct file_use_pages - some of a segment's pages, the first one as bit 0
 * @read: these are used
 * @written: and these written
 */
struct file_use_pages {
	u64 read;
	u64 written;
};

/*
 * A page is its origin: the file in the upper half, its number there in the lower one; 0
 * is no page of a file.  All may be called anywhere but in interrupts.
 */

/* A process has used the page, for the first time or @again. */
void file_use_note(u64 origin, bool write, bool again);
/* What is likely to be used of the segment that the page is in. */
struct file_use_pages file_use_expect(u64 origin);
/* @pages of that segment have been asked for because of that. */
void file_use_asked(u64 origin, u64 pages);
int file_use_init(void);

#endif /* _PROCSHARE_FILE_USE_H */
