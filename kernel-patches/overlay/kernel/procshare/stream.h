/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - stream: do a thread's faults follow each other, and at which stride?
 */
#ifndef _PROCSHARE_STREAM_H
#define _PROCSHARE_STREAM_H

#include <linux/types.h>

/* The arrays that a loop goes through, and a stack. */
#define STREAMS	16

/**
 * struct stream - faults that seem to belong together, by page number
 * @from: the last one
 * @stride: pages from one to the next, 0 while there is only one
 * @used: strides that it has gone
 * @ahead: strides behind @from that have been asked for
 * @window: strides that were asked for last, 0 before the stream is proven
 * @write: they are to write
 * @unwritten: faults farther on since one was
 * @turn: when it was last touched
 */
struct stream {
	unsigned long from;
	long stride;
	unsigned int used;
	unsigned int ahead;
	unsigned int window;
	bool write;
	unsigned int unwritten;
	unsigned int turn;
};

/**
 * struct streams - those that a thread follows
 * @of: in no order
 * @turn: counts faults
 */
struct streams {
	struct stream of[STREAMS];
	unsigned int turn;
};

/**
 * struct stream_window - what should be asked for together with a page
 * @first: page number of the first one
 * @stride: pages from one to the next
 * @count: how many
 * @write: all of them to be written
 * @quiet: pages right behind the one that faulted, asked for already, which need
 *	not fault: the stream need not hear of them
 */
struct stream_window {
	unsigned long first;
	long stride;
	unsigned int count;
	bool write;
	unsigned int quiet;
};

/**
 * streams_fault - a thread faults
 * @s: its streams
 * @page: page number
 * @write: it writes
 * @most: strides to ask for at once, at most
 *
 * Two neighbours upwards make a stream, any other stride must be seen twice.  A
 * window is a fraction of what the stream has used already, so that little is asked
 * for in vain, and the next one is asked for while half of it is still to be used,
 * so that a long stream does not wait.  Windows are to be written as long as what
 * the stream comes by is; each of those pages faults when it is first written, so that
 * this is known.
 *
 * Called by the thread itself.  Returns what to ask for now.
 */
struct stream_window streams_fault(struct streams *s, unsigned long page, bool write,
				   unsigned int most);

#endif /* _PROCSHARE_STREAM_H */
