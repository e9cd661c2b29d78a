// SPDX-License-Identifier: Apache-2.0
// The OpenAPI 3.1 document, made from the route tables and the catalogue.
#pragma once

struct pg_result;

// `types` comes from catalogue_check. The caller frees the text.
char *openapi_make(const struct pg_result *types);
