// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare selftests - memory: every node sees the same, and what home does to its mappings
 *
 * Steps happen one after the other: each that is on another node has a thread of
 * its own, while its shadow process keeps the pages that it has.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>

#include "../kselftest_harness.h"
#include "share.h"

#define NO_MAPPING	FAULTED(SIGSEGV, SEGV_MAPERR)
#define NO_RIGHT	FAULTED(SIGSEGV, SEGV_ACCERR)
#define PAGES		4

static long do_read(void *address)
{
	return probe_read(address);
}

struct store {
	void *address;
	int value;
};

static long do_write(void *argument)
{
	struct store *s = argument;

	return probe_write(s->address, s->value);
}

static long read_on(unsigned int node, void *address)
{
	return on_node(node, do_read, address);
}

static long write_on(unsigned int node, void *address, int value)
{
	struct store s = { address, value };

	return on_node(node, do_write, &s);
}

TEST(written_remotely_read_at_home)
{
	uint8_t *block = map(PAGES);
	int i;

	for (i = 0; i < PAGES; i++) {
		ASSERT_EQ(0, write_on(near_node, block + i * PAGE_SIZE + 7, 40 + i));
		EXPECT_EQ(40 + i, block[i * PAGE_SIZE + 7]);
		EXPECT_EQ(0, block[i * PAGE_SIZE + 8]);
	}
}

TEST(written_at_home_read_remotely)
{
	uint8_t *block = map(1);

	EXPECT_EQ(0, read_on(near_node, block));
	block[0] = 1;
	EXPECT_EQ(1, read_on(near_node, block));
	block[0] = 2;
	EXPECT_EQ(2, read_on(near_node, block));
	EXPECT_EQ(2, read_on(far_node, block));
}

TEST(written_in_turn)
{
	uint8_t *block = map(1);
	int i;

	for (i = 1; i <= 6; i += 3) {
		ASSERT_EQ(0, write_on(near_node, block, i));
		ASSERT_EQ(i, read_on(far_node, block));
		ASSERT_EQ(i, block[0]);
		ASSERT_EQ(0, write_on(far_node, block, i + 1));
		ASSERT_EQ(i + 1, read_on(near_node, block));
		ASSERT_EQ(i + 1, block[0]);
		block[0] = i + 2;
		ASSERT_EQ(i + 2, read_on(near_node, block));
		ASSERT_EQ(i + 2, read_on(far_node, block));
	}
}

TEST(thrown_away)
{
	uint8_t *block = map(2);

	block[0] = 1;
	ASSERT_EQ(1, read_on(near_node, block));
	ASSERT_EQ(0, write_on(near_node, block + PAGE_SIZE, 2));
	ASSERT_EQ(0, madvise(block, 2 * PAGE_SIZE, MADV_DONTNEED));
	EXPECT_EQ(0, read_on(near_node, block));
	EXPECT_EQ(0, read_on(near_node, block + PAGE_SIZE));
	EXPECT_EQ(0, block[0]);
	EXPECT_EQ(0, block[PAGE_SIZE]);
}

TEST(unmapped)
{
	uint8_t *block = map(3);

	block[0] = 1;
	ASSERT_EQ(1, read_on(near_node, block));
	ASSERT_EQ(0, write_on(near_node, block + PAGE_SIZE, 2));
	ASSERT_EQ(0, write_on(near_node, block + 2 * PAGE_SIZE, 3));
	ASSERT_EQ(0, munmap(block, 2 * PAGE_SIZE));
	EXPECT_EQ(NO_MAPPING, read_on(near_node, block + 5));
	EXPECT_EQ(NO_MAPPING, write_on(near_node, block + PAGE_SIZE, 4));
	EXPECT_EQ(NO_MAPPING, read_on(far_node, block + PAGE_SIZE));
	EXPECT_EQ(NO_MAPPING, probe_read(block + PAGE_SIZE));
	EXPECT_EQ(3, read_on(near_node, block + 2 * PAGE_SIZE));
}

