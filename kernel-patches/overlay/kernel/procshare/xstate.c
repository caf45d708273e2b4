// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - translate between an XSAVE image and (component, data) pairs
 *
 * Pure functions over a layout table; nothing here asks the running CPU.
 */
#include "xstate.h"

#ifdef __KERNEL__
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <asm/byteorder.h>
#else
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#define le32_to_cpu(x)	(x)
#define cpu_to_le32(x)	(x)
#define BIT_ULL(n)	(1ull << (n))
#endif

/* Sent in every state: their initial state is not all zero. */
#define LEGACY	(BIT_ULL(PROCSHARE_XSTATE_FP) | BIT_ULL(PROCSHARE_XSTATE_SSE))

static size_t pair_size(u32 length)
{
	return sizeof(struct procshare_wire_xstate) + (((size_t)length + 7) & ~7ul);
}

static bool all_zero(const u8 *data, u32 size)
{
	while (size--)
		if (*data++)
			return false;
	return true;
}

/**
 * procshare_xstate_bound - how much room the pairs of one thread may need
 * @layout: of the CPU
 *
 * Return: an upper bound in bytes for what procshare_xstate_encode() writes.
 */
size_t procshare_xstate_bound(const struct procshare_xstate_layout *layout)
{
	u64 movable = layout->components & PROCSHARE_XSTATE_MOVABLE;
	size_t bound = 0;
	u32 n;

	for (n = 0; n < PROCSHARE_XSTATE_COMPONENTS; n++)
		if (movable & BIT_ULL(n))
			bound += pair_size(layout->at[n].size);
	return bound;
}

/*
 * Is component @n to be sent?  A CPU may call a component in use although it
 * holds its initial state, which is all zero except for the legacy ones; PKRU
 * has no initial state on the wire, its owner decides by the image's header.
 */
static bool worth_sending(const struct procshare_xstate_layout *layout, u32 n,
			  const u8 *image, u64 in_use)
{
	if (LEGACY & BIT_ULL(n))
		return true;
	if (!(in_use & BIT_ULL(n)))
		return false;
	return n == PROCSHARE_XSTATE_PKRU ||
	       !all_zero(image + layout->at[n].offset, layout->at[n].size);
}

/**
 * procshare_xstate_encode - write the pairs for a standard-format image
 * @layout: of @image
 * @image: of @layout->size bytes; the legacy area must be valid, whatever its
 *	header says
 * @buf: where to write
 * @size: of @buf
 *
 * Return: bytes written, -ENOSPC if @buf is too small, -EOPNOTSUPP if a
 * component is in use that cannot travel.
 */
ssize_t procshare_xstate_encode(const struct procshare_xstate_layout *layout,
				const void *image, void *buf, size_t size)
{
	struct procshare_wire_xstate pair;
	size_t used = 0;
	u64 in_use;
	u32 n;

	memcpy(&in_use, image + PROCSHARE_XSTATE_HEADER, sizeof(in_use));
	if (in_use & ~layout->components)
		return -EOPNOTSUPP;

	for (n = 0; n < PROCSHARE_XSTATE_COMPONENTS; n++) {
		u32 length = layout->at[n].size;
		size_t room = pair_size(length);

		if (!(layout->components & BIT_ULL(n)) ||
		    !worth_sending(layout, n, image, in_use))
			continue;
		if (!(PROCSHARE_XSTATE_MOVABLE & BIT_ULL(n)))
			return -EOPNOTSUPP;
		if (room > size - used)
			return -ENOSPC;
		pair.component = cpu_to_le32(n);
		pair.length = cpu_to_le32(length);
		memset(buf + used, 0, room);
		memcpy(buf + used, &pair, sizeof(pair));
		memcpy(buf + used + sizeof(pair),
		       image + layout->at[n].offset, length);
		used += room;
	}
	return used;
}

/* Judge the pair at @buf, of which @left bytes are there. */
static int check_pair(const struct procshare_xstate_layout *layout,
		      const struct procshare_wire_xstate *pair, size_t left,
		      u64 seen)
{
	u32 n = le32_to_cpu(pair->component);
	u32 length = le32_to_cpu(pair->length);
	u64 known = layout->components & PROCSHARE_XSTATE_MOVABLE;

	if (n >= PROCSHARE_XSTATE_COMPONENTS || !(known & BIT_ULL(n)))
		return -EOPNOTSUPP;
	if (length != layout->at[n].size || pair_size(length) > left)
		return -EINVAL;
	return seen & BIT_ULL(n) ? -EINVAL : 0;
}

/**
 * procshare_xstate_decode - build a standard-format image from pairs
 * @layout: that @image is to have
 * @buf: the pairs, from a peer: nothing about them is trusted
 * @length: of @buf
 * @image: of @layout->size bytes, all overwritten
 *
 * The header is made here, from the components that came.  MXCSR is left for
 * the caller to judge: which of its bits exist is the CPU's affair.
 *
 * Return: 0, -EINVAL if @buf is malformed or lacks a legacy component,
 * -EOPNOTSUPP if it holds a component that is unknown here.
 */
int procshare_xstate_decode(const struct procshare_xstate_layout *layout,
			    const void *buf, size_t length, void *image)
{
	struct procshare_wire_xstate pair;
	size_t done = 0;
	u64 seen = 0;

	memset(image, 0, layout->size);
	while (done < length) {
		u32 n;
		int err;

		if (length - done < sizeof(pair))
			return -EINVAL;
		memcpy(&pair, buf + done, sizeof(pair));
		err = check_pair(layout, &pair, length - done, seen);
		if (err)
			return err;
		n = le32_to_cpu(pair.component);
		memcpy(image + layout->at[n].offset, buf + done + sizeof(pair),
		       layout->at[n].size);
		seen |= BIT_ULL(n);
		done += pair_size(layout->at[n].size);
	}
	if ((seen & LEGACY) != LEGACY)
		return -EINVAL;
	memcpy(image + PROCSHARE_XSTATE_HEADER, &seen, sizeof(seen));
	return 0;
}
