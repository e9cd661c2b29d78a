// SPDX-License-Identifier: Apache-2.0
// The strict JSON checker, getters and builders.
#include "lib/json.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/utf8.h"

const struct json_limits json_from_client = {.bytes = 64 * 1024, .depth = 16, .values = 4096};
const struct json_limits json_from_peer = {
	.bytes = 4 * 1024 * 1024, .depth = 48, .values = 65536, .big_integers = true};

#define SAFE_INTEGER 9007199254740991.0 // 2^53 - 1, RFC 7493 section 2.2

struct checker {
	const unsigned char *start, *at, *end;
	const struct json_limits *limits;
	unsigned values;
	struct err *e;
};

static int refuse(struct checker *c, const char *why)
{
	return err_say(c->e, EINVAL, "bad JSON at byte %zu: %s", (size_t)(c->at - c->start), why);
}

static void skip_blanks(struct checker *c)
{
	while (c->at < c->end &&
		(*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
		c->at++;
}

static bool take(struct checker *c, char byte)
{
	if (c->at == c->end || *c->at != (unsigned char)byte)
		return false;
	c->at++;
	return true;
}

static int take_hex4(struct checker *c, unsigned *ret)
{
	unsigned value = 0;

	for (int i = 0; i < 4; i++) {
		unsigned char ch = c->at < c->end ? *c->at : 0;
		if (ch >= '0' && ch <= '9')
			value = value * 16 + (ch - '0');
		else if ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'f')
			value = value * 16 + ((ch | 0x20) - 'a' + 10);
		else
			return refuse(c, "\\u wants four hex digits");
		c->at++;
	}
	*ret = value;
	return 0;
}

// \uXXXX, after the u. A high surrogate must be followed by a low one.
static int check_unicode_escape(struct checker *c)
{
	unsigned unit = 0, low = 0;

	if (take_hex4(c, &unit) < 0)
		return -1;
	if (unit == 0)
		return refuse(c, "NUL characters are not accepted");
	if (unit >= 0xdc00 && unit <= 0xdfff)
		return refuse(c, "a low surrogate stands alone");
	if (unit < 0xd800 || unit > 0xdbff)
		return 0;
	if (!take(c, '\\') || !take(c, 'u'))
		return refuse(c, "a high surrogate stands alone");
	if (take_hex4(c, &low) < 0)
		return -1;
	return low >= 0xdc00 && low <= 0xdfff ? 0 : refuse(c, "a high surrogate stands alone");
}

static int check_escape(struct checker *c)
{
	if (c->at == c->end)
		return refuse(c, "the text ends in a string");
	unsigned char ch = *c->at++;
	if (ch == 'u')
		return check_unicode_escape(c);
	return ch && strchr("\"\\/bfnrt", ch) ? 0 : refuse(c, "unknown escape");
}

static int check_string(struct checker *c)
{
	c->at++; // the quote
	while (c->at < c->end) {
		if (take(c, '"'))
			return 0;
		if (*c->at < ' ')
			return refuse(c, "control characters in strings are written as escapes");
		if (take(c, '\\')) {
			if (check_escape(c) < 0)
				return -1;
			continue;
		}
		int length = utf8_length(c->at, (size_t)(c->end - c->at));
		if (length == 0)
			return refuse(c, "not UTF-8");
		c->at += length;
	}
	return refuse(c, "the text ends in a string");
}

static size_t take_digits(struct checker *c)
{
	const unsigned char *from = c->at;

	while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
		c->at++;
	return (size_t)(c->at - from);
}

enum { NUMBER_TEXT_MAX = 60 }; // cJSON parses a number in a buffer of 64 bytes

static int check_number(struct checker *c)
{
	const unsigned char *from = c->at;
	bool whole = true;

	take(c, '-');
	if (!take(c, '0') && take_digits(c) == 0)
		return refuse(c, "unexpected character");
	if (c->at < c->end && *c->at >= '0' && *c->at <= '9')
		return refuse(c, "numbers do not start with 0");
	if (take(c, '.')) {
		whole = false;
		if (take_digits(c) == 0)
			return refuse(c, "a digit must follow the point");
	}
	if (take(c, 'e') || take(c, 'E')) {
		whole = false;
		if (!take(c, '-'))
			take(c, '+');
		if (take_digits(c) == 0)
			return refuse(c, "a digit must follow the exponent");
	}
	size_t len = (size_t)(c->at - from);
	char text[NUMBER_TEXT_MAX + 1];
	if (len > NUMBER_TEXT_MAX)
		return refuse(c, "the number has too many digits");
	memcpy(text, from, len);
	text[len] = '\0';
	double value = strtod(text, NULL);
	if (!isfinite(value))
		return refuse(c, "the number is too large");
	if (whole && !c->limits->big_integers && fabs(value) > SAFE_INTEGER)
		return refuse(c, "the integer is beyond 2^53 - 1");
	return 0;
}

static int check_word(struct checker *c, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(c->end - c->at) < len || memcmp(c->at, word, len) != 0)
		return refuse(c, "unexpected character");
	c->at += len;
	return 0;
}

