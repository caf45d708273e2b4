/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare - stream: between the C that is the kernel's and the fuzzer's C++ */
#ifndef PROCSHARE_FUZZER_STREAM_H
#define PROCSHARE_FUZZER_STREAM_H

#include <stddef.h>

#include "coherence.h"

struct stream_result {
    unsigned long messages;   /* that were handed on */
    unsigned long understood; /* page messages */
    unsigned long refused;    /* page messages that make no sense */
    bool ended;               /* the link has a reason for its end */
    const char* wrong;        /* NULL if nothing is */
    struct coh_home home;
    struct coh_node node;
};

/* Receives @bytes from @peer, in pieces; returns when the link has ended. */
void stream_run(const u8* bytes, size_t length, size_t piece, unsigned int peer, struct stream_result* to);

#endif
