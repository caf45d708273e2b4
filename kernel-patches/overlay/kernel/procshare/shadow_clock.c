// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - shadow_clock: home's clocks, told by this node
 *
 * The helper enters a time namespace.  The vDSO takes its offsets from a page that has
 * room for those of all clocks, and they are kept there; system calls add them here.
 * They follow what the links know of how the nodes' clocks drift apart.
 */

#include <linux/ptrace.h>
#include <linux/time_namespace.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/unistd.h>
#include <vdso/datapage.h>

#include "cluster.h"
#include "shadow.h"

/* The vDSO divides nanoseconds by subtracting: not too often. */
#define MOST_NS			(4 * NSEC_PER_SEC)

/* The clock minus CLOCK_MONOTONIC of this node: changes only when it is set. */
static s64 own(enum tk_offsets clock)
{
	return ktime_to_ns(ktime_mono_to_any(0, clock));
}

/*
 * Home's clock is @ahead of ours, as far as is known by now.  All clocks of a node run
 * alike: what is known of one holds for the others.  They do not go back while a thread
 * that has seen them is here.
 */
static void follow(struct shadow *s, s64 ahead)
{
	s64 more = ahead - s->ahead;
	int i;

	if (more < 0 && s->present)
		return;
	s->ahead = ahead;
	for (i = 0; i < SHADOW_CLOCKS; i++)
		WRITE_ONCE(s->offset[i], s->offset[i] + more);
}

/* The process may be in a time namespace of its own at home. */
void shadow_clock_start(struct shadow *s, const struct procshare_wire_start *start)
{
	s64 namespace = le64_to_cpu(start->monotonic_offset);
	u64 raw = ktime_get_raw_ns();
	u64 now = ktime_get_ns();
	s64 ahead;

	s->ahead = le64_to_cpu(start->monotonic) - now;
	s->offset[SHADOW_MONOTONIC] = s->ahead + namespace;
	s->offset[SHADOW_BOOTTIME] = s->ahead + (s64)le64_to_cpu(start->boottime) -
				     own(TK_OFFS_BOOT) +
				     (s64)le64_to_cpu(start->boottime_offset);
	s->offset[SHADOW_RAW] = s->ahead + (s64)le64_to_cpu(start->raw) -
				(s64)(raw - now) + namespace;
	s->offset[SHADOW_REALTIME] = s->ahead + (s64)le64_to_cpu(start->realtime) -
				     own(TK_OFFS_REAL);
	s->offset[SHADOW_TAI] = s->ahead + (s64)le64_to_cpu(start->tai) -
				own(TK_OFFS_TAI);
	if (procshare_node_clock(s->home, &ahead))
		follow(s, max(ahead, s->ahead));
}

/*
 * Readers take the seconds and then the nanoseconds: only the latter change, unless a
 * wall clock has been set or the clocks have drifted far apart.
 */
static void tell(struct timens_offset *at, s64 ns)
{
	s64 nsec = ns - at->sec * NSEC_PER_SEC;

	if (nsec < 0 || nsec >= MOST_NS) {
		struct timespec64 ts = ns_to_timespec64(ns);

		WRITE_ONCE(at->sec, ts.tv_sec);
		nsec = ts.tv_nsec;
	}
	WRITE_ONCE(at->nsec, nsec);
}

/* The clocks that a node tells: how it reads its own, and what it adds. */
static const struct told_clock {
	void (*read)(struct timespec64 *ts);
	clockid_t clock;
	enum shadow_clock offset;
} told_clocks[] = {
	{ ktime_get_ts64, CLOCK_MONOTONIC, SHADOW_MONOTONIC },
	{ ktime_get_coarse_ts64, CLOCK_MONOTONIC_COARSE, SHADOW_MONOTONIC },
	{ ktime_get_raw_ts64, CLOCK_MONOTONIC_RAW, SHADOW_RAW },
	{ ktime_get_boottime_ts64, CLOCK_BOOTTIME, SHADOW_BOOTTIME },
	{ ktime_get_real_ts64, CLOCK_REALTIME, SHADOW_REALTIME },
	{ ktime_get_coarse_real_ts64, CLOCK_REALTIME_COARSE, SHADOW_REALTIME },
	{ ktime_get_clocktai_ts64, CLOCK_TAI, SHADOW_TAI },
};

/* For the vDSO; under the shadow's lock. */
static void publish(struct shadow *s)
{
	struct vdso_data *data;
	unsigned int i, base;

	if (!s->time_ns)
		return;
	data = arch_get_vdso_data(page_address(s->time_ns->vvar_page));
	for (i = 0; i < ARRAY_SIZE(told_clocks); i++) {
		base = told_clocks[i].offset == SHADOW_RAW ? CS_RAW : CS_HRES_COARSE;
		tell(&data[base].offset[told_clocks[i].clock],
		     s->offset[told_clocks[i].offset]);
	}
}

