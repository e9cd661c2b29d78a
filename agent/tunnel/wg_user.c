// SPDX-License-Identifier: Apache-2.0
// Starts, finds, asks and ends wireguard-go.
#include "agent/tunnel/wg_user.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/evidence.h"
#include "agent/net/link.h"
#include "agent/net/netns.h"
#include "agent/tunnel/launch.h"
#include "agent/tunnel/uapi.h"
#include "agent/tunnel/wireguard.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/sock.h"
#include "lib/wait.h"

enum {
	START_MS = 5000,
	END_MS = 2000,
	POLL_FIRST_MS = 2, // wireguard-go does not report a handshake, so it is asked,
	POLL_MAX_MS = 50, // less and less often
	PATIENCE_FIRST_MS = 500, // for an answer to a handshake; twice as much for the next
	WORDS_MAX = 200, // of the engine's log in an error
};

static char *log_path(const struct tunnel_env *env, const char *name)
{
	return xasprintf("%s/%s.log", env->directory, name);
}

static int absent(struct err *e)
{
	return err_outcome(e, TUNNEL_ABSENT, ESRCH, "the tunnel's engine has died");
}

int wg_user_find(const char *name, struct tunnel *ret, struct err *e)
{
	_cleanup_(closep) int fd = -1, pidfd = -1;
	int r = uapi_connect(name, &fd, e);
	if (r != 0)
		return r == UAPI_ABSENT ? absent(e) : r;
	// The credentials are those of listen(), which the engine's own process did before its
	// exec.
	struct sock_peer peer;
	if (sock_peer(fd, &peer, e) < 0)
		return -1;
	if (proc_pidfd(peer.pid, &pidfd, e) < 0)
		return e->code == ESRCH ? absent(e) : -1;
	struct tunnel found = {.kind = &wg_user_kind, .pid = peer.pid, .pidfd = TAKE_FD(pidfd)};
	if (!text_copy(found.name, sizeof(found.name), name)) {
		closep(&found.pidfd);
		return err_say(e, EINVAL, "\"%.70s\" is not the name of a tunnel", name);
	}
	*ret = found;
	return 0;
}

int wg_user_status(struct tunnel *t, struct wg_user_status *ret, struct err *e)
{
	struct wireguard_status got;
	struct wait w = wait_for(UAPI_ANSWER_MS, -1);
	int r = uapi_request(t->name, "get=1\n\n", &w, &got, e);
	if (r != 0)
		return r == UAPI_ABSENT ? absent(e) : r;
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

// The engine's last words that hold `about`, for an error's sentence: "" or ": words".
static void log_tail(const char *path, const char *about, char *ret, size_t size)
{
	char text[2048];
	ret[0] = '\0';
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	off_t from =
		st.st_size > (off_t)sizeof(text) - 1 ? st.st_size - (off_t)sizeof(text) + 1 : 0;
	ssize_t len = pread(fd, text, sizeof(text) - 1, from);
	if (len <= 0)
		return;
	text[len] = '\0';
	char *rest = text;
	for (char *line; (line = strsep(&rest, "\n"));)
		if (*line && strstr(line, about))
			snprintf(ret, size, ": %.*s", (int)size - 3, line);
}

// The configuration with the exit's secret, and with our key unless NULL. The caller wipes it.
static int config_open(const struct tunnel_env *env, const struct tunnel_spec *spec,
	const uint8_t *private_key, struct wireguard_config *ret, struct err *e)
{
	*ret = spec->wireguard;
	if (private_key)
		memcpy(ret->private_key, private_key, sizeof(ret->private_key));
	return wireguard_secret_open(ret, spec->sealed, env->sealing, e);
}

static int no_handshake(const struct tunnel_env *env, const struct tunnel *t, struct err *e)
{
	_cleanup_(freep) char *log = log_path(env, t->name);
	char words[WORDS_MAX];
	log_tail(log, "handshake", words, sizeof(words));
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
	return absent(e);
}

static int handshake_again(const struct tunnel_env *env, const struct tunnel *t,
	const struct tunnel_spec *spec, struct err *e)
{
	struct wireguard_config config;
	if (config_open(env, spec, NULL, &config, e) < 0)
		return TUNNEL_UNUSABLE;
	_cleanup_(wipe_freep) char *text = wireguard_again_text(&config);
	mem_wipe(&config, sizeof(config));
	struct wireguard_status status;
	struct wait w = wait_for(UAPI_ANSWER_MS, -1);
	int r = uapi_request(t->name, text, &w, &status, e);
	return r == UAPI_ABSENT ? absent(e) : r;
}

static int reach(const struct tunnel_env *env, struct tunnel *t, const struct tunnel_spec *spec,
	const struct wait *w, struct err *e)
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
			return no_handshake(env, t, e);
		if (wait_now_ms() >= again_ms) {
			r = handshake_again(env, t, spec, e);
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

// Is this descriptor of the engine the tun behind the device in that namespace?
static bool is_our_tun(const struct tunnel *t, int number, int ns_fd)
{
	_cleanup_(closep) int tun = (int)syscall(SYS_pidfd_getfd, t->pidfd, number, 0);
	if (tun < 0)
		return false;
	struct ifreq request = {0};
	if (ioctl(tun, TUNGETIFF, &request) < 0 ||
		strncmp(request.ifr_name, LINK_TUNNEL, sizeof(request.ifr_name)) != 0)
		return false;
	_cleanup_(closep) int its_ns = ioctl(tun, TUNGETDEVNETNS);
	return its_ns >= 0 && netns_same(its_ns, ns_fd);
}

static void closedirp(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

int wg_user_owns_device(const struct tunnel *t, int ns_fd, struct err *e)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)t->pid);
	_cleanup_(closedirp) DIR *directory = opendir(path);
	if (!directory && (errno == ENOENT || errno == ESRCH))
		return absent(e);
	if (!directory)
		return err_set(e, errno, "look at the descriptors of engine %s", t->name);
	for (struct dirent *entry; (entry = readdir(directory));) {
		char target[32] = {0};
		if (readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1) < 0 ||
			strcmp(target, "/dev/net/tun") != 0)
			continue;
		if (is_our_tun(t, atoi(entry->d_name), ns_fd))
			return 0;
	}
	return err_outcome(e, WG_USER_FOREIGN, ENODEV,
		"engine %s (pid %d) is not the one behind " LINK_TUNNEL, t->name, (int)t->pid);
}

