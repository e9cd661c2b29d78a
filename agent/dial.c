// SPDX-License-Identifier: Apache-2.0
// Accepts, asks SQL, connects inside, confirms, hands over.
#include "agent/dial.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/agent.h"
#include "agent/host/host.h"
#include "agent/host/ssh.h"
#include "agent/net/netns.h"
#include "agent/store/home.h"
#include "agent/store/keys.h"
#include "lib/db.h"
#include "lib/dial.h"
#include "lib/err.h"
#include "lib/locked.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/pool.h"
#include "lib/proc.h"
#include "lib/sock.h"

enum {
	REQUEST_MS = 1000,
	ANSWER_MS = 5000,
	CONNECT_MS = 300, // loopback answers at once or, when no process accepts, never
	SILENT_MS = 2000, // how long a host that did not answer is not asked again
	CALLERS = 3,
	ACCEPT_MOST = 64,
};

struct dial {
	struct agent *agent;
	int listener;
	struct loop_source *source;
	uid_t callers[CALLERS];
};

// Belongs to the pool, which may run it after dial_free.
struct call {
	struct agent *agent;
	int fd;
	struct pool_job job;
};

static int refuse(struct dial_reply *reply, enum dial_outcome outcome, const char *sentence)
{
	reply->outcome = outcome;
	if (!text_copy(reply->sentence, sizeof(reply->sentence), sentence))
		strcpy(reply->sentence, "refused");
	return -1;
}

// The database has not done what was asked: it is away, or a session holds what the call needs.
static int refuse_for_now(struct db *db, struct dial_reply *reply, const struct err *e)
{
	_cleanup_(freep) char *sentence = locked_is(e) ? locked_sentence(db, NULL) : NULL;

	log_warning_often("a session cannot be opened", log_text("holder", sentence), log_err(e));
	return refuse(
		reply, DIAL_BUSY, sentence ? sentence : "the database does not answer: try again");
}

// What SQL says of a session that may come in.
struct opened {
	char host_id[SPEC_ID_SIZE];
	char motd[HOME_MOTD_MAX]; // "": nothing to show
};

// session.open: may this session have this port? Else a refusal.
static int session_open(struct agent *a, struct db *db, const struct dial_request *request,
	const struct wait *w, struct opened *ret, struct dial_reply *reply)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	struct db_number process = db_number(a->process_id), port = db_number(request->port);
	const char *host_id, *motd;
	struct err e;
	int r = db_call(db,
		DB_CALL("select verdict, host_id, sentence, motd from session.open($1, $2, $3)",
			process.text, request->session_id, port.text),
		w, &rows, &e);

	if (r != 0)
		return refuse_for_now(db, reply, &e);
	if (db_rows(rows) != 1 || strcmp(db_text(rows, 0, 0), "ok") != 0)
		return refuse(reply, DIAL_REFUSED,
			db_rows(rows) == 1 && db_text(rows, 0, 2) ? db_text(rows, 0, 2)
								  : "refused");
	host_id = db_text(rows, 0, 1);
	if (!host_id || !str_is_uuid(host_id) ||
		!text_copy(ret->host_id, sizeof(ret->host_id), host_id))
		return refuse(reply, DIAL_REFUSED, "the session has no host");
	motd = db_text(rows, 0, 3);
	if (!motd || !text_copy(ret->motd, sizeof(ret->motd), motd))
		ret->motd[0] = '\0';
	return 0;
}

static int session_confirm(struct agent *a, struct db *db, const char *session_id,
	const struct wait *w, struct dial_reply *reply)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	struct db_number process = db_number(a->process_id);
	struct err e;
	int r = db_call(db, DB_CALL("select session.confirm($1, $2)", process.text, session_id), w,
		&rows, &e);

	if (r != 0)
		return refuse_for_now(db, reply, &e);
	if (db_rows(rows) != 1 || !db_bool(rows, 0, 0))
		return refuse(reply, DIAL_REFUSED, "the session was ended meanwhile");
	return 0;
}

// The keys, and what the login is shown: without the latter it is still a login.
static int home_attach(
	struct agent *a, const struct opened *opened, int *ret_fd, struct dial_reply *reply)
{
	const char *host_id = opened->host_id;
	_cleanup_(home_done) struct home home = HOME_INIT;
	struct keys_public keys;
	struct err e;

	if (home_open(&a->store, host_id, false, &home, &e) < 0 ||
		keys_read(home.dir_fd, home.etc_fd, &keys, &e) < 0 ||
		keys_client_memfd(home.dir_fd, ret_fd, &e) < 0) {
		log_error("a host's keys cannot be read", log_text("host", host_id), log_err(&e));
		return refuse(reply, DIAL_UNREACHABLE, "the host's keys cannot be read");
	}
	strcpy(reply->host_key, keys.ssh_host);
	if (home_write_motd(&home, opened->motd, &e) < 0)
		log_warning("a login is shown what is old", log_text("host", host_id), log_err(&e));
	return 0;
}

