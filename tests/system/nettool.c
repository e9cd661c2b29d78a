// SPDX-License-Identifier: Apache-2.0
// Drives the agent's network half from a test: `nettool COMMAND '{...}'` prints one JSON object.
// uses: agent/net/elements.c agent/evidence.c agent/net/netns.c agent/net/nl.c agent/net/link.c agent/net/nft_expr.c agent/net/nft_table.c agent/net/ruleset.c
// uses: agent/net/wall.c agent/net/sockdiag.c agent/tunnel/wireguard.c agent/tunnel/tunnel.c
// uses: agent/tunnel/budget.c agent/tunnel/wg.c agent/tunnel/wg_user.c agent/tunnel/tun_read.c agent/tunnel/exit_ask.c agent/tunnel/wg_kernel.c agent/tunnel/wg_netlink.c agent/net/genl.c agent/tunnel/uapi.c agent/tunnel/launch.c agent/tunnel/engine.c
// uses: agent/net/probe.c agent/verify/verify.c agent/verify/verify_wire.c agent/verify/verify_main.c agent/verify/verify_server.c agent/verify/verify_net.c
// uses: agent/verify/verify_query.c agent/verify/verify_judge.c agent/verify/verify_target.c agent/verify/verify_request.c
// uses: agent/net/cage.c agent/net/cage_door.c agent/net/cage_rules.c agent/tunnel/proxy.c agent/tunnel/proxy_log.c
// uses: agent/tunnel/proxy_config.c agent/tunnel/proxy_outbound.c agent/tunnel/proxy_seccomp.c agent/tunnel/member.c
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/evidence.h"
#include "agent/net/link.h"
#include "agent/net/netns.h"
#include "agent/net/probe.h"
#include "agent/net/sockdiag.h"
#include "agent/net/wall.h"
#include "agent/tunnel/tunnel.h"
#include "agent/tunnel/engine.h"
#include "agent/tunnel/launch.h"
#include "agent/tunnel/wg_user.h"
#include "agent/verify/verify.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/key32.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/wait.h"

#define KIND "test" // of engines that are none of ours

static const cJSON *input;
static cJSON *output;

static const char *text(const char *name)
{
	struct err e;
	const char *value;
	if (json_get_text(input, name, &value, &e) == 0)
		return value;
	fprintf(stderr, "nettool: %s\n", e.message);
	exit(2);
}

static int64_t number(const char *name)
{
	struct err e;
	int64_t value;
	if (json_get_int(input, name, INT64_MIN / 2048, INT64_MAX / 2048, &value, &e) == 0)
		return value;
	fprintf(stderr, "nettool: %s\n", e.message);
	exit(2);
}

static struct addr address(const char *name)
{
	struct err e;
	struct addr a;
	if (addr_parse(text(name), &a, &e) == 0)
		return a;
	fprintf(stderr, "nettool: %s\n", e.message);
	exit(2);
}

static int namespace(const char *name)
{
	struct err e;
	int fd = netns_open(text(name), &e);
	if (fd >= 0)
		return fd;
	fprintf(stderr, "nettool: %s\n", e.message);
	exit(2);
}

static struct link_spec link_spec(void)
{
	struct link_spec spec = {.address = address("address"), .mtu = (int)number("mtu")};
	(void)!text_copy(spec.tunnel, sizeof(spec.tunnel), LINK_TUNNEL);
	if (cJSON_HasObjectItem(input, "peer_address6"))
		spec.address6 = address("peer_address6");
	return spec;
}

static void evidence_print(struct evidence *ev)
{
	json_set_text(output, "outcome", outcome_name(ev->outcome));
	json_set_text(output, "code", ev->code);
	json_set_text(output, "sentence", ev->sentence);
	json_set_text(output, "observed_ip", ev->observed_ip);
	json_set_int(output, "duration_ms", evidence_duration_ms(ev));
	json_set(output, "checks", TAKE_PTR(ev->checks));
}

