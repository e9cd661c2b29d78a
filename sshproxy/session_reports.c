// SPDX-License-Identifier: Apache-2.0
// Monitor: three jobs with the database, each wanted or not, and at most once under way.
#include "sshproxy/session_reports.h"

#include <stdlib.h>
#include <string.h>

#include "lib/db.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/pool.h"
#include "lib/wait.h"
#include "sshproxy/message.h"

enum {
	CALL_MS = 1500,
	REPORTS_MAX = 8192, // not yet sent; sessions are bounded, so only a long outage comes near
	REPORTS_BATCH = 64,
};

// What has to be recorded: the end of a session, or a connection that was given up.
struct report {
	struct report *next;
	char session_id[40]; // "" for one that was given up
	char address[MESSAGE_ADDRESS_SIZE];
	char name[NAME_SIZE];
	char reason[40];
	uint64_t up_bytes, down_bytes;
};

struct verdict {
	char session_id[40];
	char sentence[MESSAGE_SENTENCE_SIZE];
	bool ends; // else it is only told
};

enum job_kind { JOB_HOST_KEY, JOB_CHECK, JOB_SEND_REPORTS, JOBS };

struct job {
	struct pool_job job;
	struct session_reports *reports;
	bool wanted, busy;
	int outcome; // of the last call
	struct err e;
};

struct session_reports {
	struct session_reports_conf conf;
	int64_t process_id; // 0 until registered
	int64_t checked_ms;
	struct job jobs[JOBS];
	char *sessions, *silent_s; // what JOB_CHECK asks about
	struct verdict *verdicts; // what it answered
	size_t verdicts_count;
	struct report *queue, **queue_last;
	size_t queue_count;
	struct report *in_flight; // what JOB_SEND_REPORTS sends; left at its end: not sent
};

static int call(struct db *db, const struct db_call *sql, struct pg_result **ret, struct err *e)
{
	struct wait w = wait_for(CALL_MS, -1);
	return db_call(db, sql, &w, ret, e);
}

static int host_key_run(struct session_reports *s, struct db *db, struct err *e)
{
	struct db_number process = db_number(s->process_id);
	return call(db, DB_CALL("select ssh.set_host_key($1, $2)", process.text, s->conf.host_key),
		NULL, e);
}

static int check_run(struct session_reports *s, struct db *db, struct err *e)
{
	struct db_number process = db_number(s->process_id);
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	int r = call(db,
		DB_CALL("select session_id, sentence, ends"
			" from session.check($1, $2::uuid[], $3::integer[])",
			process.text, s->sessions, s->silent_s),
		&rows, e);
	if (r != 0)
		return r;
	s->verdicts_count = (size_t)db_rows(rows);
	s->verdicts = xcalloc(s->verdicts_count + 1, sizeof(*s->verdicts));
	for (size_t i = 0; i < s->verdicts_count; i++) {
		struct verdict *v = &s->verdicts[i];
		(void)!text_copy(v->session_id, sizeof(v->session_id), db_text(rows, (int)i, 0));
		(void)!text_copy(v->sentence, sizeof(v->sentence), db_text(rows, (int)i, 1));
		v->ends = db_bool(rows, (int)i, 2);
	}
	return 0;
}

static int report_send(
	struct session_reports *s, struct db *db, const struct report *report, struct err *e)
{
	struct db_number process = db_number(s->process_id);
	struct db_number up = db_number((int64_t)report->up_bytes);
	struct db_number down = db_number((int64_t)report->down_bytes);
	if (report->session_id[0] != '\0')
		return call(db,
			DB_CALL("select session.end($1, $2, $3, $4, $5)", process.text,
				report->session_id, report->reason, up.text, down.text),
			NULL, e);
	return call(db,
		DB_CALL("select ssh.abandon($1, $2, $3, $4)", process.text, report->address,
			report->name, report->reason),
		NULL, e);
}

// A report that SQL refuses would be refused again: it is dropped, and the last refusal is logged.
static int send_reports_run(struct session_reports *s, struct db *db, struct err *e)
{
	int outcome = 0;
	while (s->in_flight) {
		struct report *report = s->in_flight;
		struct err refusal;
		int r = report_send(s, db, report, &refusal);
		if (r != 0) {
			*e = refusal;
			outcome = r;
			if (db_is_away(r, &refusal))
				break;
		}
		s->in_flight = report->next;
		free(report);
	}
	return outcome;
}

static int (*const runs[JOBS])(struct session_reports *s, struct db *db, struct err *e) = {
	[JOB_HOST_KEY] = host_key_run,
	[JOB_CHECK] = check_run,
	[JOB_SEND_REPORTS] = send_reports_run,
};

static void job_run(struct pool_job *pool_job, struct db *db)
{
	struct job *job = container_of(pool_job, struct job, job);
	job->outcome = runs[job - job->reports->jobs](job->reports, db, &job->e);
}

// The verdicts are taken out first: the end of a session has to be reported, and that may start the
// next check.
static void verdicts_apply(struct session_reports *s)
{
	_cleanup_(freep) struct verdict *verdicts = TAKE_PTR(s->verdicts);
	size_t count = s->verdicts_count;
	s->verdicts_count = 0;
	for (size_t i = 0; i < count; i++)
		(verdicts[i].ends ? s->conf.end : s->conf.say)(
			s->conf.data, verdicts[i].session_id, verdicts[i].sentence);
}

