// SPDX-License-Identifier: Apache-2.0
// Puts together what node.report takes.
#include "agent/machine/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/container/docker.h"
#include "agent/machine/engine.h"
#include "agent/machine/limits.h"
#include "agent/machine/taken_ids.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/mem.h"

static int taken_read(char **ret, struct err *e)
{
	_cleanup_(closep) int etc_fd = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return etc_fd < 0 ? err_set(e, errno, "open /etc") : taken_ids(etc_fd, ret, e);
}

int machine_report(const struct agent *a, struct db *db, const struct wait *w, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	_cleanup_(docker_freep) struct docker *d = docker_new(a->docker_socket);
	_cleanup_(freep) char *limits = machine_limits();
	_cleanup_(freep) char *taken = NULL;
	struct db_number process = db_number(a->process_id);
	struct docker_engine engine;
	struct utsname kernel;
	char why[120];
	int r = docker_describe(d, w, &engine, e);

	if (r != 0)
		return r;
	if (uname(&kernel) < 0)
		return err_set(e, errno, "read the kernel's version");
	if (taken_read(&taken, e) < 0)
		return -1;
	return db_call(db,
		DB_CALL("select node.report($1, $2, $3, $4)", process.text,
			engine_refusal(&engine, kernel.release, why, sizeof(why)), taken, limits),
		w, &rows, e);
}
