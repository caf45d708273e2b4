// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - shadow_call: the system calls of a thread that is not at home
 *
 * Most are forwarded, and the thread waits for the result; some are made right
 * here; and for the rest the thread goes home.
 */

#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <asm/syscall.h>

#include "carried.h"
#include "keys.h"
#include "shadow.h"
#include "syscalls.h"
#include "thread_state.h"
#include "vdso.h"

#include <trace/events/procshare.h>

/* Fill in what every CALL says; false if the registers cannot travel. */
static bool complete_call(struct shadow_thread *st, struct pt_regs *regs,
			  struct procshare_msg *msg)
{
	struct procshare_wire_call *call = (void *)msg->body;
	u64 user, system;

	if (procshare_save_regs(regs, call->regs))
		return false;
	msg->process = st->shadow->id;
	msg->thread = st->tid;
	shadow_thread_used_cpu(st, &user, &system);
	call->user_ns = cpu_to_le64(user);
	call->system_ns = cpu_to_le64(system);
	call->calls_local = cpu_to_le32(st->calls_local);
	call->rights = cpu_to_le32(procshare_rights());
	return true;
}

/* @carried: what travels with it and its result. */
static struct procshare_msg *pack_call(struct shadow_thread *st, struct pt_regs *regs,
				       long nr, struct carried *carried)
{
	bool clone = syscall_is_clone(nr);
	struct procshare_wire_call *call;
	struct procshare_msg *msg;
	size_t room;
	ssize_t more;

	shadow_carries(st, regs, nr, carried);
	room = clone ? procshare_state_size() : shadow_carry_room(carried);
	msg = procshare_msg_alloc(PROCSHARE_WIRE_CALL, sizeof(*call) + room,
				  GFP_KERNEL_ACCOUNT);
	if (!msg)
		return NULL;
	call = (void *)msg->body;
	memset(call, 0, sizeof(*call));
	if (clone)
		more = procshare_save_xstate(call + 1, room);
	else
		more = shadow_carry(st, carried, call);
	if (more < 0 || !complete_call(st, regs, msg)) {
		procshare_msg_free(msg);
		return NULL;
	}
	if (clone)
		call->xstate_length = cpu_to_le32(more);
	msg->length = sizeof(*call) + more;
	return msg;
}

/* The thread makes the call itself, at home. */
static void take_call_home(struct shadow_thread *st, struct pt_regs *regs, long nr)
{
	st->local_nr = nr;
	shadow_thread_go_home(st, PROCSHARE_BACK_CALL, true);
}

/* Nothing that home says about this thread can be believed. */
static void give_up(struct shadow_thread *st, const char *why)
{
	shadow_kill(st->shadow, why);
	set_thread_flag(TIF_NOTIFY_RESUME);
}

static bool is_well_formed(const struct carried *carried, const struct procshare_msg *msg)
{
	const struct procshare_wire_return *ret = (void *)msg->body;
	u32 data;

	if (msg->length < sizeof(*ret))
		return false;
	data = le32_to_cpu(ret->data);
	if (msg->length != sizeof(*ret) + data)
		return false;
	return carried_are_pieces(carried, CARRIED_BACK, ret + 1, data);
}

