-- Why webhooks do not go to an address, as a sentence's end; null: they do. Asked for the address that is about to be
-- connected to, after names were resolved, and for addresses in a URL.
create or replace function webhook.address_refusal(p_address inet)
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select format(
        '%s is %s, where webhooks go only if the setting webhook_networks allows it', host(p_address), r.description
    )
    from ccp.refused_networks as r
    where p_address <<= r.network
        and not exists (
            select
            from jsonb_array_elements_text(setting.get('webhook_networks')) as a (network)
            where p_address <<= a.network::inet
        )
    order by masklen(r.network) desc
    limit 1
$$;

revoke all on function webhook.address_refusal(inet) from public;
grant execute on function webhook.address_refusal(inet) to ccp_worker;

comment on function webhook.address_refusal(inet) is
'Why webhooks do not go to an address; null: they do.';
