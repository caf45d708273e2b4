// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare selftests - netlink: bad requests get an errno and a reason, and change nothing
 */

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "../kselftest_harness.h"
#include "share.h"

#define NOBODY 65534

enum kind { END, U16, U32, U64, RAW };

struct field {
	int type;
	enum kind kind;
	uint64_t value;		/* of RAW: its length */
};

/* A request and what is to come of it; @words is a part of the kernel's. */
struct bad {
	const char *name;
	int command;
	struct field fields[6];
	int error;
	const char *words;
	int missing;
};

#define PID(n)		{ PROCSHARE_A_PROCESS_PID, U32, n }
#define TID(n)		{ PROCSHARE_A_PROCESS_TID, U32, n }
#define TARGET(n)	{ PROCSHARE_A_PROCESS_NODE, U32, n }
#define POLICY(n)	{ PROCSHARE_A_PROCESS_POLICY, U32, n }
#define NODES(n)	{ PROCSHARE_A_PROCESS_NODES, U64, n }
#define BOUNCE(n)	{ PROCSHARE_A_PROCESS_BOUNCE_MS, U32, n }
#define ID(n)		{ PROCSHARE_A_NODE_ID, U32, n }
#define ADDR4(n)	{ PROCSHARE_A_NODE_ADDR4, U32, n }
#define PORT(n)		{ PROCSHARE_A_NODE_PORT, U16, n }
#define KEY(length)	{ PROCSHARE_A_NODE_KEY, RAW, length }

/* Replaced when a request is made. */
#define MYSELF		0xfffffff0
#define SELF_NODE	0xfffffff1
#define NEAR		0xfffffff2
#define NEAR_ADDR	0xfffffff3
#define FREE_ADDR	0xfffffff4

static uint32_t self_node, near_address;

static void take_node(const struct nlattr *first, int length, void *argument)
{
	const struct nlattr *state = attribute(first, length, PROCSHARE_A_NODE_STATE);
	const struct nlattr *addr4 = attribute(first, length, PROCSHARE_A_NODE_ADDR4);
	const struct nlattr *id = attribute(first, length, PROCSHARE_A_NODE_ID);

	if (!state || !id)
		return;
	if (attribute_number(state) == PROCSHARE_NODE_SELF)
		self_node = attribute_number(id);
	if (attribute_number(id) == near_node && addr4)
		near_address = attribute_number(addr4);
}

/* What may not change: who is in the table, where, and how; not the counters. */
struct table {
	char rows[4096];
	size_t length;
};

static void take_row(const struct nlattr *first, int length, void *argument)
{
	static const int types[] = { PROCSHARE_A_NODE_ID, PROCSHARE_A_NODE_STATE,
				     PROCSHARE_A_NODE_ADDR4, PROCSHARE_A_NODE_PORT };
	struct table *table = argument;
	const struct nlattr *a;
	int i;

	for (i = 0; i < 4; i++) {
		a = attribute(first, length, types[i]);
		if (a && table->length + a->nla_len <= sizeof(table->rows)) {
			memcpy(table->rows + table->length, a, a->nla_len);
			table->length += a->nla_len;
		}
	}
}

static void read_table(struct table *table)
{
	struct request r;

	memset(table, 0, sizeof(*table));
	request_begin(&r, PROCSHARE_CMD_NODE_GET);
	request_dump(&r, NULL, take_row, table);
}

static uint64_t replace(uint64_t value)
{
	switch (value) {
	case MYSELF:
		return getpid();
	case SELF_NODE:
		return self_node;
	case NEAR:
		return near_node;
	case NEAR_ADDR:
		return near_address;
	case FREE_ADDR:
		return htonl(0x0a4d00fe);	/* 10.77.0.254 */
	default:
		return value;
	}
}

static void write_field(struct request *r, const struct field *f)
{
	static const char zeros[128];
	uint64_t value = replace(f->value);

	switch (f->kind) {
	case U16:
		request_put(r, f->type, &value, 2);
		break;
	case U32:
		request_put(r, f->type, &value, 4);
		break;
	case U64:
		request_put(r, f->type, &value, 8);
		break;
	default:
		request_put(r, f->type, zeros, value);
	}
}

