// SPDX-License-Identifier: Apache-2.0
// ccp-runtime's config.json: the edit is the golden one, what cannot be served is refused.
// uses: runtime/config.c runtime/config_check.c runtime/ids.c runtime/limits.c
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/err.h"
#include "lib/json.h"
#include "runtime/config.h"
#include "runtime/config_check.h"
#include "runtime/limits.h"

#define GOLDEN_IN "tests/unit/golden/runtime_config.in.json" // dockerd 20.10 wrote it, shortened
#define GOLDEN_OUT "tests/unit/golden/runtime_config.out.json"

static char *file_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = xcalloc(1, 1 << 20);
	assert_non_null(file);
	assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
	fclose(file);
	return text;
}

// The golden input with one text in it replaced by another.
static char *input_with(const char *from, const char *to)
{
	_cleanup_(freep) char *text = file_text(GOLDEN_IN);
	char *at = strstr(text, from);
	if (!at)
		fail_msg("%s has no %s", GOLDEN_IN, from);
	*at = '\0';
	return xasprintf("%s%s%s", text, to, at + strlen(from));
}

static int read_text(const char *text, struct config *c, struct err *e)
{
	return config_read(text, strlen(text), c, e);
}

static void the_edited_config_is_the_golden_one(void **state)
{
	_cleanup_(freep) char *in = file_text(GOLDEN_IN);
	_cleanup_(config_done) struct config c;
	struct err e;
	(void)state;
	assert_int_equal(read_text(in, &c, &e), 0);
	_cleanup_(freep) char *edited = config_edited(&c);
	cJSON *json _cleanup_(json_freep) = cJSON_Parse(edited);
	_cleanup_(freep) char *text = cJSON_Print(json);
	if (getenv("CCP_GOLDEN")) {
		FILE *file = fopen(GOLDEN_OUT, "we");
		assert_non_null(file);
		fprintf(file, "%s\n", text);
		fclose(file);
	}
	_cleanup_(freep) char *golden = file_text(GOLDEN_OUT);
	assert_int_equal(strncmp(golden, text, strlen(text)), 0);
	assert_string_equal(golden + strlen(text), "\n");
}

static void ids_root_binds_and_limits_are_read(void **state)
{
	_cleanup_(freep) char *in = file_text(GOLDEN_IN);
	_cleanup_(config_done) struct config c;
	struct err e;
	(void)state;
	assert_int_equal(read_text(in, &c, &e), 0);
	assert_int_equal(c.ids.base, 131072);
	assert_int_equal(c.ids.owner, 300000);
	assert_int_equal(strncmp(c.root, "/var/lib/docker/overlay2/8", 26), 0);
	assert_int_equal(c.bind_count, 5);
	assert_string_equal(c.binds[0].source, "/var/lib/cloud-cli-proxy/agent/homes/h");
	assert_true(c.binds[0].recursive);
	assert_int_equal(c.limits.count, 2);
	assert_int_equal(c.limits.limits[0].resource, RLIMIT_NOFILE);
	assert_int_equal(c.limits.limits[0].value, 16384);
	assert_int_equal(c.limits.limits[1].resource, RLIMIT_CORE);
	assert_int_equal(c.limits.limits[1].value, 0);
	_cleanup_(freep) char *target = config_bind_target(3);
	assert_string_equal(target, "/run/ccp-runtime/bind3");
}

static void a_bind_that_is_not_recursive_stays_so(void **state)
{
	_cleanup_(freep) char *in = input_with("\"rbind\"", "\"bind\"");
	_cleanup_(config_done) struct config c;
	struct err e;
	(void)state;
	assert_int_equal(read_text(in, &c, &e), 0);
	assert_false(c.binds[0].recursive);
	assert_true(c.binds[1].recursive);
}

