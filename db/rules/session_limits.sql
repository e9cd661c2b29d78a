-- What a session of each role may take of what all share; access.limit_sessions() ends one that takes more. The role's settings
-- (roles.sql) are no more than that and end a statement first, with a sentence; but those it can change for itself.
insert into pg_temp.session_limits (role, statement_max, idle_max, transaction_max, locks_max)
values
    ('ccp_api', interval '1 minute', interval '1 minute', interval '2 minutes', 2000),
    ('ccp_worker', interval '1 minute', interval '1 minute', interval '2 minutes', 2000),
    ('ccp_agent', interval '1 minute', interval '1 minute', interval '2 minutes', 2000),
    ('ccp_sshproxy', interval '1 minute', interval '1 minute', interval '2 minutes', 2000),
    ('ccp_cron', interval '1 minute', interval '1 minute', interval '2 minutes', 2000),
    ('ccp_automation', interval '40 seconds', interval '40 seconds', interval '2 minutes', 2000),
    ('ccp_dba', interval '6 minutes', interval '90 seconds', interval '10 minutes', 2000),
    ('ccp_admin', interval '1 hour', interval '6 minutes', interval '1 hour', 20000);
