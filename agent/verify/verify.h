// SPDX-License-Identifier: Apache-2.0
// Verification from inside the namespace: connectivity, packets' size, exit address, DNS; foreign bytes
// are read by a child without rights.
#pragma once

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "lib/addr.h"
#include "lib/attr.h"
#include "lib/wait.h"

struct err;
struct evidence;

// light: one echo source and one DNS name. full: all targets and echo sources, several names.
enum verify_kind { VERIFY_LIGHT, VERIFY_FULL };

enum {
	VERIFY_ECHO_NEEDED = 3, // equal answers that prove an exit address (full)
	VERIFY_ECHO_MAX = 16,
	VERIFY_CONNECT_MAX = 8,
	VERIFY_URL_MAX = 512, // bytes
	VERIFY_TOTAL_MS = 10000, // for all of it
};

// The settings as they are in the host's spec. The arrays are borrowed.
struct verify_spec {
	enum verify_kind kind;
	struct addr expected; // the exit's public address: compared, never learnt
	struct addr expected6; // its IPv6 one besides; family 0: none
	struct addr resolver; // the exit's resolver, the only one that is asked
	const cJSON *echo_urls; // http(s) URLs that answer with the caller's address as text
	const cJSON *connect_targets; // "host:port" or "address:port", spoken to
	// unique names under it are asked; NOERROR and NXDOMAIN both prove the resolver
	const char *dns_check_zone;
};

// Has a child of `ccp-agent verify` (this program itself, /proc/self/exe) in the namespace: it enters,
// becomes user ccp-verify with CAP_NET_RAW alone, no_new_privs and a seccomp filter, and reports
// JSON. Its traffic carries WALL_MARK_VERIFY, so it passes a closed wall, and leaves by LINK_TUNNEL
// or not at all: names that lead to the container itself are refused. Adds the checks
// `exit_ip` and `dns`, in a full one also `connectivity` and `full_size`, and ev->observed_ip.
//
// A target counts when a byte of its answer was heard, TLS at port 443, else HTTP: a proxy's engine says
// "connected" before anything is. Requests fill packets of the tunnel's full size, and so do most
// certificates: what passes both ways is evidence. A target that is connected and stays silent is asked
// once more in several smaller sizes after 1 s, and after 3 s it is known what fits.
//
// With expected6 another child does the same over IPv6 when the first has found nothing wrong: the checks
// `exit_ip6`, by as many echo sources (those that have an IPv6 address), and `dns6`, unique names of that kind
// at the same resolver.
//
// What the resolver does not answer over UDP is asked over TCP as well, several times.
//
// Error codes: exit_mismatch (a source saw another address: failed at once), dns_failed (the
// resolver refuses, answers with an error, or is silent over UDP and TCP while others answer), mtu
// (the way swallows what is larger than the sentence says), inconclusive (too few answers, no target
// answered, a resolver that is alive but busy, child killed at its deadline). Returns 0 when it ran, whatever it
// found (see ev->outcome); WAIT_CANCELED; -1 when it could not run (user ccp-verify missing, bad
// settings: the sentence says what to do). Takes 10 s at most, twice
// that with expected6, less if w ends earlier.
_must_check_ int verify_run(int ns_fd, const struct verify_spec *spec, const struct wait *w,
	struct evidence *ev, struct err *e);

// The main of `ccp-agent verify`, which forks the children (verify_server.h). Returns the exit status.
int verify_main(void);
