/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare - where a system call of a remote thread is executed */
#ifndef _PROCSHARE_SYSCALLS_H
#define _PROCSHARE_SYSCALLS_H

#include <linux/types.h>

enum syscall_class {
	SYSCALL_FORWARD,	/* by the executor; the default */
	SYSCALL_LOCAL,		/* on the node where the thread runs */
	SYSCALL_HOME,		/* by the thread itself, at home */
};

enum syscall_class syscall_class(long nr);
/* Whatever the class is, only for some arguments: the first one decides. */
bool syscall_is_local(long nr, unsigned long first);
/* Does the kernel make a key for it, which it closes to the caller?  The third one decides. */
bool syscall_closes_memory(long nr, unsigned long third);
bool syscall_is_exec(long nr);
bool syscall_is_sigreturn(long nr);
/* Makes a new task, which inherits current's extended state. */
bool syscall_is_clone(long nr);

#endif /* _PROCSHARE_SYSCALLS_H */
