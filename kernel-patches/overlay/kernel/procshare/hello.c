// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - HELLO: who is there, is it one of us, and can we work together
 *
 * Both sides send HELLO at once.  The dialer then proves that it knows the
 * cluster key, the acceptor answers with its own proof: a dialer that is
 * refused for any reason never believes that the link is up.  A proof covers
 * both HELLOs, nonces included, and the role, so it can be neither replayed nor
 * reflected.
 *
 * Locking: everything here runs in the link's thread before the link is
 * published.  The keyed hash is set up before the first link exists and freed
 * after the last one is gone (cluster.c), and is only read in between.
 */
#define pr_fmt(fmt) "procshare: " fmt

#include <crypto/algapi.h>
#include <crypto/hash.h>
#include <linux/buildid.h>
#include <linux/ctype.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/printk.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/utsname.h>

#include "cluster.h"
#include "link.h"
#include "thread_state.h"

static u8 build_id[BUILD_ID_SIZE_MAX];
static struct crypto_shash *keyed_hash;

static const char * const refusals[PROCSHARE_REFUSALS] = {
	[PROCSHARE_REFUSE_NOT] = "no reason given",
	[PROCSHARE_REFUSE_MALFORMED] = "does not speak this protocol",
	[PROCSHARE_REFUSE_VERSION] = "another protocol version",
	[PROCSHARE_REFUSE_PAGE_SIZE] = "another page size",
	[PROCSHARE_REFUSE_KERNEL] = "another kernel build",
	[PROCSHARE_REFUSE_SAME_ID] = "both are configured with the same node id",
	[PROCSHARE_REFUSE_OTHER_ID] = "another node has that address",
	[PROCSHARE_REFUSE_UNKNOWN_ID] = "not in the node table",
	[PROCSHARE_REFUSE_DIRECTION] = "dialled, though its id is the lower one",
	[PROCSHARE_REFUSE_KEY] = "wrong cluster key",
	[PROCSHARE_REFUSE_CONNECTED] = "a node with that id is connected already",
	[PROCSHARE_REFUSE_LEAVING] = "leaving the cluster",
};

static void write_cpus(struct procshare_wire_hello *hello)
{
	struct node_cpus cpus;
	unsigned int i;

	node_cpus_own(&cpus);
	hello->cpus = cpu_to_le16(cpus.count);
	for (i = 0; i < ARRAY_SIZE(hello->cpus_online); i++)
		hello->cpus_online[i] = cpu_to_le64(cpus.online[i]);
}

static void read_cpus(const struct procshare_wire_hello *hello, struct node_cpus *cpus)
{
	unsigned int i;

	cpus->count = le16_to_cpu(hello->cpus);
	for (i = 0; i < ARRAY_SIZE(hello->cpus_online); i++)
		cpus->online[i] = le64_to_cpu(hello->cpus_online[i]);
}

void procshare_hello_make(struct procshare_wire_hello *hello, unsigned int node,
			  bool dialer)
{
	memset(hello, 0, sizeof(*hello));
	hello->magic = cpu_to_le32(PROCSHARE_WIRE_MAGIC);
	hello->version = cpu_to_le32(PROCSHARE_WIRE_VERSION);
	hello->page_size = cpu_to_le32(PAGE_SIZE);
	hello->node = node;
	hello->dialer = dialer;
	hello->xfeatures = cpu_to_le64(procshare_xfeatures());
	write_cpus(hello);
	get_random_bytes(hello->nonce, sizeof(hello->nonce));
	memcpy(hello->build_id, build_id, sizeof(hello->build_id));
	strscpy(hello->release, init_uts_ns.name.release, sizeof(hello->release));
	strscpy(hello->build, init_uts_ns.name.version, sizeof(hello->build));
}

