// SPDX-License-Identifier: Apache-2.0
// Stand-ins for what a host.verify asks of a run and its guard. The test has `answers` before it includes this.
#pragma once

#include "agent/evidence.h"
#include "agent/host/guard.h"
#include "agent/host/run.h"
#include "lib/err.h"

int run_check(struct run *run, const struct host_spec *s, enum verify_kind kind,
	const struct wait *w, struct evidence *ev, struct err *e)
{
	(void)run;
	(void)s;
	(void)w;
	assert_int_equal(kind, VERIFY_FULL);
	did("check");
	ev->outcome = answers.checked;
	return result(answers.check, "broken", e);
}

void guards_check_soon(struct guards *guards, uint64_t run_number)
{
	(void)guards;
	did("check %llu soon", (unsigned long long)run_number);
}

bool guard_judge(struct agent *a, struct host *h, struct docker *d, const char *kind,
	const char *task_id, struct evidence *ev)
{
	(void)a;
	(void)h;
	(void)d;
	(void)ev;
	did("judge %s %s", kind, task_id);
	return answers.holds;
}
