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

/* Who is first in the queue does not get the page. */
void export_refuse(struct dir_entry *e)
{
	struct procshare_process *p = e->process;
	struct coh_out out __uninitialized;

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
		export_refuse(e);
	return result == EXPORT_DONE || result == EXPORT_REFUSE;
}

/**
 * struct serving - requests that are served one after the other
 * @mm: where the page is
 * @locked: the mmap lock is held
 * @absent: the page is being read
 * @unmapped: the last try has unmapped the page where it was mapped elsewhere
 */
struct serving {
	struct mm_struct *mm;
	bool locked;
	bool absent;
	bool unmapped;
};

static void fault_in(struct dir_entry *e, struct vm_area_struct *vma, struct serving *s)
{
	bool unlocked = false;

	s->absent = home_read(e, vma);
	if (!s->absent && fixup_user_fault(s->mm, e->address, FAULT_FLAG_REMOTE, &unlocked))
		export_refuse(e);
}

/*
 * One request.  A page that is mapped elsewhere, too, is unmapped once: if it is mapped
 * again at once, it is in use.
 */
static void export_head(struct dir_entry *e, bool write, struct serving *s)
{
	struct vm_area_struct *vma = find_area(e->process, s->mm, e->address, &s->locked);

	if (!vma || !export_allowed(vma, write)) {
		export_refuse(e);
		return;
	}
	switch (export_once(e, vma)) {
	case EXPORT_ELSEWHERE:
		s->unmapped = !s->unmapped && home_shared_unmap(vma, e->address);
		if (s->unmapped)
			break;
		fallthrough;
	case EXPORT_REFUSE:
		export_refuse(e);
		break;
	case EXPORT_LEASE:
		if (!home_lease_take(vma->vm_file))
			export_refuse(e);
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

/* False if the page is being read. */
static bool serve_all(struct dir_entry *e, struct mm_struct *mm)
{
	struct serving s = { .mm = mm, .locked = true };
	bool write;

	mmap_read_lock(mm);
	while (s.locked && !s.absent && head_wants(e, &write))
		export_head(e, write, &s);
	if (s.locked)
		mmap_read_unlock(mm);
	return !s.absent;
}

/* Nobody who wants the page is left but the dying. */
static void refuse_all(struct dir_entry *e)
{
	bool write;

	while (head_wants(e, &write))
		export_refuse(e);
}

/*
 * Serve a claimed entry: end home's hold if it is time, then the queue.  False, and
 * still claimed, if something has to be waited for: a worker has to do it if not
 * @patient, and otherwise will do it when the page has been read.  The caller pushes
 * the answers out.
 */
bool export_serve(struct dir_entry *e, bool patient)
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
		served = patient ? serve_all(e, p->mm) : serve_resident(e, p->mm);
		process_put_mm(p);
	} else {
		refuse_all(e);
	}
	if (!served)
		return false;
	spin_lock(&p->dir.lock);
	directory_served(p, e);
	spin_unlock(&p->dir.lock);
	return true;
}
