// SPDX-License-Identifier: GPL-2.0-only
// messages - scripts of accesses to fresh pages, step by step, for the kernel's trace to show what each costs
//
// Usage: messages PAGES SCRIPT...
//
// A script is a list of steps, as in "0w 1r 2r": what a node does to all its pages. The node's number (0 is
// home) is followed by r (read), w (write), d (MADV_DONTNEED) or u (munmap). If the first word is "shared"
// they are shared memory. Prints where each script's memory begins and ends; the trace at home gets a mark
// where a step begins: "SCRIPT STEP", counted from 0. One thread per node, nodes with one processor each. The
// pages are far apart: faults that are near each other may be followed by some that are asked for ahead.

#include "check.h"

#include <fcntl.h>
#include <semaphore.h>
#include <sys/mman.h>

enum { PAGE = 4096, NODES = 64, APART = 64 }; // pages from one to the next

static long pages;
static char* memory; // of the script that runs
static size_t size;
static int marker;

// Asleep until its node has something to do: what wakes it is on a page of its own.
static struct actor {
    sem_t go, done;
    pthread_t thread;
    int node;
    char what;
} __attribute__((aligned(PAGE))) actors[NODES];

static void touch(char what) {
    for (long i = 0; i < pages; i++) {
        volatile char* byte = memory + i * APART * PAGE;

        if (what == 'r')
            (void)*byte;
        else
            *byte = (char)i;
    }
}

static void act(char what) {
    if (what == 'd')
        CHECK(madvise(memory, size, MADV_DONTNEED) == 0);
    else if (what == 'u')
        CHECK(munmap(memory, size) == 0);
    else
        touch(what);
}

static void wait_for(sem_t* semaphore) {
    while (sem_wait(semaphore) != 0)
        CHECK(errno == EINTR);
}

static void* play(void* argument) {
    struct actor* me = argument;

    go_to(me->node);
    for (;;) {
        CHECK(sem_post(&me->done) == 0);
        wait_for(&me->go);
        if (!me->what)
            return NULL;
        act(me->what);
    }
}

static void hire(int node) {
    struct actor* actor = &actors[node];

    actor->node = node;
    CHECK(sem_init(&actor->go, 0, 0) == 0 && sem_init(&actor->done, 0, 0) == 0);
    actor->thread = start(play, (uintptr_t)actor);
    wait_for(&actor->done);
}

static void tell(struct actor* actor, char what) {
    actor->what = what;
    CHECK(sem_post(&actor->go) == 0);
}

static void mark(int script, int step) {
    char text[64];
    int length = snprintf(text, sizeof(text), "%d %d\n", script, step);

    CHECK(write(marker, text, (size_t)length) == length);
}

static void run_step(const char* step) {
    char* what;
    long node = strtol(step, &what, 10);

    CHECK(node >= 0 && node < NODES && what[0] && strchr("rwdu", what[0]) && !what[1], "step %s", step);
    if (node == 0) {
        act(*what);
        return;
    }
    if (!actors[node].thread)
        hire((int)node);
    tell(&actors[node], *what);
    wait_for(&actors[node].done);
}

// The first page is far from what else is mapped there, too.
static void map(int flags) {
    char* all =
        mmap(NULL, size + APART * PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    CHECK(all != MAP_FAILED);
    memory = all + APART * PAGE;
    CHECK(madvise(memory, size, MADV_NOHUGEPAGE) == 0);
}

static void run_script(int script, char* words) {
    char *rest, *word = strtok_r(words, " ", &rest);
    int shared = word && strcmp(word, "shared") == 0;
    int step = 0;

    map(shared ? MAP_SHARED : MAP_PRIVATE);
    printf("%#lx %#lx\n", (unsigned long)memory, (unsigned long)memory + size);
    for (word = shared ? strtok_r(NULL, " ", &rest) : word; word; word = strtok_r(NULL, " ", &rest)) {
        mark(script, step++);
        run_step(word);
    }
}

int main(int argc, char** argv) {
    CHECK(argc > 2, "usage: messages PAGES SCRIPT...");
    pages = atol(argv[1]);
    size = (size_t)pages * APART * PAGE;
    marker = open("/sys/kernel/tracing/trace_marker", O_WRONLY | O_CLOEXEC);
    CHECK(marker >= 0);
    for (int i = 2; i < argc; i++)
        run_script(i - 2, argv[i]);
    mark(argc - 2, 0);
    for (int node = 0; node < NODES; node++)
        if (actors[node].thread) {
            tell(&actors[node], 0);
            join(actors[node].thread);
        }
    return 0;
}
