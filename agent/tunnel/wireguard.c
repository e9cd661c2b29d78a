// SPDX-License-Identifier: Apache-2.0
// WireGuard's keys, configuration and UAPI text (wireguard.com/xplatform), without any I/O.
#include "agent/tunnel/wireguard.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/seal.h"

enum { SET_TEXT_MAX = 8192, KEY_HEX_SIZE = 2 * KEY32_SIZE + 1 };

static int allowed_parse(const cJSON *list, struct wireguard_config *ret, struct err *e)
{
	const cJSON *item;
	ret->allowed_count = 0;
	cJSON_ArrayForEach (item, list) {
		if (ret->allowed_count == WIREGUARD_ALLOWED_MAX)
			return err_say(e, E2BIG, "allowed_ips holds more than %d addresses",
				WIREGUARD_ALLOWED_MAX);
		if (!cJSON_IsString(item))
			return err_say(e, EINVAL, "allowed_ips holds something other than texts");
		if (addr_parse(item->valuestring, &ret->allowed[ret->allowed_count++], e) < 0)
			return err_wrap(e, "allowed_ips");
	}
	return ret->allowed_count > 0
		       ? 0
		       : err_say(e, EINVAL, "allowed_ips is empty: write 0.0.0.0/0 for everything");
}

int wireguard_exit_parse(const cJSON *exit, struct wireguard_config *ret, struct err *e)
{
	const char *endpoint, *key, *own = NULL;
	const cJSON *allowed;
	if (json_get_text(exit, "endpoint", &endpoint, e) < 0 ||
		json_get_text(exit, "public_key", &key, e) < 0 ||
		json_opt_text(exit, "own_public_key", &own, e) < 0 ||
		json_get_array(exit, "allowed_ips", &allowed, e) < 0)
		return -1;
	if (addr_parse_port(endpoint, &ret->endpoint, e) < 0)
		return err_wrap(e, "endpoint");
	if (ret->endpoint.port == 0)
		return err_say(e, EINVAL, "endpoint \"%.80s\" has no port", endpoint);
	if (key32_parse(key, "public_key", ret->public_key, e) < 0 ||
		(own && key32_parse(own, "own_public_key", ret->own_public_key, e) < 0))
		return -1;
	return allowed_parse(allowed, ret, e);
}

bool wireguard_has_own_key(const struct wireguard_config *config)
{
	return !sodium_is_zero(config->own_public_key, sizeof(config->own_public_key));
}

static int own_key_take(struct wireguard_config *config, const cJSON *secret, struct err *e)
{
	const char *private_key, *preshared_key = NULL;
	uint8_t public_key[KEY32_SIZE];
	if (json_get_text(secret, "private_key", &private_key, e) < 0 ||
		json_opt_text(secret, "preshared_key", &preshared_key, e) < 0 ||
		key32_parse(private_key, "private_key", config->private_key, e) < 0 ||
		(preshared_key &&
			key32_parse(preshared_key, "preshared_key", config->preshared_key, e) < 0))
		return -1;
	(void)!crypto_scalarmult_base(public_key, config->private_key); // cannot fail
	return memcmp(public_key, config->own_public_key, sizeof(public_key)) == 0
		       ? 0
		       : err_say(e, EINVAL,
				 "it is not the private key of wg_own_public_key: enter both again");
}

int wireguard_own_key_open(struct wireguard_config *config, const char *sealed,
	const struct seal_pair *sealing, struct err *e)
{
	_cleanup_(seal_object_freep) cJSON *secret = NULL;
	if (!wireguard_has_own_key(config))
		return 0;
	int r = sealed ? seal_open_object(sealing, sealed, &secret, e)
		       : err_say(e, ENOENT, "it is missing: enter it again");
	if (r == 0)
		r = own_key_take(config, secret, e);
	if (r == 0)
		return 0;
	mem_wipe(config, sizeof(*config));
	return err_wrap(e, "open the exit's own private key");
}

int wireguard_preshared_key_open(struct wireguard_config *config, const char *sealed,
	const struct seal_pair *sealing, struct err *e)
{
	if (!sealed)
		return 0;
	_cleanup_(wipe_freep) char *preshared = NULL;
	size_t size;
	int r = seal_open(sealing, sealed, &preshared, &size, e);
	if (r < 0)
		r = err_wrap(e, "open the exit's preshared key");
	else
		r = key32_parse(preshared, "the exit's preshared key", config->preshared_key, e);
	if (r < 0)
		mem_wipe(config, sizeof(*config));
	return r;
}

static void add_key(struct str *s, const char *name, const uint8_t key[KEY32_SIZE])
{
	char hex[KEY_HEX_SIZE];
	sodium_bin2hex(hex, sizeof(hex), key, KEY32_SIZE);
	str_addf(s, "%s=%s\n", name, hex);
	mem_wipe(hex, sizeof(hex));
}

