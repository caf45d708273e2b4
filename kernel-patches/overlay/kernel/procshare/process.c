// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - a shared process at home: its life and its hosts
 *
 * A process object is made when a thread of a session first returns to user
 * mode in a new mm, which holds a reference until it is torn down.  The process
 * stays plain Linux until its first thread leaves: only then is its mm exposed,
 * that is, prepared for export.
 */

#define pr_fmt(fmt) "procshare: " fmt

#include <linux/auxvec.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/pid.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/time_namespace.h>
#include <linux/userfaultfd_k.h>

#include "cluster.h"
#include "home.h"
#include "thread_state.h"

#include <trace/events/procshare.h>

/* A helper that has not become a shadow after so long never will. */
#define HOST_TIMEOUT	(20 * HZ)

static DEFINE_XARRAY_ALLOC1(processes);
static u32 processes_next;

static void process_free(struct work_struct *work)
{
	struct procshare_process *p = container_of(work, struct procshare_process,
						   free);

	if (p->id)
		xa_erase(&processes, (u32)p->id);
	directory_destroy(p);
	xa_destroy(&p->threads);
	usage_free(p->usage);
	session_put(p->session);
	put_pid(p->pid);
	put_time_ns(p->time_ns);
	mmdrop(p->mm);
	kfree(p);
}

/* The last reference may go where nothing may sleep. */
static void process_release(struct kref *ref)
{
	struct procshare_process *p = container_of(ref, struct procshare_process, ref);

	INIT_WORK(&p->free, process_free);
	queue_work(system_unbound_wq, &p->free);
}

void process_put(struct procshare_process *p)
{
	kref_put(&p->ref, process_release);
}

/* The process with the smallest number from *id on; a reference is taken. */
struct procshare_process *process_find_next(u64 *id)
{
	struct procshare_process *p;
	unsigned long index;

	xa_lock(&processes);
	xa_for_each_start(&processes, index, p, (u32)*id) {
		if (!kref_get_unless_zero(&p->ref))
			continue;
		xa_unlock(&processes);
		*id = index;
		return p;
	}
	xa_unlock(&processes);
	return NULL;
}

/*
 * The shared process of @task, with a reference, or NULL.  Its first thread may
 * have ended before the others.
 */
struct procshare_process *process_of_task(struct task_struct *task)
{
	struct task_struct *thread = find_lock_task_mm(task);
	struct procshare_process *p;

	if (!thread)
		return NULL;
	/* The mm is in use and holds a reference. */
	p = READ_ONCE(thread->mm->procshare);
	if (p && p->pid == task_tgid(task))
		kref_get(&p->ref);
	else
		p = NULL;
	task_unlock(thread);
	return p;
}

struct procshare_process *process_find(u64 id)
{
	struct procshare_process *p;

	if (procshare_self() != id >> 32)
		return NULL;
	xa_lock(&processes);
	p = xa_load(&processes, (u32)id);
	if (p && !kref_get_unless_zero(&p->ref))
		p = NULL;
	xa_unlock(&processes);
	return p;
}

/* A program that gains privileges by exec is not spread over machines. */
static bool gained_privileges(struct mm_struct *mm)
{
	int i;

	for (i = 0; i + 1 < AT_VECTOR_SIZE; i += 2) {
		if (mm->saved_auxv[i] == AT_NULL)
			break;
		if (mm->saved_auxv[i] == AT_SECURE)
			return mm->saved_auxv[i + 1];
	}
	return false;
}

/* userfaultfd and KSM use the mechanisms that export needs. */
static bool other_users_of_faults(struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;

	for_each_vma(vmi, vma)
		if (userfaultfd_armed(vma) || vma->vm_flags & VM_MERGEABLE)
			return true;
	return false;
}

/*
 * Tie the object to its mm, once.  The mm holds a reference until its notifier
 * is gone.
 */
static int bind(struct procshare_process *p)
{
	struct mm_struct *mm = p->mm;
	int err;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	err = -EBUSY;
	if (mm->procshare || other_users_of_faults(mm))
		goto unlock;
	p->notifier.ops = &home_notifier_ops;
	err = __mmu_notifier_register(&p->notifier, mm);
	if (err)
		goto unlock;
	kref_get(&p->ref);
	mm->procshare = p;
unlock:
	mmap_write_unlock(mm);
	return err;
}

/* The object for current's mm was made by another thread of the process. */
static struct procshare_process *process_get_current(void)
{
	struct procshare_process *p = READ_ONCE(current->mm->procshare);

	if (!p || p->pid != task_tgid(current))
		return NULL;
	kref_get(&p->ref);
	return p;
}

static struct procshare_process *process_create(struct session *session)
{
	int self = procshare_self();
	struct procshare_process *p;
	u32 number;

