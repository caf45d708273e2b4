// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare selftests - rseq: the area of restartable sequences says what is true
 *
 * A processor's number means nothing on another node: away from home the area
 * says that nothing is registered, and programs fall back.
 */

#include <linux/rseq.h>
#include <sys/rseq.h>
#include <sys/syscall.h>

#include "../kselftest_harness.h"
#include "share.h"

#define PROCESSORS	64

static struct rseq *area(void)
{
	return (void *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

static int processor(void)
{
	unsigned int number;

	return syscall(SYS_getcpu, &number, NULL, NULL) ? -1 : (int)number;
}

/* What getcpu() says, unless the thread is moved between the two. */
static bool agrees(void)
{
	int before, after, tries;
	uint32_t seen;

	for (tries = 0; tries < 100; tries++) {
		before = processor();
		seen = READ_ONCE(area()->cpu_id);
		after = processor();
		if (before == after)
			return (int)seen == before && READ_ONCE(area()->cpu_id_start) < PROCESSORS;
	}
	return false;
}

TEST(at_home)
{
	if (!__rseq_size)
		SKIP(return, "the C library has not registered restartable sequences");
	EXPECT_TRUE(agrees());
}

static long look_away(void *argument)
{
	struct rseq *rseq = area();

	if (READ_ONCE(rseq->cpu_id) != (uint32_t)RSEQ_CPU_ID_UNINITIALIZED)
		return 1;
	if (READ_ONCE(rseq->cpu_id_start) != 0)
		return 2;
	if (READ_ONCE(rseq->rseq_cs))
		return 3;
	getppid();
	return READ_ONCE(rseq->cpu_id) == (uint32_t)RSEQ_CPU_ID_UNINITIALIZED ? 0 : 4;
}

TEST(away)
{
	if (!__rseq_size)
		SKIP(return, "the C library has not registered restartable sequences");
	EXPECT_EQ(0, on_node(near_node, look_away, NULL));
}

TEST(out_and_back)
{
	int i;

	if (!__rseq_size)
		SKIP(return, "the C library has not registered restartable sequences");
	for (i = 0; i < 3; i++) {
		ASSERT_TRUE(move_self(i % 2 ? far_node : near_node));
		EXPECT_EQ(0, look_away(NULL));
		ASSERT_TRUE(move_self(PROCSHARE_NODE_HOME));
		EXPECT_TRUE(agrees());
		EXPECT_EQ(0, area()->rseq_cs);
	}
}

static uint64_t counted[PROCESSORS];
static int stop;

/*
 * Adds 1 to @counter in one restartable sequence, slowly, so that it is likely
 * to be interrupted: 0 if it was done, -1 if not or @number is not this
 * processor's.  add_always() spends most of its time outside, since a thread
 * inside does not leave, and tries again only later.
 */
static int add_here(uint64_t *counter, uint32_t number)
{
	asm goto(".pushsection __rseq_cs, \"aw\"\n"
		 ".balign 32\n"
		 "3: .long 0, 0\n"
		 ".quad 1f, 2f - 1f, 4f\n"
		 ".popsection\n"
		 "lea 3b(%%rip), %%rax\n"
		 "mov %%rax, 8(%[rseq])\n"
		 "1: cmp %[number], 4(%[rseq])\n"
		 "jnz %l[failed]\n"
		 "mov (%[counter]), %%rax\n"
		 "mov $300, %%ecx\n"
		 "5: dec %%ecx; jnz 5b\n"
		 "inc %%rax\n"
		 "mov %%rax, (%[counter])\n"
		 "2:\n"
		 ".pushsection .text.unlikely, \"ax\"\n"
		 ".byte 0x0f, 0xb9, 0x3d\n"	/* ud1 with the signature, never executed */
		 ".long 0x53053053\n"
		 "4: jmp %l[failed]\n"
		 ".popsection\n"
		 : : [rseq] "r" (area()), [number] "r" (number), [counter] "r" (counter)
		 : "rax", "rcx", "memory", "cc" : failed);
	return 0;
failed:
	return -1;
}

struct adder {
	pthread_t thread;
	pid_t tid;
	uint64_t done, away;
};

static void *add_always(void *argument)
{
	struct adder *adder = argument;
	int outside;

	WRITE_ONCE(adder->tid, syscall(SYS_gettid));
	while (!READ_ONCE(stop)) {
		uint32_t number = READ_ONCE(area()->cpu_id);

		if (number >= PROCESSORS)
			adder->away++;
		else if (add_here(&counted[number], number) == 0)
			adder->done++;
		for (outside = 0; outside < 3000; outside++)
			asm volatile("");
	}
	return NULL;
}

static bool start_adder(struct adder *adder)
{
	if (pthread_create(&adder->thread, NULL, add_always, adder))
		return false;
	while (!READ_ONCE(adder->tid))
		usleep(1000);
	return true;
}

/* One of two is moved at any moment, but not inside a sequence: nothing is lost. */
TEST(moved_between_sequences)
{
	static struct adder moved, stays;
	uint64_t sum = 0;
	int i;

	if (!__rseq_size)
		SKIP(return, "the C library has not registered restartable sequences");
	ASSERT_TRUE(start_adder(&moved));
	ASSERT_TRUE(start_adder(&stays));
	for (i = 0; i < 6; i++) {
		EXPECT_TRUE(move(moved.tid, i % 2 ? far_node : near_node));
		usleep(20000);
		EXPECT_TRUE(move(moved.tid, PROCSHARE_NODE_HOME));
		usleep(20000);
	}
	WRITE_ONCE(stop, 1);
	pthread_join(moved.thread, NULL);
	pthread_join(stays.thread, NULL);
	for (i = 0; i < PROCESSORS; i++)
		sum += counted[i];
	EXPECT_LT(0, moved.done);
	EXPECT_LT(0, moved.away);
	EXPECT_EQ(0, stays.away);
	EXPECT_EQ(moved.done + stays.done, sum);
}

int main(int argc, char **argv)
{
	share_self(argv);
	return test_harness_run(argc, argv);
}
