// SPDX-License-Identifier: GPL-2.0-only
/* procshare - unit tests of the buffers of calls, and of their pieces */

#include <kunit/test.h>
#include <linux/poll.h>
#include <linux/ptrace.h>
#include <linux/string.h>
#include <asm/ioctls.h>
#include <asm/unistd.h>
#include <uapi/linux/futex.h>

#include "carried.h"
#include "wire.h"

/* Anywhere. */
#define BUFFER	0x10000

static void expect_buffers(struct kunit *test, const struct pt_regs *regs, long nr,
			   unsigned int n, const u32 *sizes)
{
	struct carried c;
	unsigned int i;

	call_carries(regs, nr, &c);
	KUNIT_ASSERT_EQ_MSG(test, c.n, n, "call %ld", nr);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ_MSG(test, c.buffers[i].size, sizes[i], "call %ld", nr);
}

static void expect_none(struct kunit *test, const struct pt_regs *regs, long nr)
{
	expect_buffers(test, regs, nr, 0, NULL);
}

static void test_lengths(struct kunit *test)
{
	struct pt_regs regs = { .si = BUFFER, .dx = 100 };

	expect_buffers(test, &regs, __NR_read, 1, (u32[]){ 100 });
	regs.dx = CARRIED_MAX;
	expect_buffers(test, &regs, __NR_write, 1, (u32[]){ CARRIED_MAX });
	regs.dx = CARRIED_MAX + 1;
	expect_none(test, &regs, __NR_write);
	regs.dx = -1;
	expect_none(test, &regs, __NR_read);
	regs.dx = 0;
	expect_none(test, &regs, __NR_read);
	/* Too much together. */
	regs = (struct pt_regs){ .si = BUFFER, .dx = CARRIED_MAX, .r8 = BUFFER, .r9 = 16 };
	expect_none(test, &regs, __NR_sendto);
}

static void test_parts(struct kunit *test)
{
	struct pt_regs regs = { .si = BUFFER, .dx = 1000000 };

	expect_buffers(test, &regs, __NR_epoll_wait, 1, (u32[]){ 16380 });
	regs.dx = 2;
	expect_buffers(test, &regs, __NR_epoll_wait, 1, (u32[]){ 24 });
	/* The kernel is to refuse it. */
	regs.dx = (unsigned int)-1;
	expect_none(test, &regs, __NR_epoll_wait);
}

static void test_sets(struct kunit *test)
{
	struct pt_regs regs = { .di = 65, .si = BUFFER, .r10 = 2 * BUFFER };

	expect_buffers(test, &regs, __NR_select, 2, (u32[]){ 16, 16 });
	/* One set, two answers. */
	regs.r10 = regs.si;
	expect_none(test, &regs, __NR_select);
	regs.r9 = BUFFER;
	expect_none(test, &regs, __NR_pselect6);
	regs = (struct pt_regs){ .di = BUFFER, .si = 256 };
	expect_buffers(test, &regs, __NR_poll, 1, (u32[]){ 2048 });
	regs.si = 257;
	expect_none(test, &regs, __NR_poll);
}

static void test_meaning_of_arguments(struct kunit *test)
{
	struct pt_regs regs = { .si = FUTEX_WAIT_PRIVATE, .r10 = BUFFER };

	expect_buffers(test, &regs, __NR_futex, 1, (u32[]){ 16 });
	regs.si = FUTEX_REQUEUE;
	expect_none(test, &regs, __NR_futex);
	regs = (struct pt_regs){ .si = FIONREAD, .dx = BUFFER };
	expect_buffers(test, &regs, __NR_ioctl, 1, (u32[]){ 4 });
	regs.si = FIOCLEX;
	expect_none(test, &regs, __NR_ioctl);
	/* An address without a length. */
	regs = (struct pt_regs){ .si = BUFFER };
	expect_none(test, &regs, __NR_accept);
	regs.dx = BUFFER + 16;
	expect_buffers(test, &regs, __NR_accept, 2, (u32[]){ 128, 4 });
	/* A length that is its own address, places that share some bytes. */
	regs.dx = BUFFER;
	expect_none(test, &regs, __NR_accept);
	regs = (struct pt_regs){ .si = BUFFER, .r10 = BUFFER + 4 };
	expect_none(test, &regs, __NR_splice);
	/* The last of three would fail, behind the others. */
	regs = (struct pt_regs){ .di = BUFFER, .si = BUFFER + 4 };
	expect_none(test, &regs, __NR_getresuid);
	expect_none(test, &regs, -1);
	expect_none(test, &regs, 100000);
}

