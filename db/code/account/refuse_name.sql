-- Refuses a name that is taken, also by a tombstone: the audit log names people by it.
create or replace function account.refuse_name(p_username text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_deleted boolean := (select u.deleted_at is not null from ccp.users as u where u.username = p_username);
begin
    perform access.refuse(
        'CP409', 'username_taken',
        case
            when v_deleted then format(
                'The name %s was that of a deleted user; it is free again when the audit log no longer has it.', p_username
            )
            else format('There is already a user %s.', p_username)
        end,
        jsonb_build_object('username', p_username), 'choose another name'
    );
end
$$;

revoke all on function account.refuse_name(text) from public;

comment on function account.refuse_name(text) is
'Refuses a name that is taken, also by a tombstone.';
