// SPDX-License-Identifier: Apache-2.0
// The steps of a start: what each does, in which order, and how it fails.
// uses: agent/task/start.c agent/host/bring_up.c agent/evidence.c
#include "tests/unit/start_fakes.h"

static const struct container_ids ids = {.base = 2147287040, .owner = 2147418112};

static int start(void **state)
{
	(void)state;
	memset(&answers, 0, sizeof(answers));
	answers.running = true;
	answers.ids = ids;
	answers.before = GATE_WAITING;
	answers.after = GATE_OPENED;
	spec = (struct host_spec){.image_id = "image",
		.ids = ids,
		.pids_limit = 9,
		.memory_limit_mb = 512,
		.proof_life_s = 900,
		.exit = {.label = "x1"}};
	spec.exit.tunnel.kind = &kind;
	spec.exit.tunnel.link.address = (struct addr)ADDR_V4(10, 0, 0, 2);
	host = (struct host){.id = "h", .spec = &spec};
	ht = (struct host_task){.agent = &agent,
		.host = &host,
		.container_id = "made",
		.run = RUN_INIT,
		.home = HOME_INIT,
		.gate_fd = -1};
	ht.run.pid = 77;
	ht.run.tunnel.kind = &kind;
	strcpy(ht.run.container_id, "abc");
	evidence_init(&ht.ev);
	task = (struct task){.id = "t", .state = &ht, .result = cJSON_CreateObject()};
	trace[0] = '\0';
	return 0;
}

static int stop(void **state)
{
	(void)state;
	evidence_done(&ht.ev);
	cJSON_Delete(task.result);
	return 0;
}

static void again(void)
{
	stop(NULL);
	start(NULL);
}

static void assert_checks(const char *expected)
{
	const cJSON *one;
	char names[128] = "";
	cJSON_ArrayForEach (one, ht.ev.checks) {
		strcat(names, cJSON_GetStringValue(cJSON_GetObjectItem(one, "name")));
		strcat(names, "; ");
	}
	assert_string_equal(names, expected);
}

struct row {
	int *place;
	int answer;
	int result;
	const char *done;
};

// Runs the step once per row, with this one answer changed.
static void try_rows(int (*step)(struct task *, struct err *), const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct err e = {0};
		again();
		if (rows[i].place)
			*rows[i].place = rows[i].answer;
		int r = step(&task, &e);
		if (r != rows[i].result)
			fail_msg("row %zu: %d, expected %d", i, r, rows[i].result);
		assert_did(rows[i].done);
	}
}

static void prepare_leaves_nothing_of_an_earlier_run(void **state)
{
	const struct row rows[] = {
		{NULL, 0, 0, "end; open; home; write ssh key; renew tmp; sweep; "},
		{&answers.end, -1, -1, "end; "},
		{&answers.end, WAIT_CANCELED, WAIT_CANCELED, "end; "},
		{&answers.can_start, -1, -1, "end; refuse egress_binding_missing: no exit; "},
		{&answers.open, -1, -1, "end; open; fail internal: no directory; "},
		{&answers.keys, -1, -1, "end; open; fail internal: no keys; "},
		{&answers.home, -1, -1, "end; open; home; "},
		{&answers.home, WAIT_CANCELED, WAIT_CANCELED, "end; open; home; "},
		{&answers.etc, -1, -1, "end; open; home; write ssh key; fail files: no etc; "},
		{&answers.tmp, -1, -1,
			"end; open; home; write ssh key; renew tmp; fail files: no tmp; "},
	};
	struct err e;
	(void)state;
	try_rows(start_prepare, rows, ARRAY_SIZE(rows));
	again();
	answers.keys = -1;
	answers.keys_errno = ENOENT;
	assert_int_equal(start_prepare(&task, &e), -1);
	assert_did("end; open; fail internal: the host's keys are not on this machine: "
		   "run host.create; ");
}

