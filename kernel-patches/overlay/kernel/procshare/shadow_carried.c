// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - shadow_carried: the caller's end of data that travel in the messages
 *
 * A buffer that home does not give away is no reason to go home: the call is made
 * there in any case.
 */

#include <linux/pagemap.h>
#include <linux/uaccess.h>

#include "carried.h"
#include "shadow.h"

static void __user *buffer_of(const struct pt_regs *regs)
{
	return (void __user *)regs->si;
}

/*
 * Make the call carry its data, for which there is room behind it.  Returns the
 * bytes that follow it now.  A call without data finds its buffer at home.
 */
size_t shadow_carry(struct shadow_thread *st, const struct pt_regs *regs, long nr,
		    struct procshare_wire_call *call)
{
	enum carried carried = call_carries(regs, nr);
	bool can = false;

	/* Whoever looks at the call wants to see the buffer there, too. */
	if (carried == CARRIED_NOT || st->watched)
		return 0;
	st->peeking = true;
	if (carried == CARRIED_OUT)
		can = !copy_from_user(call + 1, buffer_of(regs), regs->dx);
	else
		can = !fault_in_safe_writeable(buffer_of(regs), regs->dx);
	st->peeking = false;
	if (!can)
		return 0;
	call->data = cpu_to_le32(regs->dx);
	return carried == CARRIED_OUT ? regs->dx : 0;
}

/* Put what RETURN has brought into the buffer; false if it cannot be done here. */
bool shadow_store(struct shadow_thread *st, const struct pt_regs *regs,
		  const struct procshare_wire_return *ret)
{
	bool can;

	st->peeking = true;
	can = !copy_to_user(buffer_of(regs), ret + 1, le32_to_cpu(ret->data));
	st->peeking = false;
	return can;
}

/* The CALL that has it put there at home: the caller completes it. */
struct procshare_msg *shadow_pack_store(const struct procshare_wire_return *ret)
{
	size_t data = le32_to_cpu(ret->data);
	struct procshare_wire_call *call;
	struct procshare_msg *msg;

	msg = procshare_msg_alloc(PROCSHARE_WIRE_CALL, sizeof(*call) + data, GFP_KERNEL);
	if (!msg)
		return NULL;
	call = (void *)msg->body;
	memset(call, 0, sizeof(*call));
	memcpy(call + 1, ret + 1, data);
	call->data = ret->data;
	call->flags = cpu_to_le32(PROCSHARE_CALL_STORE);
	return msg;
}
