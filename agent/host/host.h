// SPDX-License-Identifier: Apache-2.0
// The agent's hosts in memory: what each shall be, what runs of it, which thread has it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/host/host_spec.h"
#include "agent/host/run.h"
#include "agent/host/verdict.h"
#include "lib/attr.h"
#include "lib/wait.h"

struct err;
struct hosts;

// A host belongs to one thread at a time: a task, a check, an inspection. The thread that has taken
// it may use and change everything in it.
struct host {
	char id[SPEC_ID_SIZE];
	struct host_spec *spec; // the latest usable one from SQL; NULL before
	char *unusable; // why SQL's latest cannot be used; NULL: it can
	struct run run;
	// since the agent's start it was ended, started, or inspected
	bool seen;
	struct unknown_checks unknown;
	unsigned unanswered; // inspections in a row to which Docker did not answer
	int yield_fd; // readable when a task waits for the host: the holder's cancel descriptor
	int free_fd; // eventfd, 1: it is free. Reading it takes the host
	// Under the lock of the table:
	bool forgotten; // goes with its last user
	unsigned users; // holder and waiters
	unsigned tasks_waiting;
	bool inspection_scheduled; // until one was made
	bool inspection_queued;
	int64_t inspection_from_ms; // not before
	int64_t silent_until_ms; // it did not answer a dial
	enum { SSH_UNKNOWN, SSH_ANSWERS, SSH_SILENT } ssh; // as SQL was told of this run
	struct host *next;
};

// `on_ended` is called with the number of each run that host_take_run has withdrawn, in the thread
// that ends it.
struct hosts *hosts_new(void (*on_ended)(void *data, uint64_t run_number), void *data);
void hosts_free(struct hosts *hosts);

// Takes a host for a task, making its record if there is none; asks its holder to give way and
// waits for that. Returns 0 with the host, WAIT_TIMEOUT, WAIT_CANCELED.
_must_check_ int host_take(struct hosts *hosts, const char *id, const struct wait *w,
	struct host **ret, struct err *e);

// Takes it only if it is free: for checks. NULL: its holder finds out by itself what is wrong.
struct host *host_try_take(struct hosts *hosts, const char *id);

// The same, making its record if there is none.
struct host *host_try_take_new(struct hosts *hosts, const char *id);

void host_release(struct hosts *hosts, struct host *host);

// The record goes when its last user does. Only the holder may say so.
void host_forget(struct hosts *hosts, struct host *host);

// Replaces the spec (takes it). Only the holder.
void host_set_spec(struct host *host, struct host_spec *spec);

// SQL's spec cannot be used; the last one stays. true: that is news. Only the holder.
bool host_spec_refused(struct host *host, const char *why);

// Publishes and withdraws what runs: others see it through the functions below. Only the holder.
// host_set_run takes the descriptors, opens one of the container's process and gives the run its
// number.
void host_set_run(struct hosts *hosts, struct host *host, const struct run *run);
struct run host_take_run(struct hosts *hosts, struct host *host);

// A copy of the namespace's descriptor of a host that runs, for dialling. ENOTCONN when it does not
// run. From any thread.
_must_check_ int hosts_namespace(struct hosts *hosts, const char *id, int *ret_fd, struct err *e);

// A host that did not answer a dial, for as long as it is not to be asked again. From any thread.
void hosts_silence(struct hosts *hosts, const char *id, int pause_ms);
bool hosts_is_silent(struct hosts *hosts, const char *id);

// Whether its sshd has answered. true: that is news. From any thread.
bool hosts_note_ssh(struct hosts *hosts, const char *id, bool answers);

// Has the host inspected, in pause_ms at the earliest. The inspection stays due until it was made,
// however long the host is taken. Scheduling it again does not put it off. From any thread.
void hosts_schedule_inspection(struct hosts *hosts, const char *id, int pause_ms);

// true: an inspection is due, and the caller must queue it.
bool hosts_queue_inspection(struct hosts *hosts, const char *id);

// The inspection has its turn, or has lost its place in the queue: takes the host for it, and none
// is due any more. NULL: the host is taken; the inspection stays due.
struct host *host_take_for_inspection(struct hosts *hosts, const char *id);
void hosts_unqueue_inspection(struct hosts *hosts, const char *id);

// Is there a record? From any thread.
bool hosts_know(struct hosts *hosts, const char *id);

// Ids of all records, for looking at each. The caller frees *ret, an array.
typedef char host_id_text[SPEC_ID_SIZE];
size_t hosts_ids(struct hosts *hosts, host_id_text **ret);