static void try(struct __test_metadata *_metadata, const struct bad *bad)
{
	const struct field *f;
	struct answer answer;
	struct request r;

	request_begin(&r, bad->command);
	for (f = bad->fields; f->kind != END; f++)
		write_field(&r, f);
	request_send(&r, &answer);
	EXPECT_EQ(bad->error, answer.error)
		TH_LOG("%s: %s", bad->name, answer.message);
	EXPECT_NE(NULL, strstr(answer.message, bad->words ?: ""))
		TH_LOG("%s: '%s', not '%s'", bad->name, answer.message, bad->words);
	EXPECT_EQ(bad->missing, answer.missing)
		TH_LOG("%s: missing attribute", bad->name);
}

/* All of them, and nothing is different afterwards. */
static void try_all(struct __test_metadata *_metadata, const struct bad *bad, int count)
{
	struct table before, after;
	struct request r;
	int i;

	request_begin(&r, PROCSHARE_CMD_NODE_GET);
	ASSERT_EQ(0, request_dump(&r, NULL, take_node, NULL));
	read_table(&before);
	ASSERT_LT(0, before.length);
	for (i = 0; i < count; i++) {
		try(_metadata, &bad[i]);
		EXPECT_EQ(PROCSHARE_NODE_HOME, where(getpid()))
			TH_LOG("%s", bad[i].name);
	}
	read_table(&after);
	EXPECT_EQ(before.length, after.length);
	EXPECT_EQ(0, memcmp(before.rows, after.rows, sizeof(before.rows)));
}

TEST(migrate)
{
	static const struct bad list[] = {
		{ "nothing", PROCSHARE_CMD_MIGRATE, {}, EINVAL, NULL, PROCSHARE_A_PROCESS_PID },
		{ "no node", PROCSHARE_CMD_MIGRATE, { PID(MYSELF) }, EINVAL, NULL,
		  PROCSHARE_A_PROCESS_NODE },
		{ "no pid", PROCSHARE_CMD_MIGRATE, { TARGET(NEAR) }, EINVAL, NULL,
		  PROCSHARE_A_PROCESS_PID },
		{ "unknown node", PROCSHARE_CMD_MIGRATE, { PID(MYSELF), TARGET(40) }, EHOSTDOWN,
		  "node 40 is not up" },
		{ "no node id", PROCSHARE_CMD_MIGRATE, { PID(MYSELF), TARGET(64) }, ERANGE,
		  "at most 63" },
		{ "node out of range", PROCSHARE_CMD_MIGRATE, { PID(MYSELF), TARGET(256) }, ERANGE,
		  "out of range" },
		{ "pid 0", PROCSHARE_CMD_MIGRATE, { PID(0), TARGET(NEAR) }, ERANGE,
		  "out of range" },
		{ "pid too large", PROCSHARE_CMD_MIGRATE, { PID(0x80000000), TARGET(NEAR) }, ERANGE,
		  "out of range" },
		{ "nobody's pid", PROCSHARE_CMD_MIGRATE, { PID(0x7ffffff0), TARGET(NEAR) }, ESRCH,
		  "no such process" },
		{ "another's thread", PROCSHARE_CMD_MIGRATE, { PID(MYSELF), TID(1), TARGET(NEAR) },
		  ESRCH, "no such process or thread" },
		{ "not shared", PROCSHARE_CMD_MIGRATE, { PID(1), TARGET(NEAR) }, ENOENT,
		  "not a shared process" },
		{ "short pid", PROCSHARE_CMD_MIGRATE,
		  { { PROCSHARE_A_PROCESS_PID, U16, 1 }, TARGET(NEAR) }, EINVAL,
		  "attribute length" },
		{ "long pid", PROCSHARE_CMD_MIGRATE,
		  { { PROCSHARE_A_PROCESS_PID, U64, 1 }, TARGET(NEAR) }, EINVAL,
		  "attribute length" },
		{ "unknown attribute", PROCSHARE_CMD_MIGRATE,
		  { PID(MYSELF), TARGET(NEAR), { 99, U32, 1 } }, EINVAL, "nknown attribute" },
		{ "attribute of others", PROCSHARE_CMD_MIGRATE,
		  { PID(MYSELF), TARGET(NEAR), BOUNCE(1) }, EINVAL, "nknown attribute" },
	};

	try_all(_metadata, list, ARRAY_SIZE(list));
}

