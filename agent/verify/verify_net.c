// SPDX-License-Identifier: Apache-2.0
// The verification's traffic: echo sources, targets and names, all at once in one loop.
#include "agent/verify/verify_net.h"

#include <ares.h>
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/net/link.h"
#include "agent/net/wall.h"
#include "agent/verify/verify_judge.h"
#include "agent/verify/verify_query.h"
#include "agent/verify/verify_target.h"
#include "lib/addr.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/wait.h"

enum {
	ECHO_LINGER_MS = 100, // for a fourth source that disagrees
	UDP_TIMEOUT_MS = 800, // then twice and four times as long
	UDP_TRIES = 3,
	TCP_TIMEOUT_MS = 1600,
	DNS_SOCKETS_MAX = 16,
	REPEAT_AFTER_MS = 1000, // a target that has not answered by then is asked in several sizes
	LATE_MS = 3000, // what it has not answered by then was sent four times
	ARRIVES_MS = 10, // how often a target that has answered is looked at: has it got all?
};

// What UDP has not answered by then is asked over TCP too (RFC 7766: every resolver has it), each time
// by a new connection. A flood takes the places of datagrams; it does not take those of connections.
static const int tcp_tries_at_ms[] = {UDP_TIMEOUT_MS, 2500, 4500};

enum carrier { BY_UDP, BY_TCP, CARRIERS };

// A name on its way to the resolver.
struct lookup {
	struct transfer *transfer;
	enum carrier carrier;
	bool open;
	int status; // c-ares' of the latest that ended; before: ARES_ETIMEOUT
};

// A query on its way.
struct transfer {
	struct verify_net *net;
	struct query *query;
	struct lookup lookups[CARRIERS];
	CURL *easy; // of an echo source
	struct curl_slist *pin; // "host:port:address": curl looks up no name
	char body[QUERY_ANSWER_MAX];
	size_t body_len;
	struct target target; // with fd -1: no target, or not on its way
	struct addr address; // of a target
	int64_t connected_ms; // when a target was seen to be; 0: not yet
	bool repeated; // it was asked once more
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
	ares_channel dns[CARRIERS];
	size_t tcp_tries; // begun
	struct dns_socket sockets[DNS_SOCKETS_MAX];
	size_t socket_count;
	CURLM *multi;
	struct queries queries;
	struct transfer transfers[QUERIES_MAX]; // of the query at the same place
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

static size_t body_take(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	if (size * count > sizeof(t->body) - t->body_len)
		return 0; // no address is that long
	memcpy(t->body + t->body_len, data, size * count);
	t->body_len += size * count;
	return size * count;
}

static void easy_make(struct transfer *t)
{
	CURL *easy = curl_easy_init();
	if (!easy)
		abort(); // out of memory
	t->easy = easy;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(easy, CURLOPT_URL, t->query->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)t->net->total_ms);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, curl_prepares);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_take);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "ccp-verify");
}

static struct transfer *transfer_make(struct verify_net *v, size_t i)
{
	struct transfer *t = &v->transfers[i];
	t->net = v;
	t->query = &v->queries.of[i];
	t->target.fd = -1;
	for (enum carrier by = 0; by < CARRIERS; by++)
		t->lookups[by] =
			(struct lookup){.transfer = t, .carrier = by, .status = ARES_ETIMEOUT};
	if (t->query->url)
		easy_make(t);
	return t;
}

static int transfers_make(struct verify_net *v, struct err *e)
{
	if (queries_make(v->spec, &v->queries, e) < 0)
		return -1;
	for (size_t i = 0; i < v->queries.count; i++)
		transfer_make(v, i);
	return 0;
}

static int channel_make(struct verify_net *v, enum carrier by, struct err *e)
{
	char server[ADDR_TEXT_MAX];
	static char lookups[] = "b"; // DNS only, no hosts file
	struct ares_options options = {
		// An answer that refuses is an answer: without NOCHECKRESP it would look like no
		// contact.
		.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES |
			 (by == BY_TCP ? ARES_FLAG_USEVC : 0),
		.timeout = by == BY_TCP ? TCP_TIMEOUT_MS : UDP_TIMEOUT_MS,
		.tries = by == BY_TCP ? 1 : UDP_TRIES,
		.lookups = lookups,
		.ndots = 1,
		.sock_state_cb = ares_socket_changes,
		.sock_state_cb_data = v,
	};
	// All of what resolv.conf may say, so that the machine's is not read.
	int r = ares_init_options(&v->dns[by], &options,
		ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
			ARES_OPT_NDOTS | ARES_OPT_SERVERS | ARES_OPT_DOMAINS |
			ARES_OPT_SOCK_STATE_CB);
	if (r == ARES_SUCCESS)
		r = ares_set_servers_csv(v->dns[by], addr_text(&v->spec->resolver, server));
	if (r != ARES_SUCCESS)
		return err_say(e, EIO, "start the resolver: %s", ares_strerror(r));
	ares_set_socket_configure_callback(v->dns[by], ares_prepares, v);
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
	v->multi = curl_multi_init();
	if (!v->multi)
		abort(); // out of memory
	if (channel_make(v, BY_UDP, e) < 0 || channel_make(v, BY_TCP, e) < 0 ||
		transfers_make(v, e) < 0)
		return -1;
	*ret = v;
	return 0;
}

