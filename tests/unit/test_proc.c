// SPDX-License-Identifier: Apache-2.0
// Processes: the lock, children with a deadline, dropping rights.
#include "lib/proc.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/wait.h"

static int run_shell(const char *script, const char *input, size_t max, const struct wait *w,
	struct proc_result *ret, struct err *e)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	const struct proc_child child = {
		.path = "/bin/sh", .argv = argv, .input = input, .output_max_bytes = max};

	return proc_run(&child, w, ret, e);
}

static void a_child_gives_its_output_and_exit_code(void **state)
{
	struct wait w = wait_for(10000, -1);
	_cleanup_(proc_result_done) struct proc_result got = {0};
	_cleanup_(proc_result_done) struct proc_result killed = {0};
	struct err e;

	(void)state;
	assert_int_equal(run_shell("cat; echo $PATH; exit 7", "in\n", 1000, &w, &got, &e), 0);
	assert_int_equal(got.exit_code, 7);
	assert_string_equal(got.output, "in\n/usr/sbin:/usr/bin:/sbin:/bin\n");
	assert_int_equal(run_shell("kill -9 $$", NULL, 1000, &w, &killed, &e), 0);
	assert_int_equal(killed.exit_code, 128 + SIGKILL);
}

static void a_child_ends_by_deadline_cancel_or_too_much_output(void **state)
{
	_cleanup_(closep) int cancel = eventfd(1, EFD_CLOEXEC);
	struct wait brief = wait_for(100, -1), canceled = wait_for(10000, cancel),
		    long_wait = wait_for(10000, -1);
	struct proc_result got = {0};
	struct err e;
	int64_t began = wait_now_ms();

	(void)state;
	assert_int_equal(run_shell("exec sleep 20", NULL, 100, &brief, &got, &e), WAIT_TIMEOUT);
	assert_int_equal(run_shell("exec sleep 20", NULL, 100, &canceled, &got, &e), WAIT_CANCELED);
	assert_int_equal(run_shell("exec yes", NULL, 100, &long_wait, &got, &e), PROC_CUT);
	assert_true(wait_now_ms() - began < 20000);
	assert_null(got.output);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void a_program_that_is_not_there_is_an_error(void **state)
{
	const char *const argv[] = {"x", NULL};
	const struct proc_child child = {
		.path = "/nonexistent", .argv = argv, .output_max_bytes = 1};
	struct wait w = wait_for(1000, -1);
	struct proc_result got;
	struct err e;

	(void)state;
	assert_int_equal(proc_run(&child, &w, &got, &e), -1);
	assert_int_equal(e.code, ENOENT);
}

static void the_lock_is_held_until_the_holder_dies(void **state)
{
	char path[] = "/tmp/ccp-lock-XXXXXX";
	_cleanup_(closep) int made = mkstemp(path);
	_cleanup_(closep) int pidfd = -1;
	_cleanup_(closep) int lock = -1;
	int ready[2];
	char byte;
	struct err e;

	(void)state;
	assert_true(made >= 0);
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		int held;
		_exit(proc_lock(path, &held, &e) == 0 && write(ready[1], "x", 1) == 1 ? pause()
										      : 1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	assert_int_equal(proc_lock(path, &lock, &e), PROC_LOCKED);
	_cleanup_(freep) char *holder = xasprintf("held by process %d", (int)pid);
	assert_non_null(strstr(e.message, holder));
	assert_int_equal(proc_pidfd(pid, &pidfd, &e), 0);
	assert_int_equal(proc_pidfd_signal(pidfd, SIGKILL, &e), 0);
	struct wait w = wait_for(5000, -1);
	assert_int_equal(wait_fd(&w, pidfd, POLLIN, "the end", &e), 0);
	assert_int_equal(proc_lock(path, &lock, &e), 0);
	waitpid(pid, NULL, 0);
	unlink(path);
}

static bool status_says(const char *line)
{
	char text[4096] = {0};
	FILE *file = fopen("/proc/self/status", "re");
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	if (file)
		fclose(file);
	return len > 0 && strstr(text, line);
}

// In a child: what it can still do after the drop.
static int drop_and_look(void)
{
	const struct proc_user nobody = {.uid = 65534, .gid = 65534}, root = {0};
	struct err e;

	if (proc_drop(&root, 0, &e) != -1)
		return 1;
	if (proc_drop(&nobody, 1ULL << CAP_NET_RAW, &e) != 0) {
		fprintf(stderr, "%s\n", e.message);
		return 2;
	}
	if (!status_says("CapEff:\t0000000000002000") || !status_says("CapPrm:\t0000000000002000"))
		return 3;
	if (!status_says("CapAmb:\t0000000000000000") || !status_says("NoNewPrivs:\t1"))
		return 4;
	return getuid() == 65534 && setuid(0) == -1 ? 0 : 5;
}

static void dropped_rights_do_not_come_back(void **state)
{
	int status;

	(void)state;
	if (getuid() != 0)
		fail_msg("run the tests as root");
	pid_t pid = fork();
	if (pid == 0)
		_exit(drop_and_look());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_gives_its_output_and_exit_code),
		cmocka_unit_test(a_child_ends_by_deadline_cancel_or_too_much_output),
		cmocka_unit_test(a_program_that_is_not_there_is_an_error),
		cmocka_unit_test(the_lock_is_held_until_the_holder_dies),
		cmocka_unit_test(dropped_rights_do_not_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
