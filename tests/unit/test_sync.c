// SPDX-License-Identifier: Apache-2.0
// The sync with SQL: what the beginning takes, which strays are ended, when specs are fetched again.
// uses: agent/host/sync.c agent/evidence.c
#include "tests/unit/agent_fakes.h"

#include <stdlib.h>

#include "agent/agent.h"
#include "agent/host/docker_events.h"
#include "agent/host/guard.h"
#include "agent/host/inspect.h"
#include "agent/machine/report.h"
#include "agent/host/sync.h"
#include "agent/store/trash.h"
#include "lib/db.h"
#include "lib/mem.h"
#include "lib/pool.h"

#define KNOWN "0b2f7a52-6f0f-4b25-9f6e-3a0f2a1f0c11"
#define OTHER "0b2f7a52-6f0f-4b25-9f6e-3a0f2a1f0c12"
#define NO_KEY "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static struct {
	int flush, key, machine, specs, list, tunnels, stop, end, submit;
	const char *verdict; // on the sealing key
	const char *host_id; // the one row of node.specs
	int read;
	bool is_taken, is_news, outbox_is_full;
	struct docker_listed containers[2];
	size_t container_count;
	const char *tunnel; // the one that there is
} answers;

static struct agent agent;
static struct host host;
static struct host_spec spec;
static struct sync *one;
static struct pool_job *job;
static struct loop_post *posted;

// A result is the statement that it answers.
struct pg_result {
	bool is_specs;
};

int db_call(struct db *db, const struct db_call *call, const struct wait *w, struct pg_result **ret,
	struct err *e)
{
	static struct pg_result rows;
	(void)db;
	(void)w;
	rows.is_specs = strstr(call->sql, "node.specs");
	if (!rows.is_specs)
		assert_string_equal(call->params[1], NO_KEY);
	*ret = &rows;
	did("%s", rows.is_specs ? "specs" : "key");
	return result(rows.is_specs ? answers.specs : answers.key, "no database", e);
}

int machine_report(const struct agent *a, struct db *db, const struct wait *w, struct err *e)
{
	(void)a;
	(void)db;
	(void)w;
	did("machine");
	return result(answers.machine, "Docker is away", e);
}

int db_rows(const struct pg_result *rows)
{
	return (rows->is_specs ? answers.host_id : answers.verdict) ? 1 : 0;
}

const char *db_text(const struct pg_result *rows, int row, int column)
{
	assert_int_equal(row, 0);
	return !rows->is_specs ? answers.verdict : column == 0 ? answers.host_id : "{}";
}

void db_result_freep(struct pg_result **rows)
{
	(void)rows;
}

struct db_number db_number(int64_t number)
{
	struct db_number n;
	snprintf(n.text, sizeof(n.text), "%lld", (long long)number);
	return n;
}

int host_spec_read(const char *json, struct host_spec **ret, struct err *e)
{
	assert_string_equal(json, "{}");
	*ret = &spec;
	return result(answers.read, "unreadable", e);
}

void host_spec_free(struct host_spec *s)
{
	(void)s;
	did("free spec");
}

bool host_spec_refused(struct host *h, const char *why)
{
	(void)h;
	did("refuse: %s", why);
	return answers.is_news;
}

void guard_set_spec(struct agent *a, struct host *h, struct host_spec *s)
{
	(void)a;
	(void)h;
	(void)s;
	did("set spec");
}

struct host *host_try_take_new(struct hosts *hosts, const char *id)
{
	(void)hosts;
	did("take new %.2s", id);
	return answers.is_taken ? NULL : &host;
}

struct host *host_try_take(struct hosts *hosts, const char *id)
{
	(void)hosts;
	(void)id;
	did("take");
	return answers.is_taken ? NULL : &host;
}

void hosts_schedule_inspection(struct hosts *hosts, const char *id, int pause_ms)
{
	(void)hosts;
	(void)id;
	did("inspect in %d", pause_ms);
}

bool hosts_know(struct hosts *hosts, const char *id)
{
	(void)hosts;
	return strcmp(id, KNOWN) == 0;
}

int tunnel_list(const struct tunnel_env *env, tunnel_each *each, void *arg, struct err *e)
{
	(void)env;
	did("tunnels");
	if (answers.tunnels == 0 && answers.tunnel)
		return each(answers.tunnel, arg, e);
	return result(answers.tunnels, "no tunnels", e);
}

