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
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/major.h>
#include <linux/pagemap.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/syscall.h>

#include "executor_carried.h"
#include "home.h"

static bool is_whole(const struct carried_buffer *b, const struct procshare_wire_piece *piece)
{
	u32 n = le32_to_cpu(piece->length);

	if (piece->offset)
		return false;
	if (b->flags & CARRIED_STRING)
		return n <= b->size && strnlen((const char *)(piece + 1), n) == n - 1;
	return n == b->size;
}

/* What is in a header, or a vector, tells of more. */
static bool take(struct carried *c, const struct carried_buffer *b, const void *contents)
{
	if (b->flags & CARRIED_HEADER) {
		memcpy(&c->header, contents, sizeof(c->header));
		return carried_take_header(c);
	}
	if (b->flags & CARRIED_VECTOR) {
		memcpy(c->vector, contents, b->size);
		return carried_take_vector(c);
	}
	return true;
}

/*
 * Does the CALL @nr bring everything that it reads, in order, and nothing else?  Then @c
 * is all about its buffers.
 */
static bool take_arguments(struct carried *c, const struct pt_regs *regs, long nr,
			   const struct procshare_msg *msg)
{
	const struct procshare_wire_piece *piece;
	size_t at = 0;
	unsigned int i;

	call_carries(regs, nr, c);
	for (i = 0; i < c->n; i++) {
		const struct carried_buffer *b = &c->buffers[i];

		if (!(b->flags & CARRIED_OUT))
			continue;
		piece = carried_next(carried_pieces(msg), carried_length(msg), &at);
		if (!piece || le16_to_cpu(piece->buffer) != i || !is_whole(b, piece) ||
		    !take(c, b, piece + 1))
			return false;
	}
	return c->n && at == carried_length(msg);
}

/* Put what a call has brought into the caller's memory, from here. */
void executor_store(struct pt_regs *regs, long nr, const void *pieces, size_t n)
{
	struct carried c;

	call_carries(regs, nr, &c);
	if (!carried_look(&c) || !carried_are_pieces(&c, CARRIED_BACK, pieces, n) ||
	    !carried_store(&c, pieces, n))
		regs->ax = -EFAULT;
}

/* Each buffer begins here, or at a multiple of it. */
#define SCRATCH_ALIGN	64

/* What all buffers need together. */
static size_t size_of(const struct carried *c)
{
	size_t size = 0;
	unsigned int i;

	for (i = 0; i < c->n; i++)
		size += ALIGN(c->buffers[i].size, SCRATCH_ALIGN);
	return size;
}

/* Where the call finds each of @c's buffers, from @scratch on. */
static void place(struct carried *c, unsigned long scratch)
{
	unsigned int i;

	for (i = 0; i < c->n; i++) {
		c->buffers[i].at = scratch;
		scratch += ALIGN(c->buffers[i].size, SCRATCH_ALIGN);
	}
}

/* Let header and vector, which the call finds in scratch memory, point to that. */
static bool redirect(struct carried *c)
{
	int header = carried_find(c, CARRIED_HEADER), vector = carried_find(c, CARRIED_VECTOR);
	struct user_msghdr *h = &c->header;
	unsigned int i, next = vector + 2;
	unsigned long to;

	if (vector < 0)
		return true;
	to = c->buffers[vector + 1].at;
	for (i = 0; i < carried_parts(c); i++) {
		c->vector[i].iov_base = (void __user *)to;
		to += c->vector[i].iov_len;
	}
	if (copy_to_user((void __user *)c->buffers[vector].at, c->vector,
			 c->buffers[vector].size))
		return false;
	if (header < 0)
		return true;
	h->msg_iov = (struct iovec __user *)c->buffers[vector].at;
	if (h->msg_name && h->msg_namelen)
		h->msg_name = (void __user *)c->buffers[next++].at;
	if (h->msg_control && h->msg_controllen)
		h->msg_control = (void __user *)c->buffers[next].at;
	return !copy_to_user((void __user *)c->buffers[header].at, h, sizeof(*h));
}

