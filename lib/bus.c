// SPDX-License-Identifier: Apache-2.0
// The listening connection as a state machine on the loop.
#include "lib/bus.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "lib/db.h"
#include "lib/err.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/wait.h"

enum { UNREGISTER_TIMEOUT_MS = 1000, LISTEN_SQL_MAX = 1024 };

// What the connection is busy with. Everything but AWAY and IDLE ends by the timer `deadline`.
enum phase { AWAY, CONNECTING, REGISTER, LISTEN, BEAT, IDLE };

struct bus {
	struct bus_conf conf; // its texts are ours
	enum phase phase;
	bool listening;
	bool beat_wanted; // as soon as the present statement is answered
	PGconn *conn;
	PGresult *answer; // of the present statement, until libpq says it was the last
	struct loop_source *watch;
	struct loop_source *deadline; // of the present phase; in AWAY: the next try
	struct loop_source *scan_timer;
	struct loop_source *beat_timer;
	int pause_ms; // 0: the last connection got as far as listening
	bool unsent; // of the present statement a part waits until the socket takes more
	int64_t beat_sent_ms;
	int64_t samples_sent_ms; // 0: never on this connection
	_Atomic int64_t beat_answered_ms; // when the last answered beat was sent; 0: never
	bool registered;
	struct bus_identity identity;
};

// Closes the connection and tries again after a pause. Only the first failure of a row is reported.
static void bus_lost(struct bus *bus, const struct err *e)
{
	bool first = bus->pause_ms == 0;

	loop_source_free(TAKE_PTR(bus->watch));
	PQclear(TAKE_PTR(bus->answer));
	PQfinish(TAKE_PTR(bus->conn));
	bus->listening = false;
	bus->beat_wanted = false;
	bus->unsent = false;
	bus->samples_sent_ms = 0;
	bus->phase = AWAY;
	loop_timer_clear(bus->scan_timer);
	loop_timer_clear(bus->beat_timer);
	bus->pause_ms = bus->pause_ms ? bus->pause_ms * 2 : DB_PAUSE_MIN_MS;
	if (bus->pause_ms > DB_PAUSE_MAX_MS)
		bus->pause_ms = DB_PAUSE_MAX_MS;
	loop_timer_set(bus->deadline, bus->pause_ms, 0);
	if (first && bus->conf.hooks.state)
		bus->conf.hooks.state(bus->conf.data, BUS_LOST, e);
}

static bool send_register(struct bus *bus)
{
	struct db_number pid = db_number(getpid());
	const char *const params[] = {
		bus->conf.program, bus->conf.node, pid.text, bus->conf.version};

	return PQsendQueryParams(bus->conn,
		"select process_id, node_id, queue, cluster from process.register($1, $2, $3, $4)",
		ARRAY_SIZE(params), NULL, params, NULL, NULL, 0);
}

static int take_register(struct bus *bus, const PGresult *rows, struct err *e)
{
	if (db_rows(rows) != 1)
		return err_say(e, EPROTO, "process.register answered %d rows", db_rows(rows));
	struct bus_identity *identity = &bus->identity;
	const char *queue = db_text(rows, 0, 2), *cluster = db_text(rows, 0, 3);
	identity->process_id = db_int(rows, 0, 0);
	identity->node_id = db_int(rows, 0, 1);
	if (!text_copy(identity->queue, sizeof(identity->queue), queue ? queue : "") ||
		!text_copy(identity->cluster, sizeof(identity->cluster), cluster ? cluster : ""))
		return err_say(e, EPROTO, "process.register answered too long a name");
	bus->registered = true;
	bus->beat_answered_ms = wait_now_ms();
	if (bus->conf.hooks.registered)
		bus->conf.hooks.registered(bus->conf.data, identity);
	return 0;
}

static void add_listen(struct str *sql, PGconn *conn, const char *channel)
{
	char *quoted = PQescapeIdentifier(conn, channel, strlen(channel));

	if (quoted)
		str_addf(sql, "listen %s;", quoted);
	PQfreemem(quoted);
}

static bool send_listen(struct bus *bus)
{
	_cleanup_(str_done) struct str sql = STR_INIT(LISTEN_SQL_MAX);

	if (bus->identity.queue[0])
		add_listen(&sql, bus->conn, bus->identity.queue);
	for (int i = 0; i < BUS_CHANNELS_MAX && bus->conf.channels[i]; i++)
		add_listen(&sql, bus->conn, bus->conf.channels[i]);
	return !sql.overflow && PQsendQuery(bus->conn, str_text(&sql));
}

