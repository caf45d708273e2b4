// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - shadow_host: the helper becomes the leader of a shadow process
 *
 * Its address space is emptied and filled with one mapping that faults to home
 * (and home's vDSO at home's address).  The leader stays in the kernel and makes
 * threads on demand until the shadow ends; it never returns to user mode.
 */

#define pr_fmt(fmt) "procshare: " fmt

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/freezer.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/rseq.h>
#include <linux/sched/coredump.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/security.h>
#include <asm/vdso.h>

#include "cluster.h"
#include "shadow.h"
#include "vdso.h"

static int map_range(struct file *file, unsigned long start, unsigned long end)
{
	unsigned long at;

	if (start >= end)
		return 0;
	at = vm_mmap(file, start, end - start, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_FIXED, start);
	return IS_ERR_VALUE(at) ? (int)at : 0;
}

/* The vDSO must be at the same place, and its data, too: HELLO compares kernels. */
static int map_all(struct shadow *s, struct file *file)
{
	unsigned long first = PAGE_ALIGN(max(mmap_min_addr, PAGE_SIZE));
	unsigned long hole = s->vdso + vdso_image_64.sym_vvar_start;
	unsigned long hole_end = s->vdso + vdso_image_64.size;
	int err;

	if (!s->vdso)
		return map_range(file, first, TASK_SIZE_MAX);
	if (!PAGE_ALIGNED(s->vdso) || hole < first || hole > s->vdso ||
	    hole_end > TASK_SIZE_MAX)
		return -EINVAL;
	err = map_range(file, first, hole);
	if (!err)
		err = map_range(file, hole_end, TASK_SIZE_MAX);
	return err ?: map_vdso_once(procshare_vdso_image(), hole);
}

/* From here on the helper's own code is gone: errors end the process. */
static int replace_address_space(struct shadow *s)
{
	struct file *file;
	int err;

	file = anon_inode_create_getfile("[procshare]", &shadow_fops, s,
					 O_RDWR | O_CLOEXEC, NULL);
	if (IS_ERR(file))
		return PTR_ERR(file);
	kref_get(&s->ref);	/* dropped by the file's release */
	s->inode = file_inode(file);
	ihold(s->inode);
	err = vm_munmap(0, TASK_SIZE_MAX);
	/* What the helper's C library registered is not there any more. */
	current->clear_child_tid = NULL;
	current->robust_list = NULL;
	rseq_execve(current);
	if (!err)
		err = map_all(s, file);
	fput(file);
	return err;
}

static struct shadow_thread *next_newcomer(struct shadow *s)
{
	struct shadow_thread *st;

	spin_lock(&s->lock);
	st = list_first_entry_or_null(&s->newcomers, struct shadow_thread, node);
	if (st)
		list_del_init(&st->node);
	spin_unlock(&s->lock);
	return st;
}

static void create_thread(struct shadow *s, struct shadow_thread *st)
{
	pid_t pid;

	/* The task's reference; shadow_thread_free() drops it. */
	kref_get(&st->ref);
	do {
		pid = user_mode_thread(shadow_thread_main, st,
				       CLONE_VM | CLONE_FS | CLONE_FILES |
				       CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM);
		/* The freezer or a tracer wants something from the leader. */
		if (pid == -ERESTARTNOINTR) {
			try_to_freeze();
			schedule_timeout_killable(1);
		}
	} while (pid == -ERESTARTNOINTR && !fatal_signal_pending(current));
	if (pid < 0) {
		shadow_thread_put(st);
		shadow_thread_refuse(st);
	}
}

static void lead(struct shadow *s)
{
	struct shadow_thread *st;

	while (!READ_ONCE(s->dead) && !fatal_signal_pending(current)) {
		wait_event_state(s->wait, !list_empty(&s->newcomers) ||
				 READ_ONCE(s->dead), SHADOW_IDLE);
		while (!READ_ONCE(s->dead) && (st = next_newcomer(s))) {
			create_thread(s, st);
			shadow_thread_put(st);
		}
	}
}

/* Threads that never got a task; none is added once the shadow is dead. */
void shadow_discard_newcomers(struct shadow *s)
{
	struct shadow_thread *st;

	while ((st = next_newcomer(s))) {
		shadow_thread_discard(st);
		shadow_thread_put(st);
	}
}

/*
 * current, the claimed helper, hosts @s until the shared process ends, and dies.
 */
void __noreturn shadow_host(struct shadow *s)
{
	sigset_t all;
	int err;

	/* Nobody on this node has anything to tell a shadow, but SIGKILL. */
	siginitsetinv(&all, sigmask(SIGKILL));
	sigprocmask(SIG_BLOCK, &all, NULL);
	__set_task_comm(current, s->comm, false);
	/* Nor does who happens to have the same user id look into it. */
	set_dumpable(current->mm, SUID_DUMP_DISABLE);

	shadow_clock_host(s);
	err = replace_address_space(s);
	if (err) {
		pr_warn_ratelimited("cannot map the shadow process of %s: error %d\n",
				    s->comm, -err);
		shadow_kill(s, "its address space could not be made");
	} else {
		shadow_tell_home(s, PROCSHARE_WIRE_READY, 0);
		shadow_helper_refill();
		lead(s);
		shadow_kill(s, "it was killed");
	}
	shadow_put(s);
	do_group_exit(SIGKILL);
}
