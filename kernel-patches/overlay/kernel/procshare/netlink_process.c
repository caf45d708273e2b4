// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - control over generic netlink: shared processes
 *
 * A dump keeps only ids between two calls and looks everything else up anew,
 * so that processes, threads and nodes may come and go meanwhile.
 */

#include <linux/build_bug.h>
#include <net/genetlink.h>

#include "netlink_gen.h"
#include "process.h"
#include "transport.h"

/* The attributes of a nest are in the order of the enum that counts them. */
#define USAGE_ATTR(counter)	(PROCSHARE_A_USAGE_FAULT_READ + (counter))
#define REASON_ATTR(reason)	(PROCSHARE_A_REASONS_ASKED + (reason))

static_assert(USAGE_ATTR(PROCSHARE_COUNT_PAGES_IN) == PROCSHARE_A_USAGE_PAGES_IN);
static_assert(USAGE_ATTR(PROCSHARE_COUNT_CALLS) == PROCSHARE_A_USAGE_CALLS);
static_assert(USAGE_ATTR(PROCSHARE_COUNTERS - 1) == PROCSHARE_A_USAGE_MAX);
static_assert(REASON_ATTR(PROCSHARE_BACK_MEMORY) == PROCSHARE_A_REASONS_MEMORY);
static_assert(REASON_ATTR(PROCSHARE_BACK_REASONS - 1) == PROCSHARE_A_REASONS_MAX);

static int read_params(struct genl_info *info, struct procshare_params *params)
{
	struct nlattr *bounce_ms = info->attrs[PROCSHARE_A_PROCESS_BOUNCE_MS];
	struct nlattr *nodes = info->attrs[PROCSHARE_A_PROCESS_NODES];
	bool bounce;

	if (GENL_REQ_ATTR_CHECK(info, PROCSHARE_A_PROCESS_POLICY))
		return -EINVAL;
	params->policy = nla_get_u32(info->attrs[PROCSHARE_A_PROCESS_POLICY]);
	bounce = params->policy == PROCSHARE_POLICY_BOUNCE;
	if (bounce != !!bounce_ms) {
		GENL_SET_ERR_MSG(info, "policy bounce, and no other, needs a time");
		return -EINVAL;
	}
	params->bounce_ms = bounce_ms ? nla_get_u32(bounce_ms) : 0;
	params->nodes = nodes ? nla_get_uint(nodes) : 0;
	params->home_cpus = nla_get_flag(info->attrs[PROCSHARE_A_PROCESS_HOME_CPUS]);
	return 0;
}

int procshare_nl_process_attach_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct procshare_params params;
	struct sk_buff *msg;
	void *header;
	u64 session;
	int err;

	err = read_params(info, &params);
	if (err)
		return err;
	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	err = -EMSGSIZE;
	header = genlmsg_iput(msg, info);
	if (!header)
		goto free;
	err = procshare_attach(&params, &session, info->extack);
	if (err)
		goto free;
	err = nla_put_uint(msg, PROCSHARE_A_PROCESS_SESSION, session);
	if (err)
		goto free;
	genlmsg_end(msg, header);
	return genlmsg_reply(msg, info);

free:
	nlmsg_free(msg);
	return err;
}

int procshare_nl_migrate_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tid = info->attrs[PROCSHARE_A_PROCESS_TID];
	unsigned int node;

	if (GENL_REQ_ATTR_CHECK(info, PROCSHARE_A_PROCESS_PID) ||
	    GENL_REQ_ATTR_CHECK(info, PROCSHARE_A_PROCESS_NODE))
		return -EINVAL;
	node = nla_get_u32(info->attrs[PROCSHARE_A_PROCESS_NODE]);
	if (node > PROCSHARE_NODE_MAX && node != PROCSHARE_NODE_HOME) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[PROCSHARE_A_PROCESS_NODE],
				    "a node id is at most 63");
		return -ERANGE;
	}
	return procshare_migrate(nla_get_u32(info->attrs[PROCSHARE_A_PROCESS_PID]),
				 tid ? nla_get_u32(tid) : 0, node, info->extack);
}

