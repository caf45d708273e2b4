/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - a shadow process as its node sees it
 *
 * Lock order: shadow page mutex, i_mmap_rwsem, page table lock.  A fault takes
 * the page mutex under the shadow's mmap lock; the receive thread takes it
 * without, and nobody takes the mmap lock for writing.
 */
#ifndef _PROCSHARE_SHADOW_H
#define _PROCSHARE_SHADOW_H

#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/mm_types.h>
#include <linux/ptrace.h>
#include <linux/rtmutex.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "coherence.h"
#include "cpu_estimate.h"
#include "page_message.h"
#include "poll.h"
#include "process.h"
#include "stream.h"
#include "thread.h"
#include "transport.h"

struct carried;

#define SHADOW_WAITS	64

/* How threads of a shadow wait for work: no load, frozen and killed at will. */
#define SHADOW_IDLE	(TASK_IDLE | TASK_WAKEKILL | TASK_FREEZABLE)

/* Clocks whose offsets differ. */
enum shadow_clock {
	SHADOW_MONOTONIC,
	SHADOW_BOOTTIME,
	SHADOW_RAW,
	SHADOW_REALTIME,
	SHADOW_TAI,
	SHADOW_CLOCKS
};

/**
 * struct shadow - a shadow process
 * @ref: held by the table, by @file's users, by threads and look-ups
 * @id: of the shared process
 * @home: its home node
 * @token: the helper proves with it that it was started for this
 * @vdso: address of home's vDSO, 0 if none
 * @ahead: home's CLOCK_MONOTONIC minus ours, in ns
 * @offset: the process's clocks minus this node's, in ns
 * @present: threads that may look at the clocks here
 * @time_ns: where the vDSO finds @offset; counted; NULL if there is no such place
 * @comm: for people
 * @leader: the helper, once it hosts; counted
 * @inode: backs the one mapping; counted
 * @memcg: the helper's; counted; pays for the pages
 * @peers: nodes besides home that it has exchanged pages with
 * @dead: nothing may be started or mapped any more
 * @told: home knows that it is gone, or said so itself
 * @lock: protects @leader, @dead, @newcomers, @zero and the clocks
 * @threads: struct shadow_thread by home's tid
 * @newcomers: threads that the leader is to create
 * @wait: the leader sleeps here
 * @pages: struct shadow_page by page number
 * @page_wait: faults sleep here, hashed by page
 * @zero: of the demand-zero pages that were asked for in blocks: how many lately, how
 *	many of them were @zero.used, and how often blocks were left out
 * @order: link in the list of those that wait for a helper
 * @launch: finds a helper
 */
struct shadow {
	struct kref ref;
	u64 id;
	u8 home;
	u64 token;
	u64 vdso;
	s64 ahead;
	s64 offset[SHADOW_CLOCKS];
	unsigned int present;
	struct time_namespace *time_ns;
	char comm[TASK_COMM_LEN];
	struct task_struct *leader;
	struct inode *inode;
	struct mem_cgroup *memcg;
	atomic64_t peers;
	bool dead;
	bool told;
	spinlock_t lock;
	struct xarray threads;
	struct list_head newcomers;
	wait_queue_head_t wait;
	struct xarray pages;
	wait_queue_head_t page_wait[SHADOW_WAITS];
	struct {
		unsigned int asked;
		unsigned int used;
		unsigned int seldom;
	} zero;
	struct list_head order;
	struct work_struct launch;
};

/**
 * struct shadow_page - one page of a shadow process
 * @coh: the coherence machine
 * @shadow: back pointer; counted while @timer or @work is pending
 * @address: of the page
 * @lock: serialises faults and messages; threads of any priority hold it while a link waits
 * @frame: this node's copy; NULL while there is none, or it is all zero
 * @area: what home has said of its mapping there
 * @noted: somebody has used it, and that has been noted (file_use.h)
 * @unwritten: may be written, which nobody has asked for yet
 * @ahead: was asked for ahead, to be written
 * @vain: which had not happened when it was taken away: windows to be written end here
 * @fresh: all zero, and not touched since it was granted
 * @guessed: the request under way was made before anybody waited: a refusal means nothing
 * @zero_asked: it is one of a block, and guessed
 * @zero_refused: such a one was refused, and need not be repeated
 * @failures: refusals so far; a fault that sees one goes home
 * @waiters: faults that sleep for the page
 * @held_until: end of the minimum hold
 * @timer: fires then, if somebody waits for it
 * @work: releases the hold in process context
 */
