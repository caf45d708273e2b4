/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare - a shared process: what control (netlink) may ask of it */
#ifndef _PROCSHARE_PROCESS_H
#define _PROCSHARE_PROCESS_H

#include <linux/types.h>
#include <uapi/linux/procshare.h>

struct netlink_ext_ack;

/* Why a thread came home; the order is ABI of netlink. */
enum procshare_reason {
	PROCSHARE_BACK_ASKED,		/* procshare migrate, or to come together */
	PROCSHARE_BACK_SIGNAL,		/* a signal to deliver at home */
	PROCSHARE_BACK_CALL,		/* a home-class system call */
	PROCSHARE_BACK_FAULT,		/* a trap or fault for home to judge */
	PROCSHARE_BACK_MEMORY,		/* a page that cannot be exported */
	PROCSHARE_BACK_BOUNCE,		/* policy bounce: time to move on */
	PROCSHARE_BACK_TRACED,		/* ptrace, seccomp or audit at home */
	PROCSHARE_BACK_ERROR,		/* no memory, no state: the safe answer */
	PROCSHARE_BACK_REASONS,
};

/* Counters of one shared process, per node that takes part. */
enum procshare_counter {
	PROCSHARE_COUNT_FAULT_READ,
	PROCSHARE_COUNT_FAULT_WRITE,
	PROCSHARE_COUNT_FAULT_UPGRADE,
	PROCSHARE_COUNT_PAGES_IN,	/* pages that came to this node */
	PROCSHARE_COUNT_PAGES_OUT,	/* pages that left it */
	PROCSHARE_COUNT_INVALIDATIONS,
	PROCSHARE_COUNT_MESSAGES,
	PROCSHARE_COUNT_BYTES,
	PROCSHARE_COUNT_CALLS,		/* forwarded for threads on this node */
	PROCSHARE_COUNT_CALLS_LOCAL,
	PROCSHARE_COUNT_ARRIVALS,	/* threads that came to this node */
	PROCSHARE_COUNT_DEPARTURES,
	PROCSHARE_COUNTERS,
};

/**
 * struct procshare_params - what `procshare run` asks for
 * @policy: enum procshare_policy
 * @nodes: node set that threads may use; 0 means all nodes, home included
 * @bounce_ms: PROCSHARE_POLICY_BOUNCE: user CPU time per stay, 1..10000
 * @home_cpus: programs see home's CPUs, not those of all nodes
 */
struct procshare_params {
	u8 policy;
	u64 nodes;
	u32 bounce_ms;
	bool home_cpus;
};

/* What netlink dumps about one thread / one node of one shared process. */
struct procshare_thread_info {
	u32 tid;		/* as seen from the reader's pid namespace */
	u8 node;		/* where it runs now */
	u64 remote_user_ns;
	u64 home_user_ns;
	char comm[16];
};

struct procshare_process_info {
	u64 id;
	u32 tgid;
	u8 policy;
	u32 bounce_ms;
	u64 nodes;
	u32 threads;
	char comm[16];
};

struct procshare_node_usage {
	u8 node;
	u32 threads;		/* hosted now */
	u64 user_ns;		/* CPU time burnt there by threads of the process */
	u64 system_ns;
	u64 counters[PROCSHARE_COUNTERS];
};

/*
 * Make the calling task's process a shared one from its next execve() on
 * (children inherit).  @session: under this id the totals of the process and
 * of all its descendants are kept, see below.  Fails with extack: not joined,
 * impossible node set, several threads, bad policy.
 */
int procshare_attach(const struct procshare_params *params, u64 *session,
		     struct netlink_ext_ack *extack);
/* @tid 0: all threads of @pid.  Ids are in the caller's pid namespace. */
int procshare_migrate(pid_t pid, pid_t tid, unsigned int node,
		      struct netlink_ext_ack *extack);

/*
 * Walk shared processes at this (home) node.  procshare_process_next() finds
 * the one with the smallest id > *id that the caller may see; false at the end.
 * procshare_thread_next()/procshare_usage_next() walk threads by tid and nodes
 * by id in the same way (start with -1).
 */
bool procshare_process_next(u64 *id, struct procshare_process_info *info);
bool procshare_thread_next(u64 id, s64 *tid, struct procshare_thread_info *info);
bool procshare_usage_next(u64 id, int *node, struct procshare_node_usage *usage);
/* Counts of returns home by reason for the process @id; false if it is gone. */
bool procshare_reasons(u64 id, u64 counts[PROCSHARE_BACK_REASONS]);
/*
 * The totals of a session: every process that descends from one attach, living
 * or ended.  Kept until the attaching task's parent and the session's last
 * process are gone and newer sessions need the room.
 */
bool procshare_session_usage_next(u64 session, int *node,
				  struct procshare_node_usage *usage);
bool procshare_session_reasons(u64 session, u64 counts[PROCSHARE_BACK_REASONS]);

#endif /* _PROCSHARE_PROCESS_H */