int tunnel_end(const struct tunnel_env *env, const char *name, struct err *e)
{
	(void)env;
	did("end tunnel %s", name);
	return result(answers.end, "no end", e);
}

bool tunnel_name(const char *id, char ret[static TUNNEL_NAME_SIZE])
{
	snprintf(ret, TUNNEL_NAME_SIZE, "c%s", id);
	return id[0] != '\0';
}

int docker_list(struct docker *d, const char *node, const char *cluster, const struct wait *w,
	struct docker_listed **ret, size_t *ret_count, struct err *e)
{
	(void)d;
	(void)node;
	(void)cluster;
	(void)w;
	did("containers");
	*ret = xcalloc(2, sizeof(**ret));
	memcpy(*ret, answers.containers, sizeof(answers.containers));
	*ret_count = answers.container_count;
	return result(answers.list, "no Docker", e);
}

int docker_stop(struct docker *d, const char *id, int grace_s, const struct wait *w, struct err *e)
{
	(void)d;
	(void)grace_s;
	(void)w;
	did("stop %s", id);
	return result(answers.stop, "no stop", e);
}

void inspect_all(struct agent *a)
{
	(void)a;
	did("inspect all");
}

void trash_sweep(struct pool *pool, const struct store *store)
{
	(void)pool;
	(void)store;
	did("sweep");
}

void docker_events_start(struct docker_events *events)
{
	(void)events;
	did("events");
}

int outbox_flush(
	struct outbox *box, struct db *db, int64_t process_id, const struct wait *w, struct err *e)
{
	(void)box;
	(void)db;
	(void)process_id;
	(void)w;
	did("flush");
	return result(answers.flush, "no database", e);
}

bool outbox_is_empty(struct outbox *box)
{
	(void)box;
	return !answers.outbox_is_full;
}

int pool_cancel_fd(const struct pool *pool)
{
	(void)pool;
	return -1;
}

int pool_submit_first(struct pool *pool, struct pool_job *submitted)
{
	(void)pool;
	did("submit");
	if (answers.submit == 0)
		job = submitted;
	return answers.submit;
}

void loop_post(struct loop *loop, struct loop_post *post)
{
	(void)loop;
	assert_null(posted);
	posted = post;
	did("post");
}

static int start(void **state)
{
	(void)state;
	memset(&answers, 0, sizeof(answers));
	answers.verdict = "ok";
	agent = (struct agent){.process_id = 5};
	host = (struct host){.id = KNOWN};
	job = NULL;
	posted = NULL;
	one = sync_new(&agent);
	trace[0] = '\0';
	return 0;
}

static int stop(void **state)
{
	(void)state;
	sync_free(one);
	return 0;
}

static void again(void)
{
	stop(NULL);
	start(NULL);
}

static void job_runs(void)
{
	struct pool_job *running = job;
	assert_non_null(running);
	running->run(running, NULL);
	running->ran = true;
	job = NULL;
	running->done(running);
}

// The first sync, from the scan to its end.
static void begin(void)
{
	sync_scan(one);
	job_runs();
}

#define LEARNT "submit; flush; key; machine; specs; "
#define ENDED "tunnels; containers; inspect all; sweep; events; "
#define BEGUN LEARNT ENDED
#define BEGUN_AGAIN "submit; flush; key; specs; " ENDED

#define OTHER_KEY \
	"submit; flush; key; log the database has another sealing key than this agent: the " \
	"exits' sealed secrets cannot be opened; restore the agent's sealing.key; machine; specs; " \
	"tunnels; containers; inspect all; sweep; events; "

static void the_beginning_learns_ends_strays_inspects_and_watches(void **state)
{
	(void)state;
	begin();
	assert_did(BEGUN);
	assert_true(agent.knows_hosts);
	again();
	answers.verdict = "other"; // sealed secrets will fail one by one
	begin();
	assert_did(OTHER_KEY);
	again();
	answers.verdict = NULL;
	begin();
	assert_did(OTHER_KEY);
}

static void a_beginning_that_fails_is_made_again_as_a_whole(void **state)
{
	const struct {
		int *place;
		int answer;
		const char *done;
	} rows[] = {
		{&answers.flush, -1, "submit; flush; "},
		{&answers.key, -1, "submit; flush; key; "},
		{&answers.specs, -1, LEARNT},
		{&answers.specs, WAIT_CANCELED, LEARNT},
		{&answers.tunnels, -1, LEARNT "tunnels; "},
		{&answers.list, -1, LEARNT "tunnels; containers; "},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		again();
		*rows[i].place = rows[i].answer;
		begin();
		assert_did(rows[i].done);
		assert_false(agent.knows_hosts);
		*rows[i].place = 0;
		begin(); // the machine has just been looked at, if it came to that
		assert_did(strstr(rows[i].done, "machine") ? BEGUN_AGAIN : BEGUN);
	}
}

