// SPDX-License-Identifier: Apache-2.0
// The neighbours of the kind proxy, as its unit tests need them.
#pragma once

#include "tests/unit/trace.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "agent/evidence.h"
#include "agent/net/cage.h"
#include "agent/tunnel/engine.h"
#include "agent/tunnel/launch.h"
#include "agent/tunnel/proxy.h"
#include "agent/tunnel/proxy_seccomp.h"
#include "agent/tunnel/tun_read.h"
#include "lib/file.h"
#include "lib/filter.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/seal.h"
#include "lib/wait.h"

#define NAME "c0123456789ab"

enum { UID = CAGE_UID_FIRST + 7, GROUP = 2147480000 };

static struct {
	int doors, filter, launch, up, move, configure; // of a start
	int find, owns, kill, forget, cage_check, open_exit;
	bool is_up, is_used; // its device; its user, by another record
	int ask;
	bool is_frozen, host_sends, exit_is_away;
} machine;
static struct cage cage;
static struct seal_pair sealing;
static struct tunnel_env env;
static struct tunnel_spec spec;
static struct tunnel_place place;
static char record[] = "/tmp/ccp-proxy-XXXXXX";
static char configuration[4096];

int fchown(int fd, uid_t uid, gid_t gid)
{
	assert_true(fd >= 0 && uid == (uid_t)-1);
	did("mark %u", gid);
	return 0;
}

// Anybody may open the tun here, whatever the machine's own is like.
int stat(const char *path, struct stat *ret)
{
	bool is_device = strcmp(path, "/dev/net/tun") == 0;
	int r = (int)syscall(SYS_newfstatat, AT_FDCWD, is_device ? "/dev/null" : path, ret, 0);
	if (r == 0 && is_device)
		ret->st_mode = S_IFCHR | 0666;
	return r;
}

// The record is marked.
int lstat(const char *path, struct stat *ret)
{
	int r = stat(path, ret);
	ret->st_gid = UID;
	return r;
}

char *engine_log_path(const struct tunnel_env *e, const char *kind, const char *name)
{
	assert_ptr_not_equal(e, NULL);
	assert_string_equal(kind, "sing-box");
	(void)name;
	return xstrdup(record);
}

char *engine_lock_path(const struct tunnel_env *e, const char *kind, const char *name)
{
	(void)e;
	return xasprintf("/%s/%s.lock", kind, name);
}

