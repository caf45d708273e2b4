/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - a shared process as its home node sees it
 *
 * Lock order: mmap_lock, page table lock, directory lock, thread inbox lock; the lock of
 * a folio of shared memory before the directory lock, under which it is only tried; the
 * directory lock, an inode's flc_lock; and a process's xa_lock of threads, a thread's lock
 * or its inbox lock.  All but the first are spinlocks; messages are queued under them
 * and pushed out after they are dropped (transport.h).
 */
#ifndef _PROCSHARE_HOME_H
#define _PROCSHARE_HOME_H

#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/mm_types.h>
#include <linux/mmu_notifier.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "coherence.h"
#include "cpu_layout.h"
#include "directory.h"
#include "gather.h"
#include "home_thread.h"
#include "process.h"
#include "transport.h"

/* So long home waits for a node, which answers within milliseconds if it is alive. */
#define HOME_PATIENCE	(30 * HZ)

/* Nodes of a shared process, seen from home. */
enum host_state {
	HOST_NONE,		/* no shadow process there */
	HOST_STARTING,
	HOST_READY,
	HOST_FAILED,
};

/**
 * struct usage - what one node did for a process or a session
 * @user_ns: user CPU time burnt there by its threads
 * @system_ns: system CPU time, the same way
 * @threads: hosted now
 * @counters: enum procshare_counter
 */
struct usage {
	atomic64_t user_ns;
	atomic64_t system_ns;
	atomic_t threads;
	atomic64_t counters[PROCSHARE_COUNTERS];
};

/* Pages for the arguments of all calls of one process (home_scratch.c). */
#define SCRATCH_PAGES	256

/**
 * struct scratch - memory for the arguments of calls
 * @tried: bit 0: somebody makes it, or has tried to
 * @start: its address in the process, 0 if there is none
 * @gone: the program has unmapped it
 * @lock: protects @used; a leaf
 * @used: pages
 */
struct scratch {
	unsigned long tried;
	unsigned long start;
	bool gone;
	spinlock_t lock;
	DECLARE_BITMAP(used, SCRATCH_PAGES);
};

/**
 * struct gathering - whether the threads of a process go to one node
 * @state: what speaks for it
 * @node: to this one; PROCSHARE_NODE_HOME: each to its own.  Changes under the xa_lock
 *	of the threads
 * @next: jiffies before which nobody looks again
 * @at_ns: when that was done last
 * @user_ns: user CPU time of all nodes but home until then
 * @moved: pages that had left them
 * @node_ns: user CPU time of @node
 */
struct gathering {
	struct gather state;
	u8 node;
	unsigned long next;
	u64 at_ns;
	u64 user_ns;
	u64 moved;
	u64 node_ns;
};

/**
 * struct session - everything that descends from one procshare_attach()
 * @ref: held by processes, by threads and, for a while, by the session table
 * @id: number that netlink knows it by
 * @owner: who may see the totals
 * @params: policy and placement, constant
 * @cpus: how the CPUs of its nodes are numbered, constant
 * @placed: threads placed so far, for round robin
 * @reasons: returns home by enum procshare_reason
 * @usage: per node, allocated when a node is first used
 * @recent: link in the list of sessions kept for --stats
 */
struct session {
	struct kref ref;
	u64 id;
	kuid_t owner;
	struct procshare_params params;
	struct cpu_layout cpus;
	atomic_t placed;
	atomic64_t reasons[PROCSHARE_BACK_REASONS];
	struct usage *usage[PROCSHARE_MAX_NODES];
	struct list_head recent;
};

/**
 * struct procshare_process - a shared process at home
 * @ref: held by its threads, its mm (until the notifier is gone), look-ups
 * @id: home node in bits 32-39, number below
 * @home: that node; it outlives our membership in the cluster
 * @session: policy and totals
 * @mm: the address space; valid until @released
 * @users: of @mm, for nodes
 * @ending: the last thread is about to give it up: nobody else may use it any more
 * @policy: the session's, or home for what has gained privileges, and its children
 * @tgid: thread group, global pid number
 * @pid: the same, as an object
 * @time_ns: its time namespace when it was made; counted
 * @comm: for people
 * @exposed: the mm has been prepared for export
 * @released: the mm is being torn down: nothing may be exported any more
 * @replaced: the program has been replaced by another one, with a process of its own
 * @condemned: process_doom() has begun
 * @doomed: killed because a node was lost or memory ran out
 * @lock: protects @threads' membership, the host states and @present
 * @threads: struct home_thread by tid
 * @hosts: enum host_state per node
 * @host_error: why the host failed, positive errno
 * @fences: membarrier() calls so far
 * @fenced: per node, the last of them that it has carried out
 * @wait: threads that wait for a host to become ready, for a fence, or for @users to go
 * @present: nodes that have had a shadow process: may hold pages
 * @usage: per node
 * @reasons: returns home by enum procshare_reason
 * @scratch: for arguments of calls
 * @gathering: policy away
 */