TEST(mapped_over)
{
	uint8_t *block = map(2);

	block[0] = 1;
	ASSERT_EQ(1, read_on(near_node, block));
	ASSERT_EQ(0, write_on(near_node, block + PAGE_SIZE, 2));
	ASSERT_EQ(block, mmap(block, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_EQ(0, read_on(near_node, block));
	EXPECT_EQ(0, read_on(near_node, block + PAGE_SIZE));
}

TEST(protected)
{
	uint8_t *block = map(1);

	ASSERT_EQ(0, write_on(near_node, block, 1));
	ASSERT_EQ(0, mprotect(block, PAGE_SIZE, PROT_READ));
	EXPECT_EQ(NO_RIGHT, write_on(near_node, block + 9, 2));
	EXPECT_EQ(1, read_on(near_node, block));
	ASSERT_EQ(0, mprotect(block, PAGE_SIZE, PROT_NONE));
	EXPECT_EQ(NO_RIGHT, read_on(near_node, block + 9));
	EXPECT_EQ(NO_RIGHT, read_on(far_node, block));
	ASSERT_EQ(0, mprotect(block, PAGE_SIZE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(1, read_on(near_node, block));
	EXPECT_EQ(0, write_on(near_node, block, 3));
	EXPECT_EQ(3, block[0]);
}

TEST(moved)
{
	uint8_t *block = map(2), *moved = map(2);

	block[0] = 1;
	ASSERT_EQ(1, read_on(near_node, block));
	ASSERT_EQ(0, write_on(near_node, block + PAGE_SIZE, 2));
	ASSERT_EQ(moved, mremap(block, 2 * PAGE_SIZE, 2 * PAGE_SIZE,
				MREMAP_MAYMOVE | MREMAP_FIXED, moved));
	EXPECT_EQ(1, read_on(near_node, moved));
	EXPECT_EQ(2, read_on(near_node, moved + PAGE_SIZE));
	EXPECT_EQ(NO_MAPPING, read_on(near_node, block));
	EXPECT_EQ(NO_MAPPING, write_on(near_node, block + PAGE_SIZE, 3));
	EXPECT_EQ(2, moved[PAGE_SIZE]);
}

static long change_mappings(void *argument)
{
	uint8_t *block = argument;

	block[0] = 5;
	block[PAGE_SIZE] = 6;
	if (mprotect(block, PAGE_SIZE, PROT_READ) || munmap(block + PAGE_SIZE, PAGE_SIZE))
		return errno;
	return probe_write(block, 7);
}

TEST(changed_by_a_remote_thread)
{
	uint8_t *block = map(2);

	EXPECT_EQ(NO_RIGHT, on_node(near_node, change_mappings, block));
	EXPECT_EQ(5, block[0]);
	EXPECT_EQ(NO_RIGHT, probe_write(block, 8));
	EXPECT_EQ(NO_MAPPING, probe_read(block + PAGE_SIZE));
}

/* The kernel at home reads and writes what a remote node owns. */
TEST(used_by_the_kernel)
{
	uint8_t *block = map(2), byte = 0;
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ(0, write_on(near_node, block, 21));
	ASSERT_EQ(0, write_on(near_node, block + PAGE_SIZE, 22));
	ASSERT_EQ(1, write(ends[1], block, 1));
	ASSERT_EQ(1, read(ends[0], block + PAGE_SIZE, 1));
	EXPECT_EQ(21, read_on(near_node, block + PAGE_SIZE));
	ASSERT_EQ(0, write_on(far_node, block, 23));
	ASSERT_EQ(1, write(ends[1], block, 1));
	ASSERT_EQ(1, read(ends[0], &byte, 1));
	EXPECT_EQ(23, byte);
}

TEST(used_through_proc)
{
	uint8_t *block = map(1), byte = 0;
	int memory = open("/proc/self/mem", O_RDWR);

	ASSERT_LE(0, memory);
	ASSERT_EQ(0, write_on(near_node, block, 31));
	ASSERT_EQ(1, pread(memory, &byte, 1, (uintptr_t)block));
	EXPECT_EQ(31, byte);
	ASSERT_EQ(0, write_on(near_node, block, 32));
	byte = 33;
	ASSERT_EQ(1, pwrite(memory, &byte, 1, (uintptr_t)block + 1));
	EXPECT_EQ(33, read_on(near_node, block + 1));
	EXPECT_EQ(32, read_on(near_node, block));
}

TEST(used_by_another_process)
{
	uint8_t *block = map(1), byte = 1;
	int status = 0, memory;
	char name[40];
	pid_t child;

	ASSERT_EQ(0, write_on(near_node, block, 35));
	snprintf(name, sizeof(name), "/proc/%d/mem", getpid());
	child = fork();
	if (!child) {
		/* What it has itself is a copy: it looks at its parent's. */
		block[0] = 2;
		memory = open(name, O_RDONLY);
		_exit(pread(memory, &byte, 1, (uintptr_t)block) == 1 ? byte : 1);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(35, WEXITSTATUS(status));
}

TEST(private_file)
{
	char name[] = "/tmp/procshare.XXXXXX", byte = 0;
	int file = mkstemp(name);
	uint8_t *block;

	ASSERT_LE(0, file);
	unlink(name);
	ASSERT_EQ(1, pwrite(file, "a", 1, 0));
	ASSERT_EQ(0, ftruncate(file, PAGE_SIZE));
	block = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	ASSERT_NE(MAP_FAILED, block);
	EXPECT_EQ('a', read_on(near_node, block));
	EXPECT_EQ(0, write_on(near_node, block, 'b'));
	EXPECT_EQ('b', block[0]);
	EXPECT_EQ('b', read_on(far_node, block));
	ASSERT_EQ(1, pread(file, &byte, 1, 0));
	EXPECT_EQ('a', byte);
}

static long read_shared(void *address)
{
	/* Not exported: the thread reads it at home. */
	return READ_ONCE(*(uint8_t *)address);
}

TEST(shared_memory)
{
	uint8_t *block = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, block);
	block[0] = 71;
	EXPECT_EQ(71, on_node(near_node, read_shared, block));
	block[0] = 72;
	EXPECT_EQ(72, on_node(near_node, read_shared, block));
}

int main(int argc, char **argv)
{
	share_self(argv);
	return test_harness_run(argc, argv);
}
