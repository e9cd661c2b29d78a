// SPDX-License-Identifier: Apache-2.0
// The table of hosts: who has one, who gives way, and when an inspection is due.
// uses: agent/host/host.c
#include "tests/unit/trace.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/host/host.h"
#include "lib/mem.h"

static struct hosts *hosts;

void run_close(struct run *run)
{
	closep(&run->process_fd);
	closep(&run->ns_fd);
	did("run_close");
}

void host_spec_free(struct host_spec *spec)
{
	if (spec)
		did("free spec %s", spec->short_id);
}

static void on_ended(void *data, uint64_t run_number)
{
	assert_null(data);
	did("ended %llu", (unsigned long long)run_number);
}

static int start(void **state)
{
	(void)state;
	hosts = hosts_new(on_ended, NULL);
	trace[0] = '\0';
	return 0;
}

static int stop(void **state)
{
	(void)state;
	hosts_free(hosts);
	return 0;
}

// Takes it for a task without waiting; NULL when that would take waiting.
static struct host *take(const char *id)
{
	struct wait now = wait_for(0, -1);
	struct host *host;
	struct err e;
	int r = host_take(hosts, id, &now, &host, &e);
	if (r != 0)
		assert_int_equal(r, WAIT_TIMEOUT);
	return r == 0 ? host : NULL;
}

static bool is_asked_to_give_way(const struct host *host)
{
	eventfd_t count;
	bool asked = eventfd_read(host->yield_fd, &count) == 0;
	if (asked)
		eventfd_write(host->yield_fd, count);
	return asked;
}

static void a_host_has_one_holder(void **state)
{
	(void)state;
	struct host *host = take("a");
	assert_non_null(host);
	assert_string_equal(host->id, "a");
	assert_null(take("a"));
	assert_null(host_try_take(hosts, "a"));
	assert_null(host_try_take_new(hosts, "a"));
	struct host *other = take("b");
	assert_non_null(other);
	assert_ptr_not_equal(host, other);
	host_release(hosts, host);
	assert_ptr_equal(host_try_take(hosts, "a"), host);
	host_release(hosts, host);
	assert_ptr_equal(take("a"), host);
	assert_false(is_asked_to_give_way(host));
	host_release(hosts, host);
	host_release(hosts, other);
}

static void a_check_takes_no_host_that_is_not_on_record(void **state)
{
	(void)state;
	assert_null(host_try_take(hosts, "a"));
	assert_false(hosts_know(hosts, "a"));
	struct host *host = host_try_take_new(hosts, "a");
	assert_non_null(host);
	assert_true(hosts_know(hosts, "a"));
	assert_false(hosts_know(hosts, "b"));
	host_release(hosts, host);
}

static void *task_main(void *data)
{
	struct wait w = wait_for(20000, -1);
	struct host *host;
	struct err e;
	(void)data;
	return host_take(hosts, "a", &w, &host, &e) == 0 ? host : NULL;
}

static void a_task_that_waits_makes_the_holder_give_way_and_goes_before_checks(void **state)
{
	struct pollfd asked = {.events = POLLIN};
	pthread_t thread;
	void *taken;
	(void)state;
	struct host *host = host_try_take_new(hosts, "a");
	asked.fd = host->yield_fd;
	assert_int_equal(pthread_create(&thread, NULL, task_main, NULL), 0);
	assert_int_equal(poll(&asked, 1, 20000), 1);
	host_release(hosts, host);
	// Either the task has it by now or it still waits: it is not free for a check.
	assert_null(host_try_take(hosts, "a"));
	assert_int_equal(pthread_join(thread, &taken), 0);
	assert_ptr_equal(taken, host);
	assert_false(is_asked_to_give_way(host));
	host_release(hosts, host);
}

static void a_task_that_gave_up_leaves_no_trace(void **state)
{
	(void)state;
	struct host *host = host_try_take_new(hosts, "a");
	assert_null(take("a"));
	assert_false(is_asked_to_give_way(host));
	host_release(hosts, host);
	assert_ptr_equal(host_try_take(hosts, "a"), host);
	host_release(hosts, host);
}

