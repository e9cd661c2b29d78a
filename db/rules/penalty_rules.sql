-- What each offence costs a client, after OpenSSH's PerSourcePenalties.
insert into pg_temp.penalty_rules (reason, seconds, description)
values
    ('auth_failed', 5, 'A wrong password or key.'),
    ('unknown_user', 5, 'A name that does not exist.'),
    ('no_auth', 1, 'Came and went without trying.'),
    ('grace', 10, 'Did not finish in time.'),
    ('crash', 90, 'Made a child of the ssh proxy die.');
