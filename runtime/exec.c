// SPDX-License-Identifier: Apache-2.0
// The limits of `exec`.
#include "runtime/exec.h"

#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "runtime/call.h"
#include "runtime/config.h"
#include "runtime/file.h"
#include "runtime/limits.h"

int exec_prepare(const struct call *call, struct err *e)
{
	_cleanup_(freep) char *text = NULL;
	cJSON *process _cleanup_(json_freep) = NULL;
	struct limits limits;
	size_t len;

	if (!call->process)
		return 0;
	if (file_read_all(call->process, CONFIG_BYTES_MAX, &text, &len, e) < 0 ||
		json_parse(text, len, &config_json_limits, &process, e) < 0 ||
		limits_take(process, &limits, e) < 0)
		return -1;
	_cleanup_(freep) char *edited = json_print(process);
	if (limits.count > 0 && file_put(call->process, edited, e) < 0)
		return -1;
	return limits_set(&limits, e);
}
