// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - capture and restore a thread's registers on x86_64
 *
 * What arrives comes from another machine and is treated like what ptrace and
 * rt_sigreturn get from a user: nothing that could harm the kernel is loaded,
 * everything that a user could have put there is.
 */
#include <linux/errno.h>
#include <linux/mmu_context.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/uaccess.h>
#include <linux/user.h>

#include <asm/fpu/xstate.h>
#include <asm/fsgsbase.h>
#include <asm/prctl.h>
#include <asm/proto.h>
#include <asm/segment.h>
#include <asm/shstk.h>
#include <asm/text-patching.h>
#include <asm/trapnr.h>

#include "../../../kernel/procshare/keys.h"
#include "../../../kernel/procshare/thread_state.h"

/* Index of a register in struct procshare_wire_thread */
#define REG(name) (offsetof(struct user_regs_struct, name) / sizeof(__le64))

static_assert(sizeof(struct user_regs_struct) ==
	      PROCSHARE_WIRE_REGS * sizeof(__le64));

/* The flags a user can change: those of ptrace, and ID, which POPF changes. */
#define USER_FLAGS							\
	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF |	\
	 X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_OF |	\
	 X86_EFLAGS_NT | X86_EFLAGS_RF | X86_EFLAGS_AC | X86_EFLAGS_ID)

static bool flat_selectors(void)
{
	unsigned int ds, es, fs, gs;

	savesegment(ds, ds);
	savesegment(es, es);
	savesegment(fs, fs);
	savesegment(gs, gs);
	return !(ds | es | fs | gs);
}

static const char *regs_obstacle(const struct pt_regs *regs)
{
	if (test_thread_flag(TIF_ADDR32) || regs->cs != __USER_CS)
		return "not a 64-bit program";
	if (regs->ss != __USER_DS || !flat_selectors())
		return "segment selectors";
	if (regs->ip >= TASK_SIZE_MAX || regs->sp >= TASK_SIZE_MAX)
		return "instruction or stack pointer outside of user space";
	if (x86_fsbase_read_task(current) >= TASK_SIZE_MAX ||
	    x86_gsbase_read_task(current) >= TASK_SIZE_MAX)
		return "segment base outside of user space";
	return NULL;
}

static const char *flags_obstacle(void)
{
	unsigned long flags = read_thread_flags();

	if (flags & _TIF_NOTSC)
		return "PR_SET_TSC";
	if (flags & _TIF_NOCPUID)
		return "ARCH_SET_CPUID";
	if (flags & (_TIF_SSBD | _TIF_SPEC_IB | _TIF_SPEC_L1D_FLUSH))
		return "PR_SET_SPECULATION_CTRL";
	if (flags & (_TIF_SINGLESTEP | _TIF_FORCED_TF | _TIF_BLOCKSTEP))
		return "single-stepping";
	return NULL;
}

static bool debug_registers(const struct thread_struct *thread)
{
	int n;

	for (n = 0; n < HBP_NUM; n++)
		if (thread->ptrace_bps[n])
			return true;
	return thread->ptrace_dr7;
}

static bool io_permission(const struct thread_struct *thread)
{
#ifdef CONFIG_X86_IOPL_IOPERM
	return test_thread_flag(TIF_IO_BITMAP) || thread->iopl_emul;
#else
	return false;
#endif
}

static bool shadow_stack(const struct thread_struct *thread)
{
#ifdef CONFIG_X86_USER_SHADOW_STACK
	return thread->features & ARCH_SHSTK_SHSTK;
#else
	return false;
#endif
}

static bool has_ldt(const struct mm_struct *mm)
{
#ifdef CONFIG_MODIFY_LDT_SYSCALL
	return READ_ONCE(mm->context.ldt);
#else
	return false;
#endif
}

/* Given to the whole process, before any thread of it can use AMX. */
static bool amx_permission(void)
{
	const struct fpu *fpu = &current->group_leader->thread.fpu;

	return READ_ONCE(fpu->perm.__state_perm) & XFEATURE_MASK_USER_DYNAMIC;
}

