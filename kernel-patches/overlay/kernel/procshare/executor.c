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

#include <linux/entry-common.h>
#include <linux/freezer.h>
#include <linux/nospec.h>
#include <linux/rseq.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/timekeeping.h>
#include <asm/syscall.h>

#include "cluster.h"
#include "home.h"
#include "migrate.h"
#include "syscalls.h"
#include "thread_state.h"

#include <trace/events/procshare.h>

/* Longest wait for the registers of a thread whose process dumps core. */
#define DUMP_TIMEOUT	(2 * HZ)

/* First stay at home after it touched what cannot be exported; doubled. */
#define STAY_MIN	msecs_to_jiffies(8)
#define STAY_MAX	(2 * HZ)

void executor_message(struct procshare_process *p, struct procshare_msg *msg)
{
	struct home_thread *t = home_thread_find(p, msg->thread);

	if (!t) {
		procshare_msg_free(msg);
		return;
	}
	spin_lock(&t->inbox_lock);
	/* Only the node where the thread runs may speak for it. */
	if (READ_ONCE(t->node) == msg->peer) {
		list_add_tail(&msg->node, &t->inbox);
		msg = NULL;
	}
	spin_unlock(&t->inbox_lock);
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
	if (msg)
		list_del(&msg->node);
	spin_unlock(&t->inbox_lock);
	return msg;
}

static bool send_plain(struct home_thread *t, unsigned int node, u8 type)
{
	struct procshare_msg *msg = procshare_msg_alloc(type, 0, GFP_KERNEL);

	if (!msg)
		return false;
	msg->process = t->process->id;
	msg->thread = t->tid;
	procshare_send(node, msg);
	return true;
}

/* Ask the node for the thread, once a stay. */
static void recall(struct home_thread *t)
{
	if (!t->recalled)
		t->recalled = send_plain(t, t->node, PROCSHARE_WIRE_RECALL);
}

static void send_return(struct home_thread *t, u64 value, u32 flags)
{
	struct procshare_wire_return *ret;
	struct procshare_msg *msg;

	msg = procshare_msg_alloc(PROCSHARE_WIRE_RETURN, sizeof(*ret), GFP_KERNEL);
	if (!msg) {
		process_doom(t->process, "no memory for a result");
		return;
	}
	msg->process = t->process->id;
	msg->thread = t->tid;
	ret = (void *)msg->body;
	ret->value = cpu_to_le64(value);
	ret->flags = cpu_to_le32(flags);
	ret->reserved = 0;
	trace_procshare_return(msg->process, t->tid, value, flags);
	procshare_send(t->node, msg);
}

/* @user, @system: the stay's totals as the node reports them; they only grow. */
static void account_stay(struct home_thread *t, u64 user, u64 system)
{
	if (user < t->stay_user_ns || system < t->stay_system_ns)
		return;
	user -= t->stay_user_ns;
	system -= t->stay_system_ns;
	t->stay_user_ns += user;
	t->stay_system_ns += system;
	usage_cpu(t->process, t->node, user, system);
	home_thread_burn(t, user, system);
}

static void serve_time(struct home_thread *t, struct procshare_msg *msg)
{
	struct procshare_wire_time *time = (void *)msg->body;

	if (msg->length == sizeof(*time))
		account_stay(t, le64_to_cpu(time->user_ns),
			     le64_to_cpu(time->system_ns));
	procshare_msg_free(msg);
}

#ifdef CONFIG_RSEQ
/* Programs leave the pointer behind when they are done: look where they are. */
static bool in_critical_section(struct pt_regs *regs, u64 address)
{
	struct rseq_cs cs;

	if (copy_from_user(&cs, (void __user *)address, sizeof(cs)))
		return true;
	return regs->ip - cs.start_ip < cs.post_commit_offset;
}
#endif

/*
 * A CPU number of this node means nothing on another one: the restartable
 * sequences area says "not registered" while the thread is away.
 */