// A host's own root can make each connect take its whole time. He gets that once in SILENT_MS, so
// that the threads are there for the others.
static int connect_inside(struct agent *a, const char *host_id, uint16_t port, const struct wait *w,
	int *ret_fd, struct dial_reply *reply)
{
	struct wait brief = wait_at_most(w, CONNECT_MS);
	_cleanup_(closep) int ns_fd = -1;
	struct err e;

	if (hosts_is_silent(a->hosts, host_id))
		return refuse(reply, DIAL_BUSY, "the host does not answer: try again");
	if (hosts_namespace(a->hosts, host_id, &ns_fd, &e) < 0)
		return refuse(reply, DIAL_UNREACHABLE, "the host does not run");
	int r = netns_connect(ns_fd, port, &brief, ret_fd, &e);
	if (r == WAIT_TIMEOUT)
		hosts_silence(a->hosts, host_id, SILENT_MS);
	if (r == 0)
		return 0;
	if (port != DIAL_PORT_SSH || r == WAIT_CANCELED)
		return refuse(reply, DIAL_UNREACHABLE, e.message);
	ssh_note(a, host_id, e.message);
	_cleanup_(freep) char *sentence = xasprintf(
		"The host runs, but its own sshd does not answer (%.100s): if that lasts, rebuild it "
		"with mode keep, which keeps the home.",
		e.message);
	return refuse(reply, DIAL_UNREACHABLE, sentence);
}

static int answer(struct agent *a, struct db *db, const struct dial_request *request,
	int fds[DIAL_FD_COUNT], struct dial_reply *reply)
{
	struct wait w = wait_for(ANSWER_MS, pool_cancel_fd(a->dial_pool));
	struct opened opened;

	if (session_open(a, db, request, &w, &opened, reply) < 0)
		return -1;
	if (connect_inside(a, opened.host_id, (uint16_t)request->port, &w, &fds[DIAL_FD_SOCKET],
		    reply) < 0)
		return -1;
	if (home_attach(a, &opened, &fds[DIAL_FD_CLIENT_KEY], reply) < 0)
		return -1;
	return session_confirm(a, db, request->session_id, &w, reply);
}

// While its call waited.
static bool has_left(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static void call_run(struct pool_job *job, struct db *db)
{
	struct call *call = container_of(job, struct call, job);
	struct agent *a = call->agent;
	struct wait w = wait_for(REQUEST_MS, pool_cancel_fd(a->dial_pool));
	struct dial_request request;
	struct dial_reply reply = {.magic = DIAL_MAGIC, .outcome = DIAL_OK};
	int fds[DIAL_FD_COUNT] = {-1, -1};
	size_t count = 0;
	struct err e;
	int r = sock_recv(call->fd, &request, sizeof(request), NULL, 0, &count, &w, &e);

	if (r != 0 || has_left(call->fd))
		return;
	if (!dial_request_is_valid(&request))
		(void)refuse(
			&reply, DIAL_REFUSED, "the request is of another version or no request");
	else
		(void)answer(a, db, &request, fds, &reply);
	w = wait_for(REQUEST_MS, -1);
	if (sock_send(call->fd, &reply, sizeof(reply), fds,
		    reply.outcome == DIAL_OK ? DIAL_FD_COUNT : 0, &w, &e) != 0)
		log_info_often("a dialler left before its answer", log_err(&e));
	closep(&fds[DIAL_FD_SOCKET]);
	closep(&fds[DIAL_FD_CLIENT_KEY]);
}

static void call_done(struct pool_job *job)
{
	struct call *call = container_of(job, struct call, job);

	closep(&call->fd);
	free(call);
}

static bool caller_is_known(const struct dial *dial, int fd)
{
	struct sock_peer peer;
	struct err e;

	if (sock_peer(fd, &peer, &e) < 0)
		return false;
	for (size_t i = 0; i < CALLERS; i++) {
		if (peer.uid == dial->callers[i])
			return true;
	}
	log_warning_often("a caller may not dial", log_number("uid", peer.uid));
	return false;
}

static void busy_say(int fd)
{
	struct dial_reply reply = {.magic = DIAL_MAGIC};
	struct wait w = wait_for(0, -1);
	struct err e;

	(void)refuse(&reply, DIAL_BUSY, "too many connections at once: try again");
	(void)!sock_send(fd, &reply, sizeof(reply), NULL, 0, &w, &e);
}

static void on_caller(void *data, uint32_t events)
{
	struct dial *dial = data;

	(void)events;
	for (int i = 0; i < ACCEPT_MOST; i++) {
		_cleanup_(closep) int fd = -1;
		struct err e;

		if (sock_accept(dial->listener, &fd, &e) != 0)
			return;
		if (!caller_is_known(dial, fd))
			continue;
		struct call *call = xnew(struct call);
		*call = (struct call){.agent = dial->agent,
			.fd = fd,
			.job = {.run = call_run, .done = call_done}};
		if (pool_submit(dial->agent->dial_pool, &call->job) == 0) {
			fd = -1;
			continue;
		}
		busy_say(fd);
		free(call);
	}
}

int dial_new(struct agent *a, struct dial **ret, struct err *e)
{
	static const char *const names[CALLERS] = {"ccp-sshproxy", "ccp-api", "root"};
	_cleanup_(freep) char *path = xasprintf("%s/run/dial/dial.sock", a->state_dir);
	struct dial *dial = xnew(struct dial);

	dial->agent = a;
	for (size_t i = 0; i < CALLERS; i++) {
		struct proc_user user;

		if (proc_user_find(names[i], &user, e) < 0)
			goto fail;
		dial->callers[i] = user.uid;
	}
	// The directory's group keeps others from taking places in the queue; who calls, the kernel says.
	if (sock_listen_unix(path, SOCK_SEQPACKET, 0666, &dial->listener, e) < 0)
		goto fail;
	*ret = dial;
	return 0;
fail:
	free(dial);
	return err_wrap(e, "make the dial socket");
}

int dial_start(struct dial *dial, struct err *e)
{
	return loop_watch(
		dial->agent->loop, dial->listener, EPOLLIN, on_caller, dial, &dial->source, e);
}

void dial_free(struct dial *dial)
{
	if (!dial)
		return;
	loop_source_free(dial->source);
	closep(&dial->listener);
	free(dial);
}
