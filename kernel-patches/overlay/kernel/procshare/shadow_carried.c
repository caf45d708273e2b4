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

/* What the call reads, to @to; -EFAULT if it, or where it writes, cannot be had here. */
static ssize_t carry(const struct carried *c, void *to)
{
	void __user *from = (void __user *)c->from;
	ssize_t n = c->out;

	if (c->path) {
		n = strncpy_from_user(to, from, c->out);
		if (n < 0 || n == c->out)
			return -EFAULT;
		n++;
	} else if (copy_from_user(to, from, c->out)) {
		return -EFAULT;
	}
	return fault_in_safe_writeable((void __user *)c->to, c->in) ? -EFAULT : n;
}

static bool is_here(unsigned long address)
{
	u8 byte;

	return !copy_from_user_nofault(&byte, (const void __user *)address, 1);
}

/*
 * What is to travel with the call.  Whoever looks at the call wants to see the buffer
 * at home; and a long transfer is best made where the buffer is: what is only copied
 * from file to file never leaves home.
 */
struct carried shadow_carries(const struct shadow_thread *st, const struct pt_regs *regs,
			      long nr)
{
	struct carried c = call_carries(regs, nr);

	if (st->watched || (max(c.out, c.in) > CARRIED_SMALL && !is_here(c.from)))
		return (struct carried) {};
	return c;
}

/*
 * Make the call carry @c, for which there is room behind it.  Returns the bytes that
 * follow it now.  A call without data finds its buffer at home.
 */
size_t shadow_carry(struct shadow_thread *st, const struct carried *c,
		    struct procshare_wire_call *call)
{
	ssize_t n;

	if (!c->out && !c->in)
		return 0;
	st->peeking = true;
	n = carry(c, call + 1);
	st->peeking = false;
	if (n < 0)
		return 0;
	call->flags = cpu_to_le32(PROCSHARE_CALL_CARRIES);
	call->data = cpu_to_le32(n);
	return n;
}

/* Put what RETURN has brought into the buffer; false if it cannot be done here. */
bool shadow_store(struct shadow_thread *st, const struct pt_regs *regs, long nr,
		  const struct procshare_wire_return *ret)
{
	void __user *to = (void __user *)call_carries(regs, nr).to;
	bool can;

	st->peeking = true;
	can = !copy_to_user(to, ret + 1, le32_to_cpu(ret->data));
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