static void create_takes_the_container_that_there_is_or_makes_one(void **state)
{
	const struct row rows[] = {
		{NULL, 0, 0, "inspect h; update found 9; "},
		{&answers.inspect, DOCKER_ABSENT, 0, "inspect h; create h image; "},
		{&answers.inspect, -1, -1, "inspect h; fail docker: not inspected; "},
		{&answers.inspect, WAIT_CANCELED, WAIT_CANCELED, "inspect h; "},
		{&answers.update, -1, -1, "inspect h; update found 9; fail docker: not updated; "},
	};
	struct err e;
	(void)state;
	try_rows(start_create, rows, ARRAY_SIZE(rows));
	again();
	assert_int_equal(start_create(&task, &e), 0);
	assert_string_equal(ht.container_id, "found");
	again();
	answers.inspect = DOCKER_ABSENT;
	spec.image_id[0] = '\0';
	assert_int_equal(start_create(&task, &e), -1);
	assert_did("inspect h; fail image_missing: the host has no image yet: run host.create; ");
	again(); // it needs none any more
	spec.image_id[0] = '\0';
	assert_int_equal(start_create(&task, &e), 0);
	again();
	answers.inspect = DOCKER_ABSENT;
	answers.create = DOCKER_ABSENT;
	assert_int_equal(start_create(&task, &e), -1);
	assert_did("inspect h; create h image; fail image_missing: the host's image is not on this "
		   "machine any more: load it again or rebuild the host; ");
}

