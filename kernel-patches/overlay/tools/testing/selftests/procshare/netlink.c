// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare selftests - netlink: requests to the family, and what the kernel thinks of them
 *
 * Nothing but sockets, so that a test can send what no library would.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

static int family;

/* Walks over attributes as far as @length goes; NULL behind the last. */
static const struct nlattr *next_attribute(const struct nlattr *a, int *length)
{
	int step = NLA_ALIGN(a->nla_len);

	*length -= step;
	if (*length < (int)sizeof(*a))
		return NULL;
	a = (const void *)((const char *)a + step);
	return a->nla_len >= sizeof(*a) && a->nla_len <= *length ? a : NULL;
}

const struct nlattr *attribute(const struct nlattr *first, int length, int type)
{
	if (length < (int)sizeof(*first))
		return NULL;
	for (; first; first = next_attribute(first, &length))
		if ((first->nla_type & NLA_TYPE_MASK) == type)
			return first;
	return NULL;
}

const void *attribute_data(const struct nlattr *a)
{
	return (const char *)a + NLA_HDRLEN;
}

int attribute_length(const struct nlattr *a)
{
	return a->nla_len - NLA_HDRLEN;
}

uint64_t attribute_number(const struct nlattr *a)
{
	uint64_t number = 0;

	memcpy(&number, attribute_data(a), attribute_length(a));
	return number;
}

void request_put(struct request *r, int type, const void *data, size_t length)
{
	struct nlattr *a = (void *)(r->bytes + NLMSG_ALIGN(r->header.nlmsg_len));

	if (NLMSG_ALIGN(r->header.nlmsg_len) + NLA_HDRLEN + length > sizeof(*r))
		abort();
	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + length;
	memcpy(a + 1, data, length);
	r->header.nlmsg_len = NLMSG_ALIGN(r->header.nlmsg_len) + NLA_ALIGN(a->nla_len);
}

void request_put_u32(struct request *r, int type, uint32_t value)
{
	request_put(r, type, &value, sizeof(value));
}

void request_put_u64(struct request *r, int type, uint64_t value)
{
	request_put(r, type, &value, sizeof(value));
}

static void begin(struct request *r, int type, int command, int version)
{
	struct genlmsghdr *genl = NLMSG_DATA(&r->header);

	memset(r, 0, sizeof(*r));
	r->header.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	r->header.nlmsg_type = type;
	r->header.nlmsg_flags = NLM_F_REQUEST;
	genl->cmd = command;
	genl->version = version;
}

int netlink_socket(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	int on = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	return fd;
}

/* The words of the kernel follow the error, or in a dump the end. */
static void read_words(const struct nlattr *first, int length, struct answer *answer)
{
	const struct nlattr *words = attribute(first, length, NLMSGERR_ATTR_MSG);
	const struct nlattr *missing = attribute(first, length, NLMSGERR_ATTR_MISS_TYPE);

	if (words)
		memcpy(answer->message, attribute_data(words),
		       attribute_length(words) < (int)sizeof(answer->message) ?
		       attribute_length(words) : (int)sizeof(answer->message) - 1);
	if (missing)
		answer->missing = attribute_number(missing);
}

static void read_error(const struct nlmsghdr *header, struct answer *answer)
{
	const struct nlmsgerr *error = NLMSG_DATA(header);
	int skip = NLMSG_ALIGN(sizeof(*error));

	answer->error = -error->error;
	if (header->nlmsg_flags & NLM_F_ACK_TLVS)
		read_words((const void *)((const char *)error + skip),
			   NLMSG_PAYLOAD(header, 0) - skip, answer);
}

static void read_done(const struct nlmsghdr *header, struct answer *answer)
{
	const int *error = NLMSG_DATA(header);

	if (NLMSG_PAYLOAD(header, 0) < (int)sizeof(*error))
		return;
	answer->error = -*error;
	if (header->nlmsg_flags & NLM_F_ACK_TLVS)
		read_words((const void *)(error + 1),
			   NLMSG_PAYLOAD(header, 0) - sizeof(*error), answer);
}

/* One datagram; true if it was the last of the answer. */
static bool read_some(const struct nlmsghdr *header, int length, struct answer *answer,
		      take_attributes take, void *argument)
{
	for (; NLMSG_OK(header, length); header = NLMSG_NEXT(header, length)) {
		const char *data = NLMSG_DATA(header);

		if (header->nlmsg_type == NLMSG_ERROR) {
			read_error(header, answer);
			return true;
		}
		if (header->nlmsg_type == NLMSG_DONE) {
			read_done(header, answer);
			return true;
		}
		if (take)
			take((const void *)(data + GENL_HDRLEN),
			     NLMSG_PAYLOAD(header, GENL_HDRLEN), argument);
	}
	return false;
}

static int exchange(struct request *r, struct answer *answer, take_attributes take,
		    void *argument)
{
	union {
		struct nlmsghdr header;
		char bytes[16384];
	} buffer;
	struct answer ignored;
	ssize_t length;
	int fd;

	if (!answer)
		answer = &ignored;
	memset(answer, 0, sizeof(*answer));
	answer->error = EIO;
	fd = netlink_socket();
	if (fd < 0)
		return answer->error;
	length = send(fd, r, r->header.nlmsg_len, 0);
	while (length > 0) {
		length = recv(fd, &buffer, sizeof(buffer), 0);
		if (length < 0 && errno == EINTR)
			length = 1;
		else if (length > 0 && read_some(&buffer.header, length, answer, take, argument))
			break;
	}
	close(fd);
	return answer->error;
}

static void take_family(const struct nlattr *first, int length, void *argument)
{
	const struct nlattr *id = attribute(first, length, CTRL_ATTR_FAMILY_ID);

	if (id)
		family = attribute_number(id);
}

bool netlink_present(void)
{
	static const char name[] = PROCSHARE_FAMILY_NAME;
	struct request r;

	begin(&r, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	r.header.nlmsg_flags |= NLM_F_ACK;
	request_put(&r, CTRL_ATTR_FAMILY_NAME, name, sizeof(name));
	return exchange(&r, NULL, take_family, NULL) == 0;
}

void request_begin(struct request *r, int command)
{
	if (!family && !netlink_present())
		family = NLMSG_MIN_TYPE;	/* nobody's: the kernel says so */
	begin(r, family, command, PROCSHARE_FAMILY_VERSION);
}

int request_send(struct request *r, struct answer *answer)
{
	r->header.nlmsg_flags |= NLM_F_ACK;
	return exchange(r, answer, NULL, NULL);
}

int request_dump(struct request *r, struct answer *answer, take_attributes take, void *argument)
{
	r->header.nlmsg_flags |= NLM_F_DUMP;
	return exchange(r, answer, take, argument);
}
