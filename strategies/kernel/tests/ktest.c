// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the "no direct map" kernel series, to be run in a lab machine:
 *
 *   gcc -O2 -Wall -static -pthread -I <kernel headers> -o ktest ktest.c
 *
 * ktest [-s SECONDS] [TEST]...: the tests to run (default: all but stress), and
 * how long stress takes.  Prints "ok <test>" or "not ok <test>"; fails if one did.
 */
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

static int failures;

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
static const char * const backing_name[] = {
	"memfd", "memfd-secret", "guest-memfd", "guest-memfd-unmapped"
};
static bool hidden(enum backing b) { return b == SECRET || b == UNMAPPED; }

struct vm {
	int kvm, fd, mem_fd, stats_fd;
	enum backing backing;
	uint64_t mode;
	uint8_t *mem;
	int nr_vcpus;
	int vcpu[16];
	struct kvm_run *run[16];
};

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* ---- guest payloads: 64 bit, CPL 0, position independent ---- */
#define PAYLOAD(name, body)						\
	asm(".pushsection .rodata\n.globl p_" #name "\np_" #name ":\n"	\
	    body "\n.globl p_" #name "_end\np_" #name "_end:\n"		\
	    ".popsection");						\
	extern const char p_##name[], p_##name##_end[]

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

/* ---- VM ---- */
static void put64(struct vm *vm, uint64_t gpa, uint64_t v)
{
	memcpy(vm->mem + gpa, &v, 8);
}

static void vm_tables(struct vm *vm)
{
	int i;

	put64(vm, 0x1000, 0x2000 | 7);
	put64(vm, 0x2000, 0x3000 | 7);
	put64(vm, 0x2000 + 3 * 8, 0x4000 | 7);
	for (i = 0; i < 512; i++) {
		put64(vm, 0x3000 + i * 8, ((uint64_t)i << 21) | 0x87);
		put64(vm, 0x4000 + i * 8, (0xc0000000ull + ((uint64_t)i << 21)) | 0x87);
		put64(vm, PT_GPA + i * 8, 0x200000ull + i * PAGE + 7);
	}
	put64(vm, 0x3000 + 8, PT_GPA | 7);
}

static void vm_load(struct vm *vm, const char *p, const char *end)
{
	memcpy(vm->mem + CODE_GPA, p, end - p);
}
#define LOAD(vm, name) vm_load(vm, p_##name, p_##name##_end)

static int sys_memfd_secret(void) { return syscall(447, 0); }

static int gmem_create(struct vm *vm, uint64_t flags)
{
	struct kvm_create_guest_memfd g = { .size = MEM_SIZE, .flags = flags };

	return ioctl(vm->fd, KVM_CREATE_GUEST_MEMFD, &g);
}

static int vm_try_create(struct vm *vm, enum backing b, uint64_t mode)
{
	struct kvm_userspace_memory_region2 r = { .memory_size = MEM_SIZE };
	struct kvm_enable_cap cap = { .cap = KVM_CAP_DIRECT_MAP_MODE, .args = { mode } };

	memset(vm, 0, sizeof(*vm));
	vm->backing = b;
	vm->mode = mode;
	vm->kvm = open("/dev/kvm", O_RDWR);
	if (vm->kvm < 0)
		die("/dev/kvm");
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		die("KVM_CREATE_VM");
	if (mode && ioctl(vm->fd, KVM_ENABLE_CAP, &cap))
		return -1;
	switch (b) {
	case MEMFD:
		vm->mem_fd = memfd_create("guest", 0);
		if (ftruncate(vm->mem_fd, MEM_SIZE))
			die("ftruncate");
		break;
	case SECRET:
		vm->mem_fd = sys_memfd_secret();
		if (vm->mem_fd < 0 || ftruncate(vm->mem_fd, MEM_SIZE))
			die("memfd_secret");
		break;
	case GMEM:
		vm->mem_fd = gmem_create(vm, 3);
		break;
	case UNMAPPED:
		vm->mem_fd = gmem_create(vm, 7);
		break;
	default:
		break;
	}
	if (vm->mem_fd < 0)
		return -1;
	vm->mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, vm->mem_fd, 0);
	if (vm->mem == MAP_FAILED)
		die("mmap");
	r.userspace_addr = (uintptr_t)vm->mem;
	if (b == GMEM || b == UNMAPPED) {
		r.flags = KVM_MEM_GUEST_MEMFD;
		r.guest_memfd = vm->mem_fd;
	}
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION2, &r))
		die("KVM_SET_USER_MEMORY_REGION2");
	vm->stats_fd = ioctl(vm->fd, KVM_GET_STATS_FD, 0);
	if (vm->stats_fd < 0)
		die("KVM_GET_STATS_FD");
	vm_tables(vm);
	return 0;
}

