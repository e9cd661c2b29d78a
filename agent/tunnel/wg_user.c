// SPDX-License-Identifier: Apache-2.0
// The userspace WireGuard engine: started as nobody's child, found again, proven, asked, ended.
#include "agent/tunnel/wg_user.h"

#include <ctype.h>
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
#include <sys/un.h>
#include <unistd.h>

#include "agent/evidence.h"
#include "agent/net/link.h"
#include "agent/net/netns.h"
#include "agent/tunnel/launch.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/sock.h"
#include "lib/wait.h"

// Compiled into wireguard-go; only root writes there.
#define UAPI_DIRECTORY "/var/run/wireguard"

enum {
	ANSWER_MS = 500, // a healthy engine answers in less than one
	START_MS = 5000,
	END_MS = 2000,
	ANSWER_BYTES_MAX = 16384,
	NAME_HEX = 12,
	POLL_FIRST_MS = 2, // wireguard-go tells nobody about a handshake, so it is asked,
	POLL_MAX_MS = 50, // less and less often
	PATIENCE_FIRST_MS = 500, // for an answer to a handshake; twice as much for the next
	WORDS_MAX = 200, // of the engine's log in an error
};

bool engine_name(const char *container_id, char ret[static ENGINE_NAME_SIZE])
{
	size_t len = strlen(container_id);
	const char *hex = container_id;
	if (len == NAME_HEX + 1 && hex[0] == 'c')
		hex++;
	else if (len < NAME_HEX)
		return false;
	ret[0] = 'c';
	for (int i = 0; i < NAME_HEX; i++) {
		if (!isdigit((unsigned char)hex[i]) && !(hex[i] >= 'a' && hex[i] <= 'f'))
			return false;
		ret[1 + i] = hex[i];
	}
	ret[1 + NAME_HEX] = '\0';
	return true;
}

static int name_make(const char *container_id, char ret[ENGINE_NAME_SIZE], struct err *e)
{
	if (!engine_name(container_id, ret))
		return err_say(e, EINVAL, "\"%.70s\" is not the id of a container", container_id);
	return 0;
}

void engine_done(struct engine *g)
{
	closep(&g->pidfd);
	*g = ENGINE_INIT;
}

static char *socket_path(const char *name)
{
	return xasprintf(UAPI_DIRECTORY "/%s.sock", name);
}

static char *log_path(const struct engine_home *home, const char *name)
{
	return xasprintf("%s/%s.log", home->directory, name);
}

static int engine_connect(const char *name, int *ret_fd, struct err *e)
{
	_cleanup_(freep) char *path = socket_path(name);
	struct wait w = wait_for(ANSWER_MS, -1);
	int r = sock_connect_unix(path, SOCK_STREAM, &w, ret_fd, e);
	if (r < 0 && (e->code == ENOENT || e->code == ECONNREFUSED))
		return ENGINE_ABSENT;
	return r == 0 ? 0 : -1;
}

int engine_find(const char *container_id, struct engine *ret, struct err *e)
{
	struct engine found = ENGINE_INIT;
	_cleanup_(closep) int fd = -1, pidfd = -1;
	if (name_make(container_id, found.name, e) < 0)
		return -1;
	int r = engine_connect(found.name, &fd, e);
	if (r != 0)
		return r;
	// The credentials are those of listen(), which the engine's own process did before its
	// exec.
	struct sock_peer peer;
	if (sock_peer(fd, &peer, e) < 0)
		return -1;
	if (proc_pidfd(peer.pid, &pidfd, e) < 0)
		return e->code == ESRCH ? ENGINE_ABSENT : -1;
	found.pid = peer.pid;
	found.pidfd = TAKE_FD(pidfd);
	*ret = found;
	return 0;
}

