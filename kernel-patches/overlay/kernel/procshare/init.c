// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - init: what exists before anybody uses it
 */

#include <linux/init.h>

#include "cluster.h"
#include "home.h"
#include "netlink.h"
#include "shadow.h"
#include "vdso.h"

static int __init procshare_init(void)
{
	return procshare_vdso_init() ?: procshare_transport_init() ?:
	       home_init() ?: procshare_netlink_init() ?: shadow_init();
}
late_initcall(procshare_init);
