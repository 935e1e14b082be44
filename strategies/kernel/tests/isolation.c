// SPDX-License-Identifier: GPL-2.0-only
/* Who can see what, and whether the books balance. */
#include "ktest.h"

static void isolation_one(enum backing b, uint64_t mode)
{
	uint8_t *secret, buf[PAGE];
	struct iovec l = { buf, PAGE }, r;
	struct vm vm;
	int fd, n, p[2];
	ssize_t ret;

	vm_create(&vm, b, mode);
	n = vm_add_vcpu(&vm);
	LOAD(&vm, mmio);
	REGS(&vm, n, .rdi = MMIO_GPA, .rcx = 10);
	secret = vm.mem + DATA_GPA;
	fill_secret(secret);

	check(vm_run(&vm, n, NULL) == 0x10, "run");
	check(revealed(secret) == !hidden(b), "kcore data %s %llx", backing_name[b], (long long)mode);
	check(revealed(vm.mem + CODE_GPA) == !hidden(b) || (mode & KVM_DIRECT_MAP_REINSERT_HOLD),
	      "kcore code %s", backing_name[b]);

	r = (struct iovec){ secret, PAGE };
	ret = process_vm_readv(getpid(), &l, 1, &r, 1, 0);
	check((ret == (ssize_t)PAGE) == !hidden(b), "process_vm_readv %zd", ret);
	ret = process_vm_writev(getpid(), &l, 1, &r, 1, 0);
	check((ret == (ssize_t)PAGE) == !hidden(b), "process_vm_writev %zd", ret);
	fill_secret(secret);

	fd = open("/proc/self/mem", O_RDWR);
	ret = pread(fd, buf, PAGE, (uintptr_t)secret);
	check((ret == (ssize_t)PAGE) == !hidden(b), "/proc/self/mem %zd", ret);
	close(fd);

	fd = open("/dev/ram0", O_RDWR | O_DIRECT);
	if (fd >= 0) {
		ret = pwrite(fd, secret, PAGE, 0);
		check((ret == (ssize_t)PAGE) == !hidden(b), "O_DIRECT write %zd %d", ret, errno);
		ret = pread(fd, secret, PAGE, 0);
		check((ret == (ssize_t)PAGE) == !hidden(b), "O_DIRECT read %zd %d", ret, errno);
		close(fd);
	} else {
		printf("# no /dev/ram0\n");
	}

	/* vmsplice */
	if (!pipe(p)) {
		r = (struct iovec){ secret, PAGE };
		ret = vmsplice(p[1], &r, 1, 0);
		check((ret > 0) == !hidden(b), "vmsplice %zd", ret);
		close(p[0]);
		close(p[1]);
	}

	/* io_uring fixed buffers */
	{
		struct { uint32_t x[30]; } params;
		int ring;

		memset(&params, 0, sizeof(params));
		ring = syscall(425, 4, &params);
		if (ring >= 0) {
			r = (struct iovec){ secret, PAGE };
			ret = syscall(427, ring, 0, &r, 1);
			check((ret == 0) == !hidden(b), "io_uring register %zd %d", ret, errno);
			close(ring);
		} else {
			printf("# io_uring: %s\n", strerror(errno));
		}
	}

	/* But ordinary copies by the CPU work. */
	check(!memcmp(secret, secret, PAGE), "cpu");
	fd = open("/dev/null", O_WRONLY);
	check(write(fd, secret, PAGE) == (ssize_t)PAGE, "write");
	close(fd);
	fd = memfd_create("x", 0);
	check(write(fd, secret, PAGE) == (ssize_t)PAGE, "write to memfd");
	check(pread(fd, buf, PAGE, 0) == (ssize_t)PAGE && !memcmp(buf, secret, PAGE), "same");
	close(fd);

	/* Freed memory must be accessible again, and zero. */
	if (b == UNMAPPED) {
		uint64_t pfn = pfn_of(secret), z0 = stat_of(&vm, "direct_map_restores");

		if (fallocate(vm.mem_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, DATA_GPA, PAGE))
			die("punch");
		check(stat_of(&vm, "direct_map_restores") == z0 + 1, "restores");
		kcore_read(pfn, buf);
		for (n = 0; n < (int)PAGE && buf[n] == (uint8_t)((n * 7) ^ (n >> 5) ^ 0xa5); n++)
			;
		check(n < 64, "content survives the free");
		check(*(volatile uint8_t *)secret == 0, "refault");
		check(stat_of(&vm, "direct_map_restores") == z0 + 1, "restores");
	}
	vm_destroy(&vm);
}

