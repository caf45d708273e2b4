// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - unit tests: XSAVE images and pairs, on synthetic images
 *
 * The layouts are those of real CPUs, whatever CPU the tests run on.
 */
#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/prandom.h>
#include <linux/string.h>

#include "xstate.h"

#define GUARD		64	/* bytes behind a buffer that must stay */
#define GUARD_BYTE	0xa5
#define YMM		2
#define BNDREGS		3
#define OPMASK		5
#define ZMM_HI256	6
#define HI16_ZMM	7
#define LEGACY_PAIRS	(8 + 160 + 8 + 256)

/* Sapphire Rapids: room for MPX although it has none, AMX behind PKRU */
static const struct procshare_xstate_layout intel = {
	.components = 0x202e7, .size = 2816,
	.at = { { 0, 160 }, { 160, 256 }, [YMM] = { 576, 256 },
		[OPMASK] = { 1088, 64 }, [ZMM_HI256] = { 1152, 512 },
		[HI16_ZMM] = { 1664, 1024 },
		[PROCSHARE_XSTATE_PKRU] = { 2688, 8 }, [17] = { 2752, 64 } },
};

/* Zen 4 */
static const struct procshare_xstate_layout amd = {
	.components = 0x2e7, .size = 2440,
	.at = { { 0, 160 }, { 160, 256 }, [YMM] = { 576, 256 },
		[OPMASK] = { 832, 64 }, [ZMM_HI256] = { 896, 512 },
		[HI16_ZMM] = { 1408, 1024 },
		[PROCSHARE_XSTATE_PKRU] = { 2432, 8 } },
};

/* Skylake client: MPX, no AVX-512 */
static const struct procshare_xstate_layout client = {
	.components = 0x21f, .size = 2696,
	.at = { { 0, 160 }, { 160, 256 }, [YMM] = { 576, 256 },
		[BNDREGS] = { 960, 64 }, [4] = { 1024, 64 },
		[PROCSHARE_XSTATE_PKRU] = { 2688, 8 } },
};

static const struct procshare_xstate_layout *const layouts[] = {
	&intel, &amd, &client,
};

static u8 *alloc_guarded(struct kunit *test, size_t size)
{
	u8 *p = kunit_kmalloc(test, size + GUARD, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, GUARD_BYTE, size + GUARD);
	return p;
}

static bool guard_intact(const u8 *p, size_t size)
{
	return !memchr_inv(p + size, GUARD_BYTE, GUARD);
}

/* An image with @in_use set to bytes that depend on component and position */
static u8 *make_image(struct kunit *test,
		      const struct procshare_xstate_layout *l, u64 in_use)
{
	u8 *image = alloc_guarded(test, l->size);
	u32 n, i;

	memset(image, 0, l->size);
	for (n = 0; n < PROCSHARE_XSTATE_COMPONENTS; n++)
		if (in_use & BIT_ULL(n))
			for (i = 0; i < l->at[n].size; i++)
				image[l->at[n].offset + i] = 1 + n * 7 + i * 3;
	memcpy(image + PROCSHARE_XSTATE_HEADER, &in_use, sizeof(in_use));
	return image;
}

static ssize_t encode(struct kunit *test,
		      const struct procshare_xstate_layout *l, u64 in_use,
		      u8 **buf)
{
	*buf = alloc_guarded(test, procshare_xstate_bound(l));
	return procshare_xstate_encode(l, make_image(test, l, in_use), *buf,
				       procshare_xstate_bound(l));
}

static int decode(struct kunit *test, const struct procshare_xstate_layout *l,
		  const void *buf, size_t length, u8 **image)
{
	int err;

	*image = alloc_guarded(test, l->size);
	err = procshare_xstate_decode(l, buf, length, *image);
	KUNIT_EXPECT_TRUE(test, guard_intact(*image, l->size));
	return err;
}

/* Send @in_use from @from to @to, and compare with an image made there. */
static void travel(struct kunit *test,
		   const struct procshare_xstate_layout *from,
		   const struct procshare_xstate_layout *to, u64 in_use)
{
	u8 *buf, *image;
	ssize_t length = encode(test, from, in_use, &buf);

	KUNIT_ASSERT_GT(test, length, 0);
	KUNIT_EXPECT_TRUE(test, guard_intact(buf, procshare_xstate_bound(from)));
	KUNIT_ASSERT_EQ(test, 0, decode(test, to, buf, length, &image));
	KUNIT_EXPECT_MEMEQ(test, image, make_image(test, to, in_use), to->size);
}

