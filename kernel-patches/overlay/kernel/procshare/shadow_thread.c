// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - shadow thread: runs a thread of another node, and sends it back
 *
 * Between two stays the task is parked in shadow_exit_work(), on its way to user
 * mode.  Its system calls are forwarded; its traps and whatever else only home
 * can judge send it back, with its registers as they were.
 */

#include <linux/delay.h>
#include <linux/ptrace.h>
#include <linux/resume_user_mode.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/time_namespace.h>
#include <asm/syscall.h>
#include <asm/vdso.h>

#include "cluster.h"
#include "migrate.h"
#include "shadow.h"
#include "syscalls.h"
#include "thread_state.h"

#include <trace/events/procshare.h>

/* A function of the vDSO takes less. */
#define VDSO_PATIENCE_NS	(20 * NSEC_PER_USEC)

/* How far home's clock may be ahead of ours before we stop waiting for it. */
#define CLOCK_PATIENCE_US	20000

static void shadow_thread_release(struct kref *ref)
{
	struct shadow_thread *st = container_of(ref, struct shadow_thread, ref);
	struct procshare_msg *msg, *next;

	list_for_each_entry_safe(msg, next, &st->inbox, node)
		procshare_msg_free(msg);
	shadow_put(st->shadow);
	kfree(st);
}

void shadow_thread_put(struct shadow_thread *st)
{
	kref_put(&st->ref, shadow_thread_release);
}

/* current's record, NULL for the leader and for strangers. */
struct shadow_thread *shadow_thread_current(void)
{
	if (!current->procshare || current->procshare->role != PROCSHARE_ROLE_SHADOW)
		return NULL;
	return container_of(current->procshare, struct shadow_thread, base);
}

static struct shadow_thread *find(struct shadow *s, u32 tid)
{
	struct shadow_thread *st;

	xa_lock(&s->threads);
	st = xa_load(&s->threads, tid);
	if (st)
		kref_get(&st->ref);
	xa_unlock(&s->threads);
	return st;
}

/* Out of the shadow's table: no message reaches it any more. */
void shadow_thread_discard(struct shadow_thread *st)
{
	if (xa_cmpxchg(&st->shadow->threads, st->tid, st, NULL, GFP_KERNEL) == st)
		shadow_thread_put(st);
}

/* Ask the leader for a task; false if there is no leader any more. */
static bool introduce(struct shadow *s, struct shadow_thread *st)
{
	bool alive;

	spin_lock(&s->lock);
	alive = !s->dead;
	if (alive) {
		kref_get(&st->ref);	/* the list's */
		list_add_tail(&st->node, &s->newcomers);
	}
	spin_unlock(&s->lock);
	wake_up(&s->wait);
	return alive;
}

static enum hrtimer_restart look_again(struct hrtimer *timer);

/* A thread that has not been here before: the leader will make a task for it. */
static struct shadow_thread *create(struct shadow *s, u32 tid)
{
	struct shadow_thread *st = kzalloc(sizeof(*st), GFP_KERNEL);

