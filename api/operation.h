// SPDX-License-Identifier: Apache-2.0
// One operation of the OpenAPI document, made from its row of the route tables.
#pragma once

#include <cjson/cJSON.h>

struct route;

// Names of the security schemes.
#define OPERATION_JWT "jwt"
#define OPERATION_POLL_TOKEN "pollToken"
#define OPERATION_COOKIE "refreshCookie"

// Adds the operation to `paths`. It refers to components: the schemas of its composites, the
// headers X-Request-Id, ETag and Retry-After, and the responses of operation_add_problems.
void operation_add(cJSON *paths, const char *tag, const struct route *route);

// The responses of refusals, one a status: "400", "401", ...
void operation_add_problems(cJSON *responses);

// {"$ref": ...} to the schema of a composite; the caller owns it.
cJSON *operation_schema(const char *composite);
