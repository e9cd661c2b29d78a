// SPDX-License-Identifier: Apache-2.0
// Starts, finds, asks and ends wireguard-go.
#include "agent/tunnel/wg_user.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/evidence.h"
#include "agent/net/link.h"
#include "agent/tunnel/engine.h"
#include "agent/tunnel/launch.h"
#include "agent/tunnel/uapi.h"
#include "agent/tunnel/wireguard.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/sock.h"
#include "lib/wait.h"

enum {
	START_MS = 5000,
	POLL_FIRST_MS = 2, // wireguard-go does not report a handshake, so it is asked,
	POLL_MAX_MS = 50, // less and less often
	PATIENCE_FIRST_MS = 500, // for an answer to a handshake; twice as much for the next
	WORDS_MAX = 200, // of the engine's log in an error
};

#define KIND "wireguard-go" // of its records

int wg_user_find(const char *name, struct tunnel *ret, struct err *e)
{
	_cleanup_(closep) int fd = -1;
	struct tunnel found = {.kind = &wg_user_kind, .pidfd = -1};
	if (!text_copy(found.name, sizeof(found.name), name))
		return err_say(e, EINVAL, "\"%.70s\" is not the name of a tunnel", name);
	int r = uapi_connect(name, &fd, e);
	if (r != 0)
		return r == UAPI_ABSENT ? engine_absent(e) : r;
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

int wg_user_status(struct tunnel *t, struct wg_user_status *ret, struct err *e)
{
	struct wireguard_status got;
	struct wait w = wait_for(UAPI_ANSWER_MS, -1);
	int r = uapi_request(t->name, "get=1\n\n", &w, &got, e);
	if (r != 0)
		return r == UAPI_ABSENT ? engine_absent(e) : r;
	if (got.handshake_ns != t->wireguard.handshake_ns) {
		t->wireguard.handshake_ns = got.handshake_ns;
		t->wireguard.handshake_seen_ms = wait_now_ms();
	}
	*ret = (struct wg_user_status){
		.handshake_age_ms = t->wireguard.handshake_ns == 0
					    ? -1
					    : wait_now_ms() - t->wireguard.handshake_seen_ms,
		.rx_bytes = got.rx_bytes,
		.tx_bytes = got.tx_bytes,
	};
	return 0;
}

// The configuration with the exit's secret, and with our key unless NULL. The caller wipes it.
static int config_open(const struct tunnel_place *place, const uint8_t *private_key,
	struct wireguard_config *ret, struct err *e)
{
	*ret = place->spec->wireguard;
	if (private_key)
		memcpy(ret->private_key, private_key, sizeof(ret->private_key));
	return wireguard_secret_open(ret, place->spec->sealed, place->env->sealing, e);
}

static int no_handshake(const struct tunnel_env *env, const struct tunnel *t, struct err *e)
{
	_cleanup_(freep) char *log = engine_log_path(env, KIND, t->name);
	char words[WORDS_MAX];
	engine_log_tail(log, "handshake", words, sizeof(words));
	return err_outcome(e, TUNNEL_UNANSWERED, ETIMEDOUT,
		"the exit has not answered the tunnel's handshake%s", words);
}

// Pauses between two questions. WAIT_TIMEOUT: the pause is over; TUNNEL_ABSENT: it died.
static int handshake_pause(
	const struct tunnel *t, const struct wait *w, int pause_ms, struct err *e)
{
	struct wait pause = wait_at_most(w, pause_ms);
	int r = wait_fd(&pause, t->pidfd, POLLIN, "the tunnel's engine", e);
	if (r != 0)
		return r;
	return engine_absent(e);
}

static int handshake_again(const struct tunnel_place *place, const struct tunnel *t, struct err *e)
{
	struct wireguard_config config;
	if (config_open(place, NULL, &config, e) < 0)
		return TUNNEL_UNUSABLE;
	_cleanup_(wipe_freep) char *text = wireguard_again_text(&config);
	mem_wipe(&config, sizeof(config));
	struct wireguard_status status;
	struct wait w = wait_for(UAPI_ANSWER_MS, -1);
	int r = uapi_request(t->name, text, &w, &status, e);
	return r == UAPI_ABSENT ? engine_absent(e) : r;
}

static int reach(
	const struct tunnel_place *place, struct tunnel *t, const struct wait *w, struct err *e)
{
	int64_t patience_ms = PATIENCE_FIRST_MS, again_ms = wait_now_ms() + patience_ms;
	int pause_ms = POLL_FIRST_MS;
	for (;;) {
		struct wg_user_status status;
		int r = wg_user_status(t, &status, e);
		if (r != 0)
			return r == UAPI_SILENT ? -1 : r;
		if (status.handshake_age_ms >= 0)
			return 0;
		if (wait_left_ms(w) == 0)
			return no_handshake(place->env, t, e);
		if (wait_now_ms() >= again_ms) {
			r = handshake_again(place, t, e);
			if (r != 0)
				return r == UAPI_SILENT ? -1 : r;
			patience_ms *= 2;
			again_ms = wait_now_ms() + patience_ms;
			pause_ms = POLL_FIRST_MS;
		}
		r = handshake_pause(t, w, pause_ms, e);
		if (r != WAIT_TIMEOUT)
			return r;
		pause_ms = pause_ms * 2 < POLL_MAX_MS ? pause_ms * 2 : POLL_MAX_MS;
	}
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
		return 0;
	}
	closep(&t.pidfd);
	return r == ENGINE_FOREIGN ? TUNNEL_ABSENT : r;
}

