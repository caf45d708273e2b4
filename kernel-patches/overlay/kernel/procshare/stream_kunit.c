// SPDX-License-Identifier: GPL-2.0-only
/* procshare - unit tests of the streams of faults */

#include <kunit/test.h>

#include "stream.h"

static struct stream_window fault(struct streams *s, unsigned long page)
{
	return streams_fault(s, page, false, false);
}

/* The same of a page that must be asked for now. */
static struct stream_window miss(struct streams *s, unsigned long page, bool write)
{
	return streams_fault(s, page, write, true);
}

/* Goes @pages up from @first; returns how many were asked for behind the last one. */
static unsigned int walk(struct kunit *test, struct streams *s, unsigned long first,
			 unsigned int pages)
{
	unsigned long asked = first;
	struct stream_window w;
	unsigned int i;

	for (i = 0; i < pages; i++) {
		w = fault(s, first + i);
		asked = max(asked, first + i);
		if (w.count) {
			/* Without a gap, and nothing twice. */
			KUNIT_EXPECT_EQ(test, w.first, asked + 1);
			asked = w.first + w.count - 1;
		}
		KUNIT_EXPECT_LE(test, first + i + w.quiet, asked);
		i += w.quiet;
	}
	return asked - (first + pages - 1);
}

static void test_one_fault_is_no_stream(struct kunit *test)
{
	struct streams *s = test->priv;

	KUNIT_EXPECT_EQ(test, fault(s, 100).count, 0);
	KUNIT_EXPECT_EQ(test, fault(s, 5000).count, 0);
	KUNIT_EXPECT_EQ(test, fault(s, 110).count, 0);
}

static void test_neighbours(struct kunit *test)
{
	struct streams *s = test->priv;
	struct stream_window w;

	fault(s, 100);
	w = fault(s, 101);
	KUNIT_EXPECT_EQ(test, w.first, 102);
	KUNIT_EXPECT_EQ(test, w.stride, 1);
	KUNIT_EXPECT_EQ(test, w.count, 4);
	KUNIT_EXPECT_EQ(test, w.quiet, 1);
	/* The same page again, for instance to be written. */
	KUNIT_EXPECT_EQ(test, fault(s, 101).count, 0);
}

static void test_little_in_vain(struct kunit *test)
{
	static const unsigned int lengths[] = { 3, 8, 32, 100, 1000, 16384 };
	struct streams *s = test->priv;
	unsigned int i, vain;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		memset(s, 0, sizeof(*s));
		vain = walk(test, s, 1 << 20, lengths[i]);
		KUNIT_EXPECT_LE(test, vain, max(6, lengths[i] / 2));
		KUNIT_EXPECT_LE(test, vain, STREAM_READ_MAX + STREAM_READ_MAX / 2);
	}
}

static void test_strides(struct kunit *test)
{
	static const long strides[] = { 2, 7, 32, -1, -5 };
	struct streams *s = test->priv;
	struct stream_window w;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(strides); i++) {
		memset(s, 0, sizeof(*s));
		KUNIT_EXPECT_EQ(test, fault(s, 1000).count, 0);
		KUNIT_EXPECT_EQ(test, fault(s, 1000 + strides[i]).count, 0);
		w = fault(s, 1000 + 2 * strides[i]);
		KUNIT_EXPECT_EQ(test, w.first, 1000 + 3 * strides[i]);
		KUNIT_EXPECT_EQ(test, w.stride, strides[i]);
		KUNIT_EXPECT_EQ(test, w.count, 4);
		KUNIT_EXPECT_EQ(test, w.quiet, 0);
	}
}

static void test_streams_side_by_side(struct kunit *test)
{
	struct streams *s = test->priv;
	unsigned int i, asked = 0;

	for (i = 0; i < 100; i++) {
		asked += fault(s, 1000 + i).count;
		asked += fault(s, 9000 + i).count;
		asked += fault(s, 5000 - i).count;
	}
	KUNIT_EXPECT_GE(test, asked, 290);
}

/* More arrays than a loop usually has, all of them close to each other. */
static void test_many_streams(struct kunit *test)
{
	unsigned int i, array, asked = 0;
	struct streams *s = test->priv;

	for (i = 0; i < 20; i++)
		for (array = 0; array < 12; array++)
			asked += fault(s, 1000 + 20 * array + i).count;
	KUNIT_EXPECT_GE(test, asked, 12 * 18);
}

