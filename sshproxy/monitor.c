// SPDX-License-Identifier: Apache-2.0
// Monitor: answers the children's questions and records the end of their sessions.
#include "sshproxy/monitor.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/db.h"
#include "lib/dialer.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/metric.h"
#include "lib/pool.h"
#include "lib/wait.h"
#include "sshproxy/auth_query.h"
#include "sshproxy/message.h"
#include "sshproxy/session_reports.h"

enum { DB_QUEUE = 256, HASH_QUEUE = 64, DB_TIMEOUT_CALL_MS = 1500, STOP_MS = 3000 };

enum client_state {
	CLIENT_NEW, // has not logged in
	CLIENT_QUERYING, // a question about credentials is under way
	CLIENT_IN, // logged in, has not dialled
	CLIENT_DIALLING,
	CLIENT_CONNECTED,
	CLIENT_GONE, // its child has ended; freed when nothing is under way
};

struct client {
	struct auth_query query; // its `done` finds the client
	struct client *next, **prev;
	struct monitor *monitor;
	struct loop_source *source;
	struct dialer *dialer;
	enum client_state state;
	bool query_is_running;
	bool failure_is_counted; // by ssh.login, which writes it down itself
	bool close_received;
	int fd;
	uint64_t serial;
	int64_t kill_at_ms; // 0: not ordered to end
	int64_t moved_ms; // when it logged in, or last said that bytes have moved
	char address[MESSAGE_ADDRESS_SIZE];
	char name[NAME_SIZE]; // last tried
	char session_id[40]; // "" until logged in
	struct { // from MESSAGE_CLOSE
		enum message_close_reason reason;
		uint64_t up_bytes, down_bytes;
	} close;
};

struct monitor {
	struct monitor_conf conf;
	struct auth_query_pools pools;
	struct session_reports *reports;
	struct loop_source *listener;
	struct client *clients;
};

// What the ends of a child mean: to ccp.sessions when it was logged in, to ccp.penalty_rules when
// not.
static const struct {
	const char *session_reason;
	const char *penalty; // NULL: none
} close_reasons[MESSAGE_CLOSE_REASONS] = {
	[MESSAGE_CLOSE_LEFT] = {"closed", NULL},
	[MESSAGE_CLOSE_HOST_GONE] = {"host_gone", NULL},
	[MESSAGE_CLOSE_UNREACHABLE] = {"unreachable", NULL},
	[MESSAGE_CLOSE_HOST_REFUSED] = {"host_refused", NULL},
	[MESSAGE_CLOSE_ORDERED] = {"ended", NULL},
	[MESSAGE_CLOSE_NO_AUTH] = {"closed", "no_auth"},
	[MESSAGE_CLOSE_AUTH_FAILED] = {"closed", "auth_failed"}, // unless it was counted before
	[MESSAGE_CLOSE_GRACE] = {"closed", "grace"},
};

static const struct metric connections = {"ccp_ssh_connections_total", METRIC_COUNTER, {0}};
static const struct metric sessions = {"ccp_ssh_sessions_ended_total", METRIC_COUNTER, {"reason"}};
static const struct metric bytes = {"ccp_ssh_bytes_total", METRIC_COUNTER, {"direction"}};

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
		log_number("bytes_up", (int64_t)c->close.up_bytes),
		log_number("bytes_down", (int64_t)c->close.down_bytes));
	metric_add(&sessions, 1, METRIC_VALUES(reason));
	metric_add(&bytes, (double)c->close.up_bytes, METRIC_VALUES("up"));
	metric_add(&bytes, (double)c->close.down_bytes, METRIC_VALUES("down"));
	session_reports_add_ended(
		c->monitor->reports, c->session_id, reason, c->close.up_bytes, c->close.down_bytes);
	c->session_id[0] = '\0';
}

