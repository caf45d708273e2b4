// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare selftests - fork: a remote thread's child has the memory of that moment
 */

#include <errno.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "../kselftest_harness.h"
#include "share.h"

#define PAGES	8

static uint8_t *block;	/* page 0 was written at home, 1 near, 2 far; 3 read everywhere */
static __thread int thread_word;

static long write_page(void *argument)
{
	int page = (intptr_t)argument;

	block[page * PAGE_SIZE] = 10 + page;
	return block[3 * PAGE_SIZE];
}

static bool spread_pages(void)
{
	block = map(PAGES);
	block[0] = 10;
	block[3 * PAGE_SIZE] = 13;
	return on_node(near_node, write_page, (void *)1) == 13 &&
	       on_node(far_node, write_page, (void *)2) == 13;
}

/* Exit status of a child: which page is wrong. */
static int judge(void)
{
	int page;

	for (page = 0; page < PAGES; page++)
		if (block[page * PAGE_SIZE] != (page < 4 ? 10 + page : 0))
			return 50 + page;
	return 0;
}

static int wait_for(pid_t child)
{
	int status = -1;

	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static long fork_and_judge(void *argument)
{
	pid_t child;

	thread_word = 77;
	child = fork();
	if (!child)
		_exit(thread_word == 77 ? judge() : 49);
	return wait_for(child);
}

TEST(child_sees_pages_of_all_nodes)
{
	ASSERT_TRUE(spread_pages());
	EXPECT_EQ(0, fork_and_judge(NULL));
	ASSERT_TRUE(spread_pages());
	EXPECT_EQ(0, on_node(near_node, fork_and_judge, NULL));
	ASSERT_TRUE(spread_pages());
	EXPECT_EQ(0, on_node(far_node, fork_and_judge, NULL));
}

static long fork_and_scribble(void *argument)
{
	int page, result;
	pid_t child = fork();

	if (!child) {
		for (page = 0; page < PAGES; page++)
			block[page * PAGE_SIZE] = 200;
		_exit(3);
	}
	result = wait_for(child);
	return result == 3 ? judge() : result;
}

TEST(child_writes_for_itself)
{
	ASSERT_TRUE(spread_pages());
	EXPECT_EQ(0, on_node(near_node, fork_and_scribble, NULL));
	EXPECT_EQ(0, judge());
	EXPECT_EQ(0, fork_and_scribble(NULL));
}

/* The parent goes on writing, remotely, where it could before. */
static long fork_and_go_on(void *argument)
{
	int *ends = argument, page;
	pid_t child = fork();
	char byte;

	if (!child) {
		if (read(ends[0], &byte, 1) != 1)
			_exit(48);
		_exit(judge());
	}
	for (page = 0; page < PAGES; page++)
		block[page * PAGE_SIZE] = 100;
	if (write(ends[1], "x", 1) != 1)
		return -1;
	return wait_for(child);
}

TEST(parent_writes_for_itself)
{
	int ends[2], page;

	ASSERT_EQ(0, pipe(ends));
	ASSERT_TRUE(spread_pages());
	EXPECT_EQ(0, on_node(near_node, fork_and_go_on, ends));
	for (page = 0; page < PAGES; page++)
		EXPECT_EQ(100, block[page * PAGE_SIZE]);
}

static long fork_and_ask(void *argument)
{
	pid_t parent = getpid(), child = fork();

	if (!child) {
		/* It starts at home, is shared itself, and can leave, too. */
		if (getppid() != parent || where(getpid()) != PROCSHARE_NODE_HOME)
			_exit(1);
		if (!move_self(near_node) || judge())
			_exit(2);
		_exit(0);
	}
	return wait_for(child);
}

TEST(child_is_shared)
{
	ASSERT_TRUE(spread_pages());
	EXPECT_EQ(0, on_node(near_node, fork_and_ask, NULL));
}

static long spawn(void *argument)
{
	char *true_argv[] = { "true", NULL }, *none_argv[] = { "none", NULL };
	pid_t child;

	if (posix_spawn(&child, "/no/such/program", NULL, NULL, none_argv, environ) != ENOENT)
		return -1;
	if (posix_spawn(&child, "/bin/true", NULL, NULL, true_argv, environ))
		return -2;
	return wait_for(child);
}

TEST(vfork_and_exec)
{
	ASSERT_TRUE(spread_pages());
	EXPECT_EQ(0, on_node(near_node, spawn, NULL));
	EXPECT_EQ(0, judge());
}

static void *write_all(void *argument)
{
	int page;

	for (page = 0; page < 3; page++)
		block[page * PAGE_SIZE] += 1;
	return (void *)(intptr_t)where(syscall(SYS_gettid));
}

static long make_thread(void *argument)
{
	pthread_t thread;
	void *place;

	if (pthread_create(&thread, NULL, write_all, NULL))
		return -1;
	pthread_join(thread, &place);
	return (intptr_t)place;
}

TEST(thread_of_a_remote_thread)
{
	ASSERT_TRUE(spread_pages());
	EXPECT_EQ(PROCSHARE_NODE_HOME, on_node(near_node, make_thread, NULL));
	EXPECT_EQ(11, block[0]);
	EXPECT_EQ(12, block[PAGE_SIZE]);
	EXPECT_EQ(13, block[2 * PAGE_SIZE]);
}

/* While other nodes keep taking pages. */
static int stop;

static long scribble(void *argument)
{
	uint8_t *mine = argument;
	uint8_t value;

	for (value = 0; !READ_ONCE(stop); value++)
		WRITE_ONCE(mine[(value % 4) * PAGE_SIZE], value);
	return 0;
}

TEST(again_and_again)
{
	uint8_t *busy = map(4);
	struct remote r;
	int i;

	ASSERT_TRUE(spread_pages());
	remote_start(&r, far_node, scribble, busy);
	ASSERT_TRUE(remote_arrived(&r));
	for (i = 0; i < 5; i++)
		EXPECT_EQ(0, fork_and_judge(NULL));
	EXPECT_EQ(0, on_node(near_node, fork_and_judge, NULL));
	WRITE_ONCE(stop, 1);
	EXPECT_EQ(0, remote_join(&r));
}

int main(int argc, char **argv)
{
	share_self(argv);
	return test_harness_run(argc, argv);
}