static int wall_make(struct wall *w, struct err *e)
{
	struct wall_spec spec = {.resolver = address("resolver"), .own = address("address")};
	spec.ipv6 = cJSON_IsTrue(cJSON_GetObjectItem(input, "ipv6"));
	(void)!text_copy(spec.tunnel, sizeof(spec.tunnel), LINK_TUNNEL);
	return wall_init(w, namespace("ns"), &spec, e);
}

static int do_wall_load(struct err *e)
{
	struct wall w;
	if (wall_make(&w, e) < 0)
		return -1;
	int64_t start = wait_now_us();
	int r = wall_load(&w, e);
	json_set_int(output, "us", wait_now_us() - start);
	return r;
}

static int do_wall_set_exit(struct err *e)
{
	struct wall w;
	return wall_make(&w, e) < 0 ? -1 : wall_set_exit(&w, &w.spec, e);
}

// Opens or renews `count` times, `every_ms` apart.
static int do_wall_open(struct err *e)
{
	struct wall w;
	if (wall_make(&w, e) < 0)
		return -1;
	int64_t start = wait_now_us(), count = number("count");
	for (int64_t i = 0; i < count; i++) {
		if (i > 0)
			poll(NULL, 0, (int)number("every_ms"));
		if (wall_open(&w, number("life_ms"), e) < 0)
			return -1;
	}
	json_set_int(output, "us", wait_now_us() - start);
	return 0;
}

static int do_wall_close(struct err *e)
{
	struct wall w;
	return wall_make(&w, e) < 0 ? -1 : wall_close(&w, e);
}

static int do_wall_read(struct err *e)
{
	static const char *const ends[WALL_CHAINS] = {
		"deny_v6", "deny_dns", "deny_local", "deny_closed", "deny_in", "pass"};
	static const char *const who[] = {"user", "verify", "probe"};
	struct wall w;
	struct wall_state state;
	char expected[65];
	if (wall_make(&w, e) < 0 || wall_read(&w, &state, e) < 0)
		return -1;
	wall_expected_hash(expected);
	json_set_text(output, "hash", state.hash);
	json_set_text(output, "expected", expected);
	json_set_bool(output, "open", state.proof.open);
	json_set_int(output, "remaining_ms", state.proof.remaining_ms);
	for (int c = 0; c < WALL_CHAINS; c++) {
		cJSON *row = json_set_object(output, ends[c]);
		for (int s = 0; s < WALL_SENDERS; s++)
			json_set_int(row, who[s], (int64_t)state.counts.packets[c][s]);
	}
	return 0;
}

static int do_wall_check(struct err *e)
{
	struct wall w;
	struct evidence ev;
	evidence_init(&ev);
	if (wall_make(&w, e) < 0 || wall_check(&w, NULL, &ev, e) < 0)
		return -1;
	evidence_print(&ev);
	evidence_done(&ev);
	return 0;
}

// Is a change of rules seen, and is a renewal not taken for one?
static int do_wall_watch(struct err *e)
{
	struct wall w;
	int fd = wall_watch(namespace("ns"), e);
	if (fd < 0 || wall_make(&w, e) < 0)
		return -1;
	if (wall_open(&w, 60000, e) < 0)
		return -1;
	json_set_bool(output, "on_open", wall_changed(fd));
	if (system(text("shell")) != 0) // NOLINT: the test's own words
		return err_say(e, EIO, "the test's command failed");
	json_set_bool(output, "on_change", wall_changed(fd));
	return 0;
}

static int do_probe(struct err *e)
{
	struct wall w;
	struct evidence ev;
	evidence_init(&ev);
	bool open = strcmp(text("state"), "open") == 0;
	if (wall_make(&w, e) < 0 ||
		probe_run(&w, namespace("ns"), open ? PROBE_OPEN : PROBE_CLOSED, &ev, e) < 0)
		return -1;
	evidence_print(&ev);
	return 0;
}

