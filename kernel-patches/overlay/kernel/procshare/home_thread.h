/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - a thread of a shared process as its home node sees it
 */
#ifndef _PROCSHARE_HOME_THREAD_H
#define _PROCSHARE_HOME_THREAD_H

#include <linux/kref.h>
#include <linux/signal.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "coherence.h"
#include "cpu_estimate.h"
#include "cpu_layout.h"
#include "poll.h"
#include "stream.h"
#include "thread.h"

struct procshare_msg;
struct procshare_process;
struct procshare_wire_thread;
struct pt_regs;
struct session;

/**
 * struct home_thread - a thread of a shared process at home
 * @base: role
 * @ref: held by the task and by look-ups
 * @task: not counted; valid while the thread is in its process's table
 * @session: inherited over fork and exec
 * @numbered: the node where it is has CPU numbers in its process
 * @process: NULL until the first return to user mode of a new mm
 * @tid: global pid number, names the thread on the wire
 * @newborn: its program has not been placed by its policy yet
 * @privileged: it, or what it descends from, has gained privileges by exec
 * @child: was made by a shared thread, is not the one that procshare_attach() made
 * @placed: @place has been chosen
 * @tied: procshare migrate has placed it
 * @place: node that its policy chose, PROCSHARE_NODE_HOME for home; kept over exec
 * @computes: its executor has nothing to do: the program is executed elsewhere
 * @until_call: came home to do something itself: leaves after its next call
 * @raising: came home to repeat an instruction, which may be about to raise a signal
 * @handles_until: jiffies before which it leaves only behind its signal handler
 * @target: node it should run on, PROCSHARE_NODE_HOME for home
 * @node: node it runs on, PROCSHARE_NODE_HOME for home
 * @asked: somebody wants it to move (or come home) now
 * @recalled: RECALL has been sent during this stay
 * @in_call: the registers here are newer than those of its BACK will be
 * @handles_sp: its stack pointer when it came home for that signal
 * @stay_until: jiffies before which it does not leave again (it would only be back at once)
 * @backoff: the length of that, doubled while it keeps coming home
 * @stay_user_ns: @stay_system_ns: charged so far of the current stay
 * @estimate: how its user CPU time goes on
 * @stay_calls_local: local calls reported so far of the current stay
 * @home_user_ns: @home_system_ns: the task's own CPU time, reported so far
 * @bounce_from_ns: its user CPU time when it last came home (policy bounce)
 * @remote_user_ns: @remote_system_ns: totals, which the task has been charged with
 * @streams: of its faults on pages that others have
 * @poll: of its waits for them
 * @lock: protects @pinned and @cpus, and @session against those who look from outside
 * @pinned: runs only on some of its CPUs
 * @cpus: these, numbered as session->cpus says
 * @inbox_lock: protects @inbox and, against it and each other, @node and @recalled
 * @inbox: messages for the executor, in order
 * @inbox_length: how many
 * @visited: nodes that keep a shadow thread for it
 * @wait: the executor sleeps here
 */
struct home_thread {
	struct procshare_thread base;
	struct kref ref;
	struct task_struct *task;
	struct session *session;
	struct procshare_process *process;
	u32 tid;
	bool computes;
	bool newborn;
	bool numbered;
	bool privileged;
	bool child;
	bool placed;
	bool tied;
	bool until_call;
	bool raising;
	u8 place;
	u8 target;
	u8 node;
	bool asked;
	bool recalled;
	bool in_call;
	unsigned long stay_until;
	unsigned long handles_until;
	unsigned long handles_sp;
	unsigned int backoff;
	u64 stay_user_ns;
	u64 stay_system_ns;
	struct cpu_estimate estimate;
	u32 stay_calls_local;
	u64 home_user_ns;
	u64 home_system_ns;
	u64 bounce_from_ns;
	atomic64_t remote_user_ns;
	u64 remote_system_ns;
	struct streams streams;
	struct poll poll;
	spinlock_t lock;
	bool pinned;
	DECLARE_BITMAP(cpus, PROCSHARE_CPUS);
	spinlock_t inbox_lock;
	struct list_head inbox;
	unsigned int inbox_length;
	coh_set visited;
	wait_queue_head_t wait;
};

/* home_thread.c */
struct home_thread *home_thread_create(struct session *session);
struct home_thread *home_thread_find(struct procshare_process *p, u32 tid);
/* What current is of @p; a debugger's hand in another process's memory is nothing. */
struct home_thread *home_thread_current(const struct procshare_process *p);
struct home_thread *home_thread_of(struct task_struct *task);
void home_thread_put(struct home_thread *t);
bool home_thread_ask(struct procshare_process *p, u32 tid, u8 target, bool tie);
void home_thread_join(struct session *s);
bool home_thread_belongs_to(const struct procshare_process *p);
bool home_thread_attach(struct home_thread *t);

/* home_leave.c */
bool home_thread_wants_away(const struct home_thread *t);
void home_thread_expect_handler(struct home_thread *t, const struct pt_regs *regs);

/* home_place.c */
u8 home_place(struct home_thread *t);
u8 home_place_bounce(struct home_thread *t);
void home_place_again(struct procshare_process *p, struct home_thread *t);

/* home_luggage.c */
int home_luggage_prepare(struct home_thread *t, unsigned int node,
			 const struct pt_regs *regs);
void home_luggage_pack(struct home_thread *t, unsigned int node,
		       struct procshare_wire_thread *state);

/* home_time.c */
void home_thread_account(struct home_thread *t);
void home_thread_account_from(struct home_thread *t);
void home_thread_account_begin(struct home_thread *t);
void home_thread_account_stay(struct home_thread *t, u64 user, u64 system, u32 rate);
void home_thread_account_estimate(struct home_thread *t);
void home_thread_count_local(struct home_thread *t, u32 total);

/* executor.c */
void executor_leave(struct home_thread *t, struct pt_regs *regs);
void executor_abandon(struct home_thread *t);
void executor_ask(struct procshare_process *p, struct home_thread *t, u8 target);
void executor_message(struct procshare_process *p, struct procshare_msg *msg);

/* executor_migrate.c */
bool executor_depart(struct home_thread *t, struct pt_regs *regs);
void executor_arrive(struct home_thread *t);
void executor_come_home(struct home_thread *t, struct pt_regs *regs,
			struct procshare_msg *msg);

/* executor_call.c */
bool executor_watched(void);
bool executor_watched_at_exit(void);
struct procshare_msg *executor_alloc_return(struct home_thread *t, size_t room);
void executor_task_work(void);
void executor_notified(void);
void executor_call(struct pt_regs *regs, const struct pt_regs *args, long nr);
bool executor_serve_call(struct home_thread *t, struct pt_regs *regs,
			 struct procshare_msg *msg);
void executor_turn_call_away(struct home_thread *t, struct pt_regs *regs,
			     struct procshare_msg *msg);

/* executor_carried.c */
void executor_store(struct pt_regs *regs, long nr, const void *pieces, size_t n);
struct procshare_msg *executor_make_carried(struct home_thread *t, struct pt_regs *regs,
					    long nr, const struct procshare_msg *msg,
					    size_t *brought);

#endif /* _PROCSHARE_HOME_THREAD_H */
