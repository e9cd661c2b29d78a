// SPDX-License-Identifier: Apache-2.0
// Who holds a stream open that does not end by itself: of each account, and of this process, only so many do.
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "api/token.h"

struct request;

enum {
	// Not settings: half of the places of all connections stay for requests, and what streams may
	// hold (1 MiB each) has an end. More pages need another ccp-api.
	PLACES_MAX = 1024,
	PLACES_PER_USER_MAX = 32, // some tabs on some machines; no account takes all places
};

// A stream's, in its own struct, from place_take to place_leave.
struct place {
	char user_id[TOKEN_UUID_SIZE];
	struct place *next;
	bool taken;
};

struct places {
	pthread_mutex_t lock;
	struct place *first;
};

void places_init(struct places *places);
void places_done(struct places *places);

// Takes a place for the request's caller; false: there is none, and the request has its answer, 429 or
// 503. From any thread.
bool place_take(struct places *places, struct place *place, struct request *r);

// Nothing is done when it was not taken. From any thread.
void place_leave(struct places *places, struct place *place);
