// SPDX-License-Identifier: GPL-2.0-only
/* procshare - unit tests of when threads are better off on one node */

#include <kunit/test.h>
#include <linux/array_size.h>
#include <linux/time64.h>

#include "gather.h"

#define MS	((u64)NSEC_PER_MSEC)

/* A second in which so much was computed, and so many pages moved: on two nodes, or one. */
static enum gather_advice second(struct gather *g, unsigned int user_ms, unsigned int moved)
{
	const struct gather_sample sample = {
		.period_ns = NSEC_PER_SEC, .user_ns = user_ms * MS, .moved = moved,
		.hosts = g->together ? 1 : 2,
		.full = g->together && gather_is_full(user_ms * MS, NSEC_PER_SEC, 1),
	};

	return gather_look(g, &sample);
}

/* After so many such seconds comes @advice; 0: not within @most of them. */
static unsigned int seconds_until(struct gather *g, enum gather_advice advice,
				  unsigned int user_ms, unsigned int moved,
				  unsigned int most)
{
	unsigned int i;

	for (i = 1; i <= most; i++)
		if (second(g, user_ms, moved) == advice)
			return i;
	return 0;
}

static void gather_takes_turns(struct kunit *test)
{
	struct gather g = { };

	KUNIT_EXPECT_EQ(test, second(&g, 150, 700), GATHER_KEEP);
	KUNIT_EXPECT_EQ(test, second(&g, 150, 700), GATHER_JOIN);
	KUNIT_EXPECT_TRUE(test, g.together);
}

static void gather_only_in_a_row(struct kunit *test)
{
	struct gather g = { };
	int i;

	for (i = 0; i < 10; i++) {
		KUNIT_EXPECT_EQ(test, second(&g, 150, 700), GATHER_KEEP);
		KUNIT_EXPECT_EQ(test, second(&g, 1900, 10), GATHER_KEEP);
	}
}

/* Who computes on two nodes, or waits for something else, is not to be disturbed. */
static void gather_leaves_alone(struct kunit *test)
{
	static const struct {
		unsigned int user_ms, moved;
	} fine[] = {
		{ 1950, 0 }, { 1450, 1000 }, { 760, 1500 }, { 0, 0 }, { 5, 19 },
		{ 600, 200 }, { 100, 99 },
	};
	struct gather g = { };
	int i, n;

	for (i = 0; i < ARRAY_SIZE(fine); i++)
		for (n = 0; n < 5; n++)
			KUNIT_EXPECT_EQ_MSG(test, second(&g, fine[i].user_ms, fine[i].moved),
					    GATHER_KEEP, "%u ms, %u pages",
					    fine[i].user_ms, fine[i].moved);
}

/* Only a node that is full is worth parting for. */
static void gather_parts_when_full(struct kunit *test)
{
	struct gather g = { };

	seconds_until(&g, GATHER_JOIN, 150, 700, 2);
	KUNIT_EXPECT_EQ(test, seconds_until(&g, GATHER_PART, 300, 5, 1000), 0);
	KUNIT_EXPECT_EQ(test, seconds_until(&g, GATHER_PART, 950, 5, 1000), 1);
	KUNIT_EXPECT_FALSE(test, g.together);
}

/* What does not pay is tried less and less often, but never given up. */
static void gather_tries_again(struct kunit *test)
{
	struct gather g = { };
	unsigned int i, pause, last = 0;

	for (i = 0; i < 12; i++) {
		KUNIT_EXPECT_EQ(test, seconds_until(&g, GATHER_JOIN, 150, 700, 10), 2);
		pause = seconds_until(&g, GATHER_PART, 990, 0, 1000);
		KUNIT_EXPECT_GE(test, pause, last);
		KUNIT_EXPECT_LE(test, pause, 256);
		KUNIT_EXPECT_GE(test, pause, 8);
		last = pause;
	}
	KUNIT_EXPECT_EQ(test, last, 256);
}

/* A phase with two busy nodes has paid: the next time they are apart as soon again. */
static void gather_forgets_what_paid(struct kunit *test)
{
	struct gather g = { };
	unsigned int i;

	for (i = 0; i < 5; i++) {
		KUNIT_EXPECT_EQ(test, seconds_until(&g, GATHER_JOIN, 150, 700, 10), 2);
		KUNIT_EXPECT_EQ(test, seconds_until(&g, GATHER_PART, 990, 0, 1000), 8);
		KUNIT_EXPECT_EQ(test, seconds_until(&g, GATHER_JOIN, 1900, 0, 60), 0);
	}
}

/* Some were told, by others, to be somewhere else. */
static void gather_looks_for_another_node(struct kunit *test)
{
	const struct gather_sample apart = {
		.period_ns = NSEC_PER_SEC, .user_ns = 150 * MS, .moved = 700, .hosts = 2,
	};
	struct gather g = { };

	KUNIT_EXPECT_EQ(test, seconds_until(&g, GATHER_JOIN, 150, 700, 2), 2);
	KUNIT_EXPECT_EQ(test, gather_look(&g, &apart), GATHER_KEEP);
	KUNIT_EXPECT_EQ(test, gather_look(&g, &apart), GATHER_JOIN);
	KUNIT_EXPECT_EQ(test, g.pause, 8);
}

static void gather_knows_full_nodes(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, gather_is_full(950 * MS, NSEC_PER_SEC, 1));
	KUNIT_EXPECT_FALSE(test, gather_is_full(850 * MS, NSEC_PER_SEC, 1));
	KUNIT_EXPECT_FALSE(test, gather_is_full(950 * MS, NSEC_PER_SEC, 2));
	KUNIT_EXPECT_TRUE(test, gather_is_full(7600 * MS, NSEC_PER_SEC, 8));
}

static struct kunit_case gather_cases[] = {
	KUNIT_CASE(gather_takes_turns),
	KUNIT_CASE(gather_only_in_a_row),
	KUNIT_CASE(gather_leaves_alone),
	KUNIT_CASE(gather_parts_when_full),
	KUNIT_CASE(gather_tries_again),
	KUNIT_CASE(gather_forgets_what_paid),
	KUNIT_CASE(gather_looks_for_another_node),
	KUNIT_CASE(gather_knows_full_nodes),
	{}
};

static struct kunit_suite gather_suite = {
	.name = "procshare_gather",
	.test_cases = gather_cases,
};

kunit_test_suite(gather_suite);
