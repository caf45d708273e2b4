// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - shadow_clock: home's clocks, told by this node
 *
 * The helper enters a time namespace whose offsets make CLOCK_MONOTONIC and
 * CLOCK_BOOTTIME home's.  The same page, from which the vDSO takes the offsets,
 * has room for those of the other clocks; system calls add them here.
 */

#include <linux/delay.h>
#include <linux/ptrace.h>
#include <linux/time_namespace.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/unistd.h>
#include <vdso/datapage.h>

#include "cluster.h"
#include "shadow.h"

/* How far home's clock may be ahead of ours before we stop waiting for it. */
#define CLOCK_PATIENCE_US	20000

/* The clock minus CLOCK_MONOTONIC of this node: changes only when it is set. */
static s64 own(enum tk_offsets clock)
{
	return ktime_to_ns(ktime_mono_to_any(0, clock));
}

/*
 * All clocks of a node run alike: what is known of one holds for the others.  The
 * process may be in a time namespace of its own at home.
 */
void shadow_clock_start(struct shadow *s, const struct procshare_wire_start *start)
{
	s64 namespace = le64_to_cpu(start->monotonic_offset);
	u64 raw = ktime_get_raw_ns();
	u64 now = ktime_get_ns();
	s64 ahead;

	s->ahead = le64_to_cpu(start->monotonic) - now;
	if (procshare_node_clock(s->home, &ahead))
		s->ahead = max(s->ahead, ahead);
	s->offset_monotonic = s->ahead + namespace;
	s->offset_boottime = s->ahead + (s64)le64_to_cpu(start->boottime) -
			     own(TK_OFFS_BOOT) +
			     (s64)le64_to_cpu(start->boottime_offset);
	s->offset_raw = s->ahead + (s64)le64_to_cpu(start->raw) - (s64)(raw - now) +
			namespace;
	s->offset_realtime = s->ahead + (s64)le64_to_cpu(start->realtime) -
			     own(TK_OFFS_REAL);
	s->offset_tai = s->ahead + (s64)le64_to_cpu(start->tai) - own(TK_OFFS_TAI);
}

static struct timens_offset split(s64 ns)
{
	struct timespec64 ts = ns_to_timespec64(ns);

	return (struct timens_offset) { .sec = ts.tv_sec, .nsec = ts.tv_nsec };
}

/*
 * For the vDSO; current is in the shadow's time namespace.  A reader sees seconds
 * and nanoseconds of different moments only when a wall clock has just been set.
 */
void shadow_clock_publish(struct shadow *s)
{
	struct time_namespace *ns = current->nsproxy->time_ns;
	struct timens_offset *common, *raw;
	struct vdso_data *data;

	if (ns == &init_time_ns || !ns->frozen_offsets)
		return;
	data = arch_get_vdso_data(page_address(ns->vvar_page));
	common = data[CS_HRES_COARSE].offset;
	raw = data[CS_RAW].offset;
	spin_lock(&s->lock);
	common[CLOCK_REALTIME] = split(s->offset_realtime);
	common[CLOCK_REALTIME_COARSE] = common[CLOCK_REALTIME];
	common[CLOCK_TAI] = split(s->offset_tai);
	raw[CLOCK_MONOTONIC_RAW] = split(s->offset_raw);
	spin_unlock(&s->lock);
}

/* Time must not step back for the thread: wait until our clock has caught up. */
static void await_clock(u64 monotonic)
{
	u64 waited;

	for (waited = 0; waited < CLOCK_PATIENCE_US; waited += 100) {
		struct timespec64 now;

		ktime_get_ts64(&now);
		timens_add_monotonic(&now);
		if (timespec64_to_ns(&now) >= (s64)monotonic)
			return;
		usleep_range(50, 100);
	}
}

/* A thread arrives with @state.  Meanwhile a wall clock may have been set. */
void shadow_clock_arrive(struct shadow *s, const struct procshare_wire_thread *state)
{
	s64 offset = s->ahead + (s64)le64_to_cpu(state->realtime) - own(TK_OFFS_REAL);
	s64 set = offset - READ_ONCE(s->offset_realtime);

	if (set) {
		WRITE_ONCE(s->offset_realtime, offset);
		WRITE_ONCE(s->offset_tai, s->offset_tai + set);
		shadow_clock_publish(s);
	}
	await_clock(le64_to_cpu(state->monotonic));
}

/* False for clocks that the kernel itself tells as home does. */
static bool read_clock(struct shadow *s, clockid_t clock, struct timespec64 *ts)
{
	s64 offset = READ_ONCE(s->offset_realtime);

	switch (clock) {
	case CLOCK_REALTIME:
		ktime_get_real_ts64(ts);
		break;
	case CLOCK_REALTIME_COARSE:
		ktime_get_coarse_real_ts64(ts);
		break;
	case CLOCK_TAI:
		ktime_get_clocktai_ts64(ts);
		offset = READ_ONCE(s->offset_tai);
		break;
	case CLOCK_MONOTONIC_RAW:
		ktime_get_raw_ts64(ts);
		offset = s->offset_raw;
		break;
	default:
		return false;
	}
	*ts = timespec64_add(*ts, ns_to_timespec64(offset));
	return true;
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
