// SPDX-License-Identifier: Apache-2.0
// Stands where a user's program is the first that runs, and floods from its beginning. Then it goes on as NAME.real.
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	PROBES = 3000,
	BURST = 10,
	PAUSE_US = 4000,
	HOPS = 113,
	SERVICE = 0x58
}; // support/oracle.py

static void flood(const char *name, const struct timespec *first)
{
	static const char probe[1000 - 28];
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), hops = HOPS, service = SERVICE;
	int sent = 0, denied = 0;
	char path[256], ready[256];
	inet_pton(AF_INET, "198.18.0.11", &to.sin_addr);
	setsockopt(fd, IPPROTO_IP, IP_TTL, &hops, sizeof(hops));
	setsockopt(fd, IPPROTO_IP, IP_TOS, &service, sizeof(service));
	for (int i = 0; i < PROBES; i++) {
		if (sendto(fd, probe, sizeof(probe), 0, (void *)&to, sizeof(to)) >= 0)
			sent++;
		else if (errno == EPERM)
			denied++;
		if (i % BURST == 0)
			usleep(PAUSE_US);
	}
	snprintf(path, sizeof(path), "/tmp/.%s", name);
	snprintf(ready, sizeof(ready), "/tmp/flooded-%s", name);
	FILE *file = fopen(path, "w");
	if (!file)
		return;
	fprintf(file, "%lld.%09ld %d %d\n", (long long)first->tv_sec, first->tv_nsec, sent, denied);
	fclose(file);
	rename(path, ready);
}

int main(int argc, char *argv[])
{
	struct timespec first;
	char real[256];
	const char *slash = strrchr(argv[0], '/');
	(void)argc;
	clock_gettime(CLOCK_REALTIME, &first);
	if (fork() == 0) {
		flood(slash ? slash + 1 : argv[0], &first);
		return 0;
	}
	snprintf(real, sizeof(real), "%s.real", argv[0]);
	argv[0] = real;
	execv(real, argv);
	return 1;
}
