// SPDX-License-Identifier: Apache-2.0
// The verification's traffic: echo sources, connections and names, all at once in one loop.
#include "agent/verify_net.h"

#include <ares.h>
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "agent/link.h"
#include "agent/wall.h"
#include "lib/addr.h"
#include "lib/err.h"
#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/wait.h"

enum {
	ECHO_LINGER_MS = 100, // for a fourth source that disagrees
	NAMES_FULL = 3,
	DNS_TIMEOUT_MS = 800, // then twice and four times as long
	DNS_TRIES = 3,
	ANSWER_BYTES_MAX = 64,
	HOST_BYTES_MAX = 256,
	DNS_SOCKETS_MAX = 16,
	TASKS_MAX = VERIFY_ECHO_MAX + VERIFY_CONNECT_MAX + NAMES_FULL,
};

enum task_kind { TASK_ECHO, TASK_CONNECT, TASK_NAME };
enum task_state { TASK_RESOLVING, TASK_RUNNING, TASK_DONE, TASK_FAILED };

// One thing to find out: a name to look up, and then, but for TASK_NAME, somebody to connect to.
struct task {
	struct verify_net *net;
	enum task_kind kind;
	enum task_state state;
	char host[HOST_BYTES_MAX]; // name or address
	char port[8];
	CURL *easy;
	struct curl_slist *pin; // "host:port:address": curl asks nobody
	bool unheard; // the resolver was silent about its name
	char body[ANSWER_BYTES_MAX + 1];
	size_t body_len;
	struct addr answer;
	char why[96]; // why it failed
};

struct dns_socket {
	ares_socket_t fd;
	bool read, write;
};

struct verify_net {
	const struct verify_spec *spec;
	struct wait limit;
	int total_ms;
	int64_t start_us;
	struct ifaddrs *own; // addresses of the namespace
	ares_channel dns;
	struct dns_socket sockets[DNS_SOCKETS_MAX];
	size_t socket_count;
	CURLM *multi;
	struct task tasks[TASKS_MAX];
	size_t task_count;
	int64_t enough_ms; // when the needed number of equal answers had come; 0: not yet
	int64_t took_us[VERIFY_CHECKS];
};

// Every socket carries the mark that a closed wall lets through, and leaves by the tunnel or not at
// all: what listens in the container must not answer for the exit.
static int socket_prepare(int fd)
{
	uint32_t mark = WALL_MARK_VERIFY;
	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0)
		return -1;
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, LINK_TUNNEL, sizeof(LINK_TUNNEL));
}

static int curl_prepares(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg;
	(void)purpose;
	return socket_prepare(fd) < 0 ? CURL_SOCKOPT_ERROR : CURL_SOCKOPT_OK;
}

static int ares_prepares(ares_socket_t fd, int type, void *arg)
{
	(void)type;
	(void)arg;
	return socket_prepare(fd);
}

// c-ares tells which of its sockets wait for what.
static void ares_socket_changes(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct verify_net *v = arg;
	size_t i = 0;
	while (i < v->socket_count && v->sockets[i].fd != fd)
		i++;
	if (!readable && !writable) {
		if (i < v->socket_count)
			v->sockets[i] = v->sockets[--v->socket_count];
		return;
	}
	if (i == v->socket_count && i == DNS_SOCKETS_MAX)
		return; // that query runs into its timeout
	if (i == v->socket_count)
		v->socket_count++;
	v->sockets[i] = (struct dns_socket){.fd = fd, .read = readable, .write = writable};
}

// Building.

static struct task *task_add(struct verify_net *v, enum task_kind kind)
{
	struct task *t = &v->tasks[v->task_count++];
	*t = (struct task){.net = v, .kind = kind};
	return t;
}

static size_t body_take(char *data, size_t size, size_t count, void *arg)
{
	struct task *t = arg;
	if (size * count > ANSWER_BYTES_MAX - t->body_len)
		return 0; // no address is that long
	memcpy(t->body + t->body_len, data, size * count);
	t->body_len += size * count;
	return size * count;
}

static int url_part(CURLU *url, CURLUPart part, char *ret, size_t size)
{
	char *text;
	if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
		return -1;
	bool fits = text_copy(ret, size, text);
	curl_free(text);
	return fits ? 0 : -1;
}

