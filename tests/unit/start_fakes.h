// SPDX-License-Identifier: Apache-2.0
// Everything that the steps of a start call, as fakes: each answers what `answers` says.
#pragma once

#include "tests/unit/agent_fakes.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/container/gate.h"
#include "agent/container/rootfs.h"
#include "agent/container/socket_memory.h"
#include "agent/host/guard.h"
#include "agent/host/reach.h"
#include "agent/host/ssh.h"
#include "agent/net/netns.h"
#include "agent/net/probe.h"
#include "agent/store/keys.h"
#include "agent/store/trash.h"
#include "agent/task/host_task.h"
#include "agent/task/start.h"
#include "agent/task/steps.h"
#include "lib/mem.h"

static struct {
	int end, can_start, open, keys, home, etc, tmp; // prepare
	int inspect, create, update, rootfs, start; // create, boot
	bool running, removal_failed;
	struct container_ids ids;
	int netns, init, load; // boot, wall
	int copy, key, tunnel, reach; // tunnel
	int prove, link, check, probe, verify, wall_open; // examine, verify, prove
	const int *fits; // what passes, one verification after the other; 0: all does
	int configure;
	enum outcome proves, links, checks, probes, verifies;
	int program, connect, ask, sockets, go, sshd, banner; // gate
	enum gate_state before, after;
	const char *words;
	int guard; // finish
	int keys_errno;
	const char *own_key;
} answers;

static struct agent agent = {.store = {.path = "/data"}};
static struct host host;
static struct host_spec spec;
static struct host_task ht;
static struct task task;

struct wait task_wait(const struct task *t, int timeout_ms)
{
	(void)t;
	return wait_for(timeout_ms, -1);
}

int host_task_fail(struct task *t, const char *code, struct err *e)
{
	(void)t;
	did("fail %s: %s", code, e->message);
	return -1;
}

int host_task_refuse(struct task *t, const char *code, struct err *e)
{
	(void)t;
	did("refuse %s: %s", code, e->message);
	return -1;
}

int host_task_fail_evidence(struct task *t, const struct evidence *ev, struct err *e)
{
	(void)t;
	(void)e;
	did("judged %s", outcome_name(ev->outcome));
	return -1;
}

int host_task_fail_files(struct task *t, struct err *e)
{
	(void)t;
	did("fail files: %s", e->message);
	return -1;
}

int host_task_docker(struct task *t, int r, struct err *e)
{
	(void)t;
	if (r == 0 || r == WAIT_CANCELED)
		return r;
	did("fail docker: %s", e->message);
	return -1;
}

int host_task_home(struct task *t, struct err *e)
{
	(void)t;
	did("home");
	return result(answers.home, "no home", e);
}

void host_task_flush_reports(struct task *t)
{
	(void)t;
	did("flush");
}

int step_end(struct task *t, struct err *e)
{
	(void)t;
	did("end");
	return result(answers.end, "no end", e);
}

int host_spec_can_start(const struct host_spec *s, const char **ret_code, struct err *e)
{
	(void)s;
	*ret_code = "egress_binding_missing";
	return result(answers.can_start, "no exit", e);
}

int home_open(
	const struct store *store, const char *host_id, bool make, struct home *ret, struct err *e)
{
	(void)store;
	(void)host_id;
	(void)ret;
	assert_false(make);
	did("open");
	return result(answers.open, "no directory", e);
}

int keys_read(int dir_fd, int etc_fd, struct keys_public *ret, struct err *e)
{
	(void)dir_fd;
	(void)etc_fd;
	strcpy(ret->ssh_client, "ssh key");
	strcpy(ret->wireguard, "public key");
	int r = result(answers.keys, "no keys", e);
	if (r < 0 && answers.keys_errno)
		e->code = answers.keys_errno;
	return r;
}

int home_write_ccp(const struct home *h, const struct home_ccp *ccp, struct err *e)
{
	(void)h;
	did("write %s", ccp->client_key);
	return result(answers.etc, "no etc", e);
}

int home_renew_tmp(const struct store *store, const char *host_id, struct err *e)
{
	(void)store;
	(void)host_id;
	did("renew tmp");
	return result(answers.tmp, "no tmp", e);
}

void trash_sweep(struct pool *pool, const struct store *store)
{
	(void)pool;
	(void)store;
	did("sweep");
}

void container_name(const struct container_owner *owner, const char *host_id,
	char ret[static CONTAINER_NAME_SIZE])
{
	(void)owner;
	snprintf(ret, CONTAINER_NAME_SIZE, "%s", host_id);
}

char *container_body(const struct container_config *config)
{
	return xstrdup(config->image_id);
}

char *container_limits(const struct container_config *config)
{
	return xasprintf("%lld", (long long)config->pids_limit);
}

int docker_inspect(struct docker *d, const char *id, const struct wait *w,
	struct docker_container *ret, struct err *e)
{
	(void)d;
	(void)w;
	did("inspect %s", id);
	*ret = (struct docker_container){.running = answers.running,
		.removal_failed = answers.removal_failed,
		.ids = answers.ids,
		.pid = 78,
		.exit_code = 3,
		.id = "found",
		.started_at = "now",
		.sandbox_key = "/key"};
	return result(answers.inspect, "not inspected", e);
}

