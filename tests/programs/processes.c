// SPDX-License-Identifier: GPL-2.0-only
// processes - fork, exec, vfork, spawn, system and wait, from threads that may be anywhere
//
// Usage: processes PART

#include "check.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { PAGE = 4096, PAGES = 8 };

extern char** environ;
static uint8_t memory[PAGES * PAGE] __attribute__((aligned(PAGE)));
static atomic_int stop, ready;

static int wait_for(pid_t pid) {
    int status;

    CHECK_EQUAL(waitpid(pid, &status, 0), pid);
    return status;
}

static void expect_exit(pid_t pid, int code) {
    int status = wait_for(pid);

    CHECK(WIFEXITED(status), "status %#x", status);
    CHECK_EQUAL(WEXITSTATUS(status), code);
}

// The child has the memory of the moment of the fork, and what either writes then is its own.
static void* fork_here(void* argument) {
    uint8_t mark = (uintptr_t)argument + 1;
    pid_t pid;

    memset(memory, mark, sizeof(memory));
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        for (size_t i = 0; i < sizeof(memory); i += 64)
            CHECK_EQUAL(memory[i], mark);
        memset(memory, 0xee, sizeof(memory));
        _exit(40 + mark);
    }
    for (int page = 0; page < PAGES; page++)
        memory[page * PAGE] = mark + 100;
    expect_exit(pid, 40 + mark);
    for (int page = 0; page < PAGES; page++) {
        CHECK_EQUAL(memory[page * PAGE], mark + 100);
        CHECK_EQUAL(memory[page * PAGE + 1], mark);
    }
    return NULL;
}

static void part_fork(void) {
    fork_here((void*)10);
    for (int i = 0; i < 3; i++)
        join(start(fork_here, i));
}

// Forking while others write: the child's copy is of one moment. Each page holds the same number twice, and
// later pages never a newer one than earlier pages.
static void* keep_writing(void* argument) {
    uint64_t n = 0;

    atomic_fetch_add(&ready, 1);
    while (!atomic_load(&stop)) {
        n++;
        for (int page = 0; page < PAGES; page++)
            atomic_store((atomic_ulong*)(memory + page * PAGE), n);
    }
    return NULL;
}

static uint64_t look(int page) {
    return *(uint64_t*)(memory + page * PAGE);
}

static void part_snapshot(void) {
    pthread_t writer = start(keep_writing, 0);

    while (!atomic_load(&ready))
        sched_yield();
    for (int i = 0; i < 6; i++) {
        pid_t pid = fork();

        CHECK(pid >= 0);
        if (pid == 0) {
            for (int page = 1; page < PAGES; page++)
                CHECK(look(page) == look(0) || look(page) + 1 == look(0), "%lu after %lu", look(page),
                      look(0));
            for (int page = 2; page < PAGES; page++)
                CHECK(look(page) <= look(page - 1));
            usleep(10000);
            CHECK(look(PAGES - 1) <= look(0));
            _exit(0);
        }
        expect_exit(pid, 0);
    }
    stop = 1;
    join(writer);
}

// Children that make threads and children of their own.
static void* add_up(void* argument) {
    atomic_fetch_add(&ready, 1);
    return argument;
}

static int descend(int depth) {
    pid_t pid;

    if (!depth) {
        in_threads(3, add_up);
        CHECK_EQUAL(ready, 3);
        return 10;
    }
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(descend(depth - 1));
    expect_exit(pid, 9 + depth);
    return 10 + depth;
}

static void part_generations(void) {
    CHECK_EQUAL(descend(3), 13);
}

static int capture(char* text, size_t size, FILE* stream) {
    size_t n = fread(text, 1, size - 1, stream);

    text[n] = '\0';
    return pclose(stream);
}

static void* run_programs(void* argument) {
    posix_spawn_file_actions_t actions;
    char text[100], *const arguments[] = {"sh", "-c", "exit 6", NULL};
    pid_t pid;

    CHECK_EQUAL(WEXITSTATUS(system("exit 5")), 5);
    CHECK_EQUAL(WTERMSIG(system("kill -9 $$")), SIGKILL);
    CHECK_EQUAL(capture(text, sizeof(text), popen("echo hello; exit 3", "r")), 3 << 8);
    CHECK(strcmp(text, "hello\n") == 0);
    CHECK(posix_spawn_file_actions_init(&actions) == 0);
    CHECK(posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) == 0);
    CHECK(posix_spawn(&pid, "/bin/sh", &actions, NULL, arguments, environ) == 0);
    expect_exit(pid, 6);
    CHECK_EQUAL(posix_spawn(&pid, "/no/such/program", NULL, NULL, arguments, environ), ENOENT);
    pid = vfork();
    if (pid == 0)
        execl("/bin/sh", "sh", "-c", "exit 8", NULL);
    expect_exit(pid, 8);
    pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", "exit 4", NULL);
        _exit(99);
    }
    expect_exit(pid, 4);
    return NULL;
}

static void part_run(void) {
    run_programs(NULL);
    join(start(run_programs, 1));
    in_threads(2, run_programs);
}

