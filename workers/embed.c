// SPDX-License-Identifier: Apache-2.0
// The keeper of an embedded agent: one process that starts it, and lives as long as a pipe is open.
#include "workers/embed.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/wait.h"

enum {
	PAUSE_MIN_MS = 1000,
	PAUSE_MAX_MS = 60000,
	STEADY_MS = 60000, // an agent that lasted so long is no repeated failure
	REAP_MS = 1000,
};

struct embed {
	pid_t keeper;
	int keeper_fd; // its pidfd
	int pipe_fd; // the keeper reads its end from the other side
	struct loop *loop;
	struct loop_source *source;
};

// What the keeper has.
struct keeper {
	char *path;
	char **argv;
	int pipe_fd;
};

static _Noreturn void become_agent(const struct keeper *keeper, pid_t parent)
{
	struct err e;
	sigset_t none;

	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (proc_die_with_parent(parent, SIGTERM, &e) == 0) {
		execv(keeper->path, keeper->argv);
		err_note(&e, errno, "start %s: %s", keeper->path, strerror(errno));
	}
	log_error("cannot start the embedded agent", log_err(&e));
	_exit(EXIT_FAILURE);
}

// The agent was asked to end: it does, or is killed.
static void end_agent(pid_t agent, int agent_fd)
{
	struct wait w = wait_for(EMBED_END_MS, -1);
	struct err e;

	kill(agent, SIGTERM);
	if (wait_fd(&w, agent_fd, POLLIN, "the embedded agent's end", &e) != 0)
		kill(agent, SIGKILL);
	waitpid(agent, NULL, 0);
}

// One life of the agent. Returns how long it lasted, or not at all when the pipe was closed.
static int64_t run_agent(const struct keeper *keeper)
{
	struct wait life = {.until_ms = INT64_MAX, .cancel_fd = keeper->pipe_fd};
	int64_t began_ms = wait_now_ms();
	pid_t self = getpid(), agent = fork();
	_cleanup_(closep) int agent_fd = -1;
	int status = 0;
	struct err e;

	if (agent == 0)
		become_agent(keeper, self);
	if (agent < 0 || proc_pidfd(agent, &agent_fd, &e) < 0)
		_exit(EXIT_FAILURE); // the worker ends then, and its supervisor begins again
	int r;
	do
		r = wait_fd(&life, agent_fd, POLLIN, "the embedded agent's end", &e);
	while (r == WAIT_TIMEOUT); // INT_MAX ms have passed
	if (r != 0) {
		end_agent(agent, agent_fd);
		_exit(EXIT_SUCCESS);
	}
	waitpid(agent, &status, 0);
	int64_t lasted_ms = wait_now_ms() - began_ms;
	log_warning("the embedded agent has ended", log_number("agent_pid", agent),
		log_number(
			"status", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)),
		log_number("lasted_ms", lasted_ms));
	return lasted_ms;
}

static _Noreturn void keep(const struct keeper *keeper)
{
	struct wait forever = {.until_ms = INT64_MAX, .cancel_fd = keeper->pipe_fd};
	int pause_ms = PAUSE_MIN_MS;
	struct err e;

	proc_set_name("agent-keeper");
	signal(SIGTERM, SIG_IGN); // it ends with the pipe
	signal(SIGINT, SIG_IGN);
	for (;;) {
		if (run_agent(keeper) >= STEADY_MS)
			pause_ms = PAUSE_MIN_MS;
		if (wait_pause(&forever, pause_ms, &e) != 0)
			_exit(EXIT_SUCCESS);
		pause_ms = pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
	}
}

static int agent_path(char **ret, struct err *e)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len < 0)
		return err_set(e, errno, "read where this program is");
	self[len] = '\0';
	*strrchr(self, '/') = '\0';
	*ret = xasprintf("%s/ccp-agent", self);
	return 0;
}

static char **agent_argv(const char *state_dir, char *const *arguments)
{
	size_t count = 0;
	while (arguments[count])
		count++;
	char **argv = xcalloc(count + 4, sizeof(*argv));
	argv[0] = xstrdup("ccp-agent");
	argv[1] = xstrdup("--state-dir");
	argv[2] = xstrdup(state_dir);
	for (size_t i = 0; i < count; i++)
		argv[i + 3] = xstrdup(arguments[i]);
	return argv;
}

// A change of uid takes away the signal at the parent's death that a supervisor has asked for.
static int become_worker(struct err *e)
{
	const struct group *database = getgrnam("ccp-db");
	struct proc_user user;
	pid_t parent = getppid();
	int signal_at_death = 0;

	if (!database)
		return err_say(e, ENOENT, "there is no system group ccp-db: `make up` makes it");
	if (proc_user_find("ccp-worker", &user, e) < 0)
		return -1;
	user.group = database->gr_gid;
	prctl(PR_GET_PDEATHSIG, &signal_at_death);
	if (proc_drop(&user, 0, e) < 0)
		return -1;
	return signal_at_death ? proc_die_with_parent(parent, signal_at_death, e) : 0;
}

int embed_new(const char *state_dir, char *const *arguments, struct embed **ret, struct err *e)
{
	struct keeper keeper;
	int ends[2];

	if (geteuid() != 0)
		return err_say(e, EPERM, "--embed-agent needs root, which the agent is");
	if (agent_path(&keeper.path, e) < 0)
		return -1;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(e, errno, "make a pipe");
	keeper.argv = agent_argv(state_dir, arguments);
	keeper.pipe_fd = ends[0];
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[1]);
		keep(&keeper);
	}
	close(ends[0]);
	if (pid < 0)
		return err_set(e, errno, "start the agent's keeper");
	struct embed *embed = xnew(struct embed);
	*embed = (struct embed){.keeper = pid, .keeper_fd = -1, .pipe_fd = ends[1]};
	*ret = embed;
	if (proc_pidfd(pid, &embed->keeper_fd, e) < 0)
		return -1;
	return become_worker(e);
}

static void on_keeper_end(void *data, uint32_t events)
{
	struct embed *embed = data;

	(void)events;
	log_error("the keeper of the embedded agent has ended");
	loop_source_free(embed->source);
	embed->source = NULL;
	loop_stop(embed->loop, EXIT_FAILURE);
}

int embed_watch(struct embed *embed, struct loop *loop, struct err *e)
{
	embed->loop = loop;
	return loop_watch(loop, embed->keeper_fd, EPOLLIN, on_keeper_end, embed, &embed->source, e);
}

void embed_ask(struct embed *embed)
{
	if (!embed)
		return;
	loop_source_free(embed->source);
	embed->source = NULL;
	closep(&embed->pipe_fd);
	embed->pipe_fd = -1;
}

void embed_free(struct embed *embed)
{
	struct wait w = wait_for(EMBED_END_MS + REAP_MS, -1);
	struct err e;

	if (!embed)
		return;
	embed_ask(embed);
	if (wait_fd(&w, embed->keeper_fd, POLLIN, "the end of the agent's keeper", &e) == 0)
		waitpid(embed->keeper, NULL, 0);
	else
		log_warning("the embedded agent does not end", log_err(&e));
	closep(&embed->keeper_fd);
	free(embed);
}
