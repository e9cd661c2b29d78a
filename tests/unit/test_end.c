// SPDX-License-Identifier: Apache-2.0
// The end of a host: in which order, and that no failure keeps the rest from being ended.
// uses: agent/host/end.c
#include "tests/unit/trace.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/container/docker.h"
#include "agent/host/end.h"
#include "agent/host/host.h"
#include "agent/net/netns.h"
#include "agent/net/sockdiag.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/proc.h"

static struct {
	uint64_t number; // of what runs; 0: nothing that the agent knows
	const char *run_container; // its container
	int inspect; // of Docker
	bool running;
	const char *container;
	int stop, netns, init, close, tunnel;
	pid_t pid; // of its process; 0: it has no descriptor of one
} answers;

struct run host_take_run(struct hosts *hosts, struct host *host)
{
	struct run run = RUN_INIT;
	(void)hosts;
	(void)host;
	did("take");
	run.number = answers.number;
	if (run.number != 0) {
		run.ns_fd = eventfd(0, EFD_CLOEXEC);
		if (answers.pid != 0)
			assert_int_equal(
				proc_pidfd(answers.pid, &run.process_fd, &(struct err){0}), 0);
		snprintf(run.container_id, sizeof(run.container_id), "%s", answers.run_container);
		snprintf(run.tunnel.name, sizeof(run.tunnel.name), "c%s", answers.run_container);
	}
	return run;
}

void run_close(struct run *run)
{
	closep(&run->ns_fd);
	closep(&run->process_fd);
	did("run_close");
}

void container_name(const struct container_owner *owner, const char *host_id,
	char ret[static CONTAINER_NAME_SIZE])
{
	(void)owner;
	snprintf(ret, CONTAINER_NAME_SIZE, "%s", host_id);
}

int docker_inspect(struct docker *d, const char *id, const struct wait *w,
	struct docker_container *ret, struct err *e)
{
	(void)d;
	(void)w;
	did("inspect %s", id);
	if (answers.inspect != 0)
		return result(answers.inspect, "Docker is away", e);
	ret->running = answers.running;
	snprintf(ret->id, sizeof(ret->id), "%s", answers.container);
	snprintf(ret->sandbox_key, sizeof(ret->sandbox_key), "/key");
	return 0;
}

int docker_stop(struct docker *d, const char *id, int grace_s, const struct wait *w, struct err *e)
{
	(void)d;
	(void)w;
	did("stop %s in %d s", id, grace_s);
	return result(answers.stop, "it does not stop", e);
}

int netns_open(const char *path, struct err *e)
{
	did("netns %s", path);
	return answers.netns < 0 ? err_say(e, ENOENT, "no namespace") : eventfd(0, EFD_CLOEXEC);
}

int wall_init(struct wall *w, int ns_fd, const struct wall_spec *spec, struct err *e)
{
	(void)w;
	(void)ns_fd;
	assert_string_equal(spec->tunnel, "tun0");
	return result(answers.init, "no socket", e);
}

int wall_close(struct wall *w, struct err *e)
{
	(void)w;
	did("wall_close");
	return result(answers.close, "no wall", e);
}

int sockdiag_end_all(int ns_fd, int *ret_count, struct err *e)
{
	(void)ns_fd;
	(void)ret_count;
	did("end sockets");
	return err_say(e, EIO, "nothing depends on this");
}

bool tunnel_name(const char *id, char ret[static TUNNEL_NAME_SIZE])
{
	snprintf(ret, TUNNEL_NAME_SIZE, "c%s", id);
	return id[0] != '\0';
}

int tunnel_end(const struct tunnel_env *env, const char *name, struct err *e)
{
	(void)env;
	did("end tunnel %s", name);
	return result(answers.tunnel, "the tunnel lives on", e);
}

static int start(void **state)
{
	(void)state;
	memset(&answers, 0, sizeof(answers));
	answers.container = "new";
	answers.run_container = "new";
	trace[0] = '\0';
	return 0;
}

// The result, and whether the host counts as seen since then.
static int end(bool *ret_exists, bool *ret_seen, struct err *e)
{
	static const struct agent agent;
	struct host host = {.id = "h"};
	int r = host_end(&agent, &host, NULL, ret_exists, e);
	*ret_seen = host.seen;
	return r;
}

static void what_runs_is_ended_behind_a_closed_wall(void **state)
{
	bool exists = false, seen;
	struct err e;
	(void)state;
	answers.number = 7;
	answers.running = true;
	assert_int_equal(end(&exists, &seen, &e), 0);
	assert_true(exists && seen);
	assert_did("take; wall_close; inspect h; stop new in 3 s; end sockets; end tunnel cnew; "
		   "run_close; ");
}

static void what_the_agent_does_not_know_is_found_in_docker_and_closed_too(void **state)
{
	bool seen;
	struct err e;
	(void)state;
	answers.running = true;
	assert_int_equal(end(NULL, &seen, &e), 0);
	assert_did("take; inspect h; netns /key; wall_close; stop new in 3 s; end sockets; "
		   "end tunnel cnew; run_close; ");
	answers.init = -1;
	assert_int_equal(end(NULL, &seen, &e), 0);
	assert_did("take; inspect h; netns /key; stop new in 3 s; end sockets; end tunnel cnew; "
		   "run_close; ");
	answers.netns = -1;
	assert_int_equal(end(NULL, &seen, &e), 0);
	assert_true(seen);
	assert_did("take; inspect h; netns /key; stop new in 3 s; end tunnel cnew; run_close; ");
}

