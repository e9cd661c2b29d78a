// SPDX-License-Identifier: Apache-2.0
// Many clients of the live streams in one process, each with a copy of the lists that it hears of, as docs/live.md says.
//
// usage: sse_clients PORT [RECEIVE_BUFFER_BYTES]
//
// On stdin a line for each group of clients, "COUNT SOURCE-ADDRESS ROLE TOPICS TOKEN", and an empty one after the last. Says
// "ready" when all of them listen and have read the lists. Then on stdin, until its end:
//   figures   what happened since that was asked last, as one line of JSON
//   rows      the copies: "CLIENT TOPIC ID PAYLOAD" for each row, and "end"
// A host's label "t<microseconds of CLOCK_MONOTONIC>" says when a change was asked for.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "lib/err.h"
#include "lib/http.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/wait.h"

enum {
	CLIENTS_MAX = 2000,
	GROUPS_MAX = 200,
	TOPICS_MAX = 5,
	LATENCIES_MAX = 20000000,
	READ_MAX = 65536,
	EVENT_MAX = 16 * 1024 * 1024, // bytes that wait for the end of an event
	TICK_MS = 100,
	SILENT_MS = 35000, // then a stream is dead
	LIST_MS = 30000,
	EVENTS = 64,
};

struct group {
	struct in_addr source;
	char role[16], topics_text[128], topics[TOPICS_MAX][16], token[1024];
	size_t topic_count;
};

struct row {
	size_t topic;
	char id[64];
	char *payload;
	int64_t asked_us; // by its label; 0: it is from a list, or has no such label
};

enum state { AWAY, CONNECTS, ANSWERED, LISTENS };

struct client {
	const struct group *group;
	enum state state;
	int fd;
	int64_t heard_ms;
	bool stale; // the lists are to be read
	char where[2048]; // "": nowhere yet
	struct str raw, text; // what has come: of the answer, of its body
	struct row *rows;
	size_t row_count;
};

static struct group groups[GROUPS_MAX];
static struct client clients[CLIENTS_MAX];
static size_t group_count, client_count;
static uint16_t port;
static int receive_buffer;
static int epoll;
static struct http *http;
static struct {
	size_t frames, breaks, resumed, resyncs, back;
	uint32_t *latencies; // of `timed` frames
	size_t timed;
} figures;

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void consume(struct str *s, size_t len)
{
	s->len -= len;
	memmove(s->data, s->data + len, s->len + 1);
}

static size_t topic_find(const struct group *group, const char *name)
{
	size_t i = 0;
	while (i < group->topic_count && strcmp(group->topics[i], name) != 0)
		i++;
	return i;
}

static struct row *row_find(struct client *c, size_t topic, const char *id)
{
	for (size_t i = 0; i < c->row_count; i++)
		if (c->rows[i].topic == topic && strcmp(c->rows[i].id, id) == 0)
			return &c->rows[i];
	return NULL;
}

static struct row *row_add(struct client *c, size_t topic, const char *id)
{
	c->rows = xreallocarray(c->rows, c->row_count + 1, sizeof(*c->rows));
	struct row *row = &c->rows[c->row_count++];
	*row = (struct row){.topic = topic};
	snprintf(row->id, sizeof(row->id), "%s", id);
	return row;
}

static void row_remove(struct client *c, struct row *row)
{
	free(row->payload);
	*row = c->rows[--c->row_count];
}

// Reads a topic's list. Returns whether there was one.
static bool list_read(struct client *c, size_t topic)
{
	const char *name = c->group->topics[topic];
	_cleanup_(freep) char *url = xasprintf("http://127.0.0.1:%u/v1/%s/%s?limit=200%s", port,
		c->group->role, name, strcmp(name, "sessions") == 0 ? "&state=any" : "");
	_cleanup_(freep) char *token = xasprintf("Authorization: Bearer %s", c->group->token);
	const struct http_request request = {
		.method = "GET", .url = url, .headers = (const char *const[]){token, NULL}};
	_cleanup_(http_answer_done) struct http_answer answer = {0};
	struct wait w = wait_for(LIST_MS, -1);
	struct err e;
	if (http_do(http, &request, &w, &answer, &e) != 0 || answer.status != 200)
		return false;
	cJSON *page = NULL;
	if (json_parse(answer.body, answer.body_len, &json_from_peer, &page, &e) < 0)
		die("a list is no JSON");
	const cJSON *item;
	cJSON_ArrayForEach (item, cJSON_GetObjectItemCaseSensitive(page, name)) {
		const cJSON *id = cJSON_GetObjectItemCaseSensitive(item, "id");
		row_add(c, topic, id->valuestring)->payload = cJSON_PrintUnformatted(item);
	}
	cJSON_Delete(page);
	return true;
}

static void lists_read(struct client *c)
{
	while (c->row_count > 0)
		row_remove(c, c->rows);
	c->stale = false;
	for (size_t topic = 0; topic < c->group->topic_count && !c->stale; topic++)
		c->stale = !list_read(c, topic);
}