// One UAPI request and its answer. 0, ENGINE_ABSENT, ENGINE_SILENT, WAIT_CANCELED, -1. The answer
// holds the private key: the caller wipes it.
static int engine_ask(
	const char *name, const char *text, const struct wait *w, char **ret, struct err *e)
{
	_cleanup_(closep) int fd = -1;
	int r = engine_connect(name, &fd, e);
	if (r != 0)
		return r;
	r = sock_write_all(fd, text, strlen(text), w, e);
	char *answer = xcalloc(1, ANSWER_BYTES_MAX + 1);
	size_t len = 0;
	while (r == 0 && !(len >= 2 && memcmp(answer + len - 2, "\n\n", 2) == 0)) {
		r = wait_fd(w, fd, POLLIN, "the tunnel's engine", e);
		if (r != 0)
			break;
		ssize_t got = read(fd, answer + len, ANSWER_BYTES_MAX - len);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0)
			r = err_set(e, got < 0 ? errno : ECONNRESET, "ask the tunnel's engine");
		else
			len += (size_t)got;
	}
	if (r == 0) {
		*ret = answer;
		return 0;
	}
	mem_wipe(answer, len);
	free(answer);
	if (r == WAIT_TIMEOUT) {
		return err_outcome(
			e, ENGINE_SILENT, ETIMEDOUT, "the tunnel's engine does not answer");
	}
	if (r < 0 && (e->code == ECONNRESET || e->code == EPIPE))
		return ENGINE_ABSENT;
	return r;
}

// Asks and reads the answer.
static int engine_talk(const char *name, const char *text, const struct wait *w,
	struct wireguard_status *ret, struct err *e)
{
	_cleanup_(wipe_freep) char *answer = NULL;
	int r = engine_ask(name, text, w, &answer, e);
	if (r != 0)
		return r;
	return wireguard_answer_parse(answer, ret, e);
}

int engine_status(struct engine *g, struct engine_status *ret, struct err *e)
{
	struct wireguard_status got;
	struct wait w = wait_for(ANSWER_MS, -1);
	int r = engine_talk(g->name, "get=1\n\n", &w, &got, e);
	if (r != 0)
		return r;
	if (got.handshake_ns != g->handshake_ns) {
		g->handshake_ns = got.handshake_ns;
		g->handshake_seen_ms = wait_now_ms();
	}
	*ret = (struct engine_status){
		.handshake_age_ms =
			g->handshake_ns == 0 ? -1 : wait_now_ms() - g->handshake_seen_ms,
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

static int no_handshake(const struct engine_home *home, const struct engine *g, struct err *e)
{
	_cleanup_(freep) char *log = log_path(home, g->name);
	char words[WORDS_MAX];
	log_tail(log, "handshake", words, sizeof(words));
	return err_outcome(e, ENGINE_NO_HANDSHAKE, ETIMEDOUT,
		"the exit has not answered the tunnel's handshake%s", words);
}

// Pauses between two questions. WAIT_TIMEOUT: the pause is over; ENGINE_ABSENT: it died.
static int handshake_pause(
	const struct engine *g, const struct wait *w, int pause_ms, struct err *e)
{
	struct wait pause = wait_at_most(w, pause_ms);
	int r = wait_fd(&pause, g->pidfd, POLLIN, "the tunnel's engine", e);
	if (r != 0)
		return r;
	return err_outcome(e, ENGINE_ABSENT, ESRCH, "the tunnel's engine has died");
}

static int handshake_again(
	const struct engine *g, const struct wireguard_config *config, struct err *e)
{
	_cleanup_(wipe_freep) char *text = wireguard_again_text(config);
	struct wireguard_status status;
	struct wait w = wait_for(ANSWER_MS, -1);
	return engine_talk(g->name, text, &w, &status, e);
}

int engine_wait_handshake(const struct engine_home *home, struct engine *g,
	const struct wireguard_config *config, const struct wait *w, struct err *e)
{
	int64_t patience_ms = PATIENCE_FIRST_MS, again_ms = wait_now_ms() + patience_ms;
	int pause_ms = POLL_FIRST_MS;
	for (;;) {
		struct engine_status status;
		int r = engine_status(g, &status, e);
		if (r != 0)
			return r;
		if (status.handshake_age_ms >= 0)
			return 0;
		if (wait_left_ms(w) == 0)
			return no_handshake(home, g, e);
		if (wait_now_ms() >= again_ms) {
			r = handshake_again(g, config, e);
			if (r != 0)
				return r;
			patience_ms *= 2;
			again_ms = wait_now_ms() + patience_ms;
			pause_ms = POLL_FIRST_MS;
		}
		r = handshake_pause(g, w, pause_ms, e);
		if (r != WAIT_TIMEOUT)
			return r;
		pause_ms = pause_ms * 2 < POLL_MAX_MS ? pause_ms * 2 : POLL_MAX_MS;
	}
}

// Is this descriptor of the engine the tun behind `tunnel` in that namespace?
static bool is_our_tun(const struct engine *g, int number, int ns_fd, const char *tunnel)
{
	_cleanup_(closep) int tun = (int)syscall(SYS_pidfd_getfd, g->pidfd, number, 0);
	if (tun < 0)
		return false;
	struct ifreq request = {0};
	if (ioctl(tun, TUNGETIFF, &request) < 0 ||
		strncmp(request.ifr_name, tunnel, sizeof(request.ifr_name)) != 0)
		return false;
	_cleanup_(closep) int its_ns = ioctl(tun, TUNGETDEVNETNS);
	return its_ns >= 0 && netns_same(its_ns, ns_fd);
}

static void closedirp(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

int engine_prove(const struct engine *g, int ns_fd, const char *tunnel, struct err *e)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)g->pid);
	_cleanup_(closedirp) DIR *directory = opendir(path);
	if (!directory && (errno == ENOENT || errno == ESRCH))
		return ENGINE_ABSENT;
	if (!directory)
		return err_set(e, errno, "look at the descriptors of engine %s", g->name);
	for (struct dirent *entry; (entry = readdir(directory));) {
		char target[32] = {0};
		if (readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1) < 0 ||
			strcmp(target, "/dev/net/tun") != 0)
			continue;
		if (is_our_tun(g, atoi(entry->d_name), ns_fd, tunnel))
			return 0;
	}
	return err_outcome(e, ENGINE_FOREIGN, ENODEV, "engine %s (pid %d) is not the one behind %s",
		g->name, (int)g->pid, tunnel);
}

