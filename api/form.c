// SPDX-License-Identifier: Apache-2.0
// Query strings and form bodies, decoded once, in place.
#include "api/form.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/mem.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

// Decodes p[0..len) in place and terminates it: there is always a byte behind, "&", "=" or the
// final NUL.
static int decode(char *p, size_t len, size_t *ret_len, struct err *e)
{
	size_t out = 0;
	for (size_t in = 0; in < len; in++) {
		char c = p[in];
		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int high = len - in > 2 ? hex(p[in + 1]) : -1;
			int low = len - in > 2 ? hex(p[in + 2]) : -1;
			if (high < 0 || low < 0)
				return err_say(e, EINVAL, "a %% is not followed by two hex digits");
			c = (char)(high << 4 | low);
			in += 2;
		}
		if (c == '\0')
			return err_say(e, EINVAL, "a NUL byte is not allowed");
		p[out++] = c;
	}
	p[out] = '\0';
	*ret_len = out;
	return 0;
}

static int pair_add(struct form *form, char *part, size_t len, struct err *e)
{
	if (len == 0)
		return 0;
	if (form->count == FORM_PAIRS_MAX)
		return err_say(e, E2BIG, "more than %d names", FORM_PAIRS_MAX);
	char *equals = memchr(part, '=', len);
	size_t name_len = equals ? (size_t)(equals - part) : len;
	char *value = equals ? equals + 1 : part + len;
	struct form_pair *pair = &form->pairs[form->count];
	if (decode(value, (size_t)(part + len - value), &pair->value_len, e) < 0 ||
		decode(part, name_len, &name_len, e) < 0)
		return -1;
	pair->name = part;
	pair->value = value;
	form->count++;
	return 0;
}

int form_parse(const char *text, size_t len, struct form *ret, struct err *e)
{
	*ret = (struct form){0};
	if (len > FORM_BYTES_MAX)
		return err_say(e, E2BIG, "more than %d bytes", FORM_BYTES_MAX);
	ret->memory = xcalloc(1, len + 1);
	if (len > 0)
		memcpy(ret->memory, text, len);
	for (size_t at = 0; at <= len;) {
		char *part = ret->memory + at;
		char *end = memchr(part, '&', len - at);
		size_t part_len = end ? (size_t)(end - part) : len - at;
		if (pair_add(ret, part, part_len, e) < 0)
			return -1;
		at += part_len + 1;
	}
	return 0;
}

void form_done(struct form *form)
{
	if (form->memory)
		for (size_t i = 0; i < form->count; i++)
			mem_wipe(form->memory + (form->pairs[i].value - form->memory),
				form->pairs[i].value_len);
	free(form->memory);
	*form = (struct form){0};
}