// Running.

// The kernel delivers what is sent to such an address inside the namespace, whatever device the
// socket is bound to; 0.0.0.0/8 and :: mean "this host", and an AAAA record that is IPv4
// belongs to no exit.
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

static void target_start(struct transfer *t, const struct addr *address)
{
	int fd = socket(address->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || socket_prepare(fd) < 0) {
		query_fail(t->query, "%s: no socket: %s", t->query->host, strerrordesc_np(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	t->address = *address;
	target_begin(&t->target, t->query, fd, address);
}

// `resolved`: the host is a name, and this is its address.
static void transfer_begin(struct transfer *t, const struct addr *address, bool resolved)
{
	struct query *q = t->query;
	char text[ADDR_TEXT_MAX];
	addr_text(address, text);
	if (is_inside(t->net, address)) {
		query_fail(q, "%.60s is %s, which is the container", q->host, text);
		return;
	}
	if (address->family != t->net->spec->expected.family) {
		query_fail(q, "%.60s is not of the exit address's version of IP", q->host);
		return;
	}
	if (query_is_target(q)) {
		target_start(t, address);
		return;
	}
	if (resolved) {
		_cleanup_(freep) char *pin = xasprintf("%s:%s:%s", q->host, q->port, text);
		t->pin = curl_slist_append(NULL, pin);
		curl_easy_setopt(t->easy, CURLOPT_RESOLVE, t->pin);
	}
	q->state = QUERY_RUNNING;
	if (curl_multi_add_handle(t->net->multi, t->easy) != CURLM_OK)
		query_fail(q, "libcurl refused it");
}

// That a name does not exist is an answer, too.
static bool is_answer(int status)
{
	return status == ARES_SUCCESS || status == ARES_ENOTFOUND || status == ARES_ENODATA;
}

// Nothing came back, or there was no connection. Over UDP some machine on the way may have refused it, as
// a proxy's engine does while its server is away.
static bool is_silence(int status)
{
	return status == ARES_ETIMEOUT || status == ARES_ECONNREFUSED;
}

// Can no lookup of its name answer any more?
static bool is_asked_out(const struct transfer *t)
{
	const struct lookup *udp = &t->lookups[BY_UDP], *tcp = &t->lookups[BY_TCP];
	if (udp->open || tcp->open)
		return false;
	return is_answer(udp->status) || !is_silence(tcp->status) ||
	       t->net->tcp_tries == ARRAY_SIZE(tcp_tries_at_ms);
}

static const char *lookup_word(const struct lookup *l)
{
	switch (l->status) {
	case ARES_SUCCESS:
		return "answered";
	case ARES_ETIMEOUT:
		return "no answer";
	case ARES_ECONNREFUSED:
		return "not reached";
	default: // of c-ares' many
		return ares_strerror(l->status);
	}
}

static void lookups_fail(struct transfer *t)
{
	const struct lookup *udp = &t->lookups[BY_UDP], *tcp = &t->lookups[BY_TCP];
	struct query *q = t->query;
	q->unheard = is_silence(udp->status) && is_silence(tcp->status);
	if (is_answer(udp->status))
		query_fail(q, "%s: %s", q->host, ares_strerror(udp->status));
	else
		query_fail(
			q, "%.60s: UDP: %s, TCP: %s", q->host, lookup_word(udp), lookup_word(tcp));
}

static void lookup_ended(struct lookup *l, const struct addr *address)
{
	struct transfer *t = l->transfer;
	struct query *q = t->query;
	q->by_tcp = q->by_tcp || (l->carrier == BY_TCP && is_answer(l->status));
	if (q->kind != QUERY_NAME && address->family != 0)
		transfer_begin(t, address, true);
	else if (q->kind == QUERY_NAME && l->carrier == BY_UDP && is_answer(l->status))
		q->state = QUERY_DONE;
	else if (is_asked_out(t))
		lookups_fail(t);
}

static void name_answered(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	struct lookup *l = arg;
	struct addr address = {0}; // the first one
	(void)timeouts;
	if (info && info->nodes)
		address = addr_from_socket(info->nodes->ai_addr).addr;
	ares_freeaddrinfo(info);
	if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED)
		return;
	l->open = false;
	l->status = status;
	if (l->transfer->query->state == QUERY_RESOLVING)
		lookup_ended(l, &address);
}

static void lookup_start(struct lookup *l)
{
	const struct verify_net *v = l->transfer->net;
	struct ares_addrinfo_hints hints = {
		.ai_family = v->spec->expected.family,
		.ai_flags = ARES_AI_NOSORT, // sorting would connect unmarked sockets
	};
	l->open = true;
	ares_getaddrinfo(
		v->dns[l->carrier], l->transfer->query->host, NULL, &hints, name_answered, l);
}

static void transfer_start(struct transfer *t)
{
	struct query *q = t->query;
	struct addr literal;
	struct err ignored;
	if (q->kind != QUERY_NAME && addr_parse(q->host, &literal, &ignored) == 0)
		transfer_begin(t, &literal, false);
	else
		lookup_start(&t->lookups[BY_UDP]);
}

// How long until the next try over TCP is due; INT_MAX: never.
static int tcp_due_ms(const struct verify_net *v)
{
	if (v->tcp_tries == ARRAY_SIZE(tcp_tries_at_ms))
		return INT_MAX;
	int64_t passed_ms = (wait_now_us() - v->start_us) / 1000;
	int64_t left_ms = tcp_tries_at_ms[v->tcp_tries] - passed_ms;
	return left_ms > 0 ? (int)left_ms : 0;
}

// Asks over TCP for what has no right answer yet; a wrong one over TCP is the last word.
static void tcp_try(struct verify_net *v)
{
	if (tcp_due_ms(v) > 0)
		return;
	v->tcp_tries++;
	for (size_t i = 0; i < v->queries.count; i++) {
		struct lookup *tcp = &v->transfers[i].lookups[BY_TCP];
		if (v->queries.of[i].state == QUERY_RESOLVING && !tcp->open &&
			is_silence(tcp->status))
			lookup_start(tcp);
	}
}

static void transfer_finish(struct transfer *t, CURLcode result)
{
	struct query *q = t->query;
	if (result != CURLE_OK)
		query_fail(q, "%s: %s", q->host, curl_easy_strerror(result));
	else
		query_answered(q, t->body, t->body_len);
}

static void finished_take(struct verify_net *v)
{
	CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(v->multi, &left))) {
		struct transfer *t;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
		transfer_finish(t, message->data.result);
	}
}

