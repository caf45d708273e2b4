// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - unit tests of messages and queues
 *
 * The queue is tested on a link whose transport writes into memory, takes as
 * many bytes at a time as the test says, and has room when the test says.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "cluster.h"
#include "link.h"

#define NODE		(PROCSHARE_MAX_NODES - 1)
#define WRITTEN_MAX	SZ_1M

/**
 * struct pipe - the endpoint of the link under test
 * @room: bytes that are taken before the pipe is full; -1 for any number
 * @piece: bytes that are taken at once
 * @broken: sends fail
 * @written: bytes in @bytes
 * @bytes: what the link has sent
 */
struct pipe {
	ssize_t room;
	size_t piece;
	bool broken;
	size_t written;
	u8 *bytes;
};

static int send_pipe(struct procshare_link *link, struct iov_iter *from, bool wait)
{
	struct pipe *pipe = link->endpoint;
	ssize_t room = READ_ONCE(pipe->room);
	size_t n = min(iov_iter_count(from), pipe->piece);

	if (READ_ONCE(pipe->broken))
		return -EPIPE;
	if (room >= 0)
		n = min_t(size_t, n, room);
	if (!n) {
		if (wait)
			msleep(20);
		return -EAGAIN;
	}
	if (pipe->written + n > WRITTEN_MAX)
		return -EIO;
	if (copy_from_iter(pipe->bytes + pipe->written, n, from) != n)
		return -EFAULT;
	if (room >= 0)
		WRITE_ONCE(pipe->room, room - n);
	/* The bytes before their number, for becomes(). */
	smp_store_release(&pipe->written, pipe->written + n);
	return 0;
}

static void shutdown_pipe(struct procshare_link *link)
{
	struct pipe *pipe = link->endpoint;

	WRITE_ONCE(pipe->broken, true);
}

static void release_pipe(struct procshare_link *link)
{
	struct pipe *pipe = link->endpoint;

	vfree(pipe->bytes);
	kfree(pipe);
}

static const struct procshare_transport pipes = {
	.name = "pipe",
	.send = send_pipe,
	.shutdown = shutdown_pipe,
	.release = release_pipe,
};

static struct procshare_link *make_link(struct kunit *test, struct pipe **pipe)
{
	struct procshare_link *link = procshare_link_alloc(&pipes);

	KUNIT_ASSERT_NOT_NULL(test, link);
	*pipe = kzalloc(sizeof(**pipe), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, *pipe);
	(*pipe)->bytes = vmalloc(WRITTEN_MAX);
	KUNIT_ASSERT_NOT_NULL(test, (*pipe)->bytes);
	(*pipe)->room = -1;
	(*pipe)->piece = SIZE_MAX;
	link->endpoint = *pipe;
	link->node = NODE;
	procshare_link_publish(link);
	return link;
}

static void drop_link(struct procshare_link *link)
{
	procshare_link_stop(link, "test is over");
	procshare_link_unpublish(link);
	procshare_link_put(link);
}

static bool queue_number(u32 number, size_t length, bool page)
{
	struct procshare_msg *msg = procshare_msg_alloc(PROCSHARE_WIRE_CALL, length,
							GFP_KERNEL);

	if (!msg)
		return false;
	memset(msg->body, number, length);
	msg->thread = number;
	if (page) {
		msg->page = alloc_page(GFP_KERNEL);
		if (msg->page)
			memset(page_address(msg->page), ~number, PAGE_SIZE);
	}
	procshare_queue(NODE, msg);
	return true;
}

static size_t length_of(u32 number)
{
	return number % 7 * 100;
}

static bool page_of(u32 number)
{
	return number % 5 == 0;
}

