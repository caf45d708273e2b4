// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare selftests - futex: threads on different nodes wait for and wake each other
 */

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

#include "../kselftest_harness.h"
#include "share.h"

static uint32_t word, other;

static long futex(uint32_t *at, int operation, uint32_t value, uintptr_t argument,
		  uint32_t *second, uint32_t value3)
{
	long result = syscall(SYS_futex, at, operation | FUTEX_PRIVATE_FLAG, value, argument,
			      second, value3);

	return result < 0 ? -errno : result;
}

static long wait_for(void *argument)
{
	return futex(&word, FUTEX_WAIT, (uintptr_t)argument, 0, NULL, 0);
}

/* Until somebody was asleep: how many were woken. */
static long wake(void *argument)
{
	int woken = 0, tries;

	for (tries = 0; !woken && tries < 2000; tries++) {
		woken = futex(&word, FUTEX_WAKE, (uintptr_t)argument, 0, NULL, 0);
		usleep(1000);
	}
	return woken;
}

TEST(remote_waits_home_wakes)
{
	struct remote r;

	remote_start(&r, near_node, wait_for, NULL);
	ASSERT_TRUE(remote_arrived(&r));
	EXPECT_EQ(1, wake((void *)1));
	EXPECT_EQ(0, remote_join(&r));
}

static void *wait_at_home(void *argument)
{
	return (void *)wait_for(argument);
}

TEST(home_waits_remote_wakes)
{
	pthread_t thread;
	void *result;

	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_at_home, NULL));
	EXPECT_EQ(1, on_node(near_node, wake, (void *)1));
	pthread_join(thread, &result);
	EXPECT_EQ(0, (long)result);
}

TEST(between_remote_nodes)
{
	struct remote r;

	remote_start(&r, near_node, wait_for, NULL);
	ASSERT_TRUE(remote_arrived(&r));
	EXPECT_EQ(1, on_node(far_node, wake, (void *)1));
	EXPECT_EQ(0, remote_join(&r));
}

/* The comparison sees what another node has written last. */
static long set_word(void *argument)
{
	__atomic_store_n(&word, (uintptr_t)argument, __ATOMIC_SEQ_CST);
	return 0;
}

TEST(other_value)
{
	ASSERT_EQ(0, on_node(near_node, set_word, (void *)1));
	EXPECT_EQ(-EAGAIN, wait_for((void *)0));
	word = 2;
	EXPECT_EQ(-EAGAIN, on_node(near_node, wait_for, (void *)1));
	EXPECT_EQ(-EAGAIN, on_node(far_node, wait_for, (void *)0));
}

static long wait_a_little(void *argument)
{
	struct timespec limit = { 0, 50000000 };

	return futex(&word, FUTEX_WAIT, 0, (uintptr_t)&limit, NULL, 0);
}

TEST(timeout)
{
	EXPECT_EQ(-ETIMEDOUT, on_node(near_node, wait_a_little, NULL));
}

TEST(requeue)
{
	long moved = 0;
	struct remote r;
	int tries;

	remote_start(&r, near_node, wait_for, NULL);
	ASSERT_TRUE(remote_arrived(&r));
	for (tries = 0; !moved && tries < 2000; tries++) {
		moved = futex(&word, FUTEX_CMP_REQUEUE, 0, 1, &other, 0);
		usleep(1000);
	}
	EXPECT_EQ(1, moved);
	EXPECT_EQ(0, futex(&word, FUTEX_WAKE, 1, 0, NULL, 0));
	EXPECT_EQ(1, futex(&other, FUTEX_WAKE, 1, 0, NULL, 0));
	EXPECT_EQ(0, remote_join(&r));
}

/* The kernel changes a word that a remote node owns, with locks held. */
TEST(wake_op)
{
	static uint32_t apart[2 * PAGE_SIZE / 4];
	uint32_t *owned = &apart[PAGE_SIZE / 4];
	int add = FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 7);

	word = 0;
	ASSERT_EQ(0, on_node(near_node, set_word, (void *)3));
	EXPECT_EQ(0, futex(owned, FUTEX_WAKE_OP, 1, 1, &word, add));
	EXPECT_EQ(8, word);
	ASSERT_EQ(0, on_node(far_node, set_word, (void *)9));
	EXPECT_EQ(0, futex(owned, FUTEX_WAKE_OP, 1, 1, &word, add));
	EXPECT_EQ(14, word);
}

static uint32_t lock;
static int inside, most, rounds;

/* Taken over and over by threads on three nodes, each time by the kernel. */
static long take_in_turn(void *argument)
{
	int i, now;

	for (i = 0; i < 5; i++) {
		if (futex(&lock, FUTEX_LOCK_PI, 0, 0, NULL, 0))
			return -errno;
		now = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
		if (now > most)
			most = now;
		rounds++;
		usleep(1000);
		__atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
		if (futex(&lock, FUTEX_UNLOCK_PI, 0, 0, NULL, 0))
			return -errno;
	}
	return 0;
}

TEST(priority_inheriting_lock)
{
	struct remote near, far;

	remote_start(&near, near_node, take_in_turn, NULL);
	remote_start(&far, far_node, take_in_turn, NULL);
	EXPECT_EQ(0, take_in_turn(NULL));
	EXPECT_EQ(0, remote_join(&near));
	EXPECT_EQ(0, remote_join(&far));
	EXPECT_EQ(1, most);
	EXPECT_EQ(15, rounds);
	EXPECT_EQ(0, lock);
}

static uint32_t counter;

static long count(void *argument)
{
	int i;

	for (i = 0; i < 20000; i++)
		__atomic_add_fetch(&counter, 1, __ATOMIC_SEQ_CST);
	return 0;
}

TEST(atomic_increments)
{
	struct remote near, far;

	remote_start(&near, near_node, count, NULL);
	remote_start(&far, far_node, count, NULL);
	count(NULL);
	EXPECT_EQ(0, remote_join(&near));
	EXPECT_EQ(0, remote_join(&far));
	EXPECT_EQ(60000, counter);
}

int main(int argc, char **argv)
{
	share_self(argv);
	return test_harness_run(argc, argv);
}
