// SPDX-License-Identifier: GPL-2.0-only
/* KVM's accesses to guest memory, one kind after the other. */
#include "ktest.h"

/* Cost and evidence of one MMIO read and one fault */
static void mmio_one(enum backing b, uint64_t mode, int iter, const char *what)
{
	uint64_t t, zaps, fl, re, rm, rd, wr, hw, f0, t2;
	struct vm vm;
	int n, r;

	vm_create(&vm, b, mode);
	n = vm_add_vcpu(&vm);
	LOAD(&vm, mmio);
	REGS(&vm, n, .rdi = MMIO_GPA, .rcx = 100);
	r = vm_run(&vm, n, NULL);
	check(r == 0x10, "run %d", r);
	vm_complete(&vm, n);
	REGS(&vm, n, .rdi = MMIO_GPA, .rcx = iter);
	re = stat_of(&vm, "direct_map_reinserts");
	rm = stat_of(&vm, "direct_map_removes");
	fl = stat_of(&vm, "direct_map_flushes");
	rd = stat_of(&vm, "guest_mem_reads");
	wr = stat_of(&vm, "guest_mem_writes");
	hw = stat_of(&vm, "direct_map_held_windows");
	t = now();
	r = vm_run(&vm, n, NULL);
	t = now() - t;
	check(r == 0x10, "run %d", r);
	re = stat_of(&vm, "direct_map_reinserts") - re;
	rm = stat_of(&vm, "direct_map_removes") - rm;
	fl = stat_of(&vm, "direct_map_flushes") - fl;
	rd = stat_of(&vm, "guest_mem_reads") - rd;
	wr = stat_of(&vm, "guest_mem_writes") - wr;
	hw = stat_of(&vm, "direct_map_held_windows") - hw;

	LOAD(&vm, touch);
	REGS(&vm, n, .rsi = DATA_GPA, .rcx = 2048);
	zaps = stat_of(&vm, "direct_map_zaps");
	f0 = stat_of(&vm, "direct_map_flushes");
	t2 = now();
	r = vm_run(&vm, n, NULL);
	t2 = now() - t2;
	check(r == 0x10, "touch %d", r);
	zaps = stat_of(&vm, "direct_map_zaps") - zaps;
	f0 = stat_of(&vm, "direct_map_flushes") - f0;
	check(b != UNMAPPED || zaps == 2048, "zaps %llu", (long long)zaps);
	check(b == UNMAPPED || !zaps, "zaps %llu", (long long)zaps);
	if (b == UNMAPPED)
		check(f0 >= ((mode & NOFLUSH) ? 0 : 2048), "flushes %llu", (long long)f0);
	if (mode & NOFLUSH)
		check(!fl && !f0, "no flush");
	if (hidden(b) && mode & REINSERT) {
		check(re > 0, "no reinsertion");
		if (!(mode & KVM_DIRECT_MAP_REINSERT_HOLD)) {
			check(re == rm, "%llu %llu", (long long)re, (long long)rm);
			check(re == rd + wr, "%llu reinserts %llu touches", (long long)re, (long long)(rd + wr));
			check(!stat_of(&vm, "direct_map_users"), "users");
		} else {
			check(hw > 0, "no held window");
			check(stat_of(&vm, "direct_map_users") <= 16, "users");
		}
	} else {
		check(!re, "reinserts %llu", (long long)re);
	}
	printf("# %-28s | %7.1f ns/mmio | %8.1f ns/fault | per mmio: reads %.2f writes %.2f reinserts %.2f removes %.2f flushes %.2f windows %.2f\n",
	       what, (double)t / iter, (double)t2 / 2048, (double)rd / iter, (double)wr / iter,
	       (double)re / iter, (double)rm / iter, (double)fl / iter, (double)hw / iter);
	vm_destroy(&vm);
}

void test_mmio(void)
{
	static const struct { enum backing b; uint64_t mode; const char *what; } t[] = {
		{ MEMFD, 0, "memfd" },
		{ MEMFD, REINSERT, "memfd/reinsert" },
		{ SECRET, 0, "secret" },
		{ SECRET, REINSERT, "secret/reinsert" },
		{ SECRET, HOLD, "secret/hold" },
		{ GMEM, 0, "gmem" },
		{ GMEM, REINSERT, "gmem/reinsert" },
		{ UNMAPPED, 0, "unmapped" },
		{ UNMAPPED, NOFLUSH, "unmapped/noflush" },
		{ UNMAPPED, FLUSHALL, "unmapped/flushall" },
		{ UNMAPPED, REINSERT, "unmapped/reinsert" },
		{ UNMAPPED, REINSERT | NOFLUSH, "unmapped/reinsert/noflush" },
		{ UNMAPPED, REINSERT | FLUSHALL, "unmapped/reinsert/flushall" },
		{ UNMAPPED, HOLD, "unmapped/hold" },
		{ UNMAPPED, HOLD | NOFLUSH, "unmapped/hold/noflush" },
		{ UNMAPPED, HOLD | FLUSHALL, "unmapped/hold/flushall" },
	};
	unsigned int i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		mmio_one(t[i].b, t[i].mode, 2000, t[i].what);
}

