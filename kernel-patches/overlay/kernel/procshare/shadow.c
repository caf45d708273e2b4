// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - shadow: processes that this node hosts for other nodes
 *
 * START makes one: a helper (shadow_helper.c) confines itself and comes back
 * through /dev/procshare (shadow_host.c).  STOP, the loss of its home or
 * its own death ends it; the last reference to its mapping's file cleans up.
 */

#define pr_fmt(fmt) "procshare: " fmt

#include <linux/memcontrol.h>
#include <linux/miscdevice.h>
#include <linux/procshare.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/time_namespace.h>
#include <linux/uaccess.h>
#include <uapi/linux/procshare_shadow.h>

#include "cluster.h"
#include "file_use.h"
#include "shadow.h"

/* So many processes of one home node are hosted: more is not honest. */
#define MOST_SHADOWS	4096

static DEFINE_XARRAY(shadows);		/* by process id, folded into a long */
static atomic_t hosted[PROCSHARE_MAX_NODES];

static void shadow_free(struct work_struct *work)
{
	struct shadow *s = container_of(work, struct shadow, launch);

	atomic_dec(&hosted[s->home]);
	shadow_pages_free(s);
	if (s->leader)
		put_task_struct(s->leader);
	if (s->inode)
		iput(s->inode);
	if (s->time_ns)
		put_time_ns(s->time_ns);
	mem_cgroup_put(s->memcg);
	kfree(s);
}

static void shadow_release(struct kref *ref)
{
	struct shadow *s = container_of(ref, struct shadow, ref);

	INIT_WORK(&s->launch, shadow_free);
	queue_work(system_unbound_wq, &s->launch);
}

void shadow_put(struct shadow *s)
{
	kref_put(&s->ref, shadow_release);
}

static struct shadow *shadow_find(u64 id)
{
	struct shadow *s;

	xa_lock(&shadows);
	s = xa_load(&shadows, id);
	if (s)
		kref_get(&s->ref);
	xa_unlock(&shadows);
	return s;
}

/* Home would wait in vain for what is not said; @error is 0 or negative. */
static void tell(u64 id, u8 home, u8 type, int error, pid_t pid)
{
	struct procshare_wire_ready *ready;
	struct procshare_msg *msg;

	msg = procshare_msg_alloc(type, sizeof(*ready), GFP_KERNEL | __GFP_NOFAIL);
	msg->process = id;
	ready = (void *)msg->body;
	ready->error = cpu_to_le32(-error);
	ready->pid = cpu_to_le32(pid);
	procshare_send(home, msg);
}

/* READY or GONE. */
void shadow_tell_home(struct shadow *s, u8 type, int error)
{
	tell(s->id, s->home, type, error, s->leader ? task_tgid_nr(s->leader) : 0);
}

/* Out of the table: no message reaches it any more. */
static void forget(struct shadow *s)
{
	if (xa_cmpxchg(&shadows, s->id, s, NULL, GFP_KERNEL) == s)
		shadow_put(s);
}

/* End the shadow process; home is told unless it knows (@why NULL). */
void shadow_kill(struct shadow *s, const char *why)
{
	bool tell = why;

	spin_lock(&s->lock);
	if (s->told)
		tell = false;
	s->told = true;
	s->dead = true;
	if (s->leader)
		send_sig(SIGKILL, s->leader, 1);
	spin_unlock(&s->lock);
	if (tell) {
		pr_warn_ratelimited("shadow process of %s (home node %u) ends: %s\n",
				    s->comm, s->home, why);
		shadow_tell_home(s, PROCSHARE_WIRE_GONE, -EIO);
	}
	shadow_helper_cancel(s);
	shadow_discard_newcomers(s);
	wake_up_all(&s->wait);
	shadow_threads_wake(s);
	shadow_pages_wake(s);
	forget(s);
}

static void launch(struct work_struct *work)
{
	struct shadow *s = container_of(work, struct shadow, launch);
	int err = shadow_helper_order(s);

	if (err) {
		shadow_tell_home(s, PROCSHARE_WIRE_READY, err);
		s->told = true;
		shadow_kill(s, NULL);
	}
	shadow_put(s);
}

static struct shadow *shadow_create(struct procshare_msg *msg)
{
	struct procshare_wire_start *start = (void *)msg->body;
	struct shadow *s;
	int i;

	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return NULL;
	kref_init(&s->ref);
	s->id = msg->process;
	s->home = msg->peer;
	s->token = get_random_u64();
	s->vdso = le64_to_cpu(start->vdso);
	shadow_clock_start(s, start);
	memcpy(s->comm, start->comm, sizeof(s->comm));
	s->comm[sizeof(s->comm) - 1] = 0;
	spin_lock_init(&s->lock);
	xa_init(&s->threads);
	xa_init(&s->pages);
	INIT_LIST_HEAD(&s->newcomers);
	INIT_LIST_HEAD(&s->order);
	init_waitqueue_head(&s->wait);
	for (i = 0; i < SHADOW_WAITS; i++)
		init_waitqueue_head(&s->page_wait[i]);
	shadow_zero_init(s);
	INIT_WORK(&s->launch, launch);
	return s;
}

