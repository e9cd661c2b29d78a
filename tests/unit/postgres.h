// SPDX-License-Identifier: Apache-2.0
// A PostgreSQL cluster of a test's own, for the tests of lib/db.c and lib/bus.c.
#pragma once

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/proc.h"
#include "lib/wait.h"

static char postgres_dir[] = "/var/tmp/ccp-unit-pg-XXXXXX";
static char postgres_conninfo[128];

// Runs a shell script with $BIN (the newest PostgreSQL's programs) and $DIR, as the system user
// `postgres`. 0 if it exits 0; what it prints goes to stderr.
static inline int postgres_shell(const char *script)
{
	_cleanup_(freep) char *whole = xasprintf(
		"BIN=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1); DIR=%s; as() { "
		"setpriv --reuid postgres --regid postgres --clear-groups \"$@\"; }; exec >&2; %s",
		postgres_dir, script);
	const char *const argv[] = {"sh", "-c", whole, NULL};
	const struct proc_child child = {.path = "/bin/sh", .argv = argv, .output_max_bytes = 4096};
	_cleanup_(proc_result_done) struct proc_result result = {0};
	struct wait w = wait_for(60000, -1);
	struct err e;

	if (proc_run(&child, &w, &result, &e) != 0) {
		fprintf(stderr, "%s\n", e.message);
		return -1;
	}
	return result.exit_code;
}

static inline int postgres_stop(void)
{
	return postgres_shell("as $BIN/pg_ctl -D $DIR/data -m immediate -w stop");
}

static inline int postgres_begin(void)
{
	return postgres_shell(
		"as $BIN/pg_ctl -D $DIR/data -l $DIR/log -w start || { cat $DIR/log; false; }");
}

// Group fixtures: make the cluster (sockets only, no fsync) and remove it.
static inline int postgres_setup(void **state)
{
	(void)state;
	if (!mkdtemp(postgres_dir))
		return -1;
	snprintf(postgres_conninfo, sizeof(postgres_conninfo),
		"host=%s user=postgres dbname=postgres", postgres_dir);
	if (postgres_shell(
		    "chown postgres $DIR && as $BIN/initdb -A trust -E UTF8 --locale C -N $DIR/data >/dev/null "
		    "&& cat >>$DIR/data/postgresql.conf <<END\n"
		    "listen_addresses = ''\nunix_socket_directories = '$DIR'\nfsync = off\n"
		    "shared_buffers = 16MB\nautovacuum = off\nEND\n") != 0)
		return -1;
	return postgres_begin();
}

static inline int postgres_teardown(void **state)
{
	(void)state;
	(void)postgres_stop();
	return postgres_shell("rm -rf $DIR");
}
