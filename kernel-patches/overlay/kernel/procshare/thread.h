/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare - what hangs off task_struct: the part that both roles share */
#ifndef _PROCSHARE_THREAD_H
#define _PROCSHARE_THREAD_H

#include <linux/types.h>

enum procshare_role {
	PROCSHARE_ROLE_HOME,	/* struct home_thread, see home.h */
	PROCSHARE_ROLE_SHADOW,	/* struct shadow_thread, see shadow.h */
};

/**
 * struct procshare_thread - first member of either role's thread
 * @role: enum procshare_role
 */
struct procshare_thread {
	u8 role;
};

/* The hooks of include/linux/procshare.h by role; defined beside the role. */
unsigned long home_exit_work(struct pt_regs *regs, unsigned long ti_work);
unsigned long shadow_exit_work(struct pt_regs *regs, unsigned long ti_work);
bool home_syscall(struct pt_regs *regs, long nr);
bool shadow_syscall(struct pt_regs *regs, long nr);
void home_thread_fork(struct task_struct *child);
void home_thread_exit(struct task_struct *tsk);
void home_thread_free(struct task_struct *tsk);
void shadow_thread_exit(struct task_struct *tsk);
void shadow_thread_free(struct task_struct *tsk);

#endif /* _PROCSHARE_THREAD_H */
