/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - the wire: message formats, little-endian, naturally aligned
 *
 * Freestanding like coherence.h, so that the codec can be fuzzed in userland.
 * Every message is a header, a body whose layout its type gives, and, where
 * PROCSHARE_WIRE_PAGE is set, one page.  Sizes and offsets are pinned below.
 */
#ifndef _PROCSHARE_WIRE_H
#define _PROCSHARE_WIRE_H

#include <linux/types.h>

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#else
#include <assert.h>
#include <stddef.h>
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
#endif

#define PROCSHARE_WIRE_MAGIC	0x48535250	/* "PRSH" */
#define PROCSHARE_WIRE_VERSION	10
#define PROCSHARE_WIRE_PAGE_SIZE 4096
/* Nodes with more CPUs than this are not numbered with others (cpu_layout.h). */
#define PROCSHARE_WIRE_CPUS	256
/* A body never exceeds this; the largest is a call with 64 KiB of data. */
#define PROCSHARE_WIRE_BODY_MAX	66560

enum procshare_wire_type {
	/* link: handled by the transport, before and after HELLO */
	PROCSHARE_WIRE_HELLO = 1,
	PROCSHARE_WIRE_PROOF,
	PROCSHARE_WIRE_REFUSE,
	PROCSHARE_WIRE_PING,
	PROCSHARE_WIRE_PONG,
	PROCSHARE_WIRE_ECHO,		/* bench: answer with a given size */
	PROCSHARE_WIRE_ECHO_REPLY,
	/* shared process */
	PROCSHARE_WIRE_START = 16,	/* home -> remote: make a shadow process */
	PROCSHARE_WIRE_READY,		/* remote -> home: it is there, or an error */
	PROCSHARE_WIRE_STOP,		/* home -> remote: the shared process is gone */
	PROCSHARE_WIRE_GONE,		/* remote -> home: the shadow process is gone */
	/* thread */
	PROCSHARE_WIRE_MIGRATE,		/* home -> remote: run this thread */
	PROCSHARE_WIRE_BACK,		/* remote -> home: its state and the reason */
	PROCSHARE_WIRE_RECALL,		/* home -> remote: send it back */
	PROCSHARE_WIRE_CALL,		/* remote -> home: execute this system call */
	PROCSHARE_WIRE_RETURN,		/* home -> remote: its result */
	PROCSHARE_WIRE_EXIT,		/* home -> remote: the thread has ended */
	PROCSHARE_WIRE_TIME,		/* remote -> home: CPU time it has used */
	PROCSHARE_WIRE_FENCE,		/* home -> remote: interrupt its CPUs (membarrier) */
	PROCSHARE_WIRE_FENCED,		/* remote -> home: they were */
	/* memory */
	PROCSHARE_WIRE_COHERENCE,	/* one coherence message, perhaps with a page */
	PROCSHARE_WIRE_GET_ZERO,	/* remote -> home: these, if nobody has touched them */
	PROCSHARE_WIRE_GRANT_ZERO,	/* home -> remote: which of them it has now */
	PROCSHARE_WIRE_TYPES,		/* keep last: one more than the largest type */
};

#define PROCSHARE_WIRE_PAGE	0x01	/* a page follows the body */

/**
 * struct procshare_wire_header - in front of every message
 * @length: bytes of the body, the page not counted
 * @type: enum procshare_wire_type
 * @flags: PROCSHARE_WIRE_PAGE
 * @sender: node id of the sender; must equal what HELLO established
 * @process: shared process, home node id in bits 32-39; 0 for link messages
 * @thread: home's thread id, 0 where no thread is meant
 * @sequence: counts the messages of this direction of the link, from 0
 */
struct procshare_wire_header {
	__le32 length;
	u8 type;
	u8 flags;
	__le16 sender;
	__le64 process;
	__le32 thread;
	__le32 sequence;
};

/* HELLO, PROOF, REFUSE: longer bodies are refused before a peer is known. */
#define PROCSHARE_WIRE_HELLO_MAX	512
#define PROCSHARE_WIRE_NONCE	32
#define PROCSHARE_WIRE_MAC	32

