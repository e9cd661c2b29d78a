// SPDX-License-Identifier: Apache-2.0
// Fuzzes what reads providers' texts: whole or nothing, in plain sentences, and no secret in them.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/import.h"
#include "lib/import_make.h"
#include "lib/json.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECRET "Zk9Qx7Lm2Vb8"

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

static void sentence_check(const char *sentence)
{
	must(*sentence && import_is_text(sentence, strlen(sentence)));
	must(!strstr(sentence, SECRET));
}

static void read_check(const struct import *i)
{
	const cJSON *warning;
	must(!i->row != !i->proxy_config && cJSON_IsObject(i->secret));
	must(i->label && *i->label && import_is_text(i->label, strlen(i->label)));
	must(strlen(i->label) <= IMPORT_LABEL_MAX * 4 && !strstr(i->label, SECRET));
	if (i->proxy_config)
		must(*text_of(i->proxy_config, "type") && *text_of(i->proxy_config, "server"));
	cJSON_ArrayForEach (warning, i->warnings) {
		must(*text_of(warning, "word"));
		sentence_check(text_of(warning, "message"));
	}
}

static void text_check(const char *text, size_t len)
{
	_cleanup_(import_done) struct import i;
	if (import_read(text, len, &i) == IMPORT_READ) {
		read_check(&i);
		return;
	}
	must(*i.field && !i.row && !i.proxy_config && !i.secret && !i.label);
	sentence_check(i.message);
}

// Up to the next 0x01. What would end the user stays out of it, so that the secret is within.
static void part_add(struct str *to, const uint8_t **data, size_t *size, bool is_user)
{
	while (*size > 0) {
		char c = (char)**data;
		(*data)++;
		(*size)--;
		if (c == 1)
			return;
		if (!is_user || !strchr("?#\r\n", c))
			str_add_bytes(to, &c, 1);
	}
}

// A link whose user holds SECRET. The first byte chooses its scheme.
static void link_check(const uint8_t *data, size_t size)
{
	static const char *const schemes[] = {"ss", "socks", "socks5", "socks5h", "http", "https",
		"vmess", "vless", "trojan", "anytls", "hysteria2", "hy2", "tuic"};
	_cleanup_(str_done) struct str link = STR_INIT(IMPORT_TEXT_MAX);
	str_addf(&link, "%s://", schemes[data[0] % ARRAY_SIZE(schemes)]);
	data++;
	size--;
	part_add(&link, &data, &size, true);
	str_add(&link, SECRET);
	part_add(&link, &data, &size, true);
	str_add(&link, "@");
	part_add(&link, &data, &size, false);
	if (!link.overflow)
		text_check(str_text(&link), link.len);
}

// Links that hold SECRET elsewhere, up to where the data goes on.
static void elsewhere_check(const uint8_t *data, size_t size)
{
	static const char *const begins[] = {"vmess://{\"id\":\"" SECRET "\",",
		"hy2://x@198.51.100.1:443?obfs-password=" SECRET "&",
		"tuic://x:y@198.51.100.1:443?token=" SECRET "&",
		"vless://x@198.51.100.1:443?seed=" SECRET "&pbk=" SECRET "&"};
	_cleanup_(str_done) struct str link = STR_INIT(IMPORT_TEXT_MAX);
	str_add(&link, begins[data[0] % ARRAY_SIZE(begins)]);
	str_add_bytes(&link, (const char *)data + 1, size - 1);
	if (!link.overflow)
		text_check(str_text(&link), link.len);
}

// A link, and behind it, in whatever stands between, another that holds SECRET.
static void second_check(const uint8_t *data, size_t size)
{
	_cleanup_(str_done) struct str link = STR_INIT(IMPORT_TEXT_MAX);
	str_add(&link, "ss://aes-256-gcm:x@198.51.100.1:443#");
	str_add_bytes(&link, (const char *)data, size);
	str_add(&link, "trojan://" SECRET "@198.51.100.1");
	if (!link.overflow)
		text_check(str_text(&link), link.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || memmem(data, size, SECRET, strlen(SECRET)))
		return 0; // elsewhere it is none
	link_check(data, size);
	elsewhere_check(data, size);
	second_check(data, size);
	text_check((const char *)data, size);
	return 0;
}
