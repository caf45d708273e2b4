// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_read: pages of files that have to be read in before they are given out
 *
 * Some file systems take their time, or never answer.  Whoever waits for them here holds
 * neither an address space, whose process could not be killed otherwise, nor one of the
 * workers that serve pages.
 */

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>

#include "home.h"

static struct workqueue_struct *reads;

/* The read that a claimed entry waits for. */
struct reading {
	struct work_struct work;
	struct dir_entry *e;
	struct file *file;
	pgoff_t index;
	unsigned int ahead;	/* pages, from @index on */
};

int __init home_read_init(void)
{
	reads = alloc_workqueue("procshare_read", WQ_UNBOUND, 0);
	return reads ? 0 : -ENOMEM;
}

static int read_in(const struct reading *r)
{
	struct address_space *mapping = r->file->f_mapping;
	struct folio *folio;

	DEFINE_READAHEAD(ractl, r->file, &r->file->f_ra, mapping, r->index);

	page_cache_sync_ra(&ractl, r->ahead);
	folio = read_mapping_folio(mapping, r->index, r->file);
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	folio_put(folio);
	return 0;
}

static void read_work(struct work_struct *work)
{
	struct reading *r = container_of(work, struct reading, work);

	/* Its thread comes home, and is told what is wrong. */
	if (read_in(r))
		export_refuse(r->e);
	queue_work(home_works, &r->e->work);
	fput(r->file);
	kfree(r);
}

static bool is_cached(struct address_space *mapping, pgoff_t index)
{
	struct folio *folio = filemap_get_folio(mapping, index);
	bool cached;

	if (IS_ERR(folio))
		return false;
	cached = folio_test_uptodate(folio);
	folio_put(folio);
	return cached;
}

/* Would a fault on page @index of @file wait for its file system? */
static bool must_read(struct file *file, pgoff_t index)
{
	struct address_space *mapping = file->f_mapping;

	return mapping->a_ops->read_folio && !shmem_mapping(mapping) &&
	       index < DIV_ROUND_UP(i_size_read(mapping->host), PAGE_SIZE) &&
	       !is_cached(mapping, index);
}

/*
 * Does the claimed entry have to wait until its page of @vma has been read?  Then it is
 * served again when that is so.
 */
bool home_read(struct dir_entry *e, struct vm_area_struct *vma)
{
	pgoff_t index = linear_page_index(vma, e->address);
	struct reading *r;

	if (!vma->vm_file || !must_read(vma->vm_file, index))
		return false;
	r = kmalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	if (!r)
		return false;
	INIT_WORK(&r->work, read_work);
	r->e = e;
	r->file = get_file(vma->vm_file);
	r->index = index;
	r->ahead = vma->vm_flags & VM_RAND_READ ? 1 : max(r->file->f_ra.ra_pages, 1u);
	queue_work(reads, &r->work);
	return true;
}
