// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - executor_collect: what a call has written to scratch memory goes back
 */

#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "executor_carried.h"
#include "home.h"

/* What was sent of buffer @buffer. */
const void *executor_sent(const struct procshare_msg *msg, unsigned int buffer)
{
	const struct procshare_wire_piece *piece;
	size_t at = 0;

	do {
		piece = carried_next(carried_pieces(msg), carried_length(msg), &at);
	} while (le16_to_cpu(piece->buffer) != buffer);
	return piece + 1;
}

/* How much of buffer @i the call has written, if that is not for comparing to tell. */
static size_t written(const struct carried *c, unsigned int i, long result,
		      const struct procshare_msg *msg)
{
	const struct user_msghdr __user *header = (void __user *)c->buffers[0].at;
	const struct carried_buffer *b = &c->buffers[i];
	size_t length = 0;
	int before, now = 0;

	if (IS_ERR_VALUE(result) || (b->flags & CARRIED_FOUND && !result))
		return 0;
	if (b->flags & (CARRIED_FILLED | CARRIED_FOUND))
		return b->size;
	if (b->flags & CARRIED_RESULT)
		return min_t(u64, (u64)result * b->unit, b->size);
	if (b->flags & CARRIED_CONTROL)
		return get_user(length, &header->msg_controllen) ? 0 : min(length, b->size);
	if (b->flags & CARRIED_NAME)
		return get_user(now, &header->msg_namelen) ? 0 : clamp(now, 0, (int)b->size);
	memcpy(&before, executor_sent(msg, i + 1), sizeof(before));
	return get_user(now, (int __user *)c->buffers[i + 1].at) ? 0 : clamp(now, 0, before);
}

/* The pieces of buffer @i, at @to; -EFAULT if it is gone. */
static ssize_t fetch(const struct carried *c, unsigned int i, long result,
		     const struct procshare_msg *msg, void *to)
{
	const struct carried_buffer *b = &c->buffers[i];
	const void __user *from = (const void __user *)b->at;
	size_t n;

	if (b->flags & CARRIED_CHANGED) {
		void *now = to + carried_changes_room(b->size);
		const void *old = b->flags & CARRIED_HEADER ? &c->header : executor_sent(msg, i);

		if (copy_from_user(now, from, b->size))
			return -EFAULT;
		return carried_changes(to, i, old, now, b->size);
	}
	n = written(c, i, result, msg);
	if (!n)
		return 0;
	if (copy_from_user(carried_piece(to, i, 0, n), from, n))
		return -EFAULT;
	return carried_piece_size(n);
}

/* Room for what fetch() may need, whatever the memory says by then. */
static size_t room_for(const struct carried *c, long result, const struct procshare_msg *msg)
{
	size_t room = 0;
	unsigned int i;

	for (i = 0; i < c->n; i++) {
		const struct carried_buffer *b = &c->buffers[i];

		if (b->flags & CARRIED_CHANGED)
			room += carried_changes_room(b->size) + b->size;
		else if (b->flags & (CARRIED_LENGTH | CARRIED_NAME | CARRIED_CONTROL))
			room += carried_piece_size(b->size);
		else if (b->flags & CARRIED_BACK)
			room += carried_piece_size(written(c, i, result, msg));
	}
	return room;
}

/*
 * Pack for RETURN what the call of @msg has written to scratch memory, @brought bytes of
 * pieces.  NULL if there is no memory for it, and the process is doomed.
 */
struct procshare_msg *executor_collect(struct home_thread *t, struct pt_regs *regs,
				       const struct carried *c,
				       const struct procshare_msg *msg, size_t *brought)
{
	struct procshare_msg *ret;
	unsigned int i;
	void *to;
	ssize_t n;

	*brought = 0;
	ret = executor_alloc_return(t, room_for(c, regs->ax, msg));
	if (!ret)
		return NULL;
	to = ret->body + sizeof(struct procshare_wire_return);
	for (i = 0; i < c->n; i++) {
		if (!(c->buffers[i].flags & CARRIED_BACK))
			continue;
		n = fetch(c, i, regs->ax, msg, to + *brought);
		if (n < 0) {
			regs->ax = n;
			*brought = 0;
			break;
		}
		*brought += n;
	}
	return ret;
}
