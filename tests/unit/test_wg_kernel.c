// SPDX-License-Identifier: Apache-2.0
// WireGuard in a kernel that this test is: when it is chosen, its device's way, records and end.
// uses: agent/tunnel/tunnel.c agent/tunnel/wg.c agent/tunnel/wg_kernel.c agent/tunnel/wireguard.c
// uses: agent/tunnel/engine.c agent/evidence.c
#include "tests/unit/trace.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include "agent/evidence.h"
#include "agent/net/genl.h"
#include "agent/net/netns.h"
#include "agent/tunnel/proxy.h"
#include "agent/tunnel/tunnel.h"
#include "agent/tunnel/wg_kernel.h"
#include "agent/tunnel/wg_netlink.h"
#include "agent/tunnel/wg_user.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/wait.h"

#define NAME "c0123456789ab"
#define OTHER "cba9876543210"
#define KEY "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="

enum { UPLINK, INSIDE, NAMESPACES }; // files that stand for namespaces

static struct {
	int create, tell, move, configure; // 0, or an errno
	int ask; // 0, or the errno of the device's answer
	int handshake_after; // questions
	uint64_t rx_bytes, tx_bytes;
	int no_exit_ask, exit_asked;
} kernel;
static char directory[] = "/tmp/ccp-wg-kernel-XXXXXX";
static char paths[NAMESPACES][64], key_path[64];
static int namespaces[NAMESPACES];

static int said(int code, struct err *e)
{
	return code ? err_set(e, code, "the kernel") : 0;
}

static const char *place_name(int ns_fd)
{
	struct stat a, b;
	assert_int_equal(fstat(ns_fd, &a), 0);
	assert_int_equal(fstat(namespaces[UPLINK], &b), 0);
	return a.st_ino == b.st_ino ? "uplink" : "inside";
}

int netns_self(struct err *e)
{
	(void)e;
	return fcntl(namespaces[UPLINK], F_DUPFD_CLOEXEC, 0);
}

int netns_open(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_set(e, errno, "open %s", path) : fd;
}

int netns_socket(int ns_fd, int domain, int type, int protocol, struct err *e)
{
	did("socket in %s", place_name(ns_fd));
	int fd = socket(domain, type | SOCK_CLOEXEC, protocol);
	return fd < 0 ? err_set(e, errno, "make a socket") : fd;
}

bool netns_same(int a_fd, int b_fd)
{
	return a_fd == b_fd;
}

int nl_open(struct nl *n, int ns_fd, int protocol, struct err *e)
{
	(void)protocol;
	(void)e;
	n->fd = ns_fd;
	return 0;
}

void nl_close(struct nl *n)
{
	n->fd = -1;
}

void nl_batch_init(struct nl_batch *b)
{
	b->used = 0;
}

int genl_family(struct nl *n, const char *name, uint16_t *ret, struct err *e)
{
	(void)n;
	(void)e;
	did("family %s", name);
	*ret = 0x1c;
	return 0;
}

static void put(struct nl *n, const char *what, const struct wg_netlink *to,
	const struct wireguard_config *config)
{
	assert_int_equal(to->family, 0x1c);
	did("%s %s %s %d", what, place_name(n->fd), to->device, config->private_key[0]);
}

void wg_netlink_put_set(struct nl *n, struct nl_batch *b, const struct wg_netlink *to,
	const struct wireguard_config *config)
{
	memset(b->data, 1, sizeof(b->data)); // the key
	put(n, "set", to, config);
}

void wg_netlink_put_again(struct nl *n, struct nl_batch *b, const struct wg_netlink *to,
	const struct wireguard_config *config)
{
	(void)b;
	put(n, "again", to, config);
}

void wg_netlink_put_get(struct nl *n, struct nl_batch *b, const struct wg_netlink *to)
{
	(void)n;
	(void)b;
	assert_string_equal(to->device, LINK_TUNNEL);
}

int wg_netlink_take(const struct nlmsghdr *m, void *arg, struct err *e)
{
	(void)m;
	(void)arg;
	(void)e;
	return 0;
}

int wg_netlink_finish(
	const struct wg_netlink_reading *reading, struct wireguard_status *ret, struct err *e)
{
	(void)reading;
	(void)e;
	*ret = (struct wireguard_status){.rx_bytes = kernel.rx_bytes, .tx_bytes = kernel.tx_bytes};
	if (kernel.handshake_after-- <= 0)
		ret->handshake_ns = 1;
	return 0;
}

