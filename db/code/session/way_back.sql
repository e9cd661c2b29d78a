-- The end of a sentence about a host that does not run: what brings its user back in, the host's own link, which starts it. The
-- line is said only if it can be typed as it stands.
create or replace function session.way_back(p_short_id ccp.short_id)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        (
            select format('start it with: curl -sSf %s/entry/%s | bash', u.url, p_short_id)
            from setting.text('public_url') as u (url)
            where u.url ~ '^https?://[A-Za-z0-9.:/_~%\[\]-]{1,120}$'
        ),
        'ask your administrator to start it.'
    )
$$;

revoke all on function session.way_back(ccp.short_id) from public;

comment on function session.way_back(ccp.short_id) is
'What a user does whose host does not run, as the end of a sentence.';
