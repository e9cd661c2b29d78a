// SPDX-License-Identifier: Apache-2.0
// host.start: from nothing to a host whose exit is proven, whose gate is open and whose sshd
// answers.
#include "agent/kinds.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/check.h"
#include "agent/dial.h"
#include "agent/gate.h"
#include "agent/keys.h"
#include "agent/live.h"
#include "agent/netns.h"
#include "agent/outbox.h"
#include "agent/probe.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/sock.h"

enum {
	DOCKER_MS = 20000,
	HANDSHAKE_MS = 3000,
	ENGINE_MS = 5000,
	VERIFY_MS = 12000,
	GATE_MS = 3000,
	SSHD_MS = 10000,
};

// Nothing of a former run may be left, and everything the container mounts must be there.
int start_prepare(struct task *task, struct err *e)
{
	struct work *work = task->state;
	const struct host_spec *spec = work->host->spec;
	struct keys_public keys;
	const char *code;
	int r = step_end(task, e);

	if (r != 0)
		return r;
	if (host_spec_can_start(spec, &code, e) < 0) {
		(void)!work_fail(task, code, e);
		return task_fail(task, code, TASK_RETRY_NO);
	}
	if (home_open(work->agent, work->host->id, false, &work->home, e) < 0 ||
		keys_read(work->home.dir_fd, work->home.etc_fd, &keys, e) < 0) {
		if (e->code == ENOENT)
			err_note(e, ENOENT,
				"the host's keys are not on this machine: run host.create");
		return work_fail(task, "internal", e);
	}
	r = work_home(task, e);
	if (r == 0 && home_write_etc(&work->home, spec, keys.ssh_client, e) < 0)
		r = work_fail_files(task, e);
	return r;
}

// Borrows from the work.
static struct container_wish wish_of(const struct work *work)
{
	const struct host_spec *spec = work->host->spec;

	return (struct container_wish){
		.node = work->agent->node,
		.cluster = work->agent->cluster,
		.host_id = work->host->id,
		.hostname = spec->short_id,
		.image_id = spec->image_id,
		.timezone = spec->timezone,
		.memory_limit_mb = spec->memory_limit_mb,
		.cpu_limit_milli = spec->cpu_limit_milli,
		.pids_limit = spec->pids_limit,
		.open_files = work->agent->open_files,
		.ipv6 = spec->exit.ipv6,
		.init_path = work->agent->init_path,
		.etc_dir = work->home.etc_path,
		.home_dir = work->home.home_path,
	};
}

static int container_make(struct work *work, const char *name, const struct wait *w, struct err *e)
{
	const struct container_wish wish = wish_of(work);
	_cleanup_(freep) char *body = container_body(&wish);

	return docker_create(work->docker, name, body, w, work->container_id, e);
}

// The container of the last start; its limits may have been changed since.
static int container_take(struct work *work, const char *id, const struct wait *w, struct err *e)
{
	const struct container_wish wish = wish_of(work);
	_cleanup_(freep) char *limits = container_limits(&wish);

	strcpy(work->container_id, id);
	return docker_update(work->docker, id, limits, w, e);
}

int start_create(struct task *task, struct err *e)
{
	struct work *work = task->state;
	struct wait w = task_wait(task, DOCKER_MS);
	struct docker_container c;
	char name[CONTAINER_NAME_SIZE];
	int r;

	live_name(work->agent, work->host->id, name);
	r = docker_inspect(work->docker, name, &w, &c, e);
	if (r == DOCKER_ABSENT && work->host->spec->image_id[0] == '\0') {
		err_note(e, ENOENT, "the host has no image yet: run host.create");
		return work_fail(task, "image_missing", e);
	}
	if (r == 0)
		r = container_take(work, c.id, &w, e);
	else if (r == DOCKER_ABSENT)
		r = container_make(work, name, &w, e);
	if (r == DOCKER_ABSENT) {
		err_note(e, ENOENT,
			"the host's image is gone from this machine: load it again or rebuild the host");
		return work_fail(task, "image_missing", e);
	}
	return work_docker(task, r, e);
}