/**
 * struct procshare_wire_hello - HELLO: each side's first message
 * @magic: PROCSHARE_WIRE_MAGIC; it and @version keep their places for ever
 * @version: PROCSHARE_WIRE_VERSION
 * @page_size: bytes in a page
 * @node: node id of the sender
 * @dialer: 1 from the side that made the connection, else 0
 * @cpus: numbers that the node's CPUs may have (nr_cpu_ids)
 * @xfeatures: x86 state components (XCR0 bits) that user mode may use
 * @nonce: random, new for each connection
 * @build_id: GNU build-id of the kernel
 * @reserved2: 0
 * @release: uname -r, padded with zeros, for people
 * @build: uname -v, padded with zeros, for people
 * @cpus_online: the CPUs that are there, as a bitmap
 */
struct procshare_wire_hello {
	__le32 magic;
	__le32 version;
	__le32 page_size;
	u8 node;
	u8 dialer;
	__le16 cpus;
	__le64 xfeatures;
	u8 nonce[PROCSHARE_WIRE_NONCE];
	u8 build_id[20];
	u8 reserved2[4];
	u8 release[64];
	u8 build[64];
	__le64 cpus_online[PROCSHARE_WIRE_CPUS / 64];
};

/**
 * struct procshare_wire_proof - PROOF: the sender knows the cluster key
 * @mac: HMAC-SHA-256, keyed with the cluster key, of the sender's role, the
 *       dialer's HELLO and the other side's HELLO
 */
struct procshare_wire_proof {
	u8 mac[PROCSHARE_WIRE_MAC];
};

/* Why a connection is refused. */
enum procshare_wire_refusal {
	PROCSHARE_REFUSE_NOT = 0,
	PROCSHARE_REFUSE_MALFORMED,
	PROCSHARE_REFUSE_VERSION,
	PROCSHARE_REFUSE_PAGE_SIZE,
	PROCSHARE_REFUSE_KERNEL,
	PROCSHARE_REFUSE_SAME_ID,
	PROCSHARE_REFUSE_OTHER_ID,	/* not the node that was dialled */
	PROCSHARE_REFUSE_UNKNOWN_ID,	/* not in the node table */
	PROCSHARE_REFUSE_DIRECTION,	/* the node with the higher id dials */
	PROCSHARE_REFUSE_KEY,
	PROCSHARE_REFUSE_CONNECTED,	/* that id has a link that works */
	PROCSHARE_REFUSE_LEAVING,
	PROCSHARE_REFUSALS,
};

/* struct procshare_wire_refuse - REFUSE: enum procshare_wire_refusal */
struct procshare_wire_refuse {
	__le32 code;
	__le32 reserved;
};

/**
 * struct procshare_wire_echo - ECHO, ECHO_REPLY; any bytes may follow
 * @id: chosen by the asker, repeated in the reply
 * @reply: bytes of body to answer with; PROCSHARE_WIRE_PAGE_SIZE asks for a page
 */
struct procshare_wire_echo {
	__le32 id;
	__le32 reply;
};

/**
 * struct procshare_wire_coherence - struct coh_msg on the wire
 * @address: of the page
 * @prot: GRANT: PROCSHARE_PROT_* that the mapping at home allows
 * @origin: GRANT: a page of which file it is at home, if of a private mapping: a hash
 *	of the file in the upper half, the page's number in the lower one; else 0
 */
struct procshare_wire_coherence {
	__le64 address;
	__le64 epoch;
	__le64 acks;
	u8 type;
	u8 access;
	u8 have;
	u8 flags;
	u8 requester;
	u8 prot;
	__le16 reserved;
	__le64 origin;
};

#define PROCSHARE_PROT_READ	0x01
#define PROCSHARE_PROT_WRITE	0x02
#define PROCSHARE_PROT_EXEC	0x04
#define PROCSHARE_PROT_ZERO	0x08	/* COH_DATA without a page: all zero */
#define PROCSHARE_PROT_KEY_SHIFT 4	/* the rest is the protection key */

/* So many neighbouring pages, from a multiple of that on, share a message. */
#define PROCSHARE_WIRE_ZERO_PAGES 64

/**
 * struct procshare_wire_zero - GET_ZERO, GRANT_ZERO: demand-zero pages in one message
 * @address: of the first page of the block
 * @pages: those that are asked for: a GET to write for each of these bits
 * @granted: GRANT_ZERO: of those, the ones that are granted; the others are refused
 * @epoch: GRANT_ZERO: of the first grant; each further one has the next
 * @prot: GRANT_ZERO: PROCSHARE_PROT_* that the mapping at home allows
 * @reserved: 0
 */
