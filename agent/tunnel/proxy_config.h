// SPDX-License-Identifier: Apache-2.0
// The configuration of sing-box (1.14, sing-box.sagernet.org/configuration) for an exit through a
// proxy, without any I/O.
#pragma once

#include <cjson/cJSON.h>

#include "lib/addr.h"
#include "lib/attr.h"

struct err;

// The engine has one way out: whatever comes from the device goes to the outbound "exit", and so do
// the engine's own questions to the resolver. There is no outbound "direct". Its stack "gvisor"
// opens no socket in the container's namespace, where the wall would refuse it, and packets end in
// the engine, so that their size costs nothing.
#define PROXY_ADDRESS "172.19.0.1/32" // of the device; it means nothing outside
enum { PROXY_MTU = 9000, PROXY_CONFIG_MAX = 64 * 1024 };

// UDP flows of a host that its engine keeps, each for five minutes (DNS for ten seconds) after its
// last datagram. One more costs the flow that has been idle longest its place: what it sends next
// begins a new one, and late answers to the old are lost. Each takes up to 50 KiB and two
// descriptors: so many that the default of tunnel_memory_mb carries them behind every type of
// proxy. sing-box would take up to 16384, by the memory of the whole machine.
enum { PROXY_UDP_FLOWS = 2048 };

// What differs from host to host.
struct proxy_place {
	const char *name; // of the device while it is in the uplink's namespace
	struct addr resolver; // of the host, IPv4
};

// The engine's configuration for an exit.
//
// config: {type: socks | http | shadowsocks | vmess | vless | trojan | hysteria2 | tuic | anytls,
//     server: an address, server_port, ...}, with the members that its type has (the table in
//     proxy_outbound.c), tls and transport among them.
// secret: {password, uuid, obfs_password}, those that its type has. NULL: none.
//
// Both were checked when the exit was saved. They are checked again, because sing-box goes on
// where it should not: with TLS that trusts anybody, with trojan in the clear, with a uuid that is
// none. A member that is unknown is EINVAL, and so is a value that does not fit; the sentence names
// the member and never a secret. E2BIG: longer than PROXY_CONFIG_MAX.
//
// *ret is on the heap and holds the secret: wipe_freep it.
_must_check_ int proxy_config_text(const cJSON *config, const cJSON *secret,
	const struct proxy_place *place, char **ret, struct err *e);
