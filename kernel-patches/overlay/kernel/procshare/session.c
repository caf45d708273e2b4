// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - session: what one `procshare run` asked for, and its totals
 *
 * Every process that descends from one procshare_attach() belongs to its
 * session.  The totals outlive the processes so that --stats can show them; of
 * sessions that have ended the table keeps the most recent ones only.
 */

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/list.h>
#include <linux/slab.h>

#include "cluster.h"
#include "home.h"

/* How many ended sessions are remembered for whoever asks for their totals. */
#define SESSIONS_KEPT	32

static DEFINE_SPINLOCK(sessions_lock);
static LIST_HEAD(sessions);		/* newest first; each holds a reference */
static u64 sessions_made;

static void session_release(struct kref *ref)
{
	struct session *s = container_of(ref, struct session, ref);

	usage_free(s->usage);
	kfree(s);
}

struct session *session_get(struct session *s)
{
	kref_get(&s->ref);
	return s;
}

void session_put(struct session *s)
{
	kref_put(&s->ref, session_release);
}

/*
 * Number the CPUs of home and then of the other nodes.  A node that joins later,
 * or has too many CPUs, has no numbers; and none has if all are home's.
 */
static void number_cpus(struct session *s)
{
	coh_set rest = session_nodes(s);
	int home = procshare_self();
	struct node_cpus cpus;
	unsigned int node;

	if (s->params.home_cpus || s->params.policy == PROCSHARE_POLICY_HOME ||
	    home < 0 || rest == coh_bit(home))
		return;
	if (!procshare_node_cpus(home, &cpus) || !cpu_layout_add(&s->cpus, home, &cpus))
		return;
	for (node = 0; node < PROCSHARE_MAX_NODES; node++)
		if (node != home && rest & coh_bit(node) &&
		    procshare_node_cpus(node, &cpus))
			cpu_layout_add(&s->cpus, node, &cpus);
}

/* The oldest of those that have ended, if there are too many; the list's reference. */
static struct session *take_outdated(void)
{
	struct session *s, *oldest = NULL;
	unsigned int ended = 0;

	list_for_each_entry_reverse(s, &sessions, recent) {
		/* Nobody but the list has a reference: under its lock that is so for good. */
		if (kref_read(&s->ref) > 1)
			continue;
		oldest = oldest ?: s;
		ended++;
	}
	if (ended <= SESSIONS_KEPT)
		return NULL;
	list_del(&oldest->recent);
	return oldest;
}

struct session *session_create(const struct procshare_params *params)
{
	struct session *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	struct session *outdated;

	if (!s)
		return NULL;
	kref_init(&s->ref);
	s->owner = current_euid();
	s->params = *params;
	number_cpus(s);

	session_get(s);
	spin_lock(&sessions_lock);
	s->id = ++sessions_made;
	list_add(&s->recent, &sessions);
	outdated = take_outdated();
	spin_unlock(&sessions_lock);
	if (outdated)
		session_put(outdated);
	return s;
}

/* The nodes that the session's threads may use now. */
coh_set session_nodes(const struct session *s)
{
	coh_set up = procshare_nodes_up();

	return s->params.nodes ? up & s->params.nodes : up;
}

static bool may_see(const struct session *s)
{
	return uid_eq(s->owner, current_euid()) || capable(CAP_SYS_PTRACE);
}

static struct session *session_find(u64 id)
{
	struct session *s;

	spin_lock(&sessions_lock);
	list_for_each_entry(s, &sessions, recent) {
		if (s->id == id && may_see(s)) {
			session_get(s);
			spin_unlock(&sessions_lock);
			return s;
		}
	}
	spin_unlock(&sessions_lock);
	return NULL;
}

bool procshare_session_usage_next(u64 session, int *node,
				  struct procshare_node_usage *usage)
{
	struct session *s = session_find(session);
	bool found;

	if (!s)
		return false;
	found = usage_next(s->usage, node, usage);
	session_put(s);
	return found;
}

bool procshare_session_reasons(u64 session, u64 counts[PROCSHARE_BACK_REASONS])
{
	struct session *s = session_find(session);
	int i;

	if (!s)
		return false;
	for (i = 0; i < PROCSHARE_BACK_REASONS; i++)
		counts[i] = atomic64_read(&s->reasons[i]);
	session_put(s);
	return true;
}
