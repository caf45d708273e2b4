// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - shadow_helper: the programs that become shadow processes
 *
 * To start one and to make its namespaces takes many round trips.  So one is started
 * in advance as long as there is a link to another node, and waits until a shadow
 * process is wanted.  Where none waits, START starts one.
 */

#define pr_fmt(fmt) "procshare: " fmt

#include <linux/capability.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/umh.h>
#include <linux/wait.h>
#include <uapi/linux/procshare_shadow.h>

#include "cluster.h"
#include "shadow.h"

#define REFILL_DELAY	(HZ / 20)

/* Each of these works waits for another one, of the queue that everybody uses. */
#define MOST_LAUNCHES	8

static void start_spare(struct work_struct *work);

struct workqueue_struct *shadow_launches;
static DECLARE_WAIT_QUEUE_HEAD(helpers);
static DECLARE_DELAYED_WORK(spare, start_spare);
static DEFINE_SPINLOCK(lock);	/* of what follows */
static LIST_HEAD(orders);	/* shadows that wait for a helper; counted */
static unsigned int unserved;	/* how many */
static unsigned int idle;	/* helpers that wait */
static bool spare_wanted;

int __init shadow_helper_init(void)
{
	shadow_launches = alloc_workqueue("procshare_launch", WQ_UNBOUND, MOST_LAUNCHES);
	return shadow_launches ? 0 : -ENOMEM;
}

/* Unprivileged from the start is not possible: the helper drops what it has. */
static int start_helper(void)
{
	static char path[] = CONFIG_PROCSHARE_HELPER_PATH;
	static char *envp[] = { "HOME=/", "PATH=/sbin:/bin:/usr/sbin:/usr/bin", NULL };
	char *argv[] = { path, NULL };
	int err = call_usermodehelper(path, argv, envp, UMH_WAIT_EXEC);

	return err > 0 ? -ENOEXEC : err;
}

/* A START that finds one has no error to report. */
static void start_spare(struct work_struct *work)
{
	bool missing;

	spin_lock(&lock);
	missing = unserved > idle || (spare_wanted && !idle);
	spin_unlock(&lock);
	if (missing)
		start_helper();
}

/*
 * Another helper is to wait for the next shadow process.  Threads are arriving in the
 * last one just now, and to start a helper takes much CPU time.
 */
void shadow_helper_refill(void)
{
	queue_delayed_work(shadow_launches, &spare, REFILL_DELAY);
}

/* A link to another node has come or gone. */
void shadow_helper_links_changed(void)
{
	bool wanted;
	u64 up;

	spin_lock(&lock);
	up = procshare_nodes_up();
	/* This node is one of them. */
	wanted = up & (up - 1);
	spare_wanted = wanted;
	spin_unlock(&lock);
	if (wanted)
		shadow_helper_refill();
	else
		wake_up_all(&helpers);
}

/*
 * The shadow that waits longest, with the list's reference; who takes it does not
 * wait any more.
 */
static struct shadow *take_order(void)
{
	struct shadow *s;

	spin_lock(&lock);
	s = list_first_entry_or_null(&orders, struct shadow, order);
	if (s) {
		list_del_init(&s->order);
		unserved--;
		idle--;
	}
	spin_unlock(&lock);
	return s;
}

/* A helper goes that has been killed, or is not needed: somebody may rely on it. */
static void stop_waiting(void)
{
	bool missing;

	spin_lock(&lock);
	missing = unserved > --idle;
	spin_unlock(&lock);
	if (missing)
		shadow_helper_refill();
}

/* @s is not to be hosted any more.  Did it wait for that? */
bool shadow_helper_cancel(struct shadow *s)
{
	bool waited;

	spin_lock(&lock);
	waited = !list_empty(&s->order);
	if (waited) {
		list_del_init(&s->order);
		unserved--;
	}
	spin_unlock(&lock);
	if (waited)
		shadow_put(s);
	return waited;
}

/* Have @s hosted.  An error means that there is no helper to be had. */
int shadow_helper_order(struct shadow *s)
{
	bool missing;
	int err;

	kref_get(&s->ref);
	spin_lock(&lock);
	list_add_tail(&s->order, &orders);
	missing = ++unserved > idle;
	spin_unlock(&lock);
	wake_up(&helpers);
	if (!missing)
		return 0;
	err = start_helper();
	/* Another one may have come. */
	if (!err || !shadow_helper_cancel(s))
		return 0;
	pr_warn_ratelimited("cannot start %s: error %d\n", CONFIG_PROCSHARE_HELPER_PATH,
			    -err);
	return err;
}

static bool may_wait(void)
{
	bool may;

	spin_lock(&lock);
	may = unserved || (spare_wanted && !idle);
	idle += may;
	spin_unlock(&lock);
	return may;
}

static bool has_waited(void)
{
	return READ_ONCE(unserved) || !READ_ONCE(spare_wanted);
}

static struct shadow *await_order(void)
{
	struct shadow *s;

	if (!may_wait())
		return NULL;
	do {
		wait_event_state(helpers, has_waited(), SHADOW_IDLE);
		s = take_order();
	} while (!s && READ_ONCE(spare_wanted) && !fatal_signal_pending(current));
	if (!s)
		stop_waiting();
	return s;
}

/* PROCSHARE_AWAIT: current is a helper. */
long shadow_helper_await(struct procshare_order __user *arg)
{
	struct procshare_order order;
	struct shadow *s;

	if (copy_from_user(&order, arg, sizeof(order)))
		return -EFAULT;
	if (order.version != PROCSHARE_SHADOW_VERSION || order.reserved)
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	s = await_order();
	if (!s)
		return -ESHUTDOWN;
	order.token = s->token;
	order.monotonic = s->offset[SHADOW_MONOTONIC];
	order.boottime = s->offset[SHADOW_BOOTTIME];
	shadow_put(s);
	return copy_to_user(arg, &order, sizeof(order)) ? -EFAULT : 0;
}