static int park_rseq(struct pt_regs *regs)
{
#ifdef CONFIG_RSEQ
	struct rseq __user *rseq = current->rseq;
	u64 cs;

	if (!rseq)
		return 0;
	if (get_user(cs, &rseq->rseq_cs))
		return -EFAULT;
	if (cs && in_critical_section(regs, cs))
		return -EBUSY;
	if (put_user(0u, &rseq->cpu_id_start) ||
	    put_user((u32)RSEQ_CPU_ID_UNINITIALIZED, &rseq->cpu_id))
		return -EFAULT;
#endif
	return 0;
}

/* MIGRATE: the state of current, whose user registers are @regs. */
static struct procshare_msg *pack_thread(struct home_thread *t, struct pt_regs *regs)
{
	struct procshare_wire_thread *state;
	struct procshare_msg *msg;

	msg = migrate_pack(PROCSHARE_WIRE_MIGRATE, t->process->id, t->tid, regs);
	if (!msg)
		return NULL;
	state = (void *)msg->body;
	state->monotonic = cpu_to_le64(ktime_get_ns());
	if (t->process->policy == PROCSHARE_POLICY_BOUNCE)
		state->bounce_ms = cpu_to_le32(t->session->params.bounce_ms);
	return msg;
}

/* Where messages are expected from now on; what is left of before is dropped. */
static void set_node(struct home_thread *t, u8 node)
{
	struct procshare_msg *msg, *next;
	LIST_HEAD(stale);

	spin_lock(&t->inbox_lock);
	WRITE_ONCE(t->node, node);
	list_splice_init(&t->inbox, &stale);
	spin_unlock(&t->inbox_lock);
	list_for_each_entry_safe(msg, next, &stale, node)
		procshare_msg_free(msg);
}

static bool depart(struct home_thread *t, struct pt_regs *regs)
{
	struct procshare_process *p = t->process;
	struct procshare_msg *msg;
	u8 node = READ_ONCE(t->target);

	if (node >= PROCSHARE_MAX_NODES)
		return false;
	if (process_expose(p) || process_host(p, node) || park_rseq(regs))
		return false;
	msg = pack_thread(t, regs);
	if (!msg)
		return false;
	t->recalled = false;
	t->asked = false;
	t->in_call = false;
	t->stay_user_ns = 0;
	t->stay_system_ns = 0;
	usage_hosted(p, procshare_self(), -1);
	usage_hosted(p, node, 1);
	usage_count(p, node, PROCSHARE_COUNT_ARRIVALS, 1);
	t->visited |= coh_bit(node);
	set_node(t, node);
	trace_procshare_leave(p->id, t->tid, node);
	procshare_send(node, msg);
	return true;
}

static void arrive(struct home_thread *t)
{
	usage_count(t->process, t->node, PROCSHARE_COUNT_DEPARTURES, 1);
	usage_hosted(t->process, t->node, -1);
	usage_hosted(t->process, procshare_self(), 1);
	set_node(t, PROCSHARE_NODE_HOME);
}

/* What the reason means for when the thread may leave again. */
static void plan_next_stay(struct home_thread *t, u32 reason)
{
	switch (reason) {
	case PROCSHARE_BACK_BOUNCE:
		WRITE_ONCE(t->target, home_thread_bounce(t));
		break;
	case PROCSHARE_BACK_CALL:
		t->until_call = true;
		break;
	case PROCSHARE_BACK_FAULT:
	case PROCSHARE_BACK_MEMORY:
	case PROCSHARE_BACK_ERROR:
		if (time_before(jiffies, t->stay_until + HZ) && t->backoff)
			t->backoff = min_t(unsigned int, 2 * t->backoff, STAY_MAX);
		else
			t->backoff = STAY_MIN;
		t->stay_until = jiffies + t->backoff;
		break;
	default:
		break;
	}
}