/* What @old and @now differ in, put into @old, makes it @now; returns how many pieces. */
static unsigned int expect_changes(struct kunit *test, u8 *old, const u8 *now, size_t n)
{
	size_t room = carried_changes_room(n), used, at = 0;
	const struct procshare_wire_piece *piece;
	unsigned int pieces = 0;
	u8 *data;

	data = kunit_kzalloc(test, room, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, data);
	used = carried_changes(data, 3, old, now, n);
	KUNIT_ASSERT_LE(test, used, room);
	while (at < used) {
		piece = carried_next(data, used, &at);
		KUNIT_ASSERT_NOT_NULL(test, piece);
		KUNIT_EXPECT_EQ(test, le16_to_cpu(piece->buffer), 3);
		memcpy(old + le16_to_cpu(piece->offset), piece + 1,
		       le32_to_cpu(piece->length));
		pieces++;
	}
	KUNIT_EXPECT_MEMEQ(test, old, now, n);
	return pieces;
}

static void test_changes(struct kunit *test)
{
	u8 old[64] = { }, now[64] = { };
	int i;

	KUNIT_EXPECT_EQ(test, expect_changes(test, old, now, 64), 0);
	now[63] = 1;
	KUNIT_EXPECT_EQ(test, expect_changes(test, old, now, 64), 1);
	now[0] = 1;
	now[5] = 1;
	now[10] = 1;
	now[14] = 1;
	KUNIT_EXPECT_EQ(test, expect_changes(test, old, now, 64), 3);
	/* The most that there can be. */
	for (i = 0; i < 64; i += 5)
		now[i] ^= 2;
	KUNIT_EXPECT_EQ(test, expect_changes(test, old, now, 64), 13);
	memset(now, 7, sizeof(now));
	KUNIT_EXPECT_EQ(test, expect_changes(test, old, now, 64), 1);
}

static void test_bad_pieces(struct kunit *test)
{
	struct carried c = { .n = 2, .buffers = {
		{ .size = 16, .flags = CARRIED_SENT }, { .size = 16, .flags = CARRIED_FILLED },
	} };
	u8 data[32] __aligned(8) = { };
	struct procshare_wire_piece *piece = (void *)data;

	carried_piece(data, 1, 0, 16);
	KUNIT_EXPECT_TRUE(test, carried_are_pieces(&c, CARRIED_BACK, data, 24));
	KUNIT_EXPECT_TRUE(test, carried_are_pieces(&c, CARRIED_BACK, data, 0));
	KUNIT_EXPECT_FALSE(test, carried_are_pieces(&c, CARRIED_OUT, data, 24));
	KUNIT_EXPECT_FALSE(test, carried_are_pieces(&c, CARRIED_BACK, data, 23));
	KUNIT_EXPECT_FALSE(test, carried_are_pieces(&c, CARRIED_BACK, data, 25));
	carried_piece(data, 2, 0, 16);
	KUNIT_EXPECT_FALSE(test, carried_are_pieces(&c, CARRIED_BACK, data, 24));
	carried_piece(data, 1, 1, 16);
	KUNIT_EXPECT_FALSE(test, carried_are_pieces(&c, CARRIED_BACK, data, 24));
	carried_piece(data, 1, 0xffff, 16);
	KUNIT_EXPECT_FALSE(test, carried_are_pieces(&c, CARRIED_BACK, data, 24));
	carried_piece(data, 1, 0, 16);
	piece->length = cpu_to_le32(0);
	KUNIT_EXPECT_FALSE(test, carried_are_pieces(&c, CARRIED_BACK, data, 24));
	piece->length = cpu_to_le32(0xffffffff);
	KUNIT_EXPECT_FALSE(test, carried_are_pieces(&c, CARRIED_BACK, data, 24));
}

static struct kunit_case carried_cases[] = {
	KUNIT_CASE(test_lengths),
	KUNIT_CASE(test_parts),
	KUNIT_CASE(test_sets),
	KUNIT_CASE(test_meaning_of_arguments),
	KUNIT_CASE(test_changes),
	KUNIT_CASE(test_bad_pieces),
	{}
};

static struct kunit_suite carried_suite = {
	.name = "procshare_carried",
	.test_cases = carried_cases,
};

kunit_test_suite(carried_suite);

MODULE_DESCRIPTION("unit tests of procshare's carried memory");
MODULE_LICENSE("GPL");
