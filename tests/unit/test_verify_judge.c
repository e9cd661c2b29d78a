// SPDX-License-Identifier: Apache-2.0
// What a verification asks, and what it makes of the answers.
// uses: agent/verify/verify_query.c agent/verify/verify_judge.c agent/evidence.c
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/verify/verify_judge.h"
#include "lib/err.h"
#include "lib/json.h"

static struct verify_spec spec_of(enum verify_kind kind, const cJSON *echoes, const cJSON *targets)
{
	struct verify_spec spec = {.kind = kind,
		.expected = ADDR_V4(203, 0, 113, 1),
		.resolver = ADDR_V4(198, 18, 0, 53),
		.echo_urls = echoes,
		.connect_targets = targets,
		.dns_check_zone = "check.lab.example"};
	return spec;
}

// One query per letter: e echo, c target, n name, and of the target before it S one in packets of 1328
// bytes, Z one of 576, T a small request; then its state and, for an echo, its answer.
//   .  running    +  done (an echo: the expected address)   !  done, another address
//   ?  resolving  x  failed   s  failed, the resolver was silent   r  failed, refused
//   t  failed, but answered over TCP   T  the same, and UDP is still waited for
//   l  a target that has answered little, and is running   b  the same, and has hung up
//   L  running, late, and the request has not arrived   A  the same, but it has   B  and little was answered
//   P  like A, but the packets are a proxy's
static enum query_kind kind_of(char letter)
{
	static const char letters[] = {[QUERY_ECHO] = 'e',
		[QUERY_NAME] = 'n',
		[QUERY_TARGET] = 'c',
		[QUERY_SIZED] = 'S',
		[QUERY_THIN] = 'T'};
	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (letters[i] == letter)
			return (enum query_kind)i;
	assert_int_equal(letter, 'Z');
	return QUERY_SIZED;
}

static void traffic_of(struct query *q, char state)
{
	if (!query_is_target(q))
		return;
	q->traffic = (struct query_traffic){.connected = state != 'x' && state != '?',
		.arrived = strchr("+lbABP", state),
		.heard = state == '+'           ? 4000
			 : strchr("lbB", state) ? 100
						: 0,
		.there = state == 'P' ? 8948 : 1420,
		.back = strchr("lbB", state) ? 152 : 1400};
	q->late = strchr("LABP", state);
	if (state == 'b')
		q->state = QUERY_DONE;
}

static struct queries queries_of(const char *text)
{
	struct queries q = {0};
	const struct query *target = NULL;
	for (; *text; text += 2) {
		struct query *one = &q.of[q.count++];
		*one = (struct query){.host = "source",
			.kind = kind_of(*text),
			.state = strchr("?T", text[1]) ? QUERY_RESOLVING : QUERY_RUNNING,
			.by_tcp = text[1] == 't' || text[1] == 'T'};
		traffic_of(one, text[1]);
		if (one->kind == QUERY_TARGET)
			target = one;
		one->of = strchr("SZT", *text) ? target : NULL;
		one->size = *text == 'S' ? 1328 : *text == 'Z' ? 576 : 0;
		if (text[1] == '+' || text[1] == '!') {
			one->state = QUERY_DONE;
			one->answer = (struct addr)ADDR_V4(203, 0, 113, 1);
			one->answer.bytes[3] = text[1] == '+' ? 1 : 2;
		}
		if (strchr("xst", text[1])) {
			query_fail(one, "it said no");
			one->unheard = text[1] == 's';
		}
		if (text[1] == 'r')
			query_fail(one, "it was refused");
	}
	return q;
}

struct expectation {
	enum outcome outcome;
	const char *code, *detail; // detail: a part of it
};
#define PASSED(detail) \
	{ \
		OUTCOME_PASSED, NULL, detail \
	}
#define FAILED(code, detail) \
	{ \
		OUTCOME_FAILED, code, detail \
	}
#define UNSURE(detail) \
	{ \
		OUTCOME_INCONCLUSIVE, "inconclusive", detail \
	}

