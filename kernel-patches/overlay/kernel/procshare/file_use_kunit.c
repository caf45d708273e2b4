// SPDX-License-Identifier: GPL-2.0-only
/* procshare - unit tests of what is remembered of the pages of files */

#include <kunit/test.h>
#include <linux/bits.h>

#include "file_use.h"

/* Pages of files that no test but this has: the table is the node's. */
#define FILE_A	0x7e57000100000000ULL
#define FILE_B	0x7e57000300000000ULL

/* A file that begins with page 64 of @file, of which nothing is known. */
static u64 unknown(u64 file)
{
	static u64 next;

	return file + (next += FILE_USE_PAGES);
}

static void expect_pages(struct kunit *test, u64 origin, u64 read, u64 written)
{
	struct file_use_pages pages = file_use_expect(origin);

	KUNIT_EXPECT_EQ(test, pages.read, read);
	KUNIT_EXPECT_EQ(test, pages.written, written);
}

static void test_knows_what_was_used(struct kunit *test)
{
	u64 a = unknown(FILE_A);

	expect_pages(test, a, 0, 0);
	file_use_note(a, false, false);
	file_use_note(a + 5, false, false);
	file_use_note(a + 63, true, false);
	expect_pages(test, a + 17, BIT_ULL(0) | BIT_ULL(5), BIT_ULL(63));
	/* The next segment, and the same one of another file, are others. */
	expect_pages(test, a + 64, 0, 0);
	expect_pages(test, a - FILE_A + FILE_B, 0, 0);
}

static void test_knows_what_was_written(struct kunit *test)
{
	u64 a = unknown(FILE_A);

	file_use_note(a, false, false);
	file_use_note(a, true, true);
	expect_pages(test, a, 0, BIT_ULL(0));
	/* The next process only reads it, again and again. */
	file_use_note(a, false, false);
	file_use_note(a, false, true);
	expect_pages(test, a, BIT_ULL(0), 0);
}

static void test_used_every_third_time(struct kunit *test)
{
	u64 a = unknown(FILE_A);
	unsigned int i;

	for (i = 0; i < 100; i++) {
		if (i % 3 == 0)
			file_use_note(a, false, false);
		expect_pages(test, a, BIT_ULL(0), 0);
		file_use_asked(a, BIT_ULL(0));
	}
}

static void test_forgets_what_is_not_used(struct kunit *test)
{
	u64 a = unknown(FILE_A);
	unsigned int i;

	for (i = 0; i < 100; i++)
		file_use_note(a, false, false);
	file_use_note(a + 1, false, false);
	for (i = 0; i < 10; i++) {
		file_use_asked(a, BIT_ULL(0) | BIT_ULL(1));
		file_use_note(a + 1, false, false);
	}
	expect_pages(test, a, BIT_ULL(1), 0);
	/* Nothing is owed for it. */
	file_use_note(a, false, false);
	expect_pages(test, a, BIT_ULL(0) | BIT_ULL(1), 0);
}

static void test_no_file(struct kunit *test)
{
	file_use_note(0, true, false);
	file_use_asked(0, ~0ULL);
	expect_pages(test, 0, 0, 0);
}

/* More segments than there are places: the last ones are known, at least. */
static void test_many_segments(struct kunit *test)
{
	u64 a = unknown(FILE_B) + (1ULL << 31);
	unsigned int i;

	for (i = 0; i < 5000; i++)
		file_use_note(a + i * FILE_USE_PAGES, false, false);
	expect_pages(test, a + 4999ULL * FILE_USE_PAGES, BIT_ULL(0), 0);
}

static struct kunit_case file_use_cases[] = {
	KUNIT_CASE(test_knows_what_was_used),
	KUNIT_CASE(test_knows_what_was_written),
	KUNIT_CASE(test_used_every_third_time),
	KUNIT_CASE(test_forgets_what_is_not_used),
	KUNIT_CASE(test_no_file),
	KUNIT_CASE(test_many_segments),
	{}
};

static struct kunit_suite file_use_suite = {
	.name = "procshare_file_use",
	.test_cases = file_use_cases,
};

kunit_test_suite(file_use_suite);
