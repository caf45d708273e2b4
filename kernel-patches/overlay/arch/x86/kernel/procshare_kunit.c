// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - unit tests: a thread's registers on this very CPU
 *
 * Most cases run in a user_mode_thread() that has never been in user mode, as
 * a fresh shadow thread: it loads state, lets the CPU have it, and saves it.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/user.h>

#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#include <asm/pkru.h>
#include <asm/segment.h>

#include "../../../kernel/procshare/thread_state.h"
#include "../../../kernel/procshare/xstate.h"

#define REG(name) (offsetof(struct user_regs_struct, name) / sizeof(__le64))
#define GOOD_FLAGS (X86_EFLAGS_IF | X86_EFLAGS_FIXED)

/* Every register different, all of them acceptable */
static void make_regs(__le64 regs[PROCSHARE_WIRE_REGS])
{
	u32 n;

	for (n = 0; n < PROCSHARE_WIRE_REGS; n++)
		regs[n] = cpu_to_le64(0x123400000000ull + n * 0x1001);
	regs[REG(r15)] = cpu_to_le64(0xfedcba9876543210ull);
	regs[REG(orig_ax)] = cpu_to_le64(-1);
	regs[REG(flags)] = cpu_to_le64(GOOD_FLAGS | X86_EFLAGS_CF);
	regs[REG(cs)] = cpu_to_le64(__USER_CS);
	regs[REG(ss)] = cpu_to_le64(__USER_DS);
	for (n = REG(ds); n <= REG(gs); n++)
		regs[n] = 0;
}

static void decode_with(struct pt_regs *regs, u32 reg, u64 value, bool wild)
{
	__le64 in[PROCSHARE_WIRE_REGS];

	make_regs(in);
	in[reg] = cpu_to_le64(value);
	memset(regs, 0, sizeof(*regs));
	procshare_decode_regs(regs, in, wild);
}

static void registers_find_their_place(struct kunit *test)
{
	__le64 in[PROCSHARE_WIRE_REGS];
	struct user_regs_struct user;
	struct pt_regs regs = {};

	make_regs(in);
	memcpy(&user, in, sizeof(user));
	procshare_decode_regs(&regs, in, false);
	KUNIT_EXPECT_EQ(test, user.r15, regs.r15);
	KUNIT_EXPECT_EQ(test, user.bp, regs.bp);
	KUNIT_EXPECT_EQ(test, user.r11, regs.r11);
	KUNIT_EXPECT_EQ(test, user.ax, regs.ax);
	KUNIT_EXPECT_EQ(test, user.di, regs.di);
	KUNIT_EXPECT_EQ(test, user.orig_ax, regs.orig_ax);
	KUNIT_EXPECT_EQ(test, user.ip, regs.ip);
	KUNIT_EXPECT_EQ(test, user.flags, regs.flags);
	KUNIT_EXPECT_EQ(test, user.sp, regs.sp);
}

static void flags_are_sanitised(struct kunit *test)
{
	const u64 free = X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF |
			 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_TF |
			 X86_EFLAGS_DF | X86_EFLAGS_OF | X86_EFLAGS_NT |
			 X86_EFLAGS_RF | X86_EFLAGS_AC | X86_EFLAGS_ID;
	struct pt_regs regs;
	u32 bit;

	for (bit = 0; bit < 64; bit++) {
		u64 want = GOOD_FLAGS | (free & BIT_ULL(bit));

		decode_with(&regs, REG(flags), BIT_ULL(bit), false);
		KUNIT_EXPECT_EQ(test, want, regs.flags);
	}
	decode_with(&regs, REG(flags), ~0ull, true);
	KUNIT_EXPECT_EQ(test, GOOD_FLAGS | free, regs.flags);
}

static void selectors_are_forced(struct kunit *test)
{
	static const u16 bad[] = { 0, __KERNEL_CS, __KERNEL_DS, __KERNEL32_CS,
				   0x07, 0x20, 0xffff };
	struct pt_regs regs;
	u32 n;

	for (n = 0; n < ARRAY_SIZE(bad); n++) {
		decode_with(&regs, REG(cs), bad[n], n % 2);
		KUNIT_EXPECT_EQ(test, __USER_CS, regs.cs);
		decode_with(&regs, REG(ss), bad[n], n % 2);
		KUNIT_EXPECT_EQ(test, __USER_DS, regs.ss);
	}
	/* compatibility mode: only for those who return in it */
	decode_with(&regs, REG(cs), __USER32_CS, false);
	KUNIT_EXPECT_EQ(test, __USER_CS, regs.cs);
	decode_with(&regs, REG(cs), __USER32_CS, true);
	KUNIT_EXPECT_EQ(test, __USER32_CS, regs.cs);
}

