// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - carried_piece: pieces of the buffers of a call, as they travel
 */

#include <linux/align.h>
#include <linux/string.h>

#include "carried.h"
#include "wire.h"

size_t carried_piece_size(size_t n)
{
	return sizeof(struct procshare_wire_piece) + ALIGN(n, 8);
}

/* Make a piece at @to; returns where its @n bytes go. */
void *carried_piece(void *to, unsigned int buffer, size_t offset, size_t n)
{
	struct procshare_wire_piece *piece = to;

	piece->buffer = cpu_to_le16(buffer);
	piece->offset = cpu_to_le16(offset);
	piece->length = cpu_to_le32(n);
	memset((u8 *)(piece + 1) + n, 0, ALIGN(n, 8) - n);
	return piece + 1;
}

/* Changes closer together than this are one piece, */
#define CLOSE	4

/* so that what costs most is one byte in five: 16 bytes each. */
size_t carried_changes_room(size_t n)
{
	return 4 * n + 16;
}

static size_t end_of_change(const u8 *old, const u8 *new, size_t from, size_t n)
{
	size_t end = from + 1;
	size_t i;

	for (i = end; i < n && i < end + CLOSE; i++)
		if (old[i] != new[i])
			end = i + 1;
	return end;
}

/* Make pieces, at @to, of what differs in @n bytes.  Returns their length. */
size_t carried_changes(void *to, unsigned int buffer, const void *old, const void *new,
		       size_t n)
{
	const u8 *before = old, *now = new;
	size_t from = 0, end, used = 0;

	while (from < n) {
		if (before[from] == now[from]) {
			from++;
			continue;
		}
		end = end_of_change(before, now, from, n);
		memcpy(carried_piece(to + used, buffer, from, end - from), now + from,
		       end - from);
		used += carried_piece_size(end - from);
		from = end;
	}
	return used;
}

/* The piece at *@at of @n bytes of them, *@at is then behind it; NULL if it is none. */
const struct procshare_wire_piece *carried_next(const void *data, size_t n, size_t *at)
{
	const struct procshare_wire_piece *piece = data + *at;
	size_t left = n - *at;
	u32 length;

	if (left < sizeof(*piece))
		return NULL;
	length = le32_to_cpu(piece->length);
	if (!length || length > CARRIED_MAX || carried_piece_size(length) > left)
		return NULL;
	*at += carried_piece_size(length);
	return piece;
}

/* Are the @n bytes pieces of such buffers of @c as @flags says? */
bool carried_are_pieces(const struct carried *c, u16 flags, const void *data, size_t n)
{
	const struct procshare_wire_piece *piece;
	const struct carried_buffer *b;
	size_t at = 0;

	while (at < n) {
		piece = carried_next(data, n, &at);
		if (!piece || le16_to_cpu(piece->buffer) >= c->n)
			return false;
		b = &c->buffers[le16_to_cpu(piece->buffer)];
		if (!(b->flags & flags) ||
		    le16_to_cpu(piece->offset) + le32_to_cpu(piece->length) > b->size)
			return false;
	}
	return true;
}
