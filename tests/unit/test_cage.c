// SPDX-License-Identifier: Apache-2.0
// The cage's table and doors as they are built, without a kernel.
// uses: agent/evidence.c agent/net/cage.c agent/net/cage_door.c agent/net/cage_rules.c agent/net/netns.c
// uses: agent/net/nft_expr.c agent/net/nft_table.c agent/net/nl.c
#include "tests/unit/unit.h"

#include <errno.h>
#include <libnftnl/set.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/net/cage.h"
#include "agent/net/cage_rules.h"
#include "lib/err.h"
#include "lib/mem.h"

#define GOLDEN "tests/unit/golden/cage.txt"

static struct cage_door door_make(const char *address, uint8_t protocol, uint16_t port)
{
	struct cage_door door = {.protocol = protocol, .port = port};
	struct err e;
	assert_int_equal(addr_parse(address, &door.addr, &e), 0);
	return door;
}

static struct cage_element element_make(uint32_t uid, const char *address, uint16_t port)
{
	struct cage_door door = door_make(address, IPPROTO_UDP, port);
	return cage_element_of(uid, &door);
}

// CCP_GOLDEN=write renews the file.
static void the_table_is_the_golden_one(void **state)
{
	(void)state;
	struct nft_table t;
	_cleanup_(str_done) struct str text = STR_INIT(NFT_TEXT_MAX);
	char golden[NFT_TEXT_MAX] = "", hash[HASH_SHA256_HEX_SIZE], expected[HASH_SHA256_HEX_SIZE];
	cage_rules_init(&t, CAGE_GROUP_FIRST, "an owner");
	nft_table_print(&t, &text);
	nft_table_done(&t);
	if (getenv("CCP_GOLDEN")) {
		FILE *f = fopen(GOLDEN, "we");
		assert_non_null(f);
		fputs(str_text(&text), f);
		fclose(f);
	}
	FILE *f = fopen(GOLDEN, "re");
	assert_non_null(f);
	golden[fread(golden, 1, sizeof(golden) - 1, f)] = '\0';
	fclose(f);
	assert_string_equal(str_text(&text), golden);

	hash_sha256_hex(golden, strlen(golden), expected);
	cage_rules_hash(CAGE_GROUP_FIRST, hash);
	assert_string_equal(hash, expected);
	cage_rules_hash(CAGE_GROUP_FIRST + 1, hash);
	assert_string_not_equal(hash, expected);
}

static void the_groups_are_above_the_user_ids_and_below_2_31(void **state)
{
	(void)state;
	assert_int_equal(CAGE_UID_FIRST, 2147446782);
	assert_int_equal(CAGE_UID_LAST, CAGE_UID_FIRST + 28670 + 8 - 1);
	assert_int_equal(CAGE_GROUP_FIRST, CAGE_UID_LAST + 1);
	assert_int_equal(CAGE_GROUP_LAST, INT32_MAX - 1);
}

static void a_table_of_a_cage_is_known_by_its_name(void **state)
{
	static const struct {
		const char *name;
		uint32_t group;
	} cases[] = {
		{"ccp_cage_2147475460", CAGE_GROUP_FIRST},
		{"ccp_cage_2147483646", CAGE_GROUP_LAST},
		{"ccp_cage_2147475459", 0},
		{"ccp_cage_2147483647", 0},
		{"ccp_cage_02147475460", 0},
		{"ccp_cage_2147475460x", 0},
		{"ccp_cage_6442442756", 0}, // the first one and 2^32
		{"ccp_cage_", 0},
		{"ccp_cage", 0},
		{"ccp", 0},
		{"", 0},
	};
	char name[NFT_NAME_MAX];
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(cage_table_group(cases[i].name), cases[i].group);
	assert_string_equal(cage_table_name(CAGE_GROUP_FIRST, name), cases[0].name);
}

