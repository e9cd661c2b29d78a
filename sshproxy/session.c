// SPDX-License-Identifier: Apache-2.0
// Child: key exchange, login, relay, end.
#include "sshproxy/session.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/dial.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/sock.h"
#include "lib/wait.h"
#include "sshproxy/host.h"
#include "sshproxy/login.h"
#include "sshproxy/monitor_client.h"
#include "sshproxy/relay.h"
#include "sshproxy/sandbox.h"
#include "sshproxy/side.h"

enum {
	TURNS_MAX = 64, // of the relay without a look at the descriptors
	FLUSH_MS = 2000, // for the last words to leave
	ORDER_MS = 1000, // for the reason why the host is gone
	TRAFFIC_MS = 20000, // between two words that bytes have moved
	LINGER_MS = 2000, // for the user's client to hang up
	EXIT_SANDBOX = 3,
};

struct session {
	struct side user, host; // host.session is NULL until the first channel
	struct monitor_client monitor;
	struct relay relay;
	int grace_s;
	uint64_t told_bytes; // what had moved when the monitor was told last
	int64_t told_ms; // when; 0: never
	enum message_close_reason close_reason;
	char sentence[MESSAGE_SENTENCE_SIZE]; // "" when the user has left
};

static void close_because(struct session *s, enum message_close_reason reason, const char *sentence)
{
	s->close_reason = reason;
	if (!text_copy(s->sentence, sizeof(s->sentence), sentence))
		s->sentence[0] = '\0';
}

// Sleeps until something may move.
static void session_wait(struct session *s, int timeout_ms)
{
	bool is_on_the_way_in = s->relay.count.up_bytes + s->relay.count.down_bytes == 0;
	if (is_on_the_way_in) {
		side_ack(&s->user);
		side_ack(&s->host);
	}
	struct pollfd fds[] = {
		side_poll(&s->user, relay_may_read_user(&s->relay)),
		side_poll(&s->host, relay_may_read_host(&s->relay)),
		{.fd = s->monitor.over ? -1 : s->monitor.fd, .events = POLLIN},
	};
	if (poll(fds, ARRAY_SIZE(fds), timeout_ms) < 0)
		return; // EINTR: the caller looks again
	s->user.revents = fds[0].revents;
	s->host.revents = fds[1].revents;
	if (fds[2].revents != 0)
		monitor_client_poll(&s->monitor, 0);
}

static bool keys_exchange(struct session *s, const struct wait *grace)
{
	int r;
	while ((r = ssh_handle_key_exchange(s->user.session)) == SSH_AGAIN) {
		if (wait_left_ms(grace) == 0 || s->monitor.over)
			break;
		session_wait(s, wait_left_ms(grace));
	}
	side_attach(&s->user);
	return r == SSH_OK;
}

// Returns true when the user is in. Else `close_reason` and the sentence are set.
static bool user_login(struct session *s)
{
	struct wait grace = wait_for(s->grace_s * 1000, -1);
	_cleanup_(login_done) struct login login;
	login_init(&login, s->user.session, &s->monitor);
	bool talks = keys_exchange(s, &grace);
	while (talks && !side_is_dead(&s->user) && !s->monitor.over && wait_left_ms(&grace) > 0) {
		ssh_message m = ssh_message_get(s->user.session);
		switch (m ? login_take(&login, m) : login_poll(&login)) {
		case LOGIN_MORE:
			break;
		case LOGIN_DONE:
			return true;
		case LOGIN_REFUSED:
			close_because(s, MESSAGE_CLOSE_ORDERED, login.sentence);
			return false;
		case LOGIN_FAILED:
			close_because(s, MESSAGE_CLOSE_AUTH_FAILED, login.sentence);
			return false;
		}
		if (!m)
			session_wait(s, wait_left_ms(&grace));
	}
	if (wait_left_ms(&grace) == 0)
		close_because(s, MESSAGE_CLOSE_GRACE, "The login took too long.");
	else if (s->monitor.over)
		close_because(s, MESSAGE_CLOSE_ORDERED, s->monitor.sentence);
	else
		close_because(s,
			login.failed > 0 ? MESSAGE_CLOSE_AUTH_FAILED : MESSAGE_CLOSE_NO_AUTH, "");
	return false;
}

// The user's own key or password was right, or we would not be here.
static void host_refused(struct session *s, const struct err *why)
{
	_cleanup_(freep) char *sentence = xasprintf(
		"You are let in, but the container refused the login as dev (%.120s): if its accounts or "
		"its sshd were changed, rebuild the host with mode keep.",
		why->message);
	close_because(s, MESSAGE_CLOSE_HOST_REFUSED, sentence);
}

