// SPDX-License-Identifier: Apache-2.0
// sing-box's outbound for an exit through a proxy, and where it leads, without any I/O.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "lib/addr.h"
#include "lib/attr.h"

struct err;

// The outbound's tag: what all else in the configuration leads to.
#define PROXY_OUTBOUND "exit"

// Adds the outbound to *list. `config` and `secret` as proxy_config_text() takes them; the texts of
// `secret` are not copied, so they must live as long as the list.
_must_check_ int proxy_outbound_put(
	cJSON *list, const cJSON *config, const cJSON *secret, struct err *e);

// Where the engine must be let to reach its server; a port of 0 is none.
struct proxy_doors {
	struct addr server;
	uint16_t tcp_port, udp_port;
	bool udp_any; // any port: the server of socks chooses it, and hysteria2 changes it
	bool udp; // does the exit carry the user's UDP?
	bool udp_associated; // by an association with the server for each flow (RFC 1928, 7)
	bool udp_single; // a flow has one destination: its datagrams do not say where to
};

// Reads them from the exit's public part. EINVAL names the member.
_must_check_ int proxy_doors_parse(const cJSON *config, struct proxy_doors *ret, struct err *e);