static void what_may_be_wrong_is_logged(void **state)
{
	static const struct {
		int flush;
		const char *done;
	} rows[] = {
		{-1, "submit; flush; log the database or Docker does not answer, trying again; "},
		{WAIT_CANCELED, "submit; flush; "},
		{0, BEGUN},
	};
	(void)state;
	shown = LOG_LEVEL_WARNING;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		again();
		answers.flush = rows[i].flush;
		begin();
		assert_did(rows[i].done);
	}
	again(); // no answer is not another key
	answers.key = -1;
	answers.verdict = NULL;
	begin();
	assert_did(
		"submit; flush; key; log the database or Docker does not answer, trying again; ");
	for (int news = 0; news < 2; news++) {
		again();
		answers.host_id = KNOWN;
		answers.read = -1;
		answers.is_news = news;
		begin();
		assert_did(news ? LEARNT "take new 0b; refuse: unreadable; log a host's settings "
					 "cannot be used; release; tunnels; containers; inspect "
					 "all; sweep; events; "
				: LEARNT "take new 0b; refuse: unreadable; release; tunnels; "
					 "containers; inspect all; sweep; events; ");
	}
	shown = LOG_LEVEL_ERROR;
}

static void later_specs_are_fetched_at_their_time_and_reports_sent_at_any(void **state)
{
	(void)state;
	begin();
	assert_did(BEGUN);
	sync_scan(one); // the beginning has just fetched them
	assert_did("");
	again();
	agent.knows_hosts = true; // and now they are due
	begin();
	assert_did("submit; flush; machine; specs; events; ");
	sync_scan(one);
	assert_did("");
	answers.outbox_is_full = true;
	sync_scan(one);
	job_runs();
	assert_did("submit; flush; ");
	answers.flush = -1;
	sync_scan(one);
	job_runs();
	assert_did("submit; flush; ");
}

static void a_machine_that_cannot_be_looked_at_keeps_nothing_up(void **state)
{
	(void)state;
	shown = LOG_LEVEL_WARNING;
	answers.machine = -1;
	begin();
	assert_did(
		"submit; flush; key; machine; log what this machine can could not be told; specs; "
		"tunnels; containers; inspect all; sweep; events; ");
	shown = LOG_LEVEL_ERROR;
}

static void what_is_asked_meanwhile_is_done_afterwards(void **state)
{
	(void)state;
	sync_scan(one);
	sync_scan(one);
	sync_scan(one);
	assert_did("submit; ");
	answers.outbox_is_full = true;
	job_runs();
	assert_did(
		"flush; key; machine; specs; tunnels; containers; inspect all; sweep; events; submit; ");
	job_runs();
	assert_did("flush; ");
}

static void a_pool_that_has_stopped_is_left_alone(void **state)
{
	(void)state;
	answers.submit = POOL_STOPPED;
	sync_scan(one);
	sync_scan(one);
	assert_did("submit; submit; ");
	answers.submit = 0;
	sync_scan(one);
	agent.knows_hosts = true;
	job->done(job); // without having run
	assert_did("submit; ");
}

static void a_wake_is_posted_once_and_waits_for_the_registration(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		agent.process_id = i == 0 ? 0 : 5;
		sync_soon(one);
		assert_did("post; ");
		sync_soon(one);
		assert_did("");
		struct loop_post *post = posted;
		posted = NULL;
		post->fn(post);
		assert_did(i == 0 ? "" : "submit; ");
	}
}

