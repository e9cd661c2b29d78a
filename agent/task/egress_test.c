// SPDX-License-Identifier: Apache-2.0
// egress.test: proves an exit, without a host or through the tunnel of the one that it carries.
#include "agent/task/egress_test.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "agent/agent.h"
#include "agent/evidence.h"
#include "agent/host/bring_up.h"
#include "agent/host/guard.h"
#include "agent/host/host.h"
#include "agent/net/netns.h"
#include "agent/store/home.h"
#include "agent/store/keys.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/task.h"

enum {
	TEST_MS = 9000,
	TAKE_MS = 5000,
	USERS = CAGE_UID_LAST - CAGE_UID_TESTS + 1,
};

struct egress_test {
	struct agent *agent;
	cJSON *json; // egress.test_spec
	struct exit_spec exit; // points into it, as what follows
	struct verify_spec inside;
	const char *host_id; // whose key it is; NULL: the exit's own, or none is needed
	struct budget budget;
	int64_t until_ms;
	struct host *host; // taken
	int stop_fd; // epoll: readable when the task must stop, or the host is wanted; -1: it has no host
	struct run run; // of which only namespace, wall and tunnel are there
	char name[TUNNEL_NAME_SIZE]; // of the tunnel; "": it was not begun
	uint32_t uid; // 0: none
	struct evidence ev;
};

// The users of tests that are not one's now.

static _Atomic unsigned users;

static uint32_t user_take(void)
{
	unsigned taken = users, i;
	do {
		for (i = 0; i < USERS && taken >> i & 1; i++)
			;
		if (i == USERS)
			return 0;
	} while (!atomic_compare_exchange_weak(&users, &taken, taken | 1U << i));
	return CAGE_UID_TESTS + i;
}

static void user_give(uint32_t uid)
{
	atomic_fetch_and(&users, ~(1U << (uid - CAGE_UID_TESTS)));
}

static bool is_asked_to_stop(const struct task *task)
{
	struct pollfd p = {.fd = task->cancel_fd, .events = POLLIN};
	return poll(&p, 1, 0) > 0;
}

static struct wait wait_of(const struct task *task)
{
	const struct egress_test *t = task->state;
	int64_t left_ms = t->until_ms - wait_now_ms();
	struct wait w = task_wait(task, left_ms > 0 ? (int)left_ms : 0);
	if (t->stop_fd >= 0)
		w.cancel_fd = t->stop_fd;
	return w;
}

// The other tasks of the host come first.
static int busy(struct task *task, const char *why, struct err *e)
{
	err_note(e, EBUSY, "%s", why);
	return task_fail(task, "host_busy", TASK_RETRY_YES);
}

static int canceled(struct task *task, struct err *e)
{
	return is_asked_to_stop(task)
		       ? WAIT_CANCELED
		       : busy(task, "another task of the exit's host came in between", e);
}

static int spec_read(struct egress_test *t, const char *text, struct err *e)
{
	const cJSON *outward, *tunnel, *verify;

	if (json_parse(text, strlen(text), &json_from_peer, &t->json, e) < 0 ||
		json_get_object(t->json, "exit", &outward, e) < 0 ||
		json_get_object(t->json, "tunnel", &tunnel, e) < 0 ||
		json_get_object(t->json, "verify", &verify, e) < 0 ||
		json_opt_text(t->json, "host_id", &t->host_id, e) < 0 ||
		exit_spec_read(outward, &t->exit, e) < 0 ||
		exit_budget_read(tunnel, &t->budget, e) < 0 ||
		exit_verify_read(verify, &t->inside, e) < 0)
		return -1;
	return exit_verify_is_whole(&t->inside, e);
}

int egress_test_begin(struct task *task, struct err *e)
{
	struct egress_test *t = xnew(struct egress_test);
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	const char *id, *refusal = NULL;

	task->state = t;
	t->agent = task->program;
	t->until_ms = wait_now_ms() + TEST_MS;
	t->stop_fd = -1;
	t->run = RUN_INIT;
	evidence_init(&t->ev);
	struct db_number process = db_number(t->agent->process_id);
	if (json_get_text(task->params, "egress_ip_id", &id, e) < 0)
		return -1;
	int r = task_call(
		task, DB_CALL("select egress.test_spec($1, $2)", process.text, id), &rows, e);
	if (r != 0)
		return r;
	if (db_rows(rows) != 1 || !db_text(rows, 0, 0)) {
		err_note(e, ENOENT, "the exit has been deleted");
		return task_fail(task, "egress_ip_not_found", TASK_RETRY_NO);
	}
	if (spec_read(t, db_text(rows, 0, 0), e) < 0)
		return task_fail(task, "settings_incomplete", TASK_RETRY_NO);
	if (json_opt_text(t->json, "refusal", &refusal, e) != 0)
		return 0;
	err_note(e, EPERM, "%s", refusal);
	return task_fail(task, "machine_unfit", TASK_RETRY_NO);
}

