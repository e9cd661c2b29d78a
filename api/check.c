// SPDX-License-Identifier: Apache-2.0
// Checks texts by their types.
#include "api/check.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "api/rule.h"
#include "lib/addr.h"
#include "lib/err.h"
#include "lib/key32.h"
#include "lib/mem.h"
#include "lib/seal.h"
#include "lib/sshkey.h"
#include "lib/utf8.h"

enum { ARRAY_MAX_BYTES = 4096, SECRET_MEMBER_MAX = 1024, SECRET_NAME_MAX = 40 };

// C0, DEL, C1, and Unicode's own ends of a line and of a paragraph: what a terminal or a log could obey.
static bool is_control(const char *c, int length)
{
	const unsigned char *b = (const unsigned char *)c;
	switch (length) {
	case 1:
		return b[0] < 0x20 || b[0] == 0x7f;
	case 2:
		return b[0] == 0xc2 && b[1] < 0xa0;
	case 3:
		return b[0] == 0xe2 && b[1] == 0x80 && (b[2] == 0xa8 || b[2] == 0xa9);
	default:
		return false;
	}
}

int64_t text_characters(const char *text, size_t len, bool controls)
{
	int64_t count = 0;
	for (size_t at = 0; at < len; count++) {
		int length = utf8_length(text + at, len - at);
		if (length == 0 || text[at] == '\0' || (!controls && is_control(text + at, length)))
			return -1;
		at += (size_t)length;
	}
	return count;
}

bool check_text(const struct rule *rule, char **text)
{
	int64_t length = text_characters(*text, strlen(*text), false);
	if (rule->bounded && (length < rule->min || length > rule->max))
		return false;
	return !rule->pattern || regexec(&rule->regex, *text, 0, NULL, 0) == 0;
}

// Upper case becomes lower case.
bool check_uuid(const struct rule *rule, char **text)
{
	(void)rule;
	for (char *p = *text; *p; p++)
		if (*p >= 'A' && *p <= 'F')
			*p += 'a' - 'A';
	return str_is_uuid(*text);
}

bool check_integer(const struct rule *rule, char **text)
{
	const char *digits = *text + (**text == '-');
	size_t len = strspn(digits, "0123456789");
	long long number = strtoll(*text, NULL, 10);
	return len > 0 && len <= 18 && digits[len] == '\0' && number >= rule->min &&
	       number <= rule->max;
}

bool check_number(const struct rule *rule, char **text)
{
	size_t whole = strspn(*text, "0123456789");
	size_t len = whole;
	if ((*text)[len] == '.')
		len += 1 + strspn(*text + len + 1, "0123456789");
	double number = strtod(*text, NULL);
	return whole > 0 && len <= 18 && (*text)[len] == '\0' && number >= rule->min &&
	       number <= rule->max;
}

bool check_boolean(const struct rule *rule, char **text)
{
	(void)rule;
	return strcmp(*text, "true") == 0 || strcmp(*text, "false") == 0;
}

static bool two_digits(const char *p, int min, int max)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return false;
	int n = (p[0] - '0') * 10 + p[1] - '0';
	return n >= min && n <= max;
}

// RFC 3339 section 5.6, years 1970 to 9999.
static bool time_is_valid(const char *p)
{
	static const char days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (strspn(p, "0123456789") != 4 || p[4] != '-' || !two_digits(p + 5, 1, 12) || p[7] != '-')
		return false;
	int year = atoi(p);
	int month = atoi(p + 5);
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	int month_days = month == 2 && !leap ? 28 : days[month - 1];
	if (year < 1970 || !two_digits(p + 8, 1, month_days) || (p[10] != 'T' && p[10] != 't') ||
		!two_digits(p + 11, 0, 23) || p[13] != ':' || !two_digits(p + 14, 0, 59) ||
		p[16] != ':' || !two_digits(p + 17, 0, 59))
		return false;
	p += 19;
	if (*p == '.') {
		size_t fraction = strspn(p + 1, "0123456789");
		if (fraction == 0 || fraction > 9)
			return false;
		p += 1 + fraction;
	}
	if (*p == 'Z' || *p == 'z')
		return p[1] == '\0';
	return (*p == '+' || *p == '-') && two_digits(p + 1, 0, 14) && p[3] == ':' &&
	       two_digits(p + 4, 0, 59) && p[6] == '\0';
}

