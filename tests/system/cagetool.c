// SPDX-License-Identifier: Apache-2.0
// Drives the cage from a test: `cagetool COMMAND '{"ns": ..., "owner": ...}'` prints one JSON object.
// uses: agent/evidence.c agent/net/cage.c agent/net/cage_door.c agent/net/cage_rules.c agent/net/netns.c
// uses: agent/net/nft_expr.c agent/net/nft_table.c agent/net/nl.c
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/evidence.h"
#include "agent/net/cage.h"
#include "agent/net/netns.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/proc.h"

static const cJSON *input;
static cJSON *output;
static int ns_fd;
static struct cage cage;

static int uid_read(const cJSON *from, uint32_t *ret, struct err *e)
{
	int64_t uid;
	if (json_get_int(from, "uid", 0, UINT32_MAX, &uid, e) < 0)
		return -1;
	*ret = (uint32_t)uid;
	return 0;
}

static int door_read(const cJSON *from, struct cage_door *ret, struct err *e)
{
	const char *address, *protocol;
	int64_t port;
	if (json_get_text(from, "address", &address, e) < 0 ||
		json_get_text(from, "protocol", &protocol, e) < 0 ||
		json_get_int(from, "port", 0, UINT16_MAX, &port, e) < 0 ||
		addr_parse(address, &ret->addr, e) < 0)
		return -1;
	ret->protocol = strcmp(protocol, "tcp") == 0   ? IPPROTO_TCP
			: strcmp(protocol, "udp") == 0 ? IPPROTO_UDP
						       : IPPROTO_ICMP;
	ret->port = (uint16_t)port;
	return 0;
}

// {"uid": ..., "doors": [...]}
static int doors_set(const cJSON *from, struct err *e)
{
	struct cage_door doors[CAGE_DOORS_MAX + 1];
	size_t count = 0;
	uint32_t uid;
	const cJSON *list, *one;
	if (uid_read(from, &uid, e) < 0 || json_get_array(from, "doors", &list, e) < 0)
		return -1;
	cJSON_ArrayForEach (one, list) {
		if (count == ARRAY_SIZE(doors))
			return err_say(e, E2BIG, "too many doors for the tool");
		if (door_read(one, &doors[count++], e) < 0)
			return -1;
	}
	return cage_set_doors(&cage, uid, doors, count, e);
}

static int do_load(struct err *e)
{
	(void)e;
	return 0;
}

static int do_doors(struct err *e)
{
	const cJSON *engines, *one;
	if (json_get_array(input, "engines", &engines, e) < 0)
		return -1;
	cJSON_ArrayForEach (one, engines)
		if (doors_set(one, e) < 0)
			return -1;
	return 0;
}

static bool is_listed(uint32_t uid, void *arg)
{
	const cJSON *one;
	cJSON_ArrayForEach (one, (const cJSON *)arg)
		if (one->valuedouble == uid)
			return true;
	return false;
}

static int do_keep(struct err *e)
{
	cJSON *uids = cJSON_GetObjectItem(input, "uids");
	return cage_keep(&cage, is_listed, uids, e);
}

static int do_check(struct err *e)
{
	struct evidence ev;
	struct cage_counts counts;
	evidence_init(&ev);
	int r = cage_check(&cage, &counts, &ev, e);
	if (r == 0) {
		json_set_text(output, "outcome", outcome_name(ev.outcome));
		json_set_text(output, "code", ev.code);
		json_set_text(output, "sentence", ev.sentence);
		json_set_int(output, "passed", (int64_t)counts.passed);
		json_set_int(output, "denied", (int64_t)counts.denied);
		json_set_int(output, "denied_loopback", (int64_t)counts.denied_loopback);
	}
	evidence_done(&ev);
	return r;
}

static int shell_run(struct err *e)
{
	const char *words;
	if (json_get_text(input, "shell", &words, e) < 0)
		return -1;
	if (system(words) != 0) // NOLINT: the test's own words
		return err_say(e, EIO, "the test's command failed");
	return 0;
}

// What the test's command does, as the agent that lives meanwhile sees it, and puts right.
static int do_watch(struct err *e)
{
	int fd = cage_watch(ns_fd, e);
	if (fd < 0 || do_doors(e) < 0)
		return -1;
	json_set_bool(output, "on_own_change", cage_changed(&cage, fd));
	if (shell_run(e) < 0)
		return -1;
	json_set_bool(output, "on_change", cage_changed(&cage, fd));
	if (do_check(e) < 0)
		return -1;
	int r = cage_restore(&cage, e);
	json_set_bool(output, "on_restore", cage_changed(&cage, fd));
	return r;
}

// Doors for an agent whose table went away a moment ago.
static int do_doors_late(struct err *e)
{
	return shell_run(e) < 0 ? -1 : do_doors(e);
}

// Under a flood, from the test: the same doors and others', again and again.
static int do_doors_often(struct err *e)
{
	for (int i = 0; i < 100; i++)
		if (do_doors(e) < 0)
			return -1;
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct err *e);
} commands[] = {
	{"load", do_load},
	{"doors", do_doors},
	{"doors-late", do_doors_late},
	{"doors-often", do_doors_often},
	{"keep", do_keep},
	{"check", do_check},
	{"watch", do_watch},
};

static int command_run(const char *name, struct err *e)
{
	const char *path, *owner;
	if (json_get_text(input, "ns", &path, e) < 0 ||
		json_get_text(input, "owner", &owner, e) < 0)
		return -1;
	ns_fd = netns_open(path, e);
	if (ns_fd < 0 || cage_init(&cage, ns_fd, owner, e) < 0 || cage_load(&cage, e) < 0)
		return -1;
	json_set_int(output, "group", cage_group(&cage));
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(name, commands[i].name) == 0)
			return commands[i].run(e);
	return err_say(e, EINVAL, "no command %s", name);
}

int main(int argc, char **argv)
{
	struct err e = {0};
	cJSON *json;
	output = json_new_object();
	if (argc != 3 || json_parse(argv[2], strlen(argv[2]), &json_from_client, &json, &e) < 0) {
		fprintf(stderr, "usage: cagetool COMMAND JSON\n%s\n", e.message);
		return 2;
	}
	if (proc_lock_down(&e) < 0) { // as the agent does
		fprintf(stderr, "cagetool: %s\n", e.message);
		return 2;
	}
	input = json;
	int r = command_run(argv[1], &e);
	json_set_int(output, "result", r);
	json_set_text(output, "error", r == 0 ? NULL : e.message);
	puts(json_print(output));
	return 0;
}