// The child has ended, or said what it may not: its end of the socketpair is closed in any case.
static void client_gone(struct client *c)
{
	bool is_excused = c->kill_at_ms != 0 ||
			  (c->failure_is_counted && c->close.reason == MESSAGE_CLOSE_AUTH_FAILED);
	const char *penalty =
		is_excused ? NULL
			   : close_reasons[c->close.reason].penalty; // none without MESSAGE_CLOSE
	if (c->state == CLIENT_GONE)
		return;
	loop_source_free(TAKE_PTR(c->source));
	closep(&c->fd);
	c->fd = -1;
	dialer_cancel(TAKE_PTR(c->dialer));
	if (c->session_id[0] != '\0')
		session_over(c, c->close_received ? close_reasons[c->close.reason].session_reason
						  : "crashed");
	else if (penalty)
		session_reports_add_abandoned(c->monitor->reports, c->address, c->name, penalty);
	c->state = CLIENT_GONE;
	if (!c->query_is_running)
		client_free(c);
}

static void client_send(struct client *c, const struct message *m, const int *fds, size_t fds_count)
{
	struct err e;
	if (c->state == CLIENT_GONE || message_send(c->fd, m, fds, fds_count, &e) == 0)
		return;
	log_warning("a child does not listen", log_text("address", c->address), log_err(&e));
	c->close_received = true; // the user may just have closed the connection: not a crash
	client_gone(c);
}

static void listener_tell(struct monitor *monitor, enum message_kind kind, uint64_t serial)
{
	struct message m = message_new(kind);
	struct err e;
	m.peer.serial = serial;
	if (message_send(monitor->conf.listener_fd, &m, NULL, 0, &e) < 0)
		log_warning("the listener does not listen", log_err(&e));
}

static void client_end(struct client *c, const char *sentence)
{
	struct message m = message_new(MESSAGE_END);
	if (c->kill_at_ms != 0)
		return; // ordered before
	m.answer.verdict = MESSAGE_REFUSED;
	(void)!text_copy(m.answer.sentence, sizeof(m.answer.sentence), sentence);
	c->kill_at_ms = wait_now_ms() + MONITOR_KILL_MS;
	client_send(c, &m, NULL, 0);
}

// The name may be a password that was typed into the wrong field, until it has let a user in.
static void login_log(const struct client *c)
{
	static const char *const words[] = {[MESSAGE_YES] = "login",
		[MESSAGE_NO] = "login denied",
		[MESSAGE_REFUSED] = "login refused"};
	if (c->query.kind != MESSAGE_KEY_OFFER || c->query.verdict == MESSAGE_REFUSED)
		log_info_often(words[c->query.verdict], log_text("address", c->address),
			log_text("host", c->query.verdict == MESSAGE_YES ? c->name : "-"),
			log_text("method", c->query.kind == MESSAGE_PASSWORD ? "password" : "key"),
			log_text("session", c->query.session_id));
}

static void on_asked(struct auth_query *query)
{
	struct client *c = container_of(query, struct client, query);
	struct message m = message_new(MESSAGE_ANSWER);
	c->query_is_running = false;
	login_log(c);
	memcpy(c->session_id, query->session_id, sizeof(c->session_id));
	if (c->state == CLIENT_GONE) { // hung up while we asked
		if (c->session_id[0] != '\0')
			session_over(c, "closed");
		client_free(c);
		return;
	}
	c->state = c->session_id[0] != '\0' ? CLIENT_IN : CLIENT_NEW;
	c->moved_ms = wait_now_ms();
	if (c->state == CLIENT_IN)
		listener_tell(c->monitor, MESSAGE_AUTHENTICATED, c->serial);
	m.answer.verdict = query->verdict;
	memcpy(m.answer.sentence, query->sentence, sizeof(m.answer.sentence));
	client_send(c, &m, NULL, 0);
}

static void handle_credentials(struct client *c, const struct message *m)
{
	const char *name = m->kind == MESSAGE_PASSWORD ? m->login.name : m->key.name;
	(void)!text_copy(c->name, sizeof(c->name), name);
	c->failure_is_counted |= m->kind != MESSAGE_KEY_OFFER;
	c->state = CLIENT_QUERYING;
	c->query_is_running = true;
	auth_query_start(&c->query, &c->monitor->pools, c->address, m, on_asked);
}

