// SPDX-License-Identifier: Apache-2.0
// What the readers of the forms fill an import with, and how they refuse.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/import.h"

// Refuses: fills field (a literal) and message, returns `code`. What of the text a sentence quotes
// goes through import_quote first.
_must_check_ _cold_ _printf_(4, 5) enum import_code import_refuse(
	struct import *i, enum import_code code, const char *field, const char *format, ...);

// Adds a warning. A word that is there already with the same sentence is not repeated.
_printf_(3, 4) void import_warn(struct import *i, const char *word, const char *format, ...);

// Remembers a text that is or may be a secret: import_quote gives none of it back. NULL or "" is
// fine. Call it before anything can be refused.
void import_keep(struct import *i, const char *secret);

// `text` as a sentence may quote it: itself when it looks like a word or a name (letters, digits
// and ._-:[], at most 64, no run of 20 that could be a key) and neither holds nor is part of what
// is kept; else "(not shown)".
const char *import_quote(const struct import *i, const char *text);

struct addr;

struct import_line {
	const char *at;
	size_t len;
};

// The next line of *text without the blanks around it (byte order marks, no-break and zero-width
// blanks too); LF, CRLF and CR end lines. false: there is none.
bool import_line_next(const char **text, struct import_line *ret);

// Is the line that begins here one around a block of Markdown?
bool import_is_fence(const char *line);

// Is it UTF-8 without control characters?
bool import_is_text(const char *text, size_t len);

// Begins proxy_config with its type; returns it, owned by `i`.
cJSON *import_proxy(struct import *i, const char *type);

// A member of the secret (a copy; kept as well). Refuses an empty text, one of more than 1,024
// bytes, one that is not UTF-8 or holds control characters.
_must_check_ enum import_code import_secret(struct import *i, const char *name, const char *value);

// proxy_config's server and server_port. An address is written as inet_ntop does; loopback,
// unspecified, link-local, multicast and other addresses that are no server's are refused, and so
// are names that mean this machine or are numbers in disguise. A name warns server_is_a_name.
_must_check_ enum import_code import_server(struct import *i, const char *host, unsigned port);

// What import_server does to the host only, for any field: *ret is on the heap, *ret_is_name says
// which.
_must_check_ enum import_code import_host(
	struct import *i, const char *field, const char *host, char **ret, bool *ret_is_name);

// What makes an address unusable as that of a server or resolver ("this machine itself"); NULL:
// nothing.
const char *import_unusable(const struct addr *a);

// The label: `text` made one line of at most IMPORT_LABEL_MAX characters; NULL, or nothing left:
// "server:port" of proxy_config, IPv6 in brackets, or row's wg_endpoint. A text that holds what is
// kept, or another link, is no label.
void import_label(struct import *i, const char *text);

// proxy_config.tls with this server_name; returns it for more.
cJSON *import_tls(struct import *i, const char *server_name);

// Is it "1", "true", "yes" or "on", in any case? NULL is not.
bool import_is_true(const char *value);

// Is `value` (NULL is not) one of the words, in any case? The list ends with NULL.
bool import_is_one_of(const char *value, const char *const *words);

// Refuses what turns off the check of a server's certificate: allowInsecure=1, verify=0 and others.
_must_check_ enum import_code import_insecure(
	struct import *i, const char *name, const char *value);
