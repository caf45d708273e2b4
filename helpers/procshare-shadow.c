// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare-shadow - the empty process that hosts threads from another node
 *
 * Started by the kernel as root, often in advance: what takes long is done before it
 * asks the kernel which shadow process it is to become.  It enters namespaces of its
 * own, at last a time namespace that shows home's clocks, gives up every right, and
 * becomes the shadow process by one ioctl that does not return.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <unistd.h>

#include <linux/procshare_shadow.h>

/* The kernel's own idea of nobody; a shadow owns no file and needs none. */
#define NOBODY	65534
#define CGROUPS	"/sys/fs/cgroup"
#define CGROUP	CGROUPS "/procshare"

/* What goes on after a complaint becomes a shadow, which keeps no file open. */
static void complain(const char *what)
{
	char text[160];
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	int length = snprintf(text, sizeof(text), "procshare-shadow: %s: %s\n",
			      what, strerror(errno));

	if (fd < 0)
		return;
	(void)!write(fd, text, length); /* or else there is nobody to tell */
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

/*
 * Limits that an administrator sets on this group hold for all shadows.  To be born
 * there is quick; to move there would mean to wait for all CPUs.
 */
static pid_t fork_into_cgroup(void)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	struct statfs groups;
	pid_t child = -1;
	int group = -1;

	/* Elsewhere, as with version 1, this would be a directory like any other. */
	if (statfs(CGROUPS, &groups) || groups.f_type != CGROUP2_SUPER_MAGIC)
		return fork();
	if (!mkdir(CGROUP, 0755) || errno == EEXIST)
		group = open(CGROUP, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (group < 0)
		return fork();
	args.cgroup = group;
	child = syscall(SYS_clone3, &args, sizeof(args));
	if (child < 0) {
		complain(CGROUP);
		child = fork();
	}
	return child;
}

static void show_clocks(const struct procshare_order *order)
{
	const long long second = 1000000000LL;
	long long m = order->monotonic, b = order->boottime;
	char text[160];

	/* Offsets are whole seconds and nanoseconds that are never negative. */
	snprintf(text, sizeof(text), "monotonic %lld %lld\nboottime %lld %lld\n",
		 m / second - (m % second < 0), (m % second + second) % second,
		 b / second - (b % second < 0), (b % second + second) % second);
	write_file("/proc/self/timens_offsets", text);
}

/* None of them can be had again. */
static void bound_rights(void)
{
	int cap;

	for (cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap))
			die("cannot drop capabilities");
}

static void drop_rights(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { 0 };

	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		die("cannot become nobody");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		die("cannot forgo new privileges");
	if (syscall(SYS_capset, &header, none))
		die("cannot drop capabilities");
}

/* What does not depend on the shadow process that this is going to be. */
static void confine(void)
{
	struct rlimit none = { 0, 0 }, all = { RLIM_INFINITY, RLIM_INFINITY };

	/* A shadow that dies has nothing to tell in a core file: home has. */
	setrlimit(RLIMIT_CORE, &none);
	/* All shadows are one user's; how many there may be is their control group's matter. */
	setrlimit(RLIMIT_NPROC, &all);
	if (unshare(CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET))
		die("cannot enter namespaces");
	if (chdir("/"))
		die("cannot leave the directory");
	bound_rights();
}

static void become_shadow(const struct procshare_order *order, int device)
{
	struct procshare_host host = {
		.version = PROCSHARE_SHADOW_VERSION,
		.token = order->token,
	};

	/* Not before: who waits must not keep file systems mounted. */
	if (unshare(CLONE_NEWNS))
		die("cannot enter namespaces");
	drop_rights();
	ioctl(device, PROCSHARE_HOST, &host);
	die("the kernel refused the shadow process");
}

int main(void)
{
	struct procshare_order order = { .version = PROCSHARE_SHADOW_VERSION };
	int device;
	pid_t child;

	device = open("/dev/procshare", O_RDWR | O_CLOEXEC);
	if (device < 0)
		die("/dev/procshare");
	confine();
	if (ioctl(device, PROCSHARE_AWAIT, &order)) {
		if (errno == ESHUTDOWN)
			return EXIT_SUCCESS;
		die("the kernel wants no shadow process");
	}
	if (unshare(CLONE_NEWTIME))
		die("cannot make a time namespace");
	show_clocks(&order);
	/* Only a child is inside the new time namespace. */
	child = fork_into_cgroup();
	if (child < 0)
		die("fork");
	if (!child)
		become_shadow(&order, device);
	return EXIT_SUCCESS;
}
