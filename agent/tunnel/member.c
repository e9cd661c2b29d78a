// SPDX-License-Identifier: Apache-2.0
// Writes one JSON object from another by a table of the members that it may have.
#include "agent/tunnel/member.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"

enum { LIST_MAX = 16 };

int member_refuse(
	const struct member_build *b, const struct member *m, const char *must, struct err *e)
{
	return err_say(e, EINVAL, "%s.%s must be %s", m->secret ? "proxy_secret" : b->where,
		m->name, must);
}

bool member_is_text(const cJSON *value, size_t max)
{
	if (!cJSON_IsString(value))
		return false;
	const char *text = value->valuestring;
	size_t len = strlen(text);
	for (size_t i = 0; i < len; i++)
		if (iscntrl((unsigned char)text[i]))
			return false;
	return len <= max;
}

unsigned member_word_bit(const cJSON *value, const char *const *words)
{
	for (unsigned i = 0; cJSON_IsString(value) && words[i]; i++)
		if (strcmp(value->valuestring, words[i]) == 0)
			return 1u << i;
	return 0;
}

int member_text(
	const struct member_build *b, const struct member *m, const cJSON *value, struct err *e)
{
	if (!member_is_text(value, MEMBER_TEXT_MAX))
		return member_refuse(
			b, m, "a text of at most 1024 bytes without control characters", e);
	json_set(b->to, m->name, cJSON_CreateStringReference(value->valuestring));
	return 0;
}

static int word_refuse(const struct member_build *b, const struct member *m, struct err *e)
{
	_cleanup_(str_done) struct str must = STR_INIT(ERR_MESSAGE_MAX);
	for (size_t i = 0; m->words[i]; i++)
		str_addf(&must, "%s\"%s\"", i == 0 ? "one of " : ", ", m->words[i]);
	return member_refuse(b, m, str_text(&must), e);
}

int member_word(
	const struct member_build *b, const struct member *m, const cJSON *value, struct err *e)
{
	if (member_word_bit(value, m->words) == 0)
		return word_refuse(b, m, e);
	json_set_text(b->to, m->name, value->valuestring);
	return 0;
}

static int whole_put(
	const struct member_build *b, const struct member *m, int64_t min, struct err *e)
{
	int64_t number = 0;
	if (json_get_int(b->from, m->name, min, MEMBER_NUMBER_MAX, &number, e) < 0)
		return err_wrap(e, "%s", b->where);
	json_set_int(b->to, m->name, number);
	return 0;
}

int member_number(
	const struct member_build *b, const struct member *m, const cJSON *value, struct err *e)
{
	(void)value;
	return whole_put(b, m, 0, e);
}

int member_port(
	const struct member_build *b, const struct member *m, const cJSON *value, struct err *e)
{
	(void)value;
	return whole_put(b, m, 1, e);
}

int member_flag(
	const struct member_build *b, const struct member *m, const cJSON *value, struct err *e)
{
	if (!cJSON_IsBool(value))
		return member_refuse(b, m, "true or false", e);
	json_set_bool(b->to, m->name, cJSON_IsTrue(value));
	return 0;
}

int member_nothing(
	const struct member_build *b, const struct member *m, const cJSON *value, struct err *e)
{
	(void)b;
	(void)m;
	(void)value;
	(void)e;
	return 0;
}

int member_duration(
	const struct member_build *b, const struct member *m, const cJSON *value, struct err *e)
{
	const char *text = cJSON_IsString(value) ? value->valuestring : "";
	size_t digits = strspn(text, "0123456789");
	const char *unit = text + digits;
	if (digits < 1 || digits > 6 ||
		(strcmp(unit, "ms") != 0 && strcmp(unit, "s") != 0 && strcmp(unit, "m") != 0))
		return member_refuse(b, m, "a duration such as \"10s\"", e);
	json_set_text(b->to, m->name, text);
	return 0;
}

int member_uuid(
	const struct member_build *b, const struct member *m, const cJSON *value, struct err *e)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	const char *text = cJSON_IsString(value) ? value->valuestring : "";
	for (size_t i = 0; i < sizeof(form); i++)
		if (form[i] == 'x' ? !isxdigit((unsigned char)text[i]) : text[i] != form[i])
			return member_refuse(b, m, "a UUID", e);
	return member_text(b, m, value, e);
}

int member_list(const struct member_build *b, const struct member *m, const cJSON *value,
	bool (*is_item)(const char *text), struct err *e)
{
	const cJSON *item;
	int count = cJSON_GetArraySize(value);
	if (!cJSON_IsArray(value) || count < 1 || count > LIST_MAX)
		return member_refuse(b, m, "a list of 1 to 16 texts", e);
	cJSON *list = json_set_array(b->to, m->name);
	cJSON_ArrayForEach (item, value) {
		if (!member_is_text(item, MEMBER_TEXT_MAX) || !is_item(item->valuestring))
			return member_refuse(b, m, "a list of texts in their right form", e);
		json_add_text(list, item->valuestring);
	}
	return 0;
}

static const cJSON *value_of(const struct member_build *b, const struct member *m)
{
	const cJSON *value =
		cJSON_GetObjectItemCaseSensitive(m->secret ? b->secret : b->from, m->name);
	return cJSON_IsNull(value) ? NULL : value;
}

static int member_put(const struct member_build *b, const struct member *m, struct err *e)
{
	const cJSON *value = value_of(b, m);
	if (!(m->kinds & b->kind))
		return 0;
	if (m->fixed)
		json_set_text(b->to, m->name, m->fixed);
	else if (value)
		return m->put(b, m, value, e);
	else if (m->needed & b->kind)
		return member_refuse(b, m, "given for this type", e);
	return 0;
}

static bool is_known(
	const struct member_build *b, const struct member *table, const char *name, bool secret)
{
	for (const struct member *m = table; m->name; m++)
		if (m->secret == secret && m->kinds & b->kind && !m->fixed &&
			strcmp(m->name, name) == 0)
			return true;
	return false;
}

// Is each member that is there in the table? One of the secret part is not named: a name may be a
// secret that was put into the wrong place.
static int names_check(const struct member_build *b, const struct member *table, struct err *e)
{
	const cJSON *item;
	cJSON_ArrayForEach (item, b->from)
		if (!is_known(b, table, item->string, false))
			return err_say(e, EINVAL, "%s.%.40s is not known for this type", b->where,
				item->string);
	cJSON_ArrayForEach (item, b->secret)
		if (!is_known(b, table, item->string, true))
			return err_say(e, EINVAL,
				"proxy_secret has a member that is not known for this type");
	return 0;
}

int members_put(const struct member_build *b, const struct member *table, struct err *e)
{
	if (names_check(b, table, e) < 0)
		return -1;
	for (const struct member *m = table; m->name; m++)
		if (member_put(b, m, e) < 0)
			return -1;
	return 0;
}
