// SPDX-License-Identifier: Apache-2.0
// What a machine does when it begins: directories in /run, the time zone, its own name.
#include "agent/init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZONES "/usr/share/zoneinfo/"
#define BLANK " \t\r\n"

enum { HOSTS_MAX = 8 << 20 }; // more of /etc/hosts is not read

// /run is a new tmpfs at each start; sshd and locks need these.
static void run_fill(void)
{
	if (mkdir("/run/sshd", 0755) < 0 && errno != EEXIST)
		init_log("make /run/sshd");
	if ((mkdir("/run/lock", 0755) < 0 && errno != EEXIST) || chmod("/run/lock", 01777) < 0)
		init_log("make /run/lock");
}

// Neither opens nor follows what lies there.
static void text_replace(const char *path, const char *text)
{
	int fd = -1;

	if (unlink(path) == 0 || errno == ENOENT)
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || dprintf(fd, "%s\n", text) < 0)
		init_log(path);
	if (fd >= 0)
		close(fd);
}

static void zone_set(const char *zone)
{
	char target[sizeof(ZONES) + 64], now[sizeof(target)];
	struct stat st;
	ssize_t len;

	if (!zone || snprintf(target, sizeof(target), ZONES "%s", zone) >= (int)sizeof(target) ||
		strstr(target, "..") || stat(target, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	text_replace("/etc/timezone", zone);
	len = readlink("/etc/localtime", now, sizeof(now));
	if (len == (ssize_t)strlen(target) && memcmp(now, target, (size_t)len) == 0)
		return;
	if ((unlink("/etc/localtime") < 0 && errno != ENOENT) ||
		symlink(target, "/etc/localtime") < 0)
		init_log("/etc/localtime");
}

// Does a line of hosts(5) give that name to an address? Cuts the line.
static bool line_has_name(char *line, const char *name)
{
	char *rest = NULL;

	line[strcspn(line, "#")] = '\0';
	strtok_r(line, BLANK, &rest); // the address
	for (char *word; (word = strtok_r(NULL, BLANK, &rest)) != NULL;) {
		if (strcasecmp(word, name) == 0)
			return true;
	}
	return false;
}

// The file is the user's; only our own name must be in it, since without it each sudo asks DNS.
static void own_name_keep(void)
{
	char name[65], line[1024] = "\n";
	struct stat st;
	bool found = false, ended = true;
	int fd = open("/etc/hosts", O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	FILE *file =
		fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= HOSTS_MAX
			? fdopen(fd, "r+")
			: NULL;

	if (!file || gethostname(name, sizeof(name)) < 0) {
		init_log("look for our name in /etc/hosts");
		if (!file && fd >= 0)
			close(fd);
		return;
	}
	while (!found && fgets(line, sizeof(line), file)) {
		ended = line[strlen(line) - 1] == '\n';
		found = line_has_name(line, name);
	}
	if (!found)
		dprintf(fd, "%s127.0.1.1\t%s\n", ended ? "" : "\n", name);
	fclose(file);
}

void machine_begin(void)
{
	run_fill();
	zone_set(getenv("TZ"));
	own_name_keep();
}
