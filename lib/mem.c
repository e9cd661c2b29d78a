// SPDX-License-Identifier: Apache-2.0
// Memory that cannot be NULL, cleanups, the string builder.
#include "lib/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

void *xcalloc(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
}

void *xreallocarray(void *old, size_t count, size_t size)
{
	return checked(reallocarray(old, count ? count : 1, size ? size : 1));
}

char *xstrdup(const char *text)
{
	return checked(strdup(text));
}

char *xstrndup(const char *text, size_t max)
{
	return checked(strndup(text, max));
}

char *xasprintf(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		abort();
	return text;
}

void freep(void *pointer_to_pointer)
{
	void *memory;

	memcpy(&memory, pointer_to_pointer, sizeof(memory));
	free(memory);
	memset(pointer_to_pointer, 0, sizeof(memory));
}

void closep(const int *fd)
{
	if (*fd < 0)
		return;
	int saved = errno;
	close(*fd);
	errno = saved;
}

void mem_wipe(void *memory, size_t size)
{
	explicit_bzero(memory, size);
}

void wipe_freep(char **text)
{
	if (*text)
		mem_wipe(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

// Makes room for `more` bytes and a NUL; false (and overflow) when that passes the limit.
static bool str_reserve(struct str *s, size_t more)
{
	if (s->overflow || more > s->max - s->len) {
		s->overflow = true;
		return false;
	}
	size_t need = s->len + more + 1;
	if (need > s->cap) {
		size_t cap = s->cap ? s->cap : 64;
		while (cap < need)
			cap *= 2;
		s->data = xreallocarray(s->data, cap, 1);
		s->cap = cap;
	}
	return true;
}

void str_add_bytes(struct str *s, const void *bytes, size_t len)
{
	if (!str_reserve(s, len))
		return;
	if (len > 0)
		memcpy(s->data + s->len, bytes, len);
	s->len += len;
	s->data[s->len] = '\0';
}

void str_add(struct str *s, const char *text)
{
	str_add_bytes(s, text, strlen(text));
}

void str_addf(struct str *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		abort();
	if (!str_reserve(s, (size_t)len))
		return;
	va_start(args, format);
	vsnprintf(s->data + s->len, (size_t)len + 1, format, args);
	va_end(args);
	s->len += (size_t)len;
}

const char *str_text(const struct str *s)
{
	return s->data ? s->data : "";
}

char *str_take(struct str *s)
{
	if (s->overflow) {
		str_done(s);
		return NULL;
	}
	char *text = s->data ? s->data : xstrdup("");
	*s = STR_INIT(s->max);
	return text;
}

void str_reset(struct str *s)
{
	s->len = 0;
	s->overflow = false;
	if (s->data)
		s->data[0] = '\0';
}

void str_done(struct str *s)
{
	free(s->data);
	*s = STR_INIT(s->max);
}

bool str_is_uuid(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	for (size_t i = 0; i < sizeof(form); i++) {
		bool digit = text[i] != '\0' && strchr("0123456789abcdef", text[i]);
		if (form[i] == 'x' ? !digit : text[i] != form[i])
			return false;
	}
	return true;
}

bool text_copy(char *dst, size_t dst_size, const char *text)
{
	size_t len = strlen(text);
	bool fits = len < dst_size;

	if (fits)
		memcpy(dst, text, len + 1);
	else if (dst_size > 0)
		dst[0] = '\0';
	return fits;
}

bool text_ends_within(const char *text, size_t size)
{
	return memchr(text, '\0', size);
}
