// SPDX-License-Identifier: GPL-2.0-only
/* procshare - unit tests of the decision to poll */

#include <kunit/test.h>
#include <linux/time64.h>

#include "poll.h"

static void waits(struct poll *p, unsigned int number, u64 each_ns)
{
	while (number--)
		poll_note(p, each_ns);
}

static void test_short_waits_are_polled(struct kunit *test)
{
	struct poll p = { };

	KUNIT_EXPECT_TRUE(test, poll_pays(&p));
	waits(&p, 1000, 20 * NSEC_PER_USEC);
	KUNIT_EXPECT_TRUE(test, poll_pays(&p));
	/* One that takes long changes nothing. */
	waits(&p, 1, 100 * NSEC_PER_USEC);
	KUNIT_EXPECT_TRUE(test, poll_pays(&p));
}

static void test_long_waits_are_not(struct kunit *test)
{
	struct poll p = { };

	waits(&p, 10, 500 * NSEC_PER_USEC);
	KUNIT_EXPECT_FALSE(test, poll_pays(&p));
}

static void test_they_are_forgotten(struct kunit *test)
{
	struct poll p = { };

	waits(&p, 10, 10 * NSEC_PER_SEC);
	KUNIT_EXPECT_FALSE(test, poll_pays(&p));
	waits(&p, 30, 10 * NSEC_PER_USEC);
	KUNIT_EXPECT_TRUE(test, poll_pays(&p));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(test_short_waits_are_polled),
	KUNIT_CASE(test_long_waits_are_not),
	KUNIT_CASE(test_they_are_forgotten),
	{ }
};

static struct kunit_suite suite = {
	.name = "procshare_poll",
	.test_cases = cases,
};

kunit_test_suite(suite);