static int take_listen(struct bus *bus, const PGresult *rows, struct err *e)
{
	(void)rows;
	(void)e;
	bus->listening = true;
	bus->pause_ms = 0;
	loop_timer_set(bus->scan_timer, BUS_SCAN_MS, BUS_SCAN_MS);
	loop_timer_set(bus->beat_timer, BUS_BEAT_MS, BUS_BEAT_MS);
	if (bus->conf.hooks.state)
		bus->conf.hooks.state(bus->conf.data, BUS_UP, NULL);
	if (bus->conf.hooks.scan)
		bus->conf.hooks.scan(bus->conf.data);
	return 0;
}

// NULL: not with this beat.
static char *samples_due(struct bus *bus)
{
	if (!bus->conf.hooks.samples || bus->beat_sent_ms - bus->samples_sent_ms < BUS_SAMPLES_MS)
		return NULL;
	bus->samples_sent_ms = bus->beat_sent_ms;
	return bus->conf.hooks.samples(bus->conf.data);
}

static bool send_beat(struct bus *bus)
{
	int64_t leases[BUS_LEASES_MAX];
	size_t count = 0;

	bus->beat_wanted = false;
	bus->beat_sent_ms = wait_now_ms();
	if (bus->conf.hooks.leases)
		count = bus->conf.hooks.leases(bus->conf.data, leases, BUS_LEASES_MAX);
	struct db_number process = db_number(bus->identity.process_id);
	_cleanup_(freep) char *list = db_int_array_text(leases, count);
	_cleanup_(freep) char *samples = samples_due(bus);
	const char *const params[] = {process.text, list, samples};
	return PQsendQueryParams(bus->conn,
		"select alive, drop_leases, stop_leases, health from process.beat($1, $2, $3)",
		ARRAY_SIZE(params), NULL, params, NULL, NULL, 0);
}

// A process that PostgreSQL does not know (any more) gets no row: it is as dead as one that was
// declared so.
static int take_beat(struct bus *bus, const PGresult *rows, struct err *e)
{
	_cleanup_(freep) int64_t *drop = NULL, *stop = NULL;
	struct bus_beat beat = {.alive = db_rows(rows) == 1 && db_bool(rows, 0, 0), .health = "{}"};

	(void)e;
	if (db_rows(rows) == 1) {
		beat.drop_count = db_int_array(rows, 0, 1, &drop);
		beat.stop_count = db_int_array(rows, 0, 2, &stop);
		const char *health = db_text(rows, 0, 3);
		beat.health = health ? health : "{}";
	}
	beat.drop = drop;
	beat.stop = stop;
	bus->beat_answered_ms = bus->beat_sent_ms;
	if (bus->conf.hooks.beat)
		bus->conf.hooks.beat(bus->conf.data, &beat);
	return 0;
}

// A phase that is a statement: how to send it, what to do with its answer, what follows.
static const struct {
	bool (*send)(struct bus *bus);
	int (*take)(struct bus *bus, const PGresult *rows, struct err *e);
	enum phase next;
} statements[] = {
	[REGISTER] = {send_register, take_register, LISTEN},
	[LISTEN] = {send_listen, take_listen, BEAT},
	[BEAT] = {send_beat, take_beat, IDLE},
	[IDLE] = {NULL, NULL, IDLE},
};

// Gives the socket what it takes of the present statement; the rest follows when it takes more.
static int flush(struct bus *bus, struct err *e)
{
	int left = PQflush(bus->conn);

	if (left < 0)
		return db_error(bus->conn, NULL, e);
	if (bus->unsent == (left > 0))
		return 0;
	bus->unsent = left > 0;
	return loop_watch_events(bus->watch, bus->unsent ? EPOLLIN | EPOLLOUT : EPOLLIN, e);
}

static void start_phase(struct bus *bus, enum phase phase)
{
	struct err e;

	if (phase == IDLE && bus->beat_wanted)
		phase = BEAT;
	bus->phase = phase;
	if (phase == IDLE) {
		loop_timer_clear(bus->deadline);
		return;
	}
	loop_timer_set(bus->deadline, BUS_TIMEOUT_MS, 0);
	int r = statements[phase].send(bus) ? flush(bus, &e) : db_error(bus->conn, NULL, &e);
	if (r < 0)
		bus_lost(bus, &e);
}

