// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - shadow_stay: a thread of another node arrives, runs, goes home
 *
 * Between two stays the task is parked in shadow_exit_work(), on its way to user
 * mode.  Its traps and whatever else only home can judge send it back, with its
 * registers as they were.
 */

#include <linux/ptrace.h>
#include <linux/resume_user_mode.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <asm/vdso.h>

#include "migrate.h"
#include "shadow.h"
#include "thread_state.h"
#include "vdso.h"

/* A function of the vDSO takes less. */
#define VDSO_PATIENCE_NS	(20 * NSEC_PER_USEC)

/* ---- going home ---- */

/* CPU time of the stay in ns. */
void shadow_thread_used_cpu(const struct shadow_thread *st, u64 *user, u64 *system)
{
	task_cputime_adjusted(st->task, user, system);
	*user -= st->arrival_user;
	*system -= st->arrival_system;
}

static struct procshare_msg *pack_back(struct shadow_thread *st, struct pt_regs *regs)
{
	struct procshare_wire_thread *state;
	struct procshare_msg *msg;
	u64 user, system;

	msg = migrate_pack(PROCSHARE_WIRE_BACK, st->shadow->id, st->tid, regs);
	if (!msg)
		return NULL;
	state = (void *)msg->body;
	shadow_thread_used_cpu(st, &user, &system);
	state->user_ns = cpu_to_le64(user);
	state->system_ns = cpu_to_le64(system);
	state->reason = cpu_to_le32(st->reason);
	state->calls_local = cpu_to_le32(st->calls_local);
	state->trap = cpu_to_le32(st->trap);
	shadow_clock_leave(st->shadow, state);
	return msg;
}

static void send_back(struct shadow_thread *st, struct pt_regs *regs)
{
	struct procshare_msg *msg;
	unsigned long offset;

	if (st->rewind) {
		regs->ip -= 2;
		regs->ax = st->local_nr;
	}
	offset = shadow_vdso_offset(st, regs);
	regs->ip += procshare_vdso_rewind(offset) - offset;
	shadow_ahead_departure(st, regs);
	shadow_cpu_leave(st);
	shadow_pace_end(st);
	msg = pack_back(st, regs);
	st->running = false;
	st->back = false;
	st->rewind = false;
	WRITE_ONCE(st->recalled, false);
	if (msg)
		procshare_send(st->shadow->home, msg);
	else
		shadow_kill(st->shadow, "a thread's state could not be saved");
}

/* Single step and INT1 trap behind the instruction, which must not be repeated. */
static int debug_trap(const kernel_siginfo_t *info)
{
	if (info->si_signo == SIGTRAP &&
	    (info->si_code == TRAP_TRACE || info->si_code == TRAP_BRKPT))
		return info->si_code;
	return 0;
}

/*
 * A trap of the thread's own instruction has become a signal here.  Home will
 * raise it again: the instruction is executed there, and may even succeed.
 */
static bool take_trap(struct shadow_thread *st, struct pt_regs *regs)
{
	struct sigpending *pending = &current->pending;
	bool trapped = false;
	struct sigqueue *q;

	if (!task_sigpending(current))
		return false;
	spin_lock_irq(&current->sighand->siglock);
	/* All other signals are blocked; a group exit is not ours to take. */
	if (!(current->signal->flags & SIGNAL_GROUP_EXIT) &&
	    !sigismember(&pending->signal, SIGKILL)) {
		trapped = !sigisemptyset(&pending->signal);
		list_for_each_entry(q, &pending->list, list)
			st->trap = debug_trap(&q->info);
		flush_sigqueue(pending);
		/* Not the freezer's. */
		recalc_sigpending();
	}
	spin_unlock_irq(&current->sighand->siglock);
	if (trapped)
		regs->ip -= procshare_trap_length(regs);
	/* The next signal may not come from an instruction. */
	current->thread.trap_nr = 0;
	return trapped;
}

/* Have current go home before it executes another instruction. */
void shadow_thread_go_home(struct shadow_thread *st, u32 reason, bool rewind)
{
	st->back = true;
	st->rewind = rewind;
	st->reason = reason;
	set_thread_flag(TIF_NOTIFY_RESUME);
}

/* Has @st's task used up its share of user CPU time on this node? */
bool shadow_thread_has_bounced(const struct shadow_thread *st,
			       const struct task_struct *task)
{
	return st->bounce_ms && task->utime - st->arrival_utime >=
				(u64)st->bounce_ms * NSEC_PER_MSEC;
}

/*
 * The vDSO's data pages lie differently in a time namespace than at home: a
 * thread that is between two looks at them finishes there first.  The functions
 * that do not look begin anew at home.
 */