static int check_value(struct checker *c, unsigned depth);

static int check_member(struct checker *c, unsigned depth)
{
	skip_blanks(c);
	if (c->at == c->end || *c->at != '"')
		return refuse(c, "a member starts with its name in quotes");
	if (check_string(c) < 0)
		return -1;
	skip_blanks(c);
	if (!take(c, ':'))
		return refuse(c, "a colon must follow the name");
	return check_value(c, depth);
}

// An array or object, from its bracket on.
static int check_container(struct checker *c, unsigned depth)
{
	bool is_object = *c->at++ == '{';
	char close = is_object ? '}' : ']';

	if (depth > c->limits->depth)
		return refuse(c, "nested too deeply");
	skip_blanks(c);
	if (take(c, close))
		return 0;
	do {
		int r = is_object ? check_member(c, depth) : check_value(c, depth);
		if (r < 0)
			return -1;
		skip_blanks(c);
	} while (take(c, ','));
	return take(c, close) ? 0 : refuse(c, "a comma or the closing bracket is missing");
}

static int check_value(struct checker *c, unsigned depth)
{
	skip_blanks(c);
	if (c->at == c->end)
		return refuse(c, "the text ends where a value should be");
	if (++c->values > c->limits->values)
		return refuse(c, "too many values");
	switch (*c->at) {
	case '{':
	case '[':
		return check_container(c, depth + 1);
	case '"':
		return check_string(c);
	case 't':
		return check_word(c, "true");
	case 'f':
		return check_word(c, "false");
	case 'n':
		return check_word(c, "null");
	default:
		return check_number(c);
	}
}

int json_check(const char *text, size_t len, const struct json_limits *limits, struct err *e)
{
	assert(limits->depth <= JSON_DEPTH_MAX);
	if (len > limits->bytes)
		return err_say(
			e, EMSGSIZE, "the JSON text is longer than %zu bytes", limits->bytes);
	const unsigned char *start = (const unsigned char *)text;
	struct checker c = {
		.start = start, .at = start, .end = start + len, .limits = limits, .e = e};
	if (check_value(&c, 0) < 0)
		return -1;
	skip_blanks(&c);
	return c.at == c.end ? 0 : refuse(&c, "something follows the value");
}

static int compare_names(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;

	return strcmp(*left, *right);
}

// Names are compared after unescaping ("a" is "\u0061"), so this looks at cJSON's tree.
static int check_unique_names(const cJSON *value, struct err *e)
{
	_cleanup_(freep) const char **names = NULL;
	size_t count = 0;
	const cJSON *child;

	cJSON_ArrayForEach (child, value) {
		if (check_unique_names(child, e) < 0)
			return -1;
		count++;
	}
	if (!cJSON_IsObject(value) || count < 2)
		return 0;
	names = xcalloc(count, sizeof(*names));
	count = 0;
	cJSON_ArrayForEach (child, value)
		names[count++] = child->string;
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 1; i < count; i++)
		if (strcmp(names[i - 1], names[i]) == 0)
			return err_say(
				e, EINVAL, "bad JSON: the name \"%.64s\" comes twice", names[i]);
	return 0;
}

int json_parse(
	const char *text, size_t len, const struct json_limits *limits, cJSON **ret, struct err *e)
{
	_cleanup_(json_freep) cJSON *json = NULL;

	if (json_check(text, len, limits, e) < 0)
		return -1;
	json = cJSON_ParseWithLength(text, len);
	if (!json)
		return err_say(e, EINVAL, "bad JSON: the parser refuses it");
	if (check_unique_names(json, e) < 0)
		return -1;
	*ret = TAKE_PTR(json);
	return 0;
}

void json_freep(cJSON **json)
{
	cJSON_Delete(*json);
}

// The member if it is there, has the type and is not null. `is` is one of cJSON_IsX, `what` its
// name for people.
static int get(const cJSON *object, const char *name, cJSON_bool (*is)(const cJSON *),
	const char *what, const cJSON **ret, struct err *e)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);

	if (!member || cJSON_IsNull(member)) {
		err_note(e, EINVAL, "\"%s\" is missing: it must be %s", name, what);
		return JSON_ABSENT;
	}
	if (!is(member))
		return err_say(e, EINVAL, "\"%s\" must be %s", name, what);
	*ret = member;
	return 0;
}

static int required(int r)
{
	return r == JSON_ABSENT ? -1 : r;
}

int json_opt_text(const cJSON *object, const char *name, const char **ret, struct err *e)
{
	const cJSON *member;
	int r = get(object, name, cJSON_IsString, "a string", &member, e);

	if (r == 0)
		*ret = member->valuestring;
	return r;
}

int json_get_text(const cJSON *object, const char *name, const char **ret, struct err *e)
{
	return required(json_opt_text(object, name, ret, e));
}