int engine_check(
	struct engine *g, int ns_fd, const char *tunnel, struct evidence *ev, struct err *e)
{
	static const char code[] = "tunnel_no_handshake";
	int64_t start = wait_now_us();
	struct engine_status status = {0};
	int r = engine_prove(g, ns_fd, tunnel, e);
	if (r == 0)
		r = engine_status(g, &status, e);
	int64_t took = wait_now_us() - start;
	if (r < 0)
		return -1;
	if (r == ENGINE_ABSENT)
		evidence_add(
			ev, "tunnel", OUTCOME_FAILED, code, took, "the tunnel's engine has died");
	else if (r > 0)
		evidence_add(ev, "tunnel", OUTCOME_FAILED, code, took, "%s", e->message);
	else if (status.handshake_age_ms < 0 || status.handshake_age_ms > ENGINE_DEAD_MS)
		evidence_add(ev, "tunnel", OUTCOME_FAILED, code, took,
			"the exit does not answer: no handshake within %d s",
			ENGINE_DEAD_MS / 1000);
	else
		evidence_add(ev, "tunnel", OUTCOME_PASSED, NULL, took,
			"handshake seen %lld s ago, %llu bytes in, %llu out",
			(long long)status.handshake_age_ms / 1000,
			(unsigned long long)status.rx_bytes, (unsigned long long)status.tx_bytes);
	return 0;
}

// Kills and waits for the end, so that nobody else can still hold the key or the device.
static int engine_kill(const struct engine *g, struct err *e)
{
	if (proc_pidfd_signal(g->pidfd, SIGKILL, e) < 0 && e->code != ESRCH)
		return err_wrap(e, "end engine %s", g->name);
	struct wait w = wait_for(END_MS, -1);
	return wait_fd(&w, g->pidfd, POLLIN, "the end of the tunnel's engine", e) == 0 ? 0 : -1;
}

