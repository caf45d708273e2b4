// SPDX-License-Identifier: GPL-2.0-only
// arguments - what calls read and write by pointer is as on one machine, and nothing else is touched
//
// Usage: arguments terminals | addresses | names | children | times | locks

#include "room.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>

enum { MILLISECOND = 1000000 };

// ---- terminals ----

static void* use_terminal(void* argument) {
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    struct winsize size = {.ws_row = 12, .ws_col = 34}, *seen = room();
    struct termios modes;
    char name[64], text[16] = "";
    int* waiting = room();
    int slave;

    CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    CHECK(ptsname_r(master, name, sizeof(name)) == 0);
    slave = open(name, O_RDWR | O_NOCTTY);
    CHECK(slave >= 0 && isatty(slave) && !isatty(1000));
    CHECK(ioctl(master, TIOCSWINSZ, &size) == 0 && ioctl(slave, TIOCGWINSZ, seen) == 0);
    check_around(seen, sizeof(*seen));
    CHECK(seen->ws_row == 12 && seen->ws_col == 34);
    CHECK(tcgetattr(slave, &modes) == 0 && modes.c_lflag & ICANON);
    cfmakeraw(&modes);
    CHECK(tcsetattr(slave, TCSAFLUSH, &modes) == 0 && tcgetattr(slave, &modes) == 0 &&
          !(modes.c_lflag & ICANON));
    CHECK_EQUAL(write(master, "hello", 5), 5);
    do
        CHECK(ioctl(slave, FIONREAD, waiting) == 0);
    while (*waiting < 5);
    check_around(waiting, sizeof(*waiting));
    CHECK_EQUAL(read(slave, text, sizeof(text)), 5);
    CHECK(strcmp(text, "hello") == 0);
    expect(ioctl(slave, TIOCGPGRP, waiting), ENOTTY);
    expect(ioctl(slave, TIOCGWINSZ, (void*)8), EFAULT);
    expect(ioctl(open("/dev/null", O_RDONLY), TCGETS, &modes), ENOTTY);
    CHECK(close(slave) == 0 && close(master) == 0);
    return argument;
}

static void terminals(void) {
    in_threads(3, use_terminal);
}

// ---- addresses ----

static void check_lengths(int fd, struct sockaddr_in* own) {
    const socklen_t lengths[] = {0, 1, 8, sizeof(*own), 100, 128, 129, PAGE};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        socklen_t length = lengths[i];
        void* name = room();

        CHECK(getsockname(fd, name, &length) == 0);
        CHECK_EQUAL(length, sizeof(*own));
        check_around(name, lengths[i] < length ? lengths[i] : length);
        CHECK(memcmp(name, own, lengths[i] < length ? lengths[i] : length) == 0);
    }
    expect(getsockname(fd, own, &(socklen_t){-1}), EINVAL);
    expect(getsockname(fd, (struct sockaddr*)8, &(socklen_t){16}), EFAULT);
    expect(getsockname(fd, own, NULL), EFAULT);
}

static void* talk(void* argument) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                       *from = room();
    const int server = socket(AF_INET, SOCK_DGRAM, 0), client = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t length = sizeof(own);
    int* value = room();
    char text[10];

    CHECK(server >= 0 && client >= 0 && bind(server, &own, sizeof(own)) == 0);
    CHECK(getsockname(server, &own, &length) == 0 && own.sin_port != 0);
    check_lengths(server, &own);
    CHECK_EQUAL(sendto(client, "ask", 3, 0, &own, sizeof(own)), 3);
    length = sizeof(*from);
    CHECK_EQUAL(recvfrom(server, text, sizeof(text), 0, from, &length), 3);
    check_around(from, sizeof(*from));
    CHECK(from->sin_family == AF_INET && from->sin_addr.s_addr == own.sin_addr.s_addr);
    CHECK(connect(server, from, sizeof(*from)) == 0);
    length = sizeof(own);
    CHECK(getpeername(server, &own, &length) == 0 && own.sin_port == from->sin_port);
    CHECK(setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) == 0);
    length = sizeof(int);
    CHECK(getsockopt(server, SOL_SOCKET, SO_REUSEADDR, value, &length) == 0);
    CHECK(*value == 1 && length == sizeof(int));
    check_around(value, sizeof(int));
    // Half of it, and one that is longer than it needs.
    length = 2;
    CHECK(getsockopt(server, SOL_SOCKET, SO_TYPE, value, &length) == 0 && length == 2);
    length = 1000;
    CHECK(getsockopt(server, SOL_SOCKET, SO_TYPE, value, &length) == 0 && length == 4 &&
          *value == SOCK_DGRAM);
    expect(getsockopt(server, SOL_SOCKET, 9999, value, &length), ENOPROTOOPT);
    expect(bind(1000, &own, sizeof(own)), EBADF);
    CHECK(close(server) == 0 && close(client) == 0);
    return argument;
}

