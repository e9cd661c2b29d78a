// SPDX-License-Identifier: Apache-2.0
// The release of a node: one thing that does not end keeps none of the others.
// uses: agent/release.c
#include "tests/unit/trace.h"

#include "agent/agent.h"
#include "agent/container/docker.h"
#include "agent/release.h"
#include "lib/file.h"
#include "agent/store/home.h"
#include "lib/mem.h"

static struct {
	int read_code; // errno of the read of NAME.cluster
	int list, tunnels, homes;
	bool stops, ends; // whether the first of two does
} answers;

int file_read(int dir_fd, const char *name, size_t max_bytes, char **ret, struct err *e)
{
	(void)dir_fd;
	(void)max_bytes;
	assert_string_equal(name, "here.cluster");
	if (answers.read_code != 0)
		return err_set(e, answers.read_code, "read %s", name);
	*ret = xstrdup("1/ccp");
	return 0;
}

int file_write(
	int dir_fd, const char *name, const void *data, size_t size, mode_t mode, struct err *e)
{
	(void)dir_fd;
	(void)mode;
	(void)e;
	did("write %s %.*s", name, (int)size, (const char *)data);
	return 0;
}

struct docker *docker_new(const char *socket_path)
{
	(void)socket_path;
	return NULL;
}

void docker_freep(struct docker **d)
{
	(void)d;
}

int docker_list(struct docker *d, const char *node, const char *cluster, const struct wait *w,
	struct docker_listed **ret, size_t *ret_count, struct err *e)
{
	(void)d;
	(void)w;
	did("containers of %s %s", node, cluster);
	if (answers.list != 0)
		return result(answers.list, "no Docker", e);
	*ret = xcalloc(3, sizeof(**ret));
	*ret_count = 3;
	for (size_t i = 0; i < 3; i++) {
		(*ret)[i].running = i != 2;
		snprintf((*ret)[i].id, sizeof((*ret)[i].id), "%c", (int)('a' + i));
	}
	return 0;
}

int docker_stop(struct docker *d, const char *id, int grace_s, const struct wait *w, struct err *e)
{
	(void)d;
	(void)grace_s;
	(void)w;
	did("stop %s", id);
	return result(id[0] == 'a' && !answers.stops ? -1 : 0, "it hangs", e);
}

int tunnel_list(const struct tunnel_env *env, tunnel_each *each, void *arg, struct err *e)
{
	(void)env;
	did("tunnels");
	if (answers.tunnels != 0)
		return result(answers.tunnels, "no directory", e);
	int r = each("ta", arg, e);
	return r != 0 ? r : each("tb", arg, e);
}

int tunnel_end(const struct tunnel_env *env, const char *name, struct err *e)
{
	(void)env;
	did("end %s", name);
	return result(strcmp(name, "ta") == 0 && !answers.ends ? -1 : 0, "it lives", e);
}

int home_unmount_all(const struct store *store, struct err *e)
{
	(void)store;
	did("unmount");
	return result(answers.homes, "it is busy", e);
}

static struct agent agent = {.owner = {.node = "here"}, .cluster = "1/ccp"};

static int start(void **state)
{
	(void)state;
	memset(&answers, 0, sizeof(answers));
	answers.stops = answers.ends = true;
	trace[0] = '\0';
	return 0;
}

#define CONTAINERS "containers of here 1/ccp; "
#define ALL CONTAINERS "stop a; stop b; tunnels; end ta; end tb; unmount; "

static void everything_that_the_node_holds_is_ended(void **state)
{
	struct err e;
	(void)state;
	assert_int_equal(release_remember(&agent, &e), 0);
	assert_did("write here.cluster 1/ccp; ");
	assert_int_equal(release_all(&agent, &e), 0);
	assert_did(ALL);
}

static void a_node_that_never_registered_holds_nothing(void **state)
{
	struct err e;
	(void)state;
	answers.read_code = ENOENT;
	assert_int_equal(release_all(&agent, &e), 0);
	answers.read_code = EIO;
	assert_int_equal(release_all(&agent, &e), -1);
	assert_did("");
}

static void what_does_not_end_keeps_none_of_the_others(void **state)
{
	struct err e;
	(void)state;
	answers.ends = false;
	assert_int_equal(release_all(&agent, &e), -1);
	assert_did(ALL);
	assert_string_equal(e.message, "1 of 2 tunnels could not be ended: it lives");
	answers.stops = false; // the first failure is said
	answers.homes = -1;
	assert_int_equal(release_all(&agent, &e), -1);
	assert_did(ALL);
	assert_string_equal(e.message, "1 of 3 containers could not be stopped: it hangs");
}

static void a_list_that_cannot_be_read_keeps_none_of_the_others(void **state)
{
	struct err e;
	(void)state;
	answers.list = -1;
	assert_int_equal(release_all(&agent, &e), -1);
	assert_did(CONTAINERS "tunnels; end ta; end tb; unmount; ");
	assert_string_equal(e.message, "no Docker");
	start(state);
	answers.tunnels = -1;
	assert_int_equal(release_all(&agent, &e), -1);
	assert_did(CONTAINERS "stop a; stop b; tunnels; unmount; ");
	assert_string_equal(e.message, "no directory");
	start(state);
	answers.homes = -1;
	assert_int_equal(release_all(&agent, &e), -1);
	assert_did(ALL);
	assert_string_equal(e.message, "it is busy");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(everything_that_the_node_holds_is_ended, start),
		cmocka_unit_test_setup(a_node_that_never_registered_holds_nothing, start),
		cmocka_unit_test_setup(what_does_not_end_keeps_none_of_the_others, start),
		cmocka_unit_test_setup(a_list_that_cannot_be_read_keeps_none_of_the_others, start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
