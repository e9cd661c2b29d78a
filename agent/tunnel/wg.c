// SPDX-License-Identifier: Apache-2.0
// What WireGuard in user space and in the kernel have in common.
#include "agent/tunnel/wg.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>

#include "agent/evidence.h"
#include "agent/net/netns.h"
#include "agent/tunnel/engine.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/wait.h"

enum {
	POLL_FIRST_MS = 2, // nothing reports a handshake, so it is asked for,
	POLL_MAX_MS = 50, // less and less often
	PATIENCE_FIRST_MS = 500, // for an answer to a handshake; twice as much for the next
	KEEPALIVE_BYTES = 32, // the smallest packet with something in it has twice as many
	GREETING_BYTES = 1024, // of handshakes and keepalives, which show no session that was used
	WORDS_MAX = 200, // in an error
};

static const char code[] = WG_CODE;

int wg_parse(const cJSON *exit, struct tunnel_spec *ret, struct err *e)
{
	const char *address, *address6 = NULL, *resolver = NULL;
	int64_t mtu = 0;
	strcpy(ret->link.tunnel, LINK_TUNNEL);
	if (wireguard_exit_parse(exit, &ret->wireguard, e) < 0 ||
		json_get_text(exit, "peer_address", &address, e) < 0 ||
		json_opt_text(exit, "peer_address6", &address6, e) < 0 ||
		json_opt_text(exit, "dns_server", &resolver, e) < 0 ||
		json_opt_int(exit, "mtu", 1, INT32_MAX, &mtu, e) < 0 ||
		json_opt_text(exit, "secret_sealed", &ret->sealed, e) < 0 ||
		json_opt_text(exit, "preshared_key_sealed", &ret->preshared_sealed, e) < 0)
		return -1;
	ret->link.mtu = (int)mtu;
	ret->mtu_open = mtu == 0;
	if (addr_parse(address, &ret->link.address, e) < 0)
		return err_wrap(e, "peer_address");
	if (address6 && addr_parse(address6, &ret->link.address6, e) < 0)
		return err_wrap(e, "peer_address6");
	if (resolver && addr_parse(resolver, &ret->resolver, e) < 0)
		return err_wrap(e, "dns_server");
	return 0;
}

// The endpoint's headers of IP and UDP, and WireGuard's own with the tag behind the data.
static int wrapping_of(const struct addr *endpoint)
{
	return (endpoint->family == AF_INET6 ? 40 : 20) + 8 + 32;
}

int wg_mtu_most(const struct tunnel_env *env, const struct wireguard_config *config, int *ret,
	struct err *e)
{
	const struct addr_port *to = &config->endpoint;
	bool six = to->addr.family == AF_INET6;
	struct sockaddr_storage address;
	socklen_t len = addr_to_socket(&to->addr, to->port, &address), size = sizeof(int);
	int way = 0;
	_cleanup_(closep) int fd = netns_socket(env->uplink_fd, to->addr.family, SOCK_DGRAM, 0, e);
	if (fd < 0)
		return -1;
	// Connecting sends nothing, it looks for the route. Without one no exit answers either.
	if (connect(fd, (struct sockaddr *)&address, len) < 0 ||
		getsockopt(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_MTU : IP_MTU, &way,
			&size) < 0)
		way = INT_MAX;
	int most = way - wrapping_of(&to->addr);
	*ret = most > WG_MTU_USUAL ? WG_MTU_USUAL : most < LINK_MTU_LEAST ? LINK_MTU_LEAST : most;
	return 0;
}

int wg_config_open(const struct tunnel_place *place, const uint8_t *private_key,
	struct wireguard_config *ret, struct err *e)
{
	*ret = place->spec->wireguard;
	if (private_key)
		memcpy(ret->private_key, private_key, sizeof(ret->private_key));
	const struct seal_pair *sealing = place->env->sealing;
	int r = wireguard_own_key_open(ret, place->spec->sealed, sealing, e);
	return r < 0 ? r
		     : wireguard_preshared_key_open(ret, place->spec->preshared_sealed, sealing, e);
}

const char *wg_key_name(const struct tunnel_place *place, const struct tunnel_start *start,
	char ret_own[static KEY32_TEXT_SIZE])
{
	if (!wireguard_has_own_key(&place->spec->wireguard))
		return start->key_path;
	key32_text(place->spec->wireguard.own_public_key, ret_own);
	return ret_own;
}

static int host_key_lock(const char *path, int *ret_fd, struct err *e)
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

