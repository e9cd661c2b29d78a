// SPDX-License-Identifier: Apache-2.0
// Fuzzes the parser of queries and forms, and every type's check with what it lets through.
// uses: api/check.c api/form.c api/rule.c api/type.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/form.h"
#include "api/rule.h"
#include "api/type.h"
#include "lib/err.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const types[] = {"t.text", "t.word", "t.count", "t.number", "t.networks", "uuid",
	"boolean", "timestamp with time zone", "inet", "ccp.interface", "ccp.endpoint",
	"ccp.wg_key", "ccp.ssh_public_key", "password", "password_tried"};

static void rules_make(void)
{
	static const struct rule rules[] = {
		{.type = "t.text", .base = "text", .bounded = true, .max = 100, .pattern = "a|b"},
		{.type = "t.word", .base = "text", .words = "a|b"},
		{.type = "t.count", .base = "integer", .bounded = true, .max = 100},
		{.type = "t.number", .base = "numeric", .bounded = true, .max = 100},
		{.type = "t.networks", .base = "cidr[]", .bounded = true, .max = 64},
	};
	struct err e;
	for (size_t i = 0; i < ARRAY_SIZE(rules) && !rule_find(rules[i].type); i++)
		if (rules_add(&rules[i], &e) < 0)
			abort();
}

static void check_all(const struct form_pair *pair)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		_cleanup_(str_done) struct str why = STR_INIT(512);
		_cleanup_(freep) char *value = NULL;
		if (!type_check(types[i], pair->value, pair->value_len, &value, &why) &&
			why.len == 0)
			abort(); // refused without a word
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct form form;
	struct err e;

	rules_make();
	if (form_parse((const char *)data, size, &form, &e) == 0)
		for (size_t i = 0; i < form.count; i++) {
			if (strlen(form.pairs[i].value) != form.pairs[i].value_len)
				abort(); // a NUL went through
			check_all(&form.pairs[i]);
		}
	form_done(&form);
	return 0;
}
