// SPDX-License-Identifier: Apache-2.0
// The skeleton of every program.
#include "lib/program.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/metric.h"
#include "lib/proc.h"
#include "lib/wait.h"

enum {
	EXIT_USAGE = 2,
	EXIT_DECLARED_DEAD = 70,
	ARENAS_MAX = 2, // malloc's default of 8 a core costs memory and saves no time here
	TRIM_BYTES = 64 * 1024,
	LOCK_WAIT_MS = 5000,
	LOCK_PAUSE_MS = 20,
	STALE_CHECK_MS = 1000,
};

static const char *const level_names[] = {"debug", "info", "warning", "error"};

// What the skeleton has besides the service.
struct running {
	struct service service; // the hooks' pointer: keep it first
	struct loop_source *stale_timer;
	bool stale;
	char hostname[65];
};

static void on_registered(void *data, const struct bus_identity *identity)
{
	struct service *s = data;
	struct err e;

	log_info("registered", log_number("process_id", identity->process_id),
		log_number("node_id", identity->node_id), log_text("queue", identity->queue));
	if (s->program->registered && s->program->registered(s, identity, &e) < 0) {
		log_error("cannot begin", log_err(&e));
		loop_stop(s->loop, EXIT_FAILURE);
		return;
	}
	if (s->tasks)
		task_runner_start(s->tasks, s->bus);
}

static void on_state(void *data, enum bus_state state, const struct err *e)
{
	struct service *s = data;

	switch (state) {
	case BUS_UP:
		log_info("database connected");
		break;
	case BUS_LOST:
		log_warning("database lost, trying again", log_err(e));
		break;
	}
	if (s->program->state)
		s->program->state(s, state);
}

static void on_scan(void *data)
{
	struct service *s = data;

	if (s->tasks)
		task_runner_scan(s->tasks);
	if (s->program->scan)
		s->program->scan(s);
}

// A doorbell may also mean that a running task is to stop: the beat's answer lists those.
static void on_doorbell(void *data, const char *channel)
{
	struct service *s = data;
	int64_t lease;

	if (s->tasks)
		task_runner_scan(s->tasks);
	if (s->tasks && task_runner_leases(s->tasks, &lease, 1) > 0)
		bus_beat_soon(s->bus);
	if (s->program->doorbell)
		s->program->doorbell(s, channel);
}

static size_t on_leases(void *data, int64_t *ret, size_t max)
{
	struct service *s = data;

	return s->tasks ? task_runner_leases(s->tasks, ret, max) : 0;
}

static char *on_samples(void *data)
{
	(void)data;
	metric_set_process();
	return metric_samples();
}

// A process that was declared dead does nothing more: its successor, which waits for the lock,
// cleans up.
static void on_beat(void *data, const struct bus_beat *beat)
{
	struct service *s = data;

	if (!beat->alive) {
		log_error("declared dead by the database, leaving at once");
		_exit(EXIT_DECLARED_DEAD);
	}
	if (s->tasks)
		task_runner_beat(s->tasks, beat);
	if (s->program->beat)
		s->program->beat(s, beat);
}

static void on_stale_timer(void *data)
{
	struct running *r = data;
	struct service *s = &r->service;
	bool stale = bus_identity(s->bus) && bus_is_stale(s->bus);

	log_flush();

	if (stale && !r->stale) {
		log_warning("no beat was answered for long, acting on no task until one is",
			log_number("limit_ms", BUS_STALE_MS));
		if (s->tasks)
			task_runner_drop_all(s->tasks);
	}
	r->stale = stale;
}

static void on_signal(void *data, int signal)
{
	struct service *s = data;

	log_info("stopping", log_text("signal", signal == SIGTERM ? "TERM" : "INT"));
	loop_stop(s->loop, 0);
}

static int take_lock(struct service *s, struct err *e)
{
	const struct program *p = s->program;
	_cleanup_(freep) char *path = NULL;
	struct wait limit = wait_for(LOCK_WAIT_MS, -1);
	struct err ignored;

	if (p->lock_path)
		path = xstrdup(p->lock_path(s));
	else if (p->bus_name)
		path = xasprintf("%s/%s/lock", s->state_dir, p->bus_name);
	else
		return 0;
	int r;
	while ((r = proc_lock(path, &s->lock_fd, e)) == PROC_LOCKED)
		if (wait_pause(&limit, LOCK_PAUSE_MS, &ignored) != 0)
			return -1;
	return r;
}

static int make_loop(struct service *s, struct err *e)
{
	struct loop_source *signals;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (loop_new(&s->loop, e) < 0)
		return -1;
	return loop_signals(s->loop, &set, on_signal, s, &signals, e);
}

static int make_bus(struct running *r, struct err *e)
{
	struct service *s = &r->service;
	const struct program *p = s->program;
	struct bus_conf conf = {
		.loop = s->loop,
		.conninfo = s->database,
		.program = p->name,
		.node = p->node ? p->node(s) : r->hostname,
		.version = CCP_VERSION,
		.hooks = {on_registered, on_state, on_scan, on_doorbell, on_leases, on_samples,
			on_beat},
		.data = s,
	};

	if (!p->bus_name)
		return 0;
	for (int i = 0; p->channels && p->channels[i] && i < BUS_CHANNELS_MAX; i++)
		conf.channels[i] = p->channels[i];
	if (bus_new(&conf, &s->bus, e) < 0)
		return -1;
	if (loop_timer(s->loop, on_stale_timer, r, &r->stale_timer, e) < 0)
		return -1;
	loop_timer_set(r->stale_timer, STALE_CHECK_MS, STALE_CHECK_MS);
	return 0;
}

