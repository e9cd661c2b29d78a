// SPDX-License-Identifier: Apache-2.0
// What a container is made of: the body of Docker's create call, with capabilities, seccomp profile
// and mounts.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Labels by which containers are found again. An agent never touches a container whose node
// and cluster differ from its own.
#define CONTAINER_LABEL_NODE "cloud-cli-proxy.node"
#define CONTAINER_LABEL_CLUSTER "cloud-cli-proxy.cluster" // "<system identifier>/<database>"
#define CONTAINER_LABEL_HOST "cloud-cli-proxy.host" // hosts.id

enum { CONTAINER_NAME_SIZE = 64 };

// Who a container belongs to: the first two labels.
struct container_owner {
	const char *node;
	const char *cluster;
};

// The ids that a container has on the machine for its own: `base` and the 65,535 after it are its 0
// to 65535, `owner` owns its user namespace. SQL gives each host its own (host.ids); 0 and 0 are the
// machine's own ids, without a user namespace.
struct container_ids {
	int64_t base, owner;
};

// Names by which an engine knows that a container is to have them: a runtime of its configuration,
// and an entry of the environment that this runtime takes out.
#define CONTAINER_RUNTIME "ccp"
#define CONTAINER_IDS "CCP_IDS" // "<base>:<owner>"

// Everything the body depends on; what is not here is the same for every container.
struct container_config {
	struct container_owner owner;
	const char *host_id;
	const char *hostname; // the host's short id
	const char *image_id; // "sha256:..."
	const char *timezone; // "Europe/Berlin"
	struct container_ids ids;
	int64_t memory_limit_mb;
	int64_t cpu_limit_milli; // 2000 = two processors
	int64_t pids_limit;
	int64_t open_files; // per process; no more than the machine lets Docker give
	bool ipv6; // the exit carries IPv6
	const char *ccp_dir; // on the machine: what is mounted at /.ccp (see home.h)
	const char *home_dir; // on the machine: /home/dev
	const char *tmp_dir; // on the machine: /tmp
	const char *hosts_file; // on the machine: /etc/hosts
};

// The container's name, from stack and host: "ccp-<8 hex of node and cluster>-<host id>".
void container_name(const struct container_owner *owner, const char *host_id,
	char ret[static CONTAINER_NAME_SIZE]);

// The JSON body of POST /containers/create. Heap, the caller frees it.
char *container_body(const struct container_config *c);

// The JSON body of POST /containers/<id>/update: the limits that a container takes without being
// made again. Heap.
char *container_limits(const struct container_config *c);

// A body that only lets files of an image be read (no start ever follows): for the image check.
// Heap.
char *container_probe_body(const struct container_config *c);