struct shadow_page {
	struct coh_node coh;
	struct shadow *shadow;
	unsigned long address;
	struct rt_mutex lock;
	struct page *frame;
	struct page_area area;
	bool noted;
	bool unwritten;
	bool ahead;
	bool vain;
	bool fresh;
	bool guessed;
	bool zero_asked;
	bool zero_refused;
	unsigned int failures;
	unsigned int waiters;
	ktime_t held_until;
	struct hrtimer timer;
	struct work_struct work;
};

static inline u8 shadow_page_key(const struct shadow_page *sp)
{
	return READ_ONCE(sp->area.prot) >> PROCSHARE_PROT_KEY_SHIFT;
}

/**
 * struct shadow_thread - a thread of a shadow process
 * @base: role
 * @ref: held by the task, the shadow's table and look-ups
 * @shadow: counted
 * @task: NULL until the leader has created it and after it is gone
 * @tid: home's thread id
 * @node: link in the shadow's newcomers
 * @running: has the thread's state; else it is parked
 * @back: wants to go home for @reason
 * @rewind: the call @local_nr must be made again at home
 * @in_local: is making a local call
 * @peeking: touches memory for a call that can do without
 * @recalled: home wants it back
 * @watched: somebody at home looks at its calls: none is local
 * @local_nr: number of the last local call
 * @calls_local: local calls of this stay
 * @trap: si_code of a debug trap that home is to raise, or 0
 * @cpu_base: number of this node's first CPU in the process, or PROCSHARE_NO_CPUS
 * @restricted: may use only some of this node's CPUs
 * @bounce_ms: user CPU time per stay, 0 for no end
 * @arrival_utime: the task's user time at arrival, in ticks' ns
 * @arrival_user: @arrival_system: the same, adjusted, for accounting
 * @rseq: address of its restartable sequences area, which home writes to when it comes
 * @streams: of its faults
 * @untouched: the last page that it waited for had not been touched by anybody
 * @poll: of its waits for pages and results
 * @report: CPU time of this stay that home knows of
 * @calling: waits for home to make a call, and home knows its CPU time
 * @pace: link in shadow_pace.c's list while @running
 * @lock: protects @inbox, @task, and against shadow_pace.c @report, @calling
 * @inbox: messages for the thread, in order
 * @wait: it sleeps here when parked and while a call is forwarded
 * @again: makes it look again whether it should go home
 */
struct shadow_thread {
	struct procshare_thread base;
	struct kref ref;
	struct shadow *shadow;
	struct task_struct *task;
	u32 tid;
	struct list_head node;
	bool running;
	bool back;
	bool rewind;
	bool in_local;
	bool peeking;
	bool recalled;
	bool watched;
	u32 reason;
	u32 calls_local;
	int trap;
	long local_nr;
	u32 cpu_base;
	bool restricted;
	u32 bounce_ms;
	u64 arrival_utime;
	u64 arrival_user;
	u64 arrival_system;
	struct cpu_report report;
	bool calling;
	struct list_head pace;
	unsigned long rseq;
	struct streams streams;
	bool untouched;
	struct poll poll;
	spinlock_t lock;
	struct list_head inbox;
	wait_queue_head_t wait;
	struct hrtimer again;
};

/* shadow.c */
void shadow_put(struct shadow *s);
void shadow_tell_home(struct shadow *s, u8 type, int error);
void shadow_message(struct procshare_msg *msg);
void shadow_node_down(unsigned int node);
void shadow_meet(struct shadow *s, unsigned int node);
void shadow_kill(struct shadow *s, const char *why);
void shadow_each(void (*visit)(struct shadow *s));
int shadow_init(void);

/* shadow_host.c */
void __noreturn shadow_host(struct shadow *s);
void shadow_discard_newcomers(struct shadow *s);
struct shadow *shadow_claim(u64 token);

/* shadow_helper.c */
extern struct workqueue_struct *shadow_launches;
int shadow_helper_init(void);
struct procshare_order;
int shadow_helper_order(struct shadow *s);
bool shadow_helper_cancel(struct shadow *s);
void shadow_helper_refill(void);
void shadow_helper_links_changed(void);
long shadow_helper_await(struct procshare_order __user *arg);

/* shadow_thread.c */
void shadow_thread_message(struct shadow *s, struct procshare_msg *msg);
void shadow_thread_put(struct shadow_thread *st);
void shadow_thread_discard(struct shadow_thread *st);
void shadow_thread_refuse(struct shadow_thread *st);
int shadow_thread_main(void *arg);
void shadow_threads_wake(struct shadow *s);
struct shadow_thread *shadow_thread_current(void);
struct procshare_msg *shadow_thread_await(struct shadow_thread *st);

/* shadow_stay.c */
void shadow_thread_used_cpu(const struct shadow_thread *st, u64 *user, u64 *system);
void shadow_thread_go_home(struct shadow_thread *st, u32 reason, bool rewind);
void shadow_decline(struct shadow *s, struct procshare_msg *msg);

