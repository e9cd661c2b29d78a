// SPDX-License-Identifier: Apache-2.0
// The one skeleton of all programs: main() is a table, this runs it.
#pragma once

#include <stdbool.h>

#include "lib/bus.h"
#include "lib/args.h"
#include "lib/task.h"

struct err;
struct loop;
struct program;

// What a running program has. The hooks get it; `data` is the program's own.
struct service {
	const struct program *program;
	const char *state_dir; // --state-dir
	const char *database; // --database, or made from state_dir and the program's name
	int lock_fd;
	struct loop *loop;
	struct bus *bus; // NULL unless the program has one
	void *data;
};

// lib/ never logs, with this one exception: program.c is every program's main.
//
// The order is the same everywhere. Every hook may be NULL. A hook that fails ends the program with
// exit status 1 and one log line.
//
//     arguments, log            by the skeleton; commands (`ccp-api hash`) run instead of the rest
//     configure                 look at the options, make `data`
//     (lock)                    the flock, unless lock_name is NULL; waits up to 5 s for a
//     predecessor that is ending listen                    listening sockets fork helper processes;
//     still one thread, no loop (loop, SIGTERM, SIGINT, and SIGCHLD if `child` is set) lock_down
//     no_new_privs, no dumps (always), then the program's own seccomp start threads and pools (bus:
//     register, LISTEN, beat, scan)
//     ... loop runs; SIGTERM or SIGINT: ...
//     stop                      finish or hand back, at most a few seconds
//     (unregister, exit 0)
struct program {
	const char *name; // "ccp-worker"
	const char *summary; // one sentence for --help
	const struct args_option *options; // besides --state-dir, --database, --log-level; or NULL
	const struct args_command *commands; // or NULL
	// "worker": suffix of the database role, directory in the state directory; NULL: no
	// database.
	const char *bus_name;
	const char *const *channels; // NULL-terminated, besides the queue; or NULL
	// called with the service as `data`; state and a beat that says "dead" are handled here as
	// well
	struct bus_hooks hooks;

	const char *(*lock_path)(
		struct service *s); // NULL: <state-dir>/<bus_name>/lock. Static or in `data`
	const char *(*node)(struct service *s); // NULL: the machine's name
	int (*configure)(struct service *s, struct err *e);
	int (*listen)(struct service *s, struct err *e);
	int (*fork)(struct service *s, struct err *e);
	int (*lock_down)(struct service *s, struct err *e);
	int (*start)(struct service *s, struct err *e);
	void (*child)(struct service *s); // SIGCHLD
	void (*stale)(struct service *s); // no beat was answered for 15 s: act on no task any more
	void (*stop)(struct service *s);
};

// A ready-made task_conf.event: logs what happens to tasks in the same words everywhere.
void program_log_task(void *data, enum task_event event, const struct task *task, enum task_end end,
	int64_t took_ms, const struct err *e);

// Runs the program; main returns what it returns: 0, 1 failed (logged), 2 bad arguments (told on
// stderr), 70 declared dead.
int program_main(const struct program *program, int argc, char **argv);
