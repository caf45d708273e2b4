// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare selftests - registers: a thread keeps every one of them when it moves
 *
 * cycle() fills the registers and computes while the main thread moves it about,
 * so that it is taken between any two instructions.  cycle_call() makes a system
 * call on another node in between.
 */

#include <asm/prctl.h>
#include <sys/syscall.h>

#include "../kselftest_harness.h"
#include "registers.h"
#include "share.h"

#define KEPT_FLAGS	0x200cd5	/* ID, OF, DF, SF, ZF, AF, PF, CF */

int hold[2];

static __thread uint64_t thread_word;
static int avx;

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	return x ^ (x >> 27);
}

static void fill(struct registers *r, uint64_t seed)
{
	uint64_t *general = &r->rax;
	int i, j;

	memset(r, 0, sizeof(*r));
	for (i = 0; i < 15; i++)
		general[i] = mix(seed + i + 1);
	r->flags = 0x202 | (seed % 2 ? 0x200c41 : 0x94);
	r->mxcsr = seed % 2 ? 0x5f80 : 0x3fa1;
	r->fcw = seed % 2 ? 0x0f7f : 0x027f;
	for (i = 0; i < 8; i++) {
		/* A normal number: the top bit of the fraction set, some exponent. */
		uint64_t fraction = mix(seed + 100 + i) | 1ull << 63;
		uint16_t exponent = 0x3fff + i;

		memcpy(r->x87[i], &fraction, 8);
		memcpy(r->x87[i] + 8, &exponent, 2);
	}
	for (i = 0; i < VECTORS; i++)
		for (j = 0; j < (avx ? 32 : 16); j++)
			r->vector[i][j] = mix(seed + 32 * i + j + 1000) >> 16;
}

struct cycled {
	struct registers in, out;
	uint64_t gs_words[1], tls_seen;
	pid_t tid;
	bool call;
};

static void *run_cycle(void *argument)
{
	struct cycled *c = argument;

	syscall(SYS_arch_prctl, ARCH_SET_GS, c->gs_words);
	thread_word = c->gs_words[0];
	c->in.fs_word = pthread_self();
	c->in.gs_word = c->gs_words[0];
	WRITE_ONCE(c->tid, syscall(SYS_gettid));
	if (c->call)
		cycle_call(&c->in, &c->out, avx);
	else
		cycle(&c->in, &c->out, avx);
	c->tls_seen = thread_word;
	return NULL;
}

static pthread_t begin_cycle(struct cycled *c, uint64_t seed, bool call)
{
	pthread_t thread;

	avx = __builtin_cpu_supports("avx");
	memset(c, 0, sizeof(*c));
	fill(&c->in, seed);
	c->gs_words[0] = mix(seed + 77);
	c->call = call;
	WRITE_ONCE(hold[0], 1);
	WRITE_ONCE(hold[1], 1);
	if (pthread_create(&thread, NULL, run_cycle, c))
		abort();
	while (!READ_ONCE(c->tid))
		usleep(1000);
	return thread;
}

static void compare(struct __test_metadata *_metadata, const struct cycled *c)
{
	const uint64_t *got = &c->out.rax, *wanted = &c->in.rax;
	int i;

	for (i = 0; i < 15; i++) {
		if (c->call && (i == 0 || i == 2 || i == 10))
			continue;	/* the call's: rax, rcx, r11 */
		EXPECT_EQ(wanted[i], got[i])
			TH_LOG("general register %d", i);
	}
	EXPECT_EQ(c->in.flags & KEPT_FLAGS, c->out.flags & KEPT_FLAGS);
	EXPECT_EQ(c->in.fs_word, c->out.fs_word);
	EXPECT_EQ(c->in.gs_word, c->out.gs_word);
	EXPECT_EQ(c->gs_words[0], c->tls_seen);
	EXPECT_EQ(c->in.mxcsr, c->out.mxcsr);
	EXPECT_EQ(c->in.fcw, c->out.fcw);
	for (i = 0; i < 8; i++)
		EXPECT_EQ(0, memcmp(c->in.x87[i], c->out.x87[i], 10))
			TH_LOG("st%d", i);
	for (i = 0; i < VECTORS; i++)
		EXPECT_EQ(0, memcmp(c->in.vector[i], c->out.vector[i], 32))
			TH_LOG("vector register %d", i);
}

static void move_about(struct __test_metadata *_metadata, uint64_t seed,
		       const unsigned int *nodes, int count)
{
	struct cycled c;
	pthread_t thread = begin_cycle(&c, seed, false);
	int i;

	for (i = 0; i < count; i++)
		EXPECT_TRUE(move(c.tid, nodes[i]))
			TH_LOG("did not get to node %u", nodes[i]);
	WRITE_ONCE(hold[0], 0);
	pthread_join(thread, NULL);
	compare(_metadata, &c);
}

TEST(out_and_back)
{
	const unsigned int way[] = { near_node, PROCSHARE_NODE_HOME };

	move_about(_metadata, 1, way, 2);
	move_about(_metadata, 2, way, 2);
}

TEST(stored_away_from_home)
{
	const unsigned int way[] = { far_node };

	move_about(_metadata, 3, way, 1);
	move_about(_metadata, 4, way, 1);
}

TEST(between_remote_nodes)
{
	const unsigned int way[] = { near_node, far_node, near_node, PROCSHARE_NODE_HOME,
				     far_node };

	move_about(_metadata, 5, way, 5);
	move_about(_metadata, 6, way, 5);
}

static void call_away(struct __test_metadata *_metadata, uint64_t seed)
{
	uint64_t forwarded;
	struct cycled c;
	pthread_t thread = begin_cycle(&c, seed, true);

	ASSERT_TRUE(move(c.tid, near_node));
	forwarded = calls_forwarded(near_node);
	WRITE_ONCE(hold[0], 0);
	while (calls_forwarded(near_node) == forwarded)
		usleep(1000);
	EXPECT_TRUE(move(c.tid, PROCSHARE_NODE_HOME));
	WRITE_ONCE(hold[1], 0);
	pthread_join(thread, NULL);
	compare(_metadata, &c);
	EXPECT_EQ(getppid(), c.out.rax);
	/* What the instruction itself leaves there. */
	EXPECT_EQ((uintptr_t)behind_call, c.out.rcx);
	EXPECT_EQ(c.in.flags & KEPT_FLAGS, c.out.r11 & KEPT_FLAGS);
}

TEST(around_getppid)
{
	call_away(_metadata, 7);
	call_away(_metadata, 8);
}

int main(int argc, char **argv)
{
	share_self(argv);
	return test_harness_run(argc, argv);
}