static void a_spec_is_the_hosts_and_an_unseen_host_is_inspected(void **state)
{
	static const struct {
		const char *host_id;
		bool is_taken, knows_hosts, seen;
		int read;
		const char *done;
	} rows[] = {
		{KNOWN, false, true, true, 0, "take new 0b; set spec; release; "},
		{KNOWN, false, true, false, 0, "take new 0b; set spec; inspect in 0; release; "},
		{KNOWN, false, true, true, -1, "take new 0b; refuse: unreadable; release; "},
		{KNOWN, true, true, false, 0, "take new 0b; free spec; "},
		{"../x", false, true, false, 0, ""},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		again();
		agent.knows_hosts = rows[i].knows_hosts;
		host.seen = rows[i].seen;
		answers.host_id = rows[i].host_id;
		answers.is_taken = rows[i].is_taken;
		answers.read = rows[i].read;
		begin();
		_cleanup_(freep) char *expected =
			xasprintf("submit; flush; machine; specs; %sevents; ", rows[i].done);
		assert_did(expected);
	}
	again(); // all are inspected once all are known
	answers.host_id = KNOWN;
	begin();
	assert_did(LEARNT "take new 0b; set spec; release; tunnels; containers; inspect all; "
			  "sweep; events; ");
}

static struct docker_listed listed(const char *id, const char *host_id, bool running)
{
	struct docker_listed c = {.running = running};
	snprintf(c.id, sizeof(c.id), "%s", id);
	snprintf(c.host_id, sizeof(c.host_id), "%s", host_id);
	return c;
}

// The tunnel "ca" of container a, whose state is `container`: "" absent, or (r)unning or (s)topped,
// of a (k)nown host or another.
static void a_tunnel_is_a_stray_when_nothing_answers_for_it(void **state)
{
	static const struct {
		const char *container;
		bool is_taken;
		uint64_t run;
		const char *done;
	} rows[] = {
		{"", false, 0, "end tunnel ca; "}, {"rk", false, 7, ""}, {"sk", true, 0, "take; "},
		{"sk", false, 7, "take; release; "}, // started again since
		{"sk", false, 0, "take; end tunnel ca; release; "},
		{"so", false, 7, "end tunnel ca; "}, {"t", false, 0, ""}, // of a test
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *c = rows[i].container;
		again();
		answers.tunnel = c[0] == 't' ? "ta" : "ca";
		answers.containers[0] = listed("b", KNOWN, true);
		answers.container_count = 1;
		if (c[0])
			answers.containers[answers.container_count++] =
				listed("a", c[1] == 'k' ? KNOWN : OTHER, c[0] == 'r');
		answers.is_taken = rows[i].is_taken;
		host.run.number = rows[i].run;
		begin();
		_cleanup_(freep) char *expected = xasprintf(
			LEARNT "tunnels; containers; %sinspect all; sweep; events; ", rows[i].done);
		assert_did(expected);
	}
}

static void a_running_container_of_no_known_host_is_stopped_with_its_tunnel(void **state)
{
	(void)state;
	answers.container_count = 2;
	answers.containers[0] = listed("a", OTHER, true);
	answers.containers[1] = listed("b", OTHER, false);
	begin();
	assert_did(LEARNT "tunnels; containers; stop a; end tunnel ca; inspect all; sweep; "
			  "events; ");
}

static void a_stray_that_cannot_be_ended_fails_the_beginning(void **state)
{
	(void)state;
	answers.tunnel = "cx";
	answers.end = -1;
	begin();
	assert_did(LEARNT "tunnels; containers; end tunnel cx; ");
	assert_false(agent.knows_hosts);
	again(); // without a list of containers nothing is known to be a stray
	answers.tunnel = "cx";
	answers.list = -1;
	begin();
	assert_did(LEARNT "tunnels; containers; ");
	again();
	answers.container_count = 2;
	answers.containers[0] = listed("a", OTHER, true);
	answers.containers[1] = listed("b", OTHER, true);
	answers.stop = -1;
	begin();
	assert_did(LEARNT "tunnels; containers; stop a; ");
	assert_false(agent.knows_hosts);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_beginning_learns_ends_strays_inspects_and_watches),
		TEST(a_beginning_that_fails_is_made_again_as_a_whole),
		TEST(what_may_be_wrong_is_logged),
		TEST(later_specs_are_fetched_at_their_time_and_reports_sent_at_any),
		TEST(a_machine_that_cannot_be_looked_at_keeps_nothing_up),
		TEST(what_is_asked_meanwhile_is_done_afterwards),
		TEST(a_pool_that_has_stopped_is_left_alone),
		TEST(a_wake_is_posted_once_and_waits_for_the_registration),
		TEST(a_spec_is_the_hosts_and_an_unseen_host_is_inspected),
		TEST(a_tunnel_is_a_stray_when_nothing_answers_for_it),
		TEST(a_running_container_of_no_known_host_is_stopped_with_its_tunnel),
		TEST(a_stray_that_cannot_be_ended_fails_the_beginning),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