int json_opt_int(const cJSON *object, const char *name, int64_t min, int64_t max, int64_t *ret,
	struct err *e)
{
	const cJSON *member;
	int r = get(object, name, cJSON_IsNumber, "a whole number", &member, e);

	if (r != 0)
		return r;
	double value = member->valuedouble;
	if (value != trunc(value))
		return err_say(e, EINVAL, "\"%s\" must be a whole number", name);
	if (value < (double)min || value > (double)max)
		return err_say(e, ERANGE, "\"%s\" must be from %lld to %lld", name, (long long)min,
			(long long)max);
	// (double)INT64_MAX is 2^63, one too many for the cast.
	*ret = value >= 9223372036854775808.0 ? INT64_MAX : (int64_t)value;
	return 0;
}

int json_get_int(const cJSON *object, const char *name, int64_t min, int64_t max, int64_t *ret,
	struct err *e)
{
	return required(json_opt_int(object, name, min, max, ret, e));
}

int json_get_number(const cJSON *object, const char *name, double *ret, struct err *e)
{
	const cJSON *member;
	int r = get(object, name, cJSON_IsNumber, "a number", &member, e);

	if (r == 0)
		*ret = member->valuedouble;
	return required(r);
}

int json_opt_bool(const cJSON *object, const char *name, bool *ret, struct err *e)
{
	const cJSON *member;
	int r = get(object, name, cJSON_IsBool, "true or false", &member, e);

	if (r == 0)
		*ret = cJSON_IsTrue(member);
	return r;
}

int json_get_bool(const cJSON *object, const char *name, bool *ret, struct err *e)
{
	return required(json_opt_bool(object, name, ret, e));
}

int json_opt_object(const cJSON *object, const char *name, const cJSON **ret, struct err *e)
{
	return get(object, name, cJSON_IsObject, "an object", ret, e);
}

int json_get_object(const cJSON *object, const char *name, const cJSON **ret, struct err *e)
{
	return required(json_opt_object(object, name, ret, e));
}

int json_opt_array(const cJSON *object, const char *name, const cJSON **ret, struct err *e)
{
	return get(object, name, cJSON_IsArray, "a list", ret, e);
}

int json_get_array(const cJSON *object, const char *name, const cJSON **ret, struct err *e)
{
	return required(json_opt_array(object, name, ret, e));
}

static cJSON *made(cJSON *json)
{
	if (!json)
		abort();
	return json;
}

// A string value; bytes that are not UTF-8 become U+FFFD, so that what we print is JSON whatever
// came in.
static cJSON *new_text(const char *text)
{
	if (!text)
		return made(cJSON_CreateNull());
	_cleanup_(str_done) struct str clean = STR_INIT(SIZE_MAX / 2);
	const unsigned char *at = (const unsigned char *)text, *end = at + strlen(text);
	while (at < end) {
		int length = utf8_length(at, (size_t)(end - at));
		if (length > 0)
			str_add_bytes(&clean, at, (size_t)length);
		else
			str_add(&clean, "\xef\xbf\xbd");
		at += length > 0 ? length : 1;
	}
	return made(cJSON_CreateString(str_text(&clean)));
}

cJSON *json_new_object(void)
{
	return made(cJSON_CreateObject());
}

cJSON *json_new_array(void)
{
	return made(cJSON_CreateArray());
}

cJSON *json_set(cJSON *object, const char *name, cJSON *child)
{
	cJSON_DeleteItemFromObjectCaseSensitive(object, name);
	if (!cJSON_AddItemToObject(object, name, child))
		abort();
	return child;
}

cJSON *json_add(cJSON *array, cJSON *child)
{
	if (!cJSON_AddItemToArray(array, child))
		abort();
	return child;
}

void json_set_text(cJSON *object, const char *name, const char *text)
{
	json_set(object, name, new_text(text));
}

void json_set_int(cJSON *object, const char *name, int64_t number)
{
	// cJSON prints doubles: beyond 2^53 the digits would be lost, so the digits are given as
	// they are.
	_cleanup_(freep) char *digits = xasprintf("%lld", (long long)number);

	json_set(object, name, made(cJSON_CreateRaw(digits)));
}

void json_set_number(cJSON *object, const char *name, double number)
{
	json_set(object, name, made(cJSON_CreateNumber(number)));
}

void json_set_bool(cJSON *object, const char *name, bool value)
{
	json_set(object, name, made(cJSON_CreateBool(value)));
}

cJSON *json_set_object(cJSON *object, const char *name)
{
	return json_set(object, name, json_new_object());
}

cJSON *json_set_array(cJSON *object, const char *name)
{
	return json_set(object, name, json_new_array());
}

void json_add_text(cJSON *array, const char *text)
{
	json_add(array, new_text(text));
}

char *json_print(const cJSON *json)
{
	char *text = cJSON_PrintUnformatted(json);

	if (!text)
		abort();
	return text;
}
