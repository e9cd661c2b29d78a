// SPDX-License-Identifier: Apache-2.0
// Reads the value of CCP_IDS.
#include "runtime/ids.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"

// The highest range ends below the ids that kernels and tools keep for "no such user" (65535 of 16
// bits, all ones).
static const uint32_t base_max = UINT32_MAX - 2 * IDS_SIZE + 1;

// A decimal number without sign, blank or leading zero; *text moves behind it.
static bool number_read(const char **text, uint32_t *ret)
{
	size_t digits = strspn(*text, "0123456789");

	if (digits == 0 || **text == '0')
		return false;
	unsigned long long number = strtoull(*text, NULL, 10);
	*text += digits;
	*ret = (uint32_t)number;
	return number <= UINT32_MAX;
}

int ids_parse(const char *text, struct ids *ret, struct err *e)
{
	struct ids ids;
	const char *at = text;

	if (!number_read(&at, &ids.base) || *at++ != ':' || !number_read(&at, &ids.owner) || *at)
		return err_say(e, EINVAL, "CCP_IDS must be <base>:<owner>, two decimal numbers");
	if (ids.base % IDS_SIZE != 0 || ids.base < 2 * IDS_SIZE || ids.base > base_max)
		return err_say(e, EINVAL,
			"the range of CCP_IDS must begin at a multiple of %d from %d to %u, not at %u",
			IDS_SIZE, 2 * IDS_SIZE, base_max, ids.base);
	if (ids.owner < IDS_SIZE || ids.owner == UINT32_MAX)
		return err_say(e, EINVAL,
			"the owner of CCP_IDS must be %d or higher: %u may be an account of the machine",
			IDS_SIZE, ids.owner);
	if (ids.owner - ids.base < IDS_SIZE)
		return err_say(e, EINVAL, "the owner of CCP_IDS, %u, lies within its own range",
			ids.owner);
	*ret = ids;
	return 0;
}