struct procshare_process {
	struct kref ref;
	u64 id;
	u8 home;
	struct session *session;
	struct mm_struct *mm;
	atomic_t users;
	bool ending;
	u8 policy;
	pid_t tgid;
	struct pid *pid;
	struct time_namespace *time_ns;
	char comm[TASK_COMM_LEN];
	bool exposed;
	bool released;
	bool replaced;
	bool condemned;
	bool doomed;
	spinlock_t lock;
	struct xarray threads;
	u8 hosts[PROCSHARE_MAX_NODES];
	u32 host_error[PROCSHARE_MAX_NODES];
	atomic_t fences;
	u32 fenced[PROCSHARE_MAX_NODES];
	wait_queue_head_t wait;
	coh_set present;
	struct usage *usage[PROCSHARE_MAX_NODES];
	atomic64_t reasons[PROCSHARE_BACK_REASONS];
	struct scratch scratch;
	struct gathering gathering;
	struct mmu_notifier notifier;
	struct directory dir;
	struct work_struct free;
};

/* session.c */
struct session *session_create(const struct procshare_params *params);
struct session *session_get(struct session *s);
void session_put(struct session *s);
coh_set session_nodes(const struct session *s);

/* usage.c */
bool usage_next(struct usage *usage[PROCSHARE_MAX_NODES], int *node,
		struct procshare_node_usage *out);
int usage_prepare(struct procshare_process *p, unsigned int node);
void usage_count(struct procshare_process *p, unsigned int node,
		 enum procshare_counter counter, u64 n);
void usage_cpu(struct procshare_process *p, unsigned int node, u64 user_ns,
	       u64 system_ns);
void usage_hosted(struct procshare_process *p, unsigned int node, int n);
void usage_reason(struct procshare_process *p, unsigned int reason);
void usage_free(struct usage *usage[PROCSHARE_MAX_NODES]);

/* process.c */
int home_init(void);
struct procshare_process *process_find(u64 id);
struct procshare_process *process_find_next(u64 *id);
void process_put(struct procshare_process *p);
struct procshare_process *process_of_current(struct home_thread *t);
int process_expose(struct procshare_process *p);
struct procshare_process *process_of_task(struct task_struct *task);

/* process_host.c */
bool process_get_mm(struct procshare_process *p);
void process_put_mm(struct procshare_process *p);
void process_end(struct procshare_process *p);
int process_host(struct procshare_process *p, unsigned int node);
void process_stop(struct procshare_process *p);
void process_doom(struct procshare_process *p, const char *why);
void process_message(struct procshare_process *p, struct procshare_msg *msg);
void process_node_down(unsigned int node);

/* home_scratch.c */
unsigned long scratch_get(struct procshare_process *p, size_t size);
void scratch_put(struct procshare_process *p, unsigned long address, size_t size);
void scratch_lose(struct procshare_process *p, unsigned long from, unsigned long to);

/* home_fence.c */
void home_fence(struct procshare_process *p, const struct pt_regs *regs, long nr);
void home_fence_message(struct procshare_process *p, struct procshare_msg *msg);

/* home_mincore.c */
void home_mincore(struct procshare_process *p, const struct pt_regs *regs, long nr);

/* home_clocks.c */
void home_clocks_pack(const struct procshare_process *p,
		      struct procshare_wire_start *start);
void home_clocks_pack_thread(struct procshare_wire_thread *state);
void home_clocks_arrive(const struct procshare_wire_thread *state);

/* home_vdso.c */
void home_vdso_prepare(struct procshare_process *p);

/* home_gather.c */
void home_gather_init(struct gathering *g);
void home_gather_look(struct procshare_process *p);
u8 home_gather_place(const struct procshare_process *p, u8 place);

/* pace.c */
void pace_start(void);

/* home_shared.c; the second half under the directory lock */
bool home_shared_may_export(const struct vm_area_struct *vma);
bool home_shared_survives(struct vm_area_struct *vma);
bool home_shared_unmap(struct vm_area_struct *vma, unsigned long address);
bool home_shared_lend(struct dir_entry *e, struct page *page);
void home_shared_settle(struct dir_entry *e);
void home_shared_give_up(struct dir_entry *e);
bool home_shared_is_stale(const struct vm_area_struct *vma, const struct dir_entry *e);
struct page *home_shared_refill(struct dir_entry *e, struct vm_area_struct *vma);

/* home_lease.c; home_lease_holds() under the directory lock, too */
bool home_lease_covers(const struct vm_area_struct *vma);
bool home_lease_take(struct file *file);
bool home_lease_holds(struct file *file);

/* Memory that other mappings and descriptors may reach, and change. */
static inline bool area_is_shared(const struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_MAYSHARE && !home_lease_covers(vma);
}

/* home_ahead.c; the caller pushes the requests out */
void home_ahead(struct procshare_process *p, unsigned long address,
		enum coh_access access);
void home_ahead_arrival(struct procshare_process *p, const struct pt_regs *regs);

/* home_notifier.c */
extern const struct mmu_notifier_ops home_notifier_ops;

#endif /* _PROCSHARE_HOME_H */
