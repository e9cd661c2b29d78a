// SPDX-License-Identifier: Apache-2.0
// Finds a request's row in the route tables.
#include "api/route.h"

#include <string.h>

#include "api/input.h"
#include "lib/mem.h"

unsigned route_flags(const struct route *route)
{
	return route->flags | (route->work ? route->work->flags : 0);
}

const struct route *route_of_values(const struct route *route, const struct input *input)
{
	const char *value = route->other_if ? input_get(input, route->other_if) : NULL;
	return value && strcmp(value, "true") == 0 ? route->other : route;
}

static bool path_matches(
	const char *pattern, const char *path, struct route_part parts[static ROUTE_PARTS_MAX])
{
	size_t part = 0;
	while (*pattern != '\0') {
		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		size_t len = strcspn(path, "/");
		if (len == 0 || part == ROUTE_PARTS_MAX)
			return false;
		parts[part++] = (struct route_part){.text = path, .len = len};
		path += len;
		pattern += strcspn(pattern, "}") + 1;
	}
	return *path == '\0';
}

int route_find(const struct route_query *query, const struct route **ret,
	struct route_part parts[static ROUTE_PARTS_MAX], struct str *allow)
{
	bool known = false;
	const char *wanted = strcmp(query->method, "HEAD") == 0 ? "GET" : query->method;
	ROUTES_EACH (route) {
		if ((route->who == ROUTE_MONITOR) != query->is_monitor ||
			!path_matches(route->path, query->path, parts))
			continue;
		if (strcmp(route->method, wanted) == 0) {
			*ret = route;
			return 0;
		}
		str_addf(allow, "%s%s%s", known ? ", " : "", route->method,
			strcmp(route->method, "GET") == 0 ? ", HEAD" : "");
		known = true;
	}
	return known ? ROUTE_NO_METHOD : ROUTE_NOT_FOUND;
}
