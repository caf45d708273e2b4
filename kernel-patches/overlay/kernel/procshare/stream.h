/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - stream: do a thread's faults follow each other, and at which stride?
 */
#ifndef _PROCSHARE_STREAM_H
#define _PROCSHARE_STREAM_H

#include <linux/types.h>

/* The arrays that a loop goes through, a stack, and what they did one step before. */
#define STREAMS	32

/* Strides asked for at once: what is to be written leaves its owner, so be less bold. */
#define STREAM_READ_MAX		64
#define STREAM_WRITE_MAX	32

/**
 * struct stream - faults that seem to belong together, by page number
 * @first: where it began
 * @opened: that was to write
 * @from: the last one
 * @stride: pages from one to the next, 0 while there is only one
 * @used: strides that it has gone
 * @last: strides that it went the last time that it began there
 * @before: those of the last two times, the shorter one
 * @trust: times in a row that it went on from there
 * @ahead: strides behind @from that have been asked for
 * @window: strides that were asked for last
 * @write: they are to write
 * @both: each page is read first, then written
 * @unwritten: faults farther on since one was
 * @turn: when it was last touched
 */
struct stream {
	unsigned long first;
	bool opened;
	unsigned long from;
	long stride;
	unsigned int used;
	unsigned int last;
	unsigned int before;
	unsigned int trust;
	unsigned int ahead;
	unsigned int window;
	bool write;
	bool both;
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
 * @missed: that is neither possible nor under way, whatever the stream believes
 *
 * Two neighbours upwards make a stream, any other stride must be seen twice.  A
 * window is a fraction of what the stream has used already, so that little is asked
 * for in vain, and the next one is asked for while half of it is still to be used,
 * so that a long stream does not wait.  One that goes the same way once more is asked
 * for as far as it went before and no farther, and at once if it has always gone on
 * from its first page lately; what begins at one page to read and what begins there
 * to write are two streams.  Windows are to be written as long as what the stream
 * comes by is; each of those pages faults when it is first written, so that this is
 * known.
 *
 * Called by the thread itself.  Returns what to ask for now.
 */
struct stream_window streams_fault(struct streams *s, unsigned long page, bool write,
				   bool missed);

#endif /* _PROCSHARE_STREAM_H */