static void start(struct procshare_msg *msg)
{
	struct shadow *s;

	/* Only home starts its processes, and each once. */
	if (msg->length != sizeof(struct procshare_wire_start) ||
	    msg->process >> 32 != msg->peer)
		return;
	s = shadow_create(msg);
	if (!s) {
		tell(msg->process, msg->peer, PROCSHARE_WIRE_READY, -ENOMEM, 0);
		return;
	}
	if (atomic_inc_return(&hosted[s->home]) > MOST_SHADOWS) {
		shadow_tell_home(s, PROCSHARE_WIRE_READY, -EAGAIN);
		shadow_put(s);
		return;
	}
	if (xa_insert(&shadows, s->id, s, GFP_KERNEL)) {
		shadow_tell_home(s, PROCSHARE_WIRE_READY, -ENOMEM);
		shadow_put(s);
		return;
	}
	static_branch_enable(&procshare_key);
	kref_get(&s->ref);
	queue_work(shadow_launches, &s->launch);
}

/* A message about a process of another node; @msg is taken over. */
void shadow_message(struct procshare_msg *msg)
{
	struct shadow *s;

	if (msg->type == PROCSHARE_WIRE_START) {
		start(msg);
		procshare_msg_free(msg);
		return;
	}
	s = shadow_find(msg->process);
	if (!s) {
		procshare_msg_free(msg);
		return;
	}
	if (msg->type == PROCSHARE_WIRE_COHERENCE) {
		shadow_page_message(s, msg);
	} else if (msg->peer != s->home) {
		procshare_msg_free(msg);
	} else if (msg->type == PROCSHARE_WIRE_GRANT_ZERO) {
		shadow_zero_message(s, msg);
	} else if (msg->type == PROCSHARE_WIRE_STOP) {
		procshare_msg_free(msg);
		shadow_kill(s, NULL);
	} else if (msg->type == PROCSHARE_WIRE_FENCE) {
		shadow_fence(s, msg);
		procshare_msg_free(msg);
	} else {
		shadow_thread_message(s, msg);
	}
	shadow_put(s);
}

/* The next shadow from *id on, with a reference. */
static struct shadow *shadow_next(unsigned long *id)
{
	struct shadow *s;

	xa_lock(&shadows);
	s = xa_find(&shadows, id, ULONG_MAX, XA_PRESENT);
	if (s)
		kref_get(&s->ref);
	xa_unlock(&shadows);
	return s;
}

/* @s exchanges pages with @node: it cannot do without a link to there. */
void shadow_meet(struct shadow *s, unsigned int node)
{
	if (node != s->home)
		atomic64_or(coh_bit(node), &s->peers);
}

/*
 * Shadows of a lost home have nobody to run for.  What was under way between two
 * remote nodes is lost with their link, although home reaches both.
 */
void shadow_node_down(unsigned int node)
{
	unsigned long id = 0;
	struct shadow *s;

	for (; (s = shadow_next(&id)); id++) {
		if (s->home == node) {
			pr_warn_ratelimited("shadow process of %s ends: its home node %u is lost\n",
					    s->comm, node);
			shadow_kill(s, NULL);
		} else if (atomic64_read(&s->peers) & coh_bit(node)) {
			shadow_kill(s, "the link to a node it shares pages with is lost");
		}
		shadow_put(s);
	}
}

void shadow_each(void (*visit)(struct shadow *s))
{
	unsigned long id = 0;
	struct shadow *s;

	for (; (s = shadow_next(&id)); id++) {
		visit(s);
		shadow_put(s);
	}
}

/* The shadow that waits for this helper; a token serves once. */
struct shadow *shadow_claim(u64 token)
{
	unsigned long id = 0;
	struct shadow *s;

	for (; (s = shadow_next(&id)); id++) {
		spin_lock(&s->lock);
		if (s->token == token && !s->dead && !s->leader) {
			s->leader = get_task_struct(current);
			spin_unlock(&s->lock);
			s->memcg = get_mem_cgroup_from_mm(current->mm);
			return s;
		}
		spin_unlock(&s->lock);
		shadow_put(s);
	}
	return NULL;
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct procshare_host host;
	struct shadow *s;

	if (cmd == PROCSHARE_AWAIT)
		return shadow_helper_await((void __user *)arg);
	if (cmd != PROCSHARE_HOST)
		return -ENOTTY;
	if (copy_from_user(&host, (void __user *)arg, sizeof(host)))
		return -EFAULT;
	if (host.version != PROCSHARE_SHADOW_VERSION || host.reserved)
		return -EINVAL;
	if (!cap_isclear(current_cred()->cap_permitted))
		return -EPERM;
	if (!thread_group_empty(current) || atomic_read(&current->mm->mm_users) > 1)
		return -EBUSY;
	s = shadow_claim(host.token);
	if (!s)
		return -ESRCH;
	shadow_host(s);
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = device_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "procshare",
	.fops = &device_fops,
	.mode = 0600,
};

int __init shadow_init(void)
{
	return shadow_pages_init() ?: shadow_helper_init() ?: file_use_init() ?:
	       misc_register(&device);
}
