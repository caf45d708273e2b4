// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - executor_carried: calls whose memory travels in the messages
 *
 * They are made as any other call is, but that the addresses among their arguments are
 * those of scratch memory (home_scratch.c).  The registers of the thread stay as they are:
 * whoever looks at them, or restarts the call, finds the caller's.
 */

#include <linux/align.h>
#include <linux/file.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/string.h>
#include <linux/task_work.h>
#include <linux/uaccess.h>
#include <asm/syscall.h>

#include "carried.h"
#include "home.h"

static const void *pieces_of(const struct procshare_msg *msg)
{
	return (const struct procshare_wire_call *)msg->body + 1;
}

static size_t length_of(const struct procshare_msg *msg)
{
	return le32_to_cpu(((const struct procshare_wire_call *)msg->body)->data);
}

static bool is_whole(const struct carried_buffer *b, const struct procshare_wire_piece *piece)
{
	u32 n = le32_to_cpu(piece->length);

	if (piece->offset)
		return false;
	if (b->flags & CARRIED_STRING)
		return n <= b->size && strnlen((const char *)(piece + 1), n) == n - 1;
	return n == b->size;
}

/* Everything that the call reads, in order, and nothing else. */
static bool has_arguments(const struct carried *c, const struct procshare_msg *msg)
{
	const struct procshare_wire_piece *piece;
	size_t at = 0;
	unsigned int i;

	for (i = 0; i < c->n; i++) {
		if (!(c->buffers[i].flags & CARRIED_OUT))
			continue;
		piece = carried_next(pieces_of(msg), length_of(msg), &at);
		if (!piece || le16_to_cpu(piece->buffer) != i ||
		    !is_whole(&c->buffers[i], piece))
			return false;
	}
	return at == length_of(msg);
}

/* Is in the CALL @nr what it says about its pieces? */
bool executor_carried_fits(const struct pt_regs *regs, const struct procshare_msg *msg,
			   long nr)
{
	const struct procshare_wire_call *call = (void *)msg->body;
	struct carried c;

	call_carries(regs, nr, &c);
	if (!c.n || msg->length != sizeof(*call) + length_of(msg))
		return false;
	if (call->flags & cpu_to_le32(PROCSHARE_CALL_STORE))
		return carried_are_pieces(&c, CARRIED_BACK, pieces_of(msg), length_of(msg));
	return has_arguments(&c, msg);
}

/* Put what a call has brought into the caller's buffers, from here. */
void executor_store(struct pt_regs *regs, long nr, const void *pieces, size_t n)
{
	const struct procshare_wire_piece *piece;
	struct carried c;
	size_t at = 0;

	call_carries(regs, nr, &c);
	while (at < n) {
		piece = carried_next(pieces, n, &at);
		if (copy_to_user((void __user *)c.buffers[le16_to_cpu(piece->buffer)].at +
				 le16_to_cpu(piece->offset),
				 piece + 1, le32_to_cpu(piece->length))) {
			regs->ax = -EFAULT;
			return;
		}
	}
}

/* Where the call finds each of @c's buffers, from @slot on. */
static void place(struct carried *c, unsigned long slot)
{
	unsigned int i;

	for (i = 0; i < c->n; i++) {
		c->buffers[i].at = slot;
		slot += ALIGN(c->buffers[i].size, SCRATCH_ALIGN);
	}
}

static bool put_arguments(const struct carried *c, const struct procshare_msg *msg)
{
	const struct procshare_wire_piece *piece;
	size_t at = 0;

	while (at < length_of(msg)) {
		piece = carried_next(pieces_of(msg), length_of(msg), &at);
		if (copy_to_user((void __user *)c->buffers[le16_to_cpu(piece->buffer)].at,
				 piece + 1, le32_to_cpu(piece->length)))
			return false;
	}
	return true;
}

/* What was sent of buffer @buffer. */
static const void *sent(const struct procshare_msg *msg, unsigned int buffer)
{
	const struct procshare_wire_piece *piece;
	size_t at = 0;

	do {
		piece = carried_next(pieces_of(msg), length_of(msg), &at);
	} while (le16_to_cpu(piece->buffer) != buffer);
	return piece + 1;
}

/*
 * A buffer that has another length than its place would be overrun; one for transfers
 * past the page cache has to be the caller's own.
 */