static void vm_create(struct vm *vm, enum backing b, uint64_t mode)
{
	if (vm_try_create(vm, b, mode))
		die("%s mode %llx", backing_name[b], (unsigned long long)mode);
}

static uint64_t stat_of(struct vm *vm, const char *name)
{
	struct kvm_stats_header h;
	static char desc[256 * 128];
	uint64_t v = ~0ull;
	size_t sz;
	unsigned int i;

	if (pread(vm->stats_fd, &h, sizeof(h), 0) != sizeof(h))
		die("stats header");
	sz = sizeof(struct kvm_stats_desc) + h.name_size;
	if (pread(vm->stats_fd, desc, sz * h.num_desc, h.desc_offset) != (ssize_t)(sz * h.num_desc))
		die("stats desc");
	for (i = 0; i < h.num_desc; i++) {
		struct kvm_stats_desc *d = (void *)(desc + i * sz);

		if (strcmp(d->name, name))
			continue;
		if (pread(vm->stats_fd, &v, 8, h.data_offset + d->offset) != 8)
			die("stat %s", name);
		return v;
	}
	return ~0ull;
}

static int vm_add_vcpu(struct vm *vm)
{
	struct {
		struct kvm_cpuid2 h;
		struct kvm_cpuid_entry2 e[256];
	} *cpuid = calloc(1, sizeof(*cpuid));
	struct kvm_sregs s;
	int n = vm->nr_vcpus++;
	long sz;

	vm->vcpu[n] = ioctl(vm->fd, KVM_CREATE_VCPU, n);
	if (vm->vcpu[n] < 0)
		die("KVM_CREATE_VCPU");
	cpuid->h.nent = 256;
	if (ioctl(vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid) ||
	    ioctl(vm->vcpu[n], KVM_SET_CPUID2, cpuid))
		die("cpuid");
	free(cpuid);
	sz = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	vm->run[n] = mmap(NULL, sz, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu[n], 0);
	if (vm->run[n] == MAP_FAILED)
		die("mmap vcpu");
	ioctl(vm->vcpu[n], KVM_GET_SREGS, &s);
	s.cr3 = 0x1000;
	s.cr4 = 0x620;	/* PAE, OSFXSR, OSXMMEXCPT */
	s.cr0 = 0x80050033;
	s.efer = 0x1d01;	/* SCE, LME, LMA, NX, SVME */
	s.cs.base = 0; s.cs.l = 1; s.cs.db = 0; s.cs.selector = 8;
	s.cs.type = 11; s.cs.present = 1; s.cs.s = 1; s.cs.g = 1; s.cs.limit = ~0u; s.cs.dpl = 0;
	s.ss = s.ds = s.es = s.cs;
	s.ss.type = s.ds.type = s.es.type = 3;
	s.ss.l = s.ds.l = s.es.l = 0;
	s.ss.selector = s.ds.selector = s.es.selector = 16;
	if (ioctl(vm->vcpu[n], KVM_SET_SREGS, &s)) {
		s.efer &= ~0x1000;
		if (ioctl(vm->vcpu[n], KVM_SET_SREGS, &s))
			die("KVM_SET_SREGS");
	}
	return n;
}

