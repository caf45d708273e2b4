// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - executor_stat: newfstatat() whose path and result travel in the messages
 *
 * What programs ask most when they start.  Otherwise home would fetch the page with the
 * path and the page with the result, which are often the caller's stack, and the caller
 * would fetch that back.
 */

#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/stat.h>
#include <linux/user_namespace.h>

#include "../../fs/internal.h"
#include "home_thread.h"

/* Others, and no path where there must be one, are for the call itself to refuse. */
#define FLAGS	(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH)

static int look_up(int dfd, const char *path, int flags, struct kstat *stat)
{
	unsigned int lookup = getname_statx_lookup_flags(flags);
	struct filename *name = getname_kernel(path);
	struct path found;
	int error;

	if (IS_ERR(name))
		return PTR_ERR(name);
	do {
		error = filename_lookup(dfd, name, lookup, &found, NULL);
		if (error)
			break;
		error = vfs_getattr(&found, stat, STATX_BASIC_STATS, flags);
		path_put(&found);
		if (!retry_estale(error, lookup))
			break;
		lookup |= LOOKUP_REVAL;
	} while (true);
	putname(name);
	return error;
}

static void fill(struct stat *to, const struct kstat *stat)
{
	*to = (struct stat) {
		.st_dev = new_encode_dev(stat->dev),
		.st_ino = stat->ino,
		.st_mode = stat->mode,
		.st_nlink = stat->nlink,
		.st_uid = from_kuid_munged(current_user_ns(), stat->uid),
		.st_gid = from_kgid_munged(current_user_ns(), stat->gid),
		.st_rdev = new_encode_dev(stat->rdev),
		.st_size = stat->size,
		.st_atime = stat->atime.tv_sec,
		.st_atime_nsec = stat->atime.tv_nsec,
		.st_mtime = stat->mtime.tv_sec,
		.st_mtime_nsec = stat->mtime.tv_nsec,
		.st_ctime = stat->ctime.tv_sec,
		.st_ctime_nsec = stat->ctime.tv_nsec,
		.st_blocks = stat->blocks,
		.st_blksize = stat->blksize,
	};
}

/*
 * Make the call of @regs with @path in place of the caller's.  False if the call has to
 * be made with the caller's; *@brought: @to is for the caller.
 */
bool executor_stat(struct pt_regs *regs, const char *path, struct stat *to, bool *brought)
{
	int dfd = regs->di, flags = regs->r10;
	struct kstat stat;
	int error;

	if (flags & ~FLAGS || (!*path && !(flags & AT_EMPTY_PATH)))
		return false;
	if (!*path && flags == AT_EMPTY_PATH && dfd >= 0)
		error = vfs_fstat(dfd, &stat);
	else
		error = look_up(dfd, path, flags | AT_NO_AUTOMOUNT, &stat);
	if (!error)
		fill(to, &stat);
	*brought = !error;
	regs->ax = error;
	return true;
}