static void every_component_survives(struct kunit *test)
{
	u32 from, to, n;

	for (from = 0; from < ARRAY_SIZE(layouts); from++) {
		for (to = 0; to < ARRAY_SIZE(layouts); to++) {
			u64 common = layouts[from]->components &
				     layouts[to]->components &
				     PROCSHARE_XSTATE_MOVABLE;

			travel(test, layouts[from], layouts[to], common);
			for (n = 0; n < PROCSHARE_XSTATE_COMPONENTS; n++)
				if (common & BIT_ULL(n))
					travel(test, layouts[from], layouts[to],
					       3 | BIT_ULL(n));
		}
	}
}

static void initial_state_stays_behind(struct kunit *test)
{
	u64 all = 0x2e7;
	u8 *buf = alloc_guarded(test, 4096);
	u8 *image = make_image(test, &amd, 0);

	/* nothing in use: only what has a non-zero initial state */
	KUNIT_EXPECT_EQ(test, LEGACY_PAIRS,
			procshare_xstate_encode(&amd, image, buf, 4096));
	/* all in use, all zero: PKRU too, where 0 means something */
	memcpy(image + PROCSHARE_XSTATE_HEADER, &all, sizeof(all));
	KUNIT_EXPECT_EQ(test, LEGACY_PAIRS + 16,
			procshare_xstate_encode(&amd, image, buf, 4096));
}

static void unmovable_state_is_refused(struct kunit *test)
{
	u64 mpx = 3 | BIT_ULL(BNDREGS);
	u8 *buf, *image;

	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, encode(test, &client, mpx, &buf));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			encode(test, &intel, 3 | BIT_ULL(17), &buf));
	/* in use, but not even known */
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			encode(test, &intel, 3 | BIT_ULL(18), &buf));
	/* called in use, but holding nothing */
	image = make_image(test, &client, 3);
	memcpy(image + PROCSHARE_XSTATE_HEADER, &mpx, sizeof(mpx));
	KUNIT_EXPECT_EQ(test, LEGACY_PAIRS,
			procshare_xstate_encode(&client, image, buf,
						procshare_xstate_bound(&client)));
}

static void small_buffers_are_respected(struct kunit *test)
{
	u8 *image = make_image(test, &amd, 0x2e7);
	size_t need = procshare_xstate_bound(&amd);
	size_t size;

	for (size = 0; size < need; size++) {
		u8 *buf = kmalloc(size + GUARD, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, buf);
		memset(buf, GUARD_BYTE, size + GUARD);
		KUNIT_EXPECT_EQ(test, -ENOSPC,
				procshare_xstate_encode(&amd, image, buf, size));
		KUNIT_EXPECT_TRUE(test, guard_intact(buf, size));
		kfree(buf);
	}
}

static void unknown_components_are_refused(struct kunit *test)
{
	static const u32 bad[] = { 3, 4, 8, 10, 11, 12, 17, 18, 19, 20, 31, 32,
				   63, 64, 65, 1u << 31, ~0u };
	u8 *buf, *image;
	ssize_t length = encode(test, &amd, 3 | BIT_ULL(YMM), &buf);
	u32 n;

	for (n = 0; n < ARRAY_SIZE(bad); n++) {
		__le32 component = cpu_to_le32(bad[n]);

		memcpy(buf + LEGACY_PAIRS, &component, sizeof(component));
		KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
				decode(test, &amd, buf, length, &image));
	}
	/* on the CPU, but not for the wire */
	length = encode(test, &client, 3, &buf);
	((__le32 *)(buf + length))[0] = cpu_to_le32(BNDREGS);
	((__le32 *)(buf + length))[1] = cpu_to_le32(64);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			decode(test, &client, buf, length + 72, &image));
	/* for the wire, but not on the CPU */
	length = encode(test, &amd, 3 | BIT_ULL(HI16_ZMM), &buf);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			decode(test, &client, buf, length, &image));
}

static void lengths_must_be_exact(struct kunit *test)
{
	static const u32 bad[] = { 0, 1, 8, 255, 257, 264, 512, 1u << 31, ~7u, ~0u };
	u8 *buf, *image;
	ssize_t length = encode(test, &amd, 3 | BIT_ULL(YMM), &buf);
	u32 n;

	for (n = 0; n < ARRAY_SIZE(bad); n++) {
		__le32 size = cpu_to_le32(bad[n]);

		memcpy(buf + LEGACY_PAIRS + 4, &size, sizeof(size));
		KUNIT_EXPECT_EQ(test, -EINVAL,
				decode(test, &amd, buf, length, &image));
	}
}

