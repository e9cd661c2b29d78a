// SPDX-License-Identifier: Apache-2.0
// The kind proxy on a machine that this test is: what comes before what, and what is left when it fails.
// uses: agent/tunnel/proxy.c agent/tunnel/proxy_log.c agent/tunnel/proxy_config.c agent/tunnel/proxy_outbound.c
// uses: agent/tunnel/member.c agent/evidence.c
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
	int find, owns, kill, forget, cage_check;
	bool is_up, is_used; // its device; its user, by another record
	int ask;
	bool is_frozen;
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
	(void)r;
	return result(machine.ask, "not asked", e);
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

int engine_owns_device(const struct tunnel *t, int ns_fd, struct err *e)
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

static cJSON *exit_json;

static int exit_read(const char *config, struct err *e)
{
	json_freep(&exit_json);
	exit_json = json_new_object();
	json_set_text(exit_json, "dns_server", "198.18.0.53");
	json_set_text(exit_json, "secret_sealed", "box");
	json_set(exit_json, "proxy_config", cJSON_Parse(config));
	spec = (struct tunnel_spec){.kind = &proxy_kind};
	return proxy_kind.parse(exit_json, &spec, e);
}

#define SOCKS \
	"{\"type\":\"socks\",\"server\":\"203.0.113.9\",\"server_port\":1080,\"username\":\"u\"," \
	"\"udp\":true}"
#define BEGUN "record " NAME "; mark 2147446789; 2 doors of 2147446789; tcp 1080; udp 0; "
#define LAUNCHED BEGUN "launch as 2147446789 of 2147480000; "
#define ENDED "find /sing-box/" NAME ".lock; kill; forget " NAME "; 0 doors of 2147446789; "

static int again(void **state)
{
	struct err e;
	(void)state;
	memset(&machine, 0, sizeof(machine));
	machine.is_up = true;
	trace[0] = '\0';
	env = (struct tunnel_env){.proxy_engine = "/bin/true",
		.directory = (char[]){"/"},
		.uplink_fd = -1,
		.sealing = &sealing,
		.cage = &cage};
	assert_int_equal(exit_read(SOCKS, &e), 0);
	place = (struct tunnel_place){.env = &env, .spec = &spec, .ns_fd = -1};
	return 0;
}

static int start(struct tunnel *t, struct err *e)
{
	const struct tunnel_start what = {
		.name = NAME, .budget = {.cpu_milli = 100, .memory_mb = 256}, .uid = UID};
	struct wait w = wait_for(5000, -1);
	return proxy_kind.start(&place, &what, &w, t, e);
}

static void the_doors_come_after_the_record_and_before_the_engine(void **state)
{
	struct tunnel t = TUNNEL_INIT;
	struct err e;
	int before = lowest_free_fd();
	(void)state;
	if (start(&t, &e) != 0)
		fail_msg("%s", e.message);
	assert_did(LAUNCHED "move to tun0; configure 9000; ");
	assert_non_null(strstr(configuration, "\"password\":\"s3cret\""));
	assert_non_null(strstr(configuration, "\"interface_name\":\"" NAME "\""));
	assert_string_equal(t.name, NAME);
	closep(&t.pidfd);
	assert_int_equal(lowest_free_fd(), before);
}

static void of_a_start_that_fails_nothing_is_left(void **state)
{
	const struct {
		int *part;
		int value, result;
		const char *did;
	} rows[] = {
		{&machine.doors, -1, -1, BEGUN ENDED},
		{&machine.filter, -1, -1, BEGUN ENDED},
		{&machine.launch, -1, -1, LAUNCHED ENDED},
		{&machine.launch, WAIT_CANCELED, WAIT_CANCELED, LAUNCHED ENDED},
		{&machine.up, -1, -1, LAUNCHED ENDED},
		{&machine.move, -1, -1, LAUNCHED "move to tun0; " ENDED},
		{&machine.configure, -1, -1, LAUNCHED "move to tun0; configure 9000; " ENDED},
	};
	struct err e;
	int before = lowest_free_fd();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tunnel t = TUNNEL_INIT;
		again(state);
		*rows[i].part = rows[i].value;
		assert_int_equal(start(&t, &e), rows[i].result);
		assert_did(rows[i].did);
		assert_int_equal(t.pidfd, -1);
		assert_int_equal(lowest_free_fd(), before);
	}
}

