// SPDX-License-Identifier: GPL-2.0-only
// A node's process 1: makes the host's read-only root writable in memory, mounts what a system has, brings
// the network up.

#define _GNU_SOURCE
#include "node.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define P9_OPTIONS "trans=virtio,version=9p2000.L,msize=512000"

struct mount_point {
    const char* path;
    const char* type;
    const char* options;
    int mode; // of the directory, made when it is missing
};

// Relative to the new root, in order. One that the kernel does not know is left out.
static const struct mount_point mounts[] = {
    {"proc", "proc", NULL, 0555},
    {"sys", "sysfs", NULL, 0555},
    {"sys/fs/cgroup", "cgroup2", NULL, 0755},
    {"sys/kernel/tracing", "tracefs", NULL, 0700},
    {"sys/kernel/debug", "debugfs", NULL, 0700},
    {"dev", "devtmpfs", "mode=0755", 0755},
    {"dev/pts", "devpts", "gid=5,mode=620,ptmxmode=666", 0755},
    {"dev/shm", "tmpfs", "mode=1777", 01777},
    {"dev/mqueue", "mqueue", NULL, 01777},
    {"dev/hugepages", "hugetlbfs", NULL, 0755},
    {"tmp", "tmpfs", "mode=1777", 01777},
    {"run", "tmpfs", "mode=0755", 0755},
};

static const char* const links[][2] = {
    {"/proc/self/fd", "/dev/fd"},
    {"/proc/self/fd/0", "/dev/stdin"},
    {"/proc/self/fd/1", "/dev/stdout"},
    {"/proc/self/fd/2", "/dev/stderr"},
};

void die(const char* what) {
    dprintf(STDERR_FILENO, "node: %s: %s\n", what, strerror(errno));
    exit(1);
}

// The kernel hands its unknown key=value parameters to process 1 as environment.
static int parameter(const char* name) {
    const char* value = getenv(name);

    return value ? atoi(value) : 0;
}

static void make_root_writable(void) {
    if (mount("upper", "/tmp", "tmpfs", 0, "mode=0755"))
        die("mounting a tmpfs on /tmp");
    if (mkdir("/tmp/upper", 0755) || mkdir("/tmp/work", 0755) || mkdir("/tmp/root", 0755))
        die("making directories in /tmp");
    if (mount("root", "/tmp/root", "overlay", 0, "lowerdir=/,upperdir=/tmp/upper,workdir=/tmp/work"))
        die("mounting the overlay");
    if (chdir("/tmp/root"))
        die("entering the new root");
}

static void mount_system(void) {
    for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
        const struct mount_point* m = &mounts[i];

        mkdir(m->path, m->mode);
        if (mount(m->type, m->path, m->type, 0, m->options) && errno != ENODEV && errno != ENOENT)
            die(m->path);
    }
}

static void switch_root(void) {
    if (mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
        die("switching to the new root");
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
        if (symlink(links[i][0], links[i][1]) && errno != EEXIST)
            die(links[i][1]);
}

static void make_directories(const char* path) {
    char part[4096];

    snprintf(part, sizeof(part), "%s", path);
    for (char* slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(part, 0755);
        *slash = '/';
    }
    mkdir(part, 0755);
}

// Where this program was built, build/harness, is two levels below the checkout.
static void find_checkout(char* path) {
    snprintf(path, PATH_MAX, "%s", program_invocation_name);
    for (int level = 0; level < 3; level++)
        path = dirname(path);
}

// A checkout below /tmp is behind the tmpfs that has been mounted there.
static void show_checkout(const char* path, int directory) {
    char source[32];

    if (access(program_invocation_name, F_OK) == 0)
        return;
    make_directories(path);
    snprintf(source, sizeof(source), "/proc/self/fd/%d", directory);
    if (mount(source, path, NULL, MS_BIND, NULL))
        die(path);
}

// The shares come after every tmpfs: one may lie below /tmp.
static void mount_shares(void) {
    char* list = getenv("shares");
    char tag[16];
    int n = 0;

    for (char* path = list ? strtok(list, ":") : NULL; path; path = strtok(NULL, ":")) {
        snprintf(tag, sizeof(tag), "share%d", n++);
        make_directories(path);
        if (mount(tag, path, "9p", 0, P9_OPTIONS ",cache=none"))
            die(path);
    }
}

static void set_address(int fd, const char* device, in_addr_t address, in_addr_t mask) {
    struct ifreq request = {0};
    struct sockaddr_in* in = (struct sockaddr_in*)&request.ifr_addr;

    strncpy(request.ifr_name, device, IFNAMSIZ - 1);
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = address;
    if (ioctl(fd, SIOCSIFADDR, &request))
        die(device);
    in->sin_addr.s_addr = mask;
    if (ioctl(fd, SIOCSIFNETMASK, &request) || ioctl(fd, SIOCGIFFLAGS, &request))
        die(device);
    request.ifr_flags |= IFF_UP;
    if (ioctl(fd, SIOCSIFFLAGS, &request))
        die(device);
}

// Node N is 10.77.0.(N + 1), and every node knows every other by name.
static void set_up_network(int node, int nodes) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    FILE* hosts = fopen("/etc/hosts", "w");
    char name[16];

    if (fd < 0 || !hosts)
        die("setting up the network");
    set_address(fd, "lo", htonl(INADDR_LOOPBACK), htonl(0xff000000));
    set_address(fd, "eth0", htonl(0x0a4d0001 + node), htonl(0xffffff00));
    close(fd);
    fprintf(hosts, "127.0.0.1 localhost\n");
    for (int i = 0; i < nodes; i++)
        fprintf(hosts, "10.77.0.%d node%d\n", i + 1, i);
    fclose(hosts);
    snprintf(name, sizeof(name), "node%d", node);
    if (sethostname(name, strlen(name)))
        die("setting the host name");
}

static void set_limits(void) {
    const struct rlimit files = {1024, 1024 * 512};

    setrlimit(RLIMIT_NOFILE, &files);
}

int main(void) {
    char checkout[PATH_MAX];
    int directory;

    umask(0);
    find_checkout(checkout);
    make_root_writable();
    directory = open(checkout + 1, O_PATH | O_DIRECTORY);
    mount_system();
    switch_root();
    show_checkout(checkout, directory);
    close(directory);
    mount_shares();
    set_up_network(parameter("node"), parameter("nodes"));
    set_limits();
    umask(022);
    serve();
}
