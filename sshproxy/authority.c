// SPDX-License-Identifier: Apache-2.0
// Children's questions, by a table of messages; their sessions' ends.
#include "sshproxy/authority.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/db.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/pool.h"
#include "lib/wait.h"
#include "sshproxy/asking.h"
#include "sshproxy/dialer.h"
#include "sshproxy/ledger.h"
#include "sshproxy/message.h"

enum { DB_QUEUE = 256, HASH_QUEUE = 64, DB_TIMEOUT_CALL_MS = 1500, STOP_MS = 3000 };

enum client_state {
	CLIENT_NEW, // has not logged in
	CLIENT_ASKING, // a question about credentials is under way
	CLIENT_IN, // logged in, has not dialled
	CLIENT_DIALLING,
	CLIENT_CONNECTED,
	CLIENT_GONE, // its child has ended; freed when nothing is under way
};

struct client {
	struct asking asking; // first: asking hands it back
	struct client *next, **prev;
	struct authority *authority;
	struct loop_source *source;
	struct dialer *dialer;
	enum client_state state;
	bool is_asking;
	bool was_judged; // by ssh.login, which writes and counts a failure itself
	bool said_bye;
	int fd;
	uint64_t serial;
	int64_t kill_at_ms; // 0: not told to end
	char address[MESSAGE_ADDRESS_SIZE];
	char name[NAME_SIZE]; // last tried
	char session_id[40]; // "" until logged in
	struct { // from the child's last word
		enum message_bye why;
		uint64_t up_bytes, down_bytes;
	} bye;
};

struct authority {
	struct authority_conf conf;
	struct asking_pools pools;
	struct ledger *ledger;
	struct loop_source *acceptor;
	struct client *clients;
};

// What the ends of a child mean: to ccp.sessions when it was logged in, to ccp.penalty_rules when
// not.
static const struct {
	const char *session_reason;
	const char *penalty; // NULL: none
} byes[MESSAGE_BYES] = {
	[MESSAGE_BYE_LEFT] = {"closed", NULL},
	[MESSAGE_BYE_HOST_GONE] = {"host_gone", NULL},
	[MESSAGE_BYE_UNREACHABLE] = {"unreachable", NULL},
	[MESSAGE_BYE_TOLD] = {"ended", NULL},
	[MESSAGE_BYE_NO_AUTH] = {"closed", "no_auth"},
	[MESSAGE_BYE_AUTH_FAILED] = {"closed", "auth_failed"}, // unless it was judged before
	[MESSAGE_BYE_GRACE] = {"closed", "grace"},
};

static void client_free(struct client *c)
{
	*c->prev = c->next;
	if (c->next)
		c->next->prev = c->prev;
	free(c);
}

static void session_over(struct client *c, const char *reason)
{
	log_info("session ended", log_text("session", c->session_id), log_text("reason", reason),
		log_number("bytes_up", (int64_t)c->bye.up_bytes),
		log_number("bytes_down", (int64_t)c->bye.down_bytes));
	ledger_session_ended(
		c->authority->ledger, c->session_id, reason, c->bye.up_bytes, c->bye.down_bytes);
	c->session_id[0] = '\0';
}

// The child has ended, or said what it may not: its end of the socketpair is closed in any case.
static void client_gone(struct client *c)
{
	bool is_excused =
		c->kill_at_ms != 0 || (c->was_judged && c->bye.why == MESSAGE_BYE_AUTH_FAILED);
	const char *penalty = is_excused ? NULL : byes[c->bye.why].penalty; // no last word: none
	if (c->state == CLIENT_GONE)
		return;
	loop_source_free(TAKE_PTR(c->source));
	closep(&c->fd);
	c->fd = -1;
	dialer_cancel(TAKE_PTR(c->dialer));
	if (c->session_id[0] != '\0')
		session_over(c, c->said_bye ? byes[c->bye.why].session_reason : "crashed");
	else if (penalty)
		ledger_abandoned(c->authority->ledger, c->address, c->name, penalty);
	c->state = CLIENT_GONE;
	if (!c->is_asking)
		client_free(c);
}

