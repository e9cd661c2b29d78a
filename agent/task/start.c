// SPDX-License-Identifier: Apache-2.0
// host.start: from nothing to a host whose exit is proven, whose gate is open and whose sshd
// answers.
#include "agent/task/start.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/container/gate.h"
#include "agent/container/rootfs.h"
#include "agent/container/socket_memory.h"
#include "agent/host/bring_up.h"
#include "agent/host/guard.h"
#include "agent/host/outbox.h"
#include "agent/host/ssh.h"
#include "agent/net/netns.h"
#include "agent/net/probe.h"
#include "agent/store/keys.h"
#include "agent/store/trash.h"
#include "agent/task/host_task.h"
#include "agent/task/steps.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"

enum {
	DOCKER_MS = 20000,
	VERIFY_MS = 12000,
	GATE_MS = 3000,
	SSHD_MS = 10000,
};

// Nothing of a former run may be left, and everything the container mounts must be there.
int start_prepare(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;
	const struct host_spec *spec = ht->host->spec;
	struct keys_public keys;
	const char *code;
	int r = step_end(task, e);

	if (r != 0)
		return r;
	if (host_spec_can_start(spec, &code, e) < 0)
		return host_task_refuse(task, code, e);
	if (home_open(&ht->agent->store, ht->host->id, false, &ht->home, e) < 0 ||
		keys_read(ht->home.dir_fd, ht->home.etc_fd, &keys, e) < 0) {
		if (e->code == ENOENT)
			err_note(e, ENOENT,
				"the host's keys are not on this machine: run host.create");
		return host_task_fail(task, "internal", e);
	}
	r = host_task_home(task, e);
	const struct home_ccp ccp = {.init_path = ht->agent->init_path,
		.hostname = spec->short_id,
		.client_key = keys.ssh_client,
		.resolver = spec->exit.resolver,
		.sudo = spec->sudo};
	if (r == 0 && (home_write_ccp(&ht->home, &ccp, e) < 0 ||
			      home_renew_tmp(&ht->agent->store, ht->host->id, e) < 0))
		r = host_task_fail_files(task, e);
	if (r == 0)
		trash_sweep(ht->agent->check_pool, &ht->agent->store);
	return r;
}

// Borrows from the host.
static struct container_config config_of(const struct host_task *ht)
{
	const struct host_spec *spec = ht->host->spec;

	return (struct container_config){
		.owner = ht->agent->owner,
		.host_id = ht->host->id,
		.hostname = spec->short_id,
		.image_id = spec->image_id,
		.timezone = spec->timezone,
		.ids = spec->ids,
		.memory_limit_mb = spec->memory_limit_mb,
		.cpu_limit_milli = spec->cpu_limit_milli,
		.pids_limit = spec->pids_limit,
		.open_files = ht->agent->open_files,
		.ipv6 = spec->exit.ipv6,
		.ccp_dir = ht->home.ccp_path,
		.tmp_dir = ht->home.tmp_path,
		.hosts_file = ht->home.hosts_path,
		.home_dir = ht->home.home_path,
	};
}

static int container_make(
	struct host_task *ht, const char *name, const struct wait *w, struct err *e)
{
	const struct container_config config = config_of(ht);
	_cleanup_(freep) char *body = container_body(&config);

	return docker_create(ht->docker, name, body, w, ht->container_id, e);
}

// Docker does not change a container's ids, and a container without a range of its own must not run
// where one is required.
static bool ids_differ(const struct host_task *ht, const struct docker_container *c, struct err *e)
{
	const struct container_ids *ids = &ht->host->spec->ids;

	if (c->ids.base == ids->base && c->ids.owner == ids->owner)
		return false;
	err_note(e, EPERM,
		c->ids.base == 0
			? "the host's container was made without user ids of its own, which user_namespaces now requires: rebuild the host, which keeps its home"
		: ids->base == 0
			? "the host's container was made with user ids of its own, which user_namespaces now turns off: rebuild the host, which keeps its home"
			: "the host's container was made with other user ids than the host has now: rebuild the host, which keeps its home");
	return true;
}

// Docker, or the machine, failed while it was being removed. What is left of it is there for ever
// and starts no more.
static bool is_half_removed(const struct docker_container *c, struct err *e)
{
	if (c->removal_failed)
		err_note(e, EIO,
			"a removal of the host's container has failed, so that Docker starts it no more: "
			"rebuild the host, which keeps its home");
	return c->removal_failed;
}

// The container of the last start; its limits may have been changed since.
static int container_take(struct host_task *ht, const char *id, const struct wait *w, struct err *e)
{
	const struct container_config config = config_of(ht);
	_cleanup_(freep) char *limits = container_limits(&config);

	strcpy(ht->container_id, id);
	return docker_update(ht->docker, id, limits, w, e);
}

