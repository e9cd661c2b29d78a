// SPDX-License-Identifier: Apache-2.0
// Locks, rights, children.
#include "lib/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/wait.h"

int proc_lock(const char *path, int *ret_fd, struct err *e)
{
	_cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	char text[24] = "";

	if (fd < 0)
		return err_set(e, errno, "open the lock file %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return err_set(e, errno, "lock %s", path);
		ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
		text[len > 0 ? strcspn(text, "\n") : 0] = '\0';
		err_note(e, EBUSY, "%s is held by process %s: only one may run", path,
			text[0] ? text : "(unknown)");
		return PROC_LOCKED;
	}
	int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)len, 0) != len)
		return err_set(e, errno, "write the lock file %s", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int proc_die_with_parent(pid_t parent, int signal, struct err *e)
{
	if (prctl(PR_SET_PDEATHSIG, signal) < 0)
		return err_set(e, errno, "ask for a signal when the parent dies");
	if (getppid() != parent)
		return err_say(e, ESRCH, "the parent process %d has already died", (int)parent);
	return 0;
}

int proc_lock_down(struct err *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(e, errno, "set no_new_privs");
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_set(e, errno, "forbid core dumps");
	return 0;
}

int proc_user_find(const char *name, struct proc_user *ret, struct err *e)
{
	char buffer[4096];
	struct passwd entry, *found;
	int failed = getpwnam_r(name, &entry, buffer, sizeof(buffer), &found);

	if (failed)
		return err_set(e, failed, "look up the system user %s", name);
	if (!found)
		return err_say(e, ENOENT, "there is no system user %s: `make up` makes it", name);
	*ret = (struct proc_user){.uid = entry.pw_uid, .gid = entry.pw_gid};
	return 0;
}

// capset(2) by hand (linux/capability.h, version 3: two words of 32 bits); libcap would be one more
// dependency.
int proc_keep_caps(uint64_t mask)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		uint32_t word = (uint32_t)(mask >> (32 * i));
		data[i] = (struct __user_cap_data_struct){
			.effective = word, .permitted = word, .inheritable = word};
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return -1;
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

int proc_drop(const struct proc_user *user, uint64_t keep, struct err *e)
{
	if (user->uid == 0 || user->gid == 0)
		return err_say(e, EINVAL, "dropping rights needs a user other than root");
	if (prctl(PR_SET_KEEPCAPS, 1) < 0)
		return err_set(e, errno, "keep capabilities over setuid");
	if (setgroups(user->group != 0, &user->group) < 0)
		return err_set(e, errno, "set the supplementary groups");
	if (setresgid(user->gid, user->gid, user->gid) < 0)
		return err_set(e, errno, "change to group %u", (unsigned)user->gid);
	if (setresuid(user->uid, user->uid, user->uid) < 0)
		return err_set(e, errno, "change to user %u", (unsigned)user->uid);
	if (proc_keep_caps(keep) < 0)
		return err_set(e, errno, "set capabilities to %#llx", (unsigned long long)keep);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(e, errno, "set no_new_privs");
	if (setuid(0) == 0 || setgid(0) == 0)
		return err_say(e, EPERM, "root's rights could be taken back after dropping them");
	return 0;
}

int proc_pidfd(pid_t pid, int *ret_fd, struct err *e)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0); // O_CLOEXEC is built in

	if (fd < 0)
		return err_set(e, errno, "pidfd_open %d", (int)pid);
	*ret_fd = fd;
	return 0;
}

int proc_pidfd_signal(int pidfd, int signal, struct err *e)
{
	if (syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0)
		return err_set(e, errno, "send signal %d", signal);
	return 0;
}

void proc_set_name(const char *name)
{
	prctl(PR_SET_NAME, name);
}

static void spawn_actions_done(posix_spawn_file_actions_t *actions)
{
	posix_spawn_file_actions_destroy(actions);
}

static void spawn_attr_done(posix_spawnattr_t *attr)
{
	posix_spawnattr_destroy(attr);
}