// Collects what the server answered to the present statement; when that was all, goes on to the
// next phase.
static void take_answers(struct bus *bus)
{
	struct err e;

	while (bus->phase != IDLE && !PQisBusy(bus->conn)) {
		PGresult *next = PQgetResult(bus->conn);
		if (next) {
			PQclear(bus->answer);
			bus->answer = next;
			continue;
		}
		_cleanup_(db_result_freep) PGresult *answer = TAKE_PTR(bus->answer);
		enum phase phase = bus->phase, following = statements[phase].next;
		ExecStatusType status = PQresultStatus(answer);
		int r = 0;
		if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
			r = db_error(bus->conn, answer, &e);
		if (r < 0 && err_retry(&e) == ERR_RETRY_AGAIN) {
			following = phase;
			r = 0;
		} else if (r == 0) {
			r = statements[phase].take(bus, answer, &e);
		}
		if (r < 0) {
			bus_lost(bus, &e);
			return;
		}
		start_phase(bus, following);
		if (bus->phase == AWAY)
			return;
	}
}

// Tells each channel that rang once, however often it did.
static void take_doorbells(struct bus *bus)
{
	const char *channels[BUS_CHANNELS_MAX + 2] = {bus->identity.queue};
	bool rang[BUS_CHANNELS_MAX + 2] = {false};

	memcpy(channels + 1, bus->conf.channels, sizeof(bus->conf.channels));
	for (PGnotify *notify; (notify = PQnotifies(bus->conn)); PQfreemem(notify))
		for (size_t i = 0; i < ARRAY_SIZE(channels) && channels[i]; i++)
			rang[i] |= strcmp(notify->relname, channels[i]) == 0;
	for (size_t i = 0; i < ARRAY_SIZE(channels) && channels[i]; i++)
		if (rang[i] && bus->conf.hooks.doorbell)
			bus->conf.hooks.doorbell(bus->conf.data, channels[i]);
}

static void drive_statement(struct bus *bus)
{
	struct err e;

	int r = PQconsumeInput(bus->conn) ? 0 : db_error(bus->conn, NULL, &e);
	if (r == 0 && bus->unsent)
		r = flush(bus, &e);
	if (r < 0) {
		bus_lost(bus, &e);
		return;
	}
	take_doorbells(bus);
	take_answers(bus);
	if (bus->phase == AWAY)
		return;
	// Doorbells may have come with the answers, and then the socket stays silent.
	take_doorbells(bus);
}

// libpq may close its socket and open another while it connects, even under the same number, so the
// watch is made again after every turn.
static int watch_again(
	struct bus *bus, uint32_t events, void (*ready)(void *, uint32_t), struct err *e)
{
	loop_source_free(TAKE_PTR(bus->watch));
	return loop_watch(bus->conf.loop, PQsocket(bus->conn), events, ready, bus, &bus->watch, e);
}

static void on_ready(void *data, uint32_t events);

static void drive_connect(struct bus *bus)
{
	struct err e;
	PostgresPollingStatusType status = PQconnectPoll(bus->conn);

	if (status == PGRES_POLLING_FAILED) {
		(void)!db_error(bus->conn, NULL, &e);
		bus_lost(bus, &e);
		return;
	}
	if (watch_again(bus, status == PGRES_POLLING_WRITING ? EPOLLOUT : EPOLLIN, on_ready, &e) <
		0) {
		bus_lost(bus, &e);
		return;
	}
	if (status == PGRES_POLLING_OK)
		start_phase(bus, bus->registered ? LISTEN : REGISTER);
}

// The only function that is named before it is written: it is both what watches and what is watched
// for.
static void on_ready(void *data, uint32_t events)
{
	struct bus *bus = data;

	(void)events;
	if (bus->phase == CONNECTING)
		drive_connect(bus);
	else
		drive_statement(bus);
}

static void on_deadline(void *data)
{
	struct bus *bus = data;
	struct err e;

	if (bus->phase != AWAY) {
		err_note(&e, ETIMEDOUT, "the database did not answer within %d ms", BUS_TIMEOUT_MS);
		bus_lost(bus, &e);
		return;
	}
	bus->phase = CONNECTING;
	bus->conn = db_connect_start(bus->conf.conninfo, bus->conf.program);
	loop_timer_set(bus->deadline, BUS_TIMEOUT_MS, 0);
	if (PQstatus(bus->conn) == CONNECTION_BAD) {
		(void)!db_error(bus->conn, NULL, &e);
		bus_lost(bus, &e);
	} else if (watch_again(bus, EPOLLOUT, on_ready, &e) < 0) {
		bus_lost(bus, &e);
	}
}

