/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * procshare - between the kernel and the helper that becomes a shadow process
 *
 * The kernel starts the helper, which does in advance what it can and waits in
 * PROCSHARE_AWAIT on /dev/procshare until a shadow process is wanted.  Then it
 * shows home's clocks, gives up its rights and calls PROCSHARE_HOST.  That call
 * does not return to user mode: the address space is replaced and the caller
 * serves as the leader of the shadow process until the shared process ends.
 */
#ifndef _UAPI_LINUX_PROCSHARE_SHADOW_H
#define _UAPI_LINUX_PROCSHARE_SHADOW_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PROCSHARE_SHADOW_VERSION	2

/**
 * struct procshare_host - argument of PROCSHARE_HOST
 * @version: PROCSHARE_SHADOW_VERSION
 * @reserved: 0
 * @token: as PROCSHARE_AWAIT has said
 */
struct procshare_host {
	__u32 version;
	__u32 reserved;
	__u64 token;
};

/*
 * EPERM: the caller still has capabilities; ESRCH: nobody waits for this
 * token; EBUSY: the caller has several threads; EINVAL: another version.
 */
#define PROCSHARE_HOST	_IOW(0xB7, 0x70, struct procshare_host)

/**
 * struct procshare_order - argument of PROCSHARE_AWAIT
 * @version: PROCSHARE_SHADOW_VERSION
 * @reserved: 0
 * @token: returned: for PROCSHARE_HOST
 * @monotonic: returned: CLOCK_MONOTONIC of the process minus this node's, in ns
 * @boottime: returned: the same for CLOCK_BOOTTIME
 */
struct procshare_order {
	__u32 version;
	__u32 reserved;
	__u64 token;
	__s64 monotonic;
	__s64 boottime;
};

/*
 * ESHUTDOWN: no helper is needed any more, or another one waits already; EPERM:
 * the caller may not administer the system; EINVAL: another version.
 */
#define PROCSHARE_AWAIT	_IOWR(0xB7, 0x71, struct procshare_order)

#endif /* _UAPI_LINUX_PROCSHARE_SHADOW_H */
