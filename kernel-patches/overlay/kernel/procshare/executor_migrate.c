// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - executor_migrate: a home thread's state goes out and comes back
 *
 * From executor_depart() to executor_arrive() the thread counts as hosted by the
 * other node, and only that node may speak for it.  Why it came home decides when
 * it may leave again.
 */

#include <linux/ptrace.h>

#include "cluster.h"
#include "home.h"
#include "migrate.h"
#include "thread_state.h"

#include <trace/events/procshare.h>

/* First stay at home after it touched what cannot be exported; doubled. */
#define STAY_MIN	msecs_to_jiffies(8)
#define STAY_MAX	(2 * HZ)
/* CPU time elsewhere about as long as a journey; more, where the thread has not moved on. */
#define WORTHWHILE_NS		(100 * NSEC_PER_USEC)
#define WORTHWHILE_STILL_NS	NSEC_PER_MSEC

/* MIGRATE: the state of current, whose user registers are @regs. */
static struct procshare_msg *pack_thread(struct home_thread *t, struct pt_regs *regs,
					 unsigned int node)
{
	struct procshare_wire_thread *state;
	struct procshare_msg *msg;

	msg = migrate_pack(PROCSHARE_WIRE_MIGRATE, t->process->id, t->tid, regs);
	if (!msg)
		return NULL;
	state = (void *)msg->body;
	home_clocks_pack_thread(state);
	if (t->process->policy == PROCSHARE_POLICY_BOUNCE)
		state->bounce_ms = cpu_to_le32(t->session->params.bounce_ms);
	if (executor_watched())
		state->flags = cpu_to_le32(PROCSHARE_THREAD_WATCHED);
	home_luggage_pack(t, node, state);
	return msg;
}

/*
 * Where messages are expected from now on; what is left of before is dropped.  @state
 * goes there before anybody can call the thread back; the caller pushes.
 */
static void set_node(struct home_thread *t, u8 node, struct procshare_msg *state)
{
	struct procshare_msg *msg, *next;
	LIST_HEAD(stale);

	spin_lock(&t->inbox_lock);
	WRITE_ONCE(t->node, node);
	WRITE_ONCE(t->recalled, false);
	if (state)
		procshare_queue(node, state);
	list_splice_init(&t->inbox, &stale);
	t->inbox_length = 0;
	spin_unlock(&t->inbox_lock);
	list_for_each_entry_safe(msg, next, &stale, node)
		procshare_msg_free(msg);
}

/* Anything that keeps @t from leaving for t->target; then it is ready to go. */
static int prepare(struct home_thread *t, struct pt_regs *regs, unsigned int node)
{
	struct procshare_process *p = t->process;

	if (node >= PROCSHARE_MAX_NODES)
		return -EINVAL;
	return process_expose(p) ?: process_host(p, node) ?:
	       home_luggage_prepare(t, node, regs);
}

static int depart(struct home_thread *t, struct pt_regs *regs)
{
	struct procshare_process *p = t->process;
	struct procshare_msg *msg;
	int err;
	u8 node;

	/* Who asks from now on brings the thread back from where it is going. */
	WRITE_ONCE(t->asked, false);
	/* pairs with the lock of executor_ask(): the target first, then asked */
	smp_mb();
	node = READ_ONCE(t->target);
	err = prepare(t, regs, node);
	if (err)
		return err;
	msg = pack_thread(t, regs, node);
	if (!msg)
		return -ENOMEM;
	t->in_call = false;
	t->raising = false;
	home_thread_account_begin(t);
	t->stay_calls_local = 0;
	usage_hosted(p, p->home, -1);
	usage_hosted(p, node, 1);
	usage_count(p, node, PROCSHARE_COUNT_ARRIVALS, 1);
	t->visited |= coh_bit(node);
	trace_procshare_leave(p->id, t->tid, node);
	set_node(t, node, msg);
	procshare_push();
	return 0;
}

/* For a while; longer each time, if it is not the first time lately. */
static void stay_at_home(struct home_thread *t)
{
	if (time_before(jiffies, t->stay_until + HZ) && t->backoff)
		t->backoff = min_t(unsigned int, 2 * t->backoff, STAY_MAX);
	else
		t->backoff = STAY_MIN;
	t->stay_until = jiffies + t->backoff;
}

/* Was it worth the journey?  If not, home had better do a little first. */
static bool was_useful(const struct procshare_wire_thread *state, bool moved)
{
	u64 used = le64_to_cpu(state->user_ns) + le64_to_cpu(state->system_ns);

	return used >= (moved ? WORTHWHILE_NS : WORTHWHILE_STILL_NS);
}