static int find(const char *name, int ns_fd, struct tunnel *ret, struct err *e)
{
	struct tunnel t = TUNNEL_INIT;
	int r = wg_user_find(name, &t, e);
	if (r == 0)
		r = wg_user_owns_device(&t, ns_fd, e);
	if (r == 0) {
		*ret = t;
		return 0;
	}
	closep(&t.pidfd);
	return r == WG_USER_FOREIGN ? TUNNEL_ABSENT : r;
}

static int prove(struct tunnel *t, int ns_fd, struct evidence *ev, struct err *e)
{
	static const char code[] = "tunnel_no_handshake";
	int64_t begun = wait_now_us();
	struct wg_user_status status = {0};
	int r = wg_user_owns_device(t, ns_fd, e);
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

// Kills it and waits for its end, so that it holds neither the key nor the device any more.
static int engine_kill(const struct tunnel *t, struct err *e)
{
	if (proc_pidfd_signal(t->pidfd, SIGKILL, e) < 0 && e->code != ESRCH)
		return err_wrap(e, "end engine %s", t->name);
	struct wait w = wait_for(END_MS, -1);
	return wait_fd(&w, t->pidfd, POLLIN, "the end of the tunnel's engine", e) == 0 ? 0 : -1;
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
	// Also one that an agent with other possibilities has made.
	if (budget_remove(BUDGET_CGROUPS, name, e) < 0)
		return -1;
	_cleanup_(freep) char *socket = uapi_path(name);
	_cleanup_(freep) char *log = log_path(env, name);
	if (unlink(socket) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove %s", socket);
	if (unlink(log) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove %s", log);
	return 0;
}

static int list(const struct tunnel_env *env, tunnel_each *each, void *arg, struct err *e)
{
	_cleanup_(closedirp) DIR *directory = opendir(env->directory);
	if (!directory)
		return err_set(e, errno, "list the tunnels in %s", env->directory);
	for (struct dirent *entry; (entry = readdir(directory));) {
		char *dot = strrchr(entry->d_name, '.');
		if (!dot || strcmp(dot, ".log") != 0)
			continue;
		*dot = '\0';
		int r = strlen(entry->d_name) < TUNNEL_NAME_SIZE ? each(entry->d_name, arg, e) : 0;
		if (r != 0)
			return r;
	}
	return 0;
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
static int bring_up(const struct tunnel *t, const struct tunnel_env *env,
	const struct tunnel_start *start, const struct wait *w, struct err *e)
{
	const struct link_spec *link = &start->spec->link;
	struct wireguard_config config;
	if (config_open(env, start->spec, start->private_key, &config, e) < 0)
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
	if (link_wake(env->uplink_fd, t->name, link->mtu, e) < 0)
		return -1;
	r = uapi_request(t->name, set, w, &status, e);
	if (r != 0)
		return r;
	if (link_move(env->uplink_fd, t->name, start->ns_fd, link->tunnel, e) < 0)
		return -1;
	return link_configure(start->ns_fd, link, e);
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
	const struct tunnel_start *what, const char *log, const struct wait *w, struct err *e)
{
	_cleanup_(closep) int key_fd = -1, log_fd = -1;
	_cleanup_(budget_door_close) struct budget_door door = BUDGET_DOOR_INIT;
	if (key_lock(what->key_path, &key_fd, e) < 0)
		return -1;
	if (mkdir(UAPI_DIRECTORY, 0755) < 0 && errno != EEXIST)
		return err_set(e, errno, "make " UAPI_DIRECTORY);
	log_fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (log_fd < 0)
		return err_set(e, errno, "open %s", log);
	if (env->cgroups && budget_make(env->cgroups, t->name, &what->budget, &door, e) < 0)
		return -1;
	_cleanup_(freep) char *socket = uapi_path(t->name);
	struct launch_config launch = {
		.program = env->engine,
		.name = t->name,
		.socket_path = socket,
		.uplink_fd = env->uplink_fd,
		.log_fd = log_fd,
		.key_fd = key_fd,
		.door = &door,
		.memory_mb = what->budget.memory_mb,
	};
	return launch_start(&launch, w, &t->pid, &t->pidfd, e);
}

static int start(const struct tunnel_env *env, const struct tunnel_start *what,
	const struct wait *w, struct tunnel *ret, struct err *e)
{
	struct tunnel t = {.kind = &wg_user_kind, .pidfd = -1};
	if (!text_copy(t.name, sizeof(t.name), what->name))
		return err_say(e, EINVAL, "\"%.70s\" is not the name of a tunnel", what->name);
	struct wait limit = wait_at_most(w, START_MS);
	_cleanup_(freep) char *log = log_path(env, t.name);
	int r = launch_locked(env, &t, what, log, &limit, e);
	if (r == 0)
		r = bring_up(&t, env, what, &limit, e);
	if (r == 0) {
		*ret = t;
		return 0;
	}
	if (r == UAPI_ABSENT || r == UAPI_SILENT) {
		char words[WORDS_MAX];
		log_tail(log, "", words, sizeof(words));
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
	.end = end,
	.list = list,
};
