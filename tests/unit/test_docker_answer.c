// SPDX-License-Identifier: Apache-2.0
// Docker's answers: what is taken from them, and that each flaw refuses the whole.
// uses: agent/container/docker_answer.c
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/container/docker_answer.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define IMAGE "'sha256:" ID "'"
#define TEXT_39 "123456789012345678901234567890123456789"

// The JSON with every ' as ", and every occurrence of `from` replaced by `to`.
static cJSON *json_of(const char *text, const char *from, const char *to)
{
	_cleanup_(str_done) struct str s = STR_INIT(65536);
	while (*text) {
		if (from && strncmp(text, from, strlen(from)) == 0) {
			str_add(&s, to);
			text += strlen(from);
		} else {
			str_add_bytes(&s, text++, 1);
		}
	}
	_cleanup_(freep) char *json = xstrdup(str_text(&s));
	for (char *c = json; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	cJSON *parsed = cJSON_Parse(json);
	if (!parsed)
		fail_msg("not JSON: %s", json);
	return parsed;
}

static const char container[] =
	"{'Id':'" ID "','Image':" IMAGE ",'State':{'Running':true,'OOMKilled':false,'Pid':77,"
	"'ExitCode':0,'StartedAt':'today'},'Config':{'Labels':{'cloud-cli-proxy.host':'ab-12'},"
	"'Env':['TZ=UTC','CCP_IDS=2147287040:2147418112']},'HostConfig':{'Runtime':'ccp'},"
	"'GraphDriver':{'Name':'overlay2','Data':{'UpperDir':'/o/1/diff'}},"
	"'NetworkSettings':{'SandboxKey':'/run/key'}}";

static void a_container_is_read(void **state)
{
	_cleanup_(json_freep) cJSON *json = json_of(container, NULL, NULL);
	struct docker_container c = {0};
	struct err e;
	(void)state;
	assert_int_equal(docker_answer_container(json, &c, &e), 0);
	assert_string_equal(c.id, ID);
	assert_string_equal(c.image_id, "sha256:" ID);
	assert_string_equal(c.host_id, "ab-12");
	assert_int_equal(c.ids.base, 2147287040);
	assert_int_equal(c.ids.owner, 2147418112);
	assert_true(c.running && !c.oom_killed);
	assert_int_equal(c.pid, 77);
	assert_int_equal(c.exit_code, 0);
	assert_string_equal(c.sandbox_key, "/run/key");
	assert_string_equal(c.started_at, "today");
	assert_string_equal(c.upper, "/o/1/diff");
}

static void a_container_with_a_flaw_is_refused(void **state)
{
	static const struct {
		const char *from, *to;
	} flaws[] = {
		{"'HostConfig'", "'Host'"},
		{"'Runtime':'ccp'", "'Runtime':1"},
		{"'Env':[", "'Env':7,'x':["},
		{"'Id':'0", "'Id':'g"},
		{"'Id':'0", "'Id':'00"},
		{"'Id':'01", "'Id':'0"},
		{"'Id'", "'id'"},
		{"sha256:", "sha512:"},
		{"sha256:0", "sha256:x"},
		{"'Image'", "'image'"},
		{"'State'", "'state'"},
		{"'Config'", "'config'"},
		{"'NetworkSettings'", "'x'"},
		{"'Running':true", "'Running':1"},
		{"'OOMKilled':false", "'OOMKilled':null"},
		{"'Pid':77", "'Pid':-1"},
		{"'Pid':77", "'Pid':2147483648"},
		{"'ExitCode':0", "'ExitCode':'0'"},
		{"'ExitCode':0", "'ExitCode':0,'Status':1"},
		{"'today'", "'" TEXT_39 "0'"},
		{"'StartedAt'", "'x'"},
		{"'SandboxKey'", "'x'"},
		{"'Labels':{'cloud-cli-proxy.host':'ab-12'}", "'Labels':1"},
		// it runs, but not where
		{"'Pid':77", "'Pid':1"},
		{"/run/key", "run/key"},
		{"/run/key", ""},
		// its files are somewhere else
		{"'GraphDriver':{", "'GraphDriver':7,'x':{"},
		{"'Data':{", "'Data':7,'x':{"},
		{"'/o/1/diff'", "7"},
		{"/o/1/diff", "o/1/diff"},
		{"/o/1/diff", "/o/1/merged"},
		{"/o/1/diff", "/o/1diff"},
		{"/o/1/diff", "diff"},
		{"/o/1", "/" TEXT_39 TEXT_39 TEXT_39 TEXT_39 TEXT_39 TEXT_39 TEXT_39},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(flaws); i++) {
		_cleanup_(json_freep) cJSON *json = json_of(container, flaws[i].from, flaws[i].to);
		struct docker_container c = {0};
		struct err e;
		if (docker_answer_container(json, &c, &e) != -1)
			fail_msg("%s as %s was taken", flaws[i].from, flaws[i].to);
	}
}

static void what_a_container_may_lack(void **state)
{
	static const struct {
		const char *from, *to, *host_id;
		bool running;
	} others[] = {
		{"'ab-12'", "'../x'", "", true},
		{"'ab-12'", "1", "", true},
		{"'ab-12'", "'" TEXT_39 "'", TEXT_39, true},
		{"'ab-12'", "'" TEXT_39 "0'", "", true},
		{"'cloud-cli-proxy.host'", "'x'", "", true},
		{"{'cloud-cli-proxy.host':'ab-12'}", "null", "", true},
		{"'today'", "'" TEXT_39 "'", "ab-12", true},
		{"'GraphDriver'", "'x'", "ab-12", true},
		{"{'UpperDir':'/o/1/diff'}", "null", "ab-12", true},
		{"'UpperDir'", "'x'", "ab-12", true},
		{"'Pid':77", "'Pid':2", "ab-12", true},
		{"'Running':true,'OOMKilled':false,'Pid':77",
			"'Running':false,'OOMKilled':true,'Pid':0", "ab-12", false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		_cleanup_(json_freep) cJSON *json =
			json_of(container, others[i].from, others[i].to);
		struct docker_container c = {0};
		struct err e = {0};
		if (docker_answer_container(json, &c, &e) != 0)
			fail_msg("%s: %s", others[i].to, e.message);
		assert_string_equal(c.host_id, others[i].host_id);
		assert_int_equal(c.running, others[i].running);
	}
}

static void a_container_whose_removal_failed_is_told_from_others(void **state)
{
	static const struct {
		const char *status;
		bool failed;
	} all[] = {{"dead", true}, {"removing", false}, {"exited", false}, {"created", false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		_cleanup_(freep) char *to = xasprintf("'Status':'%s','ExitCode':0", all[i].status);
		_cleanup_(json_freep) cJSON *json = json_of(container, "'ExitCode':0", to);
		struct docker_container c = {0};
		struct err e;

		assert_int_equal(docker_answer_container(json, &c, &e), 0);
		assert_int_equal(c.removal_failed, all[i].failed);
	}
}

static void an_image_is_read_with_its_volumes(void **state)
{
	static const struct {
		const char *json;
		int result;
		bool has_volumes;
	} images[] = {
		{"{'Id':" IMAGE ",'Architecture':'amd64'}", 0, false},
		{"{'Id':" IMAGE ",'Architecture':'amd64','Config':{}}", 0, false},
		{"{'Id':" IMAGE ",'Architecture':'amd64','Config':{'Volumes':{}}}", 0, false},
		{"{'Id':" IMAGE ",'Architecture':'amd64','Config':{'Volumes':{'/x':{}}}}", 0, true},
		{"{'Id':" IMAGE ",'Architecture':'amd64','Config':{'Volumes':1}}", -1, false},
		{"{'Id':" IMAGE ",'Architecture':'amd64','Config':1}", -1, false},
		{"{'Id':" IMAGE ",'Architecture':'1234567890123456'}", -1, false},
		{"{'Id':" IMAGE "}", -1, false},
		{"{'Id':'" ID "','Architecture':'amd64'}", -1, false},
		{"{'Architecture':'amd64'}", -1, false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(images); i++) {
		_cleanup_(json_freep) cJSON *json = json_of(images[i].json, NULL, NULL);
		struct docker_image image = {0};
		struct err e;
		if (docker_answer_image(json, &image, &e) != images[i].result)
			fail_msg("%s", images[i].json);
		assert_int_equal(image.has_volumes, images[i].has_volumes);
		if (images[i].result == 0)
			assert_string_equal(image.id, "sha256:" ID);
	}
}

static void a_list_is_read_whole_or_not_at_all(void **state)
{
	static const struct {
		const char *json;
		int count; // -1: refused
		bool running; // the first
	} lists[] = {
		{"[]", 0, false},
		{"[{'Id':'" ID "','State':'running','Labels':{'cloud-cli-proxy.host':'ab-12'}}]", 1,
			true},
		{"[{'Id':'" ID "','State':'paused','Labels':{'cloud-cli-proxy.host':'ab-12'}},"
		 "{'Id':'" ID "','State':'exited','Labels':{}}]",
			2, true},
		{"[{'Id':'" ID "','State':'exited','Labels':{'cloud-cli-proxy.host':'ab-12'}}]", 1,
			false},
		{"[{'Id':'x','State':'running','Labels':{}}]", -1, false},
		{"[{'Id':'" ID "','Labels':{}}]", -1, false},
		{"[{'Id':'" ID "','State':'running'}]", -1, false},
		{"[1]", -1, false},
		{"{}", -1, false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		_cleanup_(json_freep) cJSON *json = json_of(lists[i].json, NULL, NULL);
		_cleanup_(freep) struct docker_listed *list = NULL;
		size_t count = 0;
		struct err e;
		int r = docker_answer_list(json, &list, &count, &e);
		if (r != (lists[i].count < 0 ? -1 : 0) || (r == 0 && (int)count != lists[i].count))
			fail_msg("%s: %d", lists[i].json, r);
		if (count > 0) {
			assert_int_equal(list[0].running, lists[i].running);
			assert_string_equal(list[0].host_id, "ab-12");
		}
	}
}

static void a_list_has_a_most(void **state)
{
	_cleanup_(json_freep) cJSON *json = cJSON_CreateArray();
	cJSON *item = json_of("{'Id':'" ID "','State':'running','Labels':{}}", NULL, NULL);
	(void)state;
	for (int i = 0; i < DOCKER_LIST_MAX; i++)
		cJSON_AddItemReferenceToArray(json, item);
	for (int extra = 0; extra < 2; extra++) {
		_cleanup_(freep) struct docker_listed *list = NULL;
		size_t count = 0;
		struct err e;
		if (extra)
			cJSON_AddItemReferenceToArray(json, item);
		assert_int_equal(docker_answer_list(json, &list, &count, &e), extra ? -1 : 0);
	}
	cJSON_Delete(item);
}

static void the_oldest_version_is_a_minor_of_1(void **state)
{
	static const struct {
		const char *json;
		int oldest; // -1: refused
	} versions[] = {
		{"{'MinAPIVersion':'1.12'}", 12},
		{"{'MinAPIVersion':'1.0'}", 0},
		{"{'MinAPIVersion':'1.999'}", 999},
		{"{'MinAPIVersion':'1.1000'}", -1},
		{"{'MinAPIVersion':'1.-1'}", -1},
		{"{'MinAPIVersion':'2.1'}", -1},
		{"{'MinAPIVersion':'1.44x'}", -1},
		{"{}", -1},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		_cleanup_(json_freep) cJSON *json = json_of(versions[i].json, NULL, NULL);
		int oldest = -1;
		struct err e;
		int r = docker_answer_version(json, &oldest, &e);
		if (r != (versions[i].oldest < 0 ? -1 : 0) || oldest != versions[i].oldest)
			fail_msg("%s: %d", versions[i].json, oldest);
	}
}

static void an_engine_says_what_it_can(void **state)
{
	static const struct {
		const char *json;
		int result;
		bool remaps, has_runtime;
	} infos[] = {
		{"{'Driver':'overlay2'}", 0, false, false},
		{"{'Driver':'overlay2','SecurityOptions':[],'Runtimes':{}}", 0, false, false},
		{"{'Driver':'overlay2','SecurityOptions':['name=seccomp',1]}", 0, false, false},
		{"{'Driver':'overlay2','SecurityOptions':['name=seccomp','name=userns']}", 0, true,
			false},
		{"{'Driver':'overlay2','Runtimes':{'runc':{},'ccp':{'path':'/x'}}}", 0, false,
			true},
		{"{'Driver':'overlay2','Runtimes':{'runc':{},'CCP':{}}}", 0, false, false},
		{"{'Driver':'overlay2','SecurityOptions':1}", -1, false, false},
		{"{'Driver':'overlay2','Runtimes':['ccp']}", -1, false, false},
		{"{'Driver':'" TEXT_39 "'}", -1, false, false},
		{"{}", -1, false, false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(infos); i++) {
		_cleanup_(json_freep) cJSON *json = json_of(infos[i].json, NULL, NULL);
		struct docker_engine engine = {0};
		struct err e;
		assert_int_equal(docker_answer_engine(json, &engine, &e), infos[i].result);
		assert_int_equal(engine.remaps_users, infos[i].remaps);
		assert_int_equal(engine.has_runtime, infos[i].has_runtime);
		assert_string_equal(engine.driver, infos[i].result == 0 ? "overlay2" : "");
	}
}

static void ids_are_a_containers_only_with_our_runtime(void **state)
{
	static const struct {
		const char *from, *to;
	} others[] = {
		{"'ccp'", "'runc'"},
		{"'Runtime':'ccp'", "'Other':'ccp'"},
		{"CCP_IDS=", "CCP_IDS:"},
		{"CCP_IDS=", "XCCP_IDS="},
		{":2147418112'", ":2147418112 '"},
		{":2147418112'", ":'"},
		{":2147418112'", "'"},
		{"'CCP_IDS=2147287040:2147418112'", "1"},
		{"'Env':", "'Other':"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		_cleanup_(json_freep) cJSON *json =
			json_of(container, others[i].from, others[i].to);
		struct docker_container c = {.ids = {1, 1}};
		struct err e;
		assert_int_equal(docker_answer_container(json, &c, &e), 0);
		if (c.ids.base != 0 || c.ids.owner != 0)
			fail_msg("%s", others[i].to);
	}
}

static void a_refusal_is_told_in_dockers_words_and_one_without_any_may_pass(void **state)
{
	static const struct {
		int status;
		const char *text, *message;
		int code;
	} refusals[] = {
		{404, "{\"message\":\"No such image\"}", "(HTTP 404): No such image", EIO},
		{404, "{}", "(HTTP 404): no reason given", EIO},
		{500, "{\"message\":\"bad mount\"}", "(HTTP 500): bad mount", EIO},
		{500, "{\"message\":1}", "(HTTP 500): no reason given", EAGAIN},
		{500, "", "(HTTP 500): no reason given", EAGAIN}, // of a HEAD
		{502, "<html>", "(HTTP 502): no reason given", EAGAIN},
		{503, "{\"message\":\"starting\"}", "(HTTP 503): starting", EAGAIN},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct err e;
		assert_int_equal(docker_answer_refusal(refusals[i].status, refusals[i].text,
					 strlen(refusals[i].text), "start it", &e),
			-1);
		assert_ptr_equal(strstr(e.message, "Docker refused to start it "), e.message);
		assert_non_null(strstr(e.message, refusals[i].message));
		assert_int_equal(e.code, refusals[i].code);
	}
}

// A tar with one member: 12 octal digits of size, a type, and this many bytes behind the header.
static void an_archive_holds_one_plain_file_that_fits(void **state)
{
	static const struct {
		const char *size;
		char type;
		size_t behind, max;
		const char *file; // NULL: refused
	} archives[] = {
		{"000000000005", '0', 512, 100, "hello"},
		{"000000000005", '\0', 512, 100, "hello"},
		{"000000000005", '0', 5, 5, "hello"},
		{"000000000000", '0', 0, 0, ""},
		{"000000000005", '0', 4, 100, NULL},
		{"000000000005", '0', 512, 4, NULL},
		{"000000000005", '2', 512, 100, NULL}, // a link
		{"777777777777", '0', 512, 100, NULL},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(archives); i++) {
		_cleanup_(freep) char *tar = xcalloc(1, 1024);
		_cleanup_(freep) char *file = NULL;
		struct err e;
		memcpy(tar + 124, archives[i].size, 12);
		tar[156] = archives[i].type;
		strcpy(tar + 512, "hello");
		int r = docker_answer_file(
			tar, 512 + archives[i].behind, archives[i].max, &file, &e);
		assert_int_equal(r, archives[i].file ? 0 : -1);
		if (archives[i].file)
			assert_string_equal(file, archives[i].file);
		assert_int_equal(docker_answer_file(tar, 511, 100, &file, &e), -1);
	}
}

static void a_created_container_has_an_id(void **state)
{
	_cleanup_(json_freep) cJSON *good = json_of("{'Id':'" ID "'}", NULL, NULL);
	_cleanup_(json_freep) cJSON *bad = json_of("{'Id':'abc'}", NULL, NULL);
	char id[DOCKER_ID_SIZE];
	struct err e;
	(void)state;
	assert_int_equal(docker_answer_id(good, id, &e), 0);
	assert_string_equal(id, ID);
	assert_int_equal(docker_answer_id(bad, id, &e), -1);
}

static void ids_and_segments_mean_nothing_else_in_a_path(void **state)
{
	char longest[257];
	(void)state;
	assert_true(docker_id_is_valid(ID));
	assert_false(docker_id_is_valid(ID "0"));
	assert_false(docker_id_is_valid("A123456789abcdef0123456789abcdef0123456789abcdef0123456789"
					"abcdef"));
	assert_true(docker_segment_is_valid("ab-12"));
	assert_false(docker_segment_is_valid(""));
	assert_false(docker_segment_is_valid("a/b"));
	assert_false(docker_segment_is_valid("A"));
	memset(longest, 'a', sizeof(longest));
	longest[256] = '\0';
	assert_false(docker_segment_is_valid(longest));
	longest[255] = '\0';
	assert_true(docker_segment_is_valid(longest));
}

static void the_actions_that_were_asked_for_are_known(void **state)
{
	static const struct {
		const char *action;
		int expected; // -1: refused
	} actions[] = {{"start", DOCKER_START}, {"die", DOCKER_DIE}, {"destroy", DOCKER_DESTROY},
		{"exec_create: sh", -1}};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		_cleanup_(freep) char *line = xasprintf("{\"Action\":\"%s\",\"Actor\":{\"ID\":\"" ID
							"\",\"Attributes\":{}}}",
			actions[i].action);
		struct docker_event event = {0};
		struct err e;
		int r = docker_event_parse(line, strlen(line), &event, &e);
		assert_int_equal(r, actions[i].expected < 0 ? -1 : 0);
		if (r == 0)
			assert_int_equal(event.action, actions[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_container_is_read),
		cmocka_unit_test(a_container_with_a_flaw_is_refused),
		cmocka_unit_test(what_a_container_may_lack),
		cmocka_unit_test(a_container_whose_removal_failed_is_told_from_others),
		cmocka_unit_test(an_image_is_read_with_its_volumes),
		cmocka_unit_test(a_list_is_read_whole_or_not_at_all),
		cmocka_unit_test(a_list_has_a_most),
		cmocka_unit_test(the_oldest_version_is_a_minor_of_1),
		cmocka_unit_test(an_engine_says_what_it_can),
		cmocka_unit_test(ids_are_a_containers_only_with_our_runtime),
		cmocka_unit_test(a_refusal_is_told_in_dockers_words_and_one_without_any_may_pass),
		cmocka_unit_test(an_archive_holds_one_plain_file_that_fits),
		cmocka_unit_test(a_created_container_has_an_id),
		cmocka_unit_test(ids_and_segments_mean_nothing_else_in_a_path),
		cmocka_unit_test(the_actions_that_were_asked_for_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