static void vm_regs(struct vm *vm, int n, struct kvm_regs r)
{
	r.rip = CODE_GPA;
	r.rflags = 2;
	r.rsp = 0x20000 + n * PAGE + 2048;
	if (ioctl(vm->vcpu[n], KVM_SET_REGS, &r))
		die("KVM_SET_REGS");
}
#define REGS(vm, n, ...) vm_regs(vm, n, (struct kvm_regs){ __VA_ARGS__ })

static void set_msr(struct vm *vm, int n, uint32_t index, uint64_t data)
{
	struct { struct kvm_msrs h; struct kvm_msr_entry e; } m = {
		.h.nmsrs = 1, .e = { .index = index, .data = data },
	};

	if (ioctl(vm->vcpu[n], KVM_SET_MSRS, &m) != 1)
		die("KVM_SET_MSRS %x", index);
}

/* Run until a port access.  Returns the port, or -errno, or -1000 - exit reason */
static int vm_run(struct vm *vm, int n, volatile bool *stop)
{
	struct kvm_run *run = vm->run[n];

	for (;;) {
		if (ioctl(vm->vcpu[n], KVM_RUN, 0)) {
			if (errno == EINTR || errno == EAGAIN) {
				if (stop && *stop)
					return -EINTR;
				continue;
			}
			return -errno;
		}
		switch (run->exit_reason) {
		case KVM_EXIT_MMIO:
			if (!run->mmio.is_write)
				memset(run->mmio.data, 0x5a, 8);
			break;
		case KVM_EXIT_IO:
			return run->io.port;
		case KVM_EXIT_INTR:
			break;
		default:
			return -1000 - (int)run->exit_reason;
		}
		if (stop && *stop)
			return -EINTR;
	}
}

/* Complete the port access that vm_run() returned for. */
static void vm_complete(struct vm *vm, int n)
{
	vm->run[n]->immediate_exit = 1;
	if (!ioctl(vm->vcpu[n], KVM_RUN, 0) || errno != EINTR)
		die("immediate exit");
	vm->run[n]->immediate_exit = 0;
}

static void vm_destroy(struct vm *vm)
{
	int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		munmap(vm->run[i], ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
		close(vm->vcpu[i]);
	}
	munmap(vm->mem, MEM_SIZE);
	close(vm->mem_fd);
	close(vm->stats_fd);
	close(vm->fd);
	close(vm->kvm);
}

/* ---- what the kernel can see ---- */
static uint64_t pfn_of(void *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t e = 0;

	if (fd < 0 || pread(fd, &e, 8, (uintptr_t)p / PAGE * 8) != 8)
		die("pagemap");
	close(fd);
	return e >> 63 ? e & ((1ull << 55) - 1) : 0;
}

static void kcore_read(uint64_t pfn, void *buf)
{
	uint64_t paddr = pfn * PAGE;
	int fd = open("/proc/kcore", O_RDONLY), i;
	Elf64_Ehdr eh;
	Elf64_Phdr ph;

	if (fd < 0 || pread(fd, &eh, sizeof(eh), 0) != sizeof(eh))
		die("kcore");
	for (i = 0; i < eh.e_phnum; i++) {
		if (pread(fd, &ph, sizeof(ph), eh.e_phoff + i * sizeof(ph)) != sizeof(ph))
			die("kcore phdr");
		if (ph.p_type != PT_LOAD || ph.p_paddr == (Elf64_Addr)-1 ||
		    ph.p_vaddr < 0xffff800000000000ull || ph.p_vaddr >= 0xffffc80000000000ull)
			continue;
		if (paddr < ph.p_paddr || paddr >= ph.p_paddr + ph.p_memsz)
			continue;
		if (pread(fd, buf, PAGE, ph.p_offset + paddr - ph.p_paddr) != PAGE)
			die("kcore read");
		close(fd);
		return;
	}
	die("pfn %llx not in kcore", (unsigned long long)pfn);
}

static bool revealed(void *p)
{
	static uint8_t buf[PAGE];

	kcore_read(pfn_of(p), buf);
	return !memcmp(buf, p, PAGE);
}

