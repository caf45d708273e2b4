// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - executor_carried: calls whose data travel in the messages
 *
 * They do what the calls of the same name do, with a buffer of the kernel instead
 * of the caller's.  Only what certainly treats both alike is done so: of transfers, those
 * of regular files, pipes and sockets.
 */

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fsnotify.h>
#include <linux/minmax.h>
#include <linux/net.h>
#include <linux/sched/xacct.h>
#include <linux/socket.h>
#include <linux/task_work.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "carried.h"
#include "home.h"

/* Flags under which a socket looks at nothing but the data. */
#define PLAIN_FLAGS	(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE | MSG_PEEK |	\
			 MSG_WAITALL | MSG_EOR)

static bool is_plain(struct file *file)
{
	umode_t mode = file_inode(file)->i_mode;

	return (S_ISREG(mode) || S_ISFIFO(mode) || S_ISSOCK(mode)) &&
	       !(file->f_flags & O_DIRECT) &&
	       file->f_op->read_iter && file->f_op->write_iter;
}

static bool may_transfer(struct file *file, struct iov_iter *data)
{
	fmode_t may = iov_iter_rw(data) == WRITE ? FMODE_WRITE | FMODE_CAN_WRITE :
						   FMODE_READ | FMODE_CAN_READ;

	return is_plain(file) && (file->f_mode & may) == may;
}

/* At the end of a file vfs_iter_read() tells watchers of a read, and read() does not. */
static ssize_t read_file(struct file *file, struct iov_iter *data, loff_t *pos)
{
	struct kiocb kiocb;
	ssize_t n;

	n = rw_verify_area(READ, file, pos, iov_iter_count(data));
	if (n)
		return n;
	init_sync_kiocb(&kiocb, file);
	kiocb.ki_pos = pos ? *pos : 0;
	n = file->f_op->read_iter(&kiocb, data);
	if (pos)
		*pos = kiocb.ki_pos;
	if (n > 0)
		fsnotify_access(file);
	return n;
}

static ssize_t transfer(struct file *file, struct iov_iter *data, loff_t *pos)
{
	ssize_t n;

	if (iov_iter_rw(data) == WRITE) {
		n = vfs_iter_write(file, data, pos, 0);
		if (n > 0)
			add_wchar(current, n);
		inc_syscw(current);
	} else {
		n = read_file(file, data, pos);
		if (n > 0)
			add_rchar(current, n);
		inc_syscr(current);
	}
	return n;
}

/* read and write, as ksys_read() and ksys_write() do it. */
static bool at_position(struct pt_regs *regs, struct iov_iter *data)
{
	struct fd f = fdget_pos(regs->di);
	struct file *file = fd_file(f);
	bool plain, stream;
	loff_t pos = 0;

	if (!file)
		return false;
	plain = may_transfer(file, data);
	if (plain) {
		stream = file->f_mode & FMODE_STREAM;
		if (!stream)
			pos = file->f_pos;
		regs->ax = transfer(file, data, stream ? NULL : &pos);
		if (!stream && (long)regs->ax >= 0)
			file->f_pos = pos;
	}
	fdput_pos(f);
	return plain;
}

/* pread64 and pwrite64. */
static bool at_offset(struct pt_regs *regs, struct iov_iter *data)
{
	fmode_t may = iov_iter_rw(data) == WRITE ? FMODE_PWRITE : FMODE_PREAD;
	loff_t pos = regs->r10;

	CLASS(fd, f)(regs->di);
	if (fd_empty(f) || !may_transfer(fd_file(f), data) || pos < 0 ||
	    !(fd_file(f)->f_mode & may))
		return false;
	regs->ax = transfer(fd_file(f), data, &pos);
	return true;
}

/* sendto and recvfrom without an address. */
static bool on_socket(struct pt_regs *regs, struct iov_iter *data)
{
	unsigned int flags = regs->r10;
	struct msghdr msg = { .msg_iter = *data };
	struct socket *sock;

	CLASS(fd, f)(regs->di);
	if (fd_empty(f) || flags & ~PLAIN_FLAGS)
		return false;
	sock = sock_from_file(fd_file(f));
	if (!sock)
		return false;
	if (sock->file->f_flags & O_NONBLOCK)
		flags |= MSG_DONTWAIT;
	msg.msg_flags = flags;
	if (iov_iter_rw(data) == WRITE)
		regs->ax = sock_sendmsg(sock, &msg);
	else
		regs->ax = sock_recvmsg(sock, &msg, flags);
	*data = msg.msg_iter;
	return true;
}

