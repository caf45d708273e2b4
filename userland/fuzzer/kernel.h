/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - as much of the kernel as its message code needs to run in userland
 *
 * Included before everything else in the files that are compiled from the overlay as they are.  Memory
 * comes from malloc() in exact sizes, so that AddressSanitizer sees every step too far.
 */
#ifndef PROCSHARE_FUZZER_KERNEL_H
#define PROCSHARE_FUZZER_KERNEL_H

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;
typedef unsigned int gfp_t;

#define __aligned(n) __attribute__((aligned(n)))
#define __printf(string, first) __attribute__((format(printf, string, first)))
#define READ_ONCE(x) (x)
#define WRITE_ONCE(x, value) ((x) = (value))
#define smp_store_release(at, value) (*(at) = (value))
#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define time_after(a, b) ((long)((b) - (a)) < 0)

#define cpu_to_le16(x) htole16(x)
#define cpu_to_le32(x) htole32(x)
#define cpu_to_le64(x) htole64(x)
#define le16_to_cpu(x) le16toh(x)
#define le32_to_cpu(x) le32toh(x)
#define le64_to_cpu(x) le64toh(x)

#define DECLARE_BITMAP(name, bits) unsigned long name[((bits) + 63) / 64]

#define HZ 250
#define GFP_KERNEL 0
#define GFP_ATOMIC 0
#define GFP_HIGHUSER 0
#define PAGE_SIZE 4096ul
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define TASK_SIZE_MAX ((1ul << 47) - PAGE_SIZE)

#define ERR_PTR(error) ((void*)(long)(error))
#define PTR_ERR(pointer) ((long)(pointer))
#define IS_ERR(pointer) ((unsigned long)(pointer) >= (unsigned long)-4095)

struct list_head {
    struct list_head *next, *prev;
};
struct kref {
    int refs;
};
struct rcu_head {
    int unused;
};
struct work_struct {
    int unused;
};
struct iov_iter {
    int unused;
};
struct kvec {
    void* base;
    size_t length;
};
struct net;
struct cpumask;
typedef int spinlock_t;

struct page {
    int refs;
    u8 data[PAGE_SIZE];
};

struct page* alloc_page(gfp_t gfp);
void get_page(struct page* page);
void put_page(struct page* page);
static inline void* page_address(struct page* page) {
    return page->data;
}

struct task_struct;
#define current ((struct task_struct*)NULL)
static inline void sched_set_fifo(struct task_struct* task) {
    (void)task;
}
static inline void sched_set_normal(struct task_struct* task, int nice) {
    (void)task;
    (void)nice;
}

extern unsigned long jiffies;
u64 ktime_get_ns(void);

#endif /* PROCSHARE_FUZZER_KERNEL_H */