/*
 * BACK: make the state current's own.  @keep_regs: a forwarded call is under way
 * here, so home's registers are the true ones and only the rest is taken.
 */
static bool unpack_thread(struct home_thread *t, struct pt_regs *regs,
			  struct procshare_msg *msg, bool keep_regs)
{
	struct procshare_wire_thread *state = (void *)msg->body;

	if (msg->length < sizeof(*state) ||
	    !migrate_load_xstate(msg, sizeof(*state),
				 le32_to_cpu(state->xstate_length)))
		return false;
	if (!keep_regs) {
		if (procshare_restore_regs(regs, state->regs))
			return false;
		regs->orig_ax = -1;
	}
	account_stay(t, le64_to_cpu(state->user_ns), le64_to_cpu(state->system_ns));
	return true;
}

/* The thread is home, or as good as dead. Counted reason in @msg. */
static void come_home(struct home_thread *t, struct pt_regs *regs,
		      struct procshare_msg *msg, bool keep_regs)
{
	struct procshare_wire_thread *state = (void *)msg->body;

	if (!unpack_thread(t, regs, msg, keep_regs)) {
		process_doom(t->process, "a node sent a thread back without its state");
	} else {
		u32 reason = le32_to_cpu(state->reason);

		if (reason == PROCSHARE_BACK_SIGNAL && t->asked)
			reason = PROCSHARE_BACK_ASKED;
		trace_procshare_back(t->process->id, t->tid, t->node, reason);
		usage_reason(t->process, reason);
		if (!keep_regs)
			plan_next_stay(t, reason);
	}
	arrive(t);
	procshare_msg_free(msg);
}

/* clone and fork copy current's extended state: it came along. */
static bool load_call(struct pt_regs *regs, struct procshare_msg *msg, long *nr)
{
	struct procshare_wire_call *call = (void *)msg->body;
	u32 length;

	if (msg->length < sizeof(*call))
		return false;
	length = le32_to_cpu(call->xstate_length);
	if (length && !migrate_load_xstate(msg, sizeof(*call), length))
		return false;
	/* During a call anything is legal in the stack pointer. */
	if (procshare_restore_regs(regs, call->regs))
		return false;
	*nr = regs->orig_ax;
	return true;
}

/*
 * A call that will not be made any more: what it came with are the registers of
 * the thread, for the dump.
 */
static void turn_call_away(struct home_thread *t, struct pt_regs *regs,
			   struct procshare_msg *msg)
{
	long nr;

	if (load_call(regs, msg, &nr)) {
		trace_procshare_call(t->process->id, t->tid, nr);
		t->in_call = true;
		send_return(t, 0, PROCSHARE_RETURN_STATE);
	}
	procshare_msg_free(msg);
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
				turn_call_away(t, regs, msg);
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

static bool is_restart(long value)
{
	switch (value) {
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		return true;
	default:
		return false;
	}
}

/* Exactly what the entry code does for a call of current's own. */
static void execute(struct pt_regs *regs, long nr)
{
	regs->orig_ax = nr;
	regs->ax = -ENOSYS;
	nr = syscall_enter_from_user_mode_work(regs, nr);
	if (nr >= 0 && nr < NR_syscalls)
		regs->ax = x64_sys_call(regs, array_index_nospec(nr, NR_syscalls));
	if (task_work_pending(current))
		task_work_run();
}

/*
 * Serve one CALL.  True if the thread came home with it: there is a signal,
 * behind which the call may have to be restarted.
 */
static bool serve_call(struct home_thread *t, struct pt_regs *regs,
		       struct procshare_msg *msg)
{
	struct procshare_wire_call *call = (void *)msg->body;
	struct procshare_msg *back;
	bool restart;
	long nr;

