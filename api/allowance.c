// SPDX-License-Identifier: Apache-2.0
// The generic cell rate algorithm (ITU-T I.371): one time a login instead of a count and a time.
#include "api/allowance.h"

#include <stdatomic.h>
#include <stddef.h>

#include "lib/source.h"

enum { WAYS = 8, SETS = ALLOWANCE_LOGINS / WAYS }; // a login is looked for in one set
static const int64_t second_us = 1000000;

struct account {
	uint64_t login; // a hash of its id
	int64_t paid_us; // when all that it asked for is paid for: each request adds its share
};

static struct account accounts[SETS][WAYS];
static _Atomic int64_t limit;

void allowance_set(int64_t per_minute)
{
	atomic_store(&limit, per_minute);
}

// The login's; a new one gets the place of the one that owes least, which is mostly nothing.
static struct account *account_of(const char *id)
{
	uint64_t login = source_name(id);
	struct account *set = accounts[login % SETS], *least = set;
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].login == login)
			return &set[i];
		if (set[i].paid_us < least->paid_us)
			least = &set[i];
	}
	*least = (struct account){.login = login};
	return least;
}

int allowance_take(const char *login, int64_t now_us)
{
	int64_t per_minute = atomic_load(&limit);
	if (per_minute <= 0)
		return 0;
	const int64_t minute_us = ALLOWANCE_MINUTE_S * second_us;
	struct account *account = account_of(login);
	int64_t paid_us = account->paid_us > now_us ? account->paid_us : now_us;
	paid_us += minute_us / per_minute;
	int64_t early_us = paid_us - now_us - minute_us;
	if (early_us > 0)
		return (int)((early_us + second_us - 1) / second_us);
	account->paid_us = paid_us;
	return 0;
}
