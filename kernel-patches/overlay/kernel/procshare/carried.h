/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - carried data: what calls read and write travels inside the messages
 *
 * Otherwise home would fetch the page that a remote thread has the data in, or wants
 * them in, often its stack, and the thread would fetch it back.
 */
#ifndef _PROCSHARE_CARRIED_H
#define _PROCSHARE_CARRIED_H

#include <linux/ptrace.h>
#include <linux/signal.h>
#include <linux/stat.h>
#include <linux/types.h>
#include <asm/unistd.h>

/* Longer transfers are made with the caller's pages. */
#define CARRIED_MAX	65536
/* And longer ones than this, unless their buffer is where the caller is. */
#define CARRIED_SMALL	4096
/* Longer paths, with their 0, are read at home. */
#define CARRIED_PATH	256

/**
 * struct carried - what may travel with a call
 * @out: bytes that come with CALL, at most if they are a path
 * @in: bytes that RETURN may bring; neither: nothing travels
 * @from: where the caller has the former
 * @to: where the latter belong
 * @path: the former are a string
 * @transfer: the result is the number of bytes
 */
struct carried {
	size_t out;
	size_t in;
	unsigned long from;
	unsigned long to;
	bool path;
	bool transfer;
};

/* The buffer in the second argument, its length in the third. */
static inline struct carried carried_transfer(const struct pt_regs *regs, bool out)
{
	struct carried c = { .from = regs->si, .to = regs->si, .transfer = true };

	if (regs->dx <= CARRIED_MAX)
		*(out ? &c.out : &c.in) = regs->dx;
	return c;
}

/* A path in the second argument; what the third points to is the answer. */
static inline struct carried carried_path(const struct pt_regs *regs, size_t in)
{
	return (struct carried) {
		.path = true, .from = regs->si, .out = CARRIED_PATH,
		.to = regs->dx, .in = in,
	};
}

/* What is new in the second argument, what was before in the third; either may be NULL. */
static inline struct carried carried_exchange(const struct pt_regs *regs, size_t size)
{
	struct carried c = { .from = regs->si, .to = regs->dx };

	if (regs->r10 == sizeof(sigset_t)) {
		c.out = regs->si ? size : 0;
		c.in = regs->dx ? size : 0;
	}
	return c;
}

/* sendto and recvfrom only without an address. */
static inline struct carried call_carries(const struct pt_regs *regs, long nr)
{
	switch (nr) {
	case __NR_write:
	case __NR_pwrite64:
		return carried_transfer(regs, true);
	case __NR_read:
	case __NR_pread64:
		return carried_transfer(regs, false);
	case __NR_sendto:
	case __NR_recvfrom:
		if (regs->r8)
			break;
		return carried_transfer(regs, nr == __NR_sendto);
	case __NR_newfstatat:
		return carried_path(regs, sizeof(struct stat));
	case __NR_openat:
		return carried_path(regs, 0);
	case __NR_rt_sigaction:
		return carried_exchange(regs, sizeof(struct sigaction));
	case __NR_rt_sigprocmask:
		return carried_exchange(regs, sizeof(sigset_t));
	}
	return (struct carried) {};
}

#endif /* _PROCSHARE_CARRIED_H */
