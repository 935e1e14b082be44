// SPDX-License-Identifier: GPL-2.0-only
/* The guest's programs: 64 bit, CPL 0, position independent. */
#include "ktest.h"

#define PAYLOAD(name, body)						\
	asm(".pushsection .rodata\n.globl p_" #name "\np_" #name ":\n"	\
	    body "\n.globl p_" #name "_end\np_" #name "_end:\n"		\
	    ".popsection")

/* rcx reads of *rdi */
PAYLOAD(mmio, "1: mov (%rdi),%eax\n dec %rcx\n jnz 1b\n out %al,$0x10\n jmp .");
/* write to rcx pages from rsi */
PAYLOAD(touch, "1: mov %rcx,(%rsi)\n add $4096,%rsi\n dec %rcx\n jnz 1b\n"
	       "out %al,$0x10\n jmp .");
/* vmsave/vmload of rax, needs kvm_vcpu_map() */
PAYLOAD(vmsave, "1: vmsave %rax\n vmload %rax\n dec %rcx\n jnz 1b\n"
		"out %al,$0x10\n jmp .");
/*
 * Forever: pick one of r8 + 1 pages at rbx, write to it, copy 4 bytes from MMIO
 * (rdi) into it by an emulated instruction, read MMIO, and let every 16th page
 * trigger a port access.
 */
PAYLOAD(stress,
	"1: mov %r9,%rax\n shl $13,%rax\n xor %rax,%r9\n"
	" mov %r9,%rax\n shr $7,%rax\n xor %rax,%r9\n"
	" mov %r9,%rax\n shl $17,%rax\n xor %rax,%r9\n"
	" mov %r9,%rdx\n and %r8,%rdx\n shl $12,%rdx\n add %rbx,%rdx\n"
	" mov %r9,64(%rdx)\n"
	" push %rdi\n mov %rdi,%rsi\n mov %rdx,%rdi\n movsl\n pop %rdi\n"
	" mov (%rdi),%eax\n"
	" lock xaddl %eax,128(%rdx)\n"
	" inc %r10\n test $15,%r10\n jnz 1b\n out %al,$0x11\n jmp 1b");
/*
 * Change the guest's own PTEs, rsi = table, rbx = what it maps, rcx rounds.  With
 * shadow paging, the accesses to the table are emulated.
 */
PAYLOAD(pt,
	"1: mov %rcx,%rdx\n and $255,%rdx\n"
	" lea (%rsi,%rdx,8),%r10\n"
	" mov (%r10),%rax\n mov %rax,%r11\n and $~0x60,%r11\n"
	" lock cmpxchg %r11,(%r10)\n"
	" shl $12,%rdx\n add %rbx,%rdx\n invlpg (%rdx)\n"
	" mov %rcx,(%rdx)\n"			/* sets A and D again */
	" mov (%r10),%rax\n and $0x60,%eax\n cmp $0x60,%eax\n jne 2f\n"
	" dec %rcx\n jnz 1b\n out %al,$0x10\n jmp .\n"
	"2: out %al,$0x12\n jmp .");
