// SPDX-License-Identifier: Apache-2.0
// How the service is, and what it offers.
#include "api/routes/table.h"

// clang-format off
const struct route system_routes[] = {
	{GET, "/healthz",         PUBLIC, 200, NULL, "health", "How the system is.",             .inline_handler = handle_healthz, .name = "healthz"},
	{GET, "/readyz",          PUBLIC, 200, NULL, "health", "Whether requests can be served.", .inline_handler = handle_readyz, .name = "readyz"},
	{GET, "/v1/openapi.json", PUBLIC, 200, NULL, NULL,     "This document.",                  .inline_handler = handle_openapi, .name = "openapi"},
	{GET, "/docs",            PUBLIC, 200, NULL, NULL,     "The same as a page for people.",  &work_docs, .inline_handler = handle_docs, .name = "docs"},
	{GET, "/docs/redoc.js",   PUBLIC, 200, NULL, NULL,     "What makes that page.",           &work_docs_script, .inline_handler = handle_docs_script, .name = "docs_script"},
	{GET, "/v1/admin/dashboard/stats", ADMIN, 200, "dashboard_stats", "dashboard", "How much there is of everything.", &work_call},
	{GET, "/metrics",         MONITOR, 200, "metrics", "exposition", "What monitoring scrapes.", &work_metrics},
	{0},
};
// clang-format on
