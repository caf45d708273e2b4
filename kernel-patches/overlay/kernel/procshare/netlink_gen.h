/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/procshare.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_PROCSHARE_GEN_H
#define _LINUX_PROCSHARE_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/procshare.h>

/* Ops table for procshare */
extern const struct genl_split_ops procshare_nl_ops[11];

int procshare_nl_node_join_doit(struct sk_buff *skb, struct genl_info *info);
int procshare_nl_node_leave_doit(struct sk_buff *skb, struct genl_info *info);
int procshare_nl_node_add_doit(struct sk_buff *skb, struct genl_info *info);
int procshare_nl_node_set_doit(struct sk_buff *skb, struct genl_info *info);
int procshare_nl_node_del_doit(struct sk_buff *skb, struct genl_info *info);
int procshare_nl_node_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int procshare_nl_process_attach_doit(struct sk_buff *skb,
				     struct genl_info *info);
int procshare_nl_migrate_doit(struct sk_buff *skb, struct genl_info *info);
int procshare_nl_process_get_dumpit(struct sk_buff *skb,
				    struct netlink_callback *cb);
int procshare_nl_stats_get_dumpit(struct sk_buff *skb,
				  struct netlink_callback *cb);
int procshare_nl_bench_echo_doit(struct sk_buff *skb, struct genl_info *info);

#endif /* _LINUX_PROCSHARE_GEN_H */