	if (!st)
		return NULL;
	st->base.role = PROCSHARE_ROLE_SHADOW;
	kref_init(&st->ref);	/* the table's */
	kref_get(&s->ref);
	st->shadow = s;
	st->tid = tid;
	spin_lock_init(&st->lock);
	INIT_LIST_HEAD(&st->inbox);
	INIT_LIST_HEAD(&st->node);
	init_waitqueue_head(&st->wait);
	hrtimer_init(&st->again, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	st->again.function = look_again;
	kref_get(&st->ref);	/* the caller's */
	if (xa_err(xa_store(&s->threads, tid, st, GFP_KERNEL))) {
		shadow_thread_put(st);
		shadow_thread_put(st);
		return NULL;
	}
	if (!introduce(s, st)) {
		shadow_thread_discard(st);
		shadow_thread_put(st);
		return NULL;
	}
	return st;
}

static void deliver(struct shadow_thread *st, struct procshare_msg *msg)
{
	bool recall = msg->type == PROCSHARE_WIRE_RECALL;

	spin_lock(&st->lock);
	/* A recall of an earlier stay means nothing to this one. */
	if (msg->type == PROCSHARE_WIRE_MIGRATE)
		WRITE_ONCE(st->recalled, false);
	if (recall)
		WRITE_ONCE(st->recalled, true);
	else
		list_add_tail(&msg->node, &st->inbox);
	if (recall && st->task) {
		set_notify_resume(st->task);
		kick_process(st->task);
	}
	spin_unlock(&st->lock);
	if (recall)
		procshare_msg_free(msg);
	else
		wake_up(&st->wait);
}

/* MIGRATE, RECALL, RETURN or EXIT from home. */
void shadow_thread_message(struct shadow *s, struct procshare_msg *msg)
{
	struct shadow_thread *st = find(s, msg->thread);

	if (!st && msg->type == PROCSHARE_WIRE_MIGRATE)
		st = create(s, msg->thread);
	if (!st) {
		if (msg->type == PROCSHARE_WIRE_MIGRATE)
			shadow_kill(s, "no memory for a thread");
		procshare_msg_free(msg);
		return;
	}
	/* Home may use the number again at once. */
	if (msg->type == PROCSHARE_WIRE_EXIT)
		shadow_thread_discard(st);
	deliver(st, msg);
	shadow_thread_put(st);
}

/* The shadow is dead: nobody waits for messages, or runs, any longer. */
void shadow_threads_wake(struct shadow *s)
{
	struct shadow_thread *st;
	unsigned long tid;

	xa_lock(&s->threads);
	xa_for_each(&s->threads, tid, st) {
		spin_lock(&st->lock);
		if (st->task) {
			set_notify_resume(st->task);
			kick_process(st->task);
		}
		spin_unlock(&st->lock);
		wake_up(&st->wait);
	}
	xa_unlock(&s->threads);
}

/* Have current go home before it executes another instruction. */
void shadow_thread_go_home(struct shadow_thread *st, u32 reason, bool rewind)
{
	st->back = true;
	st->rewind = rewind;
	st->reason = reason;
	set_thread_flag(TIF_NOTIFY_RESUME);
}

static struct procshare_msg *next_message(struct shadow_thread *st)
{
	struct procshare_msg *msg;

	spin_lock(&st->lock);
	msg = list_first_entry_or_null(&st->inbox, struct procshare_msg, node);
	if (msg)
		list_del(&msg->node);
	spin_unlock(&st->lock);
	return msg;
}

/* The next message, NULL if the task or the shadow is to die. */
static struct procshare_msg *await_message(struct shadow_thread *st)
{
	struct procshare_msg *msg;

	for (;;) {
		if (READ_ONCE(st->shadow->dead) || fatal_signal_pending(current))
			return NULL;
		msg = next_message(st);
		if (msg)
			return msg;
		wait_event_state(st->wait, !list_empty(&st->inbox) ||
				 READ_ONCE(st->shadow->dead), SHADOW_IDLE);
	}
}

static void used_cpu(struct shadow_thread *st, __le64 *user, __le64 *system)
{
	u64 u, s;

	task_cputime_adjusted(current, &u, &s);
	*user = cpu_to_le64(u - st->arrival_user);
	*system = cpu_to_le64(s - st->arrival_system);
}

/* Whoever reports the thread's CPU time must see either stay, not a mixture. */
static void set_running(struct shadow_thread *st, bool running)
{
	spin_lock(&st->lock);
	st->running = running;
	spin_unlock(&st->lock);
}

/* ---- going home ---- */

static struct procshare_msg *pack_back(struct shadow_thread *st, struct pt_regs *regs)
{
	struct procshare_wire_thread *state;
	struct procshare_msg *msg;