// clang-format off
static const struct {
	enum verify_kind kind;
	const char *queries;
	struct expectation exit_ip, dns, connectivity;
} cases[] = {
	{VERIFY_FULL, "e+e+e+c+n+n+n+", PASSED("203.0.113.1 seen by 3 of 3 sources"),
		PASSED("198.18.0.53 answered for 3 unique names"), PASSED("1 of 1 targets answered")},
	{VERIFY_FULL, "e+e+e+e.exc+cxn+n+n+", PASSED("seen by 3 of 5 sources"),
		PASSED("answered for 3"), PASSED("1 of 2 targets answered")},
	{VERIFY_FULL, "e+e+exc+n+", UNSURE("2 of 3 sources answered, 3 needed; it said no"),
		PASSED("answered for 1"), PASSED("1 of 1")},
	{VERIFY_FULL, "e+exerc+nxnr", UNSURE("3 needed; it said no"), FAILED("dns_failed", "it said no"), PASSED("")},
	{VERIFY_FULL, "e+e+e.c+n+", UNSURE("2 of 3 sources answered, 3 needed; no answer in time"),
		PASSED(""), PASSED("")},
	{VERIFY_FULL, "e+e+e+e!c.n.", FAILED("exit_mismatch", "source saw 203.0.113.2, expected 203.0.113.1"),
		UNSURE("not finished"), UNSURE("not finished")},
	{VERIFY_FULL, "e!e.e.c+n+", FAILED("exit_mismatch", "saw 203.0.113.2"), PASSED(""), PASSED("")},
	{VERIFY_FULL, "e!cxnx", FAILED("exit_mismatch", "saw"), UNSURE("not finished"), UNSURE("not finished")},
	{VERIFY_FULL, "exexexcxnx", UNSURE("0 of 3"), FAILED("dns_failed", "198.18.0.53: it said no"), UNSURE("it said no")},
	{VERIFY_FULL, "exexexcxns", UNSURE("0 of 3"), UNSURE("neither 198.18.0.53 nor any other"), UNSURE("it said no")},
	{VERIFY_FULL, "exexexcxnsnx", UNSURE("0 of 3"), FAILED("dns_failed", ""), UNSURE("")},
	{VERIFY_FULL, "e+exexcxns", UNSURE("1 of 3"), FAILED("dns_failed", ""), UNSURE("")},
	{VERIFY_FULL, "exexexc+ns", UNSURE("0 of 3"), FAILED("dns_failed", ""), PASSED("")},
	{VERIFY_FULL, "e.e.e.c.n.", UNSURE("0 of 3"), UNSURE("no answer in time"), UNSURE("no answer in time")},
	{VERIFY_FULL, "e+e+e+c.n.", PASSED(""), FAILED("dns_failed", "no answer in time"), UNSURE("no answer in time")},
	{VERIFY_FULL, "e+e+e+c+n+n.", PASSED(""), UNSURE("1 of 2 names over UDP, 0 over TCP; no answer in time"), PASSED("")},
	{VERIFY_FULL, "e+e+e+c+n+ns", PASSED(""), UNSURE("alive but busy"), PASSED("")},
	{VERIFY_FULL, "e+e+e+c+n+nr", PASSED(""), FAILED("dns_failed", "it was refused"), PASSED("")},
	{VERIFY_FULL, "e+e+e+c+nsnsns", PASSED(""), FAILED("dns_failed", "it said no"), PASSED("")},
	{VERIFY_FULL, "e+e+e+c+ntntnt", PASSED(""),
		UNSURE("198.18.0.53 is alive but busy: it answered for 0 of 3 names over UDP, 3 over TCP; it said no"), PASSED("")},
	{VERIFY_FULL, "e+e+e+c+n+ntns", PASSED(""), UNSURE("1 of 3 names over UDP, 1 over TCP"), PASSED("")},
	{VERIFY_FULL, "e+e+e+c+ntnr", PASSED(""), UNSURE("0 of 2 names over UDP, 1 over TCP"), PASSED("")},
	{VERIFY_FULL, "e+e+e+c+nTns", PASSED(""), UNSURE("0 of 2 names over UDP, 1 over TCP"), PASSED("")},
	{VERIFY_FULL, "exexexcxnt", UNSURE("0 of 3"), UNSURE("alive but busy"), UNSURE("")},
	{VERIFY_FULL, "e!e+e+c+nt", FAILED("exit_mismatch", ""), UNSURE("not finished"), PASSED("")},
	{VERIFY_LIGHT, "e+nt", PASSED("seen by 1 of 1 sources"), UNSURE("alive but busy"), UNSURE("")},
	{VERIFY_LIGHT, "e+ns", PASSED(""), FAILED("dns_failed", ""), UNSURE("")},
	{VERIFY_FULL, "e+e+e+c+n+nx", PASSED(""), FAILED("dns_failed", "it said no"), PASSED("")},
	{VERIFY_LIGHT, "e+n+", PASSED("seen by 1 of 1 sources"), PASSED("answered for 1"), UNSURE("")},
	{VERIFY_LIGHT, "exn+", UNSURE("0 of 1 sources answered, 1 needed"), PASSED(""), UNSURE("")},
	{VERIFY_LIGHT, "e!n+", FAILED("exit_mismatch", ""), PASSED(""), UNSURE("")},
};
// clang-format on