static uint64_t vmstat(const char *name)
{
	char line[128], n[96];
	unsigned long long v;
	FILE *f = fopen("/proc/vmstat", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%95s %llu", n, &v) == 2 && !strcmp(n, name)) {
			fclose(f);
			return v;
		}
	}
	if (f)
		fclose(f);
	return ~0ull;
}

static void fill_secret(uint8_t *p)
{
	int i;

	for (i = 0; i < (int)PAGE; i++)
		p[i] = (i * 7) ^ (i >> 5) ^ 0xa5;
}

/* ---- tests ---- */
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

static void test_isolation(void)
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

static void test_mmio(void)
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

static void test_uapi(void)
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

static void test_clock(void)
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

static void test_sharedpage(void)
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

static void test_nested(void)
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

static void test_pt(void)
{
	enum backing b;

	for (b = 0; b < NR_BACKINGS; b++) {
		pt_one(b, 0);
		pt_one(b, REINSERT);
		pt_one(b, HOLD);
	}
}

/*
 * Reinsert mode must not depend on, nor fall back to, the user mapping: KVM's
 * accesses work although userspace has unmapped the memory.
 */
static void test_nofallback(void)
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
static void test_balance(void)
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

/* ---- races ---- */
#define STRESS_VCPUS	4
#define STRESS_RUNS	8	/* of each vCPU, else it is taken for stuck */

struct stress {
	struct vm vm;
	volatile bool stop;
	uint64_t runs[STRESS_VCPUS], punches, touches, clocks;
};
static __thread unsigned int rseed;
static unsigned int rnd(void) { return rseed = rseed * 1103515245 + 12345, rseed >> 8; }

struct targ { struct stress *s; int n; };

static void *stress_vcpu(void *p)
{
	struct targ *a = p;
	struct stress *s = a->s;
	int r, i = 0;

	REGS(&s->vm, a->n, .rdi = MMIO_GPA, .rbx = DATA_GPA, .r8 = 63, .r9 = 12345 + a->n);
	while (!s->stop) {
		r = vm_run(&s->vm, a->n, &s->stop);
		if (r == -EINTR)
			break;
		if (r != 0x11) {
			struct kvm_regs regs;

			ioctl(s->vm.vcpu[a->n], KVM_GET_REGS, &regs);
			printf("# vcpu %d: %d rip %llx rdx %llx r9 %llx suberror %x\n", a->n, r,
			       regs.rip, regs.rdx, regs.r9, s->vm.run[a->n]->internal.suberror);
			failures++;
			break;
		}
		__atomic_add_fetch(&s->runs[a->n], 1, __ATOMIC_RELAXED);
		if (!(++i & 63)) {
			/* flip clock and steal time, i.e. activate and deactivate caches */
			set_msr(&s->vm, a->n, 0x4b564d01, (i & 64) ? (CLOCK_GPA + a->n * 64) | 1 : 0);
			set_msr(&s->vm, a->n, 0x4b564d03, (i & 128) ? (STEAL_GPA + a->n * 64) | 1 : 0);
		}
	}
	return NULL;
}

static void *stress_punch(void *p)
{
	struct targ *a = p;
	struct stress *s = a->s;

	rseed = a->n * 77 + 5;
	while (!s->stop) {
		uint64_t off;

		switch (rnd() % 4) {
		case 0: off = CLOCK_GPA; break;
		case 1: off = STEAL_GPA; break;
		default: off = DATA_GPA + (rnd() & 63) * PAGE; break;
		}
		if (s->vm.backing == UNMAPPED || s->vm.backing == GMEM) {
			if (fallocate(s->vm.mem_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				      off, PAGE * (1 + rnd() % 2)))
				die("punch");
		} else {
			madvise(s->vm.mem + off, PAGE, MADV_DONTNEED);
		}
		/*
		 * Every punch makes page faults that are under way start over.
		 * Without a pause, CPUs that are emulated one after another can
		 * get nowhere, on any kernel.
		 */
		if (!(++s->punches & 7))
			usleep(500);
	}
	return NULL;
}

