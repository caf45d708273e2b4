/* SPDX-License-Identifier: GPL-2.0-only */
/* To be included behind kernel/procshare's coherence.h, process.h and wire.h. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM procshare

#if !defined(_TRACE_PROCSHARE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_PROCSHARE_H

#include <linux/tracepoint.h>

/* Names of constants; user space gets their values with them. */
#define PROCSHARE_TRACE_ACCESS			\
	EM(COH_NONE, "none")			\
	EM(COH_READ, "read")			\
	EM_END(COH_WRITE, "write")

#define PROCSHARE_TRACE_TYPE			\
	EM(COH_GET, "GET")			\
	EM(COH_GRANT, "GRANT")			\
	EM(COH_FWD, "FWD")			\
	EM(COH_INV, "INV")			\
	EM(COH_ACK, "ACK")			\
	EM(COH_DONE, "DONE")			\
	EM(COH_NOPAGE, "NOPAGE")		\
	EM(COH_PUT, "PUT")			\
	EM(COH_LOST, "LOST")			\
	EM_END(COH_FLUSHED, "FLUSHED")

#define PROCSHARE_TRACE_REASON			\
	EM(PROCSHARE_BACK_ASKED, "asked")	\
	EM(PROCSHARE_BACK_SIGNAL, "signal")	\
	EM(PROCSHARE_BACK_CALL, "call")		\
	EM(PROCSHARE_BACK_FAULT, "fault")	\
	EM(PROCSHARE_BACK_MEMORY, "memory")	\
	EM(PROCSHARE_BACK_BOUNCE, "bounce")	\
	EM(PROCSHARE_BACK_TRACED, "traced")	\
	EM_END(PROCSHARE_BACK_ERROR, "error")

#undef EM
#undef EM_END
#define EM(value, name)		TRACE_DEFINE_ENUM(value);
#define EM_END(value, name)	TRACE_DEFINE_ENUM(value);

PROCSHARE_TRACE_ACCESS
PROCSHARE_TRACE_TYPE
PROCSHARE_TRACE_REASON

#undef EM
#undef EM_END
#define EM(value, name)		{ value, name },
#define EM_END(value, name)	{ value, name }

/*
 * A thread touches a page that is not mapped, or not for this access.  Home: one
 * that other nodes hold, or have held.
 */
TRACE_EVENT(procshare_fault,

	TP_PROTO(u64 process, unsigned long address, u8 access, bool upgrade),

	TP_ARGS(process, address, access, upgrade),

	TP_STRUCT__entry(
		__field(u64, process)
		__field(unsigned long, address)
		__field(u8, node)
		__field(u8, access)
		__field(bool, upgrade)
	),

	TP_fast_assign(
		__entry->process = process;
		__entry->address = address;
		__entry->node = procshare_self();
		__entry->access = access;
		__entry->upgrade = upgrade;
	),

	TP_printk("node=%u process=%#llx address=%#lx access=%s upgrade=%u",
		  __entry->node, __entry->process, __entry->address,
		  __print_symbolic(__entry->access, PROCSHARE_TRACE_ACCESS),
		  __entry->upgrade)
);

/* The fault is over; @mapped: the thread has its page. */
TRACE_EVENT(procshare_fault_end,

	TP_PROTO(u64 process, unsigned long address, u8 access, bool mapped),

	TP_ARGS(process, address, access, mapped),

	TP_STRUCT__entry(
		__field(u64, process)
		__field(unsigned long, address)
		__field(u8, node)
		__field(u8, access)
		__field(bool, mapped)
	),

	TP_fast_assign(
		__entry->process = process;
		__entry->address = address;
		__entry->node = procshare_self();
		__entry->access = access;
		__entry->mapped = mapped;
	),

	TP_printk("node=%u process=%#llx address=%#lx access=%s mapped=%u",
		  __entry->node, __entry->process, __entry->address,
		  __print_symbolic(__entry->access, PROCSHARE_TRACE_ACCESS),
		  __entry->mapped)
);

DECLARE_EVENT_CLASS(procshare_coherence,

	TP_PROTO(u64 process, unsigned long address, const struct coh_msg *m,
		 u8 to, bool page),

	TP_ARGS(process, address, m, to, page),

	TP_STRUCT__entry(
		__field(u64, process)
		__field(unsigned long, address)
		__field(u64, epoch)
		__field(u64, acks)
		__field(u8, type)
		__field(u8, from)
		__field(u8, to)
		__field(u8, requester)
		__field(u8, access)
		__field(u8, have)
		__field(u8, flags)
		__field(bool, page)
	),

	TP_fast_assign(
		__entry->process = process;
		__entry->address = address;
		__entry->epoch = m->epoch;
		__entry->acks = m->acks;
		__entry->type = m->type;
		__entry->from = m->from;
		__entry->to = to;
		__entry->requester = m->requester;
		__entry->access = m->access;
		__entry->have = m->have;
		__entry->flags = m->flags;
		__entry->page = page;
	),

	TP_printk("process=%#llx address=%#lx type=%s from=%u to=%u access=%s have=%s flags=%s epoch=%llu requester=%u acks=%#llx page=%u",
		  __entry->process, __entry->address,
		  __print_symbolic(__entry->type, PROCSHARE_TRACE_TYPE),
		  __entry->from, __entry->to,
		  __print_symbolic(__entry->access, PROCSHARE_TRACE_ACCESS),
		  __print_symbolic(__entry->have, PROCSHARE_TRACE_ACCESS),
		  __print_flags(__entry->flags, "|",
				{ COH_DATA, "DATA" },
				{ COH_ERROR, "ERROR" },
				{ COH_THIRD, "THIRD" }),
		  __entry->epoch, __entry->requester, __entry->acks,
		  __entry->page)
);

