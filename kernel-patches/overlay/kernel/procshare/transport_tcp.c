// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - the TCP transport: one connection per pair of nodes
 *
 * Locking: none of its own.  A link's socket lives as long as the link; sends
 * are made by one thread at a time (link->writing) and receives by the link's
 * thread.  push() may send with mmap_lock held, even from a fault inside some
 * other socket's sendmsg(): kernel sockets have lock classes of their own, and
 * the page fragment of the task, which that sendmsg() may be using, is not used
 * here (sk_use_task_frag).
 *
 * Latency: TCP_NODELAY, and a batch of messages is one sendmsg().  Delayed
 * acknowledgments are left alone: nobody here waits for an acknowledgment
 * before sending, and the answer to a request carries it along.
 */
#define pr_fmt(fmt) "procshare: " fmt

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/net.h>
#include <linux/sizes.h>
#include <linux/socket.h>
#include <linux/tcp.h>
#include <linux/wait.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "link.h"

/* Holds some hundred pages, so that bulk answers seldom wait for the worker. */
#define BUFFER	SZ_4M
/* Connections that wait to be accepted: all nodes at once. */
#define BACKLOG	(2 * PROCSHARE_MAX_NODES)

static int address_length(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
	       sizeof(struct sockaddr_in);
}

static void tune(struct sock *sk)
{
	lock_sock(sk);
	sk->sk_use_task_frag = false;
	sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
	WRITE_ONCE(sk->sk_sndbuf, BUFFER);
	sk->sk_sndtimeo = PROCSHARE_TICK;
	sk->sk_rcvtimeo = PROCSHARE_TICK;
	release_sock(sk);
	tcp_sock_set_nodelay(sk);
}

static int create(struct net *net, const struct sockaddr_storage *address,
		  struct socket **sock)
{
	int error = sock_create_kern(net, address->ss_family, SOCK_STREAM,
				     IPPROTO_TCP, sock);

	if (error)
		return error;
	/* Timers of a closed socket outlive us: they need the namespace. */
	sk_net_refcnt_upgrade((*sock)->sk);
	/* Before the connection, whose window scale depends on it. */
	sock_set_rcvbuf((*sock)->sk, BUFFER / 2);
	return 0;
}

static void *listen_tcp(struct net *net, const struct sockaddr_storage *address)
{
	struct socket *sock;
	int error;

	error = create(net, address, &sock);
	if (error)
		return ERR_PTR(error);
	sock_set_reuseaddr(sock->sk);
	error = kernel_bind(sock, (struct sockaddr *)address, address_length(address));
	if (error)
		goto release;
	error = kernel_listen(sock, BACKLOG);
	if (error)
		goto release;
	return sock;

release:
	sock_release(sock);
	return ERR_PTR(error);
}

static int accept_tcp(void *listener, struct procshare_link *link)
{
	struct socket *sock;
	int error;

	error = kernel_accept(listener, &sock, 0);
	if (error)
		return error;
	tune(sock->sk);
	error = kernel_getpeername(sock, (struct sockaddr *)&link->address);
	if (error < 0) {
		/* Gone already: not the listener's fault. */
		sock_release(sock);
		return -ECONNABORTED;
	}
	link->endpoint = sock;
	return 0;
}

static void unlisten_tcp(void *listener)
{
	kernel_sock_shutdown(listener, SHUT_RDWR);
}

static void close_tcp(void *listener)
{
	sock_release(listener);
}

static int open_tcp(struct procshare_link *link, struct net *net,
		    const struct sockaddr_storage *address)
{
	struct socket *sock;
	int error;

	error = create(net, address, &sock);
	if (error)
		return error;
	tune(sock->sk);
	link->address = *address;
	link->endpoint = sock;
	return 0;
}

static bool undecided(struct sock *sk)
{
	return (1 << inet_sk_state_load(sk)) & (TCPF_SYN_SENT | TCPF_SYN_RECV);
}

static int dial_tcp(struct procshare_link *link, const struct sockaddr_storage *address)
{
	struct socket *sock = link->endpoint;
	int error;

	error = kernel_connect(sock, (struct sockaddr *)address,
			       address_length(address), O_NONBLOCK);
	if (error != -EINPROGRESS)
		return error;
	wait_event_interruptible_timeout(*sk_sleep(sock->sk),
					 !undecided(sock->sk) || READ_ONCE(link->stop),
					 PROCSHARE_HELLO_TIMEOUT);
	if (READ_ONCE(link->stop))
		return -ESHUTDOWN;
	/* Once more, for the verdict. */
	error = kernel_connect(sock, (struct sockaddr *)address,
			       address_length(address), O_NONBLOCK);
	return error == -EALREADY ? -ETIMEDOUT : error;
}

static int send_tcp(struct procshare_link *link, struct iov_iter *from, bool wait)
{
	struct socket *sock = link->endpoint;
	struct msghdr msg = {
		.msg_flags = MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT),
		.msg_iter = *from,
	};
	size_t before = iov_iter_count(from);
	int sent;

	sent = sock_sendmsg(sock, &msg);
	if (sent < 0)
		return sent;
	/* The socket may have advanced its iterator further than it sent. */
	iov_iter_advance(from, min_t(size_t, sent, before));
	return sent ? 0 : -EAGAIN;
}

static int receive_tcp(struct procshare_link *link, void *to, size_t least, size_t most)
{
	struct socket *sock = link->endpoint;
	struct kvec vector = { .iov_base = to, .iov_len = most };
	struct msghdr msg = {};

	return kernel_recvmsg(sock, &msg, &vector, 1, most,
			      least == most ? MSG_WAITALL : 0);
}

static void finish_tcp(struct procshare_link *link)
{
	kernel_sock_shutdown(link->endpoint, SHUT_WR);
}

static void shutdown_tcp(struct procshare_link *link)
{
	kernel_sock_shutdown(link->endpoint, SHUT_RDWR);
}

static void release_tcp(struct procshare_link *link)
{
	struct socket *sock = link->endpoint;

	/* What a lost peer has not acknowledged must not linger for minutes. */
	sock_no_linger(sock->sk);
	sock_release(sock);
	link->endpoint = NULL;
}

const struct procshare_transport procshare_tcp = {
	.name = "tcp",
	.listen = listen_tcp,
	.accept = accept_tcp,
	.unlisten = unlisten_tcp,
	.close = close_tcp,
	.open = open_tcp,
	.dial = dial_tcp,
	.send = send_tcp,
	.receive = receive_tcp,
	.finish = finish_tcp,
	.shutdown = shutdown_tcp,
	.release = release_tcp,
};