static void on_dialled(void *data, const struct dial_reply *reply, int fds[static DIAL_FD_COUNT])
{
	struct client *c = data;
	struct message m = message_new(MESSAGE_DIALLED);
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
	struct monitor *monitor = c->monitor;
	struct err e;
	(void)m;
	c->state = CLIENT_DIALLING;
	if (dialer_start(monitor->conf.loop, monitor->conf.dial_path, c->session_id, on_dialled, c,
		    &c->dialer, &e) < 0) {
		log_warning("the agent cannot be called", log_err(&e));
		on_dialled(c, NULL, (int[DIAL_FD_COUNT]){-1, -1});
	}
}

static void handle_traffic(struct client *c, const struct message *m)
{
	(void)m;
	c->moved_ms = wait_now_ms();
}

static void handle_close(struct client *c, const struct message *m)
{
	c->close_received = true;
	c->close.reason = (enum message_close_reason)m->close.reason;
	c->close.up_bytes = m->close.up_bytes;
	c->close.down_bytes = m->close.down_bytes;
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
	[MESSAGE_TRAFFIC] = {IN(CLIENT_CONNECTED), handle_traffic},
	[MESSAGE_CLOSE] = {ANY, handle_close},
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
		log_warning_often("a child asked what it may not", log_text("address", c->address));
		listener_tell(c->monitor, MESSAGE_KILL, c->serial);
		client_gone(c);
		return;
	}
	handlers[m.kind].handle(c, &m);
	mem_wipe(&m, sizeof(m));
}

static void client_new(struct monitor *monitor, const struct message *m, int fd)
{
	struct client *c = xnew(struct client);
	struct err e;
	c->monitor = monitor;
	c->fd = fd;
	c->serial = m->peer.serial;
	memcpy(c->address, m->peer.address, sizeof(c->address));
	memcpy(c->name, "-", sizeof("-"));
	c->next = monitor->clients;
	c->prev = &monitor->clients;
	if (c->next)
		c->next->prev = &c->next;
	monitor->clients = c;
	if (loop_watch(monitor->conf.loop, fd, EPOLLIN, on_client, c, &c->source, &e) < 0) {
		log_warning("a child cannot be heard", log_err(&e));
		c->close_received = true;
		client_gone(c);
	}
}

static void on_listener(void *data, uint32_t events)
{
	struct monitor *monitor = data;
	struct wait now = wait_for(0, -1);
	struct message m;
	int fds[MESSAGE_FDS_MAX];
	struct err e;
	(void)events;
	int r = message_receive(
		monitor->conf.listener_fd, MESSAGE_FROM_LISTENER, &now, &m, fds, &e);
	if (r == MESSAGE_NONE)
		return;
	if (r == MESSAGE_CLOSED) {
		log_info("the listener has ended");
		loop_stop(monitor->conf.loop, EXIT_SUCCESS);
	} else if (r != 0) { // without the descriptor, when we have no room for it: its child ends
		log_warning("a connection was not taken over", log_err(&e));
	} else if (m.kind == MESSAGE_CRASHED) {
		session_reports_add_abandoned(monitor->reports, m.peer.address, "-", "crash");
	} else {
		metric_add(&connections, 1, METRIC_VALUES(0));
		client_new(monitor, &m, fds[0]);
	}
}

