/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare selftests - netlink: requests to the family, and what the kernel thinks of them */
#ifndef PROCSHARE_SELFTEST_NETLINK_H
#define PROCSHARE_SELFTEST_NETLINK_H

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/procshare.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A request being written; attributes follow the headers. */
struct request {
	union {
		struct nlmsghdr header;
		char bytes[512];
	};
};

/* What the kernel said about the last request. */
struct answer {
	int error;			/* 0 or an errno */
	uint32_t missing;		/* the attribute that it misses, or 0 */
	char message[256];		/* its words, or empty */
};

/* Called for each message of an answer with its attributes. */
typedef void (*take_attributes)(const struct nlattr *first, int length, void *argument);

void request_begin(struct request *r, int command);
void request_put(struct request *r, int type, const void *data, size_t length);
void request_put_u32(struct request *r, int type, uint32_t value);
void request_put_u64(struct request *r, int type, uint64_t value);

/* A socket of its own each time: threads and children do not meet on it. */
int request_send(struct request *r, struct answer *answer);
int request_dump(struct request *r, struct answer *answer, take_attributes take, void *argument);

int netlink_socket(void);
bool netlink_present(void);

/* The attribute of type @type, or NULL. */
const struct nlattr *attribute(const struct nlattr *first, int length, int type);
uint64_t attribute_number(const struct nlattr *a);
const void *attribute_data(const struct nlattr *a);
int attribute_length(const struct nlattr *a);

#endif
