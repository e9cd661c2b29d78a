// SPDX-License-Identifier: Apache-2.0
// Errors: messages, context, limits, and who may try again; the string builder and deadlines beside
// them.
#include "lib/err.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/wait.h"

static void the_message_names_the_reason(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(err_set(&e, ENOENT, "open %s", "/x"), -1);
	assert_string_equal(e.message, "open /x: No such file or directory");
	assert_int_equal(e.code, ENOENT);
	assert_string_equal(e.sqlstate, "");
}

static void context_goes_in_front_and_keeps_the_rest(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(err_sql(&e, "CP404", "no such host", "{\"a\":1}", "look again"), -1);
	assert_int_equal(err_wrap(&e, "start %d", 7), -1);
	assert_string_equal(e.message, "start 7: no such host");
	assert_string_equal(e.sqlstate, "CP404");
	assert_string_equal(e.detail, "{\"a\":1}");
	assert_string_equal(e.hint, "look again");
}

static void a_long_message_is_cut(void **state)
{
	struct err e;
	char text[ERR_MESSAGE_MAX * 2];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(err_say(&e, EINVAL, "%s", text), -1);
	assert_int_equal(strlen(e.message), ERR_MESSAGE_MAX - 1);
	assert_int_equal(err_wrap(&e, "%s", text), -1);
	assert_int_equal(strlen(e.message), ERR_MESSAGE_MAX - 1);
	assert_int_equal(err_set(&e, EINVAL, "%s", text), -1);
}

static void whether_to_retry_is_decided_by_sqlstate_then_errno(void **state)
{
	static const struct {
		const char *sqlstate, *message;
		int code;
		enum err_retry wanted;
	} cases[] = {
		{"40001", "could not serialize", 0, ERR_RETRY_AGAIN},
		{"40P01", "deadlock detected", 0, ERR_RETRY_AGAIN},
		{"XX000", "cache lookup failed for function 7", 0, ERR_RETRY_PREPARE},
		{"XX000", "something else", 0, ERR_RETRY_NO},
		{"0A000", "cached plan must not change result type", 0, ERR_RETRY_PREPARE},
		{"0A000", "not supported", 0, ERR_RETRY_NO},
		{"57P03", "starting up", 0, ERR_RETRY_LATER},
		{"57014", "statement timeout", 0, ERR_RETRY_LATER},
		{"53300", "too many connections", 0, ERR_RETRY_LATER},
		{"CP409", "busy", 0, ERR_RETRY_NO},
		{"23505", "duplicate", 0, ERR_RETRY_NO},
		{"", "", ECONNREFUSED, ERR_RETRY_LATER},
		{"", "", ETIMEDOUT, ERR_RETRY_LATER},
		{"", "", EINVAL, ERR_RETRY_NO},
		{"", "", ENOENT, ERR_RETRY_NO},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e;
		int r = cases[i].sqlstate[0]
				? err_sql(&e, cases[i].sqlstate, cases[i].message, NULL, NULL)
				: err_say(&e, cases[i].code, "%s", cases[i].message);
		assert_int_equal(r, -1);
		assert_int_equal(err_retry(&e), cases[i].wanted);
		assert_int_equal(err_is_retryable(&e), cases[i].wanted != ERR_RETRY_NO);
	}
}

static void a_string_builder_never_passes_its_limit(void **state)
{
	struct str s = STR_INIT(10);

	(void)state;
	str_add(&s, "12345");
	str_addf(&s, "%d", 67890);
	assert_string_equal(str_text(&s), "1234567890");
	assert_false(s.overflow);
	str_add(&s, "x");
	assert_true(s.overflow);
	assert_null(str_take(&s));
	str_add(&s, "again");
	_cleanup_(freep) char *text = str_take(&s);
	assert_string_equal(text, "again");
}

static void a_copied_text_fits_or_is_empty(void **state)
{
	char small[4] = "abc";

	(void)state;
	assert_true(text_copy(small, sizeof(small), "xyz"));
	assert_string_equal(small, "xyz");
	assert_false(text_copy(small, sizeof(small), "long"));
	assert_string_equal(small, "");
}

static void a_uuid_is_what_postgresql_prints(void **state)
{
	(void)state;
	assert_true(str_is_uuid("0b2f7a52-6f0f-4b25-9f6e-3a0f2a1f0c11"));
	assert_false(str_is_uuid("0B2f7a52-6f0f-4b25-9f6e-3a0f2a1f0c11"));
	assert_false(str_is_uuid(""));
	assert_false(str_is_uuid("0b2f7a52-6f0f-4b25-9f6e-3a0f2a1f0c1"));
	assert_false(str_is_uuid("0b2f7a52-6f0f-4b25-9f6e-3a0f2a1f0c11x"));
	assert_false(str_is_uuid("0b2f7a52/6f0f-4b25-9f6e-3a0f2a1f0c11"));
}

static void a_wait_ends_by_deadline_or_by_cancel(void **state)
{
	_cleanup_(closep) int cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct wait brief = wait_for(20, cancel), none = wait_for(10000, cancel);
	struct err e;
	uint64_t one = 1;

	(void)state;
	int64_t began = wait_now_ms();
	assert_int_equal(wait_fd(&brief, -1, 0, "nothing", &e), WAIT_TIMEOUT);
	assert_int_equal(e.code, ETIMEDOUT);
	assert_true(wait_now_ms() - began >= 19);
	assert_int_equal(write(cancel, &one, sizeof(one)), sizeof(one));
	assert_int_equal(wait_fd(&none, -1, 0, "nothing", &e), WAIT_CANCELED);
	assert_int_equal(wait_pause(&none, 5000, &e), WAIT_CANCELED);
	none.cancel_fd = -1;
	assert_int_equal(wait_pause(&none, 5, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_message_names_the_reason),
		cmocka_unit_test(context_goes_in_front_and_keeps_the_rest),
		cmocka_unit_test(a_long_message_is_cut),
		cmocka_unit_test(whether_to_retry_is_decided_by_sqlstate_then_errno),
		cmocka_unit_test(a_string_builder_never_passes_its_limit),
		cmocka_unit_test(a_copied_text_fits_or_is_empty),
		cmocka_unit_test(a_uuid_is_what_postgresql_prints),
		cmocka_unit_test(a_wait_ends_by_deadline_or_by_cancel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
