// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - unit tests of headers and HELLO
 */
#include <crypto/hash.h>
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "cluster.h"
#include "link.h"

static void make_header(struct procshare_wire_header *header)
{
	const struct procshare_msg msg = {
		.type = PROCSHARE_WIRE_COHERENCE,
		.length = sizeof(struct procshare_wire_coherence),
		.process = 0x300000001,
		.thread = 7,
	};

	procshare_header_make(header, &msg, 3, 41);
}

static void header_check__accepts(struct kunit *test)
{
	struct procshare_wire_header header;

	make_header(&header);
	KUNIT_EXPECT_NULL(test, procshare_header_check(&header, 3, 41));
	header.flags = PROCSHARE_WIRE_PAGE;
	header.length = cpu_to_le32(PROCSHARE_WIRE_BODY_MAX);
	KUNIT_EXPECT_NULL(test, procshare_header_check(&header, 3, 41));
	header.type = PROCSHARE_WIRE_ECHO_REPLY;
	KUNIT_EXPECT_NULL(test, procshare_header_check(&header, 3, 41));
}

static void header_check__refuses(struct kunit *test)
{
	static const u8 types[] = {
		0, PROCSHARE_WIRE_HELLO, PROCSHARE_WIRE_PROOF, PROCSHARE_WIRE_ECHO_REPLY + 1,
		PROCSHARE_WIRE_START - 1, PROCSHARE_WIRE_TYPES, 0xff,
	};
	struct procshare_wire_header header;
	unsigned int i;

	make_header(&header);
	KUNIT_EXPECT_NOT_NULL(test, procshare_header_check(&header, 4, 41));
	KUNIT_EXPECT_NOT_NULL(test, procshare_header_check(&header, 3, 42));
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		header.type = types[i];
		KUNIT_EXPECT_NOT_NULL(test, procshare_header_check(&header, 3, 41));
	}
	make_header(&header);
	header.length = cpu_to_le32(PROCSHARE_WIRE_BODY_MAX + 1);
	KUNIT_EXPECT_NOT_NULL(test, procshare_header_check(&header, 3, 41));
	make_header(&header);
	header.flags = 0x80;
	KUNIT_EXPECT_NOT_NULL(test, procshare_header_check(&header, 3, 41));
	header.flags = PROCSHARE_WIRE_PAGE;
	header.type = PROCSHARE_WIRE_PING;
	KUNIT_EXPECT_NOT_NULL(test, procshare_header_check(&header, 3, 41));
}

static void hello_check__accepts(struct kunit *test)
{
	struct procshare_wire_hello low, high;

	procshare_hello_make(&low, 0, false);
	procshare_hello_make(&high, 63, true);
	KUNIT_EXPECT_EQ(test, procshare_hello_check(&low, &high, sizeof(high)),
			PROCSHARE_REFUSE_NOT);
	KUNIT_EXPECT_EQ(test, procshare_hello_check(&high, &low, sizeof(low)),
			PROCSHARE_REFUSE_NOT);
	/* The xfeatures are compared when a thread wants to move. */
	high.xfeatures = ~high.xfeatures;
	KUNIT_EXPECT_EQ(test, procshare_hello_check(&low, &high, sizeof(high)),
			PROCSHARE_REFUSE_NOT);
}

static void hello_check__refuses(struct kunit *test)
{
	struct procshare_wire_hello mine, good, bad;

	procshare_hello_make(&mine, 1, false);
	procshare_hello_make(&good, 2, true);

#define REFUSES(why, change) do {						\
		bad = good;							\
		change;								\
		KUNIT_EXPECT_EQ(test, why,					\
				procshare_hello_check(&mine, &bad, sizeof(bad)));	\
	} while (0)

	REFUSES(PROCSHARE_REFUSE_MALFORMED, bad.magic ^= cpu_to_le32(1));
	REFUSES(PROCSHARE_REFUSE_VERSION, bad.version = cpu_to_le32(77));
	REFUSES(PROCSHARE_REFUSE_MALFORMED, bad.node = PROCSHARE_MAX_NODES);
	REFUSES(PROCSHARE_REFUSE_MALFORMED, bad.dialer = 2);
	REFUSES(PROCSHARE_REFUSE_MALFORMED, bad.dialer = 0);
	REFUSES(PROCSHARE_REFUSE_PAGE_SIZE, bad.page_size = cpu_to_le32(16384));
	REFUSES(PROCSHARE_REFUSE_KERNEL, bad.build_id[19] ^= 1);
	REFUSES(PROCSHARE_REFUSE_KERNEL, bad.release[0] ^= 1);
	REFUSES(PROCSHARE_REFUSE_SAME_ID, bad.node = 1);
	REFUSES(PROCSHARE_REFUSE_DIRECTION, bad.node = 0);