enum procshare_wire_refusal
procshare_hello_check(const struct procshare_wire_hello *mine, const void *body,
		      size_t length)
{
	const struct procshare_wire_hello *theirs = body;

	if (length < offsetofend(struct procshare_wire_hello, version) ||
	    theirs->magic != mine->magic)
		return PROCSHARE_REFUSE_MALFORMED;
	if (theirs->version != mine->version)
		return PROCSHARE_REFUSE_VERSION;
	if (length != sizeof(*theirs) || theirs->node >= PROCSHARE_MAX_NODES ||
	    theirs->dialer == mine->dialer || theirs->dialer > 1)
		return PROCSHARE_REFUSE_MALFORMED;
	if (theirs->page_size != mine->page_size)
		return PROCSHARE_REFUSE_PAGE_SIZE;
	if (memcmp(theirs->build_id, mine->build_id, sizeof(mine->build_id)) ||
	    memcmp(theirs->release, mine->release, sizeof(mine->release)) ||
	    memcmp(theirs->build, mine->build, sizeof(mine->build)))
		return PROCSHARE_REFUSE_KERNEL;
	if (theirs->node == mine->node)
		return PROCSHARE_REFUSE_SAME_ID;
	if (theirs->node < mine->node)
		return theirs->dialer ? PROCSHARE_REFUSE_DIRECTION : PROCSHARE_REFUSE_NOT;
	return theirs->dialer ? PROCSHARE_REFUSE_NOT : PROCSHARE_REFUSE_DIRECTION;
}

int procshare_hello_mac(struct crypto_shash *hash, bool dialer,
			const struct procshare_wire_hello *dialers,
			const struct procshare_wire_hello *acceptors,
			u8 mac[PROCSHARE_WIRE_MAC])
{
	static const char role[2][24] = { "procshare acceptor", "procshare dialer" };
	SHASH_DESC_ON_STACK(desc, hash);
	int error;

	desc->tfm = hash;
	error = crypto_shash_init(desc) ?:
		crypto_shash_update(desc, role[dialer], sizeof(role[dialer])) ?:
		crypto_shash_update(desc, (const u8 *)dialers, sizeof(*dialers)) ?:
		crypto_shash_finup(desc, (const u8 *)acceptors, sizeof(*acceptors), mac);
	shash_desc_zero(desc);
	return error;
}

static int make_mac(const struct procshare_hello *hello, bool dialer, bool mine,
		    u8 mac[PROCSHARE_WIRE_MAC])
{
	return procshare_hello_mac(keyed_hash, mine ? dialer : !dialer,
				   dialer ? &hello->mine : &hello->theirs,
				   dialer ? &hello->theirs : &hello->mine, mac);
}

int procshare_hello_refuse(struct procshare_link *link, enum procshare_wire_refusal why)
{
	struct procshare_wire_refuse body = { .code = cpu_to_le32(why) };

	procshare_link_reason(link, "refused: %s", refusals[why]);
	/* What the peer has sent meanwhile is read, or TCP would reset the rest. */
	if (procshare_link_write(link, PROCSHARE_WIRE_REFUSE, &body, sizeof(body)))
		return -EACCES;
	link->transport->finish(link);
	while (link->transport->receive(link, link->ahead, 1, sizeof(link->ahead)) > 0)
		if (time_after(jiffies, link->deadline))
			break;
	return -EACCES;
}

static int read_refusal(struct procshare_link *link, const void *body, size_t length)
{
	const struct procshare_wire_refuse *refuse = body;
	u32 code = length == sizeof(*refuse) ? le32_to_cpu(refuse->code) : 0;

	if (code >= PROCSHARE_REFUSALS)
		code = PROCSHARE_REFUSE_NOT;
	procshare_link_reason(link, "the peer refused: %s", refusals[code]);
	return -ECONNREFUSED;
}

/* Read a message of this type and of at most @size bytes; returns its length. */
static int expect(struct procshare_link *link, u8 type, void *body, size_t size)
{
	struct procshare_wire_header header;
	size_t length;
	int error;

	error = procshare_link_read(link, &header, sizeof(header));
	if (error)
		return error;
	length = le32_to_cpu(header.length);
	if (length > size || header.flags ||
	    le32_to_cpu(header.sequence) != link->in_sequence++)
		return procshare_hello_refuse(link, PROCSHARE_REFUSE_MALFORMED);
	error = procshare_link_read(link, body, length);
	if (error)
		return error;
	if (header.type == PROCSHARE_WIRE_REFUSE)
		return read_refusal(link, body, length);
	if (header.type != type ||
	    (link->node >= 0 && le16_to_cpu(header.sender) != link->node))
		return procshare_hello_refuse(link, PROCSHARE_REFUSE_MALFORMED);
	return length;
}

