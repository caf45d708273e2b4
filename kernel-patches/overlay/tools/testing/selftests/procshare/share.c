// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare selftests - share: a test becomes a shared process and moves its threads
 *
 * Every test is a process of its own, forked by the harness; fork inherits the
 * session, and under policy home nothing moves but what a test moves itself.
 */

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../kselftest.h"
#include "share.h"

#define AGAIN "PROCSHARE_SELFTEST_SHARED"
#define PATIENCE 10	/* seconds */

unsigned int near_node, far_node;
static unsigned int self_node;

static void give_up(const char *why)
{
	ksft_print_header();
	ksft_exit_fail_msg("%s\n", why);
}

struct cluster {
	int others;
	unsigned int nodes[2];
};

static void take_node(const struct nlattr *first, int length, void *argument)
{
	const struct nlattr *state = attribute(first, length, PROCSHARE_A_NODE_STATE);
	const struct nlattr *id = attribute(first, length, PROCSHARE_A_NODE_ID);
	struct cluster *cluster = argument;

	if (!state || !id)
		return;
	if (attribute_number(state) == PROCSHARE_NODE_SELF)
		self_node = attribute_number(id);
	else if (attribute_number(state) == PROCSHARE_NODE_UP && cluster->others < 2)
		cluster->nodes[cluster->others++] = attribute_number(id);
}

static void find_nodes(void)
{
	struct cluster cluster = {};
	struct request r;

	request_begin(&r, PROCSHARE_CMD_NODE_GET);
	if (request_dump(&r, NULL, take_node, &cluster) || cluster.others < 2)
		give_up("two other nodes must be up");
	near_node = cluster.nodes[0];
	far_node = cluster.nodes[1];
}

void share_self(char **argv)
{
	struct answer answer;
	struct request r;

	if (!netlink_present()) {
		ksft_print_header();
		ksft_exit_skip("the kernel has no procshare\n");
	}
	find_nodes();
	if (getenv(AGAIN)) {
		if (where(getpid()) != PROCSHARE_NODE_HOME)
			give_up("not shared after exec");
		return;
	}
	setenv(AGAIN, "1", 1);
	request_begin(&r, PROCSHARE_CMD_PROCESS_ATTACH);
	request_put_u32(&r, PROCSHARE_A_PROCESS_POLICY, PROCSHARE_POLICY_HOME);
	if (request_send(&r, &answer))
		give_up(answer.message);
	execv("/proc/self/exe", argv);
	give_up("cannot execute itself");
}

struct search {
	pid_t tid;
	int node;
};

static void take_thread(const struct nlattr *first, int length, void *argument)
{
	const struct nlattr *nest = attribute(first, length, PROCSHARE_A_PROCESS_THREAD);
	const struct nlattr *tid, *node;
	struct search *search = argument;

	if (!nest)
		return;
	first = attribute_data(nest);
	length = attribute_length(nest);
	tid = attribute(first, length, PROCSHARE_A_THREAD_TID);
	node = attribute(first, length, PROCSHARE_A_THREAD_NODE);
	if (tid && node && attribute_number(tid) == search->tid)
		search->node = attribute_number(node);
}

int where(pid_t tid)
{
	struct search search = { tid, -1 };
	struct request r;

	request_begin(&r, PROCSHARE_CMD_PROCESS_GET);
	if (request_dump(&r, NULL, take_thread, &search))
		return -1;
	return search.node == self_node ? PROCSHARE_NODE_HOME : search.node;
}

static bool soon(bool (*condition)(pid_t tid, unsigned int node), pid_t tid, unsigned int node)
{
	time_t end = time(NULL) + PATIENCE;

	while (!condition(tid, node)) {
		if (time(NULL) > end)
			return false;
		usleep(2000);
	}
	return true;
}

static bool is_at(pid_t tid, unsigned int node)
{
	return where(tid) == node;
}

bool await_place(pid_t tid, unsigned int node)
{
	return soon(is_at, tid, node);
}

