// SPDX-License-Identifier: Apache-2.0
// Who asks: by a token or, where a route takes it, by a browser's refresh cookie; and how often.
#pragma once

#include <stdbool.h>

struct head;
struct request;

// Finds out who the caller is, as far as the route asks and as a token says it; whether the login
// lives is for the route's SQL to know. false: the request is answered with the refusal.
bool caller_check(struct request *r, const struct head *head);

// Whether a request that is complete will get a refresh cookie.
bool caller_wants_cookie(const struct request *r);

// A cookie is for pages of this server. false: such a request came from elsewhere, and is answered.
bool caller_check_new_cookie(struct request *r);
