// SPDX-License-Identifier: GPL-2.0-only
// objects - memory mapped MAP_SHARED that has a descriptor, or a name: used beside the mapping, by others
//
// Usage: objects descriptor | linked | partial | holes | pipe | readonly | beside | outlives | killed |
// segment | storm | family

#include "workers.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/wait.h>

enum { ROUNDS = 5 };

static uint8_t* map_object(int fd, int protection) {
    void* block = mmap(NULL, 2 * PAGE, protection, MAP_SHARED, fd, 0);

    CHECK(block != MAP_FAILED);
    return block;
}

static int new_object(void) {
    const int fd = memfd_create("object", 0);

    CHECK(fd >= 0 && ftruncate(fd, 2 * PAGE) == 0);
    return fd;
}

static int byte_at(int fd, off_t where) {
    uint8_t byte;

    CHECK_EQUAL(pread(fd, &byte, 1, where), 1);
    return byte;
}

static int wait_for(pid_t child) {
    int status;

    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

// Read and written beside the mapping, by who maps it.
static void use(int fd) {
    uint8_t* block = map_object(fd, PROT_READ | PROT_WRITE);

    for (int round = 0; round < ROUNDS; round++) {
        uint8_t byte = 20 + round;

        let_all_touch(block, 10 + round);
        CHECK_EQUAL(byte_at(fd, 0), 10 + round + USERS - 1);
        CHECK_EQUAL(pwrite(fd, &byte, 1, 0), 1);
        expect_everywhere(block, 20 + round);
        byte++;
        CHECK_EQUAL(pwrite(fd, &byte, 1, 0), 1);
        expect_everywhere(block, 21 + round);
    }
    CHECK(munmap(block, 2 * PAGE) == 0);
    CHECK_EQUAL(byte_at(fd, 0), 21 + ROUNDS - 1);
    CHECK(close(fd) == 0);
}

static void descriptor(void) {
    char name[] = "/dev/shm/objectXXXXXX";
    const int fd = mkstemp(name);

    CHECK(fd >= 0 && unlink(name) == 0 && ftruncate(fd, 2 * PAGE) == 0);
    hire();
    use(new_object());
    use(fd);
    dismiss();
}

// Memory gets a name after it has been mapped, and its descriptor is closed.
static void linked(void) {
    const int fd = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);
    char self[40], name[40];
    uint8_t* block;
    int again;

    CHECK(fd >= 0 && ftruncate(fd, 2 * PAGE) == 0);
    block = map_object(fd, PROT_READ | PROT_WRITE);
    snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
    snprintf(name, sizeof(name), "/dev/shm/linked-%d", getpid());
    CHECK(linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0 && close(fd) == 0);
    hire();
    let_all_touch(block, 10);
    again = open(name, O_RDWR);
    CHECK(again >= 0 && unlink(name) == 0);
    CHECK_EQUAL(byte_at(again, 0), 10 + USERS - 1);
    dismiss();
}

// The end of a page is cut off: it is zero when the object grows again.
static void partial(void) {
    const int fd = new_object();
    uint8_t* block = map_object(fd, PROT_READ | PROT_WRITE);

    hire();
    for (int round = 0; round < ROUNDS; round++) {
        CHECK_EQUAL(ask(0, WRITE, block + 100, 10 + round), 0);
        CHECK_EQUAL(ask(1, WRITE, block + 3000, 20 + round), 0);
        CHECK(ftruncate(fd, 2000) == 0);
        CHECK(ftruncate(fd, 2 * PAGE) == 0);
        expect_everywhere(block + 100, 10 + round);
        expect_everywhere(block + 3000, 0);
    }
    dismiss();
}

// What has been written is no hole, wherever it is.
static void holes(void) {
    const int fd = new_object();
    uint8_t* block = map_object(fd, PROT_READ | PROT_WRITE);

    hire();
    CHECK_EQUAL(lseek(fd, 0, SEEK_HOLE), 0);
    CHECK_EQUAL(ask(0, WRITE, block + PAGE, 1), 0);
    CHECK_EQUAL(lseek(fd, 0, SEEK_DATA), PAGE);
    CHECK_EQUAL(lseek(fd, PAGE, SEEK_HOLE), 2 * PAGE);
    CHECK_EQUAL(ask(1, READ, block + PAGE, 0), 1);
    CHECK_EQUAL(lseek(fd, 0, SEEK_DATA), PAGE);
    dismiss();
}

