// SPDX-License-Identifier: Apache-2.0
// How many streams an account and the process may hold, and what one too many is answered.
// uses: api/places.c
#include "api/places.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "api/reply.h"
#include "api/request.h"

static struct places places;
static int too_many, busy;

void reply_too_many_streams(struct request *r)
{
	(void)r;
	too_many++;
}

void reply_busy(struct request *r)
{
	(void)r;
	busy++;
}

static int begin(void **state)
{
	(void)state;
	places_init(&places);
	too_many = busy = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	assert_null(places.first);
	places_done(&places);
	return 0;
}

static bool take(struct place *place, int user)
{
	struct request r = {0};
	snprintf(r.caller.claims.user_id, sizeof(r.caller.claims.user_id), "user %d", user);
	return place_take(&places, place, &r);
}

static void an_account_has_its_places_and_others_have_theirs(void **state)
{
	struct place own[PLACES_PER_USER_MAX] = {0}, other = {0}, more = {0};
	(void)state;
	for (int i = 0; i < PLACES_PER_USER_MAX; i++)
		assert_true(take(&own[i], 1));
	assert_false(take(&more, 1));
	assert_int_equal(too_many, 1);
	place_leave(&places, &more); // it never had one
	assert_true(take(&other, 2));
	place_leave(&places, &own[7]);
	place_leave(&places, &own[7]); // nothing more
	assert_true(take(&more, 1));
	assert_false(take(&own[7], 1));
	assert_int_equal(too_many, 2);
	assert_int_equal(busy, 0);
	for (int i = 0; i < PLACES_PER_USER_MAX; i++)
		place_leave(&places, &own[i]);
	place_leave(&places, &other);
	place_leave(&places, &more);
}

static void the_process_has_an_end_of_places_too(void **state)
{
	static struct place all[PLACES_MAX];
	struct place more = {0};
	(void)state;
	for (int i = 0; i < PLACES_MAX; i++)
		assert_true(take(&all[i], i / PLACES_PER_USER_MAX));
	assert_false(take(&more, -1));
	assert_int_equal(busy, 1);
	assert_int_equal(too_many, 0);
	assert_false(take(&more, 0)); // its own limit is the reason that helps
	assert_int_equal(busy, 1);
	assert_int_equal(too_many, 1);
	place_leave(&places, &all[0]);
	assert_true(take(&more, -1));
	for (int i = 0; i < PLACES_MAX; i++)
		place_leave(&places, &all[i]);
	place_leave(&places, &more);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			an_account_has_its_places_and_others_have_theirs, begin, end),
		cmocka_unit_test_setup_teardown(the_process_has_an_end_of_places_too, begin, end),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
