// SPDX-License-Identifier: Apache-2.0
// TLS in links: whether there is any, whom to trust, and what is refused.
#pragma once

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/import.h"
#include "lib/import_uri.h"

// When a link does not say.
enum tls_usual {
	TLS_OPTIONAL, // then there is none
	TLS_NEEDED, // then there is, and a link that says no is refused
};

// Reads `security` and its other names. Refused: reality, XTLS before vision, and what belongs to
// TLS in a link that does not say whether there is any.
_must_check_ enum import_code tls_security(
	struct import *i, struct uri *u, enum tls_usual usual, bool *ret);

// Refuses a server that is not to be checked (import_insecure), pins of a whole certificate and
// ECH.
_must_check_ enum import_code tls_trust_check(struct import *i, struct uri *u);

// proxy_config.tls. The server's name is that of the link, else the transport's host, else the
// server. Refused: what tls_trust_check refuses. Warned: disguises that the server does not need.
_must_check_ enum import_code tls_set(struct import *i, struct uri *u);

// Is it letters, digits and ._-: alone, as server_name and host are?
bool tls_is_name(const char *text);