int engine_end(const struct engine_home *home, const char *container_id, struct err *e)
{
	struct engine g = ENGINE_INIT;
	char name[ENGINE_NAME_SIZE];
	if (name_make(container_id, name, e) < 0)
		return -1;
	int r = engine_find(name, &g, e);
	if (r < 0)
		return -1;
	if (r == 0) {
		r = engine_kill(&g, e);
		engine_done(&g);
		if (r < 0)
			return -1;
	}
	_cleanup_(freep) char *socket = socket_path(name);
	_cleanup_(freep) char *log = log_path(home, name);
	if (unlink(socket) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove %s", socket);
	if (unlink(log) < 0 && errno != ENOENT)
		return err_set(e, errno, "remove %s", log);
	return 0;
}

int engine_list(const struct engine_home *home, engine_each *each, void *arg, struct err *e)
{
	_cleanup_(closedirp) DIR *directory = opendir(home->directory);
	if (!directory)
		return err_set(e, errno, "list the engines in %s", home->directory);
	for (struct dirent *entry; (entry = readdir(directory));) {
		char name[ENGINE_NAME_SIZE];
		char *dot = strrchr(entry->d_name, '.');
		if (!dot || strcmp(dot, ".log") != 0)
			continue;
		*dot = '\0';
		if (strlen(entry->d_name) != NAME_HEX + 1 || !engine_name(entry->d_name, name))
			continue;
		int r = each(name, arg, e);
		if (r != 0)
			return r;
	}
	return 0;
}

// From "the program runs" to "the tunnel is up inside the container".
static int engine_bring_up(const struct engine *g, const struct engine_home *home, int ns_fd,
	const struct wireguard_config *config, const struct link_spec *link, const struct wait *w,
	struct err *e)
{
	struct wireguard_status status;
	// It answers as soon as its device is there.
	int r = engine_talk(g->name, "get=1\n\n", w, &status, e);
	if (r != 0)
		return r;
	// wireguard-go notices "up" by netlink in the namespace where it was born at once,
	// elsewhere up to a second later. So it wakes up here; without address and route nothing
	// can use it yet.
	if (link_wake(home->uplink_fd, g->name, link->mtu, e) < 0)
		return -1;
	_cleanup_(wipe_freep) char *set = wireguard_set_text(config);
	r = engine_talk(g->name, set, w, &status, e);
	if (r != 0)
		return r;
	if (link_move(home->uplink_fd, g->name, ns_fd, link->tunnel, e) < 0)
		return -1;
	return link_configure(ns_fd, link, e);
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

static int engine_launch_locked(const struct engine_home *home, struct engine *g,
	const char *key_path, const char *log, const struct wait *w, struct err *e)
{
	_cleanup_(closep) int key_fd = -1, log_fd = -1;
	if (key_lock(key_path, &key_fd, e) < 0)
		return -1;
	if (mkdir(UAPI_DIRECTORY, 0755) < 0 && errno != EEXIST)
		return err_set(e, errno, "make " UAPI_DIRECTORY);
	log_fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (log_fd < 0)
		return err_set(e, errno, "open %s", log);
	_cleanup_(freep) char *socket = socket_path(g->name);
	struct launch_config launch = {
		.program = home->program,
		.name = g->name,
		.socket_path = socket,
		.uplink_fd = home->uplink_fd,
		.log_fd = log_fd,
		.key_fd = key_fd,
	};
	return launch_start(&launch, w, &g->pid, &g->pidfd, e);
}

int engine_start(const struct engine_home *home, const char *container_id, int ns_fd,
	const struct wireguard_config *config, const struct link_spec *link, const struct wait *w,
	struct engine *ret, struct err *e)
{
	struct engine g = ENGINE_INIT;
	if (name_make(container_id, g.name, e) < 0)
		return -1;
	struct wait limit = wait_at_most(w, START_MS);
	_cleanup_(freep) char *log = log_path(home, g.name);
	int r = engine_launch_locked(home, &g, config->key_path, log, &limit, e);
	if (r == 0)
		r = engine_bring_up(&g, home, ns_fd, config, link, &limit, e);
	if (r == 0) {
		*ret = g;
		return 0;
	}
	if (r == ENGINE_ABSENT || r == ENGINE_SILENT) {
		char words[WORDS_MAX];
		log_tail(log, "", words, sizeof(words));
		r = err_say(
			e, EIO, "the tunnel's engine %s did not come up%s", home->program, words);
	}
	struct err ignored; // the first error is the one that tells
	if (g.pidfd >= 0 && engine_kill(&g, &ignored) == 0)
		(void)!engine_end(home, g.name, &ignored);
	engine_done(&g);
	return r;
}
