// SPDX-License-Identifier: Apache-2.0
// Log lines: one write each, quoted so that nothing from outside can forge one, never longer than
// the limit.
#include "lib/log.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"

static int saved_stderr, reader;
static char line[LOG_LINE_MAX + 1];

static int redirect(void **state)
{
	int ends[2];

	(void)state;
	if (pipe(ends) != 0)
		return -1;
	saved_stderr = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	reader = ends[0];
	log_init("unit", LOG_LEVEL_INFO);
	return 0;
}

static int restore(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	return close(reader);
}

static const char *last_line(void)
{
	ssize_t len = read(reader, line, sizeof(line) - 1);

	line[len > 0 ? len : 0] = '\0';
	return line;
}

static void fields_follow_the_event(void **state)
{
	struct err e;

	(void)state;
	(void)!err_sql(&e, "CP409", "the host is busy", NULL, NULL);
	log_info("host started", log_text("host", "ab12"), log_number("ms", -4),
		log_text("none", NULL), log_err(&e));
	const char *tail = strstr(last_line(), "level=");
	_cleanup_(freep) char *wanted = xasprintf(
		"level=info program=unit pid=%d event=\"host started\" host=ab12 ms=-4 none=\"\" "
		"error=\"the host is busy\" sqlstate=CP409\n",
		(int)getpid());
	assert_string_equal(tail, wanted);
}

static void nothing_from_outside_forges_a_line(void **state)
{
	(void)state;
	log_warning("x", log_text("value", "a\nlevel=error \"q\" \\ \x1b[31m \xff="));
	const char *text = last_line();
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_non_null(
		strstr(text, "value=\"a\\x0alevel=error \\\"q\\\" \\\\ \\x1b[31m \\xff=\"\n"));
}

static void a_long_value_is_cut_within_its_quotes(void **state)
{
	char *huge = xcalloc(1, 3 * LOG_LINE_MAX);

	(void)state;
	memset(huge, '\n', 3 * LOG_LINE_MAX - 1);
	log_error("x", log_text("value", huge), log_text("later", "y"));
	freep(&huge);
	size_t len = strlen(last_line());
	assert_in_range(len, LOG_LINE_MAX - 8, LOG_LINE_MAX);
	assert_string_equal(line + len - 2, "\"\n");
	assert_null(strstr(line, "later"));
}

static void lower_levels_are_not_written(void **state)
{
	(void)state;
	log_debug("quiet");
	log_info("loud");
	assert_non_null(strstr(last_line(), "event=loud"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_follow_the_event),
		cmocka_unit_test(nothing_from_outside_forges_a_line),
		cmocka_unit_test(a_long_value_is_cut_within_its_quotes),
		cmocka_unit_test(lower_levels_are_not_written),
	};

	return cmocka_run_group_tests(tests, redirect, restore);
}