int start_create(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;
	struct wait w = task_wait(task, DOCKER_MS);
	struct docker_container c;
	char name[CONTAINER_NAME_SIZE];

	container_name(&ht->agent->owner, ht->host->id, name);
	int r = docker_inspect(ht->docker, name, &w, &c, e);
	if (r == DOCKER_ABSENT && ht->host->spec->image_id[0] == '\0') {
		err_note(e, ENOENT, "the host has no image yet: run host.create");
		return host_task_fail(task, "image_missing", e);
	}
	if (r == 0 && (is_half_removed(&c, e) || ids_differ(ht, &c, e)))
		return host_task_refuse(task, "rebuild_needed", e);
	if (r == 0)
		r = container_take(ht, c.id, &w, e);
	else if (r == DOCKER_ABSENT)
		r = container_make(ht, name, &w, e);
	if (r == DOCKER_ABSENT) {
		err_note(e, ENOENT,
			"the host's image is not on this machine any more: load it again or rebuild the host");
		return host_task_fail(task, "image_missing", e);
	}
	return host_task_docker(task, r, e);
}

static int refuse_rootfs(struct task *task, struct err *e)
{
	struct err why = *e;

	err_note(e, EINVAL,
		"the container cannot be started safely, %s; rebuild the host, which keeps its home",
		why.message);
	return host_task_refuse(task, "rebuild_needed", e);
}

int start_boot(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;
	struct wait w = task_wait(task, DOCKER_MS);
	struct docker_container c = {0};
	ht->down = false;
	int r = rootfs_check(ht->docker, ht->container_id, ROOTFS_KEPT, &w, e);

	if (r == ROOTFS_UNFIT)
		return refuse_rootfs(task, e);
	if (r == 0)
		r = docker_start(ht->docker, ht->container_id, &w, e);
	if (r == 0)
		r = docker_inspect(ht->docker, ht->container_id, &w, &c, e);
	if (r == 0 && !c.running)
		r = err_say(e, EIO, "the container ended at once with status %d%s", c.exit_code,
			gate_status_text(c.exit_code));
	if (r != 0)
		return host_task_docker(task, r, e);
	strcpy(ht->run.container_id, c.id);
	strcpy(ht->run.started_at, c.started_at);
	ht->run.pid = c.pid;
	ht->run.ns_fd = netns_open(c.sandbox_key, e);
	return ht->run.ns_fd < 0 ? host_task_fail(task, "docker_failed", e) : 0;
}

static const struct exit_spec *exit_of(const struct host_task *ht)
{
	return ht->to ? ht->to : &ht->host->spec->exit;
}

int start_wall(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;

	return bring_up_wall(&ht->run, exit_of(ht), e) < 0 ? host_task_fail(task, "inventory", e)
							   : 0;
}

// The likeliest reason why a WireGuard exit does not answer is that it does not know our key yet.
static void unanswered_explain(const struct host_task *ht, struct err *e)
{
	const struct exit_spec *exit = exit_of(ht);
	const char *key = exit_own_key(exit);
	struct keys_public keys;
	struct err ignored;
	if (exit->tunnel.kind->reach && !key &&
		keys_read(ht->home.dir_fd, ht->home.etc_fd, &keys, &ignored) == 0)
		key = keys.wireguard;
	bring_up_explain(exit, key, e);
}

static int tunnel_up(struct task *task, struct host_task *ht, struct err *e)
{
	_cleanup_(freep) char *key_path =
		xasprintf("%s/hosts/%s/" KEYS_WIREGUARD, ht->agent->store.path, ht->host->id);
	char name[TUNNEL_NAME_SIZE];
	uint8_t key[KEY32_SIZE];
	if (!tunnel_name(ht->run.container_id, name))
		return err_outcome(e, TUNNEL_UNUSABLE, EINVAL, "\"%s\" is not a container's id",
			ht->run.container_id);
	if (keys_wireguard(ht->home.dir_fd, key, e) < 0)
		return TUNNEL_UNUSABLE;
	ht->run.tunnels = &ht->agent->tunnels;
	const struct tunnel_start start = {.name = name,
		.private_key = key,
		.key_path = key_path,
		.budget = ht->host->spec->tunnel_budget,
		.uid = ht->host->spec->tunnel_uid};
	struct verify_spec inside;
	struct wait w = task_wait(task, BRING_UP_MS);
	host_spec_verify(ht->host->spec, exit_of(ht), VERIFY_LIGHT, &inside);
	int r = bring_up_tunnel(&ht->run, exit_of(ht), &start, &inside, &w, &ht->ev, e);
	mem_wipe(key, sizeof(key));
	return r;
}

int start_tunnel(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;
	int r = tunnel_up(task, ht, e);
	if (r == WAIT_CANCELED || r == 0)
		return r;
	if (r == TUNNEL_UNUSABLE)
		return host_task_fail(task, "settings_incomplete", e);
	if (r == TUNNEL_UNFIT)
		return host_task_refuse(task, "machine_unfit", e);
	if (r == TUNNEL_UNANSWERED)
		unanswered_explain(ht, e);
	return host_task_fail(task, exit_of(ht)->tunnel.kind->code, e);
}

