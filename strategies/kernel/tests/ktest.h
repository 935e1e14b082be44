// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tests of the "no direct map" series have in common: a small VM, its
 * payloads, and ways to look at memory from outside of it.
 */
#ifndef KTEST_H
#define KTEST_H

#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/kvm.h>

#ifndef KVM_CAP_DIRECT_MAP_MODE
#define KVM_CAP_DIRECT_MAP_MODE		0x756e6d00
#define KVM_DIRECT_MAP_REINSERT		(1ULL << 0)
#define KVM_DIRECT_MAP_REINSERT_HOLD	(1ULL << 1)
#define KVM_DIRECT_MAP_NO_FLUSH		(1ULL << 2)
#define KVM_DIRECT_MAP_FLUSH_ALL	(1ULL << 3)
#endif
#ifndef GUEST_MEMFD_FLAG_NO_DIRECT_MAP
#define GUEST_MEMFD_FLAG_NO_DIRECT_MAP	(1ULL << 2)
#endif

#define REINSERT	KVM_DIRECT_MAP_REINSERT
#define HOLD		(KVM_DIRECT_MAP_REINSERT | KVM_DIRECT_MAP_REINSERT_HOLD)
#define NOFLUSH		KVM_DIRECT_MAP_NO_FLUSH
#define FLUSHALL	KVM_DIRECT_MAP_FLUSH_ALL

#define MEM_SIZE	(16UL << 20)
#define MMIO_GPA	0xd0000000UL
#define CODE_GPA	0x10000UL
#define CLOCK_GPA	0x8000UL
#define STEAL_GPA	0x9000UL
#define VMCB_GPA	0xa000UL
#define APF_GPA		0xb000UL
#define EOI_GPA		0xc000UL
#define PT_GPA		0x5000UL	/* maps 2M..4M with 4k pages */
#define DATA_GPA	0x400000UL
#define PAGE		4096UL

extern int failures;

#define die(fmt, ...) do {						\
	printf("# FATAL %s:%d: " fmt ": %s\n", __func__, __LINE__,	\
	       ##__VA_ARGS__, strerror(errno));				\
	fflush(stdout); _exit(1);					\
} while (0)

#define check(cond, fmt, ...) do {					\
	if (!(cond) && failures++ < 20) {				\
		printf("# FAILED %s:%d: %s: " fmt "\n", __func__,	\
		       __LINE__, #cond, ##__VA_ARGS__);			\
	}								\
} while (0)

enum backing { MEMFD, SECRET, GMEM, UNMAPPED, NR_BACKINGS };
extern const char * const backing_name[NR_BACKINGS];

static inline bool hidden(enum backing b) { return b == SECRET || b == UNMAPPED; }

struct vm {
	int kvm, fd, mem_fd, stats_fd;
	enum backing backing;
	uint64_t mode;
	uint8_t *mem;
	int nr_vcpus;
	int vcpu[16];
	struct kvm_run *run[16];
};

/* The guest's programs: payloads.c */
extern const char p_mmio[], p_mmio_end[];
extern const char p_touch[], p_touch_end[];
extern const char p_vmsave[], p_vmsave_end[];
extern const char p_stress[], p_stress_end[];
extern const char p_pt[], p_pt_end[];

#define LOAD(vm, name) vm_load(vm, p_##name, p_##name##_end)
#define REGS(vm, n, ...) vm_regs(vm, n, (struct kvm_regs){ __VA_ARGS__ })

/* vm.c */
int vm_try_create(struct vm *vm, enum backing b, uint64_t mode);
void vm_create(struct vm *vm, enum backing b, uint64_t mode);
int vm_add_vcpu(struct vm *vm);
void vm_load(struct vm *vm, const char *p, const char *end);
void vm_regs(struct vm *vm, int n, struct kvm_regs r);
void set_msr(struct vm *vm, int n, uint32_t index, uint64_t data);
int vm_run(struct vm *vm, int n, volatile bool *stop);
void vm_complete(struct vm *vm, int n);
void vm_destroy(struct vm *vm);
int gmem_create(struct vm *vm, uint64_t flags);
void put64(struct vm *vm, uint64_t gpa, uint64_t v);
uint64_t now(void);

/* reveal.c */
uint64_t stat_of(struct vm *vm, const char *name);
uint64_t vmstat(const char *name);
uint64_t pfn_of(void *p);
void kcore_read(uint64_t pfn, void *buf);
bool revealed(void *p);
void fill_secret(uint8_t *p);

/* isolation.c, access.c, races.c: a process of its own runs each */
extern int stress_seconds;
void test_isolation(void);
void test_mmio(void);
void test_uapi(void);
void test_clock(void);
void test_sharedpage(void);
void test_nested(void);
void test_pt(void);
void test_nofallback(void);
void test_balance(void);
void test_stress(void);
void test_stockstress(void);
void test_kill(void);
void test_trace(void);
void test_poison(void);

#endif