static void client_send(struct client *c, const struct message *m, const int *fds, size_t fds_count)
{
	struct err e;
	if (c->state == CLIENT_GONE || message_send(c->fd, m, fds, fds_count, &e) == 0)
		return;
	log_warning("a child does not listen", log_text("address", c->address), log_err(&e));
	c->said_bye = true; // the user may have closed the connection at this moment: no crash
	client_gone(c);
}

static struct message message_make(enum message_kind kind)
{
	struct message m;
	memset(&m, 0, sizeof(m)); // padding too: it is sent
	m.kind = kind;
	return m;
}

static void acceptor_tell(struct authority *a, enum message_kind kind, uint64_t serial)
{
	struct message m = message_make(kind);
	struct err e;
	m.peer.serial = serial;
	if (message_send(a->conf.acceptor_fd, &m, NULL, 0, &e) < 0)
		log_warning("the acceptor does not listen", log_err(&e));
}

static void client_end(struct client *c, const char *sentence)
{
	struct message m = message_make(MESSAGE_END);
	if (c->kill_at_ms != 0)
		return; // has been told
	m.answer.verdict = MESSAGE_REFUSED;
	(void)!text_copy(m.answer.sentence, sizeof(m.answer.sentence), sentence);
	c->kill_at_ms = wait_now_ms() + AUTHORITY_KILL_MS;
	client_send(c, &m, NULL, 0);
}

// The name may be a password that was typed into the wrong field, until it has let somebody in.
static void login_log(const struct client *c)
{
	static const char *const words[] = {[MESSAGE_YES] = "login",
		[MESSAGE_NO] = "login denied",
		[MESSAGE_REFUSED] = "login refused"};
	if (c->asking.kind != MESSAGE_KEY_OFFER || c->asking.verdict == MESSAGE_REFUSED)
		log_info(words[c->asking.verdict], log_text("address", c->address),
			log_text("host", c->asking.verdict == MESSAGE_YES ? c->name : "-"),
			log_text("method", c->asking.kind == MESSAGE_PASSWORD ? "password" : "key"),
			log_text("session", c->asking.session_id));
}

static void on_asked(struct asking *asking)
{
	struct client *c = container_of(asking, struct client, asking);
	struct message m = message_make(MESSAGE_ANSWER);
	c->is_asking = false;
	login_log(c);
	memcpy(c->session_id, asking->session_id, sizeof(c->session_id));
	if (c->state == CLIENT_GONE) { // hung up while we asked
		if (c->session_id[0] != '\0')
			session_over(c, "closed");
		client_free(c);
		return;
	}
	c->state = c->session_id[0] != '\0' ? CLIENT_IN : CLIENT_NEW;
	if (c->state == CLIENT_IN)
		acceptor_tell(c->authority, MESSAGE_SETTLED, c->serial);
	m.answer.verdict = asking->verdict;
	memcpy(m.answer.sentence, asking->sentence, sizeof(m.answer.sentence));
	client_send(c, &m, NULL, 0);
}

static void handle_credentials(struct client *c, const struct message *m)
{
	const char *name = m->kind == MESSAGE_PASSWORD ? m->login.name : m->key.name;
	(void)!text_copy(c->name, sizeof(c->name), name);
	c->was_judged |= m->kind != MESSAGE_KEY_OFFER;
	c->state = CLIENT_ASKING;
	c->is_asking = true;
	asking_begin(&c->asking, &c->authority->pools, c->address, m, on_asked);
}

static void on_dialled(void *data, const struct dial_reply *reply, int fds[static DIAL_FD_COUNT])
{
	struct client *c = data;
	struct message m = message_make(MESSAGE_DIALLED);
	c->dialer = NULL;
	bool done = reply && reply->outcome == DIAL_OK;
	m.dialled.verdict = done ? MESSAGE_YES : MESSAGE_REFUSED;
	c->state = done ? CLIENT_CONNECTED : CLIENT_IN;
	const char *sentence =
		!reply ? "The host's machine does not answer: try again." : reply->sentence;
	(void)!text_copy(m.dialled.sentence, sizeof(m.dialled.sentence), sentence);
	if (done)
		(void)!text_copy(m.dialled.host_key, sizeof(m.dialled.host_key), reply->host_key);
	else
		log_warning("a host was not reached", log_text("host", c->name),
			log_text("session", c->session_id), log_text("reason", sentence));
	client_send(c, &m, fds, done ? DIAL_FD_COUNT : 0);
	for (size_t i = 0; done && i < DIAL_FD_COUNT; i++)
		close(fds[i]);
}

