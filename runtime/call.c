// SPDX-License-Identifier: Apache-2.0
// Reads the command line of a runtime.
#include "runtime/call.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "lib/err.h"
#include "lib/mem.h"

struct option {
	const char *name; // without dashes; NULL ends a table
	bool takes_value;
	size_t text; // offset in struct call of what it sets, 0: nothing
};

static const struct option global_options[] = {
	{"root", true, 0},
	{"log", true, offsetof(struct call, log)},
	{"log-format", true, offsetof(struct call, log_format)},
	{"criu", true, 0},
	{"rootless", true, 0},
	{"debug", false, 0},
	{"systemd-cgroup", false, 0},
	{0},
};

// Not --no-pivot: the root would be one that a process can leave.
static const struct option create_options[] = {
	{"bundle", true, offsetof(struct call, bundle)},
	{"b", true, offsetof(struct call, bundle)},
	{"console-socket", true, 0},
	{"pid-file", true, 0},
	{"preserve-fds", true, 0},
	{"no-new-keyring", false, 0},
	{0},
};

static const struct option exec_options[] = {
	{"process", true, offsetof(struct call, process)},
	{"p", true, offsetof(struct call, process)},
	{"console-socket", true, 0},
	{"pid-file", true, 0},
	{"preserve-fds", true, 0},
	{"detach", false, 0},
	{"d", false, 0},
	{"tty", false, 0},
	{"t", false, 0},
	{0},
};

static const struct {
	const char *name;
	enum call_verb verb;
	const struct option *options;
} verbs[] = {
	{"create", CALL_CREATE, create_options},
	{"exec", CALL_EXEC, exec_options},
};

static const struct option *option_find(
	const struct option *table, const char *name, size_t name_len)
{
	for (const struct option *o = table; o->name; o++) {
		if (strlen(o->name) == name_len && strncmp(o->name, name, name_len) == 0)
			return o;
	}
	return NULL;
}

// Reads one option: `--name value` or `--name=value`, with one dash or two. Returns how many words
// it takes, or -1.
static int option_read(
	char *const argv[], const struct option *table, struct call *call, struct err *e)
{
	const char *name = argv[0] + strspn(argv[0], "-");
	size_t name_len = strcspn(name, "=");
	const struct option *option = option_find(table, name, name_len);
	const char *value = name[name_len] == '=' ? name + name_len + 1 : argv[1];

	if (!option)
		return err_say(e, EINVAL, "ccp-runtime does not know the option %s", argv[0]);
	if (!option->takes_value)
		return 1;
	if (!value)
		return err_say(e, EINVAL, "%s needs a value", argv[0]);
	if (option->text)
		memcpy((char *)call + option->text, &value, sizeof(value));
	return value == argv[1] ? 2 : 1;
}

// Moves *argv behind the options. Returns 0, or -1 at one that is not known.
static int options_read(
	char *const **argv, const struct option *table, struct call *call, struct err *e)
{
	while (**argv && (**argv)[0] == '-') {
		int words = option_read(*argv, table, call, e);
		if (words < 0)
			return -1;
		*argv += words;
	}
	return 0;
}

static bool has_word(char *const argv[], const char *word)
{
	for (; *argv; argv++) {
		if (strcmp(*argv, word) == 0)
			return true;
	}
	return false;
}

int call_read(char *const argv[], struct call *ret, struct err *e)
{
	char *const *at = argv + (argv[0] ? 1 : 0);

	*ret = (struct call){0};
	if (options_read(&at, global_options, ret, e) < 0)
		return has_word(at, "create") ? -1 : 0;
	for (size_t i = 0; i < ARRAY_SIZE(verbs) && *at; i++) {
		if (strcmp(*at, verbs[i].name) != 0)
			continue;
		at++;
		ret->verb = verbs[i].verb;
		int r = options_read(&at, verbs[i].options, ret, e);
		if (ret->verb == CALL_CREATE && r == 0 && !ret->bundle)
			return err_say(e, EINVAL, "ccp-runtime create needs --bundle");
		return ret->verb == CALL_CREATE ? r : 0;
	}
	return 0;
}