int nl_send(struct nl *n, struct nl_batch *b, const char *what, struct err *e)
{
	(void)n;
	(void)b;
	(void)what;
	return said(kernel.tell, e);
}

int nl_dump(
	struct nl *n, struct nl_batch *b, nl_each *each, void *arg, const char *what, struct err *e)
{
	(void)b;
	(void)each;
	(void)arg;
	(void)what;
	assert_string_equal(place_name(n->fd), "inside");
	return said(kernel.ask, e);
}

int link_create(int ns_fd, const char *name, const char *kind, struct err *e)
{
	did("create %s %s %s", place_name(ns_fd), name, kind);
	return said(kernel.create, e);
}

int link_delete(int ns_fd, const char *name, struct err *e)
{
	(void)e;
	did("delete %s %s", place_name(ns_fd), name);
	return 0;
}

int link_move(int from_fd, const char *name, int to_fd, const char *new_name, struct err *e)
{
	did("move %s %s %s %s", place_name(from_fd), name, place_name(to_fd), new_name);
	return said(kernel.move, e);
}

int link_configure(int ns_fd, const struct link_spec *spec, struct err *e)
{
	did("configure %s %d", place_name(ns_fd), spec->mtu);
	return said(kernel.configure, e);
}

void budget_kill(const char *cgroups, const char *name)
{
	(void)cgroups;
	(void)name;
}

int budget_remove(const char *cgroups, const char *name, struct err *e)
{
	(void)cgroups;
	(void)name;
	(void)e;
	return 0;
}

int exit_ask_open(int ns_fd, const struct addr *resolver, struct exit_ask *ret, struct err *e)
{
	char text[ADDR_TEXT_MAX];
	(void)ns_fd;
	did("resolver %s", addr_text(resolver, text));
	*ret = EXIT_ASK_INIT;
	if (!kernel.no_exit_ask)
		ret->fd = eventfd(0, EFD_CLOEXEC);
	return result(kernel.no_exit_ask, "no socket", e);
}

void exit_ask_send(struct exit_ask *a)
{
	assert_true(a->fd >= 0);
	kernel.exit_asked++;
}

void exit_ask_close(struct exit_ask *a)
{
	closep(&a->fd);
}

void tun_read_close(struct tun_read *r)
{
	(void)r;
}

static int user_absent(
	const struct tunnel_place *place, const char *name, struct tunnel *ret, struct err *e)
{
	(void)place;
	(void)ret;
	did("user %s", name);
	return result(TUNNEL_ABSENT, "absent", e);
}
const struct tunnel_kind wg_user_kind = {
	.type = "wireguard", .parse = wg_parse, .find = user_absent};
const struct tunnel_kind proxy_kind = {.type = "proxy"};

// An exit whose `wireguard_engine` is this; NULL: it has none.
static struct tunnel_spec spec_make(const char *engine)
{
	static cJSON *exit; // the spec points into it
	struct tunnel_spec spec = {0};
	struct err e;
	json_freep(&exit);
	exit = cJSON_Parse("{\"tunnel_type\":\"wireguard\",\"endpoint\":\"198.51.100.1:51820\","
			   "\"public_key\":\"" KEY "\",\"preshared_key_sealed\":null,"
			   "\"allowed_ips\":[\"0.0.0.0/0\"],"
			   "\"peer_address\":\"198.18.130.9/32\",\"mtu\":1420,"
			   "\"dns_server\":\"198.18.0.53\"}");
	assert_non_null(exit);
	if (engine)
		json_set_text(exit, "wireguard_engine", engine);
	if (tunnel_spec_read(exit, &spec, &e) < 0)
		fail_msg("%s", e.message);
	assert_int_equal(spec.link.mtu, 1420);
	return spec;
}

static const struct tunnel_env *env(void)
{
	static struct tunnel_env ret;
	ret = (struct tunnel_env){.directory = directory, .uplink_fd = namespaces[UPLINK]};
	return &ret;
}

static int start_as(
	const char *name, const struct tunnel_spec *spec, struct tunnel *ret, struct err *e)
{
	static const uint8_t key[KEY32_SIZE] = {7};
	const struct tunnel_place place = {env(), spec, namespaces[INSIDE]};
	const struct tunnel_start start = {.name = name, .private_key = key, .key_path = key_path};
	struct wait w = wait_for(1000, -1);
	return spec->kind->start(&place, &start, &w, ret, e);
}

static int count_one(const char *name, void *arg, struct err *e)
{
	(void)e;
	(void)name;
	++*(int *)arg;
	return 0;
}