static void a_forgotten_host_goes_with_its_last_user(void **state)
{
	(void)state;
	struct host *first = take("a"), *host = take("b"), *last = take("c");
	host_forget(hosts, host);
	assert_true(hosts_know(hosts, "b"));
	assert_null(take("b")); // a task that asks for it by now makes it known again
	host_release(hosts, host);
	assert_true(hosts_know(hosts, "b"));
	assert_did("");
	assert_ptr_equal(take("b"), host);
	host_forget(hosts, host);
	host_release(hosts, host);
	assert_did("run_close; ");
	assert_false(hosts_know(hosts, "b"));
	assert_true(hosts_know(hosts, "a") && hosts_know(hosts, "c"));
	host_release(hosts, first);
	host_release(hosts, last);
	assert_true(hosts_know(hosts, "a"));
}

static void a_spec_replaces_another_and_a_refusal_keeps_it(void **state)
{
	static struct host_spec one = {.short_id = "one"}, two = {.short_id = "two"};
	(void)state;
	struct host *host = take("a");
	host_set_spec(host, &one);
	assert_did("");
	assert_true(host_spec_refused(host, "no exit"));
	assert_false(host_spec_refused(host, "no exit"));
	assert_true(host_spec_refused(host, "no image"));
	assert_string_equal(host->unusable, "no image");
	assert_ptr_equal(host->spec, &one);
	host_set_spec(host, &two);
	assert_null(host->unusable);
	assert_did("free spec one; ");
	host_release(hosts, host);
}

static void a_run_has_a_number_and_its_end_is_told(void **state)
{
	struct run run = RUN_INIT;
	(void)state;
	struct host *host = take("a");
	assert_int_equal(host_take_run(hosts, host).number, 0);
	assert_did(""); // nothing has ended
	host->unknown.count = 2;
	for (uint64_t number = 1; number < 3; number++) {
		run.pid = getpid();
		run.ns_fd = eventfd(0, EFD_CLOEXEC);
		host_set_run(hosts, host, &run);
		assert_int_equal(host->run.number, number);
		assert_true(host->run.process_fd >= 0);
		assert_true(host->seen);
		assert_int_equal(host->unknown.count, 0);
		struct run taken = host_take_run(hosts, host);
		assert_int_equal(taken.number, number);
		assert_int_equal(host->run.number, 0);
		assert_int_equal(host->run.ns_fd, -1);
		close(taken.process_fd);
		close(taken.ns_fd);
	}
	assert_did("ended 1; ended 2; ");
	host_release(hosts, host);
}

static void only_what_runs_has_a_namespace_to_dial_into(void **state)
{
	struct run run = RUN_INIT;
	struct err e;
	int fd = -1;
	(void)state;
	assert_int_equal(hosts_namespace(hosts, "a", &fd, &e), -1);
	assert_int_equal(e.code, ENOTCONN);
	struct host *host = take("a");
	assert_int_equal(hosts_namespace(hosts, "a", &fd, &e), -1);
	assert_int_equal(e.code, ENOTCONN);
	run.pid = getpid();
	run.ns_fd = eventfd(0, EFD_CLOEXEC);
	host_set_run(hosts, host, &run);
	assert_int_equal(hosts_namespace(hosts, "a", &fd, &e), 0);
	assert_true(fd >= 0 && fd != host->run.ns_fd);
	close(fd);
	close(host->run.ns_fd);
	host->run.ns_fd = -1;
	assert_int_equal(hosts_namespace(hosts, "a", &fd, &e), -1);
	assert_int_equal(e.code, EBADF);
	host_release(hosts, host);
}

static void a_silent_host_is_not_asked_for_a_while(void **state)
{
	struct run run = RUN_INIT;
	(void)state;
	hosts_silence(hosts, "a", 60000);
	assert_false(hosts_is_silent(hosts, "a"));
	struct host *host = take("a");
	assert_false(hosts_is_silent(hosts, "a"));
	hosts_silence(hosts, "a", 60000);
	assert_true(hosts_is_silent(hosts, "a"));
	assert_false(hosts_is_silent(hosts, "b"));
	hosts_silence(hosts, "a", 0);
	assert_false(hosts_is_silent(hosts, "a"));
	hosts_silence(hosts, "a", 60000);
	host_set_run(hosts, host, &run);
	assert_false(hosts_is_silent(hosts, "a")); // it has started since
	host_release(hosts, host);
}

