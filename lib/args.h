// SPDX-License-Identifier: Apache-2.0
// The argument parser of all programs: a table of options; --help and --version come with it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/outcome.h"

struct err;

enum args_type {
	ARGS_TEXT, // const char *: points into argv
	ARGS_INT, // int64_t within min..max
	ARGS_FLAG, // bool, takes no argument
	ARGS_ADDRESS, // struct addr_port (lib/addr.h) from "127.0.0.1:8080" or "[::1]:8080"
};

struct args_option {
	const char *name; // without the dashes; NULL ends the table
	enum args_type type;
	void *value; // holds the default before and the answer after
	const char *arg; // placeholder for the usage text, "DIR"
	const char *help; // one line
	int64_t min, max; // ARGS_INT
};

// What a program can do instead of running, named behind its options.
struct args_command {
	const char *name; // `ccp-api hash`; NULL ends the table
	const char *help;
	int (*run)(int argc, char **argv); // argv[0] is the command; the result is the exit status
};

struct args {
	const char *program; // "ccp-api"
	const char *summary; // one sentence
	const struct args_option *options[4]; // tables, NULL-terminated list
	const struct args_command *commands; // or NULL
};

enum args_outcome { ARGS_ANSWERED = OUTCOMES_ARGS }; // --help or --version was printed: exit 0

// Parses argv: `--name VALUE` and `--name=VALUE`. Stops at the first word that is not an option, or
// behind a `--`; *ret_rest is the index of the next word (argc when there is none). Values are
// checked; an unknown option, a missing, repeated or bad value is an error with a sentence that
// shows the right form. Returns 0, ARGS_ANSWERED, -1.
_must_check_ int args_parse(
	const struct args *args, int argc, char **argv, int *ret_rest, struct err *e);
