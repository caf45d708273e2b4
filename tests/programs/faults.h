// SPDX-License-Identifier: GPL-2.0-only
// faults - threads that expect SIGSEGV or SIGBUS: sigsetjmp(escape, 1) returns 1 behind one, which is in
// caught

#ifndef FAULTS_H
#define FAULTS_H

#include "check.h"

#include <setjmp.h>
#include <signal.h>

static __thread sigjmp_buf escape;
static __thread siginfo_t caught;

static void on_fault(int signal, siginfo_t* info, void* context) {
    caught = *info;
    siglongjmp(escape, 1);
}

static void catch_faults(void) {
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};

    CHECK(sigaction(SIGSEGV, &action, NULL) == 0 && sigaction(SIGBUS, &action, NULL) == 0);
}

#endif