static void on_scan(void *data)
{
	struct bus *bus = data;

	if (bus->conf.hooks.scan)
		bus->conf.hooks.scan(bus->conf.data);
}

static void on_beat(void *data)
{
	struct bus *bus = data;

	if (bus->phase == IDLE)
		start_phase(bus, BEAT);
	else
		bus->beat_wanted = true;
}

int bus_new(const struct bus_conf *conf, struct bus **ret, struct err *e)
{
	struct bus *bus = xnew(struct bus);

	bus->conf = *conf;
	bus->conf.conninfo = xstrdup(conf->conninfo);
	bus->conf.program = xstrdup(conf->program);
	bus->conf.node = conf->node ? xstrdup(conf->node) : NULL;
	bus->conf.version = xstrdup(conf->version);
	for (int i = 0; i < BUS_CHANNELS_MAX && conf->channels[i]; i++)
		bus->conf.channels[i] = xstrdup(conf->channels[i]);
	if (loop_timer(conf->loop, on_deadline, bus, &bus->deadline, e) < 0 ||
		loop_timer(conf->loop, on_scan, bus, &bus->scan_timer, e) < 0 ||
		loop_timer(conf->loop, on_beat, bus, &bus->beat_timer, e) < 0) {
		bus_free(bus);
		return -1;
	}
	loop_timer_set(bus->deadline, 0, 0);
	*ret = bus;
	return 0;
}

static void free_text(const char *text)
{
	char *plain;

	memcpy(&plain, &text, sizeof(plain)); // ours: const only towards the hooks
	free(plain);
}

void bus_free(struct bus *bus)
{
	if (!bus)
		return;
	loop_source_free(bus->watch);
	loop_source_free(bus->deadline);
	loop_source_free(bus->scan_timer);
	loop_source_free(bus->beat_timer);
	PQclear(bus->answer);
	PQfinish(bus->conn);
	free_text(bus->conf.conninfo);
	free_text(bus->conf.program);
	free_text(bus->conf.node);
	free_text(bus->conf.version);
	for (int i = 0; i < BUS_CHANNELS_MAX; i++)
		free_text(bus->conf.channels[i]);
	free(bus);
}

// Waits for the end of the present statement and throws its answer away.
static bool await_end(struct bus *bus, const struct wait *w)
{
	struct err e;

	for (;;) {
		while (!PQisBusy(bus->conn)) {
			PGresult *answer = PQgetResult(bus->conn);
			if (!answer)
				return true;
			PQclear(answer);
		}
		if (wait_fd(w, PQsocket(bus->conn), POLLIN, "the database's answer", &e) != 0 ||
			!PQconsumeInput(bus->conn))
			return false;
	}
}

void bus_unregister(struct bus *bus)
{
	struct wait limit = wait_for(UNREGISTER_TIMEOUT_MS, -1);

	if (!bus || !bus->listening || !await_end(bus, &limit))
		return;
	struct db_number process = db_number(bus->identity.process_id);
	const char *const params[] = {process.text};
	if (PQsendQueryParams(
		    bus->conn, "select process.unregister($1)", 1, NULL, params, NULL, NULL, 0) &&
		PQflush(bus->conn) == 0)
		(void)!await_end(bus, &limit);
}

const struct bus_identity *bus_identity(const struct bus *bus)
{
	return bus->registered ? &bus->identity : NULL;
}

bool bus_is_up(const struct bus *bus)
{
	return bus->listening;
}

bool bus_is_stale(const struct bus *bus)
{
	return wait_now_ms() - bus->beat_answered_ms >= BUS_STALE_MS;
}

void bus_beat_soon(struct bus *bus)
{
	int64_t since_ms = wait_now_ms() - bus->beat_sent_ms;

	if (bus->listening)
		loop_timer_set(bus->beat_timer,
			since_ms >= BUS_BEAT_SOON_MS ? 0 : BUS_BEAT_SOON_MS - since_ms,
			BUS_BEAT_MS);
}
