// SPDX-License-Identifier: Apache-2.0
// Series in one table of hashes behind one lock.
#include "lib/metric.h"

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/json.h"
#include "lib/mem.h"

// Seconds: from a call of the database to a long poll or a slow start.
static const double bounds[] = {
	0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

enum { BUCKETS = ARRAY_SIZE(bounds) + 1, TABLE_SIZE = 4096 };
_Static_assert(METRIC_SERIES_MAX * 2 < TABLE_SIZE, "a search soon ends at a free place");

struct series {
	const struct metric *metric;
	char *values[METRIC_LABELS_MAX];
	double value; // of a histogram: the sum
	uint64_t buckets[BUCKETS];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // everything below
static struct series *table[TABLE_SIZE];
static struct series *in_order[METRIC_SERIES_MAX]; // as they came into being
static size_t count;

static size_t labels_count(const struct metric *metric)
{
	size_t n = 0;
	while (n < METRIC_LABELS_MAX && metric->labels[n])
		n++;
	return n;
}

// FNV-1a.
static uint32_t hash_add(uint32_t hash, const char *text)
{
	do
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	while (*text++ != '\0');
	return hash;
}

static uint32_t hash_of(const struct metric *metric, const char *const *values)
{
	uint32_t hash = hash_add(2166136261u, metric->name);
	for (size_t i = 0; i < labels_count(metric); i++)
		hash = hash_add(hash, values[i]);
	return hash;
}

static bool is_series(
	const struct series *s, const struct metric *metric, const char *const *values)
{
	if (s->metric != metric)
		return false;
	for (size_t i = 0; i < labels_count(metric); i++)
		if (strcmp(s->values[i], values[i]) != 0)
			return false;
	return true;
}

// NULL: there are too many. The lock is held.
static struct series *series_of(const struct metric *metric, const char *const *values)
{
	size_t at = hash_of(metric, values) % TABLE_SIZE;
	for (; table[at]; at = (at + 1) % TABLE_SIZE)
		if (is_series(table[at], metric, values))
			return table[at];
	if (count == METRIC_SERIES_MAX)
		return NULL;
	struct series *s = xnew(struct series);
	s->metric = metric;
	for (size_t i = 0; i < labels_count(metric); i++)
		s->values[i] = xstrdup(values[i]);
	table[at] = in_order[count++] = s;
	return s;
}

void metric_add(const struct metric *metric, double more, const char *const *values)
{
	assert(metric->type == METRIC_COUNTER && more >= 0);
	pthread_mutex_lock(&lock);
	struct series *s = series_of(metric, values);
	if (s)
		s->value += more;
	pthread_mutex_unlock(&lock);
}

void metric_set(const struct metric *metric, double value, const char *const *values)
{
	assert(metric->type == METRIC_GAUGE);
	pthread_mutex_lock(&lock);
	struct series *s = series_of(metric, values);
	if (s)
		s->value = value;
	pthread_mutex_unlock(&lock);
}

void metric_observe(const struct metric *metric, double seconds, const char *const *values)
{
	assert(metric->type == METRIC_HISTOGRAM);
	size_t bucket = 0;
	while (bucket < ARRAY_SIZE(bounds) && seconds > bounds[bucket])
		bucket++;
	pthread_mutex_lock(&lock);
	struct series *s = series_of(metric, values);
	if (s) {
		s->value += seconds;
		s->buckets[bucket]++;
	}
	pthread_mutex_unlock(&lock);
}

// Resident memory: the second number of /proc/self/statm, in pages (proc(5)). 0: it cannot be read.
static double resident_bytes(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	if (file && fscanf(file, "%*d %ld", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

void metric_set_process(void)
{
	static const struct metric memory = {
		"ccp_process_resident_memory_bytes", METRIC_GAUGE, {0}};
	static const struct metric processor = {
		"ccp_process_cpu_seconds_total", METRIC_COUNTER, {0}};
	static double before; // the skeleton's one caller
	struct rusage usage;

	metric_set(&memory, resident_bytes(), METRIC_VALUES(0));
	if (getrusage(RUSAGE_SELF, &usage) < 0)
		return;
	double now = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
	metric_add(&processor, now > before ? now - before : 0, METRIC_VALUES(0));
	before = now;
}

static void add_buckets(cJSON *sample, const struct series *s)
{
	cJSON *list = json_set_array(sample, "buckets");
	for (size_t i = 0; i < BUCKETS; i++)
		json_add(list, cJSON_CreateNumber((double)s->buckets[i]));
}

static void add_sample(cJSON *samples, const struct series *s)
{
	cJSON *sample = json_add(samples, json_new_object());
	json_set_text(sample, "name", s->metric->name);
	cJSON *labels = json_set_object(sample, "labels");
	for (size_t i = 0; i < labels_count(s->metric); i++)
		json_set_text(labels, s->metric->labels[i], s->values[i]);
	bool is_histogram = s->metric->type == METRIC_HISTOGRAM;
	json_set_number(sample, is_histogram ? "sum" : "value", s->value);
	if (is_histogram)
		add_buckets(sample, s);
}

// The lock is not held while they are written out; their metrics and values stay.
static struct series *copy_all(size_t *ret_count)
{
	pthread_mutex_lock(&lock);
	struct series *copy = xcalloc(count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		copy[i] = *in_order[i];
	*ret_count = count;
	pthread_mutex_unlock(&lock);
	return copy;
}

char *metric_samples(void)
{
	size_t n;
	_cleanup_(freep) struct series *series = copy_all(&n);
	_cleanup_(json_freep) cJSON *all = json_new_object();
	cJSON *list = json_set_array(all, "bounds");
	cJSON *samples = json_set_array(all, "samples");
	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++)
		json_add(list, cJSON_CreateNumber(bounds[i]));
	for (size_t i = 0; i < n; i++)
		add_sample(samples, &series[i]);
	return json_print(all);
}
