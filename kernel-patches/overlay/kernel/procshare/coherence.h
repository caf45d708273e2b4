/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - page coherence: the protocol as a pure state machine
 *
 * Freestanding: fixed-width types only, no allocation, no sleeping, no calls
 * out.  The kernel, the model checker, the simulator and the fuzzer compile
 * this file and all coherence_*.c unchanged.
 *
 * Two machines exist per page.  The *home* machine (struct coh_home) is the
 * directory entry at the home node; the *node* machine (struct coh_node) is a
 * remote node's view.  Both turn (state, event) into (state, actions); the
 * caller performs the actions in order, inside the critical section in which
 * it delivered the event, before it delivers the next event for the page.
 */
#ifndef _PROCSHARE_COHERENCE_H
#define _PROCSHARE_COHERENCE_H

#include <linux/types.h>

#ifndef __KERNEL__
#include <stdbool.h>
#include <stddef.h>
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
#endif

#ifndef COH_MAX_NODES
#define COH_MAX_NODES	64	/* node ids are 0 .. COH_MAX_NODES - 1 */
#endif
#define COH_NO_NODE	0xff

typedef u64 coh_set;		/* a set of nodes, one bit each */

static inline coh_set coh_bit(unsigned int node)
{
	return (coh_set)1 << node;
}

/* What a fault wants; ordered, so that "have >= want" is meaningful. */
enum coh_access {
	COH_NONE,
	COH_READ,
	COH_WRITE,
};

enum coh_type {
	COH_GET = 1,	/* node -> home: access, have */
	COH_GRANT,	/* home or owner -> requester */
	COH_FWD,	/* home -> owner or source: answer requester directly */
	COH_INV,	/* home -> holder: drop the page, acknowledge to ->requester */
	COH_ACK,	/* holder -> writer (or home): the page is gone here */
	COH_DONE,	/* requester -> home: a forwarded grant arrived */
	COH_NOPAGE,	/* source -> home: cannot answer the FWD */
	COH_PUT,	/* owner or source -> home: gives the page back, with data */
	COH_LOST,	/* home -> survivors: node ->requester is lost */
	COH_FLUSHED,	/* survivor -> home: everything before LOST is dealt with */
};

/* Grant flags. */
#define COH_DATA	0x01	/* the message carries the page */
#define COH_ERROR	0x02	/* GRANT: refused, the thread must go home */
#define COH_THIRD	0x04	/* GRANT: sent by a third node, answer home with DONE */
#define COH_UNWRITTEN	0x08	/* GRANT, DONE: the last owner did not write: a hint */

/**
 * struct coh_msg - one coherence message
 * @type: enum coh_type
 * @from: sending node
 * @to: receiving node
 * @access: GET, GRANT, FWD: COH_READ or COH_WRITE
 * @have: GET: what the node holds already
 * @flags: COH_DATA, COH_ERROR, COH_THIRD, COH_UNWRITTEN
 * @requester: FWD: whom to answer; INV: whom to acknowledge; LOST, FLUSHED:
 *	the lost node
 * @epoch: of the transaction (see protocol.md)
 * @acks: GRANT, FWD: nodes whose ACK the requester must await
 */
struct coh_msg {
	u8 type;
	u8 from;
	u8 to;
	u8 access;
	u8 have;
	u8 flags;
	u8 requester;
	u64 epoch;
	coh_set acks;
};

/* What the caller must do, in order. */
enum coh_act {
	COH_SEND = 1,	/* send ->msg to ->msg.to; COH_DATA: with this side's copy */
	COH_SEND_SET,	/* send ->msg to every node of ->set */
	/* home */
	COH_HOME_WRPROTECT, /* make home's copy read-only (before it is copied) */
	COH_HOME_CLEAR,	/* home's mapping becomes the marker; the copy is dropped after sends */
	COH_HOME_DATA,	/* the message just delivered carried home's new copy: keep it */
	COH_HOME_WAKE,	/* wake home faults and discards waiting for this page */
	/* node */
	COH_UNMAP,	/* unmap, flush TLBs; the frame stays until COH_DROP */
	COH_WRPROTECT,	/* downgrade to read-only, flush TLBs */
	COH_STORE,	/* the message just delivered carried the page: keep it */
	COH_INSTALL,	/* map the frame with ->access; coh_node_release() follows */
	COH_DROP,	/* free the frame */
	COH_WAKE,	/* wake faults waiting for this page; they look again */
	COH_FAIL,	/* as COH_WAKE, and the fault is refused: go home */
};