static bool transfer_data(struct pt_regs *regs, long nr, struct iov_iter *data)
{
	switch (nr) {
	case __NR_read:
	case __NR_write:
		return at_position(regs, data);
	case __NR_pread64:
	case __NR_pwrite64:
		return at_offset(regs, data);
	default:
		return on_socket(regs, data);
	}
}

/* Put what a call has brought into the caller's buffer, from here. */
void executor_store(struct pt_regs *regs, long nr, const void *data, size_t n)
{
	struct carried c = call_carries(regs, nr);

	regs->ax = c.transfer ? n : 0;
	if (copy_to_user((void __user *)c.to, data, n))
		regs->ax = -EFAULT;
}

static bool is_store(const struct procshare_msg *msg)
{
	const struct procshare_wire_call *call = (void *)msg->body;

	return call->flags & cpu_to_le32(PROCSHARE_CALL_STORE);
}

/* Is in the CALL @nr what it says about its data? */
bool executor_carried_fits(const struct pt_regs *regs, const struct procshare_msg *msg,
			   long nr)
{
	const struct procshare_wire_call *call = (void *)msg->body;
	struct carried c = call_carries(regs, nr);
	u32 data = le32_to_cpu(call->data);

	if (msg->length != sizeof(*call) + data)
		return false;
	if (is_store(msg))
		return data && data <= c.in;
	if (c.path)
		return data && data <= c.out &&
		       strnlen((const char *)(call + 1), data) == data - 1;
	return (c.out || c.in) && data == c.out;
}

/* How much RETURN may have to bring. */
size_t executor_carried_room(const struct pt_regs *regs, long nr,
			     const struct procshare_msg *msg)
{
	return is_store(msg) ? 0 : call_carries(regs, nr).in;
}

/* How much has come is for the caller to be told, too. */
static bool transfer_with(struct pt_regs *regs, long nr, void *out, void *in,
			  size_t *brought)
{
	struct kvec vector = { .iov_base = out ?: in, .iov_len = regs->dx };
	struct iov_iter data;

	iov_iter_kvec(&data, out ? ITER_SOURCE : ITER_DEST, &vector, 1, vector.iov_len);
	if (!transfer_data(regs, nr, &data))
		return false;
	if (in && (long)regs->ax > 0)
		*brought = min_t(size_t, regs->ax, vector.iov_len - iov_iter_count(&data));
	return true;
}

/* With @out for what the call reads, and @in for what it writes; NULL where it does not. */
static bool make_with(struct pt_regs *regs, long nr, void *out, void *in)
{
	switch (nr) {
	case __NR_newfstatat:
		return executor_stat(regs, out, in);
	case __NR_openat:
		return executor_open(regs, out);
	case __NR_rt_sigaction:
		executor_sigaction(regs, out, in);
		return true;
	default:
		executor_sigprocmask(regs, out, in);
		return true;
	}
}

static bool make_carried(struct pt_regs *regs, long nr, void *out, void *in,
			 size_t *brought)
{
	struct carried c = call_carries(regs, nr);

	out = c.out ? out : NULL;
	in = c.in ? in : NULL;
	if (c.transfer)
		return transfer_with(regs, nr, out, in, brought);
	if (!make_with(regs, nr, out, in))
		return false;
	if (!regs->ax)
		*brought = c.in;
	return true;
}

/*
 * Make the call of @msg, which fits, with a buffer of ours in place of the caller's:
 * the data in @msg, and @in, which then has @brought bytes for the caller.  False if
 * the call has to be made with the caller's: nothing has been done.
 */
bool executor_make_carried(struct pt_regs *regs, long nr, struct procshare_msg *msg,
			   void *in, size_t *brought)
{
	struct procshare_wire_call *call = (void *)msg->body;

	if (is_store(msg)) {
		executor_store(regs, nr, call + 1, le32_to_cpu(call->data));
		return true;
	}
	/* Whoever looks at the call wants to see the caller's buffer. */
	if (executor_watched() || !make_carried(regs, nr, call + 1, in, brought))
		return false;
	if (task_work_pending(current))
		task_work_run();
	return true;
}
