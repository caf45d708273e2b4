// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - shadow_carried: the caller's end of data that travel in the messages
 *
 * A buffer that home does not give away is no reason to go home: the call is made
 * there in any case.
 */

#include <linux/minmax.h>
#include <linux/pagemap.h>
#include <linux/uaccess.h>

#include "carried.h"
#include "keys.h"
#include "shadow.h"

static bool gather(const struct carried *c, void *to)
{
	unsigned int i;

	for (i = 0; i < carried_parts(c); i++) {
		if (copy_from_user(to, c->vector[i].iov_base, c->vector[i].iov_len))
			return false;
		to += c->vector[i].iov_len;
	}
	return true;
}

/* What the call reads in @b, to @to; headers and vectors are what they were when looked at. */
static bool copy(const struct carried *c, const struct carried_buffer *b, void *to)
{
	if (b->flags & CARRIED_PLACES)
		return gather(c, to);
	if (b->flags & CARRIED_HEADER)
		memcpy(to, &c->header, b->size);
	else if (b->flags & CARRIED_VECTOR)
		memcpy(to, c->vector, b->size);
	else
		return !copy_from_user(to, (const void __user *)b->at, b->size);
	return true;
}

/* The piece of buffer @i, at @to; -EFAULT if it cannot be had here. */
static ssize_t carry(const struct carried *c, unsigned int i, void *to)
{
	const struct carried_buffer *b = &c->buffers[i];
	ssize_t n = b->size;

	if (b->flags & CARRIED_STRING) {
		n = strncpy_from_user(carried_piece(to, i, 0, 0),
				      (const char __user *)b->at, b->size);
		if (n < 0 || n == b->size)
			return -EFAULT;
		n++;
		carried_piece(to, i, 0, n);
	} else if (!copy(c, b, carried_piece(to, i, 0, n))) {
		return -EFAULT;
	}
	return carried_piece_size(n);
}

/* How much the call may write to @b. */
static size_t most_of(const struct carried_buffer *b)
{
	int length;

	if (!(b->flags & CARRIED_LENGTH))
		return b->size;
	if (get_user(length, (int __user *)b[1].at))
		return 0;
	return clamp(length, 0, (int)b->size);
}

/* The shadow's one area has no key: faulting a page in is no question of the rights. */
static bool has_right(struct shadow *s, unsigned long start, size_t size)
{
	unsigned long last = (start + size - 1) >> PAGE_SHIFT;
	struct shadow_page *sp;
	unsigned long index;

	xa_for_each_range(&s->pages, index, sp, start >> PAGE_SHIFT, last)
		if (!procshare_may_write(shadow_page_key(sp)))
			return false;
	return true;
}

static bool can_fill(struct shadow *s, void __user *start, size_t size)
{
	return !size || (!fault_in_safe_writeable(start, size) &&
			 has_right(s, (unsigned long)start, size));
}

static bool can_write(struct shadow *s, const struct carried *c,
		      const struct carried_buffer *b)
{
	unsigned int i;

	if (!(b->flags & CARRIED_PLACES))
		return can_fill(s, (void __user *)b->at, most_of(b));
	for (i = 0; i < carried_parts(c); i++)
		if (!can_fill(s, c->vector[i].iov_base, c->vector[i].iov_len))
			return false;
	return true;
}

/* All that it reads, and what it may write is prepared for that. */
static ssize_t carry_all(struct shadow *s, const struct carried *c, void *to)
{
	ssize_t used = 0, n;
	unsigned int i;

	for (i = 0; i < c->n; i++) {
		const struct carried_buffer *b = &c->buffers[i];

		if (b->flags & CARRIED_OUT) {
			n = carry(c, i, to + used);
			if (n < 0)
				return n;
			used += n;
		}
		if (b->flags & CARRIED_BACK && !can_write(s, c, b))
			return -EFAULT;
	}
	return used;
}

/* A long transfer is best made where the buffer is: what is only copied never leaves home. */
static bool is_at_home(const struct carried *c)
{
	int at = carried_find(c, CARRIED_PLACES);
	const struct carried_buffer *b = &c->buffers[max(at, 0)];
	const void __user *first;
	u8 byte;

	if (b->size <= CARRIED_SMALL || b->flags & CARRIED_PART)
		return false;
	first = at < 0 ? (const void __user *)b->at : c->vector[0].iov_base;
	return copy_from_user_nofault(&byte, first, 1);
}

/* What is to travel with the call.  Whoever looks at it wants to see the memory at home. */
void shadow_carries(struct shadow_thread *st, const struct pt_regs *regs, long nr,
		    struct carried *c)
{
	bool known;

	c->n = 0;
	if (!st->watched)
		call_carries(regs, nr, c);
	if (!c->n)
		return;
	st->peeking = true;
	known = carried_look(c);
	st->peeking = false;
	if (!known || is_at_home(c))
		c->n = 0;
}

/* Room for the pieces that are to come with the call. */
size_t shadow_carry_room(const struct carried *c)
{
	size_t room = 0;
	unsigned int i;

	for (i = 0; i < c->n; i++)
		if (c->buffers[i].flags & CARRIED_OUT)
			room += carried_piece_size(c->buffers[i].size);
	return room;
}

/*
 * Make the call carry @c, for which there is room behind it.  Returns the bytes that
 * follow it now.  A call without pieces finds its memory at home, and brings none.
 */
size_t shadow_carry(struct shadow_thread *st, struct carried *c,
		    struct procshare_wire_call *call)
{
	ssize_t n;

	if (!c->n)
		return 0;
	st->peeking = true;
	n = carry_all(st->shadow, c, call + 1);
	st->peeking = false;
	if (n < 0) {
		c->n = 0;
		return 0;
	}
	call->flags = cpu_to_le32(PROCSHARE_CALL_CARRIES);
	call->data = cpu_to_le32(n);
	return n;
}

/* Put what RETURN has brought where it belongs; false if it cannot be done here. */
bool shadow_store(struct shadow_thread *st, const struct carried *c,
		  const struct procshare_wire_return *ret)
{
	bool can;

	st->peeking = true;
	can = carried_store(c, ret + 1, le32_to_cpu(ret->data));
	st->peeking = false;
	return can;
}

/* The CALL that has it put there at home: the caller completes it. */
struct procshare_msg *shadow_pack_store(const struct procshare_wire_return *ret)
{
	size_t data = le32_to_cpu(ret->data);
	struct procshare_wire_call *call;
	struct procshare_msg *msg;

	msg = procshare_msg_alloc(PROCSHARE_WIRE_CALL, sizeof(*call) + data,
				  GFP_KERNEL_ACCOUNT);
	if (!msg)
		return NULL;
	call = (void *)msg->body;
	memset(call, 0, sizeof(*call));
	memcpy(call + 1, ret + 1, data);
	call->data = ret->data;
	call->flags = cpu_to_le32(PROCSHARE_CALL_STORE);
	return msg;
}