static void a_machine_that_lacks_what_proxies_need_is_said_to(void **state)
{
	struct tunnel t = TUNNEL_INIT;
	struct err e;
	(void)state;
	env.cage = NULL;
	env.no_cage = "the kernel has no nftables";
	assert_int_equal(start(&t, &e), TUNNEL_UNFIT);
	assert_non_null(strstr(e.message, "the kernel has no nftables"));
	assert_int_equal(proxy_kind.find(&place, NAME, &t, &e), -1);
	assert_non_null(strstr(e.message, "the kernel has no nftables"));
	env.cage = &cage;
	env.proxy_engine = "/nowhere/sing-box";
	assert_int_equal(start(&t, &e), TUNNEL_UNFIT);
	assert_non_null(strstr(e.message, "/nowhere/sing-box"));
	assert_did("");
}

static void a_secret_that_cannot_be_used_is_no_fault_of_the_proxy(void **state)
{
	struct tunnel t = TUNNEL_INIT;
	struct err e;
	(void)state;
	spec.sealed = "broken";
	assert_int_equal(start(&t, &e), TUNNEL_UNUSABLE);
	assert_string_equal(e.message, "open the exit's secret: it was sealed to another key");
	assert_int_equal(exit_read("{\"type\":\"vless\",\"server\":\"203.0.113.9\","
				   "\"server_port\":443}",
				 &e),
		0);
	assert_int_equal(start(&t, &e), TUNNEL_UNUSABLE);
	assert_null(strstr(e.message, "s3cret"));
}

static void the_last_tunnel_of_a_user_closes_its_doors(void **state)
{
	struct err e;
	(void)state;
	assert_int_equal(proxy_kind.end(&env, NAME, &e), 0);
	assert_did(ENDED);
	machine.find = TUNNEL_ABSENT;
	machine.is_used = true;
	assert_int_equal(proxy_kind.end(&env, NAME, &e), 0);
	assert_did("find /sing-box/" NAME ".lock; forget " NAME "; ");
	machine.find = 0;
	machine.is_used = false;
	machine.kill = -1;
	assert_int_equal(proxy_kind.end(&env, NAME, &e), -1);
	assert_did("find /sing-box/" NAME ".lock; kill; ");
	assert_int_equal(proxy_doors_sweep(&env, &e), 0);
	assert_did("keep 0; ");
	machine.is_used = true;
	assert_int_equal(proxy_doors_sweep(&env, &e), 0);
	assert_did("keep 1; ");
}

static void what_is_found_gets_its_doors_again(void **state)
{
	const struct {
		int *part;
		int value, result;
	} rows[] = {{&machine.find, TUNNEL_ABSENT, TUNNEL_ABSENT}, {&machine.find, -1, -1},
		{&machine.owns, ENGINE_FOREIGN, TUNNEL_ABSENT}, {&machine.doors, -1, -1}};
	struct tunnel t = TUNNEL_INIT;
	struct err e;
	int before = lowest_free_fd();
	assert_int_equal(proxy_kind.find(&place, NAME, &t, &e), 0);
	assert_non_null(strstr(trace, "2 doors of "));
	closep(&t.pidfd);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		again(state);
		*rows[i].part = rows[i].value;
		assert_int_equal(proxy_kind.find(&place, NAME, &t, &e), rows[i].result);
		assert_int_equal(lowest_free_fd(), before);
	}
}

static void log_write(const char *line)
{
	FILE *log = fopen(record, "w");
	assert_non_null(log);
	fputs(line, log);
	fclose(log);
}

