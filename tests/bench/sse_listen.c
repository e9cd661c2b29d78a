// SPDX-License-Identifier: Apache-2.0
// Many clients of the live streams in one process: how long after a change was asked for each hears of it.
//
// usage: sse_listen PORT, on stdin a line for each group of clients: COUNT SOURCE-ADDRESS PATH TOKEN
//
// Says "ready" when all streams are; reads until SIGTERM. A label "t<microseconds of CLOCK_MONOTONIC>" says when a change was
// asked for. Prints: streams frames p50_us p99_us max_us.
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS_MAX = 2000, LATENCIES_MAX = 20000000, KEPT = 64, EVENTS = 64 };
static const char mark[] = "\"label\":\"t";

struct client {
	int fd;
	bool ready;
	size_t kept; // the end of what was read, in which a mark may have begun
	char tail[KEPT];
};

static struct client clients[CLIENTS_MAX];
static size_t count, ready, alive;
static uint32_t *latencies;
static size_t frames;
static volatile sig_atomic_t over;

static void stop(int signal)
{
	(void)signal;
	over = 1;
}

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void client_open(
	int epoll, int port, const char *source, const char *path, const char *token)
{
	struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
	struct client *c = &clients[count];
	char request[2048];
	inet_pton(AF_INET, source, &from.sin_addr);
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	to.sin_port = htons((uint16_t)port);
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	int len = snprintf(request, sizeof(request),
		"GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", path, token);
	if (c->fd < 0 || bind(c->fd, (struct sockaddr *)&from, sizeof(from)) < 0 ||
		connect(c->fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
		send(c->fd, request, (size_t)len, 0) != len)
		die("connect");
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = count++};
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
		die("epoll");
	alive++;
}

static void look(struct client *c, char *text, int64_t now)
{
	if (!c->ready && strstr(text, "event: ready")) {
		c->ready = true;
		if (++ready == count) {
			puts("ready");
			fflush(stdout);
		}
	}
	for (char *at = text; (at = strstr(at, mark)); at += sizeof(mark) - 1) {
		char *end;
		int64_t asked = strtoll(at + sizeof(mark) - 1, &end, 10);
		if (*end != '"') { // the rest has not come
			size_t left = strlen(at);
			c->kept = left < KEPT ? left : 0;
			memcpy(c->tail, at, c->kept);
			return;
		}
		if (frames < LATENCIES_MAX)
			latencies[frames++] = (uint32_t)(now - asked);
	}
	size_t left = strlen(text);
	c->kept = left < sizeof(mark) ? left : sizeof(mark);
	memcpy(c->tail, text + left - c->kept, c->kept);
}

static void client_read(struct client *c)
{
	static char text[KEPT + 262144 + 1];
	memcpy(text, c->tail, c->kept);
	ssize_t got = recv(c->fd, text + c->kept, 262144, 0);
	if (got <= 0) {
		close(c->fd);
		alive--;
		return;
	}
	text[c->kept + (size_t)got] = '\0';
	look(c, text, now_us());
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	char source[64], path[256], token[1024];
	int many;
	if (argc != 2)
		return 2;
	struct sigaction action = {.sa_handler = stop};
	sigaction(SIGTERM, &action, NULL);
	latencies = calloc(LATENCIES_MAX, sizeof(*latencies));
	int epoll = epoll_create1(0);
	while (scanf("%d %63s %255s %1023s", &many, source, path, token) == 4)
		while (many-- > 0 && count < CLIENTS_MAX)
			client_open(epoll, atoi(argv[1]), source, path, token);
	while (!over) {
		struct epoll_event events[EVENTS];
		int some = epoll_wait(epoll, events, EVENTS, -1);
		if (some < 0 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < some; i++)
			client_read(&clients[events[i].data.u64]);
	}
	qsort(latencies, frames, sizeof(*latencies), compare);
	if (frames == 0)
		return 1;
	printf("%zu %zu %u %u %u\n", alive, frames, latencies[frames / 2],
		latencies[frames * 99 / 100], latencies[frames - 1]);
	return 0;
}