struct procshare_wire_zero {
	__le64 address;
	__le64 pages;
	__le64 granted;
	__le64 epoch;
	u8 prot;
	u8 reserved[7];
};

/* General registers in the order of struct user_regs_struct (27 words). */
#define PROCSHARE_WIRE_REGS	27

/**
 * struct procshare_wire_thread - MIGRATE and BACK: a thread's state
 * @regs: general registers, segment bases included
 * @monotonic: the thread's CLOCK_MONOTONIC in ns
 * @raw: the thread's CLOCK_MONOTONIC_RAW in ns
 * @user_ns: BACK: user CPU time of the stay, in ns
 * @system_ns: BACK: system CPU time of the stay, in ns
 * @bounce_ms: MIGRATE: send it back after so much user time, 0 never
 * @reason: BACK: enum procshare_reason
 * @xstate_length: bytes of (component, data) pairs that follow
 * @flags: MIGRATE: PROCSHARE_THREAD_*
 * @calls_local: BACK: calls of the stay that the node answered by itself
 * @trap: BACK: si_code of a debug trap behind the last instruction, 0 none
 * @realtime: MIGRATE: home's CLOCK_REALTIME minus its CLOCK_MONOTONIC in ns
 * @rseq: MIGRATE: address of the restartable sequences area, 0 for none
 * @rseq_length: MIGRATE: bytes of it, 0 if it is not in use away from home
 * @rseq_signature: MIGRATE: in front of its abort handlers
 * @cpu_base: MIGRATE: number of the node's first CPU, PROCSHARE_NO_CPUS if none
 * @sched_policy: MIGRATE: SCHED_*
 * @nice: MIGRATE: as a two's complement
 * @rt_priority: MIGRATE: of SCHED_FIFO and SCHED_RR
 * @cpus: MIGRATE: of the node's CPUs those that it may use, 0: all
 */
struct procshare_wire_thread {
	__le64 regs[PROCSHARE_WIRE_REGS];
	__le64 monotonic;
	__le64 raw;
	__le64 user_ns;
	__le64 system_ns;
	__le32 bounce_ms;
	__le32 reason;
	__le32 xstate_length;
	__le32 flags;
	__le32 calls_local;
	__le32 trap;
	__le64 realtime;
	__le64 rseq;
	__le32 rseq_length;
	__le32 rseq_signature;
	__le32 cpu_base;
	__le32 sched_policy;
	__le32 nice;
	__le32 rt_priority;
	__le64 cpus[PROCSHARE_WIRE_CPUS / 64];
};

/* The node's CPUs have no numbers in the process: it uses its own. */
#define PROCSHARE_NO_CPUS	U32_MAX

/* Somebody at home looks at the thread's calls: forward them all. */
#define PROCSHARE_THREAD_WATCHED	0x01

/* struct procshare_wire_xstate - one component; its data follows, padded to 8 */
struct procshare_wire_xstate {
	__le32 component;
	__le32 length;
};

/**
 * struct procshare_wire_call - CALL; xstate pairs (clone, fork) or pieces may follow
 * @regs: general registers as at the system call instruction
 * @user_ns: user CPU time since arrival on the node, in ns
 * @system_ns: system CPU time since arrival on the node, in ns
 * @xstate_length: bytes of (component, data) pairs that follow, or 0
 * @calls_local: calls since arrival that the node answered by itself
 * @data: bytes of pieces that follow, or 0
 * @flags: one of PROCSHARE_CALL_*, or 0
 * @rights: of the caller, by protection key: its PKRU
 * @reserved: 0
 */
struct procshare_wire_call {
	__le64 regs[PROCSHARE_WIRE_REGS];
	__le64 user_ns;
	__le64 system_ns;
	__le32 xstate_length;
	__le32 calls_local;
	__le32 data;
	__le32 flags;
	__le32 rights;
	__le32 reserved;
};

/* No call: the pieces that the last one brought, its result in RAX, are stored at home. */
#define PROCSHARE_CALL_STORE	0x01
/* What the call reads follows, and RETURN may bring what it writes. */
#define PROCSHARE_CALL_CARRIES	0x02

/**
 * struct procshare_wire_piece - of the caller's memory, with CALL or RETURN
 * @buffer: number among the buffers that the call's registers tell of (carried.c)
 * @offset: in the buffer
 * @length: bytes that follow, and as many more as make a multiple of 8
 */
