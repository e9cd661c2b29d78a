"""A host of a stack, and what automation and a DBA do with it: tasks by INSERT, and looking at what became of them."""

import os
import subprocess

from support.wait import WAIT_S, wait_until

ENDED = ("succeeded", "failed", "canceled")


class Host:
    """One host: the stack's demo host if none is named. `agent` is the test's own agent that keeps it, if one does."""

    def __init__(self, stack, host_id=None, agent=None):
        self.stack = stack
        self.id = host_id or stack.env["CCP_DEMO_HOST_ID"]
        self.agent = agent
        self.owner = stack.owner

    # --- tasks

    def insert(self, kind, params="{}"):
        """The whole interface of automation; the task's id."""
        return self.stack.automation.value(
            "insert into ccp.tasks (kind, host_id, params) values (%s, %s, %s) returning id", [kind, self.id, params]
        )

    def wait_task(self, task_id, timeout_s=WAIT_S):
        """(status, error_code, error_message, result) of a task that has ended."""

        def ended():
            row = self.owner.rows(
                "select status, error_code, error_message, result from ccp.task_rows where id = %s", [task_id]
            )[0]
            return row if row[0] in ENDED else None

        return wait_until(ended, f"task {task_id} ends", timeout_s)

    def wait_succeeded(self, task_id):
        """The result of a task that must succeed."""
        status, code, message, result = self.wait_task(task_id)
        log = self.agent.log() if self.agent else self.stack.log("ccp-agent")
        assert status == "succeeded", f"{status}: {code}: {message}\n{log[-4000:]}"
        return result

    def task(self, kind, params="{}"):
        """Runs a task that must succeed; its result."""
        return self.wait_succeeded(self.insert(kind, params))

    def live_tasks(self):
        return self.owner.rows(
            "select kind, status from ccp.task_rows where host_id = %s and status in ('queued', 'running')", [self.id]
        )

    # --- its state

    @property
    def status(self):
        return self.owner.value("select status from ccp.hosts where id = %s", [self.id])

    def wait_status(self, status):
        try:
            wait_until(lambda: self.status == status, f"the host is {status}")
        except TimeoutError as error:
            row = self.owner.rows("select h from ccp.hosts as h where h.id = %s", [self.id])
            raise TimeoutError(f"{error}: {row}, under way: {self.live_tasks()}") from None

    def running(self):
        """Sees to it that the host runs and nothing is under way."""
        return self._bring("running", "host.start")

    def stopped(self):
        """Sees to it that the host is stopped and nothing is under way."""
        return self._bring("stopped", "host.stop")

    def _bring(self, status, kind):
        wait_until(lambda: not self.live_tasks(), "nothing is under way")
        if self.status != status:
            self.owner.rows("update ccp.hosts set failures = 0, retry_at = null where id = %s", [self.id])
            self.task(kind)
        return self

    # --- events

    def last_event(self):
        return self.owner.value("select coalesce(max(id), 0) from ccp.events")

    def wait_event(self, kind, after):
        """(message, metadata) of the first event of a type about this host that is newer than `after`."""

        def happened():
            rows = self.owner.rows(
                "select message, metadata from ccp.events where id > %s and type = %s and host_id = %s"
                " order by id limit 1",
                [after, kind, self.id],
            )
            return rows[0] if rows else None

        return wait_until(happened, f"event {kind}")

    # --- its container

    @property
    def container(self):
        """Its container's id, whether that runs or not; None without one."""
        label = f"label=cloud-cli-proxy.host={self.id}"
        found = self.stack.docker("ps", "--all", "--no-trunc", "--quiet", "--filter", label).split()
        return found[0] if found else None

    @property
    def pid(self):
        """The container's PID 1 as the machine sees it, None while it does not run."""
        container = self.container
        if container is None:
            return None
        return int(self.stack.docker("inspect", "--format", "{{.State.Pid}}", container)) or None

    def run(self, *command, user="root"):
        """Runs a command in the container and returns (status, output)."""
        done = subprocess.run(
            ["docker", "exec", "--user", user, self.container, *command],
            env=dict(os.environ, DOCKER_HOST=f"unix://{self.stack.docker_socket}"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=WAIT_S,
            check=False,
        )
        return done.returncode, done.stdout