static void other_ping_groups_stay(void **state)
{
	_cleanup_(freep) char *in = input_with("0 2147483647", "1 0");
	_cleanup_(config_done) struct config c;
	struct err e;
	(void)state;
	assert_int_equal(read_text(in, &c, &e), 0);
	_cleanup_(freep) char *edited = config_edited(&c);
	assert_non_null(strstr(edited, "\"net.ipv4.ping_group_range\":\"1 0\""));
}

static void a_devpts_without_options_gets_its_end_too(void **state)
{
	_cleanup_(freep) char *in = file_text(GOLDEN_IN);
	cJSON *json _cleanup_(json_freep) = cJSON_Parse(in);
	cJSON *mount;
	struct err e;
	(void)state;
	cJSON_ArrayForEach (mount, cJSON_GetObjectItem(json, "mounts")) {
		if (strcmp(cJSON_GetObjectItem(mount, "type")->valuestring, "devpts") == 0)
			cJSON_DeleteItemFromObject(mount, "options");
	}
	_cleanup_(freep) char *bare = cJSON_PrintUnformatted(json);
	_cleanup_(config_done) struct config c;
	assert_int_equal(read_text(bare, &c, &e), 0);
	_cleanup_(freep) char *edited = config_edited(&c);
	assert_non_null(strstr(edited, "\"options\":[\"max=1024\"]"));
}

static void no_ping_groups_stay_none(void **state)
{
	_cleanup_(freep) char *in = input_with("net.ipv4.ping_group_range", "net.ipv4.other");
	_cleanup_(config_done) struct config c;
	struct err e;
	(void)state;
	assert_int_equal(read_text(in, &c, &e), 0);
	_cleanup_(freep) char *edited = config_edited(&c);
	assert_null(strstr(edited, "ping_group_range"));
}

