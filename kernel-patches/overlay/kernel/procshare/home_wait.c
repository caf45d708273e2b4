// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_wait: home threads sleep until an entry's page has come or gone
 *
 * Every page that arrives wakes all of a process who wait, but each of them waits for
 * one page: the others sleep on.
 */

#include <linux/sched.h>

#include "home.h"

bool directory_wait_is_over(const struct directory_wait *w)
{
	return !coh_home_wanted(&w->e->coh, w->want, w->first) ||
	       READ_ONCE(w->process->doomed) || READ_ONCE(w->process->released);
}

static int wake(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	if (!directory_wait_is_over(container_of(entry, struct directory_wait, entry)))
		return 0;
	return woken_wake_function(entry, mode, flags, key);
}

void directory_wait_begin(struct directory_wait *w)
{
	init_waitqueue_func_entry(&w->entry, wake);
	w->entry.private = current;
	add_wait_queue(&w->process->dir.wait, &w->entry);
}

void directory_wait_end(struct directory_wait *w)
{
	remove_wait_queue(&w->process->dir.wait, &w->entry);
}