static int records(void)
{
	struct err e;
	int count = 0;
	assert_int_equal(wg_kernel_kind.list(env(), count_one, &count, &e), 0);
	return count;
}

static void the_exit_chooses_and_auto_takes_what_the_kernel_has(void **state)
{
	(void)state;
	assert_ptr_equal(spec_make("user").kind, &wg_user_kind);
	assert_did(""); // not even asked for
	assert_ptr_equal(spec_make(NULL).kind, &wg_kernel_kind);
	assert_did("family wireguard; ");
	assert_ptr_equal(spec_make("auto").kind, &wg_kernel_kind);
	assert_ptr_equal(spec_make("kernel").kind, &wg_kernel_kind);
	assert_did(""); // asked once
}

static void a_device_is_born_in_the_uplink_and_moved(void **state)
{
	struct tunnel_spec spec = spec_make("kernel");
	struct tunnel t = TUNNEL_INIT;
	struct err e;
	(void)state;
	assert_int_equal(start_as(NAME, &spec, &t, &e), 0);
	assert_did("create uplink " NAME " wireguard; set uplink " NAME " 7; move uplink " NAME
		   " inside tun0; configure inside 1420; ");
	assert_string_equal(t.name, NAME);
	assert_int_equal(t.pidfd, -1);
	assert_int_equal(records(), 1);

	const struct tunnel_place place = {env(), &spec, namespaces[INSIDE]};
	struct tunnel found = TUNNEL_INIT;
	assert_int_equal(tunnel_find(&place, NAME, &found, &e), 0);
	assert_ptr_equal(found.kind, &wg_kernel_kind);
	assert_int_equal(tunnel_find(&place, OTHER, &found, &e), TUNNEL_ABSENT);
	assert_did("user " OTHER "; ");
	const struct tunnel_place elsewhere = {env(), &spec, namespaces[UPLINK]};
	assert_int_equal(tunnel_find(&elsewhere, NAME, &found, &e), TUNNEL_ABSENT);
	assert_did("user " NAME "; ");
}

static void a_key_has_one_device(void **state)
{
	struct tunnel_spec spec = spec_make("kernel");
	struct tunnel t;
	struct err e;
	(void)state;
	assert_int_equal(start_as(OTHER, &spec, &t, &e), -1);
	assert_int_equal(e.code, EBUSY);
	assert_did("");
	kernel.ask = ENODEV; // the first one is gone
	assert_int_equal(start_as(OTHER, &spec, &t, &e), 0);
	kernel.ask = 0;
	assert_did("create uplink " OTHER " wireguard; set uplink " OTHER " 7; move uplink " OTHER
		   " inside tun0; configure inside 1420; ");
	assert_int_equal(wg_kernel_kind.end(env(), OTHER, &e), 0);
	assert_did("delete uplink " OTHER "; delete inside tun0; ");
	assert_int_equal(records(), 1);
}

static void a_key_that_an_exit_brings_has_one_device_whatever_host_it_is_of(void **state)
{
	struct tunnel_spec spec = spec_make("kernel");
	const struct tunnel_place place = {env(), &spec, namespaces[INSIDE]};
	const struct tunnel_start of_host = {.name = OTHER};
	struct tunnel t;
	struct err e;
	(void)state;
	memset(spec.wireguard.own_public_key, 5, KEY32_SIZE);
	assert_int_equal(start_as(OTHER, &spec, &t, &e), TUNNEL_UNUSABLE); // no private half
	_cleanup_(closep) int held = -1;
	assert_int_equal(wg_key_lock(&place, &of_host, &held, &e), 0);
	assert_int_equal(start_as(OTHER, &spec, &t, &e), -1);
	assert_int_equal(e.code, EBUSY);
	assert_non_null(strstr(e.message, "with this exit's own key"));
	spec.wireguard.own_public_key[6] = 6; // another key
	assert_int_equal(start_as(OTHER, &spec, &t, &e), TUNNEL_UNUSABLE);
	trace[0] = '\0';
}

