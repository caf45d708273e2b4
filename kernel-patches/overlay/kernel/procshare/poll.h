/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - poll: look for an answer a little before sleeping for it
 *
 * Where answers take microseconds, falling asleep and waking up takes as long again.
 * Where they take longer, or others have use for the CPU, nobody polls.
 */
#ifndef _PROCSHARE_POLL_H
#define _PROCSHARE_POLL_H

#include <linux/types.h>

struct wait_queue_entry;

/**
 * struct poll - the waits of one thread
 * @usual_ns: how long they take, by and large
 * @began: when the present one began
 */
struct poll {
	u64 usual_ns;
	u64 began;
};

/* The thread begins to wait. */
void poll_begin(struct poll *p);
/* Should it look once more rather than sleep? */
bool poll_more(const struct poll *p);
/* It has what it waited for. */
void poll_end(struct poll *p);

/* wait_woken() by a thread that waits as its @p knows; NULL: by one that is not known. */
void poll_woken(struct poll *p, struct wait_queue_entry *wait, unsigned int mode,
		long timeout);

/* Pure, for KUnit: a wait took so long; are such waits worth polling? */
void poll_note(struct poll *p, u64 took_ns);
bool poll_pays(const struct poll *p);

#endif /* _PROCSHARE_POLL_H */