static void a_container_with_other_ids_than_the_host_has_is_not_started(void **state)
{
	static const struct {
		struct container_ids made, wanted;
		const char *why;
	} pairs[] = {
		{{0}, {2147287040, 2147418112}, "made without user ids of its own"},
		{{2147287040, 2147418112}, {0}, "user_namespaces now turns off"},
		{{2147287040, 2147418112}, {2147287040, 2147418113}, "other user ids"},
		{{2147287040, 2147418112}, {2147221504, 2147418112}, "other user ids"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct err e;
		again();
		answers.ids = pairs[i].made;
		spec.ids = pairs[i].wanted;
		assert_int_equal(start_create(&task, &e), -1);
		if (!strstr(trace, pairs[i].why) ||
			!strstr(trace, "rebuild the host, which keeps its home") ||
			strncmp(trace, "inspect h; refuse rebuild_needed: ", 33) != 0)
			fail_msg("%s", trace);
	}
	again(); // a new one gets the ids that the host has now
	answers.inspect = DOCKER_ABSENT;
	answers.ids = (struct container_ids){0};
	struct err e;
	assert_int_equal(start_create(&task, &e), 0);
}

static void what_a_failed_removal_has_left_is_not_started(void **state)
{
	struct err e;

	(void)state;
	answers.removal_failed = true;
	assert_int_equal(start_create(&task, &e), -1);
	assert_did(
		"inspect h; refuse rebuild_needed: a removal of the host's container has failed, so that "
		"Docker starts it no more: rebuild the host, which keeps its home; ");
	again();
	answers.removal_failed = true;
	answers.inspect = DOCKER_ABSENT; // then it is gone after all
	assert_int_equal(start_create(&task, &e), 0);
}

#define LOOK "look at made; "

static void boot_finds_the_running_container(void **state)
{
	const struct row rows[] = {
		{NULL, 0, 0, LOOK "start made; inspect made; netns /key; "},
		{&answers.rootfs, -1, -1, LOOK "fail docker: /etc is a link; "},
		{&answers.rootfs, WAIT_CANCELED, WAIT_CANCELED, LOOK},
		{&answers.rootfs, ROOTFS_UNFIT, -1,
			LOOK
			"refuse rebuild_needed: the container cannot be started safely, /etc is "
			"a link; rebuild the host, which keeps its home; "},
		{&answers.start, -1, -1, LOOK "start made; fail docker: not started; "},
		{&answers.start, WAIT_CANCELED, WAIT_CANCELED, LOOK "start made; "},
		{&answers.inspect, -1, -1,
			LOOK "start made; inspect made; fail docker: not inspected; "},
		{&answers.netns, -1, -1,
			LOOK
			"start made; inspect made; netns /key; fail docker_failed: no namespace; "},
	};
	struct err e;
	(void)state;
	try_rows(start_boot, rows, ARRAY_SIZE(rows));
	again();
	assert_int_equal(start_boot(&task, &e), 0);
	assert_string_equal(ht.run.container_id, "found");
	assert_string_equal(ht.run.started_at, "now");
	assert_int_equal(ht.run.pid, 78);
	assert_int_equal(ht.run.ns_fd, 5);
	again();
	answers.running = false;
	assert_int_equal(start_boot(&task, &e), -1);
	assert_did(LOOK "start made; inspect made; fail docker: the container ended at once with "
			"status 3: it is tired; ");
}

static void the_wall_is_loaded_closed(void **state)
{
	const struct row rows[] = {
		{NULL, 0, 0, "init tun0; load; "},
		{&answers.init, -1, -1, "init tun0; fail inventory: no socket; "},
		{&answers.load, -1, -1, "init tun0; load; fail inventory: no rules; "},
	};
	(void)state;
	try_rows(start_wall, rows, ARRAY_SIZE(rows));
}

#define TUNNEL "tunnel cabc with /data/hosts/h/wireguard.key; "

static void the_tunnel_starts_and_the_exit_answers(void **state)
{
	const struct row rows[] = {
		{NULL, 0, 0, TUNNEL "reach; "},
		{&answers.copy, -1, -1, "fail settings_incomplete: no copy; "},
		{&answers.key, -1, -1, "fail settings_incomplete: no private key; "},
		{&answers.tunnel, -1, -1, TUNNEL "fail tunnel_no_handshake: no tunnel; "},
		{&answers.tunnel, WAIT_CANCELED, WAIT_CANCELED, TUNNEL},
		{&answers.tunnel, TUNNEL_UNUSABLE, -1,
			TUNNEL "fail settings_incomplete: no tunnel; "},
		{&answers.tunnel, TUNNEL_UNFIT, -1, TUNNEL "refuse machine_unfit: no tunnel; "},
		{&answers.reach, WAIT_CANCELED, WAIT_CANCELED, TUNNEL "reach; "},
		{&answers.reach, -1, -1, TUNNEL "reach; fail tunnel_no_handshake: silence; "},
		{&answers.reach, TUNNEL_UNANSWERED, -1,
			TUNNEL "reach; fail tunnel_no_handshake: the exit x1 did not answer within "
			       "3 s: register the key public key with it for 10.0.0.2/32 "
			       "(silence); "},
	};
	struct err e;
	(void)state;
	try_rows(start_tunnel, rows, ARRAY_SIZE(rows));
	again();
	spec.exit.tunnel.link.mtu = 1420;
	assert_int_equal(start_tunnel(&task, &e), 0);
	assert_checks("handshake; ");
	assert_int_equal(
		ht.run.exit.spec.tunnel.link.mtu, 1420); // what its inventory is compared with
	again();
	spec.exit.tunnel.mtu_open = true;
	assert_int_equal(start_tunnel(&task, &e), 0);
	assert_int_equal(ht.run.exit.spec.tunnel.link.mtu, 1400);
	again();
	answers.reach = TUNNEL_UNANSWERED;
	answers.keys = -1;
	assert_int_equal(start_tunnel(&task, &e), -1);
	assert_did(TUNNEL "reach; fail tunnel_no_handshake: the exit x1 did not answer within 3 s: "
			  "silence; ");
	again();
	answers.reach = TUNNEL_UNANSWERED;
	answers.own_key = "own key";
	assert_int_equal(start_tunnel(&task, &e), -1);
	assert_non_null(strstr(trace, "register the key own key with it"));
	again();
	spec.exit.tunnel.kind = ht.run.tunnel.kind = &deaf_kind;
	assert_int_equal(start_tunnel(&task, &e), 0);
	assert_checks("reach; ");
	again();
	spec.exit.tunnel.kind = ht.run.tunnel.kind = &deaf_kind;
	answers.reach = TUNNEL_UNANSWERED; // its key, which no proxy knows, is not spoken of
	assert_int_equal(start_tunnel(&task, &e), -1);
	assert_checks("");
	assert_did(TUNNEL "reach; fail proxy_unreachable: the exit x1 did not answer within 3 s: "
			  "silence; ");
	again();
	ht.run.container_id[0] = '\0';
	assert_int_equal(start_tunnel(&task, &e), -1);
	assert_did("fail settings_incomplete: \"\" is not a container's id; ");
}

static void the_closed_wall_is_examined_before_anything_is_asked(void **state)
{
	int failed = OUTCOME_FAILED, unsure = OUTCOME_INCONCLUSIVE;
#define ALL "tunnel; link; wall; probe closed; "
	const struct row rows[] = {
		{NULL, 0, 0, ALL},
		{&answers.prove, -1, -1, "tunnel; fail inconclusive: tunnel; "},
		{&answers.link, -1, -1, "tunnel; link; fail inconclusive: link; "},
		{&answers.check, -1, -1, "tunnel; link; wall; fail inconclusive: wall; "},
		{&answers.probe, -1, -1, ALL "fail inconclusive: probe closed; "},
		{(int *)&answers.proves, failed, -1, ALL "judged failed; "},
		{(int *)&answers.links, unsure, -1, ALL "judged inconclusive; "},
		{(int *)&answers.checks, failed, -1, ALL "judged failed; "},
		{(int *)&answers.probes, failed, -1, ALL "judged failed; "},
	};
	(void)state;
	try_rows(start_examine, rows, ARRAY_SIZE(rows));
}

static void the_exit_is_verified_and_the_open_wall_probed(void **state)
{
	const struct row verify[] = {
		{NULL, 0, 0, "verify; "},
		{&answers.verify, WAIT_CANCELED, WAIT_CANCELED, "verify; "},
		{&answers.verify, -1, -1, "verify; fail inconclusive: verify; "},
		{(int *)&answers.verifies, OUTCOME_INCONCLUSIVE, -1,
			"verify; judged inconclusive; "},
	};
	const struct row prove[] = {
		{NULL, 0, 0, "open for 900 s; probe open; "},
		{&answers.wall_open, -1, -1, "open for 900 s; fail leak: not opened; "},
		{&answers.probe, -1, -1, "open for 900 s; probe open; fail leak: probe open; "},
		{(int *)&answers.probes, OUTCOME_FAILED, -1,
			"open for 900 s; probe open; judged failed; "},
	};
	(void)state;
	try_rows(start_verify, verify, ARRAY_SIZE(verify));
	try_rows(start_prove, prove, ARRAY_SIZE(prove));
}

static void a_way_that_swallows_packets_gets_smaller_ones_if_the_exit_names_none(void **state)
{
	static const struct {
		bool open;
		int fits[3], configure, result;
		const char *done;
		int mtu;
		const char *checks;
	} rows[] = {
		{true, {0}, 0, 0, "verify; ", 1420, "verify; "},
		{true, {1328, 0}, 0, 0, "verify; configure 1328; verify; ", 1328, "mtu; verify; "},
		{true, {1392, 1280, 0}, 0, 0,
			"verify; configure 1392; verify; configure 1280; verify; ", 1280,
			"mtu; mtu; verify; "},
		{true, {1392, 1392, 0}, 0, -1, "verify; configure 1392; verify; judged failed; ",
			1392, "mtu; full_size; "},
		{true, {576, 0}, 0, -1, "verify; judged failed; ", 1420, "full_size; "},
		{false, {1328, 0}, 0, -1, "verify; judged failed; ", 1420, "full_size; "},
		{true, {1328, 0}, -1, -1,
			"verify; configure 1328; fail inconclusive: not configured; ", 1328, ""},
	};
	struct err e;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		again();
		ht.run.exit.spec.tunnel.mtu_open = rows[i].open;
		ht.run.exit.spec.tunnel.link.mtu = 1420;
		answers.fits = rows[i].fits;
		answers.configure = rows[i].configure;
		assert_int_equal(start_verify(&task, &e), rows[i].result);
		assert_did(rows[i].done);
		assert_int_equal(ht.run.exit.spec.tunnel.link.mtu, rows[i].mtu);
		assert_checks(rows[i].checks);
		assert_int_equal(ht.ev.outcome == OUTCOME_PASSED,
			rows[i].result == 0 || rows[i].configure < 0);
	}
	again();
	ht.run.exit.spec.tunnel.mtu_open = true;
	ht.run.exit.spec.tunnel.link.mtu = 1420;
	answers.fits = (const int[]){1328, 0};
	answers.verifies = OUTCOME_FAILED; // which smaller packets do not mend
	assert_int_equal(start_verify(&task, &e), -1);
	assert_did("verify; judged failed; ");
	assert_checks("exit_ip; full_size; ");
}

