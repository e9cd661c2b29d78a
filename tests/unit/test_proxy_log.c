// SPDX-License-Identifier: Apache-2.0
// What a line of the proxy engine's log says: the reason, and nothing of where a user wanted to go.
// uses: agent/tunnel/proxy_log.c
#include "agent/tunnel/proxy_log.h"

#include "tests/unit/unit.h"

#include <string.h>

enum { SIZE = 64 };

static void the_reason_is_what_follows_the_outbound(void **state)
{
	static const struct {
		const char *line, *reason;
	} rows[] = {
		{"ERROR[0001] [3540660892 0ms] connection: open connection to 198.51.100.7:80 using "
		 "outbound/socks[exit]: dial tcp 198.51.100.1:1: connect: connection refused",
			"dial tcp 198.51.100.1:1: connect: connection refused"},
		{"ERROR[0000] [1 5ms] connection: open connection to [exit]: using [exit]: x", "x"},
		{"FATAL[0000] start service: initialize outbound[0]: bad key length",
			"start service: initialize outbound[0]: bad key length"},
		{"ERROR[0000] [1111539467 0ms] router: process DNS packet: dial TCP connection: no",
			"router: process DNS packet: dial TCP connection: no"},
		{"ERROR[0000] network: missing default interface", ""},
		{"ERROR[0003] [1 3.0s] connection: connection upload closed: read tcp "
		 "172.19.0.1:60230->198.51.100.7:53: software caused connection abort",
			""},
		{"panic: runtime error", "panic: runtime error"},
		{"ERROR[0001] bad\tthing \xff\x1b[31m", "bad?thing ??[31m"},
		{"[exit]: ", ""},
		{"", ""},
	};
	char reason[SIZE];
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		proxy_log_reason(rows[i].line, reason, sizeof(reason));
		assert_string_equal(reason, rows[i].reason);
	}
}

static void a_long_one_is_cut(void **state)
{
	char line[2 * SIZE], reason[SIZE];
	(void)state;
	memset(line, 'a', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	proxy_log_reason(line, reason, sizeof(reason));
	assert_int_equal(strlen(reason), SIZE - 1);
	proxy_log_reason(line, reason, 1);
	assert_string_equal(reason, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reason_is_what_follows_the_outbound),
		cmocka_unit_test(a_long_one_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
