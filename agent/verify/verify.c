// SPDX-License-Identifier: Apache-2.0
// Verification from inside the namespace, the agent's side: one child, its deadline, its report.
#include "agent/verify/verify.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/evidence.h"
#include "agent/verify/verify_server.h"
#include "agent/verify/verify_wire.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/sock.h"

// The child ends by itself this much before it would be killed.
enum { GRACE_MS = 500 };

// A child that did not come to an end says nothing about the exit, so it is inconclusive.
static void add_silent(
	const struct verify_spec *spec, struct evidence *ev, int64_t took_us, bool died)
{
	evidence_add(ev, "exit_ip", OUTCOME_INCONCLUSIVE, "inconclusive", took_us,
		"the %s verification %s", spec->kind == VERIFY_FULL ? "full" : "light",
		died ? "died before it said what it found" : "did not end in time");
}

// The child says what it is to verify, and hears what was found until it ends.
static int child_ask(struct verify_child *child, const char *input, const struct wait *w,
	struct str *report, struct err *e)
{
	int r = sock_write_all(child->socket_fd, input, strlen(input), w, e);
	if (r != 0)
		return r;
	if (shutdown(child->socket_fd, SHUT_WR) < 0)
		return err_set(e, errno, "end the specification");
	r = proc_read_output(child->socket_fd, report, w, e);
	return r < 0 && e->code == ECONNRESET ? SOCK_CLOSED : r;
}

static int verify_ask(
	int ns_fd, const char *input, const struct wait *w, struct str *report, struct err *e)
{
	_cleanup_(verify_child_end) struct verify_child child = VERIFY_CHILD_INIT;
	int r = verify_child_begin(ns_fd, w, &child, e);
	if (r == 0)
		r = child_ask(&child, input, w, report, e);
	return r == 0 && report->len == 0 ? SOCK_CLOSED : r;
}

static int run_once(int ns_fd, const struct verify_spec *spec, const struct wait *w,
	struct evidence *ev, struct err *e)
{
	int64_t start = wait_now_us();
	struct wait limit = wait_at_most(w, VERIFY_TOTAL_MS + GRACE_MS);
	int total_ms = wait_left_ms(&limit) - GRACE_MS;
	_cleanup_(freep) char *input = verify_spec_print(spec, total_ms > 0 ? total_ms : 1);
	_cleanup_(str_done) struct str report = STR_INIT(VERIFY_REPORT_MAX);
	int r = verify_ask(ns_fd, input, &limit, &report, e);
	if (r == WAIT_TIMEOUT || r == SOCK_CLOSED) {
		add_silent(spec, ev, wait_now_us() - start, r == SOCK_CLOSED);
		return 0;
	}
	if (r == WAIT_CANCELED)
		return r;
	if (r != 0)
		return err_wrap(e, "verify");
	return verify_report_read(str_text(&report), report.len, spec->kind, ev, e);
}

static const char *json_text(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name)->valuestring;
}

// A child's checks over IPv6, under names of their own. That targets connect is shown by the sources.
static void six_take(struct evidence *ev, const struct evidence *six)
{
	static const struct {
		const char *name, *name6, *failed;
	} names[] = {{"exit_ip", "exit_ip6", "exit_mismatch"}, {"dns", "dns6", "dns_failed"}};
	const cJSON *check;
	cJSON_ArrayForEach (check, six->checks) {
		const char *name = json_text(check, "name");
		enum outcome outcome = (enum outcome)outcome_by_name(json_text(check, "outcome"));
		double ms = cJSON_GetObjectItemCaseSensitive(check, "ms")->valuedouble;
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (strcmp(name, names[i].name) == 0)
				evidence_add(ev, names[i].name6, outcome,
					outcome == OUTCOME_PASSED   ? NULL
					: outcome == OUTCOME_FAILED ? names[i].failed
								    : "inconclusive",
					(int64_t)(ms * 1000), "%s", json_text(check, "detail"));
	}
}

int verify_run(int ns_fd, const struct verify_spec *spec, const struct wait *w, struct evidence *ev,
	struct err *e)
{
	int r = run_once(ns_fd, spec, w, ev, e);
	if (r != 0 || spec->expected6.family == 0 || ev->outcome == OUTCOME_FAILED)
		return r;
	struct verify_spec over6 = *spec;
	over6.expected = spec->expected6;
	_cleanup_(evidence_done) struct evidence six;
	evidence_init(&six);
	r = run_once(ns_fd, &over6, w, &six, e);
	if (r == 0)
		six_take(ev, &six);
	if (r == 0 && six.outcome == OUTCOME_FAILED && six.observed_ip[0] != '\0')
		memcpy(ev->observed_ip, six.observed_ip, sizeof(ev->observed_ip));
	return r;
}
