// SPDX-License-Identifier: Apache-2.0
// What the links of VMess, VLESS, Trojan, AnyTLS, Hysteria 2 and TUIC have in common.
#pragma once

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/import.h"
#include "lib/import_uri.h"

// These links have one form, USER@ADDRESS:PORT?NAME=VALUE#LABEL, and parameters to which each panel
// gives names of its own. A kind is the list of steps that read them.
typedef enum import_code link_step(struct import *i, struct uri *u);

enum { LINK_STEPS_MAX = 8 };

struct link_kind {
	const char *type; // of proxy_config
	// uri_divide or uri_divide_wrapped
	enum import_code (*divide)(struct import *i, const char *rest, struct uri *ret);
	link_step *steps[LINK_STEPS_MAX]; // ends with NULL; those that read secrets come first
};

// Divides the link and takes the steps, up to the first that refuses; then warns of each parameter
// that none of them read.
_must_check_ enum import_code link_read(
	struct import *i, const char *rest, const struct link_kind *kind);

// The steps alone, when the parts came in another form.
_must_check_ enum import_code link_steps(
	struct import *i, struct uri *u, const struct link_kind *kind);

// The part before '@', decoded, as one text; kept out of sentences. wipe_freep *ret. Without an '@'
// the refusal shows `form`.
_must_check_ enum import_code link_user(
	struct import *i, const struct uri *u, const char *form, char **ret);

// The same for "UUID" and "CIPHER:UUID": the UUID becomes the secret, *ret is the cipher ("" without
// one) to be freed.
_must_check_ enum import_code link_user_uuid(
	struct import *i, const struct uri *u, const char *form, char **ret);

// secret.uuid. One without hyphens gets them.
_must_check_ enum import_code link_uuid(struct import *i, const char *text);

// secret.password from all that stands before '@'.
link_step link_user_password;

// Server and label; a link without a port means 443, or is refused.
link_step link_server_443;
link_step link_server;

// packet_encoding of VMess and VLESS.
link_step link_packets;

// The text of a member; NULL: there is none.
const char *link_member(const cJSON *object, const char *name);

// Is it NULL, "" or a word for no?
bool link_is_off(const char *value);

// The value as a number in min..max; -1: it is none.
long link_number(const char *value, long min, long max);
