// SPDX-License-Identifier: Apache-2.0
// Who is next among networks, addresses and names, and whose item leaves a full queue.
#include "lib/turns.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

// An item "Na1": network N, address a, name 1.
struct letter {
	struct turns_item item;
	const char *text;
};

static struct letter letters[32];

static void add_all(struct turns *turns, const char *texts)
{
	static char copy[256];
	size_t i = 0;
	memset(letters, 0, sizeof(letters));
	strcpy(copy, texts);
	for (char *text = strtok(copy, " "); text; text = strtok(NULL, " ")) {
		letters[i].text = text;
		letters[i].item.who = (struct turns_who){
			{(uint64_t)text[0], (uint64_t)text[1]}, (uint64_t)text[2]};
		turns_add(turns, &letters[i++].item);
	}
}

static void expect(
	struct turns *turns, struct turns_item *(*next)(struct turns *turns), const char *texts)
{
	char seen[256] = "";
	while (turns->waiting > 0) {
		struct letter *letter = container_of(next(turns), struct letter, item);
		strcat(strcat(seen, *seen == '\0' ? "" : " "), letter->text);
	}
	assert_null(turns->lines);
	assert_string_equal(seen, texts);
}

static void one_line_is_a_queue(void **state)
{
	struct turns turns = {0};
	(void)state;
	assert_null(turns_take(&turns));
	add_all(&turns, "Aa1x Aa1y Aa1z");
	expect(&turns, turns_take, "Aa1x Aa1y Aa1z");
}

static void networks_then_addresses_then_names_take_turns(void **state)
{
	struct turns turns = {0};
	(void)state;
	add_all(&turns, "Aa1 Aa1 Aa1 Ba1");
	expect(&turns, turns_take, "Aa1 Ba1 Aa1 Aa1");
	add_all(&turns, "Aa1 Aa2 Aa3 Ab1 Ba1");
	expect(&turns, turns_take, "Aa1 Ba1 Ab1 Aa2 Aa3");
	add_all(&turns, "Aa1 Aa1 Aa1 Aa2");
	expect(&turns, turns_take, "Aa1 Aa2 Aa1 Aa1");
	// an equal address or name elsewhere is another one
	add_all(&turns, "Aa1 Aa1 Ba1 Bb1 Ba1");
	expect(&turns, turns_take, "Aa1 Ba1 Aa1 Bb1 Ba1");
}

static void who_comes_meanwhile_waits_for_one_turn_of_each_other(void **state)
{
	struct turns turns = {0};
	(void)state;
	add_all(&turns, "Aa1 Aa1 Aa1 Ba1 Ba1 Ba1");
	assert_ptr_equal(turns_take(&turns), &letters[0].item);
	letters[20] = (struct letter){.text = "Ca1", .item.who = {{'C', 'a'}, '1'}};
	turns_add(&turns, &letters[20].item);
	expect(&turns, turns_take, "Ba1 Aa1 Ca1 Ba1 Aa1 Ba1");
}

static void the_youngest_of_the_longest_line_is_dropped(void **state)
{
	struct turns turns = {0};
	(void)state;
	add_all(&turns, "Aa1x Aa1y Ba1");
	expect(&turns, turns_drop, "Aa1y Ba1 Aa1x");
	// the network counts first, whatever its addresses have
	add_all(&turns, "Aa1 Ab1 Ac1 Ba1x Ba1y");
	assert_ptr_equal(turns_drop(&turns), &letters[2].item);
	expect(&turns, turns_drop, "Ba1y Ab1 Ba1x Aa1");
	add_all(&turns, "Aa1x Aa1y Aa2 Ab1 Ab1");
	assert_ptr_equal(turns_drop(&turns), &letters[1].item);
	expect(&turns, turns_take, "Aa1x Ab1 Aa2 Ab1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_line_is_a_queue),
		cmocka_unit_test(networks_then_addresses_then_names_take_turns),
		cmocka_unit_test(who_comes_meanwhile_waits_for_one_turn_of_each_other),
		cmocka_unit_test(the_youngest_of_the_longest_line_is_dropped),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
