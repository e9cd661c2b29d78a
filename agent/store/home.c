// SPDX-License-Identifier: Apache-2.0
// Makes, fills and removes a host's directories.
#include "agent/store/home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/store/directory.h"
#include "lib/file.h"
#include "agent/store/keys.h"
#include "agent/store/store.h"
#include "agent/store/trash.h"
#include "agent/store/volume.h"
#include "lib/err.h"
#include "lib/mem.h"

#define INIT_NAME "init" // in ccp/
#define HOSTS_NAME "hosts" // what is /etc/hosts inside
#define RESOLVER_NAME "resolv.conf"
#define TMP ".tmp"

enum { DEV_ID = 1000 };

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
	closep(&h->ccp_fd);
	closep(&h->etc_fd);
	freep(&h->ccp_path);
	freep(&h->home_path);
	freep(&h->tmp_path);
	freep(&h->hosts_path);
	*h = HOME_INIT;
}

int home_open(
	const struct store *store, const char *host_id, bool make, struct home *ret, struct err *e)
{
	_cleanup_(closep) int hosts_fd = directory_open(store->fd, "hosts", 0700, e);
	_cleanup_(home_done) struct home h = HOME_INIT;

	if (hosts_fd < 0)
		return -1;
	h.dir_fd = directory_open(hosts_fd, host_id, make ? 0700 : 0, e);
	if (h.dir_fd < 0)
		return -1;
	h.ccp_fd = directory_open(h.dir_fd, "ccp", make ? 0755 : 0, e);
	if (h.ccp_fd < 0)
		return -1;
	h.etc_fd = directory_open(h.ccp_fd, "etc", make ? 0755 : 0, e);
	if (h.etc_fd < 0)
		return -1;
	if (make && (fchmod(h.ccp_fd, 0755) < 0 || fchmod(h.etc_fd, 0755) < 0))
		return err_set(e, errno, "open the host's files to its container");
	h.ccp_path = xasprintf("%s/hosts/%s/ccp", store->path, host_id);
	h.home_path = xasprintf("%s/homes/%s", store->path, host_id);
	h.tmp_path = xasprintf("%s/homes/%s" TMP, store->path, host_id);
	h.hosts_path = xasprintf("%s/hosts/%s/" HOSTS_NAME, store->path, host_id);
	*ret = h;
	h = HOME_INIT;
	return 0;
}

