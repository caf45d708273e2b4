// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - address: where a node listens, checked and compared
 */

#include <linux/in.h>
#include <linux/netlink.h>
#include <net/ipv6.h>

#include "table.h"

bool procshare_address_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_port == b4->sin_port &&
		       a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return a6->sin6_port == b6->sin6_port &&
	       a6->sin6_scope_id == b6->sin6_scope_id &&
	       ipv6_addr_equal(&a6->sin6_addr, &b6->sin6_addr);
}

int procshare_address_take(struct sockaddr_storage *to, const struct sockaddr_storage *from,
			   struct netlink_ext_ack *extack)
{
	const struct sockaddr_in *from4 = (const void *)from;
	const struct sockaddr_in6 *from6 = (const void *)from;
	struct sockaddr_in *to4 = (void *)to;
	struct sockaddr_in6 *to6 = (void *)to;
	__be16 port;

	memset(to, 0, sizeof(*to));
	to->ss_family = from->ss_family;
	if (from->ss_family == AF_INET) {
		port = from4->sin_port;
		to4->sin_addr = from4->sin_addr;
		to4->sin_port = port ?: htons(PROCSHARE_DEFAULT_PORT);
	} else if (from->ss_family == AF_INET6) {
		port = from6->sin6_port;
		to6->sin6_addr = from6->sin6_addr;
		to6->sin6_scope_id = from6->sin6_scope_id;
		to6->sin6_port = port ?: htons(PROCSHARE_DEFAULT_PORT);
	} else {
		NL_SET_ERR_MSG(extack, "the address is neither IPv4 nor IPv6");
		return -EAFNOSUPPORT;
	}
	return 0;
}

bool procshare_address_nowhere(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *in = (const void *)address;
	const struct sockaddr_in6 *in6 = (const void *)address;

	if (address->ss_family == AF_INET)
		return ipv4_is_zeronet(in->sin_addr.s_addr) ||
		       ipv4_is_multicast(in->sin_addr.s_addr) ||
		       ipv4_is_lbcast(in->sin_addr.s_addr);
	return ipv6_addr_any(&in6->sin6_addr) || ipv6_addr_is_multicast(&in6->sin6_addr);
}