static void truncated_pairs_are_refused(struct kunit *test)
{
	u8 *buf, *image = alloc_guarded(test, amd.size);
	ssize_t length = encode(test, &amd, 3 | BIT_ULL(YMM), &buf);
	ssize_t n;

	for (n = 0; n <= length; n++) {
		u8 *copy = kmemdup(buf, n, GFP_KERNEL);	/* KASAN watches its end */
		int want = n == LEGACY_PAIRS || n == length ? 0 : -EINVAL;

		KUNIT_ASSERT_NOT_NULL(test, copy);
		KUNIT_EXPECT_EQ(test, want,
				procshare_xstate_decode(&amd, copy, n, image));
		kfree(copy);
	}
}

static void duplicates_and_gaps_are_refused(struct kunit *test)
{
	u8 *buf, *image, *twice = alloc_guarded(test, 2 * LEGACY_PAIRS);
	ssize_t length = encode(test, &amd, 3, &buf);

	KUNIT_ASSERT_EQ(test, LEGACY_PAIRS, length);
	memcpy(twice, buf, length);
	memcpy(twice + length, buf, length);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			decode(test, &amd, twice, 2 * length, &image));
	/* SSE twice, no FP; then FP alone, SSE alone, nothing */
	memcpy(twice, buf + 168, 264);
	memcpy(twice + 264, buf + 168, 264);
	KUNIT_EXPECT_EQ(test, -EINVAL, decode(test, &amd, twice, 528, &image));
	KUNIT_EXPECT_EQ(test, -EINVAL, decode(test, &amd, twice, 264, &image));
	KUNIT_EXPECT_EQ(test, -EINVAL, decode(test, &amd, buf, 168, &image));
	KUNIT_EXPECT_EQ(test, -EINVAL, decode(test, &amd, buf, 0, &image));
}

/* Whatever comes, only the image is written, and what is accepted is sound. */
static void judge_garbage(struct kunit *test, const void *buf, size_t length,
			  u8 *image)
{
	int err = procshare_xstate_decode(&intel, buf, length, image);
	u64 in_use;

	KUNIT_EXPECT_TRUE(test, guard_intact(image, intel.size));
	if (err)
		return;
	memcpy(&in_use, image + PROCSHARE_XSTATE_HEADER, sizeof(in_use));
	KUNIT_EXPECT_EQ(test, 3, in_use & 3);
	KUNIT_EXPECT_EQ(test, 0, in_use & ~PROCSHARE_XSTATE_MOVABLE);
	KUNIT_EXPECT_NULL(test, memchr_inv(image + PROCSHARE_XSTATE_HEADER + 8,
					   0, 56));
}

static void garbage_does_no_harm(struct kunit *test)
{
	u8 *good, *image = alloc_guarded(test, intel.size);
	ssize_t length = encode(test, &intel, 0x2e7, &good);
	struct rnd_state random;
	u32 round, n;

	prandom_seed_state(&random, 0x70726f63);
	for (round = 0; round < 20000; round++) {
		size_t size = prandom_u32_state(&random) % (length + 1);
		u8 *buf = kmemdup(good, size, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, buf);
		if (round % 4 == 0)	/* all random, else a few bytes */
			prandom_bytes_state(&random, buf, size);
		for (n = 0; size && n < round % 4; n++)
			buf[prandom_u32_state(&random) % size] =
				prandom_u32_state(&random);
		if (round % 3 == 0 && size > LEGACY_PAIRS)
			buf[LEGACY_PAIRS] = prandom_u32_state(&random) % 32;
		judge_garbage(test, buf, size, image);
		kfree(buf);
	}
}

static struct kunit_case xstate_cases[] = {
	KUNIT_CASE(every_component_survives),
	KUNIT_CASE(initial_state_stays_behind),
	KUNIT_CASE(unmovable_state_is_refused),
	KUNIT_CASE(small_buffers_are_respected),
	KUNIT_CASE(unknown_components_are_refused),
	KUNIT_CASE(lengths_must_be_exact),
	KUNIT_CASE(truncated_pairs_are_refused),
	KUNIT_CASE(duplicates_and_gaps_are_refused),
	KUNIT_CASE(garbage_does_no_harm),
	{}
};

static struct kunit_suite xstate_suite = {
	.name = "procshare-xstate",
	.test_cases = xstate_cases,
};

kunit_test_suite(xstate_suite);
