-- Who makes time pass.
insert into pg_temp.ticks (who, gap_limit)
values
    ('worker', interval '5 seconds'),
    ('cron', interval '65 seconds');
