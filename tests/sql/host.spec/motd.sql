-- What a login is shown.
begin;
\ir ../hosts.psql
select plan(9);

create function t.line(p_name text) returns text language sql as $$
    select substring(host.motd(t.host()) from '(?n)^  ' || rpad(p_name, 14) || '(.*)$')
$$;
select t.at('2030-05-06 07:08:09+00');
select event.make_months() is null as done \gset
select is(host.motd(gen_random_uuid()), null, 'of a host that does not exist nothing');
select is(t.line('Exit address'), '198.51.100.1 (exit1)', 'the exit');
select is(t.line('Proof'), null, 'no proof before there is one');
insert into ccp.verifications (host_id, user_id, process_id, kind, outcome, error_code, checks, duration_ms, at)
select t.host(), h.user_id, t.agent(), 'full', v.outcome, v.code, '[]', 1, v.at
from ccp.hosts as h,
    (
        values
        ('passed', null, clock.now() - interval '10 minutes'), ('passed', null, clock.now() - interval '1 minute'),
        ('failed', 'leak', clock.now())
    ) as v (outcome, code, at);
select is(
    t.line('Proof'), 'last proven in full 2030-05-06 07:07 UTC; checked each 60 s, and closed when it does not hold', 'the last that passed'
);
select is(t.line('Limits'), '2 processors, 4096 MB of memory, 4096 processes, 20 GB of files', 'what it may use');
update ccp.hosts set disk_limit_gb = 10, cpu_limit = 0.5;
select is(t.line('Limits'), '0.5 processors, 4096 MB of memory, 4096 processes, 10 GB in your home, 20 GB of files elsewhere', 'its disk too where it has a limit');
select is(t.line('Access'), 'has no end', 'access without an end');
update ccp.users set expires_at = '2031-01-02 03:04:05+02';
select is(t.line('Access'), 'ends 2031-01-02 01:04 UTC', 'and with one');
update ccp.bindings set ended_at = clock.now();
select is(t.line('Exit address'), null, 'none without an exit');
select * from finish();
rollback;
