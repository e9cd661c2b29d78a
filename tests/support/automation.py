"""What automation and a DBA do: tasks by INSERT, and looking at what became of them."""

from contextlib import contextmanager

import psycopg2
from support.wait import wait_until

ENDED = ("succeeded", "failed", "canceled")


class Automation:
    """One host of a stack (the demo host if none is named), over kept connections."""

    def __init__(self, stack, host_id=None):
        self.stack = stack
        self.host_id = host_id or stack.env["CCP_DEMO_HOST_ID"]
        self.automation = self.connect("CCP_AUTOMATION_URL")
        self.owner = self.connect("CCP_OWNER_URL")

    def connect(self, name):
        connection = psycopg2.connect(self.stack.env[name])
        connection.autocommit = True
        return connection

    def close(self):
        self.automation.close()
        self.owner.close()

    def rows(self, sql, parameters=None, connection=None):
        with (connection or self.owner).cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def value(self, sql, parameters=None):
        return self.rows(sql, parameters)[0][0]

    # --- tasks

    def insert(self, kind, params="{}"):
        """The whole interface of automation; (id, status)."""
        return self.rows(
            "insert into ccp.tasks (kind, host_id, params) values (%s, %s, %s) returning id, status",
            [kind, self.host_id, params],
            self.automation,
        )[0]

    def wait_task(self, task_id, timeout_s=90):
        """(status, error_code, error_message) of a task that has ended."""

        def ended():
            row = self.rows("select status, error_code, error_message from ccp.task_rows where id = %s", [task_id])[0]
            return row if row[0] in ENDED else None

        return wait_until(ended, timeout_s, f"task {task_id} ends")

    def task(self, kind, params="{}", timeout_s=90):
        """Runs a task that must succeed; its id."""
        task_id, _ = self.insert(kind, params)
        status, _, message = self.wait_task(task_id, timeout_s)
        if status != "succeeded":
            raise RuntimeError(f"{kind} {status}: {message}")
        return task_id

    # --- the host

    @property
    def status(self):
        return self.value("select status from ccp.hosts where id = %s", [self.host_id])

    def wait_status(self, status, timeout_s=30):
        wait_until(lambda: self.status == status, timeout_s, f"the host is {status}")

    def running(self):
        """Sees to it that the host runs and nothing is under way."""
        wait_until(lambda: not self.live_tasks(), 90, "nothing is under way")
        if self.status != "running":
            self.rows("update ccp.hosts set failures = 0, retry_at = null where id = %s", [self.host_id])
            self.task("host.start")
        return self

    def live_tasks(self):
        return self.rows(
            "select kind, status from ccp.task_rows where host_id = %s and status in ('queued', 'running')",
            [self.host_id],
        )

    # --- events

    def last_event(self):
        return self.value("select coalesce(max(id), 0) from ccp.events")

    def wait_event(self, kind, after, timeout_s=30):
        """(message, metadata) of the first event of a type about this host that is newer than `after`."""

        def happened():
            rows = self.rows(
                "select message, metadata from ccp.events where id > %s and type = %s and host_id = %s"
                " order by id limit 1",
                [after, kind, self.host_id],
            )
            return rows[0] if rows else None

        return wait_until(happened, timeout_s, f"event {kind}")

    @contextmanager
    def settings(self, **values):
        """Settings for a while; read live by every program."""
        before = dict(self.rows("select name, value::text from ccp.settings where name = any (%s)", [list(values)]))
        try:
            for name, value in values.items():
                self.rows("update ccp.settings set value = to_jsonb(%s) where name = %s", [value, name])
            yield
        finally:
            for name, value in before.items():
                self.rows("update ccp.settings set value = %s::jsonb where name = %s", [value, name])
