// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - control over generic netlink: the family and the node table
 *
 * Documentation/netlink/specs/procshare.yaml describes the operations; the
 * policies that check attributes are generated from it (netlink_gen.c).
 */

#include <linux/build_bug.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sort.h>
#include <net/genetlink.h>
#include <net/ipv6.h>

#include "cluster.h"
#include "netlink.h"
#include "netlink_gen.h"

static_assert(PROCSHARE_NODE_MAX + 1 == PROCSHARE_MAX_NODES);
static_assert(PROCSHARE_WIRE_BODY_MAX >= PROCSHARE_ECHO_SIZE_MAX);

static struct genl_family procshare_nl_family __ro_after_init = {
	.name		= PROCSHARE_FAMILY_NAME,
	.version	= PROCSHARE_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,	/* attach, migrate and echo may take their time */
	.module		= THIS_MODULE,
	.split_ops	= procshare_nl_ops,
	.n_split_ops	= ARRAY_SIZE(procshare_nl_ops),
};

static int read_addr4(const struct nlattr *attr, u16 port,
		      struct sockaddr_storage *address,
		      struct netlink_ext_ack *extack)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)address;
	__be32 addr = nla_get_in_addr(attr);

	if (ipv4_is_zeronet(addr) || ipv4_is_multicast(addr) ||
	    ipv4_is_lbcast(addr)) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "not the address of one machine");
		return -EINVAL;
	}
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = addr;
	sin->sin_port = htons(port);
	return 0;
}

static int read_addr6(const struct nlattr *attr, u16 port,
		      struct sockaddr_storage *address,
		      struct netlink_ext_ack *extack)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)address;
	struct in6_addr addr = nla_get_in6_addr(attr);

	if (ipv6_addr_any(&addr) || ipv6_addr_is_multicast(&addr) ||
	    ipv6_addr_v4mapped(&addr)) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "not the IPv6 address of one machine");
		return -EINVAL;
	}
	sin6->sin6_family = AF_INET6;
	sin6->sin6_addr = addr;
	sin6->sin6_port = htons(port);
	return 0;
}

/* The id and the address that join, add and set have in common. */
static int read_node(struct genl_info *info, unsigned int *id,
		     struct sockaddr_storage *address)
{
	struct nlattr *addr4 = info->attrs[PROCSHARE_A_NODE_ADDR4];
	struct nlattr *addr6 = info->attrs[PROCSHARE_A_NODE_ADDR6];
	u16 port = PROCSHARE_DEFAULT_PORT;

	if (GENL_REQ_ATTR_CHECK(info, PROCSHARE_A_NODE_ID))
		return -EINVAL;
	if (!addr4 == !addr6) {
		GENL_SET_ERR_MSG(info, "a node needs one address, IPv4 or IPv6");
		return -EINVAL;
	}
	*id = nla_get_u32(info->attrs[PROCSHARE_A_NODE_ID]);
	if (info->attrs[PROCSHARE_A_NODE_PORT])
		port = nla_get_u16(info->attrs[PROCSHARE_A_NODE_PORT]);
	memset(address, 0, sizeof(*address));
	if (addr4)
		return read_addr4(addr4, port, address, info->extack);
	return read_addr6(addr6, port, address, info->extack);
}

int procshare_nl_node_join_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *key = info->attrs[PROCSHARE_A_NODE_KEY];
	struct sockaddr_storage address;
	unsigned int id;
	int err;

	err = read_node(info, &id, &address);
	if (err)
		return err;
	if (GENL_REQ_ATTR_CHECK(info, PROCSHARE_A_NODE_KEY))
		return -EINVAL;
	if (nla_len(key) < PROCSHARE_KEY_MIN || nla_len(key) > PROCSHARE_KEY_MAX) {
		NL_SET_ERR_MSG_ATTR(info->extack, key, "a key has 16 to 64 bytes");
		return -EINVAL;
	}
	return procshare_cluster_join(id, &address, nla_data(key), nla_len(key),
				      info->extack);
}

int procshare_nl_node_leave_doit(struct sk_buff *skb, struct genl_info *info)
{
	return procshare_cluster_leave(info->extack);
}

int procshare_nl_node_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sockaddr_storage address;
	unsigned int id;
	int err;

	err = read_node(info, &id, &address);
	if (err)
		return err;
	return procshare_node_add(id, &address, info->extack);
}

int procshare_nl_node_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sockaddr_storage address;
	unsigned int id;
	int err;

	err = read_node(info, &id, &address);
	if (err)
		return err;
	return procshare_node_set(id, &address, info->extack);
}

int procshare_nl_node_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	if (GENL_REQ_ATTR_CHECK(info, PROCSHARE_A_NODE_ID))
		return -EINVAL;
	return procshare_node_del(nla_get_u32(info->attrs[PROCSHARE_A_NODE_ID]),
				  info->extack);
}

