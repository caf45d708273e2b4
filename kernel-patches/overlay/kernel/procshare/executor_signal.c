// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - executor_signal: handlers and masks that came with their calls
 *
 * Shells change them around everything that they start.
 */

#include <linux/sched/signal.h>
#include <linux/signal.h>

#include "home_thread.h"

/* rt_sigaction(): @act, or NULL, is new; what was before goes to @old, if not NULL. */
void executor_sigaction(struct pt_regs *regs, const struct sigaction *act,
			struct sigaction *old)
{
	struct k_sigaction new_ka, old_ka;

	if (act)
		new_ka.sa = *act;
	regs->ax = do_sigaction(regs->di, act ? &new_ka : NULL, old ? &old_ka : NULL);
	if (!regs->ax && old)
		*old = old_ka.sa;
}

/* rt_sigprocmask(), the same way. */
void executor_sigprocmask(struct pt_regs *regs, const sigset_t *set, sigset_t *old)
{
	sigset_t before = current->blocked;
	sigset_t mask;

	regs->ax = 0;
	if (set) {
		mask = *set;
		sigdelsetmask(&mask, sigmask(SIGKILL) | sigmask(SIGSTOP));
		regs->ax = sigprocmask(regs->di, &mask, NULL);
	}
	if (!regs->ax && old)
		*old = before;
}