// What was not sent goes back to the front of the queue.
static void reports_return(struct session_reports *s)
{
	struct report *last = s->in_flight;
	if (!last)
		return;
	s->queue_count++;
	for (; last->next; last = last->next)
		s->queue_count++;
	last->next = s->queue;
	if (!s->queue)
		s->queue_last = &last->next;
	s->queue = TAKE_PTR(s->in_flight);
}

static void reports_take(struct session_reports *s)
{
	struct report **last = &s->queue;
	for (size_t i = 0; i < REPORTS_BATCH && *last; i++) {
		last = &(*last)->next;
		s->queue_count--;
	}
	s->in_flight = s->queue;
	s->queue = *last;
	*last = NULL;
	if (!s->queue)
		s->queue_last = &s->queue;
}

static void sessions_forget(struct session_reports *s)
{
	free(TAKE_PTR(s->sessions));
	free(TAKE_PTR(s->silent_s));
}

static void job_start(struct session_reports *s, enum job_kind kind)
{
	struct job *job = &s->jobs[kind];
	if (!job->wanted || job->busy || s->process_id == 0)
		return;
	if (kind == JOB_CHECK)
		s->conf.sessions(s->conf.data, &s->sessions, &s->silent_s);
	else if (kind == JOB_SEND_REPORTS)
		reports_take(s);
	job->wanted = false;
	job->busy = true;
	if (pool_submit(s->conf.pool, &job->job) == 0)
		return;
	job->busy = false; // full: at the next scan
	job->wanted = true;
	if (kind == JOB_CHECK)
		sessions_forget(s);
	else if (kind == JOB_SEND_REPORTS)
		reports_return(s);
}

static void jobs_start(struct session_reports *s)
{
	for (int kind = 0; kind < JOBS; kind++)
		job_start(s, (enum job_kind)kind);
}

static void job_done(struct pool_job *pool_job)
{
	struct job *job = container_of(pool_job, struct job, job);
	struct session_reports *s = job->reports;
	job->busy = false;
	if (!pool_job->ran)
		return;
	bool is_away = job->outcome != 0 && db_is_away(job->outcome, &job->e);
	if (job->outcome != 0)
		log_warning("a call of the database failed", log_err(&job->e));
	switch ((enum job_kind)(job - s->jobs)) {
	case JOB_HOST_KEY:
		job->wanted |= is_away;
		break;
	case JOB_CHECK:
		sessions_forget(s);
		verdicts_apply(s);
		break;
	case JOB_SEND_REPORTS:
		reports_return(s);
		job->wanted = job->wanted || s->queue;
		break;
	case JOBS:
		break;
	}
	if (!is_away)
		jobs_start(s);
}

struct session_reports *session_reports_new(const struct session_reports_conf *conf)
{
	struct session_reports *s = xnew(struct session_reports);
	s->conf = *conf;
	s->queue_last = &s->queue;
	for (int kind = 0; kind < JOBS; kind++)
		s->jobs[kind] =
			(struct job){.job = {.run = job_run, .done = job_done}, .reports = s};
	return s;
}

void session_reports_registered(struct session_reports *s, int64_t process_id)
{
	s->process_id = process_id;
	s->jobs[JOB_HOST_KEY].wanted = true;
	jobs_start(s);
}

void session_reports_scan(struct session_reports *s)
{
	int64_t now_ms = wait_now_ms();
	if (now_ms - s->checked_ms >= SESSION_REPORTS_CHECK_MS) {
		s->checked_ms = now_ms;
		s->jobs[JOB_CHECK].wanted = true;
	}
	jobs_start(s);
}

void session_reports_check(struct session_reports *s)
{
	s->jobs[JOB_CHECK].wanted = true;
	jobs_start(s);
}

static void report_add(struct session_reports *s, struct report *report)
{
	if (s->queue_count >= REPORTS_MAX) {
		log_warning("too much waits for the database, one report is lost",
			log_text("session", report->session_id));
		free(report);
		return;
	}
	*s->queue_last = report;
	s->queue_last = &report->next;
	s->queue_count++;
	s->jobs[JOB_SEND_REPORTS].wanted = true;
	jobs_start(s);
}

void session_reports_add_ended(struct session_reports *s, const char *session_id,
	const char *reason, uint64_t up_bytes, uint64_t down_bytes)
{
	struct report *report = xnew(struct report);
	report->up_bytes = up_bytes;
	report->down_bytes = down_bytes;
	(void)!text_copy(report->session_id, sizeof(report->session_id), session_id);
	(void)!text_copy(report->reason, sizeof(report->reason), reason);
	report_add(s, report);
}

void session_reports_add_abandoned(
	struct session_reports *s, const char *address, const char *name, const char *reason)
{
	struct report *report = xnew(struct report);
	(void)!text_copy(report->address, sizeof(report->address), address);
	(void)!text_copy(report->name, sizeof(report->name), name);
	(void)!text_copy(report->reason, sizeof(report->reason), reason);
	report_add(s, report);
}
