// SPDX-License-Identifier: Apache-2.0
// Reads and writes the refresh cookie, and judges who may send it.
#include "api/cookie.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/head.h"
#include "lib/mem.h"

#define ATTRIBUTES "; Path=/; HttpOnly; Secure; SameSite=Strict"
#define BASE64URL "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
enum { ID_LEN = COOKIE_ID_SIZE - 1, SECRET_LEN = HASH_TOKEN_SIZE - 1 };

const char cookie_end_line[] = COOKIE_NAME "=; Max-Age=0" ATTRIBUTES;

// "<id>.<secret>"
static bool value_read(const char *value, size_t len, struct cookie *ret)
{
	const char *secret = value + ID_LEN + 1;
	if (len != ID_LEN + 1 + SECRET_LEN || value[ID_LEN] != '.' ||
		strspn(secret, BASE64URL) < SECRET_LEN)
		return false;
	snprintf(ret->id, sizeof(ret->id), "%s", value);
	hash_sha256_hex(secret, SECRET_LEN, ret->sha256);
	return str_is_uuid(ret->id);
}

bool cookie_read(const char *header, struct cookie *ret)
{
	static const char name[] = COOKIE_NAME "=";
	struct cookie cookie;
	for (const char *p = header; p && *p != '\0';) {
		p += strspn(p, "; ");
		size_t len = strcspn(p, ";");
		if (strncmp(p, name, strlen(name)) == 0) {
			p += strlen(name);
			if (!value_read(p, len - strlen(name), &cookie))
				return false;
			*ret = cookie;
			return true;
		}
		p += len;
	}
	return false;
}

// The part of "name:port" or "[::1]:port" before the port.
static size_t name_len(const char *host)
{
	return *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
}

static bool is_this_machine(const char *host)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (name_len(host) == strlen(names[i]) &&
			strncasecmp(host, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static bool origin_is(const char *origin, const char *host)
{
	static const char secure[] = "https://", plain[] = "http://";
	if (!host)
		return false;
	if (strncmp(origin, secure, strlen(secure)) == 0)
		return strcasecmp(origin + strlen(secure), host) == 0;
	return strncmp(origin, plain, strlen(plain)) == 0 &&
	       strcasecmp(origin + strlen(plain), host) == 0 && is_this_machine(host);
}

bool cookie_is_for(const struct head *head)
{
	const char *site = head->values[HEAD_SEC_FETCH_SITE];
	const char *origin = head->values[HEAD_ORIGIN];
	return (site || origin) && (!site || strcmp(site, "same-origin") == 0) &&
	       (!origin || origin_is(origin, head->values[HEAD_HOST]));
}

void cookie_line(char ret[static COOKIE_LINE_SIZE], const char *id, const char *secret, long life_s)
{
	int len = snprintf(ret, COOKIE_LINE_SIZE, COOKIE_NAME "=%s.%s; Max-Age=%ld" ATTRIBUTES, id,
		secret, life_s);
	assert(len < COOKIE_LINE_SIZE);
}
