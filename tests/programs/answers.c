// SPDX-License-Identifier: GPL-2.0-only
// answers - calls whose question and answer travel in the messages: newfstatat(), openat(), rt_sigaction()
// and rt_sigprocmask()
//
// Usage: answers status | errors | buffers | often | opens | handlers | masks

#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

enum { PAGE = 4096, TIMES = 2000, KERNEL_LARGEFILE = 0100000, KERNEL_RESTORER = 0x04000000 };

static char directory[] = "/tmp/answersXXXXXX";

static void make_files(void) {
    int fd;

    CHECK(mkdtemp(directory) && chdir(directory) == 0);
    fd = open("file", O_RDWR | O_CREAT, 0640);
    CHECK(fd >= 0 && write(fd, "contents", 8) == 8 && fchown(fd, 12, 34) == 0 && close(fd) == 0);
    CHECK(link("file", "second") == 0 && symlink("file", "link") == 0 && symlink("nothing", "loose") == 0);
    CHECK(mkfifo("fifo", 0600) == 0 && mkdir("directory", 0700) == 0);
}

static void remove_files(void) {
    static const char* const names[] = {"file", "second", "link", "loose", "fifo"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        CHECK(unlink(names[i]) == 0);
    CHECK(rmdir("directory") == 0 && rmdir(directory) == 0);
}

// statx() answers the same, and neither its path nor its answer travels.
static void compare(int dfd, const char* path, int flags) {
    struct statx other;
    struct stat status;

    CHECK(fstatat(dfd, path, &status, flags) == 0, "%s", path);
    CHECK(statx(dfd, path, flags, STATX_BASIC_STATS, &other) == 0);
    CHECK_EQUAL(status.st_dev, makedev(other.stx_dev_major, other.stx_dev_minor));
    CHECK_EQUAL(status.st_rdev, makedev(other.stx_rdev_major, other.stx_rdev_minor));
    CHECK_EQUAL(status.st_ino, other.stx_ino);
    CHECK_EQUAL(status.st_mode, other.stx_mode);
    CHECK_EQUAL(status.st_nlink, other.stx_nlink);
    CHECK_EQUAL(status.st_uid, other.stx_uid);
    CHECK_EQUAL(status.st_gid, other.stx_gid);
    CHECK_EQUAL(status.st_size, other.stx_size);
    CHECK_EQUAL(status.st_blocks, other.stx_blocks);
    CHECK_EQUAL(status.st_blksize, other.stx_blksize);
    CHECK_EQUAL(status.st_mtim.tv_sec, other.stx_mtime.tv_sec);
    CHECK_EQUAL(status.st_mtim.tv_nsec, other.stx_mtime.tv_nsec);
    CHECK_EQUAL(status.st_ctim.tv_sec, other.stx_ctime.tv_sec);
    CHECK_EQUAL(status.st_ctim.tv_nsec, other.stx_ctime.tv_nsec);
}

static void* compare_all(void* argument) {
    const int dfd = open(".", O_RDONLY | O_DIRECTORY), fd = open("file", O_RDONLY);
    int ends[2];

    CHECK(dfd >= 0 && fd >= 0 && pipe(ends) == 0);
    compare(AT_FDCWD, "file", 0);
    compare(dfd, "file", 0);
    compare(dfd, "link", 0);
    compare(dfd, "link", AT_SYMLINK_NOFOLLOW);
    compare(dfd, "loose", AT_SYMLINK_NOFOLLOW);
    compare(dfd, "fifo", AT_NO_AUTOMOUNT);
    compare(dfd, "directory/../second", 0);
    compare(fd, "", AT_EMPTY_PATH);
    compare(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
    compare(ends[0], "", AT_EMPTY_PATH);
    compare(AT_FDCWD, "", AT_EMPTY_PATH);
    compare(dfd, "file", AT_EMPTY_PATH);
    compare(-1, "/dev/null", 0);
    CHECK(close(dfd) == 0 && close(fd) == 0 && close(ends[0]) == 0 && close(ends[1]) == 0);
    return argument;
}

static void status_of_files(void) {
    in_threads(3, compare_all);
}

static void expect_error(int dfd, const char* path, struct stat* status, int flags, int error) {
    CHECK(fstatat(dfd, path, status, flags) == -1);
    CHECK_EQUAL(errno, error);
}

// The kernel looks at the lower half of the number only.
static long call_with_garbage(long number, long first, const void* second, void* third) {
    register long fourth asm("r10") = 0;
    long result;

    asm volatile("syscall"
                 : "=a"(result)
                 : "a"(number | 1L << 32), "D"(first), "S"(second), "d"(third), "r"(fourth)
                 : "rcx", "r11", "memory");
    return result;
}

static void* make_mistakes(void* argument) {
    char* constant = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char long_name[PAGE + 1];
    struct stat status;

    memset(long_name, 'x', PAGE);
    long_name[PAGE] = '\0';
    expect_error(AT_FDCWD, "nothing", &status, 0, ENOENT);
    expect_error(AT_FDCWD, "loose", &status, 0, ENOENT);
    expect_error(AT_FDCWD, "", &status, 0, ENOENT);
    expect_error(AT_FDCWD, "file/file", &status, 0, ENOTDIR);
    expect_error(AT_FDCWD, "file", &status, 0x10000000, EINVAL);
    expect_error(AT_FDCWD, "", &status, 0x10000000, EINVAL);
    expect_error(AT_FDCWD, long_name, &status, 0, ENAMETOOLONG);
    expect_error(AT_FDCWD, long_name + PAGE - 256, &status, 0, ENAMETOOLONG);
    expect_error(AT_FDCWD, long_name + PAGE - 255, &status, 0, ENOENT);
    expect_error(-1, "file", &status, 0, EBADF);
    expect_error(-1, "", &status, AT_EMPTY_PATH, EBADF);
    expect_error(AT_FDCWD, (char*)8, &status, 0, EFAULT);
    expect_error(AT_FDCWD, "file", (struct stat*)8, 0, EFAULT);
    expect_error(AT_FDCWD, "file", (struct stat*)constant, 0, EFAULT);
    expect_error(AT_FDCWD, "nothing", (struct stat*)constant, 0, ENOENT);
    CHECK_EQUAL(call_with_garbage(SYS_newfstatat, AT_FDCWD, "file", &status), 0);
    CHECK_EQUAL(status.st_size, 8);
    return argument;
}

static void errors(void) {
    in_threads(3, make_mistakes);
}

// Across the end of a page, up to the end of what is mapped; and where threads have to be at home.
static void* use_odd_buffers(void* argument) {
    char* two = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct stat* across = (struct stat*)(two + PAGE - 64);
    char* path = two + 2 * PAGE - 5;
    uint8_t* homebound;

    CHECK(two != MAP_FAILED && munmap(two + 2 * PAGE, PAGE) == 0);
    memcpy(path, "file", 5);
    CHECK(fstatat(AT_FDCWD, path, across, 0) == 0);
    CHECK_EQUAL(across->st_size, 8);
    // The path is where the result goes.
    path = strcpy((char*)across, "file");
    CHECK(fstatat(AT_FDCWD, path, across, 0) == 0);
    CHECK_EQUAL(across->st_size, 8);
    homebound = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_HUGETLB | MAP_ANONYMOUS, -1, 0);
    if (homebound != MAP_FAILED) {
        CHECK(fstatat(AT_FDCWD, "file", (struct stat*)homebound, 0) == 0);
        CHECK_EQUAL(((struct stat*)homebound)->st_size, 8);
    }
    return argument;
}

static void buffers(void) {
    in_threads(3, use_odd_buffers);
}

static void* ask_often(void* argument) {
    for (int i = 0; i < TIMES; i++) {
        char path[] = "./file";
        struct stat status;

        CHECK(stat(path, &status) == 0);
        CHECK_EQUAL(status.st_size, 8);
    }
    return argument;
}

static void often(void) {
    join(start(ask_often, 0));
}

static void expect_no_file(const char* path, int flags, int error) {
    CHECK(open(path, flags, 0600) == -1, "%s", path);
    CHECK_EQUAL(errno, error);
}

static void* open_all(void* argument) {
    char own[] = "own0", long_name[PAGE + 1];
    struct stat status;
    int fd;

    own[3] += (char)(uintptr_t)argument;
    memset(long_name, 'x', PAGE);
    long_name[PAGE] = '\0';
    fd = open(own, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_APPEND, 0666);
    CHECK(fd >= 0 && fstat(fd, &status) == 0);
    CHECK_EQUAL(status.st_mode, S_IFREG | 0640);
    CHECK_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQUAL(fcntl(fd, F_GETFL), (O_RDWR | O_APPEND | KERNEL_LARGEFILE));
    CHECK(close(fd) == 0);
    expect_no_file(own, O_RDWR | O_CREAT | O_EXCL, EEXIST);
    CHECK(unlink(own) == 0);
    expect_no_file(own, O_RDONLY, ENOENT);
    expect_no_file("", O_RDONLY, ENOENT);
    expect_no_file("link", O_RDONLY | O_NOFOLLOW, ELOOP);
    expect_no_file("file", O_RDONLY | O_DIRECTORY, ENOTDIR);
    expect_no_file("directory", O_RDWR, EISDIR);
    expect_no_file(long_name, O_RDONLY, ENAMETOOLONG);
    expect_no_file(long_name + PAGE - 255, O_RDONLY, ENOENT);
    expect_no_file((char*)8, O_RDONLY, EFAULT);
    fd = open("link", O_PATH | O_NOFOLLOW);
    CHECK(fd >= 0 && fstat(fd, &status) == 0 && S_ISLNK(status.st_mode) && close(fd) == 0);
    fd = open(".", O_TMPFILE | O_RDWR, 0600);
    CHECK(fd >= 0 && fstat(fd, &status) == 0 && close(fd) == 0);
    CHECK_EQUAL(status.st_nlink, 0);
    return argument;
}

static void opens(void) {
    umask(027);
    in_threads(3, open_all);
}

static void handle(int signal) {}

static void expect_handler(int number, void (*handler)(int), int flags) {
    struct sigaction now;

    memset(&now, 0xff, sizeof(now));
    CHECK(sigaction(number, NULL, &now) == 0);
    CHECK(now.sa_handler == handler);
    CHECK_EQUAL(now.sa_flags & ~KERNEL_RESTORER, flags);
    CHECK_EQUAL(sigismember(&now.sa_mask, SIGUSR2), handler == handle);
    CHECK_EQUAL(sigismember(&now.sa_mask, SIGKILL), 0);
}

static void* change_handlers(void* argument) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART | SA_NODEFER}, before;
    void* constant = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const char zeros[32] = {0};
    const int number = SIGRTMIN + (int)(uintptr_t)argument;

    sigaddset(&action.sa_mask, SIGUSR2);
    sigaddset(&action.sa_mask, SIGKILL);
    expect_handler(number, SIG_DFL, 0);
    CHECK(sigaction(number, &action, NULL) == 0);
    expect_handler(number, handle, SA_RESTART | SA_NODEFER);
    action = (struct sigaction){.sa_handler = SIG_IGN};
    CHECK(sigaction(number, &action, &before) == 0 && before.sa_handler == handle);
    // What it was cannot be said, and still it is changed.
    CHECK(syscall(SYS_rt_sigaction, number, zeros, constant, 8) == -1 && errno == EFAULT);
    expect_handler(number, SIG_DFL, 0);
    CHECK(syscall(SYS_rt_sigaction, number, 8, NULL, 8) == -1 && errno == EFAULT);
    CHECK(syscall(SYS_rt_sigaction, SIGKILL, constant, NULL, 8) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_rt_sigaction, 65, NULL, NULL, 8) == -1 && errno == EINVAL);
    return argument;
}