static bool url_take(struct task *t, const char *text)
{
	CURLU *url = curl_url();
	char host[HOST_BYTES_MAX];
	bool good = url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
		    url_part(url, CURLUPART_HOST, host, sizeof(host)) == 0 &&
		    url_part(url, CURLUPART_PORT, t->port, sizeof(t->port)) == 0;
	curl_url_cleanup(url);
	if (!good)
		return false;
	size_t len = strlen(host);
	if (host[0] == '[' && host[len - 1] == ']') { // an IPv6 address
		memcpy(t->host, host + 1, len - 2);
		return true;
	}
	return text_copy(t->host, sizeof(t->host), host);
}

static void easy_make(struct task *t, const char *url)
{
	CURL *easy = curl_easy_init();
	if (!easy)
		abort(); // out of memory
	t->easy = easy;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)t->net->total_ms);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, curl_prepares);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_take);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "ccp-verify");
	if (t->kind == TASK_CONNECT)
		curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
}

static int echo_add(struct verify_net *v, const char *url, struct err *e)
{
	struct task *t = task_add(v, TASK_ECHO);
	bool http = strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
	if (!http || !url_take(t, url))
		return err_say(
			e, EINVAL, "the setting echo_urls: \"%.100s\" is not an http(s) URL", url);
	easy_make(t, url);
	return 0;
}

static int connect_add(struct verify_net *v, const char *target, struct err *e)
{
	struct task *t = task_add(v, TASK_CONNECT);
	_cleanup_(freep) char *url = xasprintf("http://%s", target);
	const char *colon = strrchr(target, ':');
	if (!colon || strspn(colon + 1, "0123456789") != strlen(colon + 1) || !url_take(t, url))
		return err_say(e, EINVAL,
			"the setting connect_targets: \"%.100s\" is not host:port", target);
	easy_make(t, url);
	return 0;
}

// A name nobody has asked before, so no cache answers.
static void name_add(struct verify_net *v)
{
	struct task *t = task_add(v, TASK_NAME);
	uint64_t unique;
	hash_random(&unique, sizeof(unique));
	snprintf(t->host, sizeof(t->host), "v%016llx.%.*s", (unsigned long long)unique,
		VERIFY_ZONE_MAX, v->spec->dns_check_zone);
}

static int tasks_make(struct verify_net *v, struct err *e)
{
	const struct verify_spec *spec = v->spec;
	bool full = spec->kind == VERIFY_FULL;
	const cJSON *item;
	uint32_t luck;
	hash_random(&luck, sizeof(luck));
	int only = (int)(luck % (uint32_t)cJSON_GetArraySize(spec->echo_urls)), i = 0;
	cJSON_ArrayForEach (item, spec->echo_urls) {
		if ((full || i++ == only) && echo_add(v, item->valuestring, e) < 0)
			return -1;
	}
	if (full) {
		cJSON_ArrayForEach (item, spec->connect_targets) {
			if (connect_add(v, item->valuestring, e) < 0)
				return -1;
		}
	}
	for (int n = 0; n < (full ? NAMES_FULL : 1); n++)
		name_add(v);
	return 0;
}

static int dns_make(struct verify_net *v, struct err *e)
{
	char server[ADDR_TEXT_MAX];
	static char lookups[] = "b"; // DNS only, no hosts file
	struct ares_options options = {
		// An answer that refuses is an answer: without NOCHECKRESP it would look like no
		// contact.
		.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
		.timeout = DNS_TIMEOUT_MS,
		.tries = DNS_TRIES,
		.lookups = lookups,
		.sock_state_cb = ares_socket_changes,
		.sock_state_cb_data = v,
	};
	int r = ares_library_init(ARES_LIB_INIT_ALL);
	if (r == ARES_SUCCESS)
		r = ares_init_options(&v->dns, &options,
			ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
				ARES_OPT_SOCK_STATE_CB);
	if (r == ARES_SUCCESS)
		r = ares_set_servers_csv(v->dns, addr_text(&v->spec->resolver, server));
	if (r != ARES_SUCCESS)
		return err_say(e, EIO, "start the resolver: %s", ares_strerror(r));
	ares_set_socket_configure_callback(v->dns, ares_prepares, v);
	return 0;
}

