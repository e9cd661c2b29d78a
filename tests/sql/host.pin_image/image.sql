-- What a host's next container is made of survives the failure of the task that said so.
begin;
\ir ../hosts.psql
select plan(6);

create function t.image() returns text language sql as $$ select right(image_id, 1) from ccp.hosts where id = t.host() $$;
create function t.image_id(p_last text) returns text language sql as $$ select 'sha256:' || repeat('0', 63) || p_last $$;

select t.ask('host.rebuild');
create temporary table claim as select * from t.claim();
select is(host.pin_image(id, lease - 1, t.image_id('1')), 'stale', 'another lease pins nothing') from claim;
select is(t.image(), null, 'and changes nothing');
select is(host.pin_image(id, lease, t.image_id('1')), 'ok', 'the task pins its image') from claim;
select is(host.pin_image(id, lease, t.image_id('1')), 'ok', 'and may say so again') from claim;
select task.fail(id, lease, 'tunnel_no_handshake', 'no', false) from claim;
select is(t.image(), '1', 'it stays when the task has failed');
select is(host.pin_image(id, lease, t.image_id('2')), 'stale', 'who has reported pins nothing more') from claim;

select * from finish();
rollback;
