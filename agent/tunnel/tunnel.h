// SPDX-License-Identifier: Apache-2.0
// The tunnel of a container to its exit: one interface, a kind for each way to make one.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <cjson/cJSON.h>

#include "agent/net/link.h"
#include "agent/tunnel/budget.h"
#include "agent/tunnel/exit_ask.h"
#include "agent/tunnel/proxy_outbound.h"
#include "agent/tunnel/tun_read.h"
#include "agent/tunnel/wireguard.h"
#include "lib/attr.h"
#include "lib/outcome.h"

struct cage;
struct err;
struct evidence;
struct seal_pair;
struct tunnel_kind;
struct wait;

// A tunnel is born in the uplink's namespace, so that what carries it reaches the exit from there.
// Its device is moved into the container's namespace under the name LINK_TUNNEL:
//
//     uplink namespace                      container's namespace (`ns_fd`)
//     process or kernel <--- device NAME -> tun0, with address, MTU and default route
//           |
//           +--- UDP or TCP ---> exit
//
// Its name is the caller's choice (tunnel_name) and finds it again after the agent's restart.
enum { TUNNEL_NAME_SIZE = IFNAMSIZ, TUNNEL_TEST = 't' };

// What all tunnels of this agent have in common.
struct tunnel_env {
	const char *engine; // the wireguard-go program
	const char *proxy_engine; // the sing-box program
	// 0700, made by the caller: a record of each tunnel that this agent has started, in a
	// directory for each kind. Two agents on one machine never touch each other's.
	char *directory;
	int uplink_fd; // the namespace in which tunnels are born
	const struct seal_pair *sealing; // opens the exits' secrets
	const char
		*cgroups; // BUDGET_CGROUPS; NULL: none can be made here, and no tunnel has limits
	struct cage *cage; // loaded; NULL: none can be made here, and no proxy is started or found
	const char *no_cage; // why
};

// The tunnel's part of an exit as SQL gives it, without any secret in the clear. Points into the
// JSON that it was read from.
struct tunnel_spec {
	const struct tunnel_kind *kind; // by the exit's tunnel_type
	struct link_spec link; // the device inside; MTU 0 until one is chosen (tunnel_mtu_choose)
	bool mtu_open; // the exit names none: it may be chosen
	struct addr resolver; // the exit's
	const char *sealed; // the exit's secret; NULL: none
	// WireGuard's preshared key by itself, which goes before the one in `sealed`; NULL: none
	const char *preshared_sealed;
	union {
		struct wireguard_config wireguard;
		struct {
			const cJSON *config; // ccp.egress_ips.proxy_config
			struct proxy_doors doors;
		} proxy;
	};
};

// A running tunnel.
struct tunnel {
	const struct tunnel_kind *kind; // NULL: none
	char name[TUNNEL_NAME_SIZE];
	// Of the process that carries it: readable when it has died. -1: the kernel carries it.
	int pidfd;
	pid_t pid;
	int tun_number; // which of that process's descriptors its device's was when it was looked for
	union {
		// The last handshake it reported, on its clock, and when we first saw that, on
		// ours: the machine's clock may be set meanwhile.
		struct {
			int64_t handshake_ns, handshake_seen_ms;
		} wireguard;
	};
};
#define TUNNEL_INIT ((struct tunnel){.pidfd = -1})
void tunnel_done(struct tunnel *t); // closes the descriptor; the tunnel lives on

// What asks a running tunnel again and again whether it works. It has nothing of the run that the
// tunnel belongs to, and one thread at a time uses it.
struct tunnel_pulse {
	const struct tunnel_kind *kind;
	int fd; // over which the kind asks
	struct tun_read read; // or how
	struct exit_ask exit; // and how its exit is asked
	bool unheard; // it was asked and has not answered yet
	// What the exit had sent when that last grew, and we by then, apart from what keeps it alive.
	struct {
		uint64_t rx_bytes, tx_bytes;
	} wireguard;
};
#define TUNNEL_PULSE_INIT \
	((struct tunnel_pulse){.fd = -1, .read = TUN_READ_INIT, .exit = EXIT_ASK_INIT})
void tunnel_pulse_close(struct tunnel_pulse *p);

// Where a tunnel is, or is to be.
struct tunnel_place {
	const struct tunnel_env *env;
	const struct tunnel_spec
		*spec; // what it is started with, whatever the exit has become since
	int ns_fd; // where its device is moved to
};

struct tunnel_start {
	const char *name;
	// WireGuard's (KEY32_SIZE), and its file; wiped by the caller. Left aside, and may be NULL,
	// if the exit has a key of its own.
	const uint8_t *private_key;
	const char *key_path;
	struct budget budget; // of the process that carries it, if one does
	uint32_t
		uid; // of the user that it runs as, if it need not be root; no other process has it
};

enum tunnel_outcome {
	// it does not run, has just died, or is not the one behind the device
	TUNNEL_ABSENT = OUTCOMES_TUNNEL,
	TUNNEL_UNANSWERED, // the exit has not answered what was sent to it
	TUNNEL_UNUSABLE, // the exit's secret cannot be opened or read
	TUNNEL_SILENT, // it lives but does not answer: frozen
	TUNNEL_UNFIT, // this machine lacks what its kind needs
};

typedef int tunnel_each(const char *name, void *arg, struct err *e);