/* Send a CALL and wait for its RETURN, NULL if that makes no sense. */
static struct procshare_msg *exchange(struct shadow_thread *st, struct procshare_msg *msg,
				      const struct carried *carried)
{
	shadow_pace_pause(st);
	procshare_send(st->shadow->home, msg);
	poll_begin(&st->poll);
	while (list_empty_careful(&st->inbox) && poll_more(&st->poll))
		cpu_relax();
	for (;;) {
		msg = shadow_thread_await(st);
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
	poll_end(&st->poll);
	shadow_pace_resume(st);
	if (is_well_formed(carried, msg))
		return msg;
	procshare_msg_free(msg);
	give_up(st, "home sent a malformed result");
	return NULL;
}

static void take_return(struct shadow_thread *st, struct pt_regs *regs, long nr,
			const struct procshare_wire_return *ret)
{
	u32 flags = le32_to_cpu(ret->flags);

	trace_procshare_return(st->shadow->id, st->tid, le64_to_cpu(ret->value), flags);
	st->watched = flags & PROCSHARE_RETURN_WATCHED;
	if (flags & PROCSHARE_RETURN_STATE)
		shadow_thread_go_home(st, PROCSHARE_BACK_SIGNAL, false);
	else if (flags & PROCSHARE_RETURN_HOME)
		take_call_home(st, regs, nr);
	else
		regs->ax = le64_to_cpu(ret->value);
	if (flags & (PROCSHARE_RETURN_STATE | PROCSHARE_RETURN_HOME) || regs->ax)
		return;
	if (nr == __NR_rseq)
		shadow_cpu_rseq(st, regs);
	/* Forwarded only to be looked at. */
	if (nr == __NR_getcpu && st->cpu_base != PROCSHARE_NO_CPUS)
		shadow_cpu_get(regs);
}

/*
 * What the call has brought goes into the caller's memory; or home puts it there,
 * if it has taken that back meanwhile and keeps it.  Returns what home said last.
 */
static struct procshare_msg *take_data(struct shadow_thread *st, struct pt_regs *regs,
				       struct procshare_msg *msg, struct carried *carried)
{
	struct procshare_wire_return *ret = (void *)msg->body;
	struct procshare_msg *call;

	if (!ret->data || shadow_store(st, carried, ret))
		return msg;
	call = shadow_pack_store(ret);
	/* The result is what it was, if home can do it. */
	regs->ax = le64_to_cpu(ret->value);
	procshare_msg_free(msg);
	/* That brings no more. */
	carried->n = 0;
	if (call && complete_call(st, regs, call))
		return exchange(st, call, carried);
	procshare_msg_free(call);
	give_up(st, "no memory for the data of a call");
	return NULL;
}

static void forward(struct shadow_thread *st, struct pt_regs *regs, long nr)
{
	struct procshare_msg *msg;
	struct carried carried;

	msg = pack_call(st, regs, nr, &carried);
	if (!msg) {
		take_call_home(st, regs, nr);
		return;
	}
	trace_procshare_call(st->shadow->id, st->tid, nr);
	msg = exchange(st, msg, &carried);
	if (msg)
		msg = take_data(st, regs, msg, &carried);
	if (!msg)
		return;
	take_return(st, regs, nr, (void *)msg->body);
	procshare_msg_free(msg);
}

/*
 * Can this node answer, and does nobody at home want to see the call?  What the vDSO
 * calls here would be no call there.
 */
static bool is_answered_here(const struct shadow_thread *st, const struct pt_regs *regs,
			     long nr)
{
	if (!syscall_is_local(nr, regs->di))
		return false;
	if (procshare_vdso_calls(shadow_vdso_offset(st, regs), nr))
		return true;
	if (st->watched)
		return false;
	return nr != __NR_getcpu || st->cpu_base != PROCSHARE_NO_CPUS;
}

/* False: the kernel makes the call as it would for anybody. */
static bool answer(struct shadow_thread *st, struct pt_regs *regs, long nr)
{
	switch (nr) {
	case __NR_getcpu:
		shadow_cpu_get(regs);
		return true;
	case __NR_clock_gettime:
	case __NR_gettimeofday:
	case __NR_time:
		return shadow_clock_get(st, regs, nr);
	default:
		return false;
	}
}

static bool call_here(struct shadow_thread *st, struct pt_regs *regs, long nr)
{
	bool answered;

	st->calls_local++;
	st->local_nr = nr;
	st->in_local = true;
	answered = answer(st, regs, nr);
	/* A function of the vDSO knows no such error: home raises the signal. */
	if (answered && regs->ax == -EFAULT && !st->back &&
	    procshare_vdso_calls(shadow_vdso_offset(st, regs), nr))
		shadow_thread_go_home(st, PROCSHARE_BACK_FAULT, true);
	return answered;
}

bool shadow_syscall(struct pt_regs *regs, long nr)
{
	struct shadow_thread *st = shadow_thread_current();

	st->in_local = false;
	if (in_ia32_syscall()) {
		take_call_home(st, regs, nr);
		return true;
	}
	switch (syscall_class(nr)) {
	case SYSCALL_LOCAL:
		if (is_answered_here(st, regs, nr))
			return call_here(st, regs, nr);
		forward(st, regs, nr);
		return true;
	case SYSCALL_HOME:
		if (is_answered_here(st, regs, nr))
			return call_here(st, regs, nr);
		take_call_home(st, regs, nr);
		return true;
	default:
		forward(st, regs, nr);
		return true;
	}
}