static void* accept_one(void* argument) {
    struct sockaddr_un own = {.sun_family = AF_UNIX}, *peer = room();
    const int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    socklen_t length = sizeof(*peer);
    int accepted;

    snprintf(own.sun_path + 1, sizeof(own.sun_path) - 1, "arguments-%d-%lu", getpid(), (uintptr_t)argument);
    CHECK(bind(server, &own, sizeof(own)) == 0 && listen(server, 5) == 0);
    CHECK(connect(client, &own, sizeof(own)) == 0);
    accepted = accept(server, peer, &length);
    CHECK(accepted >= 0 && length == sizeof(sa_family_t));
    check_around(peer, sizeof(sa_family_t));
    CHECK(connect(socket(AF_UNIX, SOCK_STREAM, 0), &own, sizeof(own)) == 0);
    CHECK(accept4(server, NULL, NULL, SOCK_CLOEXEC) >= 0);
    return argument;
}

static void addresses(void) {
    in_threads(3, talk);
    in_threads(3, accept_one);
}

// ---- names ----

static void list(int files) {
    DIR* directory = opendir(".");
    int found = 0;

    CHECK(directory);
    while (readdir(directory))
        found++;
    CHECK_EQUAL(found, files + 2);
    CHECK(closedir(directory) == 0);
}

static void* use_names(void* argument) {
    char directory[] = "/tmp/argumentsXXXXXX", path[PAGE], *place = room();
    const struct timespec then[2] = {{1000, 5}, {2000, 6}};
    struct statx status;
    const int files = 700;

    CHECK(mkdtemp(directory) && unshare(CLONE_FS) == 0 && chdir(directory) == 0);
    for (int i = 0; i < files; i++) {
        snprintf(path, sizeof(path), "a-file-with-a-long-name-%d", i);
        CHECK(mknod(path, S_IFREG | 0600, 0) == 0);
    }
    list(files);
    expect(syscall(SYS_getdents64, open(".", O_RDONLY), path, 10), EINVAL);
    CHECK_EQUAL(syscall(SYS_getcwd, place, PAGE - FROM), (long)strlen(directory) + 1);
    check_around(place, strlen(directory) + 1);
    CHECK(strcmp(place, directory) == 0);
    expect(syscall(SYS_getcwd, path, 5), ERANGE);
    CHECK(rename("a-file-with-a-long-name-0", "zero") == 0 && symlink("zero", "link") == 0 &&
          link("zero", "hard") == 0);
    memset(place, FILLING, 100);
    CHECK_EQUAL(readlink("link", place, 100), 4);
    check_around(place, 4);
    CHECK_EQUAL(readlink("link", path, 2), 2);
    expect(readlink("zero", path, 10), EINVAL);
    CHECK(utimensat(AT_FDCWD, "zero", then, 0) == 0 && chmod("zero", 0640) == 0 && truncate("hard", 5) == 0);
    CHECK(statx(AT_FDCWD, "link", 0, STATX_BASIC_STATS, &status) == 0);
    CHECK(status.stx_nlink == 2 && status.stx_size == 5 && (status.stx_mode & 0777) == 0640);
    CHECK(access("zero", W_OK) == 0 && faccessat(AT_FDCWD, "zero", R_OK, AT_EACCESS) == 0);
    expect(access("nothing", F_OK), ENOENT);
    CHECK(futimens(open("zero", O_RDONLY), then) == 0);
    CHECK(statx(AT_FDCWD, "zero", 0, STATX_BASIC_STATS, &status) == 0);
    CHECK(status.stx_mtime.tv_sec == 2000 && status.stx_mtime.tv_nsec == 6 && status.stx_atime.tv_nsec == 5);
    expect(getxattr("zero", "user.none", path, 100), ENODATA);
    CHECK(mkdir("inner", 0700) == 0 && rmdir("inner") == 0);
    for (int i = 1; i < files; i++) {
        snprintf(path, sizeof(path), "%s/a-file-with-a-long-name-%d", directory, i);
        CHECK(unlink(path) == 0);
    }
    CHECK(unlink("zero") == 0 && unlink("link") == 0 && unlinkat(AT_FDCWD, "hard", 0) == 0);
    list(0);
    CHECK(rmdir(directory) == 0);
    return argument;
}

static void names(void) {
    in_threads(2, use_names);
}

// ---- children ----

static pid_t child(int status) {
    pid_t pid = fork();

    if (pid == 0)
        _exit(status);
    CHECK(pid > 0);
    return pid;
}

static void* wait_for_children(void* argument) {
    struct rusage* usage = room();
    siginfo_t* info = room();
    int* status = room();
    int ends[2];
    pid_t pid;

    CHECK(pipe(ends) == 0);
    pid = fork();
    if (pid == 0) {
        CHECK(read(ends[0], status, 1) == 1);
        _exit(3);
    }
    CHECK_EQUAL(wait4(pid, status, WNOHANG, usage), 0);
    check_around(status, 0);
    check_around(usage, 0);
    CHECK(write(ends[1], "x", 1) == 1);
    CHECK_EQUAL(wait4(pid, status, 0, usage), pid);
    CHECK_EQUAL(*status, 3 << 8);
    check_around(status, sizeof(*status));
    check_around(usage, sizeof(*usage));
    pid = child(5);
    CHECK(waitid(P_PID, pid, info, WEXITED) == 0);
    // The kernel writes no more than that.
    check_around(info, offsetof(siginfo_t, si_status) + sizeof(int));
    CHECK(info->si_pid == pid && info->si_status == 5 && info->si_code == CLD_EXITED &&
          info->si_signo == SIGCHLD);
    CHECK(((uint8_t*)info)[12] == FILLING);
    expect(wait4(pid, status, 0, NULL), ECHILD);
    expect(waitid(P_PID, pid, info, WEXITED), ECHILD);
    pid = child(6);
    expect(wait4(pid, read_only(), 0, NULL), EFAULT);
    return argument;
}

