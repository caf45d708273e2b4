// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_lease: files that are mapped MAP_SHARED only to be read
 *
 * While nobody can write to such a file, its pages are as those of a private mapping.
 * A lease (fcntl(2), F_SETLEASE) on the area's own file says so: who opens the file to
 * write, or truncates it, waits until its pages have been taken away from all who map
 * them.  The lease is the only record: it counts as long as it is in the inode's list
 * and nobody wants it broken, and goes with the last reference to the file.
 */

#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "home.h"

/* All processes that map the file have one lease on it: this is its owner. */
static const struct lease_manager_operations lease_ops;
#define OWNER	((void *)&lease_ops)

/**
 * struct lease_break - somebody wants to write to a file
 * @work: takes its pages away, then gives the lease up
 * @file: a reference
 */
struct lease_break {
	struct work_struct work;
	struct file *file;
};

/*
 * Does whoever writes to the file break a lease on it?  Not on another machine, where
 * network file systems have reasons of their own to refuse one; nor who truncates it
 * through an overlay.  Where this machine can only read, it is as for private mappings:
 * what is changed elsewhere may be seen late.
 */
static bool writers_break_leases(const struct file *file)
{
	const struct super_block *sb = file_inode(file)->i_sb;

	if (sb_rdonly(sb))
		return true;
	return !file->f_op->setlease && sb->s_magic != FUSE_SUPER_MAGIC &&
	       !(file->f_mode & FMODE_BACKING);
}

/* Is the area of the kind above?  What tmpfs holds can do better (home_shared.c). */
bool home_lease_covers(const struct vm_area_struct *vma)
{
	const struct file *file = vma->vm_file;

	return (vma->vm_flags & (VM_MAYSHARE | VM_MAYWRITE)) == VM_MAYSHARE && file &&
	       S_ISREG(file_inode(file)->i_mode) && !shmem_mapping(file->f_mapping) &&
	       writers_break_leases(file);
}

/* ---- the lease is broken ---- */

static void break_work(struct work_struct *work)
{
	struct lease_break *b = container_of(work, struct lease_break, work);
	void *owner = OWNER;

	unmap_mapping_pages(b->file->f_mapping, 0, 0, false);
	generic_setlease(b->file, F_UNLCK, NULL, &owner);
	fput(b->file);
	kfree(b);
}

/* Who has pages of the file is not known here. */
static void doom_all(void)
{
	struct procshare_process *p;
	u64 id;

	for (id = 0; (p = process_find_next(&id)); id++) {
		process_doom(p, "no memory to take a file's pages back");
		process_put(p);
	}
}

/*
 * Called with the inode's flc_lock held; the lease does not count any more.  True if
 * it can go at once.
 */
static bool lease_break(struct file_lease *lease)
{
	struct file *file = get_file_active(&lease->c.flc_file);
	struct lease_break *b;

	/* Its last area has gone before. */
	if (!file)
		return true;
	b = kmalloc(sizeof(*b), GFP_ATOMIC);
	if (!b) {
		fput(file);
		doom_all();
		return true;
	}
	INIT_WORK(&b->work, break_work);
	b->file = file;
	queue_work(system_unbound_wq, &b->work);
	/* However long that takes. */
	lease->fl_break_time = 0;
	return false;
}

static const struct lease_manager_operations lease_ops = {
	.lm_break = lease_break,
	.lm_change = lease_modify,
};

/* ---- the lease is taken, and looked for ---- */

/*
 * May pages of @file be given out?  If so, and under the directory lock, a break that
 * begins now takes them back.
 */
bool home_lease_holds(struct file *file)
{
	struct file_lock_context *ctx = locks_inode_context(file_inode(file));
	struct file_lease *lease;
	bool holds = false;

	if (!ctx)
		return false;
	spin_lock(&ctx->flc_lock);
	list_for_each_entry(lease, &ctx->flc_lease, c.flc_list)
		if (lease->c.flc_file == file && lease->c.flc_owner == OWNER)
			holds = !(lease->c.flc_flags & FL_UNLOCK_PENDING);
	spin_unlock(&ctx->flc_lock);
	return holds;
}

/* False if somebody may write to the file, or is about to, or there is no memory. */
bool home_lease_take(struct file *file)
{
	struct file_lease *lease = locks_alloc_lease();
	int err;

	if (!lease)
		return false;
	lease->fl_lmops = &lease_ops;
	lease->c.flc_flags = FL_LEASE;
	lease->c.flc_type = F_RDLCK;
	lease->c.flc_owner = OWNER;
	lease->c.flc_file = file;
	err = generic_setlease(file, F_RDLCK, &lease, NULL);
	if (lease)
		locks_free_lease(lease);
	return !err && home_lease_holds(file);
}