static void *stress_touch(void *p)
{
	struct targ *a = p;
	struct stress *s = a->s;

	rseed = a->n * 99 + 7;
	while (!s->stop) {
		*(volatile uint64_t *)(s->vm.mem + DATA_GPA + (rnd() & 63) * PAGE + 1024) = rnd();
		if (!(rnd() & 31))
			madvise(s->vm.mem + CLOCK_GPA, 2 * PAGE, MADV_DONTNEED);
		if (!(rnd() & 15))
			(void)*(volatile uint64_t *)(s->vm.mem + CLOCK_GPA + (rnd() & 1) * PAGE);
		s->touches++;
		if (!(rnd() & 3))
			sched_yield();
	}
	return NULL;
}

static void *stress_clock(void *p)
{
	struct targ *a = p;
	struct stress *s = a->s;

	rseed = 3;
	while (!s->stop) {
		struct kvm_clock_data cd = { 0 };

		ioctl(s->vm.fd, KVM_GET_CLOCK, &cd);
		cd.flags = 0;
		cd.clock += 1000;
		ioctl(s->vm.fd, KVM_SET_CLOCK, &cd);
		s->clocks++;
		usleep(300);
	}
	return NULL;
}

static int stress_seconds = 10;

static uint64_t fewest_runs(struct stress *s)
{
	uint64_t least = -1;
	int i;

	for (i = 0; i < STRESS_VCPUS; i++) {
		uint64_t runs = __atomic_load_n(&s->runs[i], __ATOMIC_RELAXED);

		if (runs < least)
			least = runs;
	}
	return least;
}