int verify_net_new(
	const struct verify_spec *spec, int total_ms, struct verify_net **ret, struct err *e)
{
	struct verify_net *v = xnew(struct verify_net);
	v->spec = spec;
	v->total_ms = total_ms;
	if (getifaddrs(&v->own) < 0)
		return err_set(e, errno, "list the namespace's addresses"); // the process ends now
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(v->multi = curl_multi_init())) {
		free(v);
		return err_say(e, EIO, "start libcurl");
	}
	if (dns_make(v, e) < 0 || tasks_make(v, e) < 0)
		return -1; // the process ends now
	*ret = v;
	return 0;
}

// Running.

_printf_(2, 3) static void task_fail(struct task *t, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(t->why, sizeof(t->why), format, args);
	va_end(args);
	t->state = TASK_FAILED;
}

// The kernel delivers what is sent to such an address inside the namespace, whatever device the
// socket is bound to; 0.0.0.0/8 and :: mean "this host", and nobody has an AAAA record that is
// IPv4.
static bool is_inside(const struct verify_net *v, const struct addr *a)
{
	struct in6_addr six;
	memcpy(&six, a->bytes, sizeof(six));
	if (a->family == AF_INET && (a->bytes[0] == 127 || a->bytes[0] == 0))
		return true;
	if (a->family == AF_INET6 && (IN6_IS_ADDR_UNSPECIFIED(&six) || IN6_IS_ADDR_LOOPBACK(&six) ||
					     IN6_IS_ADDR_V4MAPPED(&six)))
		return true;
	for (const struct ifaddrs *i = v->own; i; i = i->ifa_next) {
		struct addr own;
		if (!i->ifa_addr || i->ifa_addr->sa_family != a->family)
			continue;
		own = addr_from_socket(i->ifa_addr).addr;
		if (addr_equal(&own, a))
			return true;
	}
	return false;
}

// `resolved`: the host is a name, and this is its address.
static void task_connect(struct task *t, const struct addr *address, bool resolved)
{
	char text[ADDR_TEXT_MAX];
	addr_text(address, text);
	if (is_inside(t->net, address)) {
		task_fail(t, "%.60s is %s, which is the container", t->host, text);
		return;
	}
	if (resolved) {
		_cleanup_(freep) char *pin = xasprintf("%s:%s:%s", t->host, t->port, text);
		t->pin = curl_slist_append(NULL, pin);
		curl_easy_setopt(t->easy, CURLOPT_RESOLVE, t->pin);
	}
	t->state = TASK_RUNNING;
	if (curl_multi_add_handle(t->net->multi, t->easy) != CURLM_OK)
		task_fail(t, "libcurl refused it");
}

static void name_answered(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	struct task *t = arg;
	struct addr address = {0}; // the first one
	(void)timeouts;
	if (info && info->nodes)
		address = addr_from_socket(info->nodes->ai_addr).addr;
	ares_freeaddrinfo(info);
	if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED)
		return;
	bool answered =
		status == ARES_SUCCESS || status == ARES_ENOTFOUND || status == ARES_ENODATA;
	if (t->kind == TASK_NAME && answered)
		t->state = TASK_DONE; // that it does not exist is an answer, too
	else if (address.family != 0 && t->kind != TASK_NAME)
		task_connect(t, &address, true);
	else
		task_fail(t, "%s: %s", t->host, ares_strerror(status));
	t->unheard = status == ARES_ETIMEOUT;
}

static void task_start(struct task *t)
{
	struct addr literal;
	struct err not_an_address;
	if (t->kind != TASK_NAME && addr_parse(t->host, &literal, &not_an_address) == 0) {
		task_connect(t, &literal, false);
		return;
	}
	struct ares_addrinfo_hints hints = {
		.ai_family = t->net->spec->expected.family,
		.ai_flags = ARES_AI_NOSORT, // sorting would connect unmarked sockets
	};
	ares_getaddrinfo(t->net->dns, t->host, NULL, &hints, name_answered, t);
}

static void echo_answered(struct task *t)
{
	struct err not_an_address;
	while (t->body_len > 0 && strchr(" \t\r\n", t->body[t->body_len - 1]))
		t->body_len--;
	t->body[t->body_len] = '\0';
	if (strlen(t->body) != t->body_len || addr_parse(t->body, &t->answer, &not_an_address) < 0)
		task_fail(t, "%s answered no address", t->host);
	else
		t->state = TASK_DONE;
}

