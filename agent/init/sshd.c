// SPDX-License-Identifier: Apache-2.0
// Keeps sshd running: first of all processes, again with growing pauses when it dies.
#include "agent/init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACKOFF_FIRST_MS = 100, BACKOFF_MOST_MS = 5000, STABLE_MS = 10000 };

int sshd_init(struct sshd *s)
{
	*s = (struct sshd){.backoff_ms = BACKOFF_FIRST_MS};
	s->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (s->watch < 0 || inotify_add_watch(s->watch, INIT_RUN, IN_CLOSE_WRITE) < 0) {
		init_log("watch " INIT_RUN);
		return -1;
	}
	return 0;
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
	unlink(INIT_RUN "/" INIT_SSHD_PID_NAME);
	if (mkdir("/run/sshd", 0755) < 0 && errno != EEXIST)
		init_log("make /run/sshd");
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

bool sshd_listens(const struct sshd *s)
{
	_Alignas(struct inotify_event) char buffer[4096];
	bool written = false;

	for (;;) {
		ssize_t size = read(s->watch, buffer, sizeof(buffer));

		if (size <= 0)
			return written && s->pid != 0;
		for (char *p = buffer; p < buffer + size;) {
			const struct inotify_event *event = (const struct inotify_event *)p;

			written |= event->len > 0 && strcmp(event->name, INIT_SSHD_PID_NAME) == 0;
			p += sizeof(*event) + event->len;
		}
	}
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
