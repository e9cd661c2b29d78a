// SPDX-License-Identifier: Apache-2.0
// Arguments by table.
#include "lib/args.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/err.h"
#include "lib/mem.h"

enum { USAGE_MAX_BYTES = 16 * 1024, OPTIONS_MAX = 32 };

static const struct args_option *find_option(const struct args *args, const char *name, size_t len)
{
	for (size_t t = 0; t < ARRAY_SIZE(args->options) && args->options[t]; t++)
		for (const struct args_option *o = args->options[t]; o->name; o++)
			if (strlen(o->name) == len && strncmp(o->name, name, len) == 0)
				return o;
	return NULL;
}

static int parse_int(const struct args_option *option, const char *text, struct err *e)
{
	char *end;

	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno || end == text || *end || value < option->min || value > option->max)
		return err_say(e, EINVAL,
			"--%s must be a whole number from %lld to %lld, not \"%.80s\"",
			option->name, (long long)option->min, (long long)option->max, text);
	*(int64_t *)option->value = value;
	return 0;
}

static int parse_value(const struct args_option *option, const char *text, struct err *e)
{
	switch (option->type) {
	case ARGS_TEXT:
		if (!*text)
			return err_say(e, EINVAL, "--%s must not be empty", option->name);
		*(const char **)option->value = text;
		return 0;
	case ARGS_INT:
		return parse_int(option, text, e);
	case ARGS_FLAG:
		*(bool *)option->value = true;
		return 0;
	case ARGS_ADDRESS:
		if (addr_parse_port(text, option->value, e) < 0)
			return err_wrap(e, "--%s", option->name);
		return 0;
	}
	abort();
}

static void usage_line(struct str *usage, const char *name, const char *arg, const char *help)
{
	_cleanup_(freep) char *left = xasprintf("%s%s%s", name, arg ? " " : "", arg ? arg : "");

	str_addf(usage, "  %-28s %s\n", left, help);
}

static char *usage_text(const struct args *args)
{
	_cleanup_(str_done) struct str usage = STR_INIT(USAGE_MAX_BYTES);

	str_addf(&usage, "%s\n\nUsage: %s [OPTION...]%s\n\nOptions:\n", args->summary,
		args->program, args->commands ? " [COMMAND]" : "");
	for (size_t t = 0; t < ARRAY_SIZE(args->options) && args->options[t]; t++)
		for (const struct args_option *o = args->options[t]; o->name; o++) {
			_cleanup_(freep) char *name = xasprintf("--%s", o->name);
			usage_line(&usage, name, o->type == ARGS_FLAG ? NULL : o->arg, o->help);
		}
	usage_line(&usage, "--version", NULL, "print the version");
	usage_line(&usage, "--help", NULL, "print this text");
	if (args->commands)
		str_add(&usage, "\nCommands:\n");
	for (const struct args_command *c = args->commands; c && c->name; c++)
		usage_line(&usage, c->name, NULL, c->help);
	return str_take(&usage);
}

// Where the parser is, and what it has taken.
struct cursor {
	char **argv;
	int argc, at;
	const struct args_option *taken[OPTIONS_MAX];
	size_t taken_count;
};

static int take_once(struct cursor *c, const struct args_option *option, struct err *e)
{
	for (size_t i = 0; i < c->taken_count; i++)
		if (c->taken[i] == option)
			return err_say(e, EINVAL, "--%s is given twice", option->name);
	assert(c->taken_count < OPTIONS_MAX);
	c->taken[c->taken_count++] = option;
	return 0;
}

// Takes the option at the cursor, and the word after it if that is its value.
static int take_option(const struct args *args, struct cursor *c, struct err *e)
{
	const char *word = c->argv[c->at++];
	const char *name = word + 2;
	size_t len = strcspn(name, "=");
	const struct args_option *option = find_option(args, name, len);
	const char *value = name[len] == '=' ? name + len + 1 : NULL;

	if (!option)
		return err_say(
			e, EINVAL, "unknown option \"%.80s\": see %s --help", word, args->program);
	if (option->type == ARGS_FLAG && value)
		return err_say(e, EINVAL, "--%s takes no value", option->name);
	if (option->type != ARGS_FLAG && !value) {
		if (c->at == c->argc)
			return err_say(e, EINVAL, "--%s wants a value: --%s %s", option->name,
				option->name, option->arg);
		value = c->argv[c->at++];
	}
	return take_once(c, option, e) < 0 ? -1 : parse_value(option, value, e);
}

static bool answer_at_once(const struct args *args, const char *word)
{
	if (strcmp(word, "--help") == 0) {
		_cleanup_(freep) char *usage = usage_text(args);
		fputs(usage, stdout);
		return true;
	}
	if (strcmp(word, "--version") == 0) {
		printf("%s %s\n", args->program, CCP_VERSION);
		return true;
	}
	return false;
}

int args_parse(const struct args *args, int argc, char **argv, int *ret_rest, struct err *e)
{
	struct cursor c = {.argv = argv, .argc = argc, .at = 1};

	while (c.at < argc && strncmp(argv[c.at], "--", 2) == 0) {
		if (strcmp(argv[c.at], "--") == 0) {
			c.at++;
			break;
		}
		if (answer_at_once(args, argv[c.at]))
			return ARGS_ANSWERED;
		if (take_option(args, &c, e) < 0)
			return -1;
	}
	*ret_rest = c.at;
	return 0;
}