static int64_t asked(const char *payload)
{
	static const char mark[] = "\"label\":\"t";
	const char *at = strstr(payload, mark);
	return at ? strtoll(at + sizeof(mark) - 1, NULL, 10) : 0;
}

static void row_put(struct row *row, const char *payload)
{
	int64_t asked_us = asked(payload);
	figures.back += asked_us < row->asked_us;
	if (asked_us > row->asked_us && figures.timed < LATENCIES_MAX)
		figures.latencies[figures.timed++] = (uint32_t)(wait_now_us() - asked_us);
	row->asked_us = asked_us;
	free(row->payload);
	row->payload = xstrdup(payload);
}

// The text between `before` and the next quotation mark; false when it is not there.
static bool word(const char *data, const char *before, char *to, size_t size)
{
	const char *at = strstr(data, before);
	if (!at)
		return false;
	at += strlen(before);
	snprintf(to, size, "%.*s", (int)strcspn(at, "\""), at);
	return true;
}

static void frame_take(struct client *c, char *data)
{
	char topic_name[16], action[16], id[64];
	char *payload = strstr(data, "\"payload\":");
	if (!payload || !word(data, "\"topic\":\"", topic_name, sizeof(topic_name)) ||
		!word(data, "\"action\":\"", action, sizeof(action)) ||
		!word(data, "\"id\":\"", id, sizeof(id)))
		die(data);
	figures.frames++;
	size_t topic = topic_find(c->group, topic_name);
	struct row *row = row_find(c, topic, id);
	if (strcmp(action, "delete") == 0) {
		if (row)
			row_remove(c, row);
		return;
	}
	payload += strlen("\"payload\":");
	payload[strlen(payload) - 1] = '\0'; // the frame's own end
	row_put(row ? row : row_add(c, topic, id), payload);
}

static void event_take(struct client *c, char *event)
{
	char *name = NULL, *data = NULL, *where = NULL, *rest = event;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		char **field = strncmp(line, "event: ", 7) == 0  ? &name
			       : strncmp(line, "data: ", 6) == 0 ? &data
			       : strncmp(line, "id: ", 4) == 0   ? &where
								 : NULL;
		if (field)
			*field = strchr(line, ' ') + 1;
	}
	if (data && !name)
		frame_take(c, data);
	if (name && strcmp(name, "ready") == 0) {
		bool resumed = strstr(data, "true");
		figures.resumed += resumed;
		c->stale |= !resumed;
		c->state = LISTENS;
	}
	if (name && strcmp(name, "resync") == 0) {
		figures.resyncs++;
		c->stale = true;
	}
	if (name && strcmp(name, "end") == 0)
		die(data);
	if (where)
		snprintf(c->where, sizeof(c->where), "%s", where);
}

static void events_take(struct client *c)
{
	char *at = c->text.data, *end;
	while (at && (end = strstr(at, "\n\n"))) {
		*end = '\0';
		event_take(c, at);
		at = end + 2;
	}
	if (at)
		consume(&c->text, (size_t)(at - c->text.data));
}

// Moves whole chunks of the answer's body (RFC 9112, section 7.1) to its text. False: it has ended.
static bool chunks_take(struct client *c)
{
	size_t used = 0;
	bool goes_on = true;
	while (goes_on) {
		char *chunk = c->raw.data + used, *body;
		size_t size = strtoul(chunk, &body, 16);
		if (strncmp(body, "\r\n", 2) != 0 ||
			(size_t)(body - c->raw.data) + size + 4 > c->raw.len)
			break;
		goes_on = size > 0;
		str_add_bytes(&c->text, body + 2, size);
		used = (size_t)(body - c->raw.data) + size + 4;
	}
	consume(&c->raw, used);
	return goes_on;
}

static void client_close(struct client *c)
{
	figures.breaks += c->state == LISTENS;
	close(c->fd);
	c->state = AWAY;
	str_reset(&c->raw);
	str_reset(&c->text);
}

static void client_read(struct client *c)
{
	static char bytes[READ_MAX];
	ssize_t got = recv(c->fd, bytes, sizeof(bytes), 0);
	if (got <= 0) {
		client_close(c);
		return;
	}
	c->heard_ms = wait_now_ms();
	str_add_bytes(&c->raw, bytes, (size_t)got);
	if (c->state == CONNECTS) {
		char *end = strstr(c->raw.data, "\r\n\r\n");
		if (!end)
			return;
		if (strncmp(c->raw.data, "HTTP/1.1 200 ", 13) != 0) {
			client_close(c);
			return;
		}
		c->state = ANSWERED;
		consume(&c->raw, (size_t)(end + 4 - c->raw.data));
	}
	bool goes_on = chunks_take(c);
	events_take(c);
	if (!goes_on)
		client_close(c);
}

