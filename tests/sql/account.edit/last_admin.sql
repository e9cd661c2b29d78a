-- One administrator stays active, whatever is changed or deleted: now, and when those who expire have expired.
begin;
\ir ../hosts.psql
\ir ../people.psql
select plan(31);

select t.at('2099-01-01');
-- What becomes of a change of a user: ok, or the error code.
create function t.try(p_call text) returns text language plpgsql as $$
declare
    v_detail text;
    v_hint text;
begin
    execute 'select ' || p_call;
    return 'ok';
exception
    when sqlstate 'CP409' then
        get stacked diagnostics v_detail = pg_exception_detail, v_hint = pg_exception_hint;
        return concat_ws(' ', v_detail::jsonb ->> 'error_code', v_hint);
end
$$;
create function t.edit(p_name text, p_what text) returns text language sql as $$
    select t.try(format('account.edit(%L, %s)', t.user(p_name), p_what))
$$;
create function t.delete(p_name text) returns text language sql as $$
    select t.try(format('account.delete(%L)', t.user(p_name)))
$$;
create function t.alone() returns text language sql as $$ select 'last_admin make another administrator first' $$;
create function t.shorter() returns text language sql as $$
    select t.alone() || ', or let one of the others expire later'
$$;
create function t.admin(p_name text, p_expires_at timestamptz default null, p_disabled_at timestamptz default null)
returns void language sql as $$
    insert into ccp.users (username, short_id, role, expires_at, disabled_at)
    values (p_name, account.short_id(), 'admin', p_expires_at, p_disabled_at)
$$;

-- The only one.
select is(t.edit('boss', $$p_status => 'disabled'$$), t.alone(), 'the last administrator is not disabled');
select is(t.edit('boss', $$p_role => 'user'$$), t.alone(), 'or made a user');
select is(t.edit('boss', 'p_expires_at => clock.now()'), t.alone(), 'and does not expire now');
select is(t.edit('boss', $$p_expires_at => '2100-01-01'$$), t.alone(), 'or some day');
select is(t.edit('boss', $$p_status => 'active', p_role => 'user'$$), t.alone(), 'not beside other changes either');
select is(t.delete('boss'), t.alone(), 'or is deleted');
select is(t.edit('boss', $$p_status => 'active', p_role => 'admin', p_expires_at => null$$), 'ok', 'what takes nothing away may be');
select is(t.edit('boss', 'p_idle_stop_minutes => 60'), 'ok', 'and so may another change');
select is((select concat_ws(' ', role, disabled_at, expires_at) from ccp.users where username = 'boss'), 'admin', 'the refused ones changed nothing');
select is(t.edit('bobby', $$p_status => 'disabled'$$), 'ok', 'users come and go');
select throws_ok(
    format('select account.edit(%L, p_status => ''disabled'')', t.user('boss')), 'CP409', 'User boss is the last active administrator.',
    'it is said who that is'
);

-- Others who are none.
select t.admin('gone', null, clock.now());
select is(t.edit('boss', $$p_role => 'user'$$), t.alone(), 'one who is disabled does not count');
select t.admin('late', clock.now());
select is(t.edit('boss', $$p_role => 'user'$$), t.alone(), 'or has expired');
select is(t.edit('gone', $$p_role => 'user'$$), 'ok', 'to whom everything may be done');
select is(t.edit('late', $$p_status => 'disabled'$$), 'ok', 'as there is another');
select is(t.delete('late'), 'ok', 'to the end');

-- Others who will be none.
select t.admin('temp', '2099-06-01');
select is(t.edit('boss', $$p_role => 'user'$$), t.shorter(), 'one who is to expire does not replace one who is not');
select throws_ok(
    format('select account.edit(%L, p_expires_at => ''2099-03-01'')', t.user('boss')), 'CP409',
    'The other administrators expire before boss does: then there would be none.', 'it is said why'
);
select is(t.delete('boss'), t.shorter(), 'nor when that one is deleted');
select is(t.edit('temp', $$p_expires_at => '2099-05-01'$$), 'ok', 'such a one may expire earlier');
select is(t.edit('temp', $$p_role => 'user'$$), 'ok', 'or go');
select is(t.edit('temp', $$p_role => 'admin', p_expires_at => '2099-06-01'$$), 'ok', 'or come');

-- One who replaces.
select is(t.edit('temp', 'p_expires_at => null'), 'ok', 'one who is not to expire');
select is(t.edit('boss', $$p_expires_at => '2099-06-01'$$), 'ok', 'takes that on');
select is(t.edit('temp', $$p_status => 'disabled'$$), t.shorter(), 'and is held by it');
select is(t.edit('boss', $$p_role => 'user'$$), 'ok', 'while the other may go');
select is(t.delete('temp'), t.alone(), 'until alone');

-- Nobody.
update ccp.users set expires_at = '2099-01-01' where username = 'temp';
select is(t.edit('temp', $$p_role => 'user'$$), 'ok', 'where there is none already nothing is held up');
select t.admin('soon', '2099-02-01');
select is(t.edit('soon', $$p_expires_at => '2099-01-31'$$), t.alone(), 'one who is alone for a time is not sent away earlier');
select is(t.edit('soon', $$p_expires_at => '2099-02-01'$$), 'ok', 'the same time is no change');
select is(t.edit('soon', $$p_expires_at => '2099-03-01'$$), 'ok', 'and later is welcome');

select * from finish();
rollback;
