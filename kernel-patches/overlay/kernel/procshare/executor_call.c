// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - executor_call: a forwarded call, executed by the home thread
 *
 * The call comes with the thread's registers, so that the kernel finds a caller
 * like any other.  What the thread gets is the result, or word to come home.
 */

#include <linux/entry-common.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/task_work.h>
#include <asm/syscall.h>

#include "executor_carried.h"
#include "home.h"
#include "keys.h"
#include "migrate.h"
#include "syscalls.h"
#include "thread_state.h"

#include <trace/events/procshare.h>

/* Does a tracer, a filter or the audit look at current's system calls? */
bool executor_watched(void)
{
	return current_thread_info()->syscall_work & ~SYSCALL_WORK_PROCSHARE &
	       (SYSCALL_WORK_ENTER | SYSCALL_WORK_EXIT);
}

/* And at their results?  Then current makes them itself. */
bool executor_watched_at_exit(void)
{
	return current_thread_info()->syscall_work & SYSCALL_WORK_EXIT;
}

/* A message for a result, and for @room bytes of pieces. */
struct procshare_msg *executor_alloc_return(struct home_thread *t, size_t room)
{
	struct procshare_msg *msg;

	msg = procshare_msg_alloc(PROCSHARE_WIRE_RETURN,
				  sizeof(struct procshare_wire_return) + room,
				  GFP_KERNEL_ACCOUNT);
	if (!msg)
		process_doom(t->process, "no memory for a result");
	return msg;
}

static void *data_of(struct procshare_msg *msg)
{
	return msg->body + sizeof(struct procshare_wire_return);
}

static void send_result(struct home_thread *t, struct procshare_msg *msg, u64 value,
			u32 flags, size_t data)
{
	struct procshare_wire_return *ret = (void *)msg->body;

	if (executor_watched())
		flags |= PROCSHARE_RETURN_WATCHED;
	msg->length = sizeof(*ret) + data;
	msg->process = t->process->id;
	msg->thread = t->tid;
	ret->value = cpu_to_le64(value);
	ret->flags = cpu_to_le32(flags);
	ret->data = cpu_to_le32(data);
	trace_procshare_return(msg->process, t->tid, value, flags);
	procshare_send(t->node, msg);
}

static void send_return(struct home_thread *t, u64 value, u32 flags)
{
	struct procshare_msg *msg = executor_alloc_return(t, 0);

	if (msg)
		send_result(t, msg, value, flags, 0);
}

/*
 * The kernel finds the caller's registers and its rights to its memory; clone and fork
 * copy current's extended state, which came along.
 */
static bool load_call(struct pt_regs *regs, struct procshare_msg *msg, long *nr)
{
	struct procshare_wire_call *call = (void *)msg->body;
	u32 length;

	if (msg->length < sizeof(*call) ||
	    (call->flags && call->flags != cpu_to_le32(PROCSHARE_CALL_STORE) &&
	     call->flags != cpu_to_le32(PROCSHARE_CALL_CARRIES)))
		return false;
	length = le32_to_cpu(call->xstate_length);
	if (length && (call->flags || !migrate_load_xstate(msg, sizeof(*call), length)))
		return false;
	/* During a call anything is legal in the stack pointer. */
	if (procshare_restore_regs(regs, call->regs))
		return false;
	procshare_set_rights(le32_to_cpu(call->rights));
	/* As the entry code has it. */
	*nr = (int)regs->orig_ax;
	if (!call->flags)
		return !call->data;
	return msg->length == sizeof(*call) + carried_length(msg);
}

/*
 * A call that will not be made any more: what it came with are the registers of
 * the thread, for the dump.
 */
void executor_turn_call_away(struct home_thread *t, struct pt_regs *regs,
			     struct procshare_msg *msg)
{
	long nr;

