// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel counts, and what it can see of a page. */
#include "ktest.h"

uint64_t stat_of(struct vm *vm, const char *name)
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

uint64_t pfn_of(void *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t e = 0;

	if (fd < 0 || pread(fd, &e, 8, (uintptr_t)p / PAGE * 8) != 8)
		die("pagemap");
	close(fd);
	return e >> 63 ? e & ((1ull << 55) - 1) : 0;
}

void kcore_read(uint64_t pfn, void *buf)
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

bool revealed(void *p)
{
	static uint8_t buf[PAGE];

	kcore_read(pfn_of(p), buf);
	return !memcmp(buf, p, PAGE);
}

uint64_t vmstat(const char *name)
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

void fill_secret(uint8_t *p)
{
	int i;

	for (i = 0; i < (int)PAGE; i++)
		p[i] = (i * 7) ^ (i >> 5) ^ 0xa5;
}
