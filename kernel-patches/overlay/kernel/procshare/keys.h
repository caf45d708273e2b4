/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare - protection keys: what a thread itself says it may touch
 *
 * The key of a page comes with its grant, the rights of a thread (its PKRU register)
 * with its state and its calls.  Everything here is about current, and sleeps nowhere.
 */
#ifndef _PROCSHARE_KEYS_H
#define _PROCSHARE_KEYS_H

#include <linux/mm_types.h>
#include <linux/types.h>

#ifdef CONFIG_X86_INTEL_MEMORY_PROTECTION_KEYS

/* Does this CPU know keys? */
bool procshare_keys_known(void);
/* The flags of an area whose pages have @key. */
vm_flags_t procshare_key_flags(u8 key);

/* The rights; where the CPU knows no keys, those of who never used one. */
u32 procshare_rights(void);
void procshare_set_rights(u32 rights);
/* May pages with @key be written? */
bool procshare_may_write(u8 key);

/*
 * A thread can close its memory, with key 0, to itself and to the kernel that works for
 * it.  Opened for the latter: false, and nothing has changed, if it is open.
 */
bool procshare_open_memory(u32 *rights);

#else

static inline bool procshare_keys_known(void)
{
	return false;
}

static inline vm_flags_t procshare_key_flags(u8 key)
{
	return 0;
}

static inline u32 procshare_rights(void)
{
	return 0;
}

static inline void procshare_set_rights(u32 rights)
{
}

static inline bool procshare_may_write(u8 key)
{
	return true;
}

static inline bool procshare_open_memory(u32 *rights)
{
	return false;
}

#endif

#endif /* _PROCSHARE_KEYS_H */
