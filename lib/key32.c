// SPDX-License-Identifier: Apache-2.0
// Keys of 32 bytes to base64 and back.
#include "lib/key32.h"

#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "lib/err.h"
#include "lib/mem.h"

void key32_text(const uint8_t key[static KEY32_SIZE], char ret[static KEY32_TEXT_SIZE])
{
	sodium_bin2base64(ret, KEY32_TEXT_SIZE, key, KEY32_SIZE, sodium_base64_VARIANT_ORIGINAL);
}

int key32_parse(const char *text, const char *what, uint8_t ret[static KEY32_SIZE], struct err *e)
{
	uint8_t key[KEY32_SIZE];
	size_t size = 0;
	int r = strlen(text) == KEY32_TEXT_SIZE - 1
			? sodium_base642bin(key, sizeof(key), text, KEY32_TEXT_SIZE - 1, NULL,
				  &size, NULL, sodium_base64_VARIANT_ORIGINAL)
			: -1;
	if (r == 0 && size == KEY32_SIZE)
		memcpy(ret, key, sizeof(key));
	else
		r = err_say(e, EINVAL, "%s is not 32 bytes in base64", what);
	mem_wipe(key, sizeof(key));
	return r;
}
