// SPDX-License-Identifier: Apache-2.0
// The userspace WireGuard engine: started as nobody's child, found again, proven, asked, ended.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/tunnel/wireguard.h"
#include "lib/attr.h"
#include "lib/outcome.h"

struct err;
struct evidence;
struct link_spec;
struct wait;

enum { ENGINE_NAME_SIZE = 16 };

// What all engines of this agent have in common. The directory (0700, made by the caller) holds one
// log file per engine, <name>.log: it is also the record that this agent started that engine, so
// two agents on one machine never touch each other's. engine_end removes it.
struct engine_home {
	const char *program; // wireguard-go
	const char *directory;
	int uplink_fd; // namespace in which tunnels are born and their UDP sockets stay
};

// A live engine. Its name is `c` + the first 12 hex digits of the container's id.
struct engine {
	char name[ENGINE_NAME_SIZE];
	pid_t pid;
	int pidfd; // readable when it has died: put it into the loop
	// The last handshake it told us of, on its clock, and when we first saw that, on ours: the
	// machine's clock may be set meanwhile.
	int64_t handshake_ns, handshake_seen_ms;
};
#define ENGINE_INIT ((struct engine){.pidfd = -1})
void engine_done(struct engine *g); // closes the pidfd; the engine lives on

enum engine_outcome {
	ENGINE_ABSENT = OUTCOMES_TUNNEL, // no such engine, or it has just died
	ENGINE_FOREIGN, // it is not the one behind that namespace's tunnel
	ENGINE_SILENT, // it holds its socket but does not answer: frozen
	ENGINE_NO_HANDSHAKE, // the exit has not answered within the time
};

// Starts an engine in the uplink namespace, moves its device into `ns_fd` under link->tunnel,
// configures it (the first handshake leaves at once) and sets address, MTU and default route.
// Double fork, own session, no_new_privs, NET_ADMIN alone, stdout and stderr in its own log file.
// On any failure the engine is ended again. EBUSY: an engine with the same private key still lives.
// Returns 0 or -1 (WAIT_TIMEOUT and WAIT_CANCELED as everywhere). It forks: the caller's process
// must not reap unknown children (waitpid(-1)).
_must_check_ int engine_start(const struct engine_home *home, const char *container_id, int ns_fd,
	const struct wireguard_config *config, const struct link_spec *link, const struct wait *w,
	struct engine *ret, struct err *e);

// Finds a running engine by its UAPI socket. Returns 0, ENGINE_ABSENT, or -1. Works for a frozen
// one too.
_must_check_ int engine_find(const char *container_id, struct engine *ret, struct err *e);

// Proves that this process is the engine behind `tunnel` in that namespace: takes its tun by
// pidfd_getfd and asks the device's name and namespace (TUNGETIFF, TUNGETDEVNETNS). Returns 0,
// ENGINE_FOREIGN, ENGINE_ABSENT, -1.
_must_check_ int engine_prove(const struct engine *g, int ns_fd, const char *tunnel, struct err *e);

struct engine_status {
	int64_t handshake_age_ms; // since we first saw it; -1: none yet
	uint64_t rx_bytes, tx_bytes;
};

// Asks the engine (UAPI get). Returns 0, ENGINE_SILENT after 500 ms, ENGINE_ABSENT, -1.
_must_check_ int engine_status(struct engine *g, struct engine_status *ret, struct err *e);

// Until the first handshake is done, or ENGINE_NO_HANDSHAKE at w's deadline, WAIT_CANCELED,
// ENGINE_ABSENT, ENGINE_SILENT. WireGuard itself repeats an unanswered handshake after 5 s (its
// REKEY_TIMEOUT); here one lost packet must not cost a start, so it is repeated after 0.5 s, 1.5 s,
// 3.5 s and so on: each try has longer than the one before for its way there and back.
// ENGINE_NO_HANDSHAKE's sentence ends with what the engine logged about it, such as an unreachable
// network.
_must_check_ int engine_wait_handshake(const struct engine_home *home, struct engine *g,
	const struct wireguard_config *config, const struct wait *w, struct err *e);

// Adds one check `tunnel` (error code `tunnel_no_handshake`): the engine is the proven one,
// answers, and we saw its last handshake less than ENGINE_DEAD_MS ago. Returns 0 when that could be
// found out.
enum { ENGINE_DEAD_MS = 180000 };
_must_check_ int engine_check(
	struct engine *g, int ns_fd, const char *tunnel, struct evidence *ev, struct err *e);

// Ends the engine of that container (SIGKILL, waits until it is gone) and removes its socket and
// record. The device goes with it. 0 also when there was none. At most 2 s.
_must_check_ int engine_end(
	const struct engine_home *home, const char *container_id, struct err *e);

// Calls `each` with the name of every recorded engine, alive or not: compare with the live
// containers and give orphans to engine_end (which takes the name too). Returns 0 or -1; stops when
// each returns not 0 and returns that.
typedef int engine_each(const char *name, void *arg, struct err *e);
_must_check_ int engine_list(
	const struct engine_home *home, engine_each *each, void *arg, struct err *e);

// "c" + 12 hex digits from a container id (64 hex) or from such a name itself. false: neither.
_must_check_ bool engine_name(const char *container_id, char ret[static ENGINE_NAME_SIZE]);
