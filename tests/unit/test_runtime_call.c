// SPDX-License-Identifier: Apache-2.0
// ccp-runtime's command line, the ids of a container, and where errors go.
// uses: runtime/call.c runtime/ids.c runtime/report.c
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "runtime/call.h"
#include "runtime/ids.h"
#include "runtime/report.h"

static struct call read_fine(char *const argv[])
{
	struct call call;
	struct err e;
	assert_int_equal(call_read(argv, &call, &e), 0);
	return call;
}

static void create_as_containerd_calls_it(void **state)
{
	char *const words[] = {"ccp-runtime", "--root", "/run/r", "--log", "/b/log.json",
		"--log-format", "json", "--systemd-cgroup", "create", "--bundle", "/b",
		"--pid-file", "/b/init.pid", "id", NULL};
	struct call call = read_fine(words);
	(void)state;
	assert_int_equal(call.verb, CALL_CREATE);
	assert_string_equal(call.bundle, "/b");
	assert_string_equal(call.log, "/b/log.json");
	assert_string_equal(call.log_format, "json");
	assert_null(call.process);
}

static void values_stand_behind_an_equals_sign_too(void **state)
{
	char *const words[] = {"ccp-runtime", "-log=/l", "--rootless=true", "create", "-b=/b",
		"--preserve-fds=1", "id", NULL};
	struct call call = read_fine(words);
	(void)state;
	assert_int_equal(call.verb, CALL_CREATE);
	assert_string_equal(call.bundle, "/b");
	assert_string_equal(call.log, "/l");
}

static void exec_as_containerd_calls_it(void **state)
{
	char *const words[] = {"ccp-runtime", "--log", "/l", "exec", "--process", "/tmp/p",
		"--detach", "--pid-file", "/b/x.pid", "id", NULL};
	char *const person[] = {"ccp-runtime", "exec", "--cwd", "/", "id", "ls", NULL};
	struct call call = read_fine(words);
	(void)state;
	assert_int_equal(call.verb, CALL_EXEC);
	assert_string_equal(call.process, "/tmp/p");
	call = read_fine(person);
	assert_int_equal(call.verb, CALL_EXEC);
	assert_null(call.process);
}

static void other_calls_are_runcs(void **state)
{
	char *const none[] = {NULL};
	char *const words[][6] = {
		{"ccp-runtime", NULL},
		{"ccp-runtime", "--version", NULL},
		{"ccp-runtime", "--log", NULL},
		{"ccp-runtime", "--new", "state", "id", NULL},
		{"ccp-runtime", "--root", "create", "state", "id", NULL},
		{"ccp-runtime", "delete", "--force", "create", NULL},
		{"ccp-runtime", "features", NULL},
	};
	(void)state;
	assert_int_equal(read_fine(none).verb, CALL_OTHER);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		assert_int_equal(read_fine(words[i]).verb, CALL_OTHER);
}

static void a_create_that_is_not_understood_is_refused(void **state)
{
	static const char *const sentences[] = {"needs --bundle", "--no-pivot", "--new",
		"option --bundl", "--bundle needs a value", "needs --bundle"};
	char *const words[][7] = {
		{"ccp-runtime", "create", "id", NULL},
		{"ccp-runtime", "create", "--bundle", "/b", "--no-pivot", "id", NULL},
		{"ccp-runtime", "--new", "create", "--bundle", "/b", "id", NULL},
		{"ccp-runtime", "create", "--bundl", "/b", "id", NULL},
		{"ccp-runtime", "create", "--bundle", NULL},
		{"ccp-runtime", "create", "--pid-file", "--bundle", "/b", NULL},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct call call;
		struct err e = {0};
		assert_int_equal(call_read(words[i], &call, &e), -1);
		if (!strstr(e.message, sentences[i]))
			fail_msg("number %zu: %s", i, e.message);
	}
}

static void ids_at_the_edges(void **state)
{
	static const char *const good[] = {
		"131072:65536", "131072:131071", "131072:196608", "4294836224:4294967294"};
	static const char *const bad[] = {"", ":", "131072", "131072:", ":65536", "131072:65536 ",
		" 131072:65536", "131072:65536:", "+131072:65536", "0131072:65536", "131072:-1",
		"0x20000:65536", "65536:131072", "0:65536", "131073:300000", "131072:65535",
		"131072:0", "131072:131072", "131072:196607", "131072:4294967295",
		"131072:4294967296", "4294901760:65536", "18446744073709551616:65536",
		"4295098368:65536"};
	struct ids ids;
	struct err e;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		if (ids_parse(good[i], &ids, &e) < 0)
			fail_msg("%s: %s", good[i], e.message);
	}
	assert_true(ids.base == 4294836224 && ids.owner == 4294967294);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (ids_parse(bad[i], &ids, &e) == 0)
			fail_msg("%s was taken", bad[i]);
	}
}

static void an_error_is_a_line_of_json_behind_what_is_there(void **state)
{
	static const char begin[] =
		"before\n{\"level\":\"error\",\"msg\":\"it says \\\"no\\\"\",\"time\":\"20";
	char path[] = "/tmp/ccp-unit-report-XXXXXX", text[512] = "";
	int fd = mkstemp(path);
	struct call call = {.log = path, .log_format = "json"};
	struct err e;
	(void)state;
	assert_true(fd >= 0 && write(fd, "before\n", 7) == 7);
	err_note(&e, 22, "it says \"no\"");
	report_error(&call, &e);
	call.log_format = NULL;
	report_error(&call, &e);
	assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
	unlink(path);
	close(fd);
	assert_int_equal(strncmp(text, begin, strlen(begin)), 0);
	assert_non_null(strstr(text, "Z\"}\ntime=\"20"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(create_as_containerd_calls_it),
		cmocka_unit_test(values_stand_behind_an_equals_sign_too),
		cmocka_unit_test(exec_as_containerd_calls_it),
		cmocka_unit_test(other_calls_are_runcs),
		cmocka_unit_test(a_create_that_is_not_understood_is_refused),
		cmocka_unit_test(ids_at_the_edges),
		cmocka_unit_test(an_error_is_a_line_of_json_behind_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
