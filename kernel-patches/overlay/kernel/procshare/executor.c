// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - executor: a home thread while its thread is away
 *
 * executor_leave() sends the thread's state out and does not return before the
 * thread is back (or both die).  In between the home thread sleeps in the
 * kernel, executes the calls that its thread forwards, and brings the thread
 * home when there is something that only home can do.  It looks to the rest of
 * the kernel like a thread in an interruptible wait.
 */

#include <linux/freezer.h>
#include <linux/sched/signal.h>
#include <linux/task_work.h>

#include "home.h"
#include "rseq.h"

/* Longest wait for the registers of a thread whose process dumps core. */
#define DUMP_TIMEOUT	(2 * HZ)

/* One call or return home, and the CPU time until then. */
#define MOST_MESSAGES	64

/* ---- messages ---- */

/*
 * An executor may be kept from running for long, by a freezer for example.  The CPU time
 * that has come last says all that is to be known of it.
 */
static struct procshare_msg *take_outdated(struct home_thread *t,
					   const struct procshare_msg *msg)
{
	struct procshare_msg *last;

	if (msg->type != PROCSHARE_WIRE_TIME || list_empty(&t->inbox))
		return NULL;
	last = list_last_entry(&t->inbox, struct procshare_msg, node);
	if (last->type != PROCSHARE_WIRE_TIME)
		return NULL;
	list_del(&last->node);
	t->inbox_length--;
	return last;
}

void executor_message(struct procshare_process *p, struct procshare_msg *msg)
{
	struct home_thread *t = home_thread_find(p, msg->thread);
	struct procshare_msg *outdated = NULL;
	bool flood = false;

	if (!t) {
		procshare_msg_free(msg);
		return;
	}
	spin_lock(&t->inbox_lock);
	/* Only the node where the thread runs may speak for it. */
	if (READ_ONCE(t->node) == msg->peer) {
		outdated = take_outdated(t, msg);
		flood = t->inbox_length == MOST_MESSAGES;
		if (!flood) {
			t->inbox_length++;
			list_add_tail(&msg->node, &t->inbox);
			msg = NULL;
		}
	}
	spin_unlock(&t->inbox_lock);
	if (outdated)
		procshare_msg_free(outdated);
	if (flood)
		process_doom(p, "a node sends more than its thread can say");
	if (msg)
		procshare_msg_free(msg);
	else
		wake_up(&t->wait);
	home_thread_put(t);
}

static struct procshare_msg *next_message(struct home_thread *t)
{
	struct procshare_msg *msg;

	spin_lock(&t->inbox_lock);
	msg = list_first_entry_or_null(&t->inbox, struct procshare_msg, node);
	if (msg) {
		list_del(&msg->node);
		t->inbox_length--;
	}
	spin_unlock(&t->inbox_lock);
	return msg;
}

/* What says no more than its type, of @t of @p. */
static struct procshare_msg *plain(const struct procshare_process *p,
				   const struct home_thread *t, u8 type, gfp_t gfp)
{
	struct procshare_msg *msg = procshare_msg_alloc(type, 0, gfp);

	if (!msg)
		return NULL;
	msg->process = p->id;
	msg->thread = t->tid;
	return msg;
}

/*
 * Queue @msg, a RECALL, if that has not been done during this stay.  inbox_lock is
 * held.  Returns @msg if it was not needed; the caller pushes.
 */
static struct procshare_msg *queue_recall(struct home_thread *t, struct procshare_msg *msg)
{
	if (!msg || t->recalled || t->node == PROCSHARE_NODE_HOME)
		return msg;
	WRITE_ONCE(t->recalled, true);
	procshare_queue(t->node, msg);
	return NULL;
}

/* Ask the node for current's thread. */
static void recall(struct home_thread *t)
{
	struct procshare_msg *msg;

	if (READ_ONCE(t->recalled))
		return;
	msg = plain(t->process, t, PROCSHARE_WIRE_RECALL, GFP_KERNEL);
	spin_lock(&t->inbox_lock);
	msg = queue_recall(t, msg);
	spin_unlock(&t->inbox_lock);
	if (msg)
		procshare_msg_free(msg);
	procshare_push();
}

/*
 * Somebody wants @t of @p, whom the caller keeps, to move to @target.  Where it is
 * away its node is told at once, without its executor.  The caller pushes.
 */
void executor_ask(struct procshare_process *p, struct home_thread *t, u8 target)
{
	struct procshare_msg *msg = plain(p, t, PROCSHARE_WIRE_RECALL, GFP_ATOMIC);
	bool told;

	spin_lock(&t->inbox_lock);
	/* All at once: where it is going already nobody calls it back from. */
	WRITE_ONCE(t->target, target);
	WRITE_ONCE(t->asked, true);
	msg = queue_recall(t, msg);
	told = t->recalled;
	spin_unlock(&t->inbox_lock);
	if (msg)
		procshare_msg_free(msg);
	if (!told)
		wake_up(&t->wait);
}

