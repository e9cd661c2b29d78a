// SPDX-License-Identifier: Apache-2.0
// The kind proxy on a machine that this test is: what comes before what, and what is left when it fails.
// uses: agent/tunnel/proxy.c agent/tunnel/proxy_log.c agent/tunnel/proxy_config.c agent/tunnel/proxy_outbound.c
// uses: agent/tunnel/member.c agent/evidence.c
#include "tests/unit/proxy_fakes.h"

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
	machine.open_exit = -1;
	p = TUNNEL_PULSE_INIT;
	assert_int_equal(proxy_kind.pulse_open(&place, &t, &p, &e), -1);
	tun_read_close(&p.read);
	assert_int_equal(lowest_free_fd(), before);
}

static void the_exit_of_a_host_that_sends_is_asked_until_it_answers(void **state)
{
	struct tunnel t = {.name = NAME, .pidfd = -1};
	struct tunnel_pulse p = TUNNEL_PULSE_INIT;
	struct err e;
	static const struct {
		bool host_sends, exit_is_away, asked;
		int heard;
	} rows[] = {
		{false, true, false, 0},
		{true, false, true, 0},
		{false, true, false, 0},
		{true, true, true, TUNNEL_UNANSWERED},
		{false, true, true, TUNNEL_UNANSWERED},
		{false, false, true, 0},
		{false, true, false, 0},
	};
	(void)state;
	assert_int_equal(proxy_kind.pulse_open(&place, &t, &p, &e), 0);
	trace[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		machine.host_sends = rows[i].host_sends;
		machine.exit_is_away = rows[i].exit_is_away;
		assert_int_equal(proxy_kind.pulse_ask(&p, &e), 0);
		assert_did(rows[i].asked ? "ask the exit; " : "");
		assert_int_equal(p.read.own, rows[i].asked ? 2 : 1);
		assert_int_equal(proxy_kind.pulse_hear(&p, &e), rows[i].heard);
	}
	tun_read_close(&p.read);
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
		TEST(the_exit_of_a_host_that_sends_is_asked_until_it_answers),
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
