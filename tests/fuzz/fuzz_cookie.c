// SPDX-License-Identifier: Apache-2.0
// Fuzzes Cookie, Origin, Host and Sec-Fetch-Site: what is found is of our form, who may send it is this server's page.
// uses: api/cookie.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/cookie.h"
#include "api/head.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_cookie(const char *header)
{
	struct cookie cookie = {0};
	if (!cookie_read(header, &cookie)) {
		if (cookie.id[0] != '\0')
			abort();
		return;
	}
	_cleanup_(freep) char *ours = xasprintf("%s=%s.", COOKIE_NAME, cookie.id);
	if (!str_is_uuid(cookie.id) || !strstr(header, ours) || strlen(cookie.sha256) != 64)
		abort();
}

// By a second reading: the origin is a scheme and the Host, and nothing says otherwise.
static void check_origin(const struct head *head)
{
	const char *host = head->values[HEAD_HOST], *origin = head->values[HEAD_ORIGIN];
	const char *site = head->values[HEAD_SEC_FETCH_SITE];
	if (!cookie_is_for(head))
		return;
	if (site && strcmp(site, "same-origin") != 0)
		abort();
	const char *behind = strstr(origin, "://");
	if (!behind || strcasecmp(behind + 3, host) != 0)
		abort();
	size_t name = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	_cleanup_(freep) char *machine = xstrndup(host, name);
	if (strncmp(origin, "https", 5) != 0 && !strcasestr("localhost 127.0.0.1 [::1]", machine))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum head_header headers[] = {
		HEAD_COOKIE, HEAD_HOST, HEAD_ORIGIN, HEAD_SEC_FETCH_SITE};
	_cleanup_(freep) char *text = xstrndup((const char *)data, size);
	struct head head = {0};
	char *at = text;
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		char *line = at;
		at = strchrnul(line, '\n');
		if (*at != '\0')
			*at++ = '\0';
		head.values[headers[i]] = line;
	}
	check_cookie(head.values[HEAD_COOKIE]);
	if (*head.values[HEAD_SEC_FETCH_SITE] == '\0')
		head.values[HEAD_SEC_FETCH_SITE] = NULL;
	check_origin(&head);
	return 0;
}
