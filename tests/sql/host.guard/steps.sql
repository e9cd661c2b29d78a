-- As the owner, whom no privilege stops: a host takes the steps of ccp.host_edges and no other, and leaves as a tombstone.
begin;
\ir ../hosts.psql
select plan(6);

-- A host in each status. A row may be made in any; only steps are guarded.
insert into ccp.hosts (short_id, user_id, node_id, image, status, desired, deleted_at)
select
    'in' || left(md5(s.status), 8), h.user_id, h.node_id, 'image', s.status,
    case when s.status in ('deleting', 'deleted') then 'absent' else 'stopped' end,
    case s.status when 'deleted' then clock.now() end
from ccp.hosts as h, ccp.host_statuses as s;

-- What happens to a host in one status that is set to another: the SQLSTATE, or 'taken'.
create function t.step(p_from text, p_to text) returns text language plpgsql as $$
begin
    update ccp.hosts
    set
        status = p_to,
        desired = case when p_to in ('deleting', 'deleted') then 'absent' else desired end
    where short_id = 'in' || left(md5(p_from), 8);
    raise exception 'taken';
exception
    when others then
        return case sqlerrm when 'taken' then 'taken' else sqlstate end;
end
$$;
set local role ccp_owner;
create temporary table steps as
select f.status as from_status, s.status as to_status, t.step(f.status, s.status) as answer
from ccp.host_statuses as f, ccp.host_statuses as s
where f.status <> s.status;

select is((select count(*)::integer from steps), 110, 'every pair of statuses was tried');
select is_empty(
    $$select * from steps where (from_status, to_status) in (select from_status, to_status from ccp.host_edges) and answer <> 'taken'$$,
    'every step of ccp.host_edges is taken'
);
select is_empty(
    $$select * from steps where (from_status, to_status) not in (select from_status, to_status from ccp.host_edges) and answer <> 'CP409'$$,
    'every other is refused with CP409'
);
select throws_ok(
    $$update ccp.hosts set status = 'asleep' where short_id = 'abcdef'$$, 'CP409', 'host abcdef may not go from stopped to asleep',
    'so is one to a status that does not exist'
);
select throws_ok(
    $$delete from ccp.hosts where short_id = 'abcdef'$$, 'CP409', 'host abcdef is stopped: its row cannot be deleted',
    'a live host''s row stays'
);
select lives_ok($$delete from ccp.hosts where status = 'deleted'$$, 'a tombstone''s may go');

select * from finish();
rollback;