static void finished_take(struct verify_net *v)
{
	CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(v->multi, &left))) {
		struct task *t;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
		if (message->data.result != CURLE_OK)
			task_fail(t, "%s: %s", t->host, curl_easy_strerror(message->data.result));
		else if (t->kind == TASK_ECHO)
			echo_answered(t);
		else
			t->state = TASK_DONE;
	}
}

struct tally {
	int done, failed, open; // open: not known yet
	int unheard; // of those that failed: by the resolver's silence
	int equal; // echo answers with the expected address
	struct task *different; // an echo answer with another one
	struct task *first_failed;
};

static struct tally tally(struct verify_net *v, enum task_kind kind)
{
	struct tally y = {0};
	for (size_t i = 0; i < v->task_count; i++) {
		struct task *t = &v->tasks[i];
		if (t->kind != kind)
			continue;
		if (t->state == TASK_FAILED && !y.first_failed)
			y.first_failed = t;
		y.failed += t->state == TASK_FAILED;
		y.unheard += t->state == TASK_FAILED && t->unheard;
		y.done += t->state == TASK_DONE;
		y.open += t->state == TASK_RESOLVING || t->state == TASK_RUNNING;
		if (kind != TASK_ECHO || t->state != TASK_DONE)
			continue;
		if (addr_equal(&t->answer, &v->spec->expected))
			y.equal++;
		else
			y.different = t;
	}
	return y;
}

static int echo_needed(const struct verify_net *v)
{
	return v->spec->kind == VERIFY_FULL ? VERIFY_ECHO_NEEDED : 1;
}

// A check that has just ended keeps its time.
static bool ended(struct verify_net *v, enum verify_check check, bool now)
{
	if (now && v->took_us[check] == 0)
		v->took_us[check] = wait_now_us() - v->start_us;
	return now;
}

// Everything known that can be known, or one answer that decides at once?
static bool all_ended(struct verify_net *v)
{
	struct tally echo = tally(v, TASK_ECHO), names = tally(v, TASK_NAME);
	struct tally connects = tally(v, TASK_CONNECT);
	if (!v->enough_ms && echo.equal >= echo_needed(v))
		v->enough_ms = wait_now_ms();
	bool lingered = v->enough_ms && wait_now_ms() >= v->enough_ms + ECHO_LINGER_MS;
	bool echo_ended = ended(v, CHECK_EXIT_IP, echo.different || echo.open == 0 || lingered);
	bool names_ended = ended(v, CHECK_DNS, names.open == 0);
	bool connects_ended = ended(v, CHECK_CONNECTIVITY, connects.done > 0 || connects.open == 0);
	return echo.different || (echo_ended && names_ended && connects_ended);
}