// The keys of exits have no files. One file stands for all of them: its byte number N is locked for the
// key whose first bytes are N.
static int own_key_lock(const struct tunnel_env *env, const uint8_t public_key[KEY32_SIZE],
	int *ret_fd, struct err *e)
{
	_cleanup_(freep) char *path = xasprintf("%s/keys.lock", env->directory);
	_cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct flock byte = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
	if (fd < 0)
		return err_set(e, errno, "open %s", path);
	for (size_t i = 0; i < sizeof(byte.l_start) - 1; i++)
		byte.l_start = byte.l_start << 8 | public_key[i];
	// Of the open file, so that a process that inherits it holds it too.
	if (fcntl(fd, F_OFD_SETLK, &byte) < 0)
		return errno == EAGAIN || errno == EACCES
			       ? err_say(e, EBUSY,
					 "a tunnel with this exit's own key still runs: end it first")
			       : err_set(e, errno, "lock %s", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int wg_key_lock(const struct tunnel_place *place, const struct tunnel_start *start, int *ret_fd,
	struct err *e)
{
	const struct wireguard_config *config = &place->spec->wireguard;
	return wireguard_has_own_key(config)
		       ? own_key_lock(place->env, config->own_public_key, ret_fd, e)
		       : host_key_lock(start->key_path, ret_fd, e);
}

int wg_status(const struct wg_way *way, const struct tunnel_place *place, struct tunnel *t,
	struct wg_status *ret, struct err *e)
{
	struct wireguard_status got;
	int r = way->ask(place, t, &got, e);
	if (r != 0)
		return r;
	if (got.handshake_ns != 0 && got.handshake_ns != t->wireguard.handshake_ns) {
		t->wireguard.handshake_ns = got.handshake_ns;
		t->wireguard.handshake_seen_ms = wait_now_ms();
	}
	*ret = (struct wg_status){
		.handshake_age_ms = t->wireguard.handshake_seen_ms == 0
					    ? -1
					    : wait_now_ms() - t->wireguard.handshake_seen_ms,
		.rx_bytes = got.rx_bytes,
		.tx_bytes = got.tx_bytes,
	};
	return 0;
}

void wg_pulse_open(const struct tunnel_place *place, struct tunnel_pulse *p)
{
	const struct addr *resolver = &place->spec->resolver;
	struct err ignored; // one that cannot be asked is judged by what else it sends
	if (resolver->family != 0 && exit_ask_open(place->ns_fd, resolver, &p->exit, &ignored) < 0)
		p->exit = EXIT_ASK_INIT;
}

int wg_heard(struct tunnel_pulse *p, const struct wireguard_status *got, struct err *e)
{
	bool has_sent = got->tx_bytes - p->wireguard.tx_bytes > KEEPALIVE_BYTES;
	if (got->rx_bytes != p->wireguard.rx_bytes || !has_sent) {
		p->wireguard.rx_bytes = got->rx_bytes;
		p->wireguard.tx_bytes = got->tx_bytes;
		return 0;
	}
	if (p->exit.fd >= 0)
		exit_ask_send(&p->exit);
	if (got->rx_bytes <= GREETING_BYTES)
		return err_outcome(e, TUNNEL_SILENT, ETIMEDOUT,
			"the exit has answered nothing since it was greeted");
	return err_outcome(
		e, TUNNEL_UNANSWERED, ETIMEDOUT, "the exit answers nothing that the tunnel sends");
}

static int no_handshake(const struct wg_way *way, const struct tunnel_place *place,
	const struct tunnel *t, struct err *e)
{
	char words[WORDS_MAX] = "";
	if (way->words)
		way->words(place, t, words, sizeof(words));
	return err_outcome(e, TUNNEL_UNANSWERED, ETIMEDOUT,
		"the exit has not answered the tunnel's handshake%s", words);
}

int wg_renew(const struct wg_way *way, const struct tunnel_place *place, const struct tunnel *t,
	struct err *e)
{
	struct wireguard_config config;
	if (wg_config_open(place, NULL, &config, e) < 0)
		return TUNNEL_UNUSABLE;
	int r = way->again(place, t, &config, e);
	mem_wipe(&config, sizeof(config));
	return r == TUNNEL_SILENT ? -1 : r;
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

int wg_reach(const struct wg_way *way, const struct tunnel_place *place, struct tunnel *t,
	const struct wait *w, struct err *e)
{
	int64_t patience_ms = PATIENCE_FIRST_MS, again_ms = wait_now_ms() + patience_ms;
	int pause_ms = POLL_FIRST_MS;
	for (;;) {
		struct wg_status status;
		int r = wg_status(way, place, t, &status, e);
		if (r != 0)
			return r == TUNNEL_SILENT ? -1 : r;
		if (status.handshake_age_ms >= 0)
			return 0;
		if (wait_left_ms(w) == 0)
			return no_handshake(way, place, t, e);
		if (wait_now_ms() >= again_ms) {
			r = wg_renew(way, place, t, e);
			if (r != 0)
				return r;
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

void wg_disprove(struct evidence *ev, int64_t begun_us, const struct err *why)
{
	evidence_add(
		ev, "tunnel", OUTCOME_FAILED, code, wait_now_us() - begun_us, "%s", why->message);
}

int wg_prove(const struct wg_way *way, const struct tunnel_place *place, struct tunnel *t,
	struct evidence *ev, struct err *e)
{
	int64_t begun = wait_now_us();
	struct wg_status status = {0};
	int r = wg_status(way, place, t, &status, e);
	int64_t took = wait_now_us() - begun;
	if (r < 0)
		return -1;
	if (r > 0)
		wg_disprove(ev, begun, e);
	else if (status.handshake_age_ms < 0 || status.handshake_age_ms > WG_DEAD_MS)
		evidence_add(ev, "tunnel", OUTCOME_FAILED, code, took,
			"the exit does not answer: no handshake within %d s", WG_DEAD_MS / 1000);
	else
		evidence_add(ev, "tunnel", OUTCOME_PASSED, NULL, took,
			"handshake seen %lld s ago, %llu bytes in, %llu out",
			(long long)status.handshake_age_ms / 1000,
			(unsigned long long)status.rx_bytes, (unsigned long long)status.tx_bytes);
	return 0;
}
