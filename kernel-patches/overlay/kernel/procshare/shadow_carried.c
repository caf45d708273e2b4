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
#include "shadow.h"

/* The piece of what the call reads in buffer @i, at @to; -EFAULT if it cannot be had here. */
static ssize_t carry(const struct carried *c, unsigned int i, void *to)
{
	const struct carried_buffer *b = &c->buffers[i];
	const void __user *from = (const void __user *)b->at;
	ssize_t n = b->size;

	if (b->flags & CARRIED_STRING) {
		n = strncpy_from_user(carried_piece(to, i, 0, 0), from, b->size);
		if (n < 0 || n == b->size)
			return -EFAULT;
		n++;
		carried_piece(to, i, 0, n);
	} else if (copy_from_user(carried_piece(to, i, 0, n), from, n)) {
		return -EFAULT;
	}
	return carried_piece_size(n);
}

/* All that it reads, and what it may write is prepared for that. */
static ssize_t carry_all(const struct carried *c, void *to)
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
		if (b->flags & CARRIED_BACK &&
		    fault_in_safe_writeable((void __user *)b->at, b->size))
			return -EFAULT;
	}
	return used;
}

static bool is_here(unsigned long address)
{
	u8 byte;

	return !copy_from_user_nofault(&byte, (const void __user *)address, 1);
}

/*
 * What is to travel with the call.  Whoever looks at the call wants to see the memory
 * at home; and a long transfer is best made where the buffer is: what is only copied
 * from file to file never leaves home.
 */
void shadow_carries(const struct shadow_thread *st, const struct pt_regs *regs, long nr,
		    struct carried *c)
{
	const struct carried_buffer *first = &c->buffers[0];

	call_carries(regs, nr, c);
	if (!c->n)
		return;
	if (st->watched || (first->size > CARRIED_SMALL && !(first->flags & CARRIED_PART) &&
			    !is_here(first->at)))
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
 * follow it now.  A call without pieces finds its memory at home.
 */
size_t shadow_carry(struct shadow_thread *st, const struct carried *c,
		    struct procshare_wire_call *call)
{
	ssize_t n;

	if (!c->n)
		return 0;
	st->peeking = true;
	n = carry_all(c, call + 1);
	st->peeking = false;
	if (n < 0)
		return 0;
	call->flags = cpu_to_le32(PROCSHARE_CALL_CARRIES);
	call->data = cpu_to_le32(n);
	return n;
}

/* Put the pieces of RETURN, of such buffers, where they belong. */
static bool store(const struct carried *c, const struct procshare_wire_return *ret)
{
	const struct procshare_wire_piece *piece;
	size_t n = le32_to_cpu(ret->data), at = 0;

	while (at < n) {
		piece = carried_next(ret + 1, n, &at);
		if (copy_to_user((void __user *)c->buffers[le16_to_cpu(piece->buffer)].at +
				 le16_to_cpu(piece->offset),
				 piece + 1, le32_to_cpu(piece->length)))
			return false;
	}
	return true;
}

/* The same; false if it cannot be done here. */
bool shadow_store(struct shadow_thread *st, const struct pt_regs *regs, long nr,
		  const struct procshare_wire_return *ret)
{
	struct carried c;
	bool can;

	call_carries(regs, nr, &c);
	st->peeking = true;
	can = store(&c, ret);
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
