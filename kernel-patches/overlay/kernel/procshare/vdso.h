/* SPDX-License-Identifier: GPL-2.0-only */
/* procshare - the vDSO that a shadow process has, nearly that of any other */
#ifndef _PROCSHARE_VDSO_H
#define _PROCSHARE_VDSO_H

#include <linux/types.h>

struct vdso_image;

int procshare_vdso_init(void);

/* For map_vdso_once(); as long as that of the 64-bit programs at home. */
const struct vdso_image *procshare_vdso_image(void);

/* Do home's vDSO and this one go on differently @offset bytes behind their beginning? */
bool procshare_vdso_differs(unsigned long offset);

/* Has one of the functions here just made call @nr, with @offset behind that? */
bool procshare_vdso_calls(unsigned long offset, unsigned long nr);

/*
 * Where home is to go on for a thread that has come to @offset here: in a function that
 * differs, at its first instruction.  It may be executed again, and has no stack.
 */
unsigned long procshare_vdso_rewind(unsigned long offset);

#endif /* _PROCSHARE_VDSO_H */
