/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - migratory sharing: pages that one node after another reads and writes
 *
 * Locks, and what they protect.  Whoever reads such a page is going to write it, so
 * that the right to write is granted with the copy and saves the upgrade.  Freestanding:
 * the kernel and the simulator use it.
 */
#ifndef _PROCSHARE_MIGRATORY_H
#define _PROCSHARE_MIGRATORY_H

#include "coherence.h"

/* Not nodes; home is COH_NO_NODE, as in the queue of struct coh_home. */
#define MIGRATORY_NOBODY	0xfe
#define MIGRATORY_MANY		0xfd

/**
 * struct migratory - what home has seen of a page
 * @reader: the only one who has begun to read since somebody had it alone
 * @writer: the last one who asked to write
 * @on: who reads will write
 */
struct migratory {
	u8 reader;
	u8 writer;
	bool on;
};

static inline void migratory_init(struct migratory *m)
{
	m->reader = MIGRATORY_NOBODY;
	m->writer = MIGRATORY_NOBODY;
	m->on = false;
}

/**
 * migratory_serve - a request is about to be served
 * @m: of the page
 * @who: whose it is; COH_NO_NODE for home
 * @write: it wants to write
 * @alone: another one has the page alone
 *
 * Who reads and writes only what it wrote itself before has readers, not successors.
 * True if a request to read should be granted writable.
 */
static inline bool migratory_serve(struct migratory *m, u8 who, bool write, bool alone)
{
	bool eager = !write && alone && m->on;

	if (write && m->reader == who && m->writer != who)
		m->on = true;
	else if (write && m->reader == MIGRATORY_MANY)
		m->on = false;
	if (write)
		m->writer = who;
	if (write || eager)
		m->reader = MIGRATORY_NOBODY;
	else if (alone)
		m->reader = who;
	else if (m->reader != who)
		m->reader = MIGRATORY_MANY;
	return eager;
}

/* The same for what coh_home_run() serves next. */
static inline bool migratory_next(struct migratory *m, const struct coh_home *h)
{
	u8 head = coh_home_head(h);
	bool home = head == COH_NO_NODE;
	bool write = home ? h->home_want & COH_WANT_WRITE :
			    h->want_write & coh_bit(head);

	/* Notifiers do not read or write. */
	if (h->home_first)
		return false;
	return migratory_serve(m, head, write, h->state == COH_HOME_OWNED ||
			       (h->state == COH_HOME_ALONE && !home));
}

/* Somebody who could have written has not. */
static inline void migratory_unwritten(struct migratory *m)
{
	m->on = false;
}

#endif /* _PROCSHARE_MIGRATORY_H */