void test_isolation(void)
{
	enum backing b;

	for (b = 0; b < NR_BACKINGS; b++) {
		isolation_one(b, 0);
		if (hidden(b)) {
			isolation_one(b, REINSERT);
			isolation_one(b, HOLD);
			isolation_one(b, REINSERT | FLUSHALL);
		}
	}
}

void test_uapi(void)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_DIRECT_MAP_MODE };
	static const uint64_t bad[] = { 2, 16, 4 | 8, 1ull << 63 };
	struct vm vm;
	unsigned int i;

	vm_create(&vm, UNMAPPED, 0);
	check(ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_DIRECT_MAP_MODE) == 15, "cap");
	check(ioctl(vm.kvm, KVM_CHECK_EXTENSION, KVM_CAP_DIRECT_MAP_MODE) == 15, "cap");
	check(ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_GUEST_MEMFD_FLAGS) == 7, "flags");
	for (i = 0; i < 4; i++) {
		cap.args[0] = bad[i];
		check(ioctl(vm.fd, KVM_ENABLE_CAP, &cap) && errno == EINVAL, "mode %llx", (long long)bad[i]);
	}
	cap.args[0] = 1;
	cap.args[1] = 1;
	check(ioctl(vm.fd, KVM_ENABLE_CAP, &cap) && errno == EINVAL, "args[1]");
	cap.args[1] = 0;
	check(!ioctl(vm.fd, KVM_ENABLE_CAP, &cap), "ok");
	vm_add_vcpu(&vm);
	check(ioctl(vm.fd, KVM_ENABLE_CAP, &cap) && errno == EBUSY, "vcpu exists");
	check(gmem_create(&vm, 8) < 0 && errno == EINVAL, "flag 8");
	check(gmem_create(&vm, 4) >= 0, "flag 4 alone");
	vm_destroy(&vm);
}

/*
 * Reinsert mode must not depend on, nor fall back to, the user mapping: KVM's
 * accesses work although userspace has unmapped the memory.
 */
void test_nofallback(void)
{
	struct vm vm;
	int n, r;

	vm_create(&vm, UNMAPPED, REINSERT);
	n = vm_add_vcpu(&vm);
	LOAD(&vm, stress);
	REGS(&vm, n, .rdi = MMIO_GPA, .rbx = DATA_GPA, .r8 = 15, .r9 = 12345);
	if (mprotect(vm.mem, MEM_SIZE, PROT_NONE))
		die("mprotect");
	r = vm_run(&vm, n, NULL);
	check(r == 0x11, "PROT_NONE: %d", r);
	munmap(vm.mem, MEM_SIZE);
	r = vm_run(&vm, n, NULL);
	check(r == 0x11, "unmapped by userspace: %d", r);
	vm.mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, vm.mem_fd, 0);
	vm_destroy(&vm);

	/* and user mode does depend on it */
	vm_create(&vm, UNMAPPED, 0);
	n = vm_add_vcpu(&vm);
	LOAD(&vm, stress);
	REGS(&vm, n, .rdi = MMIO_GPA, .rbx = DATA_GPA, .r8 = 15, .r9 = 12345);
	munmap(vm.mem, MEM_SIZE);
	r = vm_run(&vm, n, NULL);
	check(r != 0x11, "user mode without a user mapping: %d", r);
	vm.mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, vm.mem_fd, 0);
	vm_destroy(&vm);
}

