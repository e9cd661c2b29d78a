-- Where an exit is reached is an address and a port: nobody who answers for a name may choose the exit.
begin;
\ir ../hosts.psql
select plan(4);

insert into ccp.users (username, short_id, role) values ('root1', 'root01', 'admin');
insert into ccp.logins (user_id, expires_at) select id, clock.now() + interval '1 hour' from ccp.users where role = 'admin';
create function t.create(p_endpoint text) returns text language sql as $$
    select (api.egress_ip_create(
        l.id, 1, 'exit ' || p_endpoint, '198.51.100.2', p_endpoint, repeat('A', 43) || '=', '198.51.100.53', '10.9.0.3/32'
    )).wg_endpoint
    from ccp.logins as l
$$;

select is(t.create('198.51.100.1:51820'), '198.51.100.1:51820', 'an IPv4 address and a port');
select is(t.create('[2001:db8::1]:51820'), '[2001:db8::1]:51820', 'an IPv6 address in brackets and a port');
select throws_ok(
    $$select t.create('exit.example:51820')$$, '23514',
    'value for domain ccp.endpoint violates check constraint "endpoint_is_an_address_and_port"',
    'a name is refused'
);
create temporary table wrong (endpoint text);
insert into wrong
values
    ('198.51.100.1'), ('198.51.100.1:'), ('198.51.100.1:0'), ('198.51.100.1:65536'), ('198.51.100:1'), ('198.51.100.256:1'),
    ('2001:db8::1:51820'), ('[198.51.100.1]:51820'), ('[2001:db8::1]'), ('[exit]:1'), ('a b:1'), ('');
do $$
declare
    v_endpoint text;
begin
    for v_endpoint in select endpoint from wrong
    loop
        begin
            perform t.create(v_endpoint);
        exception
            when check_violation then
                delete from wrong where endpoint = v_endpoint;
        end;
    end loop;
end
$$;
select is_empty($$select endpoint from wrong$$, 'each of them is refused');

select * from finish();
rollback;