static int put_process(struct sk_buff *skb,
		       const struct procshare_process_info *process)
{
	if (nla_put_u32(skb, PROCSHARE_A_PROCESS_PID, process->tgid) ||
	    nla_put_string(skb, PROCSHARE_A_PROCESS_COMM, process->comm) ||
	    nla_put_u32(skb, PROCSHARE_A_PROCESS_POLICY, process->policy) ||
	    nla_put_uint(skb, PROCSHARE_A_PROCESS_NODES, process->nodes) ||
	    nla_put_u32(skb, PROCSHARE_A_PROCESS_THREADS, process->threads))
		return -EMSGSIZE;
	if (process->policy == PROCSHARE_POLICY_BOUNCE &&
	    nla_put_u32(skb, PROCSHARE_A_PROCESS_BOUNCE_MS, process->bounce_ms))
		return -EMSGSIZE;
	return 0;
}

static int put_thread(struct sk_buff *skb, const struct procshare_thread_info *thread)
{
	struct nlattr *nest = nla_nest_start(skb, PROCSHARE_A_PROCESS_THREAD);

	if (!nest ||
	    nla_put_u32(skb, PROCSHARE_A_THREAD_TID, thread->tid) ||
	    nla_put_u32(skb, PROCSHARE_A_THREAD_NODE, thread->node) ||
	    nla_put_uint(skb, PROCSHARE_A_THREAD_REMOTE_USER_NS, thread->remote_user_ns) ||
	    nla_put_uint(skb, PROCSHARE_A_THREAD_HOME_USER_NS, thread->home_user_ns) ||
	    nla_put_string(skb, PROCSHARE_A_THREAD_COMM, thread->comm))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_usage(struct sk_buff *skb, const struct procshare_node_usage *usage)
{
	struct nlattr *nest = nla_nest_start(skb, PROCSHARE_A_PROCESS_USAGE);
	unsigned int i;

	if (!nest ||
	    nla_put_u32(skb, PROCSHARE_A_USAGE_NODE, usage->node) ||
	    nla_put_u32(skb, PROCSHARE_A_USAGE_THREADS, usage->threads) ||
	    nla_put_uint(skb, PROCSHARE_A_USAGE_USER_NS, usage->user_ns) ||
	    nla_put_uint(skb, PROCSHARE_A_USAGE_SYSTEM_NS, usage->system_ns))
		return -EMSGSIZE;
	for (i = 0; i < PROCSHARE_COUNTERS; i++)
		if (nla_put_uint(skb, USAGE_ATTR(i), usage->counters[i]))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_reasons(struct sk_buff *skb, const u64 *counts)
{
	struct nlattr *nest = nla_nest_start(skb, PROCSHARE_A_PROCESS_REASONS);
	unsigned int i;

	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < PROCSHARE_BACK_REASONS; i++)
		if (nla_put_uint(skb, REASON_ATTR(i), counts[i]))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* One message of a dump: starts with the id it is about. */
static void *begin(struct sk_buff *skb, struct netlink_callback *cb,
		   int id_attr, u64 id)
{
	void *header = genlmsg_iput(skb, genl_info_dump(cb));

	if (header && nla_put_uint(skb, id_attr, id)) {
		genlmsg_cancel(skb, header);
		return NULL;
	}
	return header;
}

/* Ends the message, or takes it back if it did not fit. */
static int finish(struct sk_buff *skb, void *header, int err)
{
	if (err)
		genlmsg_cancel(skb, header);
	else
		genlmsg_end(skb, header);
	return err;
}

/* A dump's place between two calls; all zero in front of the first. */
struct process_cursor {
	u64 id;		/* of the process that was begun last */
	s64 tid;	/* its thread that was put last */
	int node;	/* its node that was put last */
	bool inside;	/* of the process: more may follow */
};

/* Begins the next process; 1 if there was none. */
static int dump_head(struct sk_buff *skb, struct netlink_callback *cb,
		     struct process_cursor *at)
{
	u64 counts[PROCSHARE_BACK_REASONS] = {};
	struct procshare_process_info process;
	u64 id = at->id;
	void *header;
	int err;

	if (!procshare_process_next(&id, &process))
		return 1;
	procshare_reasons(id, counts);
	header = begin(skb, cb, PROCSHARE_A_PROCESS_ID, id);
	if (!header)
		return -EMSGSIZE;
	err = put_process(skb, &process) ?: put_reasons(skb, counts);
	if (!err)
		*at = (struct process_cursor){ id, -1, -1, true };
	return finish(skb, header, err);
}

static int dump_threads(struct sk_buff *skb, struct netlink_callback *cb,
			struct process_cursor *at)
{
	struct procshare_thread_info thread;
	s64 tid = at->tid;

	while (procshare_thread_next(at->id, &tid, &thread)) {
		void *header = begin(skb, cb, PROCSHARE_A_PROCESS_ID, at->id);

		if (!header || finish(skb, header, put_thread(skb, &thread)))
			return -EMSGSIZE;
		at->tid = tid;
	}
	return 0;
}

static int dump_usage(struct sk_buff *skb, struct netlink_callback *cb,
		      struct process_cursor *at)
{
	struct procshare_node_usage usage;
	int node = at->node;

	while (procshare_usage_next(at->id, &node, &usage)) {
		void *header = begin(skb, cb, PROCSHARE_A_PROCESS_ID, at->id);

		if (!header || finish(skb, header, put_usage(skb, &usage)))
			return -EMSGSIZE;
		at->node = node;
	}
	return 0;
}

int procshare_nl_process_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct process_cursor *at = (struct process_cursor *)cb->ctx;
	int err;

	NL_ASSERT_DUMP_CTX_FITS(struct process_cursor);
	for (;;) {
		if (!at->inside) {
			err = dump_head(skb, cb, at);
			if (err)
				return err < 0 ? err : 0;
		}
		err = dump_threads(skb, cb, at) ?: dump_usage(skb, cb, at);
		if (err)
			return err;
		at->inside = false;
	}
}

struct session_cursor {
	int node;	/* that was put last */
	bool inside;	/* the reasons are put */
};

static int dump_session_reasons(struct sk_buff *skb, struct netlink_callback *cb,
				u64 session)
{
	u64 counts[PROCSHARE_BACK_REASONS];
	void *header;

	if (!procshare_session_reasons(session, counts)) {
		NL_SET_ERR_MSG(cb->extack, "no such session of yours, or its totals were dropped");
		return -ENOENT;
	}
	header = begin(skb, cb, PROCSHARE_A_PROCESS_SESSION, session);
	return header ? finish(skb, header, put_reasons(skb, counts)) : -EMSGSIZE;
}

int procshare_nl_stats_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr *attr = genl_info_dump(cb)->attrs[PROCSHARE_A_PROCESS_SESSION];
	struct session_cursor *at = (struct session_cursor *)cb->ctx;
	struct procshare_node_usage usage;
	u64 session;
	int node;

	NL_ASSERT_DUMP_CTX_FITS(struct session_cursor);
	if (GENL_REQ_ATTR_CHECK(genl_info_dump(cb), PROCSHARE_A_PROCESS_SESSION))
		return -EINVAL;
	session = nla_get_uint(attr);
	if (!at->inside) {
		int err = dump_session_reasons(skb, cb, session);

		if (err)
			return err;
		*at = (struct session_cursor){ -1, true };
	}
	node = at->node;
	while (procshare_session_usage_next(session, &node, &usage)) {
		void *header = begin(skb, cb, PROCSHARE_A_PROCESS_SESSION, session);

		if (!header || finish(skb, header, put_usage(skb, &usage)))
			return -EMSGSIZE;
		at->node = node;
	}
	return 0;
}