static int prove(
	const struct tunnel_place *place, struct tunnel *t, struct evidence *ev, struct err *e)
{
	static const char code[] = "tunnel_no_handshake";
	int64_t begun = wait_now_us();
	struct wg_user_status status = {0};
	int r = engine_owns_device(t, place->ns_fd, e);
	if (r == 0)
		r = wg_user_status(t, &status, e);
	int64_t took = wait_now_us() - begun;
	if (r < 0)
		return -1;
	if (r > 0)
		evidence_add(ev, "tunnel", OUTCOME_FAILED, code, took, "%s", e->message);
	else if (status.handshake_age_ms < 0 || status.handshake_age_ms > WG_USER_DEAD_MS)
		evidence_add(ev, "tunnel", OUTCOME_FAILED, code, took,
			"the exit does not answer: no handshake within %d s",
			WG_USER_DEAD_MS / 1000);
	else
		evidence_add(ev, "tunnel", OUTCOME_PASSED, NULL, took,
			"handshake seen %lld s ago, %llu bytes in, %llu out",
			(long long)status.handshake_age_ms / 1000,
			(unsigned long long)status.rx_bytes, (unsigned long long)status.tx_bytes);
	return 0;
}

static int pulse(const struct tunnel_place *place, struct tunnel *t, struct err *e)
{
	struct wg_user_status status;
	(void)place;
	int r = wg_user_status(t, &status, e);
	return r == UAPI_SILENT ? TUNNEL_SILENT : r;
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

static int parse(const cJSON *exit, struct tunnel_spec *ret, struct err *e)
{
	const char *address;
	int64_t mtu;
	strcpy(ret->link.tunnel, LINK_TUNNEL);
	if (wireguard_exit_parse(exit, &ret->wireguard, e) < 0 ||
		json_get_text(exit, "peer_address", &address, e) < 0 ||
		json_get_int(exit, "mtu", 0, INT32_MAX, &mtu, e) < 0 ||
		json_opt_text(exit, "preshared_key_sealed", &ret->sealed, e) < 0)
		return -1;
	ret->link.mtu = (int)mtu;
	return addr_parse(address, &ret->link.address, e) < 0 ? err_wrap(e, "peer_address") : 0;
}

// From "the program runs" to "the tunnel is up inside the container".
static int bring_up(const struct tunnel_place *place, const struct tunnel *t,
	const struct tunnel_start *start, const struct wait *w, struct err *e)
{
	const struct link_spec *link = &place->spec->link;
	struct wireguard_config config;
	if (config_open(place, start->private_key, &config, e) < 0)
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

// The key's file is locked through a descriptor that the engine inherits, so the kernel tells when
// the last engine with this key is dead.
static int key_lock(const char *path, int *ret_fd, struct err *e)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, "open the host's key file");
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? err_say(e, EBUSY,
					 "an engine with this host's key still runs: end it first")
			       : err_set(e, errno, "lock the host's key file");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int launch_locked(const struct tunnel_env *env, struct tunnel *t,
	const struct tunnel_start *what, const struct wait *w, struct err *e)
{
	_cleanup_(closep) int key_fd = -1, log_fd = -1;
	_cleanup_(budget_door_close) struct budget_door door = BUDGET_DOOR_INIT;
	if (key_lock(what->key_path, &key_fd, e) < 0)
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
	int r = launch_locked(env, &t, what, &limit, e);
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
	.parse = parse,
	.start = start,
	.reach = reach,
	.find = find,
	.prove = prove,
	.pulse = pulse,
	.end = end,
	.list = list,
};