static void client_open(struct client *c)
{
	const struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = c->group->source};
	const struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port)};
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (receive_buffer > 0)
		setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
	if (c->fd < 0 || bind(c->fd, (const struct sockaddr *)&from, sizeof(from)) < 0)
		die("bind");
	c->state = CONNECTS;
	c->heard_ms = wait_now_ms();
	struct epoll_event event = {.events = EPOLLOUT, .data.ptr = c};
	if (connect(c->fd, (const struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		client_close(c);
	else if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
		die("epoll");
}

static void client_ask(struct client *c)
{
	_cleanup_(freep) char *request = xasprintf(
		"GET /v1/%s/sse?topics=%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s%s%s\r\n",
		c->group->role, c->group->topics_text, c->group->token,
		c->where[0] ? "Last-Event-ID: " : "", c->where, c->where[0] ? "\r\n" : "");
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
	if (send(c->fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
		client_close(c);
	else if (epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event) < 0)
		die("epoll");
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void figures_print(void)
{
	size_t listening = 0, timed = figures.timed;
	uint32_t *latencies = figures.latencies;
	for (size_t i = 0; i < client_count; i++)
		listening += clients[i].state == LISTENS;
	qsort(latencies, timed, sizeof(*latencies), compare);
	latencies[timed] = latencies[timed > 0 ? timed - 1 : 0];
	printf("{\"listening\":%zu,\"frames\":%zu,\"breaks\":%zu,\"resumed\":%zu,\"resyncs\":%zu,"
	       "\"back\":%zu,\"timed\":%zu,\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u}\n",
		listening, figures.frames, figures.breaks, figures.resumed, figures.resyncs,
		figures.back, timed, latencies[timed / 2], latencies[timed * 99 / 100],
		latencies[timed]);
	memset(&figures, 0, sizeof(figures));
	figures.latencies = latencies;
}

static void rows_print(void)
{
	for (size_t i = 0; i < client_count; i++)
		for (size_t j = 0; j < clients[i].row_count; j++) {
			const struct row *row = &clients[i].rows[j];
			printf("%zu %s %s %s\n", i, clients[i].group->topics[row->topic], row->id,
				row->payload);
		}
	puts("end");
}

static void command_take(void)
{
	char line[64];
	ssize_t got = read(STDIN_FILENO, line, sizeof(line) - 1);
	if (got <= 0)
		exit(EXIT_SUCCESS);
	line[got] = '\0';
	if (strcmp(line, "figures\n") == 0)
		figures_print();
	else if (strcmp(line, "rows\n") == 0)
		rows_print();
	fflush(stdout);
}

// Who is away connects again; who must reads the lists. Returns whether all listen and have them.
static bool tick(void)
{
	bool all = true;
	int64_t now_ms = wait_now_ms();
	for (struct client *c = clients; c < clients + client_count; c++) {
		if (c->state != AWAY && now_ms - c->heard_ms > SILENT_MS)
			client_close(c);
		if (c->state == AWAY)
			client_open(c);
		if (c->state == LISTENS && c->stale)
			lists_read(c);
		all &= c->state == LISTENS && !c->stale;
	}
	return all;
}

static void groups_read(void)
{
	char *line = NULL, source[64];
	size_t room = 0;
	int count;
	while (getline(&line, &room, stdin) > 1 && group_count < GROUPS_MAX) {
		struct group *group = &groups[group_count++];
		if (sscanf(line, "%d %63s %15s %127s %1023s", &count, source, group->role,
			    group->topics_text, group->token) != 5)
			die(line);
		inet_pton(AF_INET, source, &group->source);
		char words[128], *rest = words;
		memcpy(words, group->topics_text, sizeof(words));
		for (char *topic = strsep(&rest, ","); topic && group->topic_count < TOPICS_MAX;
			topic = strsep(&rest, ","))
			snprintf(group->topics[group->topic_count++], sizeof(group->topics[0]),
				"%.15s", topic);
		for (; count > 0 && client_count < CLIENTS_MAX; count--)
			clients[client_count++] = (struct client){.group = group,
				.raw = STR_INIT(EVENT_MAX),
				.text = STR_INIT(EVENT_MAX)};
	}
	free(line);
}

static void event_handle(const struct epoll_event *event)
{
	struct client *c = event->data.ptr;
	if (!c)
		command_take();
	else if (event->events & (EPOLLERR | EPOLLHUP) && !(event->events & EPOLLIN))
		client_close(c);
	else if (event->events & EPOLLOUT)
		client_ask(c);
	else
		client_read(c);
}

int main(int argc, char **argv)
{
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (argc < 2)
		return EXIT_FAILURE;
	port = (uint16_t)strtoul(argv[1], NULL, 10);
	receive_buffer = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0;
	figures.latencies = xcalloc(LATENCIES_MAX + 1, sizeof(*figures.latencies));
	http = http_new();
	epoll = epoll_create1(EPOLL_CLOEXEC);
	groups_read();
	struct epoll_event commands = {.events = EPOLLIN};
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &commands) < 0)
		die("epoll");
	bool ready = false;
	for (int64_t next_ms = 0;;) {
		struct epoll_event events[EVENTS];
		int some = epoll_wait(epoll, events, EVENTS, TICK_MS);
		for (int i = 0; i < some; i++)
			event_handle(&events[i]);
		if (wait_now_ms() < next_ms)
			continue;
		if (tick() && !ready) {
			ready = true;
			puts("ready");
			fflush(stdout);
		}
		next_ms = wait_now_ms() + TICK_MS;
	}
}