/* What another call has left in a gap is nobody's business. */
static bool clear_gaps(const struct carried *c)
{
	unsigned int i;

	for (i = 0; i < c->n; i++)
		if (c->buffers[i].flags & CARRIED_GAPS &&
		    clear_user((void __user *)c->buffers[i].at, c->buffers[i].size))
			return false;
	return true;
}

static bool put_arguments(struct carried *c, const struct procshare_msg *msg)
{
	const struct procshare_wire_piece *piece;
	size_t at = 0;

	while (at < carried_length(msg)) {
		piece = carried_next(carried_pieces(msg), carried_length(msg), &at);
		if (copy_to_user((void __user *)c->buffers[le16_to_cpu(piece->buffer)].at,
				 piece + 1, le32_to_cpu(piece->length)))
			return false;
	}
	return redirect(c);
}

/* Of a terminal, or of memory: others may read what they are to fill, or keep what is written. */
static bool is_plain_device(dev_t device)
{
	switch (MAJOR(device)) {
	case MEM_MAJOR:
	case TTY_MAJOR:
	case TTYAUX_MAJOR:
	case UNIX98_PTY_MASTER_MAJOR ... UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT - 1:
		return true;
	default:
		return false;
	}
}

/* Past the page cache it has to be the caller's own memory. */
static bool is_plain(const struct file *file)
{
	const struct inode *inode = file_inode(file);

	return !(file->f_flags & O_DIRECT) &&
	       (!S_ISCHR(inode->i_mode) || is_plain_device(inode->i_rdev));
}

static bool is_transfer(long nr)
{
	switch (nr) {
	case __NR_read:
	case __NR_write:
	case __NR_pread64:
	case __NR_pwrite64:
	case __NR_readv:
	case __NR_writev:
	case __NR_preadv:
	case __NR_pwritev:
	case __NR_preadv2:
	case __NR_pwritev2:
		return true;
	default:
		return false;
	}
}

/* A buffer that is longer than its place is refused, too. */
static bool can_be_made(const struct pt_regs *regs, long nr, const struct carried *c,
			const struct procshare_msg *msg)
{
	unsigned int i;
	int length;

	for (i = 0; i < c->n; i++) {
		if (!(c->buffers[i].flags & CARRIED_LENGTH))
			continue;
		memcpy(&length, executor_sent(msg, i + 1), sizeof(length));
		if (length < 0 || length > c->buffers[i].size)
			return false;
	}
	if (is_transfer(nr)) {
		CLASS(fd, f)(regs->di);

		return fd_empty(f) || is_plain(fd_file(f));
	}
	return true;
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

		if (b->argument)
			*carried_argument(&args, b->argument) = b->at;
		if (b->flags & CARRIED_PART)
			*carried_argument(&args, b->count) = b->size / b->unit;
	}
	args.ax = -ENOSYS;
	regs->orig_ax = nr;
	executor_call(regs, &args, nr);
	keep_restart(regs, nr);
}

/*
 * Make the call of @msg with scratch memory in place of the caller's.  Returns the message
 * for its result, in which @brought bytes of pieces are already, or NULL if there is no
 * memory for one, and the process is doomed.  -EAGAIN: it has to be made with the caller's
 * memory, nothing has been done; so it is if @msg does not bring what the call takes.
 */
struct procshare_msg *executor_make_carried(struct home_thread *t, struct pt_regs *regs,
					    long nr, const struct procshare_msg *msg,
					    size_t *brought)
{
	struct procshare_msg *ret = ERR_PTR(-EAGAIN);
	struct carried c;
	unsigned long scratch;
	size_t size;

	/* Whoever looks at the call wants to see the caller's memory. */
	if (executor_watched() || !take_arguments(&c, regs, nr, msg) ||
	    !can_be_made(regs, nr, &c, msg))
		return ret;
	size = size_of(&c);
	scratch = scratch_get(t->process, size);
	if (!scratch)
		return ret;
	place(&c, scratch);
	/* May all of it be written? */
	if (!fault_in_writeable((char __user *)scratch, size) && clear_gaps(&c) &&
	    put_arguments(&c, msg)) {
		make(regs, nr, &c);
		ret = executor_collect(t, regs, &c, msg, brought);
	}
	scratch_put(t->process, scratch, size);
	return ret;
}