static struct tunnel_env tunnel_env(void)
{
	static char directory[PATH_MAX];
	(void)!text_copy(directory, sizeof(directory), text("directory"));
	return (struct tunnel_env){.engine = text("program"),
		.directory = directory,
		.uplink_fd = namespace("uplink")};
}

static const char *name(void)
{
	static char ret[TUNNEL_NAME_SIZE];
	if (tunnel_name(text("id"), ret))
		return ret;
	fprintf(stderr, "nettool: id is not a container's id\n");
	exit(2);
}

static int key_read(const char *path, uint8_t ret[KEY32_SIZE], struct err *e)
{
	char key[64] = {0};
	FILE *file = fopen(path, "re");
	if (!file || !fgets(key, sizeof(key), file))
		return err_set(e, EIO, "read the key");
	fclose(file);
	key[strcspn(key, "\n")] = '\0';
	return key32_parse(key, "the private key", ret, e);
}

// Where a tunnel by the test's exit leads through.
static int place_read(
	struct tunnel_env *env, struct tunnel_spec *spec, struct tunnel_place *ret, struct err *e)
{
	*env = tunnel_env();
	*ret = (struct tunnel_place){.env = env, .spec = spec, .ns_fd = namespace("ns")};
	return tunnel_spec_read(input, spec, e);
}

static int do_tunnel_start(struct err *e)
{
	struct tunnel_env env;
	struct tunnel_spec spec = {0};
	struct tunnel_place place;
	struct tunnel t = TUNNEL_INIT;
	struct wait w = wait_for(10000, -1);
	uint8_t key[KEY32_SIZE];
	const struct tunnel_start start = {
		.name = name(), .private_key = key, .key_path = text("key_path")};
	if (key_read(start.key_path, key, e) < 0 || place_read(&env, &spec, &place, e) < 0)
		return -1;
	int64_t begun = wait_now_us();
	int r = spec.kind->start(&place, &start, &w, &t, e);
	json_set_int(output, "start_us", wait_now_us() - begun);
	if (r != 0)
		return r;
	w = wait_for((int)number("handshake_ms"), -1);
	r = spec.kind->reach(&place, &t, &w, e);
	json_set_int(output, "us", wait_now_us() - begun);
	json_set_int(output, "pid", t.pid);
	return r;
}

// As the next agent does: by name and device.
static int do_tunnel_find(struct err *e)
{
	struct tunnel_env env;
	struct tunnel_spec spec = {0};
	struct tunnel_place place;
	struct tunnel t = TUNNEL_INIT;
	if (place_read(&env, &spec, &place, e) < 0)
		return -1;
	int r = spec.kind->find(&place, name(), &t, e);
	json_set_int(output, "pid", t.pid);
	return r;
}

// What it says when it is asked, and heard a while later.
static int pulse(const struct tunnel_place *place, const struct tunnel *t)
{
	struct tunnel_pulse p = TUNNEL_PULSE_INIT;
	struct err e;
	int r = t->kind->pulse_open(place, t, &p, &e);
	if (r == 0)
		r = t->kind->pulse_ask(&p, &e);
	poll(NULL, 0, 500);
	if (r == 0)
		r = t->kind->pulse_hear(&p, &e);
	tunnel_pulse_close(&p);
	return r;
}

// The engine of that name, whatever device it is behind.
static int do_engine_look(struct err *e)
{
	struct tunnel_env env;
	struct tunnel_spec spec = {0};
	struct tunnel_place place;
	struct tunnel t = TUNNEL_INIT;
	int r = place_read(&env, &spec, &place, e);
	if (r == 0)
		r = wg_user_find(name(), &t, e);
	if (r != 0)
		return r;
	json_set_int(output, "owns", engine_owns_device(&t, place.ns_fd, e));
	json_set_int(output, "pulse", pulse(&place, &t));
	struct wg_status status;
	r = wg_user_status(&t, &status, e);
	json_set_int(output, "status", r);
	if (r == 0) {
		json_set_int(output, "handshake_age_ms", status.handshake_age_ms);
		json_set_int(output, "rx_bytes", (int64_t)status.rx_bytes);
		json_set_int(output, "tx_bytes", (int64_t)status.tx_bytes);
	}
	struct evidence ev;
	evidence_init(&ev);
	if (t.kind->prove(&place, &t, &ev, e) < 0)
		return -1;
	evidence_print(&ev);
	return 0;
}