/* All that was taken out is put back. */
void test_balance(void)
{
	uint64_t z = vmstat("direct_map_folio_zaps"), s = vmstat("direct_map_folio_restores");
	uint64_t i = vmstat("direct_map_folio_reinserts"), m = vmstat("direct_map_folio_removes");

	printf("# vmstat: zaps %llu restores %llu reinserts %llu removes %llu splits %llu %llu\n",
	       (long long)z, (long long)s, (long long)i, (long long)m,
	       (long long)vmstat("direct_map_level2_splits"), (long long)vmstat("direct_map_level3_splits"));
	check(z == s, "zaps %llu restores %llu", (long long)z, (long long)s);
	/* i > m is fine: a page can be truncated while it is reinserted */
	check(i >= m, "reinserts %llu removes %llu", (long long)i, (long long)m);
}

static int put_file(const char *path, const char *s)
{
	int fd = open(path, O_WRONLY), r;

	if (fd < 0)
		return -1;
	r = write(fd, s, strlen(s));
	close(fd);
	return r < 0 ? -1 : 0;
}

#define TRACE "/sys/kernel/tracing"
void test_trace(void)
{
	static const char * const ev[] = { "zap", "restore", "reinsert", "remove", "flush", "held" };
	unsigned int count[6] = { 0 }, i;
	char line[512], name[64];
	struct vm vm;
	FILE *f;
	int n;

	mount("tracefs", TRACE, "tracefs", 0, NULL);
	for (i = 0; i < 6; i++) {
		snprintf(line, sizeof(line), TRACE "/events/kvm/kvm_direct_map_%s/enable", ev[i]);
		if (put_file(line, "1")) {
			printf("# no tracepoint %s\n", line);
			return;
		}
	}
	vm_create(&vm, UNMAPPED, HOLD);
	n = vm_add_vcpu(&vm);
	LOAD(&vm, mmio);
	REGS(&vm, n, .rdi = MMIO_GPA, .rcx = 3);
	check(vm_run(&vm, n, NULL) == 0x10, "run");
	vm_destroy(&vm);
	put_file(TRACE "/events/kvm/enable", "0");
	f = fopen(TRACE "/trace", "r");
	while (f && fgets(line, sizeof(line), f)) {
		for (i = 0; i < 6; i++) {
			snprintf(name, sizeof(name), "kvm_direct_map_%s:", ev[i]);
			if (strstr(line, name) && !count[i]++)
				printf("# %s", strstr(line, name));
		}
	}
	if (f)
		fclose(f);
	for (i = 0; i < 6; i++)
		check(count[i], "%s", ev[i]);
	check(count[0] == count[1], "%u zaps %u restores", count[0], count[1]);
	check(count[2] >= count[3], "%u reinserts %u removes", count[2], count[3]);
}

/* Software poisoning, and what comes after */
void test_poison(void)
{
	char pfn[32];
	uint8_t *p;
	struct vm vm;
	int n, r;

	vm_create(&vm, UNMAPPED, REINSERT);
	n = vm_add_vcpu(&vm);
	LOAD(&vm, touch);
	p = vm.mem + DATA_GPA;
	*(volatile uint8_t *)p = 1;
	*(volatile uint8_t *)(p + PAGE) = 1;
	signal(SIGBUS, SIG_IGN);
	/* MADV_HWPOISON is GUP, i.e. refused. */
	check(madvise(p, PAGE, MADV_HWPOISON), "MADV_HWPOISON");
	snprintf(pfn, sizeof(pfn), "%#llx", (long long)pfn_of(p));
	/* "Busy": nothing truncates the page, as it should be, but it is poisoned. */
	if (put_file("/sys/kernel/debug/hwpoison/corrupt-pfn", pfn) && errno != EBUSY) {
		printf("# corrupt-pfn: %s\n", strerror(errno));
	} else {
		REGS(&vm, n, .rsi = DATA_GPA, .rcx = 2);
		r = vm_run(&vm, n, NULL);
		printf("# guest access to a poisoned page: %d\n", r);
		check(r != 0x10, "must fail");
		check(!fallocate(vm.mem_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, DATA_GPA, PAGE), "punch");
		REGS(&vm, n, .rsi = DATA_GPA, .rcx = 2);
		r = vm_run(&vm, n, NULL);
		check(r == 0x10, "after the punch: %d", r);
		r = put_file("/sys/kernel/debug/hwpoison/unpoison-pfn", pfn);
		printf("# unpoison: %d\n", r);
	}
	vm_destroy(&vm);
}
