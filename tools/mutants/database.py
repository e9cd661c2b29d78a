"""Tries the changes of db/code: which pgTAP files run which function, and which of them notices a change of it."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import sql
from support import pgtap
from support.paths import CHECKOUT

from workers import COUNT, spread

# A changed condition may never become false: what takes longer than any test of ours has been noticed.
STATEMENT_TIMEOUT = "-c statement_timeout=30s"
ERRORS = """
    select 1
    from pg_proc as p
    cross join tap.plpgsql_check_function_tb(
        p.oid, fatal_errors := true, other_warnings := false, extra_warnings := false
    ) as c
    where p.oid = %s::regproc
        and p.prorettype <> 'trigger'::regtype
        and p.prolang = (select l.oid from pg_language as l where l.lanname = 'plpgsql')
        and c.level = 'error'
"""


class Functions:
    """The functions of db/code, and the test files that execute each."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.sources = {
            f"{path.parent.name}.{path.stem}": path.read_text() for path in sorted(CHECKOUT.glob("db/code/*/*.sql"))
        }
        self.tests = {name: [] for name in self.sources}

    def changes(self, place):
        for name, source in self.sources.items():
            if place in (None, name, name.partition(".")[0]):
                path = f"db/code/{name.replace('.', '/')}.sql"
                yield from ((name, change) for change in sql.changes(path, source))

    def measure(self):
        """Runs every file once with PostgreSQL counting calls; files are tried the quickest first."""
        self.cluster.template_make()
        took = {}

        def one(path):
            database = self.cluster.database_make()
            before = time.monotonic()
            failure = pgtap.run(path, database.conninfo(), "-c track_functions=all")
            took[path] = time.monotonic() - before
            if failure:
                raise RuntimeError(f"{path} fails without any change: {failure}")
            called = database.rows("select schemaname || '.' || funcname from pg_stat_user_functions")
            self.cluster.database_drop(database)
            return path, {name for (name,) in called}

        paths = sorted(CHECKOUT.glob("tests/sql/**/*.sql"))
        with ThreadPoolExecutor(COUNT) as pool:
            calls = dict(pool.map(one, paths))
        for name in self.sources:
            known = [path for path in paths if calls[path] & self.counted(name, calls)]
            # The function's own folder first: it is the likeliest to notice.
            self.tests[name] = sorted(known or paths, key=lambda path: (path.parent.name not in name, took[path]))

    def counted(self, name, calls):
        """The function, or its callers where the planner puts its text into theirs, which is not counted as a call."""
        names, seen = {name}, set()
        while not any(names & called for called in calls.values()) and names - seen:
            seen |= names
            names |= {
                caller
                for caller, source in self.sources.items()
                if any(re.search(rf"\b{re.escape(one)}\(", source) for one in seen)
            }
        return names


class Try:
    """One worker's database. Changes are made in place and taken back; a file that commits leaves it to the next."""

    def __init__(self, functions, report):
        self.functions = functions
        self.report = report
        self.connection = None
        self.renew()

    def end(self):
        self.connection.close()
        self.functions.cluster.database_drop(self.database)

    def attempt(self, item):
        name, change = item
        self.report(self.functions.sources[name], change, self.outcome(name, change))

    def renew(self):
        if self.connection:
            self.end()
        self.database = self.functions.cluster.database_make()
        self.connection = psycopg2.connect(self.database.conninfo())
        self.connection.autocommit = True

    def execute(self, statement, *parameters):
        with self.connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def compiles(self, name, definition):
        try:
            self.execute(definition)
            return not self.execute(ERRORS, name)
        except psycopg2.Error:
            return False

    def outcome(self, name, change):
        """'invalid': it does not compile. 'noticed', or 'survived'."""
        source = self.functions.sources[name]
        definition = sql.definition(change.apply(source))
        try:
            if not self.compiles(name, definition):
                return "invalid"
            tests = self.functions.tests[name]
            for path in tests:
                failure = pgtap.run(path, self.database.conninfo(), STATEMENT_TIMEOUT)
                if "commit;" in path.read_text().splitlines():
                    self.renew()
                    self.execute(definition)
                if failure:
                    # The next change of the function may be noticed by the same file.
                    self.functions.tests[name] = [path, *(one for one in tests if one != path)]
                    return "noticed"
            return "survived"
        finally:
            self.execute(sql.definition(source))


def run(cluster, place, share, report):
    """Tries a share of the changes of a place; report(source, change, outcome) for each."""
    functions = Functions(cluster)
    found = [*functions.changes(place)]
    if found:
        functions.measure()
        spread(found, share, lambda: Try(functions, report))
