// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - control: what people and tools may ask of shared processes
 *
 * Called by netlink in the context of whoever asks.
 */

#include <linux/cred.h>
#include <linux/netlink.h>
#include <linux/pid_namespace.h>
#include <linux/procshare.h>
#include <linux/ptrace.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>

#include "cluster.h"
#include "home.h"

static int check_params(const struct procshare_params *params,
			struct netlink_ext_ack *extack)
{
	if (procshare_self() < 0) {
		NL_SET_ERR_MSG(extack, "this machine is not in a cluster: use procshare node join");
		return -ENOTCONN;
	}
	if (params->policy > PROCSHARE_POLICY_BOUNCE) {
		NL_SET_ERR_MSG(extack, "unknown policy");
		return -EINVAL;
	}
	if (params->nodes && !(params->nodes & procshare_nodes_up())) {
		NL_SET_ERR_MSG(extack, "no node of this set is up: see procshare node list");
		return -EHOSTDOWN;
	}
	if (current->procshare && current->procshare->role != PROCSHARE_ROLE_HOME) {
		NL_SET_ERR_MSG(extack, "a shadow process cannot be shared itself");
		return -EPERM;
	}
	if (!thread_group_empty(current)) {
		NL_SET_ERR_MSG(extack, "a process must have one thread when it becomes shared");
		return -EBUSY;
	}
	return 0;
}

int procshare_attach(const struct procshare_params *params, u64 *session,
		     struct netlink_ext_ack *extack)
{
	struct home_thread *t;
	struct session *s;
	int err;

	err = check_params(params, extack);
	if (err)
		return err;
	s = session_create(params);
	if (!s)
		return -ENOMEM;
	*session = s->id;
	if (current->procshare) {
		home_thread_join(s);
		return 0;
	}
	t = home_thread_create(s);
	session_put(s);
	if (!t)
		return -ENOMEM;
	static_branch_enable(&procshare_key);
	/* pairs with READ_ONCE() of those who look at other tasks */
	smp_store_release(&current->procshare, &t->base);
	set_task_syscall_work(current, PROCSHARE);
	return 0;
}

static bool may_see(const struct procshare_process *p)
{
	struct task_struct *task;
	bool may = false;

	rcu_read_lock();
	task = pid_task(p->pid, PIDTYPE_TGID);
	if (task)
		may = task_tgid_nr_ns(task, task_active_pid_ns(current));
	rcu_read_unlock();
	return may;
}

static int check_target(unsigned int node, struct netlink_ext_ack *extack)
{
	if (node == PROCSHARE_NODE_HOME || node == procshare_self())
		return 0;
	if (node < PROCSHARE_MAX_NODES && procshare_nodes_up() & coh_bit(node))
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "node %u is not up: see procshare node list", node);
	return -EHOSTDOWN;
}

static int ask_threads(struct procshare_process *p, u32 tid, u8 target)
{
	struct home_thread *t;
	unsigned long index;
	int asked = 0;

	if (tid)
		return home_thread_ask(p, tid, target, true);
	xa_for_each(&p->threads, index, t)
		asked += home_thread_ask(p, index, target, true);
	return asked;
}

static int ask_task(struct task_struct *task, pid_t tid, u8 target,
		    struct netlink_ext_ack *extack)
{
	struct procshare_process *p;
	bool asked;

	if (!ptrace_may_access(task, PTRACE_MODE_ATTACH_REALCREDS)) {
		NL_SET_ERR_MSG(extack, "not your process: ask its owner or root");
		return -EPERM;
	}
	p = process_of_task(task);
	asked = p && ask_threads(p, tid ? task_pid_nr(task) : 0, target);
	if (p)
		process_put(p);
	if (asked)
		return 0;
	NL_SET_ERR_MSG(extack, "not a shared process: start it with procshare run");
	return -ENOENT;
}

int procshare_migrate(pid_t pid, pid_t tid, unsigned int node,
		      struct netlink_ext_ack *extack)
{
	struct task_struct *task;
	u8 target = node;
	int err;

	err = check_target(node, extack);
	if (err)
		return err;
	if (node == procshare_self())
		target = PROCSHARE_NODE_HOME;
	task = find_get_task_by_vpid(tid ?: pid);
	if (!task || task_tgid_vnr(task) != pid) {
		NL_SET_ERR_MSG(extack, "no such process or thread");
		err = -ESRCH;
		goto put_task;
	}
	/* What it is about to execute may not be for whom the program is now. */
	err = down_read_killable(&task->signal->exec_update_lock);
	if (err)
		goto put_task;
	err = ask_task(task, tid, target, extack);
	up_read(&task->signal->exec_update_lock);
put_task:
	if (task)
		put_task_struct(task);
	return err;
}

bool procshare_process_next(u64 *id, struct procshare_process_info *info)
{
	struct procshare_process *p;
	struct home_thread *t;
	unsigned long tid;
	u64 number = (u32)*id + 1;

	for (; (p = process_find_next(&number)); number++) {
		if (may_see(p) && !xa_empty(&p->threads))
			break;
		process_put(p);
	}
	if (!p)
		return false;
	*id = p->id;
	*info = (struct procshare_process_info) {
		.id = p->id,
		.tgid = pid_vnr(p->pid),
		.policy = p->policy,
		.bounce_ms = p->session->params.bounce_ms,
		.nodes = p->session->params.nodes,
	};
	memcpy(info->comm, p->comm, sizeof(info->comm));
	xa_for_each(&p->threads, tid, t)
		info->threads++;
	process_put(p);
	return true;
}

/* xa_lock held: the task is still there. */
static void show_thread(struct home_thread *t, struct procshare_thread_info *info)
{
	u64 system;

	info->tid = task_pid_vnr(t->task);
	info->node = t->node == PROCSHARE_NODE_HOME ? t->process->home : t->node;
	info->remote_user_ns = atomic64_read(&t->remote_user_ns);
	task_cputime(t->task, &info->home_user_ns, &system);
	info->home_user_ns -= min(info->home_user_ns, info->remote_user_ns);
	get_task_comm(info->comm, t->task);
}

bool procshare_thread_next(u64 id, s64 *tid, struct procshare_thread_info *info)
{
	struct procshare_process *p = process_find(id);
	unsigned long index = *tid + 1;
	struct home_thread *t;

	if (!p)
		return false;
	xa_lock(&p->threads);
	t = xa_find(&p->threads, &index, ULONG_MAX, XA_PRESENT);
	if (t) {
		*tid = index;
		show_thread(t, info);
	}
	xa_unlock(&p->threads);
	process_put(p);
	return t;
}

bool procshare_usage_next(u64 id, int *node, struct procshare_node_usage *usage)
{
	struct procshare_process *p = process_find(id);
	bool found;

	if (!p)
		return false;
	found = usage_next(p->usage, node, usage);
	process_put(p);
	return found;
}

bool procshare_reasons(u64 id, u64 counts[PROCSHARE_BACK_REASONS])
{
	struct procshare_process *p = process_find(id);
	int i;

	if (!p)
		return false;
	for (i = 0; i < PROCSHARE_BACK_REASONS; i++)
		counts[i] = atomic64_read(&p->reasons[i]);
	process_put(p);
	return true;
}