	if (load_call(regs, msg, &nr)) {
		trace_procshare_call(t->process->id, t->tid, nr);
		t->in_call = true;
		send_return(t, 0, PROCSHARE_RETURN_STATE);
	} else {
		process_doom(t->process, "a node sent a call that makes no sense");
	}
	procshare_msg_free(msg);
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

/* Closed files and expired timers do not wait for current's way back to user mode. */
void executor_task_work(void)
{
	if (task_work_pending(current))
		task_work_run();
}

/* Work has woken current, or would do so: no call begins as if there were a signal. */
void executor_notified(void)
{
	if (test_thread_flag(TIF_NOTIFY_SIGNAL)) {
		clear_notify_signal();
		task_work_run();
	}
}

/* Make the call @nr with @args, which may be @regs; the result goes to @regs. */
void executor_call(struct pt_regs *regs, const struct pt_regs *args, long nr)
{
	regs->ax = x64_sys_call(args, array_index_nospec(nr, NR_syscalls));
	executor_task_work();
}

/* Exactly what the entry code does for a call of current's own. */
static void execute(struct pt_regs *regs, long nr)
{
	regs->orig_ax = nr;
	regs->ax = -ENOSYS;
	nr = syscall_enter_from_user_mode_work(regs, nr);
	if (nr >= 0 && nr < NR_syscalls)
		executor_call(regs, regs, nr);
	else
		executor_task_work();
}

/* Not by the executor: current comes home for it. */
static bool must_make_itself(const struct pt_regs *regs, long nr)
{
	return executor_watched_at_exit() || syscall_class(nr) == SYSCALL_HOME ||
	       syscall_closes_memory(nr, regs->dx);
}

static void count(struct home_thread *t, const struct procshare_wire_call *call)
{
	home_thread_count_local(t, le32_to_cpu(call->calls_local));
	usage_count(t->process, t->node, PROCSHARE_COUNT_CALLS, 1);
}

/*
 * Make the call that came with @msg, which is freed.  Returns the message for its
 * result, in which @data bytes for the caller's memory are already.
 */
static struct procshare_msg *make_call(struct home_thread *t, struct pt_regs *regs,
				       long nr, struct procshare_msg *msg, size_t *data)
{
	const struct procshare_wire_call *call = (void *)msg->body;
	struct procshare_msg *ret;

	if (call->flags == cpu_to_le32(PROCSHARE_CALL_CARRIES)) {
		ret = executor_make_carried(t, regs, nr, msg, data);
		if (ret != ERR_PTR(-EAGAIN)) {
			procshare_msg_free(msg);
			return ret;
		}
	}
	if (call->flags == cpu_to_le32(PROCSHARE_CALL_STORE)) {
		executor_store(regs, nr, call + 1, le32_to_cpu(call->data));
		procshare_msg_free(msg);
		return executor_alloc_return(t, 0);
	}
	/* Nothing is held: the call may be the end of the thread. */
	procshare_msg_free(msg);
	execute(regs, nr);
	return executor_alloc_return(t, 0);
}

/*
 * Serve one CALL.  True if the thread must come home with it: there is a signal,
 * behind which the call may have to be restarted, or somebody asks for the thread.
 */
bool executor_serve_call(struct home_thread *t, struct pt_regs *regs,
			 struct procshare_msg *msg)
{
	struct procshare_wire_call *call = (void *)msg->body;
	struct procshare_msg *ret;
	size_t data = 0;
	bool restart;
	long nr;

	if (!load_call(regs, msg, &nr)) {
		procshare_msg_free(msg);
		process_doom(t->process, "a node sent a call that makes no sense");
		return false;
	}
	trace_procshare_call(t->process->id, t->tid, nr);
	home_thread_account_stay(t, le64_to_cpu(call->user_ns),
				 le64_to_cpu(call->system_ns), 0);
	if (call->flags != cpu_to_le32(PROCSHARE_CALL_STORE) && must_make_itself(regs, nr)) {
		procshare_msg_free(msg);
		send_return(t, 0, PROCSHARE_RETURN_HOME);
		return false;
	}
	count(t, call);
	executor_notified();
	ret = make_call(t, regs, nr, msg, &data);
	if (!ret)
		return false;
	restart = is_restart(regs->ax) && signal_pending(current);
	if (!restart)
		regs->orig_ax = -1;
	/* Was there task work and no signal?  The way to user mode would do that, too. */
	if (!restart && !task_sigpending(current))
		restore_saved_sigmask();
	/*
	 * A signal is delivered right behind the call, not an instruction later; and
	 * what the call has changed may be of no effect elsewhere.
	 */
	if (!restart && !task_sigpending(current) && !READ_ONCE(t->asked) &&
	    !procshare_state_movable()) {
		send_result(t, ret, regs->ax, 0, data);
		return false;
	}
	if (data)
		executor_store(regs, nr, data_of(ret), data);
	t->in_call = true;
	send_result(t, ret, 0, PROCSHARE_RETURN_STATE, 0);
	return true;
}
