// SPDX-License-Identifier: Apache-2.0
// Starts the program that carries a tunnel as a daemon: double fork, own session, one capability.
#include "agent/tunnel/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/tunnel/budget.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/sock.h"
#include "lib/wait.h"

// The report's end closes itself at exec: its end of file is the good news.
enum { FD_REPORT = LAUNCH_FD_LOCK + 1, FD_FREE, FD_HIGH = 32, BACKLOG = 64 };

// What the engine's process writes before exec: its pid, and once more if it got no further.
struct report {
	int32_t pid;
	int32_t error; // errno, 0 so far so good
	char what[24];
};

// Everything the forked process needs is laid out before the fork.
struct launch {
	const struct launch_config *config;
	struct sockaddr_un address;
	socklen_t address_len;
	int null_fd, report_fd;
};

// Made in the forked process, while it has the right to.
struct made {
	int socket_fd, lock_fd; // -1: none
};

// From here to exec: async-signal-safe calls only, no locks, no memory. Nothing returns an error:
// it is written to the report.

static _Noreturn void give_up(int report_fd, const char *what)
{
	struct report r = {.pid = (int32_t)getpid(), .error = errno};
	for (size_t i = 0; what[i] && i < sizeof(r.what) - 1; i++)
		r.what[i] = what[i];
	(void)!write(report_fd, &r, sizeof(r));
	_exit(127);
}

static int socket_listen(const struct launch *l)
{
	if (unlink(l->address.sun_path) < 0 && errno != ENOENT)
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&l->address, l->address_len) < 0 ||
		listen(fd, BACKLOG) < 0)
		return -1;
	return fd;
}

static int files_make(const struct launch *l, struct made *ret)
{
	const char *lock = l->config->lock_path;
	*ret = (struct made){.socket_fd = -1, .lock_fd = -1};
	umask(077);
	if (l->config->socket_path && (ret->socket_fd = socket_listen(l)) < 0)
		return -1;
	if (lock &&
		(ret->lock_fd = open(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)) < 0)
		return -1;
	return 0;
}

// By system calls: libc's functions would first have every thread of the agent do the same, and of
// those this copy of it has the list, perhaps locked, but none.
static int user_become(const struct proc_user *user)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
		syscall(SYS_setgroups, user->group != 0, &user->group) < 0 ||
		syscall(SYS_setresgid, user->gid, user->gid, user->gid) < 0)
		return -1;
	return (int)syscall(SYS_setresuid, user->uid, user->uid, user->uid);
}

// NET_ADMIN makes the tun; nothing else is needed. Root would get its whole bounding set with exec
// (which we may not shrink without SETPCAP), but for no_new_privs; others keep what is ambient. Its
// memory holds secrets: at a limit of 1 the kernel writes no core and starts no handler (ADR 23). The
// ptracer line lets the agent take its tun under Ubuntu's Yama later; without Yama it fails, which is
// fine.
static int rights_drop(const struct proc_user *user)
{
	static const struct rlimit no_core = {.rlim_cur = 1, .rlim_max = 1};
	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		return -1;
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	if (user && user_become(user) < 0)
		return -1;
	if (proc_keep_caps(1ull << CAP_NET_ADMIN) < 0)
		return -1;
	if (user && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

// First out of the way of the numbers they are to get, then onto them.
static int descriptors_place(const struct launch *l, const struct made *made)
{
	int input_fd = l->config->input_fd < 0 ? l->null_fd : l->config->input_fd;
	const struct {
		int from, to;
	} moves[] = {
		{input_fd, STDIN_FILENO},
		{l->config->log_fd, STDOUT_FILENO},
		{l->config->log_fd, STDERR_FILENO},
		{made->socket_fd, LAUNCH_FD_SOCKET},
		{l->config->key_fd, LAUNCH_FD_KEY},
		{made->lock_fd, LAUNCH_FD_LOCK},
		{l->report_fd, FD_REPORT},
	};
	int high[ARRAY_SIZE(moves)];
	for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
		high[i] = moves[i].from < 0 ? -1 : fcntl(moves[i].from, F_DUPFD_CLOEXEC, FD_HIGH);
		if (high[i] < 0 && moves[i].from >= 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(moves); i++)
		if (high[i] < 0)
			close(moves[i].to);
		else if (dup2(high[i], moves[i].to) < 0)
			return -1;
	if (fcntl(FD_REPORT, F_SETFD, FD_CLOEXEC) < 0)
		return -1;
	return (int)syscall(SYS_close_range, FD_FREE, ~0u, 0);
}

// When its other descriptors have been closed, each of which would have ended it.
static int lock_take(const struct made *made)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return made->lock_fd < 0 ? 0 : fcntl(LAUNCH_FD_LOCK, F_SETLK, &whole);
}

static _Noreturn void program_exec(const struct launch_config *c)
{
	char *const *argv, *const *envp; // the prototype is older than const
	memcpy(&argv, &c->argv, sizeof(argv));
	memcpy(&envp, &c->environment, sizeof(envp));
	if (c->filter && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, c->filter, 0, 0) < 0)
		give_up(FD_REPORT, "filter its system calls");
	execve(c->program, argv, envp);
	give_up(FD_REPORT, "exec");
}

