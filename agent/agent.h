// SPDX-License-Identifier: Apache-2.0
// What all parts of the running agent share: where things are, who it is, its threads.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/container/container.h"
#include "agent/net/cage.h"
#include "agent/store/store.h"
#include "agent/tunnel/tunnel.h"
#include "lib/seal.h"

struct dial;
struct docker_events;
struct guards;
struct hosts;
struct loop;
struct outbox;
struct pool;

// Made by main(), freed after every thread has ended: any may read it. What is known only after
// the program has registered (process_id, cluster) is written before any task, check or dial can
// run.
struct agent {
	const char *state_dir;
	const char *docker_socket;
	struct container_owner owner; // of the containers: this node, this cluster
	struct store store;
	char *init_path; // ccp-init on the machine
	struct tunnel_env tunnels;
	char *no_cgroups; // why tunnels have no limits here; NULL: they have
	struct cage cage; // of the proxies' engines, when tunnels.cage is set
	char *no_cage; // why there is none; NULL: there is
	struct seal_pair sealing;
	int64_t open_files; // what containers may have: our own hard limit, at most 65,536
	struct loop *loop;
	struct hosts *hosts;
	struct outbox *outbox;
	struct pool *dial_pool; // 2 threads with a database connection each
	struct pool *check_pool; // 8 threads without one: checks, the trash
	struct pool *inspect_pool; // 2 threads without one: inspections, which may wait for Docker
	struct guards *guards;
	struct docker_events *docker_events;
	struct dial *dial;
	int64_t process_id;
	char cluster[128]; // "<system identifier>/<database>"
	_Atomic bool knows_hosts; // node.specs was answered: what is not in the table is a stray
};