// exec from a thread that is not the first: it becomes the process, all others are gone.
static void* never_end(void* argument) {
    atomic_fetch_add(&ready, 1);
    for (;;)
        if (argument)
            pause();
    return NULL;
}

static char own_path[PAGE];

static void* exec_here(void* argument) {
    char pid[20];

    while (atomic_load(&ready) < 2)
        sched_yield();
    snprintf(pid, sizeof(pid), "%d", getpid());
    execl(own_path, "processes", "after-exec", pid, NULL);
    CHECK(0, "exec failed");
    return NULL;
}

static void part_exec(void) {
    CHECK(readlink("/proc/self/exe", own_path, sizeof(own_path) - 1) > 0);
    start(never_end, 0);
    start(never_end, 1);
    join(start(exec_here, 0));
}

// A program that execs itself several times, threads and all.
static void part_exec_chain(void) {
    static char left[20];
    char* text = getenv("LEFT");
    int n = text ? atoi(text) : 5;

    in_threads(2, add_up);
    if (!n)
        return;
    snprintf(left, sizeof(left), "LEFT=%d", n - 1);
    putenv(left);
    execl("/proc/self/exe", "processes", "exec-chain", NULL);
    CHECK(0, "exec failed");
}

// Several threads fork at the same time, and any of them may wait for any child.
static void* fork_often(void* argument) {
    for (int i = 0; i < 4; i++) {
        pid_t pid = fork();

        CHECK(pid >= 0);
        if (pid == 0)
            _exit(20 + i);
        expect_exit(pid, 20 + i);
    }
    return NULL;
}

static void part_concurrent(void) {
    in_threads(3, fork_often);
}

// Parent and child share a mapping that is meant to be shared, and talk over a pipe.
static void part_shared(void) {
    atomic_int* shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int ends[2];
    char byte;
    pid_t pid;

    CHECK(shared != MAP_FAILED && pipe(ends) == 0);
    pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 20; i++)
            atomic_fetch_add(shared, 1);
        CHECK_EQUAL(write(ends[1], "x", 1), 1);
        while (atomic_load(shared) < 40)
            sched_yield();
        _exit(0);
    }
    CHECK_EQUAL(read(ends[0], &byte, 1), 1);
    CHECK_EQUAL(atomic_load(shared), 20);
    for (int i = 0; i < 20; i++)
        atomic_fetch_add(shared, 1);
    expect_exit(pid, 0);
}

// As many processes at once as asked for, each with a thread of its own, until told that it is enough.
enum { CROWD = 128 };
static int gate[2], here[2];

static void* say_here(void* argument) {
    char byte = 'h';

    CHECK_EQUAL(write(here[1], &byte, 1), 1);
    CHECK_EQUAL(read(gate[0], &byte, 1), 0);
    return argument;
}

static void part_crowd(void) {
    static pid_t crowd[CROWD];
    char byte;

    CHECK(pipe(gate) == 0 && pipe(here) == 0);
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = fork();
        CHECK(crowd[i] >= 0);
        if (crowd[i] == 0) {
            close(gate[1]);
            _exit(join(start(say_here, i)));
        }
    }
    for (int i = 0; i < CROWD; i++)
        CHECK_EQUAL(read(here[0], &byte, 1), 1);
    printf("all here\n");
    fflush(stdout);
    // Whoever watches ends the wait by taking the file away.
    while (access("/tmp/crowd", F_OK) == 0)
        usleep(100000);
    close(gate[1]);
    for (int i = 0; i < CROWD; i++)
        expect_exit(crowd[i], i);
}

// What a thread asks the kernel is answered by home, wherever it is asked.
static void* ask(void* argument) {
    char name[100], line[100] = "";
    FILE* file;

    CHECK_EQUAL(getppid(), *(pid_t*)argument);
    CHECK(gethostname(name, sizeof(name)) == 0);
    file = fopen("/proc/sys/kernel/hostname", "r");
    CHECK(file && fgets(line, sizeof(line), file));
    printf("%s %s", name, line);
    fclose(file);
    memset(name, 0, sizeof(name));
    CHECK(readlink("/proc/self", name, sizeof(name) - 1) > 0 && atoi(name) == getpid());
    CHECK(chdir("/usr") == 0 && getcwd(name, sizeof(name)) && strcmp(name, "/usr") == 0);
    umask(027);
    CHECK_EQUAL(umask(022), 027);
    return NULL;
}

static void part_ask(void) {
    pid_t parent = getppid();

    CHECK(parent > 0);
    ask(&parent);
    for (int i = 0; i < 3; i++)
        join(start(ask, (uintptr_t)&parent));
}

static const struct part parts[] = {
    {"fork", part_fork},
    {"snapshot", part_snapshot},
    {"generations", part_generations},
    {"run", part_run},
    {"exec", part_exec},
    {"exec-chain", part_exec_chain},
    {"shared", part_shared},
    {"concurrent", part_concurrent},
    {"ask", part_ask},
    {"crowd", part_crowd},
    {NULL, NULL},
};

int main(int argc, char** argv) {
    if (argc == 3 && strcmp(argv[1], "after-exec") == 0) {
        CHECK_EQUAL(getpid(), atoi(argv[2]));
        printf("exec: right\n");
        return 0;
    }
    return run_part(parts, argv[1]);
}
