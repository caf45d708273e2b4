/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare selftests - share: a test becomes a shared process and moves its threads */
#ifndef PROCSHARE_SELFTEST_SHARE_H
#define PROCSHARE_SELFTEST_SHARE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "netlink.h"

#define PAGE_SIZE 4096

/* What other threads change, or read, on whatever node. */
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define WRITE_ONCE(x, value)	__atomic_store_n(&(x), value, __ATOMIC_SEQ_CST)

/* Two other nodes of the cluster. */
extern unsigned int near_node, far_node;

/* First thing in main(): executes the program again, shared under policy home. */
void share_self(char **argv);

/* Where a thread of this process runs: a node, or PROCSHARE_NODE_HOME; -1 if it is not shared. */
int where(pid_t tid);

/* Ask that a thread moves, and wait until it has. False after ten seconds. */
bool move(pid_t tid, unsigned int node);
bool move_self(unsigned int node);
bool await_place(pid_t tid, unsigned int node);

/* Calls that were made here for threads on @node, by the kernel's own counter. */
uint64_t calls_forwarded(unsigned int node);

/*
 * Runs @function on @node in a new thread and returns its result; NOWHERE if
 * the thread did not get there or was somewhere else at the end.
 */
#define NOWHERE (-12345)
typedef long (*remote_function)(void *argument);

long on_node(unsigned int node, remote_function function, void *argument);

/* The same in two steps, with time in between. */
struct remote {
	pthread_t thread;
	unsigned int node;
	remote_function function;
	void *argument;
	pid_t tid;	/* not 0 once the thread is there */
	long result;
};

void remote_start(struct remote *r, unsigned int node, remote_function function,
		  void *argument);
bool remote_arrived(struct remote *r);
long remote_join(struct remote *r);

/* So many pages of private memory, untouched. */
uint8_t *map(size_t pages);

/* Access to memory that survives a fault: the byte or 0, or what the signal said. */
#define FAULTED(signal, code) (1000 * (signal) + (code))

long probe_read(void *address);
long probe_write(void *address, int value);

#endif
