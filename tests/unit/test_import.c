// SPDX-License-Identifier: Apache-2.0
// What providers give: read right, or refused with a sentence that helps and repeats no secret.
// uses: agent/tunnel/proxy_config.c agent/tunnel/proxy_outbound.c agent/tunnel/member.c
#include "lib/import.h"

#include "tests/unit/unit.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/tunnel/proxy_config.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"

#define CASES "tests/unit/golden/import/*.json"

// Stands for secrets in the cases.
#define SECRET "hunter2Zq"

// So that one run shows them all.
static unsigned mistakes;
#define mistake(...) (mistakes++, print_error(__VA_ARGS__), print_error("\n"))

static cJSON *get(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static cJSON *file_parse(const char *path)
{
	FILE *file = fopen(path, "re");
	_cleanup_(freep) char *text = xcalloc(1, 1 << 16);
	cJSON *json = NULL;
	struct err e;
	if (!file)
		fail_msg("%s cannot be opened", path);
	size_t len = fread(text, 1, (1 << 16) - 1, file);
	fclose(file);
	if (json_parse(text, len, &json_from_client, &json, &e) < 0)
		fail_msg("%s: %s", path, e.message);
	return json;
}

// In no sentence is a secret, whether it was read or refused.
static void sentences_check(const char *id, const struct import *i)
{
	const cJSON *warning, *secret;
	if (strstr(i->message, SECRET))
		mistake("%s repeats a secret: %s", id, i->message);
	cJSON_ArrayForEach (warning, i->warnings) {
		const char *message = get(warning, "message")->valuestring;
		bool tells = strstr(message, SECRET);
		cJSON_ArrayForEach (secret, i->secret)
			tells = tells || (strlen(secret->valuestring) > 5 &&
						 strstr(message, secret->valuestring));
		if (tells)
			mistake("%s repeats a secret: %s", id, message);
	}
}

// The words of the warnings as an array, to be compared.
static cJSON *words_of(const struct import *i)
{
	cJSON *words = json_new_array();
	const cJSON *warning;
	cJSON_ArrayForEach (warning, i->warnings)
		json_add_text(words, get(warning, "word")->valuestring);
	return words;
}

static void json_compare(const char *id, const char *what, const cJSON *made, const cJSON *expected)
{
	bool absent = !made || (cJSON_IsObject(made) && cJSON_GetArraySize(made) == 0);
	if (absent && (!expected || cJSON_IsNull(expected)))
		return;
	_cleanup_(freep) char *a = made ? cJSON_Print(made) : xstrdup("nothing");
	_cleanup_(freep) char *b = expected ? cJSON_Print(expected) : xstrdup("nothing");
	if (!cJSON_Compare(made, expected, true))
		mistake("%s: %s is %s, not %s", id, what, a, b);
}

// --- the cases that are kept in files

static void read_compare(const char *id, const struct import *i, const cJSON *expect)
{
	_cleanup_(json_freep) cJSON *words = words_of(i);
	if (i->field[0] != '\0' || i->message[0] != '\0' || i->line != 0)
		mistake("%s: it is read and has a refusal", id);
	json_compare(id, "proxy_config", i->proxy_config, get(expect, "proxy_config"));
	json_compare(id, "row", i->row, get(expect, "row"));
	const cJSON *address6 = get(expect, "peer_address6");
	if (address6 &&
		strcmp(i->peer_address6 ? i->peer_address6 : "", address6->valuestring) != 0)
		mistake("%s: our IPv6 address is %s", id, i->peer_address6);
	json_compare(id, "secret", i->secret, get(expect, "secret"));
	json_compare(id, "warnings", words, get(expect, "warnings"));
	if (strcmp(i->label, get(expect, "label")->valuestring) != 0)
		mistake("%s: the label is %s", id, i->label);
}

// What the importer writes the engine's side takes, with an address in the place of a name.
static void engine_check(const char *id, const struct import *i)
{
	_cleanup_(json_freep) cJSON *config = cJSON_Duplicate(i->proxy_config, true);
	_cleanup_(wipe_freep) char *text = NULL;
	struct proxy_place place = {.name = "c0123456789ab"};
	struct err e;
	if (!config)
		return;
	assert_int_equal(addr_parse("9.9.9.9", &place.resolver, &e), 0);
	cJSON_DeleteItemFromObject(config, "server");
	json_set_text(config, "server", "198.51.100.1");
	if (proxy_config_text(config, i->secret, &place, &text, &e) < 0)
		mistake("%s: the engine's side refuses it: %s", id, e.message);
}

static void case_check(const cJSON *one)
{
	const char *id = get(one, "id")->valuestring, *text = get(one, "input")->valuestring;
	const cJSON *expect = get(one, "expect");
	_cleanup_(import_done) struct import i;
	enum import_code code = import_read(text, strlen(text), &i);
	sentences_check(id, &i);
	if (cJSON_IsTrue(get(expect, "ok"))) {
		if (code != IMPORT_READ)
			mistake("%s is refused: %s", id, i.message);
		else {
			read_compare(id, &i, expect);
			engine_check(id, &i);
		}
		return;
	}
	if (code == IMPORT_READ ||
		strcmp(import_code_text(code), get(expect, "code")->valuestring) != 0)
		mistake("%s is \"%s\": %s", id, import_code_text(code), i.message);
	else if (!strstr(i.message, get(expect, "message_holds")->valuestring))
		mistake("%s says: %s", id, i.message);
	if (i.field[0] == '\0' || i.proxy_config || i.row || i.secret || i.label)
		mistake("%s: a half of an exit is left, or no field is named", id);
}

// A file holds one case or a list of them.
static void each_case_is_read_or_refused_as_its_file_says(void **state)
{
	glob_t found;
	(void)state;
	assert_int_equal(glob(CASES, 0, NULL, &found), 0);
	assert_true(found.gl_pathc >= 26);
	for (size_t k = 0; k < found.gl_pathc; k++) {
		_cleanup_(json_freep) cJSON *file = file_parse(found.gl_pathv[k]);
		const cJSON *one;
		if (cJSON_IsObject(file))
			case_check(file);
		else
			cJSON_ArrayForEach (one, file)
				case_check(one);
	}
	globfree(&found);
	assert_int_equal(mistakes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case_is_read_or_refused_as_its_file_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
