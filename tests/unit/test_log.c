// SPDX-License-Identifier: Apache-2.0
// Log lines: one write each, quoted so that nothing from outside can forge one, never longer than
// the limit.
#include "lib/log.h"

#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"

static int saved_stderr, reader;
static char line[LOG_LINE_MAX + 1];

static int64_t clock_ms;

static int64_t clock_read(void)
{
	return clock_ms;
}

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
	log_set_clock(clock_read);
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

// As when the disk of the log is full: who reads the pipe waits.
static void a_full_pipe_stops_no_work_and_lost_lines_are_counted(void **state)
{
	char full[4096] = {0};

	(void)state;
	assert_int_equal(fcntl(STDERR_FILENO, F_SETPIPE_SZ, sizeof(full)), sizeof(full));
	assert_int_equal(write(STDERR_FILENO, full, sizeof(full)), sizeof(full));
	alarm(10); // ends the test if it waits
	log_info("one");
	log_info("two");
	alarm(0);
	assert_int_equal(read(reader, full, sizeof(full)), sizeof(full));
	assert_int_equal(fcntl(STDERR_FILENO, F_SETPIPE_SZ, 65536), 65536);
	log_info("three");
	assert_non_null(strstr(last_line(), "level=warning"));
	assert_non_null(strstr(line, "event=\"the log was full, lines are lost\" lines=2\n"));
	assert_non_null(strstr(line, "event=three\n"));
	log_info("four");
	assert_null(strstr(last_line(), "lost"));
	assert_non_null(strstr(line, "event=four\n"));
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

static unsigned lines_waiting(void)
{
	unsigned count = 0;

	log_info("end");
	const char *text = last_line();
	for (const char *at = text; (at = strstr(at, "event=again")); at++)
		count++;
	return count;
}

static void what_others_repeat_is_counted_and_not_written(void **state)
{
	(void)state;
	clock_ms = 1000;
	for (int i = 0; i < 5; i++)
		log_info_often("again", log_number("i", i));
	assert_int_equal(lines_waiting(), 5);
	for (int i = 5; i < 500; i++)
		log_info_often("again", log_number("i", i));
	log_info_often("other");
	assert_int_equal(lines_waiting(), LOG_OFTEN_LINES - 5);
	assert_non_null(strstr(line, "event=other"));
	log_flush();
	assert_int_equal(lines_waiting(), 0); // its time is not over
	clock_ms += LOG_OFTEN_MS;
	log_flush();
	assert_int_equal(lines_waiting(), 1);
	assert_non_null(strstr(line, "event=again more=480\n"));
	log_flush();
	assert_int_equal(lines_waiting(), 0); // once
	log_info_often("again");
	assert_int_equal(lines_waiting(), 1); // and it is written again
}

static void the_count_comes_before_the_next_line(void **state)
{
	(void)state;
	clock_ms += LOG_OFTEN_MS;
	for (int i = 0; i < LOG_OFTEN_LINES + 3; i++)
		log_warning_often("again");
	(void)last_line();
	clock_ms += LOG_OFTEN_MS;
	log_warning_often("again", log_text("which", "next"));
	assert_int_equal(lines_waiting(), 2);
	assert_true(strstr(line, "more=3") < strstr(line, "which=next"));
}

// With more events than there are places for, all lines are written.
static void too_many_events_lose_nothing(void **state)
{
	static char events[LOG_OFTEN_EVENTS][16];

	(void)state;
	clock_ms += LOG_OFTEN_MS;
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		snprintf(events[i], sizeof(events[i]), "other %zu", i);
		log_info_often(events[i]);
	}
	(void)last_line();
	for (int i = 0; i < LOG_OFTEN_LINES + 5; i++)
		log_info_often("again");
	assert_int_equal(lines_waiting(), LOG_OFTEN_LINES + 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_follow_the_event),
		cmocka_unit_test(a_full_pipe_stops_no_work_and_lost_lines_are_counted),
		cmocka_unit_test(nothing_from_outside_forges_a_line),
		cmocka_unit_test(a_long_value_is_cut_within_its_quotes),
		cmocka_unit_test(lower_levels_are_not_written),
		cmocka_unit_test(what_others_repeat_is_counted_and_not_written),
		cmocka_unit_test(the_count_comes_before_the_next_line),
		cmocka_unit_test(too_many_events_lose_nothing),
	};

	return cmocka_run_group_tests(tests, redirect, restore);
}
