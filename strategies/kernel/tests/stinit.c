// SPDX-License-Identifier: GPL-2.0-only
/*
 * /init that runs the kernel's own KVM selftests, i.e. all files below /st, and
 * prints one line for each: "pass", "skip", or "FAIL" with its last output.
 * Kernel command line: ST=substring selects tests, TO=seconds is the time limit.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char *names[512];
static int nr, npass, nskip, nfail, limit = 120;

static void scan(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	struct stat st;
	char path[512];

	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (stat(path, &st))
			continue;
		if (S_ISDIR(st.st_mode))
			scan(path);
		else if (nr < 512)
			names[nr++] = strdup(path);
	}
	if (d)
		closedir(d);
}

static int cmp(const void *a, const void *b)
{
	return strcmp(*(char **)a, *(char **)b);
}

static void run(const char *path)
{
	time_t t = time(NULL);
	char buf[2000], *s;
	int status, timeout = 0, fd;
	ssize_t n;
	pid_t pid;

	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		fd = open("/tmp/out", O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
		dup2(fd, 1);
		dup2(fd, 2);
		close(0);
		open("/dev/null", O_RDONLY);
		execl(path, path, (char *)NULL);
		_exit(127);
	}
	while (!waitpid(pid, &status, WNOHANG)) {
		if (time(NULL) - t > limit) {
			kill(-pid, SIGKILL);
			timeout = 1;
			waitpid(pid, &status, 0);
			break;
		}
		usleep(20000);
	}
	if (!timeout && WIFEXITED(status) && !WEXITSTATUS(status)) {
		npass++;
		printf("pass %s %lds\n", path + 4, (long)(time(NULL) - t));
		return;
	}
	if (!timeout && WIFEXITED(status) && WEXITSTATUS(status) == 4) {
		nskip++;
		printf("skip %s\n", path + 4);
		return;
	}
	nfail++;
	printf("FAIL %s status %x%s\n", path + 4, status, timeout ? " timeout" : "");
	fd = open("/tmp/out", O_RDONLY);
	lseek(fd, -(off_t)sizeof(buf) + 1, SEEK_END);
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	buf[n > 0 ? n : 0] = 0;
	for (s = strtok(buf, "\n"); s; s = strtok(NULL, "\n"))
		printf("   | %s\n", s);
}

int main(void)
{
	struct rlimit rl = { RLIM_INFINITY, RLIM_INFINITY };
	char cmdline[4096] = "", *sel, *s;
	int fd, i;

	mkdir("/proc", 0755); mkdir("/sys", 0755); mkdir("/dev", 0755); mkdir("/tmp", 0777);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	setrlimit(RLIMIT_MEMLOCK, &rl);
	fd = open("/proc/cmdline", O_RDONLY);
	if (read(fd, cmdline, sizeof(cmdline) - 1) < 0)
		return 1;
	close(fd);
	s = strstr(cmdline, " TO=");
	if (s)
		limit = atoi(s + 4);
	sel = strstr(cmdline, " ST=");
	if (sel) {
		sel = strdup(sel + 4);
		sel[strcspn(sel, " \n")] = 0;
	}
	scan("/st");
	qsort(names, nr, sizeof(names[0]), cmp);
	for (i = 0; i < nr; i++)
		if (!sel || strstr(names[i], sel))
			run(names[i]);
	printf("# pass %d skip %d fail %d\n", npass, nskip, nfail);
	sync();
	reboot(RB_AUTOBOOT);
}