/**
 * procshare_state_obstacle - what keeps current's CPU state from travelling
 *
 * Return: NULL if nothing does, else a few words for people.
 */
const char *procshare_state_obstacle(void)
{
	const struct thread_struct *thread = &current->thread;
	const char *obstacle;

	if (!procshare_xfeatures())
		return "a CPU without XSAVE";
	if (!current->mm)
		return "no user memory";
	obstacle = regs_obstacle(current_pt_regs()) ?: flags_obstacle();
	if (obstacle)
		return obstacle;
	if (debug_registers(thread))
		return "debug registers";
	if (io_permission(thread))
		return "I/O permissions";
	if (shadow_stack(thread))
		return "a shadow stack";
	/* The kernel of a node touches it, too, for rseq and for calls. */
	if (!procshare_may_write(0))
		return "memory that it has closed to itself";
	if (has_ldt(current->mm))
		return "an LDT";
	if (mm_lam_cr3_mask(current->mm))
		return "linear address masking";
	if (amx_permission())
		return "permission for AMX";
	return NULL;
}

/**
 * procshare_state_movable - can current's CPU state travel?
 *
 * Return: 0 or -EOPNOTSUPP; procshare_state_obstacle() says why.
 */
int procshare_state_movable(void)
{
	return procshare_state_obstacle() ? -EOPNOTSUPP : 0;
}

/**
 * procshare_save_regs - write current's general registers for the wire
 * @regs: current_pt_regs()
 * @out: in the order of struct user_regs_struct
 *
 * A trap flag that only a debugger set stays behind, as in ptrace's view.  So do
 * data selectors, which mean nothing in 64-bit mode: procshare_state_obstacle()
 * keeps home a thread that has some, and one that loaded them while away must
 * still be able to return.
 *
 * Return: 0, or -EOPNOTSUPP if cs or ss is not one that every node has.
 */
int procshare_save_regs(struct pt_regs *regs, __le64 out[PROCSHARE_WIRE_REGS])
{
	const unsigned long *word = (const unsigned long *)regs;
	unsigned int n;

	if ((regs->cs != __USER_CS && regs->cs != __USER32_CS) ||
	    regs->ss != __USER_DS)
		return -EOPNOTSUPP;

	/* r15 to orig_ax are in the same order in both structures */
	BUILD_BUG_ON(offsetof(struct pt_regs, orig_ax) !=
		     offsetof(struct user_regs_struct, orig_ax));
	for (n = 0; n <= REG(orig_ax); n++)
		out[n] = cpu_to_le64(word[n]);
	out[REG(ip)] = cpu_to_le64(regs->ip);
	out[REG(cs)] = cpu_to_le64(regs->cs);
	out[REG(flags)] = cpu_to_le64(regs->flags);
	if (test_thread_flag(TIF_FORCED_TF))
		out[REG(flags)] &= ~cpu_to_le64(X86_EFLAGS_TF);
	out[REG(sp)] = cpu_to_le64(regs->sp);
	out[REG(ss)] = cpu_to_le64(regs->ss);
	out[REG(fs_base)] = cpu_to_le64(x86_fsbase_read_task(current));
	out[REG(gs_base)] = cpu_to_le64(x86_gsbase_read_task(current));
	for (n = REG(ds); n <= REG(gs); n++)
		out[n] = 0;
	return 0;
}

/**
 * procshare_check_regs - may these registers be loaded?
 * @in: general registers from the wire
 * @wild: whether ip and sp may be anything
 *
 * Return: 0 or -EINVAL.
 */
int procshare_check_regs(const __le64 in[PROCSHARE_WIRE_REGS], bool wild)
{
	if (le64_to_cpu(in[REG(fs_base)]) >= TASK_SIZE_MAX ||
	    le64_to_cpu(in[REG(gs_base)]) >= TASK_SIZE_MAX)
		return -EINVAL;
	if (!wild && (le64_to_cpu(in[REG(ip)]) >= TASK_SIZE_MAX ||
		      le64_to_cpu(in[REG(sp)]) >= TASK_SIZE_MAX))
		return -EINVAL;
	return 0;
}

