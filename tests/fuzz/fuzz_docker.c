// SPDX-License-Identifier: Apache-2.0
// Fuzzes the readers of Docker's answers: what they let through is safe to use in paths.
// uses: agent/container/docker_answer.c agent/container/event_stream.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/container/docker_answer.h"
#include "agent/container/event_stream.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool promise)
{
	if (!promise)
		abort();
}

static bool host_is_valid(const char *host_id)
{
	return host_id[0] == '\0' || docker_segment_is_valid(host_id);
}

static void read_container(const cJSON *json)
{
	struct docker_container c;
	struct err e;
	if (docker_answer_container(json, &c, &e) < 0)
		return;
	must(docker_id_is_valid(c.id) && host_is_valid(c.host_id));
	must(!c.running || (c.pid > 1 && c.sandbox_key[0] == '/'));
}

static void read_list(const cJSON *json)
{
	_cleanup_(freep) struct docker_listed *list = NULL;
	size_t count;
	struct err e;
	if (docker_answer_list(json, &list, &count, &e) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		must(docker_id_is_valid(list[i].id) && host_is_valid(list[i].host_id));
}

static void read_others(const cJSON *json)
{
	char id[DOCKER_ID_SIZE];
	struct docker_image image;
	struct err e;
	int oldest;
	struct docker_engine engine;
	if (docker_answer_id(json, id, &e) == 0)
		must(docker_id_is_valid(id));
	if (docker_answer_image(json, &image, &e) == 0)
		must(docker_id_is_valid(image.id + strlen("sha256:")));
	if (docker_answer_version(json, &oldest, &e) == 0)
		must(oldest >= 0 && oldest <= 999);
	(void)!docker_answer_engine(json, &engine, &e);
}

static void read_raw(const char *text, size_t size)
{
	_cleanup_(freep) char *file = NULL;
	struct docker_event event;
	struct err e;
	must(docker_answer_refusal(500, text, size, "start", &e) == -1 && e.code != 0);
	if (docker_answer_file(text, size, 1024, &file, &e) == 0)
		must(strlen(file) <= 1024);
	if (docker_event_parse(text, size, &event, &e) == 0)
		must(docker_id_is_valid(event.id) && host_is_valid(event.host_id));
}

static void read_header(const char *text, size_t size)
{
	_cleanup_(freep) char *header = xcalloc(1, size + 1);
	struct docker_path path;
	struct err e;
	memcpy(header, text, size);
	if (docker_answer_stat(header, &path, &e) == 0)
		must(path.type <= DOCKER_OTHER && path.size >= 0);
}

// The first byte is how many bytes come at a time.
static void read_stream(const char *text, size_t size)
{
	static struct event_stream stream;
	size_t step = size > 0 && text[0] > 0 ? (size_t)text[0] : 1;
	int r = 0;
	event_stream_init(&stream);
	for (size_t at = 1; at < size && r >= 0; at += step) {
		size_t room, len, part = size - at < step ? size - at : step;
		char *space = event_stream_space(&stream, &room);
		const char *line;
		struct err e;
		must(part <= room);
		memcpy(space, text + at, part);
		event_stream_added(&stream, part);
		while ((r = event_stream_next(&stream, &line, &len, &e)) > 0)
			must(r == STREAM_BEGUN ||
				(len > 0 && line[len] == '\0' && !memchr(line, '\n', len)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(json_freep) cJSON *json = NULL;
	const char *text = (const char *)data;
	struct err e;
	read_raw(text, size);
	read_header(text, size);
	read_stream(text, size);
	if (json_parse(text, size, &json_from_peer, &json, &e) < 0)
		return 0;
	read_container(json);
	read_list(json);
	read_others(json);
	return 0;
}
