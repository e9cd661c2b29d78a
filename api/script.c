// SPDX-License-Identifier: Apache-2.0
// Makes the scripts of the bootstrap and entry links of deploy/bootstrap/bootstrap.sh, which is part of the program.
#include "api/script.h"

#include <assert.h>
#include <string.h>

#include "lib/mem.h"

#define DIGITS_LOWER "abcdefghijklmnopqrstuvwxyz0123456789"
enum { URL_MAX = 200, ENTRY_MAX = 64 };

__asm__(".section .rodata\n"
	"script_text:\n"
	".incbin \"deploy/bootstrap/bootstrap.sh\"\n"
	".byte 0\n"
	".previous\n");
extern const char script_text[] __attribute__((visibility("hidden")));

static bool url_is_plain(const char *url)
{
	size_t len = strlen(url);
	const char *rest = strncmp(url, "http://", 7) == 0    ? url + 7
			   : strncmp(url, "https://", 8) == 0 ? url + 8
							      : "";
	return len <= URL_MAX && *rest != '\0' && *rest != '/' &&
	       rest[strspn(rest, DIGITS_LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ.:[]/-_")] == '\0';
}

struct part {
	const char *text;
	int len;
};

// The text up to a place that is in it once; `text` goes on behind the place.
static struct part before_place(const char **text, const char *place)
{
	const char *found = strstr(*text, place);
	assert(found);
	struct part part = {*text, (int)(found - *text)};
	*text = found + strlen(place);
	return part;
}

char *script_make(const char *url, const char *entry)
{
	if (!url || !url_is_plain(url))
		return NULL;
	size_t entry_len = strspn(entry, DIGITS_LOWER);
	assert(entry[entry_len] == '\0' && entry_len <= ENTRY_MAX);
	size_t len = strlen(url);
	while (url[len - 1] == '/')
		len--;
	const char *rest = script_text;
	struct part head = before_place(&rest, "@PUBLIC_URL@");
	struct part middle = before_place(&rest, "@ENTRY@");
	return xasprintf("%.*s'%.*s'%.*s'%s'%s", head.len, head.text, (int)len, url, middle.len,
		middle.text, entry, rest);
}
