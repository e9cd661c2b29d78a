// SPDX-License-Identifier: Apache-2.0
// Everything that the steps of a test of an exit call, as fakes: each answers what `answers` says.
#pragma once

#include "tests/unit/agent_fakes.h"
#include "tests/unit/db_fakes.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "agent/agent.h"
#include "agent/host/bring_up.h"
#include "agent/host/guard.h"
#include "agent/net/cage.h"
#include "agent/net/netns.h"
#include "agent/store/home.h"
#include "agent/store/keys.h"
#include "agent/task/egress_test.h"
#include "lib/db.h"
#include "lib/json.h"
#include "lib/task.h"

enum { USERS = CAGE_UID_LAST - CAGE_UID_TESTS + 1 };

static struct {
	int call, exit, budget, settings, whole; // begin
	int take, check; // host
	int netns, wall; // wall
	int open, keys, key, name, tunnel; // tunnel
	int examine, verify; // examine, verify
	enum outcome checked, examined, verified;
	int end; // of the tunnel
	bool is_begun; // a tunnel that failed had been started before
	bool is_wanted, is_canceled; // meanwhile the host, or the task
} answers;

static struct agent agent = {.store = {.path = "/data"}};
static struct host host;
static cJSON *hosts_exit; // what its run leaves through
static const struct tunnel_kind *exits_kind;
static struct task task;
static cJSON *params; // its own
static struct err err;
static int fds_before;

static void become_readable(int fd)
{
	assert_int_equal(eventfd_write(fd, 1), 0);
}

static bool is_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, 0) > 0;
}

struct wait task_wait(const struct task *t, int timeout_ms)
{
	assert_in_range(timeout_ms, 1, 9000);
	return wait_for(timeout_ms, t->cancel_fd);
}

int task_fail(struct task *t, const char *error_code, enum task_retry retry)
{
	(void)t;
	did("fail %s%s: %s", error_code,
		((const char *const[]){"", " and try again", " for good"})[retry], err.message);
	return -1;
}

int task_call(struct task *t, const struct db_call *call, struct pg_result **ret, struct err *e)
{
	(void)t;
	(void)ret;
	assert_string_equal(call->params[0], "7");
	did("call %s", call->params[1]);
	return result(answers.call, "no database", e);
}

int exit_spec_read(const cJSON *json, struct exit_spec *ret, struct err *e)
{
	*ret = (struct exit_spec){.json = json, .label = "x1", .ipv6 = true};
	ret->tunnel.kind = exits_kind;
	return result(answers.exit, "unreadable", e);
}

const char *exit_own_key(const struct exit_spec *exit)
{
	return cJSON_GetStringValue(cJSON_GetObjectItem(exit->json, "own_public_key"));
}

int exit_budget_read(const cJSON *tunnel, struct budget *ret, struct err *e)
{
	assert_true(cJSON_IsObject(tunnel));
	ret->memory_mb = 256;
	return result(answers.budget, "no budget", e);
}

int exit_verify_read(const cJSON *settings, struct verify_spec *ret, struct err *e)
{
	assert_true(cJSON_IsObject(settings));
	ret->dns_check_zone = "zone";
	return result(answers.settings, "no settings", e);
}

int exit_verify_is_whole(const struct verify_spec *spec, struct err *e)
{
	assert_string_equal(spec->dns_check_zone, "zone");
	return result(answers.whole, "no zone", e);
}

void exit_verify_fill(const struct exit_spec *exit, enum verify_kind kind, struct verify_spec *spec)
{
	assert_string_equal(exit->label, "x1");
	spec->kind = kind;
}

int host_take(
	struct hosts *hosts, const char *id, const struct wait *w, struct host **ret, struct err *e)
{
	(void)hosts;
	(void)w;
	did("take %s", id);
	if (answers.take == 0)
		*ret = &host;
	return result(answers.take, "it is taken", e);
}

void hosts_schedule_inspection(struct hosts *hosts, const char *id, int pause_ms)
{
	(void)hosts;
	assert_int_equal(pause_ms, 0);
	did("have %s inspected", id);
}

// The outcome, after what makes it readable has been seen through the cancel descriptor.
static int interrupted(const struct wait *w, int r, const char *why, struct err *e)
{
	bool is_asked = answers.is_wanted || answers.is_canceled;
	if (answers.is_wanted)
		become_readable(host.yield_fd);
	if (answers.is_canceled)
		become_readable(task.cancel_fd);
	assert_int_equal(is_readable(w->cancel_fd), is_asked);
	return result(is_asked ? WAIT_CANCELED : r, why, e);
}

int run_check(struct run *run, const struct host_spec *spec, enum verify_kind kind,
	const struct wait *w, struct evidence *ev, struct err *e)
{
	assert_ptr_equal(run, &host.run);
	assert_ptr_equal(spec, host.spec);
	assert_int_equal(kind, VERIFY_FULL);
	assert_true(wait_left_ms(w) > 0);
	did("check");
	int r = interrupted(w, answers.check, "not checked", e);
	if (r == 0)
		evidence_add(ev, "exit_ip", answers.checked,
			answers.checked == OUTCOME_PASSED ? NULL : "exit_mismatch", 0, "seen");
	return r;
}

