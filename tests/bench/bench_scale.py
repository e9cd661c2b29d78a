"""10,000 hosts: what reading them costs, a tick at rest, and a third of them wanted running at once."""

import itertools
import statistics
import time

from bench.stats import timed

HOSTS = 10_000
WANTED = 3_333  # by a node that is back
ROUNDS = 9

PEOPLE = """
    with node as (
        select node_id as id, process_id from process.register('ccp-agent', 'scale', 1, 'bench')
    ),
    people as (
        insert into ccp.users (username, short_id, role)
        select 'scale' || n, 's' || to_char(n, 'FM00000'), case n when 1 then 'admin' else 'user' end
        from generate_series(1, %s) as n
        returning short_id
    )
    insert into ccp.egress_ips (label, ip_address, wg_endpoint, wg_public_key, wg_dns_server, wg_peer_address)
    select people.short_id, '198.51.100.1', '198.51.100.1:51820', repeat('A', 43) || '=', '198.51.100.53', '10.9.0.2/32'
    from people, node
"""
MADE = """
    insert into ccp.hosts (short_id, user_id, node_id, image, status, desired, wg_public_key)
    select
        u.short_id, u.id, n.id, 'image', case when u.number > %(wanted)s then 'running' else 'stopped' end,
        case when u.number > %(wanted)s then 'running' else 'stopped' end, repeat('B', 43) || '='
    from (select *, row_number() over (order by short_id) as number from ccp.users) as u, ccp.nodes as n
"""
SEEN = """
    with bound as (
        insert into ccp.bindings (host_id, egress_ip_id, user_id, exit_label, exit_address)
        select h.id, e.id, h.user_id, e.label, e.ip_address
        from (select *, row_number() over (order by id) as number from ccp.hosts) as h
        join (select *, row_number() over (order by id) as number from ccp.egress_ips) as e using (number)
    )
    insert into ccp.observations (host_id, process_id, sequence, state, observed_at, proven_at, proof_ends_at)
    select h.id, p.id, 1, h.status, now(), now(), now() + interval '1 day'
    from ccp.hosts as h, ccp.processes as p
"""
LOGIN = """
    insert into ccp.logins (user_id, expires_at)
    select id, now() + interval '1 day' from ccp.users where role = 'admin'
    returning id
"""
READS = {
    "page": "select api.host_list(%(login)s, 1)",
    "now": "select * from ccp.now",
    "stuck": "select * from ccp.stuck",
    "doctor": "select * from ccp.doctor",
    "host_status": "select * from ccp.host_status",
}


class Scale:
    """A database with that many hosts, and one connection to it, like the worker's: each call is a transaction."""

    def __init__(self, connection):
        self.cursor = connection.cursor()
        self.ask(PEOPLE, [HOSTS])
        self.insert_s = timed(self.ask, MADE, {"wanted": WANTED})
        self.ask(SEEN)
        self.login = self.ask(LOGIN)[0][0]
        self.cursor.execute("vacuum analyze")
        self.rules = [row[0] for row in self.ask("select clock.rules()")]

    def ask(self, sql, parameters=None):
        self.cursor.execute(sql, parameters)
        return self.cursor.fetchall() if self.cursor.description else []

    def median_ms(self, function, *arguments):
        function(*arguments)
        return statistics.median(timed(function, *arguments) for _ in range(ROUNDS)) * 1000

    def tick(self, served=None):
        """One round of the rules, as the worker makes it; whether there is more. `served`: when each was done."""
        more = False
        for rule in self.rules:
            more = self.ask("select clock.tick('worker', %s)", [rule])[0][0] == "more" or more
            if served is not None:
                served.setdefault(rule, []).append(time.perf_counter())
        return more

    def mass_start(self):
        """How long deadlines and expiry waited for their turn at most, and until each of these hosts had its task."""
        self.ask("update ccp.hosts set desired = 'running' where desired = 'stopped'")
        begin = time.perf_counter()
        served = {}
        while self.tick(served):
            pass
        took = time.perf_counter() - begin
        asked = self.ask("select count(*) from ccp.task_rows where kind = 'host.start'")[0][0]
        if asked != WANTED:
            raise RuntimeError(f"{asked} hosts of {WANTED} have a task")
        waits = []
        for rule in ("clock.enforce_deadlines", "account.enforce"):
            waits += [later - earlier for earlier, later in itertools.pairwise([begin, *served[rule]])]
        return {"scale_mass_start_s": took, "scale_mass_start_wait_ms": max(waits) * 1000}


def hosts(database):
    with database.connect() as connection:
        scale = Scale(connection)
        reads = {
            f"scale_{name}_ms": scale.median_ms(scale.ask, sql, {"login": scale.login}) for name, sql in READS.items()
        }
        rest = {"scale_tick_ms": scale.median_ms(scale.tick)}
        return {"scale_insert_s": scale.insert_s} | reads | rest | scale.mass_start()
