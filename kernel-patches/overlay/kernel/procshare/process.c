// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - a shared process at home: how it comes to be, and is found
 *
 * A process object is made when a thread of a session first returns to user
 * mode in a new mm, which holds a reference until it is torn down.  The process
 * stays plain Linux until its first thread leaves: only then is its mm exposed,
 * that is, prepared for export.
 */

#include <linux/auxvec.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/pid.h>
#include <linux/random.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/time_namespace.h>
#include <linux/userfaultfd_k.h>

#include "cluster.h"
#include "home.h"

static DEFINE_XARRAY_ALLOC1(processes);
/* Not the numbers of before a reboot: what is under way is about other processes. */
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

int __init home_init(void)
{
	processes_next = get_random_u32_below(INT_MAX) + 1;
	return directory_works_init() ?: home_read_init();
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
	if (p && (p->id != id || !kref_get_unless_zero(&p->ref)))
		p = NULL;
	xa_unlock(&processes);
	return p;
}

/* A program that gains privileges by exec is not spread over machines, nor what it starts. */
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

static struct procshare_process *process_create(struct home_thread *t)
{
	struct session *session = t->session;
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
	spin_lock_init(&p->scratch.lock);
	xa_init(&p->threads);
	init_waitqueue_head(&p->wait);
	directory_init(&p->dir);
	p->session = session_get(session);
	p->policy = t->privileged ? PROCSHARE_POLICY_HOME : session->params.policy;
	p->mm = current->mm;
	mmgrab(p->mm);
	p->pid = get_pid(task_tgid(current));
	p->time_ns = get_time_ns(current->nsproxy->time_ns);
	p->tgid = task_tgid_nr(current);
	get_task_comm(p->comm, current);
	p->home = self;
	home_gather_init(&p->gathering);
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
struct procshare_process *process_of_current(struct home_thread *t)
{
	if (READ_ONCE(current->mm->procshare))
		return process_get_current();
	t->privileged |= gained_privileges(current->mm);
	return process_create(t) ?: process_get_current();
}

/* From now on a write-protected page is told by its uffd-wp bit: see home_mm.c. */
static void prepare_vmas(struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;

	for_each_vma(vmi, vma) {
		if (vma->vm_flags & (VM_PFNMAP | VM_IO | VM_HUGETLB) ||
		    !home_shared_may_export(vma))
			continue;
		vma_start_write(vma);
		vm_flags_set(vma, VM_UFFD_WP);
		/* Of a shared area writes are to fault first. */
		if (area_is_shared(vma))
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
