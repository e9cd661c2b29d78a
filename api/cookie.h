// SPDX-License-Identifier: Apache-2.0
// The refresh cookie: what keeps a browser's login over a reload of the page, out of reach of its scripts.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/hash.h"

struct head;

// The prefix makes the browser refuse it unless it is Secure, for the whole site and for this host
// alone (RFC 6265bis section 4.1.3), so another host of the same domain cannot plant one.
#define COOKIE_NAME "__Host-ccp_refresh"

enum {
	COOKIE_ID_SIZE = 37, // a UUID, which stays as long as the login
	COOKIE_LINE_SIZE = 200,
};

struct cookie {
	char id[COOKIE_ID_SIZE]; // "": there is none
	char sha256[HASH_SHA256_HEX_SIZE]; // of the secret, which each use replaces
};

// Finds it in a Cookie header (NULL: there was none). false when it is not there or is not of the
// form of ours; others are left alone.
bool cookie_read(const char *header, struct cookie *ret);

// Whether a page that this server has served asks, as the browser says. Sec-Fetch-Site, which no
// page can set (W3C Fetch Metadata), must be same-origin, and Origin (RFC 6454) must name the Host;
// of the two one must be there, and both must hold if they are. Plain http counts on the machine
// itself only: elsewhere the cookie could be read on its way, and browsers do not take it.
bool cookie_is_for(const struct head *head);

// The value of Set-Cookie that gives the browser a cookie for so long.
void cookie_line(
	char ret[static COOKIE_LINE_SIZE], const char *id, const char *secret, long life_s);

// The one that takes it away.
extern const char cookie_end_line[];
