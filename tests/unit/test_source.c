// SPDX-License-Identifier: Apache-2.0
// What is one network and one address, and who leaves when places run short.
#include "lib/source.h"

#include "tests/unit/unit.h"

static void sources_are_compared_by_network_and_address(void **state)
{
	static const struct {
		const char *a, *b;
		bool one_network, one_address;
	} cases[] = {
		{"203.0.113.7", "203.0.113.7", true, true},
		{"203.0.113.7", "203.0.113.8", true, false},
		{"203.0.113.7", "203.0.112.7", false, false},
		{"2001:db8:1:2::7", "2001:db8:1:2:ffff::8", true, true},
		{"2001:db8:1:2::7", "2001:db8:1:3::7", true, false},
		{"2001:db8:1:2::7", "2001:db8:2:2::7", false, false},
		{"203.0.113.7", "cb00:7107::", false, false},
		{"not an address", "nor this", true, true},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct source a = source_of_text(cases[i].a), b = source_of_text(cases[i].b);
		assert_int_equal(a.network == b.network, cases[i].one_network);
		assert_int_equal(a.address == b.address, cases[i].one_address);
	}
}

#define PLACE(address, silent, since) \
	{ \
		{(address) / 256, address}, silent, since \
	}

static void the_leaver_is_silent_then_of_the_most_crowded_then_the_oldest(void **state)
{
	static const struct {
		struct source_place places[6];
		size_t count, leaver;
	} cases[] = {
		{{PLACE(1, false, 5)}, 1, 0},
		// the oldest
		{{PLACE(1, false, 5), PLACE(1, false, 4), PLACE(1, false, 6)}, 3, 1},
		// of the address that has the most
		{{PLACE(1, false, 1), PLACE(2, false, 9), PLACE(2, false, 8)}, 3, 2},
		// of the network that has the most, whatever one address has elsewhere
		{{PLACE(300, false, 1), PLACE(300, false, 2), PLACE(1, false, 5),
			 PLACE(2, false, 4), PLACE(3, false, 6)},
			5, 3},
		// who says nothing goes first, and counts like the others
		{{PLACE(1, false, 1), PLACE(1, false, 2), PLACE(300, true, 9)}, 3, 2},
		{{PLACE(1, false, 1), PLACE(1, true, 7), PLACE(300, true, 5)}, 3, 1},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(source_leaver(cases[i].places, cases[i].count), cases[i].leaver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources_are_compared_by_network_and_address),
		cmocka_unit_test(the_leaver_is_silent_then_of_the_most_crowded_then_the_oldest),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
