// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - carried: the buffers of each call
 *
 * A call that is not here, or not so used, is made with the caller's pages.
 */

#include <uapi/linux/eventpoll.h>
#include <linux/fcntl.h>
#include <uapi/linux/futex.h>
#include <linux/in6.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/ptrace.h>
#include <linux/resource.h>
#include <linux/sem.h>
#include <linux/signal.h>
#include <linux/socket.h>
#include <linux/stat.h>
#include <linux/statfs.h>
#include <linux/sysinfo.h>
#include <linux/time64.h>
#include <linux/times.h>
#include <linux/uaccess.h>
#include <linux/utsname.h>
#include <asm/ioctls.h>
#include <uapi/asm/termios.h>
#include <asm/unistd.h>

#include "carried.h"

/* Of what is written in part, and of arrays of which a part will do. */
#define MOST_CHANGED	2048
#define MOST_IN_PART	16384

/* What waitid() writes of a siginfo_t. */
#define WAITID_SIZE	28

/* Arguments count from 1; @n has the number of units. */
#define BUFFER(a, size, n, f)	{ .argument = a, .unit = size, .count = n, .flags = f }
#define SENT(a, size)		BUFFER(a, size, 0, CARRIED_SENT)
#define SENT_ARRAY(a, size, n)	BUFFER(a, size, n, CARRIED_SENT)
#define PATH(a)			BUFFER(a, CARRIED_PATH, 0, CARRIED_STRING)
#define FILLED(a, size)		BUFFER(a, size, 0, CARRIED_FILLED)
#define FOUND(a, size)		BUFFER(a, size, 0, CARRIED_FOUND)
#define RESULT(a, size, n)	BUFFER(a, size, n, CARRIED_RESULT)
#define PART(a, size, n)	BUFFER(a, size, n, CARRIED_RESULT | CARRIED_PART)
#define ENTRIES(a, n)		BUFFER(a, 1, n, CARRIED_RESULT | CARRIED_PART | CARRIED_GAPS)
#define CHANGED(a, size)	BUFFER(a, size, 0, CARRIED_CHANGED)
#define CHANGED_ARRAY(a, size, n) BUFFER(a, size, n, CARRIED_CHANGED)
/* Sets of descriptors: a long for each 64 of them. */
#define CHANGED_SET(a, n)	BUFFER(a, 0, n, CARRIED_CHANGED)
/* What follows is the length. */
#define LENGTH(a, size)		BUFFER(a, size, 0, CARRIED_LENGTH)
#define ADDRESS(a)		LENGTH(a, sizeof(struct sockaddr_storage))
/* What follows is in these places. */
#define VECTOR(a, n)		BUFFER(a, sizeof(struct iovec), n, CARRIED_VECTOR)
#define PLACES(way)		BUFFER(0, 1, 0, CARRIED_PLACES | (way))
#define HEADER(a, way)		BUFFER(a, sizeof(struct user_msghdr), 0, CARRIED_HEADER | (way))

/**
 * struct rule - a buffer of a call
 * @unit: its size; or that of each of @count
 * @argument: of the call, from 1: is the address; 0: it is in memory
 * @count: of the call, or 0: the number of units
 * @flags: CARRIED_*
 */
struct rule {
	u16 unit;
	u8 argument;
	u8 count;
	u16 flags;
};