// What a kind can do. All return 0, or -1 with `e`, beside what is said.
struct tunnel_kind {
	const char *type; // ccp.egress_ips.tunnel_type
	const char *code; // the error code of one that does not work

	// Of several kinds of one type the first that suits is chosen. NULL: it always does.
	bool (*suits)(const cJSON *exit);

	// Reads the kind's part of an exit. EINVAL names the field.
	int (*parse)(const cJSON *exit, struct tunnel_spec *ret, struct err *e);

	// Starts it and moves its device to its place. On any failure nothing of it runs; a
	// record may be left, which `end` removes. EBUSY: a tunnel with the same key still lives.
	// WAIT_TIMEOUT, WAIT_CANCELED, TUNNEL_UNUSABLE, TUNNEL_UNFIT.
	int (*start)(const struct tunnel_place *place, const struct tunnel_start *start,
		const struct wait *w, struct tunnel *ret, struct err *e);

	// Until the exit has answered through it. Its sentence says what the tunnel knows about the
	// reason. TUNNEL_UNANSWERED at w's deadline, TUNNEL_ABSENT, TUNNEL_UNUSABLE, WAIT_CANCELED.
	// NULL: it hears of no answer, and only what is asked through it shows one (tunnel_reach).
	int (*reach)(const struct tunnel_place *place, struct tunnel *t, const struct wait *w,
		struct err *e);

	// With `reach` NULL: what it knows about why nothing that was asked since its start was
	// answered. TUNNEL_UNANSWERED, TUNNEL_ABSENT.
	int (*unanswered)(const struct tunnel_place *place, struct tunnel *t, struct err *e);

	// Finds a running one by its name and makes sure that it is the one behind the device at its
	// place; one that is frozen too. TUNNEL_ABSENT.
	int (*find)(const struct tunnel_place *place, const char *name, struct tunnel *ret,
		struct err *e);

	// Adds one check `tunnel` to the evidence (with its `code`): it is the one behind the device
	// at its place, answers, and so did its exit of late; of a proxy also one check `cage`.
	// Returns 0 when that could be found out.
	int (*prove)(const struct tunnel_place *place, struct tunnel *t, struct evidence *ev,
		struct err *e);

	// Whether it still works, for so little that it can be asked every few seconds. None waits: what
	// pulse_ask has asked, pulse_hear is to be told of some time later. TUNNEL_SILENT: nothing came
	// from it since; TUNNEL_UNANSWERED: it sends, and nothing comes from its exit, which `renew` may help
	// unless it has just been done (then also TUNNEL_SILENT); TUNNEL_ABSENT.
	int (*pulse_open)(const struct tunnel_place *place, const struct tunnel *t,
		struct tunnel_pulse *ret, struct err *e);
	int (*pulse_ask)(struct tunnel_pulse *p, struct err *e);
	int (*pulse_hear)(struct tunnel_pulse *p, struct err *e);

	// Has it begin with its exit from the start, at once: to one that was started again nothing that was
	// agreed before means anything. What runs over it goes on. TUNNEL_UNUSABLE, TUNNEL_ABSENT.
	// NULL: there is nothing to begin.
	int (*renew)(const struct tunnel_place *place, const struct tunnel *t, struct err *e);

	// Ends the one of that name and its device; 0 also when there is none. At most 2 s.
	int (*end)(const struct tunnel_env *env, const char *name, struct err *e);

	// Calls `each` with the name of every recorded one, alive or not. Stops when `each` returns
	// something else than 0, and returns that.
	int (*list)(const struct tunnel_env *env, tunnel_each *each, void *arg, struct err *e);
};

// The exit of a host's spec, as JSON: {tunnel_type, ...}. EINVAL names the field.
_must_check_ int tunnel_spec_read(const cJSON *exit, struct tunnel_spec *ret, struct err *e);

// An exit that names no MTU begins with the largest that its packets can have: what the way to it begins
// with, as the uplink's namespace knows, less what is wrapped around them; and at most the usual 1420, that
// exits' own devices have: more would cost each connection a packet that comes back as too large. Changes
// nothing else.
_must_check_ int tunnel_mtu_choose(
	const struct tunnel_env *env, struct tunnel_spec *spec, struct err *e);

// May a tunnel that is found running have been given this MTU? Of one whose exit names none.
bool tunnel_mtu_possible(int mtu);

// `find` of all kinds of the type that the place's spec has: which one carries a running tunnel was
// chosen when it was started. TUNNEL_ABSENT.
_must_check_ int tunnel_find(
	const struct tunnel_place *place, const char *name, struct tunnel *ret, struct err *e);

// "c" and the first 12 characters of an id that begins with as many hex digits, such as a
// container's. false: it does not.
_must_check_ bool tunnel_name(const char *id, char ret[static TUNNEL_NAME_SIZE]);

// The same for a test of an exit: "t", and of its task's id as many hex digits, without the dashes.
_must_check_ bool tunnel_test_name(const char *task_id, char ret[static TUNNEL_NAME_SIZE]);
static inline bool tunnel_is_test(const char *name)
{
	return name[0] == TUNNEL_TEST;
}

// `end` and `list` of all kinds. tunnel_end asks every kind, and keeps the first error.
_must_check_ int tunnel_end(const struct tunnel_env *env, const char *name, struct err *e);
_must_check_ int tunnel_list(
	const struct tunnel_env *env, tunnel_each *each, void *arg, struct err *e);