static bool can_be_made(const struct pt_regs *regs, long nr, const struct carried *c,
			const struct procshare_msg *msg)
{
	unsigned int i;
	int length;

	for (i = 0; i < c->n; i++) {
		if (!(c->buffers[i].flags & CARRIED_LENGTH))
			continue;
		memcpy(&length, sent(msg, i + 1), sizeof(length));
		if (length < 0 || length > c->buffers[i].size)
			return false;
	}
	switch (nr) {
	case __NR_read:
	case __NR_write:
	case __NR_pread64:
	case __NR_pwrite64: {
		CLASS(fd, f)(regs->di);

		return fd_empty(f) || !(fd_file(f)->f_flags & O_DIRECT);
	}
	default:
		return true;
	}
}

/* A poll() that a stop has interrupted goes on with the caller's array. */
static void keep_restart(const struct pt_regs *regs, long nr)
{
	if (nr == __NR_poll && regs->ax == -ERESTART_RESTARTBLOCK)
		current->restart_block.poll.ufds = (void __user *)regs->di;
}

static void make(struct pt_regs *regs, long nr, const struct carried *c)
{
	struct pt_regs args = *regs;
	unsigned int i;

	for (i = 0; i < c->n; i++) {
		const struct carried_buffer *b = &c->buffers[i];

		*carried_argument(&args, b->argument) = b->at;
		if (b->flags & CARRIED_PART)
			*carried_argument(&args, b->count) = b->size / b->unit;
	}
	args.ax = -ENOSYS;
	regs->orig_ax = nr;
	regs->ax = x64_sys_call(&args, array_index_nospec(nr, NR_syscalls));
	keep_restart(regs, nr);
	if (task_work_pending(current))
		task_work_run();
}

/* How much of buffer @i the call has written, if that is not for comparing to tell. */
static size_t written(const struct carried *c, unsigned int i, long result,
		      const struct procshare_msg *msg)
{
	const struct carried_buffer *b = &c->buffers[i];
	int before, now;

	if (IS_ERR_VALUE(result) || (b->flags & CARRIED_FOUND && !result))
		return 0;
	if (b->flags & (CARRIED_FILLED | CARRIED_FOUND))
		return b->size;
	if (b->flags & CARRIED_RESULT)
		return min_t(u64, (u64)result * b->unit, b->size);
	memcpy(&before, sent(msg, i + 1), sizeof(before));
	if (get_user(now, (int __user *)c->buffers[i + 1].at))
		return 0;
	return clamp(now, 0, before);
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

		if (copy_from_user(now, from, b->size))
			return -EFAULT;
		return carried_changes(to, i, sent(msg, i), now, b->size);
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
		else if (b->flags & CARRIED_LENGTH)
			room += carried_piece_size(b->size);
		else if (b->flags & CARRIED_BACK)
			room += carried_piece_size(written(c, i, result, msg));
	}
	return room;
}

/* Pack for RETURN what the call has written. */
static struct procshare_msg *collect(struct home_thread *t, struct pt_regs *regs,
				     const struct carried *c, const struct procshare_msg *msg,
				     size_t *brought)
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

/*
 * Make the call of @msg, which fits, with scratch memory in place of the caller's.
 * Returns the message for its result, in which @brought bytes of pieces are already,
 * or NULL if there is no memory for one, and the process is doomed.  -EAGAIN: the call
 * has to be made with the caller's memory, nothing has been done.
 */
struct procshare_msg *executor_make_carried(struct home_thread *t, struct pt_regs *regs,
					    long nr, const struct procshare_msg *msg,
					    size_t *brought)
{
	struct procshare_msg *ret = ERR_PTR(-EAGAIN);
	struct carried c;
	unsigned long slot;

	call_carries(regs, nr, &c);
	/* Whoever looks at the call wants to see the caller's memory. */
	if (executor_watched() || !can_be_made(regs, nr, &c, msg))
		return ret;
	slot = scratch_get(t->process);
	if (!slot)
		return ret;
	place(&c, slot);
	/* Is it still there? */
	if (!put_user(0, (int __user *)slot) && put_arguments(&c, msg)) {
		make(regs, nr, &c);
		ret = collect(t, regs, &c, msg, brought);
	}
	scratch_put(t->process, slot);
	return ret;
}
