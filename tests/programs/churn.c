// SPDX-License-Identifier: GPL-2.0-only
// churn - threads and processes that are made and end, thousands of times
//
// Usage: churn threads|processes COUNT

#include "check.h"

#include <sys/wait.h>

static void* answer(void* argument) {
    return (void*)((uintptr_t)argument * 3 + 1);
}

static void make_threads(int count) {
    for (int i = 0; i < count; i++)
        CHECK_EQUAL(join(start(answer, (uintptr_t)i)), i * 3 + 1);
}

static void make_processes(int count) {
    for (int i = 0; i < count; i++) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
            execl("/bin/true", "true", NULL);
            _exit(127);
        }
        CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
        CHECK_EQUAL(status, 0);
    }
}

int main(int argc, char** argv) {
    CHECK(argc == 3, "usage: churn threads|processes COUNT");
    if (strcmp(argv[1], "threads") == 0)
        make_threads(atoi(argv[2]));
    else
        make_processes(atoi(argv[2]));
    printf("%s: right\n", argv[1]);
    return 0;
}
