"""Every example of docs/psql.md works, for ccp_admin, and is written down with that role as its actor."""

import re
import subprocess

from support.paths import CHECKOUT
from support.wait import WAIT_S

SETUP = """
    select process.register('ccp-agent', 'racer', 2, 'test');
    with proxy as (select process_id from process.register('ccp-sshproxy', 'racer', 3, 'test'))
    insert into ccp.sessions (user_id, host_id, process_id, method, address, opened_at)
    select h.user_id, h.id, p.process_id, 'key', '198.51.100.7', now() from ccp.hosts as h, proxy as p
"""

HASHES = ["-v", "hash=$2b$10$" + "a" * 53, "-v", "ssh_hash=$y$j9T$" + "a" * 60, "-v", "sealed=" + "A" * 132]


def test_every_example_for_an_administrator_works(database):
    database.hosts_make(1)
    database.rows("update ccp.users set username = 'alice'")
    database.rows(SETUP)
    blocks = re.findall(r"```sql\n(.*?)```", (CHECKOUT / "docs" / "psql.md").read_text(), re.DOTALL)
    done = subprocess.run(
        ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", *HASHES, database.conninfo("ccp_admin")],
        input="\n".join(blocks),
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    written = database.rows("select type from ccp.events where actor = 'ccp_admin' order by id")
    assert [row[0] for row in written if row[0].split(".")[0] in ("admin", "key", "setting")] == [
        "admin.session.ended",
        "admin.user.created",
        "admin.user.updated",
        "admin.user.updated",
        "admin.user.password_rotated",
        "admin.user.sessions_ended",
        "admin.egress_ip.created",
        "admin.egress_ip.updated",
        "admin.binding.created",
        "admin.host.action",
        "admin.task.canceled",
        "admin.task.retried",
        "key.rotated",
        "admin.host.action",
        "admin.binding.deleted",
        "admin.binding.created",
        "admin.binding.deleted",
        "admin.egress_ip.deleted",
        "admin.host.action",
        "admin.host.action",
        "setting.changed",
        "admin.node.cordoned",
        "admin.node.drained",
        "admin.node.undrained",
        "admin.node.uncordoned",
        "key.registered",
        "key.removed",
        "key.rotated",
        "key.retired",
        "admin.webhook.created",
        "admin.webhook.tested",
        "admin.webhook.updated",
        "admin.webhook.secret_rotated",
        "admin.webhook.deleted",
        "admin.user.deleted",
        "admin.user.updated",
    ]