static void check_is(const struct verify_result *r, enum verify_check check,
	const struct expectation *expected, const char *queries)
{
	const char *code = r->checks[check].code;
	if (r->checks[check].outcome != expected->outcome ||
		strcmp(code ? code : "", expected->code ? expected->code : "") != 0 ||
		!strstr(r->checks[check].detail, expected->detail))
		fail_msg("%s, check %d: %s %s \"%s\", expected %s %s \"%s\"", queries, check,
			outcome_name(r->checks[check].outcome), code, r->checks[check].detail,
			outcome_name(expected->outcome), expected->code, expected->detail);
}

static void each_state_of_the_queries_has_its_outcome(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct verify_spec spec = spec_of(cases[i].kind, NULL, NULL);
		struct queries q = queries_of(cases[i].queries);
		struct tallies t = tallies_of(&spec, &q);
		struct verify_result r = {0};
		judge(&spec, &t, &r);
		check_is(&r, CHECK_EXIT_IP, &cases[i].exit_ip, cases[i].queries);
		check_is(&r, CHECK_DNS, &cases[i].dns, cases[i].queries);
		check_is(&r, CHECK_CONNECTIVITY, &cases[i].connectivity, cases[i].queries);
	}
}

// clang-format off
static const struct {
	const char *queries;
	struct expectation connectivity, full_size;
} ways[] = {
	{"c+", PASSED("1 of 1 targets answered"), PASSED("source was asked in packets of 1420 bytes and answered in packets of 1400")},
	{"cxc+", PASSED("1 of 2"), PASSED("answered in packets of 1400")},
	{"cbc+", PASSED("2 of 2"), PASSED("answered in packets of 1400")},
	{"cb", PASSED("1 of 1"), PASSED("asked in packets of 1420 bytes; no answer filled one, the largest had 152")},
	{"clS.Z.T.", PASSED("1 of 1"), PASSED("no answer filled one")},
	{"c.", UNSURE("no answer in time"), UNSURE("no target has answered a request that fills a packet: no answer in time")},
	{"cx", UNSURE("it said no"), UNSURE("no target has answered a request that fills a packet: it said no")},
	{"e!c.", UNSURE("not finished"), UNSURE("not finished")},
	// swallowed there, back, both ways
	{"cLT+S+Z+", PASSED("source answered when it was asked in small packets"),
		FAILED("mtu", "packets of 1420 bytes are lost on the way to the exit, those of 1328 pass: lower the exit's wg_mtu to 1328")},
	{"cLT+S.Z+", PASSED(""), FAILED("mtu", "large packets are lost on the way to the exit, those of 1280 bytes too: lower the MTU of the machine's uplink")},
	{"cAT.S+Z+", PASSED(""), FAILED("mtu", "are lost on the way back from the exit, those of 1328 pass")},
	{"cBT.S+Z+", PASSED("1 of 1 targets answered"), FAILED("mtu", "back from the exit")},
	{"cLT.S+Z+", PASSED(""), FAILED("mtu", "are lost both ways")},
	{"cbcAT.S+Z+", PASSED("1 of 2"), FAILED("mtu", "back from the exit")},
	{"c+cAT.S+Z+", PASSED("1 of 2"), PASSED("answered in packets of 1400")},
	{"cPT+S.Z.", PASSED(""), FAILED("mtu", "lost on the way to the exit, those of 1280 bytes too")},
	// a target's own doing
	{"cAT+S.Z.", UNSURE("no answer in time"), UNSURE("no answer in time")},
	{"cAT.S.Z.", UNSURE(""), UNSURE("")},
	{"cLT.S.Z.", UNSURE(""), UNSURE("")},
	{"cxT+S+Z+", UNSURE("it said no"), UNSURE("it said no")},
	{"cBTbSbZb", PASSED("1 of 1"), PASSED("no answer filled one")},
	{"c.T+S+Z+", UNSURE(""), UNSURE("")}, // early
};
// clang-format on

