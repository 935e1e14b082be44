// SPDX-License-Identifier: GPL-2.0-only
/* Everything at once, and a VM that dies in the middle of it. */
#include "ktest.h"

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

int stress_seconds = 10;

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
	int i, more, n = 0;

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
	for (more = 0; more < 60 + 9 * seconds && fewest_runs(&s) < STRESS_RUNS; more++)
		sleep(1);
	s.stop = true;
	for (i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	printf("# stress %s mode %llx: %d s more, least runs %llu punches %llu touches %llu clocks %llu; reinserts %llu removes %llu zaps %llu restores %llu users %llu flushes %llu\n",
	       backing_name[b], (long long)mode, more, (long long)fewest_runs(&s), (long long)s.punches,
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

void test_stress(void)
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
void test_stockstress(void)
{
	stress_one(GMEM, 0, (stress_seconds + 1) / 2);
	stress_one(MEMFD, 0, (stress_seconds + 1) / 2);
}

/* A VM that dies at once, with everything in use */
void test_kill(void)
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
