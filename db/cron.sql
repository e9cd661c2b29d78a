-- pg_cron's one job, kept in database "postgres": clock.tick_all() each minute in every product database that exists, so
-- that the rules hold with no worker. Variable: dbname. Changes something only if it differs.
\set ON_ERROR_STOP on
select exists (select from pg_available_extensions where name = 'pg_cron')
    and current_setting('shared_preload_libraries') ~ '\mpg_cron\M' as has_cron \gset
\if :has_cron
    begin;
    select pg_advisory_xact_lock(hashtext('cloud-cli-proxy cron')) \g /dev/null
    set local client_min_messages = warning;
    create extension if not exists pg_cron;
    select cron.schedule_in_database(
        'ccp tick ' || :'dbname', '* * * * *', 'call clock.tick_all(''cron'')', :'dbname', 'ccp_cron'
    )
    where not exists (
        select
        from cron.job as j
        where j.jobname = 'ccp tick ' || :'dbname'
            and j.database = :'dbname'
            and j.username = 'ccp_cron'
            and j.command = 'call clock.tick_all(''cron'')'
            and j.schedule = '* * * * *'
            and j.active
    ) \g /dev/null
    -- Where the job's connection goes; it is kept when the job is scheduled again.
    update cron.job as j
    set nodename = current_setting('cron.host')
    where j.jobname = 'ccp tick ' || :'dbname' and j.nodename <> current_setting('cron.host');
    commit;
\endif