static void handlers(void) {
    in_threads(3, change_handlers);
}

static _Thread_local volatile sig_atomic_t came;

static void note(int signal) {
    came++;
}

static long change_mask(int how, const uint64_t* set, uint64_t* before) {
    return syscall(SYS_rt_sigprocmask, how, set, before, sizeof(*set));
}

static void* change_masks(void* argument) {
    const uint64_t user1 = 1ULL << (SIGUSR1 - 1), kill = 1ULL << (SIGKILL - 1);
    uint64_t was = ~0ULL, both = user1 | kill;

    CHECK(change_mask(SIG_SETMASK, NULL, &was) == 0);
    CHECK_EQUAL(was, 0);
    CHECK(change_mask(SIG_BLOCK, &both, &both) == 0);
    CHECK_EQUAL(both, 0);
    CHECK(pthread_kill(pthread_self(), SIGUSR1) == 0 && came == 0);
    CHECK(change_mask(100, NULL, &was) == 0);
    CHECK_EQUAL(was, user1);
    CHECK(change_mask(100, &user1, &was) == -1 && errno == EINVAL);
    CHECK(change_mask(SIG_BLOCK, (uint64_t*)8, &was) == -1 && errno == EFAULT);
    CHECK(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &user1, &was, 4) == -1 && errno == EINVAL);
    CHECK(change_mask(SIG_UNBLOCK, &user1, NULL) == 0);
    CHECK_EQUAL(came, 1);
    CHECK(change_mask(SIG_SETMASK, NULL, &was) == 0);
    CHECK_EQUAL(was, 0);
    return argument;
}

static void masks(void) {
    CHECK(signal(SIGUSR1, note) != SIG_ERR);
    in_threads(3, change_masks);
}

int main(int argc, char** argv) {
    static const struct part parts[] = {
        {"status", status_of_files},
        {"errors", errors},
        {"buffers", buffers},
        {"often", often},
        {"opens", opens},
        {"handlers", handlers},
        {"masks", masks},
        {NULL, NULL},
    };
    int status;

    make_files();
    status = run_part(parts, argv[1]);
    remove_files();
    return status;
}