static const struct rule calls[][CARRIED_BUFFERS] = {
	/* files and channels */
	[__NR_read] = { RESULT(2, 1, 3) },
	[__NR_write] = { SENT_ARRAY(2, 1, 3) },
	[__NR_pread64] = { RESULT(2, 1, 3) },
	[__NR_pwrite64] = { SENT_ARRAY(2, 1, 3) },
	[__NR_readv] = { VECTOR(2, 3), PLACES(CARRIED_RESULT) },
	[__NR_writev] = { VECTOR(2, 3), PLACES(CARRIED_SENT) },
	[__NR_preadv] = { VECTOR(2, 3), PLACES(CARRIED_RESULT) },
	[__NR_pwritev] = { VECTOR(2, 3), PLACES(CARRIED_SENT) },
	[__NR_preadv2] = { VECTOR(2, 3), PLACES(CARRIED_RESULT) },
	[__NR_pwritev2] = { VECTOR(2, 3), PLACES(CARRIED_SENT) },
	[__NR_pipe] = { FILLED(1, 2 * sizeof(int)) },
	[__NR_pipe2] = { FILLED(1, 2 * sizeof(int)) },
	[__NR_sendfile] = { CHANGED(3, sizeof(loff_t)) },
	[__NR_splice] = { CHANGED(2, sizeof(loff_t)), CHANGED(4, sizeof(loff_t)) },
	[__NR_copy_file_range] = { CHANGED(2, sizeof(loff_t)), CHANGED(4, sizeof(loff_t)) },
	[__NR_getdents64] = { ENTRIES(2, 3) },

	/* paths and what is said about them */
	[__NR_open] = { PATH(1) },
	[__NR_openat] = { PATH(2) },
	[__NR_creat] = { PATH(1) },
	[__NR_stat] = { PATH(1), FILLED(2, sizeof(struct stat)) },
	[__NR_lstat] = { PATH(1), FILLED(2, sizeof(struct stat)) },
	[__NR_fstat] = { FILLED(2, sizeof(struct stat)) },
	[__NR_newfstatat] = { PATH(2), FILLED(3, sizeof(struct stat)) },
	[__NR_statx] = { PATH(2), FILLED(5, sizeof(struct statx)) },
	[__NR_statfs] = { PATH(1), FILLED(2, sizeof(struct statfs)) },
	[__NR_fstatfs] = { FILLED(2, sizeof(struct statfs)) },
	[__NR_access] = { PATH(1) },
	[__NR_faccessat] = { PATH(2) },
	[__NR_faccessat2] = { PATH(2) },
	[__NR_readlink] = { PATH(1), RESULT(2, 1, 3) },
	[__NR_readlinkat] = { PATH(2), RESULT(3, 1, 4) },
	[__NR_getcwd] = { RESULT(1, 1, 2) },
	[__NR_chdir] = { PATH(1) },
	[__NR_mkdir] = { PATH(1) },
	[__NR_mkdirat] = { PATH(2) },
	[__NR_rmdir] = { PATH(1) },
	[__NR_unlink] = { PATH(1) },
	[__NR_unlinkat] = { PATH(2) },
	[__NR_rename] = { PATH(1), PATH(2) },
	[__NR_renameat] = { PATH(2), PATH(4) },
	[__NR_renameat2] = { PATH(2), PATH(4) },
	[__NR_link] = { PATH(1), PATH(2) },
	[__NR_linkat] = { PATH(2), PATH(4) },
	[__NR_symlink] = { PATH(1), PATH(2) },
	[__NR_symlinkat] = { PATH(1), PATH(3) },
	[__NR_chmod] = { PATH(1) },
	[__NR_fchmodat] = { PATH(2) },
	[__NR_chown] = { PATH(1) },
	[__NR_lchown] = { PATH(1) },
	[__NR_fchownat] = { PATH(2) },
	[__NR_truncate] = { PATH(1) },
	[__NR_utimensat] = { PATH(2), SENT(3, 2 * sizeof(struct __kernel_timespec)) },
	[__NR_getxattr] = { PATH(1), PATH(2), RESULT(3, 1, 4) },
	[__NR_lgetxattr] = { PATH(1), PATH(2), RESULT(3, 1, 4) },
	[__NR_inotify_add_watch] = { PATH(2) },

	/* waiting for several */
	[__NR_poll] = { CHANGED_ARRAY(1, sizeof(struct pollfd), 2) },
	[__NR_ppoll] = { CHANGED_ARRAY(1, sizeof(struct pollfd), 2),
			 CHANGED(3, sizeof(struct __kernel_timespec)), SENT(4, sizeof(sigset_t)) },
	[__NR_select] = { CHANGED_SET(2, 1), CHANGED_SET(3, 1), CHANGED_SET(4, 1),
			  CHANGED(5, sizeof(struct __kernel_old_timeval)) },
	[__NR_pselect6] = { CHANGED_SET(2, 1), CHANGED_SET(3, 1), CHANGED_SET(4, 1),
			    CHANGED(5, sizeof(struct __kernel_timespec)) },
	[__NR_epoll_ctl] = { SENT(4, sizeof(struct epoll_event)) },
	[__NR_epoll_wait] = { PART(2, sizeof(struct epoll_event), 3) },
	[__NR_epoll_pwait] = { PART(2, sizeof(struct epoll_event), 3), SENT(5, sizeof(sigset_t)) },
	[__NR_epoll_pwait2] = { PART(2, sizeof(struct epoll_event), 3),
				SENT(4, sizeof(struct __kernel_timespec)),
				SENT(5, sizeof(sigset_t)) },

	/* sockets */
	[__NR_sendto] = { SENT_ARRAY(2, 1, 3), SENT_ARRAY(5, 1, 6) },
	[__NR_recvfrom] = { RESULT(2, 1, 3), ADDRESS(5), CHANGED(6, sizeof(int)) },
	[__NR_sendmsg] = { HEADER(2, CARRIED_SENT) },
	[__NR_recvmsg] = { HEADER(2, CARRIED_CHANGED) },
	[__NR_bind] = { SENT_ARRAY(2, 1, 3) },
	[__NR_connect] = { SENT_ARRAY(2, 1, 3) },
	[__NR_accept] = { ADDRESS(2), CHANGED(3, sizeof(int)) },
	[__NR_accept4] = { ADDRESS(2), CHANGED(3, sizeof(int)) },
	[__NR_getsockname] = { ADDRESS(2), CHANGED(3, sizeof(int)) },
	[__NR_getpeername] = { ADDRESS(2), CHANGED(3, sizeof(int)) },
	[__NR_setsockopt] = { SENT_ARRAY(4, 1, 5) },
	[__NR_getsockopt] = { LENGTH(4, 256), CHANGED(5, sizeof(int)) },
	[__NR_socketpair] = { CHANGED(4, 2 * sizeof(int)) },

	/* signals and children */
	[__NR_rt_sigaction] = { SENT(2, sizeof(struct sigaction)),
				FILLED(3, sizeof(struct sigaction)) },
	[__NR_rt_sigprocmask] = { SENT(2, sizeof(sigset_t)), FILLED(3, sizeof(sigset_t)) },
	[__NR_rt_sigpending] = { FILLED(1, sizeof(sigset_t)) },
	[__NR_rt_sigsuspend] = { SENT(1, sizeof(sigset_t)) },
	[__NR_rt_sigtimedwait] = { SENT(1, sizeof(sigset_t)), FOUND(2, sizeof(siginfo_t)),
				   SENT(3, sizeof(struct __kernel_timespec)) },
	[__NR_sigaltstack] = { SENT(1, sizeof(stack_t)), FILLED(2, sizeof(stack_t)) },
	[__NR_signalfd4] = { SENT(2, sizeof(sigset_t)) },
	[__NR_wait4] = { FOUND(2, sizeof(int)), FOUND(4, sizeof(struct rusage)) },
	[__NR_waitid] = { CHANGED(3, WAITID_SIZE), CHANGED(5, sizeof(struct rusage)) },

	/* time */
	[__NR_nanosleep] = { SENT(1, sizeof(struct __kernel_timespec)) },
	[__NR_clock_nanosleep] = { SENT(3, sizeof(struct __kernel_timespec)) },
	[__NR_getitimer] = { FILLED(2, sizeof(struct __kernel_old_itimerval)) },
	[__NR_setitimer] = { SENT(2, sizeof(struct __kernel_old_itimerval)),
			     FILLED(3, sizeof(struct __kernel_old_itimerval)) },
	[__NR_timer_create] = { SENT(2, sizeof(struct sigevent)), CHANGED(3, sizeof(timer_t)) },
	[__NR_timer_gettime] = { FILLED(2, sizeof(struct __kernel_itimerspec)) },
	[__NR_timer_settime] = { SENT(3, sizeof(struct __kernel_itimerspec)),
				 FILLED(4, sizeof(struct __kernel_itimerspec)) },
	[__NR_timerfd_gettime] = { FILLED(2, sizeof(struct __kernel_itimerspec)) },
	[__NR_timerfd_settime] = { SENT(3, sizeof(struct __kernel_itimerspec)),
				   FILLED(4, sizeof(struct __kernel_itimerspec)) },

	/* others */
	[__NR_fcntl] = { CHANGED(3, sizeof(struct flock)) },
	[__NR_futex] = { SENT(4, sizeof(struct __kernel_timespec)) },
	[__NR_semop] = { SENT_ARRAY(2, sizeof(struct sembuf), 3) },
	[__NR_semtimedop] = { SENT_ARRAY(2, sizeof(struct sembuf), 3),
			      SENT(4, sizeof(struct __kernel_timespec)) },
	[__NR_uname] = { FILLED(1, sizeof(struct new_utsname)) },
	[__NR_sysinfo] = { FILLED(1, sizeof(struct sysinfo)) },
	[__NR_times] = { FILLED(1, sizeof(struct tms)) },
	[__NR_getrusage] = { FILLED(2, sizeof(struct rusage)) },
	[__NR_getrlimit] = { FILLED(2, sizeof(struct rlimit)) },
	[__NR_setrlimit] = { SENT(2, sizeof(struct rlimit)) },
	[__NR_prlimit64] = { SENT(3, sizeof(struct rlimit64)), FILLED(4, sizeof(struct rlimit64)) },
	[__NR_getgroups] = { RESULT(2, sizeof(gid_t), 1) },
	[__NR_getresuid] = { FILLED(1, sizeof(uid_t)), FILLED(2, sizeof(uid_t)),
			    FILLED(3, sizeof(uid_t)) },
	[__NR_getresgid] = { FILLED(1, sizeof(gid_t)), FILLED(2, sizeof(gid_t)),
			    FILLED(3, sizeof(gid_t)) },
	[__NR_getrandom] = { RESULT(1, 1, 2) },
	[__NR_memfd_create] = { PATH(1) },
};

