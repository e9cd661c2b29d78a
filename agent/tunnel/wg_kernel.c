// SPDX-License-Identifier: Apache-2.0
// WireGuard in the kernel: a device that the kernel carries by itself.
#include "agent/tunnel/wg_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <linux/wireguard.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/evidence.h"
#include "agent/net/genl.h"
#include "agent/net/link.h"
#include "agent/net/netns.h"
#include "agent/tunnel/engine.h"
#include "agent/tunnel/wg.h"
#include "agent/tunnel/wg_netlink.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/wait.h"

#define KIND "wireguard-kernel" // of its records

enum { RECORD_MAX = 16384, PATH_SIZE = 4096 };

// The netlink family's number is the same in all namespaces, and for as long as the kernel runs.

static uint16_t family; // 0: this kernel has none
static pthread_once_t family_once = PTHREAD_ONCE_INIT;

static void family_find(void)
{
	struct err e;
	struct nl n;
	uint16_t found;
	_cleanup_(closep) int ns_fd = netns_self(&e);
	if (ns_fd < 0 || nl_open(&n, ns_fd, NETLINK_GENERIC, &e) < 0)
		return;
	if (genl_family(&n, WG_GENL_NAME, &found, &e) == 0)
		family = found;
	nl_close(&n);
}

bool wg_kernel_is_there(void)
{
	pthread_once(&family_once, family_find);
	return family != 0;
}

static bool suits(const cJSON *exit)
{
	const char *engine = "auto";
	struct err ignored;
	if (json_opt_text(exit, "wireguard_engine", &engine, &ignored) < 0 || !engine)
		engine = "auto";
	if (strcmp(engine, "kernel") == 0)
		return true; // `start` says what is missing
	return strcmp(engine, "user") != 0 && wg_kernel_is_there();
}

// Records.

struct record {
	uintmax_t ns_inode;
	char ns_path[PATH_SIZE], key[PATH_SIZE]; // wg_key_name
};

static int record_make(
	const struct tunnel_place *place, const struct tunnel_start *start, struct err *e)
{
	_cleanup_(closep) int fd = -1;
	_cleanup_(freep) char *link = xasprintf("/proc/self/fd/%d", place->ns_fd);
	char path[PATH_SIZE] = "", own[KEY32_TEXT_SIZE];
	struct stat st;
	if (engine_log_open(place->env, KIND, start->name, &fd, e) < 0)
		return -1;
	if (fstat(place->ns_fd, &st) < 0 || readlink(link, path, sizeof(path) - 1) < 0)
		return err_set(e, errno, "look where the container's namespace is");
	return dprintf(fd, "%ju\n%s\n%s\n", (uintmax_t)st.st_ino, path,
		       wg_key_name(place, start, own)) < 0
		       ? err_set(e, errno, "write the record of tunnel %s", start->name)
		       : 0;
}

// false: there is none, or it was not written to its end; then nothing has been made yet.
static bool record_read(const struct tunnel_env *env, const char *name, struct record *ret)
{
	_cleanup_(freep) char *path = engine_log_path(env, KIND, name);
	_cleanup_(freep) char *text = NULL;
	struct err ignored;
	if (file_read(AT_FDCWD, path, RECORD_MAX, &text, &ignored) < 0)
		return false;
	char end = '\0';
	return sscanf(text, "%ju\n%4095[^\n]\n%4095[^\n]%c", &ret->ns_inode, ret->ns_path, ret->key,
		       &end) == 4 &&
	       end == '\n';
}

static bool is_in(const struct record *r, int ns_fd)
{
	struct stat st;
	return fstat(ns_fd, &st) == 0 && st.st_ino == r->ns_inode;
}

// The namespace of a record; -1: it is gone, and the device with it, or it never had a name that
// others could open, and ends with its last holder.
static int record_open(const struct record *r)
{
	struct err ignored;
	_cleanup_(closep) int fd = netns_open(r->ns_path, &ignored);
	return fd >= 0 && is_in(r, fd) ? TAKE_FD(fd) : -1;
}

// The device.

static int absent(struct err *e)
{
	return err_outcome(e, TUNNEL_ABSENT, ENODEV, "the tunnel's device is gone");
}