static void result_set(struct task *task, const char *host_id)
{
	struct egress_test *t = task->state;
	const struct evidence *ev = &t->ev;

	json_set_text(task->result, "outcome", outcome_name(ev->outcome));
	if (ev->outcome != OUTCOME_PASSED) {
		json_set_text(task->result, "error_code", ev->code);
		json_set_text(task->result, "message", ev->sentence);
	}
	if (ev->observed_ip[0])
		json_set_text(task->result, "exit_ip", ev->observed_ip);
	json_set(task->result, "checks", cJSON_Duplicate(ev->checks, true));
	json_set_int(task->result, "duration_ms", evidence_duration_ms(ev));
	if (host_id)
		json_set_text(task->result, "host_id", host_id);
}

// Are both the same tunnel to the same address? Another label changes nothing of it.
static bool is_same_exit(const cJSON *a, const cJSON *b)
{
	static const char *const names[] = {"label", "wireguard_engine"};
	cJSON *copies[] = {cJSON_Duplicate(a, true), cJSON_Duplicate(b, true)};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cJSON_DeleteItemFromObjectCaseSensitive(copies[0], names[i]);
		cJSON_DeleteItemFromObjectCaseSensitive(copies[1], names[i]);
	}
	bool is_same = cJSON_Compare(copies[0], copies[1], true);
	cJSON_Delete(copies[0]);
	cJSON_Delete(copies[1]);
	return is_same;
}

// What does not pass is looked at again by the host's own guard, which judges.
static int through_host(struct task *task, struct err *e)
{
	struct egress_test *t = task->state;
	struct run *run = &t->host->run;
	struct wait w = wait_of(task);

	if (!is_same_exit(run->exit.json, t->exit.json))
		return busy(task,
			"the exit's host does not leave through what the exit is now: ask again when it has been moved",
			e);
	int r = run_check(run, t->host->spec, VERIFY_FULL, &w, &t->ev, e);
	if (r == WAIT_CANCELED)
		return canceled(task, e);
	if (r < 0)
		return task_fail(task, "internal", TASK_RETRY_AS_ERR);
	if (t->ev.outcome != OUTCOME_PASSED)
		guards_check_soon(t->agent->guards, run->number);
	result_set(task, t->host_id);
	return TASK_DONE;
}

static int stop_watch(struct task *task, struct err *e)
{
	struct egress_test *t = task->state;
	const int fds[] = {task->cancel_fd, t->host->yield_fd};

	t->stop_fd = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		struct epoll_event event = {.events = EPOLLIN};
		if (t->stop_fd < 0 || epoll_ctl(t->stop_fd, EPOLL_CTL_ADD, fds[i], &event) < 0)
			return err_set(e, errno, "watch for what ends a test");
	}
	return 0;
}

int egress_test_host(struct task *task, struct err *e)
{
	struct egress_test *t = task->state;
	struct wait w = task_wait(task, TAKE_MS);

	if (!t->host_id)
		return 0;
	int r = host_take(t->agent->hosts, t->host_id, &w, &t->host, e);
	if (r == WAIT_TIMEOUT)
		return busy(task, "another task of the exit's host is under way", e);
	if (r != 0)
		return r;
	if (stop_watch(task, e) < 0)
		return -1;
	if (t->host->run.number != 0)
		return through_host(task, e);
	if (t->host->seen)
		return 0;
	hosts_schedule_inspection(t->agent->hosts, t->host_id, 0);
	return busy(task, "the exit's host has not been looked at yet", e);
}

int egress_test_wall(struct task *task, struct err *e)
{
	struct egress_test *t = task->state;

	t->run.tunnels = &t->agent->tunnels;
	t->run.ns_fd = netns_new(t->exit.ipv6, e);
	return t->run.ns_fd < 0 ? -1 : bring_up_wall(&t->run, &t->exit, e);
}

// Of the host that is bound to the exit; all zero where the exit's own serves, or none is needed.
struct host_key {
	char *path;
	uint8_t key[KEY32_SIZE];
	char public[KEY32_TEXT_SIZE];
};

static void host_key_done(struct host_key *k)
{
	freep(&k->path);
	mem_wipe(k->key, sizeof(k->key));
}

static int host_key_read(const struct egress_test *t, struct host_key *ret, struct err *e)
{
	_cleanup_(home_done) struct home home = HOME_INIT;
	struct keys_public keys;

	if (!t->host_id || exit_own_key(&t->exit))
		return 0;
	ret->path = xasprintf("%s/hosts/%s/" KEYS_WIREGUARD, t->agent->store.path, t->host_id);
	if (home_open(&t->agent->store, t->host_id, false, &home, e) < 0 ||
		keys_read(home.dir_fd, home.etc_fd, &keys, e) < 0 ||
		keys_wireguard(home.dir_fd, ret->key, e) < 0)
		return err_wrap(e, "read the key of the exit's host");
	strcpy(ret->public, keys.wireguard);
	return 0;
}