static char *homes_path(const struct store *store)
{
	return xasprintf("%s/homes", store->path);
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

// The directory gets its owner before anything could be written into it, and nothing is written
// into it afterwards. A new file system brings a directory of its own and another mode; so does
// root in the container, who may have given the home to any user and must not lock us out.
static int chown_to_user(int homes_fd, const char *host_id, struct err *e)
{
	_cleanup_(closep) int fd = -1;
	struct stat st;

	if (fstatat(homes_fd, host_id, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(e, errno, "look at the home");
	if (st.st_uid == DEV_ID)
		return 0;
	fd = directory_take_ownership(homes_fd, host_id);
	if (fd < 0)
		return err_set(e, errno, "take the home over");
	(void)!unlinkat(fd, "lost+found", AT_REMOVEDIR); // mkfs's, unless it is the user's own
	if (fchown(fd, DEV_ID, DEV_ID) < 0)
		return err_set(e, errno, "give the home to its user");
	return 0;
}

int home_make(const struct store *store, const char *host_id, int64_t limit_gb,
	const struct wait *w, struct err *e)
{
	_cleanup_(closep) int homes_fd = directory_open(store->fd, "homes", 0700, e);
	_cleanup_(freep) char *path = homes_path(store);
	const struct volume v = {.dir_fd = homes_fd, .path = path, .name = host_id};

	if (homes_fd < 0)
		return -1;
	if (mkdirat(homes_fd, host_id, 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, "make the home");
	int r = volume_ready(&v, limit_gb, w, e);
	return r != 0 ? r : chown_to_user(homes_fd, host_id, e);
}

static int tmp_trash(int homes_fd, const char *host_id, struct err *e)
{
	_cleanup_(freep) char *name = xasprintf("%s" TMP, host_id);

	return trash_move(homes_fd, name, e);
}

int home_renew_tmp(const struct store *store, const char *host_id, struct err *e)
{
	_cleanup_(closep) int homes_fd = directory_open(store->fd, "homes", 0700, e);
	_cleanup_(freep) char *name = xasprintf("%s" TMP, host_id);

	if (homes_fd < 0 || tmp_trash(homes_fd, host_id, e) < 0)
		return -1;
	_cleanup_(closep) int fd = directory_open(homes_fd, name, 0700, e);
	if (fd < 0)
		return -1;
	return fchmod(fd, 01777) < 0 ? err_set(e, errno, "open /tmp to everybody") : 0;
}

int home_remove_system(const struct store *store, const char *host_id, struct err *e)
{
	_cleanup_(closep) int homes_fd = directory_open(store->fd, "homes", 0700, e);
	_cleanup_(home_done) struct home h = HOME_INIT;

	if (homes_fd < 0 || tmp_trash(homes_fd, host_id, e) < 0)
		return -1;
	if (home_open(store, host_id, false, &h, e) < 0)
		return e->code == ENOENT ? 0 : -1;
	return file_remove(h.dir_fd, HOSTS_NAME, e);
}

int home_unmount(const struct store *store, const char *host_id, struct err *e)
{
	_cleanup_(closep) int homes_fd = directory_open(store->fd, "homes", 0700, e);
	_cleanup_(freep) char *path = homes_path(store);
	const struct volume v = {.dir_fd = homes_fd, .path = path, .name = host_id};

	return homes_fd < 0 ? -1 : volume_unmount(&v, e);
}

static int write_text(int fd, const char *name, const char *text, mode_t mode, struct err *e)
{
	return file_write(fd, name, text, strlen(text), mode, e);
}

static int init_link(int ccp_fd, const char *path, struct err *e)
{
	static const char temporary[] = "." INIT_NAME ".new";
	struct stat wanted, present;

	if (stat(path, &wanted) < 0)
		return err_set(e, errno, "look at %s", path);
	if (fstatat(ccp_fd, INIT_NAME, &present, AT_SYMLINK_NOFOLLOW) == 0 &&
		present.st_dev == wanted.st_dev && present.st_ino == wanted.st_ino)
		return 0;
	if (file_remove(ccp_fd, temporary, e) < 0)
		return -1;
	if (linkat(AT_FDCWD, path, ccp_fd, temporary, 0) < 0 ||
		renameat(ccp_fd, temporary, ccp_fd, INIT_NAME) < 0)
		return err_set(e, errno, "link %s into the host's directory", path);
	return 0;
}

static int hosts_make(int dir_fd, const char *hostname, struct err *e)
{
	_cleanup_(freep) char *text = xasprintf("127.0.0.1\tlocalhost\n"
						"::1\tlocalhost ip6-localhost ip6-loopback\n"
						"127.0.1.1\t%s\n",
		hostname);
	struct stat st;

	if (fstatat(dir_fd, HOSTS_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return write_text(dir_fd, HOSTS_NAME, text, 0644, e);
}

int home_init_open(const struct home *h, struct err *e)
{
	int fd = openat(h->ccp_fd, INIT_NAME, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_set(e, errno, "open the host's ccp-init") : fd;
}

static char *resolver_text(const struct addr *resolver)
{
	char address[ADDR_TEXT_MAX];
	return xasprintf("nameserver %s\n", addr_text(resolver, address));
}

int home_write_resolver(const struct home *h, const struct addr *resolver, struct err *e)
{
	_cleanup_(freep) char *text = resolver_text(resolver);
	_cleanup_(closep) int fd =
		openat(h->etc_fd, RESOLVER_NAME, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t len = (ssize_t)strlen(text);
	// Cut when the new line is there: a reader in between sees one whole line at least.
	if (fd < 0 || pwrite(fd, text, (size_t)len, 0) != len || ftruncate(fd, len) < 0)
		return err_set(e, errno, "write the container's " RESOLVER_NAME);
	return 0;
}

int home_write_ccp(const struct home *h, const struct home_ccp *ccp, struct err *e)
{
	_cleanup_(freep) char *resolver = resolver_text(&ccp->resolver);
	_cleanup_(freep) char *keys = xasprintf("%s\n", ccp->client_key);

	if (init_link(h->ccp_fd, ccp->init_path, e) < 0 ||
		hosts_make(h->dir_fd, ccp->hostname, e) < 0)
		return -1;
	if (write_text(h->etc_fd, "sshd_config", sshd_config, 0644, e) < 0 ||
		write_text(h->etc_fd, "authorized_keys", keys, 0644, e) < 0 ||
		write_text(h->etc_fd, RESOLVER_NAME, resolver, 0644, e) < 0)
		return -1;
	return write_text(h->etc_fd, "sudoers",
		ccp->sudo ? "dev ALL=(ALL:ALL) NOPASSWD: ALL\n" : "# sudo is off for this host\n",
		0440, e);
}

int home_write_motd(const struct home *h, const char *text, struct err *e)
{
	static pthread_mutex_t lock =
		PTHREAD_MUTEX_INITIALIZER; // file_write has one new file a name
	_cleanup_(freep) char *present = NULL;
	struct err ignored;
	int r = 0;

	pthread_mutex_lock(&lock);
	if (file_read(h->etc_fd, "motd", HOME_MOTD_MAX, &present, &ignored) < 0 ||
		strcmp(present, text) != 0)
		r = write_text(h->etc_fd, "motd", text, 0644, e);
	pthread_mutex_unlock(&lock);
	return r;
}

int home_trash(const struct store *store, const char *host_id, struct err *e)
{
	_cleanup_(closep) int homes_fd = directory_open(store->fd, "homes", 0700, e);
	_cleanup_(freep) char *path = homes_path(store);
	const struct volume v = {.dir_fd = homes_fd, .path = path, .name = host_id};

	if (homes_fd < 0 || volume_unmount(&v, e) < 0 || volume_remove(&v, e) < 0)
		return -1;
	return trash_move(homes_fd, host_id, e);
}

int home_remove_keys(const struct store *store, const char *host_id, struct err *e)
{
	static const char *const files[] = {
		"sshd_config", "authorized_keys", RESOLVER_NAME, "sudoers", "motd"};
	_cleanup_(closep) int hosts_fd = directory_open(store->fd, "hosts", 0700, e);
	_cleanup_(home_done) struct home h = HOME_INIT;

	if (hosts_fd < 0)
		return -1;
	if (home_open(store, host_id, false, &h, e) < 0)
		return e->code == ENOENT ? 0 : -1;
	if (keys_remove(h.dir_fd, h.etc_fd, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (file_remove(h.etc_fd, files[i], e) < 0)
			return -1;
	}
	if (file_remove(h.ccp_fd, INIT_NAME, e) < 0)
		return -1;
	if (unlinkat(h.ccp_fd, "etc", AT_REMOVEDIR) < 0 ||
		unlinkat(h.dir_fd, "ccp", AT_REMOVEDIR) < 0 ||
		unlinkat(hosts_fd, host_id, AT_REMOVEDIR) < 0)
		return err_set(e, errno, "remove the host's directory");
	return 0;
}

int home_unmount_all(const struct store *store, struct err *e)
{
	_cleanup_(closep) int homes_fd = directory_open(store->fd, "homes", 0700, e);
	int fd = homes_fd < 0 ? -1 : openat(homes_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	size_t count = 0, left = 0;
	struct err why;

	if (!dir)
		return err_set(e, errno, "read the homes");
	for (struct dirent *d; (d = readdir(dir)) != NULL;) {
		if (d->d_name[0] == '.')
			continue;
		count++;
		if (home_unmount(store, d->d_name, &why) < 0)
			left++;
	}
	closedir(dir);
	return left == 0 ? 0
			 : err_say(e, EBUSY, "%zu of %zu homes could not be unmounted: %s", left,
				   count, why.message);
}
