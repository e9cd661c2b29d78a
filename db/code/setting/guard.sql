-- Trigger: a setting takes valid values only, from every role, and notes who changed it. Programs read settings in the
-- middle of their work, where a value that cannot be read would be found too late; the API processes hold one, and are told.
create or replace function setting.guard()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_must text := setting.validation_error(new);
begin
    if v_must is not null then
        perform access.refuse(
            'CP422', 'invalid', format('%s must be %s', new.name, v_must), jsonb_build_object('field', new.name),
            new.description
        );
    end if;
    if tg_op = 'UPDATE' and new.value is distinct from old.value then
        new.version := old.version + 1;
        new.updated_at := clock.now();
        new.updated_by := (select a.who from account.actor() as a);
        perform pg_notify('ccp_api', '');
    end if;
    return new;
end
$$;

revoke all on function setting.guard() from public;

comment on function setting.guard() is
'Trigger: a setting takes valid values only and notes who changed it.';
