// SPDX-License-Identifier: Apache-2.0
// Starts, finds, asks and ends wireguard-go.
#include "agent/tunnel/wg_user.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/net/link.h"
#include "agent/tunnel/engine.h"
#include "agent/tunnel/launch.h"
#include "agent/tunnel/uapi.h"
#include "agent/tunnel/wg.h"
#include "agent/tunnel/wireguard.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/sock.h"
#include "lib/wait.h"

enum {
	START_MS = 5000,
	WORDS_MAX = 200, // of the engine's log in an error
};

#define KIND "wireguard-go" // of its records

static int connected(const char *name, int *ret_fd, struct err *e)
{
	int r = uapi_connect(name, ret_fd, e);
	return r == UAPI_ABSENT ? engine_absent(e) : r;
}

int wg_user_find(const char *name, struct tunnel *ret, struct err *e)
{
	_cleanup_(closep) int fd = -1;
	struct tunnel found = {.kind = &wg_user_kind, .pidfd = -1};
	if (!text_copy(found.name, sizeof(found.name), name))
		return err_say(e, EINVAL, "\"%.70s\" is not the name of a tunnel", name);
	int r = connected(name, &fd, e);
	if (r != 0)
		return r;
	// The credentials are those of listen(), which the engine's own process did before its
	// exec.
	struct sock_peer peer;
	if (sock_peer(fd, &peer, e) < 0)
		return -1;
	r = engine_open(peer.pid, &found, e);
	if (r == 0)
		*ret = found;
	return r;
}

static int answered(int r, struct err *e)
{
	return r == UAPI_ABSENT ? engine_absent(e) : r == UAPI_SILENT ? engine_frozen(e) : r;
}

static int ask(const struct tunnel_place *place, const struct tunnel *t,
	struct wireguard_status *ret, struct err *e)
{
	struct wait w = wait_for(ENGINE_FROZEN_MS, -1);
	(void)place;
	return answered(uapi_request(t->name, "get=1\n\n", &w, ret, e), e);
}

static int again(const struct tunnel_place *place, const struct tunnel *t,
	const struct wireguard_config *config, struct err *e)
{
	_cleanup_(wipe_freep) char *text = wireguard_again_text(config);
	struct wireguard_status status;
	struct wait w = wait_for(ENGINE_FROZEN_MS, -1);
	(void)place;
	return answered(uapi_request(t->name, text, &w, &status, e), e);
}

static void words(const struct tunnel_place *place, const struct tunnel *t, char *ret, size_t size)
{
	_cleanup_(freep) char *log = engine_log_path(place->env, KIND, t->name);
	engine_log_tail(log, "handshake", ret, size);
}

static const struct wg_way way = {.ask = ask, .again = again, .words = words};

int wg_user_status(struct tunnel *t, struct wg_status *ret, struct err *e)
{
	return wg_status(&way, NULL, t, ret, e);
}

static int reach(
	const struct tunnel_place *place, struct tunnel *t, const struct wait *w, struct err *e)
{
	return wg_reach(&way, place, t, w, e);
}

static int find(
	const struct tunnel_place *place, const char *name, struct tunnel *ret, struct err *e)
{
	struct tunnel t = TUNNEL_INIT;
	int r = wg_user_find(name, &t, e);
	if (r == 0)
		r = engine_owns_device(&t, place->ns_fd, e);
	if (r == 0) {
		*ret = t;
		ret->wireguard.handshake_seen_ms = wait_now_ms(); // it had one, or it was ended
		return 0;
	}
	closep(&t.pidfd);
	return r == ENGINE_FOREIGN ? TUNNEL_ABSENT : r;
}

static int prove(
	const struct tunnel_place *place, struct tunnel *t, struct evidence *ev, struct err *e)
{
	int64_t begun = wait_now_us();
	int r = engine_owns_device(t, place->ns_fd, e);
	if (r == 0)
		return wg_prove(&way, place, t, ev, e);
	if (r > 0)
		wg_disprove(ev, begun, e);
	return r > 0 ? 0 : -1;
}

// One connection for all questions. The engine answers them in their order, so one that it has not
// answered yet is not asked again.
static int pulse_open(const struct tunnel_place *place, const struct tunnel *t,
	struct tunnel_pulse *ret, struct err *e)
{
	wg_pulse_open(place, ret);
	return connected(t->name, &ret->fd, e);
}

static int pulse_ask(struct tunnel_pulse *p, struct err *e)
{
	if (p->unheard)
		return 0;
	int r = uapi_ask(p->fd, e);
	p->unheard = r == 0;
	return r == UAPI_ABSENT ? engine_absent(e) : r;
}

static int pulse_hear(struct tunnel_pulse *p, struct err *e)
{
	struct wireguard_status status;
	int r = uapi_hear(p->fd, &status, e);
	p->unheard = r == UAPI_SILENT;
	if (r == 0)
		return wg_heard(p, &status, e);
	return r == UAPI_ABSENT ? engine_absent(e) : r == UAPI_SILENT ? TUNNEL_SILENT : r;
}

static int renew(const struct tunnel_place *place, const struct tunnel *t, struct err *e)
{
	return wg_renew(&way, place, t, e);
}