bool check_time(const struct rule *rule, char **text)
{
	(void)rule;
	return strlen(*text) >= 20 && time_is_valid(*text);
}

bool check_address(const struct rule *rule, char **text)
{
	(void)rule;
	struct addr a;
	struct err ignored;
	return !strchr(*text, '/') && addr_parse(*text, &a, &ignored) == 0;
}

bool check_interface(const struct rule *rule, char **text)
{
	(void)rule;
	struct addr a;
	struct err ignored;
	return addr_parse(*text, &a, &ignored) == 0;
}

static bool network_is_valid(const char *text)
{
	struct addr a;
	struct err ignored;
	return strchr(text, '/') && addr_parse(text, &a, &ignored) == 0 && !addr_has_host_bits(&a);
}

bool check_networks(const struct rule *rule, char **text)
{
	_cleanup_(str_done) struct str array = STR_INIT(ARRAY_MAX_BYTES);
	_cleanup_(freep) char *copy = xstrdup(*text);
	unsigned count = 0;
	for (char *item = copy, *next; item; item = next) {
		next = strchr(item, ',');
		if (next)
			*next++ = '\0';
		item += strspn(item, " ");
		for (size_t len = strlen(item); len > 0 && item[len - 1] == ' ';)
			item[--len] = '\0';
		if (!network_is_valid(item) || ++count > rule->max)
			return false;
		str_addf(&array, "%s%s", count == 1 ? "{" : ",", item);
	}
	str_add(&array, "}");
	char *taken = str_take(&array);
	if (!taken)
		return false;
	free(*text);
	*text = taken;
	return true;
}

bool check_endpoint(const struct rule *rule, char **text)
{
	(void)rule;
	struct addr_port a;
	struct err ignored;
	if (addr_parse_port(*text, &a, &ignored) < 0 || a.port == 0)
		return false;
	char host[ADDR_TEXT_MAX];
	addr_text(&a.addr, host);
	bool is_v6 = a.addr.family == AF_INET6;
	if (is_v6 && strchr(host, '.')) // ccp.endpoint takes no IPv4 inside IPv6
		return false;
	free(*text);
	*text = xasprintf(is_v6 ? "[%s]:%u" : "%s:%u", host, a.port);
	return true;
}

bool check_key(const struct rule *rule, char **text)
{
	(void)rule;
	uint8_t key[KEY32_SIZE];
	struct err ignored;
	bool valid = key32_parse(*text, "the key", key, &ignored) == 0;
	mem_wipe(key, sizeof(key));
	return valid;
}

bool check_json(const struct rule *rule, char **text)
{
	(void)rule;
	return **text != '\0';
}

static bool is_any_uuid(const char *text)
{
	char lower[sizeof("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")];
	if (!text_copy(lower, sizeof(lower), text))
		return false;
	for (char *c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return str_is_uuid(lower);
}

static bool is_secret_member(const cJSON *member)
{
	const char *value = cJSON_GetStringValue(member);
	if (!value || *value == '\0' || strlen(value) > SECRET_MEMBER_MAX ||
		text_characters(value, strlen(value), false) < 0)
		return false;
	return strcmp(member->string, "uuid") != 0 || is_any_uuid(value);
}

// Names are SQL's to judge (egress.check_secret); they go there as words of an array.
static bool is_secret_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
	return len > 0 && len <= SECRET_NAME_MAX && name[len] == '\0';
}

bool check_proxy_secret(const struct rule *rule, char **text)
{
	(void)rule;
	cJSON *secret = cJSON_Parse(*text);
	bool valid = cJSON_IsObject(secret) && secret->child && strlen(*text) <= SEAL_SECRET_MAX;
	cJSON *member;
	cJSON_ArrayForEach (member, secret) {
		valid = valid && is_secret_name(member->string) && is_secret_member(member);
		if (member->valuestring)
			mem_wipe(member->valuestring, strlen(member->valuestring));
	}
	cJSON_Delete(secret);
	return valid;
}

bool check_password(const struct rule *rule, char **text)
{
	int64_t len = (int64_t)strlen(*text);
	return len >= rule->min && len <= rule->max;
}

bool check_ssh_public_key(const struct rule *rule, char **text)
{
	(void)rule;
	char *line = sshkey_line_read(*text);
	if (!line)
		return false;
	free(*text);
	*text = line;
	return true;
}
