// SPDX-License-Identifier: Apache-2.0
// Makes, fills and removes a host's directories.
#include "agent/home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/file.h"
#include "agent/keys.h"
#include "agent/spec.h"
#include "agent/volume.h"
#include "lib/err.h"
#include "lib/mem.h"

enum { DEV_ID = 1000 };

#define TRASH ".trash-"

static const char sshd_config[] =
	"# Written by ccp-agent. Only the SSH proxy reaches this server.\n"
	"Port 22\n"
	"AddressFamily inet\n"
	"ListenAddress 127.0.0.1\n"
	"HostKey /.ccp/etc/" KEYS_HOST "\n"
	"PidFile /run/ccp-sshd.pid\n"
	"AuthorizedKeysFile /.ccp/etc/authorized_keys\n"
	"AllowUsers dev\n"
	"PermitRootLogin no\n"
	"PasswordAuthentication no\n"
	"KbdInteractiveAuthentication no\n"
	"UsePAM yes\n"
	"UseDNS no\n"
	"LoginGraceTime 30\n"
	"MaxStartups 1000:30:2000\n"
	"MaxSessions 1000\n"
	"TCPKeepAlive no\n"
	"Compression no\n"
	"X11Forwarding no\n"
	"PrintMotd no\n"
	"PrintLastLog no\n"
	"AcceptEnv LANG LC_* COLORTERM GIT_*\n"
	"Subsystem sftp internal-sftp\n";

void home_done(struct home *h)
{
	closep(&h->dir_fd);
	closep(&h->etc_fd);
	freep(&h->etc_path);
	freep(&h->home_path);
	*h = HOME_INIT;
}

int home_open(
	const struct agent *a, const char *host_id, bool make, struct home *ret, struct err *e)
{
	_cleanup_(closep) int hosts_fd = directory_open(a->data_fd, "hosts", 0700, e);
	_cleanup_(home_done) struct home h = HOME_INIT;

	if (hosts_fd < 0)
		return -1;
	h.dir_fd = directory_open(hosts_fd, host_id, make ? 0700 : 0, e);
	if (h.dir_fd < 0)
		return -1;
	h.etc_fd = directory_open(h.dir_fd, "etc", make ? 0755 : 0, e);
	if (h.etc_fd < 0)
		return -1;
	if (make && fchmod(h.etc_fd, 0755) < 0)
		return err_set(e, errno, "open the host's etc to its container");
	h.etc_path = xasprintf("%s/hosts/%s/etc", a->data_dir, host_id);
	h.home_path = xasprintf("%s/homes/%s", a->data_dir, host_id);
	*ret = h;
	h = HOME_INIT;
	return 0;
}

static char *homes_path(const struct agent *a)
{
	return xasprintf("%s/homes", a->data_dir);
}