int start_boot(struct task *task, struct err *e)
{
	struct work *work = task->state;
	struct wait w = task_wait(task, DOCKER_MS);
	struct docker_container c = {0};
	int r = docker_start(work->docker, work->container_id, &w, e);

	if (r == 0)
		r = docker_inspect(work->docker, work->container_id, &w, &c, e);
	if (r == 0 && !c.running)
		r = err_say(e, EIO, "the container ended at once with status %d", c.exit_code);
	if (r != 0)
		return work_docker(task, r, e);
	strcpy(work->live.container_id, c.id);
	strcpy(work->live.started_at, c.started_at);
	work->live.pid = c.pid;
	work->live.ns_fd = netns_open(c.sandbox_key, e);
	return work->live.ns_fd < 0 ? work_fail(task, "docker_failed", e) : 0;
}

int start_wall(struct task *task, struct err *e)
{
	struct work *work = task->state;
	struct wall_spec spec;

	live_wall_spec(work->host->spec, &spec);
	if (wall_init(&work->live.wall, work->live.ns_fd, &spec, e) < 0 ||
		wall_load(&work->live.wall, e) < 0)
		return work_fail(task, "inventory", e);
	return 0;
}

static int tunnel_config(
	struct work *work, const char *key_path, struct wireguard_config *ret, struct err *e)
{
	uint8_t key[KEY32_SIZE];
	int r = keys_wireguard(work->home.dir_fd, key, e);

	if (r == 0)
		r = host_spec_wireguard(
			work->host->spec, key, key_path, &work->agent->sealing, ret, e);
	mem_wipe(key, sizeof(key));
	return r;
}

// What the person who runs the exit has to do is the most likely reason, and named.
static int no_handshake(struct task *task, struct work *work, struct err *e)
{
	char address[ADDR_TEXT_MAX];
	struct keys_public keys;
	struct err why = *e;

	if (keys_read(work->home.dir_fd, work->home.etc_fd, &keys, e) == 0)
		err_note(e, ETIMEDOUT,
			"the exit %s did not answer within %d s: register the key %s with it for %s (%s)",
			work->host->spec->exit.label, HANDSHAKE_MS / 1000, keys.wireguard,
			addr_cidr(&work->host->spec->exit.address, address), why.message);
	return work_fail(task, "tunnel_no_handshake", e);
}

static int tunnel_run(
	struct task *task, struct work *work, const struct wireguard_config *config, struct err *e)
{
	const struct engine_home *engines = &work->agent->engines;
	struct live *live = &work->live;
	struct wait w = task_wait(task, ENGINE_MS);
	int64_t begun = wait_now_us();
	int r;

	live_link_spec(work->host->spec, &live->link);
	r = engine_start(engines, live->container_id, live->ns_fd, config, &live->link, &w,
		&live->engine, e);
	if (r == 0) {
		w = task_wait(task, HANDSHAKE_MS);
		r = engine_wait_handshake(engines, &live->engine, config, &w, e);
	}
	if (r == WAIT_CANCELED)
		return r;
	if (r == ENGINE_NO_HANDSHAKE)
		return no_handshake(task, work, e);
	if (r != 0)
		return work_fail(task, "tunnel_no_handshake", e);
	evidence_add(&work->ev, "handshake", OUTCOME_PASSED, NULL, wait_now_us() - begun,
		"the exit answered");
	return 0;
}

int start_tunnel(struct task *task, struct err *e)
{
	struct work *work = task->state;
	_cleanup_(freep) char *key_path =
		xasprintf("%s/hosts/%s/" KEYS_WIREGUARD, work->agent->data_dir, work->host->id);
	struct wireguard_config config;
	int r = tunnel_config(work, key_path, &config, e);

	if (r < 0)
		return work_fail(task, "settings_incomplete", e);
	r = tunnel_run(task, work, &config, e);
	mem_wipe(&config, sizeof(config));
	return r;
}

// Fails with the code and the sentence of the heaviest check.
static int judged(struct task *task, const struct evidence *ev, struct err *e)
{
	if (ev->outcome == OUTCOME_PASSED)
		return 0;
	err_note(e, EACCES, "%s", ev->sentence);
	return task_fail(task, agent_error_code(ev->code), TASK_RETRY_NO);
}

