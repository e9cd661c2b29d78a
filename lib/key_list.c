// SPDX-License-Identifier: Apache-2.0
// Reads lists of keys.
#include "lib/key_list.h"

#include <stddef.h>
#include <string.h>

#include <sodium.h>

#include "lib/mem.h"

const struct key_list_rule *key_list_rule(const char *method)
{
	static const struct key_list_rule rules[] = {
		{"2022-blake3-aes-128-gcm", 16, KEY_LIST_MAX},
		{"2022-blake3-aes-256-gcm", 32, KEY_LIST_MAX},
		{"2022-blake3-chacha20-poly1305", 32, 1},
	};
	for (size_t i = 0; method && i < ARRAY_SIZE(rules); i++)
		if (strcmp(method, rules[i].method) == 0)
			return &rules[i];
	return NULL;
}

static unsigned key_size(const char *text, size_t len)
{
	unsigned char key[KEY_LIST_KEY_MAX];
	size_t size = 0;
	int r = sodium_base642bin(
		key, sizeof(key), text, len, NULL, &size, NULL, sodium_base64_VARIANT_ORIGINAL);
	mem_wipe(key, sizeof(key));
	return r == 0 ? (unsigned)size : 0;
}

unsigned key_list_sizes(const char *text, unsigned ret_sizes[static KEY_LIST_MAX])
{
	for (unsigned count = 0; count < KEY_LIST_MAX;) {
		size_t len = strcspn(text, ":");
		unsigned size = key_size(text, len);
		if (size == 0)
			return 0;
		ret_sizes[count++] = size;
		if (text[len] == '\0')
			return count;
		text += len + 1;
	}
	return 0;
}
