// SPDX-License-Identifier: Apache-2.0
// A process that carries a tunnel: its record, and how it is found again, proven and ended.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/tunnel/tunnel.h"
#include "lib/attr.h"
#include "lib/outcome.h"

struct err;

// What an agent knows of its engines after a restart is in env->directory, in a directory for each
// kind:
//
//     KIND/NAME.log   what the engine prints; made before it starts and removed last, so it is also
//                     the record that there is, or was, a tunnel of that name
//     KIND/NAME.lock  a record lock on it is held by the engine's process (launch.h)
char *engine_log_path(const struct tunnel_env *env, const char *kind, const char *name);
char *engine_lock_path(const struct tunnel_env *env, const char *kind, const char *name);

// Makes the record, with an empty log that is appended to.
_must_check_ int engine_log_open(const struct tunnel_env *env, const char *kind, const char *name,
	int *ret_fd, struct err *e);

// The log's last line that holds `about`, for an error's sentence: "" or ": line".
void engine_log_tail(const char *path, const char *about, char *ret, size_t size);

// Calls `each` for every record, as tunnel_kind.list does.
_must_check_ int engine_list(const struct tunnel_env *env, const char *kind, tunnel_each *each,
	void *arg, struct err *e);

// Removes control group, lock and record of an engine that has ended, or never was. One that has let
// go of its lock, and so was not found, is killed with its group.
_must_check_ int engine_forget(
	const struct tunnel_env *env, const char *kind, const char *name, struct err *e);

// Programs in Go keep the buffers that a burst needed. From half of its memory on one is to look for
// some to free, long before the kernel ends it. The last variable of its environment, on the heap;
// NULL: no limit.
char *engine_memory_limit(int64_t memory_mb);

enum engine_outcome {
	ENGINE_FOREIGN = OUTCOMES_ENGINE, // it is not the one behind that namespace's device
};

// "The tunnel's engine has died": TUNNEL_ABSENT.
int engine_absent(struct err *e);

// One that has done nothing for so long is frozen. Longer than a busy machine or a stop of two seconds
// explains: what is frozen costs its host its run.
enum { ENGINE_FROZEN_MS = 3000 };
int engine_frozen(struct err *e); // says so: TUNNEL_SILENT

// Sets pid and pidfd to the process `pid`, as long as it is alive. 0, TUNNEL_ABSENT, -1.
_must_check_ int engine_open(pid_t pid, struct tunnel *t, struct err *e);

// Sets pid and pidfd to the process that holds the lock on that file: unlike a socket's queue, a
// lock can be asked about without end, whatever state its holder is in. 0, TUNNEL_ABSENT, -1.
_must_check_ int engine_find(const char *lock_path, struct tunnel *t, struct err *e);

// Is a tun of its the one behind LINK_TUNNEL in that namespace (pidfd_getfd, TUNGETIFF,
// TUNGETDEVNETNS)? Works for one of another user with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.
// 0, ENGINE_FOREIGN, TUNNEL_ABSENT, -1.
_must_check_ int engine_owns_device(struct tunnel *t, int ns_fd, struct err *e);

// Kills it and waits for its end, so that it holds neither key nor device any more. At most 2 s.
_must_check_ int engine_kill(const struct tunnel *t, struct err *e);
