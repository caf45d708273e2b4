// SPDX-License-Identifier: GPL-2.0-only
/*
 * procshare - procshare_vdso: the vDSO as threads of other nodes see it
 *
 * Two of its functions answer from what is this machine's own, the number of the
 * processor and the second of the wall clock.  For a thread of another node they
 * make the system call instead, which knows better.  All else is the same program
 * at the same place.  So a thread leaves home only outside of the two, and one that
 * is inside when it comes home begins anew with them, which does no harm.
 */

#include <linux/array_size.h>
#include <linux/bug.h>
#include <linux/cache.h>
#include <linux/elf.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/unistd.h>
#include <asm/vdso.h>

#include "../../../kernel/procshare/vdso.h"

/* endbr64; mov $call, %eax; syscall; ret */
struct stub {
	u8 landing[4];
	u8 move;
	__le32 call;
	u8 syscall[2];
	u8 ret;
} __packed;

struct function {
	const char *name;
	unsigned int call;
	unsigned long start;
	unsigned long size;
};

static struct function replaced[] __ro_after_init = {
	{ .name = "__vdso_getcpu", .call = __NR_getcpu },
	{ .name = "__vdso_time", .call = __NR_time },
};

static struct vdso_image image __ro_after_init;

static const struct elf64_shdr * __init find_symbols(const struct elf64_shdr *sections,
						     unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (sections[i].sh_type == SHT_DYNSYM)
			return &sections[i];
	return NULL;
}

static const struct elf64_sym * __init find_symbol(const void *elf, const char *name)
{
	const struct elf64_hdr *header = elf;
	const struct elf64_shdr *sections = elf + header->e_shoff;
	const struct elf64_shdr *symbols = find_symbols(sections, header->e_shnum);
	const struct elf64_sym *symbol, *end;
	const char *names;

	if (!symbols)
		return NULL;
	names = elf + sections[symbols->sh_link].sh_offset;
	end = elf + symbols->sh_offset + symbols->sh_size;
	for (symbol = elf + symbols->sh_offset; symbol < end; symbol++)
		if (!strcmp(names + symbol->st_name, name))
			return symbol;
	return NULL;
}

static void __init replace(struct function *function, void *elf)
{
	const struct elf64_sym *symbol = find_symbol(elf, function->name);
	struct stub stub = {
		.landing = { 0xf3, 0x0f, 0x1e, 0xfa },
		.move = 0xb8,
		.call = cpu_to_le32(function->call),
		.syscall = { 0x0f, 0x05 },
		.ret = 0xc3,
	};

	if (WARN_ON(!symbol || symbol->st_size < sizeof(stub)))
		return;
	function->start = symbol->st_value;
	function->size = symbol->st_size;
	memcpy(elf + function->start, &stub, sizeof(stub));
}

static const struct function *function_at(unsigned long offset)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(replaced); i++)
		if (offset - replaced[i].start < replaced[i].size)
			return &replaced[i];
	return NULL;
}

bool procshare_vdso_differs(unsigned long offset)
{
	const struct function *function = function_at(offset);

	return function && offset != function->start;
}

bool procshare_vdso_calls(unsigned long offset, unsigned long nr)
{
	const struct function *function = function_at(offset);

	return function && nr == function->call &&
	       offset == function->start + offsetof(struct stub, ret);
}

unsigned long procshare_vdso_rewind(unsigned long offset)
{
	const struct function *function = function_at(offset);

	return function ? function->start : offset;
}

const struct vdso_image *procshare_vdso_image(void)
{
	return &image;
}

int __init procshare_vdso_init(void)
{
	unsigned int i;

	image = vdso_image_64;
	image.data = alloc_pages_exact(image.size, GFP_KERNEL);
	if (!image.data)
		return -ENOMEM;
	memcpy(image.data, vdso_image_64.data, image.size);
	for (i = 0; i < ARRAY_SIZE(replaced); i++)
		replace(&replaced[i], image.data);
	return 0;
}
