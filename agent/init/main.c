// SPDX-License-Identifier: Apache-2.0
// ccp-init: PID 1 of a container. Waits at the gate, then keeps sshd, reaps and ends.
#include "agent/init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

// How long processes have between SIGTERM and SIGKILL when the container is stopped.
enum { STOP_GRACE_MS = 2000 };

enum { FD_PEERS = 5 }; // places before the gate's peers among what is polled

struct init {
	struct gate gate;
	struct sshd sshd;
	struct words words;
	int signals;
	int timer; // sshd's next start, or while stopping the end of the grace
	bool stopping;
};

static void timer_set(const struct init *in, long ms)
{
	struct itimerspec t = {.it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}};

	timerfd_settime(in->timer, 0, &t, NULL);
}

static void sshd_run(struct init *in)
{
	if (sshd_start(&in->sshd) < 0)
		timer_set(in, sshd_ended(&in->sshd));
}

static void gate_open(struct init *in)
{
	machine_begin();
	home_fill();
	sshd_run(in);
	gate_change(&in->gate, GATE_OPENED);
}

// Reaps what has ended. True when no child is left.
static bool children_reap(struct init *in)
{
	for (;;) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid == 0)
			return false;
		if (pid < 0)
			return errno == ECHILD;
		if (pid == in->sshd.pid && !in->stopping) {
			words_read(&in->words, init_now_ms()); // why it ended
			timer_set(in, sshd_ended(&in->sshd));
			gate_change(&in->gate, GATE_OPENED);
		}
	}
}

// Interactive shells ignore SIGTERM and end at SIGHUP.
static void stop_begin(struct init *in)
{
	in->stopping = true;
	gate_done(&in->gate);
	kill(-1, SIGTERM);
	kill(-1, SIGHUP);
	timer_set(in, STOP_GRACE_MS);
}

static void signals_read(struct init *in)
{
	struct signalfd_siginfo info;

	while (read(in->signals, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			break; // run() reaps after every wake-up
		case SIGHUP:
		case SIGUSR1:
		case SIGUSR2:
			if (in->sshd.pid > 0)
				kill(in->sshd.pid, (int)info.ssi_signo);
			break;
		default: // TERM, INT, QUIT
			if (!in->stopping)
				stop_begin(in);
		}
	}
}

static void timer_read(struct init *in)
{
	uint64_t times;

	if (read(in->timer, &times, sizeof(times)) != sizeof(times))
		return;
	if (in->stopping)
		kill(-1, SIGKILL);
	else if (in->gate.state != GATE_WAITING && in->sshd.pid == 0)
		sshd_run(in);
}

// True when the container may end.
static bool step(struct init *in)
{
	int pause_ms = words_pause_ms(&in->words, init_now_ms());
	struct pollfd p[FD_PEERS + GATE_PEERS_MAX] = {
		{.fd = in->signals, .events = POLLIN},
		{.fd = in->timer, .events = POLLIN},
		{.fd = in->sshd.pid_fifo, .events = POLLIN},
		{.fd = in->gate.listener, .events = POLLIN},
		{.fd = pause_ms == 0 ? in->words.fd : -1, .events = POLLIN},
	};

	for (int i = 0; i < GATE_PEERS_MAX; i++)
		p[FD_PEERS + i] = (struct pollfd){.fd = in->gate.peers[i], .events = POLLIN};
	if (poll(p, FD_PEERS + GATE_PEERS_MAX, pause_ms == 0 ? -1 : pause_ms) < 0)
		return false;
	if (p[4].revents != 0) // first of all, so that a change of state comes with its reason
		words_read(&in->words, init_now_ms());
	for (int i = 0; i < GATE_PEERS_MAX; i++) {
		if (p[FD_PEERS + i].revents != 0 && gate_serve(&in->gate, i))
			gate_open(in);
	}
	if (p[3].revents != 0)
		gate_accept(&in->gate);
	if (p[2].revents != 0 && sshd_listens(&in->sshd) && !in->stopping)
		gate_change(&in->gate, GATE_SSHD_UP);
	if (p[1].revents != 0)
		timer_read(in);
	if (p[0].revents != 0)
		signals_read(in);
	return children_reap(in) && in->stopping;
}

// 0 or a gate_status.
static int init_setup(struct init *in)
{
	static const int wanted[] = {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};
	sigset_t set;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0)
		dup2(null, STDIN_FILENO);
	close_range(3, ~0U, 0); // whatever the runtime left open belongs to the machine
	if (words_init(&in->words, init_now_ms()) < 0)
		return GATE_NO_DESCRIPTORS;
	umask(022);
	prctl(PR_SET_DUMPABLE, 0);
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		sigaddset(&set, wanted[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	in->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	in->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (in->signals < 0 || in->timer < 0)
		return GATE_NO_DESCRIPTORS;
	sshd_init(&in->sshd);
	return gate_init(&in->gate, in->words.text) < 0 ? GATE_NO_LISTENER : 0;
}

int main(int argc, char **argv)
{
	struct init in = {0};

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("ccp-init " CCP_VERSION);
		return 0;
	}
	if (getpid() != 1) {
		fputs("ccp-init: runs only as process 1 of a container; ccp-agent starts it\n",
			stderr);
		return 2;
	}
	int status = init_setup(&in);
	if (status != 0)
		return status;
	while (!step(&in))
		;
	return 0;
}
