// SPDX-License-Identifier: Apache-2.0
// Memory that cannot be NULL, cleanup by attribute, a bounded string builder, wiping of secrets.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"

// Out of memory ends the process: the state is in PostgreSQL and the supervisor starts us again. So
// these never return NULL, and sizes that come from outside are checked against a named limit
// first.
_returns_nonnull_ void *xcalloc(size_t count, size_t size); // zeroed
_returns_nonnull_ void *xreallocarray(void *old, size_t count, size_t size);
_returns_nonnull_ char *xstrdup(const char *text);
_returns_nonnull_ char *xstrndup(const char *text, size_t max);
_returns_nonnull_ _printf_(1, 2) char *xasprintf(const char *format, ...);

#define xnew(type) ((type *)xcalloc(1, sizeof(type)))

// _cleanup_(freep) char *path = ...; frees at the end of the scope. A descriptor variable starts as
// -1.
void freep(void *pointer_to_pointer); // leaves NULL
void closep(const int *fd); // closes unless negative, keeps errno
void wipe_freep(char **text); // wipes a NUL-terminated secret, frees it, leaves NULL

// Hands over: the value, and NULL or -1 is left behind so that the cleanup does nothing.
#define TAKE_PTR(p) \
	({ \
		__auto_type taken_ = (p); \
		(p) = NULL; \
		taken_; \
	})
#define TAKE_FD(fd) \
	({ \
		int taken_ = (fd); \
		(fd) = -1; \
		taken_; \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

// The struct around an embedded member: container_of(job, struct guard, job). A pointer of another
// type than the member's does not compile.
#define container_of(pointer, type, member) \
	({ \
		__typeof__(((type *)NULL)->member) *member_ = (pointer); \
		(type *)(void *)((char *)member_ - offsetof(type, member)); \
	})

// Overwrites memory in a way the compiler keeps.
void mem_wipe(void *memory, size_t size);

// A growing text with a limit. What would pass the limit is dropped and `overflow` set; nothing is
// cut in between two calls' texts silently: check `overflow` (or str_take's NULL) once at the end.
//
//     _cleanup_(str_done) struct str s = STR_INIT(4096);
//     str_addf(&s, "%s=%d", name, value);
//     char *text = str_take(&s);         // NULL when the limit was passed
struct str {
	char *data; // NUL-terminated when not NULL
	size_t len; // without the NUL
	size_t cap;
	size_t max; // most bytes, without the NUL
	bool overflow;
};

#define STR_INIT(max_bytes) ((struct str){.max = (max_bytes)})
void str_add(struct str *s, const char *text);
void str_add_bytes(struct str *s, const void *bytes, size_t len);
_printf_(2, 3) void str_addf(struct str *s, const char *format, ...);
const char *str_text(const struct str *s); // "" when empty; valid until the next change
char *str_take(struct str *s); // heap, the caller frees; NULL on overflow; s is empty again
void str_reset(struct str *s); // empty again, keeps its memory
void str_done(struct str *s);

// Is it a UUID as PostgreSQL prints one, in lower case?
bool str_is_uuid(const char *text);

// Copies `text` into a fixed array. false (and an empty dst) when it does not fit.
_must_check_ bool text_copy(char *dst, size_t dst_size, const char *text);

// Is there a NUL within the array? For texts in messages from another process.
bool text_ends_within(const char *text, size_t size);