static const struct {
	const char *from;
	const char *to;
	const char *sentence;
} refused[] = {
	{"{", "[", "config.json"},
	{"4294967296", "18446744073709551615", "config.json"},
	{"\"env\"", "\"Env\"", "process.env must be a list"},
	{"\"TZ=Europe/Berlin\"", "7", "process.env must hold texts alone"},
	{"CCP_IDS=131072:300000", "XCP_IDS=131072:300000", "has no CCP_IDS"},
	{"CCP_IDS=131072:300000", "CCP_IDS", "has no CCP_IDS"},
	{"TZ=Europe/Berlin", "CCP_IDS=131072:300000", "has CCP_IDS twice"},
	{"TZ=Europe/Berlin", "CCP_IDS=", "has CCP_IDS twice"},
	{"131072:300000", "131072:", "two decimal numbers"},
	{"\"rlimits\": [", "\"rlimits\": {}, \"other\": [", "process.rlimits must be a list"},
	{"\"soft\": 16384", "\"soft\": \"a\"", "process.rlimits: "},
	{"\"soft\": 16384", "\"soft\": -1", "process.rlimits: "},
	{"\"RLIMIT_NOFILE\"", "7", "process.rlimits: "},
	{"\"rlimits\": [", "\"rlimits\": [{\"type\":\"RLIMIT_CORE\",\"hard\":0,\"soft\":0},",
		"RLIMIT_CORE twice"},
	{"\"root\"", "\"Root\"", "root"},
	{"/var/lib/docker/overlay2/8", "var/lib/docker/overlay2/8", "not an absolute path"},
	{"/var/lib/docker/overlay2/8", "/var/lib/docker/../8", ".. in it"},
	{"/var/lib/docker/overlay2/8", "/var/lib/my docker/8", "blanks"},
	{"\"linux\"", "\"windows\"", "linux"},
	{"\"cgroupsPath\"", "\"uidMappings\"", "a map of user ids already"},
	{"\"cgroupsPath\"", "\"gidMappings\"", "a map of user ids already"},
	{"\"cgroupsPath\"", "\"rootfsPropagation\"", "give its binds the propagation rprivate"},
	{"\"namespaces\"", "\"spaces\"", "namespaces"},
	{"\"type\": \"ipc\"", "\"type\": \"user\"", "take userns-remap out"},
	{"\"type\": \"ipc\"", "\"type\": \"cgroup\"", "the machine's ipc namespace"},
	{"\"type\": \"mount\"", "\"type\": \"pid\"", "the machine's mount namespace"},
	{"\"type\": \"uts\"", "\"type\": \"pid\"", "the machine's uts namespace"},
	{"\"type\": \"pid\"", "\"type\": \"ipc\"", "the machine's pid namespace"},
	{"\"type\": \"network\"", "\"type\": \"ipc\"", "the machine's network namespace"},
	{"\"type\": \"network\"", "\"type\": \"network\", \"path\": \"/proc/7/ns/net\"",
		"shares the network namespace of another (/proc/7/ns/net)"},
	{"\"type\": \"ipc\"", "\"type\": \"time\"", "namespaces of type time"},
	{"\"type\": \"ipc\"", "\"type\": 7", "type"},
	{"\"prestart\"", "\"startContainer\"", "hooks of kind startContainer"},
	{"\"mounts\"", "\"Mounts\"", "mounts"},
	{"\"destination\": \"/proc\"", "\"destination\": 7", "destination"},
	{"\"type\": \"proc\"", "\"type\": \"fuse\"", "type fuse"},
	{"\"type\": \"proc\"", "\"kind\": \"proc\"", "type"},
	{"\"nosuid\"", "{}", "must be texts"},
	{"\"rbind\"", "\"rshared\"", "spreads mounts"},
	{"\"rprivate\"", "\"shared\"", "spreads mounts"},
	{"\"rprivate\"", "\"slave\"", "takes over mounts"},
	{"\"rprivate\"", "\"rslave\"", "takes over mounts"},
	{"\"rprivate\"", "\"idmap\"", "has a map of its own"},
	{"\"rprivate\"", "\"ridmap\"", "has a map of its own"},
	{"\"type\": \"bind\"", "\"uidMappings\": [], \"type\": \"bind\"", "has a map of its own"},
	{"\"type\": \"bind\"", "\"gidMappings\": [], \"type\": \"bind\"", "has a map of its own"},
	{"\"nosuid\"", "\"bind\"", "must have the type bind"},
	{"\"nosuid\"", "\"rbind\"", "must have the type bind"},
	{"\"source\": \"/var/lib/cloud", "\"source\": \"var/lib/cloud", "is not an absolute path"},
	{"\"source\": \"/var/lib/cloud", "\"Source\": \"/var/lib/cloud", "source"},
};

static void what_cannot_be_served_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		_cleanup_(freep) char *in = input_with(refused[i].from, refused[i].to);
		struct config c;
		struct err e = {0};
		if (read_text(in, &c, &e) == 0)
			fail_msg("%s -> %s was taken", refused[i].from, refused[i].to);
		if (!strstr(e.message, refused[i].sentence))
			fail_msg("%s -> %s: %s", refused[i].from, refused[i].to, e.message);
	}
}

static void more_binds_than_the_limit_are_refused(void **state)
{
	static const char one[] =
		"{\"destination\":\"/a\",\"type\":\"bind\",\"source\":\"/b\",\"options\":[]},";
	_cleanup_(str_done) struct str many = STR_INIT(65536);
	struct config c;
	struct err e;
	(void)state;
	str_add(&many, "\"mounts\": [");
	for (int i = 0; i < CONFIG_BINDS_MAX - 5; i++)
		str_add(&many, one);
	_cleanup_(freep) char *full = input_with("\"mounts\": [", str_text(&many));
	assert_int_equal(read_text(full, &c, &e), 0);
	assert_int_equal(c.bind_count, CONFIG_BINDS_MAX);
	config_done(&c);
	str_add(&many, one);
	_cleanup_(freep) char *more = input_with("\"mounts\": [", str_text(&many));
	assert_int_equal(read_text(more, &c, &e), -1);
	assert_non_null(strstr(e.message, "more than 256 bind mounts"));
}