int engine_log_open(const struct tunnel_env *e, const char *kind, const char *name, int *ret_fd,
	struct err *err)
{
	(void)e;
	(void)kind;
	(void)err;
	did("record %s", name);
	*ret_fd = open(record, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	return 0;
}

void engine_log_tail(const char *path, const char *about, char *ret, size_t size)
{
	_cleanup_(freep) char *text = NULL;
	struct err ignored;
	ret[0] = '\0';
	if (file_read(AT_FDCWD, path, 1000, &text, &ignored) == 0 && text[0] && strstr(text, about))
		snprintf(ret, size, ": %s", text);
}

int engine_list(
	const struct tunnel_env *e, const char *kind, tunnel_each *each, void *arg, struct err *err)
{
	(void)e;
	(void)kind;
	(void)each;
	(void)arg;
	(void)err;
	return machine.is_used;
}

int engine_forget(const struct tunnel_env *e, const char *kind, const char *name, struct err *err)
{
	(void)e;
	(void)kind;
	did("forget %s", name);
	return result(machine.forget, "not forgotten", err);
}

char *engine_memory_limit(int64_t memory_mb)
{
	assert_int_equal(memory_mb, 256);
	return NULL;
}

int engine_absent(struct err *e)
{
	return err_outcome(e, TUNNEL_ABSENT, ESRCH, "it has died");
}

int engine_frozen(struct err *e)
{
	return err_outcome(e, TUNNEL_SILENT, ETIMEDOUT, "it is frozen");
}

int tun_read_open(int ns_fd, struct tun_read *ret, struct err *e)
{
	(void)ns_fd;
	(void)e;
	*ret = TUN_READ_INIT;
	ret->socket_fd = dup(STDIN_FILENO);
	return 0;
}

void tun_read_close(struct tun_read *r)
{
	closep(&r->socket_fd);
}

int tun_read_ask(struct tun_read *r, struct err *e)
{
	r->others = machine.host_sends;
	r->own = 1;
	return result(machine.ask, "not asked", e);
}

int exit_ask_open(int ns_fd, const struct addr *resolver, struct exit_ask *ret, struct err *e)
{
	char text[ADDR_TEXT_MAX];
	(void)ns_fd;
	did("resolver %s", addr_text(resolver, text));
	*ret = EXIT_ASK_INIT;
	return result(machine.open_exit, "no resolver", e);
}

void exit_ask_send(struct exit_ask *a)
{
	did("ask the exit");
	a->unanswered = machine.exit_is_away;
}

bool exit_ask_answered(struct exit_ask *a)
{
	return a->unanswered == 0;
}

int tun_read_answered(const struct tun_read *r, bool *ret, struct err *e)
{
	(void)r;
	(void)e;
	*ret = !machine.is_frozen;
	return 0;
}

int engine_find(const char *lock_path, struct tunnel *t, struct err *e)
{
	did("find %s", lock_path);
	if (machine.find == 0)
		t->pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	t->pid = getpid();
	return result(machine.find, "not found", e);
}

int engine_owns_device(struct tunnel *t, int ns_fd, struct err *e)
{
	(void)t;
	(void)ns_fd;
	return result(machine.owns, "not its device", e);
}

int engine_kill(const struct tunnel *t, struct err *e)
{
	(void)t;
	did("kill");
	return result(machine.kill, "not killed", e);
}

uint32_t cage_group(struct cage *c)
{
	assert_ptr_equal(c, &cage);
	return GROUP;
}

int cage_set_doors(
	struct cage *c, uint32_t uid, const struct cage_door *doors, size_t count, struct err *e)
{
	assert_ptr_equal(c, &cage);
	did("%zu doors of %u", count, uid);
	for (size_t i = 0; i < count; i++)
		did("%s %u", doors[i].protocol == IPPROTO_TCP ? "tcp" : "udp", doors[i].port);
	return result(machine.doors, "no doors", e);
}

int cage_keep(struct cage *c, bool (*keep)(uint32_t uid, void *arg), void *arg, struct err *e)
{
	assert_ptr_equal(c, &cage);
	(void)e;
	did("keep %d", keep(UID, arg));
	return 0;
}

int cage_check(struct cage *c, struct cage_counts *ret, struct evidence *ev, struct err *e)
{
	assert_ptr_equal(c, &cage);
	(void)ret;
	(void)ev;
	return result(machine.cage_check, "no cage to look at", e);
}

int link_is_up(int ns_fd, const char *name, bool *ret, struct err *e)
{
	assert_string_equal(name, NAME);
	(void)ns_fd;
	*ret = machine.is_up;
	return result(machine.up, "no devices", e);
}

int link_move(int from_fd, const char *name, int to_fd, const char *new_name, struct err *e)
{
	(void)from_fd;
	(void)name;
	(void)to_fd;
	did("move to %s", new_name);
	return result(machine.move, "not moved", e);
}

int link_configure(int ns_fd, const struct link_spec *link, struct err *e)
{
	(void)ns_fd;
	did("configure %d", link->mtu);
	return result(machine.configure, "not configured", e);
}

int proxy_seccomp_make(struct sock_fprog *ret, struct err *e)
{
	ret->filter = xcalloc(1, sizeof(*ret->filter));
	return result(machine.filter, "no filter", e);
}

int budget_make(const char *cgroups, const char *name, const struct budget *budget,
	struct budget_door *ret, struct err *e)
{
	(void)cgroups;
	(void)name;
	(void)budget;
	(void)ret;
	(void)e;
	fail_msg("no groups can be made here");
	return -1;
}

void budget_door_close(struct budget_door *door)
{
	(void)door;
}

static char *input_read(int fd)
{
	char text[sizeof(configuration)];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
	assert_true(len >= 0);
	text[len] = '\0';
	return xstrdup(text);
}

int launch_start(const struct launch_config *c, const struct wait *w, pid_t *ret_pid,
	int *ret_pidfd, struct err *e)
{
	_cleanup_(freep) char *input = input_read(c->input_fd);
	strcpy(configuration, input);
	(void)w;
	did("launch as %u of %u", c->user->uid, c->user->gid);
	assert_ptr_not_equal(c->filter->filter, NULL);
	for (const char *const *word = c->argv; *word; word++)
		assert_null(strstr(*word, "s3cret"));
	*ret_pid = getpid();
	if (machine.launch == 0)
		*ret_pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	return result(machine.launch, "not launched", e);
}

int seal_open_object(const struct seal_pair *pair, const char *box, cJSON **ret, struct err *e)
{
	assert_ptr_equal(pair, &sealing);
	if (strcmp(box, "broken") == 0)
		return err_say(e, EBADMSG, "it was sealed to another key");
	*ret = json_new_object();
	json_set_text(*ret, "password", "s3cret");
	return 0;
}

void seal_object_freep(cJSON **object)
{
	json_freep(object);
}