static int put_address(struct sk_buff *skb, const struct sockaddr_storage *address)
{
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)address;
	const struct sockaddr_in *sin = (const struct sockaddr_in *)address;

	if (address->ss_family == AF_INET6)
		return nla_put_in6_addr(skb, PROCSHARE_A_NODE_ADDR6, &sin6->sin6_addr) ?:
		       nla_put_u16(skb, PROCSHARE_A_NODE_PORT, ntohs(sin6->sin6_port));
	return nla_put_in_addr(skb, PROCSHARE_A_NODE_ADDR4, sin->sin_addr.s_addr) ?:
	       nla_put_u16(skb, PROCSHARE_A_NODE_PORT, ntohs(sin->sin_port));
}

static int put_node(struct sk_buff *skb, const struct genl_info *info,
		    const struct procshare_node_info *node)
{
	void *header = genlmsg_iput(skb, info);

	if (!header)
		return -EMSGSIZE;
	if (nla_put_u32(skb, PROCSHARE_A_NODE_ID, node->id) ||
	    nla_put_u32(skb, PROCSHARE_A_NODE_STATE, node->state) ||
	    put_address(skb, &node->address) ||
	    (node->reason[0] &&
	     nla_put_string(skb, PROCSHARE_A_NODE_REASON, node->reason)) ||
	    nla_put_uint(skb, PROCSHARE_A_NODE_MESSAGES_OUT, node->messages_out) ||
	    nla_put_uint(skb, PROCSHARE_A_NODE_MESSAGES_IN, node->messages_in) ||
	    nla_put_uint(skb, PROCSHARE_A_NODE_BYTES_OUT, node->bytes_out) ||
	    nla_put_uint(skb, PROCSHARE_A_NODE_BYTES_IN, node->bytes_in)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

/* A dump's place between two calls; all zero in front of the first. */
struct node_cursor {
	int next;	/* the smallest id that has not been put */
};

int procshare_nl_node_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct node_cursor *at = (struct node_cursor *)cb->ctx;
	struct procshare_node_info node;
	int id = at->next - 1;

	NL_ASSERT_DUMP_CTX_FITS(struct node_cursor);
	while (procshare_node_next(&id, &node)) {
		int err = put_node(skb, genl_info_dump(cb), &node);

		if (err)
			return err;
		at->next = id + 1;
	}
	return 0;
}

static int compare_u64(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static int put_ns(struct sk_buff *skb, int attribute, u64 ns)
{
	return nla_put_u32(skb, attribute, min_t(u64, ns, U32_MAX));
}

/* Sorts @ns. */
static int put_durations(struct sk_buff *skb, u64 *ns, u32 count, u64 total_ns)
{
	u64 sum = 0;
	u32 i;

	sort(ns, count, sizeof(*ns), compare_u64, NULL);
	for (i = 0; i < count; i++)
		sum += ns[i];
	return put_ns(skb, PROCSHARE_A_ECHO_MIN_NS, ns[0]) ?:
	       put_ns(skb, PROCSHARE_A_ECHO_MEDIAN_NS, ns[count / 2]) ?:
	       put_ns(skb, PROCSHARE_A_ECHO_P99_NS, ns[count * 99 / 100]) ?:
	       put_ns(skb, PROCSHARE_A_ECHO_MEAN_NS, div_u64(sum, count)) ?:
	       nla_put_uint(skb, PROCSHARE_A_ECHO_TOTAL_NS, total_ns);
}

static int reply_durations(struct genl_info *info, u64 *ns, u32 count, u64 total_ns)
{
	struct sk_buff *msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *header;

	if (!msg)
		return -ENOMEM;
	header = genlmsg_iput(msg, info);
	if (!header || put_durations(msg, ns, count, total_ns)) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, header);
	return genlmsg_reply(msg, info);
}

int procshare_nl_bench_echo_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *window = info->attrs[PROCSHARE_A_ECHO_WINDOW];
	u64 total_ns;
	u32 count;
	u64 *ns;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, PROCSHARE_A_ECHO_NODE) ||
	    GENL_REQ_ATTR_CHECK(info, PROCSHARE_A_ECHO_REQUEST) ||
	    GENL_REQ_ATTR_CHECK(info, PROCSHARE_A_ECHO_REPLY) ||
	    GENL_REQ_ATTR_CHECK(info, PROCSHARE_A_ECHO_COUNT))
		return -EINVAL;
	count = nla_get_u32(info->attrs[PROCSHARE_A_ECHO_COUNT]);
	ns = kvcalloc(count, sizeof(*ns), GFP_KERNEL);
	if (!ns)
		return -ENOMEM;
	err = procshare_echo(nla_get_u32(info->attrs[PROCSHARE_A_ECHO_NODE]),
			     nla_get_u32(info->attrs[PROCSHARE_A_ECHO_REQUEST]),
			     nla_get_u32(info->attrs[PROCSHARE_A_ECHO_REPLY]),
			     count, window ? nla_get_u32(window) : 1, ns, &total_ns,
			     info->extack);
	if (!err)
		err = reply_durations(info, ns, count, total_ns);
	kvfree(ns);
	return err;
}

int __init procshare_netlink_init(void)
{
	return genl_register_family(&procshare_nl_family);
}
