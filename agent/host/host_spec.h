// SPDX-License-Identifier: Apache-2.0
// What a host shall be, as SQL's host.spec and node.specs say: read once and kept in memory.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/container/container.h"
#include "agent/host/exit.h"
#include "agent/tunnel/budget.h"
#include "agent/verify/verify.h"
#include "lib/attr.h"

struct err;

enum { SPEC_ID_SIZE = 40 };

struct host_spec {
	cJSON *json; // what it was read from; arrays, exit and zone below point into it
	char host_id[SPEC_ID_SIZE];
	char short_id[32];
	char status[16];
	char wanted[16]; // "running", "stopped", "absent"
	struct container_ids ids; // all zero: the machine's
	const char *refusal; // why it must not be started on this machine; NULL: it may
	char image[256];
	char image_id[80]; // "" before host.create
	char timezone[64];
	int64_t memory_limit_mb;
	int64_t cpu_limit_milli;
	int64_t pids_limit;
	int64_t disk_limit_gb; // 0: none
	int64_t host_disk_gb; // how far its files are counted; 0: they are not
	bool sudo;
	struct budget tunnel_budget;
	uint32_t tunnel_uid; // whom the tunnel's engine runs as, unless it must be root
	bool has_exit;
	struct exit_spec exit;
	bool has_switch; // it is to leave through another exit, or through what its own has become
	struct exit_spec switch_to;
	bool switch_back; // if that fails it goes back to the exit it had; else it is closed
	int64_t light_s, full_s, proof_life_s;
	struct verify_spec verify; // of any exit
};

// Reads a spec (a copy of `json` is kept). EINVAL names the field that is missing or of another
// type. Bounds, patterns and combinations are the constraints of ccp.hosts, ccp.egress_ips and
// ccp.settings and not said again here: only what this program itself would be unsafe with is
// refused: an id that cannot be part of a path, and a text that is too long for its place. The
// caller frees *ret.
_must_check_ int host_spec_read(const char *json, struct host_spec **ret, struct err *e);
void host_spec_free(struct host_spec *spec);
void host_spec_freep(struct host_spec **spec);

// What a start needs beyond a readable spec. 0, or an error whose code is "egress_binding_missing",
// "settings_incomplete" or "machine_unfit" in *ret_code.
_must_check_ int host_spec_can_start(
	const struct host_spec *spec, const char **ret_code, struct err *e);

// What is verified from inside of a host that leaves through this exit.
void host_spec_verify(const struct host_spec *spec, const struct exit_spec *exit,
	enum verify_kind kind, struct verify_spec *ret);