static void stress_one(enum backing b, uint64_t mode, int seconds)
{
	static struct stress s;
	pthread_t t[16];
	struct targ a[16];
	int i, n = 0;

	memset(&s, 0, sizeof(s));
	vm_create(&s.vm, b, mode);
	LOAD(&s.vm, stress);
	for (i = 0; i < STRESS_VCPUS; i++) {
		vm_add_vcpu(&s.vm);
		set_msr(&s.vm, i, 0x4b564d01, (CLOCK_GPA + i * 64) | 1);
		set_msr(&s.vm, i, 0x4b564d03, (STEAL_GPA + i * 64) | 1);
	}
	for (i = 0; i < STRESS_VCPUS; i++) {
		a[n] = (struct targ){ &s, i };
		pthread_create(&t[n], NULL, stress_vcpu, &a[n]), n++;
	}
	for (i = 0; i < 2; i++) {
		a[n] = (struct targ){ &s, i };
		pthread_create(&t[n], NULL, stress_punch, &a[n]), n++;
	}
	a[n] = (struct targ){ &s, 1 };
	pthread_create(&t[n], NULL, stress_touch, &a[n]), n++;
	a[n] = (struct targ){ &s, 1 };
	pthread_create(&t[n], NULL, stress_clock, &a[n]), n++;
	sleep(seconds);
	/* A machine that is busy with other things is slow, not stuck. */
	for (i = 0; i < 60 + 9 * seconds && fewest_runs(&s) < STRESS_RUNS; i++)
		sleep(1);
	s.stop = true;
	for (i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	printf("# stress %s mode %llx: %d s more, least runs %llu punches %llu touches %llu clocks %llu; reinserts %llu removes %llu zaps %llu restores %llu users %llu flushes %llu\n",
	       backing_name[b], (long long)mode, i, (long long)fewest_runs(&s), (long long)s.punches,
	       (long long)s.touches, (long long)s.clocks,
	       (long long)stat_of(&s.vm, "direct_map_reinserts"), (long long)stat_of(&s.vm, "direct_map_removes"),
	       (long long)stat_of(&s.vm, "direct_map_zaps"), (long long)stat_of(&s.vm, "direct_map_restores"),
	       (long long)stat_of(&s.vm, "direct_map_users"), (long long)stat_of(&s.vm, "direct_map_flushes"));
	check(fewest_runs(&s) >= STRESS_RUNS, "a vCPU is stuck");
	/* No user may be left once all caches are off. */
	for (i = 0; i < STRESS_VCPUS; i++) {
		set_msr(&s.vm, i, 0x4b564d01, 0);
		set_msr(&s.vm, i, 0x4b564d03, 0);
	}
	if (!(mode & KVM_DIRECT_MAP_REINSERT_HOLD))
		check(!stat_of(&s.vm, "direct_map_users"), "users");
	vm_destroy(&s.vm);
}

static void test_stress(void)
{
	static const struct { enum backing b; uint64_t mode; } t[] = {
		{ UNMAPPED, REINSERT }, { UNMAPPED, HOLD }, { UNMAPPED, 0 },
		{ UNMAPPED, REINSERT | NOFLUSH }, { UNMAPPED, HOLD | FLUSHALL },
		{ SECRET, REINSERT }, { SECRET, HOLD }, { GMEM, REINSERT }, { MEMFD, REINSERT },
	};
	unsigned int i, nr = sizeof(t) / sizeof(t[0]);

	for (i = 0; i < nr; i++)
		stress_one(t[i].b, t[i].mode, (stress_seconds + nr - 1) / nr);
}

/* The same load on what a stock kernel has, to judge failures of the above */
static void test_stockstress(void)
{
	stress_one(GMEM, 0, (stress_seconds + 1) / 2);
	stress_one(MEMFD, 0, (stress_seconds + 1) / 2);
}

/* A VM that dies at once, with everything in use */
static void test_kill(void)
{
	static const uint64_t modes[] = { 0, REINSERT, HOLD };
	int i;

	for (i = 0; i < 24; i++) {
		pid_t pid = fork();

		if (!pid) {
			stress_one(i & 1 ? UNMAPPED : SECRET, modes[i % 3], 100);
			_exit(0);
		}
		usleep(60000 + i * 7000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	/* RCU and deferred work */
	usleep(300000);
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
static void test_trace(void)
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
static void test_poison(void)
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

static const struct { const char *name; void (*fn)(void); bool by_default; } tests[] = {
	{ "uapi", test_uapi, true },
	{ "isolation", test_isolation, true },
	{ "mmio", test_mmio, true },
	{ "clock", test_clock, true },
	{ "sharedpage", test_sharedpage, true },
	{ "trace", test_trace, true },
	{ "nested", test_nested, true },
	{ "pt", test_pt, true },
	{ "nofallback", test_nofallback, true },
	{ "poison", test_poison, true },
	{ "kill", test_kill, true },
	{ "stress", test_stress, false },
	{ "stockstress", test_stockstress, false },
	{ "balance", test_balance, true },
};

static int run(const char *name, void (*fn)(void))
{
	uint64_t t = now();
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		fn();
		fflush(stdout);
		_exit(failures ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	printf("%s %s # status %x, %llu ms\n", status ? "not ok" : "ok", name, status,
	       (long long)(now() - t) / 1000000);
	return status ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct rlimit rl = { RLIM_INFINITY, RLIM_INFINITY };
	const unsigned int nr = sizeof(tests) / sizeof(tests[0]);
	int opt, bad = 0, done = 0;
	unsigned int i;

	while ((opt = getopt(argc, argv, "s:")) != -1) {
		if (opt == 's')
			stress_seconds = atoi(optarg);
	}
	if (stress_seconds < 1) {
		fprintf(stderr, "usage: ktest [-s SECONDS] [TEST]...\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	setrlimit(RLIMIT_MEMLOCK, &rl);
	printf("# cpus %ld\n", sysconf(_SC_NPROCESSORS_ONLN));

	for (i = 0; i < nr && optind == argc; i++) {
		if (tests[i].by_default) {
			bad += run(tests[i].name, tests[i].fn);
			done++;
		}
	}
	for (; optind < argc; optind++) {
		for (i = 0; i < nr && strcmp(tests[i].name, argv[optind]); i++)
			;
		if (i == nr) {
			fprintf(stderr, "ktest: no test is called %s\n", argv[optind]);
			return 2;
		}
		bad += run(tests[i].name, tests[i].fn);
		done++;
	}
	printf("# %d tests, %d failed\n", done, bad);
	return !!bad;
}
