// SPDX-License-Identifier: Apache-2.0
// What a change in the uplink's nftables leads to, by whom it was made.
// uses: agent/host/cage_guard.c
#include "agent/host/cage_guard.h"

#include "tests/unit/trace.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include "agent/agent.h"
#include "agent/host/guard.h"
#include "agent/tunnel/proxy.h"
#include "lib/loop.h"
#include "lib/pool.h"

static struct {
	int watch, listen, submit, restore;
	bool changed;
} answers;

static struct agent agent;
static struct cage_guard *guard;
static struct pool_job *job;

// The loop has one source.
struct loop_source {
	void (*fn)(void *data, uint32_t events);
	void *data;
};
static struct loop_source source;

const struct tunnel_kind proxy_kind;

int loop_watch(struct loop *loop, int fd, uint32_t events, void (*fn)(void *data, uint32_t events),
	void *data, struct loop_source **ret, struct err *e)
{
	(void)loop;
	assert_true(fd >= 0 && events == EPOLLIN);
	source = (struct loop_source){fn, data};
	*ret = answers.listen < 0 ? NULL : &source;
	return result(answers.listen, "no watch", e);
}

int loop_watch_events(struct loop_source *s, uint32_t events, struct err *e)
{
	(void)e;
	assert_ptr_equal(s, &source);
	did(events == EPOLLIN ? "hear" : "be deaf");
	return 0;
}

void loop_source_free(struct loop_source *s)
{
	if (s)
		did("free");
}

int pool_submit_first(struct pool *pool, struct pool_job *submitted)
{
	(void)pool;
	if (answers.submit == 0)
		job = submitted;
	return answers.submit;
}

int cage_watch(int uplink_fd, struct err *e)
{
	(void)uplink_fd;
	return answers.watch < 0 ? err_say(e, EIO, "no socket") : open("/dev/null", O_RDONLY);
}

bool cage_changed(struct cage *c, int watch_fd)
{
	assert_ptr_equal(c, &agent.cage);
	assert_true(watch_fd >= 0);
	did("drain");
	return answers.changed;
}

int cage_restore(struct cage *c, struct err *e)
{
	assert_ptr_equal(c, &agent.cage);
	did("restore");
	return result(answers.restore, "the group is taken", e);
}

void guards_check_kind(struct guards *guards, const struct tunnel_kind *kind)
{
	(void)guards;
	assert_ptr_equal(kind, &proxy_kind);
	did("check the hosts");
}

static int begin(void **state)
{
	struct err e;
	(void)state;
	memset(&answers, 0, sizeof(answers));
	trace[0] = '\0';
	job = NULL;
	agent = (struct agent){.tunnels.cage = &agent.cage};
	return cage_guard_new(&agent, &guard, &e);
}

static int end(void **state)
{
	(void)state;
	cage_guard_free(guard);
	return 0;
}

static void rings(bool runs)
{
	source.fn(source.data, EPOLLIN);
	assert_non_null(job);
	assert_did("be deaf; ");
	if (runs)
		job->run(job, NULL);
	job->done(job);
}

static void what_the_agent_itself_does_changes_nothing(void **state)
{
	(void)state;
	rings(true);
	assert_did("drain; hear; ");
}

static void what_another_program_does_is_undone_and_the_hosts_are_checked(void **state)
{
	(void)state;
	answers.changed = true;
	rings(true);
	assert_did("drain; restore; hear; check the hosts; ");
	answers.restore = -1; // the checks say that it is gone
	rings(true);
	assert_did("drain; restore; hear; check the hosts; ");
	rings(false); // the pool has stopped
	assert_did("hear; ");
}

static void a_full_pool_is_asked_again_at_the_next_turn(void **state)
{
	(void)state;
	answers.submit = POOL_FULL;
	source.fn(source.data, EPOLLIN);
	assert_did(""); // it still hears
}

static void without_a_cage_there_is_nothing_to_guard(void **state)
{
	struct cage_guard *none = guard;
	struct err e;
	int before = lowest_free_fd();
	(void)state;
	answers.watch = -1;
	assert_int_equal(cage_guard_new(&agent, &none, &e), -1);
	answers.watch = 0;
	answers.listen = -1;
	assert_int_equal(cage_guard_new(&agent, &none, &e), -1);
	agent.tunnels.cage = NULL;
	assert_int_equal(cage_guard_new(&agent, &none, &e), 0);
	assert_null(none);
	cage_guard_free(none);
	assert_int_equal(lowest_free_fd(), before);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(what_the_agent_itself_does_changes_nothing),
		TEST(what_another_program_does_is_undone_and_the_hosts_are_checked),
		TEST(a_full_pool_is_asked_again_at_the_next_turn),
		TEST(without_a_cage_there_is_nothing_to_guard),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
