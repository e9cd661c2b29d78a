-- A request with an idempotency key met the live row of the same request. The row keeps the key if it has none yet and
-- is the same requester's: then the key finds it after its end, too. Returns the row.
create or replace function task.keep_key(p_task ccp.task_rows, p_idempotency_key text, p_by text)
returns ccp.task_rows
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_idempotency_key is null or p_task.idempotency_key is not null or p_task.created_by <> p_by then
        return p_task;
    end if;
    update ccp.task_rows
    set idempotency_key = p_idempotency_key
    where id = p_task.id
    returning * into p_task;
    return p_task;
exception
    when unique_violation then
        perform access.refuse(
            'CP409', 'idempotency_key_reused', 'another session has just used this idempotency key', '{}', 'ask again'
        );
        return null;
end
$$;

revoke all on function task.keep_key(ccp.task_rows, text, text) from public;

comment on function task.keep_key(ccp.task_rows, text, text) is
'The live row of the same request keeps the idempotency key of its requester, if it has none.';
