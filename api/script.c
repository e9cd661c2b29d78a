// SPDX-License-Identifier: Apache-2.0
// Serves deploy/bootstrap/bootstrap.sh, taken into the program when it is built.
#include "api/script.h"

#include <assert.h>
#include <string.h>

#include "lib/mem.h"

#define PLACE "@PUBLIC_URL@"
enum { URL_MAX = 200 };

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
	       rest[strspn(rest,
		       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:[]/-_")] ==
		       '\0';
}

char *script_make(const char *url)
{
	if (!url || !url_is_plain(url))
		return NULL;
	const char *place = strstr(script_text, PLACE);
	assert(place);
	size_t len = strlen(url);
	while (url[len - 1] == '/')
		len--;
	return xasprintf("%.*s'%.*s'%s", (int)(place - script_text), script_text, (int)len, url,
		place + strlen(PLACE));
}
