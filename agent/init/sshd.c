// SPDX-License-Identifier: Apache-2.0
// Keeps sshd running: first of all processes, again with growing pauses when it dies.
#include "agent/init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACKOFF_FIRST_MS = 100, BACKOFF_MOST_MS = 5000, STABLE_MS = 10000 };

void sshd_init(struct sshd *s)
{
	*s = (struct sshd){.backoff_ms = BACKOFF_FIRST_MS, .pid_fifo = -1};
}

// inotify would do, too, but the kernel counts its instances by user for the whole container, and
// a user who holds them all would keep sshd from being seen.
static void pid_fifo_make(struct sshd *s)
{
	if (s->pid_fifo >= 0)
		close(s->pid_fifo);
	unlink(INIT_SSHD_PID);
	s->pid_fifo = mkfifo(INIT_SSHD_PID, 0600) < 0
			      ? -1
			      : open(INIT_SSHD_PID, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (s->pid_fifo < 0)
		init_log("make " INIT_SSHD_PID);
}

static _Noreturn void child_run(void)
{
	// The image's environment stays behind. TZ is the agent's and sshd hands it on to logins.
	static char tz[128];
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static char name[] = INIT_SSHD, flags[] = "-De", option[] = "-f",
		    config[] = INIT_SSHD_CONFIG;
	const char *zone = getenv("TZ");
	char *environment[] = {path, NULL, NULL};
	char *arguments[] = {name, flags, option, config, NULL};
	sigset_t none;

	if (zone && (size_t)snprintf(tz, sizeof(tz), "TZ=%s", zone) < sizeof(tz))
		environment[1] = tz;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	execve(INIT_SSHD, arguments, environment);
	init_log("execute " INIT_SSHD);
	_exit(127);
}

int sshd_start(struct sshd *s)
{
	pid_fifo_make(s);
	s->started_ms = init_now_ms();
	s->pid = fork();
	if (s->pid == 0)
		child_run();
	if (s->pid > 0)
		return 0;
	s->pid = 0;
	init_log("fork for sshd");
	return -1;
}

// The FIFO has done its work: who looks for sshd finds a file, as on other machines.
static void pid_file_make(struct sshd *s)
{
	close(s->pid_fifo);
	s->pid_fifo = -1;
	unlink(INIT_SSHD_PID);
	int fd = open(INIT_SSHD_PID, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || dprintf(fd, "%d\n", (int)s->pid) < 0)
		init_log("write " INIT_SSHD_PID);
	if (fd >= 0)
		close(fd);
}

bool sshd_listens(struct sshd *s)
{
	char text[64];

	if (read(s->pid_fifo, text, sizeof(text)) <= 0)
		return false;
	pid_file_make(s);
	return s->pid != 0;
}

long sshd_ended(struct sshd *s)
{
	long pause_ms;

	s->pid = 0;
	if (init_now_ms() - s->started_ms >= STABLE_MS)
		s->backoff_ms = BACKOFF_FIRST_MS;
	pause_ms = s->backoff_ms;
	s->backoff_ms *= 2;
	if (s->backoff_ms > BACKOFF_MOST_MS)
		s->backoff_ms = BACKOFF_MOST_MS;
	return pause_ms;
}
