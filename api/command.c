// SPDX-License-Identifier: Apache-2.0
// Commands: a password's hash, secrets sealed to the program that opens them, what a provider gave as a statement.
#include "api/command.h"

#include <stdio.h>
#include <string.h>

#include "api/check.h"
#include "api/importing.h"
#include "lib/args.h"
#include "lib/err.h"
#include "lib/hash.h"
#include "lib/import.h"
#include "lib/json.h"
#include "lib/key32.h"
#include "lib/mem.h"
#include "lib/seal.h"
#include "lib/webhook.h"

enum { LINE_END = 2, STATUS_FAILED = 1, STATUS_USAGE = 2 };

// Reads at most size - 1 bytes of stdin and takes away the end of the line, also that of a file that came from elsewhere.
// Returns how many are left; `line` has a NUL behind them. There is room for a byte too many, which shows that there is one.
static size_t read_line(char *line, size_t size)
{
	size_t len = fread(line, 1, size - 1, stdin);
	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	line[len] = '\0';
	return len;
}

static int refuse(const char *command, const char *sentence)
{
	fprintf(stderr, "ccp-api %s: %s\n", command, sentence);
	return STATUS_USAGE;
}

static int fail(const char *command, const struct err *e)
{
	fprintf(stderr, "ccp-api %s: %s\n", command, e->message);
	return STATUS_FAILED;
}

static int hash_command(int argc, char **argv)
{
	char password[HASH_PASSWORD_MAX + LINE_END + 2];
	char hash[HASH_TEXT_MAX];
	struct err e;
	(void)argc;
	size_t len = read_line(password, sizeof(password));
	bool good = text_characters(password, len, false) >= 0 && len >= HASH_PASSWORD_MIN &&
		    len <= HASH_PASSWORD_MAX;
	int r = good ? hash_make(HASH_BCRYPT, password, hash, &e) : 0;
	mem_wipe(password, sizeof(password));
	if (!good) {
		_Static_assert(HASH_PASSWORD_MIN == 8 && HASH_PASSWORD_MAX == 72, "the sentence");
		return refuse(argv[0],
			"the password must be one line of 8 to 72 bytes, UTF-8 without control characters");
	}
	if (r < 0)
		return fail(argv[0], &e);
	puts(hash);
	return 0;
}

static int preshared_key_command(int argc, char **argv)
{
	char text[KEY32_TEXT_SIZE + LINE_END + 1];
	uint8_t key[KEY32_SIZE];
	_cleanup_(freep) char *sealed = NULL;
	struct err e;
	if (argc != 2)
		return refuse(argv[0],
			"give the value of the setting sealing_key; the key comes on stdin");
	size_t len = read_line(text, sizeof(text));
	int r = key32_parse(text, "the preshared key", key, &e);
	if (r == 0)
		r = seal_make(argv[1], text, len, &sealed, &e);
	mem_wipe(text, sizeof(text));
	mem_wipe(key, sizeof(key));
	if (r < 0)
		return fail(argv[0], &e);
	puts(sealed);
	return 0;
}

static int webhook_secret_command(int argc, char **argv)
{
	char secret[WEBHOOK_SECRET_SIZE];
	_cleanup_(freep) char *sealed = NULL;
	struct err e;
	if (argc != 2)
		return refuse(argv[0], "give the value of the setting webhook_sealing_key");
	webhook_secret_make(secret);
	int r = seal_make(argv[1], secret, strlen(secret), &sealed, &e);
	if (r == 0)
		printf("%s\n%s\n", secret, sealed);
	mem_wipe(secret, sizeof(secret));
	return r < 0 ? fail(argv[0], &e) : 0;
}

static const char *text_of(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name)->valuestring;
}

// What an import's text leaves open, as NAME=VALUE; SQL checks the values.
static bool word_take(const char *word, cJSON *described)
{
	static const char *const names[] = {"label", "ip_address", "dns_server", "server"};
	for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
		size_t len = strlen(names[k]);
		if (strncmp(word, names[k], len) != 0 || word[len] != '=')
			continue;
		json_set_text(described, names[k], word + len + 1);
		return true;
	}
	return false;
}

// In a dollar-quoted literal nothing is special but its own end, and no "$" is left in what is JSON.
static void statement_print(const cJSON *described)
{
	_cleanup_(freep) char *json = json_print(described);
	fputs("select egress.import($import$", stdout);
	for (const char *c = json; *c; c++)
		if (*c == '$')
			fputs("\\u0024", stdout);
		else
			putchar(*c);
	puts("$import$);");
}

// What it asks for and was given is no warning any more.
static void warnings_print(const char *command, const struct import *i, bool has_server)
{
	const cJSON *warning;
	cJSON_ArrayForEach (warning, i->warnings)
		if (!has_server || strcmp(text_of(warning, "word"), "server_is_a_name") != 0)
			fprintf(stderr, "ccp-api %s: note: %s\n", command,
				text_of(warning, "message"));
}

static int import_command(int argc, char **argv)
{
	static char text[IMPORT_TEXT_MAX + 1];
	struct err e;
	if (argc < 2)
		return refuse(argv[0],
			"give the value of the setting sealing_key; the text comes on stdin");
	size_t len = fread(text, 1, sizeof(text), stdin);
	_cleanup_(import_done) struct import i;
	enum import_code code = import_read(text, len, &i);
	mem_wipe(text, sizeof(text));
	_cleanup_(json_freep) cJSON *described = importing_describe((int)code, &i);
	const cJSON *refusal = cJSON_GetObjectItemCaseSensitive(described, "refusal");
	if (refusal) {
		fprintf(stderr, "ccp-api %s: %s: %s\n", argv[0], text_of(refusal, "field"),
			text_of(refusal, "message"));
		return STATUS_FAILED;
	}
	for (int at = 2; at < argc; at++)
		if (!word_take(argv[at], described))
			return refuse(argv[0],
				"behind the key there may be label=, ip_address=, dns_server= and server=");
	int r = importing_seal(&i, argv[1], described, &e);
	if (r < 0)
		r = err_wrap(&e,
			"give the value of the setting sealing_key, which the first agent makes");
	if (r < 0)
		return fail(argv[0], &e);
	warnings_print(argv[0], &i, cJSON_HasObjectItem(described, "server"));
	statement_print(described);
	return 0;
}

const struct args_command api_commands[] = {
	{.name = "hash", .help = "read a password on stdin, print its bcrypt", .run = hash_command},
	{.name = "preshared-key",
		.help = "read an exit's preshared key on stdin, print it as egress.add takes it, sealed to a key",
		.run = preshared_key_command},
	{.name = "import",
		.help = "read what an exit's provider gave on stdin, print the statement that registers it, secrets sealed to a key",
		.run = import_command},
	{.name = "webhook-secret",
		.help = "make a webhook's secret; print it, then as webhook.add takes it, sealed to a key",
		.run = webhook_secret_command},
	{0},
};