static void nothing_that_runs_is_nothing_to_stop(void **state)
{
	bool exists, seen;
	struct err e;
	(void)state;
	assert_int_equal(end(&exists, &seen, &e), 0);
	assert_true(exists && seen);
	assert_did("take; inspect h; end tunnel cnew; run_close; ");
	answers.inspect = DOCKER_ABSENT;
	assert_int_equal(end(&exists, &seen, &e), 0);
	assert_true(!exists && seen);
	assert_did("take; inspect h; run_close; ");
}

// A process that ends at the first signal; how it has ended after host_end.
static int process_ended(int inspect, int stop)
{
	bool seen;
	int status;
	struct err e;

	answers.number = 7;
	answers.running = true;
	answers.inspect = inspect;
	answers.stop = stop;
	answers.pid = fork();
	if (answers.pid == 0) {
		signal(SIGTERM, SIG_DFL);
		for (;;)
			pause();
	}
	(void)end(NULL, &seen, &e);
	int r = waitpid(answers.pid, &status, WNOHANG);
	kill(answers.pid, SIGKILL);
	if (r == 0)
		waitpid(answers.pid, NULL, 0);
	return r == 0 ? 0 : WTERMSIG(status);
}

static void what_a_stuck_docker_does_not_end_is_ended_without_it(void **state)
{
	(void)state;
	assert_int_equal(process_ended(WAIT_TIMEOUT, 0), SIGTERM);
	assert_int_equal(process_ended(0, WAIT_TIMEOUT), SIGTERM);
	assert_int_equal(process_ended(0, 0), 0);
	assert_int_equal(process_ended(-1, 0), 0); // it is away, and ends it when it is back
	assert_int_equal(process_ended(DOCKER_ABSENT, 0), 0);
}

static void no_failure_keeps_the_rest_from_being_ended(void **state)
{
	static const struct {
		int *place;
		int answer;
		int result;
		const char *why, *done;
	} failures[] = {
		{&answers.close, -1, 0, NULL,
			"take; wall_close; inspect h; stop new in 3 s; end sockets; "
			"end tunnel cnew; run_close; "},
		{&answers.inspect, -1, -1, "Docker is away",
			"take; wall_close; inspect h; end sockets; end tunnel cnew; run_close; "},
		{&answers.inspect, WAIT_TIMEOUT, -1, "end the host",
			"take; wall_close; inspect h; end sockets; end tunnel cnew; run_close; "},
		{&answers.stop, -1, -1, "it does not stop",
			"take; wall_close; inspect h; stop new in 3 s; end sockets; "
			"end tunnel cnew; run_close; "},
		{&answers.stop, WAIT_TIMEOUT, -1, "it does not stop",
			"take; wall_close; inspect h; stop new in 3 s; end sockets; "
			"end tunnel cnew; run_close; "},
		{&answers.tunnel, -1, -1, "the tunnel lives on",
			"take; wall_close; inspect h; stop new in 3 s; end sockets; "
			"end tunnel cnew; run_close; "},
	};
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		bool seen;
		struct err e;
		start(state);
		answers.number = 7;
		answers.running = true;
		*failures[i].place = failures[i].answer;
		assert_int_equal(end(NULL, &seen, &e), failures[i].result);
		assert_int_equal(seen, failures[i].result == 0);
		assert_did(failures[i].done);
		if (failures[i].why)
			assert_non_null(strstr(e.message, failures[i].why));
	}
}

static void the_first_failure_is_the_one_that_is_told(void **state)
{
	bool seen;
	struct err e;
	(void)state;
	answers.running = true;
	answers.stop = -1;
	answers.tunnel = -1;
	assert_int_equal(end(NULL, &seen, &e), -1);
	assert_string_equal(e.message, "it does not stop");
}

static void the_tunnel_of_an_earlier_container_is_ended_as_well(void **state)
{
	bool seen;
	struct err e;
	(void)state;
	answers.number = 7;
	answers.run_container = "old";
	assert_int_equal(end(NULL, &seen, &e), 0);
	assert_did("take; wall_close; inspect h; end sockets; end tunnel cnew; end tunnel cold; "
		   "run_close; ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_runs_is_ended_behind_a_closed_wall, start),
		cmocka_unit_test_setup(
			what_the_agent_does_not_know_is_found_in_docker_and_closed_too, start),
		cmocka_unit_test_setup(nothing_that_runs_is_nothing_to_stop, start),
		cmocka_unit_test(what_a_stuck_docker_does_not_end_is_ended_without_it),
		cmocka_unit_test(no_failure_keeps_the_rest_from_being_ended),
		cmocka_unit_test_setup(the_first_failure_is_the_one_that_is_told, start),
		cmocka_unit_test_setup(the_tunnel_of_an_earlier_container_is_ended_as_well, start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