/* Old requests, whose numbers say nothing of their argument: terminals, mostly. */
static const struct request {
	unsigned int command;
	struct rule buffer;
} requests[] = {
	{ TCGETS, CHANGED(3, sizeof(struct termios)) },
	{ TCSETS, SENT(3, sizeof(struct termios)) },
	{ TCSETSW, SENT(3, sizeof(struct termios)) },
	{ TCSETSF, SENT(3, sizeof(struct termios)) },
	{ TIOCGWINSZ, CHANGED(3, sizeof(struct winsize)) },
	{ TIOCGPGRP, CHANGED(3, sizeof(pid_t)) },
	{ TIOCSPGRP, SENT(3, sizeof(pid_t)) },
	{ FIONREAD, CHANGED(3, sizeof(int)) },
	{ FIONBIO, SENT(3, sizeof(int)) },
};

static const struct rule *find_request(unsigned int command)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(requests); i++)
		if (requests[i].command == command)
			return &requests[i].buffer;
	return NULL;
}

/* Not with a timeout, the fourth argument is a number. */
static bool is_timed(unsigned int operation)
{
	switch (operation & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
	case FUTEX_WAIT_REQUEUE_PI:
		return true;
	default:
		return false;
	}
}

static bool is_lock(unsigned int command)
{
	switch (command) {
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return true;
	default:
		return false;
	}
}