static int tunnel_up(struct task *task, struct host_key *host, struct err *e)
{
	struct egress_test *t = task->state;
	struct wait w = wait_of(task);
	struct verify_spec inside = t->inside;
	int r = host_key_read(t, host, e);

	if (r < 0)
		return r;
	exit_verify_fill(&t->exit, VERIFY_LIGHT, &inside);
	if (!tunnel_test_name(task->id, t->name))
		return err_say(e, EINVAL, "\"%s\" is not a task's id", task->id);
	t->uid = user_take();
	if (t->uid == 0)
		return err_say(e, EBUSY, "as many exits are being tested as can be at once");
	const struct tunnel_start start = {.name = t->name,
		.private_key = host->path ? host->key : NULL,
		.key_path = host->path,
		.budget = t->budget,
		.uid = t->uid};
	return bring_up_tunnel(&t->run, &t->exit, &start, &inside, &w, &t->ev, e);
}

// The exit has not answered, or what spoke with it has given up: that is a verdict.
static int unanswered(
	struct egress_test *t, int outcome, const struct host_key *host, struct err *e)
{
	const struct tunnel_kind *kind = t->exit.tunnel.kind;
	const char *key = exit_own_key(&t->exit);

	if (kind->reach && !key)
		key = host->public;
	if (outcome == TUNNEL_UNANSWERED)
		bring_up_explain(&t->exit, key, e);
	evidence_add(&t->ev, kind->reach ? "handshake" : "reach", OUTCOME_FAILED, kind->code,
		wait_now_us() - t->ev.started_us, "%s", e->message);
	return 0;
}

int egress_test_tunnel(struct task *task, struct err *e)
{
	struct egress_test *t = task->state;
	_cleanup_(host_key_done) struct host_key host = {0};
	int r = tunnel_up(task, &host, e);

	if (r == 0)
		return 0;
	if (r == WAIT_CANCELED)
		return canceled(task, e);
	if (t->run.tunnel.kind && (r == TUNNEL_UNANSWERED || r == TUNNEL_ABSENT))
		return unanswered(t, r, &host, e);
	if (r == TUNNEL_UNUSABLE)
		return task_fail(task, "settings_incomplete", TASK_RETRY_NO);
	if (r == TUNNEL_UNFIT)
		return task_fail(task, "machine_unfit", TASK_RETRY_NO);
	return task_fail(task, t->exit.tunnel.kind->code, TASK_RETRY_AS_ERR);
}

int egress_test_examine(struct task *task, struct err *e)
{
	struct egress_test *t = task->state;

	return t->ev.outcome != OUTCOME_PASSED ? 0 : bring_up_examine(&t->run, &t->ev, e);
}

int egress_test_verify(struct task *task, struct err *e)
{
	struct egress_test *t = task->state;
	struct wait w = wait_of(task);
	struct verify_spec inside = t->inside;

	if (t->ev.outcome != OUTCOME_PASSED)
		return 0;
	exit_verify_fill(&t->exit, VERIFY_FULL, &inside);
	int r = bring_up_verify(&t->run, &inside, &w, &t->ev, e);
	return r == WAIT_CANCELED ? canceled(task, e) : r;
}

// In reverse. A tunnel that does not end keeps its user, until the next agent's sweep.
static void end_all(struct egress_test *t)
{
	struct err e;
	bool is_ended = true;

	tunnel_done(&t->run.tunnel);
	if (t->name[0] && tunnel_end(&t->agent->tunnels, t->name, &e) < 0) {
		is_ended = false;
		log_error("the tunnel of a test could not be ended", log_text("tunnel", t->name),
			log_err(&e));
	}
	if (is_ended && t->uid != 0)
		user_give(t->uid);
	t->name[0] = '\0';
	t->uid = 0;
	run_close(&t->run);
	closep(&t->stop_fd);
	if (t->host)
		host_release(t->agent->hosts, t->host);
	t->host = NULL;
}

int egress_test_finish(struct task *task, struct err *e)
{
	(void)e;
	end_all(task->state);
	result_set(task, NULL);
	return 0;
}

void egress_test_end(struct task *task)
{
	struct egress_test *t = task->state;

	if (!t)
		return;
	end_all(t);
	evidence_done(&t->ev);
	cJSON_Delete(t->json);
	free(t);
	task->state = NULL;
}

static int left_end(const char *name, void *arg, struct err *e)
{
	struct agent *a = arg;
	struct err why;

	(void)e;
	if (!tunnel_is_test(name))
		return 0;
	log_warning("the tunnel of a test was left and is ended", log_text("tunnel", name));
	if (tunnel_end(&a->tunnels, name, &why) < 0)
		log_error("the tunnel of a test could not be ended", log_text("tunnel", name),
			log_err(&why));
	return 0;
}

void egress_test_sweep(struct agent *a)
{
	struct err e;

	if (tunnel_list(&a->tunnels, left_end, a, &e) < 0)
		log_error("the tunnels that tests have left are not known", log_err(&e));
}