	if (!load_call(regs, msg, &nr)) {
		procshare_msg_free(msg);
		process_doom(t->process, "a node sent a call that makes no sense");
		return false;
	}
	trace_procshare_call(t->process->id, t->tid, nr);
	account_stay(t, le64_to_cpu(call->user_ns), le64_to_cpu(call->system_ns));
	procshare_msg_free(msg);
	if (current_thread_info()->syscall_work & SYSCALL_WORK_EXIT ||
	    syscall_class(nr) == SYSCALL_HOME) {
		send_return(t, 0, PROCSHARE_RETURN_HOME);
		return false;
	}
	usage_count(t->process, t->node, PROCSHARE_COUNT_CALLS, 1);
	execute(regs, nr);
	restart = is_restart(regs->ax) && signal_pending(current);
	if (!restart)
		regs->orig_ax = -1;
	/* A signal is delivered right behind the call, not an instruction later. */
	if (!restart && !task_sigpending(current)) {
		send_return(t, regs->ax, 0);
		return false;
	}
	send_return(t, 0, PROCSHARE_RETURN_STATE);
	back = await_back(t, regs);
	if (back)
		come_home(t, regs, back, true);
	else
		arrive(t);
	return true;
}

static bool something_to_do(struct home_thread *t)
{
	return !list_empty(&t->inbox) || READ_ONCE(t->asked) ||
	       READ_ONCE(t->process->doomed);
}

/* Sleep until there is a message, a signal or a wish to move. */
static void await(struct home_thread *t)
{
	if (t->recalled)
		wait_event_killable(t->wait, !list_empty(&t->inbox) ||
				    READ_ONCE(t->process->doomed));
	else
		wait_event_freezable(t->wait, something_to_do(t));
	if (test_thread_flag(TIF_NOTIFY_SIGNAL)) {
		clear_notify_signal();
		task_work_run();
	}
}

/* One round: true while the thread is still away. */
static bool serve(struct home_thread *t, struct pt_regs *regs)
{
	struct procshare_msg *msg;

	if (READ_ONCE(t->process->doomed) || fatal_signal_pending(current)) {
		recall(t);
		msg = await_back(t, regs);
		if (msg)
			come_home(t, regs, msg, t->in_call);
		else
			arrive(t);
		return false;
	}
	msg = next_message(t);
	if (msg && msg->type == PROCSHARE_WIRE_CALL)
		return !serve_call(t, regs, msg);
	if (msg && msg->type == PROCSHARE_WIRE_TIME) {
		serve_time(t, msg);
		return true;
	}
	if (msg) {
		come_home(t, regs, msg, false);
		return false;
	}
	if (READ_ONCE(t->asked) || task_sigpending(current))
		recall(t);
	await(t);
	return true;
}

/*
 * Run current's thread on t->target until it comes home.  On return @regs and
 * the rest of current's user state are the thread's.
 */
void executor_leave(struct home_thread *t, struct pt_regs *regs)
{
	do {
		if (!depart(t, regs)) {
			usage_reason(t->process, PROCSHARE_BACK_ERROR);
			plan_next_stay(t, PROCSHARE_BACK_ERROR);
			return;
		}
		while (serve(t, regs))
			;
		/* From one remote node to another without a stop in between. */
	} while (READ_ONCE(t->target) != PROCSHARE_NODE_HOME && !t->until_call &&
		 time_after_eq(jiffies, t->stay_until) &&
		 !signal_pending(current) && !t->process->doomed);

#ifdef CONFIG_RSEQ
	if (current->rseq)
		rseq_set_notify_resume(current);
#endif
	set_thread_flag(TIF_NOTIFY_RESUME);
}

/* current ends, perhaps while its thread is away: no node keeps a part of it. */
void executor_abandon(struct home_thread *t)
{
	unsigned int node;

	if (!t->process)
		return;
	if (t->node != PROCSHARE_NODE_HOME)
		arrive(t);
	for (node = 0; node < PROCSHARE_MAX_NODES; node++)
		if (t->visited & coh_bit(node))
			send_plain(t, node, PROCSHARE_WIRE_EXIT);
	t->visited = 0;
}
