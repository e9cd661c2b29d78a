// SPDX-License-Identifier: Apache-2.0
// What a verification asks: echo sources, targets and names, made from the settings.
#include "agent/verify/verify_query.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/err.h"
#include "lib/hash.h"
#include "lib/mem.h"

static int url_part(CURLU *url, CURLUPart part, char *ret, size_t size)
{
	char *text;
	if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
		return -1;
	bool fits = text_copy(ret, size, text);
	curl_free(text);
	return fits ? 0 : -1;
}

static bool url_take(struct query *q, const char *text)
{
	CURLU *url = curl_url();
	char host[QUERY_HOST_SIZE];
	bool good = url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
		    url_part(url, CURLUPART_HOST, host, sizeof(host)) == 0 &&
		    url_part(url, CURLUPART_PORT, q->port, sizeof(q->port)) == 0;
	curl_url_cleanup(url);
	if (!good)
		return false;
	size_t len = strlen(host);
	if (host[0] == '[' && host[len - 1] == ']') { // an IPv6 address
		memcpy(q->host, host + 1, len - 2);
		return true;
	}
	return text_copy(q->host, sizeof(q->host), host);
}

static struct query *query_add(struct queries *all, enum query_kind kind)
{
	struct query *q = &all->of[all->count++];
	*q = (struct query){.kind = kind};
	return q;
}

static int echo_add(struct queries *all, const char *url, struct err *e)
{
	struct query *q = query_add(all, QUERY_ECHO);
	bool http = strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
	if (!http || !url_take(q, url))
		return err_say(
			e, EINVAL, "the setting echo_urls: \"%.100s\" is not an http(s) URL", url);
	q->url = xstrdup(url);
	return 0;
}

static int target_add(struct queries *all, const char *target, struct err *e)
{
	struct query *q = query_add(all, QUERY_TARGET);
	_cleanup_(freep) char *url = xasprintf("http://%s", target);
	const char *colon = strrchr(target, ':');
	if (!colon || strspn(colon + 1, "0123456789") != strlen(colon + 1) || !url_take(q, url))
		return err_say(e, EINVAL,
			"the setting connect_targets: \"%.100s\" is not host:port", target);
	return 0;
}

// A name that was never asked before, so no cache answers.
static void name_add(struct queries *all, const char *zone)
{
	struct query *q = query_add(all, QUERY_NAME);
	uint64_t unique;
	hash_random(&unique, sizeof(unique));
	snprintf(q->host, sizeof(q->host), "v%016llx.%.*s", (unsigned long long)unique,
		VERIFY_ZONE_MAX, zone);
}

static int one_echo_add(struct queries *all, const cJSON *urls, struct err *e)
{
	uint32_t random;
	hash_random(&random, sizeof(random));
	int i = (int)(random % (uint32_t)cJSON_GetArraySize(urls));
	return echo_add(all, cJSON_GetArrayItem(urls, i)->valuestring, e);
}

static int all_add(struct queries *all, const cJSON *texts,
	int (*add)(struct queries *, const char *, struct err *), struct err *e)
{
	const cJSON *text;
	cJSON_ArrayForEach (text, texts) {
		if (add(all, text->valuestring, e) < 0)
			return -1;
	}
	return 0;
}

int queries_make(const struct verify_spec *spec, struct queries *ret, struct err *e)
{
	bool full = spec->kind == VERIFY_FULL;
	ret->count = 0;
	if (!full && one_echo_add(ret, spec->echo_urls, e) < 0)
		return -1;
	if (full && (all_add(ret, spec->echo_urls, echo_add, e) < 0 ||
			    all_add(ret, spec->connect_targets, target_add, e) < 0))
		return -1;
	for (int n = 0; n < (full ? QUERY_NAMES_FULL : 1); n++)
		name_add(ret, spec->dns_check_zone);
	return 0;
}

// What a tunnel's packets may have at most below its usual MTU, where something else is wrapped around
// them. Its engine pads to 16 bytes, so these are multiples. The last one passes everywhere.
static const int sizes[QUERY_SIZES] = {1392, 1360, 1328, 1280, 576};

static void query_copy(struct queries *all, enum query_kind kind, const struct query *of, int size)
{
	struct query *q = query_add(all, kind);
	strcpy(q->host, of->host);
	strcpy(q->port, of->port);
	q->of = of;
	q->size = size;
}

size_t query_repeat(struct queries *all, const struct query *target)
{
	size_t repeated = 0;
	for (size_t i = 0; i < all->count; i++)
		repeated += all->of[i].kind == QUERY_THIN;
	if (repeated == QUERY_REPEATED_MAX)
		return 0;
	query_copy(all, QUERY_THIN, target, 0);
	for (size_t i = 0; i < QUERY_SIZES; i++)
		query_copy(all, QUERY_SIZED, target, sizes[i]);
	return QUERY_SIZES + 1;
}

bool query_is_target(const struct query *q)
{
	return query_is_wide(q) || q->kind == QUERY_THIN;
}

bool query_is_wide(const struct query *q)
{
	return q->kind == QUERY_TARGET || q->kind == QUERY_SIZED;
}

bool query_is_tls(const struct query *q)
{
	return strcmp(q->port, "443") == 0;
}

uint64_t query_answered_bytes(const struct query *q)
{
	return q->traffic.arrived ? q->traffic.heard : 0;
}

void queries_done(struct queries *q)
{
	for (size_t i = 0; i < q->count; i++)
		free(q->of[i].url);
	q->count = 0;
}

void query_fail(struct query *q, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(q->why, sizeof(q->why), format, args);
	va_end(args);
	q->state = QUERY_FAILED;
}

void query_answered(struct query *q, const char *body, size_t len)
{
	_cleanup_(freep) char *text = NULL;
	struct err ignored;
	while (len > 0 && strchr(" \t\r\n", body[len - 1]))
		len--;
	text = xstrndup(body, len);
	if (strlen(text) != len || addr_parse(text, &q->answer, &ignored) < 0)
		query_fail(q, "%s answered no address", q->host);
	else
		q->state = QUERY_DONE;
}
