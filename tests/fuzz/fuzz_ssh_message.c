// SPDX-License-Identifier: Apache-2.0
// Whatever a child sends: what passes the check has texts that end, names that are names, enums in
// range.
// uses: sshproxy/message.c sshproxy/name.c
#include <assert.h>
#include <string.h>

#include "sshproxy/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_child(const struct message *m)
{
	switch (m->kind) {
	case MESSAGE_PASSWORD:
		assert(strcmp(name_or_dash(m->login.name), m->login.name) == 0);
		assert(strlen(m->login.password) < MESSAGE_PASSWORD_SIZE);
		break;
	case MESSAGE_KEY_OFFER:
	case MESSAGE_KEY_LOGIN:
		assert(strcmp(name_or_dash(m->key.name), m->key.name) == 0);
		assert(strlen(m->key.sha256) == MESSAGE_SHA256_SIZE - 1);
		break;
	case MESSAGE_CLOSE:
		assert(m->close.reason < MESSAGE_CLOSE_REASONS);
		break;
	default:
		assert(m->kind == MESSAGE_DIAL || m->kind == MESSAGE_TRAFFIC);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message m;
	if (size < 1)
		return 0;
	memset(&m, 0, sizeof(m));
	memcpy(&m, data + 1, size - 1 < sizeof(m) ? size - 1 : sizeof(m));
	m.kind %= MESSAGE_KINDS + 2;
	if (message_is_valid(&m, data[0] & 3, MESSAGE_FROM_CHILD))
		check_child(&m);
	if (message_is_valid(&m, data[0] & 3, MESSAGE_FROM_MONITOR))
		assert(m.kind >= MESSAGE_ANSWER && m.kind != MESSAGE_CONNECTED);
	return 0;
}
