// SPDX-License-Identifier: Apache-2.0
// All processes: what they say to each other, one fixed struct over socketpairs.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/outcome.h"
#include "sshproxy/name.h"

struct err;
struct wait;

// As in OpenSSH's monitor, a child is what parses foreign bytes and is not trusted: every message
// is checked as a whole against one table before it is used. All three are forks of one
// program, so there is no version. A message is always sizeof(struct message) bytes.
enum message_kind {
	// A child to the monitor. It has one question at a time.
	MESSAGE_PASSWORD = 1, // login: may this password come in? -> ANSWER
	MESSAGE_KEY_OFFER, // key: would it be taken? -> ANSWER
	MESSAGE_KEY_LOGIN, // key: its signature was valid -> ANSWER
	MESSAGE_DIAL, // nothing: connect me to the container -> DIALLED
	MESSAGE_CLOSE, // close: why it ends; the last message
	// The monitor to a child.
	MESSAGE_ANSWER, // answer
	MESSAGE_DIALLED, // dialled, with the descriptors of enum dial_fd when MESSAGE_YES
	MESSAGE_END, // answer.sentence: tell the user, then end. Comes unasked
	// The listener to the monitor.
	MESSAGE_CONNECTED, // peer, with the monitor's end of the new child's socketpair
	MESSAGE_CRASHED, // peer.address: a child that had not logged in died of a fault
	// The monitor to the listener.
	MESSAGE_AUTHENTICATED, // peer.serial has logged in: it no longer counts as starting up
	MESSAGE_KILL, // peer.serial was ordered to end and did not
	// A child to the monitor.
	MESSAGE_TRAFFIC, // nothing: bytes have moved since the last one; it has no answer
	// The monitor to a child.
	MESSAGE_SAY, // answer.sentence: tell the user's terminals, and go on. Comes unasked
	MESSAGE_KINDS,
};

enum message_party { MESSAGE_FROM_CHILD, MESSAGE_FROM_MONITOR, MESSAGE_FROM_LISTENER };

enum message_verdict {
	MESSAGE_YES,
	MESSAGE_NO, // wrong: the next try may be right
	MESSAGE_REFUSED, // right or hopeless: `sentence` says why, end the connection with it
};

// Why a child ends.
enum message_close_reason {
	MESSAGE_CLOSE_LEFT, // the user closed the connection
	MESSAGE_CLOSE_HOST_GONE, // the container's side closed
	MESSAGE_CLOSE_UNREACHABLE, // the container was never reached
	MESSAGE_CLOSE_HOST_REFUSED, // the container's sshd did not let us in
	MESSAGE_CLOSE_ORDERED, // MESSAGE_END or MESSAGE_REFUSED
	MESSAGE_CLOSE_NO_AUTH, // came and went without trying
	MESSAGE_CLOSE_AUTH_FAILED, // tried, and was not let in
	MESSAGE_CLOSE_GRACE, // did not log in in time
	MESSAGE_CLOSE_REASONS,
};

enum {
	MESSAGE_PASSWORD_SIZE = 128, // longer passwords are cut, and too long to be right
	MESSAGE_SHA256_SIZE = 65,
	MESSAGE_SENTENCE_SIZE = 256,
	MESSAGE_HOST_KEY_SIZE = 256,
	MESSAGE_ADDRESS_SIZE = 64,
	MESSAGE_FDS_MAX = 2,
};

struct message {
	uint32_t kind;
	union {
		struct {
			char name[NAME_SIZE];
			char password[MESSAGE_PASSWORD_SIZE];
		} login;
		struct {
			char name[NAME_SIZE];
			char sha256[MESSAGE_SHA256_SIZE]; // of the key blob, lower hex
		} key;
		struct {
			uint32_t reason; // enum message_close_reason
			uint64_t up_bytes, down_bytes;
		} close;
		struct {
			uint32_t verdict; // enum message_verdict
			char sentence[MESSAGE_SENTENCE_SIZE];
		} answer;
		struct {
			uint32_t verdict;
			char sentence[MESSAGE_SENTENCE_SIZE];
			char host_key[MESSAGE_HOST_KEY_SIZE]; // "ssh-ed25519 AAAA..."
		} dialled;
		struct {
			uint64_t serial;
			char address[MESSAGE_ADDRESS_SIZE]; // numeric
		} peer;
	};
};

// All zero but the kind, padding too: it is sent.
struct message message_new(enum message_kind kind);

// true if `m` may come from that party with that many descriptors, and every field of it is well
// formed: texts end, enums are in range.
bool message_is_valid(const struct message *m, size_t fds_count, enum message_party from);

// Sends without waiting: a full socket is an error, for its reader is stuck.
_must_check_ int message_send(
	int fd, const struct message *m, const int *fds, size_t fds_count, struct err *e);

// Receives and checks the next message. 0, MESSAGE_NONE (nothing came until `w` ended),
// MESSAGE_CLOSED (the other end is closed), -1 (what came is not valid; its descriptors are
// closed).
// Unused places of `fds` are set to -1.
enum message_outcome { MESSAGE_NONE = OUTCOMES_MESSAGE, MESSAGE_CLOSED };
_must_check_ int message_receive(int fd, enum message_party from, const struct wait *w,
	struct message *ret, int fds[static MESSAGE_FDS_MAX], struct err *e);
