/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare - control over generic netlink, see netlink.c */
#ifndef _PROCSHARE_NETLINK_H
#define _PROCSHARE_NETLINK_H

#include <linux/init.h>

/* The last step of initialisation: from here on tools may ask for anything. */
int __init procshare_netlink_init(void);

#endif /* _PROCSHARE_NETLINK_H */
