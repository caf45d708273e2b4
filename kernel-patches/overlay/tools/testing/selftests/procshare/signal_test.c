// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare selftests - signal: a remote thread is told as if it were at home
 */

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "../kselftest_harness.h"
#include "share.h"

static siginfo_t last;
static pid_t handled_by;
static int handled, stop;

static pid_t gettid_now(void)
{
	return syscall(SYS_gettid);
}

static void note(int number, siginfo_t *info, void *context)
{
	last = *info;
	WRITE_ONCE(handled_by, gettid_now());
	__atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
}

static void handle(int number, int flags)
{
	struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO | flags };

	sigaction(number, &action, NULL);
}

static bool await_handled(int wanted)
{
	int tries;

	for (tries = 0; READ_ONCE(handled) < wanted && tries < 5000; tries++)
		usleep(1000);
	return READ_ONCE(handled) == wanted;
}

/* Computes without a call: there is nothing but the signal to stop it. */
static long spin(void *argument)
{
	while (!READ_ONCE(stop))
		;
	return 0;
}

TEST(to_a_computing_thread)
{
	struct remote r;
	int i;

	handle(SIGUSR1, 0);
	remote_start(&r, near_node, spin, NULL);
	ASSERT_TRUE(remote_arrived(&r));
	for (i = 1; i <= 3; i++) {
		ASSERT_EQ(0, syscall(SYS_tgkill, getpid(), r.tid, SIGUSR1));
		ASSERT_TRUE(await_handled(i));
		EXPECT_EQ(SIGUSR1, last.si_signo);
		EXPECT_EQ(SI_TKILL, last.si_code);
		EXPECT_EQ(getpid(), last.si_pid);
		EXPECT_EQ(getuid(), last.si_uid);
		EXPECT_EQ(r.tid, READ_ONCE(handled_by));
		/* And goes on where it was. */
		EXPECT_TRUE(await_place(r.tid, near_node));
	}
	WRITE_ONCE(stop, 1);
	EXPECT_EQ(0, remote_join(&r));
}

TEST(with_a_value)
{
	siginfo_t info = { .si_signo = SIGRTMIN + 3, .si_code = SI_QUEUE };
	struct remote r;

	info.si_pid = getpid();
	info.si_uid = 4711;
	info.si_value.sival_int = 815;
	handle(SIGRTMIN + 3, 0);
	remote_start(&r, far_node, spin, NULL);
	ASSERT_TRUE(remote_arrived(&r));
	ASSERT_EQ(0, syscall(SYS_rt_tgsigqueueinfo, getpid(), r.tid, info.si_signo, &info));
	ASSERT_TRUE(await_handled(1));
	EXPECT_EQ(SI_QUEUE, last.si_code);
	EXPECT_EQ(4711, last.si_uid);
	EXPECT_EQ(815, last.si_value.sival_int);
	EXPECT_EQ(r.tid, READ_ONCE(handled_by));
	WRITE_ONCE(stop, 1);
	EXPECT_EQ(0, remote_join(&r));
}

TEST(to_the_process)
{
	struct remote r;
	sigset_t set;

	handle(SIGUSR2, 0);
	remote_start(&r, near_node, spin, NULL);
	ASSERT_TRUE(remote_arrived(&r));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	ASSERT_EQ(0, kill(getpid(), SIGUSR2));
	ASSERT_TRUE(await_handled(1));
	EXPECT_EQ(SI_USER, last.si_code);
	EXPECT_EQ(r.tid, READ_ONCE(handled_by));
	WRITE_ONCE(stop, 1);
	EXPECT_EQ(0, remote_join(&r));
}

static long block_and_spin(void *argument)
{
	sigset_t set, pending;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	WRITE_ONCE(*(int *)argument, 1);
	spin(NULL);
	sigpending(&pending);
	if (READ_ONCE(handled) || !sigismember(&pending, SIGUSR1))
		return -1;
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return READ_ONCE(handled);
}

TEST(blocked_stays_pending)
{
	int blocked = 0;
	struct remote r;

	handle(SIGUSR1, 0);
	remote_start(&r, near_node, block_and_spin, &blocked);
	ASSERT_TRUE(remote_arrived(&r));
	while (!READ_ONCE(blocked))
		usleep(1000);
	ASSERT_EQ(0, syscall(SYS_tgkill, getpid(), r.tid, SIGUSR1));
	usleep(50000);
	EXPECT_EQ(0, READ_ONCE(handled));
	WRITE_ONCE(stop, 1);
	EXPECT_EQ(1, remote_join(&r));
	EXPECT_EQ(r.tid, READ_ONCE(handled_by));
}

static int ends[2];

static long read_pipe(void *argument)
{
	char byte = 0;
	ssize_t length = read(ends[0], &byte, 1);

	return length < 0 ? -errno : byte;
}