TEST(attach)
{
	static const struct bad list[] = {
		{ "nothing", PROCSHARE_CMD_PROCESS_ATTACH, {}, EINVAL, NULL,
		  PROCSHARE_A_PROCESS_POLICY },
		{ "unknown policy", PROCSHARE_CMD_PROCESS_ATTACH, { POLICY(4) }, ERANGE,
		  "out of range" },
		{ "bounce without a time", PROCSHARE_CMD_PROCESS_ATTACH,
		  { POLICY(PROCSHARE_POLICY_BOUNCE) }, EINVAL, "needs a time" },
		{ "a time without bounce", PROCSHARE_CMD_PROCESS_ATTACH,
		  { POLICY(PROCSHARE_POLICY_HOME), BOUNCE(5) }, EINVAL, "needs a time" },
		{ "no time", PROCSHARE_CMD_PROCESS_ATTACH,
		  { POLICY(PROCSHARE_POLICY_BOUNCE), BOUNCE(0) }, ERANGE, "out of range" },
		{ "too long a time", PROCSHARE_CMD_PROCESS_ATTACH,
		  { POLICY(PROCSHARE_POLICY_BOUNCE), BOUNCE(PROCSHARE_BOUNCE_MAX + 1) }, ERANGE,
		  "out of range" },
		{ "nodes that are not up", PROCSHARE_CMD_PROCESS_ATTACH,
		  { POLICY(PROCSHARE_POLICY_AWAY), NODES(1ull << 40) }, EHOSTDOWN,
		  "no node of this set is up" },
	};

	try_all(_metadata, list, ARRAY_SIZE(list));
}

static void *sleep_on(void *argument)
{
	pause();
	return NULL;
}

TEST(attach_with_threads)
{
	static const struct bad list[] = {
		{ "two threads", PROCSHARE_CMD_PROCESS_ATTACH, { POLICY(PROCSHARE_POLICY_AWAY) },
		  EBUSY, "must have one thread" },
	};
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, sleep_on, NULL));
	try_all(_metadata, list, ARRAY_SIZE(list));
}

