// SPDX-License-Identifier: Apache-2.0
// The create body and the seccomp profile: compared whole with a golden file, rule by rule.
// uses: agent/container/container.c agent/container/seccomp.c

#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/container/container.h"
#include "agent/container/seccomp.h"
#include "lib/err.h"
#include "lib/json.h"

#define GOLDEN "tests/unit/golden/container.json"

static const struct container_config config = {
	.owner = {.node = "n1", .cluster = "7300000000000000001/ccp"},
	.host_id = "0b2f7a52-6f0f-4b25-9f6e-3a0f2a1f0c11",
	.hostname = "k7m2p9",
	.image_id = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	.timezone = "Europe/Berlin",
	.ids = {.base = 2147287040, .owner = 2147418112},
	.memory_limit_mb = 4096,
	.cpu_limit_milli = 2000,
	.pids_limit = 4096,
	.open_files = 65536,
	.ccp_dir = "/var/lib/cloud-cli-proxy/agent/hosts/h/ccp",
	.home_dir = "/var/lib/cloud-cli-proxy/agent/homes/h",
	.tmp_dir = "/var/lib/cloud-cli-proxy/agent/homes/h.tmp",
	.hosts_file = "/var/lib/cloud-cli-proxy/agent/hosts/h/hosts",
};

static char *file_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = xcalloc(1, 1 << 20);

	assert_non_null(file);
	assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
	fclose(file);
	return text;
}

// One member a line, so that a difference is readable. CCP_GOLDEN=write renews the file.
static void the_body_is_the_golden_one(void **state)
{
	_cleanup_(freep) char *body = container_body(&config);
	_cleanup_(json_freep) cJSON *json = cJSON_Parse(body);
	_cleanup_(json_freep) cJSON *profile = NULL;
	_cleanup_(freep) char *text = NULL;
	_cleanup_(freep) char *golden = NULL;
	cJSON *option;

	(void)state;
	option = cJSON_GetArrayItem(
		cJSON_GetObjectItem(cJSON_GetObjectItem(json, "HostConfig"), "SecurityOpt"), 0);
	profile = cJSON_Parse(option->valuestring + strlen("seccomp="));
	cJSON_AddItemReferenceToObject(json, "seccomp", profile);
	cJSON_SetValuestring(option, "seccomp=");
	text = cJSON_Print(json);
	if (getenv("CCP_GOLDEN")) {
		FILE *file = fopen(GOLDEN, "we");

		assert_non_null(file);
		fprintf(file, "%s\n", text);
		fclose(file);
	}
	golden = file_text(GOLDEN);
	assert_int_equal(strncmp(golden, text, strlen(text)), 0);
	assert_string_equal(golden + strlen(text), "\n");
}

static bool text_in(const cJSON *array, const char *text)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, array) {
		if (strcmp(item->valuestring, text) == 0)
			return true;
	}
	return false;
}

static void what_would_open_the_network_is_never_added(void **state)
{
	static const char *const never[] = {"NET_ADMIN", "NET_RAW", "SYS_ADMIN", "SYS_PTRACE",
		"MKNOD", "SETFCAP", "SYS_MODULE", "DAC_READ_SEARCH", "SETPCAP", "ALL"};
	_cleanup_(freep) char *body = container_body(&config);
	_cleanup_(json_freep) cJSON *json = cJSON_Parse(body);
	const cJSON *host = cJSON_GetObjectItem(json, "HostConfig");
	const cJSON *add = cJSON_GetObjectItem(host, "CapAdd");

	(void)state;
	assert_int_equal(cJSON_GetArraySize(add), 10);
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		assert_false(text_in(add, never[i]));
	assert_true(text_in(cJSON_GetObjectItem(host, "CapDrop"), "ALL"));
	assert_string_equal(cJSON_GetObjectItem(host, "NetworkMode")->valuestring, "none");
	assert_false(cJSON_IsTrue(cJSON_GetObjectItem(host, "Privileged")));
}