static int pause_ms(struct verify_net *v)
{
	struct timeval most, soon;
	int ms = wait_left_ms(&v->limit);
	most = (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	struct timeval *next = ares_timeout(v->dns, &most, &soon);
	int dns_ms = (int)(next->tv_sec * 1000 + (next->tv_usec + 999) / 1000);
	if (dns_ms < ms)
		ms = dns_ms;
	if (v->enough_ms) {
		int64_t linger = v->enough_ms + ECHO_LINGER_MS - wait_now_ms();
		if (linger < ms)
			ms = linger > 0 ? (int)linger : 0;
	}
	return ms;
}

static void wait_once(struct verify_net *v)
{
	struct curl_waitfd fds[DNS_SOCKETS_MAX];
	size_t count = v->socket_count;
	for (size_t i = 0; i < count; i++)
		fds[i] = (struct curl_waitfd){.fd = v->sockets[i].fd,
			.events = (short)((v->sockets[i].read ? CURL_WAIT_POLLIN : 0) |
					  (v->sockets[i].write ? CURL_WAIT_POLLOUT : 0))};
	curl_multi_poll(v->multi, fds, (unsigned)count, pause_ms(v), NULL);
	for (size_t i = 0; i < count; i++)
		ares_process_fd(v->dns,
			fds[i].revents & CURL_WAIT_POLLIN ? fds[i].fd : ARES_SOCKET_BAD,
			fds[i].revents & CURL_WAIT_POLLOUT ? fds[i].fd : ARES_SOCKET_BAD);
	ares_process_fd(v->dns, ARES_SOCKET_BAD, ARES_SOCKET_BAD); // its timeouts
	int running;
	curl_multi_perform(v->multi, &running);
	finished_take(v);
}

// Judging.

_printf_(5, 6) static void judge(struct verify_result *r, enum verify_check check,
	enum outcome outcome, const char *code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(r->checks[check].detail, sizeof(r->checks[check].detail), format, args);
	va_end(args);
	r->checks[check].outcome = outcome;
	r->checks[check].code = code;
}

static const char *why(const struct tally *y)
{
	return y->first_failed ? y->first_failed->why : "no answer in time";
}

static void judge_exit(struct verify_net *v, const struct tally *echo, struct verify_result *r)
{
	char seen[ADDR_TEXT_MAX], expected[ADDR_TEXT_MAX];
	addr_text(&v->spec->expected, expected);
	int asked = echo->done + echo->failed + echo->open;
	if (echo->different) {
		r->observed = echo->different->answer;
		judge(r, CHECK_EXIT_IP, OUTCOME_FAILED, "exit_mismatch",
			"%.80s saw %s, expected %s", echo->different->host,
			addr_text(&r->observed, seen), expected);
		return;
	}
	if (echo->equal > 0)
		r->observed = v->spec->expected;
	if (echo->equal >= echo_needed(v))
		judge(r, CHECK_EXIT_IP, OUTCOME_PASSED, NULL, "%s seen by %d of %d sources",
			expected, echo->equal, asked);
	else
		judge(r, CHECK_EXIT_IP, OUTCOME_INCONCLUSIVE, "inconclusive",
			"%d of %d sources answered, %d needed; %s", echo->equal, asked,
			echo_needed(v), why(echo));
}

// A resolver that is silent while nobody else answers either is no evidence against the resolver:
// it may be the tunnel. One that refuses is.
static void judge_dns(struct verify_net *v, const struct tally *names, const struct tally *echo,
	const struct tally *connects, struct verify_result *r)
{
	char server[ADDR_TEXT_MAX];
	addr_text(&v->spec->resolver, server);
	bool anybody = echo->done > 0 || connects->done > 0;
	bool silent = names->failed == names->unheard;
	if (names->open == 0 && names->failed == 0)
		judge(r, CHECK_DNS, OUTCOME_PASSED, NULL, "%s answered for %d unique names", server,
			names->done);
	else if (echo->different)
		judge(r, CHECK_DNS, OUTCOME_INCONCLUSIVE, "inconclusive", "not finished");
	else if (silent && !anybody)
		judge(r, CHECK_DNS, OUTCOME_INCONCLUSIVE, "inconclusive",
			"%s and everybody else: %s", server, why(names));
	else
		judge(r, CHECK_DNS, OUTCOME_FAILED, "dns_failed", "%s: %s", server, why(names));
}

static void judge_connectivity(
	const struct tally *connects, const struct tally *echo, struct verify_result *r)
{
	int asked = connects->done + connects->failed + connects->open;
	if (connects->done > 0)
		judge(r, CHECK_CONNECTIVITY, OUTCOME_PASSED, NULL, "%d of %d targets connected",
			connects->done, asked);
	else
		judge(r, CHECK_CONNECTIVITY, OUTCOME_INCONCLUSIVE, "inconclusive", "%s",
			echo->different ? "not finished" : why(connects));
}

void verify_net_run(struct verify_net *v, struct verify_result *ret)
{
	v->start_us = wait_now_us();
	v->limit = wait_for(v->total_ms, -1);
	for (size_t i = 0; i < v->task_count; i++)
		task_start(&v->tasks[i]);
	while (!all_ended(v) && wait_left_ms(&v->limit) > 0)
		wait_once(v);
	struct tally echo = tally(v, TASK_ECHO), names = tally(v, TASK_NAME);
	struct tally connects = tally(v, TASK_CONNECT);
	judge_exit(v, &echo, ret);
	judge_dns(v, &names, &echo, &connects, ret);
	judge_connectivity(&connects, &echo, ret);
	for (int i = 0; i < VERIFY_CHECKS; i++) {
		ended(v, i, true);
		ret->checks[i].took_us = v->took_us[i];
	}
}