/* How far behind the vDSO's beginning it is, ULONG_MAX if there is none. */
static inline unsigned long shadow_vdso_offset(const struct shadow_thread *st,
					       const struct pt_regs *regs)
{
	return st->shadow->vdso ? regs->ip - st->shadow->vdso : ULONG_MAX;
}

bool shadow_thread_has_bounced(const struct shadow_thread *st,
			       const struct task_struct *task);

/* shadow_carried.c */
void shadow_carries(struct shadow_thread *st, const struct pt_regs *regs, long nr,
		    struct carried *c);
size_t shadow_carry_room(const struct carried *c);
size_t shadow_carry(struct shadow_thread *st, struct carried *c,
		    struct procshare_wire_call *call);
bool shadow_store(struct shadow_thread *st, const struct carried *c,
		  const struct procshare_wire_return *ret);
struct procshare_msg *shadow_pack_store(const struct procshare_wire_return *ret);

/* shadow_cpu.c */
void shadow_cpu_arrive(struct shadow_thread *st,
		       const struct procshare_wire_thread *state);
void shadow_cpu_leave(struct shadow_thread *st);
void shadow_cpu_rseq(struct shadow_thread *st, const struct pt_regs *regs);
void shadow_cpu_get(struct pt_regs *regs);

/* shadow_fence.c */
void shadow_fence(struct shadow *s, const struct procshare_msg *msg);

/* shadow_clock.c */
void shadow_clock_start(struct shadow *s, const struct procshare_wire_start *start);
void shadow_clock_host(struct shadow *s);
void shadow_clock_follow(struct shadow *s);
void shadow_clock_arrive(struct shadow *s, const struct procshare_wire_thread *state);
void shadow_clock_forget(struct shadow *s);
void shadow_clock_leave(struct shadow *s, struct procshare_wire_thread *state);
bool shadow_clock_get(struct shadow_thread *st, struct pt_regs *regs, long nr);

/* shadow_ahead.c */
unsigned int shadow_ahead(struct shadow_thread *st, unsigned long address,
			  enum coh_access access, bool fresh, bool missed);
void shadow_ahead_file(struct shadow *s, unsigned long address, u64 origin);
void shadow_ahead_arrival(struct shadow_thread *st, const struct pt_regs *regs,
			  unsigned long rseq);
void shadow_ahead_departure(struct shadow_thread *st, const struct pt_regs *regs);

/* shadow_zero.c */
void shadow_zero_init(struct shadow *s);
void shadow_zero_ask(struct shadow *s, unsigned long page, unsigned int count,
		     enum coh_access otherwise);
void shadow_zero_guess(struct shadow_thread *st, unsigned long address);
void shadow_zero_learn(struct shadow_thread *st, unsigned long address, bool fresh,
		       bool waited);
void shadow_zero_message(struct shadow *s, struct procshare_msg *msg);

/* shadow_pace.c */
void shadow_pace_begin(struct shadow_thread *st);
void shadow_pace_end(struct shadow_thread *st);
void shadow_pace_pause(struct shadow_thread *st);
void shadow_pace_resume(struct shadow_thread *st);

/* shadow_mm.c; what is about one page (but _expect, _put, _deliver) under its mutex */
struct shadow_page *shadow_page_get(struct shadow *s, unsigned long address);
wait_queue_head_t *shadow_page_waits(struct shadow_page *sp);
void shadow_page_request(struct shadow_page *sp, enum coh_access access);
void shadow_page_request_ahead(struct shadow_page *sp, enum coh_access access);
void shadow_page_mapped(struct shadow_page *sp);
void shadow_page_put(struct shadow *s, unsigned long address);
void shadow_page_deliver(struct shadow_page *sp, const struct coh_msg *m,
			 const struct page_area *area, struct procshare_msg *msg);
void shadow_page_message(struct shadow *s, struct procshare_msg *msg);
int shadow_pages_init(void);
void shadow_pages_free(struct shadow *s);
void shadow_pages_wake(struct shadow *s);
bool shadow_page_expect(struct shadow *s, unsigned long address,
			enum coh_access access);
bool shadow_page_guess(struct shadow *s, unsigned long address, enum coh_access access);

/* Neither here nor asked for. */
static inline bool shadow_page_is_idle(const struct shadow_page *sp)
{
	return sp->coh.state == COH_I && !sp->coh.pending;
}

/* shadow_perform.c; under the page's mutex */
void shadow_page_perform(struct shadow_page *sp, const struct coh_out *out,
			 struct procshare_msg *arrived);
bool shadow_page_frame(struct shadow_page *sp);

/* shadow_fault.c */
extern const struct file_operations shadow_fops;

#endif /* _PROCSHARE_SHADOW_H */
