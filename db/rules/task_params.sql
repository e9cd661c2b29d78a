-- The parameters that tasks take.
insert into pg_temp.task_params (kind, name, pattern, default_value, description)
values
    ('host.rebuild', 'mode', '(keep|wipe)', 'keep', 'keep or wipe the home'),
    ('host.delete', 'wipe', '(true|false)', 'false', 'remove the home too'),
    ('system.noop', 'hold_ms', '[0-9]{1,5}', null, 'milliseconds to hold the task'),
    ('system.noop', 'label', '.{0,100}', null, 'anything; two tasks with different labels are two tasks');
