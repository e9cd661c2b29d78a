// SPDX-License-Identifier: Apache-2.0
// What the two ends of the dial socket accept from each other.
#include "lib/dial.h"

#include "tests/unit/unit.h"

#include <string.h>

#include "lib/mem.h"

#define SESSION "0b2f7a52-6f0f-4b25-9f6e-3a0f2a1f0c11"

static struct dial_request request_make(uint32_t magic, uint32_t port, const char *session)
{
	struct dial_request r = {.magic = magic, .port = port};
	memcpy(r.session_id, session, strnlen(session, sizeof(r.session_id)));
	return r;
}

static void a_request_names_a_session_and_a_port(void **state)
{
	static const struct {
		uint32_t magic, port;
		const char *session;
		bool valid;
	} requests[] = {
		{DIAL_MAGIC, 22, SESSION, true}, {DIAL_MAGIC, 1, SESSION, true},
		{DIAL_MAGIC, 65535, SESSION, true}, {DIAL_MAGIC + 1, 22, SESSION, false},
		{DIAL_MAGIC, 0, SESSION, false}, {DIAL_MAGIC, 65536, SESSION, false},
		{DIAL_MAGIC, 22, "", false}, {DIAL_MAGIC, 22, "../../etc/passwd", false},
		{DIAL_MAGIC, 22, SESSION "xxxx", false}, // does not end
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		struct dial_request r =
			request_make(requests[i].magic, requests[i].port, requests[i].session);
		assert_int_equal(dial_request_is_valid(&r), requests[i].valid);
	}
}

static void a_reply_has_descriptors_exactly_when_it_is_ok(void **state)
{
	static const struct {
		uint32_t magic, outcome;
		size_t fds;
		bool valid;
	} replies[] = {
		{DIAL_MAGIC, DIAL_OK, DIAL_FD_COUNT, true},
		{DIAL_MAGIC, DIAL_OK, 0, false},
		{DIAL_MAGIC, DIAL_OK, 1, false},
		{DIAL_MAGIC, DIAL_REFUSED, 0, true},
		{DIAL_MAGIC, DIAL_BUSY, 0, true},
		{DIAL_MAGIC, DIAL_REFUSED, DIAL_FD_COUNT, false},
		{DIAL_MAGIC, DIAL_BUSY + 1, 0, false},
		{DIAL_MAGIC - 1, DIAL_REFUSED, 0, false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
		struct dial_reply r = {.magic = replies[i].magic, .outcome = replies[i].outcome};
		assert_int_equal(dial_reply_is_valid(&r, replies[i].fds), replies[i].valid);
	}
}

static void a_text_that_does_not_end_is_refused(void **state)
{
	struct dial_reply r = {.magic = DIAL_MAGIC, .outcome = DIAL_REFUSED};
	(void)state;
	memset(r.sentence, 'x', sizeof(r.sentence));
	assert_false(dial_reply_is_valid(&r, 0));
	r.sentence[sizeof(r.sentence) - 1] = '\0';
	assert_true(dial_reply_is_valid(&r, 0));
	memset(r.host_key, 'x', sizeof(r.host_key));
	assert_false(dial_reply_is_valid(&r, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_names_a_session_and_a_port),
		cmocka_unit_test(a_reply_has_descriptors_exactly_when_it_is_ok),
		cmocka_unit_test(a_text_that_does_not_end_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