// Silently another limit than the one that was asked for would be worse than none.
static int limit_check(const struct volume *v, int64_t limit_gb, int64_t size_gb, struct err *e)
{
	struct stat st;

	if (size_gb == limit_gb)
		return 0;
	if (size_gb != 0)
		return err_say(e, ERANGE,
			"the home was made with %lld GiB: rebuild the host with mode wipe to change its disk_limit_gb",
			(long long)size_gb);
	if (fstatat(v->dir_fd, v->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_uid == DEV_ID)
		return err_say(e, ERANGE,
			"the home was made without a limit: rebuild the host with mode wipe to give it a disk_limit_gb");
	return 0;
}

static int volume_ready(
	const struct volume *v, int64_t limit_gb, const struct wait *w, struct err *e)
{
	int64_t size_gb = volume_size_gb(v, e);
	int r = size_gb < 0 ? -1 : limit_check(v, limit_gb, size_gb, e);

	if (r == 0 && limit_gb != 0 && size_gb == 0)
		r = volume_make(v, limit_gb, w, e);
	if (r == 0 && limit_gb != 0)
		r = volume_mount(v, w, e);
	return r;
}

// Takes a directory that users filled: to us, readable, opened. It is a directory and no link,
// whoever made it.
static int directory_seize(int parent_fd, const char *name)
{
	_cleanup_(closep) int fd =
		openat(parent_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char path[64];

	if (fd < 0 || fchownat(fd, "", 0, 0, AT_EMPTY_PATH) < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (chmod(path, 0700) < 0)
		return -1;
	return openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

// The directory gets its owner before anything could be written into it, and nothing is written
// into it afterwards. A new file system brings a directory of its own and another mode; so does
// root in the container, who may have given the home to anybody and must not lock us out.
static int home_give(int homes_fd, const char *host_id, struct err *e)
{
	_cleanup_(closep) int fd = -1;
	struct stat st;

	if (fstatat(homes_fd, host_id, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(e, errno, "look at the home");
	if (st.st_uid == DEV_ID)
		return 0;
	fd = directory_seize(homes_fd, host_id);
	if (fd < 0)
		return err_set(e, errno, "take the home over");
	(void)!unlinkat(fd, "lost+found", AT_REMOVEDIR); // mkfs's, unless it is the user's own
	if (fchown(fd, DEV_ID, DEV_ID) < 0)
		return err_set(e, errno, "give the home to its user");
	return 0;
}

int home_make(const struct agent *a, const char *host_id, int64_t limit_gb, const struct wait *w,
	struct err *e)
{
	_cleanup_(closep) int homes_fd = directory_open(a->data_fd, "homes", 0700, e);
	_cleanup_(freep) char *path = homes_path(a);
	const struct volume v = {.dir_fd = homes_fd, .path = path, .name = host_id};
	int r;

	if (homes_fd < 0)
		return -1;
	if (mkdirat(homes_fd, host_id, 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, "make the home");
	r = volume_ready(&v, limit_gb, w, e);
	return r != 0 ? r : home_give(homes_fd, host_id, e);
}

int home_unmount(const struct agent *a, const char *host_id, struct err *e)
{
	_cleanup_(closep) int homes_fd = directory_open(a->data_fd, "homes", 0700, e);
	_cleanup_(freep) char *path = homes_path(a);
	const struct volume v = {.dir_fd = homes_fd, .path = path, .name = host_id};

	return homes_fd < 0 ? -1 : volume_unmount(&v, e);
}

static int write_text(int fd, const char *name, const char *text, mode_t mode, struct err *e)
{
	return file_write(fd, name, text, strlen(text), mode, e);
}

int home_write_etc(const struct home *h, const struct host_spec *spec, const char *client_key_line,
	struct err *e)
{
	char address[ADDR_TEXT_MAX];
	_cleanup_(freep) char *resolver =
		xasprintf("nameserver %s\n", addr_text(&spec->exit.resolver, address));
	_cleanup_(freep) char *keys = xasprintf("%s\n", client_key_line);

	if (write_text(h->etc_fd, "sshd_config", sshd_config, 0644, e) < 0 ||
		write_text(h->etc_fd, "authorized_keys", keys, 0644, e) < 0 ||
		write_text(h->etc_fd, "resolv.conf", resolver, 0644, e) < 0)
		return -1;
	return write_text(h->etc_fd, "sudoers",
		spec->sudo ? "dev ALL=(ALL:ALL) NOPASSWD: ALL\n" : "# sudo is off for this host\n",
		0440, e);
}

int home_trash(const struct agent *a, const char *host_id, struct err *e)
{
	_cleanup_(closep) int homes_fd = directory_open(a->data_fd, "homes", 0700, e);
	_cleanup_(freep) char *path = homes_path(a);
	_cleanup_(freep) char *name = NULL;
	const struct volume v = {.dir_fd = homes_fd, .path = path, .name = host_id};
	struct timespec now;

	if (homes_fd < 0 || volume_unmount(&v, e) < 0 || volume_remove(&v, e) < 0)
		return -1;
	clock_gettime(CLOCK_REALTIME, &now);
	name = xasprintf(TRASH "%s-%lld%09ld", host_id, (long long)now.tv_sec, now.tv_nsec);
	if (renameat(homes_fd, host_id, homes_fd, name) < 0 && errno != ENOENT)
		return err_set(e, errno, "move the home to the trash");
	return 0;
}

int home_remove_keys(const struct agent *a, const char *host_id, struct err *e)
{
	static const char *const files[] = {
		"sshd_config", "authorized_keys", "resolv.conf", "sudoers"};
	_cleanup_(closep) int hosts_fd = directory_open(a->data_fd, "hosts", 0700, e);
	_cleanup_(home_done) struct home h = HOME_INIT;

	if (hosts_fd < 0)
		return -1;
	if (home_open(a, host_id, false, &h, e) < 0)
		return e->code == ENOENT ? 0 : -1;
	if (keys_remove(h.dir_fd, h.etc_fd, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (file_remove(h.etc_fd, files[i], e) < 0)
			return -1;
	}
	if (unlinkat(h.dir_fd, "etc", AT_REMOVEDIR) < 0 ||
		unlinkat(hosts_fd, host_id, AT_REMOVEDIR) < 0)
		return err_set(e, errno, "remove the host's directory");
	return 0;
}

// Removes the files of one directory and moves its directories up into `homes_fd` as trash of their
// own. So any depth is removed with two descriptors and no recursion.
static int flatten(int homes_fd, const char *name, unsigned *counter, const struct wait *w)
{
	int fd = directory_seize(homes_fd, name);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	if (!dir) {
		closep(&fd);
		return -1;
	}
	for (struct dirent *d; r == 0 && (d = readdir(dir)) != NULL;) {
		char moved[64];
		int child;

		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (wait_left_ms(w) == 0) {
			r = WAIT_TIMEOUT;
		} else if (unlinkat(fd, d->d_name, 0) < 0) {
			child = errno == EISDIR ? directory_seize(fd, d->d_name) : -1;
			snprintf(moved, sizeof(moved), TRASH "%lld-%u", (long long)wait_now_us(),
				++*counter);
			if (child < 0 || renameat(fd, d->d_name, homes_fd, moved) < 0)
				r = -1;
			closep(&child);
		}
	}
	closedir(dir);
	return r;
}

int home_empty_trash(const struct agent *a, const struct wait *w, struct err *e)
{
	_cleanup_(closep) int homes_fd = directory_open(a->data_fd, "homes", 0700, e);
	unsigned counter = 0;
	bool more = true;

	if (homes_fd < 0)
		return -1;
	while (more) {
		int fd = openat(homes_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		DIR *dir = fd < 0 ? NULL : fdopendir(fd);
		int r = 0;

		if (!dir)
			return err_set(e, errno, "read the homes");
		more = false;
		for (struct dirent *d; r == 0 && (d = readdir(dir)) != NULL;) {
			if (strncmp(d->d_name, TRASH, strlen(TRASH)) != 0)
				continue;
			more = true;
			r = flatten(homes_fd, d->d_name, &counter, w);
			if (r == 0 && unlinkat(homes_fd, d->d_name, AT_REMOVEDIR) < 0 &&
				errno != ENOTEMPTY)
				r = -1;
		}
		closedir(dir);
		if (r < 0)
			return err_set(e, errno, "empty the trash");
		if (r > 0)
			return r;
	}
	return 0;
}

int home_unmount_all(const struct agent *a, struct err *e)
{
	_cleanup_(closep) int homes_fd = directory_open(a->data_fd, "homes", 0700, e);
	int fd = homes_fd < 0 ? -1 : openat(homes_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	if (!dir)
		return err_set(e, errno, "read the homes");
	for (struct dirent *d; r == 0 && (d = readdir(dir)) != NULL;) {
		if (str_is_uuid(d->d_name))
			r = home_unmount(a, d->d_name, e);
	}
	closedir(dir);
	return r;
}
