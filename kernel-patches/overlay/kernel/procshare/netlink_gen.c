// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/procshare.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/procshare.h>

/* Integer value ranges */
static const struct netlink_range_validation procshare_a_process_pid_range = {
	.min	= 1ULL,
	.max	= S32_MAX,
};

static const struct netlink_range_validation procshare_a_process_tid_range = {
	.min	= 1ULL,
	.max	= S32_MAX,
};

/* PROCSHARE_CMD_NODE_JOIN - do */
static const struct nla_policy procshare_node_join_nl_policy[PROCSHARE_A_NODE_KEY + 1] = {
	[PROCSHARE_A_NODE_ID] = NLA_POLICY_MAX(NLA_U32, PROCSHARE_NODE_MAX),
	[PROCSHARE_A_NODE_ADDR4] = { .type = NLA_U32, },
	[PROCSHARE_A_NODE_ADDR6] = NLA_POLICY_EXACT_LEN(16),
	[PROCSHARE_A_NODE_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[PROCSHARE_A_NODE_KEY] = { .type = NLA_BINARY, },
};

/* PROCSHARE_CMD_NODE_ADD - do */
static const struct nla_policy procshare_node_add_nl_policy[PROCSHARE_A_NODE_PORT + 1] = {
	[PROCSHARE_A_NODE_ID] = NLA_POLICY_MAX(NLA_U32, PROCSHARE_NODE_MAX),
	[PROCSHARE_A_NODE_ADDR4] = { .type = NLA_U32, },
	[PROCSHARE_A_NODE_ADDR6] = NLA_POLICY_EXACT_LEN(16),
	[PROCSHARE_A_NODE_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
};

/* PROCSHARE_CMD_NODE_SET - do */
static const struct nla_policy procshare_node_set_nl_policy[PROCSHARE_A_NODE_PORT + 1] = {
	[PROCSHARE_A_NODE_ID] = NLA_POLICY_MAX(NLA_U32, PROCSHARE_NODE_MAX),
	[PROCSHARE_A_NODE_ADDR4] = { .type = NLA_U32, },
	[PROCSHARE_A_NODE_ADDR6] = NLA_POLICY_EXACT_LEN(16),
	[PROCSHARE_A_NODE_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
};

/* PROCSHARE_CMD_NODE_DEL - do */
static const struct nla_policy procshare_node_del_nl_policy[PROCSHARE_A_NODE_ID + 1] = {
	[PROCSHARE_A_NODE_ID] = NLA_POLICY_MAX(NLA_U32, PROCSHARE_NODE_MAX),
};

/* PROCSHARE_CMD_PROCESS_ATTACH - do */
static const struct nla_policy procshare_process_attach_nl_policy[PROCSHARE_A_PROCESS_HOME_CPUS + 1] = {
	[PROCSHARE_A_PROCESS_POLICY] = NLA_POLICY_MAX(NLA_U32, 3),
	[PROCSHARE_A_PROCESS_NODES] = { .type = NLA_UINT, },
	[PROCSHARE_A_PROCESS_BOUNCE_MS] = NLA_POLICY_RANGE(NLA_U32, 1, PROCSHARE_BOUNCE_MAX),
	[PROCSHARE_A_PROCESS_HOME_CPUS] = { .type = NLA_FLAG, },
};

/* PROCSHARE_CMD_MIGRATE - do */
static const struct nla_policy procshare_migrate_nl_policy[PROCSHARE_A_PROCESS_NODE + 1] = {
	[PROCSHARE_A_PROCESS_PID] = NLA_POLICY_FULL_RANGE(NLA_U32, &procshare_a_process_pid_range),
	[PROCSHARE_A_PROCESS_TID] = NLA_POLICY_FULL_RANGE(NLA_U32, &procshare_a_process_tid_range),
	[PROCSHARE_A_PROCESS_NODE] = NLA_POLICY_MAX(NLA_U32, PROCSHARE_NODE_HOME),
};

/* PROCSHARE_CMD_STATS_GET - dump */
static const struct nla_policy procshare_stats_get_nl_policy[PROCSHARE_A_PROCESS_SESSION + 1] = {
	[PROCSHARE_A_PROCESS_SESSION] = { .type = NLA_UINT, },
};

/* PROCSHARE_CMD_BENCH_ECHO - do */
static const struct nla_policy procshare_bench_echo_nl_policy[PROCSHARE_A_ECHO_WINDOW + 1] = {
	[PROCSHARE_A_ECHO_NODE] = NLA_POLICY_MAX(NLA_U32, PROCSHARE_NODE_MAX),
	[PROCSHARE_A_ECHO_REQUEST] = NLA_POLICY_MAX(NLA_U32, PROCSHARE_ECHO_SIZE_MAX),
	[PROCSHARE_A_ECHO_REPLY] = NLA_POLICY_MAX(NLA_U32, PROCSHARE_ECHO_SIZE_MAX),
	[PROCSHARE_A_ECHO_COUNT] = NLA_POLICY_RANGE(NLA_U32, 1, PROCSHARE_ECHO_COUNT_MAX),
	[PROCSHARE_A_ECHO_WINDOW] = NLA_POLICY_RANGE(NLA_U32, 1, PROCSHARE_ECHO_WINDOW_MAX),
};

/* Ops table for procshare */
const struct genl_split_ops procshare_nl_ops[11] = {
	{
		.cmd		= PROCSHARE_CMD_NODE_JOIN,
		.doit		= procshare_nl_node_join_doit,
		.policy		= procshare_node_join_nl_policy,
		.maxattr	= PROCSHARE_A_NODE_KEY,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= PROCSHARE_CMD_NODE_LEAVE,
		.doit	= procshare_nl_node_leave_doit,
		.flags	= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= PROCSHARE_CMD_NODE_ADD,
		.doit		= procshare_nl_node_add_doit,
		.policy		= procshare_node_add_nl_policy,
		.maxattr	= PROCSHARE_A_NODE_PORT,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= PROCSHARE_CMD_NODE_SET,
		.doit		= procshare_nl_node_set_doit,
		.policy		= procshare_node_set_nl_policy,
		.maxattr	= PROCSHARE_A_NODE_PORT,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= PROCSHARE_CMD_NODE_DEL,
		.doit		= procshare_nl_node_del_doit,
		.policy		= procshare_node_del_nl_policy,
		.maxattr	= PROCSHARE_A_NODE_ID,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= PROCSHARE_CMD_NODE_GET,
		.dumpit	= procshare_nl_node_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= PROCSHARE_CMD_PROCESS_ATTACH,
		.doit		= procshare_nl_process_attach_doit,
		.policy		= procshare_process_attach_nl_policy,
		.maxattr	= PROCSHARE_A_PROCESS_HOME_CPUS,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= PROCSHARE_CMD_MIGRATE,
		.doit		= procshare_nl_migrate_doit,
		.policy		= procshare_migrate_nl_policy,
		.maxattr	= PROCSHARE_A_PROCESS_NODE,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= PROCSHARE_CMD_PROCESS_GET,
		.dumpit	= procshare_nl_process_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= PROCSHARE_CMD_STATS_GET,
		.dumpit		= procshare_nl_stats_get_dumpit,
		.policy		= procshare_stats_get_nl_policy,
		.maxattr	= PROCSHARE_A_PROCESS_SESSION,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= PROCSHARE_CMD_BENCH_ECHO,
		.doit		= procshare_nl_bench_echo_doit,
		.policy		= procshare_bench_echo_nl_policy,
		.maxattr	= PROCSHARE_A_ECHO_WINDOW,
		.flags		= GENL_CMD_CAP_DO,
	},
};
