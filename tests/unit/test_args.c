// SPDX-License-Identifier: Apache-2.0
// Arguments: what is taken, what is refused and with which words.
#include "lib/args.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/err.h"

static const char *dir;
static int64_t count;
static bool loud;
static struct addr_port address;

static const struct args_option options[] = {
	{.name = "dir", .type = ARGS_TEXT, .value = &dir, .arg = "DIR", .help = "where"},
	{.name = "count",
		.type = ARGS_INT,
		.value = &count,
		.arg = "N",
		.help = "how many",
		.min = 1,
		.max = 9},
	{.name = "loud", .type = ARGS_FLAG, .value = &loud, .help = "say more"},
	{.name = "listen",
		.type = ARGS_ADDRESS,
		.value = &address,
		.arg = "ADDR:PORT",
		.help = "where to listen"},
	{0},
};
static const struct args args = {.program = "p", .summary = "p does.", .options = {options}};

static int parse(const char *const *words, int *rest, struct err *e)
{
	char *argv[10] = {NULL};
	int argc = 0;

	dir = "default";
	count = 5;
	loud = false;
	for (; words[argc]; argc++)
		argv[argc] = xstrdup(words[argc]);
	int r = args_parse(&args, argc, argv, rest, e);
	if (dir && strcmp(dir, "default") != 0)
		dir = strcmp(dir, "/d") == 0 ? "/d" : "other"; // argv goes away
	for (int i = 0; i < argc; i++)
		freep(&argv[i]);
	return r;
}

#define PARSE(rest, e, ...) \
	parse((const char *const[]){"p", __VA_ARGS__ __VA_OPT__(, ) NULL}, rest, e)

static void options_are_taken_in_both_forms(void **state)
{
	char text[ADDR_TEXT_MAX];
	struct err e;
	int rest;

	(void)state;
	assert_int_equal(PARSE(&rest, &e, "--dir", "/d", "--count=7", "--loud", "go", "--dir"), 0);
	assert_string_equal(dir, "/d");
	assert_int_equal(count, 7);
	assert_true(loud);
	assert_int_equal(rest, 5);
	assert_int_equal(PARSE(&rest, &e), 0);
	assert_string_equal(dir, "default");
	assert_int_equal(rest, 1);
	assert_int_equal(PARSE(&rest, &e, "--listen", "[::1]:0"), 0);
	assert_string_equal(addr_text(&address.addr, text), "::1");
}

static void a_value_may_look_like_an_option(void **state)
{
	struct err e;
	int rest;

	(void)state;
	assert_int_equal(PARSE(&rest, &e, "--dir", "--dir"), 0);
	assert_int_equal(rest, 3);
	assert_int_equal(PARSE(&rest, &e, "--dir", "--count=1", "--count", "2"), 0);
	assert_int_equal(count, 2);
}

static void two_dashes_end_the_options(void **state)
{
	struct err e;
	int rest;

	(void)state;
	assert_int_equal(PARSE(&rest, &e, "--"), 0);
	assert_int_equal(rest, 2);
	assert_int_equal(PARSE(&rest, &e, "--loud", "--", "--dir"), 0);
	assert_int_equal(rest, 3);
}

static void wrong_arguments_are_refused_with_the_right_form(void **state)
{
	struct err e;
	int rest;

	(void)state;
	assert_int_equal(PARSE(&rest, &e, "--nope"), -1);
	assert_string_equal(e.message, "unknown option \"--nope\": see p --help");
	assert_int_equal(PARSE(&rest, &e, "--di=x"), -1);
	assert_int_equal(PARSE(&rest, &e, "--dir"), -1);
	assert_string_equal(e.message, "--dir wants a value: --dir DIR");
	assert_int_equal(PARSE(&rest, &e, "--dir="), -1);
	assert_int_equal(PARSE(&rest, &e, "--count", "0"), -1);
	assert_int_equal(PARSE(&rest, &e, "--count", "10"), -1);
	assert_int_equal(PARSE(&rest, &e, "--count", "5x"), -1);
	assert_int_equal(PARSE(&rest, &e, "--count", "99999999999999999999"), -1);
	assert_int_equal(PARSE(&rest, &e, "--loud=1"), -1);
	assert_int_equal(PARSE(&rest, &e, "--dir", "a", "--dir=b"), -1);
	assert_string_equal(e.message, "--dir is given twice");
}

static void the_usage_names_every_option(void **state)
{
	_cleanup_(freep) char *usage = NULL;
	size_t size;
	struct err e;
	int rest;

	(void)state;
	FILE *real = stdout;
	stdout = open_memstream(&usage, &size);
	int r = PARSE(&rest, &e, "--help");
	fclose(stdout);
	stdout = real;
	assert_int_equal(r, ARGS_ANSWERED);
	for (const struct args_option *o = options; o->name; o++)
		assert_non_null(strstr(usage, o->help));
	assert_non_null(strstr(usage, "--version"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_taken_in_both_forms),
		cmocka_unit_test(a_value_may_look_like_an_option),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(wrong_arguments_are_refused_with_the_right_form),
		cmocka_unit_test(the_usage_names_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
