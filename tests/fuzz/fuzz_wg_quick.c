// SPDX-License-Identifier: Apache-2.0
// Fuzzes the reader of wg-quick files: an exit's whole row or none, and no key in a sentence.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/err.h"
#include "lib/import.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define PART "CQoLDA0ODxAREhMU" // of KEY

static void must(bool promise)
{
	if (!promise)
		abort();
}

static const char *text_of(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
	must(text);
	return text;
}

// What SQL and the agent take as it is.
static void row_check(const struct import *i)
{
	const cJSON *dns = cJSON_GetObjectItemCaseSensitive(i->row, "wg_dns_server");
	struct addr own, resolver;
	struct err e;
	must(addr_parse(text_of(i->row, "wg_peer_address"), &own, &e) == 0);
	must(!dns || (addr_parse(dns->valuestring, &resolver, &e) == 0 &&
			     resolver.family == own.family));
	must(strlen(text_of(i->row, "wg_public_key")) == 44 && strlen(i->own_public_key) == 44);
	must(strcmp(text_of(i->row, "wg_public_key"), i->own_public_key) != 0);
	must(strchr(text_of(i->row, "wg_endpoint"), ':'));
	must(strcmp(text_of(i->secret, "private_key"), KEY) == 0 || !strstr(i->label, PART));
}

static void text_check(const char *text, size_t len)
{
	_cleanup_(import_done) struct import i;
	const cJSON *warning;
	bool is_read = import_read(text, len, &i) == IMPORT_READ;
	if (is_read && i.row)
		row_check(&i);
	must(is_read || (*i.message && !strstr(i.message, PART)));
	cJSON_ArrayForEach (warning, i.warnings)
		must(!strstr(text_of(warning, "message"), PART));
}

// The first byte 0x01 of the text is KEY, so that mutations reach what stands behind a valid one.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *mark = memchr(data, 1, size);
	size_t front = mark ? (size_t)(mark - data) : size;
	_cleanup_(str_done) struct str text = STR_INIT(IMPORT_TEXT_MAX);
	if (memmem(data, size, PART, strlen(PART)))
		return 0; // anywhere, such as in the name of a server
	str_add_bytes(&text, data, front);
	str_add(&text, "\n[Interface]\nPrivateKey = " KEY "\n");
	if (mark)
		str_add_bytes(&text, mark + 1, size - front - 1);
	text_check(str_text(&text), text.len);
	text_check((const char *)data, size);
	return 0;
}