TEST(node_table)
{
	static const struct bad list[] = {
		{ "add nothing", PROCSHARE_CMD_NODE_ADD, {}, EINVAL, NULL, PROCSHARE_A_NODE_ID },
		{ "add without an address", PROCSHARE_CMD_NODE_ADD, { ID(9) }, EINVAL,
		  "needs one address" },
		{ "add with two addresses", PROCSHARE_CMD_NODE_ADD,
		  { ID(9), ADDR4(FREE_ADDR), { PROCSHARE_A_NODE_ADDR6, RAW, 16 } }, EINVAL,
		  "needs one address" },
		{ "add with half an address", PROCSHARE_CMD_NODE_ADD,
		  { ID(9), { PROCSHARE_A_NODE_ADDR6, RAW, 8 } }, ERANGE, "out of range" },
		{ "add nowhere", PROCSHARE_CMD_NODE_ADD, { ID(9), ADDR4(0) }, EINVAL,
		  "not the address of one machine" },
		{ "add port 0", PROCSHARE_CMD_NODE_ADD,
		  { ID(9), ADDR4(FREE_ADDR), PORT(0) }, ERANGE,
		  "out of range" },
		{ "add node 64", PROCSHARE_CMD_NODE_ADD, { ID(64), ADDR4(FREE_ADDR) }, ERANGE,
		  "out of range" },
		{ "add what is there", PROCSHARE_CMD_NODE_ADD,
		  { ID(NEAR), ADDR4(FREE_ADDR) }, EEXIST,
		  "in the node table already" },
		{ "add itself", PROCSHARE_CMD_NODE_ADD, { ID(SELF_NODE), ADDR4(FREE_ADDR) }, EINVAL,
		  "is this machine" },
		{ "add another's address", PROCSHARE_CMD_NODE_ADD, { ID(9), ADDR4(NEAR_ADDR) },
		  EADDRINUSE, "address" },
		{ "set what is not there", PROCSHARE_CMD_NODE_SET, { ID(9), ADDR4(FREE_ADDR) },
		  ENOENT, "not in the node table" },
		{ "set itself", PROCSHARE_CMD_NODE_SET, { ID(SELF_NODE), ADDR4(FREE_ADDR) }, EINVAL,
		  "is this machine" },
		{ "delete nothing", PROCSHARE_CMD_NODE_DEL, {}, EINVAL, NULL,
		  PROCSHARE_A_NODE_ID },
		{ "delete what is not there", PROCSHARE_CMD_NODE_DEL, { ID(9) }, ENOENT,
		  "not in the node table" },
		{ "delete itself", PROCSHARE_CMD_NODE_DEL, { ID(SELF_NODE) }, EINVAL,
		  "is this machine" },
		{ "join again", PROCSHARE_CMD_NODE_JOIN, { ID(9), ADDR4(FREE_ADDR), KEY(32) },
		  EALREADY, "leave first" },
		{ "join without a key", PROCSHARE_CMD_NODE_JOIN,
		  { ID(9), ADDR4(FREE_ADDR) }, EINVAL,
		  NULL, PROCSHARE_A_NODE_KEY },
		{ "join with a short key", PROCSHARE_CMD_NODE_JOIN,
		  { ID(9), ADDR4(FREE_ADDR), KEY(15) }, EINVAL, "16 to 64 bytes" },
		{ "join with a long key", PROCSHARE_CMD_NODE_JOIN,
		  { ID(9), ADDR4(FREE_ADDR), KEY(65) }, EINVAL, "16 to 64 bytes" },
	};

	try_all(_metadata, list, ARRAY_SIZE(list));
}

TEST(other_requests)
{
	static const struct bad list[] = {
		{ "unknown command", PROCSHARE_CMD_MAX + 1, {}, EOPNOTSUPP },
		{ "dump as a request", PROCSHARE_CMD_NODE_GET, {}, EOPNOTSUPP },
		{ "echo of nobody", PROCSHARE_CMD_BENCH_ECHO,
		  { { PROCSHARE_A_ECHO_NODE, U32, 40 }, { PROCSHARE_A_ECHO_REQUEST, U32, 64 },
		    { PROCSHARE_A_ECHO_REPLY, U32, 64 }, { PROCSHARE_A_ECHO_COUNT, U32, 1 } },
		  ENOTCONN, "node 40 is not up" },
		{ "echo never", PROCSHARE_CMD_BENCH_ECHO,
		  { { PROCSHARE_A_ECHO_NODE, U32, NEAR }, { PROCSHARE_A_ECHO_COUNT, U32, 0 } },
		  ERANGE, "out of range" },
		{ "echo of too many at once", PROCSHARE_CMD_BENCH_ECHO,
		  { { PROCSHARE_A_ECHO_NODE, U32, NEAR },
		    { PROCSHARE_A_ECHO_WINDOW, U32, PROCSHARE_ECHO_WINDOW_MAX + 1 } },
		  ERANGE, "out of range" },
	};

	try_all(_metadata, list, ARRAY_SIZE(list));
}

TEST(unknown_session)
{
	struct answer answer;
	struct request r;

	request_begin(&r, PROCSHARE_CMD_STATS_GET);
	request_put_u64(&r, PROCSHARE_A_PROCESS_SESSION, 0x123456789abcull);
	EXPECT_EQ(ENOENT, request_dump(&r, &answer, NULL, NULL));
	EXPECT_NE(NULL, strstr(answer.message, "no such session"));
}

