// SPDX-License-Identifier: Apache-2.0
// Share links as they are found: RFC 3986 divided first and decoded afterwards; base64 in any
// dress.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/import.h"

enum { URI_PARAMS_MAX = 64 };

struct uri_param {
	char *name, *value; // decoded; never NULL
	bool used; // a reader asked for it
	bool has_plus; // as written, not as %2B
};

// SCHEME://USER@HOST:PORT/PATH?NAME=VALUE&...#LABEL
struct uri {
	char *user; // not decoded, because ':' divides it first; NULL: there is no '@'
	bool user_is_plain; // the link was base64: there is nothing to decode in it
	char *host; // decoded, without brackets
	bool is_ipv6; // it was in brackets
	char *port; // as written: hysteria2 writes several; NULL: none
	char *path; // not decoded, with its '/'; "" when there is none
	char *label; // decoded; NULL: there is no '#'
	struct uri_param params[URI_PARAMS_MAX];
	size_t param_count;
};

// Divides what follows "SCHEME://". The first '#' and the first '?' end what stands before them,
// the last '@' ends the user, and a '/' may not stand in front of it. Refused: an IPv6 address
// without brackets (the sentence shows it with them), a broken percent code, a parameter that is
// given twice with two values, an '@' that only stands behind a '?' or '#'. The user, and what may
// be one, is kept out of sentences. *ret is to be uri_done'd in any case.
_must_check_ enum import_code uri_divide(struct import *i, const char *rest, struct uri *ret);

// The same for kinds whose links are older than that: all of "USER@HOST:PORT" may be base64, or the
// user alone, and the old alphabet has a '/'.
_must_check_ enum import_code uri_divide_wrapped(
	struct import *i, const char *rest, struct uri *ret);

// Only HOST:PORT, [HOST]:PORT or HOST, into host, is_ipv6 and port of *ret.
_must_check_ enum import_code uri_host_divide(struct import *i, const char *text, struct uri *ret);

void uri_done(struct uri *u); // wipes and frees

// Adds a parameter to those of the link, refused as there: control characters, the same name with
// another value, too many.
_must_check_ enum import_code uri_param_add(
	struct import *i, struct uri *u, const char *name, const char *value);

// The decoded value of a parameter (names without regard to case), which is then not unknown; NULL
// when it is absent. An empty value is "". Lives as long as `u`.
const char *uri_param(struct uri *u, const char *name);

// The same for several names of one thing, ends with NULL: the first that is there and not empty.
// One that says something else stays unread, so that it is warned of.
const char *uri_param_any(struct uri *u, const char *const *names);

// What the link calls the parameter of which uri_param or uri_param_any gave `value`; "" for
// another text. It is one of the names that were asked for, but for its case.
const char *uri_param_name(const struct uri *u, const char *value);

// Warns that a '+' in such a value is no blank. Who makes links by form encoding writes blanks so,
// and who encodes nothing writes base64 so, which is what secrets and paths are made of.
void uri_plus_warn(struct import *i, const struct uri *u, const char *value);

// udp_over_tcp of proxy_config, when one of its names is given: 0 or 1, or 2, its protocol's
// version.
_must_check_ enum import_code uri_over_tcp(struct import *i, struct uri *u);

// Warns of each parameter that no reader asked for, by name (word parameter_ignored).
void uri_rest_warn(struct import *i, const struct uri *u);

// What stands before and behind the first ':' of the user, decoded; each may be "", password is
// NULL without a ':'. A user without ':' that is base64 of one with it is divided after that.
struct uri_user {
	char *name, *password;
	bool was_base64;
};

// Refused: a broken percent code, control characters, bytes that are not UTF-8. Without a user both
// are NULL. The password, or the name without one, is kept out of sentences. uri_user_done in any
// case.
_must_check_ enum import_code uri_user_divide(
	struct import *i, const struct uri *u, struct uri_user *ret);

void uri_user_done(struct uri_user *user); // wipes and frees

// 1 to 65535; 0: it is something else.
unsigned uri_port_parse(const char *text);

// server, server_port (`usual` when the link has none; 0: it must) and label of the import. Refused
// as import_server does, and when there is a path other than "/".
_must_check_ enum import_code uri_server(struct import *i, const struct uri *u, unsigned usual);

// Decodes %41. '+' stays. The text is on the heap, wipe_freep it; NULL: a broken code, a NUL,
// a control character or bytes that are not UTF-8.
char *percent_decode(const char *text);

// Decodes base64 of the standard or the URL alphabet (or both), with padding, some of it or none;
// blanks and line ends within are skipped. *ret_len bytes and a NUL on the heap, the caller wipes
// and frees; NULL: it is something else.
char *base64_decode(const char *text, size_t *ret_len);

// The same when the bytes must be a text: UTF-8 without control characters. wipe_freep it.
char *base64_text(const char *text);