/* Of what is received so some protocols say how much it is and write nothing. */
#define COUNTED_ONLY	(MSG_TRUNC | MSG_SOCK_DEVMEM)

/* Does the call use its buffers as the table says? */
static bool is_as_usual(const struct pt_regs *regs, long nr)
{
	switch (nr) {
	case __NR_futex:
		return is_timed(regs->si);
	case __NR_fcntl:
		return is_lock(regs->si);
	case __NR_pselect6:
		/* Points to a pointer. */
		return !regs->r9;
	case __NR_sendto:
		/* Is done with its buffer later. */
		return !(regs->r10 & MSG_ZEROCOPY);
	case __NR_sendmsg:
		return !(regs->dx & MSG_ZEROCOPY);
	case __NR_recvfrom:
		return !(regs->r10 & COUNTED_ONLY);
	case __NR_recvmsg:
		return !(regs->dx & COUNTED_ONLY);
	case __NR_rt_sigpending:
		/* Or it writes a part. */
		return regs->si == sizeof(sigset_t);
	case __NR_epoll_wait:
	case __NR_epoll_pwait:
	case __NR_epoll_pwait2:
		/* The kernel tries all places, and not only those that travel. */
		return access_ok((void __user *)regs->si, regs->dx * sizeof(struct epoll_event));
	case __NR_getresuid:
	case __NR_getresgid:
		/* Stores one after the other, until that fails. */
		return regs->di && regs->si && regs->dx;
	case __NR_setsockopt:
		/* Says which label it has found. */
		return (int)regs->si != SOL_IPV6 || (int)regs->dx != IPV6_FLOWLABEL_MGR;
	case __NR_getsockopt:
		/* A filter has a length in instructions. */
		return (int)regs->si == SOL_SOCKET && (int)regs->dx != SO_GET_FILTER;
	default:
		return true;
	}
}