static void test_written_after_all(struct kunit *test)
{
	struct streams *s = test->priv;
	struct stream_window w;

	fault(s, 100);
	fault(s, 101);
	w = streams_fault(s, 101, true, false);
	KUNIT_EXPECT_TRUE(test, w.write);
	KUNIT_EXPECT_EQ(test, w.first, 102);
	/* It stays so although what comes next is read first. */
	w = fault(s, 104);
	KUNIT_EXPECT_TRUE(test, w.write);
	KUNIT_EXPECT_EQ(test, w.count, 4);
	KUNIT_EXPECT_EQ(test, w.quiet, 0);
}

static void test_only_read_after_all(struct kunit *test)
{
	struct streams *s = test->priv;
	struct stream_window w;
	unsigned int i;

	for (i = 0; i < 20; i++)
		w = streams_fault(s, 100 + i, true, false);
	KUNIT_EXPECT_TRUE(test, w.write);
	for (; i < 23; i++)
		w = fault(s, 100 + i);
	KUNIT_EXPECT_FALSE(test, w.write);
}

/* A page is written when the next one has been read. */
static void test_written_behind(struct kunit *test)
{
	struct streams *s = test->priv;
	struct stream_window w;
	unsigned int i;

	fault(s, 100);
	for (i = 1; i < 40; i++) {
		fault(s, 100 + i);
		w = streams_fault(s, 100 + i - 1, true, false);
		KUNIT_EXPECT_TRUE(test, w.write);
	}
}

static void test_pattern_changes(struct kunit *test)
{
	struct streams *s = test->priv;

	walk(test, s, 100, 50);
	KUNIT_EXPECT_EQ(test, fault(s, 100).count, 0);
	KUNIT_EXPECT_EQ(test, fault(s, 101).count, 4);
}

/* An iteration's step asks for what the last one used, no more, and soon at once. */
static void test_once_more(struct kunit *test)
{
	struct streams *s = test->priv;
	struct stream_window w;
	unsigned int i, step;

	walk(test, s, 100, 8);
	KUNIT_EXPECT_EQ(test, miss(s, 100, false).count, 0);
	w = miss(s, 101, false);
	KUNIT_EXPECT_EQ(test, w.first, 102);
	KUNIT_EXPECT_EQ(test, w.count, 6);
	for (i = 2; i < 8; i++)
		KUNIT_EXPECT_EQ(test, fault(s, 100 + i).count, 0);
	for (step = 0; step < 3; step++) {
		w = miss(s, 100, false);
		KUNIT_EXPECT_EQ(test, w.first, 101);
		KUNIT_EXPECT_EQ(test, w.count, 7);
		for (i = 1; i < 8; i++)
			KUNIT_EXPECT_EQ(test, fault(s, 100 + i).count, 0);
	}
	/* It may go farther. */
	w = miss(s, 108, false);
	KUNIT_EXPECT_EQ(test, w.first, 109);
	KUNIT_EXPECT_EQ(test, w.count, 4);
}

/* A lock before an array: it is touched more often than the array. */
static void test_first_page_means_nothing(struct kunit *test)
{
	struct streams *s = test->priv;
	unsigned int i, step;

	for (step = 0; step < 5; step++) {
		for (i = 0; i < 3; i++)
			KUNIT_EXPECT_EQ(test, miss(s, 100, false).count, 0);
		walk(test, s, 101, 7);
	}
}

/* A barrier before an array that others write: nobody asks to write that. */
static void test_first_page_is_written(struct kunit *test)
{
	struct streams *s = test->priv;
	unsigned int i, step;

	for (step = 0; step < 6; step++) {
		bool opened = step % 2, settled = step >= 2;
		struct stream_window w = miss(s, 100, opened);

		KUNIT_EXPECT_FALSE(test, w.count && w.write);
		w = streams_fault(s, 100, true, !opened);
		KUNIT_EXPECT_FALSE(test, w.count && w.write);
		for (i = 1; i < 32; i++) {
			w = fault(s, 100 + i);
			KUNIT_EXPECT_FALSE(test, (settled || i > 3) && w.count && w.write);
		}
	}
}

/* An array that is written and read in turn: each step is like the one before the last. */
static void test_written_and_read_in_turn(struct kunit *test)
{
	struct streams *s = test->priv;
	struct stream_window w;
	unsigned int i, step;

	for (step = 0; step < 10; step++) {
		bool write = step % 2;

		w = miss(s, 100, write);
		if (step >= 8) {
			KUNIT_EXPECT_EQ(test, w.count, 15);
			KUNIT_EXPECT_EQ(test, w.write, write);
		}
		for (i = 1; i < 16; i++)
			streams_fault(s, 100 + i, write, false);
	}
}