struct pvclock { uint32_t version, pad; uint64_t tsc, ns; uint32_t mul; int8_t shift; uint8_t flags, pad2[2]; };
struct steal { uint64_t steal; uint32_t version, flags; uint8_t preempted; };

static void clock_one(enum backing b, uint64_t mode)
{
	struct kvm_clock_data cd;
	struct pvclock *pv;
	struct steal *st;
	uint64_t ns[4], users;
	struct vm vm;
	int i, r;

	vm_create(&vm, b, mode);
	for (i = 0; i < 4; i++)
		vm_add_vcpu(&vm);
	LOAD(&vm, mmio);
	pv = (void *)(vm.mem + CLOCK_GPA);
	st = (void *)(vm.mem + STEAL_GPA);
	for (i = 0; i < 4; i++) {
		set_msr(&vm, i, 0x4b564d01, (CLOCK_GPA + i * 64) | 1);
		set_msr(&vm, i, 0x4b564d03, (STEAL_GPA + i * 64) | 1);
		set_msr(&vm, i, 0x4b564d04, (EOI_GPA + i * 4) | 1);	/* PV EOI */
		REGS(&vm, i, .rdi = MMIO_GPA, .rcx = 3);
		r = vm_run(&vm, i, NULL);
		check(r == 0x10, "run %d", r);
		check(((struct pvclock *)((char *)pv + i * 64))->version, "pvclock %d", i);
		check(((struct steal *)((char *)st + i * 64))->version, "steal %d", i);
		ns[i] = ((struct pvclock *)((char *)pv + i * 64))->ns;
		/* complete the port access */
		vm_complete(&vm, i);
	}
	users = stat_of(&vm, "direct_map_users");
	if (hidden(b)) {
		check(revealed(pv), "clock page must be reinserted");
		check(users >= 4 + ((mode & REINSERT) ? 4 : 0), "users %llu", (long long)users);
	}
	/* Force an update: it must reach all of them. */
	memset(&cd, 0, sizeof(cd));
	if (ioctl(vm.fd, KVM_GET_CLOCK, &cd))
		die("KVM_GET_CLOCK");
	cd.clock += 1000000000000ull;
	cd.flags = 0;
	if (ioctl(vm.fd, KVM_SET_CLOCK, &cd))
		die("KVM_SET_CLOCK");
	for (i = 0; i < 4; i++) {
		REGS(&vm, i, .rdi = MMIO_GPA, .rcx = 3);
		r = vm_run(&vm, i, NULL);
		check(r == 0x10, "run %d", r);
		check(((struct pvclock *)((char *)pv + i * 64))->ns >= ns[i] + 1000000000000ull, "fresh %d", i);
	}
	/* The VMM drops the page under the caches: must be refreshed. */
	if (b == UNMAPPED) {
		if (fallocate(vm.mem_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, CLOCK_GPA, 2 * PAGE))
			die("punch");
		cd.clock += 1000000000000ull;
		cd.flags = 0;
		if (ioctl(vm.fd, KVM_SET_CLOCK, &cd))
			die("KVM_SET_CLOCK");
		for (i = 0; i < 4; i++) {
			check(!((struct pvclock *)((char *)pv + i * 64))->version || i, "zero");
			REGS(&vm, i, .rdi = MMIO_GPA, .rcx = 3);
			r = vm_run(&vm, i, NULL);
			check(r == 0x10, "run %d", r);
			check(((struct pvclock *)((char *)pv + i * 64))->ns >= ns[i] + 2000000000000ull, "fresh %d", i);
		}
	}
	/* One after the other: the page stays until the last user is gone. */
	for (i = 0; i < 4; i++) {
		if (hidden(b))
			check(revealed(pv), "clock page must be reinserted, %d", i);
		set_msr(&vm, i, 0x4b564d01, 0);
		set_msr(&vm, i, 0x4b564d03, 0);
		REGS(&vm, i, .rdi = MMIO_GPA, .rcx = 3);
		r = vm_run(&vm, i, NULL);
		check(r == 0x10, "run %d", r);
	}
	if (hidden(b)) {
		check(!revealed(pv), "clock page still reinserted");
		check(!revealed(st), "steal time page still reinserted");
		if (!(mode & KVM_DIRECT_MAP_REINSERT_HOLD))
			check(!stat_of(&vm, "direct_map_users"), "users");
	} else {
		check(!users, "users");
	}
	vm_destroy(&vm);
}

void test_clock(void)
{
	enum backing b;

	for (b = 0; b < NR_BACKINGS; b++) {
		clock_one(b, 0);
		clock_one(b, REINSERT);
		clock_one(b, HOLD);
		clock_one(b, NOFLUSH);
	}
}

/*
 * kvm-clock, and the code that KVM fetches for each MMIO access, in one page: a
 * fetch must not remove the page from under the caches.
 */
