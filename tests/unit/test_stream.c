// SPDX-License-Identifier: Apache-2.0
// What waits for a client that listens, and what becomes of it when the client does not read.
// uses: api/stream.c
#include "api/stream.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static void add(struct stream *stream, const char *text)
{
	struct stream_text *one = stream_text_new(xstrdup(text));
	stream_add(stream, one);
	stream_text_drop(one);
}

// Takes pieces of `piece` bytes, at most `max` in all; false: something else came.
static bool gives(struct stream *stream, size_t piece, size_t max, const char *expected)
{
	char seen[256] = "";
	size_t len = 0, taken;
	while (len < max && (taken = stream_take(stream, seen + len, piece)) > 0)
		len += taken;
	return strcmp(seen, expected) == 0;
}

static void texts_go_out_in_order_in_pieces_of_any_size(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 12; piece++) {
		struct stream stream = {0};
		assert_true(gives(&stream, piece, 200, ""));
		add(&stream, "one ");
		add(&stream, "");
		add(&stream, "two ");
		add(&stream, "three");
		assert_int_equal(stream.bytes, 13);
		assert_true(gives(&stream, piece, 200, "one two three"));
		assert_int_equal(stream.bytes, 0);
		assert_int_equal(stream.count, 0);
		stream_done(&stream);
	}
}

static void the_ring_goes_round_and_grows(void **state)
{
	struct stream stream = {0};
	(void)state;
	for (int n = 0; n < 10; n++)
		add(&stream, "x");
	assert_true(gives(&stream, 10, 10, "xxxxxxxxxx"));
	for (int n = 0; n < 40; n++)
		add(&stream, n % 2 ? "a" : "b");
	assert_true(gives(&stream, 40, 40, "babababababababababababababababababababa"));
	stream_done(&stream);
}

static void one_text_is_many_clients(void **state)
{
	struct stream first = {0}, second = {0};
	struct stream_text *text = stream_text_new(xstrdup("shared"));
	(void)state;
	stream_add(&first, text);
	stream_add(&second, text);
	stream_text_drop(text);
	assert_true(gives(&first, 200, 200, "shared"));
	stream_done(&first);
	assert_true(gives(&second, 200, 200, "shared"));
	stream_done(&second);
	stream_text_drop(NULL);
}

static void too_many_texts_are_lost_but_the_one_that_has_begun(void **state)
{
	struct stream stream = {0};
	(void)state;
	add(&stream, "begun");
	assert_true(gives(&stream, 2, 2, "be"));
	for (int n = 1; n < STREAM_TEXTS_MAX; n++)
		add(&stream, "x");
	assert_false(stream.lost);
	add(&stream, "one too many");
	assert_true(stream.lost);
	add(&stream, "and more");
	assert_true(gives(&stream, 200, 200, "gun"));
	stream.lost = false;
	add(&stream, "again");
	assert_true(gives(&stream, 200, 200, "again"));
	stream_done(&stream);
}

static void too_many_bytes_are_lost_too(void **state)
{
	struct stream stream = {0};
	_cleanup_(freep) char *large = xcalloc(STREAM_BYTES_MAX + 1, 1);
	(void)state;
	memset(large, 'x', STREAM_BYTES_MAX);
	add(&stream, large);
	assert_false(stream.lost);
	add(&stream, "x");
	assert_true(stream.lost);
	assert_int_equal(stream.count, 0);
	assert_int_equal(stream.bytes, 0);
	stream_done(&stream);
}

static void what_waits_can_be_thrown_away(void **state)
{
	struct stream stream = {0};
	(void)state;
	add(&stream, "one");
	add(&stream, "two");
	stream_cut(&stream);
	assert_int_equal(stream.count, 0);
	add(&stream, "one");
	add(&stream, "two");
	assert_true(gives(&stream, 1, 1, "o"));
	stream_cut(&stream);
	assert_int_equal(stream.bytes, 3);
	assert_true(gives(&stream, 200, 200, "ne"));
	stream_done(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_go_out_in_order_in_pieces_of_any_size),
		cmocka_unit_test(the_ring_goes_round_and_grows),
		cmocka_unit_test(one_text_is_many_clients),
		cmocka_unit_test(too_many_texts_are_lost_but_the_one_that_has_begun),
		cmocka_unit_test(too_many_bytes_are_lost_too),
		cmocka_unit_test(what_waits_can_be_thrown_away),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