#define COH_MAX_ACTIONS	16

struct coh_action {
	u8 act;
	u8 access;
	struct coh_msg msg;
	coh_set set;
};

struct coh_out {
	unsigned int n;
	struct coh_action a[COH_MAX_ACTIONS];
};

/*
 * Every event has one of these, and few use more than two actions: clear no others, nor
 * let the compiler (__uninitialized).
 */
static inline void coh_out_init(struct coh_out *out)
{
	out->n = 0;
}

/* ---- home: the directory ---- */

enum coh_home_state {
	COH_HOME_ALONE,		/* no other copy */
	COH_HOME_SHARED,	/* home and the sharers read */
	COH_HOME_STALE,		/* the sharers read, @owner is the source */
	COH_HOME_OWNED,		/* @owner reads and writes, alone */
	COH_HOME_LOST,		/* the only copy died with its node */
};

enum coh_busy {
	COH_IDLE,
	COH_BUSY_FWD,		/* a forwarded GET: waiting for DONE or NOPAGE */
	COH_BUSY_HOME_READ,	/* waiting for data */
	COH_BUSY_HOME_WRITE,	/* waiting for data and/or acks */
	COH_BUSY_DISCARD,	/* waiting for acks */
};

/* Home's own requests. */
#define COH_WANT_READ		0x01
#define COH_WANT_WRITE		0x02
#define COH_WANT_DISCARD	0x04

/**
 * struct coh_home - the directory entry of one page
 * @state: enum coh_home_state
 * @busy: enum coh_busy
 * @owner: owner (OWNED) or source (STALE); COH_NO_NODE: STALE after a loss, home
 *	must pull the page from one of the sharers first
 * @hold: enum coh_access that home's own fault was served and has not installed
 *	yet: serve no remote node
 * @home_want: COH_WANT_READ and _WRITE of home's faults, not yet served
 * @home_first: COH_WANT_* of home's notifiers, not yet served; before the queue
 * @queued: entries of @queue
 * @discards: discards between coh_home_want() and coh_home_done()
 * @recalls: other notifier requests between coh_home_want() and coh_home_done()
 * @sharers: remote nodes that may hold a read copy (SHARED, STALE)
 * @want_write: those of the queue that want to write
 * @have: those of the queue that said they hold a copy
 * @queue: nodes that wait, in order of arrival; COH_NO_NODE stands for home
 * @b_requester: FWD: the node that is being answered
 * @b_access: FWD: what it asked for
 * @b_source: the node that was asked for the page, COH_NO_NODE if none was
 * @b_have_data: home has received the page it waited for
 * @b_have_put: the source gave the page back meanwhile; home keeps it
 * @b_last_lost: the node whose FLUSHED is awaited
 * @b_epoch: of the busy transaction
 * @b_acks: awaited by home, or told to the requester
 * @b_flush: survivors that have not answered FLUSHED
 * @b_lost: lost nodes that are not yet cleaned out of this entry
 *
 * The fields b_* describe the busy transaction and a loss being handled.
 */
struct coh_home {
	u8 state;
	u8 busy;
	u8 owner;
	u8 hold;
	u8 home_want;
	u8 home_first;
	u8 queued;
	u8 b_requester;
	u8 b_access;
	u8 b_source;
	u8 b_have_data;
	u8 b_have_put;
	u8 b_last_lost;
	u32 discards;
	u32 recalls;
	u64 b_epoch;
	coh_set sharers;
	coh_set want_write;
	coh_set have;
	coh_set b_acks;
	coh_set b_flush;
	coh_set b_lost;
	u8 queue[COH_MAX_NODES];
};