static int end(const struct tunnel_env *env, const char *name, struct err *e)
{
	struct tunnel t = TUNNEL_INIT;
	int r = wg_user_find(name, &t, e);
	if (r == 0)
		r = engine_kill(&t, e);
	closep(&t.pidfd);
	if (r < 0)
		return -1;
	_cleanup_(freep) char *socket = uapi_path(name);
	if (unlink(socket) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove %s", socket);
	return engine_forget(env, KIND, name, e);
}

static int list(const struct tunnel_env *env, tunnel_each *each, void *arg, struct err *e)
{
	return engine_list(env, KIND, each, arg, e);
}

// From "the program runs" to "the tunnel is up inside the container".
static int bring_up(const struct tunnel_place *place, const struct tunnel *t,
	const struct tunnel_start *start, const struct wait *w, struct err *e)
{
	const struct link_spec *link = &place->spec->link;
	struct wireguard_config config;
	if (wg_config_open(place, start->private_key, &config, e) < 0)
		return TUNNEL_UNUSABLE;
	_cleanup_(wipe_freep) char *set = wireguard_set_text(&config);
	mem_wipe(&config, sizeof(config));
	struct wireguard_status status;
	// It answers as soon as its device is there.
	int r = uapi_request(t->name, "get=1\n\n", w, &status, e);
	if (r != 0)
		return r;
	// wireguard-go notices "up" by netlink in the namespace where it was born at once,
	// elsewhere up to a second later. So it wakes up here; without address and route nothing
	// can use it yet.
	if (link_wake(place->env->uplink_fd, t->name, link->mtu, e) < 0)
		return -1;
	r = uapi_request(t->name, set, w, &status, e);
	if (r != 0)
		return r;
	if (link_move(place->env->uplink_fd, t->name, place->ns_fd, link->tunnel, e) < 0)
		return -1;
	return link_configure(place->ns_fd, link, e);
}

// The key's lock is held through a descriptor that the engine inherits, so the kernel tells when the
// last engine with this key is dead.
static int launch_locked(const struct tunnel_place *place, struct tunnel *t,
	const struct tunnel_start *what, const struct wait *w, struct err *e)
{
	const struct tunnel_env *env = place->env;
	_cleanup_(closep) int key_fd = -1, log_fd = -1;
	_cleanup_(budget_door_close) struct budget_door door = BUDGET_DOOR_INIT;
	if (wg_key_lock(place, what, &key_fd, e) < 0)
		return -1;
	if (mkdir(UAPI_DIRECTORY, 0755) < 0 && errno != EEXIST)
		return err_set(e, errno, "make " UAPI_DIRECTORY);
	if (engine_log_open(env, KIND, t->name, &log_fd, e) < 0)
		return -1;
	if (env->cgroups && budget_make(env->cgroups, t->name, &what->budget, &door, e) < 0)
		return -1;
	_cleanup_(freep) char *socket = uapi_path(t->name);
	_cleanup_(freep) char *memory = engine_memory_limit(what->budget.memory_mb);
	const struct launch_config launch = {
		.program = env->engine,
		.argv = (const char *const[]){env->engine, "-f", t->name, NULL},
		.environment = (const char *const[]){"WG_PROCESS_FOREGROUND=1", "WG_UAPI_FD=3",
			"LOG_LEVEL=error", memory, NULL},
		.uplink_fd = env->uplink_fd,
		.input_fd = -1,
		.log_fd = log_fd,
		.socket_path = socket,
		.key_fd = key_fd,
		.door = &door,
	};
	return launch_start(&launch, w, &t->pid, &t->pidfd, e);
}

static int start(const struct tunnel_place *place, const struct tunnel_start *what,
	const struct wait *w, struct tunnel *ret, struct err *e)
{
	const struct tunnel_env *env = place->env;
	struct tunnel t = {.kind = &wg_user_kind, .pidfd = -1};
	if (!text_copy(t.name, sizeof(t.name), what->name))
		return err_say(e, EINVAL, "\"%.70s\" is not the name of a tunnel", what->name);
	struct wait limit = wait_at_most(w, START_MS);
	int r = launch_locked(place, &t, what, &limit, e);
	if (r == 0)
		r = bring_up(place, &t, what, &limit, e);
	if (r == 0) {
		*ret = t;
		return 0;
	}
	if (r == UAPI_ABSENT || r == UAPI_SILENT) {
		_cleanup_(freep) char *log = engine_log_path(env, KIND, t.name);
		char words[WORDS_MAX];
		engine_log_tail(log, "", words, sizeof(words));
		r = err_say(e, EIO, "the tunnel's engine %s did not come up%s", env->engine, words);
	}
	struct err ignored; // the first error says why
	if (t.pidfd >= 0 && engine_kill(&t, &ignored) == 0)
		(void)!end(env, t.name, &ignored);
	closep(&t.pidfd);
	return r;
}

const struct tunnel_kind wg_user_kind = {
	.type = "wireguard",
	.code = WG_CODE,
	.parse = wg_parse,
	.start = start,
	.reach = reach,
	.find = find,
	.prove = prove,
	.pulse_open = pulse_open,
	.pulse_ask = pulse_ask,
	.pulse_hear = pulse_hear,
	.renew = renew,
	.end = end,
	.list = list,
};
