// SPDX-License-Identifier: Apache-2.0
// The wall's rule set as it is built, without a kernel.
// uses: agent/evidence.c agent/netns.c agent/nl.c agent/ruleset.c agent/wall.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/ruleset.h"
#include "agent/wall.h"
#include "lib/err.h"
#include "lib/mem.h"

static struct wall_spec spec_make(const char *tunnel, const char *resolver, bool ipv6)
{
	struct wall_spec spec = {.ipv6 = ipv6};
	struct err e;
	assert_true(text_copy(spec.tunnel, sizeof(spec.tunnel), tunnel));
	assert_int_equal(addr_parse(resolver, &spec.resolver, &e), 0);
	return spec;
}

static void everything_the_rules_depend_on_changes_the_hash(void **state)
{
	const struct wall_spec specs[] = {
		spec_make("tun0", "10.0.0.1", false),
		spec_make("tun1", "10.0.0.1", false),
		spec_make("tun0", "10.0.0.2", false),
		spec_make("tun0", "10.0.0.1", true),
		spec_make("tun0", "fd00::1", true),
	};
	char hashes[ARRAY_SIZE(specs)][65];
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		char again[65];
		wall_expected_hash(&specs[i], hashes[i]);
		wall_expected_hash(&specs[i], again);
		assert_string_equal(hashes[i], again);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(hashes[i], hashes[j]);
	}
}

static char *print(const struct wall_spec *spec)
{
	struct ruleset rules;
	struct str text = STR_INIT(RULESET_TEXT_MAX);
	ruleset_init(&rules, spec);
	ruleset_print(&rules, &text);
	ruleset_done(&rules);
	return str_take(&text);
}

static void base_chains_drop_and_the_proof_has_a_timeout(void **state)
{
	struct wall_spec spec = spec_make("tun0", "10.0.0.1", false);
	(void)state;
	_cleanup_(freep) char *text = print(&spec);
	assert_non_null(strstr(text, "chain 1 ccp output filter hook 3 priority 0 policy 0\n"));
	assert_non_null(strstr(text, "chain 1 ccp input filter hook 1 priority 0 policy 0\n"));
	assert_non_null(strstr(text, "chain 1 ccp forward filter hook 2 priority 0 policy 0\n"));
	assert_non_null(strstr(text, "set 1 ccp proven flags 16 key 41/16\n"));
}

static void ipv6_is_denied_unless_the_exit_has_it(void **state)
{
	struct wall_spec spec = spec_make("tun0", "10.0.0.1", false);
	(void)state;
	_cleanup_(freep) char *without = print(&spec);
	spec.ipv6 = true;
	_cleanup_(freep) char *with = print(&spec);
	assert_non_null(strstr(without, "goto -> deny_v6"));
	assert_null(strstr(with, "goto -> deny_v6"));
}

static void a_batch_holds_the_whole_rule_set(void **state)
{
	struct wall_spec spec = spec_make("averylongtunnel", "fd00:ffff:ffff:ffff::1", false);
	struct ruleset rules;
	struct nl n = NL_INIT;
	struct nl_batch b;
	(void)state;
	nl_batch_init(&b);
	ruleset_init(&rules, &spec);
	ruleset_put(&rules, &n, &b);
	size_t objects = 2 + (size_t)WALL_CHAINS * WALL_SENDERS + WALL_CHAINS + 4;
	assert_int_equal(b.acks, objects + rules.count);
	assert_in_range(b.used, 1000, NL_BATCH_BYTES - NL_MESSAGE_BYTES);
	ruleset_done(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_the_rules_depend_on_changes_the_hash),
		cmocka_unit_test(base_chains_drop_and_the_proof_has_a_timeout),
		cmocka_unit_test(ipv6_is_denied_unless_the_exit_has_it),
		cmocka_unit_test(a_batch_holds_the_whole_rule_set),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
