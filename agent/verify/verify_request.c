// SPDX-License-Identifier: Apache-2.0
// What is said to a target so that it answers: the first message of a TLS handshake, or an HTTP request.
#include "agent/verify/verify_request.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/err.h"
#include "lib/hash.h"
#include "lib/mem.h"

struct text {
	uint8_t *bytes;
	size_t len;
};

static void put(struct text *t, const void *bytes, size_t len)
{
	assert(len <= REQUEST_MAX - t->len);
	memcpy(t->bytes + t->len, bytes, len);
	t->len += len;
}

static void put_number(struct text *t, size_t value, size_t size)
{
	uint8_t bytes[4];
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> 8 * (size - 1 - i));
	put(t, bytes, size);
}

static void put_same(struct text *t, int byte, size_t len)
{
	assert(len <= REQUEST_MAX - t->len);
	memset(t->bytes + t->len, byte, len);
	t->len += len;
}

static void put_random(struct text *t, size_t len)
{
	uint8_t bytes[32];
	assert(len <= sizeof(bytes));
	hash_random(bytes, len);
	put(t, bytes, len);
}

// A length of `size` bytes, which is known when what it counts is there.
static size_t length_open(struct text *t, size_t size)
{
	put_number(t, 0, size);
	return t->len;
}

static void length_close(struct text *t, size_t from, size_t size)
{
	struct text at = {.bytes = t->bytes, .len = from - size};
	put_number(&at, t->len - from, size);
}

// RFC 6066, 3: a name, never an address.
static void put_server_name(struct text *t, const char *host)
{
	struct addr literal;
	struct err ignored;
	size_t len = strlen(host);
	if (addr_parse(host, &literal, &ignored) == 0)
		return;
	put_number(t, 0, 2); // server_name
	put_number(t, len + 5, 2);
	put_number(t, len + 3, 2);
	put_number(t, 0, 1); // host_name
	put_number(t, len, 2);
	put(t, host, len);
}

static void put_extensions(struct text *t, const char *host)
{
	static const uint8_t fixed[] = {
		0x00, 0x0a, 0, 8, 0, 6, 0x00, 0x1d, 0x00, 0x17, 0x00, 0x18, // supported_groups
		0x00, 0x0b, 0, 2, 1, 0, // ec_point_formats
		0x00, 0x0d, 0, 20, 0, 18, 0x04, 0x03, 0x08, 0x04, 0x04, 0x01, 0x05, 0x03, 0x08,
		0x05, 0x05, 0x01, 0x08, 0x06, 0x06, 0x01, 0x02, 0x01, // signature_algorithms
		0x00, 0x2b, 0, 5, 4, 0x03, 0x04, 0x03, 0x03, // supported_versions: 1.3, 1.2
		0x00, 0x33, 0, 38, 0, 36, 0x00, 0x1d, 0, 32, // key_share: X25519, the key follows
	};
	put_server_name(t, host);
	put(t, fixed, sizeof(fixed));
	put_random(t, 32); // every 32 bytes are a key
}

static void put_padding(struct text *t)
{
	size_t rest = REQUEST_WIDE > t->len + 4 ? REQUEST_WIDE - t->len - 4 : 0;
	put_number(t, 21, 2); // padding
	put_number(t, rest, 2);
	put_same(t, 0, rest);
}

static void put_hello(struct text *t, const struct query *q)
{
	static const uint8_t suites[] = {0x13, 0x01, 0x13, 0x02, 0x13, 0x03, 0xc0, 0x2b, 0xc0, 0x2f,
		0xc0, 0x2c, 0xc0, 0x30, 0xcc, 0xa9, 0xcc, 0xa8, 0x00, 0x9c, 0x00, 0x9d};
	static const uint8_t record[] = {22, 3, 1}, hello[] = {1}, version[] = {3, 3};
	put(t, record, sizeof(record)); // handshake
	size_t record_at = length_open(t, 2);
	put(t, hello, sizeof(hello));
	size_t hello_at = length_open(t, 3);
	put(t, version, sizeof(version));
	put_random(t, 32);
	put_number(t, 0, 1); // no session
	put_number(t, sizeof(suites), 2);
	put(t, suites, sizeof(suites));
	put_number(t, 1, 1);
	put_number(t, 0, 1); // no compression
	size_t extensions_at = length_open(t, 2);
	put_extensions(t, q->host);
	if (query_is_wide(q))
		put_padding(t);
	length_close(t, extensions_at, 2);
	length_close(t, hello_at, 3);
	length_close(t, record_at, 2);
}

static void put_get(struct text *t, const struct query *q)
{
	static const char padding[] = "X-Padding: ", end[] = "\r\n";
	bool six = strchr(q->host, ':');
	_cleanup_(freep) char *head = xasprintf(
		"GET / HTTP/1.1\r\nHost: %s%s%s:%s\r\nUser-Agent: ccp-verify\r\nConnection: close\r\n",
		six ? "[" : "", q->host, six ? "]" : "", q->port);
	put(t, head, strlen(head));
	if (query_is_wide(q)) {
		put(t, padding, strlen(padding));
		put_same(t, '0', REQUEST_WIDE - t->len);
		put(t, end, strlen(end));
	}
	put(t, end, strlen(end));
}

size_t request_make(const struct query *q, uint8_t ret[static REQUEST_MAX])
{
	struct text t = {.bytes = ret};
	if (query_is_tls(q))
		put_hello(&t, q);
	else
		put_get(&t, q);
	return t.len;
}
