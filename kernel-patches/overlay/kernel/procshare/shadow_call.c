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

#include "shadow.h"
#include "syscalls.h"
#include "thread_state.h"

#include <trace/events/procshare.h>

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
	shadow_thread_used_cpu(st, &call->user_ns, &call->system_ns);
	call->xstate_length = cpu_to_le32(length);
	call->calls_local = cpu_to_le32(st->calls_local);
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
		shadow_cpu_get(st, regs);
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
	take_return(st, regs, nr, msg);
	procshare_msg_free(msg);
}

/* Can this node answer, and does nobody at home want to see the call? */
static bool is_answered_here(const struct shadow_thread *st, long nr, unsigned long first)
{
	if (st->watched || !syscall_is_local(nr, first))
		return false;
	return nr != __NR_getcpu || st->cpu_base != PROCSHARE_NO_CPUS;
}

/* False: the kernel makes the call as it would for anybody. */
static bool call_here(struct shadow_thread *st, struct pt_regs *regs, long nr)
{
	st->calls_local++;
	st->local_nr = nr;
	st->in_local = true;
	switch (nr) {
	case __NR_getcpu:
		shadow_cpu_get(st, regs);
		return true;
	case __NR_clock_gettime:
	case __NR_gettimeofday:
	case __NR_time:
		return shadow_clock_get(st, regs, nr);
	default:
		return false;
	}
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
		if (is_answered_here(st, nr, regs->di))
			return call_here(st, regs, nr);
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
