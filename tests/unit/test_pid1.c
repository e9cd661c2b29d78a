// SPDX-License-Identifier: Apache-2.0
// Who is taken for a container's PID 1: processes in namespaces of their own.
// uses: agent/container/pid1.c
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/container/pid1.h"
#include "lib/err.h"
#include "lib/mem.h"

#define PROGRAM "/bin/sleep"
#define SHELL "/bin/sh"
#define PYTHON "/usr/bin/python3"

// What is mounted here is seen nowhere else. The test's "/" may be any directory, such as a chroot's,
// so the namespace's own root is made private: setns(2) leads there.
static int mounts_make_private(void)
{
	int here = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	if (here < 0 || ns < 0 || setns(ns, CLONE_NEWNS) < 0 ||
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return fchdir(here) < 0 || chroot(".") < 0 ? -1 : 0;
}

static void inside(const char *command)
{
	if (mounts_make_private() < 0 || mount("proc", "/proc", "proc", 0, NULL) < 0)
		_exit(1);
	execl(SHELL, "sh", "-c", command, (char *)NULL);
	_exit(2);
}

static ino_t program_of(pid_t pid)
{
	struct stat st;
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

// A process 1 that has become the program.
static struct pid1 make_of(const char *command, int program_fd)
{
	struct pid1 c = {.alone = true, .program_fd = program_fd};
	struct stat wanted;
	char path[40];
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET,
		NULL, NULL, NULL, NULL);

	assert_true(pid >= 0);
	if (pid == 0)
		inside(command);
	assert_int_equal(fstat(program_fd, &wanted), 0);
	while (program_of(pid) != wanted.st_ino)
		assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	c.pid = pid;
	c.ns_fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(c.ns_fd >= 0);
	return c;
}

static struct pid1 make(const char *command)
{
	int program_fd = open(PROGRAM, O_PATH | O_CLOEXEC);

	assert_true(program_fd >= 0);
	return make_of(command, program_fd);
}

static void end(struct pid1 *c)
{
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	closep(&c->ns_fd);
	closep(&c->program_fd);
}

static void refused(const struct pid1 *p, int code, const char *why)
{
	struct err e;

	assert_int_equal(pid1_prove(p, &e), -1);
	assert_int_equal(e.code, code);
	assert_non_null(strstr(e.message, why));
}

static void process_1_of_the_right_program_is_proven(void **state)
{
	struct pid1 c = make("exec sleep 60");
	struct err e;

	(void)state;
	assert_int_equal(pid1_prove(&c, &e), 0);
	c.alone = false;
	assert_int_equal(pid1_prove(&c, &e), 0);
	end(&c);
}

static void another_program_or_namespace_is_not(void **state)
{
	struct pid1 c = make("exec sleep 60"), other = make("exec sleep 60");
	struct pid1 p = c;

	(void)state;
	p.ns_fd = other.ns_fd;
	refused(&p, EPERM, "not in the container's network namespace");
	p = c;
	p.program_fd = open(SHELL, O_PATH | O_CLOEXEC);
	refused(&p, EPERM, "not ccp-init");
	close(p.program_fd);
	end(&other);
	end(&c);
}

// A new tmpfs numbers its files from the same number on: one that is mounted on purpose has a file of each number.
static void the_same_number_on_another_file_system_is_not(void **state)
{
	int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

	(void)state;
	assert_int_equal(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), 0);
	int directory = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	int program_fd = openat(directory, "x", O_RDONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_true(program_fd >= 0);
	struct pid1 c = make_of(
		"mount -t tmpfs none /mnt && cp " PROGRAM " /mnt/x && exec /mnt/x 60", program_fd);
	refused(&c, EPERM, "not ccp-init");
	end(&c);
	close(directory);
	close(fs);
}

static void a_process_that_is_not_the_first_is_not(void **state)
{
	struct pid1 p = {.pid = getpid(),
		.ns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC),
		.program_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC)};

	(void)state;
	refused(&p, EPERM, "is not the container's PID 1");
	close(p.ns_fd);
	close(p.program_fd);
}

static void one_that_has_company_has_been_opened(void **state)
{
	struct pid1 c = make("sleep 61 & exec sleep 60");
	struct err e;

	(void)state;
	refused(&c, EPERM, "2 processes run in the container");
	c.alone = false;
	assert_int_equal(pid1_prove(&c, &e), 0);
	end(&c);
}

static void one_that_is_traced_is_not(void **state)
{
	struct pid1 c = make("exec sleep 60");

	(void)state;
	assert_int_equal(ptrace(PTRACE_SEIZE, c.pid, NULL, NULL), 0);
	refused(&c, EPERM, "traced");
	c.alone = false;
	refused(&c, EPERM, "traced");
	end(&c);
}

static void one_with_threads_is_not(void **state)
{
	struct stat st = {0};
	char path[40];
	struct pid1 c = make_of("exec " PYTHON " -c '"
				"import threading, time\n"
				"threading.Thread(target=time.sleep, args=(60,)).start()'",
		open(PYTHON, O_PATH | O_CLOEXEC));

	(void)state;
	snprintf(path, sizeof(path), "/proc/%d/task", (int)c.pid);
	while (st.st_nlink != 4) // itself, its parent, and one of each thread
		assert_int_equal(stat(path, &st), 0);
	refused(&c, EPERM, "more than one thread");
	end(&c);
}

static void one_without_a_procfs_is_not(void **state)
{
	struct pid1 c = make("mount -t tmpfs none /proc; exec sleep 60");

	(void)state;
	refused(&c, EPERM, "not procfs");
	end(&c);
}

static void one_that_has_ended_is_not(void **state)
{
	struct pid1 c = make("exec sleep 60");
	struct pid1 p = c;

	(void)state;
	p.ns_fd = dup(p.ns_fd);
	p.program_fd = dup(p.program_fd);
	end(&c);
	refused(&p, ESRCH, "/proc/");
	close(p.ns_fd);
	close(p.program_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(process_1_of_the_right_program_is_proven),
		cmocka_unit_test(another_program_or_namespace_is_not),
		cmocka_unit_test(the_same_number_on_another_file_system_is_not),
		cmocka_unit_test(a_process_that_is_not_the_first_is_not),
		cmocka_unit_test(one_that_has_company_has_been_opened),
		cmocka_unit_test(one_that_is_traced_is_not),
		cmocka_unit_test(one_with_threads_is_not),
		cmocka_unit_test(one_without_a_procfs_is_not),
		cmocka_unit_test(one_that_has_ended_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
