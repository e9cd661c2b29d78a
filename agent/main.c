// SPDX-License-Identifier: Apache-2.0
// ccp-agent: makes hosts real on this machine: Docker, namespaces, tunnels, walls, proofs.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "agent/agent.h"
#include "agent/dial.h"
#include "agent/host/cage_guard.h"
#include "agent/host/docker_events.h"
#include "agent/host/guard.h"
#include "agent/host/host.h"
#include "agent/host/inspect.h"
#include "agent/host/measure.h"
#include "agent/host/outbox.h"
#include "agent/host/sync.h"
#include "agent/troubles.h"
#include "agent/release.h"
#include "agent/store/directory.h"
#include "agent/task/egress_test.h"
#include "agent/task/kinds.h"
#include "agent/uplink.h"
#include "agent/verify/verify.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/pool.h"
#include "lib/program.h"

enum {
	TASKS = 8,
	DIALS = 2,
	DIAL_QUEUE = 256,
	CHECKS = 8, // a check of an exit that is dead waits for 10 s, and others' are due meanwhile
	CHECK_QUEUE = 4096,
	INSPECTIONS = 2,
	INSPECT_QUEUE = 4096,
	STOP_MS = 5000,
	OPEN_FILES_MOST = 65536,
};

static const char *node_name;
static const char *uplink_path;
static const char *docker_socket = "/var/run/docker.sock";
static const char *engine_program = "/usr/bin/wireguard-go";
static const char *proxy_engine_program = "/usr/bin/sing-box";
static bool release_asked;

static const struct args_option options[] = {
	{"node", ARGS_TEXT, &node_name, "NAME", "name of this machine (default: its host name)", 0,
		0},
	{"uplink-netns", ARGS_TEXT, &uplink_path, "PATH",
		"namespace where tunnels are born (default: our own)", 0, 0},
	{"docker-socket", ARGS_TEXT, &docker_socket, "PATH", "Docker's socket", 0, 0},
	{"engine", ARGS_TEXT, &engine_program, "PATH", "the wireguard-go program", 0, 0},
	{"proxy-engine", ARGS_TEXT, &proxy_engine_program, "PATH", "the sing-box program", 0, 0},
	{"release-all", ARGS_FLAG, &release_asked, NULL,
		"end every container and tunnel of this node, then exit", 0, 0},
	{0},
};

static int command_verify(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return verify_main();
}

static int command_steps(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (const struct task_kind *kind = agent_kinds; kind->kind; kind++) {
		for (const struct task_step *step = kind->steps; step->name; step++)
			printf("%s:%s\n", kind->kind, step->name);
	}
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const struct args_command commands[] = {
	{"verify", "check an exit from inside a namespace (started by the agent itself)",
		command_verify},
	{"steps", "list the steps of every task kind, as timings and failpoints name them",
		command_steps},
	{0},
};

struct state {
	struct agent agent;
	struct sync *sync;
	struct loop_source *inspections; // the timer of those that had to wait
	struct cage_guard *cage_guard;
	struct troubles *troubles;
	struct measure *measure;
	char node[65];
	char *lock_path;
};

static struct state *state_of(const struct service *s)
{
	return s->data;
}

static int node_choose(struct state *state, struct err *e)
{
	if (!node_name && gethostname(state->node, sizeof(state->node) - 1) < 0)
		return err_set(e, errno, "read the machine's name");
	if (node_name && !text_copy(state->node, sizeof(state->node), node_name))
		return err_say(e, EINVAL, "--node is longer than 64 bytes");
	if (state->node[0] == '\0' || state->node[0] == '.' ||
		strspn(state->node,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
			strlen(state->node))
		return err_say(
			e, EINVAL, "--node takes letters, digits, dots, dashes and underscores");
	state->agent.owner.node = state->node;
	return 0;
}

// Our own hard limit is what the same supervisor gave Docker.
static int64_t open_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max > OPEN_FILES_MOST)
		return OPEN_FILES_MOST;
	return (int64_t)limit.rlim_max;
}

static int configure(struct service *s, struct err *e)
{
	struct state *state = xnew(struct state);
	struct agent *a = &state->agent;

	s->data = state;
	if (sodium_init() < 0)
		return err_say(e, ENOSYS, "libsodium does not start");
	if (node_choose(state, e) < 0)
		return -1;
	a->state_dir = s->state_dir;
	a->docker_socket = docker_socket;
	a->store.path = xasprintf("%s/agent", s->state_dir);
	a->init_path = xasprintf("%s/libexec/ccp-init", s->state_dir);
	a->open_files = open_files();
	a->store.fd = directory_open(AT_FDCWD, a->store.path, 0700, e);
	if (a->store.fd < 0)
		return -1;
	state->lock_path = xasprintf("%s/%s.lock", a->store.path, a->owner.node);
	return 0;
}

static const char *lock_path(struct service *s)
{
	return state_of(s)->lock_path;
}

static const char *node(struct service *s)
{
	return state_of(s)->agent.owner.node;
}

static int tunnels_open(struct agent *a, struct err *e)
{
	_cleanup_(closep) int fd = directory_open(a->store.fd, "engines", 0700, e);

	if (fd < 0)
		return -1;
	a->tunnels.engine = engine_program;
	a->tunnels.proxy_engine = proxy_engine_program;
	a->tunnels.directory = xasprintf("%s/engines", a->store.path);
	a->tunnels.uplink_fd = -1;
	a->tunnels.sealing = &a->sealing;
	return 0;
}

static int surroundings_open(struct agent *a, struct err *e)
{
	if (uplink_open(a, uplink_path, e) < 0)
		return -1;
	return seal_pair_load(a->store.fd, "sealing.key", &a->sealing, e);
}

