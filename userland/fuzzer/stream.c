// SPDX-License-Identifier: GPL-2.0-only
// procshare - stream: bytes from a peer go through the kernel's receiving code
#include "kernel.h"

#include <stdlib.h>

#include "cluster.h"
#include "link.h"
#include "page_message.h"
#include "stream.h"
#include "zero_message.h"

// What is left of the bytes.
struct source {
    const u8* at;
    size_t left;
    size_t piece; // at most so many at once
};

static struct stream_result* result;

static int receive(struct procshare_link* link, void* to, size_t least, size_t most) {
    struct source* source = link->endpoint;
    size_t n = min_t(size_t, most, source->left);

    if (n > source->piece)
        n = source->piece > least ? source->piece : least;
    n = min_t(size_t, n, source->left);
    if (n < least)
        n = source->left; // the end comes in the middle
    if (!n)
        return 0;
    memcpy(to, source->at, n);
    source->at += n;
    source->left -= n;
    return n;
}

static const struct procshare_transport from_memory = {
    .name = "memory",
    .receive = receive,
};

// A message that is packed again says the same.
static bool survives(const struct procshare_msg* msg, const struct coh_msg* m, unsigned long address,
                     const struct page_area* area) {
    struct procshare_msg* again = page_message_pack(msg->process, address, m, area, msg->page, GFP_KERNEL);
    unsigned long address2;
    struct coh_msg m2;
    struct page_area area2;
    bool same;

    again->peer = msg->peer;
    same = page_message_unpack(again, &m2, &address2, &area2) && address2 == address &&
           area2.prot == area->prot && area2.origin == area->origin && m2.type == m->type &&
           m2.from == m->from && m2.to == m->to && m2.access == m->access && m2.have == m->have &&
           m2.flags == m->flags && m2.requester == m->requester && m2.epoch == m->epoch &&
           m2.acks == m->acks && !again->page == !msg->page;
    procshare_msg_free(again);
    return same;
}

static void deliver(const struct procshare_msg* msg) {
    struct coh_msg m;
    unsigned long address;
    struct coh_out out;
    struct page_area area;

    if (!page_message_unpack(msg, &m, &address, &area)) {
        result->refused++;
        return;
    }
    result->understood++;
    if (!survives(msg, &m, address, &area))
        result->wrong = "a page message changes when it is packed again";
    if (address & ~PAGE_MASK || address >= TASK_SIZE_MAX)
        result->wrong = "a page outside of user space";
    if (m.from != msg->peer)
        result->wrong = "a page message in another node's name";
    if ((m.flags & COH_DATA) && !msg->page)
        result->wrong = "a page message with data that did not come";
    out.n = 0;
    coh_home_message(&result->home, 0, &m, &out);
    out.n = 0;
    m.to = 1;
    coh_node_message(&result->node, 1, 2, &m, &out);
}

static void deliver_zero(const struct procshare_msg* msg) {
    struct zero_block b;

    if (!zero_message_unpack(msg, &b)) {
        result->refused++;
        return;
    }
    result->understood++;
    if (b.address % (PROCSHARE_WIRE_ZERO_PAGES * PAGE_SIZE) || b.address >= TASK_SIZE_MAX)
        result->wrong = "a block outside of user space";
    if (b.granted & ~b.pages)
        result->wrong = "a block with grants that nobody asked for";
}

// The kernel's dispatch.c would hand it on.
void procshare_receive(struct procshare_msg* msg) {
    result->messages++;
    if (msg->length > PROCSHARE_WIRE_BODY_MAX)
        result->wrong = "a message that is too long";
    if (msg->type == PROCSHARE_WIRE_COHERENCE)
        deliver(msg);
    if (msg->type == PROCSHARE_WIRE_GET_ZERO || msg->type == PROCSHARE_WIRE_GRANT_ZERO)
        deliver_zero(msg);
    procshare_msg_free(msg);
}

void stream_run(const u8* bytes, size_t length, size_t piece, unsigned int peer, struct stream_result* to) {
    struct procshare_link* link = calloc(1, sizeof(*link));
    struct source source = {bytes, length, piece};

    result = to;
    coh_home_init(&to->home);
    coh_node_init(&to->node);
    link->transport = &from_memory;
    link->endpoint = &source;
    link->node = peer;
    procshare_link_serve(link);
    to->ended = link->reason[0];
    free(link);
}
