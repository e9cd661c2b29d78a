-- A length of time as people say it: 40 s, 12 min, 5 h, 3 d. It is inlined, also into the views: a number becomes text by a
-- cast, for `||` would do that with a function that is not immutable, and then nothing is inlined.
create or replace function clock.span(p_span interval)
returns text
language sql
immutable
return case
    when p_span < interval '100 seconds' then round(extract(epoch from p_span))::text || ' s'
    when p_span < interval '100 minutes' then round(extract(epoch from p_span) / 60)::text || ' min'
    when p_span < interval '48 hours' then round(extract(epoch from p_span) / 3600)::text || ' h'
    else round(extract(epoch from p_span) / 86400)::text || ' d'
end;

grant execute on function clock.span(interval) to public;

comment on function clock.span(interval) is
'A length of time as people say it: 40 s, 12 min, 5 h, 3 d.';