static void a_change_of_what_sshd_says_is_news(void **state)
{
	struct run run = RUN_INIT;
	(void)state;
	assert_false(hosts_note_ssh(hosts, "a", true)); // not on record
	struct host *host = take("a");
	assert_false(hosts_note_ssh(hosts, "a", true)); // does not run
	host_set_run(hosts, host, &run);
	assert_true(hosts_note_ssh(hosts, "a", true));
	assert_false(hosts_note_ssh(hosts, "a", true));
	assert_true(hosts_note_ssh(hosts, "a", false));
	assert_false(hosts_note_ssh(hosts, "a", false));
	assert_true(hosts_note_ssh(hosts, "a", true));
	run = host_take_run(hosts, host);
	run_close(&run);
	run = RUN_INIT;
	host_set_run(hosts, host, &run);
	assert_true(hosts_note_ssh(hosts, "a", true)); // of the next run nothing has been said
	host_release(hosts, host);
}

static void an_inspection_is_due_until_it_is_made(void **state)
{
	(void)state;
	hosts_schedule_inspection(hosts, "a", 0);
	assert_false(hosts_queue_inspection(hosts, "a"));
	assert_null(host_take_for_inspection(hosts, "a"));
	hosts_unqueue_inspection(hosts, "a");
	struct host *host = take("a");
	assert_false(hosts_queue_inspection(hosts, "a")); // none is scheduled
	hosts_schedule_inspection(hosts, "a", 0);
	assert_true(hosts_queue_inspection(hosts, "a"));
	assert_false(hosts_queue_inspection(hosts, "a")); // it is queued already
	hosts_unqueue_inspection(hosts, "a");
	assert_true(hosts_queue_inspection(hosts, "a"));
	assert_null(host_take_for_inspection(hosts, "a")); // a task has the host
	assert_true(hosts_queue_inspection(hosts, "a")); // and it is still due
	host_release(hosts, host);
	assert_ptr_equal(host_take_for_inspection(hosts, "a"), host);
	assert_false(hosts_queue_inspection(hosts, "a"));
	host_release(hosts, host);
}

static void an_inspection_comes_at_the_earliest_of_its_times(void **state)
{
	(void)state;
	struct host *host = take("a");
	hosts_schedule_inspection(hosts, "a", 60000);
	assert_false(hosts_queue_inspection(hosts, "a"));
	hosts_schedule_inspection(hosts, "a", 0);
	hosts_schedule_inspection(hosts, "a", 60000);
	assert_true(hosts_queue_inspection(hosts, "a"));
	host_release(hosts, host);
}

static void every_record_is_listed(void **state)
{
	host_id_text *ids;
	(void)state;
	assert_int_equal(hosts_ids(hosts, &ids), 0);
	free(ids);
	struct host *a = take("a"), *b = take("b");
	assert_int_equal(hosts_ids(hosts, &ids), 2);
	assert_string_equal(ids[0], "b");
	assert_string_equal(ids[1], "a");
	free(ids);
	host_release(hosts, a);
	host_release(hosts, b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_host_has_one_holder),
		TEST(a_check_takes_no_host_that_is_not_on_record),
		TEST(a_task_that_waits_makes_the_holder_give_way_and_goes_before_checks),
		TEST(a_task_that_gave_up_leaves_no_trace),
		TEST(a_forgotten_host_goes_with_its_last_user),
		TEST(a_spec_replaces_another_and_a_refusal_keeps_it),
		TEST(a_run_has_a_number_and_its_end_is_told),
		TEST(only_what_runs_has_a_namespace_to_dial_into),
		TEST(a_silent_host_is_not_asked_for_a_while),
		TEST(a_change_of_what_sshd_says_is_news),
		TEST(an_inspection_is_due_until_it_is_made),
		TEST(an_inspection_comes_at_the_earliest_of_its_times),
		TEST(every_record_is_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