struct procshare_wire_piece {
	__le16 buffer;
	__le16 offset;
	__le32 length;
};

/**
 * struct procshare_wire_time - TIME: a running thread's CPU time
 * @user_ns: user CPU time since arrival on the node, in ns
 * @system_ns: system CPU time since arrival on the node, in ns
 * @rate: user CPU time will grow so fast, in 1024ths of time, until home is told
 *	otherwise; by a CALL, too, behind which it does not grow
 * @unused: 0
 */
struct procshare_wire_time {
	__le64 user_ns;
	__le64 system_ns;
	__le32 rate;
	__le32 unused;
};

/* struct procshare_wire_ping - PING, PONG: the sender's CLOCK_MONOTONIC in ns */
struct procshare_wire_ping {
	__le64 monotonic;
};

/**
 * struct procshare_wire_return - RETURN; pieces may follow
 * @value: what belongs into RAX
 * @flags: PROCSHARE_RETURN_*
 * @data: bytes of pieces that follow and belong into the caller's memory, or 0
 */
struct procshare_wire_return {
	__le64 value;
	__le32 flags;
	__le32 data;
};

/* Come home and make the call there; @value is void. */
#define PROCSHARE_RETURN_HOME	0x01
/* A signal interrupted it: send the state, home has the registers. */
#define PROCSHARE_RETURN_STATE	0x02
/* From now on as PROCSHARE_THREAD_WATCHED says. */
#define PROCSHARE_RETURN_WATCHED 0x04

/**
 * struct procshare_wire_start - START
 * @monotonic: home's CLOCK_MONOTONIC in ns
 * @boottime: home's CLOCK_BOOTTIME minus @monotonic
 * @raw: home's CLOCK_MONOTONIC_RAW minus @monotonic
 * @realtime: home's CLOCK_REALTIME minus @monotonic
 * @tai: home's CLOCK_TAI minus @monotonic
 * @monotonic_offset: of the process's time namespace, in ns
 * @boottime_offset: of the process's time namespace, in ns
 * @vdso: address of home's vDSO text, 0 if none
 * @comm: name of the shared process, for people
 */
struct procshare_wire_start {
	__le64 monotonic;
	__le64 boottime;
	__le64 raw;
	__le64 realtime;
	__le64 tai;
	__le64 monotonic_offset;
	__le64 boottime_offset;
	__le64 vdso;
	u8 comm[16];
};

/**
 * struct procshare_wire_fence - FENCE, FENCED
 * @number: counts the fences of a process; repeated in the answer
 * @reserved: 0
 */
struct procshare_wire_fence {
	__le32 number;
	__le32 reserved;
};

/* struct procshare_wire_ready - READY, GONE: 0 or a positive errno */
struct procshare_wire_ready {
	__le32 error;
	__le32 pid;	/* of the shadow process on its node */
};

#ifdef __KERNEL__
static_assert(sizeof(struct procshare_wire_header) == 24);
static_assert(sizeof(struct procshare_wire_hello) == 240);
static_assert(offsetof(struct procshare_wire_hello, nonce) == 24);
static_assert(offsetof(struct procshare_wire_hello, build_id) == 56);
static_assert(offsetof(struct procshare_wire_hello, release) == 80);
static_assert(sizeof(struct procshare_wire_hello) <= PROCSHARE_WIRE_HELLO_MAX);
static_assert(sizeof(struct procshare_wire_proof) == 32);
static_assert(sizeof(struct procshare_wire_refuse) == 8);
static_assert(sizeof(struct procshare_wire_echo) == 8);
static_assert(sizeof(struct procshare_wire_coherence) == 40);
static_assert(sizeof(struct procshare_wire_zero) == 40);
static_assert(sizeof(struct procshare_wire_thread) == 344);
static_assert(sizeof(struct procshare_wire_call) == 256);
static_assert(sizeof(struct procshare_wire_piece) == 8);
static_assert(sizeof(struct procshare_wire_return) == 16);
static_assert(sizeof(struct procshare_wire_time) == 24);
static_assert(sizeof(struct procshare_wire_ping) == 8);
static_assert(sizeof(struct procshare_wire_fence) == 8);
static_assert(sizeof(struct procshare_wire_start) == 80);
static_assert(sizeof(struct procshare_wire_ready) == 8);
#endif

#endif /* _PROCSHARE_WIRE_H */
