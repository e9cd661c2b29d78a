// SPDX-License-Identifier: Apache-2.0
// What a provider gave, as SQL's egress.import takes it: read by lib/import.h, its secrets sealed.
#pragma once

#include <cjson/cJSON.h>

struct err;
struct import;

// Either {label, row or proxy_config, secrets, warnings}: row are columns of ccp.egress_ips, secrets
// the names of what was kept out, warnings [{word, message}]; or {refusal: {field, message}}. `code`
// is what import_read returned. Nothing in it is secret. The caller frees it.
cJSON *importing_describe(int code, const struct import *i);

// Adds secret_sealed, an object of the secrets, and wg_preshared_key_sealed, each to `key` and only
// if there is one. 0, or -1: the key is none.
int importing_seal(const struct import *i, const char *key, cJSON *described, struct err *e);
