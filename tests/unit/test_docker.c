// SPDX-License-Identifier: Apache-2.0
// What Docker sends is checked before it is used; and what an image must hold.

// uses: agent/container/docker.c agent/container/docker_answer.c agent/container/image.c
// uses: agent/container/container.c agent/container/rootfs.c agent/container/seccomp.c

#include "tests/unit/unit.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/container/docker.h"
#include "agent/container/image.h"
#include "lib/err.h"

struct engine {
	int fd; // listens
	char asked[2][1024];
};

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

static int stat_of(int64_t mode, int64_t size, struct docker_path *ret)
{
	char json[200], header[400];
	struct err e;

	snprintf(json, sizeof(json), "{\"name\":\"passwd\",\"size\":%lld,\"mode\":%lld}",
		(long long)size, (long long)mode);
	sodium_bin2base64(header, sizeof(header), (unsigned char *)json, strlen(json),
		sodium_base64_VARIANT_ORIGINAL);
	return docker_answer_stat(header, ret, &e);
}

// The numbers are Docker 20.10's own answers.
static void what_a_path_is_is_told_by_gos_mode(void **state)
{
	static const struct {
		int64_t mode;
		enum docker_file type;
	} seen[] = {
		{420, DOCKER_REGULAR}, {33554852, DOCKER_OTHER}, // a FIFO
		{134218239, DOCKER_LINK}, {2147484141, DOCKER_DIRECTORY},
		{2147484141 | 1 << 20, DOCKER_DIRECTORY}, // sticky
		{493 | 1 << 23 | 1 << 22, DOCKER_REGULAR}, // set-user-id and set-group-id
		{420 | 1 << 24, DOCKER_OTHER}, // a socket
		{420 | 1 << 26, DOCKER_OTHER}, // a device
		{420 | 1 << 26 | 1 << 21, DOCKER_OTHER}, // a character device
		{420 | 1 << 19, DOCKER_OTHER}, // irregular
	};
	struct docker_path st;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		assert_int_equal(stat_of(seen[i].mode, 922, &st), 0);
		assert_int_equal(st.type, seen[i].type);
		assert_int_equal(st.size, 922);
	}
	assert_int_equal(stat_of(-1, 922, &st), -1);
	assert_int_equal(stat_of(1LL << 32, 922, &st), -1);
	assert_int_equal(stat_of(420, -1, &st), -1);
	assert_int_equal(docker_answer_stat(NULL, &st, &e), -1);
	assert_int_equal(docker_answer_stat("", &st, &e), -1);
	assert_int_equal(docker_answer_stat("not base64", &st, &e), -1);
	assert_int_equal(docker_answer_stat("e30=", &st, &e), -1); // {}
}

// An engine that has left 1.41 behind: tells its version, then has no container.
static void *engine_main(void *data)
{
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 48\r\n\r\n"
		"{\"ApiVersion\": \"1.52\", \"MinAPIVersion\": \"1.44\"} ",
		"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"};
	struct engine *engine = data;

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		_cleanup_(closep) int fd = accept(engine->fd, NULL, NULL);

		if (read(fd, engine->asked[i], sizeof(engine->asked[i]) - 1) <= 0 ||
			write(fd, answers[i], strlen(answers[i])) < 0)
			return NULL;
	}
	return data;
}

static void the_oldest_version_that_the_engine_takes_is_spoken(void **state)
{
	char directory[] = "/tmp/ccp-docker-XXXXXX";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct engine engine = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	struct wait w = wait_for(5000, -1);
	struct docker_container c;
	pthread_t thread;
	void *whole;
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/sock", directory);
	assert_int_equal(bind(engine.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(engine.fd, 2), 0);
	assert_int_equal(pthread_create(&thread, NULL, engine_main, &engine), 0);
	struct docker *d = docker_new(address.sun_path);
	assert_int_equal(docker_inspect(d, ID, &w, &c, &e), DOCKER_ABSENT);
	docker_free(d);
	assert_int_equal(pthread_join(thread, &whole), 0);
	assert_non_null(whole);
	assert_non_null(strstr(engine.asked[0], "GET /version HTTP/"));
	assert_non_null(strstr(engine.asked[1], "GET /v1.44/containers/" ID "/json HTTP/"));
	_cleanup_(freep) char *events = docker_events_request("n1", "1/ccp");
	assert_non_null(strstr(events, "GET /v1.44/events?"));
	close(engine.fd);
	unlink(address.sun_path);
	rmdir(directory);
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
		cmocka_unit_test(what_a_path_is_is_told_by_gos_mode),
		cmocka_unit_test(the_oldest_version_that_the_engine_takes_is_spoken),
		cmocka_unit_test(the_events_request_asks_for_three_events_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
