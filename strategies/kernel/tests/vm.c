// SPDX-License-Identifier: GPL-2.0-only
/* A VM with flat memory, long mode and a few CPUs. */
#include "ktest.h"

int failures;

const char * const backing_name[NR_BACKINGS] = {
	"memfd", "memfd-secret", "guest-memfd", "guest-memfd-unmapped"
};

uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

void put64(struct vm *vm, uint64_t gpa, uint64_t v)
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

void vm_load(struct vm *vm, const char *p, const char *end)
{
	memcpy(vm->mem + CODE_GPA, p, end - p);
}

static int sys_memfd_secret(void) { return syscall(447, 0); }

int gmem_create(struct vm *vm, uint64_t flags)
{
	struct kvm_create_guest_memfd g = { .size = MEM_SIZE, .flags = flags };

	return ioctl(vm->fd, KVM_CREATE_GUEST_MEMFD, &g);
}

int vm_try_create(struct vm *vm, enum backing b, uint64_t mode)
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

void vm_create(struct vm *vm, enum backing b, uint64_t mode)
{
	if (vm_try_create(vm, b, mode))
		die("%s mode %llx", backing_name[b], (unsigned long long)mode);
}

int vm_add_vcpu(struct vm *vm)
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

void vm_regs(struct vm *vm, int n, struct kvm_regs r)
{
	r.rip = CODE_GPA;
	r.rflags = 2;
	r.rsp = 0x20000 + n * PAGE + 2048;
	if (ioctl(vm->vcpu[n], KVM_SET_REGS, &r))
		die("KVM_SET_REGS");
}

void set_msr(struct vm *vm, int n, uint32_t index, uint64_t data)
{
	struct { struct kvm_msrs h; struct kvm_msr_entry e; } m = {
		.h.nmsrs = 1, .e = { .index = index, .data = data },
	};

	if (ioctl(vm->vcpu[n], KVM_SET_MSRS, &m) != 1)
		die("KVM_SET_MSRS %x", index);
}

/* Run until a port access.  Returns the port, or -errno, or -1000 - exit reason */
int vm_run(struct vm *vm, int n, volatile bool *stop)
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
void vm_complete(struct vm *vm, int n)
{
	vm->run[n]->immediate_exit = 1;
	if (!ioctl(vm->vcpu[n], KVM_RUN, 0) || errno != EINTR)
		die("immediate exit");
	vm->run[n]->immediate_exit = 0;
}

void vm_destroy(struct vm *vm)
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