/* The bytes are the first @last messages, whole and in order. */
static void expect_numbers(struct kunit *test, const struct pipe *pipe, u32 last)
{
	const struct procshare_wire_header *header;
	const u8 *at = pipe->bytes;
	u32 i;

	for (i = 0; i < last; i++) {
		header = (const void *)at;
		KUNIT_ASSERT_EQ(test, le32_to_cpu(header->thread), i);
		KUNIT_ASSERT_EQ(test, le32_to_cpu(header->sequence), i);
		KUNIT_ASSERT_EQ(test, le32_to_cpu(header->length), length_of(i));
		KUNIT_ASSERT_EQ(test, header->flags, page_of(i) ? PROCSHARE_WIRE_PAGE : 0);
		at += sizeof(*header);
		KUNIT_ASSERT_NULL(test, memchr_inv(at, i, length_of(i)));
		at += length_of(i);
		if (page_of(i)) {
			KUNIT_ASSERT_NULL(test, memchr_inv(at, ~i, PAGE_SIZE));
			at += PAGE_SIZE;
		}
	}
	KUNIT_EXPECT_EQ(test, at - pipe->bytes, pipe->written);
}

/* Workers finish in their own time. */
static bool becomes(const size_t *value, size_t expected)
{
	unsigned int i;

	for (i = 0; i < 150; i++) {
		/* Pairs with send_pipe(). */
		if (smp_load_acquire(value) == expected)
			return true;
		msleep(20);
	}
	return false;
}

static bool no_messages_but(int expected)
{
	unsigned int i;

	for (i = 0; i < 150 && procshare_messages_live() != expected; i++)
		msleep(20);
	return procshare_messages_live() == expected;
}

static size_t queue_numbers(u32 from, u32 to)
{
	size_t size = 0;

	for (; from < to; from++) {
		if (!queue_number(from, length_of(from), page_of(from)))
			return 0;
		size += sizeof(struct procshare_wire_header) + length_of(from) +
			(page_of(from) ? PAGE_SIZE : 0);
	}
	return size;
}

static void msg_alloc__sizes(struct kunit *test)
{
	static const size_t sizes[] = { 0, 1, 320, 321, PROCSHARE_WIRE_BODY_MAX };
	int before = procshare_messages_live();
	struct procshare_msg *msg;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		msg = procshare_msg_alloc(PROCSHARE_WIRE_CALL, sizes[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, msg);
		KUNIT_EXPECT_EQ(test, msg->length, sizes[i]);
		KUNIT_EXPECT_EQ(test, msg->type, PROCSHARE_WIRE_CALL);
		KUNIT_EXPECT_NULL(test, msg->page);
		KUNIT_EXPECT_EQ(test, procshare_messages_live(), before + 1);
		memset(msg->body, 0xaa, sizes[i]);
		procshare_msg_free(msg);
		KUNIT_EXPECT_EQ(test, procshare_messages_live(), before);
	}
}

static void msg_alloc__too_long(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, procshare_msg_alloc(PROCSHARE_WIRE_CALL,
						    PROCSHARE_WIRE_BODY_MAX + 1, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, procshare_msg_alloc(PROCSHARE_WIRE_CALL, SIZE_MAX, GFP_KERNEL));
}

static void msg_free__drops_page(struct kunit *test)
{
	struct procshare_msg *msg = procshare_msg_alloc(PROCSHARE_WIRE_CALL, 8, GFP_KERNEL);
	struct page *page = alloc_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, msg);
	KUNIT_ASSERT_NOT_NULL(test, page);
	get_page(page);
	msg->page = page;
	procshare_msg_free(msg);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 1);
	put_page(page);
	procshare_msg_free(NULL);
}

static void queue__no_link(struct kunit *test)
{
	int before = procshare_messages_live();

	KUNIT_EXPECT_TRUE(test, queue_number(1, 10, true));
	procshare_push();
	procshare_kick();
	KUNIT_EXPECT_EQ(test, procshare_messages_live(), before);
}

static void push__keeps_order(struct kunit *test)
{
	int before = procshare_messages_live();
	struct pipe *pipe;
	struct procshare_link *link = make_link(test, &pipe);
	size_t size = queue_numbers(0, 30);

	KUNIT_EXPECT_EQ(test, pipe->written, 0);
	procshare_push();
	KUNIT_EXPECT_EQ(test, pipe->written, size);
	expect_numbers(test, pipe, 30);
	KUNIT_EXPECT_EQ(test, procshare_messages_live(), before);
	drop_link(link);
}

static void push__continues_pieces(struct kunit *test)
{
	struct pipe *pipe;
	struct procshare_link *link = make_link(test, &pipe);
	size_t size = queue_numbers(0, 30);

	pipe->piece = 17;
	procshare_push();
	KUNIT_EXPECT_EQ(test, pipe->written, size);
	expect_numbers(test, pipe, 30);
	drop_link(link);
}