/* A slab and its neighbour's border: neither is taken for the other's continuation. */
static void test_two_in_turn(struct kunit *test)
{
	unsigned int i, step, missed, most = 100;
	struct streams *s = test->priv;
	struct stream_window w;

	for (step = 0; step < 4; step++) {
		bool asked[16] = { };

		missed = 0;
		for (i = 0; i < 16; i++) {
			/* Written, and then the next ones read. */
			missed += !asked[i];
			w = streams_fault(s, 100 + i, i < 8, !asked[i]);
			while (w.count--) {
				unsigned long n = w.first++ - 100;

				/* The neighbour's are not to be had for writing. */
				if (n < 16 && w.write && i < 8 && n >= 8)
					break;
				if (n < 16)
					asked[n] = true;
			}
		}
		most = missed;
	}
	KUNIT_EXPECT_EQ(test, most, 2);
}

/* Each page is read, then written, and the next step has none of them any more. */
static void test_read_then_written_once_more(struct kunit *test)
{
	struct streams *s = test->priv;
	unsigned int step, i;

	for (step = 0; step < 4; step++) {
		bool readable[32] = { }, writable[32] = { };
		unsigned int missed = 0;

		for (i = 0; i < 16; i++) {
			bool write;

			for (write = false; ; write = true) {
				bool miss = write ? !writable[i] : !readable[i];
				struct stream_window w;

				missed += miss;
				w = streams_fault(s, 100 + i, write, miss);
				for (; w.count; w.count--, w.first++) {
					KUNIT_ASSERT_LT(test, w.first, 132);
					readable[w.first - 100] = true;
					writable[w.first - 100] |= w.write;
				}
				if (write)
					break;
			}
		}
		/* Of the first page both, and of none behind it. */
		if (step >= 2)
			KUNIT_EXPECT_EQ(test, missed, 2);
	}
}

/* Once far, once near: what is not always used is not asked for at once. */
static void test_different_lengths(struct kunit *test)
{
	struct streams *s = test->priv;
	unsigned int step;

	for (step = 0; step < 6; step++) {
		walk(test, s, 100, 50);
		KUNIT_EXPECT_LE(test, miss(s, 100, false).count, 4);
		/* The first time nothing else is known. */
		if (!step)
			KUNIT_EXPECT_GT(test, miss(s, 101, false).count, 32);
		else
			KUNIT_EXPECT_LE(test, miss(s, 101, false).count, 4);
		KUNIT_EXPECT_LE(test, miss(s, 100, false).count, 4);
	}
}

/* A counter in the first page of an array is touched while the array is gone through. */
static void test_first_page_meanwhile(struct kunit *test)
{
	struct streams *s = test->priv;
	struct stream_window w;
	unsigned int i, asked = 0;

	for (i = 0; i < 64; i++) {
		w = fault(s, 100 + i);
		asked += w.count;
		if (i % 8 == 7)
			miss(s, 100, false);
	}
	KUNIT_EXPECT_GE(test, asked, 62);
	KUNIT_EXPECT_LE(test, asked, 64 + 32);
}

/* What was taken away again is asked for again. */
static void test_asked_in_vain(struct kunit *test)
{
	struct streams *s = test->priv;
	struct stream_window w;

	walk(test, s, 100, 50);
	w = miss(s, 150, false);
	KUNIT_EXPECT_EQ(test, w.first, 151);
	KUNIT_EXPECT_GT(test, w.count, 4);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(test_one_fault_is_no_stream),
	KUNIT_CASE(test_neighbours),
	KUNIT_CASE(test_little_in_vain),
	KUNIT_CASE(test_strides),
	KUNIT_CASE(test_streams_side_by_side),
	KUNIT_CASE(test_many_streams),
	KUNIT_CASE(test_written_after_all),
	KUNIT_CASE(test_only_read_after_all),
	KUNIT_CASE(test_written_behind),
	KUNIT_CASE(test_pattern_changes),
	KUNIT_CASE(test_once_more),
	KUNIT_CASE(test_first_page_means_nothing),
	KUNIT_CASE(test_first_page_is_written),
	KUNIT_CASE(test_written_and_read_in_turn),
	KUNIT_CASE(test_two_in_turn),
	KUNIT_CASE(test_read_then_written_once_more),
	KUNIT_CASE(test_different_lengths),
	KUNIT_CASE(test_first_page_meanwhile),
	KUNIT_CASE(test_asked_in_vain),
	{ }
};

static int init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct streams), GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

static struct kunit_suite suite = {
	.name = "procshare_stream",
	.init = init,
	.test_cases = cases,
};

kunit_test_suite(suite);
