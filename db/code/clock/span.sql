-- A length of time as people say it: 40 s, 12 min, 5 h, 3 d.
create or replace function clock.span(p_span interval)
returns text
language sql
immutable
return case
    when p_span < interval '100 seconds' then round(extract(epoch from p_span)) || ' s'
    when p_span < interval '100 minutes' then round(extract(epoch from p_span) / 60) || ' min'
    when p_span < interval '48 hours' then round(extract(epoch from p_span) / 3600) || ' h'
    else round(extract(epoch from p_span) / 86400) || ' d'
end;

grant execute on function clock.span(interval) to public;

comment on function clock.span(interval) is
'A length of time as people say it: 40 s, 12 min, 5 h, 3 d.';