static void children(void) {
    in_threads(3, wait_for_children);
}

// ---- time ----

static void* use_timers(void* argument) {
    const struct timespec instant = {0, MILLISECOND};
    struct itimerspec every = {{0, 5 * MILLISECOND}, {0, MILLISECOND}}, *now = room();
    struct itimerval wall = {{0, 0}, {100, 0}}, before;
    struct sigevent nothing = {.sigev_notify = SIGEV_NONE, .sigev_value.sival_int = 9};
    const int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    uint64_t expirations = 0;
    struct rusage usage;
    struct utsname system;
    struct rlimit limit;
    int* id = room();

    CHECK(nanosleep(&instant, NULL) == 0 &&
          clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &instant, NULL) == 0);
    CHECK_EQUAL(clock_nanosleep(CLOCK_MONOTONIC, 0, (void*)8, NULL), EFAULT);
    CHECK_EQUAL(clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){0, -1}, NULL), EINVAL);
    CHECK(timerfd_settime(fd, 0, &every, now) == 0 && now->it_value.tv_sec == 0 &&
          now->it_interval.tv_nsec == 0);
    check_around(now, sizeof(*now));
    CHECK_EQUAL(read(fd, &expirations, sizeof(expirations)), 8);
    CHECK(expirations >= 1);
    CHECK(timerfd_gettime(fd, now) == 0 && now->it_interval.tv_nsec == 5 * MILLISECOND);
    CHECK(close(fd) == 0);
    CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, &nothing, id) == 0);
    check_around(id, sizeof(*id));
    every.it_value.tv_sec = 100;
    CHECK(syscall(SYS_timer_settime, *id, 0, &every, NULL) == 0 && syscall(SYS_timer_gettime, *id, now) == 0);
    CHECK(now->it_value.tv_sec >= 99 && syscall(SYS_timer_delete, *id) == 0);
    if (argument == 0) {
        CHECK(setitimer(ITIMER_REAL, &wall, NULL) == 0 && getitimer(ITIMER_REAL, &before) == 0);
        CHECK(before.it_value.tv_sec == 99 && setitimer(ITIMER_REAL, &(struct itimerval){0}, &before) == 0);
        CHECK(before.it_value.tv_sec == 99);
    }
    CHECK(getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_maxrss > 0);
    CHECK(uname(&system) == 0 && strcmp(system.sysname, "Linux") == 0 &&
          strcmp(system.machine, "x86_64") == 0);
    CHECK(getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur > PAGE);
    CHECK(prlimit(0, RLIMIT_CORE, &(struct rlimit){0, 0}, &limit) == 0);
    return argument;
}

static void times_and_limits(void) {
    in_threads(3, use_timers);
}

// ---- locks ----

static void* use_locks(void* argument) {
    const struct timespec soon = {0, 2 * MILLISECOND};
    struct flock* lock = room();
    char name[] = "/tmp/argumentsXXXXXX";
    const int fd = mkostemp(name, 0);
    struct timespec until;
    int word = 1;

    CHECK(fd >= 0 && unlink(name) == 0);
    *lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5};
    CHECK(fcntl(fd, F_SETLK, lock) == 0);
    CHECK(fcntl(fd, F_GETLK, lock) == 0 && lock->l_type == F_UNLCK && lock->l_start == 10);
    check_around(lock, sizeof(*lock));
    expect(fcntl(fd, F_SETLK, (void*)8), EFAULT);
    CHECK_EQUAL(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
    expect(syscall(SYS_futex, &word, FUTEX_WAIT, 1, &soon, NULL, 0), ETIMEDOUT);
    expect(syscall(SYS_futex, &word, FUTEX_WAIT, 2, &soon, NULL, 0), EAGAIN);
    expect(syscall(SYS_futex, &word, FUTEX_WAIT, 1, (void*)8, NULL, 0), EFAULT);
    CHECK(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    expect(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 1, &until, NULL, ~0), ETIMEDOUT);
    // The fourth argument is a number.
    CHECK_EQUAL(syscall(SYS_futex, &word, FUTEX_REQUEUE, 1, 100UL, &word + 1, 0), 0);
    CHECK(close(fd) == 0);
    return argument;
}

static void locks(void) {
    in_threads(3, use_locks);
}

int main(int argc, char** argv) {
    static const struct part parts[] = {
        {"terminals", terminals},    {"addresses", addresses}, {"names", names}, {"children", children},
        {"times", times_and_limits}, {"locks", locks},         {NULL, NULL},
    };

    return run_part(parts, argv[1]);
}
