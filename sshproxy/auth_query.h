// SPDX-License-Identifier: Apache-2.0
// Monitor: one query of a child about credentials, taken through the pools: limits, hash, login.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/pool.h"
#include "sshproxy/message.h"

// The calls run in the database pool, the yescrypt check in the hash pool:
//
//     PASSWORD   ssh.challenge -> yescrypt -> ssh.login
//     KEY_OFFER  ssh.key_offer
//     KEY_LOGIN  ssh.login
//
// In each pool those who ask take turns (lib/turns.h). A question is answered within 5 s: what has waited too long in a queue is not begun, and a
// database that is away is answered with "try again".
struct auth_query_step;
struct auth_query_pools {
	struct pool *db, *hash;
	int64_t process_id; // 0: not registered yet, everything is answered with "try again"
};

struct auth_query {
	struct pool_job job;
	const struct auth_query_pools *pools;
	void (*done)(struct auth_query *query); // on the loop; may begin another
	enum message_kind kind;
	char address[MESSAGE_ADDRESS_SIZE];
	char name[NAME_SIZE];
	char password[MESSAGE_PASSWORD_SIZE];
	char sha256[MESSAGE_SHA256_SIZE];
	char hash[256]; // to check the password against
	bool matched;
	int64_t begun_ms;
	const struct auth_query_step *step;
	// The answer.
	enum message_verdict verdict;
	char sentence[MESSAGE_SENTENCE_SIZE];
	char session_id[40]; // "" unless the user is in
};

// `query` must stay until `done`. The question is copied.
void auth_query_start(struct auth_query *query, const struct auth_query_pools *pools,
	const char *address, const struct message *question,
	void (*done)(struct auth_query *query));