bool move(pid_t tid, unsigned int node)
{
	struct request r;

	request_begin(&r, PROCSHARE_CMD_MIGRATE);
	request_put_u32(&r, PROCSHARE_A_PROCESS_PID, getpid());
	request_put_u32(&r, PROCSHARE_A_PROCESS_TID, tid);
	request_put_u32(&r, PROCSHARE_A_PROCESS_NODE, node);
	return request_send(&r, NULL) == 0 && await_place(tid, node);
}

bool move_self(unsigned int node)
{
	return move(syscall(SYS_gettid), node);
}

struct count {
	uint64_t process, calls;
	unsigned int node;
	bool mine;
};

/* The message that names a process comes in front of those with its usage. */
static void take_calls(const struct nlattr *first, int length, void *argument)
{
	const struct nlattr *pid = attribute(first, length, PROCSHARE_A_PROCESS_PID);
	const struct nlattr *nest = attribute(first, length, PROCSHARE_A_PROCESS_USAGE);
	const struct nlattr *node, *calls;
	struct count *count = argument;

	if (pid)
		count->mine = attribute_number(pid) == getpid();
	if (!nest || !count->mine)
		return;
	first = attribute_data(nest);
	length = attribute_length(nest);
	node = attribute(first, length, PROCSHARE_A_USAGE_NODE);
	calls = attribute(first, length, PROCSHARE_A_USAGE_CALLS);
	if (node && calls && attribute_number(node) == count->node)
		count->calls = attribute_number(calls);
}

uint64_t calls_forwarded(unsigned int node)
{
	struct count count = { .node = node };
	struct request r;

	request_begin(&r, PROCSHARE_CMD_PROCESS_GET);
	request_dump(&r, NULL, take_calls, &count);
	return count.calls;
}

static void *run_remote(void *argument)
{
	pid_t tid = syscall(SYS_gettid);
	struct remote *r = argument;

	if (!move(tid, r->node)) {
		WRITE_ONCE(r->tid, -1);
		return NULL;
	}
	WRITE_ONCE(r->tid, tid);
	r->result = r->function(r->argument);
	/* Behind a signal it comes back at its next call. */
	if (!await_place(tid, r->node))
		r->result = NOWHERE;
	return NULL;
}

void remote_start(struct remote *r, unsigned int node, remote_function function,
		  void *argument)
{
	*r = (struct remote) { .node = node, .function = function, .argument = argument,
			       .result = NOWHERE };
	if (pthread_create(&r->thread, NULL, run_remote, r))
		abort();
}

bool remote_arrived(struct remote *r)
{
	pid_t tid;

	while (!(tid = READ_ONCE(r->tid)))
		usleep(2000);
	return tid > 0;
}

long remote_join(struct remote *r)
{
	pthread_join(r->thread, NULL);
	return r->result;
}

long on_node(unsigned int node, remote_function function, void *argument)
{
	struct remote r;

	remote_start(&r, node, function, argument);
	return remote_join(&r);
}

static __thread sigjmp_buf escape;
static __thread siginfo_t caught;

static void leave(int number, siginfo_t *info, void *context)
{
	caught = *info;
	siglongjmp(escape, 1);
}

static void catch_faults(void)
{
	struct sigaction action = { .sa_sigaction = leave, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

static long fault_at(void *address)
{
	if (caught.si_addr != address)
		return FAULTED(999, 0);
	return FAULTED(caught.si_signo, caught.si_code);
}

long probe_read(void *address)
{
	catch_faults();
	if (sigsetjmp(escape, 1))
		return fault_at(address);
	return READ_ONCE(*(uint8_t *)address);
}

long probe_write(void *address, int value)
{
	catch_faults();
	if (sigsetjmp(escape, 1))
		return fault_at(address);
	WRITE_ONCE(*(uint8_t *)address, value);
	return 0;
}

uint8_t *map(size_t pages)
{
	uint8_t *block = mmap(NULL, pages * PAGE_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (block == MAP_FAILED)
		abort();
	return block;
}
