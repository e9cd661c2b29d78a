// SPDX-License-Identifier: Apache-2.0
// Keys of login tokens.
#include "api/routes/table.h"

// clang-format off
const struct route signing_key_routes[] = {
	{GET, "/v1/admin/signing-keys", ADMIN, 200, "signing_key_list", "signing_keys", "The keys that sign and verify tokens.", &work_call},
	{POST, "/v1/admin/signing-keys/rotate", ADMIN, 200, "signing_key_rotate", "signing_key",
		"Let another key sign; nobody is logged out.", &work_call, IDEMPOTENT},
	{POST, "/v1/admin/signing-keys/{kid}/retire", ADMIN, 204, "signing_key_retire", NULL,
		"Refuse a key's tokens from now on; whose they are log in again.", &work_call, IDEMPOTENT, FIELDS(
		{"kid", "ccp.kid", PATH, REQUIRED})},
	{0},
};
// clang-format on
