// SPDX-License-Identifier: Apache-2.0
// The wall's rule set as it is built, without a kernel.
// uses: agent/net/elements.c agent/evidence.c agent/net/netns.c agent/net/nl.c agent/net/nft_expr.c agent/net/nft_table.c agent/net/ruleset.c agent/net/wall.c
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libnftnl/set.h>

#include "agent/net/elements.h"
#include "agent/net/nft_table.h"
#include "agent/net/ruleset.h"
#include "agent/net/wall.h"
#include "lib/err.h"
#include "lib/hash.h"

#define GOLDEN "tests/unit/golden/ruleset.txt"

static struct wall_spec spec_make(const char *tunnel, const char *resolver, bool ipv6)
{
	struct wall_spec spec = {.ipv6 = ipv6};
	struct err e;
	assert_true(text_copy(spec.tunnel, sizeof(spec.tunnel), tunnel));
	assert_int_equal(addr_parse(resolver, &spec.resolver, &e), 0);
	return spec;
}

// The same for every host. CCP_GOLDEN=write renews the file.
static void the_rule_set_is_the_golden_one(void **state)
{
	(void)state;
	struct nft_table rules;
	_cleanup_(str_done) struct str text = STR_INIT(NFT_TEXT_MAX);
	char golden[NFT_TEXT_MAX] = "";
	ruleset_init(&rules);
	nft_table_print(&rules, &text);
	nft_table_done(&rules);
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
}

static void the_hash_is_the_texts(void **state)
{
	(void)state;
	struct nft_table rules;
	_cleanup_(str_done) struct str text = STR_INIT(NFT_TEXT_MAX);
	char of_text[65], expected[65];
	ruleset_init(&rules);
	nft_table_print(&rules, &text);
	nft_table_done(&rules);
	hash_sha256_hex(str_text(&text), text.len, of_text);
	wall_expected_hash(expected);
	assert_string_equal(expected, of_text);
}

// The elements of an exit as "set element; set element; ...".
static const char *elements_print(const struct wall_spec *spec, struct str *s)
{
	struct elements exit;
	elements_of_exit(spec, &exit);
	for (size_t i = 0; i < exit.count; i++) {
		char text[ELEMENT_TEXT_MAX];
		str_addf(s, "%s %s; ", ruleset_set_name(exit.of[i].set),
			element_text(&exit.of[i], text));
	}
	return str_text(s);
}

static void the_elements_name_the_exit(void **state)
{
	static const struct {
		const char *tunnel, *resolver;
		bool ipv6;
		const char *expected;
	} cases[] = {
		{"tun0", "10.0.0.1", false, "tunnel tun0; families ipv4; resolver4 10.0.0.1; "},
		{"tun1", "10.0.0.1", false, "tunnel tun1; families ipv4; resolver4 10.0.0.1; "},
		{"tun0", "10.0.0.1", true,
			"tunnel tun0; families ipv4; families ipv6; resolver4 10.0.0.1; "},
		{"tun0", "fd00::1", true,
			"tunnel tun0; families ipv4; families ipv6; resolver6 fd00::1; "},
		{"averylongtunnel", "fd00:ffff:ffff:ffff::1", false,
			"tunnel averylongtunnel; families ipv4; resolver6 fd00:ffff:ffff:ffff::1; "},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct wall_spec spec =
			spec_make(cases[i].tunnel, cases[i].resolver, cases[i].ipv6);
		_cleanup_(str_done) struct str s = STR_INIT(1024);
		assert_string_equal(elements_print(&spec, &s), cases[i].expected);
	}
}

static void the_proof_is_the_tunnels_name_in_the_set_proven(void **state)
{
	(void)state;
	struct wall_spec spec = spec_make("tun0", "10.0.0.1", false);
	struct element proof = element_of_proof(&spec);
	struct elements exit;
	char text[ELEMENT_TEXT_MAX];
	elements_of_exit(&spec, &exit);
	assert_string_equal(ruleset_set_name(proof.set), "proven");
	assert_string_equal(element_text(&proof, text), "tun0");
	for (size_t i = 0; i < exit.count; i++)
		assert_false(element_equal(&proof, &exit.of[i]));
}

// What libnftnl would make of the kernel's answer.
static struct nftnl_set_elem *kernel_element(const void *key, uint32_t size)
{
	struct nftnl_set_elem *x = nftnl_set_elem_alloc();
	assert_non_null(x);
	if (key)
		nftnl_set_elem_set(x, NFTNL_SET_ELEM_KEY, key, size);
	return x;
}

static void an_element_of_another_kind_is_not_read(void **state)
{
	static const uint8_t address[16] = {10, 0, 0, 1};
	struct element read, expected = {.set = RULESET_RESOLVER4, .key = {10, 0, 0, 1}};
	(void)state;

	struct nftnl_set_elem *good = kernel_element(address, 4);
	assert_int_equal(element_read(good, RULESET_RESOLVER4, &read), 0);
	assert_true(element_equal(&read, &expected));
	assert_int_equal(element_read(good, RULESET_RESOLVER6, &read), -1);
	nftnl_set_elem_free(good);

	struct nftnl_set_elem *catch_all = kernel_element(NULL, 0);
	assert_int_equal(element_read(catch_all, RULESET_RESOLVER4, &read), -1);
	nftnl_set_elem_free(catch_all);
}

static void a_batch_holds_the_whole_rule_set(void **state)
{
	struct nft_table rules;
	struct nl n = NL_INIT;
	struct nl_batch b;
	(void)state;
	nl_batch_init(&b);
	ruleset_init(&rules);
	nft_table_put(&rules, &n, &b);
	size_t objects = 1 + RULESET_SETS + (size_t)WALL_CHAINS * WALL_SENDERS + WALL_CHAINS + 4;
	assert_int_equal(b.acks, objects + rules.rule_count);
	assert_in_range(b.used, 1000, NL_BATCH_BYTES - NL_MESSAGE_BYTES);
	nft_table_done(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rule_set_is_the_golden_one),
		cmocka_unit_test(the_hash_is_the_texts),
		cmocka_unit_test(the_elements_name_the_exit),
		cmocka_unit_test(the_proof_is_the_tunnels_name_in_the_set_proven),
		cmocka_unit_test(an_element_of_another_kind_is_not_read),
		cmocka_unit_test(a_batch_holds_the_whole_rule_set),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