void guards_check_soon(struct guards *guards, uint64_t run_number)
{
	(void)guards;
	did("check run %d soon", (int)run_number);
}

int netns_new(bool ipv6, struct err *e)
{
	assert_true(ipv6);
	did("new namespace");
	return answers.netns < 0 ? err_say(e, EIO, "no namespace") : 95;
}

int bring_up_wall(struct run *run, const struct exit_spec *exit, struct err *e)
{
	assert_ptr_equal(run->tunnels, &agent.tunnels);
	assert_int_equal(run->ns_fd, 95);
	assert_string_equal(exit->label, "x1");
	did("wall");
	return result(answers.wall, "no wall", e);
}

int home_open(
	const struct store *store, const char *host_id, bool make, struct home *ret, struct err *e)
{
	(void)store;
	(void)ret;
	assert_false(make);
	did("open %s", host_id);
	return result(answers.open, "no directory", e);
}

void home_done(struct home *h)
{
	(void)h;
}

int keys_read(int dir_fd, int etc_fd, struct keys_public *ret, struct err *e)
{
	(void)dir_fd;
	(void)etc_fd;
	strcpy(ret->wireguard, "public key");
	return result(answers.keys, "no keys", e);
}

int keys_wireguard(int dir_fd, uint8_t ret[static KEY32_SIZE], struct err *e)
{
	(void)dir_fd;
	memset(ret, 1, KEY32_SIZE);
	return result(answers.key, "no private key", e);
}

bool tunnel_test_name(const char *task_id, char ret[static TUNNEL_NAME_SIZE])
{
	snprintf(ret, TUNNEL_NAME_SIZE, "t%s", task_id);
	return answers.name == 0;
}

int bring_up_tunnel(struct run *run, const struct exit_spec *exit, const struct tunnel_start *start,
	const struct verify_spec *inside, const struct wait *w, struct evidence *ev, struct err *e)
{
	assert_string_equal(exit->label, "x1");
	assert_int_equal(start->budget.memory_mb, 256);
	assert_int_equal(inside->kind, VERIFY_LIGHT);
	assert_true(!start->private_key == !start->key_path);
	assert_true(!start->private_key || start->private_key[0] == 1);
	did("tunnel %s of user %d with %s", start->name, (int)(start->uid - CAGE_UID_TESTS),
		start->key_path ? start->key_path : "no key");
	int r = interrupted(w, answers.tunnel, "no tunnel", e);
	if (r == 0 || answers.is_begun)
		run->tunnel.kind = exits_kind;
	if (r == 0)
		evidence_add(ev, "reach", OUTCOME_PASSED, NULL, 0, "the exit answered");
	return r;
}

void bring_up_explain(const struct exit_spec *exit, const char *key, struct err *e)
{
	assert_string_equal(exit->label, "x1");
	err_note(e, ETIMEDOUT, "silence: register %s", key ? key : "nothing");
}

int bring_up_examine(struct run *run, struct evidence *ev, struct err *e)
{
	assert_non_null(run->tunnel.kind);
	did("examine");
	if (answers.examine == 0)
		evidence_add(ev, "rules", answers.examined,
			answers.examined == OUTCOME_PASSED ? NULL : "inventory", 0, "examined");
	return result(answers.examine, "not examined", e);
}

int bring_up_verify(struct run *run, const struct verify_spec *spec, const struct wait *w,
	struct evidence *ev, struct err *e)
{
	assert_non_null(run->tunnel.kind);
	assert_int_equal(spec->kind, VERIFY_FULL);
	assert_string_equal(spec->dns_check_zone, "zone");
	did("verify");
	int r = interrupted(w, answers.verify, "not verified", e);
	if (r == 0) {
		evidence_add(ev, "exit_ip", answers.verified,
			answers.verified == OUTCOME_PASSED ? NULL : "exit_mismatch", 0, "verified");
		strcpy(ev->observed_ip, "198.51.100.7");
	}
	return r;
}

void tunnel_done(struct tunnel *t)
{
	(void)t;
	did("close the tunnel");
}

int tunnel_end(const struct tunnel_env *env, const char *name, struct err *e)
{
	assert_ptr_equal(env, &agent.tunnels);
	did("end %s", name);
	return result(answers.end, "it lives on", e);
}

void run_close(struct run *run)
{
	assert_true(run->ns_fd == -1 || run->ns_fd == 95);
	*run = RUN_INIT;
	did("close the run");
}

static const char *const *listed;

int tunnel_list(const struct tunnel_env *env, tunnel_each *each, void *arg, struct err *e)
{
	assert_ptr_equal(env, &agent.tunnels);
	for (const char *const *name = listed; name && *name; name++)
		assert_int_equal(each(*name, arg, e), 0);
	return listed ? 0 : err_say(e, EIO, "no list");
}

static int fake_reach(
	const struct tunnel_place *place, struct tunnel *t, const struct wait *w, struct err *e)
{
	(void)place;
	(void)t;
	(void)w;
	(void)e;
	fail_msg("asked by bring_up_tunnel alone");
	return -1;
}

static const struct tunnel_kind kind = {.code = "tunnel_no_handshake", .reach = fake_reach};
static const struct tunnel_kind deaf_kind = {.code = "proxy_unreachable"};
