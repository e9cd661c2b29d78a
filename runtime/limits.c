// SPDX-License-Identifier: Apache-2.0
// Moves limits from the config to ourselves.
#include "runtime/limits.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"

static const struct {
	const char *type;
	int resource;
} inherited[] = {
	{"RLIMIT_NOFILE", RLIMIT_NOFILE},
	{"RLIMIT_CORE", RLIMIT_CORE},
};

// Returns 1 when the limit is now in *ret, 0 when it stays.
static int limit_take(const cJSON *one, struct limits *ret, struct err *e)
{
	const char *type;
	int64_t soft, hard;

	if (json_get_text(one, "type", &type, e) < 0 ||
		json_get_int(one, "soft", 0, INT64_MAX, &soft, e) < 0 ||
		json_get_int(one, "hard", 0, INT64_MAX, &hard, e) < 0)
		return err_wrap(e, "process.rlimits");
	for (size_t i = 0; i < ARRAY_SIZE(inherited); i++) {
		if (strcmp(type, inherited[i].type) != 0 || soft != hard)
			continue;
		if (ret->count == ARRAY_SIZE(ret->limits))
			return err_say(e, EINVAL, "process.rlimits has %s twice", type);
		ret->limits[ret->count++] = (struct limit){.type = inherited[i].type,
			.resource = inherited[i].resource,
			.value = (unsigned long long)soft};
		return 1;
	}
	return 0;
}

int limits_take(cJSON *process, struct limits *ret, struct err *e)
{
	cJSON *list = cJSON_GetObjectItemCaseSensitive(process, "rlimits");

	*ret = (struct limits){0};
	if (list && !cJSON_IsNull(list) && !cJSON_IsArray(list))
		return err_say(e, EINVAL, "process.rlimits must be a list");
	for (int i = cJSON_GetArraySize(list) - 1; i >= 0; i--) {
		int r = limit_take(cJSON_GetArrayItem(list, i), ret, e);
		if (r < 0)
			return -1;
		if (r > 0)
			cJSON_DeleteItemFromArray(list, i);
	}
	return 0;
}

int limits_set(const struct limits *limits, struct err *e)
{
	for (size_t i = 0; i < limits->count; i++) {
		const struct limit *limit = &limits->limits[i];
		struct rlimit both = {.rlim_cur = limit->value, .rlim_max = limit->value};
		if (setrlimit((__rlimit_resource_t)limit->resource, &both) < 0)
			return err_set(e, errno,
				"set %s to %llu: it must not be higher than the engine's own, which has no"
				" CAP_SYS_RESOURCE",
				limit->type, limit->value);
	}
	return 0;
}