static void empty_kinds_of_hooks_are_nothing(void **state)
{
	_cleanup_(freep) char *in = input_with("\"hooks\": {", "\"hooks\": { \"poststop\": [],");
	_cleanup_(config_done) struct config c;
	struct err e;
	(void)state;
	assert_int_equal(read_text(in, &c, &e), 0);
}

static void a_private_root_is_fine(void **state)
{
	static const char *const words[] = {"", "private", "rprivate"};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		_cleanup_(freep) char *to =
			xasprintf("\"rootfsPropagation\": \"%s\", \"namespaces\"", words[i]);
		_cleanup_(freep) char *in = input_with("\"namespaces\"", to);
		_cleanup_(config_done) struct config c;
		struct err e;
		assert_int_equal(read_text(in, &c, &e), 0);
	}
}

// --- limits

static size_t taken(const char *rlimits, int *ret_left)
{
	cJSON *process _cleanup_(json_freep) = cJSON_Parse(rlimits);
	struct limits limits;
	struct err e;
	assert_int_equal(limits_take(process, &limits, &e), 0);
	*ret_left = cJSON_GetArraySize(cJSON_GetObjectItem(process, "rlimits"));
	return limits.count;
}

static void limits_with_two_values_and_of_other_kinds_stay(void **state)
{
	int left;
	(void)state;
	assert_int_equal(taken("{\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1,\"hard\":2},"
			       "{\"type\":\"RLIMIT_FSIZE\",\"soft\":1,\"hard\":1},"
			       "{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":0}]}",
				 &left),
		1);
	assert_int_equal(left, 2);
	assert_int_equal(taken("{}", &left), 0);
	assert_int_equal(taken("{\"rlimits\":null}", &left), 0);
}

static void limits_are_set_soft_and_hard(void **state)
{
	struct limits limits = {
		.limits = {{"", RLIMIT_CORE, 0}, {"", RLIMIT_NOFILE, 512}}, .count = 2};
	struct rlimit now;
	struct err e;
	(void)state;
	assert_int_equal(limits_set(&limits, &e), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	assert_true(now.rlim_cur == 512 && now.rlim_max == 512);
	assert_int_equal(getrlimit(RLIMIT_CORE, &now), 0);
	assert_true(now.rlim_cur == 0 && now.rlim_max == 0);
}

// --- paths

static void paths_that_would_be_written_otherwise_are_refused(void **state)
{
	static const char *const bad[] = {"", "a", "./a", "/a b", "/a\\b", "/a:b", "/a,b", "/a\tb",
		"/a\x7f", "/..", "/../a", "/a/..", "/a/../b", "/a/..b/../c"};
	static const char *const good[] = {
		"/", "/a", "/a/..b", "/a../b", "/a/...", "/.../\xc3\xa4"};
	struct err e;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (config_check_path(bad[i], &e) == 0)
			fail_msg("%s was taken", bad[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(config_check_path(good[i], &e), 0);
	_cleanup_(freep) char *long_path = xcalloc(1, 5000);
	memset(long_path, '/', 4096);
	assert_int_equal(config_check_path(long_path, &e), -1);
	long_path[4095] = '\0';
	assert_int_equal(config_check_path(long_path, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_edited_config_is_the_golden_one),
		cmocka_unit_test(ids_root_binds_and_limits_are_read),
		cmocka_unit_test(a_bind_that_is_not_recursive_stays_so),
		cmocka_unit_test(other_ping_groups_stay),
		cmocka_unit_test(a_devpts_without_options_gets_its_end_too),
		cmocka_unit_test(no_ping_groups_stay_none),
		cmocka_unit_test(what_cannot_be_served_is_refused),
		cmocka_unit_test(more_binds_than_the_limit_are_refused),
		cmocka_unit_test(empty_kinds_of_hooks_are_nothing),
		cmocka_unit_test(a_private_root_is_fine),
		cmocka_unit_test(limits_with_two_values_and_of_other_kinds_stay),
		cmocka_unit_test(limits_are_set_soft_and_hard),
		cmocka_unit_test(paths_that_would_be_written_otherwise_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