/* current leads the shadow process, in a time namespace of its own. */
void shadow_clock_host(struct shadow *s)
{
	struct time_namespace *ns = current->nsproxy->time_ns;

	if (ns == &init_time_ns || !ns->frozen_offsets)
		return;
	spin_lock(&s->lock);
	s->time_ns = get_time_ns(ns);
	publish(s);
	spin_unlock(&s->lock);
}

/* Once a second: what the link knows by now. */
void shadow_clock_follow(struct shadow *s)
{
	s64 ahead;

	if (!procshare_node_clock(s->home, &ahead))
		return;
	spin_lock(&s->lock);
	follow(s, ahead);
	publish(s);
	spin_unlock(&s->lock);
}

/*
 * A thread arrives with @state.  What home's clocks said when it left is the least that
 * they say by now, and meanwhile a wall clock may have been set.
 */
void shadow_clock_arrive(struct shadow *s, const struct procshare_wire_thread *state)
{
	s64 *offset = s->offset, later, raw, realtime;

	spin_lock(&s->lock);
	later = (s64)le64_to_cpu(state->monotonic) - ktime_get_ns() -
		offset[SHADOW_MONOTONIC];
	if (later > 0)
		follow(s, s->ahead + later);
	raw = (s64)le64_to_cpu(state->raw) - ktime_get_raw_ns();
	if (raw > offset[SHADOW_RAW] || !s->present)
		WRITE_ONCE(offset[SHADOW_RAW], raw);
	realtime = s->ahead + (s64)le64_to_cpu(state->realtime) - own(TK_OFFS_REAL);
	WRITE_ONCE(offset[SHADOW_TAI],
		   offset[SHADOW_TAI] + realtime - offset[SHADOW_REALTIME]);
	WRITE_ONCE(offset[SHADOW_REALTIME], realtime);
	s->present++;
	publish(s);
	spin_unlock(&s->lock);
}

/* A thread ends here. */
void shadow_clock_forget(struct shadow *s)
{
	spin_lock(&s->lock);
	s->present--;
	spin_unlock(&s->lock);
}

/* A thread goes home with @state: home's clocks must not say less than it has seen. */
void shadow_clock_leave(struct shadow *s, struct procshare_wire_thread *state)
{
	s64 monotonic, raw;

	spin_lock(&s->lock);
	monotonic = ktime_get_ns() + s->offset[SHADOW_MONOTONIC];
	raw = ktime_get_raw_ns() + s->offset[SHADOW_RAW];
	s->present--;
	spin_unlock(&s->lock);
	state->monotonic = cpu_to_le64(monotonic);
	state->raw = cpu_to_le64(raw);
}

/* False for clocks that the node does not tell. */
static bool read_clock(const struct shadow *s, clockid_t clock, struct timespec64 *ts)
{
	unsigned int i;
	s64 offset;

	for (i = 0; i < ARRAY_SIZE(told_clocks); i++) {
		if (told_clocks[i].clock != clock)
			continue;
		told_clocks[i].read(ts);
		offset = READ_ONCE(s->offset[told_clocks[i].offset]);
		*ts = timespec64_add(*ts, ns_to_timespec64(offset));
		return true;
	}
	return false;
}

static long get_time_of_day(struct __kernel_old_timeval __user *tv,
			    struct timezone __user *tz, const struct timespec64 *now)
{
	if (tv && (put_user(now->tv_sec, &tv->tv_sec) ||
		   put_user(now->tv_nsec / NSEC_PER_USEC, &tv->tv_usec)))
		return -EFAULT;
	return tz && copy_to_user(tz, &sys_tz, sizeof(sys_tz)) ? -EFAULT : 0;
}

static long get_time(__kernel_old_time_t __user *at, const struct timespec64 *now)
{
	if (at && put_user(now->tv_sec, at))
		return -EFAULT;
	return now->tv_sec;
}

/* clock_gettime(), gettimeofday() or time(); false if the kernel is to answer. */
bool shadow_clock_get(struct shadow_thread *st, struct pt_regs *regs, long nr)
{
	struct timespec64 now;
	clockid_t clock;

	if (nr == __NR_clock_gettime)
		clock = regs->di;
	else
		clock = nr == __NR_time ? CLOCK_REALTIME_COARSE : CLOCK_REALTIME;
	if (!read_clock(st->shadow, clock, &now))
		return false;
	if (nr == __NR_clock_gettime)
		regs->ax = put_timespec64(&now, (void __user *)regs->si);
	else if (nr == __NR_gettimeofday)
		regs->ax = get_time_of_day((void __user *)regs->di,
					   (void __user *)regs->si, &now);
	else
		regs->ax = get_time((void __user *)regs->di, &now);
	return true;
}