/**
 * procshare_decode_regs - fill @regs from the wire
 * @regs: to fill; bits next to the cs and ss selectors (FRED) are kept
 * @in: registers that passed procshare_check_regs()
 * @wild: whether a thread may be in compatibility mode
 *
 * Whatever @in says, the segments are those of user space, and of the flags
 * only those that a user can change are taken.
 */
void procshare_decode_regs(struct pt_regs *regs,
			   const __le64 in[PROCSHARE_WIRE_REGS], bool wild)
{
	unsigned long *word = (unsigned long *)regs;
	unsigned int n;

	for (n = 0; n <= REG(orig_ax); n++)
		word[n] = le64_to_cpu(in[n]);
	regs->ip = le64_to_cpu(in[REG(ip)]);
	regs->cs = __USER_CS;
	if (wild && le64_to_cpu(in[REG(cs)]) == __USER32_CS)
		regs->cs = __USER32_CS;
	regs->flags = (le64_to_cpu(in[REG(flags)]) & USER_FLAGS) |
		      X86_EFLAGS_IF | X86_EFLAGS_FIXED;
	regs->sp = le64_to_cpu(in[REG(sp)]);
	regs->ss = __USER_DS;
}

static int load_regs(struct pt_regs *regs,
		     const __le64 in[PROCSHARE_WIRE_REGS], bool wild)
{
	int err = procshare_check_regs(in, wild);

	if (err)
		return err;

	procshare_decode_regs(regs, in, wild);
	/* It may have left by INT 0x80, whose next calls are not of that kind. */
	current_thread_info()->status &= ~TS_COMPAT;
	/* Whose trap flag it is: see set_flags() of ptrace */
	if (regs->flags & X86_EFLAGS_TF)
		clear_thread_flag(TIF_FORCED_TF);
	else if (test_thread_flag(TIF_FORCED_TF))
		regs->flags |= X86_EFLAGS_TF;

	/* These set the selector to 0 and cannot fail: the bases are checked. */
	do_arch_prctl_64(current, ARCH_SET_FS, le64_to_cpu(in[REG(fs_base)]));
	do_arch_prctl_64(current, ARCH_SET_GS, le64_to_cpu(in[REG(gs_base)]));
	return 0;
}

/**
 * procshare_load_regs - load current's general registers from the wire
 * @regs: current_pt_regs()
 * @in: in the order of struct user_regs_struct
 *
 * Return: 0, or -EINVAL (and nothing is changed) if ip, sp or a segment base
 * is outside of user space.
 */
int procshare_load_regs(struct pt_regs *regs,
			const __le64 in[PROCSHARE_WIRE_REGS])
{
	return load_regs(regs, in, false);
}

/**
 * procshare_trap_length - how far is ip behind the instruction that has trapped?
 * @regs: of current, which has just got the signal of a trap
 *
 * Faults leave ip at the instruction.  INT3 and the software interrupts that user
 * space may use leave it behind.
 *
 * Return: 0 to 2 bytes.
 */
unsigned int procshare_trap_length(const struct pt_regs *regs)
{
	u8 opcode;

	switch (current->thread.trap_nr) {
	case X86_TRAP_BP:
		if (copy_from_user_nofault(&opcode, (void __user *)(regs->ip - 1), 1))
			return 1;
		return opcode == INT3_INSN_OPCODE ? 1 : 2;
	case X86_TRAP_OF:
		return 2;
	default:
		return 0;
	}
}

/**
 * procshare_restore_regs - load the registers of a thread that came home
 * @regs: current_pt_regs()
 * @in: in the order of struct user_regs_struct
 *
 * As procshare_load_regs(), but with any ip and sp, and in compatibility mode if
 * need be, like ptrace: IRET faults on a wild ip and the thread gets the signal
 * that it would have got here.
 *
 * Return: 0, or -EINVAL (and nothing is changed) if a segment base is outside
 * of user space.
 */
int procshare_restore_regs(struct pt_regs *regs,
			   const __le64 in[PROCSHARE_WIRE_REGS])
{
	return load_regs(regs, in, true);
}