/* What coh_home_run() would do next; the caller decides when it can. */
enum coh_next {
	COH_NEXT_NONE,		/* nothing to do, or busy or held */
	COH_NEXT_MESSAGES,	/* messages only: run it anywhere */
	COH_NEXT_COPY,		/* reads or changes home's own copy or mapping */
};

void coh_home_init(struct coh_home *h);

/**
 * coh_home_message - a message for home about this page has arrived
 * @h: directory entry
 * @self: home's node id
 * @m: the message; checked, never trusted
 * @out: actions to perform
 *
 * A GET is only queued; everything else acts at once.  The caller then runs
 * the entry as far as coh_home_next() allows.
 *
 * Sends with COH_DATA in @out are made from a page that arrived earlier
 * (COH_HOME_DATA) and that home cannot have mapped yet.
 */
void coh_home_message(struct coh_home *h, u8 self, const struct coh_msg *m,
		      struct coh_out *out);

/**
 * coh_home_want - home itself wants the page
 * @h: directory entry
 * @want: one of COH_WANT_*; a fault (@first false) wants READ or WRITE
 * @first: a notifier wants it: before the queue, and past every hold
 *
 * Faults call this when coh_home_may() says no.  Any number of them may want at
 * once, they merge.  Once coh_home_wanted() is false (COH_HOME_WAKE) they look
 * at the entry: LOST is an error, coh_home_may() allows to install, otherwise
 * they want again.  After installing, or giving up, coh_home_release().
 *
 * Notifiers are counted: each call with @first needs one coh_home_done(), after
 * the page table has been changed.  Until then no remote node is served, and
 * a discard lets no fault of home in either.  Notifiers wait for messages of
 * others only, never for another home thread.
 */
void coh_home_want(struct coh_home *h, u8 want, bool first);

/* True while a want of home has not been served. */
static inline bool coh_home_wanted(const struct coh_home *h, u8 want,
				   bool first)
{
	return (first ? h->home_first : h->home_want) & want;
}

/* True when home may map the page for @access right now. */
bool coh_home_may(const struct coh_home *h, enum coh_access access);

/**
 * coh_home_release - home's fault is installed, or given up: serve the queue
 * @h: directory entry
 * @access: what was installed; a hold for more stays.  COH_WRITE ends any hold
 */
void coh_home_release(struct coh_home *h, enum coh_access access);

/* A notifier's page-table work is over (or it gave up): undo coh_home_want(first). */
void coh_home_done(struct coh_home *h, u8 want);

enum coh_next coh_home_next(const struct coh_home *h);
/* The node whose request coh_home_run() would serve, COH_NO_NODE for home. */
u8 coh_home_head(const struct coh_home *h);

/**
 * coh_home_run - start the next transaction, if coh_home_next() has one
 * @h: directory entry
 * @self: home's node id
 * @epoch: the shared process's epoch counter; the caller serialises its users
 * @eager: grant a request to read writable, if another one has the page alone; right
 *	or wrong, this only changes how many messages follow
 * @out: actions to perform
 */
void coh_home_run(struct coh_home *h, u8 self, u64 *epoch, bool eager,
		  struct coh_out *out);
/* Refuse the head of the queue: GRANT with COH_ERROR. */
void coh_home_refuse(struct coh_home *h, u8 self, struct coh_out *out);
/**
 * coh_home_lost - a node is gone
 * @h: directory entry
 * @self: home's node id
 * @lost: the node; its messages must not be delivered any more
 * @survivors: the remote nodes that take part in the process still
 * @out: actions to perform
 *
 * Nothing is served until every survivor has answered FLUSHED.
 */
void coh_home_lost(struct coh_home *h, u8 self, u8 lost, coh_set survivors,
		   struct coh_out *out);