/* FRED keeps bits of its own next to the selectors. */
static void bits_beside_selectors_stay(struct kunit *test)
{
	struct pt_regs regs = { .csx = 0x30000, .ssx = 0x20000000060000 };
	__le64 in[PROCSHARE_WIRE_REGS];

	make_regs(in);
	procshare_decode_regs(&regs, in, false);
	KUNIT_EXPECT_EQ(test, 0x30000 | __USER_CS, regs.csx);
	KUNIT_EXPECT_EQ(test, 0x20000000060000 | __USER_DS, regs.ssx);
}

static int check_with(u32 reg, u64 value, bool wild)
{
	__le64 in[PROCSHARE_WIRE_REGS];

	make_regs(in);
	in[reg] = cpu_to_le64(value);
	return procshare_check_regs(in, wild);
}

static void wild_addresses_are_refused(struct kunit *test)
{
	const u64 bad[] = { TASK_SIZE_MAX, BIT_ULL(47), BIT_ULL(63),
			    0x1234ull << 48, 0xffff800000000000ull,
			    0xffffffff81000000ull, ~0ull };
	u32 n;

	for (n = 0; n < ARRAY_SIZE(bad); n++) {
		int err = bad[n] < TASK_SIZE_MAX ? 0 : -EINVAL;	/* LA57 */

		KUNIT_EXPECT_EQ(test, err, check_with(REG(ip), bad[n], false));
		KUNIT_EXPECT_EQ(test, err, check_with(REG(sp), bad[n], false));
		KUNIT_EXPECT_EQ(test, 0, check_with(REG(ip), bad[n], true));
		KUNIT_EXPECT_EQ(test, 0, check_with(REG(sp), bad[n], true));
		KUNIT_EXPECT_EQ(test, err, check_with(REG(fs_base), bad[n], true));
		KUNIT_EXPECT_EQ(test, err, check_with(REG(gs_base), bad[n], true));
	}
	KUNIT_EXPECT_EQ(test, 0, check_with(REG(ip), TASK_SIZE_MAX - 1, false));
	KUNIT_EXPECT_EQ(test, 0, check_with(REG(sp), 0, false));
}

/* What a thread of its own found, for the test to judge */
struct visit {
	__le64 regs[2][PROCSHARE_WIRE_REGS];	/* loaded, saved */
	u8 *state[2];				/* loaded, saved */
	ssize_t length[2];
	int before, loaded, restored, saved;
	u32 pkru;
	bool was_live;
};

static void visit_regs(struct visit *v)
{
	struct pt_regs *regs = current_pt_regs();
	__le64 wild[PROCSHARE_WIRE_REGS];

	v->before = procshare_save_regs(regs, wild);
	make_regs(v->regs[0]);
	v->loaded = procshare_load_regs(regs, v->regs[0]);
	/* refused, so nothing of it may show up below */
	memset(wild, 0xff, sizeof(wild));
	v->restored = procshare_restore_regs(regs, wild);
	msleep(20);
	v->saved = procshare_save_regs(regs, v->regs[1]);
}

static void visit_xstate(struct visit *v)
{
	/* have other values in the registers that must not survive */
	fpregs_lock_and_load();
	fpregs_unlock();
	v->loaded = procshare_load_xstate(v->state[0], v->length[0]);
	v->pkru = read_pkru();
	/* into the registers, as on return to user mode */
	fpregs_lock_and_load();
	v->was_live = !test_thread_flag(TIF_NEED_FPU_LOAD);
	fpregs_unlock();
	/* others may use the FPU now */
	msleep(20);
	v->length[1] = procshare_save_xstate(v->state[1], procshare_state_size());
}

static void visit_bad_xstate(struct visit *v)
{
	u32 n;

	v->length[0] = procshare_save_xstate(v->state[0], procshare_state_size());
	/* change it all, then spoil its last pair, then MXCSR */
	memcpy(v->state[1], v->state[0], v->length[0]);
	for (n = 168 + 8; n < 168 + 264; n++)
		v->state[1][n] = n;
	v->loaded = procshare_load_xstate(v->state[1], v->length[0] - 1);
	memset(v->state[1] + 8 + PROCSHARE_XSTATE_MXCSR, 0xff, 4);
	v->restored = procshare_load_xstate(v->state[1], v->length[0]);
	v->length[1] = procshare_save_xstate(v->state[1], procshare_state_size());
}

static struct visit *visiting;
static void (*visit_now)(struct visit *v);

static int visitor(void *unused)
{
	visit_now(visiting);
	do_exit(0);
}

static struct visit *visit(struct kunit *test, void (*fn)(struct visit *v),
			   void (*prepare)(struct visit *v))
{
	struct visit *v = kunit_kzalloc(test, sizeof(*v), GFP_KERNEL);
	int pid, n;

	KUNIT_ASSERT_NOT_NULL(test, v);
	for (n = 0; n < 2; n++) {
		v->state[n] = kunit_kzalloc(test, procshare_state_size(),
					    GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, v->state[n]);
	}
	if (prepare)
		prepare(v);
	visiting = v;
	visit_now = fn;
	kernel_sigaction(SIGCHLD, SIG_DFL);
	pid = user_mode_thread(visitor, NULL, SIGCHLD);
	KUNIT_ASSERT_GT(test, pid, 0);
	kernel_wait(pid, &n);
	kernel_sigaction(SIGCHLD, SIG_IGN);
	return v;
}