TEST(interrupts_a_call)
{
	struct remote r;

	ASSERT_EQ(0, pipe(ends));
	handle(SIGUSR1, 0);
	remote_start(&r, near_node, read_pipe, NULL);
	ASSERT_TRUE(remote_arrived(&r));
	while (pthread_tryjoin_np(r.thread, NULL) == EBUSY) {
		syscall(SYS_tgkill, getpid(), r.tid, SIGUSR1);
		usleep(20000);
	}
	EXPECT_EQ(-EINTR, r.result);
}

TEST(restarts_a_call)
{
	struct remote r;

	ASSERT_EQ(0, pipe(ends));
	handle(SIGUSR1, SA_RESTART);
	remote_start(&r, near_node, read_pipe, NULL);
	ASSERT_TRUE(remote_arrived(&r));
	usleep(50000);
	ASSERT_EQ(0, syscall(SYS_tgkill, getpid(), r.tid, SIGUSR1));
	ASSERT_TRUE(await_handled(1));
	ASSERT_EQ(1, write(ends[1], "x", 1));
	EXPECT_EQ('x', remote_join(&r));
}

static siginfo_t fault;

static void skip_two_bytes(int number, siginfo_t *info, void *context)
{
	ucontext_t *user = context;

	fault = *info;
	WRITE_ONCE(handled_by, gettid_now());
	user->uc_mcontext.gregs[REG_RIP] += 2;
	user->uc_mcontext.gregs[REG_RBX] += 1;
}

static long trap(void *argument)
{
	uint64_t rbx = 41;

	asm volatile("ud2" : "+b" (rbx));
	return rbx;
}

TEST(trap_with_changed_registers)
{
	struct sigaction action = { .sa_sigaction = skip_two_bytes, .sa_flags = SA_SIGINFO };
	struct remote r;

	sigaction(SIGILL, &action, NULL);
	remote_start(&r, near_node, trap, NULL);
	EXPECT_EQ(42, remote_join(&r));
	EXPECT_EQ(SIGILL, fault.si_signo);
	EXPECT_EQ(ILL_ILLOPN, fault.si_code);
	EXPECT_EQ(r.tid, READ_ONCE(handled_by));
}

static long touch_nothing(void *argument)
{
	return probe_write(argument, 1);
}

TEST(bad_address)
{
	EXPECT_EQ(FAULTED(SIGSEGV, SEGV_MAPERR),
		  on_node(near_node, touch_nothing, (void *)0x123));
	EXPECT_EQ(FAULTED(SIGSEGV, SEGV_ACCERR),
		  on_node(near_node, touch_nothing, (void *)touch_nothing));
}

static long raise_here(void *argument)
{
	return raise((intptr_t)argument);
}

/* A child whose only business is to end; its first thread waits at home. */
static int status_of_child(remote_function function, void *argument)
{
	int status = -1;
	struct remote r;
	pid_t child = fork();

	if (!child) {
		remote_start(&r, near_node, function, argument);
		remote_join(&r);
		_exit(99);
	}
	waitpid(child, &status, 0);
	return status;
}

TEST(deadly)
{
	int status = status_of_child(raise_here, (void *)SIGTERM);

	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGTERM, WTERMSIG(status));
	status = status_of_child(raise_here, (void *)SIGKILL);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
}

static long end_process(void *argument)
{
	_exit((intptr_t)argument);
}

TEST(exit_by_a_remote_thread)
{
	int status = status_of_child(end_process, (void *)23);

	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(23, WEXITSTATUS(status));
}

TEST(killed_from_outside)
{
	int status = -1, ready[2];
	struct remote r;
	pid_t child;
	char byte;

	ASSERT_EQ(0, pipe(ready));
	child = fork();
	if (!child) {
		remote_start(&r, near_node, spin, NULL);
		if (remote_arrived(&r) && write(ready[1], "r", 1) == 1)
			remote_join(&r);
		_exit(99);
	}
	close(ready[1]);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
}

TEST(stopped_and_continued)
{
	int status = -1, ready[2];
	struct remote r;
	pid_t child;
	char byte;

	ASSERT_EQ(0, pipe(ready));
	child = fork();
	if (!child) {
		handle(SIGUSR1, 0);
		remote_start(&r, near_node, spin, NULL);
		if (!remote_arrived(&r) || write(ready[1], "r", 1) != 1)
			_exit(98);
		while (!READ_ONCE(handled))
			usleep(1000);
		WRITE_ONCE(stop, 1);
		_exit(remote_join(&r));
	}
	close(ready[1]);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	ASSERT_EQ(0, kill(child, SIGSTOP));
	ASSERT_EQ(child, waitpid(child, &status, WUNTRACED));
	EXPECT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(0, kill(child, SIGUSR1));
	usleep(50000);
	EXPECT_EQ(0, waitpid(child, &status, WNOHANG));
	ASSERT_EQ(0, kill(child, SIGCONT));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
	share_self(argv);
	return test_harness_run(argc, argv);
}
