// SPDX-License-Identifier: Apache-2.0
// What a program counts of itself, in memory; the skeleton sends it with the beat (process.beat).
#pragma once

// A metric is a constant beside the code that counts. SQL's row of the same name in ccp.metrics has
// its type, its labels in the same order, and what it means; GET /metrics of ccp-api gives out what
// has a row there. Counting makes a series for each set of label values, which lives as long as the
// program: so values are words of our own tables, never a user's or host's name, address or id.
//
//     static const struct metric requests = {
//         "ccp_http_requests_total", METRIC_COUNTER, {"method", "route", "status"}};
//     metric_add(&requests, 1, METRIC_VALUES(route->method, route->path, "200"));
//
// From any thread. A lock is held for less than a microsecond, and a moment more when all are sent.
enum { METRIC_LABELS_MAX = 3, METRIC_SERIES_MAX = 2000 };

enum metric_type {
	METRIC_COUNTER, // only rises
	METRIC_GAUGE,
	METRIC_HISTOGRAM, // of seconds
};

struct metric {
	const char *name;
	enum metric_type type;
	const char *labels[METRIC_LABELS_MAX]; // the first NULL ends them
};

#define METRIC_VALUES(...) ((const char *const[METRIC_LABELS_MAX]){__VA_ARGS__})

// `values` are copied. What would be series METRIC_SERIES_MAX + 1 is left out.
void metric_add(const struct metric *metric, double more, const char *const *values);
void metric_set(const struct metric *metric, double value, const char *const *values);
void metric_observe(const struct metric *metric, double seconds, const char *const *values);

// Sets what the kernel knows of this process: its memory and its time on the processor.
void metric_set_process(void);

// All series, for metric.keep(); the caller frees it:
//     {"bounds": [0.0005, ...], "samples": [{"name": "...", "labels": {...}, "value": 1},
//      {"name": "...", "labels": {...}, "sum": 0.12, "buckets": [0, 3, ..., 0]}, ...]}
// A bucket counts what is greater than the bound before and not greater than its own; the last one,
// which has no bound, the rest.
char *metric_samples(void);