static void sessions_list(void *data, char **ret_ids, char **ret_silent_s)
{
	const struct monitor *monitor = data;
	int64_t now_ms = wait_now_ms();
	size_t count = 0;
	for (const struct client *c = monitor->clients; c; c = c->next)
		count += c->session_id[0] != '\0';
	struct str ids = STR_INIT(count * sizeof(monitor->clients->session_id) + 3);
	struct str silent_s = STR_INIT(count * sizeof("9223372036854775807,") + 3);
	for (const struct client *c = monitor->clients; c; c = c->next) {
		if (c->session_id[0] == '\0')
			continue;
		const char *before = ids.len == 0 ? "{" : ",";
		str_addf(&ids, "%s%s", before, c->session_id);
		str_addf(&silent_s, "%s%" PRId64, before, (now_ms - c->moved_ms) / 1000);
	}
	str_add(&ids, ids.len == 0 ? "{}" : "}");
	str_add(&silent_s, silent_s.len == 0 ? "{}" : "}");
	*ret_ids = str_take(&ids);
	*ret_silent_s = str_take(&silent_s);
}

static void on_session_say(void *data, const char *session_id, const char *sentence)
{
	struct monitor *monitor = data;
	struct message m = message_new(MESSAGE_SAY);
	struct client *next;
	(void)!text_copy(m.answer.sentence, sizeof(m.answer.sentence), sentence);
	for (struct client *c = monitor->clients; c; c = next) {
		next = c->next;
		if (strcmp(c->session_id, session_id) == 0)
			client_send(c, &m, NULL, 0);
	}
}

static void on_session_end(void *data, const char *session_id, const char *sentence)
{
	struct monitor *monitor = data;
	struct client *next;
	for (struct client *c = monitor->clients; c; c = next) {
		next = c->next;
		if (strcmp(c->session_id, session_id) == 0)
			client_end(c, sentence);
	}
}

static int pools_make(struct monitor *monitor, struct err *e)
{
	const struct pool_conf db = {.name = "db",
		.threads = MONITOR_DB_THREADS,
		.queue = DB_QUEUE,
		.loop = monitor->conf.loop,
		.db = {.conninfo = monitor->conf.database,
			.name = "ccp-sshproxy",
			.timeout_ms = DB_TIMEOUT_CALL_MS}};
	const struct pool_conf hash = {.name = "hash",
		.threads = MONITOR_HASH_THREADS,
		.queue = HASH_QUEUE,
		.loop = monitor->conf.loop};
	if (pool_new(&db, &monitor->pools.db, e) < 0)
		return -1;
	return pool_new(&hash, &monitor->pools.hash, e);
}

int monitor_new(const struct monitor_conf *conf, struct monitor **ret, struct err *e)
{
	struct monitor *monitor = xnew(struct monitor);
	monitor->conf = *conf;
	if (pools_make(monitor, e) < 0 || loop_watch(conf->loop, conf->listener_fd, EPOLLIN,
						  on_listener, monitor, &monitor->listener, e) < 0)
		return -1; // the program ends: nothing is worth freeing
	monitor->reports =
		session_reports_new(&(struct session_reports_conf){.pool = monitor->pools.db,
			.host_key = conf->host_key,
			.sessions = sessions_list,
			.say = on_session_say,
			.end = on_session_end,
			.data = monitor});
	*ret = monitor;
	return 0;
}

void monitor_registered(struct monitor *monitor, int64_t process_id)
{
	monitor->pools.process_id = process_id;
	session_reports_registered(monitor->reports, process_id);
}

void monitor_scan(struct monitor *monitor)
{
	int64_t now_ms = wait_now_ms();
	session_reports_scan(monitor->reports);
	for (struct client *c = monitor->clients; c; c = c->next)
		if (c->kill_at_ms != 0 && c->kill_at_ms <= now_ms) {
			c->kill_at_ms = now_ms + MONITOR_KILL_MS;
			listener_tell(monitor, MESSAGE_KILL, c->serial);
		}
}

void monitor_doorbell(struct monitor *monitor)
{
	session_reports_check(monitor->reports);
}

int monitor_stop(struct monitor *monitor)
{
	struct client *next;
	for (struct client *c = monitor->clients; c; c = next) {
		next = c->next;
		client_end(c, "The ssh proxy is restarting: connect again.");
	}
	int r = pool_stop(monitor->pools.hash, STOP_MS);
	if (r == 0)
		r = pool_stop(monitor->pools.db, STOP_MS);
	return r;
}
