// SPDX-License-Identifier: Apache-2.0
// Starts, finds, asks and ends sing-box.
#include "agent/tunnel/proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/evidence.h"
#include "agent/net/cage.h"
#include "agent/net/link.h"
#include "agent/tunnel/engine.h"
#include "agent/tunnel/launch.h"
#include "agent/tunnel/proxy_config.h"
#include "agent/tunnel/proxy_log.h"
#include "agent/tunnel/proxy_seccomp.h"
#include "lib/err.h"
#include "lib/filter.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/seal.h"
#include "lib/wait.h"

#define KIND "sing-box" // of its records
#define DEVICE "/dev/net/tun"
#define DEVICE_GROUP "ccp-tunnel" // deploy/scripts/tun

enum {
	START_MS = 5000,
	LOOK_MS = 5, // between two looks at its device
	LINE_MAX = 1024, // of its log
	REASON_MAX = 160,
	GROUP_BYTES = 4096,
};

static int parse(const cJSON *exit, struct tunnel_spec *ret, struct err *e)
{
	const char *resolver;
	strcpy(ret->link.tunnel, LINK_TUNNEL);
	ret->link.mtu = PROXY_MTU;
	if (addr_parse(PROXY_ADDRESS, &ret->link.address, e) < 0 ||
		json_get_object(exit, "proxy_config", &ret->proxy.config, e) < 0 ||
		json_opt_text(exit, "secret_sealed", &ret->sealed, e) < 0 ||
		json_get_text(exit, "dns_server", &resolver, e) < 0)
		return -1;
	if (addr_parse(resolver, &ret->resolver, e) < 0)
		return err_wrap(e, "dns_server");
	return proxy_doors_parse(ret->proxy.config, &ret->proxy.doors, e);
}

// Its configuration.

static int secret_open(const struct tunnel_place *place, cJSON **ret, struct err *e)
{
	const char *box = place->spec->sealed;
	if (box && seal_open_object(place->env->sealing, box, ret, e) < 0)
		return err_wrap(e, "open the exit's secret");
	return 0;
}

static int config_text(
	const struct tunnel_place *place, const char *name, char **ret, struct err *e)
{
	_cleanup_(seal_object_freep) cJSON *secret = NULL;
	const struct proxy_place at = {.name = name, .resolver = place->spec->resolver};
	if (secret_open(place, &secret, e) < 0 ||
		proxy_config_text(place->spec->proxy.config, secret, &at, ret, e) < 0)
		return TUNNEL_UNUSABLE;
	return 0;
}