	if (self < 0)
		return NULL;
	p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	if (!p)
		return NULL;
	kref_init(&p->ref);
	spin_lock_init(&p->lock);
	xa_init(&p->threads);
	init_waitqueue_head(&p->wait);
	directory_init(&p->dir);
	p->session = session_get(session);
	p->policy = gained_privileges(current->mm) ? PROCSHARE_POLICY_HOME :
						     session->params.policy;
	p->mm = current->mm;
	mmgrab(p->mm);
	p->pid = get_pid(task_tgid(current));
	p->time_ns = get_time_ns(current->nsproxy->time_ns);
	p->tgid = task_tgid_nr(current);
	get_task_comm(p->comm, current);
	p->home = self;
	if (usage_prepare(p, self))
		goto free;
	/* Found by number only when it is complete. */
	if (xa_alloc_cyclic(&processes, &number, NULL, xa_limit_31b,
			    &processes_next, GFP_KERNEL_ACCOUNT) < 0)
		goto free;
	p->id = (u64)self << 32 | number;
	if (bind(p))
		goto free;
	xa_store(&processes, number, p, GFP_KERNEL_ACCOUNT);
	pace_start();
	return p;

free:
	process_put(p);
	return NULL;
}

/*
 * The object for current's mm, with a reference.  NULL if there is no memory, or
 * if the mm belongs to another process.
 */
struct procshare_process *process_of_current(struct session *session)
{
	if (READ_ONCE(current->mm->procshare))
		return process_get_current();
	return process_create(session) ?: process_get_current();
}

/* From now on a write-protected page is told by its uffd-wp bit: see home_mm.c. */
static void prepare_vmas(struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;

	for_each_vma(vmi, vma) {
		if (vma->vm_flags & (VM_PFNMAP | VM_IO | VM_HUGETLB) ||
		    (vma->vm_flags & VM_SHARED && !home_shared_is_nameless(vma)))
			continue;
		vma_start_write(vma);
		vm_flags_set(vma, VM_UFFD_WP);
		/* Of a shared area writes are to fault first. */
		if (vma->vm_flags & VM_SHARED)
			vma_set_page_prot(vma);
	}
	mm->def_flags |= VM_UFFD_WP;
	set_bit(MMF_DISABLE_THP, &mm->flags);
}

/* Prepare current's mm for export, once. */
int process_expose(struct procshare_process *p)
{
	struct mm_struct *mm = p->mm;

	/* pairs with the release below: the areas are prepared */
	if (smp_load_acquire(&p->exposed))
		return 0;
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	if (p->exposed)
		goto unlock;
	prepare_vmas(mm);
	home_vdso_prepare(p);
	/* pairs with the acquire above */
	smp_store_release(&p->exposed, true);
unlock:
	mmap_write_unlock(mm);
	return 0;
}

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
	if (start && !send_start(p, node))
		set_host(p, node, HOST_FAILED, ENOMEM);

	if (wait_event_killable_timeout(p->wait, p->doomed ||
					READ_ONCE(p->hosts[node]) != HOST_STARTING,
					HOST_TIMEOUT) <= 0) {
		if (!fatal_signal_pending(current))
			set_host(p, node, HOST_FAILED, ETIMEDOUT);
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
		set_host(p, msg->peer, HOST_FAILED, error);
	} else if (READ_ONCE(p->hosts[msg->peer]) == HOST_READY) {
		set_host(p, msg->peer, HOST_FAILED, error);
		process_doom(p, "its shadow process is gone");
	}
	procshare_msg_free(msg);
}

/* The mm is being torn down: nothing on other nodes is needed any more. */
void process_stop(struct procshare_process *p)
{
	coh_set nodes;
	int node;

	spin_lock(&p->dir.lock);
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
	if (READ_ONCE(p->released) || xchg(&p->condemned, true))
		return;
	kill_pid(p->pid, SIGKILL, 1);
	/* pairs with those who see that the process is doomed */
	smp_store_release(&p->doomed, true);
	directory_wake_all(p);
	wake_up_all(&p->wait);
	trace_procshare_doom(p->id, p->tgid, why);
	pr_warn_ratelimited("%s[%d] killed: %s\n", p->comm, p->tgid, why);
}

/* A node is lost: whoever had threads or pages there dies with it. */
void process_node_down(unsigned int node)
{
	struct procshare_process *p;
	u64 id = 0;

	for (; (p = process_find_next(&id)); id++) {
		if (READ_ONCE(p->present) & coh_bit(node)) {
			char why[40];

			snprintf(why, sizeof(why), "node %u is lost", node);
			process_doom(p, why);
		}
		process_put(p);
	}
}