/* Nothing but home holds the page and nothing is going on: free the entry. */
bool coh_home_idle(const struct coh_home *h);

/* ---- a remote node ---- */

enum coh_node_state {
	COH_I,	/* no copy */
	COH_S,	/* read copy */
	COH_O,	/* read copy, source: may not be dropped silently */
	COH_M,	/* the only copy, writable */
};

#define COH_MAX_DEFERRED 4	/* protocol.md: never more than 2, and one LOST */

/**
 * struct coh_node - one remote node's view of one page
 * @state: enum coh_node_state; what local threads may use, also while pending
 * @pending: enum coh_access that was asked of home, COH_NONE if nothing
 * @granted: the grant has come, acks are missing (state A of protocol.md)
 * @holding: granted, being installed or held for the minimum time (state N)
 * @ndeferred: entries of @deferred
 * @need: nodes whose acks are awaited
 * @got: those that have come, all for @got_epoch
 * @lost: nodes lost since the GET was sent: a late grant may still name them
 * @got_epoch: of the acks that have come
 * @epoch: of the grant
 * @inv_epoch: of the last INV acknowledged while waiting without a copy
 * @deferred: messages kept in order of arrival
 */
struct coh_node {
	u8 state;
	u8 pending;
	u8 granted;
	u8 holding;
	u8 ndeferred;
	coh_set need;
	coh_set got;
	coh_set lost;
	u64 got_epoch;
	u64 epoch;
	u64 inv_epoch;
	struct coh_msg deferred[COH_MAX_DEFERRED];
};

void coh_node_init(struct coh_node *n);

/* True when local threads may map the page for @access right now. */
static inline bool coh_node_may(const struct coh_node *n,
				enum coh_access access)
{
	return access == COH_WRITE ? n->state == COH_M : n->state != COH_I;
}

/**
 * coh_node_fault - a local fault
 * @n: the page
 * @self: this node's id
 * @home: home's node id
 * @access: COH_READ or COH_WRITE
 * @out: actions to perform
 *
 * Does nothing when coh_node_may() allows @access already (the caller maps the
 * frame it has) or when a request is pending (several faults are one request:
 * the caller waits for COH_WAKE or COH_FAIL and looks again).  Otherwise it
 * sends GET.
 */
void coh_node_fault(struct coh_node *n, u8 self, u8 home,
		    enum coh_access access, struct coh_out *out);

/**
 * coh_node_message - a message for this node about this page has arrived
 * @n: the page
 * @self: this node's id
 * @home: home's node id
 * @m: the message; checked, never trusted
 * @out: actions to perform
 *
 * A message that makes no sense is ignored, and so is one that would have to
 * be deferred when COH_MAX_DEFERRED are (only a misbehaving home can do that).
 * A refused grant (COH_FAIL) leaves the copy the node has as it is.  A request to read
 * may be granted writable.
 */
void coh_node_message(struct coh_node *n, u8 self, u8 home,
		      const struct coh_msg *m, struct coh_out *out);

/**
 * coh_node_release - the minimum hold is over: serve what was deferred
 * @n: the page
 * @self: this node's id
 * @home: home's node id
 * @out: actions to perform
 *
 * Every COH_INSTALL starts a hold.  The caller must not release before the
 * COH_INSTALL is carried out (or abandoned); nothing else may map the page later.
 */
void coh_node_release(struct coh_node *n, u8 self, u8 home, struct coh_out *out);
/* Give the page back (memory pressure): PUT or a silent drop; false if in use. */
bool coh_node_put(struct coh_node *n, u8 self, u8 home, struct coh_out *out);
/* As the message LOST(@lost), which home sends; answers FLUSHED. */
void coh_node_lost(struct coh_node *n, u8 self, u8 home, u8 lost,
		   struct coh_out *out);
/* Nothing is here and nothing is going on: forget the page. */
bool coh_node_idle(const struct coh_node *n);

#endif /* _PROCSHARE_COHERENCE_H */