static int do_tunnel_end(struct err *e)
{
	struct tunnel_env env = tunnel_env();
	return tunnel_end(&env, name(), e);
}

static int name_print(const char *tunnel, void *arg, struct err *e)
{
	(void)e;
	json_add_text(arg, tunnel);
	return 0;
}

static int do_tunnel_list(struct err *e)
{
	struct tunnel_env env = tunnel_env();
	return tunnel_list(&env, name_print, json_set_array(output, "names"), e);
}

static int input_open(const char *words, struct err *e)
{
	_cleanup_(closep) int fd = memfd_create("input", MFD_CLOEXEC);
	if (fd < 0 || write(fd, words, strlen(words)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(e, errno, "write the program's input");
	return TAKE_FD(fd);
}

// Any program, as a kind of tunnel starts its own: of another user, with an input, and refused what it
// asks uname(2).
static int do_engine_launch(struct err *e)
{
	static struct sock_filter refuse[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_uname, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = {.len = ARRAY_SIZE(refuse), .filter = refuse};
	const struct proc_user user = {.uid = (uid_t)number("uid"), .gid = (gid_t)number("gid")};
	const struct tunnel_env env = tunnel_env();
	const struct budget budget = {.cpu_milli = 1000, .memory_mb = 256};
	_cleanup_(budget_door_close) struct budget_door door = BUDGET_DOOR_INIT;
	_cleanup_(freep) char *lock = engine_lock_path(&env, KIND, name());
	_cleanup_(closep) int input_fd = input_open(text("input"), e), log_fd = -1, pidfd = -1;
	struct wait w = wait_for(10000, -1);
	pid_t pid = 0;
	if (input_fd < 0 || engine_log_open(&env, KIND, name(), &log_fd, e) < 0 ||
		budget_make(BUDGET_CGROUPS, name(), &budget, &door, e) < 0)
		return -1;
	const struct launch_config config = {.program = env.engine,
		.argv = (const char *const[]){env.engine, "-I", "-", name(), NULL},
		.environment = (const char *const[]){"LANG=C.UTF-8", NULL},
		.uplink_fd = env.uplink_fd,
		.input_fd = input_fd,
		.log_fd = log_fd,
		.lock_path = lock,
		.key_fd = -1,
		.door = &door,
		.user = &user,
		.filter = &filter};
	int r = launch_start(&config, &w, &pid, &pidfd, e);
	json_set_int(output, "pid", pid);
	return r;
}

static int do_engine_find(struct err *e)
{
	const struct tunnel_env env = tunnel_env();
	_cleanup_(freep) char *lock = engine_lock_path(&env, KIND, name());
	struct tunnel t = TUNNEL_INIT;
	int r = 0;
	for (int64_t i = 0; r == 0 && i < number("count"); i++) {
		closep(&t.pidfd);
		r = engine_find(lock, &t, e);
	}
	if (r != 0)
		return r;
	json_set_int(output, "pid", t.pid);
	json_set_int(output, "owns", engine_owns_device(&t, namespace("ns"), e));
	return 0;
}

static int do_engine_end(struct err *e)
{
	const struct tunnel_env env = tunnel_env();
	_cleanup_(freep) char *lock = engine_lock_path(&env, KIND, name());
	struct tunnel t = TUNNEL_INIT;
	int r = engine_find(lock, &t, e);
	if (r == 0)
		r = engine_kill(&t, e);
	return r < 0 ? -1 : engine_forget(&env, KIND, name(), e);
}

static int do_engine_list(struct err *e)
{
	const struct tunnel_env env = tunnel_env();
	return engine_list(&env, KIND, name_print, json_set_array(output, "names"), e);
}

static int do_link_check(struct err *e)
{
	struct link_spec spec = link_spec();
	struct evidence ev;
	evidence_init(&ev);
	if (link_check(namespace("ns"), &spec, &ev, e) < 0)
		return -1;
	evidence_print(&ev);
	return 0;
}

// Waits until something about links changes, runs the test's command in between.
static int do_link_watch(struct err *e)
{
	int fd = link_watch(namespace("ns"), e);
	if (fd < 0)
		return -1;
	json_set_bool(output, "before", link_changed(fd));
	if (system(text("shell")) != 0) // NOLINT: the test's own words
		return err_say(e, EIO, "the test's command failed");
	json_set_bool(output, "after", link_changed(fd));
	return 0;
}

static int do_end_sockets(struct err *e)
{
	int count = 0;
	int r = sockdiag_end_all(namespace("ns"), &count, e);
	json_set_int(output, "count", count);
	return r;
}

static int do_find_listener(struct err *e)
{
	struct sockdiag_listener found;
	if (sockdiag_find_listener(namespace("ns"), (uint16_t)number("port"), &found, e) < 0)
		return -1;
	json_set_int(output, "cookie", (int64_t)found.cookie);
	json_set_int(output, "waiting", found.waiting);
	return 0;
}

static int do_verify(struct err *e)
{
	struct verify_spec spec = {
		.kind = strcmp(text("kind"), "full") == 0 ? VERIFY_FULL : VERIFY_LIGHT,
		.expected = address("expected"),
		.resolver = address("resolver"),
		.dns_check_zone = text("zone"),
	};
	struct evidence ev;
	evidence_init(&ev);
	struct wait w = wait_for(20000, -1);
	if (json_get_array(input, "echo_urls", &spec.echo_urls, e) != 0 ||
		json_get_array(input, "connect_targets", &spec.connect_targets, e) != 0)
		return -1;
	int r = verify_run(namespace("ns"), &spec, &w, &ev, e);
	if (r == 0)
		evidence_print(&ev);
	return r;
}

static const struct {
	const char *name;
	int (*run)(struct err *e);
} commands[] = {
	{"wall-load", do_wall_load},
	{"wall-set-exit", do_wall_set_exit},
	{"wall-check", do_wall_check},
	{"wall-open", do_wall_open},
	{"wall-close", do_wall_close},
	{"wall-read", do_wall_read},
	{"wall-watch", do_wall_watch},
	{"probe", do_probe},
	{"tunnel-start", do_tunnel_start},
	{"tunnel-find", do_tunnel_find},
	{"tunnel-end", do_tunnel_end},
	{"tunnel-list", do_tunnel_list},
	{"engine-look", do_engine_look},
	{"engine-launch", do_engine_launch},
	{"engine-find", do_engine_find},
	{"engine-end", do_engine_end},
	{"engine-list", do_engine_list},
	{"link-check", do_link_check},
	{"link-watch", do_link_watch},
	{"end-sockets", do_end_sockets},
	{"find-listener", do_find_listener},
	{"verify-run", do_verify},
};

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "verify") == 0)
		return verify_main();
	struct err e = {0};
	cJSON *json;
	output = json_new_object();
	if (argc != 3 || json_parse(argv[2], strlen(argv[2]), &json_from_client, &json, &e) < 0) {
		fprintf(stderr, "usage: nettool COMMAND JSON\n%s\n", e.message);
		return 2;
	}
	if (proc_lock_down(&e) < 0) { // as the agent does
		fprintf(stderr, "nettool: %s\n", e.message);
		return 2;
	}
	input = json;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		int r = commands[i].run(&e);
		json_set_int(output, "result", r);
		json_set_text(output, "error", r == 0 ? NULL : e.message);
		_cleanup_(freep) char *line = json_print(output);
		puts(line);
		return 0;
	}
	fprintf(stderr, "nettool: no command %s\n", argv[1]);
	return 2;
}
