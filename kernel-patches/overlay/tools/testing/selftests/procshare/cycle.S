/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procshare selftests - cycle: fill the registers, compute, store them
 *
 * void cycle(const struct registers *in, struct registers *out, int avx);
 * void cycle_call(const struct registers *in, struct registers *out, int avx);
 */

	.macro	LOAD
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rsi
	push	%rdx		/* 24(%rsp) out, 16(%rsp) avx */
	sub	$16, %rsp
	stmxcsr	(%rsp)
	fnstcw	4(%rsp)
	fninit
	ldmxcsr	144(%rdi)
	fldcw	148(%rdi)
	fldt	264(%rdi)
	fldt	248(%rdi)
	fldt	232(%rdi)
	fldt	216(%rdi)
	fldt	200(%rdi)
	fldt	184(%rdi)
	fldt	168(%rdi)
	fldt	152(%rdi)
	test	%edx, %edx
	jz	1f
	.irp	i,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	vmovdqu	280+\i*32(%rdi), %ymm\i
	.endr
	jmp	2f
1:
	.irp	i,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	movdqu	280+\i*32(%rdi), %xmm\i
	.endr
2:
	mov	(%rdi), %rax
	mov	8(%rdi), %rbx
	mov	16(%rdi), %rcx
	mov	24(%rdi), %rdx
	mov	32(%rdi), %rsi
	mov	48(%rdi), %rbp
	mov	56(%rdi), %r8
	mov	64(%rdi), %r9
	mov	72(%rdi), %r10
	mov	80(%rdi), %r11
	mov	88(%rdi), %r12
	mov	96(%rdi), %r13
	mov	104(%rdi), %r14
	mov	112(%rdi), %r15
	push	120(%rdi)
	mov	40(%rdi), %rdi
	popfq
	.endm

/* Neither a register nor a flag is touched. */
	.macro	WAIT word
3:	pushfq
	cmpl	$0, hold+\word(%rip)
	je	4f
	popfq
	jmp	3b
4:	popfq
	.endm

	.macro	STORE
	pushfq
	push	%rdi
	mov	40(%rsp), %rdi		/* out */
	mov	%rax, (%rdi)
	mov	%rbx, 8(%rdi)
	mov	%rcx, 16(%rdi)
	mov	%rdx, 24(%rdi)
	mov	%rsi, 32(%rdi)
	pop	40(%rdi)
	pop	120(%rdi)
	mov	%rbp, 48(%rdi)
	mov	%r8, 56(%rdi)
	mov	%r9, 64(%rdi)
	mov	%r10, 72(%rdi)
	mov	%r11, 80(%rdi)
	mov	%r12, 88(%rdi)
	mov	%r13, 96(%rdi)
	mov	%r14, 104(%rdi)
	mov	%r15, 112(%rdi)
	cld
	mov	%fs:16, %rax
	mov	%rax, 128(%rdi)
	mov	%gs:0, %rax
	mov	%rax, 136(%rdi)
	stmxcsr	144(%rdi)
	fnstcw	148(%rdi)
	fstpt	152(%rdi)
	fstpt	168(%rdi)
	fstpt	184(%rdi)
	fstpt	200(%rdi)
	fstpt	216(%rdi)
	fstpt	232(%rdi)
	fstpt	248(%rdi)
	fstpt	264(%rdi)
	cmpl	$0, 16(%rsp)
	je	5f
	.irp	i,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	vmovdqu	%ymm\i, 280+\i*32(%rdi)
	.endr
	vzeroupper
	jmp	6f
5:
	.irp	i,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	movdqu	%xmm\i, 280+\i*32(%rdi)
	.endr
6:	ldmxcsr	(%rsp)
	fldcw	4(%rsp)
	add	$32, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
	.endm

	.text
	.globl	cycle
cycle:
	LOAD
	WAIT	0
	STORE

	.globl	cycle_call, behind_call
cycle_call:
	LOAD
	WAIT	0
	mov	$110, %eax		/* getppid */
	syscall
behind_call:
	WAIT	4
	STORE

	.section .note.GNU-stack, "", @progbits
