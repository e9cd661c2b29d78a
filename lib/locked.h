// SPDX-License-Identifier: Apache-2.0
// Which session holds a lock that a call has waited for as long as it may.
#pragma once

#include <stdbool.h>

#include <cjson/cJSON.h>

struct db;
struct err;

// The database answers, but a session holds what the call needs: SQLSTATE 55P03, lock_not_available.
bool locked_is(const struct err *e);

// What is said of that to who waited: who holds it and how that ends, as access.lock_holder tells it,
// asked on the same connection within half a second; a sentence without a name when that is not
// known. The caller frees it. *ret_holder, unless ret_holder is NULL: {pid, role, since} or NULL.
char *locked_sentence(struct db *db, cJSON **ret_holder);
