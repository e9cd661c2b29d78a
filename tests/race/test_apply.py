"""db/apply while others work, with changed views and rules too: no call fails."""

import threading

from support.db_folder import DbFolder
from support.machine import Agent, Caller, Counts, apply_while


def test_apply_under_load_fails_no_call(database, tmp_path):
    changed = DbFolder(tmp_path)
    changed.edit("views/10_tasks.sql", "t.progress::integer as", "coalesce(t.progress::integer, 0) as")
    changed.edit("views/20_host_status.sql", "n.name as node,", "n.name || '' as node,")
    changed.edit("rules/task_kinds.sql", "'60 seconds'", "'61 seconds'")
    database.rows("drop index ccp.one_live_process_per_program_and_node")
    database.rows("create table race_work (task_id uuid not null, lease bigint not null unique, host_id uuid not null)")
    hosts = database.hosts_make(10)
    counts = Counts()
    over = threading.Event()

    def ask():
        caller = Caller(database, counts)
        while not over.is_set():
            for host in hosts:
                for kind in ("host.start", "host.stop"):
                    caller.call("insert into ccp.tasks (kind, host_id) values (%s, %s) returning id", kind, host)
                    caller.call("select why from ccp.host_status where id = %s", host)
                    counts.add("asked")
        caller.close()

    threads = [threading.Thread(target=ask, daemon=True)] + [
        Agent(database, counts, f"a{n}", 0, over) for n in range(3)
    ]
    apply_while(threads, over, database, changed)
    assert counts.problems == []
    assert counts.numbers["asked"] > 20
    assert counts.numbers["reports"] > 20