static void handle_dial(struct client *c, const struct message *m)
{
	struct authority *a = c->authority;
	struct err e;
	(void)m;
	c->state = CLIENT_DIALLING;
	if (dialer_start(a->conf.loop, a->conf.dial_path, c->session_id, on_dialled, c, &c->dialer,
		    &e) < 0) {
		log_warning("the agent cannot be called", log_err(&e));
		on_dialled(c, NULL, (int[DIAL_FD_COUNT]){-1, -1});
	}
}

static void handle_bye(struct client *c, const struct message *m)
{
	c->said_bye = true;
	c->bye.why = (enum message_bye)m->bye.why;
	c->bye.up_bytes = m->bye.up_bytes;
	c->bye.down_bytes = m->bye.down_bytes;
}

#define IN(state) (1U << (state))
#define ANY (~0U)

// What a child may ask in which state; anything else ends it.
static const struct {
	unsigned states;
	void (*handle)(struct client *c, const struct message *m);
} handlers[MESSAGE_KINDS] = {
	[MESSAGE_PASSWORD] = {IN(CLIENT_NEW), handle_credentials},
	[MESSAGE_KEY_OFFER] = {IN(CLIENT_NEW), handle_credentials},
	[MESSAGE_KEY_LOGIN] = {IN(CLIENT_NEW), handle_credentials},
	[MESSAGE_DIAL] = {IN(CLIENT_IN), handle_dial},
	[MESSAGE_BYE] = {ANY, handle_bye},
};

static void on_client(void *data, uint32_t events)
{
	struct client *c = data;
	struct wait now = wait_for(0, -1);
	struct message m;
	int fds[MESSAGE_FDS_MAX];
	struct err e;
	(void)events;
	int r = message_receive(c->fd, MESSAGE_FROM_CHILD, &now, &m, fds, &e);
	if (r == MESSAGE_NONE)
		return;
	if (r == MESSAGE_CLOSED) {
		client_gone(c);
		return;
	}
	if (r < 0 || (handlers[m.kind].states & IN(c->state)) == 0) {
		log_warning("a child asked what it may not", log_text("address", c->address));
		acceptor_tell(c->authority, MESSAGE_KILL, c->serial);
		client_gone(c);
		return;
	}
	handlers[m.kind].handle(c, &m);
	mem_wipe(&m, sizeof(m));
}

static void client_new(struct authority *a, const struct message *m, int fd)
{
	struct client *c = xnew(struct client);
	struct err e;
	c->authority = a;
	c->fd = fd;
	c->serial = m->peer.serial;
	memcpy(c->address, m->peer.address, sizeof(c->address));
	memcpy(c->name, "-", sizeof("-"));
	c->next = a->clients;
	c->prev = &a->clients;
	if (c->next)
		c->next->prev = &c->next;
	a->clients = c;
	if (loop_watch(a->conf.loop, fd, EPOLLIN, on_client, c, &c->source, &e) < 0) {
		log_warning("a child cannot be heard", log_err(&e));
		c->said_bye = true;
		client_gone(c);
	}
}

static void on_acceptor(void *data, uint32_t events)
{
	struct authority *a = data;
	struct wait now = wait_for(0, -1);
	struct message m;
	int fds[MESSAGE_FDS_MAX];
	struct err e;
	(void)events;
	int r = message_receive(a->conf.acceptor_fd, MESSAGE_FROM_ACCEPTOR, &now, &m, fds, &e);
	if (r == MESSAGE_NONE)
		return;
	if (r == MESSAGE_CLOSED) {
		log_info("the acceptor has ended");
		loop_stop(a->conf.loop, EXIT_SUCCESS);
	} else if (r != 0) { // without the descriptor, when we have no room for it: its child ends
		log_warning("a connection was not taken over", log_err(&e));
	} else if (m.kind == MESSAGE_CRASHED) {
		ledger_abandoned(a->ledger, m.peer.address, "-", "crash");
	} else {
		client_new(a, &m, fds[0]);
	}
}

