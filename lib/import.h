// SPDX-License-Identifier: Apache-2.0
// Reads what a provider gave, a wg-quick file or a proxy's share link, into the fields of an exit.
#pragma once

#include <stddef.h>

#include <cjson/cJSON.h>

#include "lib/attr.h"
#include "lib/key32.h"
#include "lib/outcome.h"

// Nothing is looked up, run or saved here. Where a text can mean two things it is refused with the
// form that means one; what is understood and has no effect here is a warning that names it;
// nothing is left out without a word.
enum import_code {
	IMPORT_READ = 0,
	IMPORT_INVALID = OUTCOMES_IMPORT, // a mistake in the text
	IMPORT_UNSUPPORTED, // well-formed, and means what our exits do not do
	IMPORT_INSECURE, // asks to trust any server
};

enum {
	IMPORT_TEXT_MAX = 64 * 1024,
	IMPORT_MESSAGE_MAX = 512,
	IMPORT_LABEL_MAX = 100, // characters, as ccp.label
	IMPORT_KEPT_MAX = 16,
};

struct import {
	char *label; // what people call it: from the text, else "server:port"
	cJSON *row; // WireGuard: columns of ccp.egress_ips by name; NULL for a proxy
	// Our IPv6 address in a WireGuard tunnel that carries IPv4 as well: row is of IPv4 alone,
	// since no text says what IPv6 address the world must see. NULL: none.
	char *peer_address6;
	cJSON *proxy_config; // proxy: the public part, as proxy_config_text() takes it; else NULL
	// {password, uuid, obfs_password} of a proxy, {private_key, preshared_key} of WireGuard:
	// those that the text has. To be sealed, never shown.
	cJSON *secret;
	// The public half of secret.private_key; "" without one.
	char own_public_key[KEY32_TEXT_SIZE];
	// [{word, message}]: a word for programs, a sentence for people.
	cJSON *warnings;

	// When it was refused: the first mistake.
	const char *
		field; // member of proxy_config, of the secret or of row that it is about, or "text"
	unsigned line; // of the file, from 1; 0 for a link
	char message[IMPORT_MESSAGE_MAX];

	// Texts that no sentence may repeat (import_make.h).
	char *kept[IMPORT_KEPT_MAX];
	unsigned kept_count;
};

// Reads `len` bytes, which need not end with a NUL. IMPORT_READ: the upper part of *ret is filled,
// exactly one of row and proxy_config is there. Else the lower part, and of the upper one nothing:
// no half of an exit is ever shown. No sentence repeats a secret. Either way import_done *ret.
//
// A server that is a name stays one (warning server_is_a_name); an exit can only be saved with an
// address.
_must_check_ enum import_code import_read(const char *text, size_t len, struct import *ret);

// "invalid", "unsupported", "insecure"; "" for IMPORT_READ.
const char *import_code_text(enum import_code code);

// Wipes the secrets and frees everything. *ret is empty afterwards.
void import_done(struct import *i);