// All memory at once: a growing buffer would leave copies of the keys behind.
static struct str set_begin(void)
{
	struct str s = {
		.data = xcalloc(1, SET_TEXT_MAX), .cap = SET_TEXT_MAX, .max = SET_TEXT_MAX - 1};

	str_add(&s, "set=1\n");
	return s;
}

static void add_peer(struct str *s, const struct wireguard_config *config)
{
	char text[ADDR_TEXT_MAX];
	bool v6 = config->endpoint.addr.family == AF_INET6;

	str_add(s, "replace_peers=true\n");
	add_key(s, "public_key", config->public_key);
	if (!sodium_is_zero(config->preshared_key, sizeof(config->preshared_key)))
		add_key(s, "preshared_key", config->preshared_key);
	str_addf(s, v6 ? "endpoint=[%s]:%u\n" : "endpoint=%s:%u\n",
		addr_text(&config->endpoint.addr, text), config->endpoint.port);
	str_addf(s, "persistent_keepalive_interval=%d\n", WIREGUARD_KEEPALIVE_S);
	str_add(s, "replace_allowed_ips=true\n");
	for (size_t i = 0; i < config->allowed_count; i++)
		str_addf(s, "allowed_ip=%s\n", addr_cidr(&config->allowed[i], text));
	str_add(s, "\n");
}

char *wireguard_set_text(const struct wireguard_config *config)
{
	struct str s = set_begin();

	add_key(&s, "private_key", config->private_key);
	add_peer(&s, config);
	return str_take(&s);
}

char *wireguard_again_text(const struct wireguard_config *config)
{
	struct str s = set_begin();

	add_peer(&s, config);
	return str_take(&s);
}

static bool number_take(const char *value, uint64_t *ret)
{
	char *end;
	errno = 0;
	unsigned long long n = strtoull(value, &end, 10);
	if (errno != 0 || *end != '\0' || *value < '0' || *value > '9')
		return false;
	*ret = n;
	return true;
}

static bool key_take(const char *value, uint8_t ret[KEY32_SIZE])
{
	size_t len;
	return strlen(value) == KEY_HEX_SIZE - 1 &&
	       sodium_hex2bin(ret, KEY32_SIZE, value, KEY_HEX_SIZE - 1, NULL, &len, NULL) == 0 &&
	       len == KEY32_SIZE;
}

struct answer {
	struct wireguard_status status;
	uint64_t seconds, nanoseconds, error;
	unsigned peers;
	bool ended; // errno= came
};

// One name=value line. false: its value is malformed.
static bool line_take(struct answer *a, const char *name, const char *value)
{
	struct {
		const char *name;
		uint64_t *number;
	} const numbers[] = {
		{"last_handshake_time_sec", &a->seconds},
		{"last_handshake_time_nsec", &a->nanoseconds},
		{"rx_bytes", &a->status.rx_bytes},
		{"tx_bytes", &a->status.tx_bytes},
	};
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (strcmp(name, numbers[i].name) == 0)
			return number_take(value, numbers[i].number);
	if (strcmp(name, "public_key") == 0) {
		a->peers++;
		return key_take(value, a->status.public_key);
	}
	if (strcmp(name, "errno") == 0) {
		a->ended = true;
		a->error = strtoul(value[0] == '-' ? value + 1 : value, NULL, 10);
		return value[0] != '\0';
	}
	return true; // what we do not need, the private key among it
}

static bool lines_take(struct answer *a, char *text)
{
	for (char *line = text; *line;) {
		char *end = strchr(line, '\n');
		if (!end)
			return false;
		*end = '\0';
		char *equals = strchr(line, '=');
		if (*line == '\0')
			return end[1] == '\0'; // the empty line ends the answer
		if (!equals)
			return false;
		*equals = '\0';
		if (!line_take(a, line, equals + 1))
			return false;
		line = end + 1;
	}
	return false;
}

int wireguard_answer_parse(const char *text, struct wireguard_status *ret, struct err *e)
{
	enum { SECONDS_MAX = 9000000000, NANOSECONDS = 1000000000 };
	_cleanup_(wipe_freep) char *copy = xstrdup(text);
	struct answer a = {0};
	size_t len = strlen(copy);
	bool whole = lines_take(&a, copy);
	mem_wipe(copy, len); // lines_take has put NULs into it, wipe_freep would stop at the first
	if (!whole || !a.ended || a.peers > 1 || a.seconds > SECONDS_MAX ||
		a.nanoseconds >= NANOSECONDS)
		return err_say(e, EBADMSG, "the tunnel's engine gave an answer that is not UAPI");
	if (a.error != 0)
		return err_say(e, EIO, "the tunnel's engine refused its configuration (errno %u)",
			(unsigned)a.error);
	a.status.handshake_ns = (int64_t)(a.seconds * NANOSECONDS + a.nanoseconds);
	*ret = a.status;
	return 0;
}