int docker_create(struct docker *d, const char *name, const char *body, const struct wait *w,
	char ret_id[static DOCKER_ID_SIZE], struct err *e)
{
	(void)d;
	(void)w;
	did("create %s %s", name, body);
	strcpy(ret_id, "made");
	return result(answers.create, "not created", e);
}

int docker_update(
	struct docker *d, const char *id, const char *body, const struct wait *w, struct err *e)
{
	(void)d;
	(void)w;
	did("update %s %s", id, body);
	return result(answers.update, "not updated", e);
}

int rootfs_check(struct docker *d, const char *id, enum rootfs_scope scope, const struct wait *w,
	struct err *e)
{
	(void)d;
	(void)w;
	assert_int_equal(scope, ROOTFS_KEPT);
	did("look at %s", id);
	return result(answers.rootfs, "/etc is a link", e);
}

int docker_start(struct docker *d, const char *id, const struct wait *w, struct err *e)
{
	(void)d;
	(void)w;
	did("start %s", id);
	return result(answers.start, "not started", e);
}

int netns_open(const char *path, struct err *e)
{
	did("netns %s", path);
	return answers.netns < 0 ? err_say(e, EIO, "no namespace") : 5;
}

const char *exit_own_key(const struct exit_spec *exit)
{
	(void)exit;
	return answers.own_key;
}

void exit_wall_spec(const struct exit_spec *exit, struct wall_spec *ret)
{
	(void)exit;
	*ret = (struct wall_spec){.tunnel = "tun0"};
}

int netns_set_ipv6(int ns_fd, bool ipv6, struct err *e)
{
	(void)ns_fd;
	(void)e;
	assert_false(ipv6); // of no exit here
	return 0;
}

int wall_init(struct wall *w, int ns_fd, const struct wall_spec *s, struct err *e)
{
	(void)w;
	(void)ns_fd;
	did("init %s", s->tunnel);
	return result(answers.init, "no socket", e);
}

int wall_load(struct wall *w, struct err *e)
{
	(void)w;
	did("load");
	return result(answers.load, "no rules", e);
}

bool tunnel_name(const char *id, char ret[static TUNNEL_NAME_SIZE])
{
	snprintf(ret, TUNNEL_NAME_SIZE, "c%s", id);
	return id[0] != '\0';
}

int keys_wireguard(int dir_fd, uint8_t ret[static KEY32_SIZE], struct err *e)
{
	(void)dir_fd;
	memset(ret, 1, KEY32_SIZE);
	return result(answers.key, "no private key", e);
}

int exit_copy_make(const struct exit_spec *exit, struct exit_copy *ret, struct err *e)
{
	ret->spec = *exit;
	return result(answers.copy, "no copy", e);
}

struct tunnel_place run_place(const struct run *run)
{
	return (struct tunnel_place){.env = run->tunnels, .spec = &run->exit.spec.tunnel};
}

static int fake_start(const struct tunnel_place *place, const struct tunnel_start *s,
	const struct wait *w, struct tunnel *ret, struct err *e)
{
	assert_ptr_equal(place->env, &agent.tunnels);
	assert_ptr_equal(place->spec->kind, spec.exit.tunnel.kind);
	(void)w;
	(void)ret;
	assert_int_equal(s->private_key[0], 1);
	did("tunnel %s with %s", s->name, s->key_path);
	return result(answers.tunnel, "no tunnel", e);
}

int reach_wait(const struct tunnel_place *place, struct tunnel *t, const struct verify_spec *inside,
	const struct wait *w, struct err *e)
{
	assert_ptr_equal(place->env, &agent.tunnels);
	(void)t;
	(void)inside;
	assert_true(wait_left_ms(w) <= 3000); // which is what the refusal says
	did("reach");
	return result(answers.reach, "silence", e);
}

static int check(const char *what, int r, enum outcome o, struct evidence *ev, struct err *e)
{
	did("%s", what);
	if (r == 0)
		evidence_add(ev, what, o, o == OUTCOME_PASSED ? NULL : "leak", 0, "%s", what);
	return result(r, what, e);
}

static int fake_prove(
	const struct tunnel_place *place, struct tunnel *t, struct evidence *ev, struct err *e)
{
	(void)place;
	(void)t;
	return check("tunnel", answers.prove, answers.proves, ev, e);
}

static int fake_reach(
	const struct tunnel_place *place, struct tunnel *t, const struct wait *w, struct err *e)
{
	(void)place;
	(void)t;
	(void)w;
	(void)e;
	fail_msg("asked by reach_wait alone");
	return -1;
}

// One that hears of an answer itself, and one that does not.
static const struct tunnel_kind kind = {.code = "tunnel_no_handshake",
	.start = fake_start,
	.reach = fake_reach,
	.prove = fake_prove};
