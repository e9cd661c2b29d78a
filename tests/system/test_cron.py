"""The job that pg_cron has: with no worker it keeps the rules."""

import subprocess

import pytest
from support.paths import CHECKOUT
from support.postgres import cron_run
from support.wait import WAIT_S


@pytest.fixture
def jobs(cluster, database):
    """Applies db/cron.sql; the jobs that pg_cron has for the test's database then."""
    postgres = cluster.database("postgres")

    def schedule():
        words = ["psql", "-X", "-q", "-v", f"dbname={database.name}", "-f", CHECKOUT / "db" / "cron.sql"]
        subprocess.run([*words, cluster.conninfo()], stdin=subprocess.DEVNULL, check=True, timeout=WAIT_S)
        return postgres.rows("select jobid, schedule, active from cron.job where database = %s", [database.name])

    yield schedule
    postgres.rows("select cron.unschedule(jobid) from cron.job where database = %s", [database.name])


def test_there_is_one_job_each_minute_however_often_it_is_applied(jobs):
    (job,) = jobs()
    assert job[1:] == ("* * * * *", True)
    assert jobs() == [job]


def test_cron_alone_ends_what_an_expired_user_runs(cluster, database, jobs):
    (host,) = database.hosts_make(1)
    database.rows("update ccp.hosts set desired = 'running', status = 'starting'")
    database.rows("update ccp.hosts set status = 'running'")
    database.rows("update ccp.users set expires_at = now() - interval '1 second'")
    jobs()
    cron_run(cluster, database.name)
    assert database.rows("select kind from ccp.task_rows where host_id = %s", [host]) == [("host.stop",)]
    assert database.value("select ticked_at is not null from ccp.ticks where who = 'cron'")
    assert database.value("select process.health() ->> 'cron'") == "ok"
    assert database.value("select count(*) from ccp.events where type = 'user.expired'") == 1