/* A child without rights tries; its exit status counts what went wrong. */
static int as_nobody(struct __test_metadata *_metadata, const struct bad *list, int count)
{
	int status = -1;
	pid_t child = fork();

	if (!child) {
		if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
		    setresuid(NOBODY, NOBODY, NOBODY))
			_exit(99);
		try_all(_metadata, list, count);
		_exit(_metadata->exit_code);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(unprivileged_node_change)
{
	static const struct bad list[] = {
		{ "add", PROCSHARE_CMD_NODE_ADD, { ID(9), ADDR4(FREE_ADDR) }, EPERM },
		{ "set", PROCSHARE_CMD_NODE_SET, { ID(NEAR), ADDR4(FREE_ADDR) }, EPERM },
		{ "delete", PROCSHARE_CMD_NODE_DEL, { ID(NEAR) }, EPERM },
		{ "leave", PROCSHARE_CMD_NODE_LEAVE, {}, EPERM },
		{ "join", PROCSHARE_CMD_NODE_JOIN, { ID(9), ADDR4(FREE_ADDR), KEY(32) }, EPERM },
	};

	EXPECT_EQ(0, as_nobody(_metadata, list, 5));
}

/* The parent is root's, and another root's child is not its child's either. */
TEST(foreign_process)
{
	struct bad list[] = {
		{ "all threads", PROCSHARE_CMD_MIGRATE, { PID(getpid()), TARGET(NEAR) }, EPERM,
		  "not your process" },
		{ "one thread", PROCSHARE_CMD_MIGRATE,
		  { PID(getpid()), TID(getpid()), TARGET(NEAR) }, EPERM, "not your process" },
		{ "not even shared", PROCSHARE_CMD_MIGRATE, { PID(1), TARGET(NEAR) }, EPERM,
		  "not your process" },
	};

	EXPECT_EQ(0, as_nobody(_metadata, list, 3));
	EXPECT_EQ(PROCSHARE_NODE_HOME, where(getpid()));
	usleep(50000);
	EXPECT_EQ(PROCSHARE_NODE_HOME, where(getpid()));
}

/* What a user may do without rights: look, and move what is his own. */
TEST(own_process_without_rights)
{
	int status = -1;
	pid_t child = fork();

	if (!child) {
		if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
		    setresuid(NOBODY, NOBODY, NOBODY) || prctl(PR_SET_DUMPABLE, 1))
			_exit(99);
		_exit(move_self(near_node) ? 0 : 1);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* Lengths that lie: the kernel reads no further than the message goes. */
TEST(malformed_messages)
{
	struct answer answer;
	struct nlattr *a;
	struct request r;

	request_begin(&r, PROCSHARE_CMD_MIGRATE);
	request_put_u32(&r, PROCSHARE_A_PROCESS_PID, getpid());
	request_put_u32(&r, PROCSHARE_A_PROCESS_NODE, near_node);
	a = (void *)(r.bytes + r.header.nlmsg_len - NLA_HDRLEN - 4);
	a->nla_len = 400;
	EXPECT_EQ(EINVAL, request_send(&r, &answer));

	request_begin(&r, PROCSHARE_CMD_MIGRATE);
	request_put_u32(&r, PROCSHARE_A_PROCESS_PID, getpid());
	request_put_u32(&r, PROCSHARE_A_PROCESS_NODE, near_node);
	a->nla_len = 1;
	EXPECT_EQ(EINVAL, request_send(&r, &answer));

	request_begin(&r, PROCSHARE_CMD_MIGRATE);
	r.header.nlmsg_len = NLMSG_LENGTH(0);
	EXPECT_EQ(EINVAL, request_send(&r, &answer));
	EXPECT_EQ(PROCSHARE_NODE_HOME, where(getpid()));
}

int main(int argc, char **argv)
{
	share_self(argv);
	return test_harness_run(argc, argv);
}