static void serve_time(struct home_thread *t, struct procshare_msg *msg)
{
	struct procshare_wire_time *time = (void *)msg->body;

	if (msg->length == sizeof(*time))
		home_thread_account_stay(t, le64_to_cpu(time->user_ns),
					 le64_to_cpu(time->system_ns),
					 le32_to_cpu(time->rate));
	procshare_msg_free(msg);
	executor_task_work();
}

/* Wait for BACK although signals are pending; NULL if it will not come. */
static struct procshare_msg *await_back(struct home_thread *t, struct pt_regs *regs)
{
	unsigned long end = jiffies + DUMP_TIMEOUT;
	struct procshare_msg *msg = NULL;

	for (;;) {
		bool dump = READ_ONCE(current->signal->core_state);

		while ((msg = next_message(t))) {
			if (msg->type == PROCSHARE_WIRE_BACK)
				return msg;
			if (msg->type == PROCSHARE_WIRE_CALL)
				executor_turn_call_away(t, regs, msg);
			else
				serve_time(t, msg);
		}
		if (READ_ONCE(t->process->doomed))
			return NULL;
		if (fatal_signal_pending(current)) {
			if (!dump || time_after(jiffies, end))
				return NULL;
			wait_event_timeout(t->wait, !list_empty(&t->inbox) ||
					   t->process->doomed, HZ / 10);
		} else {
			wait_event_killable(t->wait, !list_empty(&t->inbox) ||
					    t->process->doomed);
		}
	}
}

/* ---- the wait ---- */

/* The thread has been told to come home. */
static void fetch(struct home_thread *t, struct pt_regs *regs)
{
	struct procshare_msg *msg = await_back(t, regs);

	if (msg)
		executor_come_home(t, regs, msg);
	else
		executor_arrive(t);
}

static bool something_to_do(struct home_thread *t)
{
	return !list_empty(&t->inbox) || READ_ONCE(t->asked) ||
	       READ_ONCE(t->process->doomed);
}

/* Sleep until there is a message, a signal, a wish to move or something to charge. */
static void await(struct home_thread *t)
{
	long period = t->estimate.rate ? CPU_PERIOD : MAX_SCHEDULE_TIMEOUT;

	WRITE_ONCE(t->computes, true);
	if (READ_ONCE(t->recalled))
		wait_event_killable_timeout(t->wait, !list_empty(&t->inbox) ||
					    READ_ONCE(t->process->doomed), period);
	else
		wait_event_freezable_timeout(t->wait, something_to_do(t), period);
	WRITE_ONCE(t->computes, false);
	executor_notified();
}

/* One round: true while the thread is still away. */
static bool serve(struct home_thread *t, struct pt_regs *regs)
{
	struct procshare_msg *msg;

	if (READ_ONCE(t->process->doomed) || fatal_signal_pending(current)) {
		recall(t);
		fetch(t, regs);
		return false;
	}
	msg = next_message(t);
	if (msg && msg->type == PROCSHARE_WIRE_CALL) {
		if (!executor_serve_call(t, regs, msg))
			return true;
		fetch(t, regs);
		return false;
	}
	if (msg && msg->type == PROCSHARE_WIRE_TIME) {
		serve_time(t, msg);
		return true;
	}
	if (msg) {
		executor_come_home(t, regs, msg);
		return false;
	}
	if (READ_ONCE(t->asked) || task_sigpending(current))
		recall(t);
	await(t);
	/* What has come meanwhile may know better. */
	if (t->estimate.rate && list_empty(&t->inbox)) {
		home_thread_account_estimate(t);
		executor_task_work();
	}
	return true;
}

/*
 * Run current's thread on t->target until it comes home.  On return @regs and
 * the rest of current's user state are the thread's.
 */
void executor_leave(struct home_thread *t, struct pt_regs *regs)
{
	do {
		if (!executor_depart(t, regs))
			break;
		while (serve(t, regs))
			;
		/* From one remote node to another without a stop in between. */
	} while (home_thread_wants_away(t) && !signal_pending(current) &&
		 !t->process->doomed);

	home_ahead_arrival(t->process, regs);
	procshare_push();
	thread_rseq_moved();
	set_thread_flag(TIF_NOTIFY_RESUME);
}

/* current ends, perhaps while its thread is away: no node keeps a part of it. */
void executor_abandon(struct home_thread *t)
{
	struct procshare_msg *msg;
	unsigned int node;

	if (!t->process)
		return;
	if (t->node != PROCSHARE_NODE_HOME)
		executor_arrive(t);
	for (node = 0; node < PROCSHARE_MAX_NODES; node++) {
		if (!(t->visited & coh_bit(node)))
			continue;
		msg = plain(t->process, t, PROCSHARE_WIRE_EXIT, GFP_KERNEL);
		if (msg)
			procshare_send(node, msg);
	}
	t->visited = 0;
}