// How long until a target is asked once more, and then until it is late; INT_MAX: never.
static int repeat_due_ms(const struct transfer *t)
{
	if (t->query->kind != QUERY_TARGET || t->query->state != QUERY_RUNNING || t->query->late ||
		t->connected_ms == 0)
		return INT_MAX;
	int64_t due_ms = t->connected_ms + (t->repeated ? LATE_MS : REPEAT_AFTER_MS);
	int64_t left_ms = due_ms - wait_now_ms();
	return left_ms > 0 ? (int)left_ms : 0;
}

// How long until a target has to be looked at whatever happens.
static int target_due_ms(const struct transfer *t)
{
	const struct query *q = t->query;
	int due_ms = repeat_due_ms(t);
	bool arrives = q->state == QUERY_RUNNING && q->traffic.heard > 0 && !q->traffic.arrived;
	return arrives && due_ms > ARRIVES_MS ? ARRIVES_MS : due_ms;
}

// Too little comes back from a target that is connected: is it the size?
static void target_watch(struct transfer *t)
{
	struct verify_net *v = t->net;
	size_t before = v->queries.count;
	if (t->query->traffic.connected && t->connected_ms == 0)
		t->connected_ms = wait_now_ms();
	if (repeat_due_ms(t) > 0)
		return;
	t->query->late = t->repeated;
	if (!t->repeated)
		query_repeat(&v->queries, t->query);
	t->repeated = true;
	for (size_t i = before; i < v->queries.count; i++)
		target_start(transfer_make(v, i), &t->address);
}

static void targets_step(struct verify_net *v, const struct curl_waitfd *fds, size_t count)
{
	for (size_t i = 0; i < v->queries.count; i++) {
		struct transfer *t = &v->transfers[i];
		short events = 0;
		if (t->target.fd < 0)
			continue;
		for (size_t j = 0; j < count; j++)
			events = fds[j].fd == t->target.fd ? fds[j].revents : events;
		target_step(&t->target, t->query, events & CURL_WAIT_POLLIN,
			events & CURL_WAIT_POLLOUT);
		target_watch(t);
	}
}

