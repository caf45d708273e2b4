// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - executor_path: calls that name a file by a path that came with them
 *
 * newfstatat() and openat() are what programs call most when they start.
 */

#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/stat.h>
#include <linux/user_namespace.h>

#include "../../fs/internal.h"
#include "home_thread.h"

/* Others, and no path where there must be one, are for the call itself to refuse. */
#define STAT_FLAGS	(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH)

static int look_up(int dfd, const char *path, int flags, struct kstat *stat)
{
	unsigned int lookup = getname_statx_lookup_flags(flags);
	struct filename *name = getname_kernel(path);
	struct path found;
	int error;

	if (IS_ERR(name))
		return PTR_ERR(name);
retry:
	error = filename_lookup(dfd, name, lookup, &found, NULL);
	if (error)
		goto put;
	error = vfs_getattr(&found, stat, STATX_BASIC_STATS, flags);
	path_put(&found);
	if (retry_estale(error, lookup)) {
		lookup |= LOOKUP_REVAL;
		goto retry;
	}
put:
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
 * newfstatat() with @path in place of the caller's, and the status in @to.  False if the
 * call has to be made with the caller's.
 */
bool executor_stat(struct pt_regs *regs, const char *path, struct stat *to)
{
	int dfd = regs->di, flags = regs->r10;
	struct kstat stat;
	int error;

	if (flags & ~STAT_FLAGS || (!*path && !(flags & AT_EMPTY_PATH)))
		return false;
	if (!*path && flags == AT_EMPTY_PATH && dfd >= 0)
		error = vfs_fstat(dfd, &stat);
	else
		error = look_up(dfd, path, flags | AT_NO_AUTOMOUNT, &stat);
	if (!error)
		fill(to, &stat);
	regs->ax = error;
	return true;
}

static int open_path(int dfd, const char *path, const struct open_how *how)
{
	struct filename *name;
	struct open_flags op;
	struct file *file;
	int fd;

	fd = build_open_flags(how, &op);
	if (fd)
		return fd;
	name = getname_kernel(path);
	if (IS_ERR(name))
		return PTR_ERR(name);
	fd = get_unused_fd_flags(how->flags);
	if (fd >= 0) {
		file = do_filp_open(dfd, name, &op);
		if (IS_ERR(file)) {
			put_unused_fd(fd);
			fd = PTR_ERR(file);
		} else {
			fd_install(fd, file);
		}
	}
	putname(name);
	return fd;
}

/* openat(), the same way. */
bool executor_open(struct pt_regs *regs, const char *path)
{
	struct open_how how = build_open_how(regs->dx | O_LARGEFILE, regs->r10);

	if (!*path)
		return false;
	regs->ax = open_path(regs->di, path, &how);
	return true;
}
