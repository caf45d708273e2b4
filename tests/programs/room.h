// SPDX-License-Identifier: GPL-2.0-only
// room - memory for what a call reads or writes, around which nothing may change

#ifndef ROOM_H
#define ROOM_H

#include "check.h"

enum { PAGE = 4096, FILLING = 0x5a, FROM = 1024 };

// A place in a page that is full of something else.
static inline void* room(void) {
    uint8_t* page = map_private(PAGE);

    memset(page, FILLING, PAGE);
    return page + FROM;
}

// Around the first @size bytes of it nothing has changed.
static inline void check_around(const void* place, size_t size) {
    const uint8_t* page = (const uint8_t*)place - FROM;

    for (size_t i = 0; i < PAGE; i++)
        CHECK(page[i] == FILLING || (i >= FROM && i < FROM + size), "byte %zd is %#x", (ssize_t)i - FROM,
              page[i]);
}

// Up to the end of what is mapped.
static inline void* edge(size_t size) {
    uint8_t* pages = map_private(2 * PAGE);

    CHECK(mprotect(pages + PAGE, PAGE, PROT_NONE) == 0);
    return pages + PAGE - size;
}

static inline void* read_only(void) {
    void* page = map_private(PAGE);

    CHECK(mprotect(page, PAGE, PROT_READ) == 0);
    return page;
}

static inline void expect(long result, int error) {
    CHECK(result == -1 && errno == error, "result %ld", result);
}

#endif
