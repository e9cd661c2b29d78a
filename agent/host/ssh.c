// SPDX-License-Identifier: Apache-2.0
// Asks the container's sshd for its banner, and PID 1 why there is none.
#include "agent/host/ssh.h"

#include <errno.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/container/gate.h"
#include "agent/host/host.h"
#include "agent/host/outbox.h"
#include "agent/net/netns.h"
#include "agent/net/sockdiag.h"
#include "agent/store/home.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/sock.h"

// Root inside can make each question take its whole time, and checks have few threads.
enum { BANNER_MS = 1000, GATE_MS = 1000, SSH_PORT = 22 };

int ssh_banner(int ns_fd, const struct wait *w, struct err *e)
{
	_cleanup_(closep) int fd = -1;
	char banner[4];
	int r = netns_connect(ns_fd, SSH_PORT, w, &fd, e);

	if (r == 0)
		r = sock_read_all(fd, banner, sizeof(banner), w, e);
	if (r == 0 && memcmp(banner, "SSH-", 4) != 0)
		return err_say(e, EPROTO, "what answers on port 22 is not an SSH server");
	return r;
}

// PID 1 has kept what sshd said before it ended.
static int words_ask(
	const struct agent *a, const struct host *host, struct gate_answer *ret, struct err *e)
{
	struct wait w = wait_for(GATE_MS, -1);
	_cleanup_(home_done) struct home home = HOME_INIT;
	_cleanup_(closep) int program_fd = -1, fd = -1;

	if (home_open(&a->store, host->id, false, &home, e) < 0)
		return -1;
	program_fd = home_init_open(&home, e);
	if (program_fd < 0)
		return -1;
	const struct pid1 expected = {.pid = host->run.pid,
		.uid = (uid_t)host->spec->ids.base,
		.ns_fd = host->run.ns_fd,
		.program_fd = program_fd};
	int r = gate_connect(&expected, &w, &fd, e);
	return r == 0 ? gate_say(fd, GATE_ASK, &w, ret, e) : r;
}

void ssh_note(struct agent *a, const char *host_id, const char *why_not)
{
	if (hosts_note_ssh(a->hosts, host_id, !why_not))
		outbox_ssh(a->outbox, host_id, why_not);
}

// To say its banner sshd makes a process of itself, which costs more than all else that a light check does.
// The listener that said it the last time, and has accepted all since, would say it again.
static int banner_check(struct host *host, bool again, const struct wait *w, struct err *e)
{
	struct wait brief = wait_at_most(w, BANNER_MS);
	struct sockdiag_listener now = {0};
	struct err ignored;
	struct run *run = &host->run;

	(void)!sockdiag_find_listener(run->ns_fd, SSH_PORT, &now, &ignored);
	if (!again && now.cookie != 0 && now.cookie == run->ssh_cookie && now.waiting == 0)
		return 0;
	run->ssh_cookie = 0;
	int r = ssh_banner(run->ns_fd, &brief, e);
	if (r == 0)
		run->ssh_cookie = now.cookie; // of before the banner: a later listener is another
	return r;
}

bool ssh_check(struct agent *a, struct host *host, bool again, const struct wait *w)
{
	struct gate_answer answer;
	struct err e, ignored;
	int r = banner_check(host, again, w, &e);

	if (r == WAIT_CANCELED)
		return true;
	if (r == 0) {
		ssh_note(a, host->id, NULL);
		return true;
	}
	bool has_words = words_ask(a, host, &answer, &ignored) == 0 && answer.words[0];
	_cleanup_(freep) char *why = xasprintf("%s%s%s", e.message,
		has_words ? "; last said inside: " : "", has_words ? answer.words : "");
	(void)hosts_note_ssh(a->hosts, host->id, false);
	outbox_ssh(a->outbox, host->id, why); // each time: the reason may be another one now
	return false;
}
