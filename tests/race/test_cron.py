"""pg_cron alone keeps the rules: with no worker a user that has expired loses what runs."""

import subprocess

from machine import hosts_make
from support.paths import CHECKOUT
from support.wait import wait_until


def test_cron_alone_ends_what_an_expired_user_runs(cluster, database):
    (host,) = hosts_make(database, 1)
    database.rows("update ccp.hosts set desired = 'running', status = 'starting'")
    database.rows("update ccp.hosts set status = 'running'")
    database.rows("update ccp.users set expires_at = now() - interval '1 second'")
    try:
        subprocess.run(
            [
                "psql",
                "-X",
                "-q",
                "-v",
                f"dbname={database.name}",
                "-f",
                CHECKOUT / "db" / "cron.sql",
                cluster.conninfo(),
            ],
            stdin=subprocess.DEVNULL,
            check=True,
            timeout=30,
        )
        wait_until(
            lambda: database.rows("select id from ccp.task_rows where host_id = %s and kind = 'host.stop'", [host]),
            130,
            "pg_cron ticks each minute",
        )
        assert database.value("select ticked_at is not null from ccp.ticks where who = 'cron'")
        assert database.value("select process.health() ->> 'cron'") == "ok"
        assert database.value("select count(*) from ccp.events where type = 'user.expired'") == 1
    finally:
        cluster.database("postgres").rows(
            "select cron.unschedule(jobid) from cron.job where jobname = %s", [f"ccp tick {database.name}"]
        )