static void why_nothing_was_answered_is_in_the_proxys_words_or_in_ours(void **state)
{
	struct tunnel t = {.name = NAME, .pid = getpid()};
	struct err e;
	(void)state;
	t.pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	log_write("ERROR[0001] [1 0ms] connection: open connection to 198.51.100.7:80 using "
		  "outbound/socks[exit]: incorrect user name or password");
	assert_int_equal(proxy_kind.unanswered(&place, &t, &e), TUNNEL_UNANSWERED);
	assert_string_equal(e.message, "incorrect user name or password");
	log_write("");
	assert_int_equal(proxy_kind.unanswered(&place, &t, &e), TUNNEL_UNANSWERED);
	assert_string_equal(
		e.message, "the proxy does not answer or does not accept the credentials");
	closep(&t.pidfd);
}

static void a_proof_empties_the_log(void **state)
{
	_cleanup_(evidence_done) struct evidence ev;
	struct tunnel t = {.name = NAME, .pid = getpid()};
	struct stat st;
	struct err e;
	(void)state;
	t.pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	evidence_init(&ev);
	log_write("ERROR[0001] where its user could not get to");
	assert_int_equal(proxy_kind.prove(&place, &t, &ev, &e), 0);
	assert_int_equal(ev.outcome, OUTCOME_PASSED);
	assert_int_equal(stat(record, &st), 0);
	assert_int_equal(st.st_size, 0);
	machine.is_frozen = true;
	assert_int_equal(proxy_kind.prove(&place, &t, &ev, &e), 0);
	assert_string_equal(ev.code, "proxy_unreachable");
	assert_string_equal(ev.sentence, "it is frozen");
	machine.ask = -1;
	assert_int_equal(proxy_kind.prove(&place, &t, &ev, &e), -1);
	machine.owns = ENGINE_FOREIGN;
	assert_int_equal(proxy_kind.prove(&place, &t, &ev, &e), 0);
	assert_string_equal(ev.code, "proxy_unreachable");
	machine.cage_check = -1;
	assert_int_equal(proxy_kind.prove(&place, &t, &ev, &e), -1);
	closep(&t.pidfd);
}

static void an_engine_that_reads_its_device_answers(void **state)
{
	struct tunnel t = {.name = NAME, .pidfd = -1};
	struct tunnel_pulse p = TUNNEL_PULSE_INIT;
	struct err e;
	int before = lowest_free_fd();
	(void)state;
	assert_int_equal(proxy_kind.pulse_open(&place, &t, &p, &e), 0);
	assert_int_equal(proxy_kind.pulse_ask(&p, &e), 0);
	assert_int_equal(proxy_kind.pulse_hear(&p, &e), 0);
	machine.is_frozen = true;
	assert_int_equal(proxy_kind.pulse_hear(&p, &e), TUNNEL_SILENT);
	tun_read_close(&p.read);
	assert_int_equal(lowest_free_fd(), before);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, again)
	const struct CMUnitTest tests[] = {
		TEST(the_doors_come_after_the_record_and_before_the_engine),
		TEST(of_a_start_that_fails_nothing_is_left),
		TEST(a_machine_that_lacks_what_proxies_need_is_said_to),
		TEST(a_secret_that_cannot_be_used_is_no_fault_of_the_proxy),
		TEST(the_last_tunnel_of_a_user_closes_its_doors),
		TEST(what_is_found_gets_its_doors_again),
		TEST(why_nothing_was_answered_is_in_the_proxys_words_or_in_ours),
		TEST(a_proof_empties_the_log),
		TEST(an_engine_that_reads_its_device_answers),
	};
	int fd = mkstemp(record);
	if (fd < 0)
		return EXIT_FAILURE;
	close(fd);
	int r = cmocka_run_group_tests(tests, NULL, NULL);
	json_freep(&exit_json);
	unlink(record);
	return r;
}
