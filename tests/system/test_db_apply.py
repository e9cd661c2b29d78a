"""What db/apply does with each folder of db/, what it refuses and what it drops."""

import pytest
from support.db_folder import DbFolder


@pytest.fixture
def folder(tmp_path):
    return DbFolder(tmp_path)


def apply(database, folder):
    done = database.apply(folder.path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_when_nothing_differs_nothing_is_locked(database):
    """It would give up behind the locks of this reader."""
    with database.connect(autocommit=False) as reader, reader.cursor() as cursor:
        cursor.execute("select from ccp.doctor, ccp.now, ccp.tasks, ccp.rules, ccp.settings, api.user, api.host")
        assert database.apply().returncode == 0


def test_a_migration_that_changed_after_it_was_applied_is_refused(database, folder):
    folder.edit("migrations/0001_base.sql", "create schema access;\n", "create schema access;\n-- one more thing\n")
    done = database.apply(folder.path)
    assert done.returncode == 1
    assert "0001_base.sql was changed after it was applied" in done.stderr


def test_a_filled_database_is_migrated_and_the_views_that_its_migration_drops_are_made_again(database, folder):
    hosts = database.hosts_make(3)
    migration = folder.path / "migrations" / "0100_node_names.sql"
    migration.write_text(
        "drop view ccp.workers, ccp.task_status, ccp.host_status, api.node, api.egress_test cascade;\n"
        "alter table ccp.nodes alter column name type varchar(63);\n"
    )
    apply(database, folder)
    apply(database, folder)
    assert database.value("select count(*) from ccp.now", user="ccp_automation") == len(hosts)


def test_a_view_with_other_columns_is_made_again_with_what_reads_it(database, folder):
    for view in ("10_host_wants", "20_host_status"):
        folder.edit(f"views/{view}.sql", "user_state", "account_state")
    apply(database, folder)
    assert database.value("select count(account_state) from ccp.host_wants") == 0
    assert database.value("select count(*) > 5 from ccp.doctor", user="ccp_automation")


def test_a_view_that_gets_columns_at_its_end_stays_the_same_object(database, folder):
    identity = "select 'ccp.host_wants'::regclass::oid"
    before = database.value(identity)
    folder.edit("views/10_host_wants.sql", " as why\n", " as why,\n    1 as more\n")
    apply(database, folder)
    assert database.value("select count(more) from ccp.host_wants") == 0
    assert database.value(identity) == before


def test_a_type_with_other_columns_is_made_again_with_the_functions_that_return_it(database, folder):
    folder.edit("types/login.sql", "(token text,", "(kind text, token text,")
    folder.edit("types/host.sql", "    h.timezone,\n", "")
    folder.edit("types/host.sql", "comment on column api.host.timezone is 'TZ inside.';\n", "")
    apply(database, folder)
    assert database.value("select pg_get_function_result('api.host_list'::regproc)") == "api.host_page"
    assert database.value("select (null::api.login).kind") is None


def test_a_right_that_no_file_grants_any_more_is_taken_back(database):
    rights = (
        "select coalesce(p.proacl::text, '-') || p.proowner::regrole from pg_proc as p"
        " join pg_namespace as n on n.oid = p.pronamespace where n.nspowner = 'ccp_owner'::regrole order by p.oid"
    )
    before = database.rows(rights)
    database.rows(
        "set role ccp_owner;"
        " grant execute on function task.claim to ccp_api;"
        " grant execute on function api.own_host_task to ccp_automation;"
        " alter function api.own_host_task owner to ccp_owner"
    )
    assert database.rows(rights) != before
    assert database.apply().returncode == 0
    assert database.rows(rights) == before


def test_a_changed_view_keeps_no_right_that_its_file_does_not_grant(database, folder):
    database.rows("set role ccp_owner; grant select on ccp.host_wants to ccp_worker")
    folder.edit("views/10_host_wants.sql", " as why\n", " as why,\n    1 as more\n")
    apply(database, folder)
    assert not database.value("select has_table_privilege('ccp_worker', 'ccp.host_wants', 'select')")
    assert database.value("select has_table_privilege('ccp_dba', 'ccp.host_wants', 'select')")


def test_a_database_that_is_newer_than_the_folder_is_refused(database, folder):
    migration = folder.path / "migrations" / "0100_later.sql"
    migration.write_text("create table ccp.later ();\n")
    apply(database, folder)
    migration.unlink()
    folder.edit("rules/penalty_rules.sql", "('crash', 90,", "('crush', 91,")
    done = database.apply(folder.path)
    assert done.returncode == 1
    assert "newer than this folder" in done.stderr
    assert database.value("select count(*) from ccp.penalty_rules where reason = 'crush'") == 0


def test_a_database_of_before_the_first_version_is_refused(database):
    database.rows("set role ccp_owner; create table ccp.migrations (name text)")
    done = database.apply()
    assert done.returncode == 1
    assert "made before version 0.1.0" in done.stderr


def test_what_no_file_makes_any_more_is_dropped(database):
    database.rows(
        "set role ccp_owner;"
        " create type api.leftover as (a text);"
        " create function task.leftover() returns api.leftover language sql as 'select null::api.leftover';"
        " create view ccp.leftover as select task.leftover() as one"
    )
    assert database.apply().returncode == 0
    assert database.rows(
        "select to_regclass('ccp.leftover'), to_regclass('api.leftover'), to_regproc('task.leftover')"
    ) == [(None, None, None)]


def test_rows_of_rules_become_those_of_the_files(database, folder):
    folder.edit("rules/penalty_rules.sql", "('crash', 90,", "('crush', 91,")
    folder.edit("rules/penalty_rules.sql", "('grace', 10,", "('grace', 11,")
    apply(database, folder)
    rows = database.rows("select reason, seconds from ccp.penalty_rules where reason ~ '^(gr|cr)' order by 1")
    assert rows == [("crush", 91), ("grace", 11)]


def test_a_new_rule_of_a_setting_leaves_its_value_to_the_administrator(database, folder):
    database.rows("update ccp.settings set value = '61' where name = 'verify_light_s'")
    folder.edit(
        "rules/settings.sql",
        "('verify_light_s', '60', 'number', null, 1,",
        "('verify_light_s', '70', 'number', null, 2,",
    )
    apply(database, folder)
    assert database.rows("select value, min from ccp.settings where name = 'verify_light_s'") == [(61, 2)]


def test_a_rule_that_is_in_use_is_not_deleted(database, folder):
    database.hosts_make(1)
    folder.edit("rules/host_statuses.sql", "    ('stopped', 'is made and does not run'),\n", "")
    done = database.apply(folder.path)
    assert done.returncode == 1
    assert "host_status_is_known" in done.stderr
