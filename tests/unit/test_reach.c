// SPDX-License-Identifier: Apache-2.0
// Waiting for an exit's first answer: whom it asks, what counts as one, and when it gives up.
// uses: agent/host/reach.c agent/evidence.c
#include "agent/host/reach.h"

#include "tests/unit/trace.h"

#include <sys/eventfd.h>

#include "agent/evidence.h"
#include "lib/mem.h"
#include "lib/wait.h"

enum { NS_FD = 41 };

static struct {
	int fails; // what the verification returns; 0: it ran
	unsigned silent; // how often it shows nothing
	enum outcome outcome; // afterwards
	const char *code;
} inside;

int verify_run(int ns_fd, const struct verify_spec *spec, const struct wait *w, struct evidence *ev,
	struct err *e)
{
	(void)w;
	assert_int_equal(ns_fd, NS_FD);
	assert_int_equal(spec->kind, VERIFY_LIGHT);
	did("ask");
	if (inside.fails)
		return result(inside.fails, "the child cannot run", e);
	if (inside.silent > 0) {
		inside.silent--;
		evidence_add(ev, "exit_ip", OUTCOME_INCONCLUSIVE, "inconclusive", 0, "silence");
	} else {
		evidence_add(ev, "exit_ip", inside.outcome, inside.code, 0, "an answer");
	}
	return 0;
}

static int reach(
	const struct tunnel_place *place, struct tunnel *t, const struct wait *w, struct err *e)
{
	(void)place;
	(void)t;
	(void)w;
	(void)e;
	did("reach");
	return TUNNEL_UNANSWERED;
}

static int unanswered(const struct tunnel_place *place, struct tunnel *t, struct err *e)
{
	(void)place;
	(void)t;
	did("why");
	return err_outcome(e, TUNNEL_UNANSWERED, ETIMEDOUT, "the proxy says no");
}

static const struct tunnel_kind hears = {.reach = reach};
static const struct tunnel_kind deaf = {.unanswered = unanswered};
static const struct tunnel_place place = {.ns_fd = NS_FD};
static const struct verify_spec full = {.kind = VERIFY_FULL};

static int wait_with(int pidfd, const struct tunnel_kind *kind, int ms)
{
	struct tunnel t = {.kind = kind, .pidfd = pidfd};
	struct wait w = wait_for(ms, -1);
	struct err e;
	return reach_wait(&place, &t, &full, &w, &e);
}

static int again(void **state)
{
	(void)state;
	memset(&inside, 0, sizeof(inside));
	trace[0] = '\0';
	return 0;
}

static void a_tunnel_that_hears_of_the_answer_is_asked_itself(void **state)
{
	(void)state;
	assert_int_equal(wait_with(-1, &hears, 1000), TUNNEL_UNANSWERED);
	assert_did("reach; ");
}

static void any_answer_ends_the_wait(void **state)
{
	_cleanup_(closep) int alive = eventfd(0, EFD_CLOEXEC);
	(void)state;
	inside.silent = 2;
	assert_int_equal(wait_with(alive, &deaf, 60000), 0);
	assert_did("ask; ask; ask; ");
	inside.outcome = OUTCOME_FAILED;
	inside.code = "exit_mismatch"; // for the verification to say
	assert_int_equal(wait_with(alive, &deaf, 60000), 0);
	assert_did("ask; ");
}

static void silence_until_the_deadline_is_explained_by_the_tunnel(void **state)
{
	_cleanup_(closep) int alive = eventfd(0, EFD_CLOEXEC);
	(void)state;
	inside.silent = 1000;
	assert_int_equal(wait_with(alive, &deaf, 120), TUNNEL_UNANSWERED);
	assert_non_null(strstr(trace, "ask; ask; "));
	assert_string_equal(trace + strlen(trace) - strlen("ask; why; "), "ask; why; ");
}

static void a_dead_engine_is_waited_for_no_longer(void **state)
{
	_cleanup_(closep) int dead = eventfd(1, EFD_CLOEXEC);
	(void)state;
	inside.silent = 1000;
	assert_int_equal(wait_with(dead, &deaf, 60000), TUNNEL_UNANSWERED);
	assert_did("ask; why; ");
}

static void a_question_that_cannot_be_asked_is_no_silence(void **state)
{
	(void)state;
	inside.fails = -1;
	assert_int_equal(wait_with(-1, &deaf, 60000), -1);
	inside.fails = WAIT_CANCELED;
	assert_int_equal(wait_with(-1, &deaf, 60000), WAIT_CANCELED);
	assert_did("ask; ask; ");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, again)
	const struct CMUnitTest tests[] = {
		TEST(a_tunnel_that_hears_of_the_answer_is_asked_itself),
		TEST(any_answer_ends_the_wait),
		TEST(silence_until_the_deadline_is_explained_by_the_tunnel),
		TEST(a_dead_engine_is_waited_for_no_longer),
		TEST(a_question_that_cannot_be_asked_is_no_silence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
