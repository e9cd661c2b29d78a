// SPDX-License-Identifier: Apache-2.0
// Reads UTF-8.
#include "lib/utf8.h"

#include "lib/mem.h"

// Table 3-7 of the Unicode standard: the range of the second byte depends on the first.
int utf8_length(const void *text, size_t len)
{
	static const struct {
		unsigned char first, last, low, high, length;
	} forms[] = {
		{0x00, 0x7f, 0, 0, 1},
		{0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	const unsigned char *at = text;
	if (len == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (*at < forms[i].first || *at > forms[i].last)
			continue;
		if (len < forms[i].length)
			return 0;
		for (int k = 1; k < forms[i].length; k++) {
			unsigned char low = k == 1 ? forms[i].low : 0x80;
			unsigned char high = k == 1 ? forms[i].high : 0xbf;
			if (at[k] < low || at[k] > high)
				return 0;
		}
		return forms[i].length;
	}
	return 0;
}
