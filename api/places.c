// SPDX-License-Identifier: Apache-2.0
// A list of those who have a place.
#include "api/places.h"

#include <string.h>

#include "api/reply.h"
#include "api/request.h"

void places_init(struct places *places)
{
	pthread_mutex_init(&places->lock, NULL);
	places->first = NULL;
}

void places_done(struct places *places)
{
	pthread_mutex_destroy(&places->lock);
}

bool place_take(struct places *places, struct place *place, struct request *r)
{
	unsigned all = 0, own = 0;
	memcpy(place->user_id, r->caller.claims.user_id, sizeof(place->user_id));
	pthread_mutex_lock(&places->lock);
	for (const struct place *other = places->first; other; other = other->next) {
		all++;
		own += strcmp(other->user_id, place->user_id) == 0;
	}
	place->taken = own < PLACES_PER_USER_MAX && all < PLACES_MAX;
	if (place->taken) {
		place->next = places->first;
		places->first = place;
	}
	pthread_mutex_unlock(&places->lock);
	if (own >= PLACES_PER_USER_MAX)
		reply_too_many_streams(r);
	else if (all >= PLACES_MAX)
		reply_busy(r);
	return place->taken;
}

void place_leave(struct places *places, struct place *place)
{
	if (!place->taken)
		return;
	pthread_mutex_lock(&places->lock);
	struct place **at = &places->first;
	while (*at != place)
		at = &(*at)->next;
	*at = place->next;
	pthread_mutex_unlock(&places->lock);
	place->taken = false;
}