/*
 * What the reason means for when the thread may leave again.  Where its stay was not
 * @useful, signals come faster than it can travel, or home was not to raise the fault.
 */
static void plan_next_stay(struct home_thread *t, const struct pt_regs *regs, u32 reason,
			   bool useful)
{
	switch (reason) {
	case PROCSHARE_BACK_BOUNCE:
		WRITE_ONCE(t->target, home_place_bounce(t));
		break;
	case PROCSHARE_BACK_CALL:
		t->until_call = true;
		break;
	case PROCSHARE_BACK_SIGNAL:
		if (t->asked)
			break;
		home_thread_expect_handler(t, regs);
		if (!useful)
			stay_at_home(t);
		break;
	case PROCSHARE_BACK_FAULT:
	case PROCSHARE_BACK_MEMORY:
		t->raising = useful;
		fallthrough;
	case PROCSHARE_BACK_ERROR:
		stay_at_home(t);
		break;
	default:
		break;
	}
}

/* Send the thread to t->target.  False, and plans a stay, if that cannot be done. */
bool executor_depart(struct home_thread *t, struct pt_regs *regs)
{
	int err = depart(t, regs);

	if (!err)
		return true;
	pace_start();
	/* In a restartable sequence: that does not last. */
	if (err == -EBUSY) {
		t->stay_until = jiffies + 1;
		return false;
	}
	usage_reason(t->process, PROCSHARE_BACK_ERROR);
	plan_next_stay(t, regs, PROCSHARE_BACK_ERROR, false);
	return false;
}

/* The thread is at home, or given up: its node has no more to say. */
void executor_arrive(struct home_thread *t)
{
	usage_count(t->process, t->node, PROCSHARE_COUNT_DEPARTURES, 1);
	usage_hosted(t->process, t->node, -1);
	usage_hosted(t->process, t->process->home, 1);
	set_node(t, PROCSHARE_NODE_HOME, NULL);
	pace_start();
}

/*
 * BACK: make the state current's own.  If a forwarded call is under way here,
 * home's registers are the true ones and only the rest is taken.
 */
static bool unpack_thread(struct home_thread *t, struct pt_regs *regs,
			  struct procshare_msg *msg)
{
	struct procshare_wire_thread *state = (void *)msg->body;

	if (msg->length < sizeof(*state) ||
	    !migrate_load_xstate(msg, sizeof(*state),
				 le32_to_cpu(state->xstate_length)))
		return false;
	if (!t->in_call) {
		if (procshare_restore_regs(regs, state->regs))
			return false;
		regs->orig_ax = -1;
	}
	home_clocks_arrive(state);
	home_thread_account_stay(t, le64_to_cpu(state->user_ns),
				 le64_to_cpu(state->system_ns), 0);
	home_thread_count_local(t, le32_to_cpu(state->calls_local));
	return true;
}

/* The reason to count: home may know better than the node that was asked. */
static u32 reason_of(const struct home_thread *t, u32 reason)
{
	if (reason != PROCSHARE_BACK_SIGNAL && reason != PROCSHARE_BACK_CALL)
		return reason;
	if (current->ptrace || executor_watched_at_exit())
		return PROCSHARE_BACK_TRACED;
	return reason == PROCSHARE_BACK_SIGNAL && t->asked ? PROCSHARE_BACK_ASKED :
							     reason;
}

/* The thread is home, or as good as dead. Counted reason in @msg. */
void executor_come_home(struct home_thread *t, struct pt_regs *regs,
			struct procshare_msg *msg)
{
	struct procshare_wire_thread *state = (void *)msg->body;
	unsigned long ip = regs->ip, sp = regs->sp;

	if (!unpack_thread(t, regs, msg)) {
		process_doom(t->process, "a node sent a thread back without its state");
	} else {
		u32 reason = le32_to_cpu(state->reason);
		int trap = le32_to_cpu(state->trap);
		bool moved = t->in_call || regs->ip != ip || regs->sp != sp;

		if (trap == TRAP_TRACE || trap == TRAP_BRKPT)
			send_sigtrap(regs, 0, trap);
		usage_reason(t->process, reason_of(t, reason));
		trace_procshare_back(t->process->id, t->tid, t->node,
				     reason_of(t, reason));
		/* What the trap raises has been raised above. */
		plan_next_stay(t, regs, reason, !trap && was_useful(state, moved));
	}
	executor_arrive(t);
	procshare_msg_free(msg);
}