// Asks the monitor for a connection and logs in there. On failure the sentence is for the user.
static bool host_reach(struct session *s)
{
	struct message answer;
	int fds[MESSAGE_FDS_MAX];
	struct err e;
	struct message question = message_new(MESSAGE_DIAL);
	if (monitor_client_ask(&s->monitor, &question, &answer, fds, &e) < 0) {
		close_because(s, MESSAGE_CLOSE_UNREACHABLE,
			s->monitor.over ? s->monitor.sentence
					: "The host is not reached: try again.");
		return false;
	}
	if (answer.kind != MESSAGE_DIALLED || answer.dialled.verdict != MESSAGE_YES) {
		close_because(s, MESSAGE_CLOSE_UNREACHABLE, answer.dialled.sentence);
		return false;
	}
	_cleanup_(closep) int key_fd = fds[DIAL_FD_CLIENT_KEY];
	struct host_dialled dialled = {fds[DIAL_FD_SOCKET], key_fd, answer.dialled.host_key};
	ssh_session host = NULL;
	if (sock_nodelay(dialled.socket_fd, &e) < 0 || host_login(&dialled, &host, &e) < 0) {
		host_refused(s, &e);
		return false;
	}
	s->host = (struct side){.session = host, .fd = fds[DIAL_FD_SOCKET]};
	side_attach(&s->host);
	relay_connect(&s->relay, host);
	return true;
}

static void requests_take(struct session *s)
{
	ssh_message m;
	while (!relay_is_full(&s->relay) && (m = ssh_message_get(s->user.session)))
		relay_take(&s->relay, m);
}

// A host that is gone may have been ended by a rule, which says so within moments.
static void host_gone(struct session *s)
{
	monitor_client_poll(&s->monitor, ORDER_MS);
	if (s->monitor.over)
		close_because(s, MESSAGE_CLOSE_ORDERED, s->monitor.sentence);
	else
		close_because(s, MESSAGE_CLOSE_HOST_GONE, "The host closed the connection.");
}

// Sets `close_reason` and the sentence when the relay is over.
static bool is_over(struct session *s)
{
	if (side_is_dead(&s->user))
		close_because(s, MESSAGE_CLOSE_LEFT, "");
	else if (s->monitor.over)
		close_because(s, MESSAGE_CLOSE_ORDERED, s->monitor.sentence);
	else if (side_is_dead(&s->host))
		host_gone(s);
	else if (s->relay.is_broken)
		close_because(s, MESSAGE_CLOSE_HOST_GONE,
			"More was sent than the receiver had room for.");
	else
		return false;
	return true;
}

static void notice_pass_on(struct session *s)
{
	if (s->monitor.notice[0] == '\0')
		return;
	relay_say(&s->relay, s->monitor.notice);
	s->monitor.notice[0] = '\0';
}

// Tells the monitor that bytes have moved, once in TRAFFIC_MS. Returns when to try again, in
// milliseconds; -1: when some have.
static int traffic_tell(struct session *s)
{
	uint64_t bytes = s->relay.count.up_bytes + s->relay.count.down_bytes;
	int64_t now_ms = wait_now_ms();
	if (bytes == s->told_bytes)
		return -1;
	if (s->told_ms != 0 && now_ms - s->told_ms < TRAFFIC_MS)
		return (int)(s->told_ms + TRAFFIC_MS - now_ms);
	s->told_bytes = bytes;
	s->told_ms = now_ms;
	monitor_client_traffic(&s->monitor);
	return -1;
}

// Whatever libssh is asked to do may read more, so requests and channels are looked at until
// nothing moves; only then may we sleep. A peer that sends on and on does not keep us from hearing
// the monitor.
static void session_relay(struct session *s)
{
	while (!is_over(s)) {
		side_drive(&s->user, relay_may_read_user(&s->relay));
		side_drive(&s->host, relay_may_read_host(&s->relay));
		int turns = 0;
		do {
			requests_take(s);
			if (relay_wants_host(&s->relay) && !host_reach(s))
				return;
		} while (relay_turn(&s->relay) && ++turns < TURNS_MAX);
		notice_pass_on(s);
		int traffic_ms = traffic_tell(s);
		if (!is_over(s))
			session_wait(s, turns < TURNS_MAX ? traffic_ms : 0);
	}
}

// Lets libssh write until nothing is left, or the user hangs up, or time is over.
static void user_flush(struct session *s, bool until_hang_up)
{
	struct wait w = wait_for(until_hang_up ? LINGER_MS : FLUSH_MS, -1);
	while (!side_is_dead(&s->user) && wait_left_ms(&w) > 0) {
		if (!until_hang_up && !session_write_is_pending(s->user.session))
			return;
		struct pollfd fd = side_poll(&s->user, true);
		if (poll(&fd, 1, wait_left_ms(&w)) < 0)
			return;
		s->user.revents = fd.revents;
		side_drive(&s->user, true);
	}
}

