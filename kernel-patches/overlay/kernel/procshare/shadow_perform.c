// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - shadow_perform: what a page's machine asks for is done on a shadow's node
 *
 * Under the page's mutex; messages are queued, the caller pushes them out.
 */

#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>

#include "cluster.h"
#include "lazy_tlb.h"
#include "page_message.h"
#include "shadow.h"

#include <trace/events/procshare.h>

/* A page that has just come is kept so long: who waits for it needs a CPU first. */
#define HOLD_GRANTED_NS	(10 * NSEC_PER_MSEC)

static void send_one(struct shadow_page *sp, const struct coh_msg *m)
{
	struct coh_msg said = *m;
	struct procshare_msg *msg;
	struct page_area area = sp->area;

	if (said.type == COH_GRANT && sp->unwritten)
		said.flags |= COH_UNWRITTEN;
	if (said.flags & COH_DATA && !sp->frame)
		area.prot |= PROCSHARE_PROT_ZERO;
	msg = page_message_pack(sp->shadow->id, sp->address, &said, &area, sp->frame,
				GFP_KERNEL);
	if (!msg) {
		shadow_kill(sp->shadow, "no memory for a page message");
		return;
	}
	trace_procshare_coherence_send(msg->process, sp->address, m, m->to, msg->page);
	shadow_meet(sp->shadow, m->to);
	/* The loss of the link may have been told before the page was to go there. */
	if (!procshare_queue(m->to, msg) || !(procshare_nodes_up() & coh_bit(m->to)))
		shadow_kill(sp->shadow, "there is no link to a node it shares pages with");
}

/*
 * Frames are mapped by hand, so nobody else charges them to the helper's group.
 * At its limit this fails at once: nobody is throttled or killed by the OOM killer
 * while the link waits.
 */
static bool charge(struct shadow *s, struct page *page)
{
	struct mem_cgroup *old = set_active_memcg(s->memcg);
	int err = memcg_kmem_charge_page(page, GFP_NOWAIT | __GFP_NOWARN, 0);

	set_active_memcg(old);
	return !err;
}

static bool keep(struct shadow_page *sp, struct page *page)
{
	sp->frame = page;
	if (page && charge(sp->shadow, page))
		return true;
	shadow_kill(sp->shadow, "no memory for a page");
	return false;
}

/* Somebody touches the page: pages of zeros are not made before. */
bool shadow_page_frame(struct shadow_page *sp)
{
	return sp->frame || keep(sp, alloc_page(GFP_HIGHUSER | __GFP_ZERO));
}

/* The page came along, or it is all zero. */
static void store(struct shadow_page *sp, struct procshare_msg *arrived)
{
	if (sp->frame)
		put_page(sp->frame);
	sp->frame = NULL;
	sp->fresh = !arrived->page;
	if (arrived->page)
		keep(sp, arrived->page);
	arrived->page = NULL;
}

static void drop(struct shadow_page *sp)
{
	if (sp->frame)
		put_page(sp->frame);
	sp->frame = NULL;
	sp->fresh = false;
	sp->vain |= sp->ahead && sp->unwritten;
	sp->ahead = false;
}

static void unmap(struct shadow_page *sp)
{
	struct mm_struct *mm = lazy_tlb_leave();

	unmap_mapping_range(sp->shadow->inode->i_mapping, sp->address, PAGE_SIZE, 1);
	lazy_tlb_enter(mm);
}

static void write_protect(struct shadow_page *sp)
{
	struct mm_struct *mm = lazy_tlb_leave();

	wp_shared_mapping_range(sp->shadow->inode->i_mapping,
				sp->address >> PAGE_SHIFT, 1);
	lazy_tlb_enter(mm);
}

/* @arrived: the message that was delivered, for its page. */
void shadow_page_perform(struct shadow_page *sp, const struct coh_out *out,
			 struct procshare_msg *arrived)
{
	unsigned int i;

	for (i = 0; i < out->n; i++) {
		switch (out->a[i].act) {
		case COH_SEND:
			send_one(sp, &out->a[i].msg);
			break;
		case COH_UNMAP:
			unmap(sp);
			break;
		case COH_WRPROTECT:
			write_protect(sp);
			break;
		case COH_STORE:
			store(sp, arrived);
			break;
		case COH_INSTALL:
			sp->held_until = ktime_add_ns(ktime_get(), sp->waiters ?
						      HOLD_GRANTED_NS : 0);
			break;
		case COH_DROP:
			drop(sp);
			break;
		case COH_FAIL:
			sp->failures += !sp->guessed;
			sp->zero_refused |= sp->zero_asked;
			fallthrough;
		case COH_WAKE:
			wake_up_all(shadow_page_waits(sp));
			break;
		}
	}
}