static void the_handshake_is_waited_for_and_proven(void **state)
{
	struct tunnel_spec spec = spec_make("kernel");
	const struct tunnel_place place = {env(), &spec, namespaces[INSIDE]};
	struct tunnel t = {.kind = &wg_kernel_kind, .pidfd = -1};
	struct wait w = wait_for(60000, -1);
	struct evidence ev;
	struct err e;
	(void)state;
	kernel.handshake_after = 3;
	assert_int_equal(wg_kernel_kind.reach(&place, &t, &w, &e), 0);
	evidence_init(&ev);
	assert_int_equal(wg_kernel_kind.prove(&place, &t, &ev, &e), 0);
	assert_int_equal(ev.outcome, OUTCOME_PASSED);
	evidence_done(&ev);

	kernel.ask = EOPNOTSUPP; // another kind's device
	evidence_init(&ev);
	assert_int_equal(wg_kernel_kind.prove(&place, &t, &ev, &e), 0);
	assert_int_equal(ev.outcome, OUTCOME_FAILED);
	assert_string_equal(ev.code, "tunnel_no_handshake");
	evidence_done(&ev);
	kernel.ask = 0;
	assert_did("");
}

// What is heard when the device has counted this.
static void a_tunnel_that_hears_nothing_is_unanswered_and_once_greeted_only_silent(void **state)
{
	static const struct {
		uint64_t rx, tx;
		int heard;
	} rows[] = {
		{5000, 3000, 0}, // the first
		{5000, 3000, 0},
		{5000, 3032, 0}, // a keepalive needs no answer,
		{5000, 3064, 0}, // however many there are
		{5000, 3128, TUNNEL_UNANSWERED},
		{5000, 3128, TUNNEL_UNANSWERED}, // until it is answered
		{5032, 3128, 0},
		{5032, 9000, TUNNEL_UNANSWERED},
		{0, 148, 0}, // greeted
		{0, 900, TUNNEL_SILENT}, // by itself it goes on
		{92, 900, 0},
		{92, 5000, TUNNEL_SILENT}, // a host that only ever sends
		{1024, 6000, 0},
		{1024, 7000, TUNNEL_SILENT},
		{1025, 8000, 0},
		{1025, 9000, TUNNEL_UNANSWERED},
	};
	struct tunnel_spec spec = spec_make("kernel");
	const struct tunnel_place place = {env(), &spec, namespaces[INSIDE]};
	const struct tunnel t = {.kind = &wg_kernel_kind, .pidfd = -1};
	struct tunnel_pulse p = TUNNEL_PULSE_INIT;
	struct err e;
	int before = lowest_free_fd();
	(void)state;
	assert_int_equal(wg_kernel_kind.pulse_open(&place, &t, &p, &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		kernel.rx_bytes = rows[i].rx;
		kernel.tx_bytes = rows[i].tx;
		assert_int_equal(wg_kernel_kind.pulse_ask(&p, &e), 0);
		kernel.exit_asked = 0;
		if (wg_kernel_kind.pulse_hear(&p, &e) != rows[i].heard)
			fail_msg("row %zu", i);
		assert_int_equal(kernel.exit_asked, rows[i].heard != 0);
	}
	kernel.ask = ENODEV;
	assert_int_equal(wg_kernel_kind.pulse_hear(&p, &e), TUNNEL_ABSENT);
	kernel.ask = 0;
	tunnel_pulse_close(&p);
	assert_int_equal(lowest_free_fd(), before);
	kernel.no_exit_ask = -1; // is done without
	p = TUNNEL_PULSE_INIT;
	assert_int_equal(wg_kernel_kind.pulse_open(&place, &t, &p, &e), 0);
	kernel.rx_bytes = 5000;
	for (kernel.tx_bytes = 5000; kernel.tx_bytes < 7000; kernel.tx_bytes += 1000)
		assert_int_equal(wg_kernel_kind.pulse_hear(&p, &e),
			kernel.tx_bytes == 5000 ? 0 : TUNNEL_UNANSWERED);
	kernel.no_exit_ask = 0;
	tunnel_pulse_close(&p);
	trace[0] = '\0';
}

static void an_exit_that_was_greeted_again_has_not_lost_its_last_handshake(void **state)
{
	struct tunnel_spec spec = spec_make("kernel");
	const struct tunnel_place place = {env(), &spec, namespaces[INSIDE]};
	struct tunnel t = {.kind = &wg_kernel_kind, .pidfd = -1};
	struct evidence ev;
	struct err e;
	(void)state;
	evidence_init(&ev);
	assert_int_equal(wg_kernel_kind.prove(&place, &t, &ev, &e), 0);
	assert_int_equal(wg_kernel_kind.renew(&place, &t, &e), 0);
	assert_did("again inside tun0 0; ");
	kernel.handshake_after = INT32_MAX;
	assert_int_equal(wg_kernel_kind.prove(&place, &t, &ev, &e), 0);
	assert_int_equal(ev.outcome, OUTCOME_PASSED);
	evidence_done(&ev);
	kernel.handshake_after = 0;
}

static void an_exit_that_is_silent_is_greeted_again(void **state)
{
	struct tunnel_spec spec = spec_make("kernel");
	const struct tunnel_place place = {env(), &spec, namespaces[INSIDE]};
	struct tunnel t = {.kind = &wg_kernel_kind, .pidfd = -1};
	struct wait w = wait_for(600, -1);
	struct err e;
	(void)state;
	kernel.handshake_after = INT32_MAX;
	assert_int_equal(wg_kernel_kind.reach(&place, &t, &w, &e), TUNNEL_UNANSWERED);
	kernel.handshake_after = 0;
	assert_string_equal(e.message, "the exit has not answered the tunnel's handshake");
	assert_did("again inside tun0 0; "); // without our key
}

static void what_fails_on_the_way_leaves_nothing(void **state)
{
	static const struct {
		int *step;
		const char *did;
	} cases[] = {
		{&kernel.create, "create uplink " OTHER " wireguard; "},
		{&kernel.tell, "create uplink " OTHER " wireguard; set uplink " OTHER " 7; "},
		{&kernel.move, "create uplink " OTHER " wireguard; set uplink " OTHER
			       " 7; move uplink " OTHER " inside tun0; "},
	};
	struct tunnel_spec spec = spec_make("kernel");
	struct err e;
	(void)state;
	assert_int_equal(wg_kernel_kind.end(env(), NAME, &e), 0);
	assert_did("delete uplink " NAME "; delete inside tun0; ");
	kernel.ask = ENODEV; // it has not come there yet
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tunnel t;
		char all[512];
		*cases[i].step = EPERM;
		assert_int_equal(start_as(OTHER, &spec, &t, &e), -1);
		*cases[i].step = 0;
		assert_int_equal(e.code, EPERM);
		snprintf(all, sizeof(all), "%sdelete uplink " OTHER "; ", cases[i].did);
		assert_did(all);
		assert_int_equal(records(), 0);
	}
	kernel.ask = 0;
}

