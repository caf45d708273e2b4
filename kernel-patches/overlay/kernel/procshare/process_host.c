// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - process_host: the nodes that host a shared process, and its end
 *
 * A node is asked for a shadow process when the first thread wants to go there.  All of
 * them are told when the mm is torn down; if one of them fails the process dies.
 */

#define pr_fmt(fmt) "procshare: " fmt

#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "cluster.h"
#include "home.h"
#include "thread_state.h"

#include <trace/events/procshare.h>

/* A helper that has not become a shadow after so long never will. */
#define HOST_TIMEOUT	(20 * HZ)
/* Whoever uses the mm for a node may wait for swapped pages. */
#define END_TIMEOUT	HZ

static bool send_start(struct procshare_process *p, unsigned int node)
{
	struct procshare_wire_start *start;
	struct procshare_msg *msg;

	msg = procshare_msg_alloc(PROCSHARE_WIRE_START, sizeof(*start),
				  GFP_KERNEL);
	if (!msg)
		return false;
	msg->process = p->id;
	start = (void *)msg->body;
	home_clocks_pack(p, start);
	start->vdso = cpu_to_le64((unsigned long)p->mm->context.vdso);
	memcpy(start->comm, p->comm, sizeof(start->comm));
	procshare_send(node, msg);
	return true;
}

static void set_host(struct procshare_process *p, unsigned int node, u8 state,
		     u32 error)
{
	spin_lock(&p->lock);
	p->hosts[node] = state;
	p->host_error[node] = error;
	spin_unlock(&p->lock);
	wake_up_all(&p->wait);
}

/*
 * Do not wait for @node any more; false if it has become ready.  On the nodes in @absent
 * nothing of the process is.
 */
static bool give_up_host(struct procshare_process *p, unsigned int node, u8 state,
			 u32 error, coh_set absent)
{
	bool starting;

	spin_lock(&p->lock);
	starting = p->hosts[node] == HOST_STARTING;
	if (starting) {
		p->present &= ~absent;
		p->hosts[node] = state;
		p->host_error[node] = error;
	}
	spin_unlock(&p->lock);
	wake_up_all(&p->wait);
	return starting;
}

/* There is no shadow process, and never was one: nothing of the process is there. */
static bool no_host(struct procshare_process *p, unsigned int node, u8 state, u32 error)
{
	return give_up_host(p, node, state, error, coh_bit(node));
}

static void start_host(struct procshare_process *p, unsigned int node)
{
	if (!send_start(p, node)) {
		no_host(p, node, HOST_FAILED, ENOMEM);
		return;
	}
	/* pairs with process_node_down(): a node is lost with what was sent to it */
	smp_mb();
	if (!(procshare_nodes_up() & coh_bit(node)))
		no_host(p, node, HOST_NONE, 0);
}

/*
 * Have a shadow process on @node.  Sleeps, killable and bounded.  An error
 * means that no thread can go there: the node is down, or its helper failed.
 */
int process_host(struct procshare_process *p, unsigned int node)
{
	bool start = false;

	/* It has entered another time namespace: the clocks there would be wrong. */
	if (current->nsproxy->time_ns != p->time_ns)
		return -EOPNOTSUPP;
	if (READ_ONCE(p->hosts[node]) == HOST_READY)
		return 0;
	/* This node may have left the cluster and come back as another one. */
	if (!(procshare_nodes_up() & coh_bit(node)) || procshare_self() != p->home)
		return -EHOSTDOWN;
	/* A thread could acquire state there that home cannot load. */
	if (procshare_node_xfeatures(node) & ~procshare_xfeatures())
		return -EOPNOTSUPP;
	if (usage_prepare(p, node))
		return -ENOMEM;

	spin_lock(&p->lock);
	if (p->hosts[node] == HOST_NONE) {
		p->hosts[node] = HOST_STARTING;
		p->present |= coh_bit(node);
		start = true;
	}
	spin_unlock(&p->lock);
	if (start)
		start_host(p, node);

	if (wait_event_killable_timeout(p->wait, p->doomed ||
					READ_ONCE(p->hosts[node]) != HOST_STARTING,
					HOST_TIMEOUT) <= 0) {
		/* It may still become one: its loss is one, too. */
		if (!fatal_signal_pending(current))
			give_up_host(p, node, HOST_FAILED, ETIMEDOUT, 0);
		return -ETIMEDOUT;
	}
	return READ_ONCE(p->hosts[node]) == HOST_READY ? 0 : -EHOSTUNREACH;
}

