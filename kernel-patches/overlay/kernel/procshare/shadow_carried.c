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

/* The path, with its 0, if there is room for that; then where its status goes. */
static ssize_t carry_path(const struct pt_regs *regs, char *to)
{
	long n = strncpy_from_user(to, (void __user *)regs->si, CARRIED_PATH);

	if (n < 0 || n == CARRIED_PATH ||
	    fault_in_safe_writeable(carried_buffer(regs, __NR_newfstatat),
				    sizeof(struct stat)))
		return -EFAULT;
	return n + 1;
}

/* Returns the bytes that follow the call now, *@data: those that it carries. */
static ssize_t carry(const struct pt_regs *regs, long nr, void *to, u32 *data)
{
	ssize_t path;

	*data = regs->dx;
	switch (call_carries(regs, nr)) {
	case CARRIED_OUT:
		return copy_from_user(to, (void __user *)regs->si, regs->dx) ? -EFAULT :
									       regs->dx;
	case CARRIED_IN:
		return fault_in_safe_writeable(carried_buffer(regs, nr), regs->dx) ?
			       -EFAULT : 0;
	default:
		path = carry_path(regs, to);
		*data = path;
		return path;
	}
}

/*
 * Make the call carry its data, for which there is room behind it.  Returns the
 * bytes that follow it now.  A call without data finds its buffer at home.
 */
size_t shadow_carry(struct shadow_thread *st, const struct pt_regs *regs, long nr,
		    struct procshare_wire_call *call)
{
	ssize_t behind;
	u32 data;

	/* Whoever looks at the call wants to see the buffer there, too. */
	if (call_carries(regs, nr) == CARRIED_NOT || st->watched)
		return 0;
	st->peeking = true;
	behind = carry(regs, nr, call + 1, &data);
	st->peeking = false;
	if (behind < 0)
		return 0;
	call->data = cpu_to_le32(data);
	return behind;
}

/* Put what RETURN has brought into the buffer; false if it cannot be done here. */
bool shadow_store(struct shadow_thread *st, const struct pt_regs *regs, long nr,
		  const struct procshare_wire_return *ret)
{
	bool can;

	st->peeking = true;
	can = !copy_to_user(carried_buffer(regs, nr), ret + 1, le32_to_cpu(ret->data));
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