// Before anything is asked through the tunnel: it is ours, and the wall in front of it is closed.
int start_examine(struct task *task, struct err *e)
{
	struct work *work = task->state;
	struct live *live = &work->live;
	int r = engine_check(&live->engine, live->ns_fd, live->link.tunnel, &work->ev, e);

	if (r == 0)
		r = link_check(live->ns_fd, &live->link, &work->ev, e);
	if (r == 0)
		r = wall_check(&live->wall, NULL, &work->ev, e);
	if (r == 0)
		r = probe_run(&live->wall, live->ns_fd, PROBE_CLOSED, &work->ev, e);
	return r != 0 ? work_fail(task, "inconclusive", e) : judged(task, &work->ev, e);
}

int start_verify(struct task *task, struct err *e)
{
	struct work *work = task->state;
	struct wait w = task_wait(task, VERIFY_MS);
	struct verify_spec spec;
	int r;

	host_spec_verify(work->host->spec, VERIFY_FULL, &spec);
	r = verify_run(work->live.ns_fd, &spec, &w, &work->ev, e);
	if (r == WAIT_CANCELED)
		return r;
	return r != 0 ? work_fail(task, "inconclusive", e) : judged(task, &work->ev, e);
}

int start_prove(struct task *task, struct err *e)
{
	struct work *work = task->state;
	struct live *live = &work->live;

	if (wall_open(&live->wall, work->host->spec->proof_life_s * 1000, e) < 0 ||
		probe_run(&live->wall, live->ns_fd, PROBE_OPEN, &work->ev, e) < 0)
		return work_fail(task, "leak", e);
	return judged(task, &work->ev, e);
}

// Reads the start of sshd's banner: it answers.
static int banner_read(int ns_fd, const struct wait *w, struct err *e)
{
	_cleanup_(closep) int fd = -1;
	char banner[4];
	int r = dial_inside(ns_fd, 22, w, &fd, e);

	if (r == 0)
		r = sock_read_all(fd, banner, sizeof(banner), w, e);
	if (r == 0 && memcmp(banner, "SSH-", 4) != 0)
		return err_say(e, EPROTO, "what answers on port 22 is no SSH server");
	return r;
}

int start_gate(struct task *task, struct err *e)
{
	struct work *work = task->state;
	struct wait w = task_wait(task, GATE_MS);
	enum gate_state state = GATE_WAITING;
	int r = gate_connect(work->live.ns_fd, work->live.pid, &w, &work->gate_fd, e);

	if (r == 0)
		r = gate_say(work->gate_fd, GATE_ASK, &w, &state, e);
	if (r == 0 && state != GATE_WAITING)
		r = err_say(e, EPERM, "the gate was open before the exit was proven");
	if (r == 0)
		r = gate_say(work->gate_fd, GATE_OPEN, &w, &state, e);
	if (r == WAIT_CANCELED)
		return r;
	if (r != 0)
		return work_fail(task, "gate_failed", e);
	w = task_wait(task, SSHD_MS);
	if (state != GATE_SSHD_UP)
		r = gate_wait_sshd(work->gate_fd, &w, e);
	if (r == 0)
		r = banner_read(work->live.ns_fd, &w, e);
	if (r == WAIT_CANCELED || r == 0)
		return r;
	return work_fail(task, "sshd_silent", e);
}

// From here on the host is live: guarded, dialled, renewed.
int start_finish(struct task *task, struct err *e)
{
	struct work *work = task->state;
	struct agent *a = work->agent;

	host_set_live(a->hosts, work->host, &work->live);
	work->live = LIVE_INIT;
	if (checks_begin(a->guards, work->host, e) < 0)
		return work_fail(task, "internal", e);
	json_set_text(task->result, "exit_ip", work->ev.observed_ip);
	json_set(task->result, "checks", cJSON_Duplicate(work->ev.checks, true));
	outbox_verified(a->outbox, work->host->id, task->id, "start", &work->ev);
	outbox_observe(a->outbox, work->host->id, "running", NULL, NULL);
	work->ev_stored = true;
	work_tell(task);
	return 0;
}
