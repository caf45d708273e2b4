// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare-shadow - the empty process that hosts threads from another node
 *
 * Started by the kernel as root with: TOKEN MONOTONIC BOOTTIME NAME, where the
 * clocks are home's minus this node's in nanoseconds.  It enters namespaces of
 * its own, a time namespace that shows home's clocks among them, gives up every
 * right, and becomes the shadow process by one ioctl that does not return.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/capability.h>
#include <unistd.h>

#include <linux/procshare_shadow.h>

/* The kernel's own idea of nobody; a shadow owns no file and needs none. */
#define NOBODY	65534
#define CGROUP	"/sys/fs/cgroup/procshare"

static void complain(const char *what)
{
	char text[160];
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	int length = snprintf(text, sizeof(text), "procshare-shadow: %s: %s\n",
			      what, strerror(errno));

	if (fd >= 0 && write(fd, text, length) != length)
		close(fd);
}

static void die(const char *what)
{
	complain(what);
	_exit(EXIT_FAILURE);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

/* Limits that an administrator sets on this group hold for all shadows. */
static void enter_cgroup(void)
{
	int fd;

	if (mkdir(CGROUP, 0755) && errno != EEXIST)
		return;
	fd = open(CGROUP "/cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "0", 1) != 1)
		complain(CGROUP);
	close(fd);
}

static void show_clocks(const char *monotonic, const char *boottime)
{
	const long long second = 1000000000LL;
	long long m = atoll(monotonic), b = atoll(boottime);
	char text[160];

	/* Offsets are whole seconds and nanoseconds that are never negative. */
	snprintf(text, sizeof(text), "monotonic %lld %lld\nboottime %lld %lld\n",
		 m / second - (m % second < 0), (m % second + second) % second,
		 b / second - (b % second < 0), (b % second + second) % second);
	write_file("/proc/self/timens_offsets", text);
}

static void drop_rights(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { 0 };
	int cap;

	for (cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap))
			die("cannot drop capabilities");
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		die("cannot become nobody");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		die("cannot forgo new privileges");
	if (syscall(SYS_capset, &header, none))
		die("cannot drop capabilities");
}

static void confine(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET))
		die("cannot enter namespaces");
	if (chdir("/"))
		die("cannot leave the directory");
	drop_rights();
}

static void become_shadow(const char *token, int device)
{
	struct procshare_host host = {
		.version = PROCSHARE_SHADOW_VERSION,
		.token = strtoull(token, NULL, 10),
	};
	struct rlimit none = { 0, 0 };

	/* A shadow that dies has nothing to tell in a core file: home has. */
	setrlimit(RLIMIT_CORE, &none);
	confine();
	ioctl(device, PROCSHARE_HOST, &host);
	die("the kernel refused the shadow process");
}

int main(int argc, char **argv)
{
	int device;
	pid_t child;

	if (argc != 5)
		return EXIT_FAILURE;
	enter_cgroup();
	device = open("/dev/procshare", O_RDWR | O_CLOEXEC);
	if (device < 0)
		die("/dev/procshare");
	if (unshare(CLONE_NEWTIME))
		die("cannot make a time namespace");
	show_clocks(argv[2], argv[3]);
	/* Only a child is inside the new time namespace. */
	child = fork();
	if (child < 0)
		die("fork");
	if (!child)
		become_shadow(argv[1], device);
	return EXIT_SUCCESS;
}