// What the profile answers to a call, as the kernel's filter would: the first rule that matches,
// else allowed.
static int profile_answer(const cJSON *profile, const char *name, int64_t given)
{
	const cJSON *rule;

	cJSON_ArrayForEach (rule, cJSON_GetObjectItem(profile, "syscalls")) {
		const cJSON *arg = cJSON_GetArrayItem(cJSON_GetObjectItem(rule, "args"), 0);
		const char *op = !arg ? "" : cJSON_GetObjectItem(arg, "op")->valuestring;
		int64_t value = !arg ? 0 : (int64_t)cJSON_GetObjectItem(arg, "value")->valuedouble;
		int64_t two = !arg ? 0 : (int64_t)cJSON_GetObjectItem(arg, "valueTwo")->valuedouble;

		if (!text_in(cJSON_GetObjectItem(rule, "names"), name))
			continue;
		if (!arg || (strcmp(op, "SCMP_CMP_EQ") == 0 && given == value) ||
			(strcmp(op, "SCMP_CMP_GT") == 0 && given > value) ||
			(strcmp(op, "SCMP_CMP_NE") == 0 && given != value) ||
			(strcmp(op, "SCMP_CMP_MASKED_EQ") == 0 && (given & value) == two))
			return cJSON_GetObjectItem(rule, "errnoRet")->valueint;
	}
	return 0;
}

static void only_four_socket_families_and_no_namespaces(void **state)
{
	_cleanup_(freep) char *text = seccomp_profile();
	_cleanup_(json_freep) cJSON *profile = cJSON_Parse(text);

	(void)state;
	for (int64_t family = 0; family < 100; family++) {
		bool allowed = family == 1 || family == 2 || family == 10 || family == 16;

		assert_int_equal(profile_answer(profile, "socket", family), allowed ? 0 : 1);
		assert_int_equal(
			profile_answer(profile, "socketpair", family), family == 1 ? 0 : 1);
	}
	assert_int_equal(
		profile_answer(profile, "socket", 0x100000028), 1); // AF_VSOCK in the low half
	assert_int_equal(profile_answer(profile, "clone", 0x1200011), 0); // fork
	assert_int_equal(profile_answer(profile, "clone", 0x3d0f00), 0); // a thread
	for (int bit = 0; bit < 31; bit++) {
		bool allowed = ((1ll << bit) & 0x7E020000) == 0;

		assert_int_equal(profile_answer(profile, "clone", 1ll << bit), allowed ? 0 : 1);
	}
	assert_int_equal(profile_answer(profile, "clone3", 0), 38);
	assert_int_equal(profile_answer(profile, "io_uring_setup", 0), 1);
	assert_int_equal(profile_answer(profile, "unshare", 0), 1);
	assert_int_equal(profile_answer(profile, "ptrace", 0), 0);
	assert_int_equal(profile_answer(profile, "fsync", 0), 0);
}

static void room_is_taken_by_writing_only(void **state)
{
	_cleanup_(freep) char *text = seccomp_profile();
	_cleanup_(json_freep) cJSON *profile = cJSON_Parse(text);
	static const int64_t requests[] = {0x40305828, 0x4030582a, 0x40305839};

	(void)state;
	for (int64_t mode = 0; mode < 0x80; mode++) // fallocate(2): 2 gives room back
		assert_int_equal(profile_answer(profile, "fallocate", mode),
			(mode & 2) == 2 ? 0 : EOPNOTSUPP);
	assert_int_equal(profile_answer(profile, "fallocate", 1LL << 32), EOPNOTSUPP);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		assert_int_equal(profile_answer(profile, "ioctl", requests[i]), EOPNOTSUPP);
		assert_int_equal(
			profile_answer(profile, "ioctl", requests[i] | 1LL << 32), EOPNOTSUPP);
	}
	assert_int_equal(profile_answer(profile, "ioctl", 0x5401), 0); // TCGETS
	assert_int_equal(profile_answer(profile, "ioctl", 0x4030582b), 0); // FS_IOC_UNRESVSP64
}

static void names_differ_by_stack(void **state)
{
	struct container_config other = config;
	char a[CONTAINER_NAME_SIZE], b[CONTAINER_NAME_SIZE];

	(void)state;
	container_name(&config.owner, config.host_id, a);
	other.owner.cluster = "7300000000000000001/test";
	container_name(&other.owner, other.host_id, b);
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(a), 4 + 8 + 1 + 36);
	assert_string_equal(a + 13, config.host_id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_body_is_the_golden_one),
		cmocka_unit_test(what_would_open_the_network_is_never_added),
		cmocka_unit_test(only_four_socket_families_and_no_namespaces),
		cmocka_unit_test(room_is_taken_by_writing_only),
		cmocka_unit_test(names_differ_by_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