static void the_end_of_one_that_is_not_there_is_none(void **state)
{
	struct err e;
	(void)state;
	assert_int_equal(wg_kernel_kind.end(env(), NAME, &e), 0);
	assert_did("");
}

static void a_record_of_a_namespace_that_is_gone_is_forgotten(void **state)
{
	struct tunnel_spec spec = spec_make("kernel");
	struct tunnel t;
	struct err e;
	(void)state;
	assert_int_equal(start_as(NAME, &spec, &t, &e), 0);
	trace[0] = '\0';
	assert_int_equal(unlink(paths[INSIDE]), 0);
	assert_int_equal(wg_kernel_kind.end(env(), NAME, &e), 0);
	assert_did("delete uplink " NAME "; ");
	assert_int_equal(records(), 0);
}

static int prepare(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(directory));
	for (int i = 0; i < NAMESPACES; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/ns%d", directory, i);
		namespaces[i] = open(paths[i], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		assert_true(namespaces[i] >= 0);
	}
	snprintf(key_path, sizeof(key_path), "%s/key", directory);
	int fd = open(key_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	closep(&fd);
	return 0;
}

static int clean(void **state)
{
	char records_path[64], lock_path[64];
	(void)state;
	spec_make(NULL);
	snprintf(records_path, sizeof(records_path), "%s/wireguard-kernel", directory);
	rmdir(records_path);
	snprintf(lock_path, sizeof(lock_path), "%s/keys.lock", directory);
	unlink(lock_path);
	unlink(paths[UPLINK]);
	unlink(key_path);
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_exit_chooses_and_auto_takes_what_the_kernel_has),
		cmocka_unit_test(a_device_is_born_in_the_uplink_and_moved),
		cmocka_unit_test(a_key_has_one_device),
		cmocka_unit_test(a_key_that_an_exit_brings_has_one_device_whatever_host_it_is_of),
		cmocka_unit_test(the_handshake_is_waited_for_and_proven),
		cmocka_unit_test(
			a_tunnel_that_hears_nothing_is_unanswered_and_once_greeted_only_silent),
		cmocka_unit_test(an_exit_that_was_greeted_again_has_not_lost_its_last_handshake),
		cmocka_unit_test(an_exit_that_is_silent_is_greeted_again),
		cmocka_unit_test(what_fails_on_the_way_leaves_nothing),
		cmocka_unit_test(the_end_of_one_that_is_not_there_is_none),
		cmocka_unit_test(a_record_of_a_namespace_that_is_gone_is_forgotten),
	};
	return cmocka_run_group_tests(tests, prepare, clean);
}