static void what_fills_a_packet_tells_of_the_way(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct verify_spec spec = spec_of(VERIFY_FULL, NULL, NULL);
		struct queries q = queries_of(ways[i].queries);
		struct tallies t = tallies_of(&spec, &q);
		struct verify_result r = {0};
		judge(&spec, &t, &r);
		check_is(&r, CHECK_CONNECTIVITY, &ways[i].connectivity, ways[i].queries);
		check_is(&r, CHECK_FULL_SIZE, &ways[i].full_size, ways[i].queries);
	}
}

static void the_observed_address_is_what_a_source_saw_and_never_a_guess(void **state)
{
	static const struct {
		const char *queries, *observed;
	} seen[] = {{"e+exex", "203.0.113.1"}, {"e+e+e!", "203.0.113.2"}, {"exexex", NULL},
		{"e.", NULL}};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		struct verify_spec spec = spec_of(VERIFY_FULL, NULL, NULL);
		struct queries q = queries_of(seen[i].queries);
		struct tallies t = tallies_of(&spec, &q);
		struct verify_result r = {0};
		char text[ADDR_TEXT_MAX];
		judge(&spec, &t, &r);
		if (seen[i].observed)
			assert_string_equal(addr_text(&r.observed, text), seen[i].observed);
		else
			assert_int_equal(r.observed.family, 0);
	}
}