/* For people, who are helped by the version of the other kernel. */
static void name_kernel(struct procshare_link *link, const struct procshare_wire_hello *theirs)
{
	char name[32];
	unsigned int i;
	bool same = !memcmp(theirs->release, init_uts_ns.name.release, sizeof(theirs->release));

	strscpy(name, same ? theirs->build : theirs->release, sizeof(name));
	for (i = 0; name[i]; i++)
		if (!isascii(name[i]) || !isprint(name[i]))
			name[i] = '?';
	procshare_link_reason(link, "refused: another kernel build: %s there", name);
}

static enum procshare_wire_refusal
name_peer(struct procshare_link *link, const struct procshare_wire_hello *theirs,
	  enum procshare_wire_refusal why)
{
	if (why == PROCSHARE_REFUSE_KERNEL)
		name_kernel(link, theirs);
	if (link->node < 0)
		link->node = theirs->node;
	if (link->node != theirs->node &&
	    (!why || why == PROCSHARE_REFUSE_SAME_ID || why == PROCSHARE_REFUSE_DIRECTION))
		return PROCSHARE_REFUSE_OTHER_ID;
	return why;
}

int procshare_hello_meet(struct procshare_link *link, struct procshare_hello *hello)
{
	u8 body[PROCSHARE_WIRE_HELLO_MAX] __aligned(8);
	enum procshare_wire_refusal why;
	int expected = link->node;
	int length;
	int error;

	procshare_hello_make(&hello->mine, procshare_self(), link->dialer);
	error = procshare_link_write(link, PROCSHARE_WIRE_HELLO, &hello->mine,
				     sizeof(hello->mine));
	if (error)
		return error;
	/* Whom the dialer expects is compared below, with a better reason. */
	link->node = -1;
	length = expect(link, PROCSHARE_WIRE_HELLO, body, sizeof(body));
	link->node = expected;
	if (length < 0)
		return length;
	why = procshare_hello_check(&hello->mine, body, length);
	if (why > PROCSHARE_REFUSE_VERSION || !why) {
		/* It could be read, so it says whom to blame. */
		memcpy(&hello->theirs, body, sizeof(hello->theirs));
		why = name_peer(link, &hello->theirs, why);
	}
	if (why)
		return procshare_hello_refuse(link, why);
	link->xfeatures = le64_to_cpu(hello->theirs.xfeatures);
	read_cpus(&hello->theirs, &link->cpus);
	return 0;
}

int procshare_hello_prove(struct procshare_link *link, const struct procshare_hello *hello)
{
	struct procshare_wire_proof proof;
	int error;

	error = make_mac(hello, link->dialer, true, proof.mac);
	if (error)
		return error;
	return procshare_link_write(link, PROCSHARE_WIRE_PROOF, &proof, sizeof(proof));
}

int procshare_hello_verify(struct procshare_link *link, const struct procshare_hello *hello)
{
	struct procshare_wire_proof proof;
	u8 mac[PROCSHARE_WIRE_MAC];
	int error;

	error = expect(link, PROCSHARE_WIRE_PROOF, &proof, sizeof(proof));
	if (error < 0)
		return error;
	if (error != sizeof(proof))
		return procshare_hello_refuse(link, PROCSHARE_REFUSE_MALFORMED);
	error = make_mac(hello, link->dialer, false, mac);
	if (error)
		return error;
	if (crypto_memneq(proof.mac, mac, sizeof(mac)))
		return procshare_hello_refuse(link, PROCSHARE_REFUSE_KEY);
	return 0;
}

int procshare_hello_key(const void *key, size_t length)
{
	struct crypto_shash *hash = crypto_alloc_shash("hmac(sha256)", 0, 0);
	int error;

	if (IS_ERR(hash))
		return PTR_ERR(hash);
	error = crypto_shash_setkey(hash, key, length);
	if (error) {
		crypto_free_shash(hash);
		return error;
	}
	keyed_hash = hash;
	return 0;
}

void procshare_hello_forget(void)
{
	crypto_free_shash(keyed_hash);
	keyed_hash = NULL;
}

void __init procshare_hello_init(void)
{
	if (build_id_parse_buf(__start_notes, build_id, __stop_notes - __start_notes))
		pr_warn("this kernel has no build-id: builds are told apart by uname only\n");
}