// Closing with unread bytes would make the kernel reset the connection and throw away the sentence.
static void user_hang_up(struct session *s)
{
	struct wait w = wait_for(LINGER_MS, -1);
	char rest[4096];
	struct err e;
	_cleanup_(closep) int fd = fcntl(s->user.fd, F_DUPFD_CLOEXEC, 0);
	ssh_disconnect(s->user.session); // closes its descriptor
	if (fd < 0 || shutdown(fd, SHUT_WR) < 0)
		return;
	while (wait_fd(&w, fd, POLLIN, "the end of the connection", &e) == 0 &&
		recv(fd, rest, sizeof(rest), MSG_DONTWAIT) > 0)
		;
}

// The sentence goes to the stderr of every open channel, and into the disconnect message, which
// OpenSSH's client prints: so it is seen also before a channel is open.
static void session_end(struct session *s)
{
	if (s->sentence[0] != '\0' && !side_is_dead(&s->user)) {
		bool was_open = relay_end(&s->relay, s->sentence);
		(void)ssh_session_set_disconnect_message(s->user.session, s->sentence);
		user_flush(s, was_open);
	}
	relay_done(&s->relay); // now: to disconnect frees libssh's channels
	if (!side_is_dead(&s->user)) {
		user_flush(s, false);
		user_hang_up(s);
	}
	host_logout(s->host.session);
}

// The last of each are for clients that know no better: libssh2 1.10, paramiko 2.12.
#define CIPHERS \
	"aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com," \
	"aes256-ctr,aes128-ctr"
#define MACS \
	"hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512"

ssh_bind session_bind_new(ssh_key host_key)
{
	static const struct {
		enum ssh_bind_options_e option;
		const char *value;
	} texts[] = {
		{SSH_BIND_OPTIONS_KEY_EXCHANGE,
			"curve25519-sha256,curve25519-sha256@libssh.org,diffie-hellman-group18-sha512,"
			"diffie-hellman-group16-sha512"},
		{SSH_BIND_OPTIONS_HOSTKEY_ALGORITHMS, "ssh-ed25519"},
		{SSH_BIND_OPTIONS_PUBKEY_ACCEPTED_KEY_TYPES,
			"ssh-ed25519,sk-ssh-ed25519@openssh.com,ecdsa-sha2-nistp256,"
			"ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,"
			"sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256"},
		{SSH_BIND_OPTIONS_CIPHERS_C_S, CIPHERS},
		{SSH_BIND_OPTIONS_CIPHERS_S_C, CIPHERS},
		{SSH_BIND_OPTIONS_HMAC_C_S, MACS},
		{SSH_BIND_OPTIONS_HMAC_S_C, MACS},
		{SSH_BIND_OPTIONS_BANNER, "cloud-cli-proxy"},
	};
	ssh_bind bind = ssh_bind_new();
	bool no = false;
	if (!bind)
		return NULL;
	bool done = ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no) == SSH_OK &&
		    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_IMPORT_KEY, host_key) == SSH_OK;
	for (size_t i = 0; done && i < ARRAY_SIZE(texts); i++)
		done = ssh_bind_options_set(bind, texts[i].option, texts[i].value) == SSH_OK;
	if (done)
		return bind;
	ssh_bind_free(bind);
	return NULL;
}

noreturn void session_run(const struct session_conf *conf)
{
	struct session s = {.grace_s = conf->grace_s, .close_reason = MESSAGE_CLOSE_NO_AUTH};
	struct err e;
	if (sandbox_enter(conf->sandbox, conf->user_fd, conf->monitor_fd, &e) < 0)
		_exit(EXIT_SANDBOX);
	monitor_client_init(&s.monitor, SANDBOX_FD_MONITOR);
	ssh_session user = ssh_new();
	if (!user || ssh_options_set(user, SSH_OPTIONS_COMPRESSION, "none") != SSH_OK ||
		ssh_bind_accept_fd(conf->bind, user, SANDBOX_FD_USER) != SSH_OK)
		_exit(EXIT_FAILURE);
	ssh_set_blocking(user, 0);
	s.user = (struct side){.session = user, .fd = SANDBOX_FD_USER};
	relay_init(&s.relay, user);
	if (user_login(&s))
		session_relay(&s);
	monitor_client_close(
		&s.monitor, s.close_reason, s.relay.count.up_bytes, s.relay.count.down_bytes);
	session_end(&s);
	_exit(EXIT_SUCCESS);
}