// posix_spawn is a vfork: no page tables are copied, and the child begins in this thread's
// namespaces.
int proc_spawn(const struct proc_child *child, int in_fd, int out_fd, pid_t *ret, struct err *e)
{
	static const char *const path_only[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	_cleanup_(spawn_actions_done) posix_spawn_file_actions_t actions;
	_cleanup_(spawn_attr_done) posix_spawnattr_t attr;
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&actions, in_fd, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
	if (child->pass_fd) // last, since 3 may be one of the others here
		posix_spawn_file_actions_adddup2(&actions, *child->pass_fd, STDERR_FILENO + 1);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	const char *const *envp = child->envp ? child->envp : path_only;
	// The prototype is older than const; nothing is written to.
	char *const *argv_plain, *const *envp_plain;
	memcpy(&argv_plain, &child->argv, sizeof(argv_plain));
	memcpy(&envp_plain, &envp, sizeof(envp_plain));
	int failed = posix_spawn(ret, child->path, &actions, &attr, argv_plain, envp_plain);
	return failed ? err_set(e, failed, "start %s", child->path) : 0;
}

// A descriptor from which the child reads its whole input: no pipe that could fill up.
static int input_fd(const char *input, int *ret, struct err *e)
{
	if (!input) {
		*ret = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return *ret < 0 ? err_set(e, errno, "open /dev/null") : 0;
	}
	_cleanup_(closep) int fd = memfd_create("input", MFD_CLOEXEC);
	size_t len = strlen(input);
	if (fd < 0)
		return err_set(e, errno, "memfd_create");
	if (write(fd, input, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(e, errno, "write the input of a child");
	*ret = TAKE_FD(fd);
	return 0;
}

int proc_read_output(int fd, struct str *output, const struct wait *w, struct err *e)
{
	char chunk[4096];

	for (;;) {
		int r = wait_fd(w, fd, POLLIN, "the end of the program", e);
		if (r != 0)
			return r;
		ssize_t got = read(fd, chunk, sizeof(chunk));
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			return err_set(e, errno, "read the output of a program");
		if (got == 0)
			return 0;
		str_add_bytes(output, chunk, (size_t)got);
		if (output->overflow) {
			err_note(e, EMSGSIZE, "the program printed more than %zu bytes",
				output->max);
			return PROC_CUT;
		}
	}
}

int proc_reap(pid_t pid, struct err *e)
{
	siginfo_t info = {0};

	while (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0)
		if (errno != EINTR)
			return err_set(e, errno, "wait for process %d", (int)pid);
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

int proc_run(const struct proc_child *child, const struct wait *w, struct proc_result *ret,
	struct err *e)
{
	_cleanup_(closep) int in = -1, out = -1, out_child = -1, pidfd = -1;
	_cleanup_(str_done) struct str output = STR_INIT(child->output_max_bytes);
	int pipe_fds[2];
	pid_t pid;

	if (input_fd(child->input, &in, e) < 0)
		return -1;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_set(e, errno, "pipe");
	out = pipe_fds[0];
	out_child = pipe_fds[1];
	if (proc_spawn(child, in, out_child, &pid, e) < 0)
		return -1;
	close(TAKE_FD(out_child));
	int r = proc_pidfd(pid, &pidfd, e);
	if (r == 0)
		r = proc_read_output(out, &output, w, e);
	if (r == 0) // stdout is closed, but the program may live on
		r = wait_fd(w, pidfd, POLLIN, "the end of the program", e);
	if (r != 0)
		kill(pid, SIGKILL); // ours and not reaped: the pid cannot be anyone else's
	struct err reap_error;
	int code = proc_reap(pid, &reap_error);
	if (r != 0)
		return r < 0 ? err_wrap(e, "run %s", child->path) : r;
	if (code < 0) {
		*e = reap_error;
		return -1;
	}
	ret->exit_code = code;
	ret->output_len = output.len;
	ret->output = str_take(&output);
	return 0;
}

void proc_result_done(struct proc_result *result)
{
	free(result->output);
	result->output = NULL;
}