static _Noreturn void become_engine(const struct launch *l)
{
	struct report alive = {.pid = (int32_t)getpid()};
	struct made made;
	sigset_t none;
	sigemptyset(&none);
	if (write(l->report_fd, &alive, sizeof(alive)) != sizeof(alive))
		_exit(127);
	if (budget_enter(l->config->door) < 0)
		give_up(l->report_fd, "enter its cgroup");
	if (setns(l->config->uplink_fd, CLONE_NEWNET) < 0)
		give_up(l->report_fd, "enter the uplink");
	if (files_make(l, &made) < 0)
		give_up(l->report_fd, "make its files");
	if (rights_drop(l->config->user) < 0)
		give_up(l->report_fd, "drop its rights");
	if (chdir("/") < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		give_up(l->report_fd, "leave our surroundings");
	if (descriptors_place(l, &made) < 0)
		give_up(l->report_fd, "place its descriptors");
	if (lock_take(&made) < 0)
		give_up(FD_REPORT, "take its lock");
	program_exec(l->config);
}

static _Noreturn void daemonize(const struct launch *l)
{
	if (setsid() < 0)
		give_up(l->report_fd, "make a session");
	pid_t pid = _Fork();
	if (pid < 0)
		give_up(l->report_fd, "fork");
	if (pid == 0)
		become_engine(l);
	_exit(0);
}

// Back in the agent.

static int reap(pid_t pid, struct err *e)
{
	while (waitpid(pid, NULL, 0) < 0)
		if (errno != EINTR)
			return err_set(e, errno, "wait for the engine's first parent");
	return 0;
}

// Reads what the engine's process has to say until exec closes its end.
static int reports_read(int fd, const struct launch_config *config, const struct wait *w,
	pid_t *ret_pid, int *ret_pidfd, struct err *e)
{
	_cleanup_(closep) int pidfd = -1;
	pid_t pid = 0;
	for (;;) {
		struct report report;
		int r = sock_read_all(fd, &report, sizeof(report), w, e);
		if (r == SOCK_CLOSED && pid > 0)
			break;
		if (r == SOCK_CLOSED)
			return err_say(e, ECHILD, "the engine's process died before its start");
		if (r != 0)
			return r;
		if (report.error != 0)
			return err_set(
				e, report.error, "start %s: %.24s", config->program, report.what);
		pid = report.pid;
		if (proc_pidfd(pid, &pidfd, e) < 0 && e->code != ESRCH)
			return -1;
	}
	if (pidfd < 0)
		return err_say(e, ESRCH, "%s died at once", config->program);
	*ret_pid = pid;
	*ret_pidfd = TAKE_FD(pidfd);
	return 0;
}

int launch_start(const struct launch_config *config, const struct wait *w, pid_t *ret_pid,
	int *ret_pidfd, struct err *e)
{
	struct launch l = {.config = config};
	_cleanup_(closep) int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	_cleanup_(closep) int read_fd = -1, write_fd = -1;
	int pair[2];
	if (null_fd < 0)
		return err_set(e, errno, "open /dev/null");
	if (config->socket_path &&
		sock_unix_address(config->socket_path, &l.address, &l.address_len, e) < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(e, errno, "make a socket pair");
	read_fd = pair[0];
	write_fd = pair[1];
	l.null_fd = null_fd;
	l.report_fd = write_fd;
	pid_t first = _Fork();
	if (first < 0)
		return err_set(e, errno, "fork the engine's first parent");
	if (first == 0)
		daemonize(&l);
	close(TAKE_FD(write_fd));
	if (reap(first, e) < 0)
		return -1;
	return reports_read(read_fd, config, w, ret_pid, ret_pidfd, e);
}
