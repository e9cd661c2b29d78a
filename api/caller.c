// SPDX-License-Identifier: Apache-2.0
// Tokens, cookies, origins and allowances, before any work is done.
#include "api/caller.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/allowance.h"
#include "api/app.h"
#include "api/head.h"
#include "api/reply.h"
#include "api/request.h"
#include "api/startup.h"

static bool unauthenticated(struct request *r, const char *sentence)
{
	reply_problem(r, 401, NULL, sentence, NULL);
	return false;
}

static bool foreign_page(struct request *r)
{
	reply_foreign_page(r);
	return false;
}

static bool has_allowance(struct request *r, const char *login)
{
	int wait_s = allowance_take(login, r->began_us);
	if (wait_s > 0)
		reply_too_many(r, wait_s);
	return wait_s == 0;
}

static bool check_login(struct request *r, const char *token)
{
	switch (token_check(token, &r->caller.claims)) {
	case 0:
		snprintf(r->caller.generation, sizeof(r->caller.generation), "%" PRId64,
			r->caller.claims.generation);
		return has_allowance(r, r->caller.claims.login_id);
	case TOKEN_UNKNOWN_KEY:
		atomic_store(&r->app->keys_wanted, true);
		if (!startup_keys_are_old(r->app))
			return unauthenticated(r, "This token is invalid; log in again.");
		reply_not_ready(r);
		return false;
	case TOKEN_NO_KEYS:
		reply_not_ready(r);
		return false;
	default:
		return unauthenticated(r, "This token is invalid or has expired; log in again.");
	}
}

static bool check_poll_token(struct request *r, const char *token)
{
	static const char characters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-";
	size_t len = token ? strspn(token, characters) : 0;
	if (len == 0 || len > HASH_TOKEN_SIZE || token[len] != '\0')
		return unauthenticated(r, "Send the poll token as Authorization: Bearer.");
	hash_sha256_hex(token, len, r->caller.poll_sha256);
	return true;
}

static const char *bearer_token(const struct head *head)
{
	static const char scheme[] = "Bearer ";
	const char *authorization = head->values[HEAD_AUTHORIZATION];
	if (!authorization || strncasecmp(authorization, scheme, strlen(scheme)) != 0)
		return NULL;
	authorization += strlen(scheme);
	return authorization + strspn(authorization, " ");
}

bool caller_check(struct request *r, const struct head *head)
{
	const char *token = bearer_token(head);
	r->caller.is_own_page = cookie_is_for(head);
	switch (r->route->who) {
	case ROUTE_PUBLIC:
	case ROUTE_MONITOR:
		return true;
	case ROUTE_POLL:
		return check_poll_token(r, token);
	case ROUTE_USER:
	case ROUTE_ADMIN:
		if ((route_flags(r->route) & ROUTE_COOKIE) &&
			cookie_read(head->values[HEAD_COOKIE], &r->caller.cookie))
			return r->caller.is_own_page ? has_allowance(r, r->caller.cookie.id)
						     : foreign_page(r);
		if (!token)
			return unauthenticated(
				r, "Log in and send the token as Authorization: Bearer.");
		return check_login(r, token);
	case ROUTE_CLOSED:
		break;
	}
	reply_problem(r, 403, NULL, "Forbidden.", NULL);
	return false;
}

bool caller_wants_cookie(const struct request *r)
{
	const char *wish = input_find(&r->input, "cookie");
	return (route_flags(r->route) & ROUTE_NEW_COOKIE) &&
	       (r->caller.cookie.id[0] != '\0' || (wish && strcmp(wish, "true") == 0));
}

bool caller_check_new_cookie(struct request *r)
{
	return !caller_wants_cookie(r) || r->caller.is_own_page || foreign_page(r);
}