static bool in_vdso(const struct shadow_thread *st, const struct pt_regs *regs)
{
	unsigned long offset = shadow_vdso_offset(st, regs);

	return offset < vdso_image_64.size && !procshare_vdso_differs(offset);
}

static bool is_called_away(const struct shadow_thread *st)
{
	return READ_ONCE(st->recalled) || shadow_thread_has_bounced(st, current);
}

/* Should current leave now, and why? */
static bool must_go(struct shadow_thread *st, struct pt_regs *regs)
{
	if (take_trap(st, regs)) {
		if (!st->back)
			shadow_thread_go_home(st, PROCSHARE_BACK_FAULT, false);
		return true;
	}
	if (st->back)
		return true;
	if (!is_called_away(st))
		return false;
	if (in_vdso(st, regs)) {
		hrtimer_start(&st->again, VDSO_PATIENCE_NS, HRTIMER_MODE_REL);
		return false;
	}
	shadow_thread_go_home(st, READ_ONCE(st->recalled) ? PROCSHARE_BACK_SIGNAL :
			      PROCSHARE_BACK_BOUNCE, false);
	return true;
}

/* ---- arriving ---- */

static bool load(struct shadow_thread *st, struct pt_regs *regs,
		 struct procshare_msg *msg)
{
	struct procshare_wire_thread *state = (void *)msg->body;

	if (msg->length < sizeof(*state) ||
	    !migrate_load_xstate(msg, sizeof(*state),
				 le32_to_cpu(state->xstate_length)) ||
	    procshare_load_regs(regs, state->regs))
		return false;
	regs->orig_ax = -1;
	st->bounce_ms = le32_to_cpu(state->bounce_ms);
	st->watched = le32_to_cpu(state->flags) & PROCSHARE_THREAD_WATCHED;
	st->calls_local = 0;
	st->trap = 0;
	st->arrival_utime = current->utime;
	task_cputime_adjusted(current, &st->arrival_user, &st->arrival_system);
	shadow_ahead_arrival(st, regs, le64_to_cpu(state->rseq));
	procshare_push();
	shadow_cpu_arrive(st, state);
	shadow_clock_arrive(st->shadow, state);
	st->back = false;
	st->running = true;
	shadow_pace_begin(st);
	return true;
}

/* The thread that @msg brings cannot run here: it goes back as it came. */
void shadow_decline(struct shadow *s, struct procshare_msg *msg)
{
	struct procshare_wire_thread *state = (void *)msg->body;

	if (msg->length < sizeof(*state)) {
		procshare_msg_free(msg);
		shadow_kill(s, "home sent a thread without its state");
		return;
	}
	msg->type = PROCSHARE_WIRE_BACK;
	state->reason = cpu_to_le32(PROCSHARE_BACK_ERROR);
	state->user_ns = 0;
	state->system_ns = 0;
	state->calls_local = 0;
	state->trap = 0;
	procshare_send(s->home, msg);
}

/* Parked: false when the task is to die instead of running again. */
static bool arrive(struct shadow_thread *st, struct pt_regs *regs)
{
	struct procshare_msg *msg;

	while (!st->running) {
		msg = shadow_thread_await(st);
		if (!msg)
			return false;
		if (msg->type == PROCSHARE_WIRE_EXIT) {
			procshare_msg_free(msg);
			do_exit(0);
		}
		if (msg->type == PROCSHARE_WIRE_MIGRATE && !load(st, regs, msg))
			shadow_decline(st->shadow, msg);
		else
			procshare_msg_free(msg);
	}
	return true;
}

unsigned long shadow_exit_work(struct pt_regs *regs, unsigned long ti_work)
{
	struct shadow_thread *st = shadow_thread_current();

	if (fatal_signal_pending(current))
		return ti_work;
	if (READ_ONCE(st->shadow->dead))
		do_group_exit(SIGKILL);
	st->in_local = false;
	/* What home is to repeat comes first; it aborts a sequence itself. */
	if (st->running && take_trap(st, regs) && !st->back)
		shadow_thread_go_home(st, PROCSHARE_BACK_FAULT, false);
	if (st->back || (is_called_away(st) && !in_vdso(st, regs)))
		shadow_cpu_leave(st);
	/* Cleared before looking: what is asked from now on makes another round. */
	if (ti_work & _TIF_NOTIFY_RESUME)
		resume_user_mode_work(regs);
	while (!st->running || must_go(st, regs)) {
		if (st->running)
			send_back(st, regs);
		/* Never user mode without a thread's state. */
		if (!arrive(st, regs))
			do_group_exit(SIGKILL);
	}
	return read_thread_flags() & ~_TIF_NOTIFY_RESUME;
}
