// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_serve: the requests in an entry's queue that need home's page tables
 *
 * The first try is made where a request arrives and never waits for long; what has to
 * be read in, or grown, is left to a worker.
 */

#include <linux/mm.h>
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

/**
 * struct serving - requests that are served one after the other
 * @mm: where the page is
 * @how: what may be done about a page that is not there
 * @locked: the mmap lock is held
 * @absent: the page has to be waited for
 * @unmapped: the last try has unmapped the page where it was mapped elsewhere
 */
struct serving {
	struct mm_struct *mm;
	enum serve how;
	bool locked;
	bool absent;
	bool unmapped;
};

/*
 * Have a page read in, and do not wait for it: as long as mm_users is held a killed
 * process keeps its memory, and some file systems need not ever answer.
 */
static void fault_in(struct dir_entry *e, struct vm_area_struct *vma, struct serving *s)
{
	vm_fault_t fault = handle_mm_fault(vma, e->address, FAULT_FLAG_REMOTE |
					   FAULT_FLAG_ALLOW_RETRY |
					   FAULT_FLAG_RETRY_NOWAIT, NULL);

	s->absent = fault & VM_FAULT_RETRY && s->how != SERVE_LAST;
	if (fault & (VM_FAULT_RETRY | VM_FAULT_ERROR) && !s->absent)
		refuse(e);
}

/*
 * One request.  A page that is mapped elsewhere, too, is unmapped once: if it is mapped
 * again at once, it is in use.
 */
static void export_head(struct dir_entry *e, bool write, struct serving *s)
{
	struct vm_area_struct *vma = find_area(e->process, s->mm, e->address, &s->locked);

	if (!vma || !export_allowed(vma, write)) {
		refuse(e);
		return;
	}
	switch (export_once(e, vma)) {
	case EXPORT_ELSEWHERE:
		s->unmapped = !s->unmapped && home_shared_unmap(vma, e->address);
		if (s->unmapped)
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
		fault_in(e, vma, s);
		break;
	case EXPORT_DONE:
		s->unmapped = false;
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

/* False if a page has to be waited for. */
static bool serve_all(struct dir_entry *e, struct mm_struct *mm, enum serve how)
{
	struct serving s = { .mm = mm, .how = how, .locked = true };
	bool write;

	mmap_read_lock(mm);
	while (s.locked && !s.absent && head_wants(e, &write))
		export_head(e, write, &s);
	if (s.locked)
		mmap_read_unlock(mm);
	return !s.absent;
}

/*
 * Serve a claimed entry: end home's hold if it is time, then the queue.  False, and
 * still claimed, if something has to be waited for: the caller tries again, with more
 * patience.  It pushes the answers out, too.
 */
bool export_serve(struct dir_entry *e, enum serve how)
{
	struct procshare_process *p = e->process;
	bool served = true;

	spin_lock(&p->dir.lock);
	if (e->releasing) {
		e->releasing = false;
		coh_home_release(&e->coh, COH_WRITE);
	}
	spin_unlock(&p->dir.lock);
	if (process_get_mm(p)) {
		served = how == SERVE_RESIDENT ? serve_resident(e, p->mm) :
						 serve_all(e, p->mm, how);
		process_put_mm(p);
	}
	if (!served)
		return false;
	spin_lock(&p->dir.lock);
	directory_served(p, e);
	spin_unlock(&p->dir.lock);
	return true;
}
