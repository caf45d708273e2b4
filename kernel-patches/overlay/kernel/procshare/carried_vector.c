// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - carried_vector: buffers that memory tells of, and not registers
 *
 * readv() and its like have an array with the places of their data, sendmsg() and recvmsg()
 * a header with that array and two buffers more.  Header and array travel as they are; data
 * travel in one piece, whatever their places.
 */

#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>

#include "carried.h"
#include "wire.h"

/* More is made with the caller's pages. */
#define CONTROL_MAX	4096

/* The buffer with @flag, or -1. */
int carried_find(const struct carried *c, u16 flag)
{
	unsigned int i;

	for (i = 0; i < c->n; i++)
		if (c->buffers[i].flags & flag)
			return i;
	return -1;
}

/* The number of places in the vector, which there is. */
size_t carried_parts(const struct carried *c)
{
	return c->buffers[carried_find(c, CARRIED_VECTOR)].size / sizeof(struct iovec);
}

static void add(struct carried *c, const void __user *at, size_t size, u16 flags)
{
	if (at && size)
		c->buffers[c->n++] = (struct carried_buffer) {
			.at = (unsigned long)at, .size = size, .unit = 1, .flags = flags,
		};
}

/* Find the buffers that @header has; false if they are not to travel. */
bool carried_take_header(struct carried *c)
{
	const struct user_msghdr *h = &c->header;
	bool in = c->buffers[0].flags & CARRIED_CHANGED;

	c->n = 1;
	if (!h->msg_iov || !h->msg_iovlen || h->msg_iovlen > CARRIED_VECTOR_MAX)
		return false;
	if (h->msg_namelen < 0 || h->msg_namelen > sizeof(struct sockaddr_storage) ||
	    h->msg_controllen > CONTROL_MAX)
		return false;
	add(c, h->msg_iov, h->msg_iovlen * sizeof(struct iovec), CARRIED_VECTOR);
	c->buffers[c->n++] = (struct carried_buffer) {
		.unit = 1, .flags = CARRIED_PLACES | (in ? CARRIED_RESULT : CARRIED_SENT),
	};
	add(c, h->msg_name, h->msg_namelen, in ? CARRIED_NAME : CARRIED_SENT);
	add(c, h->msg_control, h->msg_controllen,
	    in ? CARRIED_CONTROL | CARRIED_GAPS : CARRIED_SENT);
	return true;
}

/* Sum up the places in @vector; false if the data are not to travel. */
bool carried_take_vector(struct carried *c)
{
	int at = carried_find(c, CARRIED_VECTOR);
	size_t total = 0;
	unsigned int i;

	for (i = 0; i < carried_parts(c); i++) {
		if (c->vector[i].iov_len > CARRIED_MAX ||
		    !access_ok(c->vector[i].iov_base, c->vector[i].iov_len))
			return false;
		total += c->vector[i].iov_len;
	}
	c->buffers[at + 1].size = total;
	for (i = 0; i < c->n; i++)
		if (i != at + 1)
			total += c->buffers[i].size;
	return c->buffers[at + 1].size && total <= CARRIED_MAX;
}

static bool look(void *to, const struct carried_buffer *b)
{
	return !copy_from_user(to, (const void __user *)b->at, b->size);
}

/*
 * Complete @c from current's memory.  False if that cannot be read, or says that the call
 * is to be made with the caller's.
 */
bool carried_look(struct carried *c)
{
	int at = carried_find(c, CARRIED_HEADER);

	if (at >= 0 && (!look(&c->header, &c->buffers[at]) || !carried_take_header(c)))
		return false;
	at = carried_find(c, CARRIED_VECTOR);
	return at < 0 || (look(c->vector, &c->buffers[at]) && carried_take_vector(c));
}

/* Put @n bytes, which are @offset bytes from the beginning, into the places in @vector. */
static bool scatter(const struct iovec *vector, size_t offset, const void *from, size_t n)
{
	for (; n; vector++) {
		size_t skip = min(offset, vector->iov_len);
		size_t part = min(n, vector->iov_len - skip);

		if (copy_to_user(vector->iov_base + skip, from, part))
			return false;
		offset -= skip;
		from += part;
		n -= part;
	}
	return true;
}

static bool store(const struct carried *c, const struct procshare_wire_piece *piece)
{
	const struct carried_buffer *b = &c->buffers[le16_to_cpu(piece->buffer)];
	size_t offset = le16_to_cpu(piece->offset), n = le32_to_cpu(piece->length);

	if (b->flags & CARRIED_PLACES)
		return scatter(c->vector, offset, piece + 1, n);
	return !copy_to_user((void __user *)b->at + offset, piece + 1, n);
}

/* Put those pieces that are of a header, or those that are not. */
static bool store_all(const struct carried *c, const void *pieces, size_t n, bool of_header)
{
	const struct procshare_wire_piece *piece;
	size_t at = 0;
	u16 flags;

	while (at < n) {
		piece = carried_next(pieces, n, &at);
		flags = c->buffers[le16_to_cpu(piece->buffer)].flags;
		if (!!(flags & CARRIED_HEADER) == of_header && !store(c, piece))
			return false;
	}
	return true;
}

/*
 * Put all pieces, which are such of @c, into current's memory; false if it cannot be done.
 * The header last: who tries again learns from it where the others belong.
 */
bool carried_store(const struct carried *c, const void *pieces, size_t n)
{
	return store_all(c, pieces, n, false) && store_all(c, pieces, n, true);
}