// Ways of reading that take the pages themselves.
static void through_pipe(void) {
    const int fd = new_object();
    uint8_t* block = map_object(fd, PROT_READ | PROT_WRITE);
    uint8_t byte;
    int ends[2];

    CHECK(pipe(ends) == 0);
    hire();
    for (int round = 0; round < ROUNDS; round++) {
        off_t where = PAGE;

        CHECK_EQUAL(ask(round % USERS, WRITE, block + PAGE, 10 + round), 0);
        CHECK_EQUAL(splice(fd, &where, ends[1], NULL, 1, 0), 1);
        CHECK_EQUAL(read(ends[0], &byte, 1), 1);
        CHECK_EQUAL(byte, 10 + round);
        CHECK_EQUAL(splice(fd, &where, ends[1], NULL, 1, 0), 1);
        CHECK_EQUAL(ask(round % USERS, WRITE, block + PAGE + 1, 15 + round), 0);
        CHECK_EQUAL(read(ends[0], &byte, 1), 1);
        CHECK_EQUAL(byte, 15 + round);
        CHECK_EQUAL(ask(round % USERS, WRITE, block + PAGE, 20 + round), 0);
        where = PAGE;
        CHECK_EQUAL(sendfile(ends[1], fd, &where, 1), 1);
        CHECK_EQUAL(read(ends[0], &byte, 1), 1);
        CHECK_EQUAL(byte, 20 + round);
    }
    dismiss();
}

// A mapping that only reads follows what is written by another descriptor.
static void readonly(void) {
    char name[] = "/dev/shm/objectXXXXXX";
    const int writer = mkstemp(name);
    const int reader = open(name, O_RDONLY);
    uint8_t* block;

    CHECK(writer >= 0 && reader >= 0 && ftruncate(writer, 2 * PAGE) == 0);
    CHECK(unlink(name) == 0);
    block = map_object(reader, PROT_READ);
    hire();
    for (int round = 0; round < ROUNDS; round++) {
        const uint8_t byte = 10 + round;

        CHECK_EQUAL(pwrite(writer, &byte, 1, 0), 1);
        expect_everywhere(block, byte);
    }
    CHECK_EQUAL(ask(0, WRITE, block, 1), SIGNAL + SEGV_ACCERR);
    dismiss();
}

// Another process that has only the descriptor counts in turn with the threads; at last it maps it.
static void other(int fd, int from, int to) {
    uint8_t byte;
    uint8_t* block;

    for (int round = 0; round < ROUNDS; round++) {
        CHECK_EQUAL(read(from, &byte, 1), 1);
        byte = byte_at(fd, 0) + 1;
        CHECK_EQUAL(pwrite(fd, &byte, 1, 0), 1);
        CHECK_EQUAL(write(to, &byte, 1), 1);
    }
    block = map_object(fd, PROT_READ | PROT_WRITE);
    for (int round = 0; round < ROUNDS; round++) {
        CHECK_EQUAL(read(from, &byte, 1), 1);
        byte = ++*block;
        CHECK_EQUAL(write(to, &byte, 1), 1);
    }
    _exit(0);
}

static void beside(void) {
    const int fd = new_object();
    int there[2], back[2];
    uint8_t* block;
    uint8_t byte;
    pid_t child;

    CHECK(pipe(there) == 0 && pipe(back) == 0);
    child = fork();
    CHECK(child >= 0);
    if (child == 0)
        other(fd, there[0], back[1]);
    block = map_object(fd, PROT_READ | PROT_WRITE);
    hire();
    for (int round = 0; round < 2 * ROUNDS; round++) {
        CHECK_EQUAL(ask(round % USERS, WRITE, block, 2 * round + 1), 0);
        CHECK_EQUAL(write(there[1], "", 1), 1);
        CHECK_EQUAL(read(back[0], &byte, 1), 1);
        CHECK_EQUAL(byte, 2 * round + 2);
        expect_everywhere(block, byte);
    }
    CHECK_EQUAL(wait_for(child), 0);
    dismiss();
}

// Threads, a process that maps the page again and again, and one that only has its descriptor write to one
// page at the same time: nothing is lost. The first number counts them all, the others belong to one each.
enum { TIMES = 5000, BY_DESCRIPTOR = 1, FIRST_THREAD };

static int stormy;

static void* count_up(void* argument) {
    atomic_long* numbers = (atomic_long*)map_object(stormy, PROT_READ | PROT_WRITE);

    for (int i = 0; i < TIMES; i++) {
        atomic_fetch_add(&numbers[0], 1);
        atomic_fetch_add(&numbers[FIRST_THREAD + (uintptr_t)argument], 1);
    }
    return NULL;
}

static void count_by_mapping(void) {
    for (int i = 0; i < TIMES; i++) {
        static atomic_long* numbers;

        if (i % 100 == 0)
            numbers = (atomic_long*)map_object(stormy, PROT_READ | PROT_WRITE);
        atomic_fetch_add(&numbers[0], 1);
        if (i % 100 == 99)
            CHECK(munmap(numbers, 2 * PAGE) == 0);
    }
}