#undef REFUSES
}

static void hello_check__lengths(struct kunit *test)
{
	struct procshare_wire_hello mine, theirs;
	u8 *body = kunit_kzalloc(test, PROCSHARE_WIRE_HELLO_MAX, GFP_KERNEL);
	size_t length;

	KUNIT_ASSERT_NOT_NULL(test, body);
	procshare_hello_make(&mine, 1, false);
	procshare_hello_make(&theirs, 2, true);
	memcpy(body, &theirs, sizeof(theirs));
	for (length = 0; length <= PROCSHARE_WIRE_HELLO_MAX; length++)
		KUNIT_EXPECT_EQ(test, procshare_hello_check(&mine, body, length),
				length == sizeof(theirs) ? PROCSHARE_REFUSE_NOT :
				PROCSHARE_REFUSE_MALFORMED);
	/* Another version may have another length, and is told so. */
	((struct procshare_wire_hello *)body)->version =
		cpu_to_le32(PROCSHARE_WIRE_VERSION + 1);
	KUNIT_EXPECT_EQ(test, procshare_hello_check(&mine, body, 8), PROCSHARE_REFUSE_VERSION);
	KUNIT_EXPECT_EQ(test, procshare_hello_check(&mine, body, 300), PROCSHARE_REFUSE_VERSION);
}

static void hello_make__fresh_nonces(struct kunit *test)
{
	struct procshare_wire_hello a, b;

	procshare_hello_make(&a, 1, false);
	procshare_hello_make(&b, 1, false);
	KUNIT_EXPECT_MEMNEQ(test, a.nonce, b.nonce, sizeof(a.nonce));
	memcpy(b.nonce, a.nonce, sizeof(a.nonce));
	KUNIT_EXPECT_MEMEQ(test, &a, &b, sizeof(a));
}

static struct crypto_shash *make_hash(struct kunit *test, const char *key)
{
	struct crypto_shash *hash = crypto_alloc_shash("hmac(sha256)", 0, 0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, hash);
	KUNIT_EXPECT_EQ(test, crypto_shash_setkey(hash, (const u8 *)key, strlen(key)), 0);
	return hash;
}

static void hello_mac__depends_on_everything(struct kunit *test)
{
	struct crypto_shash *hash = make_hash(test, "sixteen bytes or more");
	struct crypto_shash *other = make_hash(test, "sixteen bytes or much more");
	u8 mac[PROCSHARE_WIRE_MAC], wrong[PROCSHARE_WIRE_MAC];
	struct procshare_wire_hello low, high;

	procshare_hello_make(&low, 0, false);
	procshare_hello_make(&high, 1, true);
	KUNIT_EXPECT_EQ(test, procshare_hello_mac(hash, true, &high, &low, mac), 0);
	KUNIT_EXPECT_EQ(test, procshare_hello_mac(hash, true, &high, &low, wrong), 0);
	KUNIT_EXPECT_MEMEQ(test, mac, wrong, sizeof(mac));
	KUNIT_EXPECT_EQ(test, procshare_hello_mac(hash, false, &high, &low, wrong), 0);
	KUNIT_EXPECT_MEMNEQ(test, mac, wrong, sizeof(mac));
	KUNIT_EXPECT_EQ(test, procshare_hello_mac(other, true, &high, &low, wrong), 0);
	KUNIT_EXPECT_MEMNEQ(test, mac, wrong, sizeof(mac));
	low.nonce[31] ^= 1;
	KUNIT_EXPECT_EQ(test, procshare_hello_mac(hash, true, &high, &low, wrong), 0);
	KUNIT_EXPECT_MEMNEQ(test, mac, wrong, sizeof(mac));
	low.nonce[31] ^= 1;
	high.node = 2;
	KUNIT_EXPECT_EQ(test, procshare_hello_mac(hash, true, &high, &low, wrong), 0);
	KUNIT_EXPECT_MEMNEQ(test, mac, wrong, sizeof(mac));
	crypto_free_shash(other);
	crypto_free_shash(hash);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(header_check__accepts),
	KUNIT_CASE(header_check__refuses),
	KUNIT_CASE(hello_check__accepts),
	KUNIT_CASE(hello_check__refuses),
	KUNIT_CASE(hello_check__lengths),
	KUNIT_CASE(hello_make__fresh_nonces),
	KUNIT_CASE(hello_mac__depends_on_everything),
	{}
};

static struct kunit_suite suite = {
	.name = "procshare_hello",
	.test_cases = cases,
};

kunit_test_suite(suite);
