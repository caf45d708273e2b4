// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - protection keys on x86_64: the PKRU register
 */

#include <linux/mm.h>

#include <asm/pkru.h>

#include "../../../kernel/procshare/keys.h"
#include "../../../kernel/procshare/xstate.h"

bool procshare_keys_known(void)
{
	return cpu_feature_enabled(X86_FEATURE_OSPKE);
}

vm_flags_t procshare_key_flags(u8 key)
{
	return (vm_flags_t)key << VM_PKEY_SHIFT;
}

u32 procshare_rights(void)
{
	return procshare_keys_known() ? read_pkru() : PROCSHARE_XSTATE_PKRU_DEFAULT;
}

void procshare_set_rights(u32 rights)
{
	write_pkru(rights);
}

bool procshare_may_write(u8 key)
{
	return __pkru_allows_write(procshare_rights(), key);
}

bool procshare_open_memory(u32 *rights)
{
	if (procshare_may_write(0))
		return false;
	*rights = procshare_rights();
	procshare_set_rights(*rights & ~(PKRU_AD_BIT | PKRU_WD_BIT));
	return true;
}
