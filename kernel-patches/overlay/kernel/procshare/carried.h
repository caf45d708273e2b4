/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - carried memory: what calls read and write travels inside the messages
 *
 * Otherwise home would fetch the page that a remote thread has it in, or wants it in,
 * often its stack, and the thread would fetch it back.  Both ends learn from the call's
 * registers which buffers it has; what travels is pieces of these.
 */
#ifndef _PROCSHARE_CARRIED_H
#define _PROCSHARE_CARRIED_H

#include <linux/socket.h>
#include <linux/types.h>
#include <linux/uio.h>

struct procshare_wire_piece;
struct pt_regs;

/* All buffers of one call; the others are made with the caller's pages. */
#define CARRIED_MAX	65536
/* And longer ones than this, unless the first buffer is where the caller is. */
#define CARRIED_SMALL	4096
/* A path, with its 0. */
#define CARRIED_PATH	256
#define CARRIED_BUFFERS	5
/* Places of a buffer that is in several. */
#define CARRIED_VECTOR_MAX 16

/* What a call does with a buffer. */
#define CARRIED_SENT	0x01	/* reads it */
#define CARRIED_FILLED	0x02	/* writes all of it if it succeeds */
#define CARRIED_FOUND	0x04	/* writes all of it if it returns more than 0 */
#define CARRIED_RESULT	0x08	/* writes as many units as it returns */
#define CARRIED_CHANGED	0x10	/* reads it, and may write some of it, whatever it returns */
#define CARRIED_STRING	0x20	/* reads it, to its 0 */
#define CARRIED_LENGTH	0x40	/* writes as much as the next buffer, an int, says then */
#define CARRIED_PART	0x80	/* and would do with less of it */
#define CARRIED_VECTOR	0x100	/* reads it: struct iovecs with the places of the next buffer */
#define CARRIED_PLACES	0x200	/* finds it there */
#define CARRIED_HEADER	0x400	/* it is a struct user_msghdr, which has all the others */
#define CARRIED_NAME	0x800	/* writes as much as that says then */
#define CARRIED_CONTROL	0x1000	/* likewise */
#define CARRIED_GAPS	0x2000	/* leaves out some of what it says that it has written */

/* Travels with CALL, or with RETURN. */
#define CARRIED_OUT	(CARRIED_SENT | CARRIED_CHANGED | CARRIED_STRING | CARRIED_VECTOR)
#define CARRIED_BACK	(CARRIED_FILLED | CARRIED_FOUND | CARRIED_RESULT |	\
			 CARRIED_CHANGED | CARRIED_LENGTH | CARRIED_NAME |	\
			 CARRIED_CONTROL)

/**
 * struct carried_buffer - memory of the caller that a call reads or writes
 * @at: its address
 * @size: in bytes; of a string, at most
 * @unit: bytes for each that the call returns
 * @argument: of the call, from 1: is the address; 0: it is in memory
 * @count: of the call, or 0: says how many units there is room for
 * @flags: CARRIED_*
 */
struct carried_buffer {
	unsigned long at;
	u32 size;
	u16 unit;
	u8 argument;
	u8 count;
	u16 flags;
};

/**
 * struct carried - the buffers of a call
 * @n: number of them; 0: it has none, or they do not travel
 * @buffers: those that are not NULL
 * @header: CARRIED_HEADER: contents
 * @vector: CARRIED_VECTOR: contents
 */
struct carried {
	unsigned int n;
	struct carried_buffer buffers[CARRIED_BUFFERS];
	struct user_msghdr header;
	struct iovec vector[CARRIED_VECTOR_MAX];
};

/* carried.c */
void call_carries(const struct pt_regs *regs, long nr, struct carried *c);
unsigned long *carried_argument(struct pt_regs *regs, unsigned int argument);

/* carried_piece.c */
/* A piece with @n bytes, on the wire. */
size_t carried_piece_size(size_t n);
/* All pieces of what CHANGED @n bytes, at most, and @n bytes more. */
size_t carried_changes_room(size_t n);

void *carried_piece(void *to, unsigned int buffer, size_t offset, size_t n);
size_t carried_changes(void *to, unsigned int buffer, const void *old, const void *new,
		       size_t n);
const struct procshare_wire_piece *carried_next(const void *data, size_t n, size_t *at);
bool carried_are_pieces(const struct carried *c, u16 flags, const void *data, size_t n);

/* carried_vector.c */
int carried_find(const struct carried *c, u16 flag);
size_t carried_parts(const struct carried *c);
bool carried_take_header(struct carried *c);
bool carried_take_vector(struct carried *c);
bool carried_look(struct carried *c);
bool carried_store(const struct carried *c, const void *pieces, size_t n);

#endif /* _PROCSHARE_CARRIED_H */