static const struct tunnel_kind deaf_kind = {
	.code = "proxy_unreachable", .start = fake_start, .prove = fake_prove};

int link_check(int ns_fd, const struct link_spec *s, struct evidence *ev, struct err *e)
{
	(void)ns_fd;
	(void)s;
	return check("link", answers.link, answers.links, ev, e);
}

int wall_check(struct wall *w, struct wall_state *ret, struct evidence *ev, struct err *e)
{
	(void)w;
	(void)ret;
	return check("wall", answers.check, answers.checks, ev, e);
}

int probe_run(struct wall *w, int ns_fd, enum probe_wall state, struct evidence *ev, struct err *e)
{
	(void)w;
	(void)ns_fd;
	return check(state == PROBE_OPEN ? "probe open" : "probe closed", answers.probe,
		answers.probes, ev, e);
}

void host_spec_verify(const struct host_spec *s, const struct exit_spec *exit,
	enum verify_kind verify, struct verify_spec *ret)
{
	(void)s;
	(void)exit;
	*ret = (struct verify_spec){.kind = verify};
}

int verify_run(int ns_fd, const struct verify_spec *s, const struct wait *w, struct evidence *ev,
	struct err *e)
{
	(void)ns_fd;
	(void)w;
	assert_int_equal(s->kind, VERIFY_FULL);
	if (answers.fits && *answers.fits > 0) {
		did("verify");
		if (answers.verifies == OUTCOME_FAILED)
			evidence_add(ev, "exit_ip", OUTCOME_FAILED, "exit_mismatch", 0, "another");
		evidence_add(ev, "full_size", OUTCOME_FAILED, "mtu", 0, "swallowed");
		ev->fits = *answers.fits++;
		return 0;
	}
	if (answers.verify < 0) // it fails after that
		evidence_add(ev, "exit_ip", OUTCOME_PASSED, NULL, 0, "seen");
	return check("verify", answers.verify, answers.verifies, ev, e);
}

int link_configure(int ns_fd, const struct link_spec *link, struct err *e)
{
	(void)ns_fd;
	did("configure %d", link->mtu);
	return result(answers.configure, "not configured", e);
}

int tunnel_mtu_choose(const struct tunnel_env *env, struct tunnel_spec *tunnel, struct err *e)
{
	assert_ptr_equal(env, &agent.tunnels);
	(void)e;
	if (tunnel->mtu_open)
		tunnel->link.mtu = 1400;
	return 0;
}

int wall_open(struct wall *w, int64_t life_ms, struct err *e)
{
	(void)w;
	did("open for %lld s", (long long)life_ms / 1000);
	return result(answers.wall_open, "not opened", e);
}

int home_init_open(const struct home *h, struct err *e)
{
	(void)h;
	return answers.program < 0 ? err_say(e, EIO, "no program") : eventfd(0, EFD_CLOEXEC);
}

int gate_connect(const struct pid1 *p, const struct wait *w, int *ret_fd, struct err *e)
{
	assert_true(p->alone && p->program_fd >= 0);
	(void)w;
	(void)ret_fd;
	did("gate of %d as %u", (int)p->pid, (unsigned)p->uid);
	return result(answers.connect, "no gate", e);
}

int socket_memory_limit(const char *root, const struct socket_memory *m, struct err *e)
{
	assert_string_equal(root, "");
	did("limit %s of %d by %lld", m->container_id, (int)m->pid, (long long)m->memory_limit_mb);
	return result(answers.sockets, "no limit", e);
}

const char *gate_status_text(int status)
{
	return status == 3 ? ": it is tired" : "";
}

int gate_say(
	int fd, enum gate_word word, const struct wait *w, struct gate_answer *ret, struct err *e)
{
	bool asks = word == GATE_ASK;
	(void)fd;
	(void)w;
	did("%s", asks ? "ask" : "go on");
	*ret = (struct gate_answer){.state = asks ? answers.before : answers.after};
	return result(asks ? answers.ask : answers.go, "no answer", e);
}

int gate_wait_sshd(int fd, const struct wait *w, struct gate_answer *seen, struct err *e)
{
	if (answers.words)
		strcpy(seen->words, answers.words);
	(void)fd;
	(void)w;
	did("wait for sshd");
	return result(answers.sshd, "no sshd", e);
}

int ssh_banner(int ns_fd, const struct wait *w, struct err *e)
{
	(void)ns_fd;
	(void)w;
	did("banner");
	return result(answers.banner, "no banner", e);
}

void ssh_note(struct agent *a, const char *host_id, const char *why_not)
{
	(void)a;
	did("ssh of %s %s", host_id, why_not ? why_not : "answers");
}

void host_set_run(struct hosts *hosts, struct host *h, const struct run *run)
{
	(void)hosts;
	(void)h;
	did("set run of %d", (int)run->pid);
}

int guards_begin(struct guards *guards, const struct host *h, struct err *e)
{
	(void)guards;
	(void)h;
	did("guard");
	return result(answers.guard, "no watch", e);
}