static void sharedpage_one(enum backing b, uint64_t mode)
{
	const uint64_t gpa = CODE_GPA + 2048;
	struct kvm_clock_data cd;
	struct pvclock *pv;
	uint64_t last = 0, re, rd;
	struct vm vm;
	int i, j, r;

	vm_create(&vm, b, mode);
	for (i = 0; i < 4; i++)
		vm_add_vcpu(&vm);
	LOAD(&vm, mmio);
	pv = (void *)(vm.mem + gpa);
	for (j = 0; j < 20; j++) {
		memset(&cd, 0, sizeof(cd));
		cd.clock = (j + 1) * 1000000000000ull;
		if (ioctl(vm.fd, KVM_SET_CLOCK, &cd))
			die("KVM_SET_CLOCK");
		for (i = 0; i < 4; i++) {
			if (!j)
				set_msr(&vm, i, 0x4b564d01, (gpa + i * 64) | 1);
			re = stat_of(&vm, "direct_map_reinserts");
			rd = stat_of(&vm, "guest_mem_reads");
			REGS(&vm, i, .rdi = MMIO_GPA, .rcx = 10);
			r = vm_run(&vm, i, NULL);
			check(r == 0x10, "run %d", r);
			re = stat_of(&vm, "direct_map_reinserts") - re;
			rd = stat_of(&vm, "guest_mem_reads") - rd;
			if (hidden(b) && mode == REINSERT && j)
				check(re == rd - 10 || re == rd - 11,
				      "%llu reinsertions %llu reads", (long long)re, (long long)rd);
			if (hidden(b))
				check(revealed(vm.mem + CODE_GPA), "code page must stay");
			check(((struct pvclock *)((char *)pv + i * 64))->ns >= cd.clock &&
			      ((struct pvclock *)((char *)pv + i * 64))->ns > last, "fresh");
		}
		last = ((struct pvclock *)pv)->ns;
	}
	for (i = 0; i < 4; i++)
		set_msr(&vm, i, 0x4b564d01, 0);
	if (hidden(b) && mode != HOLD)
		check(!revealed(vm.mem + CODE_GPA), "code page still there");
	vm_destroy(&vm);
}

void test_sharedpage(void)
{
	enum backing b;

	for (b = 0; b < NR_BACKINGS; b++) {
		sharedpage_one(b, 0);
		sharedpage_one(b, REINSERT);
		sharedpage_one(b, HOLD);
	}
}

static void nested_one(enum backing b, uint64_t mode)
{
	uint64_t re;
	struct vm vm;
	int n, r;

	vm_create(&vm, b, mode);
	n = vm_add_vcpu(&vm);
	LOAD(&vm, vmsave);
	memset(vm.mem + VMCB_GPA, 0, PAGE);
	re = stat_of(&vm, "direct_map_reinserts");
	REGS(&vm, n, .rax = VMCB_GPA, .rcx = 10);
	r = vm_run(&vm, n, NULL);
	check(r == 0x10, "vmsave %d", r);
	re = stat_of(&vm, "direct_map_reinserts") - re;
	printf("# vmsave/vmload x10 on %s mode %llx: %llu reinsertions\n",
	       backing_name[b], (long long)mode, (long long)re);
	if (hidden(b)) {
		check(re >= 20 || (mode & KVM_DIRECT_MAP_REINSERT_HOLD), "%llu", (long long)re);
		check(!revealed(vm.mem + VMCB_GPA), "VMCB still reinserted");
	}
	vm_destroy(&vm);
}

void test_nested(void)
{
	enum backing b;

	for (b = 0; b < NR_BACKINGS; b++) {
		nested_one(b, 0);
		nested_one(b, REINSERT);
		nested_one(b, HOLD);
	}
}

/* The guest changes its own page tables: interesting with kvm_amd.npt=0. */
static void pt_one(enum backing b, uint64_t mode)
{
	uint64_t re, rd, wr, t;
	struct vm vm;
	int n, r;

	vm_create(&vm, b, mode);
	n = vm_add_vcpu(&vm);
	LOAD(&vm, pt);
	REGS(&vm, n, .rsi = PT_GPA, .rbx = 0x200000, .rcx = 2000);
	t = now();
	r = vm_run(&vm, n, NULL);
	t = now() - t;
	check(r == 0x10, "pt %d", r);
	re = stat_of(&vm, "direct_map_reinserts");
	rd = stat_of(&vm, "guest_mem_reads");
	wr = stat_of(&vm, "guest_mem_writes");
	printf("# pt x2000 on %s mode %llx: %llu reinsertions %llu reads %llu writes, %llu ns each\n",
	       backing_name[b], (long long)mode, (long long)re, (long long)rd, (long long)wr,
	       (long long)t / 2000);
	if (hidden(b) && mode == REINSERT)
		check(re == rd + wr, "a path was not covered");
	vm_destroy(&vm);
}

void test_pt(void)
{
	enum backing b;

	for (b = 0; b < NR_BACKINGS; b++) {
		pt_one(b, 0);
		pt_one(b, REINSERT);
		pt_one(b, HOLD);
	}
}