/* Home or shadow: a coherence message is queued for another node. */
DEFINE_EVENT(procshare_coherence, procshare_coherence_send,

	TP_PROTO(u64 process, unsigned long address, const struct coh_msg *m,
		 u8 to, bool page),

	TP_ARGS(process, address, m, to, page)
);

/* Home or shadow: one is about to be delivered to the page's machine. */
DEFINE_EVENT(procshare_coherence, procshare_coherence_receive,

	TP_PROTO(u64 process, unsigned long address, const struct coh_msg *m,
		 u8 to, bool page),

	TP_ARGS(process, address, m, to, page)
);

/* Home: a node has asked for demand-zero pages of a block, a bit each. */
TRACE_EVENT(procshare_zero,

	TP_PROTO(u64 process, unsigned long address, u8 node, u64 pages, u64 granted),

	TP_ARGS(process, address, node, pages, granted),

	TP_STRUCT__entry(
		__field(u64, process)
		__field(unsigned long, address)
		__field(u64, pages)
		__field(u64, granted)
		__field(u8, node)
	),

	TP_fast_assign(
		__entry->process = process;
		__entry->address = address;
		__entry->pages = pages;
		__entry->granted = granted;
		__entry->node = node;
	),

	TP_printk("process=%#llx address=%#lx node=%u pages=%#llx granted=%#llx",
		  __entry->process, __entry->address, __entry->node, __entry->pages,
		  __entry->granted)
);

/* Shadow: a thread forwards a system call.  Home: it has arrived. */
TRACE_EVENT(procshare_call,

	TP_PROTO(u64 process, u32 tid, long nr),

	TP_ARGS(process, tid, nr),

	TP_STRUCT__entry(
		__field(u64, process)
		__field(u32, tid)
		__field(long, nr)
	),

	TP_fast_assign(
		__entry->process = process;
		__entry->tid = tid;
		__entry->nr = nr;
	),

	TP_printk("process=%#llx tid=%u nr=%ld", __entry->process, __entry->tid,
		  __entry->nr)
);

/* Home: the result of a forwarded call is sent.  Shadow: it has arrived. */
TRACE_EVENT(procshare_return,

	TP_PROTO(u64 process, u32 tid, u64 value, u32 flags),

	TP_ARGS(process, tid, value, flags),

	TP_STRUCT__entry(
		__field(u64, process)
		__field(u32, tid)
		__field(u32, flags)
		__field(s64, value)
	),

	TP_fast_assign(
		__entry->process = process;
		__entry->tid = tid;
		__entry->flags = flags;
		__entry->value = value;
	),

	TP_printk("process=%#llx tid=%u value=%lld flags=%s", __entry->process,
		  __entry->tid, __entry->value,
		  __print_flags(__entry->flags, "|",
				{ PROCSHARE_RETURN_HOME, "HOME" },
				{ PROCSHARE_RETURN_STATE, "STATE" }))
);

/* Home: a thread's state is sent to a node. */
TRACE_EVENT(procshare_leave,

	TP_PROTO(u64 process, u32 tid, u8 node),

	TP_ARGS(process, tid, node),

	TP_STRUCT__entry(
		__field(u64, process)
		__field(u32, tid)
		__field(u8, node)
	),

	TP_fast_assign(
		__entry->process = process;
		__entry->tid = tid;
		__entry->node = node;
	),

	TP_printk("process=%#llx tid=%u node=%u", __entry->process, __entry->tid,
		  __entry->node)
);

/* Home: a thread's state has come back from a node. */
TRACE_EVENT(procshare_back,

	TP_PROTO(u64 process, u32 tid, u8 node, u32 reason),

	TP_ARGS(process, tid, node, reason),

	TP_STRUCT__entry(
		__field(u64, process)
		__field(u32, tid)
		__field(u8, node)
		__field(u32, reason)
	),

	TP_fast_assign(
		__entry->process = process;
		__entry->tid = tid;
		__entry->node = node;
		__entry->reason = reason;
	),

	TP_printk("process=%#llx tid=%u node=%u reason=%s", __entry->process,
		  __entry->tid, __entry->node,
		  __print_symbolic(__entry->reason, PROCSHARE_TRACE_REASON))
);

/* Home: the threads of a process are to come to one node, or to part (node 255). */
TRACE_EVENT(procshare_gather,

	TP_PROTO(u64 process, u8 node),

	TP_ARGS(process, node),

	TP_STRUCT__entry(
		__field(u64, process)
		__field(u8, node)
	),

	TP_fast_assign(
		__entry->process = process;
		__entry->node = node;
	),

	TP_printk("process=%#llx node=%u", __entry->process, __entry->node)
);

/* Home: a shared process is killed because it cannot go on. */
TRACE_EVENT(procshare_doom,

	TP_PROTO(u64 process, pid_t tgid, const char *why),

	TP_ARGS(process, tgid, why),

	TP_STRUCT__entry(
		__field(u64, process)
		__field(pid_t, tgid)
		__string(why, why)
	),

	TP_fast_assign(
		__entry->process = process;
		__entry->tgid = tgid;
		__assign_str(why);
	),

	TP_printk("process=%#llx tgid=%d why=\"%s\"", __entry->process,
		  __entry->tgid, __get_str(why))
);

#endif /* _TRACE_PROCSHARE_H */

#include <trace/define_trace.h>
