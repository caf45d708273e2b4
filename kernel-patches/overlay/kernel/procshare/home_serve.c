// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_serve: the requests in an entry's queue that need home's page tables
 *
 * The first try is made where a request arrives and never waits for long; what has to
 * be faulted in, or grown, is left to a worker.
 */

#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "home.h"

/* expand_stack() goes by the limit of current, which is a worker. */
static bool stack_may_reach(const struct procshare_process *p,
			    const struct vm_area_struct *vma, unsigned long address)
{
	struct task_struct *leader = get_pid_task(p->pid, PIDTYPE_TGID);
	bool may;

	if (!leader)
		return false;
	may = vma->vm_end - address <= task_rlimit(leader, RLIMIT_STACK);
	put_task_struct(leader);
	return may;
}

/* The stack grows for a remote thread as it does for one at home. */
static struct vm_area_struct *find_area(const struct procshare_process *p,
					struct mm_struct *mm, unsigned long address,
					bool *locked)
{
	struct vm_area_struct *vma = find_vma(mm, address);

	*locked = true;
	if (!vma || vma->vm_start <= address)
		return vma;
	if (!(vma->vm_flags & VM_GROWSDOWN) || !stack_may_reach(p, vma, address))
		return NULL;
	vma = expand_stack(mm, address);
	*locked = vma;
	return vma;
}

/* Does the head of the queue want to write?  False if there is no such head. */
static bool head_wants(struct dir_entry *e, bool *write)
{
	struct procshare_process *p = e->process;
	bool copy;

	spin_lock(&p->dir.lock);
	copy = coh_home_next(&e->coh) == COH_NEXT_COPY &&
	       !directory_blocked(&p->dir, e->address);
	*write = copy && e->coh.want_write & coh_bit(coh_home_head(&e->coh));
	spin_unlock(&p->dir.lock);
	return copy;
}

static void refuse(struct dir_entry *e)
{
	struct procshare_process *p = e->process;
	struct coh_out out;

	coh_out_init(&out);
	spin_lock(&p->dir.lock);
	if (coh_home_next(&e->coh) == COH_NEXT_COPY) {
		coh_home_refuse(&e->coh, p->home, &out);
		directory_perform(e, &out, NULL, NULL);
	}
	spin_unlock(&p->dir.lock);
}

/* One request, if the page is resident and its area needs no growing. */
static bool export_resident(struct dir_entry *e, struct mm_struct *mm, bool write)
{
	struct vm_area_struct *vma = vma_lookup(mm, e->address);
	enum export_result result;

	if (!vma || !export_allowed(vma, write))
		return false;
	result = export_once(e, vma);
	if (result == EXPORT_REFUSE)
		refuse(e);
	return result == EXPORT_DONE || result == EXPORT_REFUSE;
}

/*
 * One request; the mmap lock is held on return only if *locked.  A page that is mapped
 * elsewhere, too, is unmapped once: if it is mapped again at once, it is in use.
 */
static void export_head(struct dir_entry *e, struct mm_struct *mm, bool write,
			bool *unmapped, bool *locked)
{
	struct vm_area_struct *vma;
	bool unlocked = false;

	vma = find_area(e->process, mm, e->address, locked);
	if (!vma || !export_allowed(vma, write)) {
		refuse(e);
		return;
	}
	switch (export_once(e, vma)) {
	case EXPORT_ELSEWHERE:
		*unmapped = !*unmapped && home_shared_unmap(vma, e->address);
		if (*unmapped)
			break;
		fallthrough;
	case EXPORT_REFUSE:
		refuse(e);
		break;
	case EXPORT_LEASE:
		if (!home_lease_take(vma->vm_file))
			refuse(e);
		break;
	case EXPORT_FAULT:
		if (fixup_user_fault(mm, e->address, FAULT_FLAG_REMOTE, &unlocked))
			refuse(e);
		break;
	case EXPORT_DONE:
		*unmapped = false;
		break;
	}
}

/* Never waits for long: false if something has to be waited for. */
static bool serve_resident(struct dir_entry *e, struct mm_struct *mm)
{
	bool served = true;
	bool write;

	if (!mmap_read_trylock(mm))
		return false;
	while (served && head_wants(e, &write))
		served = export_resident(e, mm, write);
	mmap_read_unlock(mm);
	return served;
}

static void serve_all(struct dir_entry *e, struct mm_struct *mm)
{
	bool unmapped = false, locked = true;
	bool write;

	mmap_read_lock(mm);
	while (locked && head_wants(e, &write))
		export_head(e, mm, write, &unmapped, &locked);
	if (locked)
		mmap_read_unlock(mm);
}

/*
 * Serve a claimed entry: end home's hold if it is time, then the queue.  False,
 * and still claimed, if not @patient and something has to be waited for.  The
 * caller pushes the answers out.
 */
bool export_serve(struct dir_entry *e, bool patient)
{
	struct procshare_process *p = e->process;
	struct mm_struct *mm = p->mm;
	bool served = true;

	spin_lock(&p->dir.lock);
	if (e->releasing) {
		e->releasing = false;
		coh_home_release(&e->coh, COH_WRITE);
	}
	spin_unlock(&p->dir.lock);
	if (mmget_not_zero(mm)) {
		if (patient)
			serve_all(e, mm);
		else
			served = serve_resident(e, mm);
		mmput_async(mm);
	}
	if (!served)
		return false;
	spin_lock(&p->dir.lock);
	directory_served(p, e);
	spin_unlock(&p->dir.lock);
	return true;
}