static void push__hands_over(struct kunit *test)
{
	struct pipe *pipe;
	struct procshare_link *link = make_link(test, &pipe);
	size_t size;

	pipe->room = 5000;
	size = queue_numbers(0, 20);
	procshare_push();
	KUNIT_EXPECT_EQ(test, pipe->written, 5000);
	size += queue_numbers(20, 40);
	procshare_push();
	KUNIT_EXPECT_EQ(test, pipe->written, 5000);
	WRITE_ONCE(pipe->room, -1);
	KUNIT_EXPECT_TRUE(test, becomes(&pipe->written, size));
	expect_numbers(test, pipe, 40);
	drop_link(link);
}

static void push__leaves_long_queues_to_the_worker(struct kunit *test)
{
	struct pipe *pipe;
	struct procshare_link *link = make_link(test, &pipe);
	size_t size = queue_numbers(0, 200);

	procshare_push();
	KUNIT_EXPECT_TRUE(test, becomes(&pipe->written, size));
	expect_numbers(test, pipe, 200);
	drop_link(link);
}

static void kick__writes(struct kunit *test)
{
	struct pipe *pipe;
	struct procshare_link *link = make_link(test, &pipe);
	size_t size = queue_numbers(0, 10);

	procshare_kick();
	KUNIT_EXPECT_TRUE(test, becomes(&pipe->written, size));
	expect_numbers(test, pipe, 10);
	drop_link(link);
}

static void unpublish__frees_what_waits(struct kunit *test)
{
	int before = procshare_messages_live();
	struct pipe *pipe;
	struct procshare_link *link = make_link(test, &pipe);

	pipe->room = 100;
	queue_numbers(0, 20);
	procshare_push();
	queue_numbers(20, 40);
	KUNIT_EXPECT_GT(test, procshare_messages_live(), before);
	drop_link(link);
	KUNIT_EXPECT_TRUE(test, no_messages_but(before));
	/* The next link to the node starts afresh. */
	link = make_link(test, &pipe);
	procshare_push();
	KUNIT_EXPECT_EQ(test, pipe->written, 0);
	queue_numbers(0, 3);
	procshare_push();
	expect_numbers(test, pipe, 3);
	drop_link(link);
}

static void unpublish__leaves_the_next_link_alone(struct kunit *test)
{
	struct pipe *pipe;
	struct procshare_link *link = make_link(test, &pipe);
	size_t size;

	/* The worker of the first link gives up while the second one waits. */
	pipe->room = 100;
	queue_numbers(0, 20);
	procshare_push();
	drop_link(link);
	link = make_link(test, &pipe);
	size = queue_numbers(0, 3);
	msleep(100);
	procshare_push();
	KUNIT_EXPECT_EQ(test, pipe->written, size);
	expect_numbers(test, pipe, 3);
	drop_link(link);
}

static void push__broken_link(struct kunit *test)
{
	int before = procshare_messages_live();
	struct pipe *pipe;
	struct procshare_link *link = make_link(test, &pipe);

	pipe->broken = true;
	queue_numbers(0, 20);
	procshare_push();
	KUNIT_EXPECT_EQ(test, procshare_messages_live(), before);
	queue_numbers(0, 20);
	KUNIT_EXPECT_EQ(test, procshare_messages_live(), before);
	drop_link(link);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(msg_alloc__sizes),
	KUNIT_CASE(msg_alloc__too_long),
	KUNIT_CASE(msg_free__drops_page),
	KUNIT_CASE(queue__no_link),
	KUNIT_CASE(push__keeps_order),
	KUNIT_CASE(push__continues_pieces),
	KUNIT_CASE(push__hands_over),
	KUNIT_CASE(push__leaves_long_queues_to_the_worker),
	KUNIT_CASE(kick__writes),
	KUNIT_CASE(unpublish__frees_what_waits),
	KUNIT_CASE(unpublish__leaves_the_next_link_alone),
	KUNIT_CASE(push__broken_link),
	{}
};

static struct kunit_suite suite = {
	.name = "procshare_transport",
	.test_cases = cases,
};

kunit_test_suite(suite);
