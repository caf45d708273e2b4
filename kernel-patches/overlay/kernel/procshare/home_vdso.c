// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - home_vdso: a thread that comes home in the middle of the vDSO
 *
 * On other nodes the process is in a time namespace, where the vDSO finds the
 * kernel's data one page further on, and it keeps that address.  A thread whose
 * function touches memory that stays at home goes on here with it, as getrandom()
 * always does: so the page has to be there, too.
 */

#include <linux/mm.h>
#include <linux/time_namespace.h>
#include <vdso/datapage.h>
#include <asm/vdso.h>
#include <asm/vvar.h>

#include "home.h"

/* Only the kernel's own mapping, wherever the program has moved it. */
static struct vm_area_struct *find_data(struct mm_struct *mm, unsigned long address)
{
	struct vm_area_struct *vma = vma_lookup(mm, address);

	if (!vma || !(vma->vm_flags & VM_PFNMAP) || !vma->vm_ops || !vma->vm_ops->name ||
	    strcmp(vma->vm_ops->name(vma), "[vvar]"))
		return NULL;
	return vma;
}

/* Before the first thread leaves; the caller holds the mmap lock for writing. */
void home_vdso_prepare(struct procshare_process *p)
{
	const struct vdso_image *image = p->mm->context.vdso_image;
	unsigned long address, pfn = __pa_symbol(&__vvar_page) >> PAGE_SHIFT;
	struct vm_area_struct *vma;

	/* In a namespace at home the layout is the same. */
	if (image != &vdso_image_64 || p->time_ns != &init_time_ns)
		return;
	address = (unsigned long)p->mm->context.vdso + image->sym_timens_page;
	vma = find_data(p->mm, address);
	/* Without memory it is as if this was not here. */
	if (vma)
		vmf_insert_pfn(vma, address, pfn);
}