// The ended checks as letters: e exit_ip, d dns, c connectivity, f full_size; then | when all is over.
static void a_verification_is_over_when_nothing_can_change_it(void **state)
{
	static const struct {
		const char *queries;
		bool lingered;
		const char *ended;
	} at[] = {
		{"e.c.n.", false, ""},
		{"e?c?n?", false, ""},
		{"e.c.n+", false, "d"},
		{"e.c.nt", false, "d"},
		{"e.c.nT", false, ""},
		{"e.c+n.", false, "cf"},
		{"e.c+c.n.", false, "cf"},
		{"e.cbn.", false, "cf"},
		{"e.cln.", false, "c"},
		{"e.cln.", true, "ec"},
		{"e.cBn.", false, "c"},
		{"e.cBn.", true, "ecf"},
		{"e.cbc.n.", true, "ec"},
		{"e.cbc?n.", true, "ecf"},
		{"e.cLT.S.Z.n.", true, "e"},
		{"e.cLT.S.Z+n.", true, "ecf"},
		{"e.cxc.n.", false, ""},
		{"e.cxcxn.", false, "cf"},
		{"e+c.n.", false, "e"},
		{"e+e.c.n.", false, ""},
		{"e+e.c.n.", true, "e"},
		{"exc.n.", false, "e"},
		{"e!e.c.n.", false, "e|"},
		{"e+c+n+", false, "edcf|"},
		{"e+e.c+n+", false, "dcf"},
		{"e+e.c+n+", true, "edcf|"},
		{"e+c.n+", true, "ed"},
		{"e+c+n+n.", true, "ecf"},
		{"e+n+", false, "edcf|"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		struct verify_spec spec = spec_of(VERIFY_FULL, NULL, NULL);
		struct queries q = queries_of(at[i].queries);
		struct tallies t = tallies_of(&spec, &q);
		char ended[8] = "";
		for (enum verify_check check = 0; check < VERIFY_CHECKS; check++)
			if (judge_has_ended(&t, check, at[i].lingered))
				ended[strlen(ended)] = "edcf"[check];
		if (judge_is_over(&t, at[i].lingered))
			strcat(ended, "|");
		if (strcmp(ended, at[i].ended) != 0)
			fail_msg("%s: \"%s\", expected \"%s\"", at[i].queries, ended, at[i].ended);
	}
}

static void three_equal_answers_are_enough_or_one_of_a_light_one(void **state)
{
	static const struct {
		enum verify_kind kind;
		const char *queries;
		bool enough;
	} at[] = {
		{VERIFY_FULL, "e+e+", false},
		{VERIFY_FULL, "e+e+e!", false},
		{VERIFY_FULL, "e+e+e+", true},
		{VERIFY_FULL, "e+e+e+e.", true},
		{VERIFY_LIGHT, "e+", true},
		{VERIFY_LIGHT, "e.", false},
		{VERIFY_LIGHT, "n+", false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		struct verify_spec spec = spec_of(at[i].kind, NULL, NULL);
		struct queries q = queries_of(at[i].queries);
		struct tallies t = tallies_of(&spec, &q);
		assert_int_equal(judge_has_enough(&spec, &t), at[i].enough);
	}
}

static cJSON *texts(const char *const *text, size_t count)
{
	cJSON *array = json_new_array();
	for (size_t i = 0; i < count; i++)
		json_add_text(array, text[i]);
	return array;
}
#define TEXTS(...) \
	texts((const char *const[]){__VA_ARGS__}, ARRAY_SIZE(((const char *const[]){__VA_ARGS__})))

static void a_full_verification_asks_everything(void **state)
{
	_cleanup_(json_freep) cJSON *echoes = TEXTS(
		"http://echo.example/", "HTTPS://[2001:db8::7]:8443/ip", "http://203.0.113.9/");
	_cleanup_(json_freep) cJSON *targets = TEXTS("198.18.0.81:443", "target.example:22");
	struct verify_spec spec = spec_of(VERIFY_FULL, echoes, targets);
	static const struct {
		enum query_kind kind;
		const char *host, *port;
	} expected[] = {
		{QUERY_ECHO, "echo.example", "80"},
		{QUERY_ECHO, "2001:db8::7", "8443"},
		{QUERY_ECHO, "203.0.113.9", "80"},
		{QUERY_TARGET, "198.18.0.81", "443"},
		{QUERY_TARGET, "target.example", "22"},
	};
	struct queries q;
	struct err e;
	(void)state;
	assert_int_equal(queries_make(&spec, &q, &e), 0);
	assert_int_equal(q.count, ARRAY_SIZE(expected) + QUERY_NAMES_FULL);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_int_equal(q.of[i].kind, expected[i].kind);
		assert_int_equal(q.of[i].state, QUERY_RESOLVING);
		assert_string_equal(q.of[i].host, expected[i].host);
		assert_string_equal(q.of[i].port, expected[i].port);
		assert_int_equal(!q.of[i].url, expected[i].kind != QUERY_ECHO);
	}
	for (size_t i = ARRAY_SIZE(expected); i < q.count; i++) {
		assert_int_equal(q.of[i].kind, QUERY_NAME);
		assert_null(q.of[i].url);
		assert_non_null(strstr(q.of[i].host, ".check.lab.example"));
		for (size_t j = ARRAY_SIZE(expected); j < i; j++)
			assert_string_not_equal(q.of[i].host, q.of[j].host);
	}
	queries_done(&q);
}

static void a_light_verification_asks_one_source_and_one_name(void **state)
{
	_cleanup_(json_freep) cJSON *echoes =
		TEXTS("http://a.example/", "http://b.example/", "http://c.example/");
	_cleanup_(json_freep) cJSON *targets = TEXTS("not a target");
	struct verify_spec spec = spec_of(VERIFY_LIGHT, echoes, targets);
	bool seen[3] = {false};
	(void)state;
	for (int i = 0; i < 200; i++) {
		struct queries q;
		struct err e;
		assert_int_equal(queries_make(&spec, &q, &e), 0);
		assert_int_equal(q.count, 2);
		assert_int_equal(q.of[0].kind, QUERY_ECHO);
		assert_int_equal(q.of[1].kind, QUERY_NAME);
		seen[q.of[0].host[0] - 'a'] = true;
		queries_done(&q);
	}
	assert_true(seen[0] && seen[1] && seen[2]); // chosen by chance: each comes
}

static void settings_that_are_not_urls_or_targets_are_named(void **state)
{
	static const struct {
		const char *echo, *target, *named;
	} bad[] = {
		{"ftp://a.example/", "a:1", "echo_urls"},
		{"httpx", "a:1", "echo_urls"},
		{"http://", "a:1", "echo_urls"},
		{"http://a.example/", "a.example", "connect_targets"},
		{"http://a.example/", "a.example:http", "connect_targets"},
		{"http://a.example/", "a.example:99999", "connect_targets"},
		{"http://a.example/", ":1", "connect_targets"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(json_freep) cJSON *echoes = TEXTS(bad[i].echo);
		_cleanup_(json_freep) cJSON *targets = TEXTS(bad[i].target);
		struct verify_spec spec = spec_of(VERIFY_FULL, echoes, targets);
		struct queries q;
		struct err e;
		assert_int_equal(queries_make(&spec, &q, &e), -1);
		assert_int_equal(e.code, EINVAL);
		assert_non_null(strstr(e.message, bad[i].named));
		queries_done(&q);
	}
}

static void an_echo_source_answers_an_address_and_nothing_else(void **state)
{
	static const struct {
		const char *body;
		size_t len;
		enum query_state expected;
	} answers[] = {
		{"203.0.113.1", 11, QUERY_DONE},
		{"203.0.113.1\r\n", 13, QUERY_DONE},
		{"203.0.113.1 \t\n", 14, QUERY_DONE},
		{"", 0, QUERY_FAILED},
		{"\n", 1, QUERY_FAILED},
		{" 203.0.113.1", 12, QUERY_FAILED},
		{"203.0.113.1\0x", 13, QUERY_FAILED},
		{"{\"ip\":\"203.0.113.1\"}", 20, QUERY_FAILED},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct query q = {.kind = QUERY_ECHO, .host = "source", .state = QUERY_RUNNING};
		query_answered(&q, answers[i].body, answers[i].len);
		assert_int_equal(q.state, answers[i].expected);
		if (q.state == QUERY_FAILED)
			assert_string_equal(q.why, "source answered no address");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state_of_the_queries_has_its_outcome),
		cmocka_unit_test(what_fills_a_packet_tells_of_the_way),
		cmocka_unit_test(the_observed_address_is_what_a_source_saw_and_never_a_guess),
		cmocka_unit_test(a_verification_is_over_when_nothing_can_change_it),
		cmocka_unit_test(three_equal_answers_are_enough_or_one_of_a_light_one),
		cmocka_unit_test(a_full_verification_asks_everything),
		cmocka_unit_test(a_light_verification_asks_one_source_and_one_name),
		cmocka_unit_test(settings_that_are_not_urls_or_targets_are_named),
		cmocka_unit_test(an_echo_source_answers_an_address_and_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
