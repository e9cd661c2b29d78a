// SPDX-License-Identifier: Apache-2.0
// What is counted is what is sent: one series for each set of label values, buckets by their bounds.
#include "lib/metric.h"

#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "lib/mem.h"

enum { THREADS = 4, TIMES = 20000 };

static cJSON *read_all(void)
{
	_cleanup_(freep) char *text = metric_samples();
	cJSON *all = cJSON_Parse(text);

	assert_non_null(all);
	return all;
}

static const cJSON *member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

// The samples of a metric; *ret is the first one.
static int find(const cJSON *all, const struct metric *metric, const cJSON **ret)
{
	const cJSON *sample;
	int found = 0;

	cJSON_ArrayForEach (sample, member(all, "samples"))
		if (strcmp(cJSON_GetStringValue(member(sample, "name")), metric->name) == 0 &&
			found++ == 0)
			*ret = sample;
	return found;
}

static void each_set_of_values_is_a_series(void **state)
{
	static const struct metric things = {"things_total", METRIC_COUNTER, {"a", "b"}};
	static const char *const pairs[][2] = {{"x", "y"}, {"xy", ""}, {"", "xy"}, {"x", "y"}};
	const cJSON *sample = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		metric_add(&things, 2, METRIC_VALUES(pairs[i][0], pairs[i][1]));
	_cleanup_(json_freep) cJSON *all = read_all();
	assert_int_equal(find(all, &things, &sample), 3);
	assert_int_equal((int)member(sample, "value")->valuedouble, 4);
	const cJSON *labels = member(sample, "labels");
	assert_int_equal(cJSON_GetArraySize(labels), 2);
	assert_string_equal(cJSON_GetStringValue(member(labels, "a")), "x");
	assert_string_equal(cJSON_GetStringValue(member(labels, "b")), "y");
}

static void a_gauge_is_what_it_was_set_to_last(void **state)
{
	static const struct metric level = {"level", METRIC_GAUGE, {0}};
	const cJSON *sample = NULL;

	(void)state;
	metric_set(&level, 7, METRIC_VALUES(0));
	metric_set(&level, 3, METRIC_VALUES(0));
	_cleanup_(json_freep) cJSON *all = read_all();
	assert_int_equal(find(all, &level, &sample), 1);
	assert_int_equal((int)member(sample, "value")->valuedouble, 3);
	assert_int_equal(cJSON_GetArraySize(member(sample, "labels")), 0);
}

static int bucket(const cJSON *sample, int i)
{
	return (int)cJSON_GetArrayItem(member(sample, "buckets"), i)->valuedouble;
}

static void a_bound_belongs_to_its_bucket_and_what_is_beyond_the_last_to_one_more(void **state)
{
	static const struct metric took = {"took_seconds", METRIC_HISTOGRAM, {0}};
	const cJSON *sample = NULL, *bounds;

	(void)state;
	_cleanup_(json_freep) cJSON *before = read_all();
	bounds = member(before, "bounds");
	int count = cJSON_GetArraySize(bounds);
	double first = cJSON_GetArrayItem(bounds, 0)->valuedouble;
	double last = cJSON_GetArrayItem(bounds, count - 1)->valuedouble;
	metric_observe(&took, 0, METRIC_VALUES(0));
	metric_observe(&took, first, METRIC_VALUES(0));
	metric_observe(&took, first * 1.001, METRIC_VALUES(0));
	metric_observe(&took, last, METRIC_VALUES(0));
	metric_observe(&took, last * 2, METRIC_VALUES(0));
	_cleanup_(json_freep) cJSON *all = read_all();
	assert_int_equal(find(all, &took, &sample), 1);
	assert_int_equal(cJSON_GetArraySize(member(sample, "buckets")), count + 1);
	assert_int_equal(bucket(sample, 0), 2);
	assert_int_equal(bucket(sample, 1), 1);
	assert_int_equal(bucket(sample, count - 1), 1);
	assert_int_equal(bucket(sample, count), 1);
	assert_true(member(sample, "sum")->valuedouble > last * 3);
	assert_true(member(sample, "sum")->valuedouble < last * 3 + 0.1);
}

static void *count_a_lot(void *data)
{
	const struct metric *metric = data;

	for (int i = 0; i < TIMES; i++)
		metric_add(metric, 1, METRIC_VALUES(i % 2 ? "odd" : "even"));
	return NULL;
}

static void threads_lose_nothing(void **state)
{
	static struct metric shared = {"shared_total", METRIC_COUNTER, {"what"}};
	pthread_t threads[THREADS];
	const cJSON *sample = NULL;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_a_lot, &shared), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	_cleanup_(json_freep) cJSON *all = read_all();
	assert_int_equal(find(all, &shared, &sample), 2);
	assert_int_equal((int)member(sample, "value")->valuedouble, THREADS * TIMES / 2);
}

static void the_process_has_memory_and_time(void **state)
{
	static const struct metric memory = {
		"ccp_process_resident_memory_bytes", METRIC_GAUGE, {0}};
	static const struct metric processor = {
		"ccp_process_cpu_seconds_total", METRIC_COUNTER, {0}};
	const cJSON *sample = NULL;

	(void)state;
	metric_set_process();
	_cleanup_(json_freep) cJSON *all = read_all();
	assert_int_equal(find(all, &memory, &sample), 1);
	assert_true(member(sample, "value")->valuedouble > 1e6);
	assert_int_equal(find(all, &processor, &sample), 1);
	assert_true(member(sample, "value")->valuedouble > 0);
	metric_set_process();
	_cleanup_(json_freep) cJSON *later = read_all();
	assert_int_equal(find(later, &processor, &sample), 1);
	assert_true(member(sample, "value")->valuedouble < 600);
}

// The last test: from here on there is no place.
static void series_have_a_limit_and_those_there_are_go_on(void **state)
{
	static const struct metric many = {"many_total", METRIC_COUNTER, {"n"}};
	const cJSON *sample = NULL;

	(void)state;
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < METRIC_SERIES_MAX + 100; i++) {
			char text[16];
			snprintf(text, sizeof(text), "%d", i);
			metric_add(&many, 1, METRIC_VALUES(text));
		}
	_cleanup_(json_freep) cJSON *all = read_all();
	assert_int_equal(cJSON_GetArraySize(member(all, "samples")), METRIC_SERIES_MAX);
	assert_true(find(all, &many, &sample) > METRIC_SERIES_MAX - 100);
	assert_int_equal((int)member(sample, "value")->valuedouble, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_set_of_values_is_a_series),
		cmocka_unit_test(a_gauge_is_what_it_was_set_to_last),
		cmocka_unit_test(
			a_bound_belongs_to_its_bucket_and_what_is_beyond_the_last_to_one_more),
		cmocka_unit_test(threads_lose_nothing),
		cmocka_unit_test(the_process_has_memory_and_time),
		cmocka_unit_test(series_have_a_limit_and_those_there_are_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
