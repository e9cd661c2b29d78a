// SPDX-License-Identifier: Apache-2.0
// Verification from inside the namespace, the agent's side: one child, its deadline, its report.
#include "agent/verify/verify.h"

#include <errno.h>

#include "agent/evidence.h"
#include "agent/verify/verify_wire.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/proc.h"

// The child ends by itself this much before it would be killed.
enum { GRACE_MS = 500 };

// A child that did not come to an end says nothing about the exit, so it is inconclusive.
static void add_silent(const struct verify_spec *spec, struct evidence *ev, int64_t took_us)
{
	evidence_add(ev, "exit_ip", OUTCOME_INCONCLUSIVE, "inconclusive", took_us,
		"the %s verification did not end in time",
		spec->kind == VERIFY_FULL ? "full" : "light");
}

static int report_take(const struct verify_spec *spec, const struct proc_result *result,
	struct evidence *ev, struct err *e)
{
	if (result->exit_code > 128) {
		evidence_add(ev, "exit_ip", OUTCOME_INCONCLUSIVE, "inconclusive", 0,
			"the verification was ended by signal %d", result->exit_code - 128);
		return 0;
	}
	return verify_report_read(result->output, result->output_len, spec->kind, ev, e);
}

int verify_run(int ns_fd, const struct verify_spec *spec, const struct wait *w, struct evidence *ev,
	struct err *e)
{
	static const char *const argv[] = {"ccp-agent", "verify", NULL};
	static const char *const envp[] = {NULL}; // no proxy, no resolver options, nothing of ours
	int64_t start = wait_now_us();
	struct wait limit = wait_at_most(w, VERIFY_TOTAL_MS + GRACE_MS);
	int total_ms = wait_left_ms(&limit) - GRACE_MS;
	_cleanup_(freep) char *input = verify_spec_print(spec, total_ms > 0 ? total_ms : 1);
	struct proc_child child = {
		.path = "/proc/self/exe",
		.argv = argv,
		.envp = envp,
		.input = input,
		.pass_fd = &ns_fd,
		.output_max_bytes = VERIFY_REPORT_MAX,
	};
	_cleanup_(proc_result_done) struct proc_result result = {0};
	int r = proc_run(&child, &limit, &result, e);
	if (r == WAIT_TIMEOUT) {
		add_silent(spec, ev, wait_now_us() - start);
		return 0;
	}
	if (r == WAIT_CANCELED)
		return r;
	if (r != 0)
		return err_wrap(e, "verify");
	return report_take(spec, &result, ev, e);
}