static void count_by_descriptor(void) {
    const off_t where = BY_DESCRIPTOR * sizeof(long);
    long number, last = 0;

    for (long i = 1; i <= TIMES / 10; i++) {
        CHECK_EQUAL(pwrite(stormy, &i, sizeof(i), where), sizeof(i));
        CHECK_EQUAL(pread(stormy, &number, sizeof(number), where), sizeof(number));
        CHECK_EQUAL(number, i);
        CHECK_EQUAL(pread(stormy, &number, sizeof(number), 0), sizeof(number));
        CHECK(number >= last);
        last = number;
    }
}

static void storm(void) {
    void (*const others[])(void) = {count_by_mapping, count_by_descriptor};
    pid_t children[2];
    const long* numbers;

    stormy = new_object();
    for (int i = 0; i < 2; i++) {
        children[i] = fork();
        CHECK(children[i] >= 0);
        if (children[i] == 0) {
            others[i]();
            _exit(0);
        }
    }
    in_threads(USERS, count_up);
    for (int i = 0; i < 2; i++)
        CHECK_EQUAL(wait_for(children[i]), 0);
    numbers = (const long*)map_object(stormy, PROT_READ);
    CHECK_EQUAL(numbers[0], (USERS + 1) * TIMES);
    CHECK_EQUAL(numbers[BY_DESCRIPTOR], TIMES / 10);
    for (int i = 0; i < USERS; i++)
        CHECK_EQUAL(numbers[FIRST_THREAD + i], TIMES);
}

// Processes that have a page from their parent write to it at the same time, and so does the parent.
static void family(void) {
    pid_t children[USERS];
    const long* numbers;

    stormy = new_object();
    numbers = (const long*)map_object(stormy, PROT_READ | PROT_WRITE);
    CHECK_EQUAL(numbers[0], 0);
    for (uintptr_t i = 0; i < USERS; i++) {
        children[i] = fork();
        CHECK(children[i] >= 0);
        if (children[i] == 0) {
            count_up((void*)i);
            _exit(0);
        }
    }
    count_up((void*)(uintptr_t)USERS);
    for (int i = 0; i < USERS; i++)
        CHECK_EQUAL(wait_for(children[i]), 0);
    CHECK_EQUAL(numbers[0], (USERS + 1) * TIMES);
    for (int i = 0; i <= USERS; i++)
        CHECK_EQUAL(numbers[FIRST_THREAD + i], TIMES);
}

// A process ends while its pages are elsewhere: others still have what they hold.
static void end_with(void (*end)(void)) {
    const int fd = new_object();
    uint8_t* memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child;

    CHECK(memory != MAP_FAILED);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        uint8_t* block = map_object(fd, PROT_READ | PROT_WRITE);

        hire();
        let_all_touch(block, 10);
        CHECK_EQUAL(ask(0, WRITE, block, 40), 0);
        CHECK_EQUAL(ask(1, WRITE, block + PAGE, 41), 0);
        CHECK_EQUAL(ask(2, WRITE, memory, 42), 0);
        end();
    }
    wait_for(child);
    CHECK_EQUAL(byte_at(fd, 0), 40);
    CHECK_EQUAL(map_object(fd, PROT_READ)[PAGE], 41);
    CHECK_EQUAL(*memory, 42);
}

static void end_quietly(void) {
    _exit(0);
}

static void end_killed(void) {
    kill(getpid(), SIGKILL);
}

static void outlives(void) {
    end_with(end_quietly);
}

static void killed(void) {
    end_with(end_killed);
}

// A segment stays when nobody is attached to it.
static void segment(void) {
    const int id = shmget(IPC_PRIVATE, 2 * PAGE, IPC_CREAT | 0600);
    uint8_t* block = shmat(id, NULL, 0);

    CHECK(id >= 0 && block != (void*)-1);
    hire();
    let_all_touch(block, 10);
    CHECK_EQUAL(ask(1, WRITE, block, 20), 0);
    CHECK(shmdt(block) == 0);
    block = shmat(id, NULL, 0);
    CHECK(block != (void*)-1);
    expect_everywhere(block, 20);
    CHECK(shmctl(id, IPC_RMID, NULL) == 0);
    dismiss();
}

int main(int argc, char** argv) {
    static const struct part parts[] = {
        {"descriptor", descriptor},
        {"linked", linked},
        {"partial", partial},
        {"holes", holes},
        {"pipe", through_pipe},
        {"readonly", readonly},
        {"beside", beside},
        {"outlives", outlives},
        {"killed", killed},
        {"storm", storm},
        {"segment", segment},
        {"family", family},
        {NULL, NULL},
    };

    return run_part(parts, argv[1]);
}