static const struct rule *find(const struct pt_regs *regs, long nr, unsigned int *most)
{
	*most = CARRIED_BUFFERS;
	if (nr == __NR_ioctl) {
		*most = 1;
		return find_request(regs->si);
	}
	if (nr < 0 || nr >= ARRAY_SIZE(calls) || !is_as_usual(regs, nr))
		return NULL;
	return calls[array_index_nospec(nr, ARRAY_SIZE(calls))];
}

unsigned long *carried_argument(struct pt_regs *regs, unsigned int argument)
{
	switch (argument) {
	case 1:
		return &regs->di;
	case 2:
		return &regs->si;
	case 3:
		return &regs->dx;
	case 4:
		return &regs->r10;
	case 5:
		return &regs->r8;
	default:
		return &regs->r9;
	}
}

static unsigned long argument(const struct pt_regs *regs, unsigned int n)
{
	return n ? *carried_argument((struct pt_regs *)regs, n) : 0;
}

/* How long the buffer of @rule is; SIZE_MAX if it is not to travel. */
static size_t size_of(const struct rule *rule, const struct pt_regs *regs)
{
	unsigned long count;
	size_t size;

	if (!rule->count)
		return rule->unit;
	count = argument(regs, rule->count);
	/* Or negative. */
	if (count > INT_MAX)
		return SIZE_MAX;
	size = rule->unit ? count * rule->unit : BITS_TO_LONGS(count) * sizeof(long);
	/* More than this the kernel refuses, although it would never fill it. */
	if (size > INT_MAX)
		return SIZE_MAX;
	if (rule->flags & CARRIED_PART)
		return min(size, rounddown(MOST_IN_PART, rule->unit));
	if (rule->flags & CARRIED_VECTOR && count > CARRIED_VECTOR_MAX)
		return SIZE_MAX;
	if (size > (rule->flags & CARRIED_CHANGED ? MOST_CHANGED : CARRIED_MAX))
		return SIZE_MAX;
	return size;
}

/* Fill in @b; false if it keeps the whole call from travelling. */
static bool describe(struct carried_buffer *b, const struct rule *rule,
		     const struct pt_regs *regs)
{
	size_t size = size_of(rule, regs);

	*b = (struct carried_buffer) {
		.at = argument(regs, rule->argument), .size = size, .unit = rule->unit,
		.argument = rule->argument, .count = rule->count, .flags = rule->flags,
	};
	if (!b->at)
		return true;
	if (b->flags & CARRIED_LENGTH && !argument(regs, rule[1].argument))
		return false;
	return size != SIZE_MAX;
}

/* Where @b ends, or may end at the earliest. */
static unsigned long end_of(const struct carried_buffer *b)
{
	return b->at + (b->flags & CARRIED_LENGTH ? 1 : b->size);
}

/* What else the call writes there is no change that comparing would tell. */
static bool is_twice(const struct carried *c, const struct carried_buffer *b)
{
	unsigned int i;

	for (i = 0; i < c->n; i++) {
		const struct carried_buffer *a = &c->buffers[i];

		if ((a->flags | b->flags) & CARRIED_CHANGED && a->at < end_of(b) &&
		    b->at < end_of(a))
			return true;
	}
	return false;
}

/* What travels with the call @nr and its result, as far as its registers tell. */
void call_carries(const struct pt_regs *regs, long nr, struct carried *c)
{
	const struct rule *rule;
	unsigned int i, most;
	size_t total = 0;

	c->n = 0;
	rule = find(regs, nr, &most);
	for (i = 0; rule && i < most && rule[i].flags; i++) {
		struct carried_buffer *b = &c->buffers[c->n];

		if (!describe(b, &rule[i], regs) || total + b->size > CARRIED_MAX) {
			c->n = 0;
			return;
		}
		if (b->flags & CARRIED_PLACES ? !c->n : !b->at || !b->size)
			continue;
		if (is_twice(c, b)) {
			c->n = 0;
			return;
		}
		total += b->size;
		c->n++;
	}
}
