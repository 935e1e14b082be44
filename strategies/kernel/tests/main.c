// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the "no direct map" kernel series, to be run in a lab machine.
 *
 * ktest [-s SECONDS] [TEST]...: the tests to run (default: all but stress), and
 * how long stress takes.  Prints "ok <test>" or "not ok <test>"; fails if one did.
 */
#include "ktest.h"

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
