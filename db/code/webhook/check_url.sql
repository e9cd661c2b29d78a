-- Refuses a URL whose host is an address where webhooks do not go. What a name resolves to is looked at when it is connected
-- to.
create or replace function webhook.check_url(p_url ccp.webhook_url)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_host text := coalesce(substring(p_url from '://\[([^]]*)\]'), substring(p_url from '://([^:/?]*)'));
    v_refusal text;
begin
    if v_host !~ ':' and v_host !~ '^[0-9.]+$' then
        return;
    end if;
    begin
        v_refusal := webhook.address_refusal(v_host::inet);
    exception
        when invalid_text_representation then
            v_refusal := format('%s is not an address', v_host);
    end;
    if v_refusal is not null then
        perform api.bad_field('url', 'must not be this: ' || v_refusal);
    end if;
end
$$;

revoke all on function webhook.check_url(ccp.webhook_url) from public;

comment on function webhook.check_url(ccp.webhook_url) is
'Refuses a URL whose host is an address where webhooks do not go.';
