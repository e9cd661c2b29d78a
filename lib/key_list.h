// SPDX-License-Identifier: Apache-2.0
// Keys in base64 with ':' between them, as Shadowsocks of 2022 has them in the place of a password
// (shadowsocks.org/doc/sip022.html): the last is the user's, those in front name relays.
#pragma once

enum { KEY_LIST_MAX = 8, KEY_LIST_KEY_MAX = 32 };

// What a method needs. `method` is sing-box's word, NULL is none; NULL: it takes any password.
struct key_list_rule {
	const char *method;
	unsigned size; // of each key in bytes
	unsigned most; // keys
};
const struct key_list_rule *key_list_rule(const char *method);

// Fills in the sizes of the keys in bytes, and returns how many there are. 0: the text is something
// else, such as a key without padding or of another alphabet, one that is longer than
// KEY_LIST_KEY_MAX, or more than KEY_LIST_MAX of them.
unsigned key_list_sizes(const char *text, unsigned ret_sizes[static KEY_LIST_MAX]);