static char *sessions_list(void *data)
{
	const struct authority *a = data;
	size_t count = 0;
	for (const struct client *c = a->clients; c; c = c->next)
		count += c->session_id[0] != '\0';
	struct str list = STR_INIT(count * sizeof(a->clients->session_id) + 3);
	str_add(&list, "{");
	for (const struct client *c = a->clients; c; c = c->next)
		if (c->session_id[0] != '\0')
			str_addf(&list, "%s%s", list.len == 1 ? "" : ",", c->session_id);
	str_add(&list, "}");
	return str_take(&list);
}

static void on_session_end(void *data, const char *session_id, const char *sentence)
{
	struct authority *a = data;
	struct client *next;
	for (struct client *c = a->clients; c; c = next) {
		next = c->next;
		if (strcmp(c->session_id, session_id) == 0)
			client_end(c, sentence);
	}
}

static void *context_new(void *data, unsigned index)
{
	const struct authority *a = data;
	char name[32];
	snprintf(name, sizeof(name), "ccp-sshproxy/%u", index);
	return db_new(&(struct db_conf){
		.conninfo = a->conf.database, .name = name, .timeout_ms = DB_TIMEOUT_CALL_MS});
}

static void context_free(void *context)
{
	db_free(context);
}

static int pools_make(struct authority *a, struct err *e)
{
	const struct pool_conf db = {.name = "db",
		.threads = AUTHORITY_DB_THREADS,
		.queue = DB_QUEUE,
		.loop = a->conf.loop,
		.context_new = context_new,
		.context_free = context_free,
		.data = a};
	const struct pool_conf hash = {.name = "hash",
		.threads = AUTHORITY_HASH_THREADS,
		.queue = HASH_QUEUE,
		.loop = a->conf.loop};
	if (pool_new(&db, &a->pools.db, e) < 0)
		return -1;
	return pool_new(&hash, &a->pools.hash, e);
}

int authority_new(const struct authority_conf *conf, struct authority **ret, struct err *e)
{
	struct authority *a = xnew(struct authority);
	a->conf = *conf;
	if (pools_make(a, e) < 0 || loop_watch(conf->loop, conf->acceptor_fd, EPOLLIN, on_acceptor,
					    a, &a->acceptor, e) < 0)
		return -1; // the program ends: nothing is worth freeing
	a->ledger = ledger_new(&(struct ledger_conf){.pool = a->pools.db,
		.host_key = conf->host_key,
		.sessions = sessions_list,
		.end = on_session_end,
		.data = a});
	*ret = a;
	return 0;
}

void authority_registered(struct authority *a, int64_t process_id)
{
	a->pools.process_id = process_id;
	ledger_registered(a->ledger, process_id);
}

void authority_scan(struct authority *a)
{
	int64_t now_ms = wait_now_ms();
	ledger_scan(a->ledger);
	for (struct client *c = a->clients; c; c = c->next)
		if (c->kill_at_ms != 0 && c->kill_at_ms <= now_ms) {
			c->kill_at_ms = now_ms + AUTHORITY_KILL_MS;
			acceptor_tell(a, MESSAGE_KILL, c->serial);
		}
}

void authority_doorbell(struct authority *a)
{
	ledger_check(a->ledger);
}

int authority_stop(struct authority *a)
{
	struct client *next;
	for (struct client *c = a->clients; c; c = next) {
		next = c->next;
		client_end(c, "The ssh proxy is restarting: connect again.");
	}
	int r = pool_stop(a->pools.hash, STOP_MS);
	if (r == 0)
		r = pool_stop(a->pools.db, STOP_MS);
	return r;
}