static void what_was_seen_before_a_verification_failed_is_kept(void **state)
{
	struct err e;
	(void)state;
	answers.verify = -1;
	assert_int_equal(start_verify(&task, &e), -1);
	assert_checks("exit_ip; ");
}

#define GATE "gate of 77 as 2147287040; ask; "
#define LIMIT "limit abc of 77 by 512; "
#define OPENED GATE LIMIT "go on; "
#define SILENT(why) "the container's sshd does not answer (" why "): rebuild the host"

static void the_gate_opens_once_and_sshd_answers(void **state)
{
	const struct row rows[] = {
		{NULL, 0, 0, OPENED "wait for sshd; banner; "},
		{&answers.program, -1, -1, "fail gate_failed: no program; "},
		{&answers.connect, -1, -1, "gate of 77 as 2147287040; fail gate_failed: no gate; "},
		{&answers.connect, WAIT_CANCELED, WAIT_CANCELED, "gate of 77 as 2147287040; "},
		{&answers.ask, -1, -1, GATE "fail gate_failed: no answer; "},
		{(int *)&answers.before, GATE_OPENED, -1,
			GATE "fail gate_failed: the gate was open before the exit was proven; "},
		{&answers.sockets, -1, -1, GATE LIMIT "fail gate_failed: no limit; "},
		{&answers.go, -1, -1, OPENED "fail gate_failed: no answer; "},
		{&answers.go, WAIT_CANCELED, WAIT_CANCELED, OPENED},
		{(int *)&answers.after, GATE_SSHD_UP, 0, OPENED "banner; "},
		{&answers.sshd, -1, -1,
			OPENED "wait for sshd; fail sshd_silent: " SILENT("no sshd") "; "},
		{&answers.sshd, WAIT_CANCELED, WAIT_CANCELED, OPENED "wait for sshd; "},
		{&answers.banner, -1, -1,
			OPENED
			"wait for sshd; banner; fail sshd_silent: " SILENT("no banner") "; "},
		{&answers.banner, WAIT_CANCELED, WAIT_CANCELED, OPENED "wait for sshd; banner; "},
	};
	struct err e;
	(void)state;
	try_rows(start_gate, rows, ARRAY_SIZE(rows));
	again();
	answers.sshd = -1;
	answers.words = "bad configuration option";
	assert_int_equal(start_gate(&task, &e), -1);
	assert_did(OPENED "wait for sshd; fail sshd_silent: " SILENT(
		"no sshd") "; last said inside: bad configuration option; ");
}

