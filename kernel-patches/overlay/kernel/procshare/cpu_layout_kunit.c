// SPDX-License-Identifier: GPL-2.0-only
/* procshare - unit tests of the numbering of CPUs */

#include <kunit/test.h>

#include "cpu_layout.h"

static const struct node_cpus two = { .count = 2, .online = { 0x3 } };
/* Room for four, the second and the last are there. */
static const struct node_cpus gaps = { .count = 4, .online = { 0xa } };

static void test_numbers_node_by_node(struct kunit *test)
{
	struct cpu_layout layout = { };
	DECLARE_BITMAP(mask, PROCSHARE_CPUS);

	KUNIT_ASSERT_TRUE(test, cpu_layout_add(&layout, 5, &two));
	KUNIT_ASSERT_TRUE(test, cpu_layout_add(&layout, 0, &gaps));
	KUNIT_ASSERT_TRUE(test, cpu_layout_add(&layout, 63, &two));
	KUNIT_EXPECT_EQ(test, layout.total, 8);
	KUNIT_EXPECT_EQ(test, layout.base[5], 0);
	KUNIT_EXPECT_EQ(test, layout.base[0], 2);
	KUNIT_EXPECT_EQ(test, layout.base[63], 6);
	cpu_layout_mask(&layout, ~0ULL, mask);
	KUNIT_EXPECT_EQ(test, mask[0], 0xebUL);
	cpu_layout_mask(&layout, coh_bit(0) | coh_bit(7), mask);
	KUNIT_EXPECT_EQ(test, mask[0], 0x28UL);
}

static void test_whose_cpus(struct kunit *test)
{
	struct cpu_layout layout = { };
	DECLARE_BITMAP(mask, PROCSHARE_CPUS) = { 0x28 };
	DECLARE_BITMAP(part, PROCSHARE_WIRE_CPUS);

	cpu_layout_add(&layout, 5, &two);
	cpu_layout_add(&layout, 0, &gaps);
	KUNIT_EXPECT_EQ(test, cpu_layout_nodes(&layout, mask), coh_bit(0));
	cpu_layout_part(&layout, 0, mask, part);
	KUNIT_EXPECT_EQ(test, part[0], 0xaUL);
	cpu_layout_part(&layout, 5, mask, part);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(part, PROCSHARE_WIRE_CPUS));
	cpu_layout_part(&layout, 9, mask, part);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(part, PROCSHARE_WIRE_CPUS));
}

static void test_too_many(struct kunit *test)
{
	struct node_cpus cpus = { .count = PROCSHARE_WIRE_CPUS };
	struct cpu_layout *layout = kunit_kzalloc(test, sizeof(*layout), GFP_KERNEL);
	unsigned int node;

	KUNIT_ASSERT_NOT_NULL(test, layout);
	for (node = 0; node < PROCSHARE_CPUS / PROCSHARE_WIRE_CPUS; node++)
		KUNIT_EXPECT_TRUE(test, cpu_layout_add(layout, node, &cpus));
	KUNIT_EXPECT_FALSE(test, cpu_layout_add(layout, node, &two));
	KUNIT_EXPECT_EQ(test, layout->count[node], 0);
	memset(layout, 0, sizeof(*layout));
	cpus.count++;
	KUNIT_EXPECT_FALSE(test, cpu_layout_add(layout, 0, &cpus));
	cpus.count = 0;
	KUNIT_EXPECT_FALSE(test, cpu_layout_add(layout, 0, &cpus));
	KUNIT_EXPECT_EQ(test, layout->total, 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(test_numbers_node_by_node),
	KUNIT_CASE(test_whose_cpus),
	KUNIT_CASE(test_too_many),
	{ }
};

static struct kunit_suite suite = {
	.name = "procshare_cpu_layout",
	.test_cases = cases,
};

kunit_test_suite(suite);