// ENODEV: no such device. EOPNOTSUPP: it is another kind's.
static int device_ask(int ns_fd, struct wireguard_status *ret, struct err *e)
{
	const struct wg_netlink device = {.family = family, .device = LINK_TUNNEL};
	struct wg_netlink_reading reading = {0};
	struct nl_batch b;
	struct nl n;
	if (!wg_kernel_is_there())
		return absent(e);
	if (nl_open(&n, ns_fd, NETLINK_GENERIC, e) < 0)
		return -1;
	nl_batch_init(&b);
	wg_netlink_put_get(&n, &b, &device);
	int r = nl_dump(&n, &b, wg_netlink_take, &reading, "ask the tunnel's device", e);
	nl_close(&n);
	if (r < 0)
		return e->code == ENODEV || e->code == EOPNOTSUPP ? absent(e) : -1;
	return wg_netlink_finish(&reading, ret, e);
}

static int ask(const struct tunnel_place *place, const struct tunnel *t,
	struct wireguard_status *ret, struct err *e)
{
	(void)t;
	return device_ask(place->ns_fd, ret, e);
}

typedef void put_config(struct nl *n, struct nl_batch *b, const struct wg_netlink *to,
	const struct wireguard_config *config);

static int device_tell(int ns_fd, const char *name, put_config *put,
	const struct wireguard_config *config, struct err *e)
{
	const struct wg_netlink device = {.family = family, .device = name};
	struct nl_batch b;
	struct nl n;
	if (nl_open(&n, ns_fd, NETLINK_GENERIC, e) < 0)
		return -1;
	nl_batch_init(&b);
	put(&n, &b, &device, config);
	int r = nl_send(&n, &b, "configure the tunnel's device", e);
	mem_wipe(&b, sizeof(b));
	nl_close(&n);
	return r;
}

static int again(const struct tunnel_place *place, const struct tunnel *t,
	const struct wireguard_config *config, struct err *e)
{
	(void)t;
	int r = device_tell(place->ns_fd, LINK_TUNNEL, wg_netlink_put_again, config, e);
	return r < 0 && e->code == ENODEV ? absent(e) : r;
}

static const struct wg_way way = {.ask = ask, .again = again};

// The kind.

// Another one's device that has the key. Stops at it.
struct rival {
	const struct tunnel_env *env;
	const char *name, *key;
};

static int rival_look(const char *name, void *arg, struct err *e)
{
	const struct rival *own = arg;
	struct record r;
	struct wireguard_status status;
	if (strcmp(name, own->name) == 0 || !record_read(own->env, name, &r) ||
		strcmp(r.key, own->key) != 0)
		return 0;
	_cleanup_(closep) int ns_fd = record_open(&r);
	if (ns_fd < 0 || device_ask(ns_fd, &status, e) == TUNNEL_ABSENT)
		return 0;
	return err_say(e, EBUSY, "tunnel %s with the same key still runs: end it first", name);
}

static int bring_up(
	const struct tunnel_place *place, const struct tunnel_start *start, struct err *e)
{
	const struct link_spec *link = &place->spec->link;
	int uplink_fd = place->env->uplink_fd;
	struct wireguard_config config;
	if (wg_config_open(place, start->private_key, &config, e) < 0)
		return TUNNEL_UNUSABLE;
	int r = link_create(uplink_fd, start->name, WG_GENL_NAME, e);
	if (r == 0)
		r = device_tell(uplink_fd, start->name, wg_netlink_put_set, &config, e);
	mem_wipe(&config, sizeof(config));
	if (r == 0)
		r = link_move(uplink_fd, start->name, place->ns_fd, link->tunnel, e);
	return r == 0 ? link_configure(place->ns_fd, link, e) : r;
}

static int end(const struct tunnel_env *env, const char *name, struct err *e)
{
	_cleanup_(freep) char *log = engine_log_path(env, KIND, name);
	struct record r;
	struct wireguard_status status;
	if (access(log, F_OK) < 0 && errno == ENOENT)
		return 0; // the record is made before the device
	if (wg_kernel_is_there() && env->uplink_fd >= 0 && link_delete(env->uplink_fd, name, e) < 0)
		return -1;
	_cleanup_(closep) int ns_fd = record_read(env, name, &r) ? record_open(&r) : -1;
	if (ns_fd >= 0 && device_ask(ns_fd, &status, e) != TUNNEL_ABSENT &&
		link_delete(ns_fd, LINK_TUNNEL, e) < 0)
		return -1;
	return engine_forget(env, KIND, name, e);
}

