// SPDX-License-Identifier: Apache-2.0
// What an OCI runtime is asked for on its command line, as far as it concerns us before runc.
#pragma once

#include "lib/attr.h"

struct err;

// Texts point into argv.
struct call {
	enum call_verb { CALL_OTHER, CALL_CREATE, CALL_EXEC } verb;
	const char *bundle; // of create: the directory of config.json
	const char *process; // of exec: its file, or NULL
	const char *log; // file for errors, NULL: stderr alone
	const char *log_format; // "json": one object a line, as containerd reads it; NULL or "text"
};

// Reads `runc [option...] VERB [option...] ID` (runc(8), runc-create(8), runc-exec(8)). `log` is
// there as soon as it was read, for the error too. Only `create` can be an error: without --bundle,
// and with an option that is not known, before or behind it. For every other verb that we do not
// understand runc has the word.
_must_check_ int call_read(char *const argv[], struct call *ret, struct err *e);
