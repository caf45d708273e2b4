/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * procshare - between the kernel and the helper that becomes a shadow process
 *
 * The kernel starts the helper with a token; the helper confines itself and
 * calls PROCSHARE_HOST on /dev/procshare.  The call does not return to user
 * mode: the address space is replaced and the caller serves as the leader of
 * the shadow process until the shared process ends.
 */
#ifndef _UAPI_LINUX_PROCSHARE_SHADOW_H
#define _UAPI_LINUX_PROCSHARE_SHADOW_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PROCSHARE_SHADOW_VERSION	1

/**
 * struct procshare_host - argument of PROCSHARE_HOST
 * @version: PROCSHARE_SHADOW_VERSION
 * @reserved: 0
 * @token: as given on the helper's command line
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

#endif /* _UAPI_LINUX_PROCSHARE_SHADOW_H */
