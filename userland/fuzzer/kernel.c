// SPDX-License-Identifier: GPL-2.0-only
// procshare - what the kernel's message code calls, for the fuzzer
#include "kernel.h"

#include <stdlib.h>

#include "cluster.h"
#include "link.h"

unsigned long jiffies;

u64 ktime_get_ns(void) {
    static u64 now;
    return now += 1000;
}

struct page* alloc_page(gfp_t gfp) {
    struct page* page = malloc(sizeof(*page));
    (void)gfp;
    if (page)
        page->refs = 1;
    return page;
}

void get_page(struct page* page) {
    page->refs++;
}

void put_page(struct page* page) {
    if (!--page->refs)
        free(page);
}

struct procshare_msg* procshare_msg_alloc(u8 type, size_t length, gfp_t gfp) {
    struct procshare_msg* msg = calloc(1, sizeof(*msg) + length);
    (void)gfp;
    if (!msg)
        return NULL;
    msg->type = type;
    msg->length = length;
    return msg;
}

void procshare_msg_free(struct procshare_msg* msg) {
    if (msg->page)
        put_page(msg->page);
    free(msg);
}

int procshare_self(void) {
    return 0;
}

void procshare_link_reason(struct procshare_link* link, const char* format, ...) {
    (void)format;
    if (!link->reason[0])
        strcpy(link->reason, "wrong");
}

bool procshare_link_clogged(struct procshare_link* link) {
    (void)link;
    return false;
}

void procshare_link_send(struct procshare_link* link, u8 type) {
    (void)link;
    (void)type;
}

void procshare_push(void) {}

void procshare_echo_receive(struct procshare_msg* msg) {
    procshare_msg_free(msg);
}