	msg = migrate_pack(PROCSHARE_WIRE_BACK, st->shadow->id, st->tid, regs);
	if (!msg)
		return NULL;
	state = (void *)msg->body;
	used_cpu(st, &state->user_ns, &state->system_ns);
	state->reason = cpu_to_le32(st->reason);
	return msg;
}

static void send_back(struct shadow_thread *st, struct pt_regs *regs)
{
	struct procshare_msg *msg;

	if (st->rewind) {
		regs->ip -= 2;
		regs->ax = st->local_nr;
	}
	msg = pack_back(st, regs);
	set_running(st, false);
	st->back = false;
	st->rewind = false;
	WRITE_ONCE(st->recalled, false);
	if (msg)
		procshare_send(st->shadow->home, msg);
	else
		shadow_kill(st->shadow, "a thread's state could not be saved");
}

static bool is_breakpoint(const kernel_siginfo_t *info)
{
	return info->si_signo == SIGTRAP && info->si_code == SI_KERNEL;
}

/*
 * A trap of the thread's own instruction has become a signal here.  Home will
 * raise it again: the instruction is executed there, and may even succeed.
 */
static bool take_trap(struct pt_regs *regs)
{
	struct sigpending *pending = &current->pending;
	bool breakpoint = false, trapped = false;
	struct sigqueue *q;

	if (!task_sigpending(current))
		return false;
	spin_lock_irq(&current->sighand->siglock);
	/* All other signals are blocked; a group exit is not ours to take. */
	if (!(current->signal->flags & SIGNAL_GROUP_EXIT) &&
	    !sigismember(&pending->signal, SIGKILL)) {
		trapped = !sigisemptyset(&pending->signal);
		list_for_each_entry(q, &pending->list, list)
			breakpoint |= is_breakpoint(&q->info);
		flush_sigqueue(pending);
		clear_thread_flag(TIF_SIGPENDING);
	}
	spin_unlock_irq(&current->sighand->siglock);
	if (breakpoint)
		regs->ip -= 1;
	return trapped;
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
 * thread that is between two looks at them finishes there first.
 */
static bool in_vdso(const struct shadow_thread *st, const struct pt_regs *regs)
{
	return regs->ip - st->shadow->vdso < vdso_image_64.size;
}

static enum hrtimer_restart look_again(struct hrtimer *timer)
{
	struct shadow_thread *st = container_of(timer, struct shadow_thread, again);

	/* The task cancels the timer before it ends. */
	set_notify_resume(st->task);
	kick_process(st->task);
	return HRTIMER_NORESTART;
}

/* Should current leave now, and why? */
static bool must_go(struct shadow_thread *st, struct pt_regs *regs)
{
	if (take_trap(regs)) {
		if (!st->back)
			shadow_thread_go_home(st, PROCSHARE_BACK_FAULT, false);
		return true;
	}
	if (st->back)
		return true;
	if (!READ_ONCE(st->recalled) && !shadow_thread_has_bounced(st, current))
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

/* Time must not step back for the thread: wait until our clock has caught up. */
static void await_clock(u64 monotonic)
{
	u64 waited;

	for (waited = 0; waited < CLOCK_PATIENCE_US; waited += 100) {
		struct timespec64 now;

		ktime_get_ts64(&now);
		timens_add_monotonic(&now);
		if (timespec64_to_ns(&now) >= (s64)monotonic)
			return;
		usleep_range(50, 100);
	}
}

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
	st->arrival_utime = current->utime;
	task_cputime_adjusted(current, &st->arrival_user, &st->arrival_system);
	await_clock(le64_to_cpu(state->monotonic));
	st->back = false;
	set_running(st, true);
	st->reported = st->arrival_user + st->arrival_system;
	shadow_pace_start();
	return true;
}

/* This CPU cannot take the state: it goes back as it came, nothing has run. */
static void decline(struct shadow_thread *st, struct procshare_msg *msg)
{
	struct procshare_wire_thread *state = (void *)msg->body;

	if (msg->length < sizeof(*state)) {
		procshare_msg_free(msg);
		return;
	}
	msg->type = PROCSHARE_WIRE_BACK;
	state->reason = cpu_to_le32(PROCSHARE_BACK_ERROR);
	state->user_ns = 0;
	state->system_ns = 0;
	procshare_send(st->shadow->home, msg);
}

/* Parked: false when the task is to die instead of running again. */
static bool arrive(struct shadow_thread *st, struct pt_regs *regs)
{
	struct procshare_msg *msg;

	while (!st->running) {
		msg = await_message(st);
		if (!msg)
			return false;
		if (msg->type == PROCSHARE_WIRE_EXIT) {
			procshare_msg_free(msg);
			do_exit(0);
		}
		if (msg->type == PROCSHARE_WIRE_MIGRATE && !load(st, regs, msg))
			decline(st, msg);
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

/* ---- system calls ---- */

static struct procshare_msg *pack_call(struct shadow_thread *st,
				       struct pt_regs *regs, long nr)
{
	size_t extra = syscall_is_clone(nr) ? procshare_state_size() : 0;
	struct procshare_wire_call *call;
	struct procshare_msg *msg;
	ssize_t length = 0;

	msg = procshare_msg_alloc(PROCSHARE_WIRE_CALL, sizeof(*call) + extra,
				  GFP_KERNEL);
	if (!msg)
		return NULL;
	call = (void *)msg->body;
	memset(call, 0, sizeof(*call));
	if (extra)
		length = procshare_save_xstate(call + 1, extra);
	if (length < 0 || procshare_save_regs(regs, call->regs)) {
		procshare_msg_free(msg);
		return NULL;
	}
	msg->length = sizeof(*call) + length;
	msg->process = st->shadow->id;
	msg->thread = st->tid;
	used_cpu(st, &call->user_ns, &call->system_ns);
	call->xstate_length = cpu_to_le32(length);
	return msg;
}

/* The thread makes the call itself, at home. */
static void take_call_home(struct shadow_thread *st, struct pt_regs *regs, long nr)
{
	st->local_nr = nr;
	shadow_thread_go_home(st, PROCSHARE_BACK_CALL, true);
}

static void take_return(struct shadow_thread *st, struct pt_regs *regs, long nr,
			struct procshare_msg *msg)
{
	struct procshare_wire_return *ret = (void *)msg->body;
	u32 flags;

	if (msg->length != sizeof(*ret)) {
		shadow_kill(st->shadow, "home sent a malformed result");
		set_thread_flag(TIF_NOTIFY_RESUME);
		return;
	}
	flags = le32_to_cpu(ret->flags);
	trace_procshare_return(st->shadow->id, st->tid, le64_to_cpu(ret->value), flags);
	if (flags & PROCSHARE_RETURN_STATE)
		shadow_thread_go_home(st, PROCSHARE_BACK_SIGNAL, false);
	else if (flags & PROCSHARE_RETURN_HOME)
		take_call_home(st, regs, nr);
	else
		regs->ax = le64_to_cpu(ret->value);
}

static void forward(struct shadow_thread *st, struct pt_regs *regs, long nr)
{
	struct procshare_msg *msg = pack_call(st, regs, nr);

	if (!msg) {
		take_call_home(st, regs, nr);
		return;
	}
	trace_procshare_call(st->shadow->id, st->tid, nr);
	procshare_send(st->shadow->home, msg);
	for (;;) {
		msg = await_message(st);
		/* Not one instruction more on an invented result. */
		if (!msg)
			do_group_exit(SIGKILL);
		if (msg->type == PROCSHARE_WIRE_RETURN)
			break;
		if (msg->type == PROCSHARE_WIRE_EXIT) {
			procshare_msg_free(msg);
			do_exit(0);
		}
		procshare_msg_free(msg);
	}
	take_return(st, regs, nr, msg);
	procshare_msg_free(msg);
}

bool shadow_syscall(struct pt_regs *regs, long nr)
{
	struct shadow_thread *st = shadow_thread_current();

	if (in_ia32_syscall()) {
		take_call_home(st, regs, nr);
		return true;
	}
	switch (syscall_class(nr)) {
	case SYSCALL_LOCAL:
		if (syscall_is_local(nr, regs->di)) {
			st->local_nr = nr;
			st->in_local = true;
			return false;
		}
		forward(st, regs, nr);
		return true;
	case SYSCALL_HOME:
		take_call_home(st, regs, nr);
		return true;
	default:
		forward(st, regs, nr);
		return true;
	}
}

/* ---- the task's life ---- */

/* First and last function of the task in the kernel; then user mode. */
int shadow_thread_main(void *arg)
{
	struct shadow_thread *st = arg;

	spin_lock(&st->lock);
	st->task = current;
	spin_unlock(&st->lock);
	current->procshare = &st->base;
	set_task_syscall_work(current, PROCSHARE);
	set_thread_flag(TIF_NOTIFY_RESUME);
	return 0;
}

void shadow_thread_exit(struct task_struct *tsk)
{
	struct shadow_thread *st = shadow_thread_current();

	hrtimer_cancel(&st->again);
	spin_lock(&st->lock);
	st->task = NULL;
	spin_unlock(&st->lock);
	shadow_thread_discard(st);
}

void shadow_thread_free(struct task_struct *tsk)
{
	shadow_thread_put(container_of(tsk->procshare, struct shadow_thread, base));
}
