// SPDX-License-Identifier: Apache-2.0
// The skeleton of all programs: main() is a table, this runs it.
#pragma once

#include <stdbool.h>

#include "lib/args.h"
#include "lib/bus.h"
#include "lib/task.h"

struct err;
struct loop;
struct program;

// What a running program has. The hooks get it; `data` is the program's own.
struct service {
	const struct program *program;
	const char *state_dir; // --state-dir
	const char *database; // --database, or made from state_dir and the program's name
	char **words; // what follows `--`, ended by NULL, of a program that takes_words
	int lock_fd;
	struct loop *loop;
	struct bus *bus; // NULL unless the program has one
	// Made by the start hook and stopped by the stop hook of a program that runs tasks, else
	// NULL. In between it gets from the skeleton what it needs of the bus: scans, doorbells,
	// beats and staleness.
	struct task_runner *tasks;
	void *data;
};

// lib/ never logs, with this one exception: program.c is every program's main.
//
// The order is the same everywhere. Every hook may be NULL. A hook that fails ends the program with
// exit status 1 and one log line. In brackets: what the skeleton does itself.
//
//     [arguments, log]     a command (`ccp-api hash`) runs instead of the rest
//     configure            looks at the options, makes `data`
//     [lock]               the flock; waits up to 5 s for a predecessor that is ending
//     listen               listening sockets
//     fork                 helper processes; one thread so far, and no loop
//     [loop]               SIGTERM and SIGINT end it
//     [lock down]          no_new_privs, no core dumps
//     start                threads and pools
//     [bus]                connects; from here on the loop runs
//       registered           once, before the first scan and the first task
//       state, scan, doorbell, beat
//     [SIGTERM, SIGINT]    the loop ends
//     stop                 finishes or hands back, at most a few seconds
//     [unregister]         exit status 0
struct program {
	const char *name; // "ccp-worker"
	const char *summary; // one sentence for --help
	const struct args_option *options; // besides --state-dir, --database, --log-level; or NULL
	const struct args_command *commands; // or NULL
	bool takes_words; // what follows the options is not a command
	// "worker": suffix of the database role, directory in the state directory; NULL: no
	// database.
	const char *bus_name;
	const char *const *channels; // NULL-terminated, besides the queue; or NULL

	// Instead of STATE_DIR/BUS_NAME/lock. Static or in `data`.
	const char *(*lock_path)(struct service *s);
	const char *(*node)(struct service *s); // instead of the machine's name

	int (*configure)(struct service *s, struct err *e);
	int (*listen)(struct service *s, struct err *e);
	int (*fork)(struct service *s, struct err *e);
	int (*start)(struct service *s, struct err *e);
	int (*registered)(struct service *s, const struct bus_identity *identity, struct err *e);
	void (*state)(struct service *s, enum bus_state state);
	void (*scan)(struct service *s); // look for work: after LISTEN and each second
	void (*doorbell)(struct service *s, const char *channel);
	void (*beat)(struct service *s, const struct bus_beat *beat); // not one that says "dead"
	void (*stop)(struct service *s);
};

// A ready-made task_conf.event: logs what happens to tasks in the same words everywhere.
void program_log_task(void *data, enum task_event event, const struct task *task, enum task_end end,
	int64_t took_ms, const struct err *e);

// For a stop hook whose pool did not end: logs that and exits with status 1, threads and all.
_Noreturn void program_leave_threads(void);

// Runs the program; main returns what it returns: 0, 1 failed (logged), 2 bad arguments (said on
// stderr), 70 declared dead.
int program_main(const struct program *program, int argc, char **argv);
