// SPDX-License-Identifier: GPL-2.0-only
// probed - threads that call one function for ever, for tracers to look at
//
// Usage: probed

#include "check.h"

__attribute__((noinline, noclone)) void probed(void) {
    __asm__ volatile("" ::: "memory");
}

static void* call(void* argument) {
    for (;;) {
        probed();
        for (volatile int i = 0; i < 200000; i++)
            continue;
    }
    return NULL;
}

int main(void) {
    in_threads(3, call);
}
