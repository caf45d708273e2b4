// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_time: CPU time of a thread, burnt at home and elsewhere
 *
 * What a thread burns on other nodes is charged to its task at home, so that
 * getrusage, /proc, CPU-time clocks, timers and limits count it.  The home row of
 * the usage counts only what was burnt at home.
 */

#include <linux/math64.h>
#include <linux/minmax.h>
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

/* Charge what of these totals of the stay has not been charged yet. */
static void charge(struct home_thread *t, u64 user, u64 system)
{
	user = max(user, t->stay_user_ns) - t->stay_user_ns;
	system = max(system, t->stay_system_ns) - t->stay_system_ns;
	if (!user && !system)
		return;
	t->stay_user_ns += user;
	t->stay_system_ns += system;
	usage_cpu(t->process, t->node, user, system);
	burn(t, user, system);
}

/* A stay begins.  What was charged too early at the end of the last one counts. */
void home_thread_account_begin(struct home_thread *t)
{
	t->stay_user_ns -= min(t->stay_user_ns, t->estimate.user_ns);
	/* No more than can have been estimated, whatever a node has said. */
	t->stay_user_ns = min_t(u64, t->stay_user_ns, CPU_BELIEVED_NS);
	t->stay_system_ns = 0;
	t->estimate = (struct cpu_estimate) { };
}

/*
 * @user, @system: the stay's totals as the node reports them.  From now on user time
 * is expected to grow at @rate.
 */
void home_thread_account_stay(struct home_thread *t, u64 user, u64 system, u32 rate)
{
	t->estimate.at_ns = ktime_get_ns();
	t->estimate.user_ns = user;
	t->estimate.rate = min(rate, CPU_RATE_FULL);
	charge(t, user, system);
}

/* The node has not said anything else until now. */
void home_thread_account_estimate(struct home_thread *t)
{
	charge(t, cpu_estimate_at(&t->estimate, ktime_get_ns()), t->stay_system_ns);
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
	u64 remote = remote_user + t->remote_system_ns;
	u64 runtime = current->se.sum_exec_runtime;

	/* The scheduler may lose a little of what was added to its sum meanwhile. */
	runtime -= min(runtime, remote);
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