// Is everything known that can be known? A check that has just ended keeps its time.
static bool is_over(struct verify_net *v, const struct tallies *t)
{
	if (!v->enough_ms && judge_has_enough(v->spec, t))
		v->enough_ms = wait_now_ms();
	bool lingered = v->enough_ms && wait_now_ms() >= v->enough_ms + ECHO_LINGER_MS;
	for (enum verify_check check = 0; check < VERIFY_CHECKS; check++)
		if (v->took_us[check] == 0 && judge_has_ended(t, check, lingered))
			v->took_us[check] = wait_now_us() - v->start_us;
	return judge_is_over(t, lingered);
}

static int pause_ms(struct verify_net *v)
{
	struct timeval most, soon;
	int ms = wait_left_ms(&v->limit);
	most = (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	for (enum carrier by = 0; by < CARRIERS; by++) {
		struct timeval *next = ares_timeout(v->dns[by], &most, &soon);
		int dns_ms = (int)(next->tv_sec * 1000 + (next->tv_usec + 999) / 1000);
		if (dns_ms < ms)
			ms = dns_ms;
	}
	if (tcp_due_ms(v) < ms)
		ms = tcp_due_ms(v);
	for (size_t i = 0; i < v->queries.count; i++)
		if (target_due_ms(&v->transfers[i]) < ms)
			ms = target_due_ms(&v->transfers[i]);
	if (v->enough_ms) {
		int64_t linger = v->enough_ms + ECHO_LINGER_MS - wait_now_ms();
		if (linger < ms)
			ms = linger > 0 ? (int)linger : 0;
	}
	return ms;
}

// What is not the channel's own it ignores.
static void dns_process(ares_channel dns, const struct curl_waitfd *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ares_process_fd(dns,
			fds[i].revents & CURL_WAIT_POLLIN ? fds[i].fd : ARES_SOCKET_BAD,
			fds[i].revents & CURL_WAIT_POLLOUT ? fds[i].fd : ARES_SOCKET_BAD);
	ares_process_fd(dns, ARES_SOCKET_BAD, ARES_SOCKET_BAD); // its timeouts
}

static struct curl_waitfd waitfd(int fd, bool read, bool write)
{
	return (struct curl_waitfd){.fd = fd,
		.events = (short)((read ? CURL_WAIT_POLLIN : 0) | (write ? CURL_WAIT_POLLOUT : 0))};
}

// Those of the resolver's connections and the targets'.
static size_t fds_fill(const struct verify_net *v, struct curl_waitfd *ret)
{
	size_t count = 0;
	for (size_t i = 0; i < v->socket_count; i++)
		ret[count++] = waitfd(v->sockets[i].fd, v->sockets[i].read, v->sockets[i].write);
	for (size_t i = 0; i < v->queries.count; i++) {
		const struct target *t = &v->transfers[i].target;
		if (t->fd >= 0)
			ret[count++] = waitfd(t->fd, target_wants_to_hear(&v->queries.of[i]),
				target_wants_room(t));
	}
	return count;
}

static void wait_once(struct verify_net *v)
{
	struct curl_waitfd fds[DNS_SOCKETS_MAX + QUERY_TARGETS_MAX];
	size_t count = fds_fill(v, fds);
	curl_multi_poll(v->multi, fds, (unsigned)count, pause_ms(v), NULL);
	for (enum carrier by = 0; by < CARRIERS; by++)
		dns_process(v->dns[by], fds, count);
	tcp_try(v);
	int running;
	curl_multi_perform(v->multi, &running);
	finished_take(v);
	targets_step(v, fds, count);
}

void verify_net_run(struct verify_net *v, struct verify_result *ret)
{
	v->start_us = wait_now_us();
	v->limit = wait_for(v->total_ms, -1);
	for (size_t i = 0; i < v->queries.count; i++)
		transfer_start(&v->transfers[i]);
	struct tallies t = tallies_of(v->spec, &v->queries);
	while (!is_over(v, &t) && wait_left_ms(&v->limit) > 0) {
		wait_once(v);
		t = tallies_of(v->spec, &v->queries);
	}
	judge(v->spec, &t, ret);
	for (int i = 0; i < VERIFY_CHECKS; i++)
		ret->checks[i].took_us =
			v->took_us[i] ? v->took_us[i] : wait_now_us() - v->start_us;
}
