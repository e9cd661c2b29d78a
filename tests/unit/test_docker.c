// SPDX-License-Identifier: Apache-2.0
// What Docker sends is checked before it is used; and what an image must hold.

// uses: agent/docker.c agent/image.c agent/container.c agent/seccomp.c

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/docker.h"
#include "agent/image.h"
#include "lib/err.h"
#include "lib/mem.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static int parse(const char *line, struct docker_event *ret)
{
	struct err e;

	return docker_event_parse(line, strlen(line), ret, &e);
}

static void an_event_tells_action_container_and_host(void **state)
{
	struct docker_event event;

	(void)state;
	assert_int_equal(
		parse("{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"" ID
		      "\",\"Attributes\":{\"cloud-cli-proxy.host\":\"ab-12\",\"exitCode\":\"0\"}},"
		      "\"timeNano\":1790000000000000001}",
			&event),
		0);
	assert_int_equal(event.action, DOCKER_DIE);
	assert_string_equal(event.id, ID);
	assert_string_equal(event.host_id, "ab-12");
}

static void a_bad_event_is_refused_and_a_bad_host_is_none(void **state)
{
	struct docker_event event;

	(void)state;
	assert_int_equal(parse("", &event), -1);
	assert_int_equal(parse("{}", &event), -1);
	assert_int_equal(
		parse("{\"Action\":\"die\",\"Actor\":{\"ID\":\"short\",\"Attributes\":{}}}",
			&event),
		-1);
	assert_int_equal(parse("{\"Action\":\"exec_create: sh\",\"Actor\":{\"ID\":\"" ID
			       "\",\"Attributes\":{}}}",
				 &event),
		-1);
	assert_int_equal(parse("{\"Action\":\"start\",\"Actor\":{\"ID\":\"" ID
			       "\",\"Attributes\":{\"cloud-cli-proxy.host\":\"../x\"}}}",
				 &event),
		0);
	assert_string_equal(event.host_id, "");
}

static void names_that_mean_more_in_a_url_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "/x", "../x", "a/../b", "a?b", "a#b", "a b", "a%20b", ".x", "a\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(docker_reference_is_valid(bad[i]));
	assert_true(docker_reference_is_valid("registry.example:5000/team/image:1.2"));
	assert_true(docker_reference_is_valid("sha256:" ID));
	assert_true(docker_id_is_valid(ID));
	assert_false(docker_id_is_valid("0123"));
}

static void an_image_needs_the_user_dev(void **state)
{
	(void)state;
	assert_true(image_passwd_has_dev("root:x:0:0:root:/root:/bin/sh\n"
					 "dev:x:1000:1000::/home/dev:/bin/bash\n"));
	assert_true(image_passwd_has_dev("dev:x:1000:1000:a name:/home/dev:/bin/bash"));
	assert_false(image_passwd_has_dev(""));
	assert_false(image_passwd_has_dev("dev:x:1001:1000::/home/dev:/bin/bash\n"));
	assert_false(image_passwd_has_dev("dev:x:1000:1000::/root:/bin/bash\n"));
	assert_false(image_passwd_has_dev("nodev:x:1000:1000::/home/dev:/bin/bash\n"));
}

static void the_events_request_asks_for_three_events_of_ours(void **state)
{
	_cleanup_(freep) char *request = docker_events_request("n1", "1/ccp");

	(void)state;
	assert_non_null(strstr(request, " HTTP/1.0\r\n"));
	assert_null(strstr(request, "exec"));
	assert_non_null(strstr(request, "cloud-cli-proxy.cluster%3D1%2Fccp"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_tells_action_container_and_host),
		cmocka_unit_test(a_bad_event_is_refused_and_a_bad_host_is_none),
		cmocka_unit_test(names_that_mean_more_in_a_url_are_refused),
		cmocka_unit_test(an_image_needs_the_user_dev),
		cmocka_unit_test(the_events_request_asks_for_three_events_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
