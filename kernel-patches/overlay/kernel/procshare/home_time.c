// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_time: CPU time of a thread, burnt at home and elsewhere
 *
 * What a thread burns on other nodes is charged to its task at home, so that
 * getrusage, /proc, CPU-time clocks, timers and limits count it.  The home row of
 * the usage counts only what was burnt at home.
 */

#include <linux/math64.h>
#include <linux/posix-timers.h>
#include <linux/sched/cputime.h>

#include "cluster.h"
#include "home.h"

/* current has burnt so much more, in ns, on another node: its timers may expire. */
static void burn(struct home_thread *t, u64 user, u64 system)
{
	atomic64_add(user, &t->remote_user_ns);
	t->remote_system_ns += system;

	/* As the tick would, with interrupts off, on the CPU that runs current. */
	local_irq_disable();
	current->utime += user;
	current->stime += system;
	current->se.sum_exec_runtime += user + system;
	account_group_user_time(current, user);
	account_group_system_time(current, system);
	account_group_exec_runtime(current, user + system);
	run_posix_cpu_timers();
	local_irq_enable();
}

/* @user, @system: the stay's totals as the node reports them; they only grow. */
void home_thread_account_stay(struct home_thread *t, u64 user, u64 system)
{
	if (user < t->stay_user_ns || system < t->stay_system_ns)
		return;
	user -= t->stay_user_ns;
	system -= t->stay_system_ns;
	t->stay_user_ns += user;
	t->stay_system_ns += system;
	usage_cpu(t->process, t->node, user, system);
	burn(t, user, system);
}

/* @total: calls of the stay that the node answered by itself; it only grows. */
void home_thread_count_local(struct home_thread *t, u32 total)
{
	if (total <= t->stay_calls_local)
		return;
	usage_count(t->process, t->node, PROCSHARE_COUNT_CALLS_LOCAL,
		    total - t->stay_calls_local);
	t->stay_calls_local = total;
}

/*
 * What current has burnt at home: ticks say how much of it was user time, the
 * scheduler says exactly how much it was.
 */
static void burnt_at_home(const struct home_thread *t, u64 *user, u64 *system)
{
	u64 remote_user = atomic64_read(&t->remote_user_ns);
	u64 ticks_user = current->utime - remote_user;
	u64 ticks_system = current->stime - t->remote_system_ns;
	u64 runtime = current->se.sum_exec_runtime - remote_user -
		      t->remote_system_ns;

	*system = runtime;
	if (ticks_user)
		*system = mul_u64_u64_div_u64(ticks_system, runtime,
					      ticks_user + ticks_system);
	*user = runtime - *system;
}

/* Whatever current has burnt until now is not this process's. */
void home_thread_account_from(struct home_thread *t)
{
	burnt_at_home(t, &t->home_user_ns, &t->home_system_ns);
}

/* Count in home's row what current has burnt at home since it was last counted. */
void home_thread_account(struct home_thread *t)
{
	u64 user, system;

	if (!t->process)
		return;
	burnt_at_home(t, &user, &system);
	/* The two shares may shift against each other, but only grow here. */
	user = max(user, t->home_user_ns);
	system = max(system, t->home_system_ns);
	usage_cpu(t->process, t->process->home, user - t->home_user_ns,
		  system - t->home_system_ns);
	t->home_user_ns = user;
	t->home_system_ns = system;
}
