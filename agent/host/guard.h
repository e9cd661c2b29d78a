// SPDX-License-Identifier: Apache-2.0
// Guards what runs: checks in time, after every change, and when the tunnel dies.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

struct agent;
struct guards;
struct docker;
struct err;
struct evidence;
struct host;
struct host_spec;
struct tunnel_kind;

// One guard per run of a host, on the main loop: timers for light and full checks, watches on
// devices, rules, tunnel and container. Checks themselves run in the agent's check pool and give
// way to tasks.
enum { CHECK_AGAIN_S = 5 }; // after an inconclusive one

struct guards *guards_new(struct agent *a);
void guards_free(struct guards *guards); // on the loop, after the pools have ended

// Begins to guard a host whose run has just begun. Its holder calls it, from any thread.
_must_check_ int guards_begin(struct guards *guards, const struct host *host, struct err *e);

// Stops guarding that run. From any thread; watches close soon after. `guards` is a struct guards:
// hosts_new takes this function.
void guards_end(void *guards, uint64_t run_number);

// Has that run checked fully in CHECK_AGAIN_S. From any thread.
void guards_check_soon(struct guards *guards, uint64_t run_number);

// Has every run whose tunnel is of that kind checked fully, now. On the loop.
void guards_check_kind(struct guards *guards, const struct tunnel_kind *kind);

// Judges a verification of a running host that was just made (verdict.h): renews the proof
// if it shows the exit (evidence_proves_exit), counts or ends the host, and puts everything that is not a light pass into the outbox. Only the
// holder. Returns true while the host runs on.
bool guard_judge(struct agent *a, struct host *host, struct docker *d, const char *kind,
	const char *task_id, struct evidence *ev);

// Reports that a verification could not run: that says nothing about the exit, and without a proof
// the host closes by itself. Only the holder.
void guard_report_failure(struct agent *a, const struct host *host, const char *kind,
	const struct evidence *ev, const struct err *e);

// Takes what SQL says now of a host. One that runs and whose verification is another now is checked fully at once, with the
// new periods and a proof of the new life. Another exit it gets by a task only (host.switch). Only the holder.
void guard_set_spec(struct agent *a, struct host *host, struct host_spec *spec);
