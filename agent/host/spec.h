// SPDX-License-Identifier: Apache-2.0
// What a host shall be, as host.spec and node.specs tell it: read once, checked field by field,
// kept in memory.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "agent/tunnel/wireguard.h"
#include "agent/verify/verify.h"
#include "lib/addr.h"
#include "lib/attr.h"

struct err;
struct seal_pair;

enum { SPEC_ID_SIZE = 40, SPEC_ECHO_NEEDED = 3, SPEC_LABEL_SIZE = 401 }; // 100 characters in UTF-8

struct spec_exit {
	char label[SPEC_LABEL_SIZE];
	struct addr expected; // its public address
	struct addr_port endpoint;
	char public_key[64]; // base64, theirs
	char *preshared_sealed; // NULL: none
	const cJSON *allowed; // ["0.0.0.0/0", ...]
	struct addr resolver;
	struct addr address; // ours inside the tunnel
	int mtu;
	bool ipv6; // our inside address is one, so IPv6 may leave
};

struct host_spec {
	cJSON *json; // what it was read from; the arrays below point into it
	char host_id[SPEC_ID_SIZE];
	char short_id[32];
	char status[16];
	char wanted[16]; // "running", "stopped", "absent"
	char image[256];
	char image_id[80]; // "" before host.create
	char timezone[64];
	int64_t memory_limit_mb;
	int64_t cpu_limit_milli;
	int64_t pids_limit;
	int64_t disk_limit_gb; // 0: none
	bool sudo;
	bool has_exit;
	struct spec_exit exit;
	int64_t light_s, full_s, proof_life_s;
	const cJSON *echo_urls;
	const cJSON *connect_targets;
	const char *dns_check_zone;
};

// Reads a spec (a copy of `json` is kept). EINVAL names the field that is missing or wrong. The
// caller frees *ret.
_must_check_ int host_spec_read(const char *json, struct host_spec **ret, struct err *e);
void host_spec_free(struct host_spec *spec);
void host_spec_freep(struct host_spec **spec);

// What a start needs beyond a readable spec. 0, or an error whose code is "egress_binding_missing"
// or "settings_incomplete" in *ret_code.
_must_check_ int host_spec_can_start(
	const struct host_spec *spec, const char **ret_code, struct err *e);

// The tunnel's configuration, with both secret keys: the caller wipes it. `key_path` is borrowed.
_must_check_ int host_spec_wireguard(const struct host_spec *spec,
	const uint8_t private_key[static KEY32_SIZE], const char *key_path,
	const struct seal_pair *sealing, struct wireguard_config *ret, struct err *e);

void host_spec_verify(const struct host_spec *spec, enum verify_kind kind, struct verify_spec *ret);