static void a_door_has_a_set_and_a_key(void **state)
{
	static const struct {
		const char *address;
		uint8_t protocol;
		uint16_t port;
		enum cage_set set;
		uint8_t rest[27]; // of the key, behind the user id
		const char *text;
	} cases[] = {
		{"203.0.113.7", IPPROTO_TCP, 443, CAGE_DOORS4,
			{203, 0, 113, 7, 6, 0, 0, 0, 1, 0xbb},
			"uid 2147446782 to 203.0.113.7 tcp port 443"},
		{"203.0.113.7", IPPROTO_UDP, 65535, CAGE_DOORS4,
			{203, 0, 113, 7, 17, 0, 0, 0, 0xff, 0xff},
			"uid 2147446782 to 203.0.113.7 udp port 65535"},
		{"203.0.113.7", IPPROTO_UDP, 0, CAGE_UDP4, {203, 0, 113, 7},
			"uid 2147446782 to 203.0.113.7 udp, every port"},
		{"2001:db8::7", IPPROTO_TCP, 1, CAGE_DOORS6,
			{0x20, 1, 0xd, 0xb8, [15] = 7, [16] = 6, [20] = 0, [21] = 1},
			"uid 2147446782 to 2001:db8::7 tcp port 1"},
		{"2001:db8::7", IPPROTO_UDP, 0, CAGE_UDP6, {0x20, 1, 0xd, 0xb8, [15] = 7},
			"uid 2147446782 to 2001:db8::7 udp, every port"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cage_door door =
			door_make(cases[i].address, cases[i].protocol, cases[i].port);
		struct cage_element x = cage_element_of(CAGE_UID_FIRST, &door);
		char text[CAGE_ELEMENT_TEXT_MAX];
		assert_int_equal(x.set, cases[i].set);
		assert_int_equal(cage_element_uid(&x), CAGE_UID_FIRST);
		assert_memory_equal(x.key + 4, cases[i].rest, sizeof(cases[i].rest));
		assert_string_equal(cage_element_text(&x, text), cases[i].text);
	}
}

static void an_element_of_another_kind_is_not_read(void **state)
{
	(void)state;
	struct cage_element x = element_make(CAGE_UID_FIRST, "203.0.113.7", 443), read;
	struct nftnl_set_elem *from = nftnl_set_elem_alloc();
	assert_non_null(from);
	assert_int_equal(cage_element_read(from, CAGE_DOORS4, &read), -1); // a catch-all
	nftnl_set_elem_set(from, NFTNL_SET_ELEM_KEY, x.key, cage_set(CAGE_DOORS4)->size);
	assert_int_equal(cage_element_read(from, CAGE_DOORS4, &read), 0);
	assert_memory_equal(&read, &x, sizeof(x));
	assert_int_equal(cage_element_read(from, CAGE_DOORS6, &read), -1); // too short
	assert_int_equal(cage_element_read(from, CAGE_UDP4, &read), -1); // too long
	nftnl_set_elem_free(from);
}

static void a_list_is_sorted_and_has_no_doubles(void **state)
{
	(void)state;
	_cleanup_(cage_elements_done) struct cage_elements list = {0}, other = {0};
	enum { COUNT = 200 };
	for (uint32_t i = 0; i < COUNT; i++) {
		struct cage_element x = element_make(
			CAGE_UID_FIRST + i * 7 % 100, "203.0.113.7", (uint16_t)(1 + i % 2));
		cage_elements_add(&list, &x);
		cage_elements_add(&list, &x);
		assert_true(cage_elements_has(&list, &x));
	}
	assert_int_equal(list.count, COUNT / 2); // 100 ids, each with one of two ports
	for (size_t i = 1; i < list.count; i++)
		assert_true(memcmp(&list.of[i - 1], &list.of[i], sizeof(list.of[i])) < 0);

	for (size_t i = 0; i < list.count; i++)
		cage_elements_add(&other, &list.of[i]);
	assert_null(cage_elements_missing(&list, &other));
	cage_elements_remove_uid(&other, CAGE_UID_FIRST + 42);
	assert_int_equal(other.count, COUNT / 2 - 1);
	assert_null(cage_elements_missing(&other, &list));
	assert_int_equal(
		cage_element_uid(cage_elements_missing(&list, &other)), CAGE_UID_FIRST + 42);
}

// The longest keys.
static struct cage_elements elements_make(uint16_t first_port)
{
	struct cage_elements list = {0};
	for (size_t i = 0; i < CAGE_CHUNK; i++) {
		struct cage_element x =
			element_make(CAGE_UID_FIRST, "2001:db8::7", (uint16_t)(first_port + i));
		cage_elements_add(&list, &x);
	}
	return list;
}

static void a_batch_holds_two_full_chunks_and_leaves_out_what_stays(void **state)
{
	(void)state;
	_cleanup_(cage_elements_done) struct cage_elements old = elements_make(1);
	_cleanup_(cage_elements_done) struct cage_elements new = elements_make(100);
	struct nl n = NL_INIT;
	struct nl_batch b;
	struct cage_chunk gone = {"ccp_cage", NFT_MSG_DELSETELEM, old.of, old.count, &new};
	struct cage_chunk come = {"ccp_cage", NFT_MSG_NEWSETELEM, new.of, new.count, &old};
	nl_batch_init(&b);
	cage_chunk_put(&gone, &n, &b);
	cage_chunk_put(&come, &n, &b);
	assert_int_equal(b.acks, 2);
	nft_put_end(&n, &b);
	assert_in_range(b.used, 2 * CAGE_CHUNK * 28, NL_BATCH_BYTES - NL_MESSAGE_BYTES);

	nl_batch_init(&b);
	gone.except = &old;
	cage_chunk_put(&gone, &n, &b);
	assert_int_equal(b.acks, 0); // never a deletion without elements, which would empty the set
}

static void an_owner_needs_a_name(void **state)
{
	(void)state;
	char name[NFT_COMMENT_MAX + 1];
	struct cage c;
	struct err e;
	memset(name, 'x', sizeof(name));
	name[NFT_COMMENT_MAX] = '\0';
	assert_int_equal(cage_init(&c, -1, name, &e), -1);
	assert_non_null(strstr(e.message, "a name"));
	cage_done(&c);
	assert_int_equal(cage_init(&c, -1, "", &e), -1);
	cage_done(&c);
}

static void a_cage_that_was_not_loaded_does_nothing(void **state)
{
	(void)state;
	struct cage c = {.lock = PTHREAD_MUTEX_INITIALIZER, .nl = NL_INIT};
	struct cage_counts counts;
	struct err e;
	assert_int_equal(cage_restore(&c, &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_int_equal(cage_set_doors(&c, CAGE_UID_FIRST, NULL, 0, &e), -1);
	assert_int_equal(cage_read_counts(&c, &counts, &e), -1);
	assert_int_equal(cage_group(&c), 0);
	cage_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_the_golden_one),
		cmocka_unit_test(the_groups_are_above_the_user_ids_and_below_2_31),
		cmocka_unit_test(a_table_of_a_cage_is_known_by_its_name),
		cmocka_unit_test(a_door_has_a_set_and_a_key),
		cmocka_unit_test(an_element_of_another_kind_is_not_read),
		cmocka_unit_test(a_list_is_sorted_and_has_no_doubles),
		cmocka_unit_test(a_batch_holds_two_full_chunks_and_leaves_out_what_stays),
		cmocka_unit_test(an_owner_needs_a_name),
		cmocka_unit_test(a_cage_that_was_not_loaded_does_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
