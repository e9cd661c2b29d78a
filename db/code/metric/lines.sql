-- Every series as its lines of Prometheus' text form, of metrics that ccp.metrics names. A histogram's buckets each count the
-- smaller ones too.
create or replace function metric.lines()
returns table (name text, lines text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select
        s.name,
        case m.type
            when 'histogram' then (
                select string_agg(
                    format('%s_bucket%sle="%s"} %s', s.name, s.before_le, coalesce(b.bound::text, '+Inf'), b.total),
                    e'\n' order by b.n
                )
                from (
                    select k.bound, k.n, sum(k.count) over (order by k.n) as total
                    from unnest(s.bounds, s.buckets) with ordinality as k (bound, count, n)
                ) as b
            ) || format(
                e'\n%1$s_sum%2$s %3$s\n%1$s_count%2$s %4$s', s.name, s.braces, s.value,
                (select sum(k.count) from unnest(s.buckets) as k (count))
            )
            else format('%s%s %s', s.name, s.braces, s.value)
        end
    from (
        select
            a.*,
            case a.label_text when '' then '' else '{' || a.label_text || '}' end as braces,
            '{' || case a.label_text when '' then '' else a.label_text || ',' end as before_le
        from (
            select c.*, metric.label_text(k.labels || '{program,node}'::text[], c.labels) as label_text
            from metric.counted() as c
            join ccp.metrics as k on k.name = c.name
            union all
            select v.*, null, null, metric.label_text(k.labels, v.labels)
            from metric.seen() as v
            join ccp.metrics as k on k.name = v.name
        ) as a
    ) as s
    join ccp.metrics as m on m.name = s.name
    where s.value is not null
$$;

revoke all on function metric.lines() from public;

comment on function metric.lines() is
'Every series as its lines of Prometheus'' text form.';