static int hook(int (*fn)(struct service *s, struct err *e), struct service *s, struct err *e)
{
	return fn ? fn(s, e) : 0;
}

// Everything between the arguments and the loop, in the order that program.h promises.
static int bring_up(struct running *r, struct err *e)
{
	struct service *s = &r->service;
	const struct program *p = s->program;

	if (hook(p->configure, s, e) < 0 || take_lock(s, e) < 0 || hook(p->listen, s, e) < 0 ||
		hook(p->fork, s, e) < 0 || make_loop(s, e) < 0 || proc_lock_down(e) < 0 ||
		hook(p->start, s, e) < 0)
		return -1;
	return make_bus(r, e);
}

static int serve(struct running *r)
{
	struct service *s = &r->service;
	struct err e;

	if (bring_up(r, &e) < 0) {
		log_error("cannot start", log_err(&e));
		return EXIT_FAILURE;
	}
	log_info("started", log_text("version", CCP_VERSION));
	int status = loop_run(s->loop, &e);
	if (status < 0)
		log_error("the main loop failed", log_err(&e));
	if (s->program->stop)
		s->program->stop(s);
	bus_unregister(s->bus);
	bus_free(s->bus);
	loop_free(s->loop);
	log_info("stopped");
	return status < 0 ? EXIT_FAILURE : status;
}

static int run_command(const struct program *p, int argc, char **argv)
{
	for (const struct args_command *c = p->commands; c && c->name; c++)
		if (strcmp(c->name, argv[0]) == 0)
			return c->run(argc, argv);
	fprintf(stderr, "%s: \"%s\" is not a command: see %s --help\n", p->name, argv[0], p->name);
	return EXIT_USAGE;
}

static bool find_level(const char *name, enum log_level *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++)
		if (strcmp(level_names[i], name) == 0) {
			*ret = (enum log_level)i;
			return true;
		}
	return false;
}

int program_main(const struct program *p, int argc, char **argv)
{
	const char *state_dir = "/var/lib/cloud-cli-proxy", *database = NULL, *level_name = "info";
	const struct args_option common[] = {
		{.name = "state-dir",
			.type = ARGS_TEXT,
			.value = &state_dir,
			.arg = "DIR",
			.help = "where the installation lives (default /var/lib/cloud-cli-proxy)"},
		{.name = "database",
			.type = ARGS_TEXT,
			.value = &database,
			.arg = "CONNINFO",
			.help = "libpq connection string (default: the installation's own)"},
		{.name = "log-level",
			.type = ARGS_TEXT,
			.value = &level_name,
			.arg = "LEVEL",
			.help = "debug, info, warning or error (default info)"},
		{0},
	};
	const struct args args = {.program = p->name,
		.summary = p->summary,
		.options = {common, p->options},
		.commands = p->commands};
	enum log_level level = LOG_LEVEL_INFO;
	struct err e;
	int rest;

	int r = args_parse(&args, argc, argv, &rest, &e);
	if (r == ARGS_ANSWERED)
		return EXIT_SUCCESS;
	if (r == 0 && !find_level(level_name, &level))
		r = err_say(&e, EINVAL, "--log-level is debug, info, warning or error");
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", p->name, e.message);
		return EXIT_USAGE;
	}
	log_init(p->name, level);
	mallopt(M_ARENA_MAX, ARENAS_MAX);
	mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
	signal(SIGPIPE, SIG_IGN);
	if (rest < argc && !p->takes_words)
		return run_command(p, argc - rest, argv + rest);
	_cleanup_(freep) char *own_database = xasprintf(
		"host=%s/run/pg dbname=ccp user=ccp_%s", state_dir, p->bus_name ? p->bus_name : "");
	struct running running = {.service = {.program = p,
					  .state_dir = state_dir,
					  .words = argv + rest,
					  .database = database ? database : own_database,
					  .lock_fd = -1}};
	gethostname(running.hostname, sizeof(running.hostname) - 1);
	return serve(&running);
}

void program_leave_threads(void)
{
	log_error("a thread did not end in time, leaving without it");
	_exit(EXIT_FAILURE);
}

void program_log_task(void *data, enum task_event event, const struct task *task, enum task_end end,
	int64_t took_ms, const struct err *e)
{
	static const char *const ends[] = {[TASK_SUCCEEDED] = "task succeeded",
		[TASK_FAILED] = "task failed",
		[TASK_CANCELED] = "task canceled",
		[TASK_HANDED_BACK] = "task handed back",
		[TASK_DROPPED] = "task dropped: its lease is not ours any more"};

	(void)data;
	struct log_field id = log_text("task", task ? task->id : NULL);
	struct log_field kind = log_text("kind", task ? task->kind : NULL);
	struct log_field host = log_text("host", task && task->host_id[0] ? task->host_id : "-");
	struct log_field ms = log_number("ms", took_ms);
	switch (event) {
	case TASK_EVENT_CLAIMED:
		log_info("task claimed", id, kind, host, log_number("lease", task->lease),
			log_number("attempt", task->attempt));
		break;
	case TASK_EVENT_ENDED:
		if (end == TASK_FAILED)
			log_warning(ends[end], id, kind, host, ms, log_err(e));
		else
			log_info(ends[end], id, kind, host, ms);
		break;
	case TASK_EVENT_REPORT_WAITS:
		log_warning("the database does not take a report, sending it until it does", id,
			kind, host, log_err(e));
		break;
	case TASK_EVENT_CLAIM_FAILED:
		log_error("cannot claim tasks", log_err(e));
		break;
	}
}