static int start(const struct tunnel_place *place, const struct tunnel_start *what,
	const struct wait *w, struct tunnel *ret, struct err *e)
{
	struct tunnel t = {.kind = &wg_kernel_kind, .pidfd = -1};
	char key[KEY32_TEXT_SIZE];
	struct rival own = {place->env, what->name, wg_key_name(place, what, key)};
	_cleanup_(closep) int key_fd = -1; // until the record and the device say it
	(void)w; // every step has a limit of its own
	if (!wg_kernel_is_there())
		return err_outcome(e, TUNNEL_UNUSABLE, ENOSYS,
			"this kernel has no WireGuard: let the setting wireguard_engine be auto or user");
	if (!text_copy(t.name, sizeof(t.name), what->name))
		return err_say(e, EINVAL, "\"%.70s\" is not the name of a tunnel", what->name);
	if (wg_key_lock(place, what, &key_fd, e) < 0 ||
		engine_list(place->env, KIND, rival_look, &own, e) < 0 ||
		record_make(place, what, e) < 0)
		return -1;
	int r = bring_up(place, what, e);
	struct err ignored; // the first error says why
	if (r == 0)
		*ret = t;
	else
		(void)!end(place->env, what->name, &ignored);
	return r;
}

static int reach(
	const struct tunnel_place *place, struct tunnel *t, const struct wait *w, struct err *e)
{
	return wg_reach(&way, place, t, w, e);
}

static int find(
	const struct tunnel_place *place, const char *name, struct tunnel *ret, struct err *e)
{
	struct tunnel t = {.kind = &wg_kernel_kind, .pidfd = -1};
	struct record record;
	struct wireguard_status status;
	if (!record_read(place->env, name, &record) || !is_in(&record, place->ns_fd) ||
		!text_copy(t.name, sizeof(t.name), name))
		return absent(e);
	int r = device_ask(place->ns_fd, &status, e);
	if (r == 0) {
		*ret = t;
		ret->wireguard.handshake_seen_ms = wait_now_ms(); // it had one, or it was ended
	}
	return r;
}

static int prove(
	const struct tunnel_place *place, struct tunnel *t, struct evidence *ev, struct err *e)
{
	return wg_prove(&way, place, t, ev, e);
}

// No process carries it, and the kernel answers within the call.
static int pulse_open(const struct tunnel_place *place, const struct tunnel *t,
	struct tunnel_pulse *ret, struct err *e)
{
	(void)t;
	wg_pulse_open(place, ret);
	ret->fd = fcntl(place->ns_fd, F_DUPFD_CLOEXEC, 0);
	return ret->fd < 0 ? err_set(e, errno, "copy a namespace's descriptor") : 0;
}

static int pulse_ask(struct tunnel_pulse *p, struct err *e)
{
	(void)p;
	(void)e;
	return 0;
}

static int pulse_hear(struct tunnel_pulse *p, struct err *e)
{
	struct wireguard_status status;
	int r = device_ask(p->fd, &status, e);
	return r == 0 ? wg_heard(p, &status, e) : r;
}

static int renew(const struct tunnel_place *place, const struct tunnel *t, struct err *e)
{
	return wg_renew(&way, place, t, e);
}

static int list(const struct tunnel_env *env, tunnel_each *each, void *arg, struct err *e)
{
	return engine_list(env, KIND, each, arg, e);
}

const struct tunnel_kind wg_kernel_kind = {
	.type = "wireguard",
	.code = WG_CODE,
	.suits = suits,
	.parse = wg_parse,
	.start = start,
	.reach = reach,
	.find = find,
	.prove = prove,
	.pulse_open = pulse_open,
	.pulse_ask = pulse_ask,
	.pulse_hear = pulse_hear,
	.renew = renew,
	.end = end,
	.list = list,
};
