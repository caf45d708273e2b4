// SPDX-License-Identifier: GPL-2.0-only
/* procshare - unit tests of what home believes of a remote thread's CPU time */

#include <kunit/test.h>
#include <linux/math.h>
#include <linux/time64.h>

#include "cpu_estimate.h"

#define MS	((u64)NSEC_PER_MSEC)
#define LOOK	(8 * MS)

/* A node's report and what home makes of it, by a clock of its own. */
struct pair {
	struct cpu_report node;
	struct cpu_estimate home;
	u64 now;
	u64 user;
	unsigned int messages;
};

#define HOMES_CLOCK	(12345 * MS)

static void init_pair(struct pair *p)
{
	*p = (struct pair) { .now = 1000 * MS };
	cpu_report_begin(&p->node, p->now, 0, 0);
}

/* The thread uses @share percent of the CPU for @ms; returns home's largest error. */
static u64 run(struct pair *p, unsigned int ms, unsigned int share)
{
	u64 end = p->now + ms * MS;
	u64 believed, worst = 0;

	while (p->now < end) {
		p->now += LOOK;
		p->user += LOOK * share / 100;
		/* Before the node looks. */
		believed = cpu_estimate_at(&p->home, p->now + HOMES_CLOCK);
		worst = max(worst, abs_diff(p->user, believed));
		if (!cpu_report_due(&p->node, p->now, p->user, 0))
			continue;
		p->messages++;
		p->home = p->node.told;
		p->home.at_ns += HOMES_CLOCK;
	}
	return worst;
}

static void test_steady_thread_needs_few_messages(struct kunit *test)
{
	struct pair p;

	init_pair(&p);
	run(&p, 2000, 100);
	KUNIT_EXPECT_LE(test, p.messages, 6);
	KUNIT_EXPECT_LE(test, abs_diff(p.user, cpu_estimate_at(&p.home, p.now + HOMES_CLOCK)),
			2 * MS);
	run(&p, 2000, 60);
	KUNIT_EXPECT_LE(test, p.messages, 12);
}

static void test_home_is_never_far_off(struct kunit *test)
{
	static const unsigned int shares[] = { 100, 0, 50, 3, 100, 99, 0, 100 };
	unsigned int i, round;
	struct pair p;
	u64 worst = 0;

	init_pair(&p);
	for (round = 0; round < 5; round++)
		for (i = 0; i < ARRAY_SIZE(shares); i++)
			worst = max(worst, run(&p, 20 * (i + 1), shares[i]));
	/* What may happen between two looks, and what is tolerated. */
	KUNIT_EXPECT_LE(test, worst, LOOK + 2 * MS);
	KUNIT_EXPECT_GE(test, p.messages, 10);
}

static void test_system_time_is_told(struct kunit *test)
{
	struct pair p;

	init_pair(&p);
	KUNIT_EXPECT_FALSE(test, cpu_report_due(&p.node, p.now + LOOK, 0, MS));
	KUNIT_EXPECT_TRUE(test, cpu_report_due(&p.node, p.now + 2 * LOOK, 0, 3 * MS));
	KUNIT_EXPECT_EQ(test, p.node.told_system_ns, 3 * MS);
}

/* A node that has gone silent. */
static void test_nothing_is_believed_for_long(struct kunit *test)
{
	struct cpu_estimate e = { .at_ns = 5, .user_ns = 7, .rate = CPU_RATE_FULL };

	KUNIT_EXPECT_EQ(test, cpu_estimate_at(&e, 5), 7);
	KUNIT_EXPECT_EQ(test, cpu_estimate_at(&e, 5 + 500 * MS), 7 + 500 * MS);
	KUNIT_EXPECT_EQ(test, cpu_estimate_at(&e, 5 + 90000 * MS), 7 + 1000 * MS);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(test_steady_thread_needs_few_messages),
	KUNIT_CASE(test_home_is_never_far_off),
	KUNIT_CASE(test_system_time_is_told),
	KUNIT_CASE(test_nothing_is_believed_for_long),
	{ }
};

static struct kunit_suite suite = {
	.name = "procshare_cpu_estimate",
	.test_cases = cases,
};

kunit_test_suite(suite);