// A file without a name, at its beginning.
static int config_file(
	const struct tunnel_place *place, const char *name, int *ret_fd, struct err *e)
{
	_cleanup_(wipe_freep) char *text = NULL;
	int r = config_text(place, name, &text, e);
	if (r != 0)
		return r;
	_cleanup_(closep) int fd = memfd_create("proxy", MFD_CLOEXEC);
	size_t size = strlen(text);
	if (fd < 0 || pwrite(fd, text, size, 0) != (ssize_t)size)
		return err_set(e, errno, "write the proxy's configuration");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

// Its doors.

static int doors_open(const struct tunnel_place *place, uint32_t uid, struct err *e)
{
	const struct proxy_doors *to = &place->spec->proxy.doors;
	struct cage_door doors[CAGE_DOORS_MAX];
	size_t count = 0;
	if (to->tcp_port != 0)
		doors[count++] = (struct cage_door){
			.addr = to->server, .protocol = IPPROTO_TCP, .port = to->tcp_port};
	if (to->udp_any || to->udp_port != 0)
		doors[count++] = (struct cage_door){.addr = to->server,
			.protocol = IPPROTO_UDP,
			.port = to->udp_any ? 0 : to->udp_port};
	return cage_set_doors(place->env->cage, uid, doors, count, e);
}

// The user of a recorded engine. ENOENT: there is no record.
static int uid_of(const struct tunnel_env *env, const char *name, uint32_t *ret, struct err *e)
{
	_cleanup_(freep) char *log = engine_log_path(env, KIND, name);
	struct stat st;
	if (lstat(log, &st) < 0)
		return err_set(e, errno, "look at %s", log);
	*ret = st.st_gid;
	return 0;
}

enum { FOUND = 1 };

struct uid_search {
	const struct tunnel_env *env;
	uint32_t uid;
};

static int uid_compare(const char *name, void *arg, struct err *e)
{
	const struct uid_search *search = arg;
	uint32_t uid;
	return uid_of(search->env, name, &uid, e) == 0 && uid == search->uid ? FOUND : 0;
}

// Also when that cannot be found out.
static bool uid_is_used(uint32_t uid, void *arg)
{
	struct uid_search search = {.env = arg, .uid = uid};
	struct err ignored;
	return engine_list(search.env, KIND, uid_compare, &search, &ignored) != 0;
}

static int doors_close(const struct tunnel_env *env, uint32_t uid, struct err *e)
{
	struct tunnel_env same = *env;
	if (!env->cage || uid < CAGE_UID_FIRST || uid > CAGE_UID_LAST || uid_is_used(uid, &same))
		return 0;
	return cage_set_doors(env->cage, uid, NULL, 0, e);
}

int proxy_doors_sweep(const struct tunnel_env *env, struct err *e)
{
	struct tunnel_env same = *env;
	return cage_keep(env->cage, uid_is_used, &same, e);
}

// Its start.

static int unfit(struct err *e)
{
	struct err why = *e;
	return err_outcome(e, TUNNEL_UNFIT, why.code, "%s", why.message);
}

// The group that opens the device; 0: anybody may.
static int device_group(gid_t *ret, struct err *e)
{
	struct stat st;
	struct group group, *found = NULL;
	char buffer[GROUP_BYTES];
	if (stat(DEVICE, &st) < 0)
		return err_set(e, errno, "look at " DEVICE);
	*ret = 0;
	if ((st.st_mode & 06) == 06)
		return 0;
	if (getgrnam_r(DEVICE_GROUP, &group, buffer, sizeof(buffer), &found) != 0 || !found ||
		st.st_gid != group.gr_gid || (st.st_mode & 060) != 060)
		return err_say(e, EACCES,
			DEVICE
			" is root's alone, and a proxy's engine is not: open it to the group " DEVICE_GROUP
			", as make up does (deploy/scripts/tun)");
	*ret = group.gr_gid;
	return 0;
}

static int user_choose(const struct tunnel_env *env, const struct tunnel_start *start,
	struct proc_user *ret, struct err *e)
{
	if (!env->cage)
		return err_say(e, ENOENT,
			"nothing keeps a proxy's engine to its proxy on this machine: %s",
			env->no_cage);
	if (access(env->proxy_engine, X_OK) < 0)
		return err_set(e, errno, "the proxies' engine %s", env->proxy_engine);
	*ret = (struct proc_user){.uid = start->uid, .gid = cage_group(env->cage)};
	return device_group(&ret->group, e);
}

struct launching {
	const struct tunnel_place *place;
	const struct tunnel_start *start;
	struct proc_user user;
	int config_fd, log_fd;
};

static int launch(const struct launching *l, struct tunnel *t, const struct wait *w, struct err *e)
{
	const struct tunnel_env *env = l->place->env;
	_cleanup_(filter_done) struct sock_fprog filter = {0};
	_cleanup_(budget_door_close) struct budget_door door = BUDGET_DOOR_INIT;
	if (proxy_seccomp_make(&filter, e) < 0)
		return -1;
	if (env->cgroups && budget_make(env->cgroups, t->name, &l->start->budget, &door, e) < 0)
		return -1;
	_cleanup_(freep) char *lock = engine_lock_path(env, KIND, t->name);
	_cleanup_(freep) char *memory = engine_memory_limit(l->start->budget.memory_mb);
	const struct launch_config config = {
		.program = env->proxy_engine,
		.argv = (const char *const[]){env->proxy_engine, "--disable-color", "run", "-c",
			"stdin", NULL},
		.environment = (const char *const[]){"GOTRACEBACK=none", memory, NULL},
		.uplink_fd = env->uplink_fd,
		.input_fd = l->config_fd,
		.log_fd = l->log_fd,
		.lock_path = lock,
		.key_fd = -1,
		.door = &door,
		.user = &l->user,
		.filter = &filter,
	};
	return launch_start(&config, w, &t->pid, &t->pidfd, e);
}

// Its device is up when it has done with it all that it does.
static int device_wait(const struct tunnel_place *place, const struct tunnel *t,
	const struct wait *w, struct err *e)
{
	for (bool is_up = false;;) {
		if (link_is_up(place->env->uplink_fd, t->name, &is_up, e) < 0)
			return -1;
		if (is_up)
			return 0;
		if (wait_left_ms(w) == 0)
			return err_outcome(e, WAIT_TIMEOUT, ETIMEDOUT,
				"the proxy's engine has made no device in time");
		struct wait pause = wait_at_most(w, LOOK_MS);
		int r = wait_fd(&pause, t->pidfd, POLLIN, "the proxy's engine", e);
		if (r != WAIT_TIMEOUT)
			return r == 0 ? engine_absent(e) : r;
	}
}

static int bring_up(
	const struct launching *l, const struct tunnel *t, const struct wait *w, struct err *e)
{
	const struct tunnel_place *place = l->place;
	const struct link_spec *link = &place->spec->link;
	int r = device_wait(place, t, w, e);
	if (r != 0)
		return r;
	if (ftruncate(l->config_fd, 0) < 0)
		return err_set(e, errno, "empty the proxy's configuration");
	if (link_move(place->env->uplink_fd, t->name, place->ns_fd, link->tunnel, e) < 0)
		return -1;
	return link_configure(place->ns_fd, link, e);
}

// The record comes first, and whose it is before the doors: so whatever dies, they are found.
static int record_make(
	const struct launching *l, const struct tunnel *t, int *ret_log_fd, struct err *e)
{
	uint32_t uid = l->user.uid;
	if (engine_log_open(l->place->env, KIND, t->name, ret_log_fd, e) < 0)
		return -1;
	if (fchown(*ret_log_fd, (uid_t)-1, uid) < 0)
		return err_set(e, errno, "mark the engine's record with user %u", uid);
	return doors_open(l->place, uid, e);
}

static int start_all(struct launching *l, struct tunnel *t, const struct wait *w, struct err *e)
{
	_cleanup_(closep) int config_fd = -1, log_fd = -1;
	int r = config_file(l->place, t->name, &config_fd, e);
	if (r != 0)
		return r;
	if (record_make(l, t, &log_fd, e) < 0)
		return -1;
	l->config_fd = config_fd;
	l->log_fd = log_fd;
	r = launch(l, t, w, e);
	return r == 0 ? bring_up(l, t, w, e) : r;
}

// What its log says last about the proxy; "": nothing.
static void reason_read(const struct tunnel_env *env, const char *name, char ret[static REASON_MAX])
{
	_cleanup_(freep) char *log = engine_log_path(env, KIND, name);
	char line[LINE_MAX];
	engine_log_tail(log, PROXY_LOG_TAG, line, sizeof(line));
	if (!line[0])
		engine_log_tail(log, "", line, sizeof(line));
	proxy_log_reason(line[0] ? line + strlen(": ") : "", ret, REASON_MAX);
}

static int end(const struct tunnel_env *env, const char *name, struct err *e)
{
	_cleanup_(freep) char *lock = engine_lock_path(env, KIND, name);
	struct tunnel t = TUNNEL_INIT;
	uint32_t uid;
	if (uid_of(env, name, &uid, e) < 0)
		return e->code == ENOENT ? 0 : -1;
	int r = engine_find(lock, &t, e);
	if (r == 0)
		r = engine_kill(&t, e);
	closep(&t.pidfd);
	if (r < 0 || engine_forget(env, KIND, name, e) < 0)
		return -1;
	return doors_close(env, uid, e);
}

static int start(const struct tunnel_place *place, const struct tunnel_start *what,
	const struct wait *w, struct tunnel *ret, struct err *e)
{
	struct launching l = {.place = place, .start = what};
	struct tunnel t = {.kind = &proxy_kind, .pidfd = -1};
	if (!text_copy(t.name, sizeof(t.name), what->name))
		return err_say(e, EINVAL, "\"%.70s\" is not the name of a tunnel", what->name);
	if (user_choose(place->env, what, &l.user, e) < 0)
		return unfit(e);
	struct wait limit = wait_at_most(w, START_MS);
	int r = start_all(&l, &t, &limit, e);
	if (r == 0) {
		*ret = t;
		return 0;
	}
	if (r == TUNNEL_ABSENT) {
		char reason[REASON_MAX];
		reason_read(place->env, t.name, reason);
		r = err_say(e, EIO, "the proxy's engine %s did not come up%s%s",
			place->env->proxy_engine, reason[0] ? ": " : "", reason);
	}
	struct err ignored; // the first error says why
	closep(&t.pidfd);
	(void)!end(place->env, t.name, &ignored);
	return r;
}

// While it runs.

// At level `error` it writes down where its user could not get to.
static int log_empty(const struct tunnel_env *env, const char *name, struct err *e)
{
	_cleanup_(freep) char *log = engine_log_path(env, KIND, name);
	return truncate(log, 0) < 0 ? err_set(e, errno, "empty %s", log) : 0;
}

static int unanswered(const struct tunnel_place *place, struct tunnel *t, struct err *e)
{
	char reason[REASON_MAX];
	struct pollfd died = {.fd = t->pidfd, .events = POLLIN};
	reason_read(place->env, t->name, reason);
	if (poll(&died, 1, 0) != 0)
		return err_outcome(e, TUNNEL_ABSENT, ESRCH, "the proxy's engine has died%s%s",
			reason[0] ? ": " : "", reason);
	return err_outcome(e, TUNNEL_UNANSWERED, ETIMEDOUT, "%s",
		reason[0] ? reason
			  : "the proxy does not answer or does not accept the credentials");
}

static int find(
	const struct tunnel_place *place, const char *name, struct tunnel *ret, struct err *e)
{
	const struct tunnel_env *env = place->env;
	_cleanup_(freep) char *lock = engine_lock_path(env, KIND, name);
	struct tunnel t = {.kind = &proxy_kind, .pidfd = -1};
	uint32_t uid;
	if (!text_copy(t.name, sizeof(t.name), name))
		return err_say(e, EINVAL, "\"%.70s\" is not the name of a tunnel", name);
	if (!env->cage)
		return err_say(e, ENOENT, "nothing keeps its proxy's engine to the proxy: %s",
			env->no_cage);
	int r = engine_find(lock, &t, e);
	if (r == 0)
		r = engine_owns_device(&t, place->ns_fd, e);
	if (r == 0)
		r = uid_of(env, name, &uid, e);
	if (r == 0)
		r = doors_open(place, uid, e);
	if (r == 0) {
		*ret = t;
		return 0;
	}
	closep(&t.pidfd);
	return r == ENGINE_FOREIGN ? TUNNEL_ABSENT : r;
}

// Its own tun is the one thing that it has to answer to, and of its server it says nothing.
static int pulse_open(const struct tunnel_place *place, const struct tunnel *t,
	struct tunnel_pulse *ret, struct err *e)
{
	(void)t;
	if (tun_read_open(place->ns_fd, &ret->read, e) < 0)
		return -1;
	return exit_ask_open(place->ns_fd, &place->spec->resolver, &ret->exit, e);
}

// A host that sends nothing costs nothing at its exit.
static int pulse_ask(struct tunnel_pulse *p, struct err *e)
{
	if (tun_read_ask(&p->read, e) < 0)
		return -1;
	if (p->read.others || p->exit.unanswered > 0) {
		exit_ask_send(&p->exit);
		p->read.own++;
	}
	return 0;
}

static int pulse_hear(struct tunnel_pulse *p, struct err *e)
{
	bool answered;
	if (tun_read_answered(&p->read, &answered, e) < 0)
		return -1;
	if (!answered)
		return err_outcome(e, TUNNEL_SILENT, EAGAIN,
			"the tunnel's engine has not read its device yet");
	return exit_ask_answered(&p->exit)
		       ? 0
		       : err_outcome(e, TUNNEL_UNANSWERED, ETIMEDOUT,
				 "the exit's resolver does not answer through the proxy");
}

static int read_wait(const struct tunnel *t, const struct tun_read *asked, struct err *e)
{
	struct wait w = wait_for(ENGINE_FROZEN_MS, -1);
	for (bool answered = false;;) {
		struct wait pause = wait_at_most(&w, LOOK_MS);
		int r = wait_fd(&pause, t->pidfd, POLLIN, "the proxy's engine", e);
		if (r != WAIT_TIMEOUT)
			return r == 0 ? engine_absent(e) : r;
		if (tun_read_answered(asked, &answered, e) < 0)
			return -1;
		if (answered)
			return 0;
		if (wait_left_ms(&w) == 0)
			return engine_frozen(e);
	}
}

static int look(const struct tunnel_place *place, struct tunnel *t, struct err *e)
{
	struct tun_read asked;
	int r = engine_owns_device(t, place->ns_fd, e);
	if (r == 0)
		r = log_empty(place->env, t->name, e);
	if (r == 0)
		r = tun_read_open(place->ns_fd, &asked, e);
	if (r != 0)
		return r;
	r = tun_read_ask(&asked, e);
	if (r == 0)
		r = read_wait(t, &asked, e);
	tun_read_close(&asked);
	return r;
}

static int prove(
	const struct tunnel_place *place, struct tunnel *t, struct evidence *ev, struct err *e)
{
	int64_t begun = wait_now_us();
	int r = look(place, t, e);
	int64_t took = wait_now_us() - begun;
	if (r < 0)
		return -1;
	if (r > 0)
		evidence_add(ev, "tunnel", OUTCOME_FAILED, proxy_kind.code, took, "%s", e->message);
	else
		evidence_add(ev, "tunnel", OUTCOME_PASSED, NULL, took,
			"its engine is behind the device, and reads it");
	return cage_check(place->env->cage, NULL, ev, e);
}

static int list(const struct tunnel_env *env, tunnel_each *each, void *arg, struct err *e)
{
	return engine_list(env, KIND, each, arg, e);
}

const struct tunnel_kind proxy_kind = {
	.type = "proxy",
	.code = "proxy_unreachable",
	.parse = parse,
	.start = start,
	.unanswered = unanswered,
	.find = find,
	.prove = prove,
	.pulse_open = pulse_open,
	.pulse_ask = pulse_ask,
	.pulse_hear = pulse_hear,
	.end = end,
	.list = list,
};
