-- An administrator changes a webhook: the members of p_changes, which are columns of ccp.webhooks. One that is failing is
-- tried again when it gets another URL, or when it is said to be active once more.
create or replace function webhook.edit(p_id uuid, p_changes jsonb, p_if_match text default null)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_known constant text[] := array['label', 'url', 'event_types', 'status'];
    v_before ccp.webhooks;
    v_after ccp.webhooks;
    v_changed text[];
begin
    perform api.require_members(p_changes, v_known, 'A webhook');
    v_before := webhook.find(p_id);
    perform account.require_version(p_if_match, v_before.version);
    v_after := jsonb_populate_record(v_before, p_changes);
    v_changed := api.changed_columns(to_jsonb(v_before), to_jsonb(v_after));
    if v_changed <> '{}' then
        perform webhook.check_url(v_after.url);
        update ccp.webhooks
        set
            label = v_after.label,
            url = v_after.url,
            event_types = v_after.event_types,
            status = v_after.status
        where id = p_id;
        perform event.write(
            'admin.webhook.updated',
            format('webhook %s was changed: %s', v_before.label, array_to_string(v_changed, ', ')),
            null, null, null, jsonb_build_object('webhook_id', p_id, 'changed', v_changed)
        );
    end if;
    if 'url' = any (v_changed) or p_changes ->> 'status' = 'active' then
        perform webhook.resume(v_before, 'it was changed');
    end if;
end
$$;

revoke all on function webhook.edit(uuid, jsonb, text) from public;
grant execute on function webhook.edit(uuid, jsonb, text) to ccp_admin;

comment on function webhook.edit(uuid, jsonb, text) is
'An administrator changes a webhook: the members of an object that are columns of ccp.webhooks.';
