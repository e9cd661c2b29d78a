-- The parameters that tasks take. What ccp.home_mode lets through is said there.
insert into pg_temp.task_params (kind, name, pattern, default_value, description)
values
    (
        'host.rebuild', 'mode', (select r.words from api.value_rules() as r where r.type = 'ccp.home_mode'), 'keep',
        'keep or wipe the home'
    ),
    ('host.delete', 'wipe', '(true|false)', 'false', 'remove the home too'),
    ('host.switch', 'egress_ip_id', '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', null, 'the exit to move it to'),
    ('egress.test', 'egress_ip_id', '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', null, 'the exit'),
    ('user.delete', 'user_id', '[0-9a-f-]{36}', null, 'the user, whose deletion was asked for'),
    ('user.delete', 'wipe', '(true|false)', 'false', 'remove the homes too'),
    ('webhook.deliver', 'webhook_id', '[0-9a-f-]{36}', null, 'the webhook'),
    ('webhook.test', 'webhook_id', '[0-9a-f-]{36}', null, 'the webhook'),
    ('system.noop', 'hold_ms', '[0-9]{1,5}', null, 'milliseconds to hold the task'),
    ('system.noop', 'label', '.{0,100}', null, 'anything; two tasks with different labels are two tasks');