// A namespace that is gone has taken its cage along.
static int release(struct agent *a, struct err *e)
{
	struct err ignored;
	if (release_all(a, e) < 0)
		return -1;
	return surroundings_open(a, &ignored) < 0 ? 0 : uplink_remove_cage(a, e);
}

// The lock is held: no other agent acts for this node.
static int listen_begin(struct service *s, struct err *e)
{
	struct agent *a = &state_of(s)->agent;

	if (tunnels_open(a, e) < 0)
		return -1;
	if (release_asked) {
		if (release(a, e) < 0)
			return err_wrap(e, "release what this node holds");
		exit(EXIT_SUCCESS);
	}
	if (surroundings_open(a, e) < 0)
		return -1;
	uplink_load_cage(a);
	troubles_find_cgroups(a);
	egress_test_sweep(a);
	return dial_new(a, &a->dial, e);
}

// Logs like every program. After the report of a host's task the host is looked at once more: what
// happened to it while the task ended was not the task's.
static void task_event(void *data, enum task_event event, const struct task *task,
	enum task_end end, int64_t took_ms, const struct err *e)
{
	struct agent *a = data;

	program_log_task(data, event, task, end, took_ms, e);
	if (event == TASK_EVENT_ENDED && task && task->host_id[0] != '\0' && a->knows_hosts &&
		end != TASK_DROPPED)
		inspect_host(a, task->host_id);
}

static int pools_start(struct service *s, struct agent *a, struct err *e)
{
	const struct pool_conf checks = {
		.name = "check", .threads = CHECKS, .queue = CHECK_QUEUE, .loop = s->loop};
	const struct pool_conf inspections = {
		.name = "inspect", .threads = INSPECTIONS, .queue = INSPECT_QUEUE, .loop = s->loop};
	const struct pool_conf dials = {.name = "dial",
		.threads = DIALS,
		.queue = DIAL_QUEUE,
		.loop = s->loop,
		.db = {.conninfo = s->database, .name = "ccp-agent/dial"}};
	const struct task_conf tasks = {.name = "task",
		.slots = TASKS,
		.conninfo = s->database,
		.db_name = "ccp-agent",
		.kinds = agent_kinds,
		.data = a,
		.event = task_event};

	if (pool_new(&checks, &a->check_pool, e) < 0 ||
		pool_new(&inspections, &a->inspect_pool, e) < 0 ||
		pool_new(&dials, &a->dial_pool, e) < 0)
		return -1;
	return task_runner_new(&tasks, &s->tasks, e);
}

static int start(struct service *s, struct err *e)
{
	struct state *state = state_of(s);
	struct agent *a = &state->agent;

	a->loop = s->loop;
	a->guards = guards_new(a);
	a->hosts = hosts_new(guards_end, a->guards);
	state->sync = sync_new(a);
	a->outbox = outbox_new(sync_soon, state->sync);
	if (cage_guard_new(a, &state->cage_guard, e) < 0 ||
		inspect_begin(a, &state->inspections, e) < 0 ||
		docker_events_new(a, &a->docker_events, e) < 0)
		return -1;
	return pools_start(s, a, e);
}

static int registered(struct service *s, const struct bus_identity *identity, struct err *e)
{
	struct agent *a = &state_of(s)->agent;

	a->process_id = identity->process_id;
	a->owner.cluster = a->cluster;
	if (!text_copy(a->cluster, sizeof(a->cluster), identity->cluster))
		return err_say(e, EPROTO, "the database's cluster has too long a name");
	if (release_remember(a, e) < 0 || troubles_new(a, &state_of(s)->troubles, e) < 0 ||
		measure_new(a, &state_of(s)->measure, e) < 0)
		return -1;
	return dial_start(a->dial, e);
}

static void scan(struct service *s)
{
	sync_scan(state_of(s)->sync);
}

// Every thread has ended.
static void state_free(struct state *state)
{
	struct agent *a = &state->agent;

	loop_source_free(state->inspections);
	cage_guard_free(state->cage_guard);
	troubles_free(state->troubles);
	measure_free(state->measure);
	guards_free(a->guards);
	outbox_free(a->outbox);
	sync_free(state->sync);
	hosts_free(a->hosts);
	mem_wipe(&a->sealing, sizeof(a->sealing));
	uplink_close(a);
	closep(&a->store.fd);
	freep(&a->store.path);
	freep(&a->init_path);
	freep(&a->no_cgroups);
	freep(&a->tunnels.directory);
	freep(&state->lock_path);
	free(state);
}

// Hosts go on: their proofs are leases, and the next agent adopts them.
static void stop(struct service *s)
{
	struct state *state = state_of(s);
	struct agent *a = &state->agent;

	dial_free(a->dial);
	docker_events_free(a->docker_events);
	if (task_runner_stop(s->tasks, STOP_MS) != 0 || pool_stop(a->dial_pool, STOP_MS) != 0 ||
		pool_stop(a->check_pool, STOP_MS) != 0 || pool_stop(a->inspect_pool, STOP_MS) != 0)
		program_leave_threads();
	state_free(state);
	s->data = NULL;
}

static const struct program program = {
	.name = "ccp-agent",
	.summary =
		"ccp-agent makes hosts real on this machine: containers, tunnels, walls and proofs.",
	.options = options,
	.commands = commands,
	.bus_name = "agent",
	.lock_path = lock_path,
	.node = node,
	.configure = configure,
	.listen = listen_begin,
	.start = start,
	.registered = registered,
	.scan = scan,
	.stop = stop,
};

int main(int argc, char **argv)
{
	return program_main(&program, argc, argv);
}
