// SPDX-License-Identifier: Apache-2.0
// Writes an error as runc does, so that containerd finds it (go-runc, Runc.runtimeError).
#include "runtime/report.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "runtime/call.h"

static char *line_json(const struct err *error, const char *now)
{
	cJSON *line _cleanup_(json_freep) = json_new_object();

	json_set_text(line, "level", "error");
	json_set_text(line, "msg", error->message);
	json_set_text(line, "time", now);
	return json_print(line);
}

void report_error(const struct call *call, const struct err *error)
{
	char now[sizeof("2026-01-01T00:00:00Z")] = "";
	time_t seconds = time(NULL);
	struct tm tm;

	dprintf(STDERR_FILENO, "ccp-runtime: %s\n", error->message);
	if (!call->log)
		return;
	if (gmtime_r(&seconds, &tm))
		strftime(now, sizeof(now), "%FT%TZ", &tm);
	_cleanup_(freep) char *line =
		call->log_format && strcmp(call->log_format, "json") == 0
			? line_json(error, now)
			: xasprintf("time=\"%s\" level=error msg=\"%s\"", now, error->message);
	_cleanup_(closep) int fd = open(call->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0)
		dprintf(fd, "%s\n", line);
}
