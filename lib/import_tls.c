// SPDX-License-Identifier: Apache-2.0
// Reads TLS from the parameters of a link.
#include "lib/import_tls.h"

#include <string.h>
#include <strings.h>

#include "lib/import_link.h"
#include "lib/import_make.h"
#include "lib/json.h"
#include "lib/mem.h"

enum { NAME_MAX_TLS = 253, PROTOCOLS_MAX = 16, PROTOCOL_MAX = 255 };

#define ASK_TLS \
	"ask the provider for a server with TLS (security=tls) and a certificate of its own name"

static const char *const names[] = {"sni", "peer", "servername", "server_name", "tls-host", NULL};

bool tls_is_name(const char *text)
{
	size_t len = strlen(text);
	return len >= 1 && len <= NAME_MAX_TLS &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:") ==
		       len;
}

// --- whether

static enum import_code reality_refuse(struct import *i)
{
	return import_refuse(i, IMPORT_UNSUPPORTED, "tls",
		"reality is not supported: it disguises the server as another, which is not built "
		"here; " ASK_TLS);
}

static enum import_code none_refuse(struct import *i)
{
	return import_refuse(i, IMPORT_UNSUPPORTED, "tls",
		"without TLS the password and the traffic could be read on the way: " ASK_TLS);
}

// A link that names the server for TLS and does not say whether there is TLS.
static enum import_code absent_read(
	struct import *i, struct uri *u, enum tls_usual usual, bool *ret)
{
	*ret = usual == TLS_NEEDED;
	if (usual == TLS_NEEDED || !uri_param_any(u, names))
		return IMPORT_READ;
	return import_refuse(i, IMPORT_INVALID, "tls",
		"the link names a server for TLS (sni) and does not say whether there is TLS: add "
		"security=tls, or security=none and leave the name out");
}

enum import_code tls_security(struct import *i, struct uri *u, enum tls_usual usual, bool *ret)
{
	static const char *const security[] = {"security", "tls", NULL};
	static const char *const reality[] = {"pbk", "publicKey", "reality", "pqv", NULL};
	static const char *const on[] = {"tls", "1", "true", "yes", "on", NULL};
	const char *value = uri_param_any(u, security);
	if ((value && strcasecmp(value, "reality") == 0) || !link_is_off(uri_param_any(u, reality)))
		return reality_refuse(i);
	if (!value)
		return absent_read(i, u, usual, ret);
	*ret = import_is_one_of(value, on);
	if (!*ret && !link_is_off(value))
		return import_refuse(i, IMPORT_UNSUPPORTED, "tls",
			"security %s is not supported: " ASK_TLS, import_quote(i, value));
	return !*ret && usual == TLS_NEEDED ? none_refuse(i) : IMPORT_READ;
}

// --- whom to trust

// Each name of "do not check the certificate", and of its opposite.
static enum import_code insecure_check(struct import *i, struct uri *u)
{
	static const char *const insecure[] = {"allowInsecure", "insecure", "allow_insecure",
		"allow-insecure", "skip-cert-verify", "skip_cert_verify", "skipCertVerify",
		"tls_insecure", "verify-none", NULL};
	static const char *const checked[] = {
		"tls-verification", "verify_cert", "verify-cert", "verifyCert", "verify", NULL};
	enum import_code r = IMPORT_READ;
	for (const char *const *name = insecure; *name && r == IMPORT_READ; name++) {
		const char *value = uri_param(u, *name);
		if (!link_is_off(value))
			r = import_insecure(i, *name, value);
	}
	for (const char *const *name = checked; *name && r == IMPORT_READ; name++) {
		const char *value = uri_param(u, *name);
		if (value && *value && link_is_off(value))
			r = import_insecure(i, *name, value);
	}
	return r;
}

// Pins of Hysteria 2 and Xray are digests of the certificate, sing-box's of the key in it.
static enum import_code pins_check(struct import *i, struct uri *u)
{
	static const char *const pins[] = {"pinSHA256", "pcs", "pinnedPeerCertSha256",
		"pinnedPeerCertificateChainSha256", "pinnedPeerCertificateSha256",
		"tls-cert-sha256", NULL};
	static const char *const others[] = {
		"vcn", "verifyPeerCertByName", "verifyPeerCertInNames", "tls-pubkey-sha256", NULL};
	for (const char *const *name = pins; *name; name++)
		if (!link_is_off(uri_param(u, *name)))
			return import_refuse(i, IMPORT_UNSUPPORTED, "tls",
				"%s is the digest of the whole certificate, which our engine "
				"cannot check: leave it out, and if the certificate is not signed "
				"by a public authority ask the provider for the certificate itself "
				"(tls.certificate) or the SHA-256 of its key "
				"(tls.certificate_public_key_sha256)",
				*name);
	for (const char *const *name = others; *name; name++)
		if (!link_is_off(uri_param(u, *name)))
			return import_refuse(i, IMPORT_UNSUPPORTED, "tls",
				"%s is not supported: the certificate is checked for the name that "
				"sni gives; " ASK_TLS,
				*name);
	return IMPORT_READ;
}

