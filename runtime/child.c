// SPDX-License-Identifier: Apache-2.0
// Forks, waits for the child's answer on a pipe, ends it.
#include "runtime/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/wait.h"

// What the child says; less than PIPE_BUF, so it comes whole or not at all.
struct answer {
	int r;
	struct err e;
};

_Noreturn static void child_main(child_work work, const void *arg, pid_t parent, int answer_fd)
{
	struct answer answer = {0};

	answer.r = proc_die_with_parent(parent, SIGKILL, &answer.e);
	if (answer.r == 0)
		answer.r = work(arg, &answer.e);
	_exit(write(answer_fd, &answer, sizeof(answer)) == sizeof(answer) ? EXIT_SUCCESS
									  : EXIT_FAILURE);
}

static int answer_read(
	int fd, const char *what, const struct wait *w, struct answer *ret, struct err *e)
{
	if (wait_fd(w, fd, POLLIN, what, e) != 0)
		return -1;
	if (read(fd, ret, sizeof(*ret)) != sizeof(*ret))
		return err_say(e, ECHILD, "the process for %s was killed", what);
	return 0;
}

int child_run(
	child_work work, const void *arg, const char *what, const struct wait *w, struct err *e)
{
	int ends[2];
	struct answer answer;
	pid_t parent = getpid();

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(e, errno, "make a pipe");
	_cleanup_(closep) int ours = ends[0];
	_cleanup_(closep) int theirs = ends[1];
	pid_t pid = fork();
	if (pid < 0)
		return err_set(e, errno, "fork");
	if (pid == 0)
		child_main(work, arg, parent, theirs);
	closep(&theirs);
	theirs = -1;
	int r = answer_read(ours, what, w, &answer, e);
	kill(pid, SIGKILL);
	// After its answer it is gone at once. One that hangs in the kernel is left to the process
	// that reaps after us.
	waitpid(pid, NULL, r == 0 ? 0 : WNOHANG);
	if (r < 0)
		return -1;
	if (answer.r < 0)
		*e = answer.e;
	return answer.r;
}

// Keeps nothing but `fd` and `go`: the caller of runc reads its output until all who hold it are
// gone. The parent and the process between have closed the file before `go` ends, so the last close
// is this one's.
_Noreturn static void closer_main(int fd, int go, child_work work, const void *arg)
{
	struct err ignored;
	char end;

	if (fork() != 0)
		_exit(EXIT_SUCCESS);
	(void)!work(arg, &ignored);
	dup2(go, 0);
	dup2(fd, 1);
	close_range(2, ~0U, 0);
	(void)!read(0, &end, 1);
	_exit(EXIT_SUCCESS);
}

int child_close_last(int *fd, child_work work, const void *arg, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(e, errno, "make a pipe");
	_cleanup_(closep) int go = ends[0];
	_cleanup_(closep) int ours = ends[1];
	pid_t pid = fork();
	if (pid < 0)
		return err_set(e, errno, "fork");
	if (pid == 0) {
		closep(&ours);
		closer_main(*fd, go, work, arg);
	}
	waitpid(pid, NULL, 0);
	closep(fd);
	*fd = -1;
	return 0;
}