/* READY or GONE from @msg->peer, which takes part in the process. */
void process_message(struct procshare_process *p, struct procshare_msg *msg)
{
	struct procshare_wire_ready *ready = (void *)msg->body;
	u32 error = msg->length == sizeof(*ready) ? le32_to_cpu(ready->error) :
						    EPROTO;

	if (msg->type == PROCSHARE_WIRE_READY && !error) {
		set_host(p, msg->peer, HOST_READY, 0);
	} else if (READ_ONCE(p->hosts[msg->peer]) == HOST_STARTING) {
		pr_warn_ratelimited("node %u cannot host %s[%d]: error %u\n",
				    msg->peer, p->comm, p->tgid, error);
		no_host(p, msg->peer, HOST_FAILED, error);
	} else if (READ_ONCE(p->hosts[msg->peer]) == HOST_READY) {
		set_host(p, msg->peer, HOST_FAILED, error);
		process_doom(p, "its shadow process is gone");
	}
	procshare_msg_free(msg);
}

static void unuse(struct procshare_process *p)
{
	if (atomic_dec_and_test(&p->users) && READ_ONCE(p->ending))
		wake_up_all(&p->wait);
}

/* Use the mm for a node, until process_put_mm(); false if that is over. */
bool process_get_mm(struct procshare_process *p)
{
	atomic_inc(&p->users);
	/* pairs with process_end() */
	smp_mb__after_atomic();
	if (!READ_ONCE(p->ending) && mmget_not_zero(p->mm))
		return true;
	unuse(p);
	return false;
}

void process_put_mm(struct procshare_process *p)
{
	mmput_async(p->mm);
	unuse(p);
}

/*
 * current is the last of the threads, and ends.  Whoever waits for it finds the memory
 * and the program's file given up: others do not use the mm for longer.
 */
void process_end(struct procshare_process *p)
{
	/* pairs with process_get_mm() */
	smp_store_mb(p->ending, true);
	wait_event_timeout(p->wait, !atomic_read(&p->users), END_TIMEOUT);
}

/* The mm is being torn down: nothing on other nodes is needed any more. */
void process_stop(struct procshare_process *p)
{
	coh_set nodes;
	int node;

	spin_lock(&p->dir.lock);
	add_mm_counter(p->mm, MM_ANONPAGES, -p->dir.away);
	p->dir.away = 0;
	p->released = true;
	spin_unlock(&p->dir.lock);
	spin_lock(&p->lock);
	nodes = p->present;
	p->present = 0;
	spin_unlock(&p->lock);

	for (node = 0; node < PROCSHARE_MAX_NODES; node++) {
		struct procshare_msg *msg;

		if (!(nodes & coh_bit(node)))
			continue;
		msg = procshare_msg_alloc(PROCSHARE_WIRE_STOP, 0,
					  GFP_KERNEL | __GFP_NOFAIL);
		msg->process = p->id;
		procshare_queue(node, msg);
	}
	procshare_kick();
	directory_wake_all(p);
	wake_up_all(&p->wait);
}

/*
 * Kill the process: what it had on another node cannot be had any more.  It is
 * killed before waits are given up: no thread goes on without what it waited for.
 */
void process_doom(struct procshare_process *p, const char *why)
{
	bool alive = !READ_ONCE(p->replaced);

	if (READ_ONCE(p->released) || xchg(&p->condemned, true))
		return;
	if (alive)
		kill_pid(p->pid, SIGKILL, 1);
	/* pairs with those who see that the process is doomed */
	smp_store_release(&p->doomed, true);
	directory_wake_all(p);
	wake_up_all(&p->wait);
	trace_procshare_doom(p->id, p->tgid, why);
	if (alive)
		pr_warn_ratelimited("%s[%d] killed: %s\n", p->comm, p->tgid, why);
}

/* A node is lost: whoever had threads or pages there dies with it. */
void process_node_down(unsigned int node)
{
	struct procshare_process *p;
	u64 id = 0;

	/* pairs with start_host() */
	smp_mb();
	for (; (p = process_find_next(&id)); id++) {
		if (READ_ONCE(p->present) & coh_bit(node) &&
		    !no_host(p, node, HOST_NONE, 0)) {
			char why[40];

			snprintf(why, sizeof(why), "node %u is lost", node);
			process_doom(p, why);
		}
		process_put(p);
	}
}