static void fresh_thread_takes_registers(struct kunit *test)
{
	struct visit *v = visit(test, visit_regs, NULL);

	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, v->before);
	KUNIT_EXPECT_EQ(test, 0, v->loaded);
	KUNIT_EXPECT_EQ(test, -EINVAL, v->restored);
	KUNIT_EXPECT_EQ(test, 0, v->saved);
	KUNIT_EXPECT_MEMEQ(test, v->regs[0], v->regs[1], sizeof(v->regs[0]));
}

static u8 *put_pair(u8 *at, u32 component, u32 length)
{
	struct procshare_wire_xstate pair = {
		.component = cpu_to_le32(component),
		.length = cpu_to_le32(length),
	};

	memcpy(at, &pair, sizeof(pair));
	return at + sizeof(pair);
}

/* x87 with all registers full, MXCSR with FTZ, patterns in XMM and YMM, PKRU */
static void prepare_xstate(struct visit *v)
{
	struct fxregs_state *fx = (void *)put_pair(v->state[0], 0, 160);
	u8 *at;
	u32 n;

	fx->cwd = 0x27f;
	fx->twd = 0xff;
	fx->mxcsr = MXCSR_DEFAULT | 0x8000;
	fx->mxcsr_mask = 0xffff;
	for (n = 0; n < 8; n++) {
		fx->st_space[4 * n] = 0x01020304 * n;
		fx->st_space[4 * n + 1] = 0x80000000 | n;
		fx->st_space[4 * n + 2] = 0x3fff;
	}
	at = put_pair((u8 *)fx + 160, 1, 256);
	for (n = 0; n < 256; n++)
		*at++ = n;
	if (procshare_xfeatures() & XFEATURE_MASK_YMM) {
		at = put_pair(at, 2, 256);
		for (n = 0; n < 256; n++)
			*at++ = n ^ 0x5a;
	}
	if (procshare_xfeatures() & XFEATURE_MASK_PKRU) {
		at = put_pair(at, 9, 8);
		*(__le32 *)at = cpu_to_le32(0x5555555c);
		at += 8;
	}
	v->length[0] = at - v->state[0];
}

static void fresh_thread_takes_xstate(struct kunit *test)
{
	struct visit *v;

	if (!procshare_xfeatures())
		kunit_skip(test, "a CPU without XSAVE");
	v = visit(test, visit_xstate, prepare_xstate);
	KUNIT_EXPECT_EQ(test, 0, v->loaded);
	KUNIT_EXPECT_TRUE(test, v->was_live);
	KUNIT_ASSERT_EQ(test, v->length[0], v->length[1]);
	/* which bits of MXCSR exist is the CPU's own */
	memcpy(v->state[0] + 8 + PROCSHARE_XSTATE_MXCSR_MASK,
	       v->state[1] + 8 + PROCSHARE_XSTATE_MXCSR_MASK, 4);
	KUNIT_EXPECT_MEMEQ(test, v->state[0], v->state[1], v->length[0]);
	if (procshare_xfeatures() & XFEATURE_MASK_PKRU)
		KUNIT_EXPECT_EQ(test, 0x5555555c, v->pkru);
}

static void refused_xstate_changes_nothing(struct kunit *test)
{
	struct visit *v;

	if (!procshare_xfeatures())
		kunit_skip(test, "a CPU without XSAVE");
	v = visit(test, visit_bad_xstate, NULL);
	KUNIT_EXPECT_EQ(test, -EINVAL, v->loaded);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, v->restored);
	KUNIT_ASSERT_EQ(test, v->length[0], v->length[1]);
	KUNIT_EXPECT_MEMEQ(test, v->state[0], v->state[1], v->length[0]);
}

/* A kernel thread has no extended state of its own. */
static void kernel_threads_are_refused(struct kunit *test)
{
	u8 byte;

	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, procshare_save_xstate(&byte, 1));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, procshare_load_xstate(&byte, 1));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, procshare_state_movable());
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE(registers_find_their_place),
	KUNIT_CASE(flags_are_sanitised),
	KUNIT_CASE(selectors_are_forced),
	KUNIT_CASE(bits_beside_selectors_stay),
	KUNIT_CASE(wild_addresses_are_refused),
	KUNIT_CASE(fresh_thread_takes_registers),
	KUNIT_CASE(fresh_thread_takes_xstate),
	KUNIT_CASE(refused_xstate_changes_nothing),
	KUNIT_CASE(kernel_threads_are_refused),
	{}
};

static struct kunit_suite state_suite = {
	.name = "procshare-thread-state",
	.test_cases = state_cases,
};

kunit_test_suite(state_suite);