static void a_finished_start_is_guarded_and_reported(void **state)
{
	const struct row rows[] = {
		{NULL, 0, 0,
			"set run of 77; guard; verified start of t passed; "
			"observe running (); proven for 900; "
			"ssh of h answers; flush; "},
		{&answers.guard, -1, -1, "set run of 77; guard; fail internal: no watch; "},
	};
	struct err e;
	(void)state;
	try_rows(start_finish, rows, ARRAY_SIZE(rows));
	again();
	assert_int_equal(start_finish(&task, &e), 0);
	assert_true(ht.ev_stored);
	assert_int_equal(ht.run.pid, 0); // it is the host's now
	assert_non_null(cJSON_GetObjectItem(task.result, "checks"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(prepare_leaves_nothing_of_an_earlier_run),
		TEST(create_takes_the_container_that_there_is_or_makes_one),
		TEST(a_container_with_other_ids_than_the_host_has_is_not_started),
		TEST(what_a_failed_removal_has_left_is_not_started),
		TEST(boot_finds_the_running_container),
		TEST(the_wall_is_loaded_closed),
		TEST(the_tunnel_starts_and_the_exit_answers),
		TEST(the_closed_wall_is_examined_before_anything_is_asked),
		TEST(the_exit_is_verified_and_the_open_wall_probed),
		TEST(a_way_that_swallows_packets_gets_smaller_ones_if_the_exit_names_none),
		TEST(what_was_seen_before_a_verification_failed_is_kept),
		TEST(the_gate_opens_once_and_sshd_answers),
		TEST(a_finished_start_is_guarded_and_reported),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
