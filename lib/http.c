// SPDX-License-Identifier: Apache-2.0
// HTTP requests by libcurl.
#include "lib/http.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <curl/curl.h>

#include "lib/addr.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/wait.h"

enum { CONNECTIONS_KEPT = 2 };

struct http {
	CURLM *multi;
	CURL *easy;
};

// One request on its way.
struct transfer {
	CURL *easy;
	const struct http_request *request;
	struct str body;
	bool cut; // the body was longer
	char why[CURL_ERROR_SIZE];
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_init(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		abort();
}

struct http *http_new(void)
{
	struct http *http = xnew(struct http);

	pthread_once(&curl_once, curl_init);
	return http;
}

// Many are made for a request that then is not needed.
static void handles_make(struct http *http)
{
	if (http->multi)
		return;
	http->multi = curl_multi_init();
	http->easy = curl_easy_init();
	if (!http->multi || !http->easy)
		abort(); // out of memory
	curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
}

void http_free(struct http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->easy);
	curl_multi_cleanup(http->multi);
	free(http);
}

void http_freep(struct http **http)
{
	http_free(*http);
}

static void slist_freep(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}

static struct curl_slist *slist_of(const char *const *texts)
{
	struct curl_slist *list = NULL;

	for (; texts && *texts; texts++) {
		struct curl_slist *longer = curl_slist_append(list, *texts);
		if (!longer)
			abort();
		list = longer;
	}
	return list;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
	struct transfer *t = data;
	size_t len = size * count;
	size_t room = t->body.max - t->body.len;

	t->cut = t->request->answer_cut && len > room;
	str_add_bytes(&t->body, bytes, t->cut ? room : len);
	return t->cut || t->body.overflow ? 0 : len; // anything but all of it ends the transfer
}

static curl_socket_t on_socket(void *data, curlsocktype purpose, struct curl_sockaddr *to)
{
	const struct transfer *t = data;
	struct addr_port address = addr_from_socket(&to->addr);

	(void)purpose;
	if (!t->request->admit(t->request->admit_data, &address))
		return CURL_SOCKET_BAD;
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static void set_options(CURL *easy, const struct http_request *request, struct transfer *t,
	struct curl_slist *headers, struct curl_slist *resolve)
{
	curl_easy_reset(easy); // keeps the connections
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); // none, whatever the environment says
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->why);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_RESOLVE, resolve);
	curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_path);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); // do not wait for a resolver that is late
	if (request->admit) {
		curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
		curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t);
	}
	if (request->device)
		curl_easy_setopt(easy, CURLOPT_INTERFACE, request->device);
	if (strcmp(request->method, "HEAD") == 0)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	if (request->body) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
	}
}

// Drives the transfer until curl says that it is over.
static int drive(CURLM *multi, const struct wait *w, CURLcode *ret, struct err *e)
{
	for (;;) {
		int running = 0, left;
		CURLMcode code = curl_multi_perform(multi, &running);
		CURLMsg *message = curl_multi_info_read(multi, &left);
		if (message && message->msg == CURLMSG_DONE) {
			*ret = message->data.result;
			return 0;
		}
		struct curl_waitfd cancel = {.fd = w->cancel_fd, .events = CURL_WAIT_POLLIN};
		unsigned extra = w->cancel_fd >= 0 ? 1 : 0;
		int left_ms = wait_left_ms(w);
		if (code == CURLM_OK)
			code = curl_multi_poll(multi, &cancel, extra, left_ms, NULL);
		if (code != CURLM_OK)
			return err_say(e, EIO, "HTTP: %s", curl_multi_strerror(code));
		if (extra && cancel.revents) {
			err_note(e, ECANCELED, "stopped on request");
			return WAIT_CANCELED;
		}
		if (left_ms == 0) {
			err_note(e, ETIMEDOUT, "the HTTP answer did not come in time");
			return WAIT_TIMEOUT;
		}
	}
}

// curl's reason as ours. What failed is named by the URL without its query, which might hold a
// secret.
static int refuse(const struct transfer *t, CURLcode code, struct err *e)
{
	const struct http_request *request = t->request;
	int url_len = (int)strcspn(request->url, "?");
	_cleanup_(freep) char *name =
		request->name ? xstrdup(request->name)
			      : xasprintf("%s %.*s", request->method, url_len, request->url);
	const char *why = t->why[0] ? t->why : curl_easy_strerror(code);
	long os_errno = 0;

	if (t->body.overflow)
		return err_say(
			e, EMSGSIZE, "%s: the answer is longer than %zu bytes", name, t->body.max);
	curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os_errno);
	if (code == CURLE_COULDNT_CONNECT && os_errno == 0)
		os_errno = ECONNREFUSED;
	return err_say(e, os_errno > 0 ? (int)os_errno : ECONNRESET, "%s: %s", name, why);
}

static void take_answer(struct transfer *t, struct http_answer *ret)
{
	struct curl_header *header;
	long status = 0;
	curl_off_t retry_after_s = 0;
	char *address = NULL;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_IP, &address);
	curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
	*ret = (struct http_answer){.status = (int)status,
		.body_len = t->body.len,
		.retry_after_s = retry_after_s > 0 ? retry_after_s : 0};
	ret->body = str_take(&t->body);
	if (t->request->answer_header && curl_easy_header(t->easy, t->request->answer_header, 0,
						 CURLH_HEADER, -1, &header) == CURLHE_OK)
		ret->header = xstrdup(header->value);
	snprintf(ret->remote_address, sizeof(ret->remote_address), "%s",
		address && !t->request->unix_path ? address : "");
}

int http_do(struct http *http, const struct http_request *request, const struct wait *w,
	struct http_answer *ret, struct err *e)
{
	_cleanup_(slist_freep) struct curl_slist *headers = slist_of(request->headers);
	_cleanup_(slist_freep) struct curl_slist *resolve = slist_of(request->resolve);
	size_t max = request->answer_max_bytes ? request->answer_max_bytes : HTTP_ANSWER_MAX;
	CURLcode code = CURLE_OK;

	handles_make(http);
	struct transfer t = {.easy = http->easy, .request = request, .body = STR_INIT(max)};
	*ret = (struct http_answer){0};
	set_options(http->easy, request, &t, headers, resolve);
	if (curl_multi_add_handle(http->multi, http->easy) != CURLM_OK)
		abort(); // it is never in twice
	int r = drive(http->multi, w, &code, e);
	curl_multi_remove_handle(http->multi, http->easy);
	if (r == 0 && code != CURLE_OK && !t.cut)
		r = refuse(&t, code, e);
	if (r == 0)
		take_answer(&t, ret);
	str_done(&t.body);
	curl_easy_setopt(http->easy, CURLOPT_ERRORBUFFER, NULL); // it was on our stack
	return r;
}

void http_answer_done(struct http_answer *answer)
{
	free(answer->body);
	free(answer->header);
	answer->body = NULL;
	answer->header = NULL;
}