static enum import_code ech_check(struct import *i, struct uri *u)
{
	static const char *const ech[] = {"ech", "echConfigList", "ech-config", NULL};
	if (link_is_off(uri_param_any(u, ech)))
		return IMPORT_READ;
	return import_refuse(i, IMPORT_UNSUPPORTED, "tls",
		"ech is not supported: it hides the server's name, which is not built here; ask "
		"the provider for a server that takes TLS without it");
}

// Disguises of the client alone: the server understands us without them.
static void disguises_warn(struct import *i, struct uri *u)
{
	static const char *const plain[] = {"unsafe", "hellogolang", "go", NULL}; // Go's own, ours
	static const char *const fingerprints[] = {
		"fp", "client-fingerprint", "client_fingerprint", "utls", NULL};
	static const char *const others[] = {"fragment", "noise", "noises", NULL};
	const char *value = uri_param_any(u, fingerprints);
	if (!link_is_off(value) && !import_is_one_of(value, plain))
		import_warn(i, "fingerprint_ignored",
			"fp (a browser's TLS fingerprint by utls) is a disguise, which is not "
			"built here: TLS is spoken without it, which the server understands");
	for (const char *const *name = others; *name; name++)
		if (!link_is_off(uri_param(u, *name)))
			import_warn(i, "disguise_ignored",
				"%s disguises the connection, which is not built here: it is left "
				"out, and the server understands us without it",
				*name);
	if (!link_is_off(uri_param(u, "disable_sni")))
		import_warn(i, "server_name_sent",
			"disable_sni hides the server's name, which is not built here: the name is "
			"sent");
}

enum import_code tls_trust_check(struct import *i, struct uri *u)
{
	enum import_code r = pins_check(i, u);
	if (r == IMPORT_READ)
		r = insecure_check(i, u);
	return r == IMPORT_READ ? ech_check(i, u) : r;
}

// --- the object

static enum import_code protocols_set(struct import *i, cJSON *tls, const char *text)
{
	_cleanup_(freep) char *list = xstrdup(text);
	cJSON *alpn = NULL;
	char *rest;
	for (char *p = strtok_r(list, ", []\"'", &rest); p; p = strtok_r(NULL, ", []\"'", &rest)) {
		for (const char *c = p; *c; c++)
			if (*c <= ' ' || *c > '~' || strlen(p) > PROTOCOL_MAX)
				return import_refuse(i, IMPORT_INVALID, "tls",
					"alpn is a list of protocols such as h2,http/1.1");
		if (!alpn)
			alpn = json_set_array(tls, "alpn");
		if (cJSON_GetArraySize(alpn) == PROTOCOLS_MAX)
			return import_refuse(i, IMPORT_INVALID, "tls",
				"alpn has more than %d protocols", PROTOCOLS_MAX);
		json_add_text(alpn, p);
	}
	return IMPORT_READ;
}

// v2rayN takes the host for the name when there is none, also where no transport needs it.
static enum import_code name_set(struct import *i, struct uri *u, cJSON **ret)
{
	const char *name = uri_param_any(u, names);
	const cJSON *transport = cJSON_GetObjectItemCaseSensitive(i->proxy_config, "transport");
	if (!name)
		name = link_member(transport, "host");
	if (!name && !transport)
		name = uri_param_any(u, (const char *const[]){"host", NULL});
	if (!name)
		name = link_member(i->proxy_config, "server");
	if (!tls_is_name(name))
		return import_refuse(i, IMPORT_INVALID, "tls",
			"the server's name for TLS (sni) is not one name as DNS writes it");
	*ret = import_tls(i, name);
	return IMPORT_READ;
}

enum import_code tls_set(struct import *i, struct uri *u)
{
	const char *alpn = uri_param(u, "alpn");
	cJSON *tls = NULL;
	enum import_code r = tls_trust_check(i, u);
	if (r == IMPORT_READ)
		r = name_set(i, u, &tls);
	if (r == IMPORT_READ)
		disguises_warn(i, u);
	return r == IMPORT_READ && !link_is_off(alpn) ? protocols_set(i, tls, alpn) : r;
}
