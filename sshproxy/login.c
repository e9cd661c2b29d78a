// SPDX-License-Identifier: Apache-2.0
// Child: answers the messages of a session that has not logged in.
#include "sshproxy/login.h"

#include <stdio.h>
#include <string.h>

#include <libssh/callbacks.h>
#include <libssh/server.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "sshproxy/monitor_client.h"

// See request.c: the monitor answers, so requests are taken as messages.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

// Certificates are parsed by libssh, but not checked: anyone may have signed them.
static bool type_is_taken(enum ssh_keytypes_e type)
{
	static const enum ssh_keytypes_e types[] = {SSH_KEYTYPE_ED25519, SSH_KEYTYPE_SK_ED25519,
		SSH_KEYTYPE_RSA, SSH_KEYTYPE_ECDSA_P256, SSH_KEYTYPE_ECDSA_P384,
		SSH_KEYTYPE_ECDSA_P521, SSH_KEYTYPE_SK_ECDSA};
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i] == type)
			return true;
	return false;
}

static bool key_hash(ssh_key key, char ret[static MESSAGE_SHA256_SIZE])
{
	unsigned char *hash = NULL;
	size_t len = 0;
	if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &len) != 0)
		return false;
	for (size_t i = 0; i < len && 2 * i + 2 < MESSAGE_SHA256_SIZE; i++)
		snprintf(ret + 2 * i, 3, "%02x", hash[i]);
	ssh_clean_pubkey_hash(&hash);
	return strlen(ret) == MESSAGE_SHA256_SIZE - 1;
}

static enum message_verdict refuse(struct login *login, const char *sentence)
{
	if (!text_copy(login->sentence, sizeof(login->sentence), sentence))
		login->sentence[0] = '\0';
	return MESSAGE_REFUSED;
}

static enum message_verdict ask(struct login *login, const struct message *question)
{
	struct message answer;
	int fds[MESSAGE_FDS_MAX];
	struct err e;
	if (monitor_client_ask(login->monitor, question, &answer, fds, &e) < 0)
		return refuse(login, login->monitor->over
					     ? login->monitor->sentence
					     : "The login is not answered: try again.");
	if (answer.kind != MESSAGE_ANSWER)
		return refuse(login, "The login was answered wrongly: try again.");
	if (answer.answer.verdict == MESSAGE_REFUSED)
		return refuse(login, answer.answer.sentence);
	return (enum message_verdict)answer.answer.verdict;
}

static enum message_verdict ask_password(struct login *login, ssh_message m)
{
	const char *password = ssh_message_auth_password(m);
	struct message question = message_new(MESSAGE_PASSWORD);
	snprintf(question.login.name, sizeof(question.login.name), "%s",
		name_or_dash(ssh_message_auth_user(m)));
	snprintf(question.login.password, sizeof(question.login.password), "%s",
		password ? password : "");
	enum message_verdict verdict = ask(login, &question);
	mem_wipe(&question, sizeof(question));
	return verdict;
}

static enum message_verdict ask_key(struct login *login, ssh_message m, enum message_kind kind)
{
	ssh_key key = ssh_message_auth_pubkey(m);
	struct message question = message_new(kind);
	snprintf(question.key.name, sizeof(question.key.name), "%s",
		name_or_dash(ssh_message_auth_user(m)));
	if (!key || !type_is_taken(ssh_key_type(key)) || !key_hash(key, question.key.sha256))
		return MESSAGE_NO;
	return ask(login, &question);
}

static enum login_outcome deny(struct login *login, ssh_message m)
{
	login->failed++;
	if (login->failed >= LOGIN_TRIES_MAX) {
		refuse(login, "Too many wrong keys or passwords.");
		return LOGIN_FAILED;
	}
	(void)ssh_message_reply_default(m);
	return LOGIN_MORE;
}

static enum login_outcome take_credentials(struct login *login, ssh_message m)
{
	enum message_verdict verdict = MESSAGE_NO;
	bool is_offer = false;
	if (ssh_message_subtype(m) == SSH_AUTH_METHOD_PASSWORD) {
		verdict = ask_password(login, m);
	} else {
		enum ssh_publickey_state_e state = ssh_message_auth_publickey_state(m);
		is_offer = state == SSH_PUBLICKEY_STATE_NONE;
		if (is_offer)
			verdict = ask_key(login, m, MESSAGE_KEY_OFFER);
		else if (state == SSH_PUBLICKEY_STATE_VALID)
			verdict = ask_key(login, m, MESSAGE_KEY_LOGIN);
	}
	switch (verdict) {
	case MESSAGE_YES:
		if (is_offer) {
			(void)ssh_message_auth_reply_pk_ok_simple(m);
			return LOGIN_MORE;
		}
		(void)ssh_message_auth_reply_success(m, 0);
		return LOGIN_DONE;
	case MESSAGE_NO:
		return deny(login, m);
	case MESSAGE_REFUSED:
		break;
	}
	return LOGIN_REFUSED;
}

#if LIBSSH_VERSION_INT < SSH_VERSION_INT(0, 10, 6)
#error "libssh before 0.10.6 is not known to log what logins are counted by"
#endif

// A request whose key libssh cannot parse, or whose signature is wrong or of a kind that we do not
// take, is dropped, and the client would wait for an answer until its time is over. That it came
// (50 is SSH_MSG_USERAUTH_REQUEST, RFC 4252) is seen in libssh's log only. A later libssh may log
// another text: login_self_test() refuses to start with it.
static void on_log(int priority, const char *function, const char *line, void *data)
{
	struct login *login = data;
	(void)priority;
	if (strcmp(function, "ssh_packet_process") == 0 &&
		strstr(line, "Dispatching handler for packet type 50"))
		login->came++;
}

void login_init(struct login *login, ssh_session user, struct monitor_client *monitor)
{
	*login = (struct login){.monitor = monitor};
	ssh_set_auth_methods(user, SSH_AUTH_METHOD_PUBLICKEY | SSH_AUTH_METHOD_PASSWORD);
	ssh_set_log_callback(on_log);
	ssh_set_log_userdata(login);
	ssh_set_log_level(SSH_LOG_PACKET);
}

void login_done(struct login *login)
{
	ssh_set_log_level(SSH_LOG_NOLOG);
	ssh_set_log_userdata(NULL);
	ssh_message_free(TAKE_PTR(login->none));
}

enum login_outcome login_take(struct login *login, ssh_message m)
{
	enum login_outcome outcome = LOGIN_MORE;
	int subtype = ssh_message_subtype(m);
	bool is_login = ssh_message_type(m) == SSH_REQUEST_AUTH;
	login->taken += is_login;
	if (is_login &&
		(subtype == SSH_AUTH_METHOD_PASSWORD || subtype == SSH_AUTH_METHOD_PUBLICKEY))
		outcome = take_credentials(login, m);
	else // `none` learns the methods; the service request is granted
		(void)ssh_message_reply_default(m);
	if (is_login && subtype == SSH_AUTH_METHOD_NONE && !login->none)
		login->none = TAKE_PTR(m);
	ssh_message_free(m);
	return outcome;
}

// libssh answers messages only, so the first one is answered once more.
enum login_outcome login_poll(struct login *login)
{
	enum login_outcome outcome = LOGIN_MORE;
	while (outcome == LOGIN_MORE && login->taken < login->came) {
		login->taken++;
		if (login->none) {
			outcome = deny(login, login->none);
		} else {
			refuse(login, "This key or its signature is not understood.");
			outcome = LOGIN_FAILED;
		}
	}
	return outcome;
}
