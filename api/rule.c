// SPDX-License-Identifier: Apache-2.0
// Keeps the rules of the database's domains.
#include "api/rule.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/hash.h"
#include "lib/import.h"
#include "lib/mem.h"

// Of types that only the API has: what they are made of never comes to the database.
static const struct rule own[] = {
	{.type = "password",
		.base = "password",
		.bounded = true,
		.min = HASH_PASSWORD_MIN,
		.max = HASH_PASSWORD_MAX},
	{.type = "password_tried",
		.base = "password",
		.bounded = true,
		.min = 1,
		.max = HASH_PASSWORD_MAX,
		.controls = true},
	{.type = "import_text",
		.base = "import_text",
		.bounded = true,
		.min = 1,
		.max = IMPORT_TEXT_MAX,
		.controls = true},
};

// Written before the first request is checked, and only read from then on.
static struct rule *rules;
static size_t rules_count;

const struct rule *rule_find(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (strcmp(own[i].type, type) == 0)
			return &own[i];
	for (size_t i = 0; i < rules_count; i++)
		if (strcmp(rules[i].type, type) == 0)
			return &rules[i];
	return NULL;
}

bool rule_has_word(const struct rule *rule, const char *word)
{
	size_t len = strlen(word);
	for (const char *at = rule->words; *at != '\0';) {
		size_t at_len = strcspn(at, "|");
		if (at_len == len && memcmp(at, word, len) == 0)
			return true;
		at += at_len + (at[at_len] == '|');
	}
	return false;
}

// Also refuses what regcomp reads otherwise: PostgreSQL's \d is a digit, regcomp's the letter d.
static bool pattern_compile(const char *pattern, regex_t *ret)
{
	for (const char *at = pattern; (at = strchr(at, '\\')); at += 2)
		if (at[1] == '\0' || isalnum((unsigned char)at[1]))
			return false;
	return regcomp(ret, pattern, REG_EXTENDED | REG_NOSUB) == 0;
}

int rules_add(const struct rule *rule, struct err *e)
{
	rules = xreallocarray(rules, rules_count + 1, sizeof(rules[0]));
	struct rule *added = &rules[rules_count];
	*added = *rule;
	if (rule->pattern && !pattern_compile(rule->pattern, &added->regex))
		return err_say(e, EINVAL, "the pattern of %s is not a POSIX regular expression: %s",
			rule->type, rule->pattern);
	rules_count++;
	return 0;
}

void rules_clear(void)
{
	for (size_t i = 0; i < rules_count; i++) {
		free(rules[i].type);
		free(rules[i].base);
		free(rules[i].words);
		free(rules[i].must);
		if (rules[i].pattern)
			regfree(&rules[i].regex);
		free(rules[i].pattern);
	}
	rules_count = 0;
}
