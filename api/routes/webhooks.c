// SPDX-License-Identifier: Apache-2.0
// Webhooks.
#include "api/routes/table.h"

// clang-format off
const struct route webhook_routes[] = {
	{GET, "/v1/admin/webhooks", ADMIN, 200, "webhook_list", "webhook_page", "Webhooks.", &work_call, .fields = FIELDS(
		PAGE("api.by_creation"))},
	{POST, "/v1/admin/webhooks", ADMIN, 201, "webhook_create", "new_webhook",
		"Send events somewhere, signed as the Standard Webhooks specification says.", &work_webhook_secret, IDEMPOTENT | ETAG, FIELDS(
		{"label",       "ccp.label",        BODY, REQUIRED},
		{"url",         "ccp.webhook_url",  BODY, REQUIRED, "Not an address that is loopback, private or link-local, nor a name for one."},
		{"event_types", "ccp.event_type[]", BODY, NULLABLE, "Which types of events; all when absent or null."},
		{"status",      "ccp.activation",   BODY})},
	{GET, "/v1/admin/webhooks/{id}", ADMIN, 200, "webhook_get", "webhook", "One webhook.", &work_call, ETAG, FIELDS(ID)},
	{PATCH, "/v1/admin/webhooks/{id}", ADMIN, 200, "webhook_update", "webhook",
		"Change a webhook; one that is failing is tried again with another URL, or when it is said to be active once more.",
		&work_call, ETAG | IF_MATCH | NULLS, FIELDS(
		ID,
		{"label",       "ccp.label",        BODY},
		{"url",         "ccp.webhook_url",  BODY},
		{"event_types", "ccp.event_type[]", BODY, NULLABLE, "Which types of events; all when null."},
		{"status",      "ccp.activation",   BODY})},
	{DELETE, "/v1/admin/webhooks/{id}", ADMIN, 204, "webhook_delete", NULL, "Delete a webhook and what waits for it.", &work_call,
		.fields = FIELDS(ID)},
	{POST, "/v1/admin/webhooks/{id}/rotate-secret", ADMIN, 200, "webhook_rotate_secret", "new_webhook_secret",
		"Give a webhook another secret.", &work_webhook_secret, IDEMPOTENT, FIELDS(ID)},
	{POST, "/v1/admin/webhooks/{id}/test", ADMIN, 202, "webhook_test", "task_ref",
		"Send one message now; the task tells how it went.", &work_call, IDEMPOTENT, FIELDS(ID)},
	{GET, "/v1/admin/webhooks/{id}/deliveries", ADMIN, 200, "webhook_delivery_list", "webhook_delivery_page",
		"What was sent to a webhook, and what waits.", &work_call, .fields = FIELDS(
		ID,
		PAGE("api.by_creation"),
		{"state", "api.delivery_state", QUERY})},
	{0},
};
// clang-format on
