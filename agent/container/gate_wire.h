// SPDX-License-Identifier: Apache-2.0
// What the agent and ccp-init say to each other through the gate.
#pragma once

#include <stdint.h>

// ccp-init listens on the abstract AF_UNIX SOCK_SEQPACKET socket "@ccp-gate". An abstract name
// belongs to a network namespace, so the agent reaches it with a socket made inside the
// container's. ccp-init obeys only peers whose SO_PEERCRED pid is 0, which the kernel shows for
// processes outside its pid namespace; every other connection is closed at once. Both sides are built
// from one tree: structs in host byte order, `magic` names the version.
#define GATE_NAME "\0ccp-gate"
#define GATE_NAME_SIZE (sizeof(GATE_NAME) - 1) // the abstract name: its NUL first, none at the end
#define GATE_MAGIC 0x43435048u

// How ccp-init ends when it cannot begin: what it would say has nowhere to go yet.
enum gate_status {
	GATE_NO_DESCRIPTORS = 71, // it could not make its descriptors
	GATE_NO_LISTENER = 72, // it could not listen at the gate
};

enum gate_word {
	GATE_ASK = 1, // answer the state, and each change of it while the connection lasts
	GATE_OPEN = 2, // go on; the answer is the new state. Saying it again changes nothing
};

enum gate_state {
	GATE_WAITING = 1, // no process but PID 1 has been started
	GATE_OPENED = 2, // sshd has been started and does not listen yet, or has just died
	GATE_SSHD_UP = 3, // sshd listens
};

struct gate_message { // towards ccp-init
	uint32_t magic; // GATE_MAGIC
	uint32_t word; // enum gate_word
};

enum { GATE_WORDS_SIZE = 248 };

// Towards the agent. The words are the last that ccp-init and its sshd have said, lines of a log.
// Root in the container may have said them as well: they explain, and prove nothing.
struct gate_answer {
	uint32_t magic; // GATE_MAGIC
	uint32_t state; // enum gate_state
	char words[GATE_WORDS_SIZE]; // ends with a NUL
};