// Fails with the code and the sentence of the heaviest check.
static int judged(struct task *task, const struct evidence *ev, struct err *e)
{
	return ev->outcome == OUTCOME_PASSED ? 0 : host_task_fail_evidence(task, ev, e);
}

int start_examine(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;

	return bring_up_examine(&ht->run, &ht->ev, e) != 0 ? host_task_fail(task, "inconclusive", e)
							   : judged(task, &ht->ev, e);
}

int start_verify(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;
	struct wait w = task_wait(task, VERIFY_MS);
	struct verify_spec spec;

	host_spec_verify(ht->host->spec, exit_of(ht), VERIFY_FULL, &spec);
	int r = bring_up_verify(&ht->run, &spec, &w, &ht->ev, e);
	if (r == WAIT_CANCELED)
		return r;
	return r != 0 ? host_task_fail(task, "inconclusive", e) : judged(task, &ht->ev, e);
}

int start_prove(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;
	struct run *run = &ht->run;

	if (wall_open(&run->wall, ht->host->spec->proof_life_s * 1000, e) < 0 ||
		probe_run(&run->wall, run->ns_fd, PROBE_OPEN, &ht->ev, e) < 0)
		return host_task_fail(task, "leak", e);
	return judged(task, &ht->ev, e);
}

static int sshd_silent(struct task *task, const struct gate_answer *seen, struct err *e)
{
	struct err why = *e;

	err_note(e, why.code, "the container's sshd does not answer (%s): rebuild the host%s%s",
		why.message, seen->words[0] ? "; last said inside: " : "", seen->words);
	return host_task_fail(task, "sshd_silent", e);
}

// No program of a user's runs before the gate is open, and each start has a new group: an open gate
// means that the limit is there, also to an agent that adopts the host.
static int sockets_limit(const struct host_task *ht, struct err *e)
{
	const struct socket_memory memory = {.container_id = ht->run.container_id,
		.pid = ht->run.pid,
		.memory_limit_mb = ht->host->spec->memory_limit_mb};

	return socket_memory_limit("", &memory, e);
}

int start_gate(struct task *task, struct err *e)
{
	struct host_task *ht = task->state;
	struct wait w = task_wait(task, GATE_MS);
	struct gate_answer seen = {.state = GATE_WAITING};
	_cleanup_(closep) int program_fd = home_init_open(&ht->home, e);
	const struct pid1 expected = {.pid = ht->run.pid,
		.uid = (uid_t)ht->host->spec->ids.base,
		.ns_fd = ht->run.ns_fd,
		.program_fd = program_fd,
		.alone = true};
	int r = program_fd < 0 ? -1 : gate_connect(&expected, &w, &ht->gate_fd, e);

	if (r == 0)
		r = gate_say(ht->gate_fd, GATE_ASK, &w, &seen, e);
	if (r == 0 && seen.state != GATE_WAITING)
		r = err_say(e, EPERM, "the gate was open before the exit was proven");
	if (r == 0)
		r = sockets_limit(ht, e);
	if (r == 0)
		r = gate_say(ht->gate_fd, GATE_OPEN, &w, &seen, e);
	if (r == WAIT_CANCELED)
		return r;
	if (r != 0)
		return host_task_fail(task, "gate_failed", e);
	w = task_wait(task, SSHD_MS);
	if (seen.state != GATE_SSHD_UP)
		r = gate_wait_sshd(ht->gate_fd, &w, &seen, e);
	if (r == 0)
		r = ssh_banner(ht->run.ns_fd, &w, e);
	if (r == WAIT_CANCELED || r == 0)
		return r;
	return sshd_silent(task, &seen, e);
}

int start_publish(struct task *task, const char *task_id, struct err *e)
{
	struct host_task *ht = task->state;
	struct agent *a = ht->agent;

	host_set_run(a->hosts, ht->host, &ht->run);
	ht->run = RUN_INIT;
	if (guards_begin(a->guards, ht->host, e) < 0)
		return host_task_fail(task, "internal", e);
	outbox_verified(a->outbox, ht->host->id, task_id, "start", &ht->ev);
	outbox_observe(a->outbox, ht->host->id, "running", NULL, NULL);
	outbox_proven(a->outbox, ht->host->id, ht->host->spec->proof_life_s);
	ssh_note(a, ht->host->id, NULL);
	ht->ev_stored = true;
	host_task_flush_reports(task);
	return 0;
}

int start_finish(struct task *task, struct err *e)
{
	const struct host_task *ht = task->state;
	json_set_text(task->result, "exit_ip", ht->ev.observed_ip);
	json_set(task->result, "checks", cJSON_Duplicate(ht->ev.checks, true));
	return start_publish(task, task->id, e);
}
