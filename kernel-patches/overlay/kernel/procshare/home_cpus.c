// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_cpus: a shared process sees the CPUs of all its nodes
 *
 * What it is told about them, and what it asks for with sched_setaffinity(): that
 * moves threads.  The home thread itself obeys the part that is about home.
 */

#include <linux/compat.h>
#include <linux/procshare.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>

#include "cluster.h"
#include "home.h"

/* The CPUs that the session of @t has now; how many numbers there are, 0 for home's. */
static unsigned int all_cpus(struct home_thread *t, unsigned long *mask)
{
	unsigned int total;

	spin_lock(&t->lock);
	total = t->session->cpus.total;
	if (total)
		cpu_layout_mask(&t->session->cpus, session_nodes(t->session), mask);
	spin_unlock(&t->lock);
	/* No node of the set is up: it runs at home. */
	if (total && bitmap_empty(mask, PROCSHARE_CPUS))
		bitmap_set(mask, 0, min(nr_cpu_ids, total));
	return total;
}

/* ---- what it is told ---- */

/*
 * /sys/devices/system/cpu: online, present, possible.  0: print what there is.
 * Programs use numbers up to the last possible one as indices.
 */
ssize_t __procshare_print_cpus(char *buf, const struct cpumask *which)
{
	struct home_thread *t = home_thread_of(current);
	DECLARE_BITMAP(mask, PROCSHARE_CPUS);
	unsigned int total;

	total = t && !in_compat_syscall() ? all_cpus(t, mask) : 0;
	if (which == cpu_possible_mask)
		bitmap_set(mask, 0, total);
	return total ? bitmap_print_to_pagebuf(true, buf, mask, total) : 0;
}

bool __procshare_numbers_cpus(pid_t pid)
{
	struct task_struct *task;
	struct home_thread *t;
	bool numbers = false;

	rcu_read_lock();
	task = pid ? find_task_by_vpid(pid) : current;
	t = task ? home_thread_of(task) : NULL;
	if (t) {
		spin_lock(&t->lock);
		numbers = t->session->cpus.total;
		spin_unlock(&t->lock);
	}
	rcu_read_unlock();
	return numbers;
}

/* Home's numbers start at 0: what home says about its own CPUs fits in as it is. */
static long home_affinity(pid_t pid, unsigned long *mask, unsigned int count)
{
	cpumask_var_t cpus;
	long err;

	if (!zalloc_cpumask_var(&cpus, GFP_KERNEL))
		return -ENOMEM;
	err = sched_getaffinity(pid, cpus);
	if (!err)
		bitmap_copy(mask, cpumask_bits(cpus), count);
	free_cpumask_var(cpus);
	return err;
}

/* The numbers in use, 0 if home's; @home is what the home thread may use there. */
static unsigned int get_affinity(struct home_thread *t, unsigned long *mask,
				 const unsigned long *home)
{
	DECLARE_BITMAP(some, PROCSHARE_CPUS);
	unsigned int total = all_cpus(t, mask);

	if (!total)
		return 0;
	spin_lock(&t->lock);
	if (t->pinned && bitmap_and(some, mask, t->cpus, PROCSHARE_CPUS))
		bitmap_copy(mask, some, PROCSHARE_CPUS);
	spin_unlock(&t->lock);
	/* Without those of home's CPUs that the home thread may not use. */
	bitmap_zero(some, PROCSHARE_CPUS);
	bitmap_set(some, 0, nr_cpu_ids);
	bitmap_andnot(some, some, home, PROCSHARE_CPUS);
	if (bitmap_andnot(some, mask, some, PROCSHARE_CPUS))
		bitmap_copy(mask, some, PROCSHARE_CPUS);
	return total;
}

long procshare_getaffinity(pid_t pid, unsigned int len, unsigned long __user *user)
{
	DECLARE_BITMAP(home, PROCSHARE_CPUS) = { };
	DECLARE_BITMAP(mask, PROCSHARE_CPUS);
	struct task_struct *task;
	struct home_thread *t;
	unsigned int total;
	long err;

	err = home_affinity(pid, home, nr_cpu_ids);
	if (err)
		return err;
	task = pid ? find_get_task_by_vpid(pid) : get_task_struct(current);
	if (!task)
		return -ESRCH;
	t = home_thread_of(task);
	total = t ? get_affinity(t, mask, home) : 0;
	put_task_struct(task);
	/* Another thread has got the number meanwhile. */
	if (!total)
		return -ESRCH;
	if (len * BITS_PER_BYTE < total || len & (sizeof(long) - 1))
		return -EINVAL;
	len = min_t(unsigned int, len, BITS_TO_LONGS(total) * sizeof(long));
	if (copy_to_user(user, mask, len))
		return -EFAULT;
	return len;
}

/* ---- what it asks for ---- */

/* The home thread may run anywhere at home if only other nodes' CPUs are meant. */
static long set_home_affinity(pid_t pid, const unsigned long *mask)
{
	cpumask_var_t cpus;
	long err;

	if (!zalloc_cpumask_var(&cpus, GFP_KERNEL))
		return -ENOMEM;
	node_cpus_mask(cpus, mask);
	if (cpumask_empty(cpus))
		cpumask_copy(cpus, cpu_possible_mask);
	err = sched_setaffinity(pid, cpus);
	free_cpumask_var(cpus);
	return err;
}

static void pin(struct home_thread *t, const unsigned long *mask,
		const unsigned long *all)
{
	spin_lock(&t->lock);
	t->pinned = !bitmap_equal(mask, all, PROCSHARE_CPUS);
	bitmap_copy(t->cpus, mask, PROCSHARE_CPUS);
	spin_unlock(&t->lock);
}

/* One that has not run yet will see for itself when it starts. */
static void move(struct task_struct *task)
{
	struct procshare_process *p = process_of_task(task);
	struct home_thread *t;

	if (!p)
		return;
	t = home_thread_find(p, task_pid_nr(task));
	if (t) {
		home_place_again(p, t);
		home_thread_put(t);
	}
	process_put(p);
}

static long set_affinity(pid_t pid, struct task_struct *task, unsigned long *mask)
{
	struct home_thread *t = home_thread_of(task);
	DECLARE_BITMAP(all, PROCSHARE_CPUS);
	long err;

	if (!t || !all_cpus(t, all))
		return -ESRCH;
	if (!bitmap_and(mask, mask, all, PROCSHARE_CPUS))
		return -EINVAL;
	err = set_home_affinity(pid, mask);
	/* None of home's may be used, but some of another node. */
	if (err == -EINVAL &&
	    find_next_bit(mask, PROCSHARE_CPUS, nr_cpu_ids) < PROCSHARE_CPUS) {
		bitmap_clear(mask, 0, nr_cpu_ids);
		err = set_home_affinity(pid, mask);
	}
	if (err)
		return err;
	pin(t, mask, all);
	move(task);
	return 0;
}

long procshare_setaffinity(pid_t pid, unsigned int len,
			   const unsigned long __user *user)
{
	DECLARE_BITMAP(mask, PROCSHARE_CPUS) = { };
	struct task_struct *task;
	long err;

	if (copy_from_user(mask, user, min_t(size_t, len, sizeof(mask))))
		return -EFAULT;
	task = pid ? find_get_task_by_vpid(pid) : get_task_struct(current);
	if (!task)
		return -ESRCH;
	err = set_affinity(pid, task, mask);
	put_task_struct(task);
	return err;
}
